"""After every way through every panel, no key, code or verifier is in anything that was written or kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import consent
from tests.browser.test_chat import Chat
from tests.browser.test_compare import Compare
from tests.browser.test_quickstart import addresses, everything_below, holds_verifier
from tests.browser.test_sign_in import MANAGER, Panel
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tetrate_jupyter.sandbox import SandboxRouter

CELLS = (
    "%load_ext tetrate_jupyter",
    "%tetrate_login",
    "%tetrate_models",
    "%tetrate_chat",
    "%tetrate_compare",
    "%tetrate_status",
)
STORAGE = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"


@pytest.mark.usefixtures("signed_out")
def test_every_panel_leaves_no_secret(opened: Opens, lab: Lab, page: Page, lab_router: SandboxRouter) -> None:
    keys = [lab_router.issue_key()]
    challenges: list[str] = []
    codes: list[str] = []
    with lab.settings(MANAGER, {"saveState": True}):
        notebook = opened(*CELLS)
        for cell in notebook.cells[:2]:
            cell.run()
        panel = Panel(notebook[1].box.locator(".tetrate-panel"))
        panel.open_others()
        challenges.append(query(panel.address(), "code_challenge"))
        panel.type(panel.key, keys[0])
        panel.is_signed_in(lab_router.host)
        panel.sign_out()
        panel.waits()
        challenges.append(query(panel.address(), "code_challenge"))
        ended_at = lab_router.decide(panel.address())
        codes.append(query(ended_at, "code"))
        panel.type(panel.paste, ended_at)
        panel.is_signed_in(lab_router.host)
        keys.append(kept(lab))
        panel.sign_out()
        panel.waits()
        challenges.append(query(panel.address(), "code_challenge"))
        callbacks = addresses(page, "code=")
        consent.approve(notebook[1])
        panel.is_signed_in(lab_router.host)
        keys.append(kept(lab))
        codes += {query(address, "code") for address in callbacks}

        for cell in notebook.cells[2:]:
            cell.run()
        notebook[2].box.locator(".tetrate-option").first.click()
        chat = Chat(notebook[3].box.locator(".tetrate-panel"))
        chat.asked("Say hello.")
        lab_router.inject(Fault("invalid-key"))
        expect(chat.asked("Say hello.")).to_contain_text("Next:")
        compare = Compare(notebook[4].box.locator(".tetrate-panel"))
        lab_router.inject(Fault("invalid-key", model="gpt-6-luna"))
        compare.add("claude-haiku-4-5", "gpt-6-luna")
        compare.run("Say hello.")
        expect(compare.column("gpt-6-luna")).to_contain_text("Next:")
        compare.is_over()
        notebook.save()
        storage = page.evaluate(STORAGE) + json.dumps(page.context.storage_state())
        notebook.shut_down()  # what IPython still holds goes to its history now

    assert "AnyModel" in notebook.path.read_text()  # the widgets' state is there
    assert len(set(keys)) == len(set(challenges)) == 3
    assert len(codes) == 2
    secrets = [*keys, *codes, "sk-sandbox-"]
    assert [secret for secret in secrets if secret in storage] == []
    for path in everything_below(lab.home):
        if path.parent.name == "keys":
            continue
        data = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in data] == [], path
        assert not any(holds_verifier(data, challenge) for challenge in challenges), path
    sent = str(lab_router.requests)
    assert not any(key in sent for key in keys)


def test_picker_and_chat_in_notebook_7(opened: Opens, notebook7: Lab, lab_router: SandboxRouter) -> None:
    notebook = opened(*CELLS[:2], "%tetrate_models", "%tetrate_chat", on=notebook7)
    for cell in notebook.cells[:2]:
        cell.run()
    panel = Panel(notebook[1].box.locator(".tetrate-panel"))
    consent.approve(notebook[1])
    panel.is_signed_in(lab_router.host)
    notebook[2].run()
    notebook[3].run()
    words = notebook[2].box.get_by_role("combobox", name="Search models")
    words.fill("sonnet-5")
    expect(notebook[2].box.locator(".tetrate-option")).to_have_count(1)
    words.press("Enter")
    chat = Chat(notebook[3].box.locator(".tetrate-panel"))
    expect(chat.model).to_have_accessible_name("Model: claude-sonnet-5")
    message = chat.asked("Write a Python function that tells whether a number is prime.")
    chat.button("Insert below", message).click()
    expect(notebook[4].box.locator(".cm-content")).to_contain_text("def is_prime")
    for number in (2, 3):
        expect(notebook[number].box.locator(".tetrate-fallback")).not_to_be_visible()
    panel.sign_out()  # the next test begins there as this one did
    panel.waits()


def query(address: str, name: str) -> str:
    return parse_qs(urlsplit(address).query)[name][0]


def kept(lab: Lab) -> str:
    (key_file,) = (lab.data / "tetrate-jupyter" / "keys").iterdir()
    return key_file.read_text().strip()
