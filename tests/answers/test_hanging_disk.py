"""A disk that hangs holds up no question, no answer and no kernel's end; what waits for it is written later."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers.samples import kept, key
from tetrate_jupyter.answers.aside import MOST_WAITING, Aside, aside
from tetrate_jupyter.answers.database import DatabaseStore
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.face.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tetrate_jupyter.answers.kept import Kept, Store
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter

pytestmark = pytest.mark.hangs

# Another process that has a lease of a file: who opens it waits until that gives it back, at most 45 seconds.
LEASING = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(os.open(sys.argv[1], os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def hanging(path: Path) -> Iterator[Callable[[], object]]:
    """Have every opening of a file hang, until the block ends or what it gets is called."""
    with subprocess.Popen(
        [sys.executable, "-c", LEASING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        if holder.stdout.readline() != b"held\n":
            pytest.skip("this file system knows no leases")
        yield holder.stdin.close
        holder.stdin.close()


class Hanging:
    """A place whose disk answers when somebody says so."""

    def __init__(self, path: Path) -> None:
        self.answers = threading.Event()
        self.place = aside("answers.jsonl", self._made)
        self._path = path

    def _made(self, alive: Callable[[], None]) -> FileStore:
        self.answers.wait(600)
        return FileStore(self._path, alive=alive)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def said(place: Aside, words: str) -> int:
    return sum(words in each for each in place.told())


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no leases")
def test_a_question_goes_on_where_the_disk_hangs_and_that_is_said_once(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path
) -> None:
    def begun() -> Session:
        return Session(
            base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge, model="claude-haiku-4-5"
        )

    first = begun()
    first.ask("one", cached=True, keep=False)
    first.close()
    (database,) = tmp_path.rglob("answers.sqlite")
    session = begun()
    with hanging(database) as let_go:
        began = time.monotonic()
        answers = [session.ask(text, cached=True, keep=False) for text in ("one", "two", "three")]
        assert time.monotonic() - began < 40, "it has waited for the disk"
        assert not any(answer.cached for answer in answers)
        told = [note for answer in answers for note in answer.notices if "doesn't answer" in note]
        assert len(told) == len(set(told)) == 2  # of looking up, and of keeping
        let_go()
        place = session.keeper.store("on")
        assert isinstance(place, Aside)
        assert place.flush(60)
        assert place.summary().count == 3  # by then it is read again, too
    assert [session.ask(text, cached=True, keep=False).cached for text in ("two", "three")] == [True, True]
    session.close()


class Pausing:
    """A place on a disk that answers so many lookups, and the next ones when somebody says so."""

    def __init__(self, place: Store, first: int) -> None:
        self.is_asked, self.answers = threading.Event(), threading.Event()
        self._place = place
        self._first = first

    def get(self, key: str) -> Kept | None:
        self._first -= 1
        if self._first < 0:
            self.is_asked.set()
            self.answers.wait(600)
        return self._place.get(key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)


def test_other_questions_go_on_while_a_comparison_looks_for_its_kept_answers(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tetrate_jupyter.answers.aside.LOOKUP", 30.0)
    session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge)
    session.compare("one", "claude-haiku-4-5", cached=True)
    place = session.keeper.store("on")
    assert isinstance(place, Aside)
    disk = Pausing(place._store(), first=2)  # that one is kept and the other isn't is found out in a thread
    monkeypatch.setattr(place, "_made", disk)
    with ThreadPoolExecutor(1) as beside:
        comparing = beside.submit(session.compare, "one", "claude-haiku-4-5,gpt-6-luna", cached=True)
        assert disk.is_asked.wait(60)
        assert session.ask("two", model="claude-haiku-4-5", keep=False).text
        assert not comparing.done()
        disk.answers.set()
    assert [row.cached for row in comparing.result().rows] == [True, False]
    session.close()


def test_an_answer_is_on_disk_when_it_was_put(path: Path) -> None:
    place = aside("answers.jsonl", lambda alive: FileStore(path, alive=alive))
    for number in range(20):
        place.put(kept(str(number)))
        assert place.flush(60)  # at once, unless the disk is busy with others
        assert FileStore(path).get(key(str(number))) is not None
    assert place.get(key("0")) is not None


def test_what_waits_is_written_together_once_the_disk_answers(path: Path) -> None:
    disk = Hanging(path)
    for number in range(20):
        disk.place.put(kept(str(number)))
    assert not disk.place.flush(0)
    assert disk.place.get(key("1")) == kept("1")  # it isn't paid for again
    assert disk.place.get(key("20")) is None
    assert disk.place.chosen() == ()
    told = disk.place.told()
    assert len(told) == 2
    assert all("doesn't answer" in each for each in told)
    disk.answers.set()
    assert disk.place.flush(60)
    assert disk.place.flush(0)
    assert FileStore(path).summary().count == disk.place.summary().count == 20
    assert disk.place.get(key("1")) is not None
    assert disk.place.told() == ()


def test_while_the_disk_hangs_nobody_waits_for_it_but_the_first(path: Path) -> None:
    disk = Hanging(path)
    began = time.monotonic()
    for number in range(900):
        assert disk.place.get(key(str(number))) is None
        disk.place.put(kept(str(number)))
    assert time.monotonic() - began < 120  # each lookup a second, and each answer a quarter of one, would be far more
    disk.answers.set()
    assert disk.place.flush(60)
    assert FileStore(path).summary().count == 900


def test_what_waits_is_bounded(path: Path) -> None:
    disk = Hanging(path)
    for number in range(MOST_WAITING + 50):
        disk.place.put(kept(str(number)))
    assert said(disk.place, "given up") == 1
    disk.answers.set()
    assert disk.place.flush(60)
    found = FileStore(path)
    assert found.summary().count == MOST_WAITING + 1  # the first was on its way
    assert [found.get(key(str(number))) is not None for number in (0, 1, 49, 50)] == [True, False, False, True]


def test_what_is_asked_by_hand_is_told_that_the_disk_hangs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tetrate_jupyter.answers.aside._BY_HAND", 0.1)
    disk = Hanging(path)
    with pytest.raises(ConfigError, match="doesn't answer"):
        disk.place.clear()
    assert disk.place.summary().count == 0
    with pytest.raises(ConfigError, match="doesn't answer"):
        _ = disk.place.path
    disk.place.close()
    disk.answers.set()
    assert disk.place.clear() == 0
    assert disk.place.path == path


def test_what_a_file_system_raises_costs_no_answer(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 300) / "answers.sqlite"
    place = aside("your own store", lambda _: DatabaseStore(long))
    assert place.get(key("a")) is None
    assert said(place, "can't be used now") == 1
    place.put(kept("a"))
    assert place.flush(60)
    assert place.told()


ENDING = """
import sys, threading
from pathlib import Path
from tests.answers.samples import kept
from tetrate_jupyter.answers.aside import aside
place = aside("answers.jsonl", lambda _: threading.Event().wait(600))
place.put(kept("a"))
assert place.get("a") is None
"""

LATE = """
import sys, threading
from pathlib import Path
from tests.answers.samples import kept
from tetrate_jupyter.answers.aside import aside
from tetrate_jupyter.answers.file import FileStore
ends = threading.Event()
def made(alive):
    ends.wait(600)
    return FileStore(Path(sys.argv[1]))
