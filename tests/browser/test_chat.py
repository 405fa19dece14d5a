"""The chat panel as a person uses it, in a real JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Notebook
    from tetrate_jupyter.sandbox import SandboxRouter

LOAD = "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session\nsales = [3, 1, 2]"
SLOW = "chunks=3000 size=20 interval=0.01"
SHOW = "Show off Markdown with code, a table and math."
pytestmark = pytest.mark.usefixtures("signed_in")


class Chat:
    """One view of the panel."""

    def __init__(self, box: Locator) -> None:
        self.box = box
        self.page = box.page
        self.prompt = box.get_by_label("Ask", exact=True)
        self.model = box.locator(".tetrate-opener")
        self.messages = box.locator(".tetrate-message")
        self.problem = box.locator(":scope > .tetrate-problem")
        expect(self.prompt).to_be_visible()

    def ask(self, text: str) -> Locator:
        """Type it, press Ctrl-Enter, give the message that shows."""
        count = self.messages.count()
        self.prompt.fill(text)
        self.prompt.press("Control+Enter")
        expect(self.messages).to_have_count(count + 1)
        return self.messages.last

    def choose(self, model: str) -> None:
        """Choose a model in the small list."""
        self.model.click()
        self.box.get_by_role("combobox", name="Search models").fill(model)
        self.box.get_by_role("combobox", name="Search models").press("Enter")
        expect(self.model).to_have_accessible_name(f"Model: {model}")

    def asked(self, text: str) -> Locator:
        """Ask, and wait for the end of the answer."""
        message = self.ask(text)
        expect(message).to_have_attribute("aria-busy", "false")
        return message

    def button(self, name: str, within: Locator | None = None) -> Locator:
        return (within or self.box).get_by_role("button", name=name, exact=True)


def open_chat(notebook: Notebook, cell: int = 1) -> Chat:
    notebook[0].run()
    notebook[cell].run()
    return Chat(notebook[cell].box.locator(".tetrate-panel"))


def grave(chat: Chat) -> list[str]:
    return axe.findings(chat.box)


def test_enter_before_the_models_are_there_chooses_as_soon_as_they_are(
    opened: Opens, lab_router: SandboxRouter
) -> None:
    lab_router.inject(Fault("slow-headers", path="models", delay=4, times=1))
    chat = open_chat(opened(LOAD, "session.chat()"))
    chat.model.click()
    search = chat.box.get_by_role("combobox", name="Search models")
    search.fill("claude-haiku-4-5")
    search.press("Enter")
    expect(chat.box).to_contain_text("No models yet.")
    expect(chat.model).to_have_accessible_name("Model: claude-haiku-4-5")
    expect(search).not_to_be_visible()


def test_asking_stopping_editing_and_asking_in_cells(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = opened(LOAD, "session.chat()", "%%tetrate\nSay hello from a cell.")
    chat = open_chat(notebook)
    expect(chat.box.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    assert grave(chat) == []

    message = chat.asked(SHOW)
    expect(chat.prompt).to_be_focused()
    expect(chat.prompt).to_have_value("")
    expect(message.locator("math").first).to_be_visible()
    expect(message.locator(".tetrate-foot")).to_contain_text("≈ $")
    expect(chat.box.locator("[aria-live=polite]")).to_contain_text("What a notebook can show")
    assert grave(chat) == []
    chat.button("Copy", message).click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("#")
    chat.button("Copy code", message).click()
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.startswith("def ")
    chat.button("Insert below", message).click()
    expect(notebook[2].box.locator(".cm-content")).to_contain_text(code.splitlines()[0])
    notebook[2].reads(code)

    chat.choose("sandbox/stream")
    message = chat.ask(SLOW)
    expect(message.locator(":scope > .tetrate-body")).to_contain_text("#9 ")
    assert "#9" not in chat.box.locator("[aria-live=polite]").inner_text()  # not while it is written
    assert grave(chat) == []
    chat.button("Stop").click()
    chat.button("Stopped", message).click()
    expect(message.get_by_text("Stopped: this is part of an answer.")).to_be_visible()
    lab_router.wait_for(lambda request: request.model == "sandbox/stream" and request.hung_up_at is not None)

    chat.choose("claude-haiku-4-5")
    first = chat.messages.first
    chat.button("Edit", first).click()
    first.get_by_label("Edit the question").fill("What is {sales[0]} * 7?")
    first.get_by_label("Edit the question").press("Control+Enter")
    expect(chat.messages).to_have_count(1)
    expect(first.locator(".tetrate-ways")).to_contain_text("Question version 2 / 2")
    expect(first.locator(":scope > .tetrate-body")).to_contain_text("21")
    chat.button("Version before", first).click()
    expect(chat.messages).to_have_count(2)
    expect(first.locator(".tetrate-ways")).to_contain_text("Question version 1 / 2")

    notebook[3].run()
    expect(chat.messages.last).to_contain_text("Say hello from a cell.")
    expect(chat.messages.last).to_contain_text("asked in a cell")
    lab_router.inject(Fault("no-credits"))
    failed = chat.asked("Say hello.")
    expect(failed).to_contain_text("Next:")
    assert grave(chat) == []
    chat.button("Retry", failed).click()
    expect(chat.messages.last.locator(".tetrate-foot")).to_contain_text("≈ $")
    expect(chat.messages).to_have_count(4)
    chat.button("Parameters").click()
    chat.box.get_by_label("Temperature").fill("9")
    chat.box.get_by_label("Temperature").press("Tab")
    expect(chat.problem).to_contain_text("Next:")
    assert grave(chat) == []


def test_it_survives_what_a_page_and_a_kernel_go_through(opened: Opens, page: Page, lab: Lab) -> None:
    notebook = opened(LOAD, "%tetrate_chat", "import time; time.sleep(6)")
    chat = open_chat(notebook)
    fallback = notebook[1].box.locator(".tetrate-fallback")
    chat.asked("The word is xyzzy.")
    expect(fallback).to_be_attached()
    expect(fallback).not_to_be_visible()
    notebook.save()
    notebook.open()  # the kernel lives on
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    expect(chat.messages.last).to_contain_text("xyzzy")
    expect(fallback).not_to_be_visible()

    notebook[1].box.locator(".jp-OutputArea-output").first.click(button="right", position={"x": 5, "y": 5})
    page.get_by_text("Create New View for Cell Output").click()
    page.locator(".jp-LinkedOutputView .tetrate-panel").wait_for()
    other = Chat(page.locator(".jp-LinkedOutputView .tetrate-panel"))
    expect(other.messages.last).to_contain_text("xyzzy")
    other.asked("And the other is plugh.")
    expect(chat.messages.last).to_contain_text("plugh")

    notebook[2].start()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Busy")).to_be_visible()
    chat.prompt.fill("While a cell runs.")
    chat.prompt.press("Enter")
    chat.box.get_by_text("The kernel is busy").or_(chat.messages.nth(2)).first.wait_for()
    expect(chat.messages).to_have_count(3)
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    expect(chat.box.get_by_text("The kernel is busy")).not_to_be_visible()
    notebook[2].wait()

    notebook.save()
    notebook.shut_down()
    expect(chat.box.get_by_text("The kernel has ended.")).to_be_visible()
    expect(chat.prompt).to_be_disabled()
    expect(chat.messages.first).to_contain_text("xyzzy")
    assert grave(chat) == []

    without_kernel(notebook)
    expect(fallback).to_be_visible()
    expect(fallback).to_contain_text("plugh")
    expect(fallback).to_contain_text("running this cell begins a new conversation in its place")
    expect(page.get_by_text("Error displaying widget")).not_to_be_visible()
    assert axe.findings(fallback) == []


def without_kernel(notebook: Notebook) -> None:
    import nbformat

    saved = nbformat.read(notebook.path, nbformat.NO_CONVERT)
    saved.metadata = nbformat.from_dict({"kernelspec": {"name": "elsewhere", "display_name": "E", "language": "E"}})
    nbformat.write(saved, notebook.path)
    notebook.open_without_kernel()
