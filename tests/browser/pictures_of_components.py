"""The pictures of docs/components.md, from a real JupyterLab: `python -m tests.browser.pictures_of_components`.

Each scene is taken in the light and the dark theme and with the colours of a system's high contrast. Scenes (`cells`,
`chat`, `compare`, `models`, `sign_in`) and modes (`light`, `dark`, `contrast`) can be named.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.browser import chromium
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook, write
from tests.browser.test_chat import Chat
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 40
WIDTH = 1000
MOST = 600_000  # bytes of all pictures
MODES = {
    "light": ("JupyterLab Light", {}),
    "dark": ("JupyterLab Dark", {}),
    "contrast": ("JupyterLab Dark", {"forced_colors": "active", "color_scheme": "dark"}),
}
LOAD = "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session"
CODE = "Write a Python function that tells whether a number is prime."
LONG = "Write an essay about the sea."
STEADY = {"after_chunks": 30, "times": None}  # writes a little and then goes on "writing"


@contextmanager
def opened(browser: Browser, lab: Lab, mode: str, name: str, *cells: str) -> Iterator[Notebook]:
    """A notebook in a page of its own, its first cell run."""
    theme, colours = MODES[mode]
    page = browser.new_page(viewport={"width": WIDTH, "height": 1600}, reduced_motion="reduce", **colours)
    with lab.theme(theme):
        path = write(lab.folder / f"{name}-{mode}.ipynb", [LOAD, *cells])
        notebook = Notebook(page, path, lab.address(path.name))
        notebook.open()
        page.keyboard.press("Control+b")  # the file browser goes
        notebook[0].run()
        yield notebook
    page.close()


def keep(*parts: Locator, name: str, hovered: bool = False) -> None:
    """Write a picture of these parts below each other, in few colours; `hovered`: with what shows under the mouse."""
    taken = []
    for part in parts:
        if hovered:
            part.hover()
        taken.append(Image.open(io.BytesIO(part.screenshot())).convert("RGB"))
    size = max(each.width for each in taken), sum(each.height for each in taken)
    whole = Image.new("RGB", size, taken[0].getpixel((taken[0].width - 1, taken[0].height - 1)))
    top = 0
    for each in taken:
        whole.paste(each, (0, top))
        top += each.height
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.png"
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes, {whole.width} x {whole.height}", flush=True)


def cells(browser: Browser, lab: Lab, router: SandboxRouter, mode: str) -> None:
    """Outputs without a widget: done, from the kept answers, cut short, refused."""
    hello = "%%tetrate --cache --new\nSay hello."
    faults = {3: "length", 4: "content-filter"}
    sources = [f"%%tetrate\n{CODE}", hello, hello, *["%%tetrate\nSay hello."] * 2]
    with opened(browser, lab, mode, "cells", *sources) as notebook:
        for number, cell in enumerate(notebook.cells[1:]):
            if number in faults:
                router.inject(Fault(faults[number]))
            cell.start()
            cell.wait()
        keep(*(notebook[number].outputs for number in (1, 3, 4, 5)), name=f"cells-{mode}")


def chat(browser: Browser, lab: Lab, router: SandboxRouter, mode: str) -> None:
    """Done, stopped, to be asked again later, writing."""
    with opened(browser, lab, mode, "chat", "session.chat()") as notebook:
        notebook[1].run()
        shown = Chat(notebook[1].box.locator(".tetrate-panel"))
        shown.asked(CODE)
        router.inject(Fault("stream-stall", **STEADY))
        stopped = shown.ask(LONG)
        expect(stopped.locator(":scope > .tetrate-body")).to_contain_text(re.compile(r"\w{3}"))
        shown.button("Stop").click()
        expect(stopped).to_have_attribute("aria-busy", "false")
        router.clear_faults()
        router.inject(Fault("rate-limit", retry_after=900))
        failed = shown.asked("Say hello.")
        expect(failed.get_by_role("button", name=re.compile("^Retry in"))).to_be_visible()
        router.inject(Fault("stream-stall", **STEADY))
        expect(shown.ask(LONG).locator(":scope > .tetrate-body")).to_contain_text(re.compile(r"\w{3}"))
        keep(*shown.messages.all(), shown.box.locator(".tetrate-composer"), name=f"chat-{mode}", hovered=True)
        router.clear_faults()
        shown.button("Stop").click()


def compare(browser: Browser, lab: Lab, router: SandboxRouter, mode: str) -> None:
    """While it runs: done, writing, stopped, waiting for the router, failed. And when it is over, with votes."""
    done, writing, stopped, waiting = "claude-haiku-4-5", "gpt-6-luna", "claude-sonnet-5", "gemini-3.8-flash"
    failed = "deepinfra/deepseek-ai/DeepSeek-V3.2"
    models = f"{done},{writing},{stopped},{waiting},{failed}"
    router.inject(Fault("context-overflow", model=failed))
    router.inject(Fault("stream-stall", model=writing, **STEADY))
    router.inject(Fault("stream-stall", model=stopped, **STEADY))
    router.inject(Fault("rate-limit", model=waiting, retry_after=59, times=None))
    asked = (f"%%tetrate_compare -m {models}\n{CODE}", f"%%tetrate_compare -m {done},{waiting}\n{CODE}")
    with opened(browser, lab, mode, "compare", *asked) as notebook:
        notebook[1].run()
        panel = notebook[1].box.locator(".tetrate-panel")
        board = panel.get_by_role("table", name="Leaderboard")
        expect(board).to_contain_text("again in")
        board.get_by_role("button", name=f"{stopped}: show the answer").click()
        column = panel.get_by_role("listitem", name=stopped, exact=True)
        column.get_by_role("button", name=f"Stop: {stopped}").click()
        expect(column).to_have_attribute("aria-busy", "false")
        board.get_by_role("button", name=f"{writing}: show the answer").click()
        keep(panel, name=f"compare-{mode}")
        panel.get_by_role("button", name="Stop", exact=True).click()
        router.clear_faults()
        notebook[2].run()
        panel = notebook[2].box.locator(".tetrate-panel")
        expect(panel.get_by_role("button", name="Run again")).to_be_visible()
        panel.get_by_role("button", name=f"Best: {done}").click()
        panel.get_by_role("button", name=f"Use {done} from now on").last.click()
        expect(panel).to_contain_text("is in use")
        keep(panel, name=f"compared-{mode}")


def models(browser: Browser, lab: Lab, _: SandboxRouter, mode: str) -> None:
    """In use, starred, ticked, under the mouse; filters as buttons."""
    with opened(browser, lab, mode, "models", "%tetrate_models images 200k --sort price") as notebook:
        notebook[1].run()
        panel = notebook[1].box.locator(".tetrate-panel")
        rows = panel.locator(".tetrate-option")
        expect(rows.first).to_be_visible()
        rows.nth(1).get_by_role("button", name=re.compile("^Star ")).click()
        rows.nth(2).get_by_role("checkbox").check()
        rows.nth(3).get_by_role("checkbox").check()
        rows.nth(0).hover()
        rows.nth(0).get_by_role("button", name=re.compile("^Use ")).click()
        expect(panel.locator("[aria-selected=true]").first).to_be_visible()
        rows.nth(4).hover()
        keep(panel, name=f"models-{mode}")


def sign_in(browser: Browser, lab: Lab, _: SandboxRouter, mode: str) -> None:
    """Waiting; with the other ways and a problem; signed in."""
    with opened(browser, lab, mode, "sign-in", *["%tetrate_login --again"] * 2, "%tetrate_login") as notebook:
        panels = []
        for cell in notebook.cells[1:]:
            cell.run()
            panels.append(cell.box.locator(".tetrate-panel"))
        for panel in panels[:2]:
            expect(panel.get_by_role("link", name="Sign in")).to_be_visible()
        panels[1].get_by_text("Use a key").click()
        panels[1].get_by_label("Use a custom base URL").fill("http://gateway.example")
        expect(panels[1].get_by_text("plain http").first).to_be_visible()
        expect(panels[2].get_by_role("status")).to_contain_text("Signed in")
        keep(*panels, name=f"sign-in-{mode}")


SCENES: dict[str, Callable[[Browser, Lab, SandboxRouter, str], None]] = {
    "cells": cells,
    "chat": chat,
    "compare": compare,
    "models": models,
    "sign_in": sign_in,
}


def main() -> None:
    """Take all scenes in each mode, or those of either that are named. Raises `SystemExit` where they are too large."""
    named = sys.argv[1:]
    with SandboxRouter() as router, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(playwright), args=chromium.ARGUMENTS)
        expect.set_options(timeout=60_000)
        for mode in [each for each in MODES if each in named] or MODES:
            with tempfile.TemporaryDirectory() as folder, Lab(Path(folder) / "home", router.environment) as lab:
                store = KeyStore(lab.data / "tetrate-jupyter")
                store.save(Secret(router.issue_key(), host=router.host), store="file")
                for name in [each for each in SCENES if each in named] or SCENES:
                    SCENES[name](browser, lab, router, mode)
        browser.close()
    size = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    if size > MOST:
        raise SystemExit(f"The pictures have {size:,} bytes, more than {MOST:,}.")


if __name__ == "__main__":
    main()
