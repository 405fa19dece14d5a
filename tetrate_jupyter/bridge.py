"""From a coroutine to a blocking call, with an interrupt that really stops the work.

The default is one private event loop in a daemon thread: the waiting side polls (an untimed wait can't be interrupted
on Windows) and cancels explicitly. `mode="nested"` runs on the kernel's own loop instead, for coroutines that use
objects bound to it; it patches asyncio process-wide, when it is first used and not before.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import inspect
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from tetrate_jupyter.errors import BridgeError, ConfigError
from tetrate_jupyter.interrupts import GuardedFuture, Latch, hearing, held_back

if TYPE_CHECKING:
    import queue
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

T = TypeVar("T")
Mode: TypeAlias = Literal["thread", "nested"]

_POLL: Final = 0.05  # seconds between looks; a result wakes the waiting side at once, interrupts on Windows wait for it
_SETTLE: Final = 0.1  # seconds that cancelled work gets to close its connection before the caller goes on
_TURNS: Final = 3  # of the loop: a closed connection gives its socket back in a later one
_LAST: Final = 5.0  # seconds that cancelled work gets to close its connections before its loop ends
_STOP: Final = 1.0  # seconds that the interpreter's exit waits for the loop
_NO_THREADS: Final = "This kernel can't start a thread. Kernels without threads (JupyterLite) are not supported."
_NO_THREADS_STEP: Final = "use a kernel of a Jupyter server"


class Bridge:
    """Runs coroutines for callers that can't await. One may serve any number of threads and loops.

    `mode` "thread" (default): on a private loop in a daemon thread, started on first use, and afresh after a fork.
    `mode` "nested": on the calling thread's running loop; where none is running, as "thread".
    """

    def __init__(self, mode: Mode = "thread") -> None:
        if mode not in {"thread", "nested"}:
            raise ConfigError(f"There is no bridge {mode!r}.", next_step='use "thread" or "nested"')
        self.mode: Mode = mode
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._left_behind: list[object] = []
        _BRIDGES.add(self)

    def run(self, work: Coroutine[Any, Any, T], *, tick: Callable[[], float] | None = None) -> T:
        """Wait for the coroutine and give its result; an interrupt cancels it and comes back within 0.15 s.

        `tick` is called on the calling thread while the work goes on and gives the seconds until it wants to be called
        again: a display that belongs to this cell is updated there. What it raises stops the work.
        Raises `BridgeError` when called on the private loop itself, where it would wait for ever.
        """
        loop = self._nestable_loop()
        if loop is not None:
            return _run_nested(work if tick is None else _ticking(work, tick), loop)
        self._refuse_own_thread(work)
        job = _Job(work)
        with hearing() as interrupt:
            try:
                self._start(job)
                interrupt.raises = True
                pause = _POLL if tick is None else 0.0
                while not job.finished.wait(pause):
                    pause = _POLL if tick is None else tick()
                    if interrupt.came:
                        break
                interrupt.raises = False
                if interrupt.came:
                    raise KeyboardInterrupt
            except BaseException:
                interrupt.raises = False  # another one must not keep the work from being stopped
                job.future.cancel()
                job.finished.wait(_SETTLE)
                raise
        return job.future.result()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start the coroutine and return at once; cancelling the future cancels the work.

        In "nested" mode the work goes on only while the loop runs: after the cell, or inside `run` and `take`.
        """
        job = _Job(work)
        loop = self._nestable_loop()
        with held_back():
            if loop is None:
                self._start(job)
            else:
                job.start(loop)
        return job.future

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """Await the coroutine from any event loop; cancelling this cancels the work."""
        if self.mode == "nested" or asyncio.get_running_loop() is self._loop:
            return await work
        job = _Job(work)
        self._start(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            until = time.monotonic() + _SETTLE
            while not job.finished.is_set() and time.monotonic() < until:  # noqa: ASYNC110 - another thread sets it
                await asyncio.sleep(_SETTLE / 20)
            raise

    def cancel(self, future: Future[Any]) -> None:
        """Cancel work that was submitted and give it a moment (0.1 s) to close what it holds."""
        if not future.cancel() or not isinstance(future, _JobFuture):
            return
        loop = self._nestable_loop()
        until = time.monotonic() + _SETTLE
        while not future.finished.is_set() and time.monotonic() < until:
            if loop is None:
                future.finished.wait(_SETTLE)
            else:
                _run_nested(asyncio.sleep(_SETTLE / 20), loop)

    def take(self, events: queue.SimpleQueue[T], timeout: float) -> T:
        """Get from a queue that submitted work fills; "nested": the loop runs meanwhile. Raises `queue.Empty`."""
        loop = self._nestable_loop()
        if loop is None:
            return events.get(timeout=timeout)
        until = time.monotonic() + timeout
        while events.empty() and time.monotonic() < until:
            _run_nested(asyncio.sleep(min(_POLL, timeout) / 10), loop)
        return events.get_nowait()

    def close(self, *, timeout: float = _LAST + _STOP) -> None:
        """Cancel what is running and stop the loop, within so many seconds; the next use starts a new one."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None or thread is threading.current_thread():
            return
        if thread.is_alive() and not loop.is_closed():
            asyncio.run_coroutine_threadsafe(_cancel_others(), loop).add_done_callback(
                lambda _: loop.call_soon_threadsafe(loop.stop)
            )
            thread.join(timeout)

    # --- inside ----------------------------------------------------------------------------------------------

    def _after_fork(self) -> None:
        # The thread did not come along; its loop shares the parent's selector and must neither run nor be closed here.
        self._left_behind.append(self._loop)
        self._lock = threading.Lock()
        self._loop = self._thread = None

    def _start(self, job: _Job[Any]) -> None:
        """Start a job on the private loop. Raises `BridgeError` where there are no threads.

        Under the lock: a loop that is being closed meanwhile must still hear of the job, to end it.
        """
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_serve, args=(loop,), name="tetrate-jupyter", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # so in Pyodide, and where a system lets no more be started
                    job.work.close()
                    loop.close()
                    raise BridgeError(_NO_THREADS, next_step=_NO_THREADS_STEP) from None
                self._loop, self._thread = loop, thread
            job.start(self._loop)

    def _nestable_loop(self) -> asyncio.AbstractEventLoop | None:
        if self.mode != "nested":
            return None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return None
        return None if loop is self._loop else loop

    def _refuse_own_thread(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._thread is threading.current_thread():
            work.close()
            raise BridgeError(
                "A blocking call was made inside a coroutine that the bridge itself runs: it would wait for itself.",
                next_step="await the form whose name begins with a (`await session.aask(...)`), "
                "or make the calling function a plain one",
            )


class _JobFuture(GuardedFuture[T]):
    """A future that also tells when the work behind it has ended, which after a cancel is later.

    Whoever waits for it (`concurrent.futures.wait`, `as_completed`) hears at once that it was cancelled: an executor
    tells them when it would begin, but here the work has begun long ago.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finished = Latch()
        self._telling = threading.Lock()
        self._is_told = False

    def cancel(self) -> bool:
        """Cancel the work, unless there is its result. Return whether it is cancelled."""
        if not super().cancel():
            return False
        self.takes_result()
        return True

    def takes_result(self) -> bool:
        """Whether a result may be set, which no `cancel` prevents from now on; once only, as `Future` has it."""
        with self._telling:
            if self._is_told:
                return False
            self._is_told = True
            return self.set_running_or_notify_cancel()


class _Job(Generic[T]):
    """One coroutine on its way to a loop and back."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.work = work
        self._task: asyncio.Task[T] | None = None
        self.future: _JobFuture[T] = _JobFuture()
        self.finished = self.future.finished

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        # First, because an interrupt between these two lines must find a way to stop what the other one began.
        self.future.add_done_callback(lambda future: self._stop(loop) if future.cancelled() else None)
        # call_soon_threadsafe copies the caller's context variables: ipykernel finds the cell by them.
        token = _CALLER.set(caller())
        try:
            loop.call_soon_threadsafe(self._begin, loop)
        finally:
            _CALLER.reset(token)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.future.cancelled():
            self.work.close()
            self.finished.set()
            return
        try:
            self._task = loop.create_task(self.work)
        except BaseException as error:  # noqa: BLE001 - what is no coroutine, or a loop that takes none: its caller hears
            if self.future.takes_result():
                self.future.set_exception(error)
            self.finished.set()
            return
        self._task.add_done_callback(self._end)

    def _stop(self, loop: asyncio.AbstractEventLoop) -> None:
        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()

        if not loop.is_closed():
            loop.call_soon_threadsafe(cancel)

    def _end(self, task: asyncio.Task[T]) -> None:
        error = None if task.cancelled() else task.exception()  # also tells asyncio that somebody has looked
        try:
            if task.cancelled():
                self.future.cancel()
            elif not self.future.takes_result():
                pass  # cancelled while it was ending
            elif error is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(task.result())
        finally:
            self.finished.set()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while not _ran_until_stopped(loop):
        pass
    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        loop.run_until_complete(_cancel_others())  # what was begun while the loop was being stopped
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def has_ended(work: Future[Any]) -> bool:
    """Whether what `submit` has begun is over, which after a cancel is later than its future is done."""
    return work.finished.is_set() if isinstance(work, _JobFuture) else work.done()


def _ran_until_stopped(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        loop.run_forever()
    except (KeyboardInterrupt, SystemExit):  # raised by the work, not meant for this thread: its caller gets it
        return False
    return True


async def _cancel_others() -> None:
    me = asyncio.current_task()
    cancelled: set[asyncio.Task[Any]] = set()
    for _ in range(2):
        for task in asyncio.all_tasks() - cancelled - {me}:
            if _has_begun(task):
                task.cancel()
                cancelled.add(task)
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {me}
    if others:
        await asyncio.wait(others, timeout=_LAST)
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _has_begun(task: asyncio.Task[Any]) -> bool:
    """Whether it may be cancelled: before, what a task of anyio wraps would never be awaited, and Python warns."""
    work = task.get_coro()
    return not inspect.iscoroutine(work) or inspect.getcoroutinestate(work) != inspect.CORO_CREATED


def _run_nested(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    if not isinstance(loop, asyncio.BaseEventLoop):
        work.close()
        raise BridgeError(
            f"The bridge \"nested\" can't run on this kernel's event loop ({type(loop).__module__}).",
            next_step='use the bridge "thread", or start the kernel without uvloop',
        )
    import nest_asyncio2

    nest_asyncio2.apply(loop)
    task = loop.create_task(work)
    try:
        return loop.run_until_complete(task)
    except BaseException:
        task.cancel()
        until = time.monotonic() + _SETTLE
        while not task.done() and time.monotonic() < until:
            loop.run_until_complete(asyncio.sleep(_SETTLE / 20))
        raise


async def _ticking(work: Coroutine[Any, Any, T], tick: Callable[[], float]) -> T:
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=tick())
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_SETTLE)


_CALLER: Final[contextvars.ContextVar[threading.Thread | None]] = contextvars.ContextVar("tetrate_caller", default=None)


def caller() -> threading.Thread:
    """Return the thread whose code asks: of what has come to a loop of ours, the one that it came from."""
    return _CALLER.get() or threading.current_thread()


def default_bridge() -> Bridge:
    """Return the bridge that everything shares."""
    return _DEFAULT


_BRIDGES: Final[weakref.WeakSet[Bridge]] = weakref.WeakSet()
_DEFAULT: Final = Bridge()


def _close_all() -> None:
    for bridge in list(_BRIDGES):
        bridge.close(timeout=_STOP)


def _forked() -> None:
    for bridge in list(_BRIDGES):
        bridge._after_fork()  # noqa: SLF001 - the same module's


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):  # not on Windows, which can't fork
    os.register_at_fork(after_in_child=_forked)
