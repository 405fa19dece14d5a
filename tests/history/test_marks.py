"""A kept conversation is named, starred and erased alone: whoever has written it, whoever writes meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests import at_rest
from tests.history.turns import AN_HOUR_AGO, NOVEMBER, archive, kept, line, segment, turn, written
from tetrate_jupyter.ages import DAY
from tetrate_jupyter.errors import ConfigError, InputError, SecretInPromptError
from tetrate_jupyter.history import archive as module
from tetrate_jupyter.history import files, marks
from tetrate_jupyter.history.archive import Archive, tend
from tetrate_jupyter.history.turn import VERSION, KeptTurn, Mark, TurnHead, UnreadableTurn, decoded, encoded, marked
from tetrate_jupyter.ledger.segments import day_of
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def titles(found: Archive, words: str = "") -> list[str]:
    return [each.title for each in found.list(words, everywhere=True)[0]]


# --- names and stars ---------------------------------------------------------------------------------------------


def test_a_name_is_listed_searched_and_outlives_the_kernel(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn("What of the leavers?", root="a"), turn("Other.", root="b")])
    assert found.rename("a", "Churn analysis") == "Churn analysis"
    later = archive(tmp_path)
    (each,) = later.list("ANALYSIS leavers", everywhere=True)[0]
    assert (each.name, each.title, each.words) == ("Churn analysis", "Churn analysis", "What of the leavers?")
    assert later.opened("a").name == later.name_of("a") == "Churn analysis"
    later.rename("a", "Second")
    assert titles(found, "churn") == []
    assert found.rename("a", "  ") == ""
    assert sorted(titles(later)) == ["Other.", "What of the leavers?"]


def test_a_name_is_one_line_within_bounds_and_hides_nothing(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a")])
    name = found.rename("a", "\x1b[31mred\n\u202eevil \ud800" + "x" * 10_000)
    assert name.startswith("red [U+202E]evil")
    assert len(name) <= 120
    assert titles(found) == [name]


def test_a_key_in_a_name_is_refused_known_or_likely(tmp_path: Path) -> None:
    alive = Secret.typed("Zt3wVb6Yn1Xc5Lm9Rj2Hd7Qp4")
    found = kept(tmp_path, [turn(root="a")])
    for key in ("Zt3wVb6Yn1Xc5Lm9Rj2Hd7Qp4", "sk-not-known-0123456789abcdef"):
        with pytest.raises(SecretInPromptError) as caught:
            found.rename("a", f"mine is {key}")
        assert key not in str(caught.value)
        assert key.encode() not in written(tmp_path)
    assert titles(found) == ["Name a colour."]
    assert alive


def test_a_key_that_is_known_only_later_is_shown_nowhere(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a")])
    found.rename("a", "about Mf7Gs1Uj5Ya9Ek3Ol0Ib6Cv2")
    alive = Secret.typed("Mf7Gs1Uj5Ya9Ek3Ol0Ib6Cv2")
    assert titles(found) == ["about <secret>"]
    assert alive


def test_of_two_names_the_one_given_last_counts_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = kept(tmp_path, [turn(root="a")])
    found.rename("a", "first")
    clock = time.time
    monkeypatch.setattr(marks.time, "time", lambda: clock() - 86_400.0)
    archive(tmp_path).rename("a", "second")
    assert titles(found) == ["second"]


def test_stars_come_first_and_can_be_taken_away(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(name, root=name, t=AN_HOUR_AGO + n) for n, name in enumerate("abc")])
    found.star("a", on=True)
    assert titles(found) == ["a", "c", "b"]
    assert [each.starred for each in found.list(everywhere=True)[0]] == [True, False, False]
    assert [each.id for each in found.list(everywhere=True, most=1, stars=False)[0]] == ["c"]
    archive(tmp_path).star("a", on=False)
    assert titles(found) == ["c", "b", "a"]


def test_what_isnt_kept_takes_no_name_and_no_star(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a")])
    before = written(tmp_path)
    acts: list[Callable[[], object]] = [
        lambda: found.rename("gone", "x"),
        lambda: found.star("gone", on=True),
        lambda: found.erase_one("gone"),
    ]
    for act in acts:
        with pytest.raises(InputError, match="isn't kept any more"):
            act()
    assert written(tmp_path) == before
    shared = Archive(tmp_path, shared=lambda: "Voilà")
    with pytest.raises(ConfigError, match="Voilà"):
        shared.rename("a", "x")
    assert shared.name_of("a") == ""


def test_a_disk_that_takes_no_name_says_so(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a")])
    (tmp_path / "history" / "marks").write_text("in the way")
    with pytest.raises(ConfigError):
        found.rename("a", "x")
    assert titles(found) == ["Name a colour."]


def test_what_looks_for_turns_only_meets_no_marks(tmp_path: Path) -> None:
    """Versions that know no marks read `history/<month>` alone; a mark there would be a line that can't be read."""
    found = kept(tmp_path, [turn(root="a")])
    found.rename("a", "x")
    found.star("a", on=True)
    passed = files.Passed()
    heads = list(files.heads(files.files(tmp_path / "history", passed), passed))
    assert (len(heads), passed.said) == (1, ())


