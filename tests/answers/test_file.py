"""The file beside a notebook: read as far as it can be, merged line by line, written whole, without a key."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.answers.samples import kept, key
from tetrate_jupyter.answers import file as module
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.answers.kept import line_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def line(name: str, text: str = "yes", **more: object) -> bytes:
    found = line_of(kept(name, text, **more))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_an_answer_comes_back_in_another_process(path: Path) -> None:
    given = kept("a", "Ja, ö 👍 \u2028", cost="0.000036", tokens=(11, 5, 0, None, None), simulated=True)
    FileStore(path).put(given)
    assert FileStore(path).get(key("a")) == given
    assert FileStore(path).get(key("b")) is None


def test_the_file_is_sorted_with_one_line_for_each_answer_and_of_the_usual_mode(path: Path) -> None:
    store = FileStore(path)
    for name in "cabab":
        store.put(kept(name, name * 3))
    lines = path.read_bytes().splitlines()
    assert lines == sorted(lines, key=lambda each: each.split(b'"key":')[1])
    assert len(lines) == 3
    plain = path.with_name("plain")
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    assert {each.name for each in path.parent.iterdir()} == {"answers.jsonl", "plain"}


def test_the_same_answers_make_the_same_bytes(path: Path) -> None:
    one, other = FileStore(path), FileStore(path.with_name("other.jsonl"))
    for name in "abc":
        one.put(kept(name))
    for name in "cba":
        other.put(kept(name))
    assert path.read_bytes() == other.path.read_bytes()


def test_a_mode_and_a_link_are_left_as_they_are(path: Path) -> None:
    real = path.with_name("real.jsonl")
    real.write_bytes(line("a") + b"\n")
    real.chmod(0o640)
    path.symlink_to(real)
    FileStore(path).put(kept("b"))
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert len(real.read_bytes().splitlines()) == 2


def test_what_git_merges_line_by_line_has_both_sides(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        options = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *options, *words], cwd=tmp_path, check=True, capture_output=True)

    path = tmp_path / "answers.jsonl"
    git("init")
    (tmp_path / ".gitattributes").write_text("answers.jsonl merge=union\n")
    FileStore(path).put(kept("both", "old"))
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "side")
    for name in ("both", "side 1", "side 2"):
        FileStore(path).put(kept(name, "side", days_ago=-1))
    git("commit", "-am", "two")
    git("checkout", "main")
    for name in ("both", "main 1", "main 2"):
        FileStore(path).put(kept(name, "main", days_ago=-2))
    git("commit", "-am", "three")
    git("merge", "side")
    merged = FileStore(path)
    found = {name: merged.get(key(name)) for name in ("both", "side 1", "side 2", "main 1", "main 2")}
    assert {name: each and each.text for name, each in found.items()} == {
        "both": "main", "side 1": "side", "side 2": "side", "main 1": "main", "main 2": "main",
    }  # fmt: skip


def test_conflict_marks_and_duplicates_are_said_read_past_and_gone_after_the_next_answer(path: Path) -> None:
    path.write_bytes(
        b"<<<<<<< HEAD\n" + line("a", "new") + b"\n||||||| base\n" + line("a", "old", days_ago=3)
        + b"\n=======\r\n" + line("b") + b"\r\n\n>>>>>>> side\n"
    )  # fmt: skip
    store = FileStore(path)
    found = store.get(key("a"))
    assert found is not None
    assert found.text == "new"
    (said,) = store.told()
    assert "lines 1, 3, 5, 8" in said
    store.put(kept("c"))
    assert store.told() == ()
    assert len(path.read_bytes().splitlines()) == 3
    assert b"<<<" not in path.read_bytes()


@pytest.mark.parametrize("cut", [1, 9, 40, 100, 140])
def test_a_torn_line_costs_that_answer_alone(path: Path, cut: int) -> None:
    path.write_bytes(line("a") + b"\n" + line("b")[:cut] + b"\n" + line("c") + b"\n")
    store = FileStore(path)
    assert [store.get(key(name)) is not None for name in "abc"] == [True, False, True]
    (said,) = store.told()
    assert "1 line is no answer (line 2)" in said


def test_a_file_that_holds_a_torn_answer_alone_is_used_again(path: Path) -> None:
    path.write_bytes(line("a")[:60])
    store = FileStore(path)
    store.put(kept("a"))
    assert path.read_bytes() == line("a") + b"\n"


def test_lines_of_a_newer_version_and_foreign_ones_stay(path: Path) -> None:
    newer = line("new").replace(b'"v":1', b'"v":2')
    path.write_bytes(line("a") + b"\n" + newer + b'\n{"note": "of a person"}\n')
    store = FileStore(path)
    store.put(kept("b"))
    assert newer in path.read_bytes().splitlines()
    assert b'{"note": "of a person"}' in path.read_bytes().splitlines()
    assert store.get(key("new")) is None
    assert any("newer version" in said for said in store.told())


@pytest.mark.parametrize("content", [b'{"review": "good"}\n{"review": "bad"}\n', b"\x00\xff\n" * 9, b"[1]"])
def test_a_file_of_something_else_is_never_written(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    store = FileStore(path)
    store.put(kept("a"))
    assert path.read_bytes() == content
    assert store.get(key("a")) is None
    assert "isn't used" in store.told()[0]
    store.clear()
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "odd",
    [
        {"cost": "NaN"}, {"cost": "-1"}, {"cost": "1e99"}, {"cost": "x"}, {"text": " "}, {"total": -1.0},
        {"tokens": (10**12, 1, 1, 1, 1)}, {"first": 1e300},
    ],
)  # fmt: skip
def test_figures_that_no_answer_has_are_no_answer(path: Path, odd: dict[str, object]) -> None:
    path.write_bytes(line("a", **odd) + b"\n" + line("b"))
    store = FileStore(path)
    assert store.get(key("a")) is None
    assert store.get(key("b")) is not None
    assert store.told()


def test_another_kernels_answers_are_seen_and_kept(path: Path) -> None:
    one, other = FileStore(path), FileStore(path)
    one.put(kept("a"))
    other.put(kept("b"))
    one.put(kept("c"))
    assert all(store.get(key(name)) for store in (one, other) for name in "abc")


def test_many_threads_lose_nothing(path: Path) -> None:
    store = FileStore(path)
    threads = [threading.Thread(target=lambda n=n: [store.put(kept(f"{n} {i}")) for i in range(5)]) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(path.read_bytes().splitlines()) == 80
    assert FileStore(path).summary().count == 80


def test_what_cant_be_written_is_said_and_raises_nothing(path: Path) -> None:
    store = FileStore(path.parent / "nowhere" / "answers.jsonl")
    store.put(kept("a"))
    (said,) = store.told()
    assert "can't be written" in said
    path.mkdir()
    folder = FileStore(path)
    folder.put(kept("a"))
    assert folder.get(key("a")) is None
    assert "can't be read" in folder.told()[0]
    assert folder.clear() == 0


def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    store = FileStore(path)
    assert store.get(key("a")) is None
    assert "isn't a regular file" in store.told()[0]


def test_the_oldest_go_where_there_are_too_many_bytes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 5 * len(line("00")) + 10)
    store = FileStore(path)
    for number in range(9):
        store.put(kept(f"{number:02}", days_ago=9 - number))
    assert [store.get(key(f"{number:02}")) is not None for number in range(9)] == [False] * 4 + [True] * 5


def test_a_private_file_is_private_from_its_beginning_and_forgets(path: Path) -> None:
    now = datetime.now(timezone.utc)
    store = FileStore(path.parent / "new" / "answers.jsonl", is_private=True, days=10)
    store.put(kept("a", now=now, days_ago=11))
    store.put(kept("b", now=now, days_ago=9))
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    assert store.get(key("a")) is None
    assert store.get(key("b")) is not None


def test_clearing_by_age_and_all(path: Path) -> None:
    now = datetime.now(timezone.utc)
    store = FileStore(path)
    for days in range(4):
        store.put(kept(str(days), now=now, days_ago=days))
    assert store.clear(before=now - timedelta(days=1.5)) == 2
    assert store.summary().count == 2
    assert store.clear() == 2
    assert not path.exists()
