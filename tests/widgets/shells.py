"""A shell of IPython for panels that look at variables and cells."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


@contextmanager
def shell_in(folder: Path, monkeypatch: pytest.MonkeyPatch, cell: str) -> Iterator[InteractiveShell]:
    """Have a shell in this folder that has run one cell and knows of no error."""
    monkeypatch.chdir(folder)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.history_manager.enabled = False
    for kept in ("outputs", "exceptions"):  # all shells of a process share them
        getattr(made.history_manager, kept, {}).clear()
    for name in ("last_value", "last_exc"):
        monkeypatch.delattr(f"sys.{name}", raising=False)
    made.run_cell(cell, store_history=True)
    yield made
    made.history_manager.end_session()
    InteractiveShell.clear_instance()
