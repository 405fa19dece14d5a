"""What a store says and does to the letter, where others only pass by: folders, notes, and when it looks again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.keys.backends import Faithful
from tests.keys.conftest import choose
from tetrate_jupyter import config
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import KeyStoreError
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    NewStore = Callable[..., KeyStore]

LOOPBACK = Endpoints.of("http://127.0.0.1:8080/v1")


def test_without_a_folder_of_its_own_keys_are_in_jupyters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert KeyStore().folder == tmp_path / "tetrate-jupyter" / "keys"
    assert KeyStore(tmp_path).folder == tmp_path / "keys"


def test_a_visitors_refused_key_stays_what_it_is(data: Path, endpoints: Endpoints) -> None:
    store = KeyStore(data, shared=lambda: "a hub")
    first, second = Secret("sk-first-visitor-012345", host=endpoints.host), Secret("sk-second", host=endpoints.host)
    store.save(first)
    store.save(second)
    assert store.after_refusal(endpoints, first) is first
    assert not data.exists()


def test_a_store_of_everybodys_is_refused_only_where_visitors_share_a_process(
    data: Path, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KeyStore(data, shared=lambda: "a hub")
    store.everybodys = True
    monkeypatch.setattr(config, "shared_process", lambda: None)
    place = store.save(secret)
    assert (place.kind, place.note) == ("memory", "several people share this server's account: a hub")
    monkeypatch.setattr(config, "shared_process", lambda: "Mercury")
    with pytest.raises(KeyStoreError, match="Every visitor of this Mercury server has the same"):
        store.save(secret)


def test_what_was_mended_of_a_file_is_said_whichever_way_it_was_chosen(new_store: NewStore) -> None:
    key = Secret("sk-sandbox-0123456789", host=LOOPBACK.host)
    store = new_store()
    store.save(key, store="file")
    (path,) = store.folder.glob("*.key")
    notes = []
    for way in ("file", "auto"):
        store.folder.chmod(0o755)
        path.chmod(0o644)
        notes.append(store.save(key, store=way).note)
    assert notes[0]
    assert notes[0] == notes[1]


@pytest.mark.parametrize("kept_as", ["host", "older_host"])
def test_a_key_in_a_file_is_read_once_for_as_long_as_the_file_stays(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch, kept_as: str
) -> None:
    endpoints = Endpoints.of("https://gateway.example:443/v1")
    name = getattr(endpoints, kept_as)
    assert name in {"gateway.example", "gateway.example:443"}
    writer = new_store()
    writer.save(Secret("sk-in-a-file-0123456789", host=name), store="file")
    backend = Faithful()
    choose(backend)
    monkeypatch.setattr(config, "KEYRING_FRESH", -1.0)  # seconds: what a keyring has is old at once, a file's isn't
    store = new_store()
    found = store.find(endpoints)
    assert found is not None
    assert (found.secret.reveal(), found.place.kind) == ("sk-in-a-file-0123456789", "file")
    asked = len(backend.calls)
    assert asked
    assert store.find(endpoints) == found
    assert len(backend.calls) == asked
    writer.save(Secret("sk-another-0123456789", host=name), store="file")
    again = store.find(endpoints)
    assert again is not None
    assert again.secret.reveal() == "sk-another-0123456789"
    assert len(backend.calls) > asked
