"""What a skill finds out, before a model's voice dresses it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """An answer in Markdown, `how` it was found (short clauses), and its `bare` value where only that is wanted.

    `is_finished`: no model adds anything of its own manner. `pace`: tokens a second at most, None for the model's own.
    """

    answer: str
    how: tuple[str, ...] = ()
    bare: str | None = None
    is_finished: bool = False
    pace: float | None = None
