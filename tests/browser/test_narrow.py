"""In a page of 480 pixels, dark: what can be pressed is in sight and on top, and names can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import seen
from tests.browser.test_chat import LOAD, SHOW, open_chat
from tests.browser.test_compare import Compare
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tetrate_jupyter.sandbox import SandboxRouter

CUT = "e => e.scrollWidth - e.clientWidth"
LONG = "deepinfra/deepseek-ai/DeepSeek-V3.2"
COVERED = """
(root) => [...root.querySelectorAll("button, select, input, textarea, summary, a")].filter((each) => {
    if (each.closest("[popover]")) return false;
    if (!each.checkVisibility({opacityProperty: true, visibilityProperty: true})) return false;
    each.scrollIntoView({block: "center", inline: "nearest"});
    const box = each.getBoundingClientRect();
    if (box.width < 2) return false; // for readers of screens
    const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const [least, most] = [root.getBoundingClientRect().left, root.getBoundingClientRect().right];
    const top = at && (each.contains(at) || at.contains(each) || at.closest("label")?.contains(each));
    return !top || box.left < least - 1 || box.right > most + 1;
}).map((each) => each.outerHTML.slice(0, 120))
"""
pytestmark = pytest.mark.usefixtures("signed_in")


def fits(panel: Locator) -> None:
    """Check that each control can be reached, and that nothing makes the page wider."""
    assert panel.evaluate(COVERED) == []
    assert panel.evaluate(CUT) <= 0
    assert seen.scrolling_sideways(panel.page) == []


def test_all_can_be_reached_and_names_keep_what_tells_them_apart(
    opened: Opens, page: Page, lab: Lab, lab_router: SandboxRouter
) -> None:
    page.set_viewport_size({"width": 480, "height": 900})
    asked = f"%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna,{LONG}\n{SHOW}"
    lab_router.inject(Fault("no-credits", model="gpt-6-luna"))
    with lab.theme("JupyterLab Dark"):
        notebook = opened(LOAD, "session.chat()", "%tetrate_models deepseek", asked)
    page.keyboard.press("Control+b")
    chat = open_chat(notebook)
    chat.asked(SHOW)
    fits(chat.box)
    notebook[2].run()
    picker = notebook[2].box.locator(".tetrate-panel")
    expect(picker.locator(".tetrate-option").first).to_be_visible()
    fits(picker)
    notebook[3].run()
    compare = Compare(notebook[3].box.locator(".tetrate-panel"), is_new=False)
    compare.is_over()
    compare.press("Best", "claude-haiku-4-5")
    expect(compare.column("claude-haiku-4-5").locator(".tetrate-use.tetrate-main")).to_be_visible()
    fits(compare.box)
    for name in (LONG, "claude-haiku-4-5"):  # the end of an id is what tells models apart
        for place in (compare.board.get_by_role("row", name=name), compare.column(name).locator(".tetrate-use")):
            whole = place.locator(".tetrate-id > b")
            expect(whole).to_have_text(name.rpartition("/")[2])
            assert whole.evaluate(CUT) <= 0, name
    assert (
        compare.box.locator(".tetrate-side").evaluate("e => e.scrollHeight - e.clientHeight") <= 0
    )  # as long as it is
    compare.edit()
    fits(compare.box)


@pytest.mark.parametrize("width", [480, 660, 900])
def test_what_a_comparison_offers_stays_within_its_edges(opened: Opens, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    trios = notebook[1].box.locator(".tetrate-trio")
    expect(trios.first).to_be_visible()
    for trio in trios.all():
        assert trio.evaluate(CUT) <= 0, trio.inner_text()


def test_what_was_spent_is_whole_in_the_narrowest_panel(opened: Opens, page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 900})
    frame = "from ipywidgets import VBox\nframe = VBox([session.chat()], layout={'width': '340px'})\nframe"
    notebook = opened(LOAD, frame)
    chat = open_chat(notebook)
    chat.asked(SHOW)
    total = chat.box.locator(".tetrate-total")
    expect(total).to_contain_text("$")
    assert total.evaluate(CUT) <= 0
    assert seen.scrolling_sideways(page) == []


def test_the_head_of_a_code_block_keeps_its_name_on_one_line(opened: Opens, page: Page) -> None:
    chat = open_chat(opened(LOAD, "session.chat()"))
    head = chat.asked(SHOW).locator(".tetrate-code-tools").first
    buttons = head.get_by_role("button").filter(visible=True)
    expect(buttons).to_have_count(4)  # the cell above can be replaced
    for width in (700, 300, 220, 190, 170):
        chat.box.evaluate("(panel, width) => { panel.style.width = `${width}px`; }", width)
        name, bar = head.locator(".tetrate-quiet").bounding_box(), head.bounding_box()
        assert name is not None
        assert bar is not None
        assert name["height"] < 24, width
        for button in buttons.all():
            place = button.bounding_box()
            assert place is not None
            assert bar["x"] <= place["x"], width
            assert place["x"] + place["width"] <= bar["x"] + bar["width"] + 1, width


@pytest.mark.parametrize("head", ["$ in", "$ out", "Window", "Retires"])
def test_the_model_list_shows_what_it_is_sorted_by(opened: Opens, page: Page, head: str) -> None:
    page.set_viewport_size({"width": 420, "height": 900})
    notebook = opened(LOAD, "%tetrate_models gpt")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    picker = notebook[1].box.locator(".tetrate-panel")
    expect(picker.locator(".tetrate-option").first).to_be_visible()
    for word in ("Images", "Tools", "Reasoning", "JSON"):
        assert picker.get_by_text(word, exact=True).locator("visible=true").count() == 1
    picker.get_by_role("button", name=head, exact=True).click()
    expect(picker.locator("[aria-sort]")).to_contain_text(head)
    place = {"$ in": "in", "$ out": "out", "Window": "window", "Retires": "ends"}[head]
    row = picker.locator(".tetrate-option").first
    value = row.locator(f".tetrate-{place}")
    expect(value).to_be_visible()
    assert value.inner_text().strip()
    row.hover()
    use = row.get_by_role("button", name="Use", exact=False).first
    expect(use).to_be_visible()
    name, over = row.locator(".tetrate-id > b").bounding_box(), use.bounding_box()
    assert name is not None
    assert over is not None
    assert over["y"] >= name["y"] + name["height"] - 2  # what a row does stands beside its figures, never over its name
    fits(picker)


def test_no_figure_of_the_leaderboard_is_out_of_sight(opened: Opens, page: Page) -> None:
    asked = f"%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna,{LONG}\nSay hello.\n---\nSay goodbye to everybody."
    page.set_viewport_size({"width": 1500, "height": 900})
    notebook = opened(LOAD, asked)
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    compare = Compare(notebook[1].box.locator(".tetrate-panel"), is_new=False)
    compare.is_over()
    compare.press("Best", "claude-haiku-4-5")
    boards = compare.box.locator(".tetrate-boards")
    over = {}
    for width in range(1300, 280, -20):
        compare.box.evaluate("(panel, width) => { panel.style.width = `${width}px`; }", width)
        if (cut := boards.evaluate(CUT)) > 0:
            over[width] = cut
    assert over == {}
