"""Blocking calls over coroutines: results, errors, interrupts, forks, foreign loops."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import gc
import os
import queue
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tetrate_jupyter.bridge import Bridge, default_bridge
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import BridgeError, ConfigError
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()
    gc.collect()  # a coroutine nobody awaited would warn here, and warnings are errors


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


class Endless:
    """Work that ends only by a cancel, and tells about it."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


# --- running -------------------------------------------------------------------------------------------------


def test_a_result_comes_back(bridge: Bridge) -> None:
    assert bridge.run(double(21)) == 42


def test_an_error_comes_back_as_it_was(bridge: Bridge) -> None:
    async def fail() -> None:
        raise KeyError("missing")

    with pytest.raises(KeyError, match="missing"):
        bridge.run(fail())


def test_a_time_out_of_the_work_is_not_taken_for_the_poll(bridge: Bridge) -> None:
    async def fail() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        bridge.run(fail())


def test_one_loop_serves_every_call(bridge: Bridge) -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert bridge.run(loop()) is bridge.run(loop())


def test_many_threads_share_one_bridge(bridge: Bridge) -> None:
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda n: bridge.run(double(n)), range(200))) == [n * 2 for n in range(200)]


def test_the_callers_context_variables_come_along(bridge: Bridge) -> None:
    async def value() -> str:
        return VARIABLE.get()

    def in_a_cell() -> str:
        VARIABLE.set("cell 7")
        return bridge.run(value())

    assert contextvars.copy_context().run(in_a_cell) == "cell 7"
    assert bridge.run(value()) == "unset"


def test_a_blocking_call_works_while_the_callers_own_loop_runs(bridge: Bridge) -> None:
    async def cell() -> int:
        return bridge.run(double(4))  # as in a notebook: the kernel's loop runs, the cell blocks it

    assert asyncio.run(cell()) == 8


def test_a_blocking_call_on_the_private_loop_is_refused_instead_of_waiting_for_ever(bridge: Bridge) -> None:
    async def tool() -> int:
        return bridge.run(double(1))

    with pytest.raises(BridgeError, match="wait for itself") as caught:
        bridge.run(tool())
    assert "await" in caught.value.next_step


def test_a_blocking_call_from_a_worker_thread_of_the_loop_is_fine(bridge: Bridge) -> None:
    async def tool() -> int:
        return await asyncio.to_thread(lambda: bridge.run(double(5)))

    assert bridge.run(tool()) == 10


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_inside_the_work_reaches_the_caller_and_leaves_the_loop_alive(
    bridge: Bridge, kind: type[BaseException]
) -> None:
    async def leave() -> None:
        raise kind

    with pytest.raises(kind):
        bridge.run(leave())
    assert bridge.run(double(2)) == 4


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigError, match="sideways"):
        Bridge("sideways")  # type: ignore[arg-type]


def test_everything_shares_one_bridge_by_default() -> None:
    assert default_bridge() is default_bridge()


# --- interrupts ----------------------------------------------------------------------------------------------


