"""`tetrate-jupyter demo` in a real browser: what a newcomer sees first is the notebook, and nothing over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.cli.test_demo import Demo, demo

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser


def test_the_first_page_is_the_notebook_without_outputs_and_without_questions(browser: Browser, tmp_path: Path) -> None:
    with demo(tmp_path / "here", {"HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}) as run:
        page = browser.new_page()
        page.goto(Demo(run, tmp_path / "here").lab)
        code = page.locator(".jp-Notebook .jp-CodeCell")
        expect(code.first).to_be_visible()
        expect(page.get_by_text("compare.ipynb")).to_be_visible()
        expect(page.get_by_text("README.md")).to_be_visible()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        page.wait_for_load_state("networkidle")
        assert page.locator(".jp-OutputArea-child").count() == 0
        expect(page.locator(".jp-toastContainer, .Toastify__toast")).to_have_count(0)
        page.close()
