"""A person's own answers: private, bounded, and no trouble for who asks, whatever is wrong with the file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.answers.samples import kept, key
from tetrate_jupyter.answers.database import DatabaseStore
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatabaseStore]:
    made = DatabaseStore(tmp_path / "answers" / "answers.sqlite", days=30)
    yield made
    made.close()


def test_an_answer_comes_back_after_the_end_of_the_kernel(store: DatabaseStore) -> None:
    given = kept("a", "Ja ö 👍", now=NOW, cost="0.1")
    store.put(given)
    store.close()
    after = DatabaseStore(store.path, days=30)
    assert after.get(key("a")) == given
    after.close()
    assert store.get(key("b")) is None
    newer = kept("a", "nein", now=NOW)
    store.put(newer)
    assert store.get(key("a")) == newer
    assert store.told() == ()


def test_looking_makes_no_file(store: DatabaseStore) -> None:
    assert store.get(key("a")) is None
    assert store.chosen() == ()
    assert store.summary().count == 0
    assert store.clear() == 0
    assert not store.path.parent.exists()


def test_every_file_of_it_is_private_from_its_first_moment(store: DatabaseStore) -> None:
    before = os.umask(0)
    try:
        store.put(kept("a", now=NOW))
    finally:
        os.umask(before)
    files = list(store.path.parent.iterdir())
    assert {file.name for file in files} >= {"answers.sqlite", "answers.sqlite-wal"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_one_that_others_may_read_is_closed(store: DatabaseStore) -> None:
    store.put(kept("a", now=NOW))
    store.close()
    store.path.chmod(0o644)
    assert store.get(key("a")) is not None
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_a_link_in_its_place_is_not_followed(store: DatabaseStore, tmp_path: Path) -> None:
    store.path.parent.mkdir()
    store.path.symlink_to(tmp_path / "elsewhere")
    store.put(kept("a", now=NOW))
    assert not (tmp_path / "elsewhere").exists()
    assert store.told()


def test_the_old_go_and_the_model_that_nobody_named_is_known(store: DatabaseStore) -> None:
    store.put(kept("old", now=NOW, days_ago=33, chosen=True, model="gpt-old"))
    store.put(kept("a", now=NOW, days_ago=2, chosen=True, model="gpt-5"))
    store.put(kept("b", now=NOW, days_ago=1, chosen=True, model="gpt-6"))
    store.put(kept("c", now=NOW, model="gpt-7"))
    assert store.get(key("old")) is None
    assert store.chosen() == ("gpt-6", "gpt-5")
    assert store.summary().count == 3


def test_too_many_bytes_let_the_oldest_go(tmp_path: Path) -> None:
    store = DatabaseStore(tmp_path / "answers.sqlite", most=400_000)
    for number in range(60):
        store.put(kept(str(number), "x" * 20_000, now=NOW, days_ago=60 - number))
    assert store.get(key("0")) is None
    assert store.get(key("59")) is not None
    assert 10 < store.summary().count < 25
    store.close()


def test_clearing_takes_the_text_from_the_disk(store: DatabaseStore) -> None:
    for days in reversed(
        range(5)
    ):  # as they come; what seems older than the third newest day has another date (`ages`)
        store.put(kept(str(days), f"MARK{days} " * 500, now=NOW, days_ago=days))
    assert store.clear(before=NOW - timedelta(days=2.5)) == 2
    assert store.summary().count == 3
    assert store.clear() == 3
    store.close()
    assert not any(b"MARK" in file.read_bytes() for file in store.path.parent.iterdir())


@pytest.mark.parametrize("content", [b"no database at all" * 300, b"SQLite format 3\0" + b"\xff" * 8_000])
def test_a_damaged_file_is_said_once_and_begun_anew(store: DatabaseStore, content: bytes) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    assert store.get(key("a")) is None
    (said,) = store.told()
    assert "damaged" in said
    store.put(kept("a", now=NOW))
    assert store.get(key("a")) is not None
    assert store.told() == ()


def test_a_file_that_is_deleted_under_a_running_kernel_is_made_again(store: DatabaseStore) -> None:
    store.put(kept("a", now=NOW))
    for file in store.path.parent.iterdir():
        file.unlink()
    assert store.get(key("a")) is None
    store.put(kept("b", now=NOW))
    assert store.get(key("b")) is not None


def test_kernels_that_begin_it_at_once_wait_for_each_other(store: DatabaseStore) -> None:
    store.path.parent.mkdir(parents=True, exist_ok=True)
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # as one does that makes the tables
    other.execute("CREATE TABLE something (a)")
    done = threading.Timer(0.3, other.execute, ["COMMIT"])
    done.start()
    store.put(kept("one"))
    assert store.told() == ()
    assert store.summary().count == 1
    done.join()
    other.close()


def test_another_kernel_that_writes_for_long_is_not_waited_for(store: DatabaseStore) -> None:
    store.put(kept("a", now=NOW))
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put(kept("b", now=NOW))  # comes back; what isn't kept is asked again
    assert store.get(key("a")) is not None
    assert "can't be used now" in store.told()[0]
    with pytest.raises(ConfigError, match="can't be removed"):
        store.clear()
    other.execute("ROLLBACK")
    other.close()
    store.put(kept("b", now=NOW))
    assert store.get(key("b")) is not None


def test_a_disk_that_takes_nothing_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = DatabaseStore(tmp_path / "file" / "answers.sqlite")
    store.put(kept("a", now=NOW))
    assert store.get(key("a")) is None
    assert store.told()


def test_several_kernels_and_threads_lose_nothing(store: DatabaseStore) -> None:
    def work(number: int) -> None:
        for each in range(10):
            store.put(kept(f"{number} {each}", now=NOW))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.summary().count == 80
    code = (
        "import sys, pathlib; from tetrate_jupyter.answers.database import DatabaseStore\n"
        "print(DatabaseStore(pathlib.Path(sys.argv[1])).summary().count)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "80"
