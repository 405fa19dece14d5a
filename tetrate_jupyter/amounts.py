"""Amounts of US dollars: arithmetic that gives a number or "unknown" whatever it is given, and never raises."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# Of our own in every part and without traps: a notebook may have changed decimal's precision, range and traps.
EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, traps=[])


def known(amount: Decimal | None) -> Decimal | None:
    """Return `amount`, None for one that is no number or infinite."""
    return None if amount is None or not amount.is_finite() else amount


def total(parts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of the parts that are known, None where none is."""
    found: Decimal | None = None
    for part in parts:
        if part is not None and part.is_finite():
            found = part if found is None else EXACT.add(found, part)
    return known(found)


def product(*factors: Decimal | int) -> Decimal | None:
    """Return the product, None where it is no finite number."""
    found = Decimal(1)
    for factor in factors:
        found = EXACT.multiply(found, Decimal(factor))
    return known(found)


def magnitude(amount: Decimal) -> float:
    """Return the natural logarithm of a positive amount, however small or large; minus infinity for anything else."""
    if not amount.is_finite() or amount <= 0:
        return float("-inf")
    return float(EXACT.ln(amount))
