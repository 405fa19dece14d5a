"""What the keys of a real keyboard do in the panels' text boxes, in JupyterLab and in Notebook 7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_chat import LOAD, Chat
from tests.browser.test_compare import Compare
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Notebook
    from tetrate_jupyter.sandbox import SandboxRouter

COMMANDS = "abcdmxyz00jk"  # what each of them does to a cell or a kernel, where it is a command
LINES = "first\n\nthird"
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(params=["jupyterlab", "notebook"])
def server(request: pytest.FixtureRequest, lab: Lab, lab_router: SandboxRouter) -> Iterator[Lab]:
    if request.param == "jupyterlab":
        yield lab
        return
    found: Lab = request.getfixturevalue("notebook7")
    store = KeyStore(found.data / "tetrate-jupyter")
    store.save(Secret(lab_router.issue_key(), host=lab_router.host), store="file")
    yield found
    store.forget(Endpoints.of(lab_router.base_url))


def sources(notebook: Notebook) -> list[str]:
    return [cell.source for cell in notebook.cells]


def enter(notebook: Notebook, box: Locator, mode: str) -> None:
    """Go to a box from the notebook's command mode, or from its edit mode."""
    notebook[0].box.locator(".cm-content").click()
    if mode == "command":
        notebook.page.keyboard.press("Escape")
    box.click()
    expect(box).to_be_focused()


def type_lines(page: Page, key: str) -> None:
    for number, line in enumerate(LINES.split("\n")):
        if number:
            page.keyboard.press(key)
        page.keyboard.type(line)


def edit(page: Page, box: Locator) -> None:
    """Use every key that moves, takes back or leaves; what JupyterLab does with each of them must not happen."""
    box.fill("")
    page.keyboard.type(COMMANDS)
    expect(box).to_have_value(COMMANDS)
    for key in ("Home", "Delete", "End", "Backspace", "ArrowLeft", "ArrowUp", "ArrowDown", "Home"):
        page.keyboard.press(key)
    page.keyboard.type("!")
    expect(box).to_have_value("!" + COMMANDS[1:-1])
    for _ in range(40):
        page.keyboard.press("Control+z")
    expect(box).to_have_value("")
    for _ in range(40):
        page.keyboard.press("Control+Shift+z")
    expect(box).to_have_value("!" + COMMANDS[1:-1])
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    expect(box).to_have_value("")
    page.keyboard.press("Control+v")
    expect(box).to_have_value("!" + COMMANDS[1:-1])
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
    page.keyboard.press("Tab")
    expect(box).not_to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(box).to_be_focused()
    box.fill("")


