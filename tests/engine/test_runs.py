"""Questions that nobody waits for: seen while they run, kept when they end, said when they fail."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.engine.runs import STOPPED
from tetrate_jupyter.errors import UnsupportedInputError
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

SLOW = "chunks=2000 size=20 interval=0.01"
PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05"
    b"\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)


def wait_until(session: Session, condition: Callable[[], bool]) -> None:
    """Wait for a change of runs or conversation that makes the condition true."""
    changed = threading.Condition()

    def tell() -> None:
        with changed:
            changed.notify_all()

    stops = [session.runs.on_change(tell), session.conversation.on_change(tell)]
    with changed:
        assert changed.wait_for(condition, 120)
    for stop in stops:
        stop()


def test_a_question_is_asked_in_the_background_and_its_answer_kept(session: Session) -> None:
    run = session.start(session.question("Say hello."))
    assert run in session.runs.all
    wait_until(session, lambda: not session.runs.all)
    (exchange,) = session.history
    assert exchange.user.content == "Say hello."
    assert exchange.entry is not None
    assert exchange.entry.outcome == "done"
    assert exchange.entry == session.ledger.entries[-1]


def some_text_has_come(session: Session) -> None:
    """Wait until a question that is listed has text: what the router has sent may be on its way yet."""
    until = time.monotonic() + 120
    while not any(run.completion is not None and run.completion.text for run in session.runs.all):
        assert time.monotonic() < until, "no text has come"
        threading.Event().wait(0.01)


def test_stopping_hangs_up_and_keeps_what_came(session: Session, router: SandboxRouter) -> None:
    run = session.start(session.question(SLOW, model="sandbox/stream"))
    some_text_has_come(session)
    run.stop()
    wait_until(session, lambda: not session.runs.all)
    router.wait_for(lambda request: request.hung_up_at is not None)
    (exchange,) = session.history
    assert exchange.partial
    assert exchange.notices


def test_stopping_before_any_text_leaves_the_question_to_be_asked_again(
    session: Session, router: SandboxRouter
) -> None:
    router.inject(Fault("slow-headers"))
    run = session.start(session.question("Say hello."))
    router.wait_for(lambda request: request.path.endswith("/chat/completions"))
    wait_until(session, lambda: run.completion is not None)
    run.stop()
    wait_until(session, lambda: run.failure is not None)
    assert run.failure == STOPPED
    assert session.history == ()
    assert run in session.runs.all
    session.runs.dismiss(run.id)
    assert session.runs.all == ()


def test_a_refusal_is_said_with_the_next_step(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("no-credits"))
    run = session.start(session.question("Say hello."))
    wait_until(session, lambda: run.failure is not None)
    assert run.failure is not None
    assert "Next:" in run.failure
    assert not run.can_stop
    assert session.history == ()


def test_an_answer_that_breaks_is_kept_with_the_reason(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", after_chunks=3))
    session.start(session.question("Tell me about routers."))
    wait_until(session, lambda: not session.runs.all)
    (exchange,) = session.history
    assert exchange.partial
    assert any("Next:" in notice for notice in exchange.notices)


def test_asking_differently_makes_a_branch(session: Session) -> None:
    session.ask("Say one.")
    session.ask("Say two.")
    first, _ = session.history
    run = session.start(session.question("Say three.", replaces=first.id))
    wait_until(session, lambda: not session.runs.all)
    assert run.failure is None
    (changed,) = session.history
    assert changed.user.content == "Say three."
    assert [b.exchanges[0].user.content for b in session.conversation.variants(changed.id)] == [
        "Say one.",
        "Say three.",
    ]


def test_asking_differently_in_vain_leaves_the_old_branch(session: Session, router: SandboxRouter) -> None:
    session.ask("Say one.")
    router.inject(Fault("no-credits"))
    run = session.start(session.question("Say two.", replaces=session.history[0].id))
    wait_until(session, lambda: run.failure is not None)
    assert [e.user.content for e in session.history] == ["Say one."]
    assert run.branch == session.conversation.branch.id


def test_a_question_that_cannot_be_sent_leaves_the_old_branch(session: Session) -> None:
    session.ask("Say one.")
    text_only = next(m.id for m in session.models() if m.images is False)
    with pytest.raises(UnsupportedInputError):
        session.ask("What is this?", replaces=session.history[0].id, images=[PIXEL], model=text_only)
    assert [e.user.content for e in session.history] == ["Say one."]


def test_what_a_cell_waits_for_is_seen_too_but_not_stopped_from_here(session: Session) -> None:
    seen = []
    session.runs.on_change(lambda: seen.append([(run.user.content, run.can_stop) for run in session.runs.all]))
    session.ask("Say hello.")
    session.ask("Aside.", keep=False)
    assert seen == [[("Say hello.", False)], []]


def test_a_tool_that_asks_is_another_run(session: Session) -> None:
    def ask_on(question: str) -> str:
        """Ask somebody else."""
        return session.ask("Say hello.", tools=[]).text

    names = set()
    session.runs.on_change(lambda: names.update(run.id for run in session.runs.all))
    run = session.start(session.question("Use ask_on with question='x'.", tools=[ask_on]))
    wait_until(session, lambda: not session.runs.all)
    assert run.failure is None
    assert len(names) == 2
