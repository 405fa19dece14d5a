"""Reading a docstring for a tool's description: first paragraph and parameters (styles of Google, NumPy, Sphinx)."""

from __future__ import annotations

import inspect
import re
from typing import Final

_LONGEST: Final = 1_000  # characters of one description, since it is sent with every request
_SECTION = re.compile(r"(?:Args|Arguments|Parameters|Params):?\s*\Z", re.IGNORECASE)
_OTHER_SECTION = re.compile(
    r"(?:Returns?|Yields?|Raises|Examples?|Notes?|See Also|Attributes|Warnings?|References|Todo):?\s*\Z", re.IGNORECASE
)
_UNDERLINE = re.compile(r"-{3,}\s*\Z")
_GOOGLE = re.compile(r"\*{0,2}(?P<names>\w+)\s*(?:\(.*?\))?:\s*(?P<text>.*)\Z")
_NUMPY = re.compile(r"(?P<names>\w+(?:\s*,\s*\w+)*)\s*(?::.*)?\Z(?P<text>)")  # "x, y : float": several share one entry
_SPHINX = re.compile(r":param\s+(?:[^:]*\s)?(?P<name>\w+):\s*(?P<text>.*)\Z")


def summary(docstring: str | None) -> str:
    """Return the first paragraph as one line, or ""."""
    lines: list[str] = []
    for line in _lines(docstring):
        stripped = line.strip()
        if not stripped or _SECTION.match(stripped) or _OTHER_SECTION.match(stripped) or stripped.startswith(":"):
            break
        lines.append(stripped)
    return " ".join(lines)[:_LONGEST]


def parameters(docstring: str | None) -> dict[str, str]:
    """Return the description of each parameter that `docstring` describes in one of the three styles."""
    lines = _lines(docstring)
    found = _sphinx(lines)
    for at, line in enumerate(lines):
        if not _SECTION.match(line):
            continue
        underlined = at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]) is not None
        section = _section(lines[at + 1 + underlined :], underlined=underlined)
        found.update(_entries(section, _NUMPY if underlined else _GOOGLE))
    return {name: " ".join(text.split())[:_LONGEST] for name, text in found.items() if text.strip()}


def _lines(docstring: str | None) -> list[str]:
    """Return its lines without their common indent."""
    title, *rest = (docstring or "").lstrip().splitlines() or [""]
    if not _SECTION.match(title) or (rest and _UNDERLINE.match(rest[0].strip())):
        return inspect.cleandoc(docstring or "").splitlines()
    # Entries are indented more than their section's title, whose own indent is lost where a docstring begins with it.
    entry = next((_indent(line) for line in rest if line.strip()), 0)
    margin = min((_indent(line) for line in rest if line), default=0)  # with the line of the closing quotes
    return inspect.cleandoc("\n".join(["", " " * (margin if margin < entry else 0) + title, *rest])).splitlines()


def _section(lines: list[str], *, underlined: bool) -> list[str]:
    """Return the lines up to the next section: an underlined title (NumPy) or an unindented line (Google)."""
    for at, line in enumerate(lines):
        is_next = at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]) is not None
        if is_next if underlined else (line and not line[0].isspace()):
            return lines[:at]
    return lines


def _entries(lines: list[str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the entries, which begin at the smallest indent; deeper lines continue the entry above."""
    filled = [line for line in lines if line.strip()]
    margin = min((_indent(line) for line in filled), default=0)
    found: dict[str, str] = {}
    names: list[str] = []
    for line in filled:
        if _indent(line) > margin:
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
            continue
        match = pattern.match(line.strip())
        names = re.split(r"\s*,\s*", match["names"]) if match else []
        found.update({name: match["text"] for name in names if match})
    return found


def _sphinx(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = None
    for line in lines:
        match = _SPHINX.match(line.strip())
        if match:
            name = match["name"]
            found[name] = match["text"]
        elif name is not None and line[:1].isspace():
            found[name] += " " + line.strip()
        else:
            name = None
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
