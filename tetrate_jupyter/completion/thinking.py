"""Reasoning that stands in tags at the start of the text: told apart from it as both come in pieces; pure."""

from __future__ import annotations

import re
from typing import Final

_TAGS: Final = ("<think>", "<thinking>")
_LONGEST: Final = 64  # characters that are held back before it is clear whether a tag begins there, blanks included
_OPENING: Final = re.compile(r"\s*<(think|thinking)>")


class ThinkTags:
    """Splits pieces of text into (text, reasoning). A tag anywhere but at the start is text.

    At most 64 characters are held back at the start, and the length of the closing tag later. Without a tag at the
    start it is `is_over` after the first piece that has something in it.
    """

    __slots__ = ("_close", "_held", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self._close = ""  # the tag that ends the reasoning, once it has begun
        self._held = ""

    def feed(self, piece: str) -> tuple[str, str]:
        """Take the next piece."""
        if self.is_over:
            return piece, ""
        held = self._held + piece
        if self._close == "":
            if (opening := _OPENING.match(held)) is not None:
                self._close = f"</{opening[1]}>"
                held = held[opening.end() :]
            elif _may_open(held):
                self._held = held
                return "", ""
            else:
                self.is_over, self._held = True, ""
                return held, ""
        if self._close == _SKIPPING:
            return self._text(held)
        thought, tag, rest = held.partition(self._close)
        if tag:
            self._close, self._held = _SKIPPING, ""
            return self._text(rest)[0], thought
        keep = _overlap(thought, self._close)
        self._held = thought[len(thought) - keep :]
        return "", thought[: len(thought) - keep]

    def _text(self, rest: str) -> tuple[str, str]:
        """Return the text behind the closing tag, without the blank lines before it."""
        rest = rest.lstrip()
        self.is_over, self._held = bool(rest), ""
        return rest, ""

    def finish(self) -> tuple[str, str]:
        """Take the end: what was held back is text, or reasoning that was never closed."""
        held, self._held = self._held, ""
        return ("", held) if self._close and not self.is_over else (held, "")


_SKIPPING: Final = "\n"  # stands for the closing tag, once that has come and only blanks behind it


def _may_open(text: str) -> bool:
    start = text.lstrip()
    return len(text) <= _LONGEST and any(tag.startswith(start) for tag in _TAGS)


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` may be the beginning of `tag`."""
    return next((n for n in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:n])), 0)
