"""Votes counted: exact shares and chances, and each sentence that they lead to."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.compare.test_votes import A, B, C, rows_of
from tetrate_jupyter.compare.votes import Pair, Tally, chance_of, interval, tally

if TYPE_CHECKING:
    from tetrate_jupyter.compare.rows import Head

ONLY = "chance alone gives such a lead in "


def counted(*prompts: str, heads: tuple[Head, ...] = (A, B)) -> Tally:
    return tally(heads, rows_of(*prompts))


def pair(won: int, lost: int, chance: float, corrected: float, even: int = 0) -> Pair:
    return Pair(A, B, won, lost, even, chance, corrected)


def of(*pairs: Pair, voted: int = 20, early: int = 0) -> Tally:
    return Tally(voted, early, (), pairs)


# --- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("won", "of_", "right"),
    [(0, 0, 1.0), (1, 1, 1.0), (5, 5, 0.0625), (6, 6, 0.03125), (0, 6, 0.03125), (4, 5, 0.375), (3, 6, 1.0),
     (9, 10, 22 / 1024)],
)  # fmt: skip
def test_a_small_number_of_prompts_has_its_exact_chance(won: int, of_: int, right: float) -> None:
    assert chance_of(won, of_) == pytest.approx(right, abs=1e-12)


def test_a_large_number_of_prompts_has_nearly_the_same() -> None:
    assert chance_of(1050, 2000) == pytest.approx(0.0268, abs=2e-4)
    assert chance_of(1050, 2001) == pytest.approx(math.erfc(98 / math.sqrt(4002)), abs=1e-12)
    assert chance_of(1001, 2001) == 1.0
    assert chance_of(3000, 3000) < 1e-300


@pytest.mark.parametrize(
    ("won", "of_", "least", "most"),
    [
        (0, 0, 0.0, 1.0), (0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129), (1, 1, 0.025, 1.0),
        (0, 1, 0.0, 0.975), (150, 300, 0.4420, 0.5580), (301, 301, 0.9874, 1.0), (0, 301, 0.0, 0.0126),
        (100, 400, 0.2101, 0.2947), (500, 1000, 0.4691, 0.5309),
    ],
)  # fmt: skip
def test_a_share_has_its_interval(won: int, of_: int, least: float, most: float) -> None:
    assert interval(won, of_) == pytest.approx((least, most), abs=6e-5)


# --- counting ----------------------------------------------------------------------------------------------------


def test_each_column_has_its_wins_and_each_pair_its_prompts() -> None:
    found = counted("*-", "*.", "+.", ".*", "**", "..", "-+")
    assert [(w.head, w.won, w.of) for w in found.wins] == [(A, 3, 6), (B, 2, 6)]
    assert (found.voted, found.early) == (6, 0)
    (one,) = found.pairs
    assert (one.ahead, one.behind, one.won, one.lost, one.even) == (A, B, 3, 2, 1)
    assert one.chance == one.corrected == 1.0
    assert found.picks == (A,)
    assert counted("*.", ".*").picks == (A, B)
    assert counted("+.").picks == ()


def test_ranks_are_best_good_no_vote_poor() -> None:
    for word in ("*+", "*.", "*-", "+.", "+-", ".-"):
        (one,) = counted(word).pairs
        assert (one.ahead, one.won, one.lost) == (A, 1, 0), word
        (other,) = counted(word[::-1]).pairs
        assert (other.ahead, other.won, other.lost) == (B, 1, 0), word


def test_a_prompt_where_neither_has_a_vote_says_nothing_of_the_two() -> None:
    found = counted("*..", "*..", heads=(A, B, C))
    told = {(p.ahead, p.behind): (p.won, p.lost, p.even) for p in found.pairs}
    assert told == {(A, B): (2, 0, 0), (A, C): (2, 0, 0), (B, C): (0, 0, 0)}


def test_what_has_no_answer_lost_to_nobody() -> None:
    assert [(p.won, p.lost, p.even) for p in counted("*x", "x*").pairs] == [(0, 0, 0)]


def test_early_votes_are_counted() -> None:
    rows = [replace(row, vote_early=row.vote is not None or row.column == "c1") for row in rows_of("*.", "*+")]
    assert tally((A, B), rows).early == 3


def test_several_pairs_are_held_to_more_in_the_order_of_their_chance() -> None:
    found = counted(*["*--"] * 6, "*.-", "*..", heads=(A, B, C))
    assert [(p.ahead.id, p.behind.id, p.won) for p in found.pairs] == [
        ("c0", "c1", 8),
        ("c0", "c2", 8),
        ("c1", "c2", 1),
    ]
    assert [p.chance for p in found.pairs] == [1 / 128, 1 / 128, 1.0]
    assert [p.corrected for p in found.pairs] == [3 / 128, 3 / 128, 1.0]
    assert [p.is_sure for p in found.pairs] == [True, True, False]


def test_a_pair_is_sure_up_to_one_in_twenty() -> None:
    assert pair(1, 0, 0.01, 0.05).is_sure
    assert not pair(1, 0, 0.01, 0.0501).is_sure


# --- sentences ---------------------------------------------------------------------------------------------------


def test_nothing_is_said_of_fewer_than_two_prompts_or_of_one_model() -> None:
    assert counted("*-").claim == counted("*-").detail == ""
    assert counted("*", "*", heads=(A,)).claim == ""
    assert counted("*-", "*-").claim != ""


def test_a_sure_difference_is_claimed() -> None:
    found = counted(*["*-"] * 8)
    assert found.claim == "Preferred, beyond chance: a over b."
    assert found.detail == f"a won 8 prompts, b 0; {ONLY}0.8% of cases."


def test_three_differences_are_named_and_the_others_counted() -> None:
    sure = pair(9, 0, 0.004, 0.02)
    assert of(sure, sure, sure).claim == "Preferred, beyond chance: a over b; a over b; a over b."
    assert of(*[sure] * 5, pair(1, 0, 1.0, 1.0)).claim.endswith("a over b and 2 more.")


def test_what_is_missing_is_said() -> None:
    assert counted("*-", "*-").claim == (
        "No difference can be claimed yet: about 4 more prompts would be needed if it goes on like this."
    )
    assert counted("*-", "*-", "**", "**").claim == (
        "No difference can be claimed yet: about 8 more prompts would be needed if it goes on like this."
    )
    assert counted(*["*-"] * 5).claim == (
        "No difference can be claimed yet: about 1 more prompt would be needed if it goes on like this."
    )
    assert counted("*-", "-*").claim == "No difference can be claimed yet: a and b are level."
    assert counted("**", "**").claim == "No difference can be claimed yet: a and b are level."
    assert counted("**", "**").detail == "2 prompts were even."
    assert of(pair(501, 500, 0.99, 0.99)).claim == (
        "No difference can be claimed yet: the two are too close for any number of prompts."
    )
    assert of(pair(6, 1, 0.125, 0.375), pair(1, 0, 1.0, 1.0)).claim == (
        "No difference can be claimed yet: about 7 more prompts would be needed if it goes on like this."
    )
    assert of(pair(1, 0, 1.0, 1.0), pair(1, 0, 1.0, 1.0), pair(1, 0, 1.0, 1.0)).claim == (
        "No difference can be claimed yet: about 6 more prompts would be needed if it goes on like this."
    )


def test_a_close_race_is_told_at_once() -> None:
    began = time.process_time()
    assert of(pair(12, 11, 1.0, 1.0)).claim == (
        "No difference can be claimed yet: the two are too close for any number of prompts."
    )
    assert time.process_time() - began < 5  # each number of prompts that was tried exactly took half a minute
    assert of(pair(14, 12, 0.85, 0.85)).claim == (
        "No difference can be claimed yet: about 638 more prompts would be needed if it goes on like this."
    )


@pytest.mark.parametrize(
    ("chance", "said"),
    [(0.0009, "fewer than 1 of 1,000 cases"), (0.001, "0.1% of cases"), (0.0999, "10.0% of cases"),
     (0.1, "10% of cases")],
)  # fmt: skip
def test_a_chance_is_said_as_exactly_as_it_is_of_use(chance: float, said: str) -> None:
    assert of(pair(9, 1, chance, chance)).detail.endswith(f"; {ONLY}{said}.")


def test_a_chance_among_several_pairs_is_said_too_and_a_frequent_one_in_words() -> None:
    several = of(pair(9, 1, 0.01, 0.03), pair(1, 0, 1.0, 1.0))
    assert several.detail.endswith(f"; {ONLY}1.0% of cases, and one among 2 pairs in 3.0% of cases.")
    assert of(pair(3, 2, 0.4, 0.5)).detail.endswith("; chance alone often gives such a lead.")
    assert of(pair(3, 2, 0.4, 0.499)).detail.endswith(f"; {ONLY}40% of cases.")


def test_even_prompts_and_early_votes_are_said() -> None:
    assert of(pair(1, 0, 1.0, 1.0, even=1)).detail == (
        "a won 1 prompt, b 0; chance alone often gives such a lead. 1 prompt was even."
    )
    assert of(pair(1, 0, 1.0, 1.0, even=2), early=3).detail.endswith(" lead. 2 prompts were even. 3 early.")