def test_bad_marks_cost_nothing_but_themselves(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a")])
    found.rename("a", "good")
    month = next((tmp_path / "history" / "marks").iterdir())
    bad = [
        b"garbage\n",
        b"[]\n",
        b'{"v":9,"t":1,"root":"a","name":"no"}\n',
        b'{"v":1,"t":1e300,"root":"a","name":"no"}\n',
    ]
    (month / "host-1-20261126T080000.000000.jsonl").write_bytes(b"".join(bad) + b'{"v":1,"torn')
    assert titles(found) == ["good"]
    with pytest.raises(UnreadableTurn):
        decoded(b'{"v":1,"t":1,"root":""}', Mark)


# --- erased ------------------------------------------------------------------------------------------------------


def test_one_goes_from_all_files_and_nothing_else_does(tmp_path: Path) -> None:
    day = day_of(AN_HOUR_AGO - 300 * DAY)
    old = segment(tmp_path, day=day)
    old.write_bytes(line(root="a", id="xyzzy", asked="xyzzy") + line(root="z", id="z", words="old") + b"garbage\n")
    one, other = archive(tmp_path), archive(tmp_path)
    first = turn("xyzzy one", root="a", branch="B1", notebook="n")
    one.put(first)
    one.put(turn("stays"))
    other.put(turn("xyzzy two", "xyzzy", root="a", after=first.id))
    other.put(turn("stays, too"))
    for each in (one, other):
        assert each.flush(30)
    one.rename("a", "about xyzzy")
    assert one.erase_one("a") == 3
    assert b"xyzzy" not in written(tmp_path)
    assert set(titles(other)) == {"stays", "stays, too", "old"}
    assert b"garbage\n" in old.read_bytes()
    with pytest.raises(InputError):
        other.opened("a")
    with pytest.raises(InputError):
        other.erase_one("a")
    assert written(tmp_path)
    assert {path.name for path in (tmp_path / "history").iterdir()} <= {"marks", f"{day[:4]}-{day[4:6]}", *_months()}


def _months() -> set[str]:
    return {f"{day_of(moment)[:4]}-{day_of(moment)[4:6]}" for moment in (time.time(), AN_HOUR_AGO)}


def test_files_stay_their_owners_alone(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a"), turn("stays")])
    found.erase_one("a")
    modes = {path.stat().st_mode & 0o777 for path in at_rest.files(tmp_path / "history")}
    assert modes == {0o600}


def test_a_kernel_whose_file_was_rewritten_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    writing, erasing = archive(tmp_path), archive(tmp_path)
    for number in range(20):
        writing.put(turn("xyzzy", root="a"))
        writing.put(turn(f"stays {number}"))
        assert writing.flush(30)
        erasing.erase_one("a")
    assert b"xyzzy" not in written(tmp_path)
    assert set(titles(erasing)) == {f"stays {number}" for number in range(20)}


WRITE = """
import sys
from pathlib import Path
from tests.history.turns import archive, turn
found = archive(Path(sys.argv[1]))
for number in range(300):
    found.put(turn(f"stays {number}", id=f"s{number}", root=f"s{number}"))
    assert found.flush(60)
"""


@pytest.mark.heavy
def test_what_is_written_while_a_file_is_rewritten_is_not_lost(tmp_path: Path) -> None:
    found = archive(tmp_path)
    other = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)])
    rounds = 0
    try:
        while other.poll() is None or rounds == 0:
            path = next((tmp_path / "history").glob("2*/*.jsonl"), None)
            if path is None:
                continue
            with path.open("ab") as file:
                file.write(line(root=f"a{rounds}", id=f"x{rounds}", asked="xyzzy"))
            found.erase_one(f"a{rounds}")
            rounds += 1
    finally:
        assert other.wait(120) == 0
    assert b"xyzzy" not in written(tmp_path)
    listed, passed = found.list(everywhere=True, most=1_000)
    assert {each.words for each in listed} == {f"stays {number}" for number in range(300)}
    assert passed.said == ()


