"""The listener that the browser comes back to, over real sockets, byte by byte where that matters."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.auth.loopback import MAX_CONNECTIONS, MAX_HEAD, Listener, Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

WELCOME = Page(200, "You are in", "You can close this page.")
FOR_EVER = 30.0  # seconds; a bound that no test is meant to reach


class Answers:
    """What the listener asks; remembers the queries, and waits where it is told to."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.page = WELCOME

    async def __call__(self, query: str) -> Page:
        self.queries.append(query)
        self.asked.set()
        await self.go_on.wait()
        return self.page


@asynccontextmanager
async def listening(answers: Answers, **options: float) -> AsyncIterator[Listener]:
    listener = Listener(answers, **options)
    await listener.start()
    try:
        yield listener
    finally:
        listener.close()


async def say(listener: Listener, raw: bytes, host: str = "127.0.0.1") -> bytes:
    """Send bytes, give all that comes back; a connection that is reset has said nothing more."""
    reader, writer = await asyncio.open_connection(host, listener.port)
    try:
        writer.write(raw)
        return await asyncio.wait_for(reader.read(), FOR_EVER)
    finally:
        writer.close()


async def hung_up(reader: asyncio.StreamReader) -> None:
    """Wait for the end; a byte that was on its way when the listener closed makes a reset of it, which is one, too."""
    with contextlib.suppress(ConnectionResetError):
        await reader.read()


def get(listener: Listener, target: str = "/?code=abc", *, host: str | None = None, method: str = "GET") -> bytes:
    name = f"localhost:{listener.port}" if host is None else host
    return f"{method} {target} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: a browser\r\n\r\n".encode("latin-1")


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


async def test_the_query_of_the_root_path_is_asked_about_and_the_page_shown() -> None:
    answers = Answers()
    async with listening(answers) as listener:
        response = await say(listener, get(listener, "/?state=s&code=a%2Bb"))
    assert answers.queries == ["state=s&code=a%2Bb"]
    assert status(response) == 200
    assert b"You can close this page." in response


async def test_the_page_is_kept_by_nobody_runs_nothing_and_tells_no_address() -> None:
    async with listening(Answers()) as listener:
        response = await say(listener, get(listener, "/?code=the-code-itself"))
    head, _, body = response.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    assert fields[b"cache-control"] == b"no-store"
    assert fields[b"referrer-policy"] == b"no-referrer"
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert fields[b"content-security-policy"].startswith(b"default-src 'none';")
    assert b"frame-ancestors 'none'" in fields[b"content-security-policy"]
    assert int(fields[b"content-length"]) == len(body)
    assert fields[b"connection"] == b"close"
    assert b"the-code-itself" not in response
    assert b"<script" not in body
    assert b"http" not in body


async def test_what_a_page_says_is_text_and_never_markup() -> None:
    answers = Answers()
    answers.page = Page(400, "<img src=x>", "a & <script>alert(1)</script>")
    async with listening(answers) as listener:
        response = await say(listener, get(listener))
    assert b"<img" not in response
    assert b"<script" not in response
    assert b"a &amp; &lt;script&gt;" in response


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_every_name_of_this_machine_is_its_host(name: str) -> None:
    async with listening(Answers()) as listener:
        assert status(await say(listener, get(listener, host=f"{name}:{listener.port}"))) == 200


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:{port}", "localhost", "localhost:1", "localhost.evil.example:{port}", ""]
)
async def test_a_request_that_names_another_host_is_refused(name: str) -> None:
    answers = Answers()
    async with listening(answers) as listener:
        response = await say(listener, get(listener, host=name.format(port=listener.port)))
    assert status(response) == 400
    assert not answers.queries


async def test_a_request_with_no_host_or_with_two_is_refused() -> None:
    answers = Answers()
    async with listening(answers) as listener:
        field = f"Host: localhost:{listener.port}\r\n".encode()
        for fields in (b"", field + field, field + b"Host: evil.example\r\n"):
            assert status(await say(listener, b"GET /?code=abc HTTP/1.1\r\n" + fields + b"\r\n")) == 400
    assert not answers.queries


@pytest.mark.parametrize(
    "target",
    ["/", "/?", "/favicon.ico", "/favicon.ico?code=abc", "/x?code=abc", "//?code=abc", "//evil.example/?code=abc",
     "http://evil.example/?code=abc", "//[/?code=abc", "//\uff0f/?code=abc", "?code=abc", "*", "", "/%3Fcode=abc"],
)  # fmt: skip
async def test_another_path_holds_nothing(target: str) -> None:
    answers = Answers()
    async with listening(answers) as listener:
        response = await say(listener, get(listener, target.encode().decode("latin-1")))
    assert status(response) == 404
    assert not answers.queries


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "get", "", "CONNECT"])
async def test_only_get_is_allowed(method: str) -> None:
    answers = Answers()
    async with listening(answers) as listener:
        response = await say(listener, get(listener, method=method))
    assert status(response) == 405
    assert b"\r\nAllow: GET\r\n" in response
    assert not answers.queries


