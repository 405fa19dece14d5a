"""A whole sign-in against a running router: the real client exchanges the code, a plain HTTP client is the browser."""

from __future__ import annotations

import asyncio
import gc
import http.client
import logging
import os
import traceback
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tetrate_jupyter.auth.login import DEAD_PORT, LoginAttempt, LoginState
from tetrate_jupyter.config import EXCHANGE_PATH, Endpoints
from tetrate_jupyter.errors import (
    CodeRejectedError,
    ExchangeError,
    LoginCancelledError,
    LoginDeniedError,
    LoginError,
    LoginTimeoutError,
    RedirectError,
)
from tetrate_jupyter.http.client import GatewayClient, Timeouts
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tetrate_jupyter.sandbox import LoggedRequest, SandboxRouter
    from tetrate_jupyter.sandbox.faults import FaultKind
    from tetrate_jupyter.secret import Secret

pytestmark = pytest.mark.anyio

FOR_EVER = 30.0  # seconds; a bound that no test is meant to reach


class Shown(NamedTuple):
    """What the browser got."""

    status: int
    page: str


class Person:
    """A router, the client that exchanges codes there, and whoever sits before the browser."""

    def __init__(self, router: SandboxRouter, client: GatewayClient) -> None:
        self.router = router
        self.client = client
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.exchanged: list[tuple[str, str]] = []

    async def exchange(self, code: str, verifier: str) -> Secret:
        """Exchange over HTTP, once the test lets it."""
        self.exchanged.append((code, verifier))
        await self.go_on.wait()
        return await self.client.exchange(code, verifier)

    @asynccontextmanager
    async def signing_in(self, **options: float) -> AsyncIterator[LoginAttempt]:
        attempt = LoginAttempt(self.router.auth_url, self.exchange, **options)
        await attempt.start()
        try:
            yield attempt
        finally:
            attempt.cancel()

    async def approve(self, attempt: LoginAttempt) -> str:
        """Click; give where the browser would be sent."""
        return await asyncio.to_thread(self.router.decide, attempt.url)

    async def deny(self, attempt: LoginAttempt) -> str:
        return await asyncio.to_thread(self.router.decide, attempt.url, "deny")

    @property
    def exchanges(self) -> list[LoggedRequest]:
        """The exchanges that reached the router."""
        return [request for request in self.router.requests if request.path == EXCHANGE_PATH]


@pytest.fixture
async def person(router: SandboxRouter) -> AsyncIterator[Person]:
    client = GatewayClient(Endpoints.of(router.base_url, router.auth_url), timeouts=Timeouts(exchange=FOR_EVER))
    yield Person(router, client)
    await client.aclose()


def _get(address: str) -> Shown:
    split = urlsplit(address)
    connection = http.client.HTTPConnection(split.netloc, timeout=FOR_EVER)
    try:
        connection.request("GET", f"{split.path}?{split.query}")
        response = connection.getresponse()
        return Shown(response.status, response.read().decode())
    finally:
        connection.close()


async def visit(address: str) -> Shown:
    """Be the browser, without a word in any log."""
    return await asyncio.to_thread(_get, address)


async def end_of(attempt: LoginAttempt) -> Secret:
    return await asyncio.wait_for(attempt.wait(), FOR_EVER)


def callback_of(attempt: LoginAttempt) -> str:
    return parse_qs(urlsplit(attempt.url).query)["callback"][0]


def port_of(attempt: LoginAttempt) -> int:
    return urlsplit(callback_of(attempt)).port or 0


def code_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


# --- the browser comes back ----------------------------------------------------------------------------------


async def test_approving_brings_a_key_that_the_router_takes_and_a_page_to_close(person: Person) -> None:
    async with person.signing_in() as attempt:
        assert attempt.listening
        shown = await visit(await person.approve(attempt))
        key = await end_of(attempt)
    assert shown.status == 200
    assert "You are signed in" in shown.page
    assert "You can close this" in shown.page
    assert attempt.state is LoginState.DONE
    assert key.host == person.router.host
    assert await person.client.models(key)


