"""What is typed is in no variable of any frame of an error, whatever goes wrong with it, however deep one looks."""

from __future__ import annotations

import asyncio
import getpass
import json
import socket
import sys
import traceback
from typing import TYPE_CHECKING

import pytest

from tests.http.conftest import KEY_TEXT, RawRouter, read
from tests.security.frames import frames_of, leaks
from tetrate_jupyter import secrecy
from tetrate_jupyter.auth.login import LoginAttempt
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import (
    BaseURLError,
    GatewayError,
    InvalidKeyError,
    LoginDeniedError,
    LoginError,
    RedirectError,
    TetrateError,
)
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.http.client import GatewayClient, Timeouts
from tetrate_jupyter.sandbox import Fault
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.sandbox.faults import FaultKind

MARKER = "sk-marker-7f3c9a1e5b2d8460"
FOR_EVER = 30.0


@pytest.fixture
def nobody(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=router.base_url, data_dir=tmp_path / "data", bridge=bridge)
    yield made
    made.close()


def clean(error: BaseException, *secrets: str) -> None:
    """Hold that nothing shows them: neither the frames' variables, nor what prints those."""
    assert list(frames_of(error))  # there was something to look at
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    theirs = shown.partition("tetrate_jupyter/")[2]  # after the test's own frames
    for secret in secrets:
        assert leaks(error, secret) == []
        assert secret not in theirs


def caught(call: Callable[[], object], kind: type[BaseException] = TetrateError) -> BaseException:
    with pytest.raises(kind) as found:
        call()
    return found.value


def test_the_search_would_find_one() -> None:
    class Holder:
        __slots__ = ("inside",)

        def __init__(self) -> None:
            self.inside = {"deep": [("x", f"Bearer {MARKER}".encode())]}

    namespace: dict[str, object] = {}
    source = "def fails(held):\n    raise ValueError('x')\n"
    exec(compile(source, "elsewhere.py", "exec"), namespace)
    fails = namespace["fails"]
    assert callable(fails)
    assert leaks(caught(lambda: fails(MARKER), ValueError), MARKER)
    assert leaks(caught(lambda: fails(Holder()), ValueError), MARKER)


@pytest.mark.parametrize(
    "fault",
    [None, "unavailable", "server-error", "html", "broken-json", "drop", "forbidden", "redirect", "rate-limit"],
)
def test_a_key_given_to_login_that_is_refused_or_cannot_be_checked(
    nobody: Session, router: SandboxRouter, fault: FaultKind | None
) -> None:
    if fault is not None:
        router.inject(Fault(fault, path="models", times=None))
    clean(caught(lambda: nobody.login(key=MARKER)), MARKER)


def test_a_key_given_to_login_that_a_router_says_again(bridge: Bridge, tmp_path: Path) -> None:
    echo = json.dumps({"error": {"message": f"Incorrect API key provided: {MARKER}", "code": MARKER}}).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 401 No\r\nContent-Length: %d\r\nX-Echo: %s\r\n\r\n" % (len(echo), MARKER.encode()) + echo
        )
        await writer.drain()
        writer.close()

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0)

    server = bridge.run(begin())
    made = Session(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", data_dir=tmp_path, bridge=bridge)
    clean(caught(lambda: made.login(key=MARKER), InvalidKeyError), MARKER)
    made.close()
    bridge.run(_closed(server))


async def _closed(server: asyncio.Server) -> None:
    server.close()


def test_a_key_given_where_nobody_listens(bridge: Bridge, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        made = Session(base_url=f"http://127.0.0.1:{port}", data_dir=tmp_path, bridge=bridge)
        clean(caught(lambda: made.login(key=MARKER), GatewayError), MARKER)
        made.close()


@pytest.mark.parametrize("key", [f"{MARKER} and more", f"Bearer {MARKER}", f"{MARKER}\n{MARKER}", f"{MARKER}\u200b"])
def test_a_key_that_is_none(nobody: Session, key: str) -> None:
    clean(caught(lambda: nobody.login(key=key), InvalidKeyError), MARKER)


@pytest.mark.parametrize("key", [MARKER.encode(), [MARKER], {"key": MARKER}])
def test_a_key_of_another_type(nobody: Session, key: object) -> None:
    clean(caught(lambda: nobody.login(key=key), InvalidKeyError), MARKER)  # type: ignore[arg-type]  # that is the point


def test_a_key_given_beside_an_address_that_cannot_be_used() -> None:
    clean(caught(lambda: Session(base_url="http://gateway.example", key=MARKER), BaseURLError), MARKER)


def test_a_key_that_cannot_be_kept_as_asked(nobody: Session, router: SandboxRouter) -> None:
    key = router.issue_key()
    clean(caught(lambda: nobody.login(key=key, store="keyring")), key)


@pytest.mark.parametrize("typed", [MARKER, "sk-" + "x" * 5000, f"{MARKER} {MARKER}"])
def test_a_key_typed_at_the_hidden_prompt(nobody: Session, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda _: typed)
    clean(caught(lambda: nobody.login(again=True)), typed, MARKER)


def test_a_prompt_that_is_interrupted_after_something_unusable_was_pasted(
    nobody: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter([f"http://localhost:1/?state=another&code={MARKER}"])

    def ask(_: str) -> str:
        found = next(typed, None)
        if found is None:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(getpass, "getpass", ask)
    clean(caught(lambda: nobody.login(again=True), LoginError), MARKER)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (MARKER, RedirectError),
        (f"http://localhost:1/?state=another&code={MARKER[3:]}", RedirectError),
        (f"two words {MARKER[3:]}", RedirectError),
        (f"http://localhost:1/?error=no&code={MARKER[3:]}", LoginDeniedError),
    ],
)
def test_what_is_pasted_and_is_of_no_use(nobody: Session, text: str, kind: type[LoginError]) -> None:
    attempt = nobody.bridge.run(nobody.account.begin())
    verifier = attempt._verifier.reveal()
    clean(caught(lambda: attempt.submit(text), kind), MARKER[3:], verifier)
    attempt.cancel()
    ended = caught(lambda: nobody.bridge.run(attempt.wait()), LoginError)
    clean(ended, MARKER[3:], verifier)


EXCHANGE_FAULTS: list[FaultKind | None] = [None, "server-error", "html", "broken-json", "drop", "error-as-200"]


@pytest.mark.parametrize("fault", EXCHANGE_FAULTS)
def test_code_and_verifier_of_an_exchange_that_fails(
    nobody: Session, router: SandboxRouter, fault: FaultKind | None
) -> None:
    if fault is not None:
        router.inject(Fault(fault, path="exchange"))
    attempt = nobody.bridge.run(nobody.account.begin())
    verifier = attempt._verifier.reveal()
    attempt.submit(MARKER[3:])
    error = caught(lambda: nobody.bridge.run(nobody.account.finish(attempt)), LoginError)
    clean(error, MARKER[3:], verifier)


@pytest.mark.anyio
@pytest.mark.parametrize("fault", [*EXCHANGE_FAULTS, "slow-headers"])
async def test_code_and_verifier_given_to_the_client_itself(router: SandboxRouter, fault: FaultKind | None) -> None:
    if fault is not None:
        router.inject(Fault(fault, path="exchange"))
    client = GatewayClient(Endpoints.of(router.base_url), timeouts=Timeouts(exchange=0.3))
    with pytest.raises(LoginError) as found:
        await client.exchange(MARKER[3:], "verifier-" + MARKER)
    await client.aclose()
    clean(found.value, MARKER[3:])


@pytest.mark.anyio
@pytest.mark.parametrize("call", ["models", "exchange"])
async def test_a_call_that_is_cancelled(router: SandboxRouter, call: str) -> None:
    router.inject(Fault("slow-headers", path=call))  # type: ignore[arg-type]  # "models" and "exchange" are paths
    client = GatewayClient(Endpoints.of(router.base_url))
    key = Secret(MARKER, host=client.endpoints.host)
    asking = asyncio.ensure_future(client.models(key) if call == "models" else client.exchange(MARKER, MARKER))
    await asyncio.to_thread(router.wait_for, lambda _: True, FOR_EVER)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError) as found:
        await asking
    await client.aclose()
    clean(found.value, MARKER)


