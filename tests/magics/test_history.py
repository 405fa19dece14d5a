"""%tetrate_history, and the trait that keeps texts; two kernels, one after the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.kernels import CountingKernel
from tests.magics.test_sign_in_kernel import homes
from tests.widgets.page import Page
from tetrate_jupyter import config
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.face import shared
from tetrate_jupyter.magics import extension
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.widgets.compare import ComparePanel

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session


def run(shell: InteractiveShell, line: str = "") -> Any:
    return shell.run_line_magic("tetrate_history", line)


@pytest.fixture
def kept(shell: InteractiveShell, session: Session) -> Session:
    shell.run_line_magic("config", "TetrateMagics.keep_texts = True")
    session.ask("Which month is <b>August</b>?")
    session.ask("And July?")
    session.reset()
    session.ask("Name a colour.")
    return session


TABLE = "table = [{'month': 'August', 'units': 7}] * 30"


def test_a_title_is_what_was_typed_and_not_the_values_in_it(shell: InteractiveShell, session: Session) -> None:
    session.keep_texts = True
    shell.run_cell(TABLE)
    shell.run_cell_magic("tetrate", "", "Which month is best? {table}")
    assert "units" in session.history[0].user.content
    session.reset()
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna", "What stands out in {table}?")
    shell.user_ns["_tetrate_compare"].continue_with("gpt-6-luna")
    assert "units" in session.history[0].user.content
    assert {each.title for each in run(shell)} == {"Which month is best? {table}", "What stands out in {table}?"}


def test_a_comparison_is_shown_and_followed_up_by_what_was_typed(shell: InteractiveShell, session: Session) -> None:
    session.keep_texts = True
    shell.run_cell(TABLE)
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna", "What stands out in {table}?")
    comparison = session.comparison
    assert comparison is not None
    panel = ComparePanel(session, comparison)
    assert Page(panel).fields["asked"] == "What stands out in {table}?"
    panel.close()
    after = comparison.follow_up("And the least?")
    after.start()
    after.wait()
    after.continue_with("gpt-6-luna")
    assert [each.user.typed for each in session.history] == ["What stands out in {table}?", None]


def test_the_trait_is_off_and_can_be_set_for_good(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "session", session)
    made = InteractiveShell(config=Config({"TetrateMagics": {"keep_texts": True}}))
    made.history_manager.enabled = False
    try:
        assert not session.keep_texts
        extension.load(made)
        assert session.keep_texts
        made.run_line_magic("config", "TetrateMagics.keep_texts = False")
        assert not session.keep_texts
        extension.unload(made)
    finally:
        made.history_manager.end_session()


def test_without_kept_texts_it_says_how_to_keep_them(shell: InteractiveShell) -> None:
    found = run(shell)
    assert found == ()
    assert "No conversation of this notebook" in repr(found)
    assert "session.keep_texts = True" in repr(found)
    assert "ipython_config.py" in found._repr_mimebundle_()["text/html"]


def test_it_lists_searches_and_opens(
    shell: InteractiveShell, kept: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(shell)
    assert [each.words for each in found] == ["Name a colour.", "Which month is <b>August</b>?"]
    shown = found._repr_mimebundle_()
    assert "<b>August" not in shown["text/html"]
    assert "claude-haiku-4-5" in shown["text/plain"]
    assert [each.words for each in run(shell, "july --all")] == ["Which month is <b>August</b>?"]
    assert repr(run(shell, "paris")).startswith(
        "No conversation of this notebook (--all: of every notebook) with 'paris'"
    )
    run(shell, "july")
    capsys.readouterr()
    run(shell, "--open 1")
    assert capsys.readouterr().out.startswith("Open: Which month is <b>August</b>? (2 turns).\nNext: ")
    assert [each.user.content for each in kept.history] == ["Which month is <b>August</b>?", "And July?"]
    with pytest.raises(InputError, match="no conversation number 7"):
        run(shell, "--open 7")


def test_it_exports(shell: InteractiveShell, kept: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "--export json")[0] == {"role": "user", "content": "Name a colour."}
    assert repr(run(shell, "--export md --of 2")).count("> ") == 2
    run(shell, f"--export cells --of 2 --file {tmp_path / 'talk.ipynb'}")
    assert capsys.readouterr().out == f"2 turns in {tmp_path / 'talk.ipynb'}\n"
    assert len(json.loads((tmp_path / "talk.ipynb").read_text())["cells"]) == 3


def test_it_erases(shell: InteractiveShell, kept: Session, capsys: pytest.CaptureFixture[str]) -> None:
    folder = kept.past.archive.folder
    run(shell, "--erase --older-than 1")
    run(shell, "--erase")
    assert capsys.readouterr().out.splitlines() == [
        f"Erased: 0 turns older than 1 days, from {folder}. What is said from now on is still kept.",
        f"Erased: 3 turns, from {folder}. What is said from now on is still kept.",
    ]
    assert run(shell) == ()


def test_it_names_stars_and_erases_one(
    shell: InteractiveShell, kept: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell)
    run(shell, '--rename 2 "Churn  analysis"')
    run(shell, "--star 2")
    assert capsys.readouterr().out == "Number 2 is called Churn analysis now.\nNumber 2 has a star now.\n"
    found = run(shell)
    assert [(each.title, each.starred) for each in found] == [("Churn analysis", True), ("Name a colour.", False)]
    assert "★ Churn analysis" in found._repr_mimebundle_()["text/html"]
    assert repr(run(shell, "--export md --of 1")).startswith("# Churn analysis\n")
    run(shell, "--open 1")
    assert capsys.readouterr().out.startswith("Open: Churn analysis (2 turns).\n")
    run(shell, "--unstar 1")
    run(shell, '--rename 1 ""')
    assert capsys.readouterr().out == "Number 1 has no star now.\nNumber 1 has no name of its own now.\n"
    run(shell, "--erase 1")
    said = capsys.readouterr().out
    assert said.startswith(f"Erased: number 1 (2 turns), from {kept.past.archive.folder}.")
    assert "A kernel that has it open goes on" in said
    assert [each.title for each in run(shell)] == ["Name a colour."]
    assert kept.history == ()  # it was the one in use
    with pytest.raises(InputError, match="no conversation number 2"):
        run(shell, "--erase 2")


@pytest.mark.parametrize(
    "line",
    [
        "--erase 1 --older-than 3",
        "--erase 0",
        "--erase 1 2",
        "--rename 1",
        "--rename one name",
        "--star 0",
        "--star 1 --unstar 1",
        "--star 1 words",
        "--open 1 --erase",
        "--erase words",
        "--open 1 --all",
        "--of 1",
        "--file x.md",
        "--older-than 3",
        "--erase --older-than -1",
        "--open 0",
        "--open one",
        "--export pdf",
    ],
)
def test_what_doesnt_go_together_is_refused(shell: InteractiveShell, kept: Session, line: str) -> None:
    with pytest.raises(OptionError):
        run(shell, line)
    assert len(kept.history.list()) == 2


LOADED = "%load_ext tetrate_jupyter\n%config TetrateMagics.keep_texts = True\n"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_second_kernel_goes_on(tmp_path: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router:
        environment = {
            **homes(str(tmp_path)),
            **router.environment,
            config.KEY_VARIABLES[0]: router.issue_key(),
            "JPY_SESSION_NAME": "sales.ipynb",
        }
        with CountingKernel(environment) as first:
            assert first.run(f"{LOADED}%tetrate_model claude-haiku-4-5").status == "ok"
            assert first.run("%%tetrate\nMy name is Ada.").status == "ok"
        with CountingKernel(environment) as second:
            listed = second.run(f"{LOADED}%tetrate_model claude-haiku-4-5\n%tetrate_history")
            assert "My name is Ada." in "".join(listed.texts)
            opened = second.run("%tetrate_history --open 1\nfrom tetrate_jupyter import session\nlen(session.history)")
            assert "Open: My name is Ada. (1 turn)." in "".join(opened.texts)
            assert second.run("%%tetrate\nWho am I?").status == "ok"
        asked = [m["content"] for m in router.requests[-1].body["messages"] if m["role"] == "user"]
        assert asked == ["My name is Ada.", "Who am I?"]
