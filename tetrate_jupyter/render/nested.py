"""What a long quote, or the last item of a list, has inside: shown as a text of its own while it grows.

Only while it grows: once the block has ended it is rendered as a whole, once. So nothing here has to be exact, and
whatever isn't plain (lines that go on with a quote without its mark, tabs) is left to the whole, which is drawn less
often the longer it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST: Final = 8  # blocks inside each other that are shown so
_QUOTED: Final = re.compile(r" {0,3}>(?!\t) ?")
_ITEM: Final = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)]) {1,4}(?=[^\s\[])")  # "[": a box is its item's, not the text's


class Inside(Protocol):
    """A text that is rendered while it grows (`MarkdownStream`)."""

    @property
    def html(self) -> str:
        """The HTML so far."""
        ...

    @property
    def behind(self) -> bool:
        """Whether the last of the text isn't shown yet."""
        ...

    @property
    def is_quick(self) -> bool:
        """Whether what is rendered anew with every piece is short."""
        ...

    @property
    def is_apart(self) -> bool:
        """Whether an empty line parts two of its blocks."""
        ...

    def update(self, text_so_far: str) -> None:
        """Take in the text so far."""
        ...


class Nested:
    """The inside of a block, its marks and indentation taken off. `make` begins a text, told whether it is tight."""

    def __init__(self, make: Callable[[bool], Inside], width: int, *, tight: bool) -> None:
        self._make = make
        self._width = width  # of an item's indentation; 0 for a quote
        self._is_tight = tight
        self._text = ""  # of its whole lines, without marks
        self._read = 0  # characters of them, with marks
        self._inside = make(tight)

    @classmethod
    def of_quote(cls, text: str, make: Callable[[bool], Inside]) -> Nested | None:
        """Return the inside of the quote that a text begins with, None where it begins with something else."""
        return cls(make, 0, tight=False) if _QUOTED.match(text) else None

    @classmethod
    def of_item(cls, text: str, make: Callable[[bool], Inside], *, tight: bool) -> Nested | None:
        """Return the inside of the item that a text begins with. `tight`: nothing has parted the list's items yet."""
        found = _ITEM.match(text)
        return None if found is None else cls(make, found.end(), tight=tight)

    @property
    def html(self) -> str:
        """The HTML of what is inside."""
        return self._inside.html

    @property
    def behind(self) -> bool:
        """Whether the last of the text isn't shown yet."""
        return self._inside.behind

    @property
    def is_quick(self) -> bool:
        """Whether what is rendered anew with every piece is short."""
        return self._inside.is_quick

    def update(self, text: str) -> bool:
        """Take in the block's text so far; return False where it has ended, or isn't plain."""
        end = text.rfind("\n") + 1
        new = self._bare(text[self._read : end], self._read)
        last = self._bare(text[end:], end)
        if new is None or last is None:
            return False
        self._text += new
        self._read = end
        self._inside.update(self._text + last)
        if self._is_tight and self._inside.is_apart:
            self._is_tight = False
            self._inside = self._make(False)
            self._inside.update(self._text + last)
        return True

    def _bare(self, lines: str, start: int) -> str | None:
        """Return lines without what stands before them, the last of them in part; None where something else does."""
        found = []
        for number, line in enumerate(lines.split("\n")):
            if self._width:
                if (number or start) and line[: self._width].strip(" "):
                    return None
                found.append(line[self._width :])
            elif mark := _QUOTED.match(line):
                found.append(line[mark.end() :])
            elif line.strip(" ") or number < lines.count("\n"):
                return None
            else:
                found.append("")
        return "\n".join(found)
