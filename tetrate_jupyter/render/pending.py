"""Markdown that is still being typed: what is open at its end is closed for now, so that the page doesn't flicker."""

from __future__ import annotations

import re
from typing import Final

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_LINK: Final = re.compile(r"!?\[([^\[\]\n]{0,200})(?:\](?:\([^()\s]{0,2000})?)?$")
_MARK: Final = re.compile(r"\\.|(`+)|(\*\*|~~)", re.DOTALL)
_LONGEST: Final = 4_000  # characters of a last paragraph that are looked at


def closed(text: str) -> str:
    """Close the code, emphasis and link that the last paragraph leaves open; text in a code block stays as it is."""
    if open_fence(text):
        return text
    start = text.rfind("\n\n") + 1
    last = text[start:]
    if not last or len(last) > _LONGEST or last.endswith("\n"):
        return text
    return text[:start] + _closed_line(last)


def open_fence(text: str) -> str:
    """Return the first line of the code block that is open at the end of the text, with its line end; "" for none."""
    fence, start = "", 0
    for found in _FENCE.finditer(text):
        mark = found[1]
        if not fence:
            fence, start = mark, found.start()
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    return text[start:].partition("\n")[0] + "\n" if fence else ""


def _closed_line(line: str) -> str:
    open_marks: list[str] = []
    code = ""
    for found in _MARK.finditer(line):
        ticks, mark = found[1], found[2]
        if ticks:
            code = "" if ticks == code else code or ticks
        elif mark and not code:
            if mark in open_marks:
                open_marks.remove(mark)
            else:
                open_marks.append(mark)
    if code:
        return line.rstrip() + code + "".join(reversed(open_marks)) if not line.endswith(code) else line[: -len(code)]
    line = _LINK.sub(r"\1", line)
    for mark in reversed(open_marks):
        bare = line.rstrip()
        line = bare[: -len(mark)] if bare.endswith(mark) else bare + mark
    return line
