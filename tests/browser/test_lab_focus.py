"""Where the cursor is after a command of the extension has opened something to write in: by a person's own keys."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_lab_extension import FRONT, LOAD, cell, docked, side, status

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Notebook

TYPED = "What is a p-value, dd and x?"  # letters that add, cut and delete cells where they are shortcuts
WAIT = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
pytestmark = pytest.mark.usefixtures("signed_in")


def palette(page: Page, name: str) -> None:
    """Choose a command in the palette by keys alone, as who is in a notebook does."""
    page.keyboard.press("Control+Shift+C")
    entry = page.get_by_role("textbox", name="Command Palette").or_(page.locator(".lm-CommandPalette-input")).first
    expect(entry).to_be_focused()
    page.keyboard.type(name)
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(name)
    page.keyboard.press("Enter")


def in_command_mode(notebook: Notebook) -> None:
    notebook[0].run()
    page = notebook.page
    page.locator(f"{FRONT} .jp-InputPrompt").first.click()
    expect(page.locator("#jp-main-statusbar").get_by_text("Mode: Command")).to_be_visible()


def is_written(page: Page, field: Locator, cells: int) -> None:
    """Type at once, and once more when the field is there: it has that, and the notebook its cells."""
    page.keyboard.type(TYPED)
    expect(field).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(TYPED)
    expect(field).to_have_value(TYPED)
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(cells)


@pytest.mark.parametrize("name", ["chat", "models"])
def test_what_is_typed_after_the_command_is_in_the_panel(opened: Opens, page: Page, name: str) -> None:
    notebook = opened(LOAD, "1 + 1", "2 + 2")
    in_command_mode(notebook)
    expect(status(page)).to_contain_text("today")
    for _ in range(2):  # the second time it is there already
        palette(page, f"Tetrate: {name}")
        prompt = side(page).get_by_label("Ask", exact=True)
        search = side(page).get_by_role("combobox", name="Search models")
        is_written(page, prompt if name == "chat" else search, 3)
        page.locator(f"{FRONT} .jp-InputPrompt").first.click()
    page.keyboard.press("b")  # who goes back is in the notebook
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(4)


def test_the_package_is_loaded_by_enter_and_the_cursor_is_in_the_box(opened: Opens, page: Page) -> None:
    in_command_mode(opened("'not loaded'", "1 + 1"))
    palette(page, "Tetrate: chat")
    expect(side(page).get_by_role("button", name="Load")).to_be_focused()
    page.keyboard.press("Enter")
    is_written(page, side(page).get_by_label("Ask", exact=True), 2)


def test_the_status_items_menu_leads_into_the_box(opened: Opens, page: Page) -> None:
    in_command_mode(opened(LOAD, "1 + 1"))
    expect(status(page)).to_contain_text("today")
    status(page).click()
    page.get_by_role("menuitem", name="Chat", exact=True).click()
    is_written(page, docked(page).prompt, 2)


@pytest.mark.parametrize("first", ["'not loaded'", LOAD])
def test_compare_leads_into_the_prompt_of_its_panel(opened: Opens, page: Page, first: str) -> None:
    in_command_mode(opened(first, "1 + 1"))
    palette(page, "Tetrate: compare models")
    is_written(page, page.locator(f"{FRONT} .tetrate-compare").get_by_label("Prompt", exact=True), 3)


@pytest.mark.parametrize("first", ["'not loaded'", LOAD])
def test_a_new_prompt_cell_is_written_at_once(opened: Opens, page: Page, first: str) -> None:
    in_command_mode(opened(first, "1 + 1"))
    palette(page, "Tetrate: new prompt cell")
    page.keyboard.type("x")
    expect(cell(page, 1).box.locator(".cm-content")).to_be_focused()
    page.keyboard.type("What is dd?")
    expect(cell(page, 1).box.locator(".cm-content")).to_contain_text("What is dd?")
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(3)


def test_the_launchers_tile_leads_into_the_box(opened: Opens, page: Page) -> None:
    opened("1 + 1")
    page.keyboard.press("Control+Shift+L")
    page.locator(".jp-LauncherCard", has_text="Chat").click()
    expect(side(page).get_by_label("Ask", exact=True)).to_be_focused()
    page.keyboard.type(TYPED)
    expect(docked(page).prompt).to_have_value(TYPED)
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(1)


def test_who_goes_elsewhere_while_it_loads_stays_there(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, WAIT, "1 + 1")
    in_command_mode(notebook)
    expect(status(page)).to_contain_text("today")
    notebook[1].start()
    palette(page, "Tetrate: chat")
    expect(side(page)).to_contain_text("The kernel is busy: this opens after the running cell.")
    page.keyboard.type("dd")
    editor = notebook[2].box.locator(".cm-content")
    editor.click()
    page.keyboard.type("0")
    notebook.path.with_name("go").touch()
    try:
        expect(docked(page).prompt).to_be_visible()
    finally:
        notebook.path.with_name("go").unlink()
    expect(editor).to_be_focused()
    page.keyboard.type("5")
    expect(editor).to_contain_text("05")
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(3)


def test_signed_out_the_cursor_is_at_sign_in_and_no_key_runs_a_shortcut(opened: Opens, page: Page, lab: Lab) -> None:
    shutil.rmtree(lab.data / "tetrate-jupyter")
    in_command_mode(opened(LOAD, "1 + 1"))
    expect(status(page)).to_contain_text("not signed in")
    for name in ("chat", "sign in", "models"):
        palette(page, f"Tetrate: {name}")
        expect(side(page).get_by_role("link", name="Sign in").first).to_be_focused()
        page.keyboard.type("bdd")
        expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(2)
        page.locator(f"{FRONT} .jp-InputPrompt").first.click()
