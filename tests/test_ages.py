"""A clock that jumps ahead or back costs nothing of what is kept; age counts all the same."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers.samples import kept, key
from tests.history.turns import line, segment
from tetrate_jupyter import ages
from tetrate_jupyter.answers.database import DatabaseStore
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.history.archive import tend
from tetrate_jupyter.ledger.segments import day_number, day_of

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.answers.kept import Store

START = 1_795_680_000.0  # the 26th of November 2026, 08:00 UTC
DAYS = 90


class Clock:
    """The system's clock, which somebody sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def days(self, number: float) -> None:
        """Set it so many days after the start."""
        self.now = START + number * ages.DAY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "time", made)
    return made


@pytest.fixture(params=["file", "database"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "file":
        return FileStore(tmp_path / "answers.jsonl", is_private=True, days=DAYS)
    return DatabaseStore(tmp_path / "answers.sqlite", days=DAYS)


def put(store: Store, clock: Clock, name: str) -> None:
    store.put(kept(name, now=datetime.fromtimestamp(clock.now, timezone.utc)))


def names(store: Store, *wanted: str) -> list[str]:
    return [name for name in wanted if _holds(store, name)]


def _holds(store: Store, name: str) -> bool:
    if isinstance(store, FileStore):
        return key(name).encode() in store.path.read_bytes()
    assert isinstance(store, DatabaseStore)
    return bool(store._connection().execute("SELECT 1 FROM answers WHERE key=?", (key(name),)).fetchone())


def test_what_is_too_old_goes_once_three_later_days_say_so(store: Store, clock: Clock) -> None:
    put(store, clock, "old")
    for day in (DAYS + 1, DAYS + 2, DAYS + 3):
        clock.days(day)
        put(store, clock, f"{day}")
    assert store.get(key("old")) is None  # it is asked anew by the clock alone
    clock.days(DAYS + 4)
    put(store, clock, "newest")
    assert names(store, "old", f"{DAYS + 1}", "newest") == [f"{DAYS + 1}", "newest"]
    store.close()


@pytest.mark.parametrize("jump", [DAYS + 1, 400, 20_000])
def test_a_clock_that_was_ahead_costs_no_kept_answer(store: Store, clock: Clock, jump: int) -> None:
    everything = []
    for day in range(5):
        clock.days(day)
        put(store, clock, f"day {day}")
        everything.append(f"day {day}")
    clock.days(jump)
    for number in range(3):  # a whole day of it
        clock.days(jump + number / 10)
        put(store, clock, f"ahead {number}")
        everything.append(f"ahead {number}")
    clock.days(5)
    put(store, clock, "after")
    assert names(store, *everything) == everything
    assert all(store.get(key(name)) for name in everything)
    store.close()


@pytest.mark.parametrize("jump", [-DAYS - 10, -400, -20_000])
def test_what_was_answered_while_the_clock_was_behind_is_kept(store: Store, clock: Clock, jump: int) -> None:
    for day in range(4):
        clock.days(day)
        put(store, clock, f"day {day}")
    clock.days(jump)
    put(store, clock, "behind")
    for day in (4, 5, 6, 7):
        clock.days(day)
        put(store, clock, f"day {day}")
    assert names(store, "behind", "day 0", "day 7") == ["behind", "day 0", "day 7"]
    assert store.get(key("behind")) is not None
    store.close()


def _days(folder: Path) -> set[str]:
    return {path.name[7:15] for path in folder.rglob("*.jsonl")}


@pytest.mark.parametrize("ahead", [366, 4_000])
def test_a_clock_that_is_ahead_costs_no_conversation(tmp_path: Path, ahead: int) -> None:
    days = [day_of(START + number * ages.DAY) for number in (0, 1, 2, 3, ahead)]
    for day in days:
        segment(tmp_path, day=day).write_bytes(line())
    for now in (START + ahead * ages.DAY, START + 4 * ages.DAY):
        assert tend(tmp_path / "history", now) == 0
    assert _days(tmp_path) == set(days)


def test_what_was_said_with_a_clock_without_power_stays(tmp_path: Path) -> None:
    days = ["19700101", "20000101", "20250101", *(day_of(START + number * ages.DAY) for number in range(3))]
    for day in days:
        segment(tmp_path, day=day).write_bytes(line())
    assert tend(tmp_path / "history", START + 3 * ages.DAY) == 1
    assert _days(tmp_path) == {*days} - {"20250101"}


def test_the_third_newest_day_is_witnessed() -> None:
    assert ages.witnessed([]) == ages.witnessed([1, 1, 2]) == float("-inf")
    assert ages.witnessed([1, 2, 2, 3, 4]) == 2 * ages.DAY


def test_a_day_is_one_of_the_calendar() -> None:
    assert [ages.day_number(moment) for moment in (0.0, 86_399.9, 86_400.0, 172_800.0)] == [0, 0, 1, 2]
    assert ages.witnessed([20_000, 20_001, 20_002]) == 1_728_000_000


@pytest.mark.parametrize(
    ("day", "number"), [("19700101", 0), ("19700102", 1), ("20261126", int(START // ages.DAY)), ("20269999", 0)]
)
def test_days_have_numbers(day: str, number: int) -> None:
    found: Any = day_number(day)
    assert found == number