@pytest.fixture
def interruptible() -> Iterator[None]:
    """The ordinary handler, also where the test run itself was started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_when(event: threading.Event) -> None:
    def wait_and_interrupt() -> None:
        event.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait_and_interrupt, daemon=True).start()


def test_an_interrupt_cancels_the_work(bridge: Bridge, interruptible: None) -> None:
    work = Endless()
    interrupt_when(work.started)
    with pytest.raises(KeyboardInterrupt):
        bridge.run(work())
    assert work.cancelled.wait(120)
    assert bridge.run(double(1)) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one that meets a finaliser is noted
def test_an_interrupt_at_any_moment_of_the_start_cancels_the_work(bridge: Bridge, interruptible: None) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # the interrupt meets the start at another line each time
    try:
        for _ in range(150):
            work = Endless()
            interrupt_when(work.started)
            with pytest.raises(KeyboardInterrupt):
                bridge.run(work())
            assert work.cancelled.wait(120)
    finally:
        sys.setswitchinterval(usual)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_while_an_object_is_finalised_is_heard(bridge: Bridge, interruptible: None) -> None:
    class Finalised:
        def __del__(self) -> None:  # what is raised in here is ignored by Python
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(10))

    ticks = []

    def tick() -> float:
        ticks.append(1)
        Finalised()
        return 0.01

    with pytest.raises(KeyboardInterrupt):
        bridge.run(Endless()(), tick=tick)
    assert ticks == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_work_that_ignores_its_cancel_does_not_hold_the_caller(bridge: Bridge, interruptible: None) -> None:
    started, release = threading.Event(), asyncio.Event()

    async def stubborn() -> None:
        started.set()
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    interrupt_when(started)
    with pytest.raises(KeyboardInterrupt):
        bridge.run(stubborn())

    async def let_go() -> None:
        release.set()

    bridge.run(let_go())


class OneStream:
    """A server in a thread that sends the beginning of a stream and then waits for the hang-up."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.streaming = threading.Event()
        self.hung_up = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, self._listener:
            connection.recv(65536)
            event = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            connection.sendall(head + b"%x\r\n%s\r\n" % (len(event), event))
            self.streaming.set()
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass
            self.hung_up.set()

    async def read(self) -> None:
        endpoints = Endpoints.of(f"http://127.0.0.1:{self.port}/v1")
        client = GatewayClient(endpoints)
        async with client.stream(Secret("sk-0123456789", host=endpoints.host), {"model": "m"}) as stream:
            async for _ in stream:
                pass


def test_an_interrupt_hangs_up_on_the_router(bridge: Bridge, interruptible: None) -> None:
    server = OneStream()
    interrupt_when(server.streaming)
    with pytest.raises(KeyboardInterrupt):
        bridge.run(server.read())
    assert server.hung_up.wait(120)


# --- submitting ----------------------------------------------------------------------------------------------


def test_submitted_work_goes_on_while_the_caller_does(bridge: Bridge) -> None:
    futures = [bridge.submit(double(n)) for n in range(5)]
    assert [future.result(120) for future in futures] == [0, 2, 4, 6, 8]


def test_cancelling_the_future_cancels_the_work(bridge: Bridge) -> None:
    work = Endless()
    future = bridge.submit(work())
    work.started.wait()
    assert future.cancel()
    assert work.cancelled.wait(120)


def test_cancel_waits_until_the_work_has_closed_what_it_held(bridge: Bridge) -> None:
    work = Endless()
    future = bridge.submit(work())
    work.started.wait()
    bridge.cancel(future)
    assert work.cancelled.wait(120)
    bridge.cancel(future)  # again does no harm


def test_work_cancelled_before_it_began_never_begins(bridge: Bridge) -> None:
    blocked, go = threading.Event(), threading.Event()

    async def block() -> None:
        blocked.set()
        go.wait()  # holds the loop on purpose

    first = bridge.submit(block())
    blocked.wait()
    work = Endless()
    second = bridge.submit(work())
    assert second.cancel()
    go.set()
    first.result(120)
    bridge.run(double(1))
    assert not work.started.is_set()


def test_a_queue_that_work_fills_is_taken_from(bridge: Bridge) -> None:
    events: queue.SimpleQueue[int] = queue.SimpleQueue()

    async def fill() -> None:
        events.put(7)

    bridge.submit(fill())
    assert bridge.take(events, 10) == 7
    with pytest.raises(queue.Empty):
        bridge.take(events, 0.001)


# --- foreign loops -------------------------------------------------------------------------------------------


def test_a_foreign_loop_awaits_work_on_the_private_one(bridge: Bridge) -> None:
    async def there() -> str:
        return threading.current_thread().name

    assert asyncio.run(bridge.arun(there())) == "tetrate-jupyter"


def test_on_the_private_loop_itself_the_work_is_awaited_directly(bridge: Bridge) -> None:
    async def tool() -> int:
        return await bridge.arun(double(3))

    assert bridge.run(tool()) == 6


