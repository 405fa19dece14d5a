"""Where keys are looked for, in which order and for which host; keeping, replacing and forgetting them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.keys.backends import Clinging, Faithful
from tests.keys.conftest import choose
from tetrate_jupyter import config
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import KeyStoreError
from tetrate_jupyter.keys.store import GIVEN, MEMORY, FoundKey, KeyStore, environment_key
from tetrate_jupyter.keys.system_keyring import SERVICE
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    NewStore = Callable[..., KeyStore]

DEFAULT = Endpoints()
ELSEWHERE = Endpoints.of("https://elsewhere.example/v1")
LOOPBACK = Endpoints.of("http://127.0.0.1:8080/v1")


def found_in(store: KeyStore, endpoints: Endpoints) -> tuple[str, str] | None:
    """Give (key, kind of place)."""
    found = store.find(endpoints)
    return None if found is None else (found.secret.reveal(), found.place.kind)


# --- the environment -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", config.KEY_VARIABLES)
def test_each_of_the_three_variables_is_read_for_the_default_router(
    store: KeyStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "  sk-from-environment\n")
    found = store.find(DEFAULT)
    assert found is not None
    assert found.secret == Secret("sk-from-environment", host=DEFAULT.host)
    assert name in str(found.place)
    assert not found.place.removable


def test_of_several_variables_the_first_that_holds_something_counts(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(config.KEY_VARIABLES, ("  ", "sk-second", "sk-third"), strict=True):
        monkeypatch.setenv(name, value)
    assert found_in(store, DEFAULT) == ("sk-second", "environment")


def test_without_an_address_in_the_environment_its_key_is_the_default_routers_alone(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", "sk-from-environment")
    assert store.find(ELSEWHERE) is None
    assert store.find(LOOPBACK) is None
    assert environment_key(ELSEWHERE) is None


@pytest.mark.parametrize("name", [config.BASE_URL_VARIABLE, config.HOST_VARIABLE])
def test_a_key_beside_an_address_in_the_environment_belongs_to_that_host_alone(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", "sk-from-environment")
    monkeypatch.setenv(name, "https://ELSEWHERE.example")
    assert found_in(store, ELSEWHERE) == ("sk-from-environment", "environment")
    assert store.find(DEFAULT) is None
    assert store.find(Endpoints.of("https://elsewhere.example:8443/v1")) is None


def test_beside_an_unusable_address_the_environments_key_belongs_to_nobody(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", "sk-from-environment")
    monkeypatch.setenv(config.BASE_URL_VARIABLE, "ftp://elsewhere.example")
    store.save(Secret("sk-in-file", host=DEFAULT.host), store="file")
    assert found_in(store, DEFAULT) == ("sk-in-file", "file")
    assert environment_key(DEFAULT) is None


def test_a_key_that_was_just_signed_in_with_counts_before_the_environments(
    store: KeyStore, new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", "sk-from-environment")
    assert found_in(store, DEFAULT) == ("sk-from-environment", "environment")
    store.save(Secret("sk-new", host=DEFAULT.host), store="file")
    assert found_in(store, DEFAULT) == ("sk-new", "file")
    assert found_in(new_store(), DEFAULT) == ("sk-from-environment", "environment")


def test_the_keyring_counts_before_a_file(new_store: NewStore, secret: Secret, endpoints: Endpoints) -> None:
    backend = Faithful()
    choose(backend)
    new_store().save(secret, store="file")
    backend.kept[SERVICE, secret.host] = "sk-in-keyring"
    assert found_in(new_store(), endpoints) == ("sk-in-keyring", "keyring")


# --- keeping -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["keyring", "file", "memory"])
@pytest.mark.parametrize("after", ["keyring", "file", "memory"])
def test_a_new_key_leaves_no_older_one_that_could_come_back(
    new_store: NewStore, secret: Secret, endpoints: Endpoints, before: str, after: str
) -> None:
    choose(Faithful())
    store = new_store()
    assert store.save(Secret("sk-older", host=secret.host), store=before).kind == before
    assert store.save(secret, store=after).kind == after
    assert found_in(store, endpoints) == (secret.reveal(), after)
    assert found_in(new_store(), endpoints) == (None if after == "memory" else (secret.reveal(), after))


def test_a_key_in_memory_is_this_stores_alone(store: KeyStore, new_store: NewStore, data: Path, secret: Secret) -> None:
    place = store.save(secret, store="memory")
    assert (place.kind, place.removable) == ("memory", True)
    assert not data.exists()
    assert new_store().find(Endpoints(base_url=f"https://{secret.host}/v1")) is None


def test_a_keyring_that_refuses_leaves_the_key_that_was_in_memory(
    store: KeyStore, secret: Secret, endpoints: Endpoints
) -> None:
    store.save(secret, store="memory")
    with pytest.raises(KeyStoreError):
        store.save(Secret("sk-newer", host=secret.host), store="keyring")
    assert found_in(store, endpoints) == (secret.reveal(), "memory")


def test_a_key_of_a_router_on_this_machine_never_goes_to_the_keyring_by_itself(new_store: NewStore) -> None:
    backend = Faithful()
    choose(backend)
    for host in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080"):
        place = new_store().save(Secret("sk-sandbox", host=host))
        assert (place.kind, place.note) == ("file", "")
    assert "set" not in backend.calls
    assert new_store().save(Secret("sk-sandbox", host="127.0.0.1:8080"), store="keyring").kind == "keyring"


# --- forgetting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["keyring", "file", "memory"])
def test_forgetting_removes_the_key_and_says_where_it_was(
    new_store: NewStore, secret: Secret, endpoints: Endpoints, kind: str
) -> None:
    choose(Faithful())
    store = new_store()
    place = store.save(secret, store=kind)
    assert store.forget(endpoints) == (place,)
    assert store.find(endpoints) is None
    assert new_store().find(endpoints) is None
    assert store.forget(endpoints) == ()


def test_forgetting_removes_copies_from_every_place_and_names_each(new_store: NewStore, secret: Secret) -> None:
    backend = Faithful()
    choose(backend)
    new_store().save(secret, store="file")
    backend.kept[SERVICE, secret.host] = "sk-in-keyring"
    store = new_store()
    store._keep(FoundKey(secret, MEMORY), (), signed_in=True)
    endpoints = Endpoints(base_url=f"https://{secret.host}/v1")
    assert [place.kind for place in store.forget(endpoints)] == ["memory", "file", "keyring"]
    assert store.find(endpoints) is None
    assert new_store().find(endpoints) is None


def test_a_key_in_the_environment_is_named_and_left_to_the_person(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", "sk-from-environment")
    store.save(Secret("sk-in-file", host=DEFAULT.host), store="file")
    assert [(place.kind, place.removable) for place in store.forget(DEFAULT)] == [
        ("file", True),
        ("environment", False),
    ]
    assert found_in(store, DEFAULT) == ("sk-from-environment", "environment")


def test_forgetting_one_host_leaves_the_others(store: KeyStore, new_store: NewStore, secret: Secret) -> None:
    other = Secret("sk-other", host=ELSEWHERE.host)
    store.save(secret, store="file")
    store.save(other, store="file")
    store.forget(Endpoints(base_url=f"https://{secret.host}/v1"))
    assert found_in(new_store(), ELSEWHERE) == ("sk-other", "file")


def test_a_keyring_that_fails_does_not_keep_the_file_from_being_removed(new_store: NewStore, secret: Secret) -> None:
    choose(Clinging())
    endpoints = Endpoints(base_url=f"https://{secret.host}/v1")
    new_store().save(secret, store="keyring")
    other = new_store()
    assert found_in(other, endpoints) == (secret.reveal(), "keyring")
    path = other._path(secret.host)
    path.parent.mkdir(parents=True)
    path.write_text("sk-older", encoding="utf-8")
    with pytest.raises(KeyStoreError):
        other.forget(endpoints)
    assert not path.exists()


# --- secrets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["auto", "keyring", "file", "memory"])
def test_no_key_is_in_what_is_shown_or_logged(
    new_store: NewStore, secret: Secret, endpoints: Endpoints, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    choose(Faithful())
    store = new_store()
    place = store.save(secret, store=kind)
    shown: list[Any] = [store, vars(store), place, str(place), new_store().find(endpoints), GIVEN]
    shown.append(store.forget(endpoints))
    assert secret.reveal() not in repr(shown) + caplog.text
