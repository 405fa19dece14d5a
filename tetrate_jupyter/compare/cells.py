"""One cell of a comparison while it runs: its question, its text so far, its outcome. Readable from any thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

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
ENDED: frozenset[CellState] = frozenset({"done", "failed", "stopped", "skipped"})


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote: "best" (of its prompt; several may be), "good" or "poor".

    `early`: given before all columns had answered that prompt. `blind`: given while the names were hidden.
    """

    value: str
    early: bool = False
    blind: bool = False


@dataclass(eq=False)
class Attempt:
    """One try of one cell. Nothing of it is shared with another try, so that a late end can't reach a newer one.

    `started`: seconds after the comparison's start. `retries` and `retry_wait`: requests sent again before any output,
    and the seconds waited for them, which are part of the answer's waiting time. `answer` is there at the end, whole
    or marked as partial; `completion` until then. `again_at`: when a router that refused it said to try again, on the
    monotonic clock; 0.0 where it didn't. `vote`: what a person thinks of it, or None.
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
        """Keep the answer so far. Without an error it is whole, unless `stopped`."""
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
        self.completion = None  # its pieces are no longer needed: thousands of cells stay in memory

    def finish(self, answer: Answer) -> None:
        """Keep the whole answer."""
        if self.completion is not None:
            self.replies = self.completion.heard
        self.answer, self.completion = answer, None

    @property
    def cost(self) -> Decimal | None:
        """US dollars, estimated; 0 where nothing can have been billed, None for unknown or while it runs."""
        return None if self.answer is None else self.answer.cost


@dataclass(frozen=True)
class Earlier:
    """A comparison that ran in another kernel: its cells, when it began, how many seconds it took."""

    cells: tuple[Cell, ...]
    started_at: datetime
    seconds: float


@dataclass(eq=False)
class Cell:
    """One prompt of one column, once. `state` is one of "waiting", "running", "done", "failed", "stopped", "skipped".

    `note` says what it waits for, where there is something to say. `attempts`: every try, the newest last.
    """

    place: CellPlace
    column: Column
    state: CellState = "waiting"
    note: str = ""
    problem: TetrateError | None = None  # the reason why the cell was never asked
    attempts: list[Attempt] = field(default_factory=list)
    refusals: int = 0  # 429s since it was last asked for

    @property
    def attempt(self) -> Attempt | None:
        """The newest try, or None."""
        return self.attempts[-1] if self.attempts else None

    @property
    def completion(self) -> Completion | None:
        """The running completion, to be shown live; None before and after."""
        return self.attempts[-1].completion if self.attempts else None

    @property
    def answer(self) -> Answer | None:
        """The newest try's answer, whole or partial; None before its end."""
        return self.attempts[-1].answer if self.attempts else None

    @property
    def error(self) -> TetrateError | None:
        """Why it failed or was skipped, or None."""
        if self.problem is not None:
            return self.problem
        return self.attempts[-1].error if self.attempts else None

    @property
    def text(self) -> str:
        """The text so far, or in the end."""
        attempt = self.attempt
        if attempt is None:
            return ""
        completion = attempt.completion  # read once: the loop may take it away meanwhile
        if completion is not None:
            return completion.text
        return attempt.answer.text if attempt.answer is not None else ""

    @property
    def activity(self) -> str:
        """The activity in a word or two: the state, and while it runs "thinking", "writing", "trying again: ..."."""
        completion = self.completion
        if self.state == "running" and completion is not None:
            return completion.state
        return self.note or self.state

    @property
    def is_over(self) -> bool:
        """Whether the cell has ended, unless it is tried again."""
        return self.state in ENDED