def test_cancelling_on_a_foreign_loop_cancels_the_work_there(bridge: Bridge) -> None:
    work = Endless()

    async def caller() -> None:
        task = asyncio.ensure_future(bridge.arun(work()))
        await asyncio.to_thread(work.started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert work.cancelled.wait(120)

    asyncio.run(caller())


def test_an_error_reaches_the_foreign_loop(bridge: Bridge) -> None:
    async def fail() -> None:
        raise KeyError("missing")

    with pytest.raises(KeyError):
        asyncio.run(bridge.arun(fail()))


# --- beginning and end ---------------------------------------------------------------------------------------


def test_closing_cancels_what_runs_and_the_next_use_starts_afresh(bridge: Bridge) -> None:
    work = Endless()
    future = bridge.submit(work())
    work.started.wait()
    bridge.close()
    assert work.cancelled.wait(120)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(120)
    assert bridge.run(double(1)) == 2
    bridge.close()
    bridge.close()


def python(code: str, *flags: str) -> str:
    """Run code in an interpreter of its own; warnings are errors there too."""
    command = [sys.executable, "-W", "error", *flags, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_kernel_that_ends_in_the_middle_of_work_ends_quietly() -> None:
    code = """
        import asyncio
        from tetrate_jupyter.bridge import default_bridge
        default_bridge().submit(asyncio.sleep(1000))
        default_bridge().run(asyncio.sleep(0.01))
        print("end")
    """
    assert python(code) == "end"


def test_loading_imports_neither_the_http_library_nor_the_patch_of_asyncio() -> None:
    code = """
        import sys
        import tetrate_jupyter.bridge
        print(sorted({"httpx", "nest_asyncio2", "tornado", "IPython", "msgspec"} & set(sys.modules)))
    """
    assert python(code) == "[]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_after_a_fork_the_child_has_a_loop_of_its_own_and_the_parent_keeps_its() -> None:
    code = """
        import asyncio, os, sys
        from tetrate_jupyter.bridge import default_bridge
        async def pid(): return os.getpid()
        bridge = default_bridge()
        assert bridge.run(pid()) == os.getpid()
        pending = bridge.submit(asyncio.sleep(0.2, "parent's"))
        child = os.fork()
        if child == 0:
            ok = bridge.run(pid()) == os.getpid() and bridge.submit(pid()).result(120) == os.getpid()
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(pending.result(120))
    """
    assert python(code, "-W", "ignore::DeprecationWarning") == "parent's"  # 3.12 warns of forks with threads


# --- nested --------------------------------------------------------------------------------------------------

NESTED = """
    import asyncio, gc, os, queue, signal, threading
    from tetrate_jupyter.bridge import Bridge
    signal.signal(signal.SIGINT, signal.default_int_handler)
    bridge = Bridge("nested")

    def kernel(cell):  # a loop as a kernel has it; asyncio.run would bring its own handler for interrupts
        running = asyncio.new_event_loop()
        try:
            return running.run_until_complete(cell)
        finally:
            running.close()

    async def loop():
        await asyncio.sleep(0)
        return asyncio.get_running_loop()
"""


def nested(body: str) -> str:
    return python(textwrap.dedent(NESTED) + textwrap.dedent(body) + "\ngc.collect()\n")


def test_nested_work_runs_on_the_callers_own_loop() -> None:
    code = """
        async def cell():
            assert bridge.run(loop()) is asyncio.get_running_loop()
            assert await bridge.arun(loop()) is asyncio.get_running_loop()
            async def inner(): return bridge.run(loop())     # a blocking call inside a blocking call
            assert bridge.run(inner()) is asyncio.get_running_loop()
            return "same"
        print(kernel(cell()))
    """
    assert nested(code) == "same"


def test_nested_without_a_running_loop_uses_the_private_one() -> None:
    code = """
        assert bridge.run(loop()) is bridge.run(loop())
        print("private")
    """
    assert nested(code) == "private"


def test_nested_work_is_cancelled_by_an_interrupt_and_the_loop_goes_on() -> None:
    code = """
        seen = []
        async def endless():
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
        async def cell():
            try:
                bridge.run(endless())
            except KeyboardInterrupt:
                seen.append("interrupt")
            assert bridge.run(loop()) is asyncio.get_running_loop()
        kernel(cell())
        print(seen)
    """
    assert nested(code) == "['cancelled', 'interrupt']"


def test_nested_submitted_work_advances_while_its_queue_is_waited_for() -> None:
    code = """
        async def cell():
            events = queue.SimpleQueue()
            async def fill():
                for n in range(3):
                    await asyncio.sleep(0.01)
                    events.put(n)
                await asyncio.sleep(1000)
            future = bridge.submit(fill())
            found = [bridge.take(events, 10) for _ in range(3)]
            bridge.cancel(future)
            assert future.finished.is_set()
            return found
        print(kernel(cell()))
    """
    assert nested(code) == "[0, 1, 2]"


def test_closing_leaves_no_task_of_a_group_unawaited(bridge: Bridge) -> None:
    """A request that is stopped while it begins to connect: anyio has made the task, the loop hasn't run it yet."""
    begun = threading.Event()

    begun = threading.Event()

    async def connect() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(asyncio.sleep, 60)
            await asyncio.sleep(60)

    async def work() -> None:
        begun.set()
        time.sleep(0.2)  # noqa: ASYNC251 - the closing is queued meanwhile: it comes between connecting and its task
        await asyncio.create_task(connect())

    bridge.submit(work())
    assert begun.wait(120)
    bridge.close()
    gc.collect()  # what was never awaited warns now, and warnings are errors


def test_nested_refuses_a_loop_that_cannot_be_patched() -> None:
    class Foreign(asyncio.AbstractEventLoop):
        """As uvloop's: not one of asyncio's own."""

    asyncio._set_running_loop(Foreign())
    try:
        with pytest.raises(BridgeError, match="event loop"):
            Bridge("nested").run(double(1))
    finally:
        asyncio._set_running_loop(None)
    gc.collect()


def test_nested_streams_and_hangs_up(tmp_path: Any) -> None:
    server = OneStream()
    code = f"""
        from tetrate_jupyter.config import Endpoints
        from tetrate_jupyter.http.client import GatewayClient
        from tetrate_jupyter.secret import Secret
        endpoints = Endpoints.of("http://127.0.0.1:{server.port}/v1")
        async def ask():
            client = GatewayClient(endpoints)
            async with client.stream(Secret("sk-0123456789", host=endpoints.host), {{"model": "m"}}) as stream:
                async for _ in stream:
                    os.kill(os.getpid(), signal.SIGINT)
        async def cell():
            try:
                bridge.run(ask())
            except KeyboardInterrupt:
                print("interrupt")
        kernel(cell())
    """
    assert nested(code) == "interrupt"
    assert server.hung_up.wait(120)


async def _held_until_cancelled() -> None:
    await asyncio.Event().wait()


async def _told(words: str) -> str:
    return words


def test_whoever_waits_for_several_hears_of_the_cancelled_ones(bridge: Bridge) -> None:
    cancelled, done = bridge.submit(_held_until_cancelled()), bridge.submit(_told("here"))
    cancelled.cancel()
    over, left = concurrent.futures.wait([cancelled, done], timeout=30)
    assert (over, left) == ({cancelled, done}, set())
    assert set(concurrent.futures.as_completed([cancelled, done], timeout=30)) == {cancelled, done}
    assert cancelled.cancelled()
    assert cancelled.cancel()  # again: nothing is told twice
    assert done.result() == "here"
    assert not done.cancel()


def test_whoever_waits_already_is_woken_by_a_cancel(bridge: Bridge) -> None:
    futures = [bridge.submit(_held_until_cancelled()) for _ in range(3)]
    for future in futures:
        threading.Thread(target=bridge.cancel, args=(future,)).start()
    assert not concurrent.futures.wait(futures, timeout=30).not_done


def test_work_that_cancels_itself_is_heard_of(bridge: Bridge) -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    future = bridge.submit(gives_up())
    assert concurrent.futures.wait([future], timeout=30).done == {future}
    with pytest.raises(concurrent.futures.CancelledError):
        future.result()


def test_cancelling_while_a_result_comes_is_one_or_the_other(bridge: Bridge) -> None:
    futures = [bridge.submit(_told(str(n))) for n in range(300)]
    cancelled = [future.cancel() for future in futures]
    assert not concurrent.futures.wait(futures, timeout=30).not_done
    for number, (future, was) in enumerate(zip(futures, cancelled, strict=True)):
        assert future.cancelled() == was
        if not was:
            assert future.result() == str(number)


def test_what_is_no_coroutine_ends_its_future(bridge: Bridge) -> None:
    future = bridge.submit("no coroutine")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        future.result(30)
    assert bridge.run(_told("on")) == "on"
