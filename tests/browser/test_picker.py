"""The model picker and the dropdown, by mouse and keyboard, in a real JupyterLab."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, seen
from tests.browser.test_chat import LOAD, without_kernel
from tests.browser.test_sign_in import restart

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab

pytestmark = pytest.mark.usefixtures("signed_in")


def test_a_model_is_found_and_chosen_and_everything_follows(opened: Opens, page: Page) -> None:
    notebook = opened(
        "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session",
        "%tetrate_models",
        "session.dropdown()",
        "session.chat()",
        "%%tetrate\nSay hello.",
        "session.model = 'claude-opus-5'",
    )
    page.keyboard.press("Control+b")
    for cell in notebook.cells[:4]:
        cell.run()
    box = notebook[1].box.locator(".tetrate-picker")
    words = box.get_by_role("combobox", name="Search models")
    options = box.locator(".tetrate-option")
    chosen = box.locator("[aria-selected=true]")
    dropdown = notebook[2].box.get_by_role("combobox", name="Model")
    chat = notebook[3].box.locator(".tetrate-opener")
    expect(options.first).to_be_visible()
    expect(box.locator(".tetrate-title").first).to_have_text("Recommended")
    assert axe.findings(notebook[1].box.locator(".tetrate-panel")) == []
    assert options.count() < 60  # of nearly two hundred: only those in sight and around

    words.fill("opus 1m")
    expect(box.get_by_text(re.compile(r"^3 of [12]\d\d$"))).to_be_visible()
    expect(box.locator(".tetrate-title")).to_have_count(0)
    words.fill("sonnet")
    expect(options).to_have_count(2)
    expect(options.first.locator("mark")).to_have_text("sonnet")
    words.press("ArrowDown")
    expect(words).to_be_focused()
    at = words.get_attribute("aria-activedescendant")
    assert at is not None
    expect(page.locator(f"#{at}")).to_contain_text("claude-sonnet-5")
    words.press("Enter")
    expect(chosen).to_contain_text("claude-sonnet-5")
    expect(chosen).to_contain_text("In use")
    expect(dropdown).to_have_value("claude-sonnet-5")
    expect(notebook[2].box.locator(".tetrate-fallback")).not_to_be_visible()
    expect(chat).to_have_accessible_name("Model: claude-sonnet-5")
    assert "claude-sonnet-5" in notebook[4].run()

    words.fill("")
    words.press_sequentially("opus 5.5")
    words.press("Enter")  # before the list has followed the last letter
    expect(chosen).to_contain_text("claude-opus-5-5")
    refresh = box.get_by_role("button", name="Refresh")
    refresh.press("Enter")
    expect(refresh).to_have_attribute("aria-disabled", "false")
    expect(refresh).to_be_focused()
    words.press("Escape")
    expect(words).to_have_value("")
    expect(chosen).to_be_in_viewport()  # the list opens where the choice is
    box.get_by_role("button", name="≈ 1,000 short questions").click()
    box.get_by_role("combobox", name="Provider").select_option("anthropic")
    images = box.get_by_role("button", name="Images")
    images.click()
    expect(images).to_have_attribute("aria-pressed", "true")
    expect(options).to_have_count(8)
    expect(options.first).to_contain_text("claude-haiku-4-5")
    options.filter(has_text="claude-opus-4-5").click()
    expect(dropdown).to_have_value("claude-opus-4-5")
    notebook[5].run()
    expect(chosen).to_contain_text("Claude Opus 5")
    expect(dropdown).to_have_value("claude-opus-5")
    chat.click()
    page.keyboard.type("claude-haiku")
    page.keyboard.press("Enter")
    expect(chat).to_have_accessible_name("Model: claude-haiku-4-5")
    expect(chosen).to_contain_text("claude-haiku-4-5")
    words.fill("claude-opsu-5")
    expect(box.get_by_text("No model is called")).to_be_visible()
    assert axe.findings(notebook[1].box.locator(".tetrate-panel")) == []
    box.get_by_role("button", name="claude-opus-5", exact=True).click()
    expect(options).to_have_count(2)
    expect(words).to_have_value("claude-opus-5")
    box.get_by_role("button", name="Clear search").click()
    expect(box.locator(".tetrate-title").first).to_have_text("In use")

    page.set_viewport_size({"width": 400, "height": 900})
    assert seen.scrolling_sideways(page) == []
    assert axe.findings(notebook[1].box.locator(".tetrate-panel")) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    notebook.save()
    notebook.open()
    expect(chosen).to_contain_text("claude-haiku-4-5")
    notebook.save()
    notebook.shut_down()
    expect(notebook[1].box.get_by_text("The kernel has ended.")).to_be_visible()
    without_kernel(notebook)
    expect(notebook[2].box.get_by_text("Model: claude-haiku-4-5. Run this cell to choose another.")).to_be_visible()
    expect(notebook[2].box.get_by_text("Error displaying widget")).not_to_be_visible()
    fallback = notebook[1].box.locator(".tetrate-fallback")
    expect(fallback).to_contain_text("Model: claude-haiku-4-5")
    expect(notebook[1].box.get_by_text("Error displaying widget")).not_to_be_visible()
    assert axe.findings(fallback) == []


def place(row: Locator) -> list[float]:
    """Where a row stands in its list."""
    found: list[float] = row.evaluate("e => [e.offsetTop, e.offsetParent.scrollHeight]")
    return found


def test_stars_and_choices_are_remembered_and_no_row_moves_under_the_pointer(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_models", "%tetrate_models")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    box = notebook[1].box.locator(".tetrate-picker")
    options, titles = box.locator(".tetrate-option"), box.locator(".tetrate-title")

    def row(name: str) -> Locator:
        return options.filter(has=page.get_by_label(f"Tick {name}", exact=True))

    opus, sonnet = row("claude-opus-5"), row("claude-sonnet-5")
    expect(opus).to_be_visible()
    before = [place(opus), place(sonnet)]
    star = sonnet.get_by_role("button", name="Star claude-sonnet-5")
    sonnet.hover()
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    opus.hover()
    use = opus.get_by_role("button", name="Use claude-opus-5")
    expect(use).to_be_visible()
    use.click()
    expect(opus.locator(".tetrate-who")).to_contain_text("In use")
    used = opus.get_by_role("button", name="In use: claude-opus-5", pressed=True)
    expect(used).to_be_focused()
    expect(used).to_have_text("In use")
    expect(opus.locator(".tetrate-svg-check")).to_have_count(0)  # that is the mark of what is ticked
    expect(titles.filter(has_text="Starred")).to_have_count(0)
    assert [place(opus), place(sonnet)] == before
    page.mouse.move(5, 5)
    notebook[0].box.locator(".cm-content").click()  # nobody is in the list any more
    expect(titles.filter(has_text="Starred")).to_be_visible()
    assert place(opus)[0] < place(sonnet)[0] < before[0][0]
    notebook[2].run()
    second = notebook[2].box.locator(".tetrate-picker")
    expect(second.locator(".tetrate-title").filter(has_text="Starred")).to_be_visible()
    again = second.get_by_role("button", name="Star claude-sonnet-5")
    expect(again).to_have_attribute("aria-pressed", "true")
    again.click()
    expect(star).to_have_attribute("aria-pressed", "false")


def test_rows_are_walked_and_used_by_keyboard_alone(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_models")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    box = notebook[1].box.locator(".tetrate-picker")
    words = box.get_by_role("combobox", name="Search models")
    focused = page.locator(":focus")
    expect(box.locator(".tetrate-option").first).to_be_visible()
    words.fill("claude-opus")
    expect(box.locator(".tetrate-option")).to_have_count(4)
    words.press("ArrowDown")
    header = box.get_by_role("columnheader", name="Retires").get_by_role("button")
    header.focus()
    page.keyboard.press("Tab")
    expect(focused).to_have_accessible_name("Tick claude-opus-4-8")
    page.keyboard.press("Space")
    expect(box.get_by_text("1 ticked")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_accessible_name("Tick claude-opus-5")
    page.keyboard.press("Space")
    expect(box.get_by_text("2 ticked")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_accessible_name("Use claude-opus-5")
    page.keyboard.press("ArrowUp")
    expect(focused).to_have_accessible_name("Use claude-opus-4-8")
    page.keyboard.press("Enter")
    expect(box.locator("[aria-selected=true]")).to_contain_text("claude-opus-4-8")
    page.keyboard.press("/")
    expect(words).to_be_focused()
    page.keyboard.type("gpt")
    expect(words).to_have_value("gpt")
    words.press("Escape")
    box.get_by_role("button", name="Window").press("Enter")
    heading = box.get_by_role("columnheader", name="Window")
    expect(heading).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    expect(box.locator(".tetrate-title").first).to_have_text("In use")
    assert heading.get_attribute("aria-sort") is None


def test_a_comparison_opens_in_a_cell_of_its_own(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_models", "1")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    box = notebook[1].box.locator(".tetrate-picker")
    for name in ("gpt-6-luna", "claude-opus-5"):
        box.get_by_label(f"Tick {name}", exact=True).check()
    box.get_by_role("button", name="Compare 2").click()
    expect(notebook[2].box.locator(".tetrate-compare")).to_be_visible()
    notebook[2].reads("%tetrate_compare -m gpt-6-luna,claude-opus-5")
    for name in ("gpt-6-luna", "claude-opus-5"):
        expect(notebook[2].box.locator(".tetrate-compare")).to_contain_text(name)
    assert len(notebook.cells) == 4


def test_after_a_restart_the_list_is_as_it_was(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_models")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    panel = notebook[1].box.locator(".tetrate-panel")
    words = panel.get_by_role("combobox", name="Search models")
    words.fill("images")
    panel.get_by_role("button", name="Tools", exact=True).click()
    panel.get_by_role("button", name="Window").click()
    panel.get_by_label("Tick gpt-6-luna", exact=True).check()
    expect(panel.get_by_text("1 ticked")).to_be_visible()
    box = panel.locator(".tetrate-box")
    box.evaluate("e => { e.scrollTop = 20 * 34; }")
    restart(page)
    gone = panel.locator(":scope > .tetrate-gone")
    expect(gone).to_contain_text("The kernel was restarted.")
    gone.get_by_role("button", name="Reconnect").click()
    expect(panel.get_by_text("1 ticked")).to_be_visible()
    expect(words).to_have_value("images")
    for name in ("Images", "Tools"):
        expect(panel.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    expect(panel.get_by_role("columnheader", name="Window")).to_have_attribute("aria-sort", "descending")
    page.wait_for_function("e => Math.abs(e.scrollTop - 680) < 40", arg=box.element_handle())
    words.fill("")
    expect(panel.get_by_role("button", name="Images", exact=True)).to_have_attribute("aria-pressed", "false")


def test_the_small_list_of_the_chat_by_keyboard_and_mouse(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_model claude-haiku-4-5", "%tetrate_chat")
    page.keyboard.press("Control+b")
    for cell in notebook.cells:
        cell.run()
    panel = notebook[2].box.locator(".tetrate-panel")
    opener, small = panel.locator(".tetrate-opener"), panel.locator(".tetrate-models")
    search, options = small.get_by_role("combobox", name="Search models"), small.get_by_role("option")
    current = small.locator(".tetrate-at")
    expect(opener).to_have_accessible_name("Model: claude-haiku-4-5")
    opener.press("Enter")
    expect(search).to_be_focused()
    expect(small.get_by_role("option", selected=True)).to_contain_text("claude-haiku-4-5")
    expect(small.get_by_role("option", selected=True)).to_contain_text("In use")
    expect(small.locator(".tetrate-group").first).to_have_text("In use")
    expect(small.locator(".tetrate-peek")).to_contain_text("200k window")
    assert axe.findings(panel) == []
    page.keyboard.type("grok images")
    expect(small.get_by_text(re.compile(r"^3 of [12]\d\d$"))).to_be_visible()
    expect(small.locator(".tetrate-means")).to_have_text("images")
    assert axe.findings(panel) == []
    page.keyboard.press("ArrowDown")
    expect(current).to_contain_text("grok-4.5")
    page.keyboard.press("Escape")
    expect(small).not_to_be_visible()
    expect(opener).to_be_focused()
    opener.click()
    expect(search).to_have_value("")
    page.keyboard.type("grok-4.5")
    page.keyboard.press("Enter")  # before the list has followed the last letter
    expect(opener).to_have_accessible_name("Model: xai/grok-4.5")
    expect(opener).to_be_focused()
    opener.click()
    expect(options).to_have_count(40)
    small.locator(".tetrate-choices").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(options).to_have_count(100)  # more come as it is scrolled
    search.fill("gemini-2.5-pro")
    expect(options).to_have_count(1)
    options.first.click()
    expect(opener).to_have_accessible_name("Model: gemini-2.5-pro")
    page.set_viewport_size({"width": 400, "height": 700})
    opener.click()
    expect(small).to_be_in_viewport(ratio=1)
    page.mouse.click(5, 690)
    expect(small).not_to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    opener.click()
    small.get_by_role("button", name=re.compile("^All [12]")).click()
    expect(notebook[3].box.locator(".tetrate-picker")).to_be_visible()
    notebook[3].reads("%tetrate_models")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_everything_can_be_read_in_every_theme(opened: Opens, page: Page, lab: Lab, theme: str) -> None:
    with lab.theme(theme):
        notebook = opened(
            "%load_ext tetrate_jupyter", "%tetrate_models claude", "%tetrate_chat", "%%tetrate\nSay hello."
        )
        for cell in notebook.cells:
            cell.run()
        expect(notebook[1].box.locator(".tetrate-option").first).to_be_visible()
        expect(notebook[2].box.locator(".tetrate-message")).to_contain_text("≈ $")
        for cell in notebook.cells[1:3]:
            panel = cell.box.locator(".tetrate-panel")
            pale = [(contrast, where) for contrast, where in seen.contrasts(panel) if contrast < 4.5]
            assert pale == []
            assert axe.findings(panel) == []
