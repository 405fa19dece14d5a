"""The model picker and the dropdown, by mouse and keyboard, in a real JupyterLab."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, seen
from tests.browser.test_chat import without_kernel

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
    chat = notebook[3].box.get_by_label("Model", exact=True)
    expect(options.first).to_be_visible()
    assert axe.findings(notebook[1].box.locator(".tetrate-panel")) == []
    assert options.count() < 60  # of nearly two hundred: only those in sight and around

    words.fill("opus 1m")
    expect(box.get_by_text(re.compile(r"^3 of 1\d\d models"))).to_be_visible()
    words.fill("sonnet")
    expect(options).to_have_count(2)
    words.press("ArrowDown")
    expect(words).to_be_focused()
    at = words.get_attribute("aria-activedescendant")
    assert at is not None
    expect(page.locator(f"#{at}")).to_contain_text("claude-sonnet-5")
    words.press("Enter")
    expect(chosen).to_contain_text("claude-sonnet-5")
    expect(dropdown).to_have_value("claude-sonnet-5")
    expect(chat).to_have_value("claude-sonnet-5")
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
    box.get_by_label("Sort by").select_option("price")
    box.get_by_role("combobox", name="Provider").select_option("anthropic")
    box.get_by_label("images").check()
    expect(options).to_have_count(8)
    expect(options.first).to_contain_text("claude-haiku-4-5")
    options.filter(has_text="claude-opus-4-5").click()
    expect(dropdown).to_have_value("claude-opus-4-5")
    notebook[5].run()
    expect(chosen).to_contain_text("Claude Opus 5")
    expect(dropdown).to_have_value("claude-opus-5")
    chat.select_option("claude-haiku-4-5")
    expect(chosen).to_contain_text("claude-haiku-4-5")
    words.fill("no such thing")
    expect(box.get_by_text("No model fits.")).to_be_visible()
    assert axe.findings(notebook[1].box.locator(".tetrate-panel")) == []
    words.fill("")
    expect(options).to_have_count(8)

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
    twin = notebook[1].box.locator(".tetrate-twin")
    expect(twin).to_contain_text("Model: claude-haiku-4-5")
    expect(notebook[1].box.get_by_text("Error displaying widget")).not_to_be_visible()
    assert axe.findings(twin) == []


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
