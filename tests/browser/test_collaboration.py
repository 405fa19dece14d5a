"""One notebook in two pages at once, with jupyter-collaboration: each sees what the other does, and nothing twice."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook
from tests.browser.test_chat import LOAD as WITH_SESSION
from tests.browser.test_chat import SLOW, Chat
from tests.browser.test_lab_extension import ASK, command, docked, restart, side, status
from tests.browser.test_lab_failures import FAILS, MENDED, MODEL, asked, fail
from tests.packaging.conftest import empty_environment, install
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Opens
    from tetrate_jupyter.sandbox import SandboxRouter

LONG = "'far up'" + "\n#" * 60  # a cell that is higher than the page
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # it makes an environment first


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = empty_environment(tmp_path_factory.mktemp("together") / "environment")
    try:
        install(made, "jupyter-collaboration==5.*", f"jupyterlab=={version('jupyterlab')}", "ipywidgets", "ipykernel")
        install(made, f"anywidget=={version('anywidget')}")
    except AssertionError as error:
        pytest.skip(f"jupyter-collaboration can't be installed here, so nothing of it was tried: {error}")
    return made


@pytest.fixture(scope="module")
def together(programs: Path, lab_router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("together") / "home"
    with Lab(home, lab_router.environment, python=programs / "python") as running:
        yield running


@pytest.fixture(autouse=True)
def _signed_in(together: Lab, lab_router: SandboxRouter) -> Iterator[None]:
    store = KeyStore(together.data / "tetrate-jupyter")
    store.save(Secret(lab_router.issue_key(), host=lab_router.host), store="file")
    yield
    together.end_kernels()


class Joins(Protocol):
    def __call__(self, notebook: Notebook, *, without_kernels: bool = False) -> Notebook: ...


@pytest.fixture
def joined(browser: Browser, together: Lab) -> Iterator[Joins]:
    """Open the same notebook in the browser of another person, who perhaps may use no kernels."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", color_scheme="light")
    context.set_default_timeout(PATIENCE)
    errors: list[str] = []

    def make(notebook: Notebook, *, without_kernels: bool = False) -> Notebook:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
        address = together.address(notebook.path.name).replace("/workspaces/", "/workspaces/other-")
        other = Notebook(page, notebook.path, address)
        if without_kernels:
            for path in ("kernels", "sessions"):
                page.route(f"**/api/{path}**", lambda route: route.fulfill(status=403, json={"message": "Forbidden"}))
            page.goto(address, wait_until="domcontentloaded")
            expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=PATIENCE)
        else:
            other.open()
        return other

    yield make
    context.close()
    assert errors == []


def saved(notebook: Notebook, text: str) -> list[Any]:
    """Return the outputs of the second cell as soon as its file has this in one of them: the server writes it."""
    until = time.monotonic() + PATIENCE / 1000
    while True:
        outputs = nbformat.read(notebook.path, 4).cells[1].outputs  # type: ignore[no-untyped-call]  # nbformat's
        if any(text in each.get("data", {}).get("text/html", "") for each in outputs) or time.monotonic() > until:
            return list(outputs)
        notebook.page.wait_for_timeout(200)


def test_an_answer_is_asked_once_seen_by_both_and_outlives_the_page_that_asked(
    opened: Opens, page: Page, joined: Joins, together: Lab, lab_router: SandboxRouter
) -> None:
    notebook = opened(MODEL, ASK, f"%%tetrate -m sandbox/stream\n{SLOW}", on=together)
    other = joined(notebook)
    notebook[0].run()
    expect(status(other.page)).to_contain_text("claude-haiku-4-5")
    before = asked(lab_router)
    notebook[1].run()
    expect(other[1].box).to_contain_text("Hello!")
    expect(status(other.page)).to_contain_text("$0.000055 today")
    for each in (page, other.page):
        command(each, "Tetrate: chat")
    mine, theirs = docked(page), docked(other.page)
    expect(mine.messages).to_have_count(1)
    theirs.asked("Say hello.")
    expect(mine.messages).to_have_count(2)
    expect(theirs.messages).to_have_count(2)
    other[2].start()
    expect(notebook[2].box).to_contain_text("#9 ")
    expect(status(page)).to_contain_text("asking…")
    other.page.close()  # nobody writes the cell's output any more, but the kernel goes on
    expect(mine.messages).to_have_count(3)
    expect(mine.messages.last).to_have_attribute("aria-busy", "true")
    notebook[0].box.locator(".jp-InputPrompt").first.click()
    notebook.interrupt()
    expect(status(page)).to_contain_text("stopped")
    expect(mine.messages.last).to_contain_text("#9 ")
    expect(mine.messages.last).to_have_attribute("aria-busy", "false")
    assert asked(lab_router) == before + 3


