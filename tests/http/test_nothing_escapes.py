"""No foreign error comes through, whatever the library or the system raises, and none hangs on ours."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import errno
import inspect
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import httpx
import msgspec
import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient, to_tetrate_error
from tetrate_jupyter.http.faults import RequestContext
from tetrate_jupyter.secret import Secret

from .conftest import KEY_TEXT, Then, read, text_event

if TYPE_CHECKING:
    from .conftest import RawRouter

pytestmark = pytest.mark.anyio

LEAK = f"Illegal header value b'Bearer {KEY_TEXT}'"
Call = Callable[[GatewayClient, Secret], Awaitable[object]]


def classes_of(module: Any, base: type[BaseException] = Exception) -> list[type[Exception]]:
    found = {c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, base)}
    return sorted((c for c in found if issubclass(c, Exception)), key=lambda c: c.__qualname__)


def instance(kind: type[Exception]) -> Exception:
    request = httpx.Request("GET", "http://x.example", headers={"Authorization": KEY_TEXT})
    for arguments, options in (
        ((LEAK,), {"request": request, "response": httpx.Response(500, request=request)}),
        ((LEAK,), {"request": request}),
        ((LEAK,), {}),
        ((), {}),
        (("ascii", LEAK, 0, 1, "why"), {}),
        ((b"", LEAK), {}),
        ((b"utf-8", b"x", 0, 1, "why"), {}),
        (("utf-8", b"x", 0, 1, "why"), {}),
        ((LEAK, 0, 1, "why"), {}),
        ((LEAK, [ValueError(LEAK)]), {}),
    ):
        with contextlib.suppress(TypeError):
            return kind(*arguments, **options)
    raise AssertionError(kind)


FOREIGN = [
    *classes_of(httpx),
    *classes_of(httpcore),
    *(c for c in classes_of(anyio) if not c.__name__.startswith("BrokenWorker")),  # of processes and interpreters
    *classes_of(ssl),
    *classes_of(socket),
    *(c for c in classes_of(builtins) if not issubclass(c, (Warning, StopIteration, StopAsyncIteration))),
    msgspec.DecodeError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
    asyncio.InvalidStateError,
]
CALLS: dict[str, Call] = {
    "models": lambda c, k: c.models(k),
    "catalog": lambda c, _: c.catalog(),
    "status": lambda c, k: c.status(k),
    "exchange": lambda c, _: c.exchange("code-0123", "verifier-0123"),
    "stream": read,
}


class Body(httpx.AsyncByteStream):
    """A body that fails after its first piece."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield text_event("a")
        raise self._failure


@pytest.fixture
def fast_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tetrate_jupyter.config.RETRY_BASE", 0.0)


def test_every_class_of_the_http_library_is_in_the_list() -> None:
    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(below(c) for c in kind.__subclasses__()))

    own = {
        c for base in (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict) for c in below(base)
    }
    assert {c for c in own if c.__module__.startswith("httpx")} <= set(FOREIGN)
    assert len(own) >= 25


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("where", ["sending", "reading"])
async def test_no_foreign_error_comes_through(
    call: str, where: str, monkeypatch: pytest.MonkeyPatch, fast_retries: None
) -> None:
    endpoints = Endpoints.of("http://127.0.0.1:9/v1")
    client, key = GatewayClient(endpoints), Secret(KEY_TEXT, host=endpoints.host)
    for kind in FOREIGN:
        failure = instance(kind)

        async def handle(_self: object, request: httpx.Request, failure: Exception = failure) -> httpx.Response:
            if where == "sending":
                raise failure
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(failure))

        monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
        with pytest.raises(errors.TetrateError) as caught:
            await CALLS[call](client, key)
        check_clean(caught.value)
    await client.aclose()


def check_clean(error: errors.TetrateError) -> None:
    """Nothing foreign hangs on the error, and nothing in it holds the key."""
    assert error.next_step
    current: BaseException | None = error
    while current is not None:
        assert type(current).__module__ == errors.__name__, current
        assert KEY_TEXT not in str(current) + repr(vars(current))
        current = current.__cause__ or current.__context__