def test_what_was_said_before_and_is_written_late_is_hidden_and_goes(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn("xyzzy", root="a"), turn("stays")])
    found.erase_one("a")
    later = kept(tmp_path, [turn("xyzzy", root="a", t=AN_HOUR_AGO)])  # a disk that was slow
    assert titles(later) == ["stays"]
    assert titles(later, "xyzzy") == []
    until = time.monotonic() + 60
    while b"xyzzy" in written(tmp_path) and time.monotonic() < until:
        time.sleep(0.01)  # another thread's work, which tells nobody
    assert b"xyzzy" not in written(tmp_path)


def test_what_is_said_in_it_afterwards_is_kept(tmp_path: Path) -> None:
    first = turn("xyzzy", root="a")
    found = kept(tmp_path, [first])
    found.erase_one("a")
    later = kept(tmp_path, [turn("And then?", root="a", after=first.id, t=time.time() + 1)])
    assert titles(later) == ["And then?"]
    assert later.opened("a").is_cut
    assert found.erase_one("a") == 1
    assert titles(later) == []


def test_a_fork_of_it_goes_on_where_it_left_it(tmp_path: Path) -> None:
    first = turn("xyzzy", root="a")
    found = kept(tmp_path, [first, turn("fork", root="f", after=first.id)])
    found.erase_one("a")
    opened = found.opened("f")
    assert [[each.asked for each in way] for way in opened.lines] == [["fork"]]
    assert opened.is_cut


def test_lines_of_it_that_cant_be_read_go_as_well(tmp_path: Path) -> None:
    path = segment(tmp_path)
    path.write_bytes(
        line(root="a", v=99, asked="xyzzy") + line(root="b", id="b", words="b") + b'{"root":"a","asked":"xy'
    )
    found = kept(tmp_path, [turn(root="a")])
    found.erase_one("a")
    assert path.read_bytes() == line(root="b", id="b", words="b")


def test_what_a_killed_one_left_half_written_goes(tmp_path: Path) -> None:
    found = kept(tmp_path, [turn(root="a"), turn("stays")])
    left = segment(tmp_path, ".0123456789abcdef.new")
    left.write_bytes(b"xyzzy")
    found.erase_one("a")
    assert not left.exists()


def test_what_cant_be_rewritten_is_said_and_listed_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = kept(tmp_path, [turn("xyzzy", root="a"), turn("stays")])
    monkeypatch.setattr(module.erasing.private_file, "write", _no_room)
    with pytest.raises(ConfigError, match=r"listed no more, but not yet erased from 1 files: No space left"):
        found.erase_one("a")
    assert titles(found) == ["stays"]
    monkeypatch.undo()
    archive(tmp_path).list(everywhere=True)
    until = time.monotonic() + 60
    while b"xyzzy" in written(tmp_path) and time.monotonic() < until:
        time.sleep(0.01)
    assert b"xyzzy" not in written(tmp_path)


