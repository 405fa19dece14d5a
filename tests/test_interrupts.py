"""An interrupt that comes whenever the interpreter looks for one leaves nothing taken that another thread needs."""

from __future__ import annotations

import asyncio
import contextlib
import dis
import signal
import sys
import threading
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.bridge import Bridge
from tetrate_jupyter.interrupts import Guard, Latch, hearing, held_back
from tetrate_jupyter.widgets.drawing import Drawer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from types import CodeType, FrameType

LONG = 30.0  # seconds that nothing takes which isn't stuck


@pytest.fixture(autouse=True)
def ordinary() -> Iterator[None]:
    """The ordinary handler, also where the test run itself was started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@cache
def looks(code: CodeType) -> frozenset[int]:
    """Return where in a function the interpreter has just looked for signals: behind its calls and its jumps back."""
    steps = list(dis.get_instructions(code))
    return frozenset(
        behind.offset for step, behind in pairwise(steps) if step.opname.startswith("CALL") or "BACKWARD" in step.opname
    )


@contextmanager
def interrupted_at(look: int) -> Iterator[None]:
    """Send this thread an interrupt when the interpreter looks for one for the so many-th time from here."""
    left = look

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_name in {"_remove", "__del__"}:  # of what is finalised; whatever that raises, Python ignores
            return None
        frame.f_trace_opcodes = True
        if event == "call" or (event == "opcode" and frame.f_lasti in looks(frame.f_code)):
            left -= 1
            if left == 0:
                signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def looks_that_stick(act: Callable[[], object], is_free: Callable[[], bool], most: int = 40) -> list[int]:
    """Return at which look an interrupt of `act` leaves something that isn't free; each has things of its own."""
    found = []
    interrupts = 0
    for look in range(1, most):
        try:
            with interrupted_at(look):
                act()
        except KeyboardInterrupt:
            interrupts += 1
        if not is_free():
            found.append(look)
    assert interrupts > 3
    return found


def is_free(lock: Any) -> bool:
    """Whether another thread can take a lock."""
    taken: list[bool] = []

    def take() -> None:
        taken.append(lock.acquire(timeout=0.05))
        if taken[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken == [True]


def guarded(condition: Callable[[], threading.Condition]) -> list[int]:
    latest = condition()

    def act() -> None:
        nonlocal latest
        latest = condition()
        with latest:
            pass

    return looks_that_stick(act, lambda: is_free(latest))


def test_a_guard_is_free_wherever_an_interrupt_meets_it() -> None:
    assert guarded(Guard) == []


def test_a_condition_of_the_standard_library_is_not() -> None:
    assert guarded(threading.Condition)


def test_a_latch_wakes_who_waits_wherever_an_interrupt_meets_another_who_does() -> None:
    latch = Latch()

    def act() -> None:
        nonlocal latch
        latch = Latch()
        latch.wait(0.0)

    def works() -> bool:
        setting = threading.Thread(target=latch.set, daemon=True)
        setting.start()
        return latch.wait(LONG) and latch.is_set()

    assert looks_that_stick(act, works) == []


def test_a_latch_that_is_set_is_met_by_all_who_wait() -> None:
    latch = Latch()
    met: list[bool] = []
    waiting = [threading.Thread(target=lambda: met.append(latch.wait(LONG))) for _ in range(5)]
    for thread in waiting:
        thread.start()
    assert not latch.is_set()
    latch.set()
    latch.set()
    for thread in waiting:
        thread.join()
    assert met == [True] * 5
    assert latch.wait(0.0)


def test_a_blocking_call_stops_wherever_an_interrupt_meets_it() -> None:
    bridge = Bridge()

    async def forever() -> None:
        await asyncio.Event().wait()

    async def answer() -> int:
        return 42

    for look in range(1, 140):
        work = forever()
        with pytest.raises(KeyboardInterrupt), interrupted_at(look):
            bridge.run(work)  # where the library's own conditions are in it, this waits for ever
        work.close()  # an interrupt can come before the bridge has it
        asked: Future[int] = bridge.submit(answer())
        assert asked.result(LONG) == 42  # its loop goes on
    bridge.close()


def test_what_is_held_back_is_raised_behind_it() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - what comes before it is the point
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append(1)
        done.append(2)
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_held_back_while_somebody_hears_is_theirs_too() -> None:
    with hearing() as interrupt:
        with held_back():
            signal.raise_signal(signal.SIGINT)  # nothing is raised here: who hears looks for itself
        assert interrupt.came
        interrupt.raises = True
        with pytest.raises(KeyboardInterrupt), held_back():
            pass


def test_a_drawing_thread_works_on_wherever_an_interrupt_meets_who_asks_it() -> None:
    drawn = Drawer()
    for look in range(1, 120):
        with contextlib.suppress(KeyboardInterrupt), interrupted_at(look):
            drawn.submit(int)
        assert drawn.submit(int).result(LONG) == 0
    drawn.release(None)