@pytest.mark.anyio
async def test_a_foreign_error_in_an_exchange(router: SandboxRouter) -> None:
    async def breaks(code: str, verifier: str) -> Secret:
        raise ValueError(f"{code} {verifier}")

    attempt = LoginAttempt(router.auth_url, breaks)
    await attempt.start()
    verifier = attempt._verifier.reveal()
    attempt.submit(MARKER[3:])
    with pytest.raises(LoginError) as found:
        await attempt.wait()
    clean(found.value, MARKER[3:], verifier)


# --- the gate itself, which has every key in its hands ---------------------------------------------------------------


def interrupted_at(step: int, work: Callable[[], object]) -> BaseException | None:
    """Do it, and press Ctrl-C at this step of the gate's code; None where it is over before."""
    left = step

    def each(frame: FrameType, _event: str, _value: object) -> object:
        nonlocal left
        if frame.f_code.co_filename != secrecy.__file__:
            return None
        if frame.f_code.co_name == "<lambda>" and frame.f_code.co_varnames == ("_",):
            return None  # what is told of a secret's end, whenever that is: what is raised there reaches nobody
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return each

    before = sys.gettrace()
    sys.settrace(each)
    try:
        work()
    except KeyboardInterrupt as error:
        return error
    finally:
        sys.settrace(before)
    return None


@pytest.mark.parametrize("does", ["redacts", "searches", "passes a stream", "redacts a tree"])
def test_an_interrupt_in_the_gate_brings_no_form_of_a_key_along(does: str) -> None:
    held = Secret(MARKER, host="a")

    def work() -> None:
        new = Secret(f"another-one-{does}-0123456789", host="a")  # so that the forms are made anew
        if does == "redacts":
            secrecy.redact("nothing is in here")
        elif does == "searches":
            secrecy.holds(b"nothing is in here")
        elif does == "redacts a tree":
            secrecy.redacted({"a": ["nothing is in here"]})
        else:
            passing = secrecy.Passing()
            passing.feed("It is " + "sk-m")
            passing.feed("asked, and so on")
            passing.finish()
        assert new.host

    steps = 0
    for step in range(1, 3_000, 13):
        error = interrupted_at(step, work)
        if error is None:
            break
        steps += 1
        for form in (MARKER[:16], MARKER[::-1][:16], MARKER.encode().hex()[:32]):
            assert leaks(error, form) == []
    assert steps > 3
    assert held.host


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["x-request-id", "location", "retry-after", "x-tars-budget-action", "set-cookie"])
async def test_a_key_that_a_header_repeats_is_in_no_frame(header: str) -> None:
    raw = RawRouter()
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    client = GatewayClient(raw.endpoints)
    for status in (302, 400, 429):
        raw.scripts.clear()
        raw.will_answer(status, {"error": "no"}, {header: KEY_TEXT})
        with pytest.raises(GatewayError) as caught:
            await read(client, raw.key)
        clean(caught.value, KEY_TEXT)
    await client.aclose()
    server.close()
    await raw.aclose()
