"""One request's tries: what a failure decides about the next, and the errors of time and of sessions that went."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.http.attempts import FailedAttempt, Leaving, no_longer_used, too_slow, try_repeatedly, within
from tetrate_jupyter.http.faults import ReceivedResponse, RequestContext

if TYPE_CHECKING:
    from tetrate_jupyter.types import Retrying

pytestmark = pytest.mark.anyio
ASKED = RequestContext("https://r.example/v1", "id-1", model="m-1")
ROUTE = RequestContext("https://r.example/v1", "id-1")
NO_WAIT = {"retry-after": "0"}


def lost() -> errors.UnreachableError:
    return errors.UnreachableError("r.example dropped the connection.", next_step="-")


def reply(status: int, body: bytes = b"{}") -> FailedAttempt:
    return FailedAttempt.of_reply(ReceivedResponse(status, NO_WAIT, body), ASKED)


# --- what one failure means --------------------------------------------------------------------------------------


def test_only_a_failed_connection_is_worth_another_try() -> None:
    assert not FailedAttempt.of_error(lost()).final
    assert FailedAttempt.of_error(errors.OptionError("-", next_step="-")).final
    assert FailedAttempt.of_error(lost()).status is None


async def test_a_lost_connection_knows_whether_the_request_had_left() -> None:
    leaving = Leaving()
    hear = leaving.begin()
    await hear("http11.connect_tcp.started", None)
    error = lost()
    assert FailedAttempt.of_error(error, leaving).error is error
    assert not error.was_sent
    await hear("http11.send_request_headers.started", None)
    await hear("http11.send_request_headers.complete", None)
    FailedAttempt.of_error(error, leaving)
    assert error.was_sent
    leaving.begin()
    assert not leaving.has_begun


async def test_a_try_has_the_headers_that_are_made_for_it() -> None:
    leaving = Leaving()
    assert await leaving.headers() == {}

    async def made() -> dict[str, str]:
        return {"traceparent": "00-1"}

    leaving.on_try = made
    assert await leaving.headers() == {"traceparent": "00-1"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.InvalidKeyError), (402, errors.CreditsExhaustedError), (403, errors.ForbiddenError)],
)
def test_a_clear_no_is_final(status: int, kind: type[errors.TetrateError]) -> None:
    failed = reply(status)
    assert isinstance(failed.error, kind)
    assert failed.final


def test_a_failure_keeps_what_decides_about_the_next_try() -> None:
    failed = reply(503)
    assert (failed.status, failed.headers, failed.hint, failed.final) == (503, NO_WAIT, None, False)


def test_the_meaning_decides_not_the_status() -> None:
    limited = b'{"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}'
    assert isinstance(reply(400, limited).error, errors.RateLimitError)
    assert reply(400, limited).status == 429
    assert reply(413, limited).status == 413
    assert reply(200, b'{"error": {"code": 503, "message": "busy"}}').status == 503


# --- one try after the other -------------------------------------------------------------------------------------


async def test_the_first_try_that_succeeds_counts() -> None:
    outcomes: list[FailedAttempt | str] = [reply(503), reply(429), "well", "never asked for"]
    heard: list[Retrying] = []

    async def attempt() -> FailedAttempt | str:
        return outcomes.pop(0)

    async def hear(event: Retrying) -> None:
        heard.append(event)

    assert await try_repeatedly(attempt, attempts=3, on_retry=hear) == ("well", 3)
    assert outcomes == ["never asked for"]
    assert [(e.attempt, e.seconds, e.may_have_cost, e.error) for e in heard] == [
        (2, 0.0, False, "ProviderError"),
        (3, 0.0, False, "RateLimitError"),
    ]
    assert heard[0].reason == reply(503).error.message


async def test_the_last_failure_is_raised_and_a_final_one_at_once() -> None:
    asked = 0

    async def attempt(failed: FailedAttempt) -> FailedAttempt:
        nonlocal asked
        asked += 1
        return failed

    with pytest.raises(errors.ProviderError):
        await try_repeatedly(lambda: attempt(reply(503)), attempts=2)
    assert asked == 2
    with pytest.raises(errors.InvalidKeyError):
        await try_repeatedly(lambda: attempt(reply(401)), attempts=9)
    assert asked == 3
    with pytest.raises(errors.UnreachableError):
        await try_repeatedly(lambda: attempt(no_longer_used(ASKED, Leaving())), attempts=9)
    assert asked == 4


# --- time, and sessions that went --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "phase", "message", "step"),
    [
        (ROUTE, "connect", "r.example could not be reached in time.", "check the network, then ask again"),
        (ROUTE, "headers", "r.example did not begin to answer in time.", "check the network, then ask again"),
        (ASKED, "whole", "m-1 did not answer in time.", "check the network, then ask again, or choose another model"),
    ],
)
def test_what_was_too_slow_is_said_with_its_phase(asked: RequestContext, phase: str, message: str, step: str) -> None:
    error = too_slow(asked, phase)
    assert (error.message, error.next_step, error.phase, error.request_id) == (message, step, phase, "id-1")


async def test_a_session_that_went_says_so_and_whether_it_had_asked() -> None:
    leaving = Leaving()
    failed = no_longer_used(ASKED, leaving)
    assert failed.error.message == (
        "The session is no longer connected to r.example: it was closed, or moved to another router."
    )
    assert (failed.error.next_step, failed.error.request_id, failed.final) == ("ask again", "id-1", True)
    assert isinstance(failed.error, errors.UnreachableError)
    assert not failed.error.was_sent
    await leaving.begin()("http11.send_request_headers.started", None)
    again = no_longer_used(ASKED, leaving).error
    assert isinstance(again, errors.UnreachableError)
    assert again.was_sent


async def test_work_has_its_time_and_no_more() -> None:
    assert await within(60, asyncio.sleep(0, "done"), ASKED) == "done"
    with pytest.raises(errors.GatewayTimeoutError) as caught:
        await within(0.01, asyncio.sleep(600), ASKED)
    assert (caught.value.phase, caught.value.__context__) == ("whole", None)
    with pytest.raises(errors.GatewayTimeoutError, match="did not begin to answer"):
        await within(0.01, asyncio.sleep(600), ASKED, phase="headers")


async def test_a_wait_that_the_body_names_is_waited_for() -> None:
    outcomes: list[FailedAttempt | str] = [FailedAttempt(lost(), 503, {}, hint=0.0), "well"]
    heard: list[Retrying] = []

    async def attempt() -> FailedAttempt | str:
        return outcomes.pop(0)

    async def hear(event: Retrying) -> None:
        heard.append(event)

    assert await try_repeatedly(attempt, attempts=2, on_retry=hear) == ("well", 2)
    assert [event.seconds for event in heard] == [0.0]
