"""The one thread that draws what panels show: no socket's loop and no cell waits while an answer is rendered.

It is there as long as a panel is looked at. Each panel has at most one drawing in the queue, which shows the state at
the time it is made: what came meanwhile is drawn once.
"""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from tetrate_jupyter.interrupts import GuardedFuture, held_back
from tetrate_jupyter.widgets import lifetime

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

THREAD: Final = "tetrate-drawing"
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Drawer:
    """The thread, and those that need it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._needed_by: dict[int, object] = {}

    def need(self, who: object) -> None:
        """Keep the thread from now on, once it has been used."""
        self._needed_by[id(who)] = who

    def release(self, who: object) -> None:
        """End the thread after what is under way, where nobody else needs it."""
        with self._lock:
            self._needed_by.pop(id(who), None)
            pool, self._pool = (None, self._pool) if self._needed_by else (self._pool, None)
        if pool is not None:
            pool.shutdown(wait=False)

    def submit(self, draw: Callable[[], _T]) -> Future[_T]:
        """Queue a drawing; an error that it raises is in the future, and in the log."""
        with held_back():
            with self._lock:
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(1, thread_name_prefix=THREAD)
                try:
                    done = self._pool.submit(draw)
                except RuntimeError as error:  # the process is ending
                    done = GuardedFuture()
                    done.set_exception(error)
                    return done
            done.add_done_callback(_report)
        return done


def _report(done: Future[_T]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        _log.error("a panel could not be drawn", exc_info=error)


drawer = Drawer()


def _anew() -> None:
    """Let go of a thread that stayed in the process this one was forked from, and of a lock that it may have held.

    The page is that process's, too: what this one told it would mix two states.
    """
    panels = [*drawer._needed_by.values()]  # noqa: SLF001 - the same module's
    drawer.__init__()  # type: ignore[misc]  # everybody has this very object
    for each in panels:
        lifetime.stay_behind(each)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_anew)
