"""A column's figures, who leads and who is even, and what a model differs from itself: exact values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter.compare.figures import (
    ColumnFigures,
    Merged,
    Spread,
    agreement,
    badges,
    figures,
    leaders,
    merged,
    noise,
    spread,
    verdict,
)
from tetrate_jupyter.compare.rows import Head, Row


def row(state: str = "done", **members: Any) -> Row:
    return Row("c1", 0, members.pop("repeat", 0), state, **{"text": "x", **members})


def column(
    name: str, time: float | None = 1.0, cost: float | None = None, length: int = 10, **members: Any
) -> ColumnFigures:
    """Return a column with one whole answer of that time, cost and length."""
    head = Head(name, f"label {name}", members.pop("asked", name), **members.pop("head", {}))
    known = {"rows": 1, "done": 1, "failed": 0, "stopped": 0, "cost": None, "unknown_costs": 0, **members}
    once = [None if value is None else Spread(1, value, value, value) for value in (time, cost, length)]
    return ColumnFigures(
        head, first_token=None, speed=None, tokens_out=None, total=once[0], cost_each=once[1], characters=once[2],
        **known,
    )  # fmt: skip


# --- one column --------------------------------------------------------------------------------------------------


def test_a_spread_is_of_what_is_known() -> None:
    assert spread([3, None, Decimal(1), 2.5, 9]) == Spread(4, 2.75, 1.0, 9.0)
    assert spread([None]) is None
    assert spread([]) is None


def test_each_row_counts_where_it_belongs() -> None:
    head = Head("c1", "a", "a", allowed=50)
    found = figures(
        head,
        [
            row(text="four", first_token=1.0, total=3.0, tokens_out=21, cost=Decimal("0.5"), attempts=1),
            row(text="sixsix", total=5.0, cost=Decimal("0.25"), cached=True),
            row("done", text="", finish_reason="length", attempts=1),
            row("failed", cost=Decimal("0.125"), attempts=1, total=99.0),
            row("failed", error="CostLimitError"),
            row("stopped", attempts=2),
            row("skipped"),
            row("running"),
        ],
    )
    assert (found.head, found.rows, found.done, found.failed, found.stopped) == (head, 8, 3, 2, 1)
    assert (found.skipped, found.unpaid, found.cut, found.cached) == (1, 2, 1, 1)
    assert found.first_token == Spread(1, 1.0, 1.0, 1.0)
    assert found.total == Spread(2, 4.0, 3.0, 5.0)
    assert found.speed == Spread(1, 10.0, 10.0, 10.0)
    assert found.tokens_out == Spread(1, 21.0, 21.0, 21.0)
    assert found.characters == Spread(3, 4.0, 0.0, 6.0)
    assert found.cost_each == Spread(2, 0.375, 0.25, 0.5)
    assert (found.cost, found.kept_cost, found.unknown_costs) == (Decimal("0.625"), Decimal("0.25"), 2)


def test_a_column_made_of_nothing_else_has_none_skipped_unpaid_cut_or_kept() -> None:
    plain = column("a")
    assert (plain.skipped, plain.unpaid, plain.cut, plain.cached, plain.kept_cost) == (0, 0, 0, 0, None)


def test_what_was_never_asked_has_no_unknown_cost_and_what_is_kept_has_none_either() -> None:
    assert figures(Head("c1", "a", "a"), [row("failed"), row(cached=True, attempts=1)]).unknown_costs == 0


def test_identical_answers_are_one_the_most_frequent_first() -> None:
    rows = [row(text="no"), row(text="yes ", repeat=1), row(text=" yes", repeat=2), row("failed", text="no", repeat=3)]
    rows += [row(text="no", repeat=4, partial=True), row("failed", text="no", repeat=5, error="E")]
    assert merged(rows) == [
        Merged(rows[1], (1, 2)), Merged(rows[0], (0,)), Merged(rows[3], (3,)), Merged(rows[4], (4,)),
        Merged(rows[5], (5,)),
    ]  # fmt: skip


def test_agreement_is_the_share_of_the_most_frequent() -> None:
    assert agreement([row(text="a"), row(text="b"), row(text="a"), row(text="c")]) == 0.5
    assert agreement([row(), row()]) == 1.0
    assert agreement([row()]) is None
    assert agreement([row(), row("failed"), row(cached=True)]) is None
    assert agreement([]) is None


# --- who leads ---------------------------------------------------------------------------------------------------


def test_the_leaders_are_the_fastest_the_cheapest_and_the_longest() -> None:
    both = [column("a", 1.0, 0.2, 1500), column("b", 2.0, 0.1, 900)]
    right = ["fastest label a (1.00 s)", "cheapest label b (≈ $0.10)", "longest label a (1,500 characters)"]
    assert leaders(both) == verdict(both) == right
    assert badges(both) == {"a": ["fastest"], "b": ["cheapest"]}


def test_three_columns_are_compared_with_the_next_one() -> None:
    assert leaders([column("a", 9.0), column("b", 3.0), column("c", 3.1)]) == []
    assert leaders([column("a", 3.1), column("b", 9.0), column("c", 2.0)]) == ["fastest label c (2.00 s)"]
    assert leaders([column("a", length=5), column("b", length=10), column("c", length=20)]) == [
        "longest label c (20 characters)"
    ]


@pytest.mark.parametrize(("other", "leads"), [(100.0, False), (95.0, False), (94.9, True)])
def test_a_lead_of_up_to_five_percent_is_none(other: float, leads: bool) -> None:
    assert bool(leaders([column("a", 100.0), column("b", other)])) is leads


@pytest.mark.parametrize(("other", "leads"), [(1000, False), (950, False), (949, True)])
def test_a_length_counts_in_the_same_way(other: int, leads: bool) -> None:
    assert bool(leaders([column("a", length=1000), column("b", length=other)])) is leads


def test_a_lead_that_the_shown_figures_dont_have_is_none() -> None:
    pair = [column("a", 0.0961), column("b", 0.1049)]  # both "0.10 s"
    assert (leaders(pair), badges(pair)) == ([], {})
    assert badges([column("a", 0.0949), column("b", 0.1049)]) == {"a": ["fastest"]}


def test_one_column_leads_nobody_and_an_unknown_figure_might_be_the_best() -> None:
    assert leaders([column("a")]) == []
    assert leaders([column("a", 1.0), column("b", None), column("c", 9.0)]) == []
    assert leaders([column("a", 1.0), column("b", 9.0), column("c", 2.0, rows=2)]) == ["fastest label a (1.00 s)"]


def test_only_columns_that_answered_everything_are_compared() -> None:
    some = [column("a", 1.0), column("b", 2.0), column("c", 0.1, rows=2)]
    assert verdict(some) == ["of the 2 columns of 3 that answered everything: fastest label a (1.00 s)"]
    assert badges(some) == {}
    assert leaders([column("a", 1.0), column("b", 2.0, rows=0, done=0)]) == []
    assert verdict([column("a", 1.0), column("b", 2.0, rows=2)]) == []


@pytest.mark.parametrize("left_out", ["unpaid", "cut"])
def test_nobody_leads_where_money_left_something_out(left_out: str) -> None:
    assert leaders([column("a", 1.0), column("b", 2.0, **{left_out: 1})]) == []


def test_of_several_answers_it_is_the_median() -> None:
    both = [column("a", 1.0, rows=1200, done=1200), column("b", 2.0, rows=1200, done=1200)]
    assert leaders(both) == ["fastest label a (1.00 s, the median of 1,200 answers)"]
    both = [column("a", 1.0, rows=2, done=2), column("b", 2.0, rows=2, done=2)]
    assert leaders(both) == ["fastest label a (1.00 s, the median of 2 answers)"]


# --- a model against itself --------------------------------------------------------------------------------------


def test_columns_of_one_model_differ_by_chance() -> None:
    twice = [column("a", 2.0, 0.5, 300, asked="m"), column("b", 3.0, 0.75, 100, asked="m")]
    chance = "chance (m against itself): 1.00 s of time, ≈ $0.25 of cost, 200 characters of length"
    assert noise(twice) == chance
    assert verdict(twice) == [chance]


def test_a_lead_within_that_chance_is_none_and_beyond_it_both_lead() -> None:
    twice = [column("a", 2.0, asked="m"), column("b", 3.0, asked="m")]
    assert leaders([*twice, column("c", 3.4)]) == []
    assert leaders([*twice, column("c", 3.5)]) == []
    assert leaders([*twice, column("c", 3.6)]) == ["fastest label a (2.50 s)"]
    assert badges([*twice, column("c", 3.6)]) == {"a": ["fastest"], "b": ["fastest"]}
    assert leaders([*twice, column("c", 1.4)]) == ["fastest label c (1.40 s)"]


def test_chance_below_five_percent_says_so() -> None:
    twice = [column("a", 100.0, asked="m"), column("b", 95.0, asked="m")]
    assert noise(twice) == "chance (m against itself): below 5%"
    assert noise([column("a", None, asked="m"), column("b", None, asked="m")]) == "chance (m against itself): below 5%"


def test_each_model_that_is_there_twice_is_named_once_and_the_largest_difference_counts() -> None:
    four = [column(name, time, asked=asked) for name, time, asked in (("a", 1, "m"), ("b", 2, "m"), ("c", 1, "n"))]
    assert noise([*four, column("d", 5, asked="n")]) == "chance (m, n against itself): 4.00 s of time"


def test_what_is_asked_differently_is_another_and_kept_answers_tell_no_chance() -> None:
    one = column("a", 1.0, asked="m")
    for other in (
        column("b", 2.0, asked="m", head={"params": (("seed", 1),)}),
        column("b", 2.0, asked="m", head={"history": 1}),
        column("b", 2.0, asked="m", head={"model": "p/m"}),
        column("b", 2.0, asked="m", cached=1),
        column("b", 2.0, asked="m", done=0),
    ):
        assert noise([one, other]) == ""
    same = column("b", 2.0, asked="alias", head={"model": "m"})
    assert noise([column("a", 1.0, asked="m", head={"model": "m"}), same]).startswith("chance (m against itself)")
