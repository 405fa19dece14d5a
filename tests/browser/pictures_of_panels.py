"""The README's pictures of the panels, from a real JupyterLab: `python -m tests.browser.pictures_of_panels`."""

from __future__ import annotations

import io
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.browser import chromium
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook, write
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FloatRect, Locator, Page

FOLDER = Path(__file__).parents[2] / "notebooks" / "pictures"
COLOURS = 64
WIDE, NARROW = 1000, 420
LOAD = """%load_ext tetrate_jupyter
import pandas as pd

sales = pd.DataFrame({"region": ["North", "South", "East", "West"], "sold": [310, 420, 275, 398]})"""
QUESTION = "Which region sold the most? {sales}"
RACERS = "claude-sonnet-5,gpt-6-luna,gemini-3.8-flash"
SHOW = "Write a Python function that tells whether a number is prime."


@contextmanager
def opened(browser: Browser, lab: Lab, theme: str, width: int, name: str, *cells: str) -> Iterator[Notebook]:
    """A notebook in a page of its own, its first cell run."""
    page = browser.new_page(
        viewport={"width": width, "height": 1100 if width > NARROW else 1600}, device_scale_factor=1.25
    )
    with lab.theme(theme):
        path = write(lab.folder / f"{name}.ipynb", [LOAD, *cells])
        notebook = Notebook(page, path, lab.address(path.name))
        notebook.open()
        page.keyboard.press("Control+b")  # the file browser goes
        for cell in notebook.cells:
            cell.run()
        yield notebook
    page.close()


def keep(panel: Locator, name: str) -> None:
    """Write the picture of a panel, in few colours."""
    picture = Image.open(io.BytesIO(panel.screenshot())).convert("RGB").quantize(COLOURS)
    path = FOLDER / f"{name}.png"
    picture.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")


def chat(browser: Browser, lab: Lab, router: SandboxRouter) -> None:
    """Done and light, streaming and dark, narrow and failed."""
    for theme, width, name in (
        ("JupyterLab Light", WIDE, "chat-light"),
        ("JupyterLab Dark", WIDE, "chat-dark"),
        ("JupyterLab Light", NARROW, "chat-narrow"),
    ):
        with opened(browser, lab, theme, width, name, "%tetrate_chat") as notebook:
            panel = notebook[1].box.locator(".tetrate-panel")
            ask, messages = panel.get_by_label("Ask", exact=True), panel.locator(".tetrate-message")
            questions = [QUESTION, SHOW] if name != "chat-narrow" else [QUESTION, "Say hello."]
            for number, question in enumerate(questions, 1):
                if question == "Say hello.":
                    router.inject(Fault("overloaded", times=5))
                ask.fill(question)
                ask.press("Control+Enter")
                expect(messages).to_have_count(number)
                if name == "chat-dark" and question == SHOW:
                    expect(messages.last.locator(".tetrate-code")).to_contain_text("return")
                    break
                expect(messages.last).to_have_attribute("aria-busy", "false")
            keep(panel, name)
            router.clear_faults()


def picker(browser: Browser, lab: Lab) -> None:
    """A search in both themes, and narrow."""
    for theme, width, name in (
        ("JupyterLab Light", WIDE, "picker-light"),
        ("JupyterLab Dark", WIDE, "picker-dark"),
        ("JupyterLab Light", NARROW, "picker-narrow"),
    ):
        with opened(browser, lab, theme, width, name, "%tetrate_models images 200k --sort price") as notebook:
            panel = notebook[1].box.locator(".tetrate-panel")
            words = panel.get_by_role("combobox", name="Search models")
            expect(panel.locator(".tetrate-option").first).to_be_visible()
            words.press("ArrowDown")
            words.press("ArrowDown")
            words.press("Enter")
            expect(panel.locator("[aria-selected=true]")).to_be_visible()
            keep(panel, name)


def sign_in(browser: Browser, lab: Lab) -> None:
    """Waiting in both themes; narrow with its other ways and an error."""
    for theme, width, name in (
        ("JupyterLab Light", WIDE, "sign-in-light"),
        ("JupyterLab Dark", WIDE, "sign-in-dark"),
        ("JupyterLab Light", NARROW, "sign-in-narrow"),
    ):
        with opened(browser, lab, theme, width, name, "%tetrate_login --again") as notebook:
            panel = notebook[1].box.locator(".tetrate-panel")
            expect(panel.get_by_role("link", name="Sign in")).to_be_visible()
            if name == "sign-in-narrow":
                panel.get_by_text("Use a key").click()
                address = panel.get_by_label("Use a custom base URL")
                address.fill("http://gateway.example")
                expect(panel.get_by_text("plain http").first).to_be_visible()
            keep(panel, name)


