"""Two answers, line by line, and word by word where lines are much alike; pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

PieceKind: TypeAlias = Literal["same", "removed", "added"]

_WORDS: Final = re.compile(r"\w+|[^\w\s]|\s+")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_ALIKE: Final = 0.5  # of the words of lines; below that, words they share by chance would stand between all others
_MOST: Final = 4_000_000  # pairs of words that are compared, in some 0.3 s; beyond that, lines are


class Piece(NamedTuple):
    """A piece of text: in both ("same"), only in the first ("removed"), or only in the second ("added")."""

    kind: PieceKind
    text: str


def word_diff(one: str, other: str) -> tuple[Piece, ...]:
    """Return the pieces that turn `one` into `other`.

    The "same" and "removed" pieces together are `one`, the "same" and "added" ones `other`. Lines that have less than
    half of their words in common are told as a whole. Very long texts are compared by lines only; if there are too many
    lines for that, only their common beginning and end are found.
    """
    lines, others = _LINES.findall(one), _LINES.findall(other)
    many_lines = len(lines) * len(others) > _MOST  # empty ones are no words, and so can be many more
    if len(_WORDS.findall(one)) * len(_WORDS.findall(other)) <= _MOST:
        return _joined(_words(one, other) if many_lines else _of_lines(lines, others, _words))
    return _joined(_ends(lines, others) if many_lines else _of_lines(lines, others, _whole))


def _of_lines(
    first: Sequence[str], second: Sequence[str], replaced: Callable[[str, str], list[Piece]]
) -> Iterator[Piece]:
    """Yield what both have line by line; `replaced` compares lines that stand in the place of others."""
    for operation, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        one, other = "".join(first[a:b]), "".join(second[c:d])
        yield from [Piece("same", one)] if operation == "equal" else replaced(one, other)


def _words(one: str, other: str) -> list[Piece]:
    first, second = _WORDS.findall(one), _WORDS.findall(other)
    operations = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    same = sum(not word.isspace() for name, a, b, *_ in operations if name == "equal" for word in first[a:b])
    if 2 * same < _ALIKE * sum(not word.isspace() for word in (*first, *second)):
        return _whole(one, other)
    pieces: list[Piece] = []
    for name, a, b, c, d in operations:
        was, now = "".join(first[a:b]), "".join(second[c:d])
        pieces += [Piece("same", was)] if name == "equal" else _whole(was, now)
    return pieces


def _whole(one: str, other: str) -> list[Piece]:
    return [Piece("removed", one), Piece("added", other)]


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the pieces that aren't empty, those of one kind after another as one."""
    filled = (piece for piece in pieces if piece.text)
    groups = groupby(filled, key=lambda piece: piece.kind)
    return tuple(Piece(kind, "".join(piece.text for piece in group)) for kind, group in groups)


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
