"""Earlier in the chat: after a restart it offers to go on, lists what is kept, searches and opens it, by keys alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.test_chat import LOAD, Chat
from tests.browser.test_sign_in import restart

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Opens

KEPT = f"{LOAD}\nsession.keep_texts = True"
pytestmark = pytest.mark.usefixtures("signed_in")


def test_a_conversation_goes_on_after_a_restart(opened: Opens, page: Page) -> None:
    notebook = opened(KEPT, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.asked("The word is xyzzy.")
    chat.box.get_by_role("button", name="New").click()
    expect(chat.messages).to_have_count(0)
    chat.asked("Name a colour.")
    restart(page)
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    offer = chat.box.get_by_role("button", name=re.compile(r"^Go on where it was \(1 turn, "))
    expect(offer).to_be_visible()
    assert axe.findings(chat.box) == []
    offer.click()
    expect(chat.messages).to_have_count(1)
    expect(chat.messages).to_contain_text("Name a colour.")

    chat.box.get_by_role("button", name="More").last.click()
    chat.box.get_by_role("menuitem", name="Earlier").click()
    earlier = chat.box.get_by_role("region", name="Earlier conversations")
    search = earlier.get_by_label("Search questions and answers")
    expect(search).to_be_focused()
    expect(earlier.locator(".tetrate-conv")).to_have_count(2)
    assert axe.findings(chat.box) == []
    search.fill("XYZZY")
    expect(earlier.locator(".tetrate-conv")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(earlier.locator(".tetrate-conv")).to_be_focused()
    page.keyboard.press("Enter")
    expect(earlier).not_to_be_visible()
    expect(chat.messages).to_have_count(1)
    expect(chat.messages).to_contain_text("The word is xyzzy.")
    expect(chat.prompt).to_be_focused()
    chat.asked("And now?")
    expect(chat.messages).to_have_count(2)