def compare(browser: Browser, lab: Lab, router: SandboxRouter) -> None:
    """Done and light, writing and dark, a failure and narrow, several prompts."""
    three = "claude-haiku-4-5,gpt-6-luna,gemini-3.8-flash"
    for theme, width, name, line, prompt in (
        ("JupyterLab Light", 1200, "compare-light", f"-m {three}", SHOW),
        ("JupyterLab Dark", 1200, "compare-dark", f"-m {three}", SHOW),
        ("JupyterLab Light", NARROW, "compare-narrow", "-m claude-haiku-4-5,gpt-6-luna", "Say hello."),
        ("JupyterLab Light", 1200, "compare-rows", f"-m {three} --repeats 3", "What is 17 * 23?"),
    ):
        if name == "compare-narrow":
            router.inject(Fault("no-credits", model="gpt-6-luna"))
        with opened(browser, lab, theme, width, name, f"%%tetrate_compare {line}\n{prompt}") as notebook:
            panel = notebook[1].box.locator(".tetrate-panel")
            columns = panel.locator(".tetrate-column")
            expect(columns.first).to_be_visible()
            if name == "compare-dark":
                expect(columns.first.locator(":scope > .tetrate-body")).to_contain_text("return")
            else:
                expect(panel.get_by_role("button", name="Run again")).to_be_visible()
            if name == "compare-rows":
                panel.get_by_role("button", name="All prompts").click()
                panel.locator(".tetrate-prompt").click()
                expect(panel.locator(".tetrate-promptrow > .tetrate-body")).to_be_visible()
            keep(panel, name)
            router.clear_faults()


def race(browser: Browser, lab: Lab) -> None:
    """The README's moving picture: three models are asked from a cell, one is chosen; as long as it took."""
    page = browser.new_page(viewport={"width": 1200, "height": 1100})
    with lab.theme("JupyterLab Light"):
        path = write(lab.folder / "race.ipynb", ["%load_ext tetrate_jupyter", f"%%tetrate_compare -m {RACERS}\n{SHOW}"])
        notebook = Notebook(page, path, lab.address(path.name))
        notebook.open()
        page.keyboard.press("Control+b")  # the file browser goes
        notebook[0].run()
        cell, place = notebook[1].box, notebook[0].box.bounding_box()
        assert place is not None
        frames = Frames(page, {"x": place["x"], "y": place["y"], "width": place["width"], "height": 800})
        cell.locator(".cm-content").click()
        frames.take(seconds=1)
        page.keyboard.press("Control+Enter")  # runs it where it stands
        columns = cell.locator(".tetrate-column")
        while columns.count() < 3 or cell.locator(".tetrate-column[aria-busy=true]").count():
            frames.take()
        frames.take(seconds=1.5)
        cell.get_by_role("button", name="Best").last.click()
        frames.take(seconds=1)
        cell.get_by_role("button", name=re.compile("^Use .* from now on$")).last.click()
        expect(cell.locator(".tetrate-chosen")).to_contain_text("is in use")
        frames.take(seconds=4)
        frames.keep("race")
    page.close()


class Frames:
    """The frames of a moving picture of one place of a page, each shown for as long as it stood there."""

    def __init__(self, page: Page, clip: FloatRect) -> None:
        self._page, self._clip = page, clip
        self._frames: list[Image.Image] = []
        self._taken: list[float] = []
        self._held: dict[int, float] = {}

    def take(self, seconds: float = 0) -> None:
        """Take the next frame; `seconds`: how long it is shown, from 0 until the next is taken."""
        self._taken.append(time.monotonic())
        self._held[len(self._frames)] = seconds
        self._frames.append(Image.open(io.BytesIO(self._page.screenshot(clip=self._clip))).convert("RGB"))

    def keep(self, name: str) -> None:
        """Write them in one palette, which the last frame has all colours of."""
        palette = self._frames[-1].quantize(COLOURS)
        frames = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in self._frames]
        ends = [*self._taken[1:], self._taken[-1]]
        durations = [
            round(1000 * (self._held[n] or end - start))
            for n, (start, end) in enumerate(zip(self._taken, ends, strict=True))
        ]
        path = FOLDER / f"{name}.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)
        print(f"{path}: {path.stat().st_size:,} bytes, {len(frames)} frames, {sum(durations) / 1000:.1f} s")


def main() -> None:
    """Take them all, or those that are named: `chat`, `picker`, `sign_in`, `compare`, `race`."""
    wanted = sys.argv[1:] or ["chat", "picker", "sign_in", "compare", "race"]
    with (
        tempfile.TemporaryDirectory() as folder,
        SandboxRouter() as router,
        Lab(Path(folder) / "home", router.environment) as lab,
        sync_playwright() as playwright,
    ):
        KeyStore(lab.data / "tetrate-jupyter").save(Secret(router.issue_key(), host=router.host), store="file")
        browser = playwright.chromium.launch(executable_path=chromium.find(playwright), args=chromium.ARGUMENTS)
        expect.set_options(timeout=30_000)
        takes = {
            "chat": lambda: chat(browser, lab, router),
            "picker": lambda: picker(browser, lab),
            "sign_in": lambda: sign_in(browser, lab),
            "compare": lambda: compare(browser, lab, router),
            "race": lambda: race(browser, lab),
        }
        for name in wanted:
            takes[name]()
        browser.close()


if __name__ == "__main__":
    main()
