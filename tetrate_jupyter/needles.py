"""Many short texts that are looked for in a long one: in one pass, however many they are. Gives away none of them."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Kind = Literal["Q", "I"]  # what `memoryview` calls a number of 8 bytes, and one of 4
_WIDE: Final = 8  # bytes of a window onto a text: hardly any other text is mistaken for a needle's
_NARROW: Final = 4  # the same, for needles that are too short for that


class Windows:
    """Many needles that are looked for in one pass, however many they are.

    A text is taken as numbers, one after the other, as many bytes as a window is wide. Wherever a needle stands that is
    nearly twice as long, one of those numbers lies wholly within it, and it is within its last bytes: so few windows of
    each needle are enough to be told by, and they are those in which keys of one maker differ.
    """

    __slots__ = ("_kind", "_needles", "_numbers", "_width")

    def __init__(self, width: int, kind: _Kind, needles: Iterable[bytes]) -> None:
        self._width, self._kind = width, kind
        self._needles = tuple(needles)
        self._numbers = frozenset(number for needle in self._needles for number in self._last(needle))

    def likely(self, data: bytes | bytearray) -> Iterable[bytes]:
        """Return the needles of which a window is in a text: all that are in it, and few others."""
        if not self._numbers:
            return ()
        with memoryview(data) as whole, whole[: len(data) // self._width * self._width].cast(self._kind) as numbers:
            if self._numbers.isdisjoint(numbers):
                return ()
            found = self._numbers.intersection(numbers)
        return [needle for needle in self._needles if not found.isdisjoint(self._last(needle))]

    def _last(self, needle: bytes) -> Iterator[int]:
        """Yield the numbers of a needle's last windows, one of which is there in whichever way the text is divided."""
        for end in range(len(needle) - self._width + 1, len(needle) + 1):
            yield int.from_bytes(needle[end - self._width : end], sys.byteorder)

    def __repr__(self) -> str:
        return "<needles>"


def windows(needles: Iterable[bytes]) -> tuple[Windows, Windows]:
    """Return windows for needles of at least 7 bytes, the long ones and the short ones apart."""
    wide: list[bytes] = []
    narrow: list[bytes] = []
    for needle in needles:
        (wide if len(needle) >= 2 * _WIDE - 1 else narrow).append(needle)
    return Windows(_WIDE, "Q", wide), Windows(_NARROW, "I", narrow)


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of words of one length, whose time grows little with their number: each character once."""
    rest: dict[str, set[str]] = {}
    for word in sorted(words):  # the same pattern each time
        rest.setdefault(word[0], set()).add(word[1:])
    if all(others == {""} for others in rest.values()):
        return f"[{''.join(map(re.escape, rest))}]"
    return f"(?:{'|'.join(re.escape(first) + any_of(others) for first, others in rest.items())})"
