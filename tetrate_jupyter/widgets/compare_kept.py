"""The copy of a comparison that the page keeps for another kernel, in the parts of a saved file."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tetrate_jupyter.compare.columns import LIVE_COLUMNS
from tetrate_jupyter.compare.data import ResultData
from tetrate_jupyter.compare.files import parts, read
from tetrate_jupyter.compare.restoring import restored
from tetrate_jupyter.compare.running import Comparison
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.types import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tetrate_jupyter.compare.cells import Attempt, Cell
    from tetrate_jupyter.compare.result import LiveResult
    from tetrate_jupyter.compare.rows import Head, Row
    from tetrate_jupyter.engine.engine import Engine

LONGEST: Final = 100_000  # characters of a prompt; a longer one would make every message to a new view large
WHOLE: Final = 1_000_000  # characters of several prompts and their answers; of more, what is shown is kept
MANY: Final = 2_000  # answers, likewise: each has some 500 characters of figures beside its text
WRITE_INTERVAL: Final = 5.0  # seconds between two fallbacks of a comparison that runs: what a notebook saved then keeps
WRITTEN_PER_SECOND: Final = 20_000  # bytes; a long one is written less often
WRITE_REST: Final = 30.0  # times what writing it cost go by before the next
WRITE_SHARE: Final = 0.5  # of the time so far goes by, too: all texts are written again; a third is missing at most
WRITE_SELDOM: Final = 60.0  # seconds; that part of the pause is never longer
EARLIER: Final = "This is the earlier run, with its votes."
_NONE: Final[Mapping[str, Any]] = {"file": None, "votes": []}


class KeptComparison:
    """The copy as the page was last told it. Not thread-safe: the panel's lock is held around it."""

    def __init__(self) -> None:
        self._made: tuple[tuple[int, int] | None, Mapping[str, Any]] | None = None  # the place, where only that is kept

    def forget(self) -> None:
        """Let go of what was made: the comparison has changed."""
        self._made = None

    def fields(self, comparison: Comparison | None, at: tuple[int, int], *, blind: bool) -> Mapping[str, Any]:
        """Return `file`, what the page is told, and `votes`; None while there is nothing whole to keep.

        Texts of the only prompt and repeat aren't told again, since the page shows them. Several prompts go with their
        texts; where those are too long, only what is shown at `at`. Nothing goes while names are hidden, since it tells
        them. A vote is [place of the row, vote, early, blind]: it is small, and the file isn't told anew for it.
        """
        if comparison is None or blind or comparison.is_running:
            return _NONE
        if self._made is None or self._made[0] not in (None, at):
            self._made = _told(comparison, *at)
        return self._made[1]


class FallbackPace:
    """When the fallback of a comparison that runs is written again. Not thread-safe: the panel's lock is held."""

    def __init__(self) -> None:
        self._began = self._due = 0.0  # on the system's monotonic clock

    def begin(self) -> None:
        """Have the first one come after a while."""
        self._began = time.monotonic()
        self._due = self._began + WRITE_INTERVAL

    def write(self, write: Callable[[], int]) -> None:
        """Call `write`, which returns how many bytes it wrote, where it is time."""
        began = time.monotonic()
        if began < self._due:
            return
        size = write()
        now = time.monotonic()
        grows = min(WRITE_SELDOM, WRITE_SHARE * (now - self._began))
        self._due = now + max(WRITE_INTERVAL, size / WRITTEN_PER_SECOND, WRITE_REST * (now - began), grows)


def left_behind(run: Comparison) -> str:
    """Return what is said of a run's votes, which a newer one doesn't have; "" for none."""
    voted = {cell.place.prompt for cell in run.cells if cell.attempt is not None and cell.attempt.vote is not None}
    if not voted:
        return ""
    votes = "The votes of 1 prompt stay" if len(voted) == 1 else f"The votes of {len(voted):,} prompts stay"
    return f"{votes} with the earlier run: they are for its answers."


def save_csv(result: LiveResult) -> str:
    """Write what is shown to a new file in the working folder; return what is said of it."""
    names = (f"comparison{f'-{number}' if number > 1 else ''}.csv" for number in range(1, 10_000))
    name = next((name for name in names if not Path(name).exists()), "comparison.csv")
    result.save(name)
    rows = len(result.rows)
    return f"Saved {name} in the working folder: {'1 answer' if rows == 1 else f'{rows:,} answers'}"