@pytest.mark.parametrize(
    "raw", [b"\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe \x00\r\n\r\n"]
)
async def test_what_is_no_request_is_refused(raw: bytes) -> None:
    answers = Answers()
    async with listening(answers) as listener:
        assert status(await say(listener, raw)) == 400
    assert not answers.queries


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
async def test_a_request_without_measure_is_refused_in_words(end: bytes) -> None:
    answers = Answers()
    async with listening(answers) as listener:
        response = await say(listener, get(listener)[:-2] + b"X-Long: " + b"x" * (4 * MAX_HEAD) + end)
    assert status(response) == 400
    assert b"too long" in response
    assert not answers.queries


@pytest.mark.parametrize("raw", [b"", b"G", b"GET /?code=abc HTTP/1.1\r\nHost: local"])
async def test_a_client_that_says_no_more_is_hung_up_on_and_others_are_served_meanwhile(raw: bytes) -> None:
    answers = Answers()
    async with listening(answers, patience=0.3) as listener:
        slow = asyncio.create_task(say(listener, raw))
        assert status(await say(listener, get(listener))) == 200
        assert await slow == b""
    assert answers.queries == ["code=abc"]


async def test_a_client_that_drips_is_hung_up_on_just_the_same() -> None:
    answers = Answers()
    async with listening(answers, patience=0.3) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        gone = asyncio.create_task(hung_up(reader))
        for byte in get(listener, "/?" + "x" * 10_000):
            writer.write(bytes([byte]))
            done, _ = await asyncio.wait({gone}, timeout=0.01)  # the drip: far more of it than the listener waits for
            if done:
                break
        else:
            pytest.fail("ten thousand drips were waited for")
        writer.close()
    assert not answers.queries


async def test_a_client_that_hangs_up_first_disturbs_nobody() -> None:
    answers = Answers()
    answers.go_on.clear()
    async with listening(answers) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(get(listener))
        await asyncio.wait_for(answers.asked.wait(), FOR_EVER)
        writer.transport.abort()
        answers.go_on.set()
        assert status(await say(listener, get(listener))) == 200


async def test_two_clients_at_once_are_both_answered() -> None:
    answers = Answers()
    async with listening(answers) as listener:
        both = await asyncio.gather(*(say(listener, get(listener, f"/?code={n}")) for n in "ab"))
    assert [status(response) for response in both] == [200, 200]
    assert sorted(answers.queries) == ["code=a", "code=b"]


async def test_a_crowd_is_turned_away_and_makes_room_again() -> None:
    answers = Answers()
    answers.go_on.clear()
    async with listening(answers) as listener:
        crowd = [asyncio.create_task(say(listener, get(listener))) for _ in range(MAX_CONNECTIONS + 3)]
        first = asyncio.as_completed(crowd)
        assert [status(await next(first)) for _ in range(3)] == [503] * 3
        answers.go_on.set()
        assert sorted(status(response) for response in await asyncio.gather(*crowd)) == [200] * 16 + [503] * 3
        assert status(await say(listener, get(listener))) == 200


async def test_both_families_of_addresses_lead_here() -> None:
    async with listening(Answers()) as listener:
        try:
            response = await say(listener, get(listener), host="::1")
        except OSError:
            pytest.skip("this machine has no ::1")
        assert status(response) == 200


async def test_after_closing_nobody_comes_in_but_a_page_on_its_way_is_still_sent() -> None:
    answers = Answers()
    answers.go_on.clear()
    async with listening(answers) as listener:
        waiting = asyncio.create_task(say(listener, get(listener)))
        await asyncio.wait_for(answers.asked.wait(), FOR_EVER)
        listener.close()
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system words it
            await say(listener, get(listener))
        answers.go_on.set()
        assert status(await waiting) == 200


async def test_each_listener_has_a_port_of_its_own() -> None:
    async with listening(Answers()) as one, listening(Answers()) as other:
        assert one.port != other.port


async def test_a_start_that_is_cancelled_at_any_moment_leaves_no_port_open() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for turns in range(16):
            listener = Listener(Answers())
            starting = asyncio.ensure_future(listener.start())
            for _ in range(turns):
                await asyncio.sleep(0)
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            listener.close()
            await asyncio.sleep(0)
        del listener, starting
        gc.collect()
    assert [str(each.message) for each in told if each.category is ResourceWarning] == []
