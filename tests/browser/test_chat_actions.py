"""What one can do with an answer in the chat: with its code, with other models, and by opening what is told of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.test_chat import LOAD, SHOW, Chat, open_chat
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tetrate_jupyter.sandbox import SandboxRouter

EMPTY = f"{LOAD}\nnotes = ''\nmany = __import__('pandas').DataFrame({{'n': range(2000)}})"
CODED = "```python\nn = 6 * 7\nprint(n)\n```\n\n```sql\nSELECT 1\n```"
pytestmark = pytest.mark.usefixtures("signed_in")


def test_code_is_copied_inserted_put_into_a_cell_and_run(opened: Opens, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = opened(LOAD, "%tetrate_model sandbox/echo", "session.chat()")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    chat = open_chat(notebook, 2)
    message = chat.asked(CODED)
    blocks = message.locator(".tetrate-code")
    code, other = blocks.first, blocks.last
    expect(code.locator(".tetrate-code-tools")).to_contain_text("python")
    expect(chat.button("Run in a new cell below", other)).to_have_count(0)  # SQL is no cell's code
    expect(chat.button("Insert below", other)).to_be_visible()
    assert axe.findings(chat.box) == []
    chat.button("Copy code", code).click()
    assert page.evaluate("navigator.clipboard.readText()") == "n = 6 * 7\nprint(n)"
    chat.button("Run in a new cell below", code).click()
    notebook[3].wait()
    assert notebook[3].text == "42"
    notebook[3].reads("n = 6 * 7\nprint(n)")

    notebook[0].box.locator(".cm-content").click()
    replace = code.get_by_role("button", name="Replace the code of cell [3]")
    expect(replace).to_be_visible()
    before = notebook[0].source
    replace.click()
    expect(notebook[0].box.locator(".cm-content")).to_contain_text("6 * 7")
    notebook[0].reads("n = 6 * 7\nprint(n)")
    notebook[0].box.locator(".cm-content").click()
    page.keyboard.press("Control+z")
    expect(notebook[0].box.locator(".cm-content")).to_contain_text("load_ext")
    notebook[0].reads(before)


def test_replace_is_not_there_without_a_cell_to_replace(opened: Opens, page: Page) -> None:
    notebook = opened(f"{LOAD}\nsession.chat()", "mine = 1")
    notebook[0].box.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")  # the cell stays the active one
    notebook[0].wait()
    chat = Chat(notebook[0].box.locator(".tetrate-panel"))
    message = chat.asked(SHOW)
    expect(chat.button("Insert below", message).first).to_be_visible()
    expect(message.locator(".tetrate-replace").first).not_to_be_visible()
    notebook[1].box.locator(".cm-content").click()
    expect(message.locator(".tetrate-replace").first).to_have_accessible_name(
        "Replace cell: Replace the code of the cell that begins with mine = 1"
    )


def test_another_model_answers_the_same_as_another_version(opened: Opens, page: Page) -> None:
    notebook = opened(f"{LOAD}\nsession.catalog.favourites.star('gpt-6-luna', on=True)", "session.chat()")
    chat = open_chat(notebook)
    message = chat.asked("Say hello.")
    who = message.locator(".tetrate-who .tetrate-mark")
    expect(who).to_have_text("A")  # the provider's letter, not the model's
    place = chat.button("Retry with another model", message).bounding_box()
    chat.button("Retry with another model", message).click()
    small = message.locator(".tetrate-models:popover-open")
    search = small.get_by_role("combobox", name="Search models")
    expect(search).to_be_focused()
    expect(small.locator(".tetrate-group").filter(has_text="Starred")).to_be_visible()
    expect(small.locator("[aria-selected=true]")).to_contain_text("claude-haiku-4-5")
    assert chat.button("Retry with another model", message).bounding_box() == place
    assert axe.findings(chat.box) == []
    page.keyboard.type("gpt-6-luna")
    page.keyboard.press("Enter")
    expect(message.locator(".tetrate-ways")).to_contain_text("Answer version 2 / 2")
    expect(message.locator(".tetrate-foot").first).to_contain_text("gpt-6-luna")
    expect(chat.model).to_have_accessible_name("Model: claude-haiku-4-5")
    chat.button("Version before", message).click()
    expect(message.locator(".tetrate-foot").first).to_contain_text("claude-haiku-4-5")
    chat.button("Retry with another model", message).click()
    expect(search).to_be_focused()
    chat.model.click()  # one list opens as the other goes, and gets its rows
    expect(chat.box.locator(".tetrate-head .tetrate-choice").first).to_be_visible()
    page.keyboard.press("Escape")
    chat.button("Retry with another model", message).click()
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(chat.button("Retry with another model", message)).to_be_focused()


def test_retry_counts_down_where_the_router_said_when(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    notebook = opened(LOAD, "session.chat()")
    chat = open_chat(notebook)
    lab_router.inject(Fault("rate-limit", retry_after=90))
    message = chat.asked("Say hello.")
    expect(message.locator(".tetrate-failed")).to_be_visible()
    waits = message.get_by_role("button", name=re.compile(r"^Retry in \d+ s$"))
    expect(waits).to_have_attribute("aria-disabled", "true")
    next_step = message.locator(".tetrate-failed > span")
    expect(next_step).to_have_text(re.compile(r"^Next: wait \d+ s, then ask again.$"))
    expect(next_step).not_to_have_text(next_step.inner_text())  # it counts, too
    before = waits.bounding_box()
    asked = len(lab_router.requests)
    waits.click(force=True)
    expect(waits).to_be_visible()
    retry = chat.button("Retry", message)
    page.evaluate("window.WAS = performance.now; performance.now = () => window.WAS.call(performance) + 100_000; 0")
    try:
        expect(retry).to_be_visible()
        expect(next_step).to_have_text("Next: ask again.")
        expect(chat.box.locator("[aria-live=polite]")).to_have_text("You can retry now.")
        assert before == retry.bounding_box()  # nothing has moved
    finally:
        page.evaluate("performance.now = window.WAS; 0")
    assert len(lab_router.requests) == asked
    retry.click()
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    expect(chat.messages.last.locator(":scope > .tetrate-body")).not_to_be_empty()
    expect(chat.box.locator(".tetrate-failed:visible")).to_have_count(0)


def test_compare_opens_a_comparison_below(opened: Opens) -> None:
    notebook = opened(LOAD, "session.chat()", "'untouched'")
    chat = open_chat(notebook)
    chat.asked("The word is xyzzy.")
    message = chat.asked("Say hello.")
    chat.button("Compare", message).click()
    columns = notebook[2].box.locator(".tetrate-column")
    expect(columns).to_have_count(3)
    expect(columns.first).to_contain_text("claude-haiku-4-5")
    for number in range(3):
        expect(columns.nth(number)).to_have_attribute("aria-busy", "false")
    expect(columns.first).to_be_in_viewport()
    assert "side_by_side" in notebook[2].source
    notebook[3].reads("'untouched'")
    expect(chat.messages).to_have_count(2)


def test_chips_open_why_and_what_was_sent_and_what_failed_is_told_one_way(
    opened: Opens, lab_router: SandboxRouter
) -> None:
    notebook = opened(EMPTY, "session.chat()", "%%tetrate -m sandbox/fault-length\nWrite on {many} and {notes}.")
    chat = open_chat(notebook)
    message = chat.asked("What is in {many} and {notes}?")
    empty = chat.button("notes is empty", message)
    cut = chat.button("many: 15 of 2,000 rows and a summary of all sent", message)
    cut.click()
    expect(cut).to_have_attribute("aria-expanded", "true")
    expect(message.get_by_text("sends more. This was sent:")).to_be_visible()
    expect(message.get_by_label("what was sent of it")).to_contain_text("| 1999 |")
    empty.click()
    expect(cut).to_have_attribute("aria-expanded", "false")
    expect(message.locator(".tetrate-why > p")).to_have_text("notes is empty")
    assert axe.findings(chat.box) == []
    empty.click()
    expect(message.locator(".tetrate-why")).not_to_be_visible()

    mark = chat.button("simulated", message)
    line = message.locator(".tetrate-figures")
    tops = [
        each.evaluate("e => (e.getBoundingClientRect().top + e.getBoundingClientRect().bottom) / 2")
        for each in (mark, line)
    ]
    assert abs(tops[0] - tops[1]) < 4  # in the quiet line
    mark.click()
    expect(message.locator(".tetrate-why > p")).to_be_visible()
    mark.click()
    expect(message.locator(".tetrate-why > p")).not_to_be_visible()

    chat.choose("sandbox/fault-length")
    chat.button("Cut off at the output cap", chat.asked("Write.")).click()
    expect(chat.messages.last.get_by_text("raise it with --max-tokens")).to_be_visible()
    lab_router.inject(Fault("no-credits"))
    failed = chat.asked("Say hello.").locator(".tetrate-failed")
    expect(failed).to_be_visible()
    expect(failed).to_contain_text("Next:")
    assert axe.findings(chat.box) == []

    notebook[2].run()
    said = notebook[2].outputs.locator("details.tetrate-notice")
    expect(said).to_have_count(2)
    closed = said.first.bounding_box()
    said.first.locator("summary").click()
    expect(said.first).to_have_attribute("open", "")
    opened_box = said.first.bounding_box()
    assert closed is not None
    assert opened_box is not None
    assert opened_box["height"] > closed["height"]
    assert axe.findings(notebook[2].outputs.locator(".tetrate-answer")) == []
