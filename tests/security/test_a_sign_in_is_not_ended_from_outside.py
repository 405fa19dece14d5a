"""Whatever knocks at the listener, the person's own way back still ends the sign-in, and nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tetrate_jupyter import secrecy
from tetrate_jupyter.auth.login import GUESSES, LoginAttempt, LoginState
from tetrate_jupyter.config import EXCHANGE_PATH, Endpoints
from tetrate_jupyter.errors import CodeRejectedError, LoginDeniedError, LoginTimeoutError
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.secret import Secret

pytestmark = pytest.mark.anyio

FOR_EVER = 30.0
CHROME = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"


class Under:
    """A sign-in under way, and the router that it belongs to."""

    def __init__(self, router: SandboxRouter, attempt: LoginAttempt) -> None:
        self.router = router
        self.attempt = attempt
        split = urlsplit(parse_qs(urlsplit(attempt.url).query)["callback"][0])
        self.port = split.port or 0
        self.state = split.query

    async def knock(self, query: str, headers: str = "", *, method: str = "GET", body: bytes = b"") -> tuple[int, str]:
        """Say this to the listener; give the status and the page."""
        head = f"{method} /?{query} HTTP/1.1\r\nHost: localhost:{self.port}\r\n{headers}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head.encode() + body)
            answer = (await asyncio.wait_for(reader.read(), FOR_EVER)).decode()
            return int(answer.split(" ", 2)[1]), answer.partition("\r\n\r\n")[2]
        finally:
            writer.close()

    async def way_back(self, choice: str = "approve") -> str:
        """Decide on the consent page; give the query that the browser is sent back with."""
        return urlsplit(await asyncio.to_thread(self.router.decide, self.attempt.url, choice)).query

    async def still_works(self, headers: str = CHROME) -> None:
        """The person approves now, and is signed in."""
        assert self.attempt.state is LoginState.WAITING
        status, page = await self.knock(await self.way_back(), headers)
        assert (status, "You are signed in" in page) == (200, True), page
        assert await asyncio.wait_for(self.attempt.wait(), FOR_EVER)

    @property
    def exchanges(self) -> int:
        return sum(request.path == EXCHANGE_PATH for request in self.router.requests)


@pytest.fixture
async def under(router: SandboxRouter) -> AsyncIterator[Under]:
    client = GatewayClient(Endpoints.of(router.base_url, router.auth_url))
    attempt = LoginAttempt(router.auth_url, client.exchange)
    await attempt.start()
    yield Under(router, attempt)
    attempt.cancel()
    await client.aclose()


# --- what a page can do behind a person's back ---------------------------------------------------------------

BEHIND = {
    "image": "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
    "script": "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n",
    "fetch": "Origin: https://evil.example\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
    "fetch, no-cors": "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty\r\n",
    "iframe": "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
    "object": "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: object\r\n",
    "websocket": "Origin: https://evil.example\r\nSec-Fetch-Mode: websocket\r\nUpgrade: websocket\r\n",
    "an origin": "Origin: https://evil.example\r\n",
    "no origin": "Origin: null\r\n",
    "prefetch": CHROME + "Sec-Purpose: prefetch\r\n",
    "prerender": CHROME + "Sec-Purpose: prefetch;prerender\r\n",
    "older prefetch": CHROME + "Purpose: prefetch\r\n",
    "oldest prefetch": "X-Moz: prefetch\r\n",
    "preview": "X-Purpose: preview\r\n",
    "two modes": "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Mode: no-cors\r\n",
    "odd case": "SEC-FETCH-MODE : No-Cors\r\n",
    "body": "Content-Length: 5\r\n",
    "chunks": "Transfer-Encoding: chunked\r\n",
}


@pytest.mark.parametrize("headers", BEHIND.values(), ids=BEHIND)
async def test_nothing_but_a_visit_is_looked_at(under: Under, headers: str) -> None:
    real = await under.way_back()
    for query in (real, f"{under.state}&error=access_denied", "code=made-up", "error=access_denied"):
        status, _ = await under.knock(query, headers, body=b"12345")
        assert status in {400, 503}
    assert under.exchanges == 0
    await under.still_works()


@pytest.mark.parametrize("headers", ["", CHROME, "Sec-Fetch-Mode: Navigate\r\n", "Content-Length: 0\r\n"])
async def test_a_browser_old_or_new_is_let_through(under: Under, headers: str) -> None:
    await under.still_works(headers)


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
async def test_another_method_uses_nothing_up(under: Under, method: str) -> None:
    status, _ = await under.knock(await under.way_back(), method=method)
    assert status == 405
    assert under.exchanges == 0
    await under.still_works()


async def test_a_second_request_in_the_same_breath_is_not_looked_at(under: Under) -> None:
    real = await under.way_back()
    second = f"GET /?{real} HTTP/1.1\r\nHost: localhost:{under.port}\r\n\r\n".encode()
    status, _ = await under.knock("nothing=here", body=second)
    assert status == 400
    assert under.exchanges == 0
    await under.still_works()


# --- visits that a page makes a person make ------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["error=access_denied", "error=", "error=x&code=y", "state=another&error=access_denied", "state=&error=x"]
)
async def test_a_no_that_does_not_carry_our_state_ends_nothing(under: Under, query: str) -> None:
    status, page = await under.knock(query, CHROME)
    assert status == 400
    assert "You can close this page" in page
    await under.still_works()


async def test_a_no_with_our_state_ends_it(under: Under) -> None:
    status, page = await under.knock(await under.way_back("deny"), CHROME)
    assert (status, "Not approved" in page) == (400, True)
    with pytest.raises(LoginDeniedError):
        await under.attempt.wait()


async def test_codes_without_our_state_are_tried_a_few_times_and_end_nothing(under: Under) -> None:
    for n in range(GUESSES + 5):
        status, page = await under.knock(f"code=made-up-{n}", CHROME)
        assert (status, "paste it in the notebook" in page) == (400, True)
    assert under.exchanges == GUESSES
    await under.still_works()


async def test_the_same_code_is_posted_once_however_often_the_page_is_loaded(under: Under) -> None:
    for _ in range(GUESSES + 2):
        status, page = await under.knock("code=made-up", CHROME)
        assert (status, "refused the authorization code" in page) == (400, True)
    assert under.exchanges == 1
    await under.still_works()


async def test_a_router_that_drops_our_state_signs_in_after_others_have_knocked(under: Under) -> None:
    under.router.inject(Fault("callback-drops-query"))
    for n in range(GUESSES - 1):
        await under.knock(f"code=made-up-{n}", CHROME)
    real = await under.way_back()
    assert "state=" not in real
    status, _ = await under.knock(real, CHROME)
    assert status == 200
    assert await asyncio.wait_for(under.attempt.wait(), FOR_EVER)


async def test_where_no_guess_is_left_the_address_is_pasted(under: Under) -> None:
    under.router.inject(Fault("callback-drops-query"))
    for n in range(GUESSES):
        await under.knock(f"code=made-up-{n}", CHROME)
    real = await under.way_back()
    status, page = await under.knock(real, CHROME)
    assert (status, "copy the address of this page" in page) == (400, True)
    under.attempt.submit(f"http://localhost:{under.port}/?{real}")
    assert await asyncio.wait_for(under.attempt.wait(), FOR_EVER)


async def test_the_way_back_is_not_kept_waiting_by_a_code_that_is_being_tried(under: Under) -> None:
    under.router.inject(Fault("slow-headers", path="exchange"))
    tried = asyncio.create_task(under.knock("code=made-up", CHROME))
    await asyncio.to_thread(under.router.wait_for, lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
    await under.still_works()
    assert (await tried)[0] == 200  # the sign-in that it asked about has ended well


async def test_a_code_that_is_tried_and_pasted_is_posted_once(under: Under) -> None:
    under.router.inject(Fault("callback-drops-query"))
    real = await under.way_back()
    browser = asyncio.create_task(under.knock(real, CHROME))
    await asyncio.to_thread(under.router.wait_for, lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
    with contextlib.suppress(Exception):
        under.attempt.submit(real)
    assert await asyncio.wait_for(under.attempt.wait(), FOR_EVER)
    assert (await browser)[0] == 200
    assert under.exchanges == 1


async def test_a_wrong_code_that_a_person_pastes_ends_it(under: Under) -> None:
    under.attempt.submit("made-up")
    with pytest.raises(CodeRejectedError):
        await asyncio.wait_for(under.attempt.wait(), FOR_EVER)


async def test_time_that_ends_while_a_code_is_tried_waits_for_it_and_no_longer(router: SandboxRouter) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    client = GatewayClient(Endpoints.of(router.base_url, router.auth_url))

    async def exchange(code: str, verifier: str) -> Secret:
        begun.set()
        await go_on.wait()
        return await client.exchange(code, verifier)

    attempt = LoginAttempt(router.auth_url, exchange)
    await attempt.start()
    knocking = asyncio.create_task(Under(router, attempt).knock("code=made-up", CHROME))
    await asyncio.wait_for(begun.wait(), FOR_EVER)
    attempt._too_late()  # as its timer does; the code that is tried may be the person's
    assert attempt.state is LoginState.WAITING
    go_on.set()
    with pytest.raises(LoginTimeoutError):
        await asyncio.wait_for(attempt.wait(), FOR_EVER)
    assert (await knocking)[0] == 400
    await client.aclose()


# --- keeping others out --------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [16, 64, 500])
@pytest.mark.parametrize(
    "said",
    [b"", b"GET /?code=x HTTP/1.1\r\nHost: local", b"GET /nothing HTTP/1.1\r\n\r\n"],
    ids=["silent", "part", "served"],
)
async def test_connections_that_are_held_keep_nobody_out(under: Under, held: int, said: bytes) -> None:
    crowd = []
    for _ in range(held):
        reader, writer = await asyncio.open_connection("127.0.0.1", under.port)
        writer.write(said)
        crowd.append((reader, writer))
    try:
        await under.still_works()
    finally:
        for _, writer in crowd:
            writer.transport.abort()


async def test_a_crowd_of_whole_requests_keeps_nobody_out(under: Under) -> None:
    under.router.inject(Fault("slow-headers", path="exchange", times=GUESSES))
    knocking = [asyncio.create_task(under.knock(f"code=made-up-{n}", CHROME)) for n in range(40)]
    await asyncio.to_thread(under.router.wait_for, lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
    await under.still_works()
    await asyncio.gather(*knocking, return_exceptions=True)


async def test_a_crowd_with_one_and_the_same_code_keeps_nobody_out(under: Under) -> None:
    under.router.inject(Fault("slow-headers", path="exchange"))
    knocking = [asyncio.create_task(under.knock("code=made-up", CHROME)) for _ in range(40)]
    await asyncio.to_thread(under.router.wait_for, lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
    done, _ = await asyncio.wait(knocking, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result()[0] for task in done} == {503}
    await under.still_works()
    await asyncio.gather(*knocking, return_exceptions=True)


async def test_whoever_knocks_puts_no_word_on_the_list_of_secrets(under: Under) -> None:
    under.router.inject(Fault("slow-headers", path="exchange"))
    knocking = asyncio.create_task(under.knock("code=claude-haiku-4-5", CHROME))
    await asyncio.to_thread(under.router.wait_for, lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
    assert not secrecy.holds('{"model": "claude-haiku-4-5"}')  # while it is tried
    await under.still_works()
    await knocking
    assert not secrecy.holds('{"model": "claude-haiku-4-5"}')


async def test_a_code_that_is_used_up_is_no_secret_any_more(under: Under) -> None:
    under.attempt.submit("made-up-0123456789")
    with pytest.raises(CodeRejectedError):
        await asyncio.wait_for(under.attempt.wait(), FOR_EVER)
    assert not secrecy.holds("made-up-0123456789")
