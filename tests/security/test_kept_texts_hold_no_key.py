"""Kept texts hold no key, known or likely, in files that are their owner's alone; off, nothing is written."""

from __future__ import annotations

import stat
from base64 import b64encode
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest

from tests import at_rest
from tests.history.turns import archive, turn, written
from tests.security.searched import forms
from tetrate_jupyter.answers.kept import KeptCall
from tetrate_jupyter.errors import SecretInPromptError
from tetrate_jupyter.history.turn import KeptImage, Said
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Message

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

KNOWN = "sk-Kq8Zt3wVb6Yn1Xc5Lm9Rj2Hd7"
LATER = "Wp4Xn8Qe2Ls6Tz0Bd5Fh9Jk3"
OTHERS, BEARER, VALUE = (f"sk-unknown-{token_hex(12)}", token_hex(10), token_hex(8))  # no other test knows them


def test_off_nothing_is_written(session: Session, tmp_path: Path) -> None:
    session.ask("What is a flabbergast?")
    session.past.archive.flush()
    assert not (tmp_path / "data" / "history").exists()


def test_a_prompt_with_a_key_leaves_nothing(session: Session, router: SandboxRouter, tmp_path: Path) -> None:
    key = router.issue_key()
    alive = Secret.typed(key)
    session.keep_texts = True
    with pytest.raises(SecretInPromptError):
        session.ask(f"My key is {key}.")
    session.ask(f"Somebody's key is {OTHERS}, and Bearer {BEARER}; TETRATE_API_KEY={VALUE}.")
    session.past.archive.flush()
    there = written(tmp_path / "data")
    assert b"Somebody's key is <secret>" in there
    assert not [name for name, form in forms(key).items() if form in there]
    for each in (OTHERS, BEARER, VALUE):
        assert each.encode() not in there
    assert alive


@pytest.mark.parametrize(
    "where", ["asked", "typed", "answer", "reasoning", "notice", "call", "result", "label", "words"]
)
@pytest.mark.parametrize("form", forms(KNOWN))
def test_no_part_of_a_turn_holds_a_known_key_in_any_form(tmp_path: Path, where: str, form: str) -> None:
    alive = Secret.typed(KNOWN)
    shift = int(form[-1]) if form.startswith("base64") else None
    told = forms(KNOWN)[form] if shift is None else b64encode(b"\0" * shift + KNOWN.encode())
    data = f"It is {told.decode()}."
    call = KeptCall("1", "lookup", f'{{"q": "{data}"}}', f'{{"x": "{data}"}}')
    parts = {
        "asked": {"asked": data},
        "typed": {"typed": data},
        "answer": {"replies": (Said("assistant", data),)},
        "reasoning": {"reasoning": data},
        "notice": {"notices": (data,)},
        "call": {"replies": (Said("assistant", "", (call,)),)},
        "result": {"replies": (Said("tool", data, call_id="1", name=data),)},
        "label": {"images": (KeptImage(data, "image/png", 3),)},
        "words": {"words": data},
    }
    found = archive(tmp_path)
    found.put(turn(**parts[where]))  # type: ignore[arg-type]  # one part each
    assert found.flush(30)
    there = written(tmp_path)
    assert b"claude-haiku-4-5" in there
    assert not [name for name, each in forms(KNOWN).items() if each in there]
    assert alive


def test_a_key_where_none_can_be_blotted_keeps_the_turn_away(tmp_path: Path) -> None:
    alive = Secret.typed(KNOWN)
    found = archive(tmp_path)
    found.put(turn(images=(KeptImage("dot", "image/png", 3, f"data:image/png;base64,{KNOWN}"),)))
    found.put(turn("Another."))
    assert found.flush(30)
    assert b"Another." in written(tmp_path)
    assert KNOWN.encode() not in written(tmp_path)
    assert found.news() == "Not kept, since a key seems to be in it: 1 of what was said."
    assert alive


@pytest.mark.parametrize("form", sorted(forms(KNOWN)))
def test_a_name_with_a_key_is_refused_in_every_form(tmp_path: Path, form: str) -> None:
    alive = Secret.typed(KNOWN)
    found = archive(tmp_path)
    found.put(turn(root="r"))
    told = forms(KNOWN)[form].decode()
    if form.startswith("base64"):
        told = b64encode(b"\0" * int(form[-1]) + KNOWN.encode()).decode()
    with pytest.raises(SecretInPromptError) as caught:
        found.rename("r", f"It is {told}.")
    assert told not in str(caught.value)
    assert not [name for name, each in forms(KNOWN).items() if each in written(tmp_path)]
    assert found.name_of("r") == ""
    assert alive


def test_a_key_in_somebodys_file_is_shown_nowhere(session: Session) -> None:
    later = session.fork()
    session.keep_texts = True
    session.ask("What is it?")
    conversation = session.conversation
    conversation.add(conversation.begin(), Message("user", f"It is {LATER}."), [Message("assistant", LATER)])
    session.past.archive.flush()
    assert LATER.encode() in at_rest.text(session.past.archive.folder)
    alive = Secret.typed(LATER)  # known only now
    assert LATER not in repr(later.history.search("is"))
    assert LATER not in repr(later.history.open(1))
    assert LATER not in repr([later.history.export(form) for form in ("md", "json", "cells")])
    assert alive


def test_the_files_are_their_owners_alone(session: Session) -> None:
    session.keep_texts = True
    session.ask("What is it?")
    session.past.archive.flush()
    folder = session.past.archive.folder
    at_rest.files(folder)
    paths = [folder, *folder.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
