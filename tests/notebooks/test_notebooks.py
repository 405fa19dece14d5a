"""The shipped notebooks run on the sandbox, give the outputs they are saved with, and hold no key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.running import NOTEBOOKS, sandbox_environment

RULES = Path(__file__).with_name("sanitize.cfg")


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_gives_the_output_it_is_saved_with(notebook: Path) -> None:
    with sandbox_environment() as environment:
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull),
                *("-p", "tests.notebooks.by_file"),
                *("--rootdir", notebook.parent, "--nbval", "--nbval-current-env", "--nbval-sanitize-with", RULES),
                notebook,
            ],
            env={**os.environ, **environment},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=220,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_outputs_are_whole_and_hold_no_secret_and_no_place(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    assert not re.search(r"sk-[\w-]{8}|[?&]code=[\w-]{8}|code_verifier|Bearer ", text)
    assert not re.search(r"site-packages|/home/|/Users/|/root/", text)  # where it was run is nobody's business
    cells = [cell for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    failed = [cell for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
    assert failed == [cell for cell in cells if "raises-exception" in cell.metadata.get("tags", ())]  # only on purpose


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == ["compare.ipynb", "quickstart.ipynb", "usage-and-budgets.ipynb"]
