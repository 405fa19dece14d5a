"""--cache, --refresh, the trait for a whole notebook, and %tetrate_cache."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from traitlets import TraitError

from tests.answers.samples import kept
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.errors import OptionError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import LoggedRequest, SandboxRouter


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def ask(shell: InteractiveShell, line: str, cell: str = "What is 17 * 23?") -> Any:
    shell.run_cell_magic("tetrate", line, cell)
    return shell.user_ns["_tetrate"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the kernel works in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_cache_takes_what_is_kept_and_says_so(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ask(shell, "--cache --no-keep").cached
    capsys.readouterr()
    again = ask(shell, "--cache --no-keep")
    assert again.cached
    shown = capsys.readouterr().out
    assert "391" in shown
    assert "· cached" in shown
    assert "$0 now" in shown
    assert not ask(shell, "--no-keep").cached
    assert not ask(shell, "--refresh --no-keep").cached
    assert ask(shell, "--cache --no-keep").cached
    assert len(chats(router)) == 3


def test_a_one_line_question_and_every_format(shell: InteractiveShell, router: SandboxRouter) -> None:
    for _ in range(2):
        shell.run_line_magic("tetrate", "--cache --no-keep -f json a list of 3 colours")
        shell.run_line_magic("tetrate", "--cache --no-keep -f code write a function")
    assert shell.user_ns["_tetrate"].cached
    assert len(chats(router)) == 2


def test_the_trait_is_for_the_whole_notebook(shell: InteractiveShell, session: Session, folder: Path) -> None:
    magics = shell._tetrate_magics  # type: ignore[attr-defined]
    magics.answers = "answers.jsonl"
    ask(shell, "--no-keep")
    assert ask(shell, "--no-keep").cached
    assert session.ask("What is 17 * 23?", keep=False).cached
    assert len((folder / "answers.jsonl").read_bytes().splitlines()) == 1
    os.chdir("/")
    assert ask(shell, "--no-keep").cached  # the file was named where the kernel worked then
    magics.answers = ""
    assert not ask(shell, "--no-keep").cached


def test_a_trait_that_is_no_place_is_refused(shell: InteractiveShell, session: Session) -> None:
    with pytest.raises(TraitError, match="can't be kept"):
        shell._tetrate_magics.answers = "notes.ipynb"  # type: ignore[attr-defined]
    shell.run_line_magic("config", 'TetrateMagics.answers = "notes.ipynb"')
    assert session.keeper.place == ""
    assert shell._tetrate_magics.answers == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", ["float('nan')", "-1.0", "1e300"])
def test_a_budget_that_is_refused_does_not_stand_as_one(shell: InteractiveShell, session: Session, wrong: str) -> None:
    for before in (None, 0.5):
        shell.run_line_magic("config", f"TetrateMagics.daily_budget = {before}")
        shell.run_line_magic("config", f"TetrateMagics.daily_budget = {wrong}")
        assert shell._tetrate_magics.daily_budget == session.daily_budget == before  # type: ignore[attr-defined]


def test_compare_takes_the_options_too(shell: InteractiveShell, router: SandboxRouter) -> None:
    for line in ("--cache", "--cache", "--refresh", ""):
        shell.run_cell_magic("tetrate_compare", f"-m claude-haiku-4-5,gpt-6-luna {line} --wait", "hi")
    assert len(chats(router)) == 6


def test_a_dry_run_says_what_would_be_taken(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell_magic("tetrate", "--cache --no-keep --dry-run", "hi")
    assert "kept answer" not in capsys.readouterr().out
    ask(shell, "--cache --no-keep", "hi")
    shell.run_cell_magic("tetrate", "--cache --no-keep --dry-run", "hi")
    assert "would be taken instead, for $0" in capsys.readouterr().out
    assert len(chats(router)) == 1


def said(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str = "") -> str:
    capsys.readouterr()
    shell.run_line_magic("tetrate_cache", line)
    return capsys.readouterr().out


def test_what_is_kept_is_seen(shell: InteractiveShell, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(shell, capsys).startswith("0 kept answers in your own store of answers.")
    ask(shell, "--cache --no-keep")
    ask(shell, "--cache --no-keep", "hi")
    found = said(shell, capsys)
    assert "2 kept answers in your own store of answers, 1 kB." in found
    assert "Models: claude-haiku-4-5 2." in found
    assert "answers.sqlite" in found
    assert "391" not in " ".join(word for word in found.split() if "/" not in word)  # nor its place, which has numbers
    shell._tetrate_magics.answers = "answers.jsonl"  # type: ignore[attr-defined]
    assert "0 kept answers in answers.jsonl." in said(shell, capsys)
    assert "Your own store, for --cache where no file is named, has 2 kept answers." in said(shell, capsys)


def test_clearing(shell: InteractiveShell, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(timezone.utc)
    store = FileStore(folder / "answers.jsonl")
    for days in (1, 20, 40):
        store.put(kept(str(days), now=now, days_ago=days))
    assert said(shell, capsys, "--file answers.jsonl --clear --older-than 30").startswith("1 kept answer removed")
    assert said(shell, capsys, "--file answers.jsonl --clear --older-than 0.5").startswith("2 kept answers removed")
    ask(shell, "--cache --no-keep")
    assert said(shell, capsys, "--clear").startswith("1 kept answer removed from your own store")
    assert not ask(shell, "--cache --no-keep").cached
    for wrong in ("--older-than 3", "--clear --older-than -1", "--clear --older-than nan", "--clear all"):
        with pytest.raises(OptionError):
            shell.run_line_magic("tetrate_cache", wrong)
    assert ask(shell, "--cache --no-keep").cached


def test_a_broken_file_is_said(shell: InteractiveShell, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("answers.jsonl").write_text('{"at":"2026\n')
    assert "1 line is no answer (line 1)" in said(shell, capsys, "--file answers.jsonl")
