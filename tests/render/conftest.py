"""What tests of rendering share."""

from __future__ import annotations

import pytest

from tetrate_jupyter.render import syntax


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of every text that is parsed into blocks."""
    lengths: list[int] = []
    whole = syntax.blocks

    def counted(text: str, *, rows_above: int = 0) -> list[syntax.Token]:
        lengths.append(len(text))
        return whole(text, rows_above=rows_above)

    monkeypatch.setattr(syntax, "blocks", counted)
    return lengths
