"""What the compare panel offers before anything is asked, and while what was asked is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.test_compare import LOAD, Compare, opened_done, opened_panel

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Opens

pytestmark = pytest.mark.usefixtures("signed_in")


def only_main(panel: Compare, name: str) -> None:
    """One button is the next step."""
    expect(panel.box.locator(".tetrate-main:visible")).to_have_text([name])


def test_the_suggested_models_can_be_changed_from_the_start(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    chips = panel.box.locator(".tetrate-chip .tetrate-name")
    suggested = panel.box.locator(".tetrate-trio").first.locator(".tetrate-mono").all_inner_texts()
    expect(chips).to_have_count(3)
    panel.box.get_by_role("button", name=f"Remove {suggested[0]}", exact=True).click()
    expect(chips).to_have_count(2)
    expect(panel.box.get_by_role("button", name=f"Remove {suggested[0]}", exact=True)).to_have_count(0)
    chips.first.click()
    expect(panel.box.locator(".tetrate-special")).to_be_visible()
    assert axe.findings(panel.box) == []
    panel.run("Say hello.")
    expect(panel.columns).to_have_count(2)


def test_parameters_of_a_suggested_model_open_at_once(opened: Opens, page: Page) -> None:
    panel = opened_panel(opened(LOAD, "%tetrate_compare"))
    chips = panel.box.locator(".tetrate-chip .tetrate-name")
    chips.nth(2).click()
    expect(panel.box.locator(".tetrate-special")).to_be_visible()
    expect(chips.nth(2)).to_have_attribute("aria-expanded", "true")
    expect(chips).to_have_count(3)
    panel.box.get_by_role("button", name="Same model twice").click()
    expect(chips).to_have_count(4)  # the three that are shown, and the first of them once more
    assert chips.first.inner_text() == chips.last.inner_text()


def test_the_same_model_twice_keeps_the_suggested_ones(opened: Opens, page: Page) -> None:
    panel = opened_panel(opened(LOAD, "%tetrate_compare"))
    chips = panel.box.locator(".tetrate-chip .tetrate-name")
    expect(chips).to_have_count(3)
    panel.box.get_by_role("button", name="Same model twice").click()
    expect(chips).to_have_count(4)


def test_what_is_ticked_is_on_top_of_the_list(opened: Opens, page: Page) -> None:
    panel = opened_panel(opened(LOAD, "%tetrate_compare"))
    panel.add("sandbox/stream", "gpt-6-luna")
    panel.box.get_by_role("button", name="Add a model").click()
    small = panel.box.locator(".tetrate-models:popover-open")
    expect(small.locator(".tetrate-group").first).to_have_text("Ticked")
    expect(small.get_by_role("option", selected=True)).to_have_count(2)
    first = small.get_by_role("option")
    expect(first.nth(0)).to_contain_text("sandbox/stream")
    expect(first.nth(1)).to_contain_text("gpt-6-luna")
    small.get_by_role("button", name="Clear").click()
    expect(first.nth(0)).to_contain_text("sandbox/stream")  # rows stay where they are
    assert axe.findings(panel.box) == []


def test_one_button_is_the_next_step(opened: Opens, page: Page) -> None:
    panel = opened_panel(opened(LOAD, "%tetrate_compare"))
    panel.add("claude-haiku-4-5", "gpt-6-luna")
    for name in ("Another prompt", "Estimate cost", "Same model twice"):
        button = panel.box.get_by_role("button", name=name)
        assert button.evaluate("each => getComputedStyle(each).borderTopColor") != "rgba(0, 0, 0, 0)"
    panel.prompt.fill("Say hello.\n---\nSay bye.")
    only_main(panel, "Compare")
    panel.box.get_by_role("button", name="Estimate cost").click()
    only_main(panel, "Ask all 4")
    panel.box.get_by_role("button", name="Not now").click()
    only_main(panel, "Compare")


def test_what_was_asked_is_asked_again_by_one_button(opened: Opens, page: Page) -> None:
    panel = opened_done(opened, page, "-m claude-haiku-4-5,gpt-6-luna")
    edit = panel.box.get_by_role("button", name="Edit", exact=True)
    place = edit.bounding_box()
    assert place is not None
    panel.box.get_by_role("region", name="Answers").focus()
    page.keyboard.press("1")
    expect(panel.box.locator(".tetrate-main:visible")).to_have_count(1)
    edit.click()
    expect(panel.again).to_be_hidden()
    only_main(panel, "Compare again")
    close = panel.box.get_by_role("button", name="Close", exact=True)
    page.mouse.click(place["x"] + place["width"] - 4, place["y"] + 5)  # where Edit was
    expect(close).to_have_count(0)
    expect(panel.again).to_be_visible()


def test_a_line_in_a_code_fence_is_typed_as_code(opened: Opens, page: Page) -> None:
    panel = opened_panel(opened(LOAD, "%tetrate_compare"))
    panel.add("claude-haiku-4-5", "gpt-6-luna")
    panel.box.get_by_text("Parameters", exact=True).click()
    several = panel.box.get_by_label("Several prompts")
    panel.prompt.fill("Explain this:\n```yaml\na: 1\n---\nb: 2\n```\n")
    expect(several).not_to_be_checked()
    panel.prompt.fill("Explain this:\n```yaml\na: 1\n---\nb: 2\n```\n---\nAnd now?\n")
    expect(several).to_be_checked()
    panel.prompt.press("Control+Enter")
    panel.is_over()
    expect(panel.stands).to_contain_text("4 of 4 done")


def test_a_comparison_is_saved_from_its_menu(opened: Opens, page: Page) -> None:
    notebook = opened(
        LOAD,
        "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna\nSay hello.\n---\nSay bye.",
        "import pandas as pd\n[pd.read_csv(name).shape[0] for name in ('comparison.csv', 'comparison-2.csv')]",
        "pd.read_csv('comparison-2.csv').vote.count()",
    )
    notebook[0].run()
    notebook[1].run()
    panel = Compare(notebook[1].box.locator(".tetrate-panel"), is_new=False)
    panel.is_over()
    panel.choose("Save as CSV")
    expect(panel.box.get_by_text("Saved comparison.csv in the working folder: 4 answers")).to_be_visible()
    panel.column("gpt-6-luna").get_by_role("button", name="Best: gpt-6-luna").click()
    panel.choose("Save as CSV")
    expect(panel.box.get_by_text("Saved comparison-2.csv in the working folder: 4 answers")).to_be_visible()
    assert axe.findings(panel.box) == []
    assert notebook[2].run() == "[4, 4]"
    assert "1" in notebook[3].run()
    panel.box.get_by_role("button", name="Blind").click()
    panel.box.get_by_role("button", name="More", exact=True).click()
    expect(panel.box.get_by_role("menuitem", name="Save as CSV")).to_have_count(0)  # it would tell the names
