"""A notebook that is open in a real JupyterLab page, used with mouse and keyboard and read by what can be seen."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nbformat
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Locator, Page

READY = 90_000  # milliseconds for the page and the kernel's first start
RAN = 60_000  # milliseconds for a cell
DONE = re.compile(r"^\[\d+\]:$")  # a cell's prompt while it runs: [*]:
FAILED = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
LOGIN_CELL = "%tetrate_login"
# It has no status bar; its note "Connecting" has come and gone where the kernel is there.
_NOTEBOOK_7_IDLE = "body:has(.jp-NotebookKernelStatus-fade:empty) .jp-Notebook-ExecutionIndicator[data-status=idle]"


def write(path: Path, sources: Sequence[str]) -> Path:
    """Make a notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(made, path)
    return path


@dataclass(frozen=True)
class Cell:
    """One cell on the page."""

    box: Locator
    page: Page

    @property
    def outputs(self) -> Locator:
        """What it shows."""
        return self.box.locator(".jp-OutputArea-output")

    @property
    def failures(self) -> Locator:
        """Its tracebacks and what went to stderr."""
        return self.box.locator(FAILED)

    @property
    def stdin(self) -> Locator:
        """The box in which the kernel waits for something to be typed."""
        return self.box.locator("input.jp-Stdin-input")

    @property
    def text(self) -> str:
        """All that it shows, as text."""
        return "\n".join(self.outputs.all_inner_texts()).strip()

    @property
    def source(self) -> str:
        """What is written in it."""
        return "\n".join(self.box.locator(".cm-line").all_text_contents())  # also of a cell that is out of sight

    def reads(self, source: str) -> None:
        """Wait until this is what is written in it: an editor draws a change in several steps."""
        until = time.monotonic() + RAN / 1000
        while self.source != source and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        assert self.source == source

    def start(self) -> None:
        """Click into it and press Shift-Enter; click again, as a person would, where the page was still being made."""
        for patience in (3_000, 3_000, 30_000):
            self.box.locator(".cm-content").click()
            try:
                expect(self.box.and_(self.page.locator(".jp-mod-active"))).to_have_count(1, timeout=patience)
            except AssertionError:
                if patience == 30_000:
                    raise
            else:
                break
        self.page.keyboard.press("Shift+Enter")

    def wait(self) -> None:
        """Wait until it has run."""
        expect(self.box.locator(".jp-InputPrompt")).to_have_text(DONE, timeout=RAN)

    def run(self) -> str:
        """Run it to its end and give what it shows; fails where it failed."""
        self.start()
        self.wait()
        assert self.failures.count() == 0, self.text
        return self.text


class Notebook:
    """An open notebook; `path` is its file."""

    def __init__(self, page: Page, path: Path, address: str) -> None:
        self.page = page
        self.path = path
        self._address = address

    def open(self) -> None:
        """Load the page (again) and wait for notebook and kernel."""
        self.page.goto(self._address, wait_until="domcontentloaded")
        self.wait_ready()

    def open_without_kernel(self) -> None:
        """Load the page and choose no kernel, as it offers where the notebook's is missing."""
        self.page.goto(self._address, wait_until="domcontentloaded")
        self.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click(timeout=READY)
        expect(self.page.locator(".jp-NotebookPanel-toolbar").get_by_text("No Kernel")).to_be_visible()
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()

    def wait_ready(self) -> None:
        """Wait until the notebook is there and its kernel is idle."""
        # the status bar, not the toolbar's circle: that one is idle before there is a kernel
        bar = self.page.locator("#jp-main-statusbar").get_by_text("| Idle")
        expect(bar.or_(self.page.locator(_NOTEBOOK_7_IDLE))).to_be_attached(timeout=READY)
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=READY)

    @property
    def cells(self) -> list[Cell]:
        """All cells, in order."""
        return [self[index] for index in range(self.page.locator(".jp-Notebook .jp-Cell").count())]

    @property
    def code_cells(self) -> list[Cell]:
        """The cells that can run and hold something, in order."""
        found = [cell for cell in self.cells if cell.box.locator(".jp-InputPrompt").count()]
        return [cell for cell in found if "jp-CodeCell" in (cell.box.get_attribute("class") or "")]

    def __getitem__(self, index: int) -> Cell:
        return Cell(self.page.locator(".jp-Notebook .jp-Cell").nth(index), self.page)

    def append(self, source: str) -> Cell:
        """Make a new last cell, with the keyboard."""
        boxes = self.page.locator(".jp-Notebook .jp-Cell")
        count = boxes.count()
        boxes.last.locator(".jp-InputPrompt").first.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        expect(boxes).to_have_count(count + 1)
        boxes.nth(count).locator(".cm-content").click()
        self.page.keyboard.insert_text(source)
        return self[count]

    def interrupt(self) -> None:
        """Press I twice, as JupyterLab's menu says."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("i")
        self.page.keyboard.press("i")

    def save(self) -> None:
        """Press Ctrl-S and wait until the tab is clean."""
        self.page.keyboard.press("Escape")
        with self.page.expect_response(
            lambda r: r.request.method == "PUT" and f"/api/contents/{self.path.name}" in r.url
        ) as saved:
            self.page.keyboard.press("Control+s")
        assert saved.value.ok

    def shut_down(self) -> None:
        """End the kernel through the menu and wait until there is none."""
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
        expect(self.page.locator(".jp-NotebookPanel-toolbar").get_by_text("No Kernel")).to_be_visible()
