"""Why a cell failed and how to fix it, for the most common errors, from what was sent: cells, traceback, names.

The answers are in data/answers/errors.md; the README beside it explains the format.
"""

from __future__ import annotations

import ast
import difflib
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.answers import WrittenAnswer, entries, said
from tetrate_jupyter.sandbox.replies.core import Core

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.reply import Ask

_CELL: Final = re.compile(
    r"^(?:The cell|Cell In\[(\d+)\]), which [^\n]*:\n(`{3,})python\n(.*?)\n\2$", re.MULTILINE | re.DOTALL
)
_TRACE: Final = re.compile(r"Traceback, [^\n]*:\n(`{3,})text\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_PLACE: Final = re.compile(r"Cell In\[(\d+)\], line (\d+)")
_NAMES: Final = re.compile(
    r"`(\w+)`|('(?:[^'\\\n]|\\.)+'|\"(?:[^\"\\\n]|\\.)+\")(?: \(|\s*:)|\b([^\W\d]\w*)\s*(?==[^=])"
)  # in backticks; a column with its type, or a key in a cell; what is set in a cell
_MAGIC: Final = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_WANTS_CODE: Final = "whole corrected cell"
_LOOKS_LIKE: Final = 0.6  # difflib's ratio
_MOST_NAMES: Final = 500


class Failed:
    """The parts of a prompt about a failed cell."""

    def __init__(self, prompt: str, trace: str) -> None:
        self.trace = trace
        self.cells = {number: code for number, _, code in _CELL.findall(prompt)}
        self._places = [(number, int(line)) for number, line in _PLACE.findall(trace)]
        rest = _TRACE.sub("", prompt)
        self._names = [_unquoted(next(filter(None, found))) for found in _NAMES.findall(rest)][:_MOST_NAMES]

    def near(self, name: str) -> str:
        """Return the name among those sent that is most similar to this one, or ""."""
        known = {known: _folded(known) for known in dict.fromkeys(self._names) if known != name}
        closest = difflib.get_close_matches(_folded(name), known.values(), 1, _LOOKS_LIKE)
        return next((each for each, folded in known.items() if folded in closest), "")

    def changed(self, find: str, put: str) -> str:
        """Return the cell with a change, in the innermost failed line or else in any cell; "" where nothing matches."""
        pattern = re.compile(find, re.MULTILINE)
        for number, line in reversed(self._places):
            lines = self.cells.get(number, "").split("\n")
            if 0 < line <= len(lines) and (mended := pattern.sub(put, lines[line - 1], count=1)) != lines[line - 1]:
                return "\n".join([*lines[: line - 1], mended, *lines[line:]])
        for code in reversed(self.cells.values()):
            if (mended := pattern.sub(put, code)) != code:
                return mended
        return ""


def _unquoted(text: str) -> str:
    if text[:1] not in {"'", '"'}:
        return text
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text[1:-1]


def _folded(name: str) -> str:
    """Return a name without what is overlooked: capitals, accents, kinds of spaces, underscores."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.replace("_", " ").split()) or name


def _is_python(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(_MAGIC.sub("", code))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def failed_cell(ask: Ask) -> Core | None:
    """Return why a cell failed, and its corrected source if that was requested."""
    told = _TRACE.search(ask.prompt)
    if told is None:
        return None
    failed = Failed(ask.prompt, told[2])
    for entry in entries().values():
        slots = _slots(entry, failed)
        if slots is None:
            continue
        code = _mended(entry, failed, slots)
        if (entry.changes or entry.before) and not code:
            continue
        core = said(entry, ask, **slots)
        if code and _WANTS_CODE in ask.prompt:
            fence = "`" * (max((len(run) for run in re.findall("`{3,}", code)), default=2) + 1)
            return Core(f"{core.answer}\n\n{fence}python\n{code}\n{fence}", is_finished=True)
        return Core(core.answer, is_finished=True)
    return None


def _slots(entry: WrittenAnswer, failed: Failed) -> dict[str, str] | None:
    """Return the values for the slots in an entry's text and changes; None where it doesn't match."""
    found = [match for pattern in entry.errors for match in re.finditer(pattern, failed.trace, re.MULTILINE)]
    if not found:
        return None
    slots = {name: value or "" for name, value in found[-1].groupdict().items()}
    name = slots.get("name", "")
    if entry.keys:
        row = entry.rows.get(name.lower())
        if row is None:
            return None
        slots |= row
    if any("{near}" in change for change in entry.changes):
        slots["near"] = failed.near(name)
        if not slots["near"]:
            return None
    return slots


def _mended(entry: WrittenAnswer, failed: Failed, slots: dict[str, str]) -> str:
    for change in entry.changes:
        find, _, put = change.partition(" => ")
        if set(slots.get("near", "")) & set("'\"\\") or not slots.get("near", "").isprintable():
            put = put.replace("\\1{near}\\1", repr(slots["near"]).replace("\\", r"\\"))
        for name, value in slots.items():
            find = find.replace(f"{{{name}}}", re.escape(value))
            put = put.replace(f"{{{name}}}", value.replace("\\", r"\\"))
        if (code := failed.changed(find, put)) and _is_python(code):
            return code
    if entry.before and failed.cells:
        line = entry.before
        for name, value in slots.items():
            line = line.replace(f"{{{name}}}", value)
        return f"{line}\n\n{next(iter(failed.cells.values()))}"
    return ""
