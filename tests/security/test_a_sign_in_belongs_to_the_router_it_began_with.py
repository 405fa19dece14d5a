"""Code, verifier and the key they bring go to the router of the sign-in's beginning, wherever the session goes."""

from __future__ import annotations

import asyncio
import getpass
import threading
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from tetrate_jupyter.auth.login import LoginAttempt, LoginState
from tetrate_jupyter.config import DEFAULT_AUTH_URL, EXCHANGE_PATH, Endpoints
from tetrate_jupyter.errors import (
    GatewayError,
    InvalidKeyError,
    KeyHostError,
    LoginCancelledError,
    NotSignedInError,
    TetrateError,
)
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox.faults import FaultKind

FOR_EVER = 30.0


@pytest.fixture
def nobody(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=router.base_url, data_dir=tmp_path / "data", bridge=bridge)
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as running:
        yield running


Move = "Callable[[Session, SandboxRouter, SandboxRouter], None]"


def move_plainly(session: Session, _: SandboxRouter, other: SandboxRouter) -> None:
    session.connect(other.base_url)


def move_with_the_old_page(session: Session, router: SandboxRouter, other: SandboxRouter) -> None:
    session.connect(other.base_url, router.auth_url)


def move_the_page_only(session: Session, router: SandboxRouter, other: SandboxRouter) -> None:
    session.connect(router.base_url, other.auth_url)


MOVES = [move_plainly, move_with_the_old_page, move_the_page_only]


def begun(session: Session) -> LoginAttempt:
    return session.bridge.run(session.account.begin())


def end_of(session: Session, attempt: LoginAttempt) -> TetrateError:
    with pytest.raises(TetrateError) as caught:
        session.bridge.run(session.account.finish(attempt, store="file"))
    return caught.value


def heard_nothing(router: SandboxRouter) -> bool:
    """Whether neither a code nor a key has come here."""
    return not [r for r in router.requests if r.path == EXCHANGE_PATH or r.key is not None]


@pytest.mark.parametrize("move", MOVES)
def test_moving_cancels_a_sign_in_and_its_code_goes_nowhere(
    nobody: Session, router: SandboxRouter, other: SandboxRouter, move: Callable[..., None]
) -> None:
    attempt = begun(nobody)
    ended_at = router.decide(attempt.url)
    move(nobody, router, other)
    error = end_of(nobody, attempt)
    assert isinstance(error, LoginCancelledError)
    assert "moved to another router" in error.message
    with pytest.raises(URLError):
        urlopen(ended_at, timeout=FOR_EVER)
    assert heard_nothing(other)
    assert heard_nothing(router)


@pytest.mark.parametrize("move", MOVES)
def test_moving_while_the_code_is_exchanged_hangs_up_on_its_router_only(
    nobody: Session, router: SandboxRouter, other: SandboxRouter, move: Callable[..., None]
) -> None:
    router.inject(Fault("slow-headers", path="exchange"))
    attempt = begun(nobody)
    attempt.submit(router.decide(attempt.url))
    router.wait_for(lambda r: r.path == EXCHANGE_PATH, FOR_EVER)
    move(nobody, router, other)
    assert isinstance(end_of(nobody, attempt), LoginCancelledError)
    assert heard_nothing(other)


@pytest.mark.parametrize("move", [move_plainly, move_with_the_old_page])
def test_a_key_that_was_issued_before_the_move_is_kept_for_its_own_router(
    nobody: Session, router: SandboxRouter, other: SandboxRouter, move: Callable[..., None]
) -> None:
    attempt = begun(nobody)
    attempt.submit(router.decide(attempt.url))
    key = nobody.bridge.run(attempt.wait())
    move(nobody, router, other)
    error = end_of(nobody, attempt)
    assert "which is kept for it, in a private file" in error.message
    assert key.host == router.host
    assert heard_nothing(other)
    assert nobody.account.find() is None
    nobody.connect(router.base_url)
    found = nobody.account.find()
    assert found is not None
    assert found.secret == key
    assert nobody.models()


def test_a_code_goes_to_the_page_that_gave_it_and_the_key_is_for_its_gateway(
    nobody: Session, router: SandboxRouter, other: SandboxRouter
) -> None:
    """What an attempt that nobody cancels does after a move: what it is made of decides, not the session."""
    exchange = nobody._connections.exchange()

    async def signing_in() -> Secret:
        attempt = LoginAttempt(router.auth_url, exchange)
        await attempt.start()
        nobody._connections.move(Endpoints.of(other.base_url, router.auth_url))
        attempt.submit(await asyncio.to_thread(router.decide, attempt.url))
        return await attempt.wait()

    key = nobody.bridge.run(signing_in())
    assert key.host == router.host
    assert heard_nothing(other)


def test_a_key_of_another_router_is_not_used(nobody: Session, router: SandboxRouter, other: SandboxRouter) -> None:
    key = Secret(router.issue_key(), host=router.host)
    nobody.connect(other.base_url)
    with pytest.raises(KeyHostError):
        nobody.bridge.run(nobody.account.use(key))
    with pytest.raises(KeyHostError):
        nobody.login(key=key)
    assert heard_nothing(other)
    assert heard_nothing(router)
    assert nobody.account.find() is None


