"""The oldest JupyterLab that the extension is for: panels, side panel and status item work in it as in the newest."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.lab import Lab
from tests.browser.test_chat import LOAD, Chat
from tests.browser.test_lab_extension import command, docked, status
from tests.browser.test_names import marked
from tests.packaging.conftest import empty_environment, install
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tetrate_jupyter.sandbox import SandboxRouter

OLDEST = "4.1"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # it makes an environment first


@pytest.fixture(scope="module")
def oldest(lab_router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("oldest")
    programs = empty_environment(folder / "environment")
    install(programs, f"jupyterlab=={OLDEST}.*", f"anywidget=={version('anywidget')}", "ipywidgets", "ipykernel")
    with Lab(folder / "home", lab_router.environment, python=programs / "python") as running:
        KeyStore(running.data / "tetrate-jupyter").save(
            Secret(lab_router.issue_key(), host=lab_router.host), store="file"
        )
        yield running


def test_it_works_in_the_oldest_jupyterlab(opened: Opens, page: Page, oldest: Lab) -> None:
    notebook = opened(LOAD, "session.chat()", "%%tetrate\nSum up {sales}", on=oldest)
    expect(notebook[2].box.locator(".tetrate-lab-name")).to_have_text("{sales}")
    expect(notebook[2].box.locator(".cm-content")).to_have_attribute("spellcheck", "true")
    assert page.evaluate(
        "document.querySelector('#jupyter-config-data').textContent.includes('\"appVersion\": \"4.1.')"
    )
    notebook[0].run()
    notebook[1].run()
    chat = Chat(notebook[1].box.locator(".tetrate-panel"))
    chat.prompt.click()
    page.keyboard.type("Sum up {sa")
    expect(marked(chat.box, chat.prompt)).to_contain_text("{sales}")
    page.keyboard.press("Enter")
    expect(chat.prompt).to_have_value("Sum up {sales}")
    page.keyboard.press("Shift+Enter")  # a line, and no command of JupyterLab's
    expect(chat.prompt).to_have_value("Sum up {sales}\n")
    page.keyboard.press("Enter")
    expect(chat.messages).to_have_count(1)
    expect(chat.messages.last).to_have_attribute("aria-busy", "false")
    expect(status(page)).to_contain_text("today")
    notebook[0].box.locator(".cm-content").click()
    command(page, "Tetrate: chat")
    beside = docked(page)
    expect(beside.messages).to_have_count(1)  # the same conversation
    beside.asked("Say hello.")
    expect(chat.messages).to_have_count(2)
    assert axe.findings(beside.box) == []