def test_what_a_panel_leaves_in_the_notebook_is_there_once(opened: Opens, joined: Joins, together: Lab) -> None:
    notebook = opened(WITH_SESSION, "session.chat()", on=together)
    notebook[0].run()
    notebook[1].run()
    other = joined(notebook)  # it has the panel of the kernel, and no output of a cell that it ran
    mine, theirs = (Chat(each[1].box.locator(".tetrate-panel")) for each in (notebook, other))
    mine.asked("Say hello.")
    theirs.asked("Say hello again.")
    expect(mine.messages).to_have_count(2)
    saved(notebook, "Say hello again.")
    notebook.open()  # now neither page knows which output the kernel means
    mine = Chat(notebook[1].box.locator(".tetrate-panel"))
    theirs.asked("Say hello a third time.")
    expect(mine.messages).to_have_count(3)
    outputs = saved(notebook, "Say hello a third time.")
    assert len(outputs) == 2  # the panel and its static fallback
    assert "a third time" in outputs[1].data["text/html"]
    for each in (notebook, other):
        expect(each[1].box.locator(".jp-OutputArea-child")).to_have_count(2)


def test_a_change_is_offered_where_it_was_asked_for_and_made_for_both(
    opened: Opens, page: Page, joined: Joins, together: Lab
) -> None:
    notebook = opened(MODEL, FAILS, "1 + 1", on=together)
    other = joined(notebook)
    notebook[0].run()
    below = fail(notebook[1])
    below.press("Fix", "Send")
    expect(below.button("Apply")).to_be_visible()
    expect(other[1].failures).to_have_count(1)
    expect(other.page.locator(".tetrate-lab-below")).to_have_count(0)
    below.press("Apply")
    other[1].reads(MENDED)
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+z")
    other[1].reads(FAILS)
    command(other.page, "Tetrate: new prompt cell")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)


def test_a_restart_by_one_is_told_to_the_other_whose_panel_works_with_the_new_kernel(
    opened: Opens, page: Page, joined: Joins, together: Lab
) -> None:
    notebook = opened(MODEL, LONG, "%%tetrate\nSay hello.", on=together)
    other = joined(notebook)
    notebook[0].run()
    for each in (page, other.page):
        command(each, "Tetrate: chat")
        docked(each)
    docked(other.page).asked("Say hello.")
    restart(page)
    for each in (page, other.page):
        expect(status(each)).to_have_text("Load Tetrate")
        expect(side(each)).to_contain_text("The kernel was restarted.")
    status(page).click()
    expect(status(other.page)).to_contain_text("today")  # though no cell has loaded it
    expect(docked(other.page).messages).to_have_count(1)
    docked(other.page).asked("Say hello again.")
    expect(docked(page).messages).to_have_count(2)

    status(other.page).click()
    other.page.get_by_role("menuitem", name="Sign out", exact=True).click()
    expect(status(page)).to_contain_text("not signed in")
    notebook[2].start()
    expect(status(other.page)).to_contain_text("waiting for sign-in")
    other[0].box.locator(".cm-content").click()
    expect(other[2].box).not_to_be_in_viewport()
    status(other.page).click()
    expect(other[2].box).to_be_in_viewport()
    page.keyboard.press("Escape")
    notebook.interrupt()
    expect(status(other.page)).not_to_contain_text("waiting")


def test_a_page_that_may_use_no_kernel_sees_what_is_in_the_notebook_and_no_more(
    opened: Opens, joined: Joins, together: Lab, lab_router: SandboxRouter
) -> None:
    notebook = opened(MODEL, ASK, "from tetrate_jupyter import session\nsession.chat()", on=together)
    notebook[0].run()
    notebook[1].run()
    notebook[2].run()
    before = asked(lab_router)
    other = joined(notebook, without_kernels=True)
    expect(other[1].box).to_contain_text("Hello!")
    expect(other[2].box).to_contain_text("Hello!")  # the panel's static fallback
    Chat(notebook[2].box.locator(".tetrate-panel")).asked("Say hello again.")
    expect(other[2].box).to_contain_text("Say hello again.")  # it is of the document
    expect(other.page.locator(".tetrate-panel")).to_have_count(0)
    expect(status(other.page)).not_to_be_visible()
    assert asked(lab_router) == before + 1
