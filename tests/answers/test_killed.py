"""A kernel that is killed at any moment, and its run resumed: what had been answered is not paid for again."""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.compare.conftest import eventually
from tests.kernels import CountingKernel
from tests.ledger.records import on_disk
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.sandbox.log import LoggedRequest

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed this way there"),
    pytest.mark.timeout(900),
]

# Each question that has come back is written down by the system's own append, which a kill can't take back.
CELL = """
import os
from tetrate_jupyter.answers import aside
from tetrate_jupyter.face.session import Session
aside.LOOKUP = aside.PATIENCE = 60.0  # a disk that is busy is waited for: without it a question would be asked again
answered = os.open({answered!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
session = Session(model="claude-haiku-4-5")
session.cached({place!r})
for number in range({calls}):
    answer = session.ask(f"What is {{number}} + 1?", keep=False)
    if session.keeper.store({place!r}).flush(60):  # at once, unless the disk takes longer than an answer waits for
        os.write(answered, f"{{number}} {{answer.text!r}}\\n".encode())
"""


def asked(router: SandboxRouter) -> list[LoggedRequest]:
    return [each for each in router.requests if each.path.endswith("/chat/completions")]


def prompt(request: LoggedRequest) -> str:
    return str(request.body["messages"][-1]["content"])


def number(request: LoggedRequest) -> str:
    return prompt(request).split()[2]


def came_back(path: Path) -> dict[str, str]:
    """Return the answers by their questions; all of one question are the same."""
    found: dict[str, str] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        question, text = line.split(" ", 1)
        assert found.setdefault(question, text) == text
    return found


class Running:
    """A run of many questions that is killed, and begun again."""

    def __init__(self, router: SandboxRouter, folder: Path, place: str, calls: int) -> None:
        self.router = router
        self.answered = folder / "answered"
        self.ledger = folder / "ledger"
        self._environment = {
            **router.environment,
            config.KEY_VARIABLES[0]: router.issue_key(),
            config.LEDGER_VARIABLE: str(self.ledger),
            "JUPYTER_DATA_DIR": str(folder / "data"),
        }
        kept = str(folder / place) if place.endswith(".jsonl") else place
        self._cell = CELL.format(answered=str(self.answered), place=kept, calls=calls)
        self._dice = random.Random(calls)

    def killed(self, after: int) -> None:
        """Kill it a moment after so many more requests have arrived, or at its end if there are fewer."""
        before = len(asked(self.router))
        with CountingKernel(self._environment) as kernel:
            sent = kernel.begin(self._cell)
            eventually(lambda: len(asked(self.router)) >= before + after or kernel.has_ended(sent), timeout=300)
            threading.Event().wait(self._dice.random() * 0.03)  # anywhere between this question and the next
            kernel.kill()

    def to_its_end(self) -> None:
        with CountingKernel(self._environment) as kernel:
            ran = kernel.run(self._cell, timeout=600)
            assert ran.status == "ok", ran.texts


def run(folder: Path, place: str, *, calls: int, kills: int) -> Counter[str]:
    """Run so many questions with so many kills, and hold what came of it against what the router has seen."""
    with SandboxRouter(speed=INSTANT) as router:
        running = Running(router, folder, place, calls)
        dice = random.Random(kills)
        moments: list[tuple[int, set[str]]] = []
        for _ in range(kills):
            running.killed(after=dice.randint(1, max(1, 2 * calls // (kills + 1) - 1)))
            moments.append((len(asked(router)), set(came_back(running.answered))))
        running.to_its_end()
        requests = asked(router)
    for sent, known in moments:
        assert not known & {number(each) for each in requests[sent:]}, "answered, and paid for again"
    assert len(came_back(running.answered)) == calls
    noted = on_disk(running.ledger)
    assert max(Counter(each.key for each in noted).values()) == 1
    of_one = Counter(each.request_id for each in noted)
    assert max(of_one.values()) == 1
    assert set(of_one) <= {each.request_id for each in requests}
    counted = Counter(
        requests=len(requests), records=len(noted), again=len(requests) - calls, missing=len(requests) - len(noted)
    )
    assert 0 <= counted["again"] <= kills  # what was on its way when it was killed
    assert 0 <= counted["missing"] <= kills
    return counted


@pytest.mark.parametrize(
    "place", ["on", pytest.param("answers.jsonl", marks=pytest.mark.heavy)], ids=["own store", "file"]
)
def test_nothing_that_was_answered_is_paid_for_again(tmp_path: Path, place: str) -> None:
    run(tmp_path, place, calls=60, kills=4)


@pytest.mark.heavy
@pytest.mark.slow
@pytest.mark.parametrize("place", ["on", "answers.jsonl"], ids=["own store", "file"])
def test_thirty_kills_of_five_hundred(tmp_path: Path, place: str) -> None:
    print(dict(run(tmp_path, place, calls=500, kills=30)))
