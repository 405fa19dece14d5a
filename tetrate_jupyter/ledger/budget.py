"""Staying under a cap while calls run: what each can cost at most is set aside before it is sent; pure."""

from __future__ import annotations

from decimal import ROUND_UP, Context, Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.amounts import total

if TYPE_CHECKING:
    from collections.abc import Hashable

_NOTHING = Decimal(0)
_TWO_DIGITS: Final = Context(prec=2, rounding=ROUND_UP)


class Budget:
    """US dollars. `most` None: no cap. A cost that stays unknown counts with its bound, never with nothing.

    A call that waits for its turn can be promised its bound; then nothing else takes it. While it runs, its bound is
    set aside; each of its requests is paid from that, and what is left at the end is free again. A bound of None is
    unknown, and fits under no cap.
    """

    def __init__(self, most: Decimal | None = None) -> None:
        self.most = most
        self.spent = Decimal(0)  # known costs
        self.unknown = 0  # requests whose cost isn't known
        self._gone = Decimal(0)  # known costs, and bounds of the unknown ones
        self._promised: dict[Hashable, Decimal] = {}
        self._aside: dict[Hashable, Decimal] = {}
        self._promises = Decimal(0)  # their sums: there may be thousands
        self._held = Decimal(0)

    @property
    def is_busy(self) -> bool:
        """Whether calls run that may leave something over."""
        return bool(self._aside)

    def promise(self, call: Hashable, worst: Decimal | None) -> None:
        """Keep the bound of a call that waits, where that is possible."""
        self._forget(call)
        if self.most is not None and self._fits(worst, self._promises):
            self._promised[call] = worst or _NOTHING
            self._promises = _sum(self._promises, worst or _NOTHING)

    def begin(self, call: Hashable, worst: Decimal | None) -> bool:
        """Set the bound of a call aside before it runs; False where that would pass the cap as things stand."""
        if not self._fits(worst, _NOTHING if call in self._promised else self._promises):
            return False
        self._forget(call)
        self._aside[call] = worst or _NOTHING
        self._held = _sum(self._held, worst or _NOTHING)
        return True

    def more(self, call: Hashable, worst: Decimal | None) -> bool:
        """Have at least so much aside for a call that runs; False where that isn't free."""
        had = self._aside.get(call, _NOTHING)
        missing = None if worst is None else max(_sum(worst, had.copy_negate()), _NOTHING)
        if missing != 0 and not self._fits(missing, self._promises):
            return False
        self._aside[call] = _sum(had, missing or _NOTHING)
        self._held = _sum(self._held, missing or _NOTHING)
        return True

    @property
    def left(self) -> Decimal | None:
        """What is neither spent nor set aside; None where there is no cap."""
        return None if self.most is None else _sum(self.most, self._gone.copy_negate(), self._held.copy_negate())

    @property
    def gone(self) -> Decimal:
        """What is spent, with the bounds of what is unknown."""
        return self._gone

    def never_fits(self, worst: Decimal | None) -> bool:
        """Whether a call can't be made even when nothing else runs."""
        return self.most is not None and (worst is None or _sum(self._gone, worst) > self.most)

    def pay(self, call: Hashable, cost: Decimal | None, most: Decimal | None) -> None:
        """End one request of a call. `most`: what it can have cost; its bound where `cost` is unknown."""
        charged = most if most is not None else cost or _NOTHING
        if cost is None:
            self.unknown += 1
        else:
            self.spent = _sum(self.spent, cost)
        had = self._aside.get(call, _NOTHING)
        left = max(_sum(had, charged.copy_negate()), _NOTHING)
        self._gone = _sum(self._gone, charged)
        if call in self._aside:
            self._aside[call] = left
            self._held = _sum(self._held, left, had.copy_negate())

    def end(self, call: Hashable) -> None:
        """End a call: nothing more comes of it."""
        self._forget(call)
        self._held = _sum(self._held, self._aside.pop(call, _NOTHING).copy_negate())

    def _forget(self, call: Hashable) -> None:
        self._promises = _sum(self._promises, self._promised.pop(call, _NOTHING).copy_negate())

    def _fits(self, worst: Decimal | None, besides: Decimal) -> bool:
        if self.most is None:
            return True
        return worst is not None and _sum(self._gone, self._held, besides, worst) <= self.most


def _sum(*parts: Decimal) -> Decimal:
    return total(parts) or _NOTHING


def enough_for(amount: Decimal) -> str:
    """Return an amount of US dollars as one types it, rounded up to two digits."""
    return f"{_TWO_DIGITS.plus(amount):f}"


def stated(most: Decimal | None) -> str:
    """Return an amount that was given, as it was, unrounded: "$0.50"."""
    whole, _, cents = f"{most or Decimal(0):f}".partition(".")
    return f"${whole}.{cents:0<2}"
