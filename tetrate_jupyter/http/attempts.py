"""One request, tried again where that is worth it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from tetrate_jupyter import config
from tetrate_jupyter.errors import (
    CreditsExhaustedError,
    ForbiddenError,
    GatewayTimeoutError,
    InvalidKeyError,
    RateLimitError,
    RequestRejectedError,
    TetrateError,
    UnreachableError,
)
from tetrate_jupyter.http import faults, retry
from tetrate_jupyter.http.deadline import Deadline
from tetrate_jupyter.types import Retrying

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from typing import TypeAlias

    OnRetry: TypeAlias = Callable[[Retrying], Awaitable[None]]
    OnTry: TypeAlias = Callable[[], Awaitable[Mapping[str, str]]]

T = TypeVar("T")

_POINTLESS = (CreditsExhaustedError, ForbiddenError, InvalidKeyError, RequestRejectedError)  # the next try is the same


@dataclass(frozen=True)
class Timeouts:
    """Every bound on waiting, in seconds; `config` gives the reasons. Tests shorten them."""

    connect: float = config.CONNECT_TIMEOUT
    headers: float = config.HEADERS_TIMEOUT
    first_output: float = config.FIRST_OUTPUT_TIMEOUT
    between_chunks: float = config.BETWEEN_CHUNKS_TIMEOUT
    models: float = config.MODELS_TIMEOUT
    catalog: float = config.CATALOG_TIMEOUT
    status: float = config.STATUS_TIMEOUT
    exchange: float = config.EXCHANGE_TIMEOUT


class OpenResponse(Protocol):
    """A response whose status and headers have arrived and whose body has not been read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    def reply(self, body: faults.Body) -> faults.ReceivedResponse:
        """Join status and headers with the body that was read."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the body as it arrives. May raise anything: hand it to `explain`."""
        ...

    def explain(self, failure: Exception) -> TetrateError:
        """Return our error for what reading raised."""
        ...

    async def aclose(self) -> None:
        """Close; the connection too, unless all was read. Never raises."""
        ...


class Leaving:
    """Whether the newest try of a request has begun to leave: what hasn't can't have been billed.

    `on_try` is asked before each try for headers that belong to this one.
    """

    has_begun = False
    on_try: OnTry | None = None

    async def headers(self) -> Mapping[str, str]:
        """Return the headers of the try that comes."""
        return {} if self.on_try is None else await self.on_try()

    def begin(self) -> Callable[[str, object], Awaitable[None]]:
        """Begin a try; return what the HTTP library is to tell of each of its steps."""
        self.has_begun = False

        async def hear(step: str, _: object) -> None:
            self.has_begun = self.has_begun or step.endswith("send_request_headers.started")

        return hear


@dataclass(frozen=True)
class FailedAttempt:
    """A try that failed: our error, and what decides whether to try again (`status` None: the connection failed)."""

    error: TetrateError
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hint: float | None = None
    final: bool = False

    @classmethod
    def of_error(cls, error: TetrateError, leaving: Leaving | None = None) -> FailedAttempt:
        """Make a failure of an error raised while sending: only a failed connection is worth another try."""
        if isinstance(error, UnreachableError) and leaving is not None:
            error.was_sent = leaving.has_begun
        return cls(error, final=not isinstance(error, UnreachableError))

    @classmethod
    def of_reply(cls, reply: faults.ReceivedResponse, asked: faults.RequestContext) -> FailedAttempt:
        """Make a failure of an answer. What the error is about decides, not its status: no credit comes as 429, too."""
        fault = faults.read_error_body(reply.status, reply.body)
        error, status = faults.error_for(reply, asked), fault.status or reply.status
        if isinstance(error, RateLimitError) and status != 413:  # 413: too large for the limit, today and tomorrow
            status = 429
        return cls(error, status, reply.headers, fault.hint, final=isinstance(error, _POINTLESS))


async def try_repeatedly(
    attempt: Callable[[], Awaitable[T | FailedAttempt]],
    *,
    attempts: int,
    on_retry: OnRetry | None = None,
) -> tuple[T, int]:
    """Return what the first successful try gave, and how many tries it took. Raises the last failure's error."""
    number = 1
    while True:
        outcome = await attempt()
        if not isinstance(outcome, FailedAttempt):
            return outcome, number
        delay = None
        if not outcome.final:
            delay = retry.delay_before_retry(
                number, outcome.status, outcome.headers, attempts=attempts, hint=outcome.hint
            )
        if delay is None:
            raise outcome.error
        number += 1
        if on_retry is not None:
            failed = outcome.error
            await on_retry(Retrying(failed.message, delay, number, retry.may_have_cost(failed), type(failed).__name__))
        await asyncio.sleep(delay)


def too_slow(asked: faults.RequestContext, phase: str) -> GatewayTimeoutError:
    """Return the error for a bound that has passed before there was any output."""
    waiting = {"connect": "could not be reached", "headers": "did not begin to answer"}.get(phase, "did not answer")
    return GatewayTimeoutError(
        f"{asked.model or asked.host} {waiting} in time.",
        phase=phase,
        next_step="check the network, then ask again" + (", or choose another model" if asked.model else ""),
        request_id=asked.request_id,
    )


def no_longer_used(asked: faults.RequestContext, leaving: Leaving) -> FailedAttempt:
    """Return how a call ends whose session has been closed, or has moved to another router."""
    error = UnreachableError(
        f"The session is no longer connected to {asked.host}: it was closed, or moved to another router.",
        next_step="ask again",
        request_id=asked.request_id,
    )
    error.was_sent = leaving.has_begun
    return FailedAttempt(error, final=True)


async def within(seconds: float, work: Awaitable[T], asked: faults.RequestContext, *, phase: str = "whole") -> T:
    """Await `work` for so long; cancel it and raise `GatewayTimeoutError` with this phase otherwise."""
    deadline = Deadline()
    try:
        return await deadline.wait(work, deadline.after(seconds))
    except TimeoutError:
        pass
    finally:
        deadline.close()
    raise too_slow(asked, phase)