def _no_room(path: Path, data: bytes) -> None:
    raise OSError(28, "No space left on device")


def test_erasing_all_takes_the_names_and_erasing_old_days_those_of_what_went(tmp_path: Path) -> None:
    segment(tmp_path, day="20261020").write_bytes(line(root="old", id="o", t=NOVEMBER - 3e6))
    found = kept(tmp_path, [turn(root="a")])
    found.rename("a", "name of a")
    month = next((tmp_path / "history" / "marks").iterdir())
    old = marked(Mark(v=VERSION, t=NOVEMBER - 2e6, root="old", name="name of old"))
    assert old is not None
    (month / "host-1-20261126T080000.000000.jsonl").write_bytes(old)
    assert found.erase(NOVEMBER - 1e6) == 1
    assert b"name of old" not in at_rest.text(month)
    assert titles(found) == ["name of a"]
    found.erase()
    assert written(tmp_path) == b""


def test_one_that_was_killed_while_it_erased_elsewhere_holds_up_nobody_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = kept(tmp_path, [turn("xyzzy", root="a"), turn("stays")])
    left = tmp_path / "history" / ".erasing.turn"
    left.write_bytes(b"another-machine 1 0123456789abcdef")
    assert module.erasing._SILENT < module.erasing._AT_MOST  # else its turn would never be taken away
    monkeypatch.setattr(module.erasing, "_SILENT", 0.05)
    found.erase_one("a")
    assert not left.exists()
    assert b"xyzzy" not in written(tmp_path)


# --- bounds ------------------------------------------------------------------------------------------------------


def days(tmp_path: Path) -> dict[str, list[str]]:
    paths = sorted((tmp_path / "history").glob("2*/*.jsonl"))
    return {
        path.name[7:15]: [decoded(each + b"\n", TurnHead).root for each in path.read_bytes().split()] for path in paths
    }


def test_starred_ones_stay_when_others_are_too_old_or_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(root: str) -> bytes:
        made = encoded(turn("x", root=root, id=root, t=NOVEMBER))
        assert made is not None
        return made.replace(b" ", b"")

    segment(tmp_path, day="20250101").write_bytes(some("star") + some("old"))
    for day in ("20261123", "20261124", "20261125"):
        segment(tmp_path, day=day).write_bytes(some(f"r{day}") * 100)
    size = len(some("r20261123")) * 100
    found = archive(tmp_path)
    found.star("star", on=True)
    folder = tmp_path / "history"
    assert tend(folder, NOVEMBER) == 1
    assert days(tmp_path)["20250101"] == ["star"]
    monkeypatch.setattr(module, "MOST_BYTES", 2 * size + size // 2)
    assert tend(folder, NOVEMBER) == 1
    assert list(days(tmp_path)) == ["20250101", "20261124", "20261125"]
    monkeypatch.setattr(module, "MOST_BYTES", 10)  # not even that one fits
    tend(folder, NOVEMBER)
    assert days(tmp_path) == {}


def test_what_a_starred_one_goes_on_from_stays_with_it(tmp_path: Path) -> None:
    first = turn("first", root="a")
    path = segment(tmp_path, day="20250101")
    more = [turn("second", root="a", after=first.id), turn("fork", root="f", after=first.id), turn("alone")]
    path.write_bytes(b"".join(encoded(each) or b"" for each in (first, *more)))
    found = archive(tmp_path)
    found.star("f", on=True)
    for day in ("20261124", "20261125", "20261126"):
        segment(tmp_path, day=day).write_bytes(line(root=day, id=day))
    assert tend(tmp_path / "history", NOVEMBER) == 1
    assert [each.asked for each in found.opened("f").lines[0]] == ["first", "fork"]
    assert not found.opened("f").is_cut
    kept_ = [decoded(each + b"\n", KeptTurn).asked for each in path.read_bytes().split(b"\n") if each]
    assert kept_ == ["first", "fork"]
