"""What happens to cells, views and kernels between Ask and its answer: nothing is run, nothing lands elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_lab_ask import BETTER, SUM, Asked, ask, ask_button, select
from tests.browser.test_lab_extension import FRONT, cell, command, notices, restart, status
from tests.browser.test_lab_failures import FAILS, MODEL, asked, fail
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


@pytest.mark.usefixtures("stalls")
def test_a_cell_that_moves_takes_along_what_was_asked_about_it(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM, "1 + 1")
    notebook[0].run()
    below = streaming(notebook[1])
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    page.keyboard.press("Control+Shift+ArrowDown")
    notebook[2].reads(SUM)
    below = Asked(notebook[2])
    expect(below.button("Stop")).to_be_visible()
    below.press("Apply")
    notebook[2].reads(BETTER)
    assert notebook[1].source == "1 + 1"
    below.press("Close")
    expect(page.get_by_role("group", name="Tetrate on this cell")).to_have_count(0)


@pytest.mark.usefixtures("stalls")
@pytest.mark.parametrize("how", ["delete", "retype", "split"])
def test_an_answer_about_a_cell_that_is_gone_goes_nowhere(opened: Opens, page: Page, how: str) -> None:
    notebook = opened(MODEL, SUM, "1 + 1")
    notebook[0].run()
    below = streaming(notebook[1])
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    if how == "split":
        select(notebook[1], 2)
        page.keyboard.press("Control+Shift+-")
        expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(4)
    elif how == "delete":
        page.keyboard.press("d")
        page.keyboard.press("d")
        expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(2)
    else:
        page.keyboard.press("m")
        expect(page.locator(f"{FRONT} .jp-MarkdownCell")).to_have_count(1)
    expect(page.locator("#jp-main-statusbar").get_by_text("| Idle")).to_be_visible()
    before = [each.source for each in notebook.cells]
    group = page.get_by_role("group", name="Tetrate on this cell")
    if group.count():
        below.box = group
        below.press("Apply")
        expect(notices(page)).to_contain_text("nothing was changed")
        page.keyboard.press("Escape")
    assert [each.source for each in notebook.cells] == before
    notebook.cells[-1].run()


def test_a_kernel_that_restarts_while_an_answer_comes_ends_it(opened: Opens, page: Page, stalls: None) -> None:
    notebook = opened(MODEL, SUM, "1 + 1")
    notebook[0].run()
    below = streaming(notebook[1])
    restart(page)
    expect(below.box).to_contain_text("The kernel has ended.")
    below.press("Close")
    below = ask(notebook[1], "Improve")
    expect(below.button("Send")).to_be_visible()
    restart(page)
    expect(page.locator("#jp-main-statusbar").get_by_text("| Idle")).to_be_visible()
    below.press("Send")
    expect(below.box).to_contain_text("The kernel that was asked is gone. Next: ask again.")
    assert notebook[1].source == SUM


def test_what_waits_behind_a_cell_that_fails_is_said_not_to_have_been_asked(
    opened: Opens, page: Page, lab: Lab, lab_router: SandboxRouter
) -> None:
    notebook = opened(MODEL, SUM, f"{WAIT}\nraise ValueError(1)")
    notebook[0].run()
    before = asked(lab_router)
    notebook[2].start()
    below = ask(notebook[1], "Explain")
    expect(below.box).to_contain_text("The kernel is busy")
    (lab.folder / "go").touch()
    try:
        notebook[2].wait()
    finally:
        (lab.folder / "go").unlink()
    expect(below.box).to_contain_text("The cell before it failed: nothing was asked. Next: ask again.")
    assert asked(lab_router) == before


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


def test_outputs_that_are_folded_away_hide_no_answer(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM + "\nmean([1, 2])")
    notebook[0].run()
    notebook[1].run()
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    command(page, "Collapse Selected Outputs")
    expect(notebook[1].box.locator(".jp-OutputPlaceholder")).to_be_visible()
    below = ask(notebook[1], "Explain")
    expect(below.button("Send")).to_be_visible()


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


def test_what_can_not_be_asked_about_is_said(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    notebook = opened(MODEL, "", "x = 1\n    \n\t\ny = 2", "# " + "long " * 200_000)
    notebook[0].run()
    before = asked(lab_router)
    below = ask(notebook[1], "Explain")
    expect(below.box).to_contain_text("There is no source to ask about.")
    below.press("Close")
    select(notebook[2], 1, "Shift+ArrowDown")
    ask_button(notebook[2]).click()
    expect(page.get_by_role("menuitem", name="Explain", exact=True)).to_be_visible()
    expect(page.get_by_role("menuitem", name="Of the selection")).to_have_count(0)
    page.keyboard.press("Escape")
    notebook[3].box.locator(".cm-content").click()
    command(page, "Tetrate: explain this cell")  # JupyterLab hides the toolbar where a first line is long
    below = Asked(notebook[3])
    expect(below.box).to_contain_text("too many to be sent whole. Next: select a part of it, then ask")
    below.press("Close")
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(cell(page, 1).box.locator("[data-jp-item-name=tetrate-ask]:visible")).to_have_count(0)
    cell(page, 2).box.locator(".cm-content").click()
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(cell(page, 2).box.locator("[data-jp-item-name=tetrate-ask]:visible")).to_have_count(0)
    assert asked(lab_router) == before


def test_what_was_typed_meanwhile_stays_and_so_does_what_another_card_has_applied(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, broken := f"{SUM}\n{FAILS}")
    notebook[0].run()
    error = fail(notebook[1])
    error.press("Fix", "Send")
    expect(error.button("Apply")).to_be_visible()
    below = ask(notebook[1], "Improve")
    below.press("Send")
    expect(below.button("Apply")).to_be_visible()
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  # mine")
    below.press("Apply")
    expect(notices(page)).to_contain_text("The cell was changed since it was asked about: nothing was changed.")
    error.press("Apply")
    expect(notices(page)).to_contain_text("The cell isn't there as it ran: nothing was changed.")
    assert notebook[1].source == broken + "  # mine"
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    for _ in "  # mine":
        page.keyboard.press("Backspace")
    below.press("Apply")
    expect(below.box).to_contain_text("Applied.")
    applied = notebook[1].source
    assert applied != broken
    error.press("Apply")
    expect(notices(page)).to_contain_text("The cell isn't there as it ran: nothing was changed.")
    assert notebook[1].source == applied


def test_a_kernel_that_restarts_while_an_output_is_asked_about_is_said(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, "print('forty')", WAIT)
    for each in range(2):
        notebook[each].run()
    notebook[2].start()
    notebook[1].box.locator(".jp-OutputArea-output").first.click(button="right", position={"x": 5, "y": 5})
    page.locator(".lm-Menu-itemLabel").get_by_text("Tetrate: ask about this output", exact=True).click()
    restart(page)
    expect(notices(page)).to_contain_text("or another kernel ran it")
