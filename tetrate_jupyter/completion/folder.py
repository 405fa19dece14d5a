"""Text files in the working folder: found by name, never outside of it, and read only as far as they are sent."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import re
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line, plain
from tetrate_jupyter.completion.material import counted, fenced, key_in
from tetrate_jupyter.errors import AttachmentError

_READ: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe must not wait
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)  # Windows
)
_FOLDER: Final = _READ | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)  # O_PATH: unlistable ones, too
_CHARACTER: Final = 4  # bytes that one takes at most
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY")
_LANGUAGE = re.compile(r"\.([A-Za-z0-9]{1,10})\Z")
_LISTED: Final = 2_000  # entries of a folder that are read
_NO_TEXT = re.compile(
    r"""\.(?:7z|avi|bin|bz2|db|docx?|dll|exe|feather|gif|gz|h5|ico|jpe?g|mov|mp[34]|np[yz]|odt|parquet|pdf|pickle|pkl
    |png|pptx|pt|pyc|so|sqlite|tar|tiff?|ttf|wav|webp|whl|woff2?|xlsx?|xz|zip|zst)\Z""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class FilePlace:
    """The place of a file: `parts` is its path below `folder`, with all symbolic links resolved."""

    folder: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class FileText:
    """A file as it is sent: `sent` of `of` bytes."""

    text: str
    sent: int
    of: int


def base() -> str | None:
    """Return the working folder with symbolic links resolved; None where it no longer exists."""
    with contextlib.suppress(OSError):
        return os.path.realpath(Path.cwd())
    return None


def is_there(name: str) -> bool:
    """Whether something has this name in the working folder; a folder's name must end with "/"."""
    folder = base()
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # a NUL character, no home folder
        path = None if folder is None else _joined(folder, name)
        return path is not None and os.path.lexists(path) and (name.endswith("/") or not Path(path).is_dir())
    return False


def place(name: str) -> FilePlace:
    """Return the place of a file, with links resolved. Raises `AttachmentError` where there is none to send."""
    folder = base()
    try:
        if folder is None:
            raise FileNotFoundError
        joined = _joined(folder, name)
        found = os.path.realpath(joined, strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        loops = isinstance(error, OSError) and error.errno == errno.ELOOP
        what = "is a broken link" if loops or is_there(name) else "isn't a file here"
        raise refusal(name, what, "check its name: it is searched for in this kernel's folder") from None
    inside = _inside(folder, found)
    if inside is None:
        raise refusal(name, "is outside of this kernel's folder", "copy it into the folder")
    typed = _inside(folder, os.path.normpath(joined)) or ()
    if any(part.startswith(".") for part in (*inside, *typed)):
        raise refusal(name, "is hidden: such files hold settings and keys", "copy what you need into another file")
    mode = Path(found).stat().st_mode
    if stat.S_ISDIR(mode):
        raise refusal(name, "is a folder", "name a file in it")
    if not stat.S_ISREG(mode):
        raise refusal(name, "isn't a regular file", "name a text file")
    return FilePlace(folder or "", inside)


def read(found: FilePlace, name: str, most: int) -> FileText:
    """Return at most `most` characters of the file at a `place`; `name` is the name that was typed.

    Raises `AttachmentError` where it isn't text or can't be read, `SecretInPromptError` for what looks like a key.
    """
    try:
        data, size = _bytes(found, (most + secrecy.REACH) * _CHARACTER)
    except OSError as error:
        why = one_line(error.strerror or type(error).__name__, MAX_NAME)
        raise refusal(name, f"can't be read ({why})", "check the file") from None
    whole = len(data) >= size
    text, encoding = _decoded(data, name, whole=whole)
    window = plain(text[: most + secrecy.REACH])
    if secrecy.looks_secret(window) or _PRIVATE.search(window):
        raise key_in(told(name), f"leave {told(name)} out of the question, or take the key out of the file")
    language = _LANGUAGE.search(name)
    word = language[1].lower() if language else ""
    if whole and len(text) <= most and len(window) <= most:
        return FileText(fenced(window.rstrip("\n"), word), size, size)
    sent = min(len(text[:most].encode(encoding, "replace")), size)
    return FileText(fenced(f"{window[:most]}\n[cut here: {sent:,} of {size:,} bytes]", word), sent, size)


def offered(start: str, most: int) -> dict[str, str]:
    """Return the names that begin with `start`, each with a description; a folder's ends with "/". At most `most`.

    Hidden ones are left out. Only the first 2,000 entries of the folder are read.
    """
    folder = base()
    parent, _, begun = start.rpartition("/")
    if folder is None or start.startswith(("/", "~", ".")) or ".." in parent.split("/"):
        return {}
    there = os.path.realpath(Path(folder) / parent)
    if most < 1 or _inside(folder, there) is None:
        return {}
    found: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError), os.scandir(there) as entries:
        likely = [each for each in islice(entries, _LISTED) if each.name.startswith(begun) and each.name[0] != "."]
        for entry in sorted(likely, key=lambda each: each.name):
            with contextlib.suppress(OSError):
                found |= _offer(folder, entry, f"{parent}/{entry.name}" if parent else entry.name)
            if len(found) == most:
                break
    return found


