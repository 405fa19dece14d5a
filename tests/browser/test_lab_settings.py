"""The settings page "Tetrate" of JupyterLab and Notebook 7: each setting is changed there, and acts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_keys import LINES, type_lines
from tests.browser.test_lab_extension import FRONT, LOAD, command, docked, front, notices, restart, side, status
from tests.browser.test_lab_failures import FAILS, Below, fail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tetrate_jupyter.sandbox import SandboxRouter

PLUGIN = "tetrate-jupyter:plugin"
KEY = "sk-typed-here-0123456789abcdef"
ALONE = "import os\nfor name in list(os.environ):\n    if name.startswith('TETRATE_'): del os.environ[name]"


@pytest.fixture
def kept(lab: Lab, signed_in: None) -> Iterator[Path]:
    """Where JupyterLab keeps what is set; nothing before and after."""
    path = lab.home / "settings" / "tetrate-jupyter" / "plugin.jupyterlab-settings"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


class Editor:
    """The Settings Editor, at "Tetrate"."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.locator(".jp-PluginList-entry, .jp-PluginList button").get_by_text("Tetrate", exact=True).first.click()
        self.box = page.locator(".jp-SettingsPanel, .jp-SettingsEditor").first

    def field(self, name: str) -> Locator:
        return self.box.locator(f"input[id$='tetrate-jupyter:plugin_{name}']")

    def saved(self, path: Path, name: str, value: object) -> None:
        """Wait until this is in the file."""
        for _ in range(300):
            if path.exists() and f'"{name}": {json.dumps(value)}' in path.read_text():
                return
            self.page.wait_for_timeout(100)
        pytest.fail(path.read_text() if path.exists() else "nothing was saved")


def settings(page: Page) -> Editor:
    page.keyboard.press("Control+,")
    return Editor(page)


@pytest.mark.parametrize("name", ["statusItem", "errorButtons"])  # one edit a page: a form is saved whole, as drawn
def test_what_is_the_pages_acts_at_once_and_after_a_reload(opened: Opens, page: Page, kept: Path, name: str) -> None:
    notebook = opened(LOAD, FAILS, "1 + 1")
    notebook[0].run()
    below = fail(notebook[1])
    shown = {"statusItem": status(page), "errorButtons": below.button("Explain")}
    for each in shown.values():
        expect(each).to_be_visible()
    editor = settings(page)
    editor.field(name).uncheck()
    editor.saved(kept, name, False)
    front(page, notebook.path.name)
    expect(shown.pop(name)).not_to_be_visible()
    (other,) = shown.values()
    expect(other).to_be_visible()

    notebook.open()
    front(page, notebook.path.name)
    below = fail(notebook[1])
    assert notebook[2].run() == "2"
    expect(other).to_be_visible()
    gone = {"statusItem": status(page), "errorButtons": below.button("Explain")}[name]
    expect(gone).not_to_be_visible()
    editor = settings(page)
    editor.field(name).check()
    editor.saved(kept, name, True)
    front(page, notebook.path.name)
    expect(gone).to_be_visible()  # the error is still the last one


def test_enter_is_one_choice_in_the_chat_and_in_the_settings(opened: Opens, page: Page, kept: Path) -> None:
    notebook = opened(LOAD)
    page.evaluate("localStorage.setItem('tetrate-enter', 'line')")  # chosen before there were settings
    notebook.open()
    notebook[0].run()
    command(page, "Tetrate: chat")
    chat = docked(page)
    editor = settings(page)
    expect(editor.field("enterSends")).not_to_be_checked()
    chat.prompt.click()
    type_lines(page, "Enter")
    expect(chat.prompt).to_have_value(LINES)
    editor.field("enterSends").check()
    editor.saved(kept, "enterSends", True)
    page.wait_for_function("!window.tetrateEnter.isLine")  # it is in the file before the page hears that it is
    chat.prompt.click()
    expect(chat.box.locator(".tetrate-keys")).to_have_text("Enter sends, Shift + Enter: new line")
    page.keyboard.press("Enter")
    expect(chat.messages).to_have_count(1)
    chat.button("Parameters").click()
    chat.box.get_by_label("Enter makes a line").check()
    editor.saved(kept, "enterSends", False)
    notebook.open()
    page.wait_for_function("window.tetrateEnter?.isLine")  # settings may come after the kernel
    assert page.evaluate("localStorage.getItem('tetrate-enter')") is None


