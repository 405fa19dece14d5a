"""Files that a person names: what can be a file's name, writing one as a whole or not at all, texts of a table in one.

Whatever is wrong is an `OSError` with its reason in words, which each caller makes an error of its own.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from tetrate_jupyter.characters import MAX_NAME, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_ENDING: Final = 20  # characters of an extension
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would run


def named(given: str | os.PathLike[str]) -> Path:
    """Return the path that was named, "~" looked up. Raises `OSError` for what names no file anywhere."""
    try:
        path = Path(given).expanduser()
        name = os.fsencode(path)  # a lone surrogate is none of a name
    except RuntimeError:  # "~nobody/a.csv", or nobody has a home here
        raise OSError(errno.ENOENT, "there is no such home folder") from None
    except UnicodeError:
        raise OSError(errno.EILSEQ, "that is no name of a file") from None
    if not path.name or path.name == ".." or b"\0" in name:
        raise OSError(errno.EINVAL, "that is no name of a file")
    return path


def written(target: Path, write: Callable[[Path], object]) -> Path:
    """Have `write` fill a file beside `target`, then put it in its place. Raises `OSError`, and what `write` raises."""
    beside = target.with_name(f".{uuid4().hex[:16]}{target.suffix[:_MOST_ENDING]}")  # writers look at the extension
    try:
        write(beside)
        os.replace(beside, target)  # noqa: PTH105 - Path.replace is the same, os names the promise: all or nothing
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return target


def shown(given: str | os.PathLike[str]) -> str:
    """Return the name that was given, without its folder, as one line."""
    text = os.fspath(given)
    name = one_line(os.path.basename(text) or text, MAX_NAME)  # noqa: PTH119 - what is no path, too
    return name.encode(errors="replace").decode() or "''"


def harmless(text: str) -> str:
    """Return a text for a cell of a CSV file: an apostrophe stands before what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def reason(problem: OSError) -> str:
    """Return why a file failed, in words without its path."""
    return problem.strerror or type(problem).__name__
