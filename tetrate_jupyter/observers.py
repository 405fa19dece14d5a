"""Callbacks that are told when shared state has changed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class Observers:
    """A set of callbacks without arguments. Thread-safe.

    They run one after the other on the thread that made the change, after it is done and outside its lock, so that
    they may read (and change) what they observe. One that raises, whatever it is, is logged and disturbs neither the
    rest nor who made the change; only a person's interrupt goes on, once everybody has been told.
    """

    __slots__ = ("_callbacks", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}

    def add(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at each change from now on; calling what is given back stops that (any number of times)."""
        ticket = object()
        with self._lock:
            self._callbacks[ticket] = callback

        def stop() -> None:
            with self._lock:
                self._callbacks.pop(ticket, None)

        return stop

    def notify(self) -> None:
        """Call everybody, in the order they were added."""
        with self._lock:
            callbacks = tuple(self._callbacks.values())
        interrupt: KeyboardInterrupt | None = None
        for callback in callbacks:
            interrupt = _call(callback) or interrupt
        if interrupt is not None:
            raise interrupt


def _call(callback: Callable[[], None]) -> KeyboardInterrupt | None:
    try:
        callback()
    except BaseException as error:  # noqa: BLE001 - foreign code: its failure is not the change's failure
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            return error
        _log.warning("an observer failed", exc_info=True)
    return None
