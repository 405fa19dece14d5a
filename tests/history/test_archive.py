"""Turns are kept, listed, searched and erased, whatever is in their files, whoever else writes, whatever fails."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests import at_rest
from tests.history.turns import AN_HOUR_AGO, NOVEMBER, archive, kept, line, segment, turn, written
from tests.security.searched import is_root
from tetrate_jupyter.errors import ConfigError, InputError
from tetrate_jupyter.history import archive as module
from tetrate_jupyter.history import files
from tetrate_jupyter.history.archive import Archive, tend
from tetrate_jupyter.history.turn import MOST_LINE, WORDS, KeptTurn, Said, UnreadableTurn, decoded, encoded, first_words

if TYPE_CHECKING:
    from pathlib import Path


def words(found: Archive, *search: str, **options: Any) -> list[str]:
    listed, _ = found.list(*search, **{"everywhere": True, **options})
    return [each.words for each in listed]


def test_what_is_kept_is_listed_the_newest_first(tmp_path: Path) -> None:
    first = turn("One?", root="a", t=AN_HOUR_AGO, cost=Decimal("0.25"), notebook="sales.ipynb", served="served-1")
    second = turn(
        "Two?", root="a", t=AN_HOUR_AGO + 60, after=first.id, cost=None, notebook="sales.ipynb", model="other"
    )
    alone = turn("Three?", t=AN_HOUR_AGO + 30, notebook="others.ipynb")
    found = kept(tmp_path, [first, second, alone])
    listed, passed = found.list(everywhere=True)
    assert [(e.number, e.words, e.turns, e.models) for e in listed] == [
        (1, "One?", 2, ("served-1", "other")),
        (2, "Three?", 1, ("claude-haiku-4-5",)),
    ]
    assert [e.cost for e in listed] == [Decimal("0.25"), None]
    assert (listed[0].began, listed[0].ended) == (AN_HOUR_AGO, AN_HOUR_AGO + 60)
    assert passed.said == ()
    assert words(found, everywhere=False, notebook="sales.ipynb") == ["One?"]
    assert words(found, most=1) == ["One?"]


def test_files_are_their_owners_alone_from_the_first_moment(tmp_path: Path) -> None:
    os.umask(before := os.umask(0))
    os.umask(0)
    try:
        kept(tmp_path, [turn()])
    finally:
        os.umask(before)
    files = at_rest.files(tmp_path / "history")
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in files} == {0o700}


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Die STRASSE ist lang", "straße"),
        ("caf\u00e9 au lait", "CAFE\u0301"),
        ("the o\ufb03ce", "office"),
        ("\uff26\uff55\uff4c\uff4c width", "full"),
        ("a soft\u00adhyphen", "softhyphen"),
        ("Grüße 👩‍🔬 from the lab", "👩‍🔬"),
        ("\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165"),
        ("price of (a+b)*c", "(a+b)*c"),
        ("two words, far apart", "apart TWO"),
    ],
)
def test_a_search_finds_what_looks_the_same(tmp_path: Path, text: str, search: str) -> None:
    found = kept(tmp_path, [turn("Hello?", f"first line\n{text}\nlast"), turn("Nothing of it.")])
    assert words(found, search) == ["Hello?"]
    listed, _ = found.list(search, everywhere=True)
    assert listed[0].found
    assert "first line" not in listed[0].found


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (" ".join(["conversation"] * 40), f"{' '.join(['conversation'] * 9)}…"),
        ("Summarise:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nin one sentence", "Summarise: in one sentence"),
        ("| a | b |\n" * 900 + "Which row is odd?", "Which row is odd?"),
        ("Why does this fail?\n```python\n1 / 0\n```", "Why does this fail?"),
        ("Why does this fail?\n```python\n1 / 0", "Why does this fail?"),
        ("| a | b |\n| 1 | 2 |", "| a | b | | 1 | 2 |"),
        ("```\n1 / 0\n```", "``` 1 / 0 ```"),
        ("x" * 300, "x" * (WORDS - 1) + "…"),
        ("漢" * 300, "漢" * (WORDS - 1) + "…"),
        ("|x| is\nthe absolute value, right?", "|x| is the absolute value, right?"),
        ("Fix ```foo``` in this", "Fix ```foo``` in this"),
        ("short | not a table", "short | not a table"),
        ("", ""),
    ],
)
def test_a_title_is_a_questions_own_words_cut_at_a_word(text: str, title: str) -> None:
    assert first_words(text) == title
    assert first_words(title) == title  # lists make it of what is kept
    assert len(title) <= WORDS


def test_a_search_wants_every_word_wherever_in_the_conversation(tmp_path: Path) -> None:
    first = turn("About August.", root="a")
    found = kept(tmp_path, [first, turn("And Rome?", root="a", after=first.id), turn("August only.")])
    assert words(found, "rome august") == ["About August."]
    assert words(found, "paris") == []
    assert words(found, " ".join(["august"] * 10_000)) == ["August only.", "About August."]


def test_bad_lines_cost_nothing_but_themselves(tmp_path: Path) -> None:
    good = encoded(turn("Good."))
    assert good is not None
    bad = [
        b"garbage\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b"[" * 100_000 + b"\n",
        line(v=2),
        line(t=-1),
        line(t=1e300),
        line(id=""),
        line(cost="1e-999999999"),
        line(cost="NaN"),
        line(cost="9" * 400),
        b"x" * (MOST_LINE + 5_000) + b"\n",
    ]
    segment(tmp_path).write_bytes(b"".join([*bad, good, b'{"v":1,"torn']))
    found = archive(tmp_path)
    listed, passed = found.list(everywhere=True)
    assert [each.words for each in listed] == ["Good."]
    assert passed.lines == len(bad)
    assert passed.said == (f"{len(bad)} lines can't be read.",)


def test_odd_values_are_shown_on_one_line_within_bounds(tmp_path: Path) -> None:
    path = segment(tmp_path)
    path.write_bytes(line(words="\x1b[31mred\n\u202eevil" + "x" * 10_000, model="m" * 10_000, notebook="\x1b]0;t\x07n"))
    (each,), _ = archive(tmp_path).list(everywhere=True)
    assert each.words.startswith("red [U+202E]evil")
    assert len(each.words) <= 120
    assert len(each.models[0]) <= 200
    assert each.notebook == "n"


def test_links_pipes_and_the_files_of_others_are_passed_over(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.jsonl").write_bytes(line(words="elsewhere"))
    segment(tmp_path, "link.jsonl").symlink_to(elsewhere / "a.jsonl")
    (tmp_path / "history" / "2001-01").symlink_to(elsewhere)
    os.mkfifo(segment(tmp_path, "pipe.jsonl"))
    segment(tmp_path, "folder.jsonl").mkdir()
    bad = 3  # a month that is a link is none at all
    if is_root():
        other = segment(tmp_path, "other.jsonl")
        other.write_bytes(line(words="another's"))
        os.chown(other, 12345, 12345)
        bad += 1
    found = kept(tmp_path, [turn("Mine.")])
    listed, passed = found.list(everywhere=True)
    assert [each.words for each in listed] == ["Mine."]
    assert passed.files == bad
    assert found.erase() == 1
    assert (elsewhere / "a.jsonl").read_bytes() == line(words="elsewhere")


def test_a_file_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    path = segment(tmp_path)
    path.write_bytes(line())
    path.chmod(0o644)
    assert words(archive(tmp_path)) == ["Who?"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_is_a_link_is_neither_written_nor_read(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / "history").symlink_to(elsewhere)
    found = archive(tmp_path)
    found.put(turn())
    found.flush(30)
    assert "link" in found.trouble
    assert list(elsewhere.iterdir()) == []
    with pytest.raises(ConfigError):
        found.list()


WRITE = """
import sys
from pathlib import Path
from tests.history.turns import archive, turn
found = archive(Path(sys.argv[1]))
for number in range(200):
    found.put(turn(f"{sys.argv[2]} {number}", "x" * 5000, id=f"{sys.argv[2]}{number}", root=f"{sys.argv[2]}{number}"))
