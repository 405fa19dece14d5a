"""The README's picture, from a real JupyterLab on the sandbox: `python -m tests.browser.picture`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.browser import chromium, consent
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook, write
from tetrate_jupyter.sandbox import SandboxRouter

PICTURE = Path(__file__).parents[2] / "notebooks" / "pictures" / "quickstart.png"
WIDTH, HEIGHT = 1000, 1010
COLOURS = 96

SIGN_IN = "%load_ext tetrate_jupyter\n%tetrate_login"
DATA = """import pandas as pd

sales = pd.DataFrame({"region": ["North", "South", "East", "West"], "sold": [310, 420, 275, 398]})"""
TABLE = """%%tetrate -m claude-haiku-4-5
Which region sold the most? Answer in one sentence.

{sales}"""
CODE = """%%tetrate
Write a Python function that tells whether a number is prime."""
MODELS = "%tetrate_models images cheap 1M"


def main() -> None:
    """Run the cells as a person does, hide what is around the notebook, and write the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SandboxRouter() as router,
        Lab(Path(folder) / "home", router.environment) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.find(playwright), args=chromium.ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.25)
        expect.set_options(timeout=30_000)
        path = write(lab.folder / "quickstart.ipynb", [SIGN_IN, DATA, TABLE, CODE, MODELS])
        notebook = Notebook(page, path, lab.address(path.name))
        notebook.open()
        first, *others = notebook.code_cells
        first.run()
        consent.approve(first)
        for cell in others:
            cell.run()
        page.keyboard.press("Control+b")  # the file browser goes
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        picture = page.locator(".jp-NotebookPanel").screenshot()
        browser.close()
    PICTURE.parent.mkdir(exist_ok=True)
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
