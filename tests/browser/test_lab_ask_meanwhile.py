"""What happens to cells, views and kernels between Ask and its answer: nothing is run, nothing lands elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_lab_ask import BETTER, SUM, Asked, ask, ask_button, select
from tests.browser.test_lab_extension import FRONT, cell, command, notices, restart, status
from tests.browser.test_lab_failures import MODEL, asked
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell
    from tetrate_jupyter.sandbox import SandboxRouter

pytestmark = pytest.mark.usefixtures("signed_in")
WAIT = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"


@pytest.fixture
def stalls(lab_router: SandboxRouter) -> Iterator[None]:
    """The next answer falls silent in its middle, long enough for what a test does meanwhile."""
    lab_router.inject(Fault("stream-stall", after_chunks=6, delay=8))
    yield
    lab_router.clear_faults()


def streaming(about: Cell, wish: str = "Improve") -> Asked:
    """Ask and send; returns while the answer comes."""
    below = ask(about, wish)
    below.press("Send")
    expect(below.button("Stop")).to_be_visible()
    return below


@pytest.mark.parametrize("sep", ["\u2028", "\u2029", "\x85"])
def test_no_line_end_of_a_source_makes_a_command_of_what_follows(opened: Opens, page: Page, lab: Lab, sep: str) -> None:
    ran = lab.folder / "ran"
    source = f'text = "x) {sep}a = !" , open(chr(114) + chr(97) + chr(110), chr(119))) #'
    notebook = opened(MODEL, source)
    notebook[0].run()
    below = ask(notebook[1], "Explain")
    expect(below.button("Send").or_(below.button("Close"))).to_be_visible()
    assert not ran.exists()
    below.press("Send")
    expect(below.button("Close")).to_be_visible()
    assert not ran.exists()


def test_two_cells_can_be_asked_about_at_once(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM, SUM.replace("mean", "middle"))
    notebook[0].run()
    first, second = ask(notebook[1], "Improve"), ask(notebook[2], "Improve")
    expect(second.button("Send")).to_be_visible()
    first.press("Send", "Apply")
    notebook[1].reads(BETTER)
    second.press("Send")
    expect(second.button("Apply")).to_be_visible()
    assert notebook[2].source == SUM.replace("mean", "middle")


def test_a_second_view_of_a_notebook_asks_for_itself(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM)
    notebook[0].run()
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("New View for Notebook", exact=True).click()
    views = page.locator(".jp-NotebookPanel")
    expect(views).to_have_count(2)
    expect(status(page)).to_contain_text("claude-haiku-4-5")
    here = type(notebook[1])(views.nth(1).locator(".jp-Cell").nth(1), page)
    here.box.locator(".cm-content").click()
    command(page, "Tetrate: improve this cell")
    below = Asked(here)
    below.press("Send")
    expect(below.button("Apply")).to_be_visible()
    there = type(notebook[1])(views.nth(0).locator(".jp-Cell").nth(1), page)
    expect(Asked(there).box).to_have_count(0)
    below.press("Apply")
    here.reads(BETTER)
    there.reads(BETTER)
    restart(page)
    expect(status(page)).to_have_text("Load Tetrate")
    status(page).click()
    expect(status(page)).to_contain_text("no model yet")
    there.box.locator(".cm-content").click()
    expect(status(page)).to_contain_text("no model yet")  # told to both