async def test_the_router_is_asked_for_the_key_once_and_without_authorization(person: Person) -> None:
    async with person.signing_in() as attempt:
        await visit(await person.approve(attempt))
        await end_of(attempt)
    (exchange,) = person.exchanges
    assert exchange.method == "POST"
    assert exchange.body == {"code": "<code>", "code_verifier": "<code_verifier>"}
    assert exchange.key is None


async def test_denying_ends_it_without_an_exchange(person: Person) -> None:
    async with person.signing_in() as attempt:
        shown = await visit(await person.deny(attempt))
        with pytest.raises(LoginDeniedError, match="access_denied") as caught:
            await end_of(attempt)
    assert shown.status == 400
    assert "Not approved" in shown.page
    assert "You can close this" in shown.page
    assert caught.value.next_step
    assert not person.exchanges
    assert not await is_open(port_of(attempt))


@pytest.mark.parametrize("quirk", ["callback-doubled-query", "callback-drops-query"])
@pytest.mark.parametrize("paste", [False, True], ids=["browser", "paste"])
async def test_a_router_that_mangles_the_way_back_is_understood(person: Person, quirk: FaultKind, paste: bool) -> None:
    person.router.inject(Fault(quirk))
    async with person.signing_in() as attempt:
        location = await person.approve(attempt)
        assert ("?" in location.partition("?")[2]) == (quirk == "callback-doubled-query")
        assert ("state=" in location) == (quirk == "callback-doubled-query")
        if paste:
            attempt.submit(location)
        else:
            assert (await visit(location)).status == 200
        assert await person.client.models(await end_of(attempt))


async def test_the_way_back_of_another_attempt_is_refused_and_the_right_one_still_works(person: Person) -> None:
    async with person.signing_in() as attempt:
        location = await person.approve(attempt)
        state = parse_qs(urlsplit(location).query)["state"][0]
        shown = await visit(location.replace(state, "another"))
        assert shown.status == 400
        assert "another sign-in" in shown.page
        assert attempt.state is LoginState.WAITING
        assert not person.exchanged
        assert (await visit(location)).status == 200
        assert await end_of(attempt)


async def test_a_way_back_without_a_code_changes_nothing(person: Person) -> None:
    async with person.signing_in() as attempt:
        shown = await visit(callback_of(attempt))
        assert shown.status == 400
        assert "You can close this" in shown.page
        assert (await visit(await person.approve(attempt))).status == 200


async def test_nobody_within_the_time_is_a_timeout_and_closes_the_port(person: Person) -> None:
    async with person.signing_in(timeout=0.01) as attempt:
        with pytest.raises(LoginTimeoutError) as caught:
            await end_of(attempt)
    assert "%tetrate_login" in caught.value.next_step
    assert attempt.remaining == 0
    assert not await is_open(port_of(attempt))


async def test_a_person_who_was_in_time_is_not_late_while_the_router_works(person: Person) -> None:
    person.go_on.clear()
    async with person.signing_in(timeout=0) as attempt:
        attempt.submit("some-code")  # before the loop could see that the time is over
        assert await visit(f"{callback_of(attempt)}&code=another")
        assert attempt.state is LoginState.EXCHANGING
        person.go_on.set()
        with pytest.raises(CodeRejectedError):
            await end_of(attempt)


# --- the router says no, or nothing sensible -----------------------------------------------------------------


async def test_a_wrong_code_is_refused(person: Person) -> None:
    async with person.signing_in() as attempt:
        shown = await visit(f"{callback_of(attempt)}&code=made-up")
        with pytest.raises(CodeRejectedError, match="wrong, was used before, or has expired") as caught:
            await end_of(attempt)
    assert shown.status == 400
    assert "Not signed in" in shown.page
    assert "You can close this" in shown.page
    assert caught.value.request_id == person.exchanges[0].request_id


