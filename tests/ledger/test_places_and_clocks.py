"""One home seen by two names, and clocks that jump: each request is counted once, and no budget is opened by it."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.ledger.records import on_disk, record
from tetrate_jupyter.errors import CostLimitError
from tetrate_jupyter.ledger.book import Book
from tetrate_jupyter.ledger.day import Day
from tetrate_jupyter.ledger.reading import put_together
from tetrate_jupyter.ledger.record import Brief, Record
from tetrate_jupyter.ledger.segments import DAY

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture
def views(tmp_path: Path) -> tuple[Path, Path]:
    """One data directory by two names, as two machines may see a home."""
    (tmp_path / "home").mkdir()
    (tmp_path / "seen elsewhere").symlink_to("home")
    return tmp_path / "home", tmp_path / "seen elsewhere"


def test_two_views_of_one_home_count_each_request_once(views: tuple[Path, Path]) -> None:
    here, there = (Book(view) for view in views)
    for number in range(40):
        (here, there)[number % 2].note(record(cost=Decimal("0.01")))
    assert here.flush(20)
    assert there.flush(20)
    for book in (here, there):
        assert len(book.read(Brief).records) == 40
        assert Day(book).spent("router.example") == Decimal("0.40")


def test_two_views_share_a_days_budget(views: tuple[Path, Path]) -> None:
    here, there = (Day(Book(view)) for view in views)
    taken = [
        day.take(record(outcome="open", cost=None, most=Decimal("0.3")), Decimal(1))
        for day in (here, there, here, there)
    ]
    assert taken == [True, True, True, False]


def test_two_views_put_the_same_months_together(views: tuple[Path, Path]) -> None:
    now = time.time()
    old = now - 70 * DAY
    for view in views * 2:
        book = Book(view)
        book.note(record(t=old))
        assert book.flush(20)
    for view in views:
        put_together(view / "ledger", now + 3 * DAY)
    assert len(Book(views[0]).read(Record).records) == 4


class Clock:
    """The system's clock, which somebody sets."""

    def __init__(self) -> None:
        self.wrong = 0.0
        self._right = time.time

    def __call__(self) -> float:
        return self._right() + self.wrong


@pytest.mark.parametrize("jump", [-2.0, -3 * 3_600.0, -2 * DAY, -40 * DAY, 40 * DAY, -1_700_000_000.0])
def test_a_clock_that_jumps_and_comes_back_loses_and_doubles_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    for wrong in (0.0, jump, jump / 2, 0.0):
        clock.wrong = wrong
        answer = session.ask("hello", keep=False)
        assert 0 <= answer.timing.total < 120
    assert session.book.flush(20)
    folder = session.book.folder
    assert folder is not None
    found = on_disk(folder)
    assert len({each.key for each in found}) == len(found) == 4
    assert all(each.total is not None and 0 <= each.total < 120 for each in found)
    assert len(session.book.read(Record).records) == 4
    assert len(session.usage("session")) == 4


@pytest.mark.parametrize("jump", [-2.0, -3 * 3_600.0, -DAY])
def test_a_clock_that_jumps_back_opens_no_budget(
    session: Session, router: SandboxRouter, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    session.daily_budget = "0.01"
    with pytest.raises(CostLimitError):  # noqa: PT012 - until it is refused
        for _ in range(100):
            session.ask("Write a haiku about the sea.", max_tokens=500, keep=False)
    asked = len([r for r in router.requests if r.path.endswith("/chat/completions")])
    clock.wrong = jump
    with pytest.raises(CostLimitError):
        session.ask("Write a haiku about the sea.", max_tokens=500, keep=False)
    assert len([r for r in router.requests if r.path.endswith("/chat/completions")]) == asked
