"""Run the notebooks on the sandbox and save their outputs: `python -m tests.notebooks.refresh`.

What is saved is what a person sees, less what would differ at every run without meaning (when a cell ran).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

from tests.notebooks.running import NOTEBOOKS, sandbox_environment

if TYPE_CHECKING:
    from pathlib import Path


def refresh(path: Path, environment: dict[str, str]) -> None:
    """Run one notebook from top to bottom in a new kernel and save it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False)
    client.execute(env=environment)
    notebook.metadata.pop("widgets", None)  # live state belongs to a kernel that is gone
    notebook.metadata.language_info = {"name": "python"}  # the exact version would differ from machine to machine
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
