"""The two places for answers: a person's own, for this account; and a file that is named, beside a notebook."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config, whole_files
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.answers.kept import Store

OWN: Final = "on"  # the person's own place, where no file is named
OWN_NAME: Final = "your own store of answers"
OFF: Final = ""
ENDING: Final = ".jsonl"
DAYS: Final = 90.0  # after so long a person's own answers are asked anew; those of a committed file stay
# File systems on which SQLite's locks hold. Of any other one, a network's above all, the plain file is used.
_LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "bcachefs", "f2fs", "jfs", "reiserfs", "overlay", "tmpfs", "ramfs"}
    | {"vfat", "exfat", "ntfs3", "apfs", "hfsplus"}
)


def place_of(given: object) -> str:
    """Return what somebody has said about keeping answers, as `OFF`, `OWN` or the path of a file.

    Takes True and "on", False, None, "off" and "", and a path that ends in .jsonl, which is taken from where the
    kernel works now. Raises `ConfigError` for anything else.
    """
    if given is None or given is False:
        return OFF
    if given is True:
        return OWN
    if isinstance(given, (str, os.PathLike)):
        text = os.fspath(given)
        word = text.strip().lower() if isinstance(text, str) else "?"
        if word in {"", "off"}:
            return OFF
        if word == OWN:
            return OWN
        if word.endswith(ENDING):
            with contextlib.suppress(OSError):
                return os.path.abspath(whole_files.named(str(text).strip()))  # noqa: PTH100 - a link stays as it is named
    raise ConfigError(
        f"Answers can't be kept in {str(given)[:200]!r}.",
        next_step='name a file that ends in .jsonl ("answers.jsonl"), or say "on" or "off"',
    )


def opened(place: str, folder: Path | None = None) -> Store:
    """Return the store of a place, whose disk holds up nobody; nothing is read or made yet.

    `folder`: where the person's own is.
    Raises `ConfigError` for the person's own where several people share this account: it would be everybody's.
    """
    from tetrate_jupyter.answers.aside import aside

    if place != OWN:
        return aside(Path(place).name, lambda alive: _named(Path(place), alive))
    shared = config.shared_account()
    if shared is not None:
        raise ConfigError(
            f"Several people share this account ({shared}): answers aren't kept for all of them together.",
            next_step='name a file: session.cached("answers.jsonl")',
        )
    return aside(OWN_NAME, lambda alive: own(folder, alive))


def _named(path: Path, alive: Callable[[], None]) -> Store:
    from tetrate_jupyter.answers.file import FileStore

    return FileStore(path, alive=alive)


def own(folder: Path | None = None, alive: Callable[[], None] = lambda: None) -> Store:
    """Return the person's own store itself, which is a database where its locks can be trusted. Asks the disk."""
    if folder is None:
        from jupyter_core.paths import jupyter_data_dir

        folder = Path(jupyter_data_dir()) / "tetrate-jupyter"
    folder = folder / "answers"
    if not is_local(folder):
        from tetrate_jupyter.answers.file import FileStore

        return FileStore(folder / "answers.jsonl", is_private=True, days=DAYS, alive=alive)
    from tetrate_jupyter.answers.database import DatabaseStore

    return DatabaseStore(folder / "answers.sqlite", days=DAYS)


def is_local(folder: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether SQLite may be used here: on a disk of this machine. What isn't known to be one is none.

    `mounts`: the system's list. Without one (macOS, Windows) a folder is local, unless its name is a network's.
    """
    real = os.path.realpath(folder)
    if real.startswith("\\\\"):
        return False
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    best, kind = "", ""
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:  # device, place, kind
            continue
        point = words[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, words[2]  # the last one over the same place is what is seen
    return kind in _LOCAL
