"""How the chat lies on the page: it fits, only the talk scrolls, and nothing moves under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import axe, seen
from tests.browser.test_chat import LOAD, SHOW, SLOW, Chat, open_chat

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab

ENOUGH = 4.5  # WCAG 2.2, 1.4.3
FRAME = "import pandas as pd\nsold = pd.DataFrame({'city': ['Rome'] * 90})\nnotes = ''"
SCROLLERS = """
(root) => [...root.querySelectorAll("*")].filter((e) => e.scrollHeight > e.clientHeight + 1
    && /auto|scroll/.test(getComputedStyle(e).overflowY) && e.checkVisibility()).map((e) => e.className)
"""
LINE = "totals = " + " + ".join(f"column_{number}" for number in range(60))
CODE = f"def total():\n    # all of them\n    {LINE}\n\n    return totals"
TALK = f"""
from tetrate_jupyter import Message
said = session.conversation
said.add(said.begin(), Message("user", "Add."), [Message("assistant", {f"```python{chr(10)}{CODE}{chr(10)}```"!r})])
"""
pytestmark = pytest.mark.usefixtures("signed_in")


def place(of: Locator) -> dict[str, Any]:
    found = of.bounding_box()
    assert found is not None
    return dict(found)


def test_it_fits_with_its_cell_into_a_page_of_900_pixels_and_only_the_talk_scrolls(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()")
    chat = open_chat(notebook)
    for _ in range(3):
        chat.asked(SHOW)
    notebook[1].box.locator(".jp-InputArea").first.scroll_into_view_if_needed()
    page.mouse.move(5, 5)
    chat.box.locator(".tetrate-composer").scroll_into_view_if_needed()
    expect(notebook[1].box.locator(".jp-InputArea").first).to_be_in_viewport(ratio=1)
    expect(chat.box.locator(".tetrate-composer")).to_be_in_viewport(ratio=1)
    assert chat.box.evaluate(SCROLLERS) == ["tetrate-log"]
    assert place(chat.box)["height"] <= 660


SCROLLED = """
(box, by) => {
    let around = box.parentElement;
    while (!(around.scrollHeight > around.clientHeight && /auto|scroll/.test(getComputedStyle(around).overflowY)))
        around = around.parentElement;
    around.scrollBy(0, by);
}
"""


@pytest.mark.parametrize("by", [-20, 20, -60, 60])
def test_what_a_button_opens_goes_with_it_and_closes_where_it_is_gone(opened: Opens, by: int) -> None:
    notebook = opened(LOAD, "print(*range(40), sep='\\n')", "session.chat()", "print(*range(80), sep='\\n')")
    for cell in (notebook[0], notebook[1], notebook[3], notebook[2]):
        cell.run()
    chat = Chat(notebook[2].box.locator(".tetrate-panel"))
    chat.box.evaluate("(box) => box.scrollIntoView({block: 'center'})")
    opener, opens = chat.button("Parameters"), chat.box.locator(".tetrate-parameters")
    opener.click()
    expect(opens).to_be_visible()
    at = place(opener)["y"]
    chat.box.evaluate(SCROLLED, by)
    chat.box.page.wait_for_timeout(500)  # nothing tells that it stays
    assert place(opener)["y"] == pytest.approx(at - by, abs=1)
    above = place(opener)["y"] - place(opens)["y"] - place(opens)["height"]
    below = place(opens)["y"] - place(opener)["y"] - place(opener)["height"]
    assert 0 <= max(above, below) <= 8
    chat.box.evaluate(SCROLLED, 3000 if by > 0 else -3000)
    expect(opens).to_be_hidden()


def test_stop_has_the_place_of_send_and_one_writes_on(opened: Opens) -> None:
    notebook = opened(LOAD, "%tetrate_model sandbox/stream", "session.chat()")
    notebook[0].run()
    notebook[1].run()
    chat = open_chat(notebook, 2)
    send = place(chat.button("Send"))
    chat.prompt.fill(SLOW)
    chat.button("Send").dblclick()  # the second click meets Stop, and is not meant for it
    message = chat.messages.last
    expect(message.locator(":scope > .tetrate-body")).to_contain_text("#9 ")
    stop = place(chat.button("Stop"))
    assert (stop["width"], stop["height"], stop["x"]) == (send["width"], send["height"], send["x"])
    expect(chat.button("Send")).not_to_be_visible()
    chat.prompt.fill("What comes next?")
    chat.prompt.press("Enter")
    expect(chat.box.get_by_text("Send it when this answer has ended")).to_be_visible()
    expect(chat.messages).to_have_count(1)
    expect(message).to_have_attribute("aria-busy", "true")
    waiting = place(message.locator(".tetrate-foot"))
    chat.prompt.fill("What")
    chat.button("Stop").click()
    expect(message).to_have_attribute("aria-busy", "false")
    expect(chat.prompt).to_be_focused()
    chat.box.page.keyboard.type(" comes next?")
    expect(chat.prompt).to_have_value("What comes next?")
    assert place(message.locator(".tetrate-foot"))["height"] == waiting["height"]


def test_an_answer_that_ends_while_stop_has_the_focus_gives_it_to_the_box(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()")
    chat = open_chat(notebook)
    chat.choose("sandbox/stream")
    chat.prompt.fill("chunks=60 size=20 interval=0.1")
    chat.button("Send").focus()
    page.keyboard.press("Enter")
    expect(chat.button("Stop")).to_be_visible()
    expect(chat.prompt).to_be_focused()  # Send is no place to stay at, either
    chat.button("Stop").focus()
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    expect(chat.prompt).to_be_focused()
    page.keyboard.type("And now?")
    expect(chat.prompt).to_have_value("And now?")


def test_versions_are_gone_through_where_their_arrows_are(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()")
    chat = open_chat(notebook)
    for _ in range(3):
        chat.asked(SHOW)
    second = chat.messages.nth(1)
    chat.button("Edit", second).click()
    second.get_by_label("Edit the question").fill("Say hello.")
    second.get_by_label("Edit the question").press("Control+Enter")
    expect(chat.messages).to_have_count(2)
    expect(second).to_have_attribute("aria-busy", "false")
    ways = second.locator(".tetrate-ways")
    expect(ways).to_contain_text("Question version 2 / 2")
    log = chat.box.locator(".tetrate-log")
    expect(chat.box.get_by_role("button", name="Version before")).to_be_in_viewport()
    arrow = place(chat.button("Version before", second))
    page.mouse.move(arrow["x"] + arrow["width"] / 2, arrow["y"] + arrow["height"] / 2)
    for count, version in ((3, "1 / 2"), (2, "2 / 2"), (3, "1 / 2"), (2, "2 / 2")):  # without moving the mouse
        page.mouse.down()
        page.mouse.up()
        expect(chat.messages).to_have_count(count)
        expect(ways).to_contain_text(f"Question version {version}")
        now = place(chat.button("Version before", second))
        assert abs(now["y"] - arrow["y"]) <= 1
        assert now["x"] == arrow["x"]
        expect(chat.button("Version before", second)).to_be_focused()
        expect(chat.button("New answer ↓")).not_to_be_visible()
    page.mouse.move(5, 5)
    expect(log.locator(".tetrate-list")).to_have_css("padding-bottom", "0px")
    chat.button("Version after", second).focus()
    for version in ("1 / 2", "2 / 2"):
        page.keyboard.press("Enter")
        expect(ways).to_contain_text(f"Question version {version}")
        expect(chat.button("Version after", second)).to_be_focused()
        expect(ways).to_be_in_viewport()


@pytest.mark.parametrize("width", [1400, 760])
def test_code_is_seen_to_its_end_and_copied_as_it_is(width: int, opened: Opens, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": width, "height": 900})
    notebook = opened(LOAD, "session.chat()", TALK)
    chat = open_chat(notebook)
    notebook[2].run()
    code = chat.box.locator(".tetrate-code")
    for part in (code, code.locator("pre"), chat.messages.last.locator(":scope > .tetrate-body")):
        assert part.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, part
    chat.button("Copy code").click()
    expect(chat.button("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == CODE
    expect(chat.button("Send")).to_be_visible()


def test_examples_fill_the_box_and_send_nothing(opened: Opens) -> None:
    notebook = opened(f"{LOAD}\n{FRAME}", "session.chat()")
    chat = open_chat(notebook)
    examples = chat.box.locator(".tetrate-example")
    expect(examples).to_have_count(3)
    expect(examples.first).to_contain_text("Describe {sold}")
    assert axe.findings(chat.box) == []
    chat.box.get_by_role("button", name="More", exact=True).click()
    expect(chat.box.get_by_role("menuitem", name="New conversation")).to_be_focused()
    assert axe.findings(chat.box) == []
    chat.box.get_by_role("menuitem", name="System prompt").click()
    expect(chat.box.get_by_label("System prompt")).to_be_focused()
    assert axe.findings(chat.box) == []
    chat.prompt.press("Escape")
    examples.first.click()
    expect(chat.prompt).to_be_focused()
    expect(chat.prompt).to_have_value("Describe {sold}: what is in it, and what stands out?")
    expect(chat.messages).to_have_count(0)
    chat.prompt.press("Enter")
    expect(chat.messages).to_have_count(1)
    expect(examples.first).not_to_be_visible()


def test_what_one_can_do_with_an_older_answer_shows_where_one_is_and_its_room_is_kept(
    opened: Opens, page: Page
) -> None:
    notebook = opened(LOAD, "session.chat()")
    chat = open_chat(notebook)
    chat.asked("Say hello.")
    chat.asked("Say goodbye.")
    older, newer = chat.messages.first, chat.messages.last
    acts = older.locator(".tetrate-foot > .tetrate-acts")
    page.mouse.move(5, 5)
    expect(acts).to_have_css("opacity", "0")
    expect(newer.locator(".tetrate-foot > .tetrate-acts")).to_have_css("opacity", "1")
    before = place(newer)
    older.hover()
    expect(acts).to_have_css("opacity", "1")
    page.mouse.move(5, 5)
    older.locator("button", has_text="Copy").first.focus()
    expect(acts).to_have_css("opacity", "1")
    assert place(newer) == before


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_narrow_and_wide_in_both_themes(theme: str, opened: Opens, page: Page, lab: Lab) -> None:
    with lab.theme(theme):
        notebook = opened(f"{LOAD}\n{FRAME}", "session.chat()")
    page.keyboard.press("Control+b")
    chat = open_chat(notebook)
    message = chat.asked("Which city sells the most? {sold} {notes}")
    message.get_by_role("button", name="notes is empty").click()
    foot = message.locator(".tetrate-figures")
    for width, gone, stays in (
        (1440, [], ["claude-haiku-4-5", "first", "→", "≈"]),
        (700, ["first"], ["claude-haiku-4-5", "→", "≈"]),
        (520, ["first", "→"], ["tokens", "≈"]),
        (400, ["first", "→"], ["≈"]),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("w => document.querySelector('.jp-Notebook').clientWidth < w", arg=width)
        assert place(chat.box.locator(".tetrate-head"))["height"] < 50, width  # one line
        shown = [span for span in foot.locator("span").all() if place(span)["width"] > 1 and _inside(span)]
        words = " ".join(span.inner_text() for span in shown)
        assert [word for word in gone if word in words] == [], width
        assert [word for word in stays if word not in words] == [], width
        assert seen.scrolling_sideways(page) == []
        cost = foot.locator("span").last
        assert place(cost)["x"] + place(cost)["width"] <= place(message)["x"] + place(message)["width"]
        assert axe.findings(chat.box) == []
        assert [pale for pale in seen.contrasts(chat.box.locator(".tetrate-list")) if pale[0] < ENOUGH] == []


def _inside(span: Locator) -> bool:
    return bool(span.evaluate("e => getComputedStyle(e).position !== 'absolute'"))


OVERLAPS = """
(foot) => {
    const parts = [...foot.querySelectorAll(".tetrate-figures > span, .tetrate-says button, .tetrate-acts button:not(.tetrate-narrow)")].filter((e) => e.checkVisibility() && e.offsetWidth > 1);
    const boxes = parts.map((e) => e.getBoundingClientRect());
    const within = foot.getBoundingClientRect();
    return boxes.flatMap((a, i) => [
        ...(a.right > within.right + 1 ? [parts[i].textContent] : []),
        ...boxes.slice(i + 1).filter((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1).map((b) => parts[i].textContent),
    ]);
}
"""  # noqa: E501 - JavaScript


def test_the_line_below_an_answer_cuts_neither_name_nor_cost_at_any_width(opened: Opens) -> None:
    notebook = opened(f"{LOAD}\n{FRAME}", "%tetrate_model gpt-6-luna", "session.chat()")
    notebook[0].run()
    notebook[1].run()
    chat = open_chat(notebook, 2)
    foot = chat.asked("Which city sells the most? {sold}").locator(".tetrate-foot")
    name, cost = foot.locator(".tetrate-figures > span").first, foot.locator(".tetrate-figures > span").last
    for width in (900, 700, 620, 560, 480, 400, 340):
        chat.box.evaluate("(e, w) => { e.style.width = `${w}px`; }", width)
        assert foot.evaluate(OVERLAPS) == [], width
        assert name.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), width
        expect(cost).to_contain_text("≈ $")
        assert place(cost)["width"] > 30, width


def test_insert_is_a_menu_as_the_others_are(opened: Opens, page: Page) -> None:
    notebook = opened(f"{LOAD}\n{FRAME}", "session.chat()")
    chat = open_chat(notebook)
    chat.prompt.fill("About : what?")
    chat.prompt.evaluate("e => e.setSelectionRange(6, 6)")
    chat.button("Insert a variable or cell").click()
    expect(chat.box.get_by_role("menuitem").first).to_be_focused()
    assert axe.findings(chat.box) == []
    chat.box.get_by_role("menuitem", name="sold (DataFrame", exact=False).click()
    expect(chat.prompt).to_be_focused()
    expect(chat.prompt).to_have_value("About {sold}: what?")
