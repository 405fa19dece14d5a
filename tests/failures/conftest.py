"""A shell whose cells fail, as a kernel's do, and what is collected of the last error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from collections.abc import Iterator


class Notebook:
    """Cells run one after another. `failed` is the error of the newest that failed."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.failed: BaseException | None = None

    def run(self, *cells: str) -> BaseException | None:
        """Run cells; return the error of the last one, None where it ended well."""
        error = None
        for cell in cells:
            result = self.shell.run_cell(cell, store_history=True)
            error = result.error_in_exec or result.error_before_exec
            self.failed = error or self.failed
        return error


@pytest.fixture
def notebook(capsys: pytest.CaptureFixture[str]) -> Iterator[Notebook]:
    for name in ("last_value", "last_exc", "last_type", "last_traceback"):  # of another test
        vars(sys).pop(name, None)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.InteractiveTB.set_mode(mode="Minimal")  # what IPython prints of a deep recursion takes it seconds
    yield Notebook(shell)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
    capsys.readouterr()
