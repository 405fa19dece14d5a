"""What a skill finds, before it is put into a model's voice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """An answer in Markdown, `how` it was found (short clauses), and its `bare` value for requests of only that.

    `is_finished`: nothing is added in a model's voice. `pace`: tokens a second at most, None for the model's own.
    """

    answer: str
    how: tuple[str, ...] = ()
    bare: str | None = None
    is_finished: bool = False
    pace: float | None = None
