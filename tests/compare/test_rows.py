"""A cell as a row, a column as a head, a model's queue: what of an answer is told, and who is asked next."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.compare.test_setup import model
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.compare.cells import VOTES, Attempt, Cell, Vote
from tetrate_jupyter.compare.columns import Column
from tetrate_jupyter.compare.lanes import LONGEST_REST, Lane
from tetrate_jupyter.compare.rows import Head, Row, head_of, is_cut, is_unpaid, plain_params, row_of
from tetrate_jupyter.compare.setup import CellPlace
from tetrate_jupyter.completion.answer import TRUNCATED, Answer
from tetrate_jupyter.completion.request import Request
from tetrate_jupyter.completion.run import Completion
from tetrate_jupyter.conversation import Exchange
from tetrate_jupyter.errors import CostLimitError, ProviderError, RateLimitError
from tetrate_jupyter.types import Message, Timing, Usage

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ANSWER = Answer(
    "text", "asked", "answered", Usage(1, 22, 3, 4, 5), Timing(0.5, 2.5), reasoning="why", finish_reason="stop",
    cost=Decimal("0.25"), request_id="id-1",
)  # fmt: skip
WHOLE = Row(
    "c1", 2, 3, "done", "text", "why", request_id="id-1", model="answered", finish_reason="stop", first_token=0.5,
    total=2.5, tokens_in=1, tokens_out=22, tokens_reasoning=5, tokens_cached=3, cost=Decimal("0.25"), started=1.5,
    asked_at="2026-01-02T03:04:05+00:00", attempts=1, retries=2, retry_wait=0.75,
)  # fmt: skip


def cell(answer: Answer | None = None, state: Any = "done", allowed: int | None = None, **more: Any) -> Cell:
    tried = Attempt(1.5, answer=answer, retries=2, retry_wait=0.75, asked_at=AT, **more)
    return Cell(CellPlace("c1", 2, 3), Column("c1", "a", "a", allowed=allowed), state, attempts=[tried])


# --- rows --------------------------------------------------------------------------------------------------------


def test_a_whole_answer_is_a_row_with_all_that_is_known() -> None:
    assert row_of(cell(ANSWER)) == WHOLE


def test_what_was_never_asked_has_its_place_and_why() -> None:
    place, column = CellPlace("c1", 2, 3), Column("c1", "a", "a")
    assert row_of(Cell(place, column)) == Row("c1", 2, 3, "waiting")
    problem = ProviderError("m", next_step="n", request_id="id-2")
    assert row_of(Cell(place, column, "failed", problem=problem)) == Row(
        "c1", 2, 3, "failed", error="ProviderError", message="m", next_step="n", request_id="id-2"
    )
    bare = ProviderError("m", next_step="")
    assert row_of(Cell(place, column, "failed", problem=bare)).next_step is None


def test_the_newest_attempt_counts_and_all_are_counted() -> None:
    one = cell(ANSWER)
    one.attempts.append(Attempt(9.0, asked_at=AT))
    found = row_of(one)
    assert (found.attempts, found.started, found.text, found.cost) == (2, 9.0, "", None)


def test_a_partial_answer_says_so_if_anything_came() -> None:
    stopped = replace(ANSWER, partial="stopped")
    assert row_of(cell(stopped, "stopped")) == replace(
        WHOLE, state="stopped", partial=True, notices=tuple(stopped.notices)
    )
    empty = replace(stopped, text="", reasoning="")
    found = row_of(cell(empty, "stopped"))
    assert (found.partial, found.model, found.notices) == (False, None, ())
    for came in ({"text": "t"}, {"reasoning": "r"}, {"refusal": "no"}):
        found = row_of(cell(replace(empty, **came), "stopped"))
        assert (found.partial, found.model, found.notices != ()) == (True, "answered", True)
    whole = row_of(cell(replace(ANSWER, text="", reasoning="")))
    assert (whole.partial, whole.model) == (False, "answered")
    assert whole.notices == replace(ANSWER, text="", reasoning="").notices


def test_a_kept_answer_took_no_time() -> None:
    found = row_of(cell(replace(ANSWER, cached=True)))
    assert (found.cached, found.first_token, found.total, found.cost) == (True, None, None, Decimal("0.25"))


def test_an_error_is_told_with_what_came_before_it() -> None:
    error = ProviderError("m", next_step="n")
    found = row_of(cell(replace(ANSWER, partial="ProviderError"), "failed", error=error))
    assert (found.error, found.message, found.next_step, found.request_id) == ("ProviderError", "m", "n", "id-1")
    named = ProviderError("m", next_step="n", request_id="id-9")
    assert row_of(cell(ANSWER, "failed", error=named)).request_id == "id-9"


def test_a_vote_is_told_with_how_it_was_given() -> None:
    found = row_of(cell(ANSWER, vote=Vote("best", early=True)))
    assert (found.vote, found.vote_early, found.vote_blind) == ("best", True, False)
    found = row_of(cell(ANSWER, vote=Vote("poor", blind=True)))
    assert (found.vote, found.vote_early, found.vote_blind) == ("poor", False, True)


def test_what_max_cost_cut_says_that_and_not_to_raise_another_cap() -> None:
    cut = replace(ANSWER, finish_reason="length", notes=("note",))
    assert TRUNCATED in row_of(cell(cut)).notices
    found = row_of(cell(cut, allowed=1234)).notices
    assert TRUNCATED not in found
    assert "Cut at 1,234 tokens: the cap that max_cost allows; give more, or ask for less." in found
    assert "note" in found
    assert row_of(cell(replace(ANSWER, finish_reason="stop"), allowed=1234)).notices == ()


def test_what_money_left_out_or_cut() -> None:
    assert is_unpaid(Row("c1", 0, 0, "skipped"))
    assert is_unpaid(Row("c1", 0, 0, "failed", error=CostLimitError.__name__))
    assert not is_unpaid(Row("c1", 0, 0, "failed", error="ProviderError"))
    assert not is_unpaid(Row("c1", 0, 0, "done"))
    assert is_cut("length", 0)
    assert is_cut("length", 5)
    assert not is_cut("length", None)
    assert not is_cut("stop", 5)


@pytest.mark.parametrize(
    ("members", "writing", "speed"),
    [
        ({"first_token": 1.0, "total": 3.0, "tokens_out": 21}, 2.0, 10.0),
        ({"first_token": 1.0, "total": 3.0, "tokens_out": 21, "tokens_reasoning": 10}, 2.0, 5.0),
        ({"first_token": 1.0, "total": 3.0, "tokens_out": 2}, 2.0, 0.5),
        ({"first_token": 1.0, "total": 3.0, "tokens_out": 1}, 2.0, None),
        ({"first_token": 1.0, "total": 3.0}, 2.0, None),
        ({"first_token": 1.0, "total": 1.0, "tokens_out": 9}, 0.0, None),
        ({"first_token": 1.0, "total": 1.0625, "tokens_out": 5}, 0.0625, None),
        ({"first_token": 1.0, "total": 1.125, "tokens_out": 5}, 0.125, 32.0),
        ({"total": 3.0, "tokens_out": 9}, None, None),
        ({"first_token": 3.0, "tokens_out": 9}, None, None),
    ],
)
def test_speed_is_of_the_text_while_it_is_written(
    members: dict[str, Any], writing: float | None, speed: float | None
) -> None:
    found = Row("c1", 0, 0, "done", **members)
    assert (found.writing, found.speed) == (writing, speed)


# --- heads -------------------------------------------------------------------------------------------------------


def test_a_head_is_the_column_as_plain_data() -> None:
    column = Column(
        "c1", "label", "asked", model("m", "p"), {"temperature": 0, "effort": None},
        (Exchange("e", Message("user", "")),),
        allowed=7,
    )  # fmt: skip
    assert head_of(column) == Head("c1", "label", "asked", "m", "p", (("temperature", 0),), 1, 7)
    assert head_of(Column("c1", "label", "asked")) == Head("c1", "label", "asked")


def test_parameters_are_plain_data() -> None:
    class Thing:
        pass

    given = {
        "a": 1.5,
        "b": True,
        "c": "x",
        "d": None,
        "e": {1: (2, None)},
        "f": [Decimal("0.5")],
        "g": Thing,
        "h": Thing(),
    }
    assert plain_params(given) == {
        "a": 1.5, "b": True, "c": "x", "e": {"1": [2, None]}, "f": [0.5], "g": {"python": "Thing"},
        "h": {"python": "Thing"},
    }  # fmt: skip


# --- cells -------------------------------------------------------------------------------------------------------


def test_an_attempt_that_fails_keeps_when_to_come_again() -> None:
    for error, waits in (
        (RateLimitError("m", next_step="n", retry_after=500.0), True),
        (RateLimitError("m", next_step="n"), False),
        (ProviderError("m", next_step="n"), False),
    ):
        tried = Attempt(0.0)
        tried.end(error)
        assert tried.error is error
        assert (tried.again_at > time.monotonic() + 100) is waits
        assert waits or tried.again_at == 0.0
    assert tried.answer is None
    assert tried.cost is None


def test_a_cell_tells_of_its_newest_attempt() -> None:
    bare = Cell(CellPlace("c1"), Column("c1", "a", "a"))
    assert (bare.attempt, bare.completion, bare.answer, bare.error, bare.text) == (None, None, None, None, "")
    assert (bare.activity, bare.is_over, bare.state) == ("waiting", False, "waiting")
    done = cell(ANSWER)
    assert (done.text, done.answer, done.is_over, done.activity) == ("text", ANSWER, True, "done")
    assert done.attempt is done.attempts[-1]
    assert done.attempt.cost == Decimal("0.25")
    assert cell(None).text == ""
    error, problem = ProviderError("m", next_step="n"), CostLimitError("m", next_step="n")
    failed = cell(ANSWER, "failed", error=error)
    assert failed.error is error
    failed.problem = problem
    assert failed.error is problem


def running() -> Completion:
    request = Request(model("m"), (Message("user", "hello"),))
    return Completion(request, price=lambda _model, _usage: Estimate(Decimal("0.5")))


@pytest.mark.parametrize(
    ("error", "stopped", "partial"),
    [(None, False, None), (None, True, "stopped"), (ProviderError("m", next_step="n"), False, "ProviderError"),
     (ProviderError("m", next_step="n"), True, "stopped")],
)  # fmt: skip
def test_an_attempt_that_ends_keeps_what_came_and_why_there_is_no_more(
    error: ProviderError | None, stopped: bool, partial: str | None
) -> None:
    tried = Attempt(0.0, running())
    assert tried.cost is None
    tried.end(error, stopped=stopped)
    assert tried.answer is not None
    assert (tried.answer.partial, tried.error, tried.completion) == (partial, error, None)
    assert tried.replies == (Message("assistant", ""),)


def test_an_error_that_has_an_answer_gives_it() -> None:
    error = ProviderError("m", next_step="n")
    error.answer = ANSWER
    tried = Attempt(0.0, running())
    tried.end(error)
    assert tried.answer is ANSWER
    whole = Attempt(0.0, running())
    whole.finish(ANSWER)
    assert (whole.answer, whole.completion, whole.error, whole.cost) == (ANSWER, None, None, Decimal("0.25"))


def test_while_it_runs_a_cell_tells_what_it_does() -> None:
    completion = running()
    one = Cell(CellPlace("c1"), Column("c1", "a", "a"), "running", attempts=[Attempt(0.0), Attempt(1.0, completion)])
    assert one.completion is completion
    assert (one.text, one.activity, one.answer, one.error) == ("", "waiting", None, None)
    completion.state = "thinking"
    assert one.activity == "thinking"
    one.state = "stopped"
    assert one.activity == "stopped"
    one.attempts.append(Attempt(2.0))
    one.state = "running"
    assert one.activity == "running"
    assert row_of(Cell(CellPlace("c1"), one.column, "running", attempts=[Attempt(0.0, completion)])).notices == ()


def test_what_there_is_none_of_is_nothing() -> None:
    tried = Attempt(0.0)
    assert (tried.retries, tried.retry_wait, tried.again_at, tried.vote, tried.replies) == (0, 0.0, 0.0, None, ())
    bare = Cell(CellPlace("c1"), Column("c1", "a", "a"))
    assert (bare.refusals, bare.again_at, bare.attempts) == (0, 0.0, [])
    assert (Vote("best").early, Vote("best").blind) == (False, False)
    assert {"best", "good", "poor"} == set(VOTES)


@pytest.mark.parametrize("state", ["done", "failed", "stopped", "skipped", "waiting", "running"])
def test_four_states_are_an_end(state: str) -> None:
    assert cell(ANSWER, state).is_over is (state not in {"waiting", "running"})


def test_a_refused_cell_says_how_long_it_waits() -> None:
    waiting = Cell(CellPlace("c1"), Column("c1", "a", "a"), again_at=time.monotonic() + 5000)
    assert waiting.activity.startswith("rate limit: again in ")
    assert waiting.activity.endswith(" s")
    assert 4000 < int(waiting.activity.split()[-2]) <= 5000
    waiting.again_at = time.monotonic() - 1
    assert waiting.activity == "waiting"


# --- queues ------------------------------------------------------------------------------------------------------


def queue(limit: int = 4, cells: int = 6) -> tuple[Lane, list[Cell]]:
    lane, made = Lane(limit), [Cell(CellPlace("c1", n), Column("c1", "a", "a")) for n in range(cells)]
    for number, one in enumerate(made):
        lane.add(10 + number, one)
    return lane, made


def test_cells_are_taken_in_order_and_a_refused_one_comes_first_again() -> None:
    lane, made = queue()
    assert (lane.turn, lane.next) == (10, made[0])
    assert lane.take() is made[0]
    assert (lane.turn, lane.next) == (11, made[1])
    lane.put_back(made[0])
    assert (lane.turn, lane.next) == (11, made[0])
    assert lane.take() is made[0]
    assert lane.take() is made[1]


def test_an_empty_queue_has_no_turn() -> None:
    lane = Lane(2)
    assert (lane.turn, lane.next, lane.first(), lane.is_ready(0.0)) == (0, None, [], False)


def test_as_many_can_start_as_the_limit_allows() -> None:
    lane, made = queue(3)
    assert lane.first() == [(10, made[0]), (11, made[1]), (12, made[2])]
    lane.running = 2
    assert lane.first() == [(10, made[0])]
    assert lane.is_ready(0.0)
    lane.running = 3
    assert lane.first() == []
    assert not lane.is_ready(0.0)
    lane.running = 5
    assert lane.first() == []


def test_wanted_cells_are_taken_out_and_the_others_keep_their_turns() -> None:
    lane, made = queue()
    assert lane.take_if(lambda one: one.place.prompt % 2 == 0) == [made[0], made[2], made[4]]
    assert lane.first() == [(11, made[1]), (13, made[3]), (15, made[5])]


def test_a_refusal_halves_the_limit_and_doubles_the_rest_and_success_undoes_it() -> None:
    lane, _ = queue(8)
    assert [lane.rest(100.0, None) for _ in range(3)] == [1.0, 2.0, 4.0]
    assert (lane.limit, lane.resting_until) == (1, 104.0)
    assert not lane.is_ready(103.9)
    assert lane.is_ready(104.0)
    lane.ease()
    assert lane.limit == 1
    lane.succeeded()
    assert (lane.limit, lane.rest(200.0, None)) == (2, 1.0)
    for _ in range(20):
        lane.succeeded()
    assert lane.limit == 8


def test_a_named_rest_counts_up_to_a_minute_and_never_ends_an_earlier_one_early() -> None:
    lane, _ = queue(2)
    assert lane.rest(0.0, 50.0) == 50.0
    assert lane.rest(1.0, 0.0) == 0.0
    assert lane.resting_until == 50.0
    assert lane.rest(2.0, LONGEST_REST) == LONGEST_REST
    assert lane.rest(3.0, LONGEST_REST + 0.1) is None
    assert lane.resting_until == 62.0
    assert lane.rest(0.0, None) == 8.0  # three refusals before; a wait that is too long is none
    assert [lane.rest(0.0, None) for _ in range(3)] == [16.0, 32.0, None]
    assert lane.rest(0.0, None) is None
