"""How a command ends early: Ctrl-C, a supervisor's stop and a closed terminal are one and the same."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final, NoReturn

_STOPS: Final = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    if (number := getattr(signal, name, None)) is not None
]


def stop_on_signals() -> None:
    """Let each of the stop signals raise `KeyboardInterrupt`, once.

    A signal that is ignored stays so: `nohup` and a shell script's `&` ask for that.
    """
    for number in _STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


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


def _stop(_signal: int, _frame: object) -> NoReturn:
    # A closing terminal signals twice, people press Ctrl-C twice: the stopping, which is bounded, must get to its end.
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
