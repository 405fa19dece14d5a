"""Signing in, denied, again and by pasting, in a real JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import consent

if TYPE_CHECKING:
    from tests.browser.conftest import Opens
    from tetrate_jupyter.sandbox import SandboxRouter

CELLS = ("%load_ext tetrate_jupyter", "%tetrate_login", "%tetrate_login", "print(6 * 7)")


@pytest.mark.usefixtures("signed_out")
def test_a_denied_sign_in_says_so_and_the_next_one_succeeds_at_once(opened: Opens) -> None:
    notebook = opened(*CELLS)
    notebook[0].run()

    notebook[1].start()
    consent.press(consent.follow(notebook[1]), "Deny", says="You can close this page")
    notebook[1].wait()
    told = notebook[1].failures.inner_text()
    assert told.startswith("LoginDeniedError")
    assert "%tetrate_login" in told
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 3
    expect(notebook[1].stdin).to_have_count(0)

    notebook[2].start()
    consent.press(consent.follow(notebook[2]), "Approve", says="You can close this page")
    notebook[2].wait()
    assert notebook[2].failures.count() == 0
    assert "Signed in to" in notebook[2].text
    expect(notebook[2].stdin).to_have_count(0)
    assert notebook[3].run() == "42"


@pytest.mark.usefixtures("signed_out")
def test_the_address_the_browser_ended_at_can_be_pasted(opened: Opens, lab_router: SandboxRouter) -> None:
    notebook = opened(*CELLS)
    notebook[0].run()
    notebook[1].start()
    address = consent.link(notebook[1]).get_attribute("href")
    assert address is not None
    ended_at = lab_router.decide(address)  # a browser on another machine: its way back leads nowhere
    assert "stop the cell" in notebook[1].text
    notebook.interrupt()
    box = notebook[1].stdin
    expect(box).to_be_visible()
    assert box.get_attribute("type") == "password"
    box.fill(ended_at)
    box.press("Enter")
    notebook[1].wait()
    assert notebook[1].failures.count() == 0
    assert "Signed in to" in notebook[1].text
    assert ended_at not in notebook.page.content()
    assert notebook[3].run() == "42"


@pytest.mark.usefixtures("signed_out")
def test_enter_alone_stops_and_the_notebook_goes_on(opened: Opens) -> None:
    notebook = opened(*CELLS)
    notebook[0].run()
    notebook[1].start()
    consent.link(notebook[1])
    notebook.interrupt()
    notebook[1].stdin.press("Enter")
    notebook[1].wait()
    assert notebook[1].failures.inner_text().startswith("LoginCancelledError")
    assert notebook[3].run() == "42"


@pytest.mark.usefixtures("signed_out")
def test_a_second_interrupt_stops_and_the_notebook_goes_on(opened: Opens) -> None:
    notebook = opened(*CELLS)
    notebook[0].run()
    notebook[1].start()
    consent.link(notebook[1])
    notebook.interrupt()
    expect(notebook[1].stdin).to_be_visible()
    notebook.page.get_by_role("button", name="Interrupt the kernel").click()
    notebook[1].wait()
    assert notebook[1].failures.inner_text().startswith("LoginCancelledError")
    assert notebook[3].run() == "42"
