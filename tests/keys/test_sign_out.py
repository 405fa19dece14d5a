"""After a sign-out there is no key left in this process, wherever it was kept and however it is looked for."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tests.keys.backends import Faithful
from tests.keys.conftest import choose
from tetrate_jupyter import secrecy
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.keys.places import GIVEN, MEMORY, FoundKey, Place, found_key, variable
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.keys.store import KeyStore

    NewStore = Callable[..., KeyStore]

OTHER = Endpoints.of("https://other.example/v1")
TEXT = "sk-to-be-forgotten-0123456789"


@pytest.mark.parametrize("kind", ["memory", "file", "keyring"])
def test_a_sign_out_leaves_no_key_to_be_found(new_store: NewStore, endpoints: Endpoints, kind: str) -> None:
    choose(Faithful())
    store = new_store()
    refused = Secret(TEXT, host=endpoints.host)
    assert store.save(refused, store=kind).kind == kind
    found = store.find(endpoints)
    assert found is not None
    assert (found.secret, found.place.kind) == (refused, kind)
    assert [place.kind for place in store.forget(endpoints)] == [kind]
    assert store.find(endpoints) is None
    assert store.forget(endpoints) == ()
    assert new_store().find(endpoints) is None
    assert store.after_refusal(endpoints, refused) is refused  # none of ours any more


@pytest.mark.parametrize("kind", ["memory", "file", "keyring"])
def test_a_sign_out_lets_go_of_the_key_itself(new_store: NewStore, endpoints: Endpoints, kind: str) -> None:
    """The gate knows every key that is held somewhere; one that nobody holds any more it doesn't know."""
    choose(Faithful())
    store = new_store()
    store.save(Secret(TEXT, host=endpoints.host), store=kind)
    assert store.find(endpoints) is not None
    assert secrecy.holds(f"is {TEXT}")
    store.forget(endpoints)
    gc.collect()
    # by type: `isinstance` asks whatever another test has left for its class, and some raise
    assert not any(type(each) is Secret and each.reveal() == TEXT for each in gc.get_objects())


def test_a_sign_out_of_one_router_leaves_the_others(store: KeyStore, endpoints: Endpoints) -> None:
    one, other = Secret(TEXT, host=endpoints.host), Secret(f"{TEXT}-other", host=OTHER.host)
    store.save(one, store="memory")
    store.save(other, store="memory")
    assert store.forget(endpoints) == (MEMORY,)
    assert store.find(endpoints) is None
    found = store.find(OTHER)
    assert found is not None
    assert found.secret == other
    assert store.after_refusal(OTHER, other) == other


def test_a_new_key_takes_the_place_of_the_former(store: KeyStore, endpoints: Endpoints) -> None:
    former, newer = Secret(f"{TEXT}-a", host=endpoints.host), Secret(f"{TEXT}-b", host=endpoints.host)
    for kind, next_kind in (("file", "memory"), ("memory", "file"), ("file", "file")):
        store.save(former, store=kind)
        store.save(newer, store=next_kind)
        found = store.find(endpoints)
        assert found is not None
        assert (found.secret, found.place.kind) == (newer, next_kind)
        assert store.after_refusal(endpoints, former) == newer
    assert [place.kind for place in store.forget(endpoints)] == ["file"]


def test_changes_are_counted_where_another_store_made_them(new_store: NewStore, endpoints: Endpoints) -> None:
    mine, theirs = new_store(), new_store()
    assert mine.find(endpoints) is None
    theirs.save(Secret(TEXT, host=endpoints.host), store="file")
    found = mine.find(endpoints)
    assert found is not None
    assert mine.changes == 1  # it came
    assert mine.find(endpoints) == found
    assert mine.changes == 1
    theirs.save(Secret(f"{TEXT}-b", host=endpoints.host), store="file")
    assert mine.find(endpoints) == FoundKey(Secret(f"{TEXT}-b", host=endpoints.host), found.place)
    assert mine.changes == 2
    theirs.forget(endpoints)
    assert mine.find(endpoints) is None
    assert mine.changes == 3


def test_a_file_that_cant_be_used_is_no_key_and_says_why(store: KeyStore, endpoints: Endpoints) -> None:
    place = store.save(Secret(TEXT, host=endpoints.host), store="file")
    assert place.kind == "file"
    (kept,) = store.folder.glob("*.key")
    kept.write_bytes(b"\xff\xfe")
    assert store.find(endpoints) is None
    assert store.refusal(endpoints) == ""
    kept.unlink()
    kept.mkdir()
    assert store.find(endpoints) is None
    assert store.refusal(endpoints).startswith("the key in ")
    assert " is not used: " in store.refusal(endpoints)
    assert kept.name in store.refusal(endpoints)
    kept.rmdir()
    assert store.find(endpoints) is None
    assert store.refusal(endpoints) == ""


# --- places -----------------------------------------------------------------------------------------------------


def test_a_place_says_itself() -> None:
    assert (GIVEN.kind, MEMORY.kind) == ("given", "memory")
    assert str(GIVEN) == "the session's own arguments"
    assert str(MEMORY) == "this kernel's memory only"
    assert str(Place("file", "a file")) == "a file"
    assert str(Place("file", "a file", "no keyring")) == "a file (no keyring)"
    assert [p.removable for p in (GIVEN, MEMORY, Place("environment", "x"), Place("file", "x"))] == [
        True,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("sk-1", "sk-1"),
        ("  sk-1\n", "sk-1"),
        ('"sk-1"', "sk-1"),
        ("'sk-1'", "sk-1"),
        ("'sk-1\"", "'sk-1\""),
        ('"', '"'),
        ("''", ""),
        ("sk-1\\n", "sk-1"),
        ("sk-1\\r\\n", "sk-1"),
        ("'\" sk-1 \\n\"'\\n", "sk-1"),
        ("sk-1\\t", "sk-1\\t"),
        ("asa", "asa"),
        ("", ""),
    ],
)
def test_a_variable_is_read_without_what_is_around_it(typed: str, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", typed)
    assert variable("SOME_KEY") == read
    assert variable("NO_SUCH_KEY") == ""


@pytest.mark.parametrize("text", [None, "", "  ", "sk 1", "sk-é", "sk-\x07"])
def test_what_can_be_no_key_is_none(text: str | None) -> None:
    assert found_key(text, "h.example", Place("file", "x")) is None
    in_environment = found_key(text, "h.example", Place("environment", "x"))
    assert (in_environment is not None) is bool((text or "").strip())
    assert found_key(" sk-1 ", "h.example", MEMORY) == FoundKey(Secret("sk-1", host="h.example"), MEMORY)
