"""What a person does with the link that %tetrate_login shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.notebook import Cell


def link(cell: Cell) -> Locator:
    """The link to the consent page, once it shows."""
    found = cell.outputs.locator("a[href*='code_challenge']")  # another leads to where a key is revoked
    expect(found).to_be_visible()
    return found


def follow(cell: Cell) -> Page:
    """Click the link; give the page that opens."""
    with cell.page.context.expect_page() as opening:
        link(cell).click()
    return opening.value


def press(consent: Page, button: str, *, says: str) -> None:
    """Press a button of the consent page and wait for the page at the end, with these words on it."""
    consent.get_by_role("button", name=button, exact=True).click()
    expect(consent.get_by_text(says)).to_be_visible()


def approve(cell: Cell) -> Locator:
    """Approve through the sign-in panel of `cell`; give the panel, which says so."""
    page = follow(cell)
    press(page, "Approve", says="You are signed in")
    expect(page.get_by_text("You can close this page")).to_be_visible()
    page.close()
    panel = cell.box.locator(".tetrate-panel")
    expect(panel.get_by_role("status")).to_contain_text("Signed in to", use_inner_text=True)
    return panel
