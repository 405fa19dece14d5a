"""Records on disk: one writer for each file, private, merged on reading, whatever was torn, erased or written twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.records import NOVEMBER, on_disk, record
from tetrate_jupyter.errors import ConfigError, CostLimitError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.ledger.book import Book
from tetrate_jupyter.ledger.reading import erase, merged, put_together, read
from tetrate_jupyter.ledger.record import FIELDS, Brief, Record, clean, decoded, encoded
from tetrate_jupyter.ledger.segments import DAY, Appender, folder_of, segments
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter


def written(folder: Path, *records: Record) -> None:
    book = Book(folder)
    for each in records:
        book.note(each)
    assert book.flush(20)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))


def test_a_record_is_one_line_that_says_what_is_unknown() -> None:
    line = encoded(record(served=None, tokens_in=None, cost=None, label="eval"))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    said = json.loads(line)
    assert (said["served"], said["in"], said["cost"]) == (None, None, None)
    assert decoded(line, Record)[0][0].label == "eval"


def test_a_folder_that_is_removed_as_empty_while_a_segment_is_begun_is_made_again(tmp_path: Path) -> None:
    begun, ended = threading.Event(), threading.Event()

    def erasing() -> None:
        begun.set()
        while not ended.is_set():
            erase(tmp_path, before=1.0)  # no record is that old, but empty folders go

    eraser = threading.Thread(target=erasing)
    eraser.start()
    assert begun.wait(60)
    try:
        for number in range(400):
            month = f"{1971 + number // 12}{1 + number % 12:02}"
            Appender(tmp_path).append(f"{month}01", encoded(record()))
    finally:
        ended.set()
        eraser.join(60)
    assert len(on_disk(tmp_path)) == 400


def test_money_is_exact() -> None:
    cost = Decimal("0.00012345678901234567890123456789")
    (found,), _ = decoded(encoded(record(cost=cost)), Record)
    assert found.cost == cost


def test_no_key_and_no_control_is_in_a_record() -> None:
    key = Secret("sk-marker-0123456789abcdef", host="router.example")
    fields = {
        name: f"x{key.reveal()}\x1b[31m\n{'y' * 5000}" for name in ("asked", "label", "notebook", "error", "cell")
    }
    line = encoded(clean(record(**fields, first=float("nan"))))
    assert key.reveal().encode() not in line
    assert b"<secret>" in line
    assert b"\\u001b" not in line
    assert len(line) < 5_000
    assert json.loads(line).get("first") is None


def test_what_a_sum_needs_is_read_as_it_was_written() -> None:
    whole = record(label="a", notebook="b.ipynb", first=0.5, most=Decimal(1), cached_in=3, simulated=True)
    (brief,), _ = decoded(encoded(whole), Brief)
    assert {name: getattr(brief, name) for name in Brief.__struct_fields__} == {
        name: getattr(whole, name) for name in Brief.__struct_fields__
    }
    assert set(Brief.__struct_fields__) <= set(FIELDS)


def test_files_are_private_and_named_after_their_writer(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        written(tmp_path, record(t=NOVEMBER))
    finally:
        os.umask(before)
    (path,) = files(tmp_path)
    assert path.parent.name == "2026-11"
    assert f"-{os.getpid()}-20261126T" in path.name
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_each_writer_has_files_of_its_own(tmp_path: Path) -> None:
    for _ in range(3):
        written(tmp_path, record(t=NOVEMBER))
    assert len(files(tmp_path)) == 3
    assert len(read(tmp_path / "ledger", Brief).records) == 3


def test_a_day_has_a_file_of_its_own_also_when_the_clock_goes_back(tmp_path: Path) -> None:
    written(tmp_path, *(record(t=NOVEMBER + days * DAY) for days in (0, 40, 0, -40, 0)))
    assert len(files(tmp_path)) == 3
    assert len(read(tmp_path / "ledger", Record).records) == 5


def test_only_the_days_asked_for_are_read(tmp_path: Path) -> None:
    written(tmp_path, *(record(t=NOVEMBER + days * DAY) for days in range(-40, 1)))
    folder = tmp_path / "ledger"
    assert len(segments(folder, NOVEMBER - DAY, NOVEMBER)) == 2
    assert len(read(folder, Brief, since=NOVEMBER - 7 * DAY).records) == 8
    assert len(read(folder, Brief, until=NOVEMBER - 30 * DAY).records) == 10
    assert len(read(folder, Brief).records) == 41


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_a_torn_last_line_is_none(tmp_path: Path, cut: int) -> None:
    written(tmp_path, record(t=NOVEMBER), record(t=NOVEMBER))
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    found = read(tmp_path / "ledger", Record)
    assert (len(found.records), found.odd) == (1, 0)


def test_what_is_no_record_is_left_out_and_counted(tmp_path: Path) -> None:
    written(tmp_path, record(t=NOVEMBER))
    (path,) = files(tmp_path)
    odd = b'{"t": "yesterday"}\n\xff\xfe\n[1]\n' + b"[" * 100_000 + b"\n\n"
    path.write_bytes(odd + path.read_bytes())
    found = read(tmp_path / "ledger", Record)
    assert (len(found.records), found.odd) == (1, 4)


def test_fields_of_a_newer_version_are_passed_over() -> None:
    line = encoded(record()).replace(b"{", b'{"novelty":{"a":[1]},', 1)
    assert len(decoded(line, Record)[0]) == 1


# What can't be of a record, whoever has written it into the file: it would add up to anything, or never be shown.
_IMPOSSIBLE = [
    *({"cost": cost} for cost in ("NaN", "sNaN", "Infinity", "-1000", "1E+999999", "9" * 20)),
    {"cost": None, "most": "-5"},
    {"out": -5},
    {"in": 10**30},
    {"asked": "m" * 10_000_000},
    {"asked": "m" * 1_000},
]


@pytest.mark.parametrize("odd", _IMPOSSIBLE, ids=lambda odd: f"{odd!s:.30}")
@pytest.mark.parametrize("kind", [Record, Brief])
def test_what_cant_be_of_a_record_is_none(tmp_path: Path, odd: dict[str, Any], kind: type[Record]) -> None:
    written(tmp_path, record(t=NOVEMBER))
    (path,) = files(tmp_path)
    line = json.dumps({**json.loads(path.read_bytes()), "call": "odd", **odd}).encode() + b"\n"
    path.write_bytes(path.read_bytes() + line)
    found = read(tmp_path / "ledger", kind)
    assert (len(found.records), found.odd) == (1, 1)
    with localcontext(Context(traps=[])):  # a notebook may have changed it
        assert len(read(tmp_path / "ledger", kind).records) == 1


def test_what_is_noted_can_be_read_whatever_it_was_made_of(tmp_path: Path) -> None:
    book = Book(tmp_path)
    odd = {"cost": Decimal(-1), "price_in": Decimal("NaN"), "out": -1, "tokens_in": 10**30, "first": float("inf")}
    book.note(record(asked="m" * 10_000, label="l" * 10_000, notebook="n\n" * 10_000, **odd))
    assert book.flush(10)
    (found,) = read(tmp_path / "ledger", Record).records
    assert {getattr(found, name) for name in odd} == {None}


def test_no_ledger_is_an_empty_one_and_one_that_cant_be_read_is_an_error(tmp_path: Path) -> None:
    assert read(tmp_path / "none", Brief).records == []
    assert read(None, Brief).records == []
    (tmp_path / "ledger").write_text("a file")
    with pytest.raises(ConfigError, match="can't be read") as caught:
        read(tmp_path / "ledger", Brief)
    assert "--erase" in caught.value.next_step


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has none")
def test_a_link_or_pipe_in_its_place_is_not_followed(tmp_path: Path) -> None:
    month = tmp_path / "ledger" / "2026-11"
    month.mkdir(parents=True)
    os.mkfifo(month / "h-1-20261126T000000.jsonl")
    with pytest.raises(ConfigError, match="can't be read"):
        read(tmp_path / "ledger", Brief)


def test_where_it_is(tmp_path: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_of(None) == clean_environment / "jupyter-data" / "tetrate-jupyter" / "ledger"
    assert folder_of(tmp_path) == tmp_path / "ledger"
    monkeypatch.setenv("TETRATE_JUPYTER_LEDGER", str(tmp_path / "else"))
    assert folder_of(None) == tmp_path / "else"
    monkeypatch.setenv("TETRATE_JUPYTER_LEDGER", "off")
    assert folder_of(None) is folder_of(tmp_path) is None


def test_a_place_that_there_isnt_is_said_and_costs_no_answer(
    router: SandboxRouter, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_JUPYTER_LEDGER", "~nobody_here/ledger")
    session = Session(base_url=router.base_url, key=router.issue_key(), bridge=bridge)
    session.model = "claude-haiku-4-5"
    assert any("no such home folder" in notice for notice in session.ask("Hi").notices)
    for spent in (lambda: session.usage("today"), session.book.erase):
        with pytest.raises(ConfigError, match="no such home folder"):
            spent()
    session.daily_budget = 1
    assert "no such home folder" in session.budgets[0]
    with pytest.raises(CostLimitError, match="no such home folder"):
        session.ask("Hi")
    session.close()


def test_a_place_stays_where_it_was_when_the_kernel_goes_elsewhere(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TETRATE_JUPYTER_LEDGER", "ledger-of-this-test")
    session = Session(base_url=router.base_url, key=router.issue_key(), bridge=bridge)
    session.model = "claude-haiku-4-5"
    session.ask("Hi")
    gone = session.book.read(Record).records[0].cost
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert [each.cost for each in session.book.read(Record).records] == [gone]
    session.daily_budget = gone
    with pytest.raises(CostLimitError, match="of the day's budget"):
        session.ask("Hi")
    session.close()


def test_a_segment_that_was_erased_is_begun_anew(tmp_path: Path) -> None:
    appender = Appender(tmp_path)
    appender.append("20261126", encoded(record(t=NOVEMBER)))
    erase(tmp_path)
    assert not files(tmp_path)
    appender.append("20261126", encoded(record(t=NOVEMBER)))
    assert len(on_disk(tmp_path)) == 1


# --- months that are over ----------------------------------------------------------------------------------------


def old(path: Path) -> None:
    os.utime(path, (NOVEMBER, NOVEMBER))


def three_months(folder: Path) -> list[Record]:
    kept = [record(t=NOVEMBER - days * DAY, cost=Decimal(days)) for days in range(60)]
    for part in (kept[0::2], kept[1::2]):
        written(folder, *part)
    for path in files(folder):
        old(path)
    return sorted(kept, key=lambda each: each.t)


def test_a_month_that_is_over_becomes_one_file_of_the_same_records(tmp_path: Path) -> None:
    kept, folder = three_months(tmp_path), tmp_path / "ledger"
    assert put_together(folder, NOVEMBER + 3 * DAY) == 2
    assert len(files(folder / "2026-10")) == len(files(folder / "2026-09")) == 1
    assert len(files(folder / "2026-11")) == 26
    assert sorted(read(folder, Record).records, key=lambda each: each.t) == kept
    assert put_together(folder, NOVEMBER + 3 * DAY) == 0
    (together,) = files(folder / "2026-10")
    assert together.stat().st_mode & 0o777 == 0o600
    assert [each.t for each in decoded(together.read_bytes(), Record)[0]] == [
        each.t for each in kept if each.t < 1_793_491_200 and each.t >= 1_790_812_800
    ]


def test_one_that_was_killed_in_between_or_two_at_once_double_nothing(tmp_path: Path) -> None:
    kept, folder = three_months(tmp_path), tmp_path / "ledger"
    before = {path: path.read_bytes() for path in files(folder / "2026-10")}
    put_together(folder, NOVEMBER + 3 * DAY)
    (one,) = files(folder / "2026-10")
    for path, data in before.items():  # killed before the old ones went
        path.write_bytes(data)
        old(path)
    assert len(read(folder, Record).records) == len(kept)
    one.with_name("all-another.jsonl").write_bytes(one.read_bytes())  # another kernel did the same
    assert len(read(folder, Record).records) == len(kept)
    put_together(folder, NOVEMBER + 3 * DAY)
    assert len(files(folder / "2026-10")) == 1
    assert sorted(read(folder, Record).records, key=lambda each: each.t) == kept


def test_a_month_somebody_still_writes_to_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    three_months(tmp_path)
    written(tmp_path, record(t=NOVEMBER - 40 * DAY))  # a clock that is late, now
    fresh = max(files(folder / "2026-10"), key=lambda path: path.stat().st_mtime)
    os.utime(fresh, (NOVEMBER + 3 * DAY, NOVEMBER + 3 * DAY))
    put_together(folder, NOVEMBER + 3 * DAY + 60)
    assert fresh.exists()
    assert len(read(folder, Record).records) == 61


def test_what_isnt_understood_is_not_thrown_away(tmp_path: Path) -> None:
    three_months(tmp_path)
    path = files(tmp_path / "ledger" / "2026-10")[0]
    path.write_bytes(b"of a later version\n" + path.read_bytes())
    old(path)
    put_together(tmp_path / "ledger", NOVEMBER + 3 * DAY)
    assert path.exists()


def test_what_a_newer_version_has_noted_beside_it_is_not_thrown_away(tmp_path: Path) -> None:
    three_months(tmp_path)
    folder = tmp_path / "ledger"
    path = files(folder / "2026-10")[-1]
    path.write_bytes(path.read_bytes().replace(b'{"', b'{"novelty":{"a":[1]},"', 1))
    old(path)
    assert put_together(folder, NOVEMBER + 3 * DAY)
    (together,) = files(folder / "2026-10")
    assert b'"novelty":{"a":[1]}' in together.read_bytes()
    together.write_bytes(b"of a later version\n" + together.read_bytes())
    assert erase(folder, NOVEMBER - 40 * DAY)
    assert b'"novelty":{"a":[1]}' in together.read_bytes()
    assert b"of a later version\n" in together.read_bytes()


# --- erasing -----------------------------------------------------------------------------------------------------


def test_all_of_it_is_erased(tmp_path: Path) -> None:
    three_months(tmp_path)
    (tmp_path / "ledger" / "2026-10" / ".0123456789abcdef.new").write_text("left by one that was killed")
    assert erase(tmp_path / "ledger") == 60
    assert list((tmp_path / "ledger").iterdir()) == []
    assert erase(tmp_path / "ledger") == 0


@pytest.mark.skipif(os.name != "posix", reason="this system has no links of this kind")
def test_a_month_that_is_a_link_is_neither_counted_nor_erased(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.jsonl").write_bytes(encoded(record()))
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "2026-11").symlink_to(elsewhere)
    assert read(tmp_path / "ledger", Record).records == []
    assert erase(tmp_path / "ledger") == 0
    assert (elsewhere / "mine.jsonl").exists()


@pytest.mark.parametrize("is_together", [False, True])
def test_what_is_older_is_erased_and_the_rest_stays(tmp_path: Path, *, is_together: bool) -> None:
    kept, folder = three_months(tmp_path), tmp_path / "ledger"
    if is_together:
        put_together(folder, NOVEMBER + 3 * DAY)
    assert erase(folder, NOVEMBER - 40 * DAY) == 19
    assert len(read(folder, Record).records) == len(kept) - 19


def test_an_open_record_is_replaced_by_its_end_whatever_comes_first() -> None:
    begun, ended = record(call="c", outcome="open", cost=None), record(call="c")
    other = record(call="c", n=1, outcome="open")
    assert merged([begun, ended, other]) == merged([ended, begun, other]) == [ended, other]


# --- processes ---------------------------------------------------------------------------------------------------

_FORKING = """
import os, sys
from pathlib import Path
from typing import Any
from tests.ledger.records import record
from tetrate_jupyter.ledger.book import Book
book = Book(Path(sys.argv[1]))
book.note(record(label="parent"))
child = os.fork()
book.note(record(label="after" if child else "child"))
assert book.flush(20)
if child:
    os.waitpid(child, 0)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_fork_begins_a_file_of_its_own(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", _FORKING, str(tmp_path)], check=True, timeout=60, cwd=Path(__file__).parents[2]
    )
    assert len(files(tmp_path)) == 2
    assert sorted(str(each.label) for each in on_disk(tmp_path)) == ["after", "child", "parent"]
