"""Restoring a comparison in another kernel from its data, so that it can be voted on and continued."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import errors
from tetrate_jupyter.compare.cells import ENDED, Attempt, Cell, PastRun, Vote, retold
from tetrate_jupyter.compare.columns import Column
from tetrate_jupyter.compare.forecast import forecast
from tetrate_jupyter.compare.running import Comparison
from tetrate_jupyter.compare.setup import CellPlace, Setup
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.errors import TetrateError, UnknownModelError
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.types import Message, Timing, Usage

if TYPE_CHECKING:
    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.compare.cells import CellState
    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.rows import Head, Row
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Cut

_STEP: Final = "run the comparison again with another model"


def restored(session: Engine, data: ResultData, cuts: tuple[Cut, ...] = ()) -> Comparison:
    """Return the finished comparison; nothing is sent. A column whose model this key doesn't reach says so on a retry.

    The data lacks the columns' conversations, images, and parameters that were Python objects. `cuts`: what was left
    out of the prompts, where it is known with the text that was sent; else the data's notices tell it.
    """
    facts = data.facts
    columns = tuple(_column(head, session.catalog.models) for head in data.heads)
    asked = facts.prompts, columns, facts.repeats, facts.seed, _plain(facts.params)
    noted = () if cuts else facts.notices
    setup = Setup(*asked, max_cost=facts.max_cost, as_typed=facts.typed, cuts=cuts, noted=noted)
    by_id = {column.id: column for column in columns}
    users = [Message("user", prompt, typed=facts.typed) for prompt in facts.prompts]
    cells = tuple(_cell(row, by_id[row.column], users[row.prompt]) for row in data.rows)
    return Comparison(session, setup, forecast(setup), earlier=PastRun(cells, _time(facts.started_at), facts.seconds))


def _column(head: Head, models: ModelList) -> Column:
    try:
        model, problem = models.find(head.asked), None
    except UnknownModelError as unknown:
        model, problem = None, unknown
    return Column(head.id, head.label, head.asked, model, _plain(head.params), problem=problem, allowed=head.allowed)


def _plain(params: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return {name: value for name, value in params if not (isinstance(value, dict) and "python" in value)}


def _cell(row: Row, column: Column, user: Message) -> Cell:
    state: CellState = next((each for each in ENDED if each == row.state), "stopped")
    cell = Cell(CellPlace(row.column, row.prompt, row.repeat), column, state)
    error = _error(row)
    if not row.attempts:
        cell.problem = error
        return cell
    attempt = Attempt(row.started or 0.0, user=user, answer=_answer(row, column), error=error)
    attempt.retries, attempt.retry_wait = row.retries, row.retry_wait
    attempt.asked_at = _time(row.asked_at)
    if row.vote is not None:
        attempt.vote = Vote(row.vote, early=row.vote_early, blind=row.vote_blind)
    cell.attempts.append(attempt)
    return cell


def _answer(row: Row, column: Column) -> Answer:
    answer = Answer(
        row.text,
        column.asked,
        row.model or column.asked,
        Usage(row.tokens_in, row.tokens_out, row.tokens_cached, reasoning_tokens=row.tokens_reasoning),
        Timing(row.first_token, row.total or 0.0),
        reasoning=row.reasoning,
        finish_reason=row.finish_reason,
        cost=row.cost,
        request_id=row.request_id,
        partial=None if row.state == "done" else row.error or "stopped",
        refusal=row.refusal,
        simulated=SIMULATED in row.notices,
    )
    said = {*answer.notices}
    return replace(answer, notes=tuple(notice for notice in row.notices if notice not in said))


def _error(row: Row) -> TetrateError | None:
    if row.error is None:
        return None
    kind = getattr(errors, row.error, None)
    if not (isinstance(kind, type) and issubclass(kind, TetrateError)):
        kind = TetrateError
    return retold(kind, row.message or "", next_step=row.next_step or _STEP, request_id=row.request_id)


def _time(text: str | None) -> datetime:
    try:
        return datetime.fromisoformat(text or "").astimezone(timezone.utc)
    except ValueError:
        return datetime.now(timezone.utc)
