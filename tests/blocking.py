"""Sees files that the package opens, lists or changes on an event loop: all that runs there waits for the disk.

By Python's own audit events (PEP 578), which nothing has to be replaced for. What they don't tell (`stat`, a lock, a
system library that reads a file of its own) isn't seen.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_TESTS: Final = str(Path(__file__).parent) + "/"
_PACKAGE: Final = str(Path(__file__).parents[1] / "tetrate_jupyter") + "/"
_EVENTS: Final = {
    *("open", "sqlite3.connect", "subprocess.Popen", "time.sleep", "fcntl.flock", "fcntl.lockf", "socket.getaddrinfo"),
    *("os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.utime"),
    *("os.chmod", "os.link", "os.symlink", "shutil.copyfile", "shutil.move", "shutil.rmtree"),
}
# Whose reading is no work of ours: Python's own import, what tells of an error, and what a garbage collection ends.
_OTHERS: Final = (
    *("<frozen importlib", "<frozen zipimport"),
    *(f"/{name}.py" for name in ("linecache", "traceback", "weakref", "tempfile")),
)
_ALLOWED: Final = {
    "sandbox/": "the embedded router is another program that happens to run here",
    "cli/": "a program of its own, whose loop has nothing else to do",
    "http/surroundings.py": "once for a router, before its first request; a few names in one folder",
}

seen: list[str] = []  # since the test began


def _where(frame: FrameType | None) -> str:
    """Return the place in the package that it was done for, "" where that is none or may.

    What a test calls itself, and doesn't await, holds up nobody but the test.
    """
    place, caller = "", None
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_OTHERS[:2]) or name.endswith(_OTHERS[2:]) or "/logging/" in name:
            return ""
        if frame.f_code.co_name == "__del__":
            return ""
        if name.startswith(_PACKAGE):
            place = place or f"{name.removeprefix(_PACKAGE)} {frame.f_code.co_name}"
        elif name.startswith(_TESTS) and not place:
            return ""  # a test's own work that the package runs
        elif name.startswith(_TESTS) and caller is not None and not caller.f_code.co_flags & inspect.CO_COROUTINE:
            return ""
        caller = frame if name.startswith(_PACKAGE) else None
        frame = frame.f_back
    return "" if place.startswith(tuple(_ALLOWED)) else place


def _hear(event: str, args: tuple[object, ...]) -> None:
    if event not in _EVENTS or asyncio._get_running_loop() is None:
        return
    place = _where(sys._getframe(1))
    if place:
        seen.append(f"{place}: {event}{args!r}"[:300])


def watch() -> None:
    """See to it for the rest of this process."""
    sys.addaudithook(_hear)
