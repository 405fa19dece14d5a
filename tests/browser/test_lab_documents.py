"""Notebooks that can't be written, that close while an answer streams, and whose outputs are pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.notebook import write
from tests.browser.test_chat import SLOW
from tests.browser.test_lab_extension import FRONT, LOAD, cell, command, docked, notices, side, status
from tests.browser.test_lab_failures import FAILS, Below

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Route

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tetrate_jupyter.sandbox import SandboxRouter

pytestmark = pytest.mark.usefixtures("signed_in")
MODEL = "%load_ext tetrate_jupyter\n%tetrate_model claude-haiku-4-5"
# What these run may leave in the page's console that isn't ours, with and without the extension.
OTHERS = ("Failed to load resource", "favicon", "WebSocket", "Starting WebSocket")


def unwritable(route: Route) -> None:
    """Say of a file what the server says where its mode forbids writing, which it never does to root."""
    response = route.fetch()
    told = response.json()
    if told.get("type") == "notebook":
        told["writable"] = False
    route.fulfill(response=response, body=json.dumps(told))


def test_asking_about_a_figure_sends_the_picture_as_it_is_shown(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    plot = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.figure(figsize=(4, 3))\nplt.plot([1, 3, 2]);"
    notebook = opened(MODEL, plot)
    for each in range(2):
        notebook[each].run()
    shown = notebook[1].box.locator(".jp-OutputArea-output img")
    expect(shown).to_be_visible()
    shown.click(button="right")
    page.locator(".lm-Menu-itemLabel").get_by_text("Tetrate: ask about this output", exact=True).click()
    chat = docked(page)
    expect(chat.prompt).to_have_value("@[2] ")
    page.keyboard.type("What is on this picture?")
    chat.prompt.press("Control+Enter")
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    sent = [r.body for r in lab_router.requests if r.path.endswith("/chat/completions")][-1]
    url = shown.get_attribute("src")
    assert url is not None
    assert sent["messages"][-1]["content"][1]["image_url"]["url"] == url.replace("\n", "")
    width, height = shown.evaluate("e => [e.naturalWidth, e.naturalHeight]")
    expect(chat.messages.last).to_contain_text(f"{width} x {height}")  # its model has read it
    thumb = side(page).locator("img")
    expect(thumb).to_be_visible()
    expect(side(page)).to_contain_text("picture of cell 2")

    chat.choose("groq/openai/gpt-oss-20b")
    chat.asked("And @[2] now?")
    expect(chat.messages.last).to_contain_text("reads no pictures")


def test_a_notebook_that_cannot_be_written_says_so_and_its_chat_works(opened: Opens, page: Page) -> None:
    page.route("**/api/contents/*.ipynb*", unwritable)
    notebook = opened(MODEL, FAILS, "1 + 1")
    notebook[0].run()
    command(page, "Tetrate: chat")
    docked(page).asked("The word is plugh.")
    notebook[1].start()
    notebook[1].wait()
    below = Below(notebook[1])
    page.locator(f"{FRONT} .jp-InputPrompt").nth(2).click()
    for name in ("new prompt cell", "ask about this cell", "compare models"):
        command(page, f"Tetrate: {name}")
    center = notices(page)
    said = "This notebook can't be written: no cell was added. Next: save it under another name."
    expect(center.get_by_text(said)).to_have_count(3)
    page.keyboard.press("Escape")
    below.press("Fix", "Send", "Apply")
    expect(notices(page)).to_contain_text("This notebook can't be written: nothing was changed.")
    page.keyboard.press("Escape")
    assert notebook[1].source == FAILS
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(3)


@pytest.mark.parametrize("where", ["chat", "cell"])
def test_a_notebook_closed_while_an_answer_streams_leaves_the_answer_to_its_kernel(
    opened: Opens, page: Page, lab: Lab, lab_router: SandboxRouter, where: str
) -> None:
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(each in message.text for each in OTHERS):
            said.append(message.text)

    page.on("console", hear)
    other = write(lab.folder / f"beside-{where}.ipynb", ["1 + 1"])
    notebook = opened(LOAD + "\n%tetrate_model sandbox/stream", f"%%tetrate\n{SLOW}")
    notebook[0].run()
    notebook.save()
    page.locator(".jp-DirListing-item", has_text=other.name).dblclick()
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(1)
    page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=notebook.path.name).click()
    command(page, "Tetrate: chat")
    chat = docked(page)
    expect(chat.prompt).to_be_visible()
    if where == "cell":
        notebook[1].start()
    else:
        chat.ask("chunks=300 size=20 interval=0.01")
        cell(page, 1).box.locator(".cm-content").click()
        page.keyboard.type("# ")
    expect(chat.messages.last).to_contain_text("#9 ")
    page.keyboard.press("Escape")
    page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=notebook.path.name).locator(
        ".lm-TabBar-tabCloseIcon"
    ).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Discard").click()  # what came since is in it
    expect(page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=notebook.path.name)).to_have_count(0)
    expect(side(page)).to_contain_text("Tetrate isn't loaded in this notebook's kernel.")  # the other's
    status(page).click()
    expect(cell(page, 0).box).to_be_visible()
    assert said == []

    page.locator(".jp-DirListing-item", has_text=notebook.path.name).dblclick()
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(2)
    command(page, "Tetrate: chat")
    again = docked(page)
    expect(again.messages).to_have_count(1)  # of the kernel, which has lived on
    expect(again.messages.last).to_contain_text("#9 ")
    if where == "cell":
        page.locator(f"{FRONT} .jp-InputPrompt").first.click()
        notebook.interrupt()
    expect(again.messages.last).to_have_attribute("aria-busy", "false")
    assert said == []