async def test_a_code_that_was_used_is_refused(person: Person) -> None:
    async with person.signing_in() as first:
        code = code_of(await person.approve(first))
        first.submit(code)
        assert await end_of(first)
    async with person.signing_in() as second:
        second.submit(code)
        with pytest.raises(CodeRejectedError):
            await end_of(second)


async def test_a_code_of_another_attempt_is_worth_nothing(person: Person) -> None:
    async with person.signing_in() as one, person.signing_in() as other:
        other.submit(code_of(await person.approve(one)))
        with pytest.raises(CodeRejectedError):
            await end_of(other)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("code-expired", CodeRejectedError),
        ("bad-request", CodeRejectedError),
        ("invalid-key", CodeRejectedError),
        ("forbidden", CodeRejectedError),
        ("flat-error", CodeRejectedError),
        ("rate-limit", ExchangeError),
        ("server-error", ExchangeError),
        ("bad-gateway", ExchangeError),
        ("unavailable", ExchangeError),
        ("gateway-timeout", ExchangeError),
        ("overloaded", ExchangeError),
        ("unreadable-error", ExchangeError),
        ("error-as-200", ExchangeError),
        ("html", ExchangeError),
        ("empty-body", ExchangeError),
        ("broken-json", ExchangeError),
        ("redirect", ExchangeError),
        ("drop", ExchangeError),
    ],
)
async def test_an_exchange_that_fails_ends_it_after_one_try_and_a_new_one_starts_at_once(
    person: Person, kind: FaultKind, expected: type[LoginError]
) -> None:
    person.router.inject(Fault(kind, path="exchange"))
    async with person.signing_in() as attempt:
        shown = await visit(await person.approve(attempt))
        with pytest.raises(LoginError) as caught:
            await end_of(attempt)
        assert type(caught.value) is expected
        assert caught.value.next_step
        assert (shown.status, attempt.state) == (400, LoginState.FAILED)
        assert "start again" in shown.page
        assert len(person.exchanges) == 1
        assert not await is_open(port_of(attempt))
    async with person.signing_in() as again:
        await visit(await person.approve(again))
        assert await person.client.models(await end_of(again))


async def test_an_exchange_without_an_answer_ends_within_its_bound(router: SandboxRouter) -> None:
    client = GatewayClient(Endpoints.of(router.base_url, router.auth_url), timeouts=Timeouts(exchange=0.2))
    router.inject(Fault("slow-headers", path="exchange"))
    attempt = LoginAttempt(router.auth_url, client.exchange)
    await attempt.start()
    attempt.submit("some-code")
    with pytest.raises(ExchangeError):
        await end_of(attempt)
    await client.aclose()


async def test_whatever_else_an_exchange_raises_is_told_without_its_words(router: SandboxRouter) -> None:
    async def breaks(code: str, verifier: str) -> Secret:
        raise ValueError(f"{code} {verifier}")

    attempt = LoginAttempt(router.auth_url, breaks)
    await attempt.start()
    attempt.submit("some-code")
    with pytest.raises(ExchangeError) as caught:
        await end_of(attempt)
    assert "some-code" not in "".join(traceback.format_exception(caught.value))


# --- pasting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{address}", "  <{address}>\n", "?code={code}", "code={code}", "{code}"])
async def test_what_the_browser_shows_can_be_pasted_from_any_thread(person: Person, form: str) -> None:
    async with person.signing_in() as attempt:
        location = await person.approve(attempt)
        await asyncio.to_thread(attempt.submit, form.format(address=location, code=code_of(location)))
        assert await person.client.models(await end_of(attempt))


