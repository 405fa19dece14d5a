"""Cells and columns of a comparison as plain data, for tables, files and pages; pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.completion.answer import TRUNCATED
from tetrate_jupyter.errors import CostLimitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tetrate_jupyter.compare.cells import Cell
    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.completion.answer import Answer

SHORTEST_WRITING: Final = 0.1  # seconds; pieces on the way are read together, which can take some hundredths of them


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt x column x repeat, whether it failed or not. Unknown values are None.

    `state`: "done", "failed", "stopped" or "skipped" (while the comparison runs also "waiting" and "running").
    `partial`: there is text, but it isn't whole. `refusal`: the model's refusal. `error`: the error's class name. Times
    are in seconds: `started` counts from the comparison's start, `first_token` and `total` from the call's;
    `retry_wait` is the part of them between tries. `cost`: estimated US dollars. `attempts`: how often it was asked;
    the figures are the last attempt's. `cached`: it is a kept answer, which took no time and cost nothing now; `cost`
    is what it cost when it was asked. `vote`: "best", "good" or "poor", None for no vote; `vote_early`: given before
    all columns had answered the prompt; `vote_blind`: given while the names were hidden.
    """

    column: str
    prompt: int
    repeat: int
    state: str
    text: str = ""
    reasoning: str = ""
    partial: bool = False
    error: str | None = None
    message: str | None = None
    next_step: str | None = None
    request_id: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    first_token: float | None = None
    total: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_reasoning: int | None = None
    tokens_cached: int | None = None
    cost: Decimal | None = None
    started: float | None = None
    asked_at: str | None = None
    attempts: int = 0
    retries: int = 0
    retry_wait: float = 0.0
    notices: tuple[str, ...] = ()
    refusal: str = ""
    cached: bool = False
    vote: str | None = None
    vote_early: bool = False
    vote_blind: bool = False

    @property
    def writing(self) -> float | None:
        """Seconds from the first token to the end, or None."""
        return None if self.total is None or self.first_token is None else self.total - self.first_token

    @property
    def speed(self) -> float | None:
        """Tokens of text per second while writing, without waiting and reasoning.

        None for too few tokens, and for text that came all but at once: then it was held back on the way.
        """
        writing = self.writing
        if writing is None or writing < SHORTEST_WRITING or self.tokens_out is None:
            return None
        written = self.tokens_out - (self.tokens_reasoning or 0)  # reasoning precedes the first token of the text
        return (written - 1) / writing if written >= 2 else None  # without the first token, which ends the waiting time


@dataclass(frozen=True, slots=True)
class Head:
    """One column as plain data. `asked` is the requested id; `model` is None if no model matches.

    `allowed`: tokens that `max_cost` allowed for an answer, None where it set no cap.
    """

    id: str
    label: str
    asked: str
    model: str | None = None
    provider: str | None = None
    params: tuple[tuple[str, Any], ...] = ()
    history: int = 0  # exchanges before the prompt
    allowed: int | None = None


def row_of(cell: Cell) -> Row:
    """Return a snapshot of a cell."""
    place, attempt, error = cell.place, cell.attempt, cell.error
    facts: dict[str, Any] = {}
    if attempt is not None:
        facts = {
            "started": attempt.started,
            "asked_at": attempt.asked_at.isoformat(),
            "attempts": len(cell.attempts),
            "retries": attempt.retries,
            "retry_wait": attempt.retry_wait,
            "cost": attempt.cost,
        }
        if (vote := attempt.vote) is not None:
            facts |= {"vote": vote.value, "vote_early": vote.early, "vote_blind": vote.blind}
        completion = attempt.completion  # read once: the loop may set it to None meanwhile
        answer = completion.answer(partial="running") if completion is not None else attempt.answer
        if answer is not None:
            facts |= _of_answer(answer, running=completion is not None)
    if is_cut(facts.get("finish_reason"), cell.column.allowed):
        cut = f"Cut at {cell.column.allowed:,} tokens: the cap that max_cost allows; give more, or ask for less."
        facts["notices"] = tuple(cut if notice == TRUNCATED else notice for notice in facts["notices"])
    if error is not None:
        facts |= {"error": type(error).__name__, "message": error.message, "next_step": error.next_step or None}
        facts["request_id"] = error.request_id or facts.get("request_id")
    return Row(place.column, place.prompt, place.repeat, cell.state, **facts)


def is_unpaid(row: Row) -> bool:
    """Whether it wasn't asked, or not to the end, because of `max_cost`."""
    return row.state == "skipped" or row.error == CostLimitError.__name__


def is_cut(finish_reason: str | None, allowed: int | None) -> bool:
    """Whether an answer was cut at the cap that `max_cost` set."""
    return allowed is not None and finish_reason == "length"


def _of_answer(answer: Answer, *, running: bool) -> dict[str, Any]:
    came = bool(answer.text or answer.reasoning or answer.refusal)
    usage, timing = answer.usage, answer.timing
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "refusal": answer.refusal,
        "partial": came and answer.partial is not None,
        "request_id": answer.request_id,
        "model": answer.model if came or answer.partial is None else None,
        "finish_reason": answer.finish_reason,
        "first_token": None if answer.cached else timing.first_token,
        "total": None if running or answer.cached else timing.total,
        "cached": answer.cached,
        "tokens_in": usage.prompt_tokens,
        "tokens_out": usage.completion_tokens,
        "tokens_reasoning": usage.reasoning_tokens,
        "tokens_cached": usage.cached_tokens,
        "notices": () if running or not (came or answer.partial is None) else answer.notices,
    }


def head_of(column: Column) -> Head:
    """Return a column as plain data."""
    model = column.model
    return Head(
        column.id,
        column.label,
        column.asked,
        None if model is None else model.id,
        None if model is None else model.provider,
        tuple(plain_params(column.params).items()),
        len(column.history),
        column.allowed,
    )


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON-compatible data, with classes and functions as their names."""
    return {name: _plain(value) for name, value in params.items() if value is not None}


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Decimal):
        return float(value)
    return {"python": str(getattr(value, "__name__", type(value).__name__))}
