"""Where things stand in the panels: what one asked is in sight; each panel looks the same alone and beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_chat import LOAD, SHOW, Chat

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens

ASK = f"%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna\n{SHOW}"
STATIC = f"session.compare({SHOW!r}, 'claude-haiku-4-5, gpt-6-luna')"
# JupyterLab's table of contents numbers headings, those of outputs too, whenever it comes to it.
LOOKS = """
(root) => [root, ...root.querySelectorAll(":not(.numbering-entry)")].filter((e) => e.checkVisibility()).map((e) => {
    const style = getComputedStyle(e);
    const names = ["display", "position", "padding", "margin", "borderTopWidth", "borderTopColor", "borderRadius",
        "textAlign", "whiteSpace", "justifyContent", "alignItems", "gap", "minHeight", "fontSize", "fontWeight",
        "fontFamily", "color"];
    return [e.tagName, e.className, ...names.map((name) => style[name])].join("|");
})
"""
pytestmark = pytest.mark.usefixtures("signed_in")


def test_ones_own_question_is_seen_and_a_newer_answer_is_told(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()", "session.ask('From code.', keep=True);")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    for _ in range(3):
        chat.asked(SHOW)
    log = chat.box.get_by_role("region", name="Conversation")
    newer = chat.button("New answer ↓")
    expect(newer).not_to_be_visible()
    log.evaluate("e => e.scrollTop = 0")
    notebook[2].run()
    expect(newer).to_be_visible()
    assert log.evaluate("e => e.scrollTop") == 0
    newer.click()
    expect(newer).not_to_be_visible()
    expect(chat.messages.last).to_be_in_viewport()
    log.evaluate("e => e.scrollTop = 0")
    chat.asked("And mine?")
    expect(chat.messages.last.locator(".tetrate-prompt")).to_be_in_viewport()


def looks(box: Locator) -> list[str]:
    found: list[str] = box.evaluate(LOOKS)
    return found


def test_no_panel_changes_how_another_or_a_result_looks(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, STATIC, ASK, "%tetrate_chat", "session.picker()")
    notebook[0].run()
    notebook[1].run()
    result = notebook[1].box.locator(".tetrate-compare")
    alone = looks(result)
    notebook[2].run()
    panel = notebook[2].box.locator(".tetrate-panel")
    expect(panel.get_by_role("button", name="Copy code").first).to_be_visible()
    expect(panel.get_by_role("button", name="Stop all")).not_to_be_visible()
    assert looks(result) == alone
    expect(notebook[2].box.locator(".tetrate-settling")).to_have_count(0)
    tools = panel.locator(".tetrate-code-tools").first
    expect(tools).to_have_css("display", "flex")
    before = looks(panel)
    notebook[3].run()
    Chat(notebook[3].box.locator(".tetrate-panel"))
    notebook[4].run()
    expect(notebook[4].box.locator(".tetrate-option").first).to_be_visible()
    assert looks(panel) == before
    assert looks(result) == alone


def test_each_panel_looks_the_same_alone_and_below_all_others(opened: Opens, page: Page) -> None:
    shows = ("session.chat()", "%tetrate_compare", "session.picker()")
    notebook = opened(f"{LOAD}\n%tetrate_model claude-haiku-4-5", *shows, *shows)
    page.keyboard.press("Control+b")
    notebook[0].run()
    panels, alone = [], []
    for number in range(1, 1 + len(shows)):
        notebook[number].run()
        panel = notebook[number].box.locator(".tetrate-panel")
        expect(panel.locator(".tetrate-example, .tetrate-trio, .tetrate-option").first).to_be_visible()
        panels.append(panel)
        alone.append(looks(panel))
    for number in range(1 + len(shows), 1 + 2 * len(shows)):  # each brings its style once more, below those before
        notebook[number].run()
        below = notebook[number].box.locator(".tetrate-panel")
        expect(below.locator(".tetrate-example, .tetrate-trio, .tetrate-option").first).to_be_visible()
    for panel, before in zip(panels, alone, strict=True):
        assert looks(panel) == before
