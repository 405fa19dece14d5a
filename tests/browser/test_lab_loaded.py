"""That the package is loaded is said while other cells run: Run All puts all of them before what the page asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_lab_extension import LOAD, status
from tests.browser.test_sign_in_where_needed import run_all

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Opens

WAIT = "import pathlib, time\nwhile not pathlib.Path('go-on').exists(): time.sleep(0.05)"
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.mark.parametrize("first", [LOAD, f"# a cell that takes its time\n{LOAD}\nimport time\ntime.sleep(1)"])
def test_run_all_is_followed_by_what_stands_in_the_status_bar(opened: Opens, page: Page, first: str) -> None:
    notebook = opened(first, WAIT, "%tetrate_status")
    for _ in range(2):  # a kernel that is new, and one that had it loaded
        run_all(notebook)
        try:
            expect(status(page)).to_contain_text("$0")
            expect(notebook[1].box.locator(".jp-InputPrompt")).to_have_text("[*]:")
        finally:
            notebook.path.with_name("go-on").touch()
        notebook[2].wait()
        notebook.path.with_name("go-on").unlink()
        expect(status(page)).to_contain_text("$0")
