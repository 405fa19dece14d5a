"""The copy of a comparison that the page keeps for another kernel, in the parts of a saved file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.compare.data import ResultData
from tetrate_jupyter.compare.files import read, without_texts
from tetrate_jupyter.compare.restoring import restored
from tetrate_jupyter.compare.running import Comparison
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.widgets.compare_draft import COLUMNS

if TYPE_CHECKING:
    from tetrate_jupyter.engine.engine import Engine

LONGEST: Final = 100_000  # characters of a prompt; a longer one would make every message to a new view large


class KeptComparison:
    """Not thread-safe: the panel's lock is held around it."""

    def __init__(self) -> None:
        self._made: tuple[tuple[int, int], dict[str, Any] | None] | None = None

    def forget(self) -> None:
        """Let go of what was made: the comparison has changed."""
        self._made = None

    def file(self, comparison: Comparison | None, at: tuple[int, int], *, blind: bool) -> dict[str, Any] | None:
        """Return what the page is told beside the texts, which it has; None while there is nothing whole to keep.

        It holds the prompt and the repeat that are shown. Nothing goes while names are hidden, since it tells them.
        """
        if comparison is None or blind or comparison.is_running:
            return None
        if self._made is None or self._made[0] != at:
            self._made = at, _file(comparison, *at)
        return self._made[1]


def _file(comparison: Comparison, prompt: int, repeat: int) -> dict[str, Any] | None:
    found = comparison.result_of([prompt])
    text = found.facts.prompts[prompt]
    if len(text) + len(found.facts.typed or "") > LONGEST:
        return None
    rows = [replace(row, prompt=0, repeat=0) for row in found.rows if row.repeat == repeat][:COLUMNS]
    facts = replace(found.facts, prompts=(text,), repeats=1)
    whole, told = without_texts(ResultData(facts, found.heads[:COLUMNS], rows))
    return {**whole, "rows": told}


async def brought_back(session: Engine, file: dict[str, Any]) -> Comparison:
    """Return the comparison that the page kept: the session's own where this kernel still has it, else one made of it.

    Raises `ComparisonFileError` for what is no comparison.
    """
    data = read(file, "What the page kept")
    known = session.comparison
    if isinstance(known, Comparison) and known.result_of(()).facts.started_at == data.facts.started_at:
        return known
    with suppress(TetrateError):  # signed out: it is shown all the same
        await session.amodels()
    return restored(session, data)
