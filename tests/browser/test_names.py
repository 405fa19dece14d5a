"""What can be named in a prompt, offered while one types "{" or "@": by keys and mouse, read aloud, sent nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, seen
from tests.browser.test_chat import LOAD, open_chat
from tests.browser.test_compare import opened_panel
from tests.browser.test_lab_extension import command, docked

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tetrate_jupyter.sandbox import SandboxRouter

MAKE = "import os\nos.makedirs('data', exist_ok=True)\nopen('data/notes.md', 'w').write('buy milk')\nprices = {'a': 1}"
ENOUGH = 4.5  # of contrast
pytestmark = pytest.mark.usefixtures("signed_in")


def names(root: Locator) -> Locator:
    return root.get_by_role("listbox", name="What can be named")


def marked(root: Locator, prompt: Locator) -> Locator:
    """The one that a screen reader says, and Enter takes."""
    expect(prompt).to_have_attribute("aria-activedescendant", re.compile(r"."))
    own = prompt.get_attribute("aria-activedescendant")
    return names(root).locator(f"#{own}[aria-selected=true].tetrate-at")


def questions(router: SandboxRouter) -> int:
    return sum(request.path.endswith("/chat/completions") for request in router.requests)


def test_names_are_taken_by_keys_and_by_mouse_and_sent_by_none(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    notebook = opened(f"{LOAD}\n{MAKE}", "session.chat()")
    chat = open_chat(notebook)
    offered, prompt, before = names(chat.box), chat.prompt, questions(lab_router)
    prompt.click()
    page.keyboard.type("Sum up {s")
    expect(offered.get_by_role("option")).to_have_text([re.compile(r"^\{sales\}\s*list of 3$")])
    expect(marked(chat.box, prompt)).to_contain_text("{sales}")
    assert axe.findings(chat.box) == []
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("Sum up {sales}")
    expect(offered).not_to_be_visible()
    assert prompt.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Control+z")
    expect(prompt).to_have_value("Sum up {s")
    page.keyboard.press("Control+y")
    expect(prompt).to_have_value("Sum up {sales}")

    page.keyboard.type(" of @")
    expect(marked(chat.box, prompt)).to_contain_text("@above")
    page.keyboard.press("ArrowUp")  # round the end
    expect(marked(chat.box, prompt)).to_have_text(offered.get_by_role("option").last.text_content() or "")
    page.keyboard.press("ArrowDown")
    expect(marked(chat.box, prompt)).to_contain_text("@above")
    page.keyboard.type("da")
    expect(offered.get_by_role("option")).to_have_text([re.compile(r"^@data/\s*folder$")])
    page.keyboard.press("Tab")  # a folder, in which it goes on
    expect(offered.get_by_role("option")).to_have_text([re.compile(r"^@data/notes\.md\s*8 bytes$")])
    offered.get_by_role("option").click()
    expect(prompt).to_have_value("Sum up {sales} of @data/notes.md")
    expect(prompt).to_be_focused()
    expect(offered).not_to_be_visible()

    page.keyboard.type(" @err")  # there is no error: nothing is offered, and Enter sends
    expect(offered).not_to_be_visible()
    page.keyboard.type(" @ab")
    expect(offered).to_be_visible()
    page.keyboard.press("Escape")
    expect(offered).not_to_be_visible()
    expect(prompt).to_have_value("Sum up {sales} of @data/notes.md @err @ab")
    assert questions(lab_router) == before
    for _ in "@err @ab":
        page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(chat.messages).to_have_count(1)
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    assert questions(lab_router) == before + 1


def test_an_edited_question_and_a_docked_chat_offer_them_too(opened: Opens, page: Page) -> None:
    notebook = opened(f"{LOAD}\n{MAKE}", "1 + 1")
    notebook[0].run()
    command(page, "Tetrate: chat")
    chat = docked(page)
    chat.prompt.click()
    page.keyboard.type("Explain @a")
    offered = names(chat.box)
    expect(marked(chat.box, chat.prompt)).to_contain_text("@above")
    expect(offered).to_be_in_viewport(ratio=1)
    assert seen.scrolling_sideways(page) == []
    page.keyboard.press("Enter")
    expect(chat.prompt).to_have_value("Explain @above")
    page.keyboard.press("Enter")
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    chat.messages.last.hover()
    chat.button("Edit", chat.messages.last).click()
    box_of_edit = chat.messages.last.get_by_label("Edit the question")
    box_of_edit.press("End")
    page.keyboard.type(" with {pr")
    expect(marked(chat.messages.last, box_of_edit)).to_contain_text("{prices}")
    page.keyboard.press("Escape")  # the list only
    expect(box_of_edit).to_be_visible()
    page.keyboard.type("i")
    expect(names(chat.messages.last)).to_be_visible()
    page.keyboard.press("Tab")
    expect(box_of_edit).to_have_value("Explain @above with {prices}")


def test_a_composition_is_left_alone(opened: Opens, page: Page) -> None:
    notebook = opened(f"{LOAD}\n{MAKE}", "session.chat()")
    chat = open_chat(notebook)
    chat.prompt.click()
    page.keyboard.type("{")
    expect(names(chat.box)).to_be_visible()
    devices = page.context.new_cdp_session(page)
    devices.send("Input.imeSetComposition", {"text": "sa", "selectionStart": 2, "selectionEnd": 2})
    for kind in ("rawKeyDown", "keyUp"):  # the Enter that ends it
        devices.send(
            "Input.dispatchKeyEvent", {"type": kind, "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
        )
    expect(chat.prompt).to_have_value("{sa")
    devices.send("Input.insertText", {"text": "sa"})
    expect(chat.prompt).to_have_value("{sa")
    expect(names(chat.box).get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(chat.prompt).to_have_value("{sales}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_can_be_read_narrow_and_wide_in_both_themes(theme: str, opened: Opens, page: Page, lab: Lab) -> None:
    with lab.theme(theme):
        notebook = opened(
            f"{LOAD}\n{MAKE}\na_name_that_is_as_long_as_names_of_variables_become_at_times = 1", "session.chat()"
        )
    page.keyboard.press("Control+b")
    chat = open_chat(notebook)
    for width in (1440, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("w => document.querySelector('.jp-Notebook').clientWidth < w", arg=width)
        chat.prompt.click()
        for text in ("{", "@"):
            chat.prompt.fill("")
            page.keyboard.type(text)
            expect(names(chat.box)).to_be_visible()
            assert seen.scrolling_sideways(page) == []
            assert [pale for pale in seen.contrasts(names(chat.box)) if pale[0] < ENOUGH] == []
            assert axe.findings(chat.box) == []


def test_the_compare_panel_offers_and_fills_them_in(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    notebook = opened(f"{LOAD}\n{MAKE}", "session.side_by_side(models=['claude-haiku-4-5', 'gpt-6-luna'])")
    panel = opened_panel(notebook)
    before = questions(lab_router)
    panel.prompt.click()
    page.keyboard.type("Sum up {s")
    expect(marked(panel.box, panel.prompt)).to_contain_text("{sales}")
    assert axe.findings(panel.box) == []
    page.keyboard.press("Enter")
    page.keyboard.type(" and @data/n")
    expect(marked(panel.box, panel.prompt)).to_contain_text("@data/notes.md")
    page.keyboard.press("Tab")
    expect(panel.prompt).to_have_value("Sum up {sales} and @data/notes.md")
    expect(panel.prompt).to_be_focused()
    assert questions(lab_router) == before
    page.keyboard.press("Control+Enter")
    panel.is_over()
    said = panel.box.get_by_role("status").filter(has_text="With the question: @data/notes.md (8 bytes).")
    expect(said).to_be_visible()
    assert questions(lab_router) == before + 2
    sent = [r.body["messages"][-1]["content"] for r in lab_router.requests if r.path.endswith("/chat/completions")][-2:]
    assert all(each.startswith("Sum up [3, 1, 2] and @data/notes.md\n\n") and "buy milk" in each for each in sent)
    panel.edit()
    expect(panel.prompt).to_have_value("Sum up {sales} and @data/notes.md")


def test_behind_a_brace_alone_enter_is_a_new_line(opened: Opens, page: Page) -> None:
    """What is written may be JSON or code: the list is there, and takes nothing until one goes into it."""
    notebook = opened(f"{LOAD}\n{MAKE}", "session.side_by_side(models=['claude-haiku-4-5', 'gpt-6-luna'])")
    panel = opened_panel(notebook)
    panel.prompt.click()
    page.keyboard.type("{")
    expect(names(panel.box)).to_be_visible()
    assert panel.prompt.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Enter")
    expect(panel.prompt).to_have_value("{\n")
    expect(names(panel.box)).not_to_be_visible()
    page.keyboard.type("{")
    expect(names(panel.box)).to_be_visible()
    page.keyboard.press("Tab")  # which leads on to the next control, as ever
    expect(panel.prompt).not_to_be_focused()
    expect(panel.prompt).to_have_value("{\n{")
    panel.prompt.focus()
    panel.prompt.press("Control+End")
    page.keyboard.press("Backspace")
    page.keyboard.type("{")
    expect(names(panel.box)).to_be_visible()
    page.keyboard.press("ArrowUp")
    last = names(panel.box).get_by_role("option").last.text_content() or ""
    expect(marked(panel.box, panel.prompt)).to_have_text(last)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(panel.prompt).to_have_value(re.compile(r"^\{\n\{\w+\}$"))


def test_a_name_with_blanks_is_taken_through_its_folder(opened: Opens, page: Page) -> None:
    make = f"{MAKE}\nos.makedirs('my data', exist_ok=True)\nopen('my data/a b.md', 'w').write('eggs')"
    notebook = opened(f"{LOAD}\n{make}", "session.chat()")
    chat = open_chat(notebook)
    chat.prompt.click()
    page.keyboard.type('Sum up @"my')
    expect(marked(chat.box, chat.prompt)).to_contain_text("my data/")
    page.keyboard.press("Tab")
    expect(marked(chat.box, chat.prompt)).to_contain_text("my data/a b.md")
    page.keyboard.press("Tab")
    expect(chat.prompt).to_have_value('Sum up @"my data/a b.md"')
    expect(names(chat.box)).not_to_be_visible()
    page.keyboard.type(" and {sa")
    expect(marked(chat.box, chat.prompt)).to_contain_text("{sales}")
    page.keyboard.press("Home")  # the cursor is elsewhere: nothing is taken there
    page.keyboard.press("Tab")
    expect(chat.prompt).to_have_value('Sum up @"my data/a b.md" and {sa')


SPELLED = {
    "session.chat()": {"Ask": True, "Temperature": False, "Output cap, tokens": False, "System prompt": True},
    "session.side_by_side()": {"Prompt": True, "Temperature": False, "Effort": False, "System prompt": True},
    "session.picker()": {"Search models": False},
}


@pytest.mark.parametrize("source", SPELLED)
def test_prose_is_spelled_and_names_are_not(source: str, opened: Opens) -> None:
    notebook = opened(LOAD, source)
    notebook[0].run()
    notebook[1].run()
    panel = notebook[1].box.locator(".tetrate-panel")
    for opener in panel.get_by_role("button", name="Parameters", exact=True).or_(panel.locator("summary")).all():
        if opener.is_visible():
            opener.click()
    for name, wanted in SPELLED[source].items():
        field = panel.get_by_label(name, exact=True).last
        expect(field).to_have_js_property("spellcheck", wanted)
        expect(field).to_have_attribute("spellcheck", str(wanted).lower())
