"""A result with the names hidden: the answers under letters, in an order that the seed decides; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tetrate_jupyter.compare.facts import provenance
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.compare.setup import blind_names

UNTOLD: Final = "what happened would tell the name"
REVEAL: Final = "reveal the names to read it"


class Blind:
    """Shows the answers of `result` under "A", "B", ... without what would tell whose they are: names, times, costs,
    errors. The result itself has all of that; this only shows.
    """  # noqa: D205 - one sentence

    def __init__(self, result: Result, names: dict[str, str] | None = None) -> None:
        names = names or blind_names([h.id for h in result.heads], result.facts.seed)
        kept = {h.id for h in result.heads}
        heads = [Head(column, name, name) for column, name in names.items() if column in kept]
        self.shown = Result(result.facts, heads, map(_untold, result.rows), is_blind=True)

    @property
    def html(self) -> str:
        """As `Result.html`."""
        return self.shown.html

    @property
    def text(self) -> str:
        """As `Result.text`."""
        return self.shown.text

    def __repr__(self) -> str:
        return self.text

    def bundle(self, *, at_once: bool = False) -> dict[str, str]:
        """As `Result.bundle`."""
        return self.shown.bundle(at_once=at_once)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.bundle()


def _untold(row: Row) -> Row:
    bare = Row(row.column, row.prompt, row.repeat, row.state, row.text, row.reasoning, row.partial)
    # That the sandbox answered is true of every column, so it tells no name.
    bare = replace(bare, refusal=row.refusal, notices=provenance([row]))
    return bare if row.error is None else replace(bare, error="Failed", message=UNTOLD + ".", next_step=REVEAL)
