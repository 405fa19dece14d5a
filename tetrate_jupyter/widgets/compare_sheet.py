"""Several prompts as rows: each with its outcome in every column, unfolded on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.compare.facts import digest
from tetrate_jupyter.compare.figures import agreement, figures
from tetrate_jupyter.compare.page import grid
from tetrate_jupyter.compare.result import Blind
from tetrate_jupyter.render.plain import one_line, visible
from tetrate_jupyter.widgets.compare_items import HELD_BACK
from tetrate_jupyter.widgets.feed import Item

if TYPE_CHECKING:
    from tetrate_jupyter.compare.running import Comparison

ROWS: Final = 50  # shown at once; the page asks for others
_PROMPT: Final = 160  # characters of a prompt in its row


class PromptRows:
    """One item for each prompt in view. Not thread-safe: the panel's lock is held around it."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._made: dict[int, tuple[object, Item]] = {}
        self.start = 0
        self.opened: set[int] = set()

    def all(self, *, blind: bool) -> list[Item]:
        """Return the items from `start` on."""
        end = min(self.start + ROWS, len(self._comparison.setup.prompts))
        return [self._item(number, blind=blind) for number in range(self.start, end)]

    def turn(self, start: int) -> None:
        """Show the page that has the prompt of this number, or the last one."""
        last = max(0, len(self._comparison.setup.prompts) - 1)
        self.start = min(max(0, start), last) // ROWS * ROWS

    def toggle(self, number: int) -> None:
        """Unfold the prompt of this number, or fold it."""
        self.opened ^= {number}

    def _item(self, number: int, *, blind: bool) -> Item:
        columns, repeats = self._comparison.columns, range(self._comparison.setup.repeats)
        cells = [self._comparison.cell(c.id, number, repeat) for c in columns for repeat in repeats]
        now = blind, number in self.opened, [(c.column.id, c.state, c.attempt) for c in cells]
        known = self._made.get(number)
        if known is None or known[0] != now:
            self._made[number] = known = now, self._made_anew(number, blind=blind)
        return known[1]

    def _made_anew(self, number: int, *, blind: bool) -> Item:
        result = self._comparison.result_of([number])
        shown = Blind(result, self._comparison.setup.blind_names()).shown if blind else result
        held = blind and any(row.state in {"waiting", "running"} for row in result.rows)  # who is first tells a name
        cells = [
            [
                visible(c.head.label),
                HELD_BACK if held else digest(figures(c.head, c.rows), agreement(c.rows), blind=blind),
            ]
            for c in shown.columns
        ]
        prompt = one_line(self._comparison.setup.prompts[number])
        opened = number in self.opened and not held
        fields = {
            "number": number,
            "prompt": prompt[:_PROMPT] + (" …" if len(prompt) > _PROMPT else ""),
            "cells": cells,
            "opened": opened,
        }
        return Item(f"p{number}", fields, (grid(shown, number),) if opened else ())
