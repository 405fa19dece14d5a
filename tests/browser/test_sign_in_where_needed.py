"""Signed out, a cell that asks shows the sign-in card and waits: one click, and Run All goes on to its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, consent
from tests.browser.notebook import RAN

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell, Notebook
    from tetrate_jupyter.sandbox import SandboxRouter

LOAD = "%load_ext tetrate_jupyter"
AWAY = """import os
os.environ |= {"TETRATE_BASE_URL": "https://gateway.invalid/v1", "TETRATE_AUTH_URL": "https://login.invalid"}
%load_ext tetrate_jupyter"""  # no sandbox, so that the embedded one is offered
THREE = (LOAD, "%%tetrate\nSay hello", "%%tetrate\nName a colour", "%%tetrate\nName a town")
ANSWER = '[data-mime-type="text/html"] .tetrate-answer, .tetrate-body'
WAITS = re.compile(r"^\[\*\]:$")


def run_all(notebook: Notebook) -> None:
    """Restart the kernel and run all cells, by the menu."""
    page = notebook.page
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel and Run All Cells").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()


def card_of(cell: Cell) -> Locator:
    """The card, once it can be clicked."""
    card = cell.box.locator(".tetrate-sign-in")
    expect(card.get_by_role("link", name="Sign in")).to_be_visible()
    return card


def all_answer(notebook: Notebook) -> None:
    for number in (1, 2, 3):
        notebook[number].wait()
        assert notebook[number].failures.count() == 0, notebook[number].text
        expect(notebook[number].box.get_by_text("tokens").last).to_be_visible()


@pytest.mark.usefixtures("signed_out")
def test_run_all_goes_on_after_one_click_on_the_sandbox(opened: Opens, page: Page) -> None:
    notebook = opened(AWAY, *THREE[1:])
    run_all(notebook)
    card = card_of(notebook[1])
    assert axe.findings(card) == []
    expect(notebook[2].box.locator(".jp-InputPrompt")).to_have_text(WAITS)
    expect(card.locator(".tetrate-then")).to_have_text("Then asks “Say hello”", use_inner_text=True)
    card.get_by_role("button", name="Try the sandbox").click()
    all_answer(notebook)
    expect(card).to_have_count(0)
    expect(notebook[1].box.get_by_text("Sandbox: simulated models")).to_be_visible()
    for number in (1, 2, 3):
        expect(notebook[number].box.get_by_text("simulated", exact=False).last).to_be_visible()
    assert page.locator(".tetrate-sign-in").count() == 0


@pytest.mark.usefixtures("signed_out")
def test_run_all_goes_on_after_the_consent_page(opened: Opens) -> None:
    notebook = opened(*THREE)
    run_all(notebook)
    card = card_of(notebook[1])
    with notebook.page.context.expect_page() as opening:
        card.get_by_role("link", name="Sign in").click()
    expect(card.get_by_role("status")).to_have_text("Approve in the tab that opened", use_inner_text=True)
    expect(card.locator(".tetrate-clock")).to_have_text(re.compile(r"\d:\d\d left"))
    consent.press(opening.value, "Approve", says="You are signed in")
    all_answer(notebook)
    expect(notebook[1].box.get_by_text("Signed in to Sandbox. The key is in")).to_be_visible()


@pytest.mark.usefixtures("signed_out")
def test_the_status_item_tells_that_a_cell_waits(opened: Opens, page: Page) -> None:
    notebook = opened(*THREE[:2])
    notebook[0].run()
    status = page.locator(".tetrate-lab-status")
    expect(status).to_contain_text("not signed in")
    notebook[1].start()
    card = card_of(notebook[1])
    expect(status).to_contain_text("waiting for sign-in")
    card.get_by_role("button", name="Stop waiting").click()
    expect(status).to_contain_text("not signed in")


@pytest.mark.usefixtures("signed_out")
def test_a_cell_that_has_ended_waits_for_nobody_however_it_ended(opened: Opens, page: Page, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    card = "publish({'text/plain': 'card'}, display_id='card', waits=True)"  # and nothing says that it is over
    waits = f"while not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)"
    notebook = opened(LOAD, f"import pathlib, time\nfrom tetrate_jupyter.front_end import publish\n{card}\n{waits}")
    notebook[0].run()
    notebook[1].start()
    status = page.locator(".tetrate-lab-status")
    expect(status).to_contain_text("waiting for sign-in")
    gate.touch()
    notebook[1].wait()
    expect(status).to_contain_text("not signed in")


@pytest.mark.usefixtures("signed_out")
def test_run_all_shows_the_card_wherever_it_is_and_the_status_item_leads_back(opened: Opens, page: Page) -> None:
    notebook = opened(*THREE[:2], *(f"# {at}\n" + "\n" * 20 for at in range(8)))
    run_all(notebook)
    link = page.locator(".tetrate-sign-in").get_by_role("link", name="Sign in")
    expect(link).to_be_in_viewport()
    notebook[9].box.locator(".cm-content").click()  # somebody who writes has gone elsewhere
    expect(link).not_to_be_in_viewport()
    page.locator(".tetrate-lab-status").get_by_text("waiting for sign-in").click()
    expect(link).to_be_in_viewport()
    page.get_by_role("button", name="Stop waiting").click()
    expect(page.locator(".tetrate-lab-status")).to_contain_text("not signed in")


def test_notebook_7_brings_the_card_into_sight(opened: Opens, page: Page, notebook7: Lab) -> None:
    notebook = opened(*THREE[:2], *(f"# {at}\n" + "\n" * 20 for at in range(8)), on=notebook7)
    run_all(notebook)
    expect(page.locator(".tetrate-sign-in").get_by_role("link", name="Sign in")).to_be_in_viewport()
    page.get_by_role("button", name="Stop waiting").click()
    notebook[1].wait()


@pytest.mark.usefixtures("signed_out")
def test_who_writes_in_a_cell_is_left_there_while_another_waits(opened: Opens, page: Page, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    held = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)\n{LOAD}"
    notebook = opened(held, THREE[1], *(f"# {at}\n" + "\n" * 20 for at in range(8)))
    notebook[0].start()
    notebook[1].start()
    notebook[9].box.locator(".cm-content").click()
    page.keyboard.type("# mine")
    gate.touch()
    expect(page.locator(".tetrate-lab-status").get_by_text("waiting for sign-in")).to_be_visible()
    page.keyboard.type(" too")
    assert "# mine too" in notebook[9].source
    expect(page.locator(".tetrate-sign-in")).not_to_be_in_viewport()


@pytest.mark.usefixtures("signed_out")
def test_cancel_is_first_sight_again_and_stop_waiting_ends_the_run(opened: Opens) -> None:
    notebook = opened(*THREE)
    run_all(notebook)
    card = card_of(notebook[1])
    with notebook.page.context.expect_page():
        card.get_by_role("link", name="Sign in").click()
    card.get_by_role("button", name="Cancel").click()
    expect(card.get_by_role("link", name="Sign in")).to_be_visible()
    expect(card.get_by_text("Cancelled.")).to_be_visible()
    card.get_by_role("button", name="Stop waiting").click()
    stopped(notebook)


@pytest.mark.usefixtures("signed_out")
def test_an_interrupt_ends_the_waiting(opened: Opens) -> None:
    notebook = opened(*THREE)
    run_all(notebook)
    card_of(notebook[1])
    notebook.page.get_by_role("button", name="Interrupt the kernel").click()
    stopped(notebook)


def stopped(notebook: Notebook) -> None:
    """The cell has failed with what to do next, the ones behind it haven't run, and the kernel goes on."""
    notebook[1].wait()
    expect(notebook[1].failures).to_contain_text("run %tetrate_login")
    expect(notebook[2].box.locator(".jp-InputPrompt")).to_have_text("[ ]:", timeout=RAN)
    assert notebook.append("print(6 * 7)").run() == "42"


