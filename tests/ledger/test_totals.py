"""What was spent: sums that never take the unknown for nothing, shown to people and written to files."""

from __future__ import annotations

import csv
import json
import time
from decimal import Decimal, getcontext, localcontext
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.records import NOVEMBER, record
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.ledger.frame import COLUMNS, save, to_frame
from tetrate_jupyter.ledger.report import report
from tetrate_jupyter.ledger.segments import DAY
from tetrate_jupyter.ledger.totals import RunningSum, counted, midnight, tallies, together

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session

MIXED = [
    record(t=NOVEMBER, asked="a", notebook="/x/one.ipynb", label="eval", first=0.2, cost=Decimal("0.10")),
    record(t=NOVEMBER, asked="a", notebook="/x/one.ipynb", first=0.4, cost=Decimal("0.20"), cached_in=40),
    record(t=NOVEMBER - DAY, asked="b", notebook="C:\\y\\two.ipynb", cost=None, tokens_in=None, outcome="partial"),
    record(t=NOVEMBER - DAY, asked="b", cost=Decimal(0), outcome="failed", tokens_in=None, out=None, first=None),
    record(t=NOVEMBER - DAY, asked="b", cost=None, outcome="open"),
    record(t=NOVEMBER, asked="a", cost=Decimal(0), cached=True, first=0.001),
]


def test_the_unknown_is_counted_apart() -> None:
    found = RunningSum(MIXED).sum()
    assert (found.requests, found.failed, found.kept) == (5, 1, 1)
    assert (found.cost, found.unknown) == (Decimal("0.30"), 2)
    assert (found.tokens_in, found.out, found.unknown_tokens) == (300, 80, 2)
    assert found.first == pytest.approx(0.3)
    assert RunningSum([record(cost=None)]).sum().cost is None
    assert RunningSum([]).sum().cost is None


def test_parts_put_together_are_the_whole() -> None:
    for by in ("model", "notebook", "day", "label"):
        parts = tallies(MIXED, by)  # type: ignore[arg-type]  # a list of them
        assert together(parts.values()) == RunningSum(MIXED).sum()
    assert {name for _, _, name in tallies(MIXED, "label")} == {"eval", ""}


def test_what_a_notebook_does_to_decimals_changes_no_sum() -> None:
    with localcontext() as context:
        context.prec = 2
        assert RunningSum([record(cost=Decimal("1.2345")), record(cost=Decimal("0.0001"))]).sum().cost == Decimal(
            "1.2346"
        )
        assert getcontext().prec == 2
    assert RunningSum([record(cost=Decimal("NaN")), record(cost=Decimal(1))]).sum().cost == 1


def test_the_sandbox_is_left_out_of_money_unless_there_is_nothing_else() -> None:
    real, played = record(cost=Decimal(1)), record(cost=Decimal(5), simulated=True)
    assert counted([real, played]) == [real]
    assert counted([real, played], sandbox=True) == counted([played]) == [played]
    shown = report([real, played], "7d", "model")
    assert shown.total.cost == 1
    assert "--sandbox" in repr(shown)
    assert "simulated" in repr(report([played], "7d", "model"))
    assert "simulated" in report([real, played], "7d", "model", sandbox=True).html()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system takes no other time zone")
def test_days_are_those_where_the_kernel_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert {when for when, _, _ in tallies([record(t=NOVEMBER + 4 * 3600)], "day")} == {"2026-11-27"}
        assert time.localtime(midnight(NOVEMBER, 6))[:5] == (2026, 11, 20, 0, 0)
        assert time.localtime(midnight(NOVEMBER, 90))[3] == 0  # summer time began in between
    finally:
        monkeypatch.undo()
        time.tzset()


def test_it_shows_the_dearest_first_and_says_whose_word_counts() -> None:
    shown = report(MIXED, "7d", "model", bill="https://router.tetrate.ai/billing")
    assert [name for name, _ in shown.groups] == ["a", "b"]
    for text in (shown.plain(), shown.html()):
        assert "Spent in 7 days: ≈ $0.30 + 2 requests of unknown cost" in text
        assert "5 requests, 1 failed" in text
        assert "https://router.tetrate.ai/billing" in text
        assert "estimated" in text
    assert "█" in shown.plain()
    assert "<script" not in shown.html()
    assert "one.ipynb" in report(MIXED, "7d", "notebook").plain()
    assert "/x/" not in report(MIXED, "7d", "notebook").plain()
    assert "two.ipynb" in report(MIXED, "7d", "notebook").plain()


def test_names_are_data() -> None:
    hostile = record(asked="<img src=x onerror=alert(1)>\x1b[31m", label='"><script>')
    for by in ("model", "label"):
        shown = report([hostile], "today", by)  # type: ignore[arg-type]  # a tuple of them
        assert "<img" not in shown.html()
        assert "<script" not in shown.html()
        assert "\x1b" not in shown.plain()


def test_nothing_asked_is_said() -> None:
    assert "Nothing was asked in 30 days." in repr(report([], "30d", "day"))
    assert "Nothing was asked" in report([], "30d", "day").html()


def test_a_frame_has_what_is_known_and_nothing_else() -> None:
    frame = to_frame(MIXED)
    assert list(frame.columns) == list(COLUMNS)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {n: kind for n, (kind, _) in COLUMNS.items()}
    assert frame["cost_usd"].isna().sum() == 2
    assert frame["tokens_in"].isna().sum() == 2
    assert frame["time"].is_monotonic_increasing
    assert to_frame([]).shape == (0, len(COLUMNS))


