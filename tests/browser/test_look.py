"""What is there to be seen: links, words of tables, figures, columns, a comparison's chart in an untrusted copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.test_chat import open_chat
from tests.browser.test_compare import opened_panel

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens

LOAD = "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session"
TABLE = "| name | internationalisation |\n|---|---|\n| `documentation` | incomprehensibility |\n\n" + "word " * 40
LINKED = f"See [the guide](https://example.com/guide).\n\n{TABLE}"
WORDS = "internationalisation", "documentation", "incomprehensibility"
LINES = """
(root, word) => {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const at = texts.currentNode.data.indexOf(word);
        if (at < 0 || !texts.currentNode.parentElement.closest("td, th")) continue;
        const range = document.createRange();
        range.setStart(texts.currentNode, at);
        range.setEnd(texts.currentNode, at + word.length);
        return range.getClientRects().length;
    }
    return 0;
}
"""
LINES_OF_COSTS = """
() => [...document.querySelectorAll(".tetrate-board tbody .tetrate-figure-3 > :last-child")].map((cost) => {
    const range = document.createRange();
    range.selectNodeContents(cost);
    return range.getClientRects().length;
})
"""
LINK = """
a => [getComputedStyle(a).textDecorationLine, getComputedStyle(a).color !== getComputedStyle(a.parentElement).color]
"""
CLEAR = 60  # pixels; a part that is out of sight by less looks like a mistake
SIDE = "e => [e.scrollWidth - e.clientWidth, e.clientWidth]"
CUT = "e => e.scrollWidth - e.clientWidth"
pytestmark = pytest.mark.usefixtures("signed_in")


def reads_well(body: Locator) -> None:
    """Check that a link looks like one, and that no word of a table is broken."""
    link = body.get_by_role("link", name="the guide")
    expect(link).to_be_visible()
    assert link.evaluate(LINK) == ["underline", True]
    assert {word: body.evaluate(LINES, word) for word in WORDS} == dict.fromkeys(WORDS, 1)


def test_links_and_tables_in_chat_and_compare_and_a_cell(opened: Opens, page: Page) -> None:
    cell = f"%%tetrate -m sandbox/echo --no-keep -n\n{LINKED}"
    notebook = opened(LOAD, "%tetrate_compare", cell, "%tetrate_model sandbox/echo", "%tetrate_chat")
    page.keyboard.press("Control+b")
    compare = opened_panel(notebook)
    compare.add(*(["sandbox/echo"] * 6))  # narrow columns
    compare.run(LINKED)
    compare.is_over()
    compare.box.get_by_role("button", name="Columns").click()
    reads_well(compare.body("sandbox/echo #2"))
    notebook[2].run()
    reads_well(notebook[2].box.locator(".tetrate-body"))
    notebook[3].run()
    chat = open_chat(notebook, 4)
    page.set_viewport_size({"width": 400, "height": 900})
    reads_well(chat.asked(LINKED).locator(".tetrate-body").last)


def test_columns_fit_or_are_clearly_wider_and_figures_stay_whole(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    compare = opened_panel(notebook)
    compare.add("claude-haiku-4-5", "gpt-6-luna", "gpt-5-nano")
    compare.run("Say hello.")
    compare.is_over()
    side = compare.box.locator(".tetrate-side")
    seen_at = set()
    for width in range(740, 960, 20):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("w => document.querySelector('.jp-Notebook').clientWidth < w", arg=width)
        over, wide = side.evaluate(SIDE)
        seen_at.add(wide)
        assert over <= 1 or over >= CLEAR, width
        assert compare.box.page.evaluate(LINES_OF_COSTS) == [1, 1, 1], width
    assert len(seen_at) > 5

    compare.press("More", "gpt-6-luna")
    compare.column("gpt-6-luna").get_by_role("menuitem", name="Remove", exact=True).click()
    expect(compare.columns).to_have_count(2)
    compare.box.get_by_role("button", name="Undo").click()
    expect(compare.columns).to_have_count(3)
    compare.choose("Remove the answers")
    expect(compare.columns).to_have_count(0)
    compare.box.get_by_role("button", name="Undo").click()
    expect(compare.columns).to_have_count(3)
    expect(compare.body("gpt-6-luna")).not_to_be_empty()
    expect(compare.box.get_by_role("button", name="Undo")).not_to_be_visible()
    expect(compare.box.get_by_role("button", name="Edit", exact=True)).to_be_focused()


def test_the_picker_cuts_no_price_and_of_a_name_the_beginning(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_models deepinfra")
    notebook[0].run()
    notebook[1].run()
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": 900, "height": 900})
    rows = notebook[1].box.locator(".tetrate-option")
    expect(rows.first).to_be_visible()
    assert {price.evaluate(CUT) for price in rows.locator(".tetrate-number").all()} == {0}
    cut = [name for name in rows.locator(".tetrate-before").all() if name.evaluate(CUT) > 0]
    assert cut, "one is too long for this width"
    whole = [name.evaluate(CUT) for name in rows.locator(".tetrate-id > b").all()]
    assert whole.count(0) > len(whole) / 2  # the beginning goes first
    for name in rows.locator(".tetrate-id").all():
        text, frame = name.locator("b").bounding_box(), name.bounding_box()
        assert text is not None
        assert frame is not None
        assert abs(text["x"] + text["width"] - frame["x"] - frame["width"]) <= 1  # its end is in sight


def test_the_box_to_ask_in_stays_in_sight_while_its_answer_grows(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_model sandbox/stream", "%tetrate_chat")
    page.set_viewport_size({"width": 1280, "height": 480})
    notebook[0].run()
    notebook[1].run()
    chat = open_chat(notebook, 2)
    chat.prompt.click()
    page.keyboard.type("chunks=60 size=40 interval=0.02 paragraph=4")
    page.keyboard.press("Enter")
    expect(chat.messages.last).to_contain_text("#59")
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    expect(chat.prompt).to_be_in_viewport(ratio=1)
    expect(chat.button("Send")).to_be_in_viewport(ratio=1)


def test_an_untrusted_copy_of_a_comparison_has_its_chart(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna --wait\nSay hello.")
    notebook[0].run()
    notebook[1].run()
    notebook.save()
    copy = nbformat.read(notebook.path, as_version=4)
    copy.metadata["edited"] = "elsewhere"
    for each in copy.cells:  # another source than the one that was trusted
        each.source += "\n# a colleague's"
        each.metadata.pop("trusted", None)
    nbformat.write(copy, notebook.path.with_name("colleague.ipynb"))
    theirs = opened(copy_of=notebook.path.with_name("colleague.ipynb"))
    rows = theirs[1].box.locator("table.tetrate-bars tr")
    expect(rows).to_have_count(2)
    assert theirs[1].box.locator(".jp-OutputArea-output style").count() == 0  # shown without our stylesheet
    for row in rows.all():
        bars = [bar.bounding_box() for bar in row.locator("td[aria-hidden] > span").all()]
        assert all(bar is not None and bar["width"] >= 1 and bar["height"] >= 5 for bar in bars)
        label, _, said = (cell.bounding_box() for cell in row.locator("td").all())
        assert label is not None
        assert said is not None
        assert label["x"] + label["width"] < said["x"]
