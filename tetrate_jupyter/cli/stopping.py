"""How a command ends early: Ctrl-C, a supervisor's stop and a closed terminal are one and the same."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOPS: Final = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    if (number := getattr(signal, name, None)) is not None
]


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let each of the stop signals raise `KeyboardInterrupt` meanwhile, and only the first of them.

    A signal that is ignored stays so: `nohup` and a shell script's `&` ask for that.
    """
    before = {number: signal.getsignal(number) for number in _STOPS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _stop:
                signal.signal(number, handler)


def say(text: str) -> None:
    """Print a line that nobody may be there to read any more: a closed terminal is no reason to stop stopping."""
    try:
        print(text, flush=True)
    except OSError:
        silence()


def silence() -> None:
    """Send what is still to be printed nowhere; else the interpreter's exit fails on it once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def leave(code: int) -> NoReturn:
    """End the process at once. For a run that was stopped: the exit of a broken-off kernel client can hang for ever."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _stop(_signal: int, _frame: object) -> NoReturn:
    # A closing terminal signals twice, people press Ctrl-C twice: the stopping, which is bounded, must get to its end.
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