def test_a_choice_that_can_not_be_kept_yet_is_not_lost(opened: Opens, page: Page, kept: Path) -> None:
    notebook = opened("1 + 1")
    page.evaluate("localStorage.setItem('tetrate-enter', 'line')")
    page.route("**/api/settings/**", lambda route: route.abort() if route.request.method == "PUT" else route.fallback())
    with page.expect_event("requestfailed", lambda request: "/api/settings/" in request.url):
        notebook.open()
    page.wait_for_function("window.tetrateEnter?.isLine")
    page.wait_for_timeout(1000)
    assert page.evaluate("localStorage.getItem('tetrate-enter')") == "line"
    page.unroute("**/api/settings/**")
    notebook.open()
    page.wait_for_function("localStorage.getItem('tetrate-enter') === null")
    assert '"enterSends": false' in kept.read_text()


def test_new_kernels_get_model_router_and_no_line(
    opened: Opens, page: Page, kept: Path, lab_router: SandboxRouter
) -> None:
    notebook = opened(ALONE, LOAD, "%tetrate The word is xyzzy.", "%tetrate_status")
    editor = settings(page)
    editor.field("model").fill("sandbox/echo")
    editor.saved(kept, "model", "sandbox/echo")
    editor.field("baseUrl").fill(lab_router.base_url)
    editor.saved(kept, "baseUrl", lab_router.base_url)
    editor.field("greeting").uncheck()
    editor.saved(kept, "greeting", False)
    front(page, notebook.path.name)
    notebook[0].run()
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run Selected Cell and All Below").click()  # no page hears in between
    notebook[3].wait()
    assert notebook[1].text == ""
    assert lab_router.host in notebook[3].text
    assert any(each.model == "sandbox/echo" and "xyzzy" in repr(each.body) for each in lab_router.requests)
    expect(status(page)).to_contain_text("sandbox/echo")

    notebook.open()  # the same kernel
    expect(status(page)).to_contain_text("sandbox/echo")
    restart(page)
    expect(status(page)).to_have_text("Load Tetrate")
    notebook[0].run()
    status(page).click()
    expect(status(page)).to_contain_text("sandbox/echo (default)")
    restart(page)
    expect(status(page)).to_have_text("Load Tetrate")
    assert notebook[1].run() == ""
    expect(status(page)).to_contain_text("sandbox/echo (default)")


def test_a_key_is_refused_and_what_a_kernel_refuses_is_told(opened: Opens, page: Page, kept: Path) -> None:
    notebook = opened(ALONE, LOAD)
    editor = settings(page)
    for name in ("model", "baseUrl"):
        editor.field(name).fill(KEY)
        expect(editor.box).to_contain_text("must match pattern")
        editor.field(name).fill("")
        expect(editor.box).not_to_contain_text("must match pattern")
    editor.field("baseUrl").fill("http://gateway.example")
    editor.saved(kept, "baseUrl", "http://gateway.example")
    assert KEY not in kept.read_text()
    front(page, notebook.path.name)
    notebook[0].run()
    notebook[1].run()
    expect(notices(page)).to_contain_text("plain http")


def test_an_administrators_overrides_are_the_defaults(opened: Opens, page: Page, lab: Lab, kept: Path) -> None:
    overrides = lab.home / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True, exist_ok=True)
    overrides.write_text(json.dumps({PLUGIN: {"statusItem": False, "model": "sandbox/echo"}}))
    try:
        notebook = opened(LOAD)
        notebook[0].run()
        editor = settings(page)
        expect(editor.field("model")).to_have_value("sandbox/echo")
        expect(status(page)).not_to_be_visible()
        editor.field("statusItem").check()
        expect(status(page)).to_contain_text("sandbox/echo (default)")
    finally:
        overrides.unlink()


def test_notebook_7_has_the_settings(opened: Opens, page: Page, notebook7: Lab) -> None:
    notebook = opened(LOAD, FAILS, on=notebook7)
    notebook[0].run()
    below: Below = fail(notebook[1])
    expect(below.button("Explain")).to_be_visible()
    with notebook7.settings(PLUGIN.replace(":", "/"), {"errorButtons": False}):
        notebook.open()
        below = fail(notebook[1])
        command(page, "Tetrate: chat")
        expect(side(page).locator(".tetrate-panel").first).to_be_visible()
        expect(below.button("Explain")).not_to_be_visible()
        page.goto(f"{notebook7.origin}/tree")
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Settings Editor", exact=True).click()
        editor = Editor(page)
        expect(editor.field("errorButtons")).not_to_be_checked()
