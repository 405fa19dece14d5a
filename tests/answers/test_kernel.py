"""A notebook that is shared with its answers: run by a colleague without a key, the router switched off."""

from __future__ import annotations

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

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]  # three kernels, one after the other

CELLS = (
    '%load_ext tetrate_jupyter\n%config TetrateMagics.answers = "answers.jsonl"',
    "%tetrate_login",
    "%tetrate_model claude-haiku-4-5",
    "%%tetrate\nWhat is 17*23?",
    "%tetrate -f json -m claude-haiku-4-5 a list of 3 colours",
    'from tetrate_jupyter import session\nwith session.stream("hello") as events:\n    print("".join(events.texts()))',
    "def stock(product: str) -> int:\n    '''Pieces of a product in stock.'''\n    return 12",
    "%%tetrate -m claude-haiku-4-5 --tool stock\nHow many pieces of the product 'lamp' are in stock?",
    "print(session.ask('Ada was 36.', schema={'type': 'object', 'properties': {'age': {'type': 'integer'}}}).parsed)",
    "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna,claude-haiku-4-5 --repeats 2 --max-cost 1 --wait\nName a colour.",
    "session.compare(['hello', 'bye'], 'claude-haiku-4-5,gpt-6-luna', repeats=2)['gpt-6-luna'].texts",
)


def run(folder: Path, home: Path, environment: dict[str, str]) -> list[str]:
    """Run the notebook from top to bottom, and return the text of each cell's outputs."""
    folder.mkdir(exist_ok=True)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(
        notebook, kernel_manager_class=ByFileAsync, timeout=120, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, **homes(str(home)), **environment, config.STREAM_VARIABLE: "off"})
    return ["".join(map(_text, cell.outputs)) for cell in notebook.cells]


def _text(output: nbformat.NotebookNode) -> str:
    found = output.get("text") or output.get("data", {}).get("text/plain", "")
    return found if isinstance(found, str) else "".join(found)


def test_a_colleague_gets_the_same_outputs_without_key_and_router(tmp_path: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router:
        shared = dict(router.environment)
        first = run(tmp_path / "mine", tmp_path / "home", {**shared, config.KEY_VARIABLES[0]: router.issue_key()})
        again = run(tmp_path / "mine", tmp_path / "home", {**shared, config.KEY_VARIABLES[0]: router.issue_key()})
        asked = len(router.requests)
    (tmp_path / "theirs").mkdir()
    lines = (tmp_path / "mine" / "answers.jsonl").read_bytes()
    (tmp_path / "theirs" / "answers.jsonl").write_bytes(lines)
    theirs = run(tmp_path / "theirs", tmp_path / "another home", shared)
    assert asked
    assert "Signed in to" in again[1]
    assert "Answers come from answers.jsonl meanwhile." in theirs[1]
    assert theirs[:1] + theirs[2:] == again[:1] + again[2:]
    for mine, other in zip(first[2:], theirs[2:], strict=True):
        assert mine.split("[")[0].split(" · ")[0] == other.split("[")[0].split(" · ")[0]
    assert "391" in theirs[3]
    assert "cached" in theirs[3]
    assert "cached" not in first[3]
    assert theirs[9].count("cached") >= 3
    assert (tmp_path / "theirs" / "answers.jsonl").read_bytes() == lines
    assert list((tmp_path / "another home").rglob("answers*")) == []
