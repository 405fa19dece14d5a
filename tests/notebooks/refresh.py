"""Run the notebooks on the sandbox and save their outputs: `python -m tests.notebooks.refresh`.

What is saved is what a person sees, less what would differ at every run without meaning (when a cell ran, where
libraries are).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

from tests.kernels import ByFileAsync
from tests.notebooks.running import NOTEBOOKS, sandbox_environment

if TYPE_CHECKING:
    from pathlib import Path


def without_places(notebook: nbformat.NotebookNode) -> None:
    """Have tracebacks name a library's file by its package: where it is installed is this machine's."""
    here = {sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib", "stdlib")}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for place in sorted(here, key=len, reverse=True):  # the standard library's folder has the others in it
                if output.output_type == "error":
                    output.traceback = [line.replace(place, "") for line in output.traceback]


def refresh(path: Path, environment: dict[str, str]) -> None:
    """Run one notebook from top to bottom in a new kernel and save it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_manager_class=ByFileAsync, record_timing=False)
    client.execute(env=environment)
    notebook.metadata.pop("widgets", None)  # live state belongs to a kernel that is gone
    notebook.metadata.language_info = {"name": "python"}  # the exact version would differ from machine to machine
    without_places(notebook)
    nbformat.write(notebook, path)
    print(f"{path.name}: outputs saved")


def main() -> int:
    """Refresh every notebook."""
    with sandbox_environment(speed=1) as environment:
        for path in NOTEBOOKS:
            refresh(path, {**os.environ, **environment})
    return 0


if __name__ == "__main__":
    sys.exit(main())
