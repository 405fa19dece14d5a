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
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens

KEPT = f"{LOAD}\nsession.keep_texts = True"
pytestmark = pytest.mark.usefixtures("signed_in")


def restart_cleared(page: Page) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel and Clear Outputs").click()
    page.locator(".jp-Dialog .jp-mod-accept").click()


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
    notebook[1].run()  # the page has it still, and gives it back
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    expect(chat.messages).to_contain_text("Name a colour.")
    expect(earlier_of(chat).locator(".tetrate-conv")).to_have_count(2)  # it is what is kept, not one more
    restart_cleared(page)
    expect(notebook[1].box.locator(".tetrate-panel")).to_have_count(0)
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    offer = chat.box.get_by_role("button", name=re.compile(r"^Go on where it was \(1 turn, "))
    expect(offer).to_be_visible()
    assert axe.findings(chat.box) == []
    offer.click()
    expect(chat.messages).to_have_count(1)
    expect(chat.messages).to_contain_text("Name a colour.")

    chat.button("Earlier conversations").click()
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


def earlier_of(chat: Chat) -> Locator:
    chat.box.get_by_role("button", name="More").last.click()
    chat.box.get_by_role("menuitem", name="Earlier").click()
    return chat.box.get_by_role("region", name="Earlier conversations")


def test_one_is_named_starred_and_erased_by_keys_alone(opened: Opens, page: Page) -> None:
    notebook = opened(KEPT, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.asked("The word is xyzzy.")
    chat.box.get_by_role("button", name="New").click()
    expect(chat.messages).to_have_count(0)
    chat.asked("Name a colour.")
    earlier = earlier_of(chat)
    rows = earlier.get_by_role("listitem")
    expect(rows).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    for _ in range(2):
        page.keyboard.press("Tab")
    places = [row.bounding_box() for row in rows.all()]
    pencil = earlier.get_by_role("button", name="Rename The word is xyzzy.")
    expect(pencil).to_be_focused()
    page.keyboard.press("Enter")
    field = earlier.get_by_role("textbox", name="Name of The word is xyzzy.")
    expect(field).to_be_focused()
    expect(field).to_have_value("The word is xyzzy.")
    assert axe.findings(chat.box) == []
    page.keyboard.type("Not this")
    page.keyboard.press("Escape")
    expect(pencil).to_be_focused()
    expect(earlier).to_be_visible()
    page.keyboard.press("Enter")
    assert [row.bounding_box() for row in rows.all()] == places  # nothing moves
    page.keyboard.type("Magic words")
    page.keyboard.press("Enter")
    expect(rows.nth(1)).to_contain_text("Magic words")
    expect(earlier.get_by_role("button", name="Rename Magic words")).to_be_focused()

    page.keyboard.press("Shift+Tab")
    star = earlier.get_by_role("button", name="Star Magic words")
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    expect(rows.nth(1)).to_contain_text("Magic words")  # where it was: nothing moves under the pointer
    page.keyboard.press("Escape")
    expect(earlier).not_to_be_visible()
    earlier_of(chat)
    expect(rows.nth(0)).to_contain_text("Magic words")

    narrow = page.add_style_tag(content=".tetrate-chat { width: 340px !important; }")
    assert earlier.evaluate("node => node.scrollWidth <= node.clientWidth")
    bin_ = earlier.get_by_role("button", name="Erase Name a colour.")
    bin_.dblclick()  # the second click is on Keep
    expect(bin_).to_be_focused()
    expect(rows).to_have_count(2)
    page.keyboard.press("Enter")
    asking = earlier.get_by_role("group", name="Erase Name a colour.?")
    expect(asking.get_by_role("button", name="Keep")).to_be_focused()
    assert axe.findings(chat.box) == []
    assert earlier.evaluate("node => node.scrollWidth <= node.clientWidth")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(earlier.get_by_role("status")).to_contain_text("Erased.")
    expect(earlier.locator(".tetrate-conv")).to_be_focused()
    narrow.evaluate("node => node.remove()")
    page.keyboard.press("Escape")
    expect(chat.messages).to_have_count(0)  # it was the one in use
    restart(page)
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    earlier = earlier_of(chat)
    expect(earlier.get_by_role("listitem")).to_have_count(1)
    expect(earlier.get_by_role("listitem")).to_contain_text("Magic words")
    expect(earlier.get_by_role("button", name="Star Magic words")).to_have_attribute("aria-pressed", "true")


def test_one_clock_has_what_is_in_the_kernel_and_offers_to_keep_it(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.asked("The word is xyzzy.")
    chat.button("New").click()
    expect(chat.messages).to_have_count(0)
    chat.asked("Name a colour.")
    clock = chat.button("Earlier conversations")
    clock.click()
    earlier = chat.box.get_by_role("region", name="Earlier conversations")
    here = earlier.get_by_role("list", name="In this kernel")
    expect(here.get_by_role("listitem")).to_have_count(1)
    expect(here).to_contain_text("The word is xyzzy.")
    expect(here.get_by_role("button", name="Rename", exact=False)).to_have_count(0)  # it has no name to keep
    expect(earlier).to_contain_text("Conversations end with this kernel.")
    assert axe.findings(chat.box) == []
    earlier.get_by_role("button", name="Keep conversations").click()
    expect(earlier.get_by_role("button", name="Keep conversations")).not_to_be_visible()
    expect(earlier.get_by_role("status")).to_contain_text("From now on conversations are kept in ~/")
    expect(earlier.get_by_label("Search questions and answers")).to_be_focused()
    clock.click()
    expect(earlier).not_to_be_visible()
    chat.asked("And another?")
    clock.click()
    expect(here.get_by_role("listitem")).to_have_count(2)
    expect(here.get_by_role("listitem").first).to_contain_text("In use")
    here.get_by_role("button", name="The word is xyzzy.").click()
    expect(chat.messages).to_have_count(1)
    expect(chat.messages).to_contain_text("xyzzy")

    restart_cleared(page)
    expect(notebook[1].box.locator(".tetrate-panel")).to_have_count(0)
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.button("Earlier conversations").click()
    expect(earlier.get_by_role("listitem")).to_have_count(1)
    expect(earlier.get_by_role("list", name="In this kernel")).to_have_count(0)
    expect(earlier.get_by_role("button", name="Keep conversations")).to_be_visible()  # of this kernel it isn't said yet