assert found.flush(60)
"""


def test_two_processes_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    both = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), name]) for name in ("one", "two")]
    assert [each.wait(120) for each in both] == [0, 0]
    listed, passed = archive(tmp_path).list(everywhere=True, most=1_000)
    assert {each.words for each in listed} == {f"{name} {n}" for name in ("one", "two") for n in range(200)}
    assert passed.said == ()


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.history.turns import archive, turn
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
found = archive(Path(sys.argv[1]))
found.put(turn("first", "x" * 1000))
assert found.flush(60)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
found.put(turn("second", "x" * 5000))
assert not found.flush(2)
print(found.news())
print(repr(found.news()))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
found.put(turn("third"))
assert found.flush(60)
print([each.words for each in found.list(everywhere=True)[0]], repr(found.trouble))
"""


def test_a_full_disk_is_said_once_and_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "What is said can't be kept: File too large. It is kept once that works again.",
        "''",
        "['third', 'second', 'first'] ''",
    ]


def test_a_disk_that_never_answers_costs_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(module, "_MOST_WAITING", 640_000)  # each text is searched for every key of this process
    found = archive(tmp_path)
    monkeypatch.setattr(found._writer, "_folder", lambda: answers.wait(600) and tmp_path / "history")
    size = len(encoded(turn("n", "x" * 10_000)) or b"")
    for number in range(100):
        found.put(turn(f"{number}", "x" * 10_000))
    assert found._writer._bytes <= module._MOST_WAITING
    assert found._writer.given_up >= 100 - module._MOST_WAITING // size - 1
    answers.set()
    assert found.flush(60)
    assert found._writer._bytes == 0
    assert found.news() == "Some of what was said isn't kept: too much of it waited for the disk."
    assert found.news() == ""
    assert asyncio.run(found._writer.settled())  # what was given up is no longer waited for
    assert len(words(found, most=1_000)) >= 100 - found._writer.given_up  # one may be given up while it is written