def voted(run: Comparison) -> list[tuple[Cell, Attempt]]:
    """Return the answers that have a vote, with the cells that they are in."""
    newest = [(cell, cell.attempt) for cell in run.cells]
    return [(cell, attempt) for cell, attempt in newest if attempt is not None and attempt.vote is not None]


def taken_from(run: Comparison, before: Sequence[tuple[Cell, Attempt]]) -> tuple[str, Callable[[], None]] | None:
    """Return what is said of the votes of `before` that a retry leaves behind, and what takes it back."""
    left = [(cell, attempt) for cell, attempt in before if not cell.is_over or cell.attempt is not attempt]
    if not left:
        return None

    def take_back() -> None:
        for cell, attempt in left:
            run.show_again(cell, attempt)

    if len(left) == 1:
        return "The vote stays with the earlier answer: it was for that one.", take_back
    return f"{len(left):,} votes stay with the earlier answers: they were for those.", take_back


def _told(comparison: Comparison, prompt: int, repeat: int) -> tuple[tuple[int, int] | None, Mapping[str, Any]]:
    """Return the fields, and the place where they are of that only."""
    setup = comparison.setup
    several = len(setup.prompts) * setup.repeats
    if several > 1 and several * min(len(comparison.columns), LIVE_COLUMNS) <= MANY:
        every = comparison.result
        heads, rows = _first(every)
        if sum(map(len, setup.prompts)) + sum(len(row.text) for row in rows) <= WHOLE:
            return None, _fields(comparison, ResultData(every.facts, heads, rows), texts=True, left_out=0)
    found = comparison.result_of([prompt])
    text = found.facts.prompts[prompt]
    if len(text) + len(found.facts.typed or "") > LONGEST:
        return (prompt, repeat), _NONE
    heads, rows = _first(found)
    here = [replace(row, prompt=0, repeat=0) for row in rows if row.repeat == repeat]
    facts, left_out = replace(found.facts, prompts=(text,), repeats=1), (several - 1) * len(heads)
    return (prompt, repeat), _fields(comparison, ResultData(facts, heads, here), texts=False, left_out=left_out)


def _first(found: ResultData) -> tuple[Sequence[Head], list[Row]]:
    """Return the columns that the page shows, with their rows."""
    heads = found.heads[:LIVE_COLUMNS]
    shown = {head.id for head in heads}
    return heads, [row for row in found.rows if row.column in shown]


def _fields(comparison: Comparison, kept: ResultData, *, texts: bool, left_out: int) -> dict[str, Any]:
    votes = [[n, row.vote, row.vote_early, row.vote_blind] for n, row in enumerate(kept.rows) if row.vote is not None]
    file = parts(kept, without={"reasoning", "vote", "vote_early", "vote_blind", *(() if texts else ("text",))})
    cuts = [asdict(cut) for cut in comparison.setup.cuts]
    return {"file": {**file, "cuts": cuts, "left_out": left_out}, "votes": votes}


async def brought_back(session: Engine, file: dict[str, Any]) -> tuple[Comparison, str]:
    """Return the comparison that the page kept, and what must be said of it.

    It is the session's own where this kernel still has it. Raises `ComparisonFileError` for what is no comparison.
    """
    data = read(file, "What the page kept")
    known = session.comparison
    if isinstance(known, Comparison) and known.result_of(()).facts.started_at == data.facts.started_at:
        return known, ""
    with suppress(TetrateError):  # signed out: it is shown all the same
        await session.amodels()
    return restored(session, data, _cuts(file.get("cuts"))), _too_much(file.get("left_out"))


def _too_much(left_out: object) -> str:
    if not isinstance(left_out, int) or left_out < 1:
        return ""
    answers = "1 more answer" if left_out == 1 else f"{left_out:,} more answers"
    return f"This is what was shown: {answers} took too much room to be kept."


def _cuts(given: object) -> tuple[Cut, ...]:
    """Return what was left out, with the text that was sent; nothing where that can't be read."""
    with suppress(msgspec.ValidationError):
        return msgspec.convert(given, tuple[Cut, ...])
    return ()
