"""The system's keyring within bounds: never a null or plain-text backend, never a wait of more than 3 s."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.secret import Secret

T = TypeVar("T")

SERVICE: Final = "tetrate-jupyter"
_NONE: Final = "there is none on this system"
_REFUSED: Final = {
    "keyring.backends.fail": _NONE,  # raises at every call
    "keyring.backends.null": "it is switched off",  # "stores" nothing, without error
    "keyrings.alt": "keyrings.alt keeps plain or obfuscated text files",  # chosen silently where installed
}


class KeyringTrouble(Exception):  # noqa: N818 - a reason in a few words, which `store` makes into an error or a note
    """Raised where the keyring can't be used; the message says why in a few words, without secrets.

    `silent`: there is a keyring, or may be, that doesn't answer, so what it holds is unknown.
    """

    def __init__(self, reason: str, *, silent: bool = True) -> None:
        super().__init__(reason)
        self.silent = silent


class SystemKeyring:
    """The operating system's keyring. Every call raises `KeyringTrouble` where there is no usable one.

    `timeout`: seconds for one call (default: 3). After a call that hung, the keyring isn't used again by this object.
    """

    def __init__(self, timeout: float = config.KEYRING_TIMEOUT) -> None:
        self._timeout = timeout
        self._hung = False
        self._name = "no name"

    @property
    def name(self) -> str:
        """The backend's own name, as of the last call."""
        return self._name

    def read(self, host: str) -> str | None:
        """Return the host's key, or None."""

        def look(backend: Any) -> str | None:  # noqa: ANN401 - keyring's backends share no published type
            found: object = backend.get_password(SERVICE, host)
            return found if isinstance(found, str) else None

        return self._bounded(look)

    def write(self, secret: Secret) -> None:
        """Store a key for its host, and read it back, since some backends accept a key and store nothing."""

        def store(backend: Any) -> bool:  # noqa: ANN401 - as above
            backend.set_password(SERVICE, secret.host, secret.reveal())
            if self._hung:  # unlocked after the timeout: the key is elsewhere by now, and this copy would outlive it
                backend.delete_password(SERVICE, secret.host)
                return False
            return bool(backend.get_password(SERVICE, secret.host) == secret.reveal())

        if not self._bounded(store):
            raise KeyringTrouble("it did not keep the key")

    def remove(self, host: str) -> bool:
        """Remove the host's key; return whether there was one."""

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
        trouble: list[KeyringTrouble] = []

        def work() -> None:
            try:
                outcome.append(use(self._backend()))
            except KeyringTrouble as reason:
                trouble.append(reason)
            except BaseException as error:  # noqa: BLE001 - a wrong backend name is ModuleNotFoundError, and so on
                trouble.append(KeyringTrouble(type(error).__name__))

        # a daemon thread: a keyring that waits behind an unseen prompt must not keep the interpreter from exiting
        thread = threading.Thread(target=work, name="tetrate-keyring", daemon=True)
        thread.start()
        thread.join(self._timeout)
        if trouble:
            raise KeyringTrouble(str(trouble[0]), silent=trouble[0].silent)
        if not outcome:
            self._hung = True
            raise KeyringTrouble(f"it did not answer within {self._timeout:.0f} s; it may be locked")
        return outcome[0]

    def _backend(self) -> Any:  # noqa: ANN401 - as above
        import keyring
        from keyring.backends.chainer import ChainerBackend

        backend: Any = keyring.get_keyring()
        # a chainer falls back to its next backend, which may be a plain file, where the first fails
        chosen = next(iter(backend.backends), None) if isinstance(backend, ChainerBackend) else backend
        if chosen is None:
            raise KeyringTrouble(_NONE, silent=False)
        module = type(chosen).__module__
        for refused, reason in _REFUSED.items():
            if module.startswith(refused):
                raise KeyringTrouble(reason, silent=False)
        self._name = str(getattr(chosen, "name", module))
        return chosen
