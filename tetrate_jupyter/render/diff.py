"""Two answers, word by word; pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PieceKind: TypeAlias = Literal["same", "removed", "added"]

_WORDS: Final = re.compile(r"\w+|[^\w\s]|\s+")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_MOST: Final = 4_000_000  # pairs of words that are compared, in some 0.3 s; beyond that, lines are


class Piece(NamedTuple):
    """A piece of text: in both ("same"), only in the first ("removed"), or only in the second ("added")."""

    kind: PieceKind
    text: str


def word_diff(one: str, other: str) -> tuple[Piece, ...]:
    """Return the pieces that turn `one` into `other`.

    The "same" and "removed" pieces together are `one`, the "same" and "added" ones `other`. Very long texts are
    compared line by line; if there are too many lines for that, only their common beginning and end are found.
    """
    first, second = _WORDS.findall(one), _WORDS.findall(other)
    if len(first) * len(second) > _MOST:
        first, second = _LINES.findall(one), _LINES.findall(other)
        if len(first) * len(second) > _MOST:
            return tuple(_ends(first, second))
    pieces: list[Piece] = []
    for operation, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if operation == "equal":
            pieces += _piece("same", first[a:b])
        else:
            pieces += [*_piece("removed", first[a:b]), *_piece("added", second[c:d])]
    return tuple(pieces)


def _ends(first: Sequence[str], second: Sequence[str]) -> list[Piece]:
    """Return the pieces by common beginning and end, in linear time."""
    shorter = min(len(first), len(second))
    start = next((n for n in range(shorter) if first[n] != second[n]), shorter)
    end = next((n for n in range(shorter - start) if first[-1 - n] != second[-1 - n]), shorter - start)
    removed, added = first[start : len(first) - end], second[start : len(second) - end]
    after = first[len(first) - end :]
    return [
        *_piece("same", first[:start]),
        *_piece("removed", removed),
        *_piece("added", added),
        *_piece("same", after),
    ]


def diff_html(pieces: Iterable[Piece]) -> str:
    """Return the pieces as HTML with `<del>` and `<ins>`, which differ by line-through and underline, not by colour."""
    tags = {"removed": "del", "added": "ins"}
    return "".join(
        f"<{tags[p.kind]}>{escape(p.text)}</{tags[p.kind]}>" if p.kind in tags else escape(p.text) for p in pieces
    )


def _piece(kind: PieceKind, words: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(words))] if words else []
