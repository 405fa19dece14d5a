"""Words of a search, as they are looked for in kept conversations: as they look, however they are written; pure."""

from __future__ import annotations

import unicodedata
from typing import Final

from tetrate_jupyter.characters import one_line

MOST_WORDS: Final = 20  # of a search
_AROUND: Final = 40  # characters of the line that was found, on each side
_SILENT: Final = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))  # no word is told apart by these


def wanted(words: str) -> tuple[str, ...]:
    """Return the words of a search as they are looked for: as they look, in either case."""
    return tuple(dict.fromkeys(folded(words[:1000]).split()))[:MOST_WORDS]


def folded(text: str) -> str:
    """Return text for comparing: "Straße" as "STRASSE", "ﬁ" as "fi", an accent on its own as the letter with it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_SILENT)).casefold())


def excerpt(text: str, word: str) -> str:
    """Return a piece of a line that has the word."""
    line = next((line for line in text.splitlines() if word in folded(line)), text)
    at = folded(line).find(word)  # near enough: folding changes few lengths
    piece = line[max(0, at - _AROUND) : at + len(word) + _AROUND]
    return one_line(f"{'…' if at > _AROUND else ''}{piece}{'…' if at + len(word) + _AROUND < len(line) else ''}")
