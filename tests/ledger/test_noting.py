"""Each request that may have been billed is a record, from wherever it was made, before its answer is finished."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.compare.conftest import eventually
from tests.ledger.records import on_disk
from tetrate_jupyter.errors import TetrateError, UnreachableError
from tetrate_jupyter.ledger.reading import read
from tetrate_jupyter.ledger.record import Record
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session

HAIKU, LUNA = "claude-haiku-4-5", "gpt-6-luna"


def noted(session: Session) -> list[Record]:
    """Return what is on disk."""
    assert session.book.flush(20)
    folder = session.book.folder
    assert folder is not None
    return sorted(on_disk(folder), key=lambda each: (each.t, each.n))


def test_an_answer_is_noted_with_all_that_is_known(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/someone/reviews.ipynb")
    answer = session.ask("What is 2 + 2?", cell_id="cell-1")
    (found,) = noted(session)
    assert (found.asked, found.served) == (HAIKU, answer.model)
    assert (found.tokens_in, found.out) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert found.cost == answer.cost
    assert (found.price_in, found.price_out) == (Decimal(1), Decimal(5))
    assert (found.outcome, found.error, found.finish) == ("done", None, "stop")
    assert found.request_id == answer.request_id
    assert found.first is not None
    assert found.total is not None
    assert found.first <= found.total
    assert (found.notebook, found.cell, found.op) == ("/home/someone/reviews.ipynb", "cell-1", "ask")
    assert found.host == session.endpoints.host
    assert found.simulated


def test_each_round_of_tools_is_one_and_they_share_their_call(session: Session) -> None:
    def stock_of(item: str) -> int:
        """Number of items in stock."""
        return len(item)

    answer = session.ask("How many of 'lamp' are in stock?", tools=[stock_of])
    found = noted(session)
    assert [each.n for each in found] == [0, 1]
    assert len({each.call for each in found}) == 1
    assert sum((each.cost or 0 for each in found), Decimal(0)) == answer.cost


def test_each_try_is_one(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("rate-limit", retry_after=0.01, times=1))
    session.ask("What is 2 + 2?")
    refused, answered = noted(session)
    assert (refused.outcome, refused.error, refused.cost, refused.n) == ("failed", "RateLimitError", 0, 0)
    assert (answered.outcome, answered.n, answered.call) == ("done", 1, refused.call)


def test_a_try_that_may_have_been_billed_is_of_unknown_cost(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("drop", times=1))
    session.ask("What is 2 + 2?")
    dropped, answered = noted(session)
    assert (dropped.outcome, dropped.error, dropped.cost) == ("failed", "UnreachableError", None)
    assert answered.cost is not None


@pytest.mark.parametrize(
    ("fault", "outcome", "error", "cost"),
    [
        (Fault("invalid-key", times=None), "failed", "InvalidKeyError", Decimal(0)),
        (Fault("no-credits"), "failed", "CreditsExhaustedError", Decimal(0)),
        (Fault("stream-cut", after_chunks=3), "partial", "StreamCutError", None),
        (Fault("broken-json", times=None), "failed", "MalformedResponseError", None),
    ],
)
def test_what_fails_is_noted_too(  # noqa: PLR0917 - the parameters of one table
    session: Session, router: SandboxRouter, fault: Fault, outcome: str, error: str, cost: Decimal | None
) -> None:
    router.inject(fault)
    with pytest.raises(TetrateError):
        session.ask("Write a haiku about the sea, and explain every line of it.")
    found = noted(session)[-1]
    assert (found.outcome, found.error, found.cost) == (outcome, error, cost)


def test_what_never_left_is_free_and_what_was_refused_here_is_none(session: Session, router: SandboxRouter) -> None:
    session.models()
    router.stop()
    with pytest.raises(UnreachableError):
        session.ask("hello")
    with pytest.raises(TetrateError):
        session.ask("")
    assert {(each.outcome, each.cost) for each in noted(session)} == {("failed", Decimal(0))}


def test_missing_usage_is_unknown_and_never_nothing(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("no-usage"))
    session.ask("hello")
    (found,) = noted(session)
    assert (found.tokens_in, found.out, found.cost) == (None, None, None)


def test_a_fallback_is_noted_at_its_own_price(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("served-differs", served_model="claude-sonnet-5"))
    session.ask("hello")
    (found,) = noted(session)
    assert (found.asked, found.served, found.price_in) == (HAIKU, "claude-sonnet-5", Decimal(2))


def test_comparisons_streams_and_panels_are_noted_alike(session: Session) -> None:
    session.compare(["one", "two"], f"{HAIKU},{LUNA}", repeats=2)
    with session.stream("three") as events:
        list(events)
    run = session.start(session.question("four"))
    eventually(lambda: run not in session.runs.all)
    found = noted(session)
    assert Counter(each.op for each in found) == {"compare": 8, "ask": 2}
    compared = [each for each in found if each.op == "compare"]
    assert len({each.run for each in compared}) == 1
    assert Counter(each.row for each in compared) == {0: 4, 1: 4}


def test_a_fork_notes_in_the_same_place(session: Session) -> None:
    other = session.fork()
    other.ask("hello")
    other.close()
    assert len(noted(session)) == 1


def test_a_stop_is_noted_as_one(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-stall", after_chunks=2))
    run = session.start(session.question("Tell me a long story."))
    eventually(lambda: run.completion is not None and run.completion.text)
    run.stop()
    eventually(lambda: run not in session.runs.all)
    (found,) = noted(session)
    assert (found.outcome, found.error, found.cost) == ("partial", "stopped", None)


_ASKING = """
import sys
from tetrate_jupyter.face.session import Session
session = Session(model="claude-haiku-4-5")
while True:
    print(session.ask("What is 2 + 2?", keep=False).request_id, flush=True)
"""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed this way there")
def test_killed_at_any_moment_nothing_that_was_answered_is_missing_or_doubled(tmp_path: Path) -> None:
    dice = random.Random(14)
    answered: list[str] = []
    with SandboxRouter(speed=INSTANT) as router:
        environment = {**os.environ, **router.environment, "TETRATE_API_KEY": router.issue_key()}
        environment |= {"TETRATE_JUPYTER_LEDGER": str(tmp_path / "ledger"), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
        for _ in range(6):
            with subprocess.Popen(
                [sys.executable, "-c", _ASKING], env=environment, stdout=subprocess.PIPE, text=True
            ) as process:
                assert process.stdout is not None
                answered += [process.stdout.readline().strip() for _ in range(dice.randrange(1, 60))]
                process.send_signal(signal.SIGKILL)
                answered += process.stdout.read().split()
    found = Counter(each.request_id for each in read(tmp_path / "ledger", Record).records)
    assert all(found[each] == 1 for each in answered)
    assert set(found.values()) == {1}
    assert 0 <= len(found) - len(answered) <= 6
