"""What a compare panel shows, as data: the result that it hands out is of the run that it shows, whichever that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.result import LiveResult, Result
from tetrate_jupyter.errors import InputError
from tetrate_jupyter.widgets import compare_items
from tetrate_jupyter.widgets.compare import ComparePanel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.face.session import Session

TWO = "claude-haiku-4-5", "gpt-6-luna"


@pytest.fixture
def panel(session: Session) -> Iterator[ComparePanel]:
    session.models()
    made = ComparePanel(session, models=TWO)
    yield made
    made.close()


@pytest.fixture
def page(panel: ComparePanel) -> Page:
    return Page(panel)


def asked(page: Page, panel: ComparePanel, text: str = "Name a colour.", *, several: bool = False) -> None:
    before = panel.comparison
    page.do("run", text=text, several=several)
    page.wait_for(lambda: panel.comparison is not before and not page.fields["busy"])
    assert panel.comparison is not None
    panel.comparison.wait()
    page.wait_for(lambda: bool(page.items) and not page.fields["running"])


def test_before_the_first_run_it_says_what_to_do(panel: ComparePanel, tmp_path: Path) -> None:
    result = panel.result
    for read in (
        lambda: result.df, lambda: result.rows, lambda: result["gpt-6-luna"], lambda: result.save(tmp_path / "r.csv"),
        lambda: result.tally, lambda: result.code, result.wait, result.retry, result.stop, lambda: len(result),
        lambda: result.continue_with("gpt-6-luna"),
    ):  # fmt: skip
        with pytest.raises(InputError, match="Nothing has been compared in this panel yet") as caught:
            read()
        assert "press Compare" in caught.value.next_step
    assert not result.is_running
    assert "press Compare" in repr(result)
    assert "Nothing has been compared" in result.bundle()["text/html"]
    assert not (tmp_path / "r.csv").exists()


def test_votes_and_files_are_of_the_run_that_is_shown(
    page: Page, panel: ComparePanel, session: Session, tmp_path: Path
) -> None:
    result = panel.result
    asked(page, panel)
    first = result.comparison
    assert first is panel.comparison is session.comparison
    page.do("vote", key=panel.comparison.columns[1].id, vote="best")
    assert result.df["vote"].fillna("").tolist() == ["", "best"]
    asked(page, panel)
    assert result.df["vote"].fillna("").tolist() == ["", ""]
    page.do("vote", key=panel.comparison.columns[0].id, vote="best")
    assert result.df["vote"].fillna("").tolist() == ["best", ""]
    assert result.comparison is panel.comparison is session.comparison
    asked(page, panel, "one\n---\ntwo\n---\nthree", several=True)
    assert len(result.save(tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()) == 7
    assert result.rows == session.comparison.result.rows
    assert Result.load(result.save(tmp_path / "r.json")).rows == result.rows


def test_it_says_which_run_it_is(page: Page, panel: ComparePanel) -> None:
    asked(page, panel)
    assert "run 1" not in repr(panel.result)
    asked(page, panel)
    began = panel.result.facts.started_at[11:19]
    assert f"This is run 2 of its panel, begun at {began} UTC." in repr(panel.result)
    assert f"This is run 2 of its panel, begun at {began} UTC." in panel.result.html
    assert panel.result.facts.notices == ()  # it is shown; nothing of it is kept


def test_votes_of_an_earlier_run_are_said_to_stay_there_and_undo_shows_it(
    page: Page, panel: ComparePanel, session: Session
) -> None:
    asked(page, panel)
    asked(page, panel)
    assert page.fields["undo"] == ""  # nothing was voted for
    voted = panel.comparison
    page.do("vote", key=voted.columns[1].id, vote="best")
    asked(page, panel)
    newer, words = panel.comparison, "The votes of 1 prompt stay with the earlier run: they are for its answers."
    page.wait_for(lambda: page.fields["undo"] == words)
    page.do("undo")
    assert panel.comparison is voted is session.comparison is panel.result.comparison
    assert panel.result.df["vote"].fillna("").tolist() == ["", "best"]
    assert "This is run 2 of its panel" in repr(panel.result)
    page.wait_for(lambda: page.fields["undo"] == "This is the earlier run, with its votes.")
    page.do("undo")
    assert panel.comparison is newer is session.comparison is panel.result.comparison
    page.wait_for(lambda: page.fields["undo"] == words)


def test_one_that_a_cell_left_follows_the_cells_panel(session: Session) -> None:
    begun = session.bridge.run(prepare(session, "Name a colour.", list(TWO)))
    begun.start()
    left = LiveResult(begun)
    panel = ComparePanel(session, begun, result=left)
    page = Page(panel)
    begun.wait()
    asked(page, panel)
    assert left is panel.result
    assert left.comparison is panel.comparison is not begun
    page.do("clear")
    assert left.comparison is session.comparison is not None  # the answers are still to be had
    panel.close()


def test_all_prompts_are_copied_as_a_table_with_their_votes(
    page: Page, panel: ComparePanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(page, panel)
    page.do("table")
    assert page.fields["copied"] == "Copied"
    assert page.fields["table"].startswith("| model |")
    asked(page, panel, "one\n---\ntwo\n---\nthree", several=True)
    page.do("vote", key=panel.comparison.columns[1].id, vote="best")
    page.do("table")
    assert page.fields["copied"] == "Copied: the answers to all 3 prompts"
    head, _, *rows = page.fields["table"].strip().splitlines()
    assert head.startswith("| prompt | model |")
    assert "| vote | answer |" in head
    assert [row.split(" | ")[0] for row in rows] == ["| one", "| one", "| two", "| two", "| three", "| three"]
    assert sum("| best |" in row for row in rows) == 1
    monkeypatch.setattr(compare_items, "ANSWERS", 5)
    page.do("look", prompt=1, repeat=0)
    page.do("table")
    assert page.fields["copied"].startswith("Copied: only the answers in view")
    assert [row.split(" | ")[0] for row in page.fields["table"].strip().splitlines()[2:]] == ["| two", "| two"]