place = aside("answers.jsonl", made)
place.put(kept("a"))
assert not place.flush(0)
ends.set()
"""

FORKING = """
import os, sys
from pathlib import Path
from tests.answers.samples import kept, key
from tetrate_jupyter.answers.aside import aside
from tetrate_jupyter.answers.file import FileStore
place = aside("answers.jsonl", lambda _: FileStore(Path(sys.argv[1])))
place.put(kept("parent"))
child = os.fork()
if not child:
    place.put(kept("child"))
    found = place.get(key("parent")) is not None and place.flush(60)
    os._exit(not found)
assert os.waitpid(child, 0)[1] == 0
place.put(kept("after"))
assert place.flush(60)
assert all(place.get(key(name)) for name in ("parent", "child", "after"))
"""


@pytest.mark.parametrize("code", [ENDING, LATE], ids=["hangs", "late"])
def test_the_end_of_a_kernel_waits_for_no_disk_that_hangs_and_for_one_that_is_late(path: Path, code: str) -> None:
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=120)
    assert path.exists() is (code == LATE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")
def test_a_fork_has_threads_and_what_waits_of_its_own(path: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING, str(path)], check=True, timeout=120)


def test_a_pipe_in_the_place_of_a_turn_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path.with_name(".answers.jsonl.turn"))
    FileStore(path).put(kept("a"))
    assert FileStore(path).get(key("a")) is not None
