"""Putting the notebooks where a person can change them, without ever overwriting what they changed."""

from __future__ import annotations

import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from IPython.display import JSON

    from tetrate_jupyter.types import JSONObject

NAME = "quickstart.ipynb"
NAMES = (NAME, "compare.ipynb", "usage-and-budgets.ipynb")
README = "README.md"
_ABOUT = f"""# tetrate-jupyter: try it here

- `{NAME}`: many models from one notebook, in ten minutes. Start here; run its cells from the top.
- `compare.ipynb`: several models side by side, from a first look to a decision.
- `usage-and-budgets.ipynb`: what it costs, a limit that holds, and answers that are paid for once.

All run on a sandbox router on this machine: simulated models, sample prices, no account, nothing leaves here. They are
yours to change: `tetrate-jupyter demo` never overwrites what you changed.

With an account: `pip install tetrate-jupyter` where your kernel runs, then `%load_ext tetrate_jupyter` and
`%tetrate_login`.
"""
MARK = "tetrate_jupyter"  # notebook metadata: the fingerprint of the sources as we placed them


def pristine(name: str = NAME) -> JSONObject:
    """Return one of the notebooks as it is shipped, with outputs."""
    packaged = resources.files("tetrate_jupyter.cli").joinpath(name)
    text = (
        packaged.read_text(encoding="utf-8")
        if packaged.is_file()
        else (Path(__file__).parents[2] / "notebooks" / name).read_text(encoding="utf-8")  # a source checkout
    )
    return cast("JSONObject", json.loads(text))


def shown() -> JSON:
    """Return the quickstart as nobody has run it, for a page that asks a kernel for it."""
    from IPython.display import JSON

    return JSON(without_outputs(pristine()))  # type: ignore[no-untyped-call]  # IPython's


def place(folder: Path) -> tuple[Path, str]:
    """Put the notebooks and a short README into `folder`; return the quickstart's path and a sentence on what was done.

    An untouched copy (run or not) is renewed when the shipped one has changed; one that the person has edited is kept.
    They come without outputs: what is seen there is what was run there.
    """
    try:
        target, remark = _placed((folder / NAME).resolve(), without_outputs(pristine()))
        others = [_placed(target.with_name(name), without_outputs(pristine(name)))[1] for name in NAMES if name != NAME]
        about = target.with_name(README)
        if not about.exists():
            about.write_text(_ABOUT, encoding="utf-8")
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        raise ConfigError(
            f"The notebook can't be written to {folder}: {getattr(error, 'strerror', None) or error}.",
            next_step="choose another place: tetrate-jupyter demo --folder FOLDER",
        ) from None
    return target, "\n".join([remark, *(each for each in others if each.startswith("Your changed"))])


def without_outputs(notebook: JSONObject) -> JSONObject:
    """Return the notebook with its cells as nobody has run them."""
    cells = notebook.get("cells")
    bare = [
        {**cell, "outputs": [], "execution_count": None} if isinstance(cell, dict) and "outputs" in cell else cell
        for cell in (cells if isinstance(cells, list) else [])
    ]
    return {**notebook, "cells": bare}


def _placed(target: Path, shipped: JSONObject) -> tuple[Path, str]:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, shipped)
        return target, f"The notebook is {target}; it is yours to change."
    if not _untouched(target):
        return target, f"Your changed notebook is kept: {target}"
    if fingerprint(_read(target)) != fingerprint(shipped):
        _write(target, shipped)
        return target, f"The notebook was renewed: {target}"
    return target, f"The notebook is {target}"


def fingerprint(notebook: JSONObject) -> str:
    """Return a digest of what a person writes: the kinds and sources of all cells; outputs don't count."""
    cells = notebook.get("cells")
    parts = [(c.get("cell_type"), _source(c)) for c in cells if isinstance(c, dict)] if isinstance(cells, list) else []
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _source(cell: JSONObject) -> str:
    source = cell.get("source")
    return "".join(str(line) for line in source) if isinstance(source, list) else str(source)


def _write(target: Path, shipped: JSONObject) -> None:
    metadata = shipped.get("metadata")
    marked = {**(metadata if isinstance(metadata, dict) else {}), MARK: {"sources": fingerprint(shipped)}}
    text = json.dumps({**shipped, "metadata": marked}, indent=1, ensure_ascii=False) + "\n"
    # Half a notebook would count as a changed one, and be kept for ever: it is put in place whole.
    draft = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _untouched(target: Path) -> bool:
    try:
        notebook = _read(target)
    except (ValueError, RecursionError):
        return False
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    mark = metadata.get(MARK) if isinstance(metadata, dict) else None
    return isinstance(mark, dict) and mark.get("sources") == fingerprint(notebook)


def _read(target: Path) -> JSONObject:
    return cast("JSONObject", json.loads(target.read_text(encoding="utf-8")))
