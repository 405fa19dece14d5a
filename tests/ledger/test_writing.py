"""No trouble with the ledger fails or delays a call, and what could not be written is written once that works again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ledger.records import on_disk, record
from tetrate_jupyter.ledger.book import Book
from tetrate_jupyter.ledger.record import encoded
from tetrate_jupyter.ledger.writing import MOST_WAITING, SegmentWriter

if TYPE_CHECKING:
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

DAY = "20261126"


def test_it_is_on_disk_when_it_is_settled(tmp_path: Path) -> None:
    writer = SegmentWriter(lambda: tmp_path)

    async def main() -> None:
        for number in range(50):
            writer.put(DAY, encoded(record()))
            if not await writer.settled():  # a disk that is busy with others
                assert writer.flush(20)
            assert len(on_disk(tmp_path)) == number + 1

    asyncio.run(main())


def test_threads_and_loops_at_once_lose_nothing(tmp_path: Path) -> None:
    writer = SegmentWriter(lambda: tmp_path)

    async def some() -> None:
        for _ in range(25):
            writer.put(DAY, encoded(record()))
            await writer.settled()

    async def many() -> None:
        await asyncio.gather(*(some() for _ in range(5)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert writer.flush(20)
    assert len({each.key for each in on_disk(tmp_path)}) == len(on_disk(tmp_path)) == 500


@pytest.mark.hangs
def test_a_disk_that_doesnt_answer_holds_up_no_call(tmp_path: Path) -> None:
    answers = threading.Event()

    def folder() -> Path:
        answers.wait(600)
        return tmp_path

    writer = SegmentWriter(folder)

    async def main() -> float:
        began = time.monotonic()
        for _ in range(20):
            writer.put(DAY, encoded(record()))
            assert not await writer.settled()
        return time.monotonic() - began

    assert asyncio.run(main()) < 120  # a hang would be the minutes of the disk; each waits a moment at the most
    answers.set()
    assert writer.flush(60)
    assert len(on_disk(tmp_path)) == 20


def test_a_disk_that_was_waited_for_in_vain_holds_up_no_other_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("PATIENCE", "_AT_MOST"):
        monkeypatch.setattr(f"tetrate_jupyter.ledger.writing.{bound}", 3.0)
    hangs, answers = threading.Event(), threading.Event()

    def folder() -> Path:
        hangs.set()
        answers.wait(600)
        return tmp_path

    writer = SegmentWriter(folder)

    async def main() -> float:
        writer.put(DAY, encoded(record()))
        assert not await writer.settled()
        began = time.monotonic()
        for _ in range(20):
            writer.put(DAY, encoded(record()))
            assert not await writer.settled()
        return time.monotonic() - began

    assert asyncio.run(main()) < 30  # each would have waited for 3 seconds
    assert hangs.is_set()
    answers.set()
    assert writer.flush(60)
    for bound in ("PATIENCE", "_AT_MOST"):
        monkeypatch.setattr(f"tetrate_jupyter.ledger.writing.{bound}", 60.0)

    async def later() -> bool:
        writer.put(DAY, encoded(record()))
        return await writer.settled()

    assert asyncio.run(later())  # which is waited for again
    assert len(on_disk(tmp_path)) == 22


def test_what_was_given_up_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("no folder")
    book = Book(tmp_path)
    for _ in range(MOST_WAITING + 1):
        book.note(record())
    (tmp_path / "ledger").unlink()
    book.note(record())  # which tries again
    assert book.flush(60)
    assert book.news() == "Some of what this kernel asked isn't in the ledger: too much of it waited for the disk."
    assert book.news() == ""


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    writer = SegmentWriter(lambda: tmp_path / "file")
    for _ in range(MOST_WAITING + 50):
        writer.put(DAY, b"x\n")
    assert not writer.flush(0.01)
    assert writer.given_up == 50


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from tests.ledger.records import record
from tetrate_jupyter.ledger.book import Book
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
book = Book(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
for _ in range(10):
    book.note(record())
    book.flush(20)
assert book.trouble, "the disk was not full"
assert book.news() and not book.news(), "said once"
full = sum(path.stat().st_size for path in Path(sys.argv[1]).rglob("*.jsonl"))
assert full <= 1_000
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
book.note(record())
assert book.flush(20)
assert not book.trouble
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limit to set")
def test_a_full_disk_is_said_once_and_all_is_written_when_there_is_room(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", _LIMITED, str(tmp_path)], check=True, timeout=60, cwd=root)
    assert len({each.key for each in on_disk(tmp_path)}) == len(on_disk(tmp_path)) == 11


def test_a_read_only_or_missing_home_is_said_once_and_calls_go_on(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path
) -> None:
    from tetrate_jupyter.face.session import Session

    (tmp_path / "ledger").write_text("in the way")
    session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge)
    session.model = "claude-haiku-4-5"
    first, second = session.ask("What is 2 + 2?"), session.ask("What is 3 + 3?")
    assert "4" in first.text
    assert "6" in second.text
    said = [note for answer in (first, second) for note in answer.notices if "ledger" in note]
    assert len(said) == 1
    (tmp_path / "ledger").unlink()
    session.ask("What is 4 + 4?")
    assert session.book.flush(20)
    assert len(on_disk(tmp_path)) == 3
    session.close()


def test_off_is_off(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRATE_JUPYTER_LEDGER", "off")
    answer = session.ask("What is 2 + 2?")
    assert not any("ledger" in note for note in answer.notices)
    assert not list(tmp_path.rglob("*.jsonl"))
    assert len(session.book.recent) == 1


_LOADING = """
import sys, os
from tetrate_jupyter.ledger.book import Book
from tests.ledger.records import record
Book(None).note(record())
"""


def test_what_was_noted_last_is_written_at_the_interpreters_exit(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "TETRATE_JUPYTER_LEDGER": str(tmp_path)}
    subprocess.run([sys.executable, "-c", _LOADING], check=True, timeout=60, cwd=root, env=environment)
    assert len(on_disk(tmp_path)) == 1
