"""Separating reasoning between tags at the start of a text from the text, as both arrive in pieces; pure."""

from __future__ import annotations

import re
from typing import Final

_TAGS: Final = ("<think>", "<thinking>", "<thought>", "<seed:think>", "[THINK]")  # Gemini, Seed and Mistral have others
_LONGEST: Final = 64  # characters, white space included, held back until it is clear whether a tag begins there
_OPENING: Final = re.compile(rf"\s*({'|'.join(map(re.escape, _TAGS))})")


class ThinkTags:
    """Splits pieces into (text, reasoning). A tag anywhere but at the start is text.

    At most 64 characters are held back at the start, and the length of the closing tag later. `is_over`: everything
    that follows is text.
    """

    __slots__ = ("_close", "_held", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self._close = ""  # the tag that ends the reasoning; "" before it has begun
        self._held = ""

    def feed(self, piece: str) -> tuple[str, str]:
        """Take the next piece; return the (text, reasoning) that is certain by now."""
        if self.is_over:
            return piece, ""
        held = self._held + piece
        if self._close == "":
            if (opening := _OPENING.match(held)) is not None:
                self._close = f"{opening[1][0]}/{opening[1][1:]}"
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
        """Return the text after the closing tag, without white space at its beginning."""
        rest = rest.lstrip()
        self.is_over, self._held = bool(rest), ""
        return rest, ""

    def finish(self) -> tuple[str, str]:
        """Return the (text, reasoning) that was held back; reasoning that was never closed stays reasoning."""
        held, self._held = self._held, ""
        return ("", held) if self._close and not self.is_over else (held, "")


_SKIPPING: Final = "\n"  # in place of the closing tag: it has arrived, with only white space after it


def _may_open(text: str) -> bool:
    start = text.lstrip()
    return len(text) <= _LONGEST and any(tag.startswith(start) for tag in _TAGS)


def _overlap(text: str, tag: str) -> int:
    """Return the number of characters at the end of `text` that may be the beginning of `tag`."""
    return next((n for n in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:n])), 0)
