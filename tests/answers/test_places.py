"""Which place is meant, and which kind it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tetrate_jupyter import config
from tetrate_jupyter.answers.database import DatabaseStore
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.answers.places import is_local, opened, own, place_of
from tetrate_jupyter.errors import ConfigError

MOUNTS = """\
/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
server:/homes /home nfs4 rw,vers=4.2 0 0
tmpfs /home/ada/scratch tmpfs rw 0 0
//server/share /mnt/my\\040disk cifs rw 0 0
sshfs /mnt/far fuse.sshfs rw 0 0
new /srv/some thingfs rw 0 0
overlay /var/lib overlay rw 0 0
/dev/vdb /data ext4 rw 0 0
server:/data /data nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "local"),
    [
        ("/opt/x", True), ("/home/ada/x", False), ("/home/ada/scratch/x", True), ("/homework", True),
        ("/mnt/my disk/x", False), ("/mnt/far", False), ("/srv/some/x", False), ("/var/lib/x", True),
        ("/data/x", False),
    ],
)  # fmt: skip
def test_a_databases_locks_are_trusted_on_local_disks_only(tmp_path: Path, folder: str, local: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert is_local(Path(folder), mounts) is local


def test_without_a_list_of_mounts_a_folder_is_local(tmp_path: Path) -> None:
    assert is_local(Path("/Users/ada"), tmp_path / "none")


def test_where_the_disk_isnt_local_the_own_place_is_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(own(tmp_path), DatabaseStore)
    assert opened("on", tmp_path).path == tmp_path / "answers" / "answers.sqlite"
    monkeypatch.setattr("tetrate_jupyter.answers.places.is_local", lambda _: False)
    assert isinstance(own(tmp_path), FileStore)
    assert opened("on", tmp_path).path == tmp_path / "answers" / "answers.jsonl"


def test_where_several_people_meet_one_account_only_a_named_file_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(config.SHARED_VARIABLE, "1")
    with pytest.raises(ConfigError, match="Several people"):
        opened("on", tmp_path)
    assert opened(str(tmp_path / "answers.jsonl"), tmp_path)


def test_what_names_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of("answers.jsonl") == place_of(Path("answers.jsonl")) == str(tmp_path / "answers.jsonl")
    assert [place_of(each) for each in (True, "on", " On ", False, None, "", "off")] == ["on"] * 3 + [""] * 4
    for wrong in ("notes.ipynb", "yes", 7, b"a.jsonl", "answers.json", ["a.jsonl"]):
        with pytest.raises(ConfigError, match="can't be kept"):
            place_of(wrong)
