"""What copies, lists, inspects or serialises objects finds neither key nor verifier, in whatever holds one."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import io
import json
import pickle
import pprint
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import dill
import jsonpickle
import msgspec
import pytest
import rich
from rich.console import Console

from tetrate_jupyter import secrecy
from tetrate_jupyter.auth.login import LoginAttempt
from tetrate_jupyter.auth.pkce import challenge_of
from tetrate_jupyter.keys.store import MEMORY, FoundKey
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.face.session import Session

MARKER = "sk-marker-7f3c9a1e5b2d8460"


def inspected(thing: object) -> str:
    console = Console(file=io.StringIO(), width=400)
    rich.inspect(thing, console=console, private=True, dunder=True, methods=True)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def state_of(thing: Any) -> object:
    return thing.__getstate__() if hasattr(thing, "__getstate__") else None  # Python 3.10 has none of its own


SHOWN: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": lambda thing: f"{thing!r:>5} {thing}",
    "pprint": pprint.pformat,
    "vars": lambda thing: vars(thing) if hasattr(thing, "__dict__") else dir(thing),
    "members": inspect.getmembers,
    "copy": lambda thing: _all_of(copy.copy(thing)),
    "deepcopy": lambda thing: _all_of(copy.deepcopy(thing)),
    "state": state_of,
    "object's state": lambda thing: object.__reduce_ex__(thing, 2),
    "pickle": pickle.dumps,
    "dill": dill.dumps,
    "dill, recurse": lambda thing: dill.dumps(thing, recurse=True),
    "jsonpickle": lambda thing: jsonpickle.encode(thing, keys=True),
    "jsonpickle, plain": lambda thing: jsonpickle.encode(thing, unpicklable=False, make_refs=False, keys=True),
    "json": lambda thing: json.dumps(thing, default=lambda part: getattr(part, "__dict__", repr(part))),
    "msgspec": msgspec.json.encode,
    "builtins": msgspec.to_builtins,
    "rich": inspected,
}


def _all_of(thing: object) -> list[object]:
    slots = getattr(thing, "__slots__", ())
    return [repr(thing), getattr(thing, "__dict__", None), [getattr(thing, name, None) for name in slots]]


def shown(show: Callable[[Any], object], thing: object) -> str:
    """Whatever it gives, as text; a refusal is an answer, too."""
    try:
        return repr(show(thing))
    except Exception as refusal:  # noqa: BLE001 - each has its own
        return repr(refusal)


@dataclasses.dataclass
class Holding:
    """As somebody's own code may hold one."""

    key: Secret


@pytest.mark.parametrize("how", SHOWN)
def test_a_secret_shows_nothing(how: str) -> None:
    secret = Secret(MARKER, host="gateway.example")
    things: list[object] = [secret, [secret], {"key": secret}, Holding(secret), FoundKey(secret, MEMORY)]
    if "dill" not in how:  # which takes a function apart if it is given that very function
        things.append(secret._text)
    for thing in things:
        assert MARKER not in shown(SHOWN[how], thing)
        assert str(MARKER.encode()) not in shown(SHOWN[how], thing)


def test_a_copy_of_a_secret_is_itself() -> None:
    secret = Secret(MARKER, host="gateway.example")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
    assert dataclasses.asdict(Holding(secret)) == {"key": secret}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="can't be pickled"):
            pickle.dumps(secret, protocol)


# A deep copy that breaks off leaves half an event loop behind, whose end raises; nobody hears of it but pytest.
HALF_COPIED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@HALF_COPIED
@pytest.mark.parametrize("how", SHOWN)
def test_a_session_with_a_key_shows_nothing(session: Session, how: str) -> None:
    key = session.bridge.run(session.account.key()).reveal()
    for thing in (session, session.account, session.account._store, session._connections):
        assert key not in shown(SHOWN[how], thing)


@HALF_COPIED
@pytest.mark.parametrize("how", SHOWN)
def test_an_answer_under_way_shows_nothing(session: Session, how: str) -> None:
    key = session.bridge.run(session.account.key()).reveal()
    with session.stream("hello") as stream:
        next(iter(stream))
        things = [stream, secrecy.Passing(), session.runs.all, *session.runs.all]
        for thing in things:
            found = shown(SHOWN[how], thing)
            assert [form for form in (key, key[::-1], key.encode().hex(), key[:16], key[-16:]) if form in found] == []


@pytest.mark.anyio
@pytest.mark.parametrize("how", SHOWN)
async def test_an_attempt_shows_its_address_and_not_its_verifier(how: str) -> None:
    async def exchange(code: str, verifier: str) -> Secret:
        raise AssertionError

    attempt = LoginAttempt("http://127.0.0.1:9", exchange)
    await attempt.start()
    verifier = attempt._verifier.reveal()
    assert parse_qs(urlsplit(attempt.url).query)["code_challenge"] == [challenge_of(verifier)]  # the very one
    assert verifier not in shown(SHOWN[how], attempt)
    attempt.cancel()
