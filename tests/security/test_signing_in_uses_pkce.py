"""Signing in uses PKCE (S256): a listener on this machine only, a code is good for one, no address has the verifier."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import psutil
import pytest

from tests.security.recorder import Arrived, Recorder, Reply
from tetrate_jupyter import Session
from tetrate_jupyter.auth.pkce import challenge_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge

KEY = "sk-made-by-the-exchange-0123456789"


def replied(arrived: Arrived) -> Reply:
    if arrived.method == "POST":
        return Reply(body={"key": KEY})
    return Reply(body={"data": [{"id": "m"}]} if arrived.path.endswith("/models") else {"models": []})


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder(replied) as running:
        yield running


@pytest.fixture
def session(recorder: Recorder, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=recorder.base_url, data_dir=tmp_path, bridge=bridge)
    yield made
    made.close()


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def listening() -> set[tuple[str, int]]:
    return {tuple(c.laddr) for c in psutil.Process().net_connections("tcp") if c.status == psutil.CONN_LISTEN}


def test_the_whole_way(session: Session, recorder: Recorder) -> None:
    before = listening()
    attempt = session.bridge.run(session.account.begin())
    asked = query(attempt.url)
    assert asked["code_challenge_method"] == "S256"
    callback = urlsplit(asked["callback"])
    ours = listening() - before
    assert {address for address, _ in ours} <= {"127.0.0.1", "::1"}
    assert {port for _, port in ours} == {callback.port}

    with urlopen(f"{asked['callback']}&code=the-code", timeout=30) as page:
        assert b"You are signed in" in page.read()
    session.bridge.run(session.account.finish(attempt, store="memory"))
    (posted,) = [a for a in recorder.arrived if a.method == "POST"]
    sent = json.loads(posted.body)
    assert sent["code"] == "the-code"
    assert challenge_of(sent["code_verifier"]) == asked["code_challenge"]
    assert sorted(sent) == ["code", "code_verifier"]
    assert not [a for a in recorder.arrived if sent["code_verifier"] in a.path or KEY in a.path]
    assert sent["code_verifier"] not in attempt.url

    assert listening() == before  # closed: nothing more is taken
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", callback.port), timeout=30)


def test_a_code_is_exchanged_once(session: Session, recorder: Recorder) -> None:
    attempt = session.bridge.run(session.account.begin())
    ended_at = f"{query(attempt.url)['callback']}&code=the-code"
    with urlopen(ended_at, timeout=30) as page:
        page.read()
    session.bridge.run(session.account.finish(attempt, store="memory"))
    with pytest.raises(OSError, match="refused"):
        urlopen(ended_at, timeout=30)
    assert len([a for a in recorder.arrived if a.method == "POST"]) == 1


def test_each_sign_in_has_secrets_of_its_own(session: Session) -> None:
    attempts = [session.bridge.run(session.account.begin()) for _ in range(5)]
    addresses = [attempt.url for attempt in attempts]
    session.logout()  # the last one still waits
    assert len({query(address)["code_challenge"] for address in addresses}) == 5
    assert len({query(query(address)["callback"])["state"] for address in addresses}) == 5
