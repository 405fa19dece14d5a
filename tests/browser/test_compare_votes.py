"""Voting in the compare panel: what the buttons say, what becomes of a vote, and what votes may be shown as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.test_compare import opened_done

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens

pytestmark = pytest.mark.usefixtures("signed_in")


def is_seen(word: Locator) -> bool:
    """Whether a word is painted: one that has no room is clipped, not taken away."""
    clipped: str = word.evaluate("each => getComputedStyle(each).clipPath")
    return clipped == "none"


@pytest.mark.parametrize(("width", "seen"), [(1280, [False, False, True]), (500, [False, False, True])])
def test_votes_have_words_where_there_is_room(opened: Opens, page: Page, width: int, seen: list[bool]) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    panel = opened_done(opened, page, "-m claude-haiku-4-5,gpt-6-luna,gemini-3.8-flash")
    votes = panel.column("gpt-6-luna").get_by_role("group", name="Vote").get_by_role("button")
    assert [is_seen(each.locator("span")) for each in votes.all()] == seen
    votes.nth(1).hover()
    expect(votes.nth(1).locator("span")).to_have_css("clip-path", "none")
    panel.column("gpt-6-luna").get_by_role("button", name="Copy").focus()
    page.mouse.move(0, 0)
    for _ in range(20):
        page.keyboard.press("Tab")
        if votes.nth(0).evaluate("each => each.matches(':focus-visible')"):
            break
    expect(votes.nth(0).locator("span")).to_have_css("clip-path", "none")  # by keys, too
    assert axe.findings(panel.box) == []
    panel.box.get_by_role("button", name="One at a time").click()
    shown = panel.box.locator(".tetrate-column:visible .tetrate-votes .tetrate-button > span")
    expect(shown).to_have_count(3)
    if width > 1000:
        assert [is_seen(each) for each in shown.all()] == [True, True, True]


def test_a_retry_says_that_the_vote_stays_and_takes_it_back(opened: Opens, page: Page) -> None:
    panel = opened_done(opened, page, "-m sandbox/stream,gpt-6-luna", "chunks=40 size=20 interval=0.02")
    best = panel.column("sandbox/stream").get_by_role("button", name="Best: sandbox/stream")
    best.click()
    expect(best).to_have_attribute("aria-pressed", "true")
    said, undo = panel.box.get_by_text("The vote stays with the earlier answer"), panel.box.locator(".tetrate-undo")
    for is_over in (True, False):
        panel.press("Retry", "sandbox/stream")
        expect(said).to_be_visible()
        if is_over:
            panel.is_over()
            expect(best).to_have_attribute("aria-pressed", "false")
            assert axe.findings(panel.box) == []
            verdict = panel.box.locator(".tetrate-verdict").bounding_box()
            assert verdict is not None
            assert verdict["height"] < 70  # no strip beside it
        undo.get_by_role("button", name="Undo").first.click()
        expect(best).to_have_attribute("aria-pressed", "true")
        expect(panel.body("sandbox/stream")).to_contain_text("#39")  # also where the new one was under way
        panel.is_over()
        expect(panel.stands).to_contain_text("2 of 2 done")
        expect(said).to_be_hidden()
    panel.press("Retry", "gpt-6-luna")  # which has no vote
    panel.is_over()
    expect(said).to_be_hidden()
