"""One cell of a comparison while it runs: question, text so far, outcome. Readable from any thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from inspect import signature
from math import ceil
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.errors import RateLimitError

if TYPE_CHECKING:
    from decimal import Decimal

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.setup import CellPlace
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.errors import TetrateError
    from tetrate_jupyter.types import Message

CellState: TypeAlias = Literal["waiting", "running", "done", "failed", "stopped", "skipped"]
VOTES: Final = ("best", "good", "poor")
LIMITED: Final = "rate limit: "  # before how long a refused cell waits
ENDED: frozenset[CellState] = frozenset({"done", "failed", "stopped", "skipped"})


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote: "best" (of its prompt; there may be several), "good" or "poor".

    `early`: given before all columns had answered the prompt. `blind`: given while the names were hidden.
    """

    value: str
    early: bool = False
    blind: bool = False


@dataclass(eq=False)
class Attempt:
    """One attempt at a cell. Attempts share nothing, so that one that ends late can't affect a newer one.

    `started`: seconds after the comparison's start. `retries`: requests sent again before any output; `retry_wait`: the
    seconds waited between them, which are part of the time to first token. `completion` is there until the end,
    `answer` (whole or marked as partial) from then on. `again_at`: when a router that refused it said to try again, on
    the monotonic clock; 0.0 if it didn't. `vote`: a person's vote, or None.
    """

    started: float
    completion: Completion | None = None
    user: Message | None = None
    replies: tuple[Message, ...] = ()
    answer: Answer | None = None
    error: TetrateError | None = None
    retries: int = 0
    retry_wait: float = 0.0
    asked_at: datetime = field(default_factory=_now)
    again_at: float = 0.0
    vote: Vote | None = None

    def end(self, error: TetrateError | None = None, *, stopped: bool = False) -> None:
        """End the attempt and keep the answer so far: whole without an `error`, unless it was `stopped`."""
        completion, self.error = self.completion, error
        wait = error.retry_after if isinstance(error, RateLimitError) else None
        self.again_at = time.monotonic() + wait if wait else 0.0
        if completion is None:
            return
        if error is not None and isinstance(error.answer, Answer):
            self.answer = error.answer
        else:
            partial = "stopped" if stopped else None if error is None else type(error).__name__
            self.answer = completion.answer(partial=partial)
        self.replies = completion.heard
        self.completion = None  # frees its pieces: thousands of cells stay in memory

    def finish(self, answer: Answer) -> None:
        """End the attempt with the whole answer."""
        if self.completion is not None:
            self.replies = self.completion.heard
        self.answer, self.completion = answer, None

    @property
    def cost(self) -> Decimal | None:
        """The estimated cost in US dollars; 0 where nothing can have been billed, None for unknown or while it runs."""
        return None if self.answer is None else self.answer.cost


@dataclass(frozen=True)
class PastRun:
    """A comparison that ran in another kernel: its cells, its start and its duration in seconds."""

    cells: tuple[Cell, ...]
    started_at: datetime
    seconds: float


@dataclass(eq=False)
class Cell:
    """One prompt of one column, once. `state` is one of "waiting", "running", "done", "failed", "stopped", "skipped".

    `again_at`: when it is asked again after a refusal, on the monotonic clock; 0.0 for none. `attempts`: all of them,
    the newest last.
    """

    place: CellPlace
    column: Column
    state: CellState = "waiting"
    again_at: float = 0.0
    problem: TetrateError | None = None  # why the cell was never asked
    attempts: list[Attempt] = field(default_factory=list)
    refusals: int = 0  # 429s since it was last requested

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt, or None."""
        return self.attempts[-1] if self.attempts else None

    @property
    def completion(self) -> Completion | None:
        """The running completion, for showing it live; None before and after."""
        return self.attempts[-1].completion if self.attempts else None

    @property
    def answer(self) -> Answer | None:
        """The newest attempt's answer, whole or partial; None before its end."""
        return self.attempts[-1].answer if self.attempts else None

    @property
    def error(self) -> TetrateError | None:
        """The error with which it failed or was skipped, or None."""
        if self.problem is not None:
            return self.problem
        return self.attempts[-1].error if self.attempts else None

    @property
    def text(self) -> str:
        """The text so far."""
        attempt = self.attempt
        if attempt is None:
            return ""
        completion = attempt.completion  # read once: the loop may set it to None meanwhile
        if completion is not None:
            return completion.text
        return attempt.answer.text if attempt.answer is not None else ""

    def show(self, attempt: Attempt) -> None:
        """Let an earlier attempt be the one that counts, in place of the newest, which has ended."""
        self.attempts = [*(each for each in self.attempts if each is not attempt), attempt]
        partial = attempt.answer is None or attempt.answer.partial is not None
        self.state = "failed" if attempt.error is not None else "stopped" if partial else "done"
        self.problem, self.again_at = None, 0.0

    @property
    def activity(self) -> str:
        """The state, or, while it runs, what it does: "thinking", "writing", "trying again: ..."."""
        completion = self.completion
        if self.state == "running" and completion is not None:
            return completion.state
        rest = ceil(self.again_at - time.monotonic()) if self.again_at else 0
        return f"{LIMITED}again in {rest} s" if rest > 0 else self.state

    @property
    def is_over(self) -> bool:
        """Whether the cell has ended; a retry starts it again."""
        return self.state in ENDED


def retold(kind: type[TetrateError], message: str, *, next_step: str, request_id: str | None) -> TetrateError:
    """Return an error of this class with other words. What its class asks for besides (phase, answer) is None."""
    parameters = signature(kind).parameters.values()
    asked = [each.name for each in parameters if each.default is each.empty and each.name != "message"]
    made = kind(message, next_step=next_step, **dict.fromkeys(asked))
    made.request_id = one_line(request_id, MAX_NAME) if request_id else None
    return made
