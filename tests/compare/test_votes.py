"""Votes are data, and a difference is claimed only beyond chance."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.compare.votes import chance_of, interval, tally

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.face.session import Session

A, B, C = (Head(f"c{n}", name, name) for n, name in enumerate("abc"))


def rows_of(*prompts: str) -> list[Row]:
    """One prompt a word, one letter a column: * best, + good, - poor, . no vote, x no answer."""
    votes = {"*": "best", "+": "good", "-": "poor"}
    return [
        Row(
            f"c{n}", prompt, 0, "failed" if mark == "x" else "done", "" if mark == "x" else "text", vote=votes.get(mark)
        )
        for prompt, word in enumerate(prompts)
        for n, mark in enumerate(word)
    ]


@pytest.fixture
def comparison(session: Session) -> Comparison:
    made = session.bridge.run(prepare(session, ["one", "two"], "claude-haiku-4-5,gpt-6-luna"))
    made.start()
    made.wait()
    return made


def test_votes_are_in_the_frame_and_in_the_saved_file(comparison: Comparison, tmp_path: Path) -> None:
    comparison.vote("gpt-6-luna", "best", 1, blind=True)
    comparison.vote("claude-haiku-4-5", "best", 1)  # a tie
    comparison.vote("claude-haiku-4-5", "poor")
    comparison.vote("claude-haiku-4-5", None)
    frame = comparison.result.df
    assert frame["vote"].dropna().tolist() == ["best", "best"]
    assert frame["vote_early"].dropna().tolist() == [False, False]
    assert frame["vote_blind"].dropna().tolist() == [False, True]
    loaded = Result.load(comparison.result.save(tmp_path / "r.json"))
    assert loaded.rows == comparison.result.rows
    assert "1 ★" in loaded.text
    assert "1 ★" in loaded.html
    assert "vote" in comparison.result.save(tmp_path / "r.csv").read_text(encoding="utf-8")


def test_a_blind_vote_takes_the_place_of_open_ones_on_its_prompt(comparison: Comparison) -> None:
    comparison.vote("gpt-6-luna", "best", 0)
    comparison.vote("gpt-6-luna", "best", 1)
    comparison.vote("claude-haiku-4-5", None, 1, blind=True)
    assert comparison.result.df["vote"].dropna().tolist() == ["best", "best"]
    comparison.vote("claude-haiku-4-5", "best", 1, blind=True)
    assert [(r.prompt, r.vote_blind) for r in comparison.result.rows if r.vote] == [(0, False), (1, True)]


def test_a_file_from_before_there_were_votes_is_still_read(comparison: Comparison, tmp_path: Path) -> None:
    path = comparison.result.save(tmp_path / "r.json")
    whole = json.loads(path.read_text(encoding="utf-8"))
    for row in whole["rows"]:
        for name in ("vote", "vote_early", "vote_blind"):
            del row[name]
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert Result.load(path).df["vote"].isna().all()
    whole["rows"][0]["vote"] = "splendid"
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(errors.ComparisonFileError):
        Result.load(path)


def test_a_vote_is_of_one_answer(comparison: Comparison) -> None:
    comparison.vote("gpt-6-luna", "best")
    comparison.ask_again("gpt-6-luna")
    assert comparison.wait().df["vote"].isna().all()
    with pytest.raises(errors.OptionError, match="splendid"):
        comparison.vote("gpt-6-luna", "splendid")


def test_what_has_no_answer_has_no_vote_and_one_before_the_last_answer_is_early(session: Session) -> None:
    made = session.bridge.run(prepare(session, "chunks=2000 size=20 interval=0.01", "sandbox/stream,claude-haiku-4-5"))
    with pytest.raises(errors.InputError, match="no answer"):
        made.vote("sandbox/stream", "best")
    made.start()
    done = made.cell("claude-haiku-4-5")
    looked = made.on_change(lambda: None)
    while not done.is_over:
        session.bridge.run(_moment())
    looked()
    made.vote("claude-haiku-4-5", "good")
    made.stop()
    made.wait()
    assert made.result["claude-haiku-4-5"].rows[0].vote_early


async def _moment() -> None:
    import asyncio

    await asyncio.sleep(0)


def test_a_sign_test_is_exact() -> None:
    assert chance_of(0, 0) == 1
    assert chance_of(5, 5) == pytest.approx(2 / 32)
    assert chance_of(6, 6) == pytest.approx(2 / 64)
    assert chance_of(11, 17) == pytest.approx(0.33231, abs=1e-4)
    assert chance_of(5_200, 10_000) == pytest.approx(6.6e-5, rel=0.05)
    assert chance_of(1_060, 2_000) == pytest.approx(chance_of(1_061, 2_001), rel=0.15)  # where the two ways meet


def test_the_interval_of_a_share_is_exact() -> None:
    assert interval(0, 0) == (0, 1)
    least, most = interval(11, 20)
    assert (round(least, 3), round(most, 3)) == (0.315, 0.769)
    assert interval(0, 10)[0] == 0
    assert interval(10, 10)[1] == 1
    assert interval(150, 300) == pytest.approx(interval(151, 301), abs=0.02)


def test_nothing_is_claimed_below_what_chance_does() -> None:
    assert tally([A, B], rows_of("*.")).claim == ""  # one prompt is no tally
    five = tally([A, B], rows_of(*["*."] * 5))
    assert five.claim.startswith("No difference can be claimed yet: about 1 more prompt would be needed")
    six = tally([A, B], rows_of(*["*."] * 6))
    assert six.claim == "Preferred, beyond chance: a over b."
    assert "a won 6 prompts, b 0; " in six.detail
    even = tally([A, B], rows_of("*.", ".*", "**"))
    assert even.claim == "No difference can be claimed yet: a and b are level."
    assert "1 prompt was even" in even.detail


def test_what_is_missing_is_said_of_the_two_that_lead() -> None:
    level = tally([A, B, C], rows_of(".*.", "..*"))  # a has no vote at all
    assert level.claim == "No difference can be claimed yet: b and c are level."
    assert level.detail == "b won 1 prompt, c 1."
    good = tally([A, B, C], rows_of(".+.", "..+"))
    assert good.claim == "No difference can be claimed yet: b and c are level."
    assert tally([A, B, C], rows_of("*..", ".*.", "..*")).claim.endswith(": a, b and c are level.")
    ahead = tally([A, B, C], rows_of(".*.", ".*.", "..*"))
    assert ahead.detail.startswith("b won 2 prompts, c 1; chance alone often")
    assert "more prompts would be needed" in ahead.claim


def test_of_many_that_are_level_the_first_are_named() -> None:
    heads = [Head(f"c{n}", name, name) for n, name in enumerate("abcde")]
    found = tally(heads, rows_of("*....", ".*...", "..*..", "...*."))
    assert found.claim == "No difference can be claimed yet: a, b and 2 more are level."


def test_several_pairs_are_held_to_more() -> None:
    three = tally([A, B, C], rows_of(*["*.."] * 6))
    assert not any(pair.is_sure for pair in three.pairs)
    assert [pair.corrected for pair in three.pairs] == pytest.approx([6 / 64, 6 / 64, 1])
    assert "in 3.1% of cases, and one among 3 pairs in 9.4% of cases" in three.detail
    assert "chance alone often gives such a lead" in tally([A, B, C], rows_of("*..", "*..")).detail
    eight = tally([A, B, C], rows_of(*["*.."] * 8))
    assert eight.claim == "Preferred, beyond chance: a over b; a over c."


def test_a_rank_is_best_good_none_poor_and_what_failed_lost_to_nobody() -> None:
    (pair,) = tally([A, B], rows_of("+-", ".-", "*+", "..", "x*", "**")).pairs
    assert (pair.won, pair.lost, pair.even) == (3, 0, 1)


def test_repeats_of_a_prompt_are_one_prompt() -> None:
    rows = rows_of("*.", "*.")
    again = [replace(row, repeat=repeat) for repeat in range(10) for row in rows]
    assert tally([A, B], again).pairs[0].won == 2


def test_a_model_is_not_held_against_itself() -> None:
    twin = replace(B, asked="a")
    assert tally([A, twin], rows_of(*["*."] * 9)).pairs == ()
