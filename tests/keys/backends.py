"""Keyring backends that behave as real ones were seen to: well, badly, or not at all."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend

NEVER_CHOSEN = -1  # below the fail backend: chosen by name or `set_keyring` only


class Faithful(KeyringBackend):
    """Keeps what it is given, in memory."""

    priority: ClassVar[float] = NEVER_CHOSEN
    name = "Faithful"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], Any] = {}
        self.calls: list[str] = []

    def get_password(self, service: str, username: str) -> Any:
        self.calls.append("get")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.calls.append("set")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.calls.append("delete")
        del self.kept[service, username]


class Forgetful(Faithful):
    """Takes everything, keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        self.calls.append("set")


class Truncating(Faithful):
    """Keeps a part, as one with a limit to its size."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:8])


class Clinging(Faithful):
    """Never lets go."""

    def delete_password(self, service: str, username: str) -> None:
        raise RuntimeError("no")


class Raising(Faithful):
    """Raises the same at every call."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> Any:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error

    def delete_password(self, service: str, username: str) -> None:
        raise self.error


class Hanging(Faithful):
    """Waits for a prompt that nobody sees, at one kind of call, until it is let go."""

    def __init__(self, at: str = "get") -> None:
        super().__init__()
        self.at = at
        self.go_on = threading.Event()

    def get_password(self, service: str, username: str) -> Any:
        self._wait("get")
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait("set")
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._wait("delete")
        super().delete_password(service, username)

    def _wait(self, call: str) -> None:
        if call == self.at:
            self.calls.append(f"{call} hangs")
            self.go_on.wait()


class Chainer(ChainerBackend):
    """The chainer, over backends of the test's own."""

    priority: ClassVar[float] = NEVER_CHOSEN
    backends: ClassVar[list[KeyringBackend]] = []


class Unwilling(Faithful):
    """A first one in a chain that leaves writing to the next."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError
