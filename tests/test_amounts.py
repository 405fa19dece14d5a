"""Money, prices, sizes and times are shown and added up whatever number comes: short, and never an exception."""

from __future__ import annotations

import decimal
import itertools
import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import amounts
from tetrate_jupyter.catalog.estimate import cost
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.search import blended_price, default_choice, in_order
from tetrate_jupyter.compare.columns import neighbours
from tetrate_jupyter.ledger.budget import Budget
from tetrate_jupyter.ledger.window import Entry, Ledger
from tetrate_jupyter.render.numbers import money, price, seconds, tokens
from tetrate_jupyter.types import Model, Price, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = [
    Decimal(text)
    for text in (
        *("0", "-0", "1", "-1", "0.004", "0.1", "12.5", "1E+1", "999999.999999", "1e6", "1e12", "1000000000000.01"),
        *("1e60", "-1e60", "1e-60", "-1e-60", "1e-999990", "1e999990", "1e-9", "1e-12", "9e-13", "NaN", "sNaN", "-NaN"),
        *("Infinity", "-Infinity", "9" * 400, "0." + "3" * 400, "1" + "0" * 100 + "." + "0" * 99 + "1", "1e400"),
    )
]


@pytest.fixture(params=["usual", "a notebook's own"])
def ambient(request: pytest.FixtureRequest) -> Iterator[None]:
    """Also where somebody has set decimal's context to be narrow and strict."""
    with decimal.localcontext() as context:
        if request.param != "usual":
            context.prec, context.Emax, context.Emin = 3, 10, -10
            for signal in (
                decimal.Inexact,
                decimal.Rounded,
                decimal.Subnormal,
                decimal.Clamped,
                decimal.FloatOperation,
            ):
                context.traps[signal] = True
        yield


@pytest.mark.parametrize("number", ANY, ids=str)
@pytest.mark.usefixtures("ambient")
def test_any_amount_is_shown_short(number: Decimal) -> None:
    assert len(money(number)) < 40
    assert len(price(number)) < 40
    if not number.is_finite():
        assert money(number) == price(number) == "unknown"


@pytest.mark.usefixtures("ambient")
def test_bounds_say_that_they_are_bounds() -> None:
    assert money(Decimal("1e60")) == ">$1,000,000,000,000"
    assert money(Decimal("-1e60")) == "->$1,000,000,000,000"
    assert price(Decimal("1e-60")) == "<$0.000000000001"
    assert price(Decimal("0.30000000000000004")) == "$0.30000000000000004"
    assert price(Decimal("1E+1")) == "$10.00"
    assert price(Decimal(-1)) == "unknown"
    assert tokens(10**400) == ">1,000,000M"
    assert tokens(-5) == "unknown"
    assert [seconds(x) for x in (math.nan, math.inf, -math.inf, 1e300)] == ["unknown"] * 4


@pytest.mark.usefixtures("ambient")
def test_any_prices_and_counts_give_a_cost_or_unknown() -> None:
    pairs = itertools.pairwise(ANY)
    models = [Model(str(n), str(n), price=Price(one, other, one)) for n, (one, other) in enumerate(pairs)]
    for model in models:
        for count in (0, 7, -1, 10**30, 10**5000):
            found = cost(model, Usage(count, count, count)).usd
            assert found is None or found.is_finite()
            assert len(money(found)) < 40
        assert (mixed := blended_price(model)) is None or mixed.is_finite()
        neighbours(model, models)
    ModelList(models).search("cheap free priced")
    assert default_choice(models) is not None
    assert len(in_order(models, "price")) == len(models)
    assert amounts.magnitude(Decimal("1e-999990")) < amounts.magnitude(Decimal("1e-60")) < 0


@pytest.mark.usefixtures("ambient")
def test_any_costs_add_up() -> None:
    ledger, budget = Ledger(), Budget(Decimal(5))
    for number in ANY:
        ledger.record(Entry("m", cost=number))
        bound = amounts.known(number)
        budget.promise("call", bound)
        began = budget.begin("call", bound)
        assert began == (not budget.never_fits(bound))
        budget.pay("call", bound, bound)
        budget.end("call")
        assert not budget.is_busy
    total = ledger.total()
    assert total.unknown_costs == sum(not n.is_finite() for n in ANY)
    assert total.cost is not None
    assert len(money(total.cost)) < 40
    assert amounts.total([]) is None
    assert amounts.total([None, Decimal("NaN")]) is None
    assert amounts.total([Decimal("0.1"), None, Decimal("0.2")]) == Decimal("0.3")
