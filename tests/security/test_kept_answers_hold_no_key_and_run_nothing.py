"""Kept answers hold no key and run nothing."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from tests.answers.samples import kept, key
from tests.answers.test_file import line
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

MARKER = "sk-tetrate-Zq7Wm3Xc9Vb1Nn5Kk2Jj8Hh4Gg6Ff"
RAN: list[str] = []


class Runs:
    """What a pickle of it does when it is opened is seen."""

    def __reduce__(self) -> tuple[object, ...]:
        return opened, ()


def opened() -> None:
    RAN.append("opened")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def test_neither_prompt_nor_router_nor_key_is_in_the_file(session: Session, router: SandboxRouter, path: Path) -> None:
    session.cached(path)
    assert not session.ask("What does flabbergast mean?", keep=False).cached
    assert session.ask("What does flabbergast mean?", keep=False).cached
    written = path.read_bytes()
    assert written.count(b"\n") == 1
    for word in (b"flabbergast mean", router.host.encode(), b"sk-sandbox-"):
        assert word not in written


def test_opening_a_file_runs_nothing(path: Path) -> None:
    path.write_bytes(line("a") + b"\n" + pickle.dumps(Runs()) + b"\n" + line("b") + b"\n")
    assert FileStore(path).get(key("a")) is not None
    assert RAN == []
    pickle.loads(pickle.dumps(Runs()))
    assert RAN == ["opened"]


@pytest.mark.parametrize("text", [f"the key is {MARKER}", MARKER[::-1], "export OPENAI_API_KEY=sk-proj-A1b2C3d4E5f6"])
def test_what_holds_a_key_or_looks_like_one_is_never_written(path: Path, text: str) -> None:
    own = Secret(MARKER, host="gateway.example")
    store = FileStore(path)
    store.put(kept("a"))
    store.put(kept("b", text))
    assert own
    assert len(path.read_bytes().splitlines()) == 1
    assert "seems to hold a key" in store.told()[0]
    store.put(kept("c", text))
    assert "seems to hold a key" in store.told()[0]  # of each answer


@pytest.mark.parametrize("form", [MARKER, "".join(f"\\u{ord(c):04x}" for c in MARKER)])
def test_a_key_in_somebodys_file_is_blotted_when_it_is_read(path: Path, form: str) -> None:
    path.write_bytes(line("a", "HERE").replace(b"HERE", form.encode()))
    own = Secret(MARKER, host="gateway.example")
    found = FileStore(path).get(key("a"))
    assert own
    assert found is not None
    assert MARKER not in found.text
    assert "<secret>" in found.text
