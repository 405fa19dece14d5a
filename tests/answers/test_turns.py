"""Several kernels that keep answers in one file, also by two names of one home: none takes another's away."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.answers.samples import kept
from tests.compare.conftest import eventually
from tetrate_jupyter.answers import turn as turns
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.answers.turn import turn

if TYPE_CHECKING:
    from pathlib import Path

PUTS = 40

PUTTING = f"""
import sys
from pathlib import Path
from tests.answers.samples import kept
from tetrate_jupyter.answers.{{module}} import {{store}} as Store
store, who = Store(Path(sys.argv[1])), sys.argv[2]
for number in range({PUTS}):
    store.put(kept(f"{{{{who}}}} {{{{number}}}}"))
told = store.told()
assert not told, told
"""


@pytest.fixture
def views(tmp_path: Path) -> tuple[Path, Path]:
    """One folder by two names, as two machines may see a home."""
    (tmp_path / "home").mkdir()
    (tmp_path / "seen elsewhere").symlink_to("home")
    return tmp_path / "home", tmp_path / "seen elsewhere"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody lose a turn, or a place in line, for being slow."""
    for name in ("_SILENT", "_AT_MOST", "_NEXT", "_IN_LINE"):
        monkeypatch.setattr(turns, name, 1_000.0)


@pytest.mark.parametrize(("module", "store"), [("file", "FileStore"), ("database", "DatabaseStore")])
def test_kernels_that_write_at_once_lose_nothing(views: tuple[Path, Path], module: str, store: str) -> None:
    code, writers = PUTTING.format(module=module, store=store), 4
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(views[number % 2] / "answers.jsonl"), str(number)])
        for number in range(writers)
    ]
    assert [process.wait(150) for process in running] == [0] * writers
    made = getattr(__import__(f"tetrate_jupyter.answers.{module}", fromlist=[store]), store)
    found = made(views[0] / "answers.jsonl")
    assert found.summary().count == writers * PUTS
    found.close()
    if module == "file":
        assert [each.name for each in views[0].iterdir()] == ["answers.jsonl"]


@pytest.mark.skipif(os.name != "posix", reason="nobody is asked there whether a process is gone")
def test_whoever_was_killed_in_its_turn_has_lost_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_SILENT", 1_000.0)  # it is known at once
    path = tmp_path / "answers.jsonl"
    code = "import os, sys\nfrom pathlib import Path\nfrom tetrate_jupyter.answers.turn import turn\n"
    code += "with turn(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", code, str(path)], timeout=120, check=False)
    assert [each.name for each in tmp_path.iterdir()] == [".answers.jsonl.turn"]
    FileStore(path).put(kept("one"))
    assert [each.name for each in tmp_path.iterdir()] == ["answers.jsonl"]


@pytest.mark.skipif(os.name != "posix", reason="nobody is asked there whether a process is gone")
def test_whoever_was_killed_as_the_next_holds_up_nobody(tmp_path: Path, patient: None) -> None:
    path, ahead = tmp_path / "answers.jsonl", tmp_path / ".answers.jsonl.next"
    code = "import sys\nfrom pathlib import Path\nfrom tetrate_jupyter.answers.turn import turn\n"
    code += "with turn(Path(sys.argv[1]), silent=1_000.0, at_most=1_000.0):\n    pass\n"
    with turn(path), subprocess.Popen([sys.executable, "-c", code, str(path)]) as waiting:
        eventually(lambda: ahead.exists() and bool(ahead.read_bytes()))
        waiting.kill()
    assert ahead.exists()
    FileStore(path).put(kept("one"))
    assert [each.name for each in tmp_path.iterdir()] == ["answers.jsonl"]


@pytest.mark.parametrize("mark", ["turn", "next"])
def test_a_mark_that_nobody_may_remove_is_not_waited_for_again_and_again(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_AT_MOST", "_IN_LINE"):
        monkeypatch.setattr(turns, name, 1_000.0)  # a wait for either would be the test's time-out
    for name in ("_SILENT", "_NEXT"):
        monkeypatch.setattr(turns, name, 0.05)
    (tmp_path / f".answers.jsonl.{mark}").mkdir()  # stands for another person's in a folder with the sticky bit
    FileStore(tmp_path / "answers.jsonl").put(kept("one"))
    assert FileStore(tmp_path / "answers.jsonl").summary().count == 1


def test_one_that_waits_goes_before_one_that_has_had_its_turn(tmp_path: Path, patient: None) -> None:
    path, order = tmp_path / "answers.jsonl", []

    def another() -> None:
        with turn(path):
            order.append("another")

    waiting = threading.Thread(target=another, daemon=True)
    with turn(path):
        waiting.start()
        eventually((tmp_path / ".answers.jsonl.next").exists)
    with turn(path):
        order.append("the first again")
    waiting.join(60)
    assert order == ["another", "the first again"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mark", ["turn", "next"])
@pytest.mark.parametrize("left", [b"another-machine 1 0123456789abcdef", b"", b"nobody's words", b"\xff" * 3, None])
def test_what_another_machine_has_left_is_no_turn_for_ever(tmp_path: Path, left: bytes | None, mark: str) -> None:
    path, there = tmp_path / "answers.jsonl", tmp_path / f".answers.jsonl.{mark}"
    if left is None:
        there.symlink_to("nowhere")  # not to be read, as one of another person
    else:
        there.write_bytes(left)
    FileStore(path).put(kept("one"))
    assert FileStore(path).summary().count == 1
    assert [each.name for each in tmp_path.iterdir()] == ["answers.jsonl"]


def test_a_turn_that_is_used_is_waited_for_and_no_longer_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_SILENT", 1_000.0)
    monkeypatch.setattr(turns, "_AT_MOST", 0.2)
    path = tmp_path / "answers.jsonl"
    with turn(path):
        held = (tmp_path / ".answers.jsonl.turn").read_text()
        FileStore(path).put(kept("one"))  # without a turn, after a while
        assert FileStore(path).summary().count == 1
        assert (tmp_path / ".answers.jsonl.turn").read_text() == held
    assert held.startswith(f"{platform.node()} {os.getpid()} ")
    assert [each.name for each in tmp_path.iterdir()] == ["answers.jsonl"]


def test_where_no_turn_can_be_had_the_answer_is_kept_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("a file system of its own")

    monkeypatch.setattr(turns, "_make", refused)
    FileStore(tmp_path / "answers.jsonl").put(kept("one"))
    assert FileStore(tmp_path / "answers.jsonl").summary().count == 1
