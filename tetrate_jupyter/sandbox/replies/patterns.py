"""Making a text that matches a simple regular expression: literals, classes, groups, choices and counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz", "s": " ", "D": "x", "W": "-", "S": "x"}
_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")


def text_for(pattern: str, rng: random.Random) -> str | None:
    """Return a text that matches, or None where the expression isn't supported."""
    try:
        made, end = _Maker(pattern, rng).choices(0)
        return made if end == len(pattern) and re.search(pattern, made) else None
    except (IndexError, ValueError, re.error):
        return None


class _Maker:
    """Parses an expression from left to right, and makes text on the way."""

    def __init__(self, pattern: str, rng: random.Random) -> None:
        self._pattern = pattern
        self._rng = rng

    def choices(self, place: int) -> tuple[str, int]:
        """Return text for one of the alternatives up to the closing bracket or the end."""
        made, place = self._sequence(place)
        options = [made]
        while place < len(self._pattern) and self._pattern[place] == "|":
            made, place = self._sequence(place + 1)
            options.append(made)
        return self._rng.choice(options), place

    def _sequence(self, place: int) -> tuple[str, int]:
        made = ""
        while place < len(self._pattern) and self._pattern[place] not in "|)":
            start = place
            piece, place = self._atom(place)
            times, place = self._times(place)
            # Each repetition is made separately, so that \d{4} isn't the same digit four times.
            made += "".join(self._atom(start)[0] for _ in range(times)) if times != 1 else piece
        return made, place

    def _atom(self, place: int) -> tuple[str, int]:
        char = self._pattern[place]
        if char in "^$":
            return "", place + 1
        if char == "(":
            inner = place + 1
            if self._pattern[inner] == "?":
                if self._pattern[inner : inner + 2] != "?:":
                    raise ValueError("look-around and the like")
                inner += 2
            made, end = self.choices(inner)
            return made, end + 1
        if char == "[":
            return self._set(place)
        if char == "\\":
            letter = self._pattern[place + 1]
            if letter in "bB":
                return "", place + 2
            return self._rng.choice(_CLASSES.get(letter, letter)), place + 2
        return ("x" if char == "." else char), place + 1

    def _set(self, place: int) -> tuple[str, int]:
        end = self._pattern.index("]", place + 2)
        body = self._pattern[place + 1 : end]
        members: list[str] = []
        i = 1 if body.startswith("^") else 0
        while i < len(body):
            if body[i] == "\\":
                members.extend(_CLASSES.get(body[i + 1], body[i + 1]))
                i += 2
            elif body[i + 1 : i + 2] == "-" and i + 2 < len(body):
                members.extend(chr(c) for c in range(ord(body[i]), ord(body[i + 2]) + 1))
                i += 3
            else:
                members.append(body[i])
                i += 1
        if body.startswith("^"):
            members = [c for c in "abcxyz0189 -_" if c not in members]
        return self._rng.choice(members), end + 1

    def _times(self, place: int) -> tuple[int, int]:
        char = self._pattern[place : place + 1]
        if char in {"*", "+", "?"}:
            place += 1
            times = {"*": 3, "+": 3, "?": 1}[char]
        elif char == "{" and (found := _COUNT.match(self._pattern, place)):
            least = int(found[1] or 0)
            times = max(least, min(least + 2, int(found[3]))) if found[2] and found[3] else least + bool(found[2])
            place = found.end()
        else:
            return 1, place
        return times, place + (self._pattern[place : place + 1] in {"?", "+"})  # lazy or possessive: no difference here
