"""What a private file itself refuses, mends, leaves and sweeps, with the words for a person."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.keys import private_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no modes, links or owners of this kind")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a private file is to be, in a folder of its own that isn't there yet."""
    return tmp_path / "one" / "two" / "key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_what_is_written_is_read_with_the_same_stamp_and_nothing_to_say(path: Path) -> None:
    written = private_file.write(path, b"sk-1")
    assert private_file.read(path) == written == private_file.Held(b"sk-1", written.stamp, "")
    assert private_file.stamp(path) == written.stamp
    assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_every_other_content_has_another_stamp(path: Path) -> None:
    stamps = {private_file.write(path, data).stamp for data in (b"a", b"b", b"a")}
    path.chmod(0o640)
    stamps.add(private_file.stamp(path) or ())
    assert len(stamps) == 4
    path.unlink()
    assert private_file.stamp(path) is None


def test_no_more_is_read_than_shows_that_it_is_no_key(path: Path) -> None:
    private_file.write(path, b"x" * (2 * private_file.MAX_BYTES))
    assert len(private_file.read(path).data) == private_file.MAX_BYTES + 1


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_regular_file_is_refused_in_words(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    with pytest.raises(OSError, match="it isn't a regular file"):
        private_file.read(path)


def test_a_link_is_refused_and_not_followed(path: Path, tmp_path: Path) -> None:
    private_file.write(tmp_path / "elsewhere", b"sk-planted")
    path.parent.mkdir(parents=True, mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic link|levels of"):
        private_file.read(path)


@pytest.mark.parametrize("act", [private_file.read, private_file.folder, lambda p: private_file.write(p, b"sk-1")])
def test_a_folder_that_is_a_link_is_refused_before_anything_is_made_in_it(tmp_path: Path, act: object) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "real" / "key").write_bytes(b"sk-planted")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert callable(act)
    with pytest.raises(OSError, match="its folder is a link to elsewhere"):
        act(tmp_path / "link" if act is private_file.folder else tmp_path / "link" / "key")
    assert (tmp_path / "real" / "key").read_bytes() == b"sk-planted"


@pytest.mark.parametrize("open_to", [0o604, 0o640, 0o602, 0o620, 0o601, 0o610])
def test_a_file_that_stood_open_is_closed_and_that_is_noted(path: Path, open_to: int) -> None:
    private_file.write(path, b"sk-1")
    path.chmod(open_to)
    held = private_file.read(path)
    assert held.note == f"it was open to others, mode {open_to:04o}; it is closed now"
    assert mode(path) == 0o600
    assert held.stamp == private_file.stamp(path)
    assert private_file.read(path).note == ""


def test_a_folder_that_stood_open_is_closed_and_both_are_noted(path: Path) -> None:
    private_file.write(path, b"sk-1")
    path.parent.chmod(0o755)
    path.chmod(0o644)
    assert private_file.read(path).note == (
        "its folder was open to others, mode 0755; it is closed now; it was open to others, mode 0644; it is closed now"
    )
    assert mode(path.parent) == 0o700
    path.parent.chmod(0o750)
    assert private_file.write(path, b"sk-2").note == "its folder was open to others, mode 0750; it is closed now"
    path.parent.chmod(0o701)
    assert private_file.folder(path.parent) == "its folder was open to others, mode 0701; it is closed now"
    assert private_file.folder(path.parent) == ""


def test_a_removed_file_is_told_by_its_other_names(path: Path) -> None:
    private_file.write(path, b"sk-1")
    os.link(path, path.with_name("copy"))
    os.link(path, path.with_name("another"))
    assert private_file.read(path).note == ""
    assert private_file.remove(path) == "it has 2 more in the file system, hard links, where the key still is"
    assert private_file.remove(path) is None
    assert private_file.remove(path.with_name("copy")) is not None
    assert private_file.remove(path.with_name("another")) == ""


def left(path: Path, *, seconds_ago: float) -> Path:
    """Leave what a write that was killed so long ago has left."""
    made = path.with_name(f".{'0123456789abcdef'}.new")
    made.write_bytes(b"sk-left")
    at = time.time() - seconds_ago
    os.utime(made, (at, at))
    return made


def test_what_killed_writes_left_is_swept_by_the_next_one_and_what_is_under_way_is_not(path: Path) -> None:
    private_file.write(path, b"sk-1")
    other = path.with_name(".0123456789abcdef.news")
    other.write_bytes(b"")
    just_now = left(path, seconds_ago=10)
    private_file.write(path, b"sk-2")
    assert just_now.exists()
    left(path, seconds_ago=120)
    private_file.write(path, b"sk-3")
    assert not just_now.exists()
    left(path, seconds_ago=10)
    private_file.sweep(path.parent)
    assert sorted(each.name for each in path.parent.iterdir()) == [other.name, "key"]


def test_nothing_is_swept_behind_a_link(path: Path, tmp_path: Path) -> None:
    private_file.write(path, b"sk-1")
    there = left(path, seconds_ago=1_000)
    (tmp_path / "link").symlink_to(path.parent)
    private_file.sweep(tmp_path / "link")
    assert there.exists()
    private_file.sweep(tmp_path / "none")
    assert not (tmp_path / "none").exists()