def compose(page: Page, text: str) -> None:
    """Write with an input method, and end the composition with Enter."""
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    enter = {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    session.send("Input.dispatchKeyEvent", enter)
    session.send("Input.insertText", {"text": text})


@pytest.mark.parametrize("mode", ["command", "edit"])
def test_the_chat_is_written_and_sent_with_keys(opened: Opens, page: Page, server: Lab, mode: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = opened(LOAD, "session.chat()", "'untouched'", on=server)
    notebook[0].run()
    notebook[1].run()
    before = sources(notebook)
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    enter(notebook, chat.prompt, mode)
    edit(page, chat.prompt)
    type_lines(page, "Shift+Enter")
    expect(chat.prompt).to_have_value(LINES)
    page.evaluate("navigator.clipboard.writeText('a\\nb')")
    page.keyboard.press("Enter")
    expect(chat.messages).to_have_count(1)
    expect(chat.messages.last.locator(".tetrate-prompt")).to_have_text(LINES)
    expect(chat.prompt).to_have_value("")
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")

    compose(page, "日本")
    expect(chat.prompt).to_have_value("日本")
    expect(chat.messages).to_have_count(1)
    page.keyboard.press("Control+v")
    expect(chat.prompt).to_have_value("日本a\nb")
    page.keyboard.press("Control+Enter")
    expect(chat.messages).to_have_count(2)
    expect(chat.messages.last.locator(".tetrate-prompt")).to_have_text("日本a\nb")
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")

    chat.button("Edit", chat.messages.last).click()
    edited = chat.messages.last.get_by_label("Edit the question")
    edit_keys(page, edited)
    expect(chat.messages.last.locator(".tetrate-ways")).to_contain_text("2 / 2")
    expect(chat.messages.last.locator(".tetrate-prompt")).to_have_text(LINES)
    assert len(notebook.cells) == len(before)
    for cell, source in zip(notebook.cells, before, strict=True):
        cell.reads(source)


def edit_keys(page: Page, box: Locator) -> None:
    expect(box).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    type_lines(page, "Shift+Enter")
    expect(box).to_have_value(LINES)
    page.keyboard.press("Enter")


def test_the_palette_opens_from_the_box_of_a_chat(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.prompt.click()
    page.keyboard.type("half a question")
    page.keyboard.press("Control+Shift+C")
    expect(page.locator(".lm-CommandPalette-input")).to_be_visible()
    page.keyboard.press("Escape")
    expect(chat.prompt).to_have_value("half a question")


def test_who_wants_enter_to_make_a_line_gets_that_in_every_chat(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()", "session.chat()")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.button("Parameters").click()
    chat.box.get_by_label("Enter makes a line").check()
    notebook[2].run()
    other = Chat(notebook[2].box.locator(".tetrate-panel"))
    other.prompt.click()
    expect(other.box.get_by_text("Shift + Enter sends", exact=True)).to_be_visible()
    type_lines(page, "Enter")
    expect(other.prompt).to_have_value(LINES)
    page.keyboard.press("Shift+Enter")
    expect(other.messages.locator(".tetrate-prompt")).to_have_text(LINES)
    other.button("Parameters").click()
    expect(other.box.get_by_label("Enter makes a line")).to_be_checked()
    other.box.get_by_label("Enter makes a line").uncheck()
    expect(other.box.get_by_text("Enter sends, Shift + Enter: new line")).to_be_visible()


@pytest.mark.parametrize("mode", ["command", "edit"])
def test_a_comparison_is_written_with_keys(opened: Opens, page: Page, server: Lab, mode: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = opened(LOAD, "%tetrate_compare", "'untouched'", on=server)
    notebook[0].run()
    notebook[1].run()
    before = sources(notebook)
    panel = Compare(notebook[1].box.locator(".tetrate-panel"))
    enter(notebook, panel.prompt, mode)
    edit(page, panel.prompt)
    type_lines(page, "Enter")
    compose(page, "日本")
    expect(panel.prompt).to_have_value(LINES + "日本")
    panel.box.get_by_text("Parameters", exact=True).click()
    common = panel.box.locator("details > .tetrate-fields")
    common.get_by_label("Temperature").click()
    page.keyboard.type("0.2")
    page.keyboard.press("Enter")  # sets it; nothing is asked
    system = common.get_by_label("System prompt")
    system.click()
    type_lines(page, "Enter")
    expect(system).to_have_value(LINES)
    expect(panel.columns).to_have_count(0)
    panel.prompt.click()
    page.keyboard.press("Control+Enter")
    expect(panel.columns.first).to_be_visible()
    panel.is_over()
    assert len(notebook.cells) == len(before)
    for cell, source in zip(notebook.cells, before, strict=True):
        cell.reads(source)


def test_a_key_that_is_no_text_still_reaches_the_notebook(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()")
    notebook[0].run()
    notebook[1].run()
    Chat(notebook[1].box.locator(".tetrate-panel")).prompt.click()
    with page.expect_response(lambda r: r.request.method == "PUT" and notebook.path.name in r.url) as saved:
        page.keyboard.press("Control+s")
    assert saved.value.ok


def test_what_is_typed_while_a_question_is_sent_stays(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "session.chat()", "import time; time.sleep(4)")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    notebook[2].start()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Busy")).to_be_visible()
    chat.prompt.click()
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.type(" two")
    expect(chat.messages.locator(".tetrate-prompt")).to_have_text("one")
    expect(chat.button("Send")).to_be_enabled()
    expect(chat.prompt).to_have_value(" two")
