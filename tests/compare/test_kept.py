"""Comparisons and kept answers: by wish only, marked, in no time, agreement, chance or sum of money."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.compare.conftest import eventually
from tetrate_jupyter.compare.figures import agreement, verdict
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.errors import CostLimitError, NotSignedInError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.compare.conftest import Prepare
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import LoggedRequest, SandboxRouter

TWO = ["claude-haiku-4-5", "gpt-6-luna"]


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def test_an_unchanged_run_is_asked_again_unless_somebody_wishes_otherwise(
    session: Session, router: SandboxRouter
) -> None:
    for _ in range(2):
        assert not any(row.cached for row in session.compare("hi", TWO).rows)
    session.compare("hi", TWO, cached=True)
    assert len(chats(router)) == 6
    assert all(row.cached for row in session.compare("hi", TWO, cached=True).rows)
    assert len(chats(router)) == 6


def test_kept_answers_count_in_no_time_agreement_chance_or_money(session: Session, router: SandboxRouter) -> None:
    models = [*TWO, "claude-haiku-4-5"]
    first = session.compare(["What is 17 * 23?", "hi"], models, repeats=2, cached=True)
    again = session.compare(["What is 17 * 23?", "hi"], models, repeats=2, cached=True)
    assert len(chats(router)) == 12
    assert [row.text for row in again.rows] == [row.text for row in first.rows]
    assert all(row.cached and row.state == "done" for row in again.rows)
    assert [row.cost for row in again.rows] == [row.cost for row in first.rows]
    assert again.facts.spent == Decimal(0)
    for column in again:
        assert column.figures.cached == 4
        assert (column.figures.first_token, column.figures.total, column.figures.speed) == (None, None, None)
        assert column.figures.cost is None
        assert column.figures.kept_cost == sum(row.cost or 0 for row in column.rows)
        assert agreement(column.rows) is None
    said = " ".join(verdict([column.figures for column in again]))
    assert "fastest" not in said
    assert "chance" not in said
    assert "chance" in " ".join(verdict([column.figures for column in first]))
    assert session.ledger.total().calls == 12


def test_it_is_marked_wherever_it_is_shown(session: Session, tmp_path: Path) -> None:
    session.compare("hi", TWO, cached=True)
    again = session.compare("hi", TWO, cached=True)
    assert again.df["cached"].all()
    assert again.df["total_s"].isna().all()
    assert "2 kept, not asked now" in again.text
    assert "cached" in again.text.splitlines()[4]
    assert "$0 (kept: ≈ $" in again.text
    assert "$0 now (≈ $" in again.html
    assert Result.load(again.save(tmp_path / "result")).rows == again.rows
    assert "cached" not in again.blind().text
    assert "kept" not in again.blind().text


def test_only_what_is_missing_is_asked(session: Session, router: SandboxRouter) -> None:
    session.compare("hi", TWO, repeats=2, cached=True)
    more = session.compare(["hi", "bye"], TWO, repeats=3, cached=True)
    assert len(chats(router)) == 12
    assert {(row.prompt, row.repeat): row.cached for row in more.rows} == {
        (prompt, repeat): prompt == 0 and repeat < 2 for prompt in (0, 1) for repeat in range(3)
    }
    assert more["claude-haiku-4-5"].figures.total is not None
    assert more["claude-haiku-4-5"].figures.total.count == 4


def test_the_same_model_twice_has_two_answers(session: Session, router: SandboxRouter) -> None:
    models = ["gpt-6-luna", "gpt-6-luna", {"model": "gpt-6-luna", "temperature": 1}]
    session.compare("hi", models, cached=True)
    assert len(chats(router)) == 3
    session.compare("hi", models, cached=True)
    assert len(chats(router)) == 3
    assert session.ask("hi", model="gpt-6-luna", keep=False, cached=True).cached


def test_what_is_asked_again_by_hand_is_asked(session: Session, router: SandboxRouter, prepared: Prepare) -> None:
    session.compare("hi", TWO, cached=True)
    running = prepared("hi", TWO, cached=True)
    running.start()
    running.wait()
    running.ask_again("gpt-6-luna")
    running.wait()
    eventually(lambda: not running.is_running)
    assert len(chats(router)) == 3
    assert not running.result["gpt-6-luna"].rows[0].cached
    assert all(row.cached for row in session.compare("hi", TWO, cached=True).rows)


def test_refresh_asks_all_and_replaces(session: Session, router: SandboxRouter) -> None:
    session.compare("hi", TWO, cached=True)
    assert not any(row.cached for row in session.compare("hi", TWO, refresh=True).rows)
    assert len(chats(router)) == 4
    assert all(row.cached for row in session.compare("hi", TWO, cached=True).rows)


def test_a_whole_notebooks_place_holds_for_comparisons_too(
    session: Session, router: SandboxRouter, tmp_path: Path
) -> None:
    session.cached(str(tmp_path / "answers.jsonl"))
    session.compare("hi", TWO)
    assert all(row.cached for row in session.compare("hi", TWO).rows)
    assert not any(row.cached for row in session.compare("hi", TWO, cached=False).rows)


def test_without_key_and_router_the_result_is_the_same(
    session: Session, router: SandboxRouter, tmp_path: Path, bridge: Bridge
) -> None:
    file = str(tmp_path / "answers.jsonl")
    asked: dict[str, Any] = {"repeats": 2, "seed": 7, "max_cost": 1, "cached": file}
    first = session.compare(["hi", "What is 17 * 23?"], ["Claude-Haiku-4-5", "gpt-6-luna"], **asked)
    router.stop()
    other = Session(base_url=router.base_url, data_dir=tmp_path / "other", bridge=bridge)
    again = other.compare(["hi", "What is 17 * 23?"], ["Claude-Haiku-4-5", "gpt-6-luna"], **asked)
    assert [row.text for row in again.rows] == [row.text for row in first.rows]
    assert [column.head.label for column in again] == ["Claude-Haiku-4-5", "gpt-6-luna"]
    assert again.facts.max_cost == 1
    for models in (["claude-*"], None, ["gpt-6-luna", "gpt-5*"]):
        with pytest.raises(NotSignedInError, match=r"is kept in answers\.jsonl") as caught:
            other.compare("hi", models, **asked)
        assert "name each model" in caught.value.next_step
    with pytest.raises(NotSignedInError, match=r"is kept in answers\.jsonl"):
        other.compare("never asked", TWO, cached=file)
    other.close()


def test_a_promise_about_money_holds_for_what_is_asked_after_all(
    session: Session, router: SandboxRouter, tmp_path: Path, bridge: Bridge
) -> None:
    file = str(tmp_path / "answers.jsonl")
    session.compare("hi", TWO, cached=file)
    other = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "other", bridge=bridge)
    again = other.compare("hi", TWO, cached=file, max_cost="0.000001")
    assert all(row.cached for row in again.rows)
    assert again.comparison is not None
    running = other.comparison
    assert running is not None
    running.ask_again("gpt-6-luna")
    row = running.wait()["gpt-6-luna"].rows[0]
    assert row.error == CostLimitError.__name__
    assert len(chats(router)) == 2
    other.close()


def test_an_answer_that_max_cost_cut_is_not_kept(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("length", times=None))
    asked: dict[str, Any] = {"max_cost": "0.01", "cached": True}
    for _ in range(2):
        result = session.compare("Write a long story about the sea.", ["claude-haiku-4-5"], **asked)
        assert result.rows[0].finish_reason == "length"
        assert not result.rows[0].cached
    assert len(chats(router)) == 2
