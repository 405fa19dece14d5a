"""Stores with a folder of the test's own, and any keyring backend in the place of the system's."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

import keyring
import keyring.core
import pytest

from tests.keys.backends import Hanging
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.keys.system_keyring import SystemKeyring
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from keyring.backend import KeyringBackend

FOR_EVER = 30.0  # seconds; a bound that no test is meant to reach
WORKER = "tetrate-keyring"  # the thread in which a keyring is asked


def choose(backend: KeyringBackend) -> None:
    """Make this the system's keyring for the test."""
    keyring.set_keyring(backend)


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    """Leave the choice to the environment, before and after; a backend that hangs is let go at the end."""
    keyring.core._keyring_backend = None
    yield
    if isinstance(keyring.core._keyring_backend, Hanging):
        keyring.core._keyring_backend.go_on.set()
    end_of_workers()
    keyring.core._keyring_backend = None


def end_of_workers() -> None:
    """Wait until every call to a keyring has ended."""
    for thread in threading.enumerate():
        if thread.name == WORKER:
            thread.join(FOR_EVER)
            assert not thread.is_alive()


def everything_shown(error: BaseException) -> str:
    """Give what a debugger would show of an error, the variables of each frame included, save the test's own frame."""
    own = error.__traceback__
    frames = own.tb_next if own else None
    return "".join(traceback.TracebackException(type(error), error, frames, capture_locals=True).format())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder; it is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def new_store(data: Path) -> Callable[..., KeyStore]:
    """Make a store as another kernel would have it: same keyring and folder, a memory of its own."""

    def make(timeout: float = FOR_EVER) -> KeyStore:
        return KeyStore(data, keyring=SystemKeyring(timeout))

    return make


@pytest.fixture
def store(new_store: Callable[..., KeyStore]) -> KeyStore:
    return new_store()


@pytest.fixture
def endpoints() -> Endpoints:
    """A router that is not on this machine."""
    return Endpoints.of("https://gateway.example/v1")


@pytest.fixture
def secret(endpoints: Endpoints) -> Secret:
    return Secret("sk-never-to-be-shown-0123456789", host=endpoints.host)
