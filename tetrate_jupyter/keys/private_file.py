"""Files that are one account's alone: created private, replaced whole, refused where another user has touched them."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Stamp: TypeAlias = "tuple[int, ...]"

MAX_BYTES: Final = 4096  # a larger file holds no key
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # Windows has neither this nor the next
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
_LEFT: Final = re.compile(r"\.[0-9a-f]{16}\.new")  # temporary files of a `write` that was killed
_LEFT_AFTER: Final = 60.0  # seconds; a write takes milliseconds


@dataclass(frozen=True)
class Held:
    """What a file holds. `stamp` changes whenever the file does; `note` says, for a person, what was wrong, or ""."""

    data: bytes
    stamp: Stamp
    note: str = ""


def read(path: Path) -> Held:
    """Read a private file. Raises `OSError` with a message for a person; `FileNotFoundError` where there is none.

    Refuses a symbolic link, anything but a regular file, and a file or folder that belongs to another user. A mode that
    lets others in is corrected, and noted. A second hard link, as backups make them, is no reason to refuse a file: all
    its names share owner and mode.
    """
    note = _close_folder(path.parent)
    # O_NONBLOCK: opening a pipe under this name would wait forever
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it isn't a regular file")
        _refuse_foreign(status, "it belongs to another user")
        if _is_open(status):
            with contextlib.suppress(OSError):  # a file system without modes, or one that refuses the change
                os.fchmod(descriptor, 0o600)
            before, status = status, os.fstat(descriptor)
            note = "; ".join(filter(None, [note, _mended("it", before, status)]))
        return Held(os.read(descriptor, MAX_BYTES + 1), _stamp(status), note)
    finally:
        os.close(descriptor)


def write(path: Path, data: bytes) -> Held:
    """Replace a private file as a whole, making its folder where there is none. Raises `OSError`, as `read` does."""
    note = folder(path.parent)
    sweep(path.parent, older_than=_LEFT_AFTER)
    try:
        status = _replace(path, data)
    except FileNotFoundError:  # a sign-out in another process swept our temporary file away
        status = _replace(path, data)
    return Held(data, _stamp(status), _mended("it", status, status) if _is_open(status) else note)


def folder(path: Path) -> str:
    """Make a private folder, or close one that is open to others. Returns a note that says so, "" where it wasn't open.

    Raises `OSError`, as `read` does.
    """
    _make_folder(path)
    return _close_folder(path)


def remove(path: Path) -> str | None:
    """Remove a file; return a note for a person, or None where there was none. Raises `OSError`."""
    try:
        names = path.lstat().st_nlink
        path.unlink()
    except OSError:
        if not os.path.lexists(path):  # a read-only file system refuses even where there is no such file
            return None
        raise
    return f"it has {names - 1} more in the file system, hard links, where the key still is" if names > 1 else ""


def stamp(path: Path) -> Stamp | None:
    """Return a value that changes when the file is replaced, written or gets another mode; None where there is none."""
    try:
        return _stamp(path.lstat())
    except OSError:
        return None


def sweep(folder: Path, *, older_than: float = 0.0) -> None:
    """Remove the temporary files of killed writes, keys included, that are at least `older_than` seconds old."""
    left = []
    with contextlib.suppress(OSError):
        _refuse_link(folder)
        left = [each for each in folder.iterdir() if _LEFT.fullmatch(each.name)]
    for each in left:
        with contextlib.suppress(OSError):
            if not older_than or time.time() - each.lstat().st_mtime >= older_than:
                each.unlink()


def _replace(path: Path, data: bytes) -> os.stat_result:
    temporary = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        # created with its final mode, so that it is never open; O_EXCL refuses an existing name or link
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            _refuse_foreign(os.fstat(descriptor), "new files on this disk belong to another user")
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            status = os.fstat(descriptor)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return status


def _make_folder(folder: Path) -> None:
    _refuse_link(folder)
    for missing in reversed([folder, *(parent for parent in folder.parents if not parent.exists())]):
        missing.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would ignore the mode for the folders above


def _close_folder(folder: Path) -> str:
    """Refuse a folder that is a link or another user's; close one that is open to others, and return a note on it."""
    _refuse_link(folder)
    before = folder.stat()
    _refuse_foreign(before, "its folder belongs to another user")
    if not _is_open(before):
        return ""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
    return _mended("its folder", before, folder.stat())


def _refuse_foreign(status: os.stat_result, words: str) -> None:
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, words)


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "its folder is a link to elsewhere")


def _is_open(status: os.stat_result) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(status.st_mode) & 0o077)


def _mended(what: str, before: os.stat_result, after: os.stat_result) -> str:
    was, now = stat.S_IMODE(before.st_mode), stat.S_IMODE(after.st_mode)
    if now & 0o077:
        return f"{what} is open to others, mode {now:04o}, which this disk doesn't let us change"
    return f"{what} was open to others, mode {was:04o}; it is closed now"


def _stamp(status: os.stat_result) -> Stamp:
    # without ctime: renaming the temporary file into place changes that
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode, status.st_uid)