async def test_pasting_the_address_of_a_denial_ends_it(person: Person) -> None:
    async with person.signing_in() as attempt:
        with pytest.raises(LoginDeniedError):
            attempt.submit(await person.deny(attempt))
        with pytest.raises(LoginDeniedError):
            await end_of(attempt)
    assert not person.exchanged


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sk-something-secret", "is a key"),
        ("export TETRATE_API_KEY=sk-something-secret", "is a key"),
        ("", "no code"),
        ("two words", "no code"),
        ("https://router.example/", "no code"),
        ("http://localhost:1/?state=another&code=abc", "another sign-in"),
        ("\x00\ud800", "no code"),
    ],
)
async def test_what_holds_no_code_is_refused_and_the_attempt_goes_on(person: Person, text: str, says: str) -> None:
    async with person.signing_in() as attempt:
        with pytest.raises(RedirectError, match=says) as caught:
            attempt.submit(text)
        assert "sk-something-secret" not in str(caught.value)
        attempt.submit(await person.approve(attempt))
        assert await end_of(attempt)


async def test_pasting_after_the_end_or_before_the_start_is_refused(person: Person) -> None:
    attempt = LoginAttempt(person.router.auth_url, person.exchange)
    with pytest.raises(RedirectError, match="not started"):
        attempt.submit("some-code")
    with pytest.raises(LoginError, match="not started"):
        await attempt.wait()
    await attempt.start()
    attempt.cancel()
    with pytest.raises(LoginCancelledError):
        await end_of(attempt)
    with pytest.raises(RedirectError, match="is over"):
        attempt.submit("some-code")


@pytest.mark.parametrize("paste_first", [False, True])
async def test_browser_and_paste_together_exchange_once(person: Person, paste_first: bool) -> None:
    person.go_on.clear()
    exchanging = asyncio.Event()
    async with person.signing_in() as attempt:
        attempt.on_change(exchanging.set)
        location = await person.approve(attempt)
        if paste_first:
            attempt.submit(location)
            shown = await visit(location)
            assert (shown.status, "Used already" in shown.page) == (400, True)
        else:
            first = asyncio.create_task(visit(location))
            await asyncio.wait_for(exchanging.wait(), FOR_EVER)
            attempt.submit(location)
        person.go_on.set()
        assert await end_of(attempt)
        if not paste_first:
            assert (await first).status == 200
    assert len(person.exchanged) == len(person.exchanges) == 1


# --- stopping ------------------------------------------------------------------------------------------------


async def test_cancelling_while_waiting_ends_it_and_closes_the_port(person: Person) -> None:
    async with person.signing_in() as attempt:
        waiting = asyncio.create_task(end_of(attempt))
        assert await is_open(port_of(attempt))
        await asyncio.to_thread(attempt.cancel, "signed out")
        with pytest.raises(LoginCancelledError, match="signed out"):
            await waiting
        assert not await is_open(port_of(attempt))
        assert attempt.state is LoginState.FAILED


