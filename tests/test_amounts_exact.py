"""Sums, products and sizes of amounts, by their values."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from tetrate_jupyter.amounts import known, magnitude, product, total


def test_what_is_known() -> None:
    assert known(Decimal("0.5")) == Decimal("0.5")
    assert [known(each) for each in (None, Decimal("NaN"), Decimal("Infinity"))] == [None] * 3


def test_sums_are_exact_and_leave_out_what_is_unknown() -> None:
    assert str(total([Decimal("1e20"), Decimal("1e-30")])) == "1" + "0" * 20 + "." + "0" * 29 + "1"
    assert str(total([Decimal("0.1")] * 3)) == "0.3"
    assert str(total([None, Decimal("0.1"), Decimal("NaN"), Decimal("-0.3")])) == "-0.2"
    assert total([None]) is None


def test_products_are_exact() -> None:
    assert product(Decimal("0.1"), 3, Decimal("0.7")) == Decimal("0.21")
    assert product() == 1
    assert product(Decimal("Infinity"), 2) is None
    assert len(str(product(Decimal("1." + "1" * 29), Decimal("1." + "3" * 29)))) == 60


@pytest.mark.parametrize(
    ("amount", "size"),
    [("1", 0.0), ("2", math.log(2)), ("0", -math.inf), ("-1", -math.inf), ("Infinity", -math.inf), ("NaN", -math.inf)],
)
def test_sizes(amount: str, size: float) -> None:
    assert magnitude(Decimal(amount)) == pytest.approx(size)