def test_an_answer_waits_until_its_turn_is_on_disk(tmp_path: Path) -> None:
    found = archive(tmp_path)

    async def main() -> None:
        found.put(turn("There?"))
        if await found.settled() or found.flush(30):
            assert b"There?" in written(tmp_path)

    asyncio.run(main())


def test_what_is_too_long_is_cut_and_says_so(tmp_path: Path) -> None:
    long = turn("q" * 3_000_000, "a" * 4_000_000, reasoning="r" * 100, typed="t" * 3_000_000)
    made = encoded(long)
    assert made is not None
    assert len(made) <= MOST_LINE + 1
    found = decoded(made, KeptTurn)
    assert found.shortened
    assert found.asked.startswith("qqq")
    assert "characters were not kept]" in found.asked
    assert found.replies[-1].text.startswith("aaa")
    many = encoded(
        turn(replies=tuple(Said("tool", "x" * 10_000, call_id="1") for _ in range(1_000)), notices=("n" * 9,) * 10**5)
    )
    assert many is not None
    assert len(many) <= MOST_LINE + 1


def test_the_oldest_go_by_size_and_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = line() * 100
    for day in ("20261123", "20261124", "20261125"):
        segment(tmp_path, day=day).write_bytes(data)
    old = tmp_path / "history" / "2025-01"
    old.mkdir(mode=0o700)
    (old / "host-1-20250101T080000.000000.jsonl").write_bytes(data)
    folder = tmp_path / "history"
    assert tend(folder, NOVEMBER) == 1
    assert not old.exists()
    monkeypatch.setattr(module, "MOST_BYTES", 2 * len(data) + 10)
    assert tend(folder, NOVEMBER) == 1
    assert {path.name[7:15] for path in folder.rglob("*.jsonl")} == {"20261124", "20261125"}


