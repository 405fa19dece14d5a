"""Secret files are born private: no other account of the machine reads a key, nor learns for which router one is."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from tests.security.second_user import as_second_user, found_by_second_user, needs_second_user, open_folder
from tetrate_jupyter import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.sandbox import SandboxRouter

__all__ = ["open_folder"]


@pytest.fixture
def no_umask() -> Iterator[None]:
    """The most careless setting there is: whatever isn't closed by the program is open to all."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="this system has no modes")
@pytest.mark.usefixtures("no_umask")
def test_modes_are_those_of_one_person(router: SandboxRouter, open_folder: Path) -> None:
    keep(router, open_folder)
    modes = {path.relative_to(open_folder): stat.S_IMODE(path.stat().st_mode) for path in open_folder.rglob("*")}
    keys = {path: mode for path, mode in modes.items() if "keys" in path.parts}
    assert len(keys) == 2  # the folder and the file
    assert all(mode & 0o077 == 0 for mode in keys.values()), keys


@needs_second_user
@pytest.mark.usefixtures("no_umask")
def test_another_account_neither_reads_nor_lists(router: SandboxRouter, open_folder: Path) -> None:
    key = keep(router, open_folder)
    (open_folder / "open").write_text(key)
    assert found_by_second_user(key, open_folder) == [str(open_folder / "open")]  # it can look, and finds no other
    listed = as_second_user(["find", str(open_folder), "-name", "*.key"])
    assert ".key" not in listed.stdout
    (file,) = open_folder.rglob("*.key")
    assert as_second_user(["cat", str(file)]).returncode != 0


def keep(router: SandboxRouter, folder: Path) -> str:
    key = router.issue_key()
    session = Session(base_url=router.base_url, data_dir=folder / "data")
    session.login(key=key, store="file")
    session.close()
    return key
