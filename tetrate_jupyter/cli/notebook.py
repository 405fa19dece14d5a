"""Putting the quickstart where a person can change it, without ever overwriting what they changed."""

from __future__ import annotations

import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from tetrate_jupyter.types import JSONObject

NAME = "quickstart.ipynb"
MARK = "tetrate_jupyter"  # notebook metadata: the fingerprint of the sources as we placed them


def pristine() -> JSONObject:
    """Return the quickstart as it is shipped, with outputs."""
    packaged = resources.files("tetrate_jupyter.cli").joinpath(NAME)
    text = (
        packaged.read_text(encoding="utf-8")
        if packaged.is_file()
        else (Path(__file__).parents[2] / "notebooks" / NAME).read_text(encoding="utf-8")  # a source checkout
    )
    return cast("JSONObject", json.loads(text))


def place(folder: Path) -> tuple[Path, str]:
    """Put the quickstart into `folder`; give its path and a sentence on what was done.

    An untouched copy (run or not) is renewed when the shipped one has changed; one that the person has edited is kept.
    """
    shipped = pristine()
    try:
        target = (folder / NAME).resolve()
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, shipped)
            return target, f"The notebook is {target}; it is yours to change."
        if not _untouched(target):
            return target, f"Your changed notebook is kept: {target}"
        if fingerprint(_read(target)) != fingerprint(shipped):
            _write(target, shipped)
            return target, f"The notebook was renewed: {target}"
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        raise ConfigError(
            f"The notebook can't be written to {folder}: {getattr(error, 'strerror', None) or error}.",
            next_step="choose another place: tetrate-jupyter demo --folder FOLDER",
        ) from None
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
    draft = target.with_name(f".{NAME}-{os.getpid()}")
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
