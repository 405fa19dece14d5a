"""What an interrupt can't break: one that comes while Python is taking a lock of `threading` leaves it taken for ever.

So it is with `Event`, `Condition` and `Future`, whose `__enter__` is written in Python: between the lock that it has
just taken and the `with` that would give it back, there is room for an interrupt. The main thread and the loop that
works for it then wait for each other. What they share is therefore waited for and guarded by what is in here, and
what the library itself does with such a lock is done with interrupts held back.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

T = TypeVar("T")


class Latch:
    """Set once and waited for, like an `Event`, with nothing but the one lock that the interpreter itself takes."""

    def __init__(self) -> None:
        self._is_set = False
        self._closed = threading.Lock()
        self._closed.acquire()

    def is_set(self) -> bool:
        """Whether it has been set."""
        return self._is_set

    def set(self) -> None:
        """Set it, which wakes those who wait. Only one thread may do that."""
        if not self._is_set:
            self._is_set = True
            self._closed.release()

    def wait(self, timeout: float) -> bool:
        """Wait so many seconds for it. Return whether it is set.

        Who is interrupted between the two lines below keeps the lock. Others then wait their time out, once.
        """
        if not self._is_set and self._closed.acquire(timeout=max(0.0, timeout)):
            self._closed.release()
        return self._is_set


class Guard(threading.Condition):
    """A condition that no interrupt leaves taken: `with` calls the lock itself, and no line of Python lies between."""

    @property
    def __enter__(self) -> Callable[[], bool]:
        return self._lock.__enter__  # type: ignore[attr-defined, no-any-return]  # so named in every Python since 3.2

    @property
    def __exit__(self) -> Callable[..., None]:  # noqa: PLE0302, PYI036 - a property
        return self._lock.__exit__  # type: ignore[attr-defined, no-any-return]


class GuardedFuture(Future[T]):
    """A future that one thread may ask about, and be interrupted, while another one ends it."""

    def __init__(self) -> None:
        super().__init__()
        self._condition = Guard()


class Hearing:
    """A handler of interrupts: it notes each, and raises it while `raises`."""

    def __init__(self) -> None:
        self.came = False
        self.raises = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Hear of an interrupt."""
        self.came = True
        if self.raises:
            signal.default_int_handler(number, frame)


@contextlib.contextmanager
def hearing() -> Iterator[Hearing]:
    """Note every interrupt meanwhile. Nothing is noted off the main thread, nor where interrupts have another handler.

    One that comes while an object is finalised is lost otherwise: Python ignores what it raises there. That is no
    rarity where much is rendered: the collector runs long, and what it finalises is the next to hear.
    """
    hearing = Hearing()
    on_main = threading.current_thread() is threading.main_thread()
    if not on_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield hearing
        return
    try:
        signal.signal(signal.SIGINT, hearing)  # inside: an interrupt right behind it must not leave it there
        yield hearing
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Have no interrupt raised meanwhile, and one that came raised behind it; for what takes no time.

    Needed where the library itself waits for a lock: so do the start of a thread and an executor that is given work.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not isinstance(handler, Hearing):
        with hearing() as interrupt:
            yield
        came = interrupt.came
    else:
        raises, handler.raises = handler.raises, False
        try:
            yield
        finally:
            handler.raises = raises
        came = raises and handler.came
    if came:
        raise KeyboardInterrupt


_beside: Final[dict[Future[Any], Callable[[], None]]] = {}  # what goes on in this process, and what stops each of them


def stopped_between_cells(work: Future[Any], stop: Callable[[], None]) -> None:
    """Have an interrupt that meets no running cell call `stop` while `work` goes on; from another thread."""
    _beside[work] = stop
    work.add_done_callback(lambda _: _beside.pop(work, None))


def heard_between_cells(kernel: Any) -> Callable[[], None]:  # noqa: ANN401 - kernels share no type
    """Have an interrupt that comes while no cell of `kernel` runs stop what goes on beside; returns what undoes that.

    ipykernel has SIGINT ignored between two messages, and puts back after each what it found before it, which it keeps
    in `saved_sigint_handler`. An interrupt during a cell stays the cell's. A handler that somebody else has set stays.
    """
    process = os.getpid()

    def heard(_number: int, _frame: FrameType | None) -> None:
        if os.getpid() == process and _beside:  # a forked process has none of this going on
            # no lock may be waited for here: the line that was interrupted may hold it; `threading.Thread` takes one
            with contextlib.suppress(RuntimeError):
                _thread.start_new_thread(_stop_beside, ())

    _replace_ignoring(kernel, signal.SIG_IGN, heard)
    return lambda: _replace_ignoring(kernel, heard, signal.SIG_IGN)


def _stop_beside() -> None:
    for stop in tuple(_beside.copy().values()):
        with contextlib.suppress(Exception):  # its session is being closed: that ends it, too
            stop()


def _replace_ignoring(kernel: Any, before: Any, after: Any) -> None:  # noqa: ANN401 - a handler, or its number
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) == before:  # loaded by the configuration, before the first message
        signal.signal(signal.SIGINT, after)
    elif getattr(kernel, "saved_sigint_handler", None) == before:
        kernel.saved_sigint_handler = after
