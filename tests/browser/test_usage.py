"""What was spent, in a cell and in the side panel, at the widths of both: nothing overlaps, and what is cut says so."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_lab_extension import LOAD, command, side
from tests.ledger.records import record
from tetrate_jupyter.ledger.report import report

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab

pytestmark = pytest.mark.usefixtures("signed_in")
NOON = 1_795_694_400.0  # of a day in November
MODELS = ("claude-haiku-4-5", "deepinfra/deepseek-ai/DeepSeek-V3.2", "gpt-6-luna")
# Pairs of cells of one row of the picture whose words lie over each other or reach out of the table.
OVERLAPS = """(box) => [...box.querySelectorAll(".tetrate-days tr")].flatMap((row) => {
    const ends = [...row.cells].map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        const { left, right } = range.getBoundingClientRect();
        return [left, right];
    });
    const edge = box.getBoundingClientRect().right + 1;
    return ends.filter(([, right], n) => right > edge || (ends[n + 1] && right > ends[n + 1][0] + 1));
})"""
LINES = """(e) => {
    const range = document.createRange();
    range.selectNodeContents(e);
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
}"""
FADES = """(table) => {
    const mask = getComputedStyle(table).maskImage;
    return [mask !== "none" && /rgba\\(0, 0, 0, 0\\.2\\)\\)?$/.test(mask), mask !== "none"];
}"""


def fits(box: Locator) -> None:
    """Whether the picture fits, and the table shows where there is more of it."""
    assert box.evaluate(OVERLAPS) == []
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    table = box.locator(".tetrate-scroll")
    is_cut = table.evaluate("e => e.scrollWidth > e.clientWidth + 1")
    assert table.evaluate(FADES) == [is_cut, is_cut]
    if is_cut:
        table.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
        expect(table).to_have_js_property("scrollLeft", table.evaluate("e => e.scrollWidth - e.clientWidth"))
        table.page.wait_for_function(f"e => ({FADES})(e).join() === 'false,true'", arg=table.element_handle())


@pytest.mark.parametrize(("width", "in_tokens"), [(500, False), (900, False), (1300, False), (500, True)])
def test_the_usage_of_a_day_fits_into_its_cell(
    opened: Opens, page: Page, lab: Lab, width: int, in_tokens: bool
) -> None:
    asked = [
        record(t=NOON + 3600 * hour, asked=model, cost=Decimal("0.0123") * place)
        for hour in range(9)
        for place, model in enumerate(MODELS, 1)
    ] + [record(t=NOON, asked=MODELS[0], cost=None, outcome="failed", error="stopped")]
    shown = report(asked, "today", "model", in_tokens=in_tokens)
    (lab.folder / "usage.html").write_text(shown.html(), encoding="utf-8")
    notebook = opened("from IPython.display import HTML\nHTML(filename='usage.html')")
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": width, "height": 900})
    notebook[0].run()
    fits(notebook[0].box.locator(".tetrate-usage"))


def test_the_usage_of_a_day_fits_into_the_side_panel(opened: Opens, page: Page) -> None:
    ask = "from tetrate_jupyter import session\n" + "\n".join(
        f"session.ask('Say hello.', model={model!r}, keep=False)" for model in MODELS
    )
    notebook = opened(LOAD, ask)
    notebook[0].run()
    notebook[1].run()
    command(page, "Tetrate: usage")
    box = side(page).locator(".tetrate-usage")
    expect(box).to_be_visible()
    room = side(page).bounding_box()
    assert room is not None
    assert room["width"] == 340
    fits(box)
    for name in box.locator(".tetrate-facts td:first-child").all():  # on one line, the whole where it is cut
        expect(name).to_have_attribute("title", name.inner_text())
        is_whole = name.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert is_whole or name.inner_text() == MODELS[1]
        assert name.evaluate(LINES) == 1
    assert side(page).locator("header > span").evaluate("e => e.scrollWidth <= e.clientWidth")  # "all notebooks"
    for figure in box.locator(".tetrate-facts td:last-child").all():  # what was spent, whatever else isn't seen
        expect(figure).to_contain_text("$")
        expect(figure).to_be_in_viewport(ratio=1)
    assert box.locator(".tetrate-scroll").evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_the_side_panel_counts_other_periods_and_by_notebook(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%%tetrate -m claude-haiku-4-5\nSay hello.")
    notebook[0].run()
    notebook[1].run()
    command(page, "Tetrate: usage")
    box = side(page).locator(".tetrate-lab-docked:not(.lm-mod-hidden) .tetrate-usage")
    expect(box).to_contain_text("claude-haiku-4-5")
    period, by = side(page).get_by_role("group", name="Period"), side(page).get_by_role("group", name="Shown")
    expect(period.get_by_role("button", name="Today")).to_have_attribute("aria-pressed", "true")
    today = box.inner_text()
    page.wait_for_function("document.activeElement.closest('.jp-Notebook')")  # the palette gives the focus back late
    period.get_by_role("button", name="7 days").focus()
    page.keyboard.press("Enter")
    expect(box).not_to_have_text(today)
    expect(box).to_contain_text("7 days")
    expect(period.get_by_role("button", name="7 days")).to_be_focused()
    expect(period.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
    by.get_by_role("button", name="By notebook").click()
    expect(box).to_contain_text(notebook.path.name)
    assert box.locator(".tetrate-scroll").evaluate("e => e.scrollWidth <= e.clientWidth + 1")  # the cost is in view
    expect(box).to_have_count(1)
    expect(side(page)).to_contain_text("all notebooks")
    by.get_by_role("button", name="By model").click()
    notebook[1].run()
    expect(box).to_contain_text("2 requests")  # by itself, once the cell has ended
    expect(box).to_have_count(1)
    side(page).get_by_role("button", name="Chat", exact=True).click()
    expect(period).to_be_hidden()
    expect(by).to_be_hidden()
