"""One request, retried where that is worthwhile, and bounds on its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.errors import (
    BudgetExceededError,
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

_CHECK_WAY = "check the network{way}, then ask again"

_POINTLESS = (
    BudgetExceededError,
    CreditsExhaustedError,
    ForbiddenError,
    InvalidKeyError,
    RequestRejectedError,
)  # a retry ends the same


@dataclass(frozen=True)
class Timeouts:
    """Every timeout, in seconds; `config` has the reasons. Tests shorten them."""

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

    def reply(self, body: faults.Body) -> faults.ReceivedResponse:
        """Join status and headers with the body that was read."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the body as it arrives. Reading may raise anything: hand it to `explain`."""
        ...

    def explain(self, failure: Exception) -> TetrateError:
        """Return our error for what reading the body raised."""
        ...

    async def aclose(self) -> None:
        """Close the response, and its connection too unless all was read. Never raises."""
        ...


class Leaving:
    """Whether the current try of a request has begun to be sent: one that hasn't can't have been billed.

    `on_try` is awaited before each try for extra headers of that try (default: none).
    """

    has_begun = False
    on_try: OnTry | None = None

    async def headers(self) -> Mapping[str, str]:
        """Return the extra headers of the next try."""
        return {} if self.on_try is None else await self.on_try()

    def begin(self) -> Callable[[str, object], Awaitable[None]]:
        """Begin a try; return the trace callback for the HTTP library, which is called at each of its steps."""
        self.has_begun = False

        async def hear(step: str, _: object) -> None:
            self.has_begun = self.has_begun or step.endswith("send_request_headers.started")

        return hear


@dataclass(frozen=True)
class FailedAttempt:
    """A try that failed: our error, and what decides about a retry (`status` None: the connection failed).

    `hint`: seconds to wait that the body names. `final`: a retry is pointless.
    """

    error: TetrateError
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hint: float | None = None
    final: bool = False

    @classmethod
    def of_error(cls, error: TetrateError, leaving: Leaving | None = None) -> FailedAttempt:
        """Return the failure for an error that was raised while sending: only a failed connection is worth a retry."""
        if isinstance(error, UnreachableError) and leaving is not None:
            error.was_sent = leaving.has_begun
        return cls(error, final=not isinstance(error, UnreachableError))

    @classmethod
    def of_reply(cls, reply: faults.ReceivedResponse, asked: faults.RequestContext) -> FailedAttempt:
        """Return the failure for a response. The error's meaning decides, not its status: 429 may mean "no credit"."""
        body = faults.read_error_body(reply.status, reply.body)
        error, status = faults.error_for(reply, asked), body.status or reply.status
        if isinstance(error, RateLimitError) and status != 413:  # 413: larger than the limit, however long one waits
            status = 429
        kept = {name: said for name, said in reply.headers.items() if not secrecy.holds(said)}  # frames show them
        return cls(error, status, kept, body.hint, final=isinstance(error, _POINTLESS))


async def try_repeatedly(
    attempt: Callable[[], Awaitable[T | FailedAttempt]],
    *,
    attempts: int,
    on_retry: OnRetry | None = None,
) -> tuple[T, int]:
    """Return the first successful try's result, and how many tries it took. Raises the last failure's error."""
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
    """Return the error for a timeout ("connect", "headers", ...) before there was any output."""
    waiting = {"connect": "could not be reached", "headers": "did not begin to answer"}.get(phase, "did not answer")
    return GatewayTimeoutError(
        f"{asked.model or asked.host} {waiting} in time.",
        phase=phase,
        next_step=_CHECK_WAY.format(way=f", and {asked.proxy.variable}" if asked.proxy else "")
        + (", or choose another model" if asked.model else ""),
        request_id=asked.request_id,
    )


def no_longer_used(asked: faults.RequestContext, leaving: Leaving) -> FailedAttempt:
    """Return the failure of a call whose session has been closed, or has moved to another router."""
    error = UnreachableError(
        f"The session is no longer connected to {asked.host}: it was closed, or moved to another router.",
        next_step="ask again",
        request_id=asked.request_id,
    )
    error.was_sent = leaving.has_begun
    return FailedAttempt(error, final=True)


async def within(seconds: float, work: Awaitable[T], asked: faults.RequestContext, *, phase: str = "whole") -> T:
    """Await `work` for at most `seconds`; after that, cancel it and raise `GatewayTimeoutError` with this phase."""
    deadline = Deadline()
    try:
        return await deadline.wait(work, deadline.after(seconds))
    except TimeoutError:
        pass
    finally:
        deadline.close()
    raise too_slow(asked, phase)
