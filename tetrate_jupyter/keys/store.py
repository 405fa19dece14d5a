"""Where a key is found and kept: memory, environment, the system's keyring, a private file. Never printed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from tetrate_jupyter import config
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import BaseURLError, KeyStoreError
from tetrate_jupyter.keys.system_keyring import KeyringTrouble, SystemKeyring
from tetrate_jupyter.types import Secret

MAX_KEY_BYTES: Final = 4096  # a key file beyond this is no key file
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # Windows has none, neither of the next
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)

Kind = Literal["given", "memory", "environment", "keyring", "file"]


@dataclass(frozen=True)
class Place:
    """Where a key is. `detail` names it for a person; `note` says why it is there and not somewhere better."""

    kind: Kind
    detail: str
    note: str = ""

    @property
    def removable(self) -> bool:
        """Whether we can forget it; an environment variable is for the person to unset."""
        return self.kind != "environment"

    def __str__(self) -> str:
        return f"{self.detail} ({self.note})" if self.note else self.detail


GIVEN: Final = Place("given", "the session's own arguments")
MEMORY: Final = Place("memory", "this kernel's memory only")


@dataclass(frozen=True)
class FoundKey:
    """A key and where it was."""

    secret: Secret
    place: Place


class KeyStore:
    """Finds, keeps and forgets keys, one for each router host. All calls block; a hanging keyring for 3 s at most.

    `data_dir`: where private files go (default: a folder of Jupyter's data directory). `keyring`: with bounds of its
    own (default: 3 s).
    """

    def __init__(self, data_dir: Path | None = None, *, keyring: SystemKeyring | None = None) -> None:
        self._data_dir = data_dir
        self._keyring = keyring or SystemKeyring()
        self._memory: dict[str, FoundKey] = {}  # kept here and nowhere else, or just signed in
        self._read: dict[str, FoundKey] = {}  # read from keyring or file before: a question must not ask a keyring

    @property
    def folder(self) -> Path:
        """Where private key files are."""
        if self._data_dir is not None:
            return self._data_dir / "keys"
        from jupyter_core.paths import jupyter_data_dir

        return Path(jupyter_data_dir()) / "tetrate-jupyter" / "keys"

    def find(self, endpoints: Endpoints) -> FoundKey | None:
        """Look in memory, environment, keyring and file, in this order; None where there is no key for the host."""
        host = endpoints.host
        if host in self._memory:
            return self._memory[host]
        found = environment_key(endpoints) or self._read.get(host)
        if found is not None:
            return found
        found = self._from_keyring(endpoints) or self._from_file(host)
        if found is not None:
            self._read[host] = found
        return found

    def save(self, secret: Secret, *, store: str = "auto") -> Place:
        """Keep a key for its host and say where; older copies elsewhere are removed, so that none comes back to life.

        `store`: "auto" is the keyring where a real one answers, else a private file, else memory, with the reason in
        the place's note; a loopback router's key goes to a file (throwaway keys on random ports would litter a
        keyring). "keyring", "file" and "memory" insist. Raises `KeyStoreError`.
        """
        place = self._put(secret, store)
        self._drop(secret.host)
        self._memory[secret.host] = FoundKey(secret, place)
        for stale in {"keyring", "file"} - {place.kind}:
            with contextlib.suppress(KeyStoreError, KeyringTrouble):
                self._remove(stale, secret.host)
        return place

    def forget(self, endpoints: Endpoints) -> tuple[Place, ...]:
        """Remove the host's key everywhere; give the places where one was, one in the environment included.

        Raises `KeyStoreError` where a copy could not be removed, or may be left in a keyring that doesn't answer,
        after removing what could be.
        """
        host = endpoints.host
        places: list[Place] = []
        known = self._memory.get(host) or self._read.get(host)
        if known is not None and known.place.kind == "memory":
            places.append(known.place)
        self._drop(host)
        trouble = None
        for kind in ("file", "keyring"):
            try:
                if self._remove(kind, host):
                    places.append(self._place(kind, host))
            except KeyStoreError as error:
                trouble = error
            except KeyringTrouble as reason:
                # where it was found elsewhere it is not here: keeping it there had removed this copy
                in_keyring = known.place.kind == "keyring" if known is not None else reason.silent and not places
                if in_keyring and trouble is None:
                    trouble = _left_in_keyring(reason)
        if trouble is not None:
            raise trouble
        left = environment_key(endpoints)
        return (*places, left.place) if left is not None else tuple(places)

    def at_hand(self) -> tuple[Secret, ...]:
        """Give every key known in this process, environment included, without asking a keyring."""
        kept = [found.secret for found in (*self._memory.values(), *self._read.values())]
        named = [Secret(value, host="the environment") for name in config.KEY_VARIABLES if (value := _variable(name))]
        return (*kept, *named)

    # --- keeping ---------------------------------------------------------------------------------------------

    def _put(self, secret: Secret, store: str) -> Place:
        if store == "memory":
            return MEMORY
        if store == "file":
            return self._write_file(secret)
        if store == "keyring":
            try:
                return self._write_keyring(secret)
            except KeyringTrouble as reason:
                raise KeyStoreError(
                    f"The system's keyring can't keep the key: {reason}.",
                    next_step="use --store file (readable by you only) or --store memory",
                ) from None
        return self._put_where_possible(secret)

    def _put_where_possible(self, secret: Secret) -> Place:
        note = ""
        if not _is_loopback(secret.host):
            try:
                return self._write_keyring(secret)
            except KeyringTrouble as reason:
                note = f"no keyring: {reason}"
        try:
            place = self._write_file(secret)
        except KeyStoreError as error:
            why = f"{note}; no file: {error.message}" if note else f"no file: {error.message}"
            return Place("memory", MEMORY.detail, why.rstrip("."))
        return Place("file", place.detail, note)

    def _write_keyring(self, secret: Secret) -> Place:
        self._keyring.write(secret)
        return self._place("keyring", secret.host)

    def _write_file(self, secret: Secret) -> Place:
        path = self._path(secret.host)
        temporary = path.with_name(f".{secrets.token_hex(8)}.new")
        try:
            _private_folder(path.parent)
            # born private: the mode is there from the first moment, and an existing name or link is refused
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secret.reveal().encode())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise KeyStoreError(
                f"The private file can't be written ({error.strerror or type(error).__name__}).",
                next_step="use --store memory, or make room and check the rights of Jupyter's data folder",
            ) from None
        return self._place("file", secret.host)

    # --- finding ---------------------------------------------------------------------------------------------

    def _from_keyring(self, endpoints: Endpoints) -> FoundKey | None:
        try:
            value = self._keyring.read(endpoints.host)
        except KeyringTrouble:
            return None
        return _found(value, endpoints.host, self._place("keyring", endpoints.host))

    def _from_file(self, host: str) -> FoundKey | None:
        try:
            data = _read_private(self._path(host))
        except OSError:
            return None
        if len(data) > MAX_KEY_BYTES:
            return None
        return _found(data.decode("utf-8", "replace"), host, self._place("file", host))

    # --- forgetting ------------------------------------------------------------------------------------------

    def _drop(self, host: str) -> None:
        self._memory.pop(host, None)
        self._read.pop(host, None)

    def _remove(self, kind: str, host: str) -> bool:
        if kind == "keyring":
            return self._keyring.remove(host)
        try:
            self._path(host).unlink()
        except OSError as error:
            if not os.path.lexists(self._path(host)):  # a read-only disk says so before it looks
                return False
            raise KeyStoreError(
                f"The private file can't be removed ({error.strerror or type(error).__name__}).",
                next_step=f"delete it by hand: {self._shown_path(host)}",
            ) from None
        return True

    # --- naming ----------------------------------------------------------------------------------------------

    def _place(self, kind: str, host: str) -> Place:
        if kind == "keyring":
            return Place("keyring", f"the system's keyring ({self._keyring.name})")
        return Place("file", f"a private file, {self._shown_path(host)}")

    def _path(self, host: str) -> Path:
        return self.folder / (quote(host, safe="") + ".key")  # no two hosts give one name

    def _shown_path(self, host: str) -> str:
        path = self._path(host)
        with contextlib.suppress(ValueError, RuntimeError):
            return f"~/{path.relative_to(Path.home()).as_posix()}"
        return str(path)


def environment_key(endpoints: Endpoints) -> FoundKey | None:
    """Give the environment's key where it belongs to this host.

    It belongs to the host that the environment's own base URL names, or, without one, to the default router.
    """
    try:
        named = Endpoints.from_environment()
    except BaseURLError:
        return None
    if named.host != endpoints.host:
        return None
    for name in config.KEY_VARIABLES:
        found = _found(_variable(name), endpoints.host, Place("environment", f"the environment variable {name}"))
        if found is not None:
            return found
    return None


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()


def _found(value: str | None, host: str, place: Place) -> FoundKey | None:
    text = (value or "").strip()
    if place.kind != "environment" and not (text.isascii() and text.isprintable() and " " not in text):
        return None  # damaged: as good as none; a variable is the person's own, who is told what is wrong with it
    return FoundKey(Secret(text, host=host), place) if text else None


def _is_loopback(host: str) -> bool:
    return Endpoints(base_url=f"http://{host}/v1").is_loopback


def _left_in_keyring(reason: KeyringTrouble) -> KeyStoreError:
    return KeyStoreError(
        f"The key may still be in the system's keyring: {reason}.",
        next_step="remove 'tetrate-jupyter' in your system's password manager",
    )


def _private_folder(folder: Path) -> None:
    _no_link(folder)
    for missing in reversed([folder, *(parent for parent in folder.parents if not parent.exists())]):
        missing.mkdir(mode=0o700, exist_ok=True)  # parents=True would make the ones above as open as the umask allows
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


def _read_private(path: Path) -> bytes:
    _no_link(path.parent)
    # O_NONBLOCK: a pipe under this name would be waited for without end
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        return os.read(descriptor, MAX_KEY_BYTES + 1)
    finally:
        os.close(descriptor)


def _no_link(folder: Path) -> None:
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "its folder is a link to elsewhere")