def test_files(tmp_path: Path) -> None:
    hostile = [*MIXED, record(t=NOVEMBER + 1, label="=HYPERLINK(1)")]
    assert save(hostile, str(tmp_path / "u.json"), "json").exists()
    rows = json.loads((tmp_path / "u.json").read_text())
    assert [row["cost_usd"] for row in rows][:3] == [None, "0", None]
    save(hostile, str(tmp_path / "u.csv"), "csv")
    with (tmp_path / "u.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["label"] for row in read][-1] == "'=HYPERLINK(1)"
    assert read[0]["cost_usd"] == ""
    with pytest.raises(OptionError, match="can't be written"):
        save(hostile, str(tmp_path / "none" / "u.csv"), "csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["u.csv", "u.json"]


# --- the magic -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(session: Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face import shared
    from tetrate_jupyter.magics import extension

    monkeypatch.setattr(shared, "session", session)
    made = InteractiveShell()
    made.history_manager.enabled = False
    extension.load(made)
    yield made
    extension.unload(made)
    made.history_manager.end_session()


@pytest.mark.parametrize("period", ["", "today", "7d", "30d", "session"])
def test_the_magic_shows_what_was_asked(session: Session, shell: InteractiveShell, period: str) -> None:
    assert "Nothing was asked" in repr(shell.run_line_magic("tetrate_usage", period))
    answer = session.ask("What is 2 + 2?")
    shown = shell.run_line_magic("tetrate_usage", f"{period} --by label")
    assert shown.total.requests == 1
    assert shown.total.cost == answer.cost
    frame = session.usage(period or "30d")
    assert frame["request_id"].tolist() == [answer.request_id]
    assert bool(frame["simulated"].all())


def test_the_magic_says_what_is_left_of_budgets(session: Session, shell: InteractiveShell) -> None:
    session.ask("What is 2 + 2?")
    session.budget, session.daily_budget = 2.5, 3
    assert session.book.flush(20)
    shown = repr(shell.run_line_magic("tetrate_usage", "today"))
    assert "Of the session's budget $2.50, ≈ $0.0" in shown
    assert "Of the day's budget $3.00, ≈ $0.0" in shown


def test_the_magic_writes_files_and_erases(
    session: Session, shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.ask("What is 2 + 2?")
    shell.run_line_magic("tetrate_usage", f"30d --csv '{tmp_path}/a.csv' --json '{tmp_path}/a.json'")
    assert "1 requests are in" in capsys.readouterr().out
    shell.run_line_magic("tetrate_usage", "--erase --older-than 30")
    assert session.usage("today").shape[0] == 1
    shell.run_line_magic("tetrate_usage", "--erase")
    assert "Erased: 1 records" in capsys.readouterr().out
    assert session.usage("today").shape[0] == session.usage("session").shape[0] == 0
    assert not list((tmp_path / "data" / "ledger").rglob("*.jsonl"))
    session.ask("What is 3 + 3?")
    assert session.usage("today").shape[0] == 1


@pytest.mark.parametrize(
    "line", ["yesterday", "--older-than 3", "7d --erase", "--erase --older-than -1", "--by colour"]
)
def test_what_it_doesnt_know_it_says(session: Session, shell: InteractiveShell, line: str) -> None:
    session.ask("What is 2 + 2?")
    with pytest.raises(OptionError):
        shell.run_line_magic("tetrate_usage", line)
    assert session.usage("today").shape[0] == 1


@pytest.mark.parametrize("beside", ["--csv '{}/a.csv'", "--sandbox", "--by label", "--tokens", "--json a --parquet b"])
def test_nothing_is_erased_where_something_else_was_meant(
    session: Session, shell: InteractiveShell, tmp_path: Path, beside: str
) -> None:
    session.ask("What is 2 + 2?")
    for line in (f"--erase {beside}", f"{beside} --erase --older-than 0"):
        with pytest.raises(OptionError, match="nothing was erased"):
            shell.run_line_magic("tetrate_usage", line.format(tmp_path))
    assert session.usage("today").shape[0] == session.usage("session").shape[0] == 1


@pytest.mark.parametrize("days", [10**6, 10**9, 10**18, 10**40])
def test_what_is_older_than_all_time_is_nothing(session: Session, shell: InteractiveShell, days: int) -> None:
    session.ask("What is 2 + 2?")
    shell.run_line_magic("tetrate_usage", f"--erase --older-than {days}")
    assert session.usage("today").shape[0] == 1


def test_where_several_people_meet_one_account_each_sees_their_own(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tetrate_jupyter.engine import usage
    from tetrate_jupyter.ledger.book import Book

    session.ask("What is 2 + 2?")
    visitor = Book(session.book.folder.parent if session.book.folder else None, shared=lambda: "Voilà")
    assert usage.records(visitor, "30d") == []
    assert "only what this kernel asked" in repr(usage.report(visitor, session.endpoints, "30d", "model"))
    with pytest.raises(OptionError, match="Several people"):
        usage.erase(visitor)
    assert session.usage("30d").shape[0] == 1


def test_what_a_person_stopped_has_not_failed() -> None:
    stopped = record(outcome="failed", error="stopped", cost=None)
    broken = record(outcome="failed", error="RateLimitError", cost=None)
    assert RunningSum([stopped, broken]).sum().failed == 1
