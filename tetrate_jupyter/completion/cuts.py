"""How much of a value is sent, and cutting text to that length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.catalog.estimate import crowded_tokens
from tetrate_jupyter.errors import OptionError, SecretInPromptError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tetrate_jupyter.types import Cut

ALL_ROWS: Final = 30  # rows of a table up to which it is sent whole where no number of rows was given
SHOWN: Final = 8_000  # characters of what was sent of a value that a cut has, for who wants to read them
SUMMED: Final = " and a summary of all"  # behind what was cut, where a summary of what was left out was sent, too
NO_MORE_FIT: Final = "no more are sure to fit the model's window"
_DIGITS: Final = frozenset("0123456789.,_eE+-")  # characters of a written number


@dataclass(frozen=True)
class Described:
    """A value as text, and what the text leaves out of it."""

    text: str
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How much of each value is sent.

    `rows`: rows of a table, Series or array, None for all. `room`: characters for a value, None for the default bound
    of its kind. `is_usual`: no number of rows was given, so a slightly longer table is sent whole. `tokens`: what a
    value may take where the models' window is the bound; `room` is then what it may have at the most
    (`describe.fitting` finds what it has).
    """

    rows: int | None = config.DEFAULT_ROWS
    room: int | None = None
    is_usual: bool = True
    tokens: int | None = None

    def shown(self, total: int) -> tuple[int, int]:
        """Return how many of `total` rows are sent from the start and from the end."""
        if self.rows is None or total <= (max(self.rows, ALL_ROWS) if self.is_usual else self.rows):
            return total, 0
        last = self.rows // 3
        return self.rows - last, last

    def bound(self, usual: int) -> int:
        """Return the characters for a value: its kind's default bound `usual`, or `room` where that is larger."""
        return max(usual, self.room or 0)

    def why(self, sent: int) -> str:
        """Return the reason for sending only `sent` rows; "" where so many were wanted, or by the default bound."""
        return NO_MORE_FIT if self.room is not None and (self.rows is None or sent < self.rows) else ""

    def after(self, text: str) -> Limits:
        """Return what is left for the next value, after one that became `text`."""
        if self.room is None:
            return self
        tokens = None if self.tokens is None else max(0, self.tokens - crowded_tokens(text))
        return replace(self, room=max(0, self.room - len(text)), tokens=tokens)


USUAL: Final = Limits()


def with_text(cuts: Iterable[Cut], text: str) -> list[Cut]:
    """Return cuts with the beginning of what was sent of their value, for who wants to read it."""
    shown = as_sent(text)
    return [replace(cut, text=shown) for cut in cuts]


def as_sent(text: str, word: str = "") -> str:
    """Return the beginning and the end of what was sent, or the part that has `word`, and how much is left out.

    At the end is the summary of a table.
    """
    if not word and len(text) > SHOWN:
        half, left = SHOWN // 2, len(text) - SHOWN
        return f"{text[:half]}\n[… {left:,} characters more were sent here]\n{text[-half:]}"
    at = text.find(word)
    start = at - SHOWN // 2 if at + len(word) > SHOWN else 0
    before = f"[… {start:,} characters were sent before]\n" if start else ""
    left = len(text) - start - SHOWN
    after = f"\n[… {left:,} characters more were sent]" if left > 0 else ""
    return f"{before}{text[start : start + SHOWN]}{after}"


def rows_of(given: object) -> int | None:
    """Return a given number of rows: at least 1, or None for "all". Raises `OptionError` for anything else."""
    if isinstance(given, str) and given.strip().lower() == "all":
        return None
    try:
        rows = int(given) if isinstance(given, (int, str)) and not isinstance(given, bool) else 0
    except ValueError:
        rows = 0
    if rows < 1:
        raise OptionError(f"rows can't be {given!r}.", next_step='give a whole number of at least 1, or "all"')
    return rows


def shortened(text: str, limit: int) -> str:
    """Return a text cut to `limit` characters, with "…" as the last; a number isn't cut in two.

    Raises `SecretInPromptError` where a text to be cut holds a key: what is left of one might not be recognised.
    """
    if len(text) <= limit:
        return text
    if secrecy.holds(text[: limit + secrecy.REACH]):  # only as far as it is sent
        raise SecretInPromptError(
            "A variable holds an API key; nothing was sent.", next_step="remove it from the prompt"
        )
    end = max(limit - 1, 0)
    at = end
    if text[at] in _DIGITS:
        while at > limit // 2 and text[at - 1] in _DIGITS:
            at -= 1
    return f"{text[: at if at > limit // 2 else end]}…"
