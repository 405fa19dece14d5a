"""Files that a person names: whatever can't be one is an error of ours, from each place that writes or reads one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.records import record
from tetrate_jupyter import whole_files
from tetrate_jupyter.answers.places import place_of
from tetrate_jupyter.compare.files import load
from tetrate_jupyter.engine.exporting import saved
from tetrate_jupyter.errors import ComparisonFileError, ConfigError, OptionError
from tetrate_jupyter.ledger.frame import save

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session

NO_NAMES = ["", ".", "..", "/", "no/such/folder/..", "~nobody_here/a", "a\0b", "\ud800"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", [*NO_NAMES, "x" * 300, "no/such/folder/a"])
def test_what_cant_be_written_is_said(name: str, session: Session, tmp_path: Path) -> None:
    comparison = session.compare("Hi", "claude-haiku-4-5", max_tokens=20)
    for kind in ("csv", "json", *(["parquet"] if find_spec("pyarrow") else [])):
        with pytest.raises(OptionError, match="can't be written"):
            save([record()], name, kind)
    for form in ("md", "json", "cells"):
        with pytest.raises(OptionError, match="can't be written"):
            saved([], form, name)
    for ending in ("", ".csv") if name.strip("./") else ("",):
        with pytest.raises(ComparisonFileError, match="can't be written"):
            comparison.save(name + ending)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_cant_be_read_is_said(name: str) -> None:
    with pytest.raises(ComparisonFileError, match="can't be read"):
        load(name)


@pytest.mark.parametrize("name", ["~nobody_here/a.jsonl", "a\0b.jsonl", "\ud800.jsonl"])
def test_answers_are_kept_in_a_file_that_there_can_be(name: str, session: Session) -> None:
    with pytest.raises(ConfigError, match="can't be kept in"):
        place_of(name)
    with pytest.raises(ConfigError, match="can't be kept in"):
        session.cached(name)


def test_a_name_as_long_as_a_file_system_takes_is_one(tmp_path: Path) -> None:
    name = "x" * 250 + ".csv"
    assert save([record()], name, "csv").name == name
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_a_writer_raises_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("before")

    def write(beside: Path) -> Any:
        beside.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        whole_files.written(target, write)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
