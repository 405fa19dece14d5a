"""Cost: exact where everything is known, unknown otherwise, and honest about where it errs."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from tetrate_jupyter.catalog.estimate import CACHE_WRITES, LONG_CONTEXT, NO_PRICE, NO_USAGE, Estimate, cost
from tetrate_jupyter.types import Model, Price, Usage


def model(
    inp: str | None = "1", out: str | None = "5", cached: str | None = "0.1", threshold: int | None = None
) -> Model:
    def known(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    price = Price(known(inp), known(out), known(cached))
    return Model(id="m", name="M", price=price, long_context_threshold=threshold)


def test_cost_is_input_cached_and_output_at_their_prices() -> None:
    usage = Usage(prompt_tokens=1000, completion_tokens=200, cached_tokens=400)
    assert cost(model(), usage) == Estimate(Decimal("0.00164"))


def test_cached_tokens_cost_the_input_price_where_there_is_no_other() -> None:
    usage = Usage(prompt_tokens=1000, completion_tokens=200, cached_tokens=400)
    assert cost(model(cached=None), usage).usd == Decimal("0.002")


def test_more_cached_than_sent_counts_as_all_cached() -> None:
    assert cost(model(), Usage(10, 0, cached_tokens=99)).usd == Decimal("0.000001")


@pytest.mark.parametrize("priced", [model(inp=None), model(out=None), None])
def test_cost_is_unknown_without_both_prices(priced: Model | None) -> None:
    assert cost(priced, Usage(1, 1)) == Estimate(None, (NO_PRICE,))


@pytest.mark.parametrize("usage", [Usage(), Usage(prompt_tokens=1), Usage(completion_tokens=1)])
def test_cost_is_unknown_without_both_counts(usage: Usage) -> None:
    assert cost(model(), usage) == Estimate(None, (NO_USAGE,))


def test_free_is_zero_and_not_unknown() -> None:
    assert cost(model("0", "0", None), Usage(10, 10)) == Estimate(Decimal(0))


def test_an_estimate_above_the_long_context_threshold_says_that_it_is_too_low() -> None:
    priced = model(threshold=200_000)
    assert cost(priced, Usage(200_000, 1)).notes == ()
    assert cost(priced, Usage(200_001, 1)).notes == (LONG_CONTEXT,)


def test_cache_writes_are_told() -> None:
    assert cost(model(), Usage(10, 1, cache_write_tokens=5)).notes == (CACHE_WRITES,)
    assert cost(model(), Usage(10, 1, cache_write_tokens=0)).notes == ()


def test_a_low_decimal_precision_of_the_notebook_changes_no_cost() -> None:
    usage = Usage(123_456_789, 987_654_321)
    exact = cost(model("0.1130000001"), usage).usd
    with localcontext() as context:
        context.prec = 3
        assert cost(model("0.1130000001"), usage).usd == exact
    assert exact == Decimal("4952.2222221693456789")