def test_moving_in_the_very_moment_of_the_beginning(
    nobody: Session, router: SandboxRouter, other: SandboxRouter
) -> None:
    """From another thread, at every point of `begin`: the attempt is the new router's, or it is cancelled."""
    for _ in range(30):
        moving = threading.Thread(target=nobody.connect, args=(other.base_url,))
        moving.start()
        attempt = begun(nobody)
        moving.join()
        if attempt.url.startswith(router.auth_url):
            assert isinstance(end_of(nobody, attempt), LoginCancelledError)
        else:
            assert attempt.url.startswith(other.auth_url)
            assert attempt.state is LoginState.WAITING
        nobody.connect(router.base_url)


@pytest.mark.anyio
async def test_an_attempt_that_is_cancelled_before_it_starts_never_waits(router: SandboxRouter) -> None:
    async def exchange(code: str, verifier: str) -> Secret:
        raise AssertionError

    attempt = LoginAttempt(router.auth_url, exchange)
    attempt.cancel("too early")
    await attempt.start()
    with pytest.raises(LoginCancelledError, match="too early"):
        await attempt.wait()
    port = urlsplit(parse_qs(urlsplit(attempt.url).query)["callback"][0]).port
    with pytest.raises(OSError):  # noqa: PT011 - refused
        await asyncio.open_connection("127.0.0.1", port)


# --- whose page gives keys for whom --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", [None, DEFAULT_AUTH_URL, DEFAULT_AUTH_URL + "/", "https://ROUTER.tetrate.ai", "https://router.tetrate.ai:443",
             "https://router.tetrate.ai.", "https://router.tetrate.ai/auth"],
)  # fmt: skip
@pytest.mark.parametrize(
    "base", ["https://gateway.invalid", "https://api.router.tetrate.ai.example", "https://1.2.3.4"]
)
def test_the_services_page_signs_nobody_in_to_a_gateway_of_somebody_elses(
    base: str, page: str | None, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Session(base_url=base, auth_url=page, data_dir=tmp_path, bridge=bridge)
    with pytest.raises(NotSignedInError, match="No consent page is known"):
        begun(elsewhere)
    prompts: list[str] = []
    monkeypatch.setattr(getpass, "getpass", lambda prompt: prompts.append(prompt) or "")
    with pytest.raises(LoginCancelledError):
        elsewhere.login(again=True)  # by text: a key is asked for, and no page is shown
    assert [urlsplit(base).netloc in prompt for prompt in prompts] == [True]
    elsewhere.close()


@pytest.mark.parametrize(
    ("base", "page"),
    [
        ("https://api.router.tetrate.ai/v1", None),
        ("https://gateway.invalid", "https://login.invalid"),
        ("http://127.0.0.1:1", None),
    ],
)
def test_a_page_that_is_known_for_a_gateway_is_used(base: str, page: str | None) -> None:
    assert Endpoints.of(base, page).has_consent_page


# --- an issued key is kept before anything else is looked at --------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "unavailable",
        "server-error",
        "html",
        "broken-json",
        "empty-body",
        "drop",
        "forbidden",
        "wrong-host",
        "rate-limit",
    ],
)
def test_an_issued_key_is_kept_whatever_becomes_of_the_list(
    nobody: Session, router: SandboxRouter, fault: FaultKind
) -> None:
    router.inject(Fault(fault, path="models", times=None))
    attempt = begun(nobody)
    attempt.submit(router.decide(attempt.url))
    done = nobody.bridge.run(nobody.account.finish(attempt, store="file"))
    assert str(done).startswith(f"Signed in to {router.host}. The key is in a private file")
    assert done.models is None
    assert "could not be read yet" in done.notes[0]
    router.clear_faults()
    assert nobody.models()


def test_an_issued_key_that_the_router_itself_refuses_is_not_kept(nobody: Session, router: SandboxRouter) -> None:
    router.inject(Fault("invalid-key", path="models", times=None))
    attempt = begun(nobody)
    attempt.submit(router.decide(attempt.url))
    assert isinstance(end_of(nobody, attempt), InvalidKeyError)
    assert nobody.account.find() is None


def test_an_issued_key_that_cannot_be_kept_as_asked_stays_in_memory_and_that_is_said(
    nobody: Session, router: SandboxRouter
) -> None:
    attempt = begun(nobody)
    attempt.submit(router.decide(attempt.url))
    done = nobody.bridge.run(nobody.account.finish(attempt, store="keyring"))
    assert "this kernel's memory only (The system's keyring can't keep the key" in str(done)
    assert nobody.models()


@pytest.mark.parametrize("fault", ["unavailable", "html", "drop", "forbidden", "invalid-key"])
def test_a_typed_key_that_could_not_be_checked_does_not_take_the_place_of_one_that_works(
    nobody: Session, router: SandboxRouter, fault: FaultKind
) -> None:
    works = router.issue_key()
    nobody.login(key=works, store="file")
    router.inject(Fault(fault, path="models", times=None))
    with pytest.raises(GatewayError):
        nobody.login(key=router.issue_key(), store="file")
    found = nobody.account.find()
    assert found is not None
    assert found.secret.reveal() == works
