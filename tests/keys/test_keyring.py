"""The system's keyring, with backends of every temper in its place."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from tests.keys.backends import Chainer, Clinging, Faithful, Forgetful, Hanging, Raising, Truncating, Unwilling
from tests.keys.conftest import choose, end_of_workers, everything_shown
from tetrate_jupyter.errors import KeyStoreError
from tetrate_jupyter.keys.system_keyring import SERVICE, KeyringTrouble, SystemKeyring
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.keys.store import KeyStore

    NewStore = Callable[..., KeyStore]

SOON = 0.1  # seconds a keyring that hangs is waited for


def key_files(data: Path) -> list[str]:
    return sorted(path.name for path in data.rglob("*") if path.is_file())


# --- one that works ------------------------------------------------------------------------------------------


def test_a_keyring_that_works_has_the_key_and_no_file_is_written(
    new_store: NewStore, endpoints: Endpoints, secret: Secret, data: Path
) -> None:
    backend = Faithful()
    choose(backend)
    place = new_store().save(secret)
    assert (place.kind, place.note) == ("keyring", "")
    assert "Faithful" in str(place)
    assert backend.kept == {(SERVICE, secret.host): secret.reveal()}
    assert not data.exists()
    found = new_store().find(endpoints)
    assert found is not None
    assert (found.secret, found.place.kind) == (secret, "keyring")


def test_a_question_asks_the_keyring_once_and_a_key_just_kept_never(
    new_store: NewStore, endpoints: Endpoints, secret: Secret
) -> None:
    backend = Faithful()
    choose(backend)
    saving = new_store()
    saving.save(secret)
    backend.calls.clear()
    assert saving.find(endpoints)
    assert backend.calls == []
    other = new_store()
    assert other.find(endpoints)
    assert other.find(endpoints)
    assert backend.calls == ["get"]


def test_of_a_chain_the_first_is_used_and_named(
    store: KeyStore, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Faithful(), Faithful()
    first.name = "First"
    monkeypatch.setattr(Chainer, "backends", [first, second])
    choose(Chainer())
    assert "First" in store.save(secret).detail
    assert first.kept
    assert not second.calls


def test_a_chain_does_not_pass_the_key_on_to_a_lesser_one(
    store: KeyStore, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Faithful()
    monkeypatch.setattr(Chainer, "backends", [Unwilling(), second])
    choose(Chainer())
    assert store.save(secret).kind == "file"
    assert not second.calls


# --- none ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (keyring.backends.fail.Keyring, "no keyring: there is none on this system"),
        (keyring.backends.null.Keyring, "no keyring: it is switched off"),
        (Chainer, "no keyring: there is none on this system"),
    ],
)
def test_where_there_is_none_the_key_goes_to_a_file_with_the_reason(
    new_store: NewStore, endpoints: Endpoints, secret: Secret, backend: Any, reason: str
) -> None:
    choose(backend())
    place = new_store().save(secret)
    assert (place.kind, place.note) == ("file", reason)
    assert reason in str(place)
    found = new_store().find(endpoints)
    assert found is not None
    assert (found.secret, found.place.kind) == (secret, "file")


@pytest.mark.parametrize(
    "name", ["no.such.module.Keyring", "keyring.backends.fail.NoSuchClass", "NoDots", "", "os.path", "."]
)
def test_a_wrong_name_in_the_environment_is_a_reason_and_no_crash(
    store: KeyStore, secret: Secret, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    assert store.find(endpoints) is None
    place = store.save(secret)
    assert place.kind == "file"
    assert "Error" in place.note


def test_who_insists_on_the_keyring_is_told_why_not_and_nothing_is_written(
    store: KeyStore, secret: Secret, data: Path, endpoints: Endpoints
) -> None:
    choose(keyring.backends.fail.Keyring())
    with pytest.raises(KeyStoreError, match="there is none") as caught:
        store.save(secret, store="keyring")
    assert "--store file" in caught.value.next_step
    assert not data.exists()
    assert store.find(endpoints) is None


# --- by itself ---------------------------------------------------------------------------------------------------


def test_its_name_is_of_the_last_call_and_what_it_has_is_told(secret: Secret) -> None:
    keyring_ = SystemKeyring()
    assert keyring_.name == "no name"
    choose(Faithful())
    assert keyring_.read(secret.host) is None
    assert "Faithful" in keyring_.name
    assert keyring_.remove(secret.host) is False
    keyring_.write(secret)
    assert keyring_.read(secret.host) == secret.reveal()
    assert keyring_.remove(secret.host) is True
    assert keyring_.read(secret.host) is None


def test_one_that_hangs_keeps_no_interpreter_from_ending(secret: Secret) -> None:
    backend = Hanging("get")
    choose(backend)
    keyring_ = SystemKeyring(SOON)
    with pytest.raises(KeyringTrouble, match="it did not answer within 0 s; it may be locked"):
        keyring_.read(secret.host)
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "tetrate-keyring"]
    assert worker.daemon
    with pytest.raises(KeyringTrouble, match="it did not answer before"):
        keyring_.read(secret.host)
    backend.go_on.set()
    end_of_workers()


# --- one that hangs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["get", "set"])
def test_one_that_hangs_is_given_up_the_key_goes_to_a_file_and_it_is_not_asked_again(
    new_store: NewStore, endpoints: Endpoints, secret: Secret, at: str
) -> None:
    backend = Hanging(at)
    choose(backend)
    store = new_store(SOON)
    place = store.save(secret)
    assert place.kind == "file"
    assert "did not answer" in place.note
    assert store.find(endpoints)
    assert [place.kind for place in store.forget(endpoints)] == ["file"]
    assert store.find(endpoints) is None
    assert backend.calls.count(f"{at} hangs") == 1


def test_looking_for_a_key_does_not_wait_for_one_that_hangs(
    new_store: NewStore, endpoints: Endpoints, secret: Secret
) -> None:
    new_store().save(secret, store="file")
    choose(Hanging("get"))
    found = new_store(SOON).find(endpoints)
    assert found is not None
    assert found.place.kind == "file"


def test_a_write_that_ends_after_it_was_given_up_is_taken_back(new_store: NewStore, secret: Secret) -> None:
    backend = Hanging("set")
    choose(backend)
    assert new_store(SOON).save(secret).kind == "file"
    backend.go_on.set()  # somebody unlocked it after all
    end_of_workers()
    assert backend.calls == ["set hangs", "set", "delete"]
    assert not backend.kept


# --- one that lies or fails ----------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", [Forgetful, Truncating])
def test_one_that_does_not_keep_what_it_took_is_not_trusted(
    new_store: NewStore, endpoints: Endpoints, secret: Secret, backend: type[Faithful]
) -> None:
    made = backend()
    choose(made)
    place = new_store().save(secret)
    assert place.kind == "file"
    assert "did not keep" in place.note
    assert not made.kept
    found = new_store().find(endpoints)
    assert found is not None
    assert found.secret == secret


@pytest.mark.parametrize("value", [b"sk-bytes", 7, ["sk-list"], object(), "", "  ", "sk-two words", "sk-\x00", "sk-é"])
def test_what_can_be_no_key_is_none(store: KeyStore, endpoints: Endpoints, value: object) -> None:
    backend = Faithful()
    backend.kept[SERVICE, endpoints.host] = value
    choose(backend)
    assert store.find(endpoints) is None


class OddError(BaseException):
    """No `Exception`; its words hold what they should not."""


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("sk-never-to-be-shown-0123456789"),
        OddError("sk-never-to-be-shown-0123456789"),
        keyring.errors.KeyringLocked("locked"),
        keyring.errors.InitError("no bus"),
        keyring.errors.PasswordSetError("no"),
        SystemExit(3),
        KeyboardInterrupt(),
        StopIteration(),
        GeneratorExit(),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_one_raises_is_a_reason_by_its_type_alone(
    store: KeyStore,
    endpoints: Endpoints,
    secret: Secret,
    error: BaseException,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    choose(Raising(error))
    assert store.find(endpoints) is None
    place = store.save(secret)
    assert (place.kind, place.note) == ("file", f"no keyring: {type(error).__name__}")
    with pytest.raises(KeyStoreError) as caught:
        store.save(secret, store="keyring")
    said = everything_shown(caught.value) + repr((place, store, caught.value)) + caplog.text
    assert secret.reveal() not in said


# --- forgetting ----------------------------------------------------------------------------------------------


def test_one_that_does_not_let_go_is_told_and_everything_else_is_removed(
    new_store: NewStore, endpoints: Endpoints, secret: Secret, data: Path
) -> None:
    choose(Clinging())
    new_store().save(secret, store="file")
    store = new_store()
    store.save(secret, store="keyring")
    new_store().save(Secret("sk-older", host=secret.host), store="file")
    with pytest.raises(KeyStoreError, match="may still be in the system's keyring") as caught:
        store.forget(endpoints)
    assert "password manager" in caught.value.next_step
    assert key_files(data) == []


def test_a_key_that_was_read_from_one_that_hangs_now_is_said_to_be_there_still(
    new_store: NewStore, endpoints: Endpoints, secret: Secret
) -> None:
    backend = Hanging("delete")
    choose(backend)
    backend.kept[SERVICE, secret.host] = secret.reveal()
    store = new_store(SOON)
    assert store.find(endpoints)
    with pytest.raises(KeyStoreError, match="did not answer"):
        store.forget(endpoints)


def test_one_that_can_not_be_asked_is_told_where_no_key_was_found_elsewhere(
    new_store: NewStore, endpoints: Endpoints, secret: Secret
) -> None:
    choose(Raising(keyring.errors.KeyringLocked()))
    with pytest.raises(KeyStoreError, match="KeyringLocked"):
        new_store().forget(endpoints)
    new_store().save(secret)
    assert [place.kind for place in new_store().forget(endpoints)] == ["file"]


def test_where_there_is_none_nothing_can_be_left_in_it(store: KeyStore, endpoints: Endpoints) -> None:
    choose(keyring.backends.fail.Keyring())
    assert store.forget(endpoints) == ()