@pytest.mark.usefixtures("signed_out")
def test_a_key_and_a_pasted_address_get_through(opened: Opens, lab_router: SandboxRouter) -> None:
    notebook = opened(*THREE)
    run_all(notebook)
    card = card_of(notebook[1])
    address = card.get_by_role("link", name="Sign in").get_attribute("href")
    assert address is not None
    card.get_by_text("Use a key").click()
    key = card.get_by_label("Enter a key for")
    key.fill("sk-wrong-wrong-wrong")
    key.press("Enter")
    expect(card.get_by_role("alert")).to_contain_text("does not accept that key")
    paste(card.get_by_label("its address and paste it here"), lab_router.decide(address))
    all_answer(notebook)


def paste(field: Locator, text: str) -> None:
    field.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    field.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    field.focus()
    field.page.keyboard.press("Control+v")


@pytest.mark.usefixtures("signed_out")
def test_panels_show_the_card_and_are_alive_after_it(opened: Opens, lab_router: SandboxRouter) -> None:
    here = f"from tetrate_jupyter import session\nsession.connect({lab_router.base_url!r})"
    notebook = opened(AWAY, "%tetrate_chat", "%tetrate_models", "%tetrate_compare", here)
    for number in range(4):
        notebook[number].run()
    for number in (1, 2, 3):
        card = card_of(notebook[number])
        expect(notebook[number].box.locator(".tetrate-panel:not(.tetrate-sign-in)")).not_to_be_visible()
        assert axe.findings(card) == []
    card_of(notebook[2]).get_by_role("button", name="Try the sandbox").click()
    for number in (1, 2, 3):
        expect(notebook[number].box.locator(".tetrate-panel:not(.tetrate-sign-in)")).to_be_visible()
        expect(notebook[number].box.get_by_text("Simulated models")).to_be_visible()
    expect(notebook[2].box.locator(".tetrate-panel").get_by_text("claude-haiku-4-5").first).to_be_visible()
    box = notebook[1].box.get_by_role("textbox").last
    box.fill("Say hello")
    box.press("Enter")
    expect(notebook[1].box.locator(".tetrate-panel").get_by_text("first token").first).to_be_visible()

    line = notebook[1].box.locator(".tetrate-sign-in")
    line.get_by_role("button", name="Sign in").click()
    card = card_of(notebook[1])
    expect(card.get_by_role("status")).to_have_text("Sign in to gateway.invalid", use_inner_text=True)
    notebook[4].run()
    expect(card.locator(".tetrate-host")).to_have_text(lab_router.host)
    for number in (1, 2, 3):
        expect(card_of(notebook[number]).get_by_role("button", name="Try the sandbox")).not_to_be_visible()
    links = [card_of(notebook[number]).get_by_role("link", name="Sign in") for number in (1, 2, 3)]
    while len({each.get_attribute("href") for each in links}) > 1:  # all of them share one sign-in, once all are there
        notebook.page.wait_for_timeout(50)
    with notebook.page.context.expect_page() as opening:
        links[0].click()
    consent.press(opening.value, "Approve", says="You are signed in")
    for number in (1, 2, 3):
        expect(notebook[number].box.locator(".tetrate-panel:not(.tetrate-sign-in)")).to_be_visible()
        expect(notebook[number].box.locator(".tetrate-sign-in")).not_to_be_visible()
