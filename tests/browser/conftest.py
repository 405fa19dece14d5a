"""Fixtures of the browser tests: one Chromium and one JupyterLab on one sandbox router; a page for each test."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser import chromium
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook, write
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 30_000  # milliseconds for anything on a page; only a failing test waits that long
REPORT = pytest.StashKey[pytest.TestReport]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = os.path.dirname(__file__)  # noqa: PTH120 - compared as text
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(240))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[REPORT] = report
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # not longer than this folder's tests: Playwright keeps an event loop running in the main thread
    with sync_playwright() as playwright:
        path = chromium.find(playwright)
        launched = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS, timeout=60_000)
        expect.set_options(timeout=PATIENCE)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def lab_router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


@pytest.fixture(scope="package")
def lab(lab_router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab") / "home", lab_router.environment) as running:
        yield running


@pytest.fixture(scope="package")
def notebook7_server(lab_router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("notebook7") / "home"
    with Lab(home, lab_router.environment, "notebook") as running:
        yield running


@pytest.fixture
def notebook7(notebook7_server: Lab) -> Lab:
    """Notebook 7 on the same router, started when the first test asks for it; signed out, with a home of its own.

    `opened(..., on=notebook7)` opens a notebook in it. Its pages have no status bar, side bars or other tabs.
    """
    shutil.rmtree(notebook7_server.data / "tetrate-jupyter", ignore_errors=True)
    return notebook7_server


@pytest.fixture
def signed_out(lab: Lab) -> None:
    shutil.rmtree(lab.data / "tetrate-jupyter", ignore_errors=True)


@pytest.fixture
def signed_in(lab: Lab, lab_router: SandboxRouter, signed_out: None) -> None:
    store = KeyStore(lab.data / "tetrate-jupyter")
    store.save(Secret(lab_router.issue_key(), host=lab_router.host), store="file")


@pytest.fixture
def context(browser: Browser, lab: Lab) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", color_scheme="light")
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()
    lab.end_kernels()
    lab.begin_settings()


@pytest.fixture
def page(context: BrowserContext, lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """A page; an error in its scripts fails the test, and a failed test leaves pictures and the log in `tmp_path`."""
    made = context.new_page()
    errors: list[str] = []
    made.on(
        "pageerror",
        lambda error: None if _of_notebook_7(made, error.message) else errors.append(error.stack or str(error)),
    )
    yield made
    report = request.node.stash.get(REPORT, None)
    if report is None or report.failed or errors:
        for number, each in enumerate(context.pages):
            each.screenshot(path=tmp_path / f"page-{number}.png")
        shutil.copy(lab.log, tmp_path / "jupyterlab.log")
        print(f"Pictures and the log of JupyterLab: {tmp_path}")
    assert errors == []


def _of_notebook_7(page: Page, message: str) -> bool:
    """Whether this is what Notebook 7.6 says on each of its pages, also on those without our code."""
    return (
        "/notebooks/" in page.url or page.url.endswith("/tree")
    ) and message == "Cannot read properties of undefined (reading 'schema')"


class Opens(Protocol):
    def __call__(self, *sources: str, copy_of: Path | None = None, on: Lab | None = None) -> Notebook: ...


@pytest.fixture
def opened(page: Page, lab: Lab, request: pytest.FixtureRequest) -> Opens:
    """Open a notebook of the given cells, or a copy of one, in JupyterLab (or `on` another server)."""

    def make(*sources: str, copy_of: Path | None = None, on: Lab | None = None) -> Notebook:
        server = on or lab
        path = server.folder / (re.sub(r"\W+", "-", request.node.name).strip("-") + ".ipynb")
        if copy_of is None:
            write(path, sources)
        else:
            shutil.copy(copy_of, path)
        notebook = Notebook(page, path, server.address(path.name))
        notebook.open()
        return notebook

    return make
