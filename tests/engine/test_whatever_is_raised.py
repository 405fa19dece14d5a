"""Whatever is raised while a question is on its way ends it with an error of ours, and the next one is answered."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.test_runs import PIXEL, SLOW, wait_until
from tetrate_jupyter.bridge import Bridge
from tetrate_jupyter.catalog.service import Catalog
from tetrate_jupyter.engine.runs import STOPPED
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.ledger.window import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from pathlib import Path

    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.types import Event

RAISED = [
    RuntimeError("no idea"),
    MemoryError(),
    OSError(28, "No space left on device"),
    StopIteration("nothing"),
    KeyboardInterrupt(),
    SystemExit(3),
    asyncio.CancelledError("from elsewhere"),
    BaseException("whatever"),
]
each_kind = pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)


class Odd:
    """A file's name that raises when it is asked for."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __fspath__(self) -> str:
        raise self._error


def is_over(session: Session) -> bool:
    return all(run.failure is not None for run in session.runs.all)


def goes_on(session: Session) -> None:
    """Nothing is left that says it is busy, and the next question is answered."""
    assert is_over(session)
    for run in session.runs.all:
        assert not run.can_stop
        session.runs.dismiss(run.id)
    assert session.runs.all == ()
    run = session.start(session.question("What is 2 + 3?"))
    wait_until(session, lambda: not session.runs.all)
    assert run.failure is None
    assert "5" in session.history[-1].answer


@each_kind
def test_in_a_tool(session: Session, error: BaseException) -> None:
    def broken(product: str) -> int:
        """How many pieces of a product are in stock."""
        raise error

    session.start(session.question("How many pieces of the product 'lamp' are in stock?", tools=[broken]))
    wait_until(session, lambda: is_over(session))
    goes_on(session)


@each_kind
def test_in_an_attachment(session: Session, error: BaseException) -> None:
    run = session.start(session.question("Say hello.", images=[Odd(error)]))
    wait_until(session, lambda: is_over(session))
    assert run.failure is not None
    goes_on(session)


@each_kind
def test_in_whoever_listens_to_the_events(session: Session, error: BaseException) -> None:
    def listen(_: Event) -> None:
        raise error

    planned = session.plan("Say hello.")
    ours = (asyncio.CancelledError, TetrateError)  # raised by whoever listens, the former looks like a stop
    future = session.bridge.submit(session.run(planned, session.completion(planned, listen)))
    with pytest.raises((*ours, Exception)) as caught:
        future.result(120)
    if not isinstance(error, asyncio.CancelledError):
        assert isinstance(caught.value, TetrateError)
        assert type(error).__name__ in caught.value.message
        assert caught.value.next_step
        assert caught.value.answer is not None
        assert session.last is not None
        assert session.last.text == caught.value.answer.text
    assert session.history[-1].partial
    assert session.ledger.entries[-1].outcome == "partial"
    goes_on(session)


@each_kind
def test_in_an_observer(session: Session, error: BaseException) -> None:
    heard: list[str] = []

    def fail() -> None:
        if threading.current_thread() is not threading.main_thread():  # there, an interrupt is the person's
            heard.append(type(error).__name__)
            raise error

    stops = [each.on_change(fail) for each in (session.runs, session.conversation, session.ledger, session.catalog)]
    run = session.start(session.question("What is 1 + 1?"))
    wait_until(session, lambda: not session.runs.all)
    assert heard
    assert run.failure is None
    assert "2" in session.history[-1].answer
    for stop in stops:
        stop()
    goes_on(session)


def test_observers_hear_before_a_persons_interrupt_goes_on(session: Session) -> None:
    heard: list[str] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    session.conversation.on_change(interrupted)
    session.conversation.on_change(lambda: heard.append("told"))
    session.ask("Say hello.")
    heard.clear()
    with pytest.raises(KeyboardInterrupt):
        session.reset()
    assert heard == ["told"]


class BrokenCatalog(Catalog):
    """A list of models that answers no question about prices."""

    def billed(self, asked: str, answered: str | None) -> Any:
        raise LookupError(asked, answered)


