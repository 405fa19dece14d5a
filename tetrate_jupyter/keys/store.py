"""Where keys are found and kept: memory, environment, the system's keyring, a private file. Never printed.

What is in memory follows the disk. A key in the private file is checked at each request, with one `stat`, and read
again where the file has changed or gone. A key in the keyring is read again after some minutes and after a refusal: a
keyring can hang or prompt the person, so not at every request. Where several people share one system account
(`config.shared_account`), file and keyring are neither read nor written: what they hold is the account's, not a
visitor's.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote

from tetrate_jupyter import config
from tetrate_jupyter.errors import KeyStoreError, NextStep
from tetrate_jupyter.keys import private_file
from tetrate_jupyter.keys.places import GIVEN, MEMORY, FoundKey, Place, environment_key, found_key
from tetrate_jupyter.keys.system_keyring import KeyringTrouble, SystemKeyring

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.secret import Secret

__all__ = ["GIVEN", "MEMORY", "FoundKey", "KeyStore", "Place", "environment_key"]

Stamps: TypeAlias = "tuple[private_file.Stamp | None, ...]"

MAX_KEY_BYTES: Final = private_file.MAX_BYTES
_JUST_NOW: Final = 2.0  # seconds; many calls that are refused at the same time read the keyring once
_REMEMBERED: Final = 16  # keys handed out earlier, for which a refusal may still come


@dataclass(frozen=True)
class _Known:
    """A key that was found or saved, and the state of the disk at that time.

    `stamps` are those of the private file under each of its names, None where there was none; `at` is when the keyring
    was read, in seconds on the monotonic clock. `signed_in`: this process signed in with it, so it takes precedence
    over the environment's.
    """

    found: FoundKey
    stamps: Stamps
    at: float
    signed_in: bool = False


class KeyStore:
    """Finds, saves and removes keys, one per router host. All calls block; a keyring that hangs, for 3 s at most.

    `data_dir`: where private files go (default: a folder of Jupyter's data directory). `keyring` brings its own timeout
    (default: 3 s). `shared` returns what makes several people share this system account, or None; where they do, keys
    are kept in memory whatever is asked for. `everybodys`: this store belongs to an object that a whole process shares.
    `changes` counts how often keyring or file were found to hold another key than before, or none any more.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        keyring: SystemKeyring | None = None,
        shared: Callable[[], str | None] = config.shared_account,
    ) -> None:
        self._data_dir = data_dir
        self._keyring = keyring or SystemKeyring()
        self._shared = shared
        self.everybodys = False
        self.changes = 0
        self._known: dict[str, _Known] = {}
        self._given_out: deque[Secret] = deque(maxlen=_REMEMBERED)
        self._without: set[str] = set()  # hosts for which keyring and file held no key when last read
        self._refused: dict[str, str] = {}  # why the private file of a host isn't used
        self._looked_after: dict[str, float] = {}  # last look after a refusal, per host; monotonic seconds
        self._looking = threading.Lock()

    @property
    def folder(self) -> Path:
        """The folder of the private key files."""
        if self._data_dir is not None:
            return self._data_dir / "keys"
        from jupyter_core.paths import jupyter_data_dir

        return Path(jupyter_data_dir()) / "tetrate-jupyter" / "keys"

    def find(self, endpoints: Endpoints) -> FoundKey | None:
        """Look in memory, environment, keyring and file, in this order; None where there is no key for the host."""
        known = self._current(endpoints)
        if known is not None and known.signed_in:
            return known.found
        found = environment_key(endpoints)
        if found is not None or known is not None:
            return found or (known.found if known is not None else None)
        if self._shared() is not None:
            return None
        return self._look(endpoints, None)

    def refusal(self, endpoints: Endpoints) -> str:
        """Return why an existing private file was not used when it was last read, or ""."""
        return self._refused.get(endpoints.host, "")

    def after_refusal(self, endpoints: Endpoints, refused: Secret) -> Secret | None:
        """Look again after the router has refused a key (401); return the one that is kept now, None where none is.

        Returns `refused` itself where nothing has changed, and where `find` never returned it.
        """
        if self._shared() is not None or not any(refused is each for each in tuple(self._given_out)):
            return refused
        with self._looking:
            known = self._known.get(endpoints.host)
            if known is not None and self._stays(known, refused):
                return known.found.secret
            found = self._look(endpoints, known)
            self._looked_after[endpoints.host] = time.monotonic()
        return None if found is None else found.secret

    def save(self, secret: Secret, *, store: str = "auto") -> Place:
        """Keep a key for its host and return where; copies elsewhere are removed, so that none comes back to life.

        `store`: "auto" is the keyring where a real one answers, else a private file, else memory, with the reason in
        the place's note; a loopback router's key goes to a file (throwaway keys on random ports would litter a
        keyring). "keyring", "file" and "memory" allow no other place, except where several people share the account:
        there it is always memory, and nothing else is touched. Raises `KeyStoreError`.
        """
        shared = self._shared()
        if shared is not None:
            place = self._put_for_one_visitor(shared)
            self._keep(FoundKey(secret, place), (), signed_in=True)
            return place
        place, stamp = self._put(secret, store)
        self._known.pop(secret.host, None)
        for stale in {"keyring", "file"} - {place.kind}:
            with contextlib.suppress(KeyStoreError, KeyringTrouble):
                self._remove(stale, secret.host)
        self._keep(FoundKey(secret, place), (stamp,), signed_in=True)
        self._refused.pop(secret.host, None)
        return place

    def forget(self, endpoints: Endpoints) -> tuple[Place, ...]:
        """Remove the host's key everywhere; return the places where one was, and the environment if it has one.

        Where several people share the account, file and keyring are left alone. Raises `KeyStoreError`, after removing
        what can be removed, where a copy couldn't be, or may be left in a keyring that doesn't answer.
        """
        host = endpoints.host
        known = self._known.pop(host, None)
        for secret in tuple(self._given_out):  # a copy, as above: other threads add to it
            if secret.host == host:
                with contextlib.suppress(ValueError):
                    self._given_out.remove(secret)
        self._refused.pop(host, None)
        places = [known.found.place] if known is not None and known.found.place.kind == "memory" else []
        if self._shared() is None:
            places += self._remove_all(endpoints, known)
        left = environment_key(endpoints)
        return (*places, left.place) if left is not None else tuple(places)

    # --- keeping ---------------------------------------------------------------------------------------------

    def _keep(self, found: FoundKey, stamps: Stamps, *, signed_in: bool) -> None:
        self._without.discard(found.secret.host)
        self._known[found.secret.host] = _Known(found, stamps, time.monotonic(), signed_in)
        self._given_out.append(found.secret)

    def _put_for_one_visitor(self, shared: str) -> Place:
        process = config.shared_process()
        if process is not None and self.everybodys:
            raise KeyStoreError(
                f"Every visitor of this {process} server has the same `session`, and would use this key.",
                next_step="make one for each: Session(key=...); or start the server with TETRATE_API_KEY set, for all",
            )
        return Place("memory", MEMORY.detail, f"several people share this server's account: {shared}")

    def _put(self, secret: Secret, store: str) -> tuple[Place, private_file.Stamp | None]:
        if store == "memory":
            return MEMORY, None
        if store == "file":
            return self._write_file(secret)
        if store == "keyring":
            try:
                return self._write_keyring(secret), None
            except KeyringTrouble as reason:
                raise KeyStoreError(
                    f"The system's keyring can't keep the key: {reason}.",
                    next_step=NextStep(
                        "use --store file (readable by you only) or --store memory",
                        in_panel="run %tetrate_login --store file (readable by you only) or --store memory",
                    ),
                ) from None
        return self._put_where_possible(secret)

    def _put_where_possible(self, secret: Secret) -> tuple[Place, private_file.Stamp | None]:
        note = ""
        if not config.scope_is_loopback(secret.host):
            try:
                return self._write_keyring(secret), None
            except KeyringTrouble as reason:
                note = f"no keyring: {reason}"
        try:
            place, stamp = self._write_file(secret)
        except KeyStoreError as error:
            why = f"{note}; no file: {error.message}" if note else f"no file: {error.message}"
            return Place("memory", MEMORY.detail, why.rstrip(".")), None
        return Place("file", place.detail, "; ".join(filter(None, [note, place.note]))), stamp

    def _write_keyring(self, secret: Secret) -> Place:
        self._keyring.write(secret)
        return self._place("keyring", secret.host)

    def _write_file(self, secret: Secret) -> tuple[Place, private_file.Stamp]:
        try:
            held = private_file.write(self._path(secret.host), secret.reveal().encode())
        except OSError as error:
            raise KeyStoreError(
                f"The private file can't be written ({error.strerror or type(error).__name__}).",
                next_step=NextStep("use --store memory", in_panel="run %tetrate_login --store memory").within(
                    after=", or free disk space and check the permissions of Jupyter's data folder"
                ),
            ) from None
        return self._place("file", secret.host, held.note), held.stamp

    # --- finding ---------------------------------------------------------------------------------------------

    def _current(self, endpoints: Endpoints) -> _Known | None:
        """Return the host's known key, read again where the disk may hold another one."""
        known = self._known.get(endpoints.host)
        if known is None or known.found.place.kind == "memory":
            return known
        if self._shared() is not None:
            return None
        fresh = known.found.place.kind == "file" or time.monotonic() - known.at < config.KEYRING_FRESH
        if fresh and known.stamps == self._stamps(endpoints):
            return known
        self._look(endpoints, known)
        return self._known.get(endpoints.host)

    def _stays(self, known: _Known, refused: Secret) -> bool:
        """Whether a refusal leaves nothing to look for: the key is in memory only, or the keyring was read just now."""
        just_now = time.monotonic() - self._looked_after.get(known.found.secret.host, -_JUST_NOW) < _JUST_NOW
        return known.found.place.kind == "memory" or (
            known.found.place.kind == "keyring" and (just_now or known.found.secret != refused)
        )

    def _look(self, endpoints: Endpoints, known: _Known | None) -> FoundKey | None:
        """Read keyring and file again. `known` is the key so far: it stays where its keyring doesn't answer."""
        stamps = self._stamps(endpoints)  # taken first, so that a change made meanwhile is seen at the next request
        try:
            found = self._from_keyring(endpoints)
        except KeyringTrouble:
            found = None
            if known is not None and known.found.place.kind == "keyring" and known.stamps == stamps:
                found = known.found
        if found is None:
            found, stamps = self._from_file(endpoints, stamps)
        now = self._known.get(endpoints.host)
        if now is not known:  # another thread signed in or out meanwhile, which is newer than what was read here
            return found if now is None else now.found
        came = known is None and found is not None and endpoints.host in self._without
        if came or (known is not None and (found is None or found.secret != known.found.secret)):
            self.changes += 1
        if found is None:
            self._known.pop(endpoints.host, None)
            self._without.add(endpoints.host)
        else:
            self._keep(found, stamps, signed_in=known is not None and known.signed_in)
        return found

    def _stamps(self, endpoints: Endpoints) -> Stamps:
        return tuple(private_file.stamp(self._path(name)) for name in _names(endpoints))

    def _from_keyring(self, endpoints: Endpoints) -> FoundKey | None:
        for name in _names(endpoints):
            found = found_key(self._keyring.read(name), endpoints.host, self._place("keyring", name))
            if found is not None:
                return found
        return None

    def _from_file(self, endpoints: Endpoints, stamps: Stamps) -> tuple[FoundKey | None, Stamps]:
        self._refused.pop(endpoints.host, None)
        for number, name in enumerate(_names(endpoints)):
            try:
                held = private_file.read(self._path(name))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                reason = error.strerror or type(error).__name__
                self._refused[endpoints.host] = f"the key in {self._shown_path(name)} is not used: {reason}"
                continue
            text = held.data.decode("utf-8", "replace") if len(held.data) <= MAX_KEY_BYTES else None
            found = found_key(text, endpoints.host, self._place("file", name, held.note))
            if found is not None:
                return found, (*stamps[:number], held.stamp, *stamps[number + 1 :])
        return None, stamps

    # --- forgetting ------------------------------------------------------------------------------------------

    def _remove_all(self, endpoints: Endpoints, known: _Known | None) -> list[Place]:
        places: list[Place] = []
        trouble = None
        private_file.sweep(self.folder)
        for kind, name in [(kind, name) for name in _names(endpoints) for kind in ("file", "keyring")]:
            try:
                note = self._remove(kind, name)
                if note is not None:
                    places.append(self._place(kind, name, note))
            except KeyStoreError as error:
                trouble = error
            except KeyringTrouble as reason:
                # a key that was found elsewhere isn't in the keyring: saving it there removed this copy
                kept = None if known is None else known.found.place.kind
                in_keyring = kept == "keyring" if kept is not None else reason.silent and not places
                if in_keyring and trouble is None:
                    trouble = _left_in_keyring(reason)
        if trouble is not None:
            raise trouble
        return places

    def _remove(self, kind: str, name: str) -> str | None:
        """Remove a copy; return a note for a person ("" for none), or None where there was no copy."""
        if kind == "keyring":
            return "" if self._keyring.remove(name) else None
        try:
            return private_file.remove(self._path(name))
        except OSError as error:
            raise KeyStoreError(
                f"The private file can't be removed ({error.strerror or type(error).__name__}).",
                next_step=f"delete it by hand: {self._shown_path(name)}",
            ) from None

    # --- naming ----------------------------------------------------------------------------------------------

    def _place(self, kind: str, name: str, note: str = "") -> Place:
        if kind == "keyring":
            return Place("keyring", f"the system's keyring ({self._keyring.name})")
        return Place("file", f"a private file, {self._shown_path(name)}", note)

    def _path(self, name: str) -> Path:
        return self.folder / (quote(name, safe="") + ".key")  # no two hosts share a name

    def _shown_path(self, name: str) -> str:
        path = self._path(name)
        with contextlib.suppress(ValueError, RuntimeError):
            return f"~/{path.relative_to(Path.home()).as_posix()}"
        return str(path)


def _names(endpoints: Endpoints) -> tuple[str, ...]:
    """Return the names under which this router's key may be kept: the current one, then an older one."""
    older = endpoints.older_host
    return (endpoints.host,) if older is None else (endpoints.host, older)


def _left_in_keyring(reason: KeyringTrouble) -> KeyStoreError:
    return KeyStoreError(
        f"The key may still be in the system's keyring: {reason}.",
        next_step="remove 'tetrate-jupyter' in your system's password manager",
    )
