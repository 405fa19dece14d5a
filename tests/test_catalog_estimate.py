"""Cost: exact where everything is known, unknown otherwise, and honest about where it errs."""

from __future__ import annotations

import json
import statistics
from decimal import Decimal, localcontext
from pathlib import Path

import pytest

from tetrate_jupyter.catalog.estimate import (
    CACHE_WRITES,
    LONG_CONTEXT,
    NO_PRICE,
    NO_USAGE,
    Estimate,
    cost,
    most_cost,
    most_tokens,
    size,
    text_tokens,
)
from tetrate_jupyter.types import Message, Model, Price, ToolCall, Usage

COUNTED = json.loads(Path(__file__).with_name("token_counts.json").read_text(encoding="utf-8"))
WORDLESS = {"digits", "phone numbers", "hex and uuid", "base64", "random letters", "white space"}


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


# --- sizes: what ten tokenizers counted --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", COUNTED["texts"])
def test_the_estimate_is_as_near_as_it_says_it_is(kind: str) -> None:
    median = statistics.median(counts[kind] for counts in COUNTED["counts"].values())
    share = text_tokens(COUNTED["texts"][kind]) / median
    assert (0.35 if kind in WORDLESS else 2 / 3) <= share <= 4 / 3, share


@pytest.mark.parametrize("kind", COUNTED["texts"])
def test_no_tokenizer_passes_the_bound(kind: str) -> None:
    text = COUNTED["texts"][kind]
    most = max(counts[kind] for counts in COUNTED["counts"].values())
    assert most <= size(text) + 1  # a few put a space in front
    assert most < most_tokens([Message("user", text)])


def test_the_bound_knows_that_some_tokenizers_write_signs_out() -> None:
    assert size("\ufdfa" * 10) == 10 * len("صلى الله عليه وسلم".encode())


def test_the_bound_counts_calls_and_what_came_with_them() -> None:
    call = ToolCall("1", "f" * 100, "{" + "a" * 1_000 + "}", extra="e" * 200)
    with_call = [Message("assistant", "", tool_calls=(call,), aside="r" * 300)]
    assert most_tokens(with_call) - most_tokens([Message("assistant", "")]) >= 1_602


def test_the_most_that_a_request_can_cost_knows_cache_writes_and_long_contexts() -> None:
    priced = Model(id="m", name="M", price=Price(Decimal(1), Decimal(5), None, Decimal("1.25")))
    assert most_cost(priced, 1_000_000, 1_000_000) == Decimal("6.25")
    assert most_cost(model(threshold=10), 11, 1) == Decimal("0.000001") * (2 * 11 + 2 * 5)
    assert most_cost(model(inp=None), 1, 1) is None


def test_nothing_has_no_tokens() -> None:
    assert text_tokens("") == 0
    assert text_tokens("a") == text_tokens("é") - 1 == 1
