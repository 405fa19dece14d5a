"""With `TETRATE_JUPYTER_STREAM=off` outputs are equal from run to run: no times, no random names (nbval compares)."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from tests.kernels import ByFileAsync
from tests.magics.test_sign_in_kernel import homes
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CELLS = (
    "%load_ext tetrate_jupyter",
    "%%tetrate -m claude-haiku-4-5\nWhat is 17*23?",
    "%tetrate -f json -m claude-haiku-4-5 a list of 3 colours",
    "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna\nName a colour.",
    "%tetrate_chat",
    "from tetrate_jupyter import session\nsession.ask('hello')",
    "session.compare(['hello', 'bye'], 'claude-haiku-4-5,gpt-6-luna', repeats=2)",
    "print(session.compare('hello', 'claude-haiku-4-5,claude-haiku-4-5'))",
    "%tetrate_models claude-haiku*",
)


def outputs(environment: dict[str, str]) -> list[str]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, kernel_manager_class=ByFileAsync, timeout=120).execute(env=environment)
    return [json.dumps(cell.outputs) for cell in notebook.cells]


def test_outputs_are_equal_from_run_to_run(tmp_path: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router:
        environment = {
            **os.environ,
            **homes(str(tmp_path)),
            **router.environment,
            "IPYTHONDIR": str(tmp_path / "ipython"),
            config.KEY_VARIABLES[0]: router.issue_key(),
            config.STREAM_VARIABLE: "off",
        }
        first, second = outputs(environment), outputs(environment)
    assert "391" in first[1]
    assert "tokens" in first[1] or "→" in json.loads(first[1])[0]["data"]["text/plain"]
    for cell, one, other in zip(CELLS, first, second, strict=True):
        assert one == other, cell
