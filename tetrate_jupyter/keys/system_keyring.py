"""The system's keyring behind bounds: never a null or plain-text backend, never a wait of more than 3 s."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SERVICE: Final = "tetrate-jupyter"
_REFUSED: Final = (
    "keyring.backends.fail",  # says no to everything
    "keyring.backends.null",  # "stores" nothing, without error
    "keyrings.alt",  # plain or obfuscated text files, chosen silently where installed
)


class KeyringTrouble(Exception):  # noqa: N818 - a reason in a few words, made into an error or a note by `keys`
    """Why the keyring can't be used, in a few words without secrets."""


class SystemKeyring:
    """The keyring of the operating system. Every call raises `KeyringTrouble` where there is no usable one.

    After a call that hung, it isn't asked again in this process.
    """

    def __init__(self, timeout: float = config.KEYRING_TIMEOUT) -> None:
        self._timeout = timeout
        self._hung = False
        self._name = "no name"

    @property
    def name(self) -> str:
        """The backend's own name, as found at the last call."""
        return self._name

    def read(self, host: str) -> str | None:
        """Give the host's key, or None."""

        def look(backend: Any) -> str | None:  # noqa: ANN401 - keyring's backends share no published type
            found: str | None = backend.get_password(SERVICE, host)
            return found

        return self._bounded(look)

    def write(self, host: str, value: str) -> None:
        """Keep the host's key, and read it back: some backends take it and keep nothing."""

        def store(backend: Any) -> bool:  # noqa: ANN401 - as above
            backend.set_password(SERVICE, host, value)
            return bool(backend.get_password(SERVICE, host) == value)

        if not self._bounded(store):
            raise KeyringTrouble("it did not keep what it was given")

    def remove(self, host: str) -> bool:
        """Remove the host's key; whether there was one."""

        def delete(backend: Any) -> bool:  # noqa: ANN401 - as above
            if backend.get_password(SERVICE, host) is None:
                return False
            backend.delete_password(SERVICE, host)
            return True

        return self._bounded(delete)

    def _bounded(self, use: Callable[[Any], T]) -> T:
        if self._hung:
            raise KeyringTrouble("it did not answer before")
        outcome: list[T] = []
        trouble: list[str] = []

        def work() -> None:
            try:
                outcome.append(use(self._backend()))
            except KeyringTrouble as reason:
                trouble.append(str(reason))
            except BaseException as error:  # noqa: BLE001 - a wrong backend name is ModuleNotFoundError, and so on
                trouble.append(type(error).__name__)

        # a daemon thread: a keyring that waits for a prompt nobody sees must not keep the interpreter from ending
        thread = threading.Thread(target=work, name="tetrate-keyring", daemon=True)
        thread.start()
        thread.join(self._timeout)
        if trouble:
            raise KeyringTrouble(trouble[0])
        if not outcome:
            self._hung = True
            raise KeyringTrouble(f"it did not answer within {self._timeout:.0f} s; it may be locked")
        return outcome[0]

    def _backend(self) -> Any:  # noqa: ANN401 - as above
        import keyring

        backend: Any = keyring.get_keyring()
        chosen = backend
        with contextlib.suppress(AttributeError, IndexError):
            chosen = next(iter(backend.backends))  # a chainer asks several, the first one first
        module = type(chosen).__module__
        if module.startswith(_REFUSED):
            raise KeyringTrouble("there is none on this system" if module.endswith("fail") else f"{module} is none")
        self._name = str(getattr(chosen, "name", module))
        return backend
