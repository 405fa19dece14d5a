"""Staying under a cap while calls run: each call's worst case is set aside until its cost is known; pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tetrate_jupyter.amounts import total

if TYPE_CHECKING:
    from collections.abc import Hashable


class Budget:
    """US dollars. `most` None: no cap. A cost that stays unknown counts with its worst case, never with nothing."""

    def __init__(self, most: Decimal | None = None) -> None:
        self.most = most
        self.spent = Decimal(0)  # known costs
        self.unknown = 0  # calls whose cost isn't known
        self._assumed = Decimal(0)  # worst cases of those
        self._aside: dict[Hashable, Decimal] = {}

    def fits(self, worst: Decimal | None) -> bool:
        """Whether a call that costs `worst` at most can be made without passing the cap."""
        if self.most is None:
            return True
        return worst is not None and _sum(*self._aside.values(), self._gone, worst) <= self.most

    def never_fits(self, worst: Decimal | None) -> bool:
        """Whether it can't be made even when nothing else runs."""
        if self.most is None:
            return False
        return worst is None or _sum(self._gone, worst) > self.most

    def set_aside(self, call: Hashable, worst: Decimal | None) -> None:
        """Begin a call."""
        self._aside[call] = worst or Decimal(0)

    def settle(self, call: Hashable, cost: Decimal | None) -> None:
        """End a call."""
        aside = self._aside.pop(call, Decimal(0))
        if cost is None:
            self.unknown += 1
            self._assumed = _sum(self._assumed, aside)
        else:
            self.spent = _sum(self.spent, cost)

    @property
    def _gone(self) -> Decimal:
        return _sum(self.spent, self._assumed)


def _sum(*parts: Decimal) -> Decimal:
    return total(parts) or Decimal(0)