def refusal(name: str, what: str, step: str) -> AttachmentError:
    """Return the error for a word whose file can't be sent: `what` is wrong, `step` is the next step."""
    word = told(name)
    return AttachmentError(f"{word} {what}; nothing was sent.", next_step=f"{step} (to send it as typed: \\{word})")


def told(name: str) -> str:
    """Return the word that names this file, as it is typed."""
    line = one_line(name, MAX_NAME)
    return f"@{line}" if re.fullmatch(r"[\w./~+@%=#&-]+", name) else f'@"{line}"'


def _joined(folder: str, name: str) -> str:
    return str(Path(folder) / (Path(name).expanduser() if name.startswith("~/") else name))


def _inside(folder: str, path: str) -> tuple[str, ...] | None:
    """Return the parts of a path below the folder; None where the path is outside."""
    with contextlib.suppress(ValueError):
        return Path(path).relative_to(folder).parts
    return None


def _offer(folder: str, entry: os.DirEntry[str], name: str) -> dict[str, str]:
    if not entry.name.isprintable() or '"' in name:
        return {}
    if entry.is_symlink() and _inside(folder, os.path.realpath(entry.path)) is None:
        return {}
    if entry.is_dir():
        return {f"{name}/": "folder"}
    if not entry.is_file() or _NO_TEXT.search(entry.name):
        return {}
    return {name: counted(entry.stat().st_size, "byte")}


def _bytes(found: FilePlace, most: int) -> tuple[bytes, int]:
    """Return at most `most` bytes of a regular file, and how many it has."""
    opened = _opened(found)
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        data = bytearray()
        while len(data) < most and (more := os.read(opened, most - len(data))):
            data += more
    finally:
        os.close(opened)
    return bytes(data), len(data) if len(data) < most else max(len(data), status.st_size)


def _opened(found: FilePlace) -> int:
    """Open a file component by component, so that a folder replaced by a link meanwhile can't lead elsewhere."""
    if os.open not in os.supports_dir_fd:  # Windows
        return os.open(Path(found.folder).joinpath(*found.parts), _READ)
    folder = os.open(found.folder, _FOLDER)
    try:
        for part in found.parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(found.parts[-1], _READ, dir_fd=folder)
    finally:
        os.close(folder)


def _decoded(data: bytes, name: str, *, whole: bool) -> tuple[str, str]:
    """Return the text, and its encoding without a byte order mark."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")().decode(data, final=whole)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        picture = name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp"))
        step = "send a picture with --image" if picture else "load it into a variable and send that: {name}"
        raise refusal(name, "isn't text in UTF-8", step)
    return text, "utf-16-le" if wide else "utf-8"