def test_erasing_goes_by_whole_days(tmp_path: Path) -> None:
    found = archive(tmp_path)
    for number, day in enumerate(("20261120", "20261126")):
        segment(tmp_path, day=day).write_bytes(line(root=f"{number}", id=f"{number}") * 3)
    assert found.erase(NOVEMBER) == 3
    assert [each.id for each in found.list(everywhere=True)[0]] == ["1"]
    assert found.erase() == 3
    assert found.list(everywhere=True)[0] == ()
    found.put(turn("After."))  # a kernel that goes on writes on
    assert words(found) == ["After."]


def test_where_several_people_meet_nothing_is_kept_or_read(tmp_path: Path) -> None:
    kept(tmp_path, [turn("Private.")])
    before = written(tmp_path)
    found = Archive(tmp_path, shared=lambda: "Voilà")
    found.put(turn("Visitor."))
    assert found.flush(30)
    assert written(tmp_path) == before
    assert "Voilà" in found.news()
    assert found.news() == ""
    for act in (found.list, found.erase, lambda: found.opened("x")):
        with pytest.raises(ConfigError, match="Voilà"):
            act()


def test_a_conversation_comes_back_with_its_branches(tmp_path: Path) -> None:
    a = turn("a", root="r", branch="B1", t=AN_HOUR_AGO + 1)
    b = turn("b", root="r", branch="B1", after=a.id, t=AN_HOUR_AGO + 2)
    c = turn("c", root="r", branch="B1", after=b.id, t=AN_HOUR_AGO + 3)
    other = turn("b2", root="r", branch="B2", after=a.id, t=AN_HOUR_AGO + 4)
    better = turn("b, better", root="r", branch="B1", after=a.id, t=AN_HOUR_AGO + 5, id=b.id)
    forked = turn("d", root="fork", branch="B3", after=c.id, t=AN_HOUR_AGO + 6)
    found = kept(tmp_path, [c, better, other, a, b, forked])
    assert [[each.asked for each in way] for way in found.opened("r").lines] == [["a", "b2"], ["a", "b, better", "c"]]
    assert [[each.asked for each in way] for way in found.opened("fork").lines] == [["a", "b, better", "c", "d"]]
    assert not found.opened("r").is_cut
    assert found.list(everywhere=True)[0][1].turns == 4
    with pytest.raises(InputError):
        found.opened("gone")


def test_a_line_whose_beginning_is_gone_or_that_goes_in_circles_is_opened(tmp_path: Path) -> None:
    late = turn("late", root="cut", after="gone")
    segment(tmp_path).write_bytes(line(id="x", after="y") + line(id="y", after="x", t=AN_HOUR_AGO + 1))
    found = kept(tmp_path, [late])
    assert found.opened("cut").is_cut
    assert [len(way) for way in found.opened("r").lines] == [2]


def test_a_long_conversation_is_opened_in_linear_time(tmp_path: Path) -> None:
    before, lines = "", []
    for number in range(5_000):
        lines.append(line(id=f"{number}", after=before, t=AN_HOUR_AGO + number))
        before = f"{number}"
    segment(tmp_path).write_bytes(b"".join(lines))
    assert [len(way) for way in archive(tmp_path).opened("r").lines] == [5_000]


def test_more_lines_than_can_be_held_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment(tmp_path).write_bytes(b"".join(line(id=f"{number}", root=f"{number}") for number in range(50)))
    monkeypatch.setattr(files, "MOST_TURNS", 20)
    listed, passed = archive(tmp_path).list(everywhere=True)
    assert len(listed) == 20
    assert passed.files == 1


def test_figures_that_cant_be_cost_no_turn() -> None:
    odd = turn(tokens=(10**12, -1, 5, None, 0), cost=Decimal("NaN"), first=-1.0, total=1e12, at=-5.0)
    found = decoded(encoded(odd) or b"", KeptTurn)
    assert found.tokens == (None, None, 5, None, 0)
    assert (found.cost, found.first, found.total, found.at) == (None, None, None, None)


def test_a_turn_of_another_version_is_no_turn() -> None:
    with pytest.raises(UnreadableTurn):
        decoded(line(v=99), KeptTurn)
