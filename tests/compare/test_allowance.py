"""What `max_cost` allows: the cap that it implies, the prices that it needs, and what is said where it isn't enough."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.compare.test_setup import model, setup
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.compare.allowance import Load, Weight, kept_within, loads, refuse_unknown_prices
from tetrate_jupyter.compare.columns import Column, column_requests, columns_of
from tetrate_jupyter.compare.forecast import Forecast, forecast, weight
from tetrate_jupyter.compare.setup import CellPlace, Setup
from tetrate_jupyter.errors import CostLimitError
from tetrate_jupyter.types import Model, Price

MILLION = Decimal(1_000_000)
TEN = model("ten", price="10", max_output_tokens=1000)
LISTED = ModelList(
    [
        TEN,
        model("twenty", price="20", max_output_tokens=3000),
        model("open", price="10"),
        model("gpt", "openai", price="10", max_output_tokens=1000),
        model("free", price="0"),
        model("unpriced", price=None),
    ]
)

GONE = Column("c9", "gone", "gone")


def asked(models: object, most: str | None, **more: Any) -> Setup:
    given = columns_of(column_requests(models), LISTED)
    return setup(columns=given, max_cost=None if most is None else Decimal(most), **more)


def kept(models: object, most: str | None, **more: Any) -> list[int | None]:
    """Return the cap of each column."""
    return [c.allowed for c in within(asked(models, most, **more)).columns]


def within(given: Setup) -> Setup:
    return kept_within(given, {c.id: Weight(0, 0) for c in given.columns})


def refused(models: object, most: str, **more: Any) -> CostLimitError:
    with pytest.raises(CostLimitError) as caught:
        kept(models, most, **more)
    return caught.value


# --- one column's calls ------------------------------------------------------------------------------------------


def load(of: Model = TEN, **more: Any) -> Load:
    return Load(of, **{"sizes": (100, 300), "repeats": 2, "rounds": 1, "given": None, "allowed": None, **more})


def test_the_most_is_all_prompts_and_answers_at_their_caps() -> None:
    assert load().most(None) == 10 * 2 * (400 + 2 * 1016) / MILLION
    assert load().most(50) == 10 * 2 * (400 + 2 * 66) / MILLION
    assert load().most(5000) == load().most(None)
    assert load(given=7).most(50) == 10 * 2 * (400 + 2 * 23) / MILLION
    assert load(rounds=3).most(50) == 3 * 10 * 2 * (400 + 2 * 66) / MILLION
    assert load(LISTED["unpriced"]).most(50) is None


def test_the_most_of_one_call_is_its_prompt_and_its_cap() -> None:
    assert load(allowed=50).most_of(0) == 10 * (100 + 66) / MILLION
    assert load(allowed=50, rounds=3).most_of(1) == 3 * 10 * (300 + 66) / MILLION
    assert load(LISTED["unpriced"]).most_of(0) is None


def test_the_cap_is_the_given_one_or_the_smaller_of_the_models_and_the_allowed() -> None:
    assert (load().cap, load(allowed=50).cap, load(allowed=5000).cap, load(given=7, allowed=5).cap) == (
        1000, 50, 1000, 7,
    )  # fmt: skip
    assert load(LISTED["open"]).cap == load(LISTED["open"]).own == 16_384


def test_a_long_prompt_counts_twice_and_the_others_once() -> None:
    long = replace(TEN, long_context_threshold=299)
    assert load(long).most(50) == 10 * 2 * (100 + 66 + 2 * (300 + 66)) / MILLION
    assert load(long, allowed=50).most_of(0) == 10 * (100 + 66) / MILLION
    assert load(long, allowed=50).most_of(1) == 2 * 10 * (300 + 66) / MILLION


def test_loads_are_of_the_columns_that_can_be_asked() -> None:
    given = asked(["ten", "nope-at-all", {"model": "twenty", "max_tokens": 9, "tools": ["f"]}], None, repeats=2)
    found = loads(given, {c.id: Weight(1, 30) for c in given.columns})
    assert list(found) == ["c1", "c3"]
    assert found["c1"] == Load(TEN, (32,), 2, 1, None, None)
    assert (found["c3"].rounds, found["c3"].given, found["c3"].sizes) == (3, 9, (32,))
    broken = replace(given, columns=(given.columns[0], replace(given.columns[2], problem=given.columns[1].problem)))
    assert list(loads(broken, {c.id: Weight(0, 0) for c in given.columns})) == ["c1"]


# --- prices that are needed --------------------------------------------------------------------------------------


def test_an_unknown_price_is_no_problem_without_a_limit() -> None:
    given = asked(["ten", "unpriced"], None)
    assert refuse_unknown_prices(given) is given


def test_with_a_limit_it_is_and_each_column_keeps_the_problem_that_it_has() -> None:
    found = refuse_unknown_prices(asked(["ten", "unpriced", "nope-at-all", "free"], "0.5"))
    ten, unpriced, unknown, free = (c.problem for c in found.columns)
    assert ten is free is None
    assert isinstance(unpriced, CostLimitError)
    assert unpriced.message == "Not asked: the price of this model is unknown, so max_cost $0.50 could be passed."
    assert unpriced.next_step == "leave this model out, or compare without max_cost"
    assert not isinstance(unknown, CostLimitError)


# --- the cap that it implies -------------------------------------------------------------------------------------


def test_all_answers_get_the_longest_cap_that_the_money_allows() -> None:
    # "hi" has two bytes, and a provider may bill 16 tokens beyond a cap
    assert kept("ten", "0.009") == [900 - 18]
    assert kept("ten", "0.00901") == [901 - 18]
    assert kept("ten", "0.009009") == [900 - 18]
    assert kept(["ten", "twenty"], "0.018") == [600 - 18, 600 - 18]
    assert kept("ten", "0.01018") == [None]
    assert kept("ten", "0.01017") == [999]
    assert kept(["ten", "twenty"], "0.0603") == [None, (60_300 - 10_180) // 20 - 18]


def test_without_a_limit_or_with_enough_nothing_is_capped() -> None:
    assert kept(["ten", "open"], None) == [None, None]
    assert kept("ten", "5") == [None]
    assert kept("open", "5") == [16_384]  # its own limit is unknown, so it is told ours
    again = replace(asked("ten", None), columns=tuple(replace(c, allowed=5) for c in asked("ten", None).columns))
    assert [c.allowed for c in within(again).columns] == [None]
    assert [c.allowed for c in within(replace(asked("ten", "5"), columns=(GONE,))).columns] == [None]
    assert kept("free", "0") == [16_384]


def test_a_column_with_a_cap_of_its_own_keeps_it() -> None:
    assert kept([{"model": "ten", "max_tokens": 100}, "ten"], "0.01") == [None, (10_000 - 1180) // 10 - 18]
    assert kept(["ten", "ten"], "0.01", params={"max_tokens": 100}) == [None, None]


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("ten", {"max_tokens": 100}, {"max_tokens": 100}),
        ("ten", {"max_completion_tokens": 100}, {"max_completion_tokens": 100, "max_tokens": 100}),
        ("ten", {"max_output_tokens": 100}, {"max_output_tokens": 100, "max_tokens": 100}),
        ("gpt", {"max_completion_tokens": 100}, {"max_completion_tokens": 100}),
        ("gpt", {"max_output_tokens": 100}, {"max_output_tokens": 100, "max_tokens": 100}),
        ("ten", {"max_tokens": 5, "max_output_tokens": 100}, {"max_tokens": 100, "max_output_tokens": 100}),
        ("ten", {"seed": 1}, {"seed": 1}),
    ],
)
def test_a_cap_is_sent_under_a_name_that_the_model_is_sure_to_know(
    name: str, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    (own,) = within(asked([{"model": name, **given}], "5")).columns
    assert own.params == sent
    (shared,) = within(asked(name, "5", params=given)).columns
    assert {**given, **shared.params} == sent


def test_a_column_without_a_model_has_its_cap_in_the_usual_field() -> None:
    capped = replace(GONE, params={"max_completion_tokens": 9})
    given = replace(asked("ten", "5"), columns=(*asked("ten", "5").columns, capped))
    assert within(given).columns[1] == replace(GONE, params={"max_completion_tokens": 9, "max_tokens": 9})


# --- too little --------------------------------------------------------------------------------------------------


def test_too_little_for_a_useful_answer_says_how_much_would_do() -> None:
    needed = 256
    error = refused("ten", "0.0011")
    assert error.message == (
        f"This makes 1 call; max_cost $0.0011 allows 92 tokens for each answer, too few to be of use ({needed}); "
        "answers of any length can cost $0.01. Nothing was asked."
    )
    assert error.next_step == (
        "allow more (--max-cost 0.0028; max_cost=0.0028), cap the answers (--max-tokens 92; max_tokens=92), "
        "or give fewer prompts, models or repeats"
    )
    assert (error.fits, error.enough) == (92, "0.0028")


def test_prompts_that_cost_too_much_by_themselves_say_so() -> None:
    error = refused("ten", "0.00018", repeats=1000)
    assert error.message == (
        "This makes 1,000 calls; the prompts alone can cost $0.19, more than max_cost $0.00018. Nothing was asked."
    )
    assert error.next_step == ("allow more (--max-cost 2.8; max_cost=2.8), or give fewer prompts, models or repeats")
    assert (error.fits, error.enough) == (0, "2.8")


def test_caps_that_were_given_and_cost_too_much_say_which_would_fit() -> None:
    error = refused(
        [{"model": "ten", "max_tokens": 500}, {"model": "ten", "max_tokens": 700}], "0.01", prompts=["hi", "ho"]
    )
    assert error.message == (
        "This makes 4 calls; answers of up to 700 tokens can cost $0.025, more than max_cost $0.01. Nothing was asked."
    )
    assert error.fits == 10_000 // 40 - 18
    assert f"cap the answers (--max-tokens {error.fits}; max_tokens={error.fits}), " in error.next_step
    assert error.enough == "0.025"


# --- the forecast of it ------------------------------------------------------------------------------------------


def forecast_of(given: Setup) -> Forecast:
    return forecast(within(given), None, {c.id: Weight(0, 0) for c in given.columns})


def test_the_forecast_knows_each_columns_load_and_each_calls_bound() -> None:
    found = forecast_of(asked(["ten", "twenty", "nope-at-all"], "0.018", prompts=["hi", "hello"], repeats=1))
    assert found.load("c2") is not None
    assert [None if (one := found.load(c)) is None else one.model.id for c in ("c1", "c2", "c3", "c4")] == [
        "ten", "twenty", None, None,
    ]  # fmt: skip
    assert found.allowed == 18000 // 60 - 20
    assert found.most(CellPlace("c1", 1)) == 10 * (5 + found.allowed + 16) / MILLION
    assert found.most(CellPlace("c3")) is None
    assert found.calls == 4


def test_it_says_the_cap_and_what_it_would_be_without() -> None:
    assert forecast_of(asked("ten", "0.009")).sentence == (
        "This makes 1 call, at most ≈ $0.009 (≈ $0.004 expected). Answers are capped at 882 tokens, what max_cost "
        "$0.009 allows; without it, at most ≈ $0.01."
    )
    assert forecast_of(asked("ten", "5")).sentence == "This makes 1 call, at most ≈ $0.01 (≈ $0.004 expected)."
    assert forecast_of(asked("open", "5")).sentence == "This makes 1 call, at most ≈ $0.16 (≈ $0.004 expected)."


def test_it_says_that_tools_may_take_more_rounds() -> None:
    with_tools = asked([{"model": "ten", "tools": ["f"]}, "ten", "nope-at-all"], "5")
    assert forecast_of(with_tools).sentence.endswith(
        ". A model that uses its tools may take more rounds than the 3 counted here."
    )
    assert "rounds" not in forecast_of(asked(["ten", "nope-at-all"], "5")).sentence


def test_it_says_what_is_known_where_nothing_or_not_all_is() -> None:
    assert forecast_of(replace(asked("ten", None), columns=(GONE,))).sentence == "This makes 0 calls."
    assert forecast_of(asked("unpriced", None, repeats=1200)).sentence == (
        "This makes 1,200 calls; the cost is unknown."
    )
    assert forecast_of(asked(["ten", "unpriced"], None)).sentence == (
        "This makes 2 calls, at most ≈ $0.01 (≈ $0.004 expected), without unpriced: price unknown."
    )


def test_shares_add_up_prompts_history_and_answers() -> None:
    given = asked("ten", None, prompts=["hi", "hello there"], repeats=3)
    (share,) = forecast(given, {"": 70, "ten": 50}, {"c1": Weight(9, 40)}).shares
    assert (share.calls, share.output_tokens, share.output_cap) == (6, 6 * 50, 1000)
    assert share.prompt_tokens == 3 * (1 + 3) + 6 * 9
    assert share.expected == 10 * (share.prompt_tokens + 300) / MILLION
    assert share.worst == share.uncapped == 10 * 3 * (2 + 11 + 2 * 40 + 2 * 1016) / MILLION
    (least,) = forecast(given, {"": 70}, {"c1": Weight(9, 40)}).shares
    assert least.output_tokens == 6 * 70
    (nothing,) = forecast(setup(columns=(GONE,)), {}).shares
    assert (nothing.prompt_tokens, nothing.output_tokens, nothing.output_cap) == (0, 0, 0)
    assert (nothing.expected, nothing.worst, nothing.uncapped, nothing.load) == (None, None, None, None)


@pytest.mark.parametrize(("threshold", "noted"), [(None, False), (20, False), (19, True), (10, True)])
def test_a_long_prompt_is_noted_with_what_goes_with_it(threshold: int | None, noted: bool) -> None:
    long = replace(TEN, long_context_threshold=threshold)
    given = Setup(("x" * 43,), (Column("c1", "ten", "ten", long),))  # ten tokens, and ten beside them
    (share,) = forecast(given, None, {"c1": Weight(10, 10)}).shares
    assert bool(share.notes) is noted


def test_what_goes_with_each_prompt_is_weighed() -> None:
    plain = asked("ten", None)
    (column,) = plain.columns
    assert weight(plain, column) == Weight(4, 128 + 32)
    shared = asked("ten", None, params={"system": "s" * 50})
    assert weight(shared, column) == Weight(4 + 4 + 12, 128 + 2 * 32 + 50)
    assert weight(shared, replace(column, params={"system": ""})) == Weight(4, 128 + 32)
    assert Price() == LISTED["unpriced"].price