class FullDisk(Ledger):
    """A ledger that can't be written."""

    def record(self, entry: object) -> None:
        raise OSError(28, "No space left on device", entry)


def made(router: SandboxRouter, bridge: Bridge, folder: Path, **options: Any) -> Session:
    session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=folder, bridge=bridge, **options)
    session.model = "claude-haiku-4-5"
    return session


def test_in_a_ledger_of_ones_own_costs_no_answer(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tetrate_jupyter.engine.engine.Ledger", FullDisk)
    session = made(router, bridge, tmp_path)
    assert "4" in session.ask("What is 2 + 2?").text
    assert session.history[-1].user.content == "What is 2 + 2?"
    goes_on(session)
    session.close()


def test_in_a_catalog_of_ones_own_makes_the_cost_unknown(
    router: SandboxRouter,
    bridge: Bridge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("tetrate_jupyter.engine.engine.Catalog", BrokenCatalog)
    session = made(router, bridge, tmp_path)
    answer = session.ask("What is 2 + 2?")
    assert "4" in answer.text
    assert answer.cost is None
    goes_on(session)
    assert "could not be noted in the ledger" in caplog.text
    session.close()


class NoThreads(Bridge):
    """A bridge on a machine that can start no thread any more, until `free`."""

    free = False

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        if not self.free:
            raise RuntimeError("can't start new thread")
        return super().submit(work)


def test_in_the_very_start(router: SandboxRouter, tmp_path: Path) -> None:
    bridge = NoThreads()
    session = made(router, bridge, tmp_path)
    with pytest.raises(RuntimeError):
        session.start(session.question("Say hello."))
    assert session.runs.all == ()
    bridge.free = True
    goes_on(session)
    session.close()
    bridge.close()


def test_a_question_can_be_stopped_from_its_first_moment(session: Session, router: SandboxRouter) -> None:
    gate = threading.Event()
    session.bridge.submit(held(gate))
    run = session.start(session.question(SLOW, model="sandbox/stream"))
    assert run.can_stop
    run.stop()
    gate.set()
    wait_until(session, lambda: is_over(session))
    assert run.failure == STOPPED
    assert not [r for r in router.requests if r.path.endswith("/chat/completions")]
    goes_on(session)


async def held(gate: threading.Event) -> None:
    gate.wait(120)  # the loop itself, so that nothing else begins


def test_stopping_while_another_way_is_prepared_leaves_the_old_one(session: Session, tmp_path: Path) -> None:
    (tmp_path / "pixel.png").write_bytes(PIXEL)
    session.ask("Say one.")
    reading, gate = threading.Event(), threading.Event()

    class Slow:
        def __fspath__(self) -> str:
            reading.set()
            gate.wait(120)
            return str(tmp_path / "pixel.png")

    old = session.conversation.branch.id
    run = session.start(session.question("Say two.", replaces=session.history[0].id, images=[Slow()]))
    assert reading.wait(120)
    run.stop()
    wait_until(session, lambda: is_over(session))
    edited = threading.Event()
    session.conversation.on_change(lambda: edited.set() if session.conversation.branch.id == old else None)
    gate.set()
    edited.wait(120)
    assert session.conversation.branch.id == old
    assert [e.user.content for e in session.history] == ["Say one."]
    goes_on(session)


def test_an_edit_that_breaks_leaves_the_old_one(session: Session) -> None:
    session.ask("Say one.")
    for error in (RuntimeError("x"), SystemExit(1)):
        session.start(session.question("Say two.", replaces=session.history[0].id, images=[Odd(error)]))
        wait_until(session, lambda: is_over(session))
        assert [e.user.content for e in session.history] == ["Say one."]


def test_what_is_asked_in_a_cell_raises_ours(session: Session) -> None:
    asked: list[Callable[[], object]] = [
        lambda: session.ask("Say hello.", images=[Odd(SystemExit(1))]),
        lambda: session.plan("Say hello.", images=[Odd(RuntimeError("x"))]),
    ]
    for ask in asked:
        with pytest.raises(TetrateError) as caught:
            ask()
        assert caught.value.next_step
    goes_on(session)
