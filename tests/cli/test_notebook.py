"""The quickstart in a person's folder: renewed when untouched, never overwritten when changed."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.cli import main
from tetrate_jupyter.cli.notebook import MARK, NAME, NAMES, README, fingerprint, place, pristine, without_outputs
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def as_an_older_version_placed_it(path: Path) -> None:
    """Another source in its first cell, and the mark of having been placed like that."""
    notebook = read(path)
    notebook["cells"][0]["source"] = "An older text"
    notebook["metadata"][MARK]["sources"] = fingerprint(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_new_folder_gets_the_shipped_notebook(tmp_path: Path) -> None:
    target, remark = place(tmp_path / "new" / "deep")
    assert target == tmp_path / "new" / "deep" / NAME
    assert str(target) in remark
    assert {path.name for path in target.parent.iterdir()} == {*NAMES, README}
    for name in NAMES:
        placed = read(target.with_name(name))
        assert placed["cells"] == without_outputs(pristine(name))["cells"]
        assert [c["source"] for c in placed["cells"]] == [c["source"] for c in pristine(name)["cells"]]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in placed["cells"])


def test_each_notebook_and_the_readme_are_kept_by_themselves(tmp_path: Path) -> None:
    place(tmp_path)
    (tmp_path / README).write_text("mine", encoding="utf-8")
    other = tmp_path / NAMES[1]
    notebook = read(other)
    notebook["cells"][0]["source"] = "mine"
    other.write_text(json.dumps(notebook), encoding="utf-8")
    as_an_older_version_placed_it(tmp_path / NAME)
    _, remark = place(tmp_path)
    assert "renewed" in remark
    assert f"Your changed notebook is kept: {other}" in remark
    assert read(other) == notebook
    assert (tmp_path / README).read_text(encoding="utf-8") == "mine"


def test_an_untouched_one_is_renewed_when_the_shipped_one_has_changed(tmp_path: Path) -> None:
    target, _ = place(tmp_path)
    as_an_older_version_placed_it(target)
    _, remark = place(tmp_path)
    assert "renewed" in remark
    assert read(target)["cells"] == without_outputs(pristine())["cells"]


def test_one_that_was_only_run_is_renewed_too(tmp_path: Path) -> None:
    target, _ = place(tmp_path)
    as_an_older_version_placed_it(target)
    notebook = read(target)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(execution_count=99, outputs=[])
    target.write_text(json.dumps(notebook), encoding="utf-8")
    assert "renewed" in place(tmp_path)[1]


def test_outputs_of_a_current_one_stay(tmp_path: Path) -> None:
    target, _ = place(tmp_path)
    notebook = read(target)
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "mine"}]
    target.write_text(json.dumps(notebook), encoding="utf-8")
    place(tmp_path)
    assert read(target) == notebook


def add_a_cell(notebook: Any) -> None:
    notebook["cells"].append({"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "mine"})


def change_a_cell(notebook: Any) -> None:
    notebook["cells"][1]["source"] = "1 + 1"


def lose_the_mark(notebook: Any) -> None:
    notebook["metadata"] = {}


@pytest.mark.parametrize("change", [add_a_cell, change_a_cell, lose_the_mark])
def test_a_changed_one_is_never_overwritten(change: Callable[[Any], None], tmp_path: Path) -> None:
    target, _ = place(tmp_path)
    notebook = read(target)
    change(notebook)
    target.write_text(json.dumps(notebook), encoding="utf-8")
    _, remark = place(tmp_path)
    assert "kept" in remark
    assert read(target) == notebook


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b'{"metadata": []}', b"[" * 100_000],
    ids=["empty", "cut", "no-utf8", "list", "null", "text", "odd-metadata", "deep"],
)
def test_what_is_no_notebook_is_kept_as_it_is(content: bytes, tmp_path: Path) -> None:
    target = tmp_path / NAME
    target.write_bytes(content)
    _, remark = place(tmp_path)
    assert "kept" in remark
    assert target.read_bytes() == content


def in_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "folder"


def links_in_a_circle(tmp_path: Path) -> Path:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    return tmp_path / "a"


def a_folder_in_its_place(tmp_path: Path) -> Path:
    (tmp_path / NAME).mkdir()
    return tmp_path


def not_ours_to_write(tmp_path: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    return tmp_path


@pytest.mark.parametrize("broken", [in_a_file, links_in_a_circle, a_folder_in_its_place, not_ours_to_write])
def test_a_folder_that_cannot_be_written_is_said_with_the_next_step(
    broken: Callable[[Path], Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="can't be written") as refused:
        place(broken(tmp_path))
    assert "--folder" in refused.value.next_step


def test_the_command_says_it_in_two_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--no-browser", "--folder", str(in_a_file(tmp_path))]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 2


def test_the_notebook_has_the_permissions_that_the_person_usually_gives(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("")
    target, _ = place(tmp_path)
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((tmp_path / "own").stat().st_mode)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target, _ = place(tmp_path)
    as_an_older_version_placed_it(target)
    before = target.read_bytes()
    (tmp_path / f".{NAME}-{os.getpid()}").mkdir()  # where the new one would be drafted
    with pytest.raises(ConfigError):
        place(tmp_path)
    assert target.read_bytes() == before
