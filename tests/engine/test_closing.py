"""Closing a session ends all that goes on beside, within a bound; what comes too late opens no connection."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.test_runs import SLOW, some_text_has_come
from tetrate_jupyter import config
from tetrate_jupyter.auth.login import LoginState
from tetrate_jupyter.bridge import Bridge, default_bridge
from tetrate_jupyter.errors import LoginCancelledError, UnreachableError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.magics.complete import Ids
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.widgets.panel import Panel

LISTS = "/v1/models", "/api/public/models"
HANG_BOUND = 60  # seconds


@pytest.fixture
def slow_list(router: SandboxRouter) -> SandboxRouter:
    """The router, whose next list of models doesn't come before the client gives up."""
    router.inject(Fault("slow-headers", path="models"))
    return router


@pytest.fixture
def fresh(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session that has asked nothing yet."""
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    yield made
    made.close()


def let_it_end(panel: Panel) -> None:
    """Wait until all that the panel has begun has ended."""
    assert not wait(list(panel._working), HANG_BOUND).not_done


def connections_of(session: Session) -> int:
    return len(session._connections._clients)


def open_files(path: Path) -> list[str]:
    """Return what this process has open at a path, and beside it under longer names."""
    links = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir() if each.exists()]
    return [each for each in links if each.startswith(str(path.resolve()))]


async def becomes(holds: Callable[[], bool]) -> bool:
    """Wait until it is so, for as long as a busy machine may take; whether it is."""
    until = time.monotonic() + HANG_BOUND
    while not holds() and time.monotonic() < until:  # noqa: ASYNC110 - another thread brings it about
        await asyncio.sleep(0.01)
    return holds()


def wait_for_the_list(router: SandboxRouter) -> None:
    router.wait_for(lambda request: request.path == "/v1/models", HANG_BOUND)


def test_a_panels_fetch_ends_with_the_session(slow_list: SandboxRouter, fresh: Session) -> None:
    panel = fresh.picker()
    wait_for_the_list(slow_list)
    fresh.close()
    assert slow_list.wait_for(lambda request: request.hung_up_at is not None, HANG_BOUND).path == "/v1/models"
    let_it_end(panel)
    assert connections_of(fresh) == 0
    panel.close()


def test_a_panel_of_a_closed_session_fetches_nothing_by_itself(router: SandboxRouter, fresh: Session) -> None:
    fresh.close()
    panels = [fresh.picker(), fresh.chat(), fresh.side_by_side()]
    fresh.account._observers.notify()  # another panel, another kernel: not this session's person
    for panel in panels:
        let_it_end(panel)  # it may look at what is on the disk
    assert router.requests == []
    assert connections_of(fresh) == 0
    for panel in panels:
        panel.close()


def test_the_next_call_opens_connections_again(session: Session, router: SandboxRouter) -> None:
    session.ask("hello")
    session.close()
    assert session.is_closed
    assert connections_of(session) == 0
    assert session.ask("hello again").text
    assert not session.is_closed
    assert connections_of(session) == 1


def test_the_list_that_tab_fetches_on_another_loop_ends_with_the_session(
    slow_list: SandboxRouter, fresh: Session
) -> None:
    ids = Ids(lambda: fresh)
    assert ids() == ()
    wait_for_the_list(slow_list)
    fresh.close()
    slow_list.wait_for(lambda request: request.hung_up_at is not None, HANG_BOUND)
    assert connections_of(fresh) == 0
    Ids(lambda: fresh)()  # Tab in a closed session
    default_bridge().run(asyncio.sleep(0))
    assert [request.path for request in slow_list.requests].count("/v1/models") == 1


def test_a_question_in_the_background_is_stopped_and_what_came_is_kept(session: Session, router: SandboxRouter) -> None:
    session.start(session.question(SLOW, model="sandbox/stream"))
    some_text_has_come(session)
    session.close()
    router.wait_for(lambda request: request.hung_up_at is not None, HANG_BOUND)
    assert session.runs.all == ()
    (exchange,) = session.history
    assert exchange.partial


def test_a_question_that_has_just_been_begun_ends_too(session: Session) -> None:
    runs = [session.start(session.question("hello")) for _ in range(20)]
    session.close()
    assert all(run.failure is not None or run not in session.runs.all for run in runs)
    assert connections_of(session) == 0


def test_a_stream_that_was_left_open_ends(session: Session, router: SandboxRouter) -> None:
    stream = session.stream(SLOW, model="sandbox/stream")
    stream.__enter__()
    router.wait_for(lambda request: request.chunks_sent > 3, HANG_BOUND)
    session.close()
    router.wait_for(lambda request: request.hung_up_at is not None, HANG_BOUND)
    assert stream.answer is not None
    assert stream.answer.partial


def test_a_comparison_is_stopped_and_what_came_is_kept(session: Session, router: SandboxRouter) -> None:
    worker = threading.Thread(target=lambda: session.compare(SLOW, ["sandbox/stream"] * 3), daemon=True)
    worker.start()
    for _ in range(3):
        router.wait_for(lambda request: request.chunks_sent > 3, HANG_BOUND)
    session.close()
    worker.join(HANG_BOUND)
    assert not worker.is_alive()
    assert session.comparison is not None
    assert [cell.state for cell in session.comparison.cells] == ["stopped"] * 3
    assert connections_of(session) == 0


def test_a_sign_in_ends_and_its_port_with_it(fresh: Session) -> None:
    attempt = fresh.bridge.run(fresh.account.begin())
    fresh.close()
    with pytest.raises(LoginCancelledError, match="closed"):
        fresh.bridge.run(attempt.wait())
    assert attempt.state is LoginState.FAILED


def test_a_client_that_somebody_still_holds_opens_no_connection(session: Session, router: SandboxRouter) -> None:
    key = session.bridge.run(session.account.key())

    async def late() -> object:
        client = session._connections.client()
        await session._connections.aclose()
        return await client.models(key)

    with pytest.raises(UnreachableError) as caught:
        session.bridge.run(late())
    assert caught.value.next_step == "ask again"
    assert caught.value.was_sent is False
    assert [request for request in router.requests if request.path in LISTS] == []
    gc.collect()  # a connection that nobody closed would warn now, and warnings are errors


def test_moving_leaves_nothing_that_connects_to_the_old_router(session: Session, slow_list: SandboxRouter) -> None:
    from tetrate_jupyter.sandbox import SandboxRouter as Another

    fetching = session.begin(session.amodels(refresh=True))
    wait_for_the_list(slow_list)
    with Another(speed=float("inf")) as other:
        session.connect(other.base_url)
        with pytest.raises(UnreachableError):
            fetching.result(HANG_BOUND)
        assert [request.path for request in slow_list.requests].count("/v1/models") == 1


def test_a_list_that_is_fetched_beside_a_question_ends_with_the_session(
    session: Session, router: SandboxRouter
) -> None:
    known = session.models()[0].id
    session.catalog._clock = lambda: time.monotonic() + config.MODELS_FRESH
    before = len(router.requests)

    async def closed_at_once() -> None:
        await session.chooser.find(known)  # good enough for now; a newer list is on its way
        await session._connections.aclose()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    session.bridge.run(closed_at_once())
    assert session.is_closed
    assert router.requests[before:] == []
    assert connections_of(session) == 0


async def wait_without_end(begun: threading.Event, ended: threading.Event) -> None:
    try:
        begun.set()
        await asyncio.Event().wait()
    finally:
        ended.set()


@pytest.mark.anyio
async def test_closing_from_another_loop_ends_the_work_too(fresh: Session) -> None:
    begun, ended = threading.Event(), threading.Event()
    fresh.begin(wait_without_end(begun, ended))
    assert await asyncio.to_thread(begun.wait, HANG_BOUND)
    await fresh.aclose()
    assert ended.is_set()


def test_work_that_comes_while_the_bridge_is_being_closed_is_not_lost() -> None:
    bridge = Bridge()
    stop = threading.Event()

    def submit_and_wait() -> None:
        while not stop.is_set():
            future = bridge.submit(asyncio.sleep(0))
            while not future.done():
                stop.wait(0.001)

    threads = [threading.Thread(target=submit_and_wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        bridge.close()
    stop.set()
    for thread in threads:
        thread.join(HANG_BOUND)
    assert not any(thread.is_alive() for thread in threads)
    bridge.close()
    gc.collect()  # what was never awaited warns now, and warnings are errors


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux shows what a process has open")
@pytest.mark.anyio
async def test_closing_from_another_loop_lets_go_of_the_file_of_kept_answers(session: Session) -> None:
    session.cached(True)
    await session.aask("hello")
    kept = session.keeper.store(session.keeper.place)
    assert await becomes(lambda: bool(open_files(kept.path)))
    await session.aclose()
    assert await becomes(lambda: not open_files(kept.path))  # a busy disk is not waited for
