"""Accounting for each request of a completion: money is set aside before it is sent, and its end is recorded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Literal, Protocol

from tetrate_jupyter.amounts import total
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.completion.foreign import passes, unexpected
from tetrate_jupyter.completion.usage import add_usage
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.completion.accumulate import Accumulator
    from tetrate_jupyter.http.stream import ChatStream
    from tetrate_jupyter.types import Message, ToolCall


@dataclass(frozen=True, slots=True)
class Ended:
    """One request that is over: each round of tools is one, and so is each try that is followed by a retry.

    `at`: when it was sent, in seconds since the epoch. `cost`: US dollars, 0 where nothing can have been billed, None
    for unknown. `first`: seconds to the first text, None where there was none; `total`: seconds to its end. `error`:
    the class name of the error that ended it, "stopped", or None. `is_asked`: False where no request was made. `heard`:
    seconds to the first chunk; `response_id`: the completion's id; `calls`: the tool calls in it.
    """

    at: float
    served: str | None
    usage: Usage
    cost: Estimate
    outcome: Literal["done", "partial", "failed"]
    total: float
    first: float | None = None
    error: str | None = None
    finish: str | None = None
    request_id: str | None = None
    simulated: bool = False
    is_asked: bool = True
    heard: float | None = None
    response_id: str | None = None
    calls: tuple[ToolCall, ...] = ()


class Try:
    """When a request was sent, and its first chunk and text arrived; `after`: seconds until it is sent (default: 0)."""

    __slots__ = ("at", "first", "heard", "started")

    def __init__(self, after: float = 0.0) -> None:
        self.at, self.started = time.time() + after, time.monotonic() + after
        self.first: float | None = None
        self.heard: float | None = None

    def ended(
        self,
        outcome: Literal["done", "partial", "failed"],
        cost: Estimate,
        problem: BaseException | str | None,
        stream: ChatStream | None,
        came: Accumulator | None = None,
    ) -> Ended:
        """Return its record. `problem`: the error that ended it, or its name; `stream`: None if none was made."""
        return Ended(
            at=self.at,
            served=came.served_model if came is not None else None,
            usage=came.usage if came is not None else Usage(),
            cost=cost,
            outcome=outcome,
            total=max(0.0, time.monotonic() - self.started),
            first=None if self.first is None else self.first - self.started,
            error=_kind(problem),
            finish=came.finish_reason if came is not None else None,
            request_id=stream.request_id if stream is not None else None,
            simulated=stream is not None and stream.simulated,
            is_asked=stream is not None,
            heard=None if self.heard is None else self.heard - self.started,
            response_id=came.response_id if came is not None else None,
            calls=came.tool_calls if came is not None else (),
        )


def _kind(problem: BaseException | str | None) -> str | None:
    if problem is None or isinstance(problem, str):
        return problem or None
    if isinstance(problem, TetrateError):
        return type(problem).__name__
    return "stopped" if passes(problem) else type(unexpected(problem, "Asking")).__name__


class Purse(Protocol):
    """Pays for the requests of one completion, and records them."""

    async def open(self, messages: Sequence[Message]) -> int | None:
        """Set aside the most that a round with `messages` can cost; may wait. Raises our error where that is too much.

        Returns the cap on its answer, in tokens, that this amount covers; None where the request has its own.
        """
        ...

    def opened(self, dropped: Sequence[str]) -> None:
        """Check which request fields the router dropped. Raises our error where it may cost more without them."""
        ...

    async def lose(self, ended: Ended) -> None:
        """Pay for a failed try before a retry; may wait. Raises our error where the retry could cost too much."""
        ...

    def close(self, ended: Ended) -> None:
        """Pay for the round, or for its last try."""
        ...

    async def finish(self) -> tuple[str, ...]:
        """Make sure that the records are kept; return what a reader of the answer must know, one sentence each."""
        ...


class Purses:
    """Several purses as one: each sets money aside, in this order; the lowest cap applies."""

    def __init__(self, *purses: Purse) -> None:
        self._purses = purses

    async def open(self, messages: Sequence[Message]) -> int | None:
        """See `Purse`."""
        caps = [await purse.open(messages) for purse in self._purses]
        return min((cap for cap in caps if cap is not None), default=None)

    def opened(self, dropped: Sequence[str]) -> None:
        """See `Purse`."""
        for purse in self._purses:
            purse.opened(dropped)

    async def lose(self, ended: Ended) -> None:
        """See `Purse`."""
        problem: BaseException | None = None
        for purse in reversed(self._purses):
            try:
                await purse.lose(ended)
            except BaseException as error:  # noqa: BLE001 - raised below; the other purses pay in any case
                problem = problem or error
        if problem is not None:
            raise problem

    def close(self, ended: Ended) -> None:
        """See `Purse`."""
        for purse in self._purses:
            purse.close(ended)

    async def finish(self) -> tuple[str, ...]:
        """See `Purse`."""
        return tuple([note for purse in reversed(self._purses) for note in await purse.finish()])  # records first


def summed(rounds: Sequence[tuple[str, Usage]], price: Callable[[str, Usage], Estimate]) -> tuple[Usage, Estimate]:
    """Return the total usage and cost of at least one round of (model, usage); unknown where one of them is."""
    usage = reduce(add_usage, (used for _, used in rounds))
    estimates = [priced(price, model, used) for model, used in rounds]
    notes = tuple(dict.fromkeys(note for each in estimates for note in each.notes))
    is_known = all(each.usd is not None for each in estimates)
    return usage, Estimate(total(each.usd for each in estimates) if is_known else None, notes)


def priced(price: Callable[[str, Usage], Estimate], model: str, usage: Usage) -> Estimate:
    """Return the cost of a usage; unknown where `price` raises, which mustn't lose the answer."""
    try:
        return price(model, usage)
    except Exception:  # noqa: BLE001 - whatever a list raises
        return Estimate(None)
