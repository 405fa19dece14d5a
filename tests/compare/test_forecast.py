"""The cost before it is paid: expected, at most, unknown said as unknown."""

from __future__ import annotations

from decimal import Decimal

from tests.compare.test_setup import columns, model, setup
from tetrate_jupyter.catalog.estimate import LONG_CONTEXT, text_tokens
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.compare.allowance import OVER
from tetrate_jupyter.compare.columns import column_requests, columns_of
from tetrate_jupyter.compare.forecast import forecast, usual_output
from tetrate_jupyter.ledger.window import Entry
from tetrate_jupyter.types import Usage


def test_worst_is_the_cap_times_the_price_and_expected_the_usual_length() -> None:
    text = "x" * 3500
    found = forecast(setup([text, text], columns=columns("gpt-large"), repeats=3, params={"max_tokens": 500}))
    (share,) = found.shares
    assert (share.calls, share.output_cap, share.output_tokens) == (6, 500, 6 * 400)
    assert share.worst == Decimal(10) * 6 * (3500 + 32 + 128 + 500 + OVER) / 1_000_000  # a token for each byte
    assert share.expected == Decimal(10) * (share.prompt_tokens + 6 * 400) / 1_000_000
    assert found.sentence == "This makes 6 calls for 2 prompts, at most ≈ $0.25 (≈ $0.073 expected)."


def test_a_columns_own_parameters_system_and_cap_count() -> None:
    found = forecast(
        setup(columns=columns([{"model": "gpt-large", "max_tokens": 7, "system": "s" * 350}, "gpt-large"]))
    )
    one, other = found.shares
    assert one.output_cap == 7
    assert other.output_cap == 16_384
    assert one.prompt_tokens == other.prompt_tokens + text_tokens("s" * 350) + 4


def test_an_unknown_price_is_said_and_never_counted_as_nothing() -> None:
    found = forecast(setup(columns=columns(["mystery", "gpt-mini"])))
    assert found.shares[0].worst is None
    assert found.unknown == ("mystery",)
    assert found.sentence.endswith("without mystery: price unknown.")
    alone = forecast(setup(columns=columns("mystery")))
    assert alone.worst is None
    assert alone.sentence == "This makes 1 call; the cost is unknown."


def test_a_column_that_fails_at_once_makes_no_calls() -> None:
    found = forecast(setup(columns=columns(["gpt-mini", "nope-at-all"])))
    assert [s.calls for s in found.shares] == [1, 0]
    assert found.unknown == ()


def test_it_learns_the_length_of_answers_from_the_ledger() -> None:
    entries = [Entry("gpt-mini", usage=Usage(1, n)) for n in (10, 20, 90)]
    entries += [Entry("claude-haiku", usage=Usage(1, 100)), Entry("gpt-mini", outcome="failed")]
    usual = usual_output(entries)
    assert usual == {"gpt-mini": 20, "claude-haiku": 100, "": 55}
    shares = forecast(setup(columns=columns(["gpt-mini", "gpt-large"])), usual).shares
    assert [s.output_tokens for s in shares] == [20, 55]


def test_a_prompt_above_the_long_context_threshold_is_noted() -> None:
    models = ModelList([model("long", long_context_threshold=100)])
    (share,) = forecast(setup("x" * 1000, columns=columns_of(column_requests("long"), models))).shares
    assert share.notes == (LONG_CONTEXT,)