async def test_cancelling_while_exchanging_hangs_up_on_the_router(person: Person) -> None:
    person.router.inject(Fault("slow-headers", path="exchange"))
    async with person.signing_in() as attempt:
        browser = asyncio.create_task(visit(await person.approve(attempt)))
        await asyncio.to_thread(person.router.wait_for, lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
        attempt.cancel()
        with pytest.raises(LoginCancelledError):
            await end_of(attempt)
        await asyncio.to_thread(person.router.wait_for, lambda r: r.hung_up_at is not None, FOR_EVER)
        shown = await browser
        assert (shown.status, "was stopped" in shown.page) == (400, True)
        assert not await is_open(port_of(attempt))


async def test_an_exchange_that_is_cancelled_from_outside_ends_the_attempt(router: SandboxRouter) -> None:
    async def cancelled(code: str, verifier: str) -> Secret:
        raise asyncio.CancelledError

    attempt = LoginAttempt(router.auth_url, cancelled)
    await attempt.start()
    attempt.submit("some-code")
    with pytest.raises(LoginCancelledError):
        await end_of(attempt)


async def test_cancelling_the_wait_leaves_the_attempt_alone(person: Person) -> None:
    async with person.signing_in() as attempt:
        waiting = asyncio.create_task(attempt.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        attempt.submit(await person.approve(attempt))
        assert await end_of(attempt)


async def test_cancelling_what_is_over_changes_nothing(person: Person) -> None:
    async with person.signing_in() as attempt:
        attempt.submit(await person.approve(attempt))
        key = await end_of(attempt)
        attempt.cancel()
        assert await end_of(attempt) == key
        assert attempt.error is None


async def test_a_failure_that_nobody_waits_for_is_no_complaint(
    person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async with person.signing_in() as attempt:
        attempt.cancel()
        await asyncio.sleep(0)
        assert attempt.ended
    del attempt
    gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_each_state_is_told_in_its_turn_until_nobody_listens(person: Person) -> None:
    seen: list[LoginState] = []
    attempt = LoginAttempt(person.router.auth_url, person.exchange)
    stop = attempt.on_change(lambda: seen.append(attempt.state))
    assert attempt.state is LoginState.NEW
    await attempt.start()
    attempt.submit(await person.approve(attempt))
    await end_of(attempt)
    assert seen == [LoginState.WAITING, LoginState.EXCHANGING, LoginState.DONE]
    stop()


# --- ports ---------------------------------------------------------------------------------------------------


async def test_two_attempts_at_once_share_neither_port_nor_state_nor_verifier(person: Person) -> None:
    async with person.signing_in() as one, person.signing_in() as other:
        assert port_of(one) != port_of(other)
        queries = [parse_qs(urlsplit(attempt.url).query) for attempt in (one, other)]
        assert queries[0]["code_challenge"] != queries[1]["code_challenge"]
        to_other = await person.approve(other)
        crossed = to_other.replace(f":{port_of(other)}", f":{port_of(one)}")
        assert (await visit(crossed)).status == 400
        assert (await visit(to_other)).status == 200
        assert (await visit(await person.approve(one))).status == 200
        assert await end_of(one) != await end_of(other)
    (_, first), (_, second) = person.exchanged
    assert first != second


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Let the system refuse every new file and socket of this process."""
    resource = pytest.importorskip("resource", reason="this system has no limits to set")
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_without_a_port_the_attempt_goes_on_and_the_address_is_pasted(person: Person) -> None:
    attempt = LoginAttempt(person.router.auth_url, person.exchange)
    with no_more_descriptors():
        await attempt.start()
    assert not attempt.listening
    assert port_of(attempt) == DEAD_PORT
    assert attempt.state is LoginState.WAITING
    attempt.submit(await person.approve(attempt))
    assert await person.client.models(await end_of(attempt))


# --- secrets -------------------------------------------------------------------------------------------------


def everything_said(attempt: LoginAttempt, error: BaseException | None) -> str:
    said = [repr(attempt), str(attempt), attempt.url]
    if error is not None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        said += [repr(error), str(error), *shown.format()]
    return "\n".join(said)


@pytest.mark.parametrize("kind", [None, "code-expired", "server-error", "html", "broken-json", "drop"])
async def test_neither_code_nor_verifier_nor_key_is_ever_said(
    person: Person, kind: FaultKind | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    if kind is not None:
        person.router.inject(Fault(kind, path="exchange"))
    error, key = None, None
    async with person.signing_in() as attempt:
        shown = await visit(await person.approve(attempt))
        try:
            key = await attempt.wait()
        except LoginError as failure:
            error = failure
    said = everything_said(attempt, error) + shown.page + caplog.text  # before this very frame holds any of them
    ((code, verifier),) = person.exchanged
    assert (key is None) == (kind is not None)
    assert caplog.records
    assert code not in said
    assert verifier not in said
    assert key is None or key.reveal() not in said
    assert attempt._verifier.reveal() == ""
