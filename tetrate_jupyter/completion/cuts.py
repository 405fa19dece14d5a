"""How much of a value is sent, and what is said where that isn't all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.errors import OptionError, SecretInPromptError

if TYPE_CHECKING:
    from tetrate_jupyter.types import Cut

ALL_ROWS: Final = 30  # a table of at most so many rows is sent whole, where nobody has said how many
NO_MORE_FIT: Final = "no more fit the model's window"
_DIGITS: Final = frozenset("0123456789.,_eE+-")  # what a number may be written with


@dataclass(frozen=True)
class Described:
    """A value as text, and what of it the text leaves out."""

    text: str
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How much of each value is sent.

    `rows` of a table, Series or array, None for all. `room`: characters that a value may take, None for the usual
    bound of its kind. `is_usual`: nobody has said how many, so that a little more is sent where it completes a table.
    """

    rows: int | None = config.DEFAULT_ROWS
    room: int | None = None
    is_usual: bool = True

    def shown(self, total: int) -> tuple[int, int]:
        """Return how many of `total` rows are sent from the start and from the end."""
        if self.rows is None or total <= (max(self.rows, ALL_ROWS) if self.is_usual else self.rows):
            return total, 0
        last = self.rows // 3
        return self.rows - last, last

    def bound(self, usual: int) -> int:
        """Return the characters that a value may take whose kind has `usual`."""
        return max(usual, self.room or 0)

    @property
    def why(self) -> str:
        """What to say where less was sent than `rows` asks for; "" where the usual bound did it."""
        return NO_MORE_FIT if self.room is not None else ""


USUAL: Final = Limits()


def rows_of(given: object) -> int | None:
    """Read a number of rows: at least 1, or "all" (None). Raises `OptionError`."""
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
    """Return the first `limit` characters, "…" at their end where that isn't all; never a number without its end.

    Raises `SecretInPromptError` where the text holds a key: what a cut leaves of one may no longer be known for one.
    """
    if len(text) <= limit:
        return text
    if secrecy.holds(text[: limit + secrecy.REACH]):  # what isn't sent may hold what it likes
        raise SecretInPromptError(
            "A variable holds an API key; nothing was sent.", next_step="take it out of the prompt"
        )
    end = max(limit - 1, 0)
    at = end
    if text[at] in _DIGITS:
        while at > limit // 2 and text[at - 1] in _DIGITS:
            at -= 1
    return f"{text[: at if at > limit // 2 else end]}…"
