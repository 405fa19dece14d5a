"""Signing in through the panel, in every way and with every failure, and by text with --wait."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, consent
from tests.browser.test_chat import without_kernel
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell, Notebook

LOAD = "%load_ext tetrate_jupyter"
BY_TEXT = (LOAD, "%tetrate_login --wait", "print(6 * 7)")
BUSY = "import time\nfrom tetrate_jupyter import session\nwhile session.account.find() is None:\n    time.sleep(0.05)"
MANAGER = "@jupyter-widgets/jupyterlab-manager/plugin"
CLIPPED = "e => getComputedStyle(e).clipPath === 'inset(50%)' && e.clientWidth <= 1"
NARROW, WIDE = {"width": 320, "height": 700}, {"width": 1600, "height": 900}


class Panel:
    """A sign-in panel as a person sees it."""

    def __init__(self, box: Locator) -> None:
        self.box = box
        self.link = box.locator(".tetrate-link").get_by_role("link")
        self.status = box.get_by_role("status")
        self.alert = box.get_by_role("alert")
        self.paste = box.get_by_label("its address and paste it here")
        self.key = box.get_by_label("Enter a key for")
        self.url = box.get_by_label("custom base URL")
        expect(self.status).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def open_others(self) -> None:
        self.box.get_by_text("Use a key").click()
        expect(self.key).to_be_visible()

    def type(self, field: Locator, text: str) -> None:
        field.fill(text)
        field.press("Enter")

    def address(self) -> str:
        return self.link.get_attribute("href") or ""

    def waits(self) -> None:
        expect(self.link).to_be_visible()
        expect(self.link).to_have_text("Sign in", use_inner_text=True)
        expect(self.status).to_have_text("Sign in to Sandbox", use_inner_text=True)

    def sign_out(self) -> None:
        self.box.get_by_label("More").click()
        self.button("Sign out").click()

    def is_signed_in(self, host: str) -> None:
        expect(self.status).to_have_text("Signed in to Sandbox", use_inner_text=True)
        expect(self.button("Sign out")).not_to_be_visible()
        expect(self.box.locator(".tetrate-host")).to_have_text(host)

    def shows_nothing_of(self, part: str) -> bool:
        """Whether a part takes no room and is not seen, though it has the focus."""
        clipped: bool = self.box.locator(part).evaluate(CLIPPED)
        return clipped

    def fits(self) -> None:
        """Wait until nothing in it is wider than it; JupyterLab lays itself out a moment after its window."""
        self.box.page.wait_for_function(
            "e => e.clientWidth > 100 && e.scrollWidth <= e.clientWidth + 1", arg=self.box.element_handle()
        )


def show(notebook: Notebook, cell: int = 1) -> Panel:
    notebook[0].run()
    notebook[cell].run()
    return Panel(notebook[cell].box.locator(".tetrate-panel"))


def stays(button: Locator) -> None:
    """Press the mouse on a button and let go beside it: it stays where it is under the pointer."""
    before = button.bounding_box()
    assert before is not None
    mouse = button.page.mouse
    mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    mouse.down()
    assert button.bounding_box() == before
    mouse.move(before["x"] - 20, before["y"] - 20)
    mouse.up()


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.innerText || document.activeElement.tagName")
    return found


@pytest.mark.usefixtures("signed_out")
def test_every_way_and_every_failure(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    notebook = opened(LOAD, "%tetrate_login", "%tetrate hello")
    panel = show(notebook)
    panel.waits()
    assert axe.findings(panel.box) == []
    consent.press(consent.follow(notebook[1]), "Deny", says="You can close this page")
    expect(panel.alert).to_contain_text("Next: press Sign in.")
    panel.waits()  # first sight again, with another link
    assert axe.findings(panel.box) == []
    stays(panel.box.get_by_text("Use a key"))
    panel.open_others()
    assert axe.findings(panel.box) == []
    page.keyboard.press("Control+b")  # the file browser goes
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        panel.fits()
    panel.type(panel.paste, "what is this")
    expect(panel.alert).to_contain_text("Next: paste the whole address")
    expect(panel.paste).to_be_focused()
    expect(panel.paste).to_have_value("")
    panel.type(panel.key, "sk-wrong-wrong-wrong")
    expect(panel.alert).to_contain_text("does not accept that key")
    expect(panel.key).to_have_value("")
    with page.context.expect_page() as opening:
        panel.link.click()
    expect(panel.status).to_have_text("Approve in the tab that opened", use_inner_text=True)
    opening.value.close()
    expect(panel.link).to_have_text("Open again", use_inner_text=True)
    assert axe.findings(panel.box) == []
    panel.button("Cancel").click()
    expect(panel.box.get_by_text("Cancelled.")).to_be_visible()
    panel.waits()
    assert axe.findings(panel.box) == []

    ended_at = lab_router.decide(panel.address())  # a browser on another machine: its way back leads nowhere
    assert panel.paste.get_attribute("type") == "password"
    panel.type(panel.paste, ended_at)
    panel.is_signed_in(lab_router.host)
    expect(panel.paste).to_be_focused()  # where one was is known, and nothing of it is left on the page
    assert panel.shows_nothing_of(".tetrate-others")
    panel.box.get_by_label("More").focus()
    expect(panel.key).not_to_be_visible()
    assert axe.findings(panel.box) == []
    notebook[2].run()

    panel.sign_out()
    expect(panel.box.get_by_text("the key was removed from")).to_be_visible()
    panel.waits()
    panel.type(panel.paste, ended_at.partition("code=")[2].partition("&")[0])
    expect(panel.alert).to_contain_text("press Sign in")  # the code was used
    panel.waits()
    panel.key.fill(lab_router.issue_key())
    panel.button("Use key").click()
    panel.is_signed_in(lab_router.host)


@pytest.mark.usefixtures("signed_out")
def test_a_custom_base_url_and_a_sign_in_while_a_cell_runs(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_login", BUSY)
    panel = show(notebook)
    panel.open_others()
    panel.url.fill("http://gateway.example")
    expect(panel.box.get_by_text("the key would travel unencrypted")).to_be_visible()
    expect(panel.button("Use")).to_be_disabled()
    panel.box.get_by_label("Accept plain http").check()
    expect(panel.button("Use")).to_be_enabled()
    assert axe.findings(panel.box) == []
    with SandboxRouter(speed=INSTANT) as other:
        panel.url.fill(other.base_url + "/models")
        expect(panel.box.get_by_text(f"use '{other.base_url}'")).to_be_visible()
        panel.url.fill(other.host)
        expect(panel.box.get_by_text(f"Will be used as {other.base_url}")).to_be_visible()
        panel.url.press("Enter")
        expect(panel.box.get_by_label(f"Enter a key for {other.host}")).to_be_visible()
        expect(panel.box.locator(".tetrate-host")).to_have_text(other.host)
        expect(panel.url).to_be_focused()
        panel.waits()
        notebook[2].start()
        expect(page.locator("#jp-main-statusbar").get_by_text("| Busy")).to_be_visible()
        consent.approve(notebook[1])
        panel.is_signed_in(other.host)
        notebook[2].wait()


@pytest.mark.usefixtures("signed_out")
def test_it_survives_what_a_page_and_a_kernel_go_through(opened: Opens, page: Page, lab: Lab) -> None:
    with lab.settings(MANAGER, {"saveState": True}):
        notebook = opened(LOAD, "%tetrate_login --timeout 60")
        panel = show(notebook)
        panel.waits()
        fallback = notebook[1].box.locator(".tetrate-fallback")
        expect(fallback).not_to_be_visible()
        notebook.save()
        notebook.open()  # the kernel lives on, and so does the wait
        panel = Panel(notebook[1].box.locator(".tetrate-panel"))
        panel.waits()
        expect(fallback).not_to_be_visible()

        notebook[1].box.locator(".jp-OutputArea-output").first.click(button="right", position={"x": 5, "y": 5})
        page.get_by_text("Create New View for Cell Output").click()
        other = Panel(page.locator(".jp-LinkedOutputView .tetrate-panel"))
        other.waits()
        key = sign_in_there(notebook[1], lab)
        for each in (panel, other):
            expect(each.status).to_have_text("Signed in to Sandbox", use_inner_text=True)
        notebook.save()
        saved = notebook.path.read_text()
        assert "PasswordModel" in saved  # the widgets' state is there
        assert key not in saved
        assert "code=" not in saved

        restart(page)
        gone = panel.box.get_by_text("The kernel was restarted or has ended.")
        expect(gone).to_be_visible()
        expect(panel.status).not_to_be_visible()
        assert axe.findings(panel.box) == []
        again = show(notebook)  # the key is there: one line, without a click
        expect(again.status).to_have_text("Signed in to Sandbox", use_inner_text=True)
    notebook.save()
    notebook.shut_down()
    without_kernel(notebook)  # and without the widgets' state, as JupyterLab saves it by default
    expect(fallback).to_be_visible()
    expect(fallback).to_contain_text("Was signed in to")
    expect(page.get_by_text("Error displaying widget")).not_to_be_visible()


def sign_in_there(cell: Cell, lab: Lab) -> str:
    """Approve; give the key that is kept now."""
    consent.approve(cell)
    (key_file,) = (lab.data / "tetrate-jupyter" / "keys").iterdir()
    return key_file.read_text().strip()


def restart(page: Page) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator('[data-command="kernelmenu:restart"]').click()
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()


@pytest.mark.usefixtures("signed_out")
def test_one_click_starts_again_and_success_leaves_one_line(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    notebook = opened(LOAD, "%tetrate_login")
    panel = show(notebook)
    consent.press(consent.follow(notebook[1]), "Deny", says="You can close this page")
    panel.waits()
    with page.context.expect_page() as opening:
        panel.link.click()
    consent.press(opening.value, "Approve", says="You are signed in")
    panel.is_signed_in(lab_router.host)
    assert focused(page) == "Sign in"  # the link that was pressed keeps the focus, and takes no room
    assert panel.shows_nothing_of(".tetrate-link")
    assert axe.findings(panel.box) == []
    expect(panel.box.locator(".tetrate-detail")).to_have_text(
        re.compile(r"^The key is in a private file; it reaches \d+ models\.$")
    )
    line = panel.box.bounding_box()
    assert line is not None
    assert line["height"] < 50  # one line, however long the path of the file
    about = panel.box.locator(".tetrate-about-key")
    expect(about).not_to_be_visible()
    panel.box.get_by_label("More").click()
    expect(about).to_contain_text(".key")
    assert axe.findings(panel.box) == []
    stays(panel.button("Sign out"))
    panel.button("Sign out").click()
    panel.waits()


@pytest.mark.usefixtures("signed_out")
def test_nobody_comes_and_the_panel_says_so(opened: Opens) -> None:
    panel = show(opened(LOAD, "%tetrate_login --timeout 1"))
    panel.waits()
    with panel.box.page.context.expect_page():
        panel.link.click()
    expect(panel.alert).to_contain_text("Nobody approved within 1 s. Next: press Sign in.")
    panel.waits()


def test_notebook_7_signs_in(opened: Opens, notebook7: Lab, lab_router: SandboxRouter) -> None:
    notebook = opened(LOAD, "%tetrate_login", "%tetrate hello", on=notebook7)
    panel = show(notebook)
    panel.waits()
    expect(notebook[1].box.locator(".tetrate-fallback")).not_to_be_visible()
    assert axe.findings(panel.box) == []
    consent.approve(notebook[1])
    panel.is_signed_in(lab_router.host)
    assert "total" in notebook[2].run()
    panel.sign_out()
    panel.waits()


@pytest.mark.usefixtures("signed_out")
def test_by_text_the_address_the_browser_ended_at_can_be_pasted(opened: Opens, lab_router: SandboxRouter) -> None:
    notebook = opened(*BY_TEXT)
    notebook[0].run()
    notebook[1].start()
    address = consent.link(notebook[1]).get_attribute("href")
    assert address is not None
    ended_at = lab_router.decide(address)
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
    assert notebook[2].run() == "42"


@pytest.mark.usefixtures("signed_out")
def test_by_text_a_second_interrupt_stops_and_the_notebook_goes_on(opened: Opens) -> None:
    notebook = opened(*BY_TEXT)
    notebook[0].run()
    notebook[1].start()
    consent.link(notebook[1])
    notebook.interrupt()
    expect(notebook[1].stdin).to_be_visible()
    notebook.page.get_by_role("button", name="Interrupt the kernel").click()
    notebook[1].wait()
    told = notebook[1].failures.inner_text()
    assert told.startswith("LoginCancelledError")
    assert "Traceback" not in told
    assert notebook[2].run() == "42"