async def test_a_key_is_in_no_variable_of_any_frame_of_a_traceback(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(401, {"error": {"message": f"Incorrect API key provided: {KEY_TEXT}"}})
    for call in (client.models, lambda key: read(client, key)):
        with pytest.raises(errors.InvalidKeyError) as caught:
            await call(router.key)
        trace = caught.value.__traceback__
        while trace is not None:
            if (
                "tetrate_jupyter" in trace.tb_frame.f_code.co_filename
                and "tests" not in trace.tb_frame.f_code.co_filename
            ):
                shown = {name: repr(value) for name, value in trace.tb_frame.f_locals.items() if name != "self"}
                assert not [n for n, v in shown.items() if KEY_TEXT in v and "Reply(" not in v and "b'" not in v], shown
            trace = trace.tb_next


async def test_a_key_is_in_no_log(router: RawRouter, client: GatewayClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    router.will_answer(200, {"data": []}).will_answer(500, {}).will_answer(200, {"key": KEY_TEXT})
    await client.models(router.key)
    with pytest.raises(errors.ProviderError):
        await client.catalog()
    await client.exchange("code-0123", "verifier-0123")
    assert caplog.records
    everything = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    for secret in (KEY_TEXT, "code-0123", "verifier-0123"):
        assert secret not in everything


# --- real failures of real sockets ---------------------------------------------------------------------------


async def connecting(url: str, *, allow_http: bool = False) -> errors.TetrateError:
    endpoints = Endpoints.of(url, allow_http=allow_http)
    client = GatewayClient(endpoints)
    with pytest.raises(errors.TetrateError) as caught:
        await client.status(Secret(KEY_TEXT, host=endpoints.host))
    await client.aclose()
    check_clean(caught.value)
    return caught.value


async def test_nobody_listens(unused_port: int) -> None:
    error = await connecting(f"http://127.0.0.1:{unused_port}/v1")
    assert type(error) is errors.UnreachableError
    assert "refused" in error.message


async def test_a_name_that_does_not_exist() -> None:
    error = await connecting("https://no-such-host.invalid/v1")
    assert type(error) is errors.UnreachableError
    assert "can't be found" in error.message


async def test_https_spoken_to_a_plain_server() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        error = await connecting(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    assert type(error) is errors.UnreachableError
    assert "encrypted" in error.message


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", b"\x00" * 200_000],
)
async def test_a_server_that_speaks_something_else(router: RawRouter, said: bytes) -> None:
    router.will(said, Then.CLOSE)
    assert type(await connecting(f"http://127.0.0.1:{router.port}/v1")) is errors.MalformedResponseError


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "socks5://user:proxy-password@127.0.0.1:9"),
        ("HTTPS_PROXY", "nonsense://127.0.0.1"),
        ("HTTPS_PROXY", "http://[broken"),
        ("SSL_CERT_FILE", "/no/such/file.pem"),
    ],
)
async def test_settings_of_the_environment_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = await connecting("https://gateway.invalid/v1")
    assert isinstance(error, (errors.ConfigError, errors.UnreachableError))
    assert "proxy-password" not in str(error)


@pytest.mark.parametrize(
    ("variable", "scheme"), [("HTTPS_PROXY", "https"), ("HTTP_PROXY", "http"), ("ALL_PROXY", "https")]
)
@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("127.0.0.1:9", "Nothing answers at 127.0.0.1:9: the connection was refused."),
        ("proxy.invalid:3128", "The host name proxy.invalid:3128 can't be found."),
    ],
)
async def test_a_proxy_that_is_not_there_is_named_not_the_router(
    monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str, proxy: str, said: str
) -> None:
    monkeypatch.setenv(variable, f"http://user:proxy-password@{proxy}")
    error = await connecting(f"{scheme}://gateway.invalid/v1", allow_http=True)
    assert type(error) is errors.UnreachableError
    assert error.message == f"The proxy on the way to gateway.invalid can't be reached. {said}"
    assert error.next_step is not None
    assert error.next_step.startswith(f"check {variable}, or add gateway.invalid to NO_PROXY")
    assert "proxy-password" not in str(error)


async def test_what_fails_behind_a_proxy_says_that_it_stands_between(
    router: RawRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    router.will(Then.CLOSE)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxy-password@127.0.0.1:{router.port}")
    error = await connecting("https://gateway.invalid/v1")
    assert type(error) is errors.UnreachableError
    assert error.message == "The connection to gateway.invalid failed or was dropped."
    assert error.next_step is not None
    assert error.next_step.endswith(f"; the way there is the proxy 127.0.0.1:{router.port} (HTTPS_PROXY)")


async def test_a_proxy_that_refuses(router: RawRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    router.will_answer(407, {})
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxy-password@127.0.0.1:{router.port}")
    error = await connecting("https://gateway.invalid/v1")
    assert type(error) is errors.UnreachableError
    assert f"The proxy 127.0.0.1:{router.port} between" in error.message
    assert "proxy-password" not in str(error)
    assert "authorization" not in router.requests[0].headers


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "dropped"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "can't be found"),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "can't be trusted"),
        (ssl.SSLError(1, "x"), "encrypted"),
        (TimeoutError(), "doesn't answer"),
        (Exception("x"), "failed or was dropped"),
    ],
)
def test_the_innermost_cause_makes_the_words(cause: Exception, words: str) -> None:
    middle = httpcore.ConnectError(LEAK)
    middle.__cause__ = cause
    outer = httpx.ConnectError(LEAK)
    outer.__context__ = middle
    error = to_tetrate_error(outer, RequestContext("https://gateway.example/v1", "id-1"))
    assert type(error) is errors.UnreachableError
    assert words in error.message
    check_clean(error)


def test_a_chain_that_bites_its_tail_is_walked_once() -> None:
    one, two = httpx.ConnectError("1"), httpx.ConnectError("2")
    one.__context__, two.__context__ = two, one
    asked = RequestContext("https://gateway.example/v1", None)
    assert isinstance(to_tetrate_error(one, asked), errors.UnreachableError)


@pytest.fixture
def unused_port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and held: else somebody listens there by the time of the test
        yield int(sock.getsockname()[1])
