"""A notebook run top to bottom in a real kernel, printed as a person would see it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tetrate_jupyter.types import JSONObject

CELL_TIMEOUT = 120  # seconds; the sandbox answers in a few


def run_notebook(notebook: JSONObject, environment: Mapping[str, str]) -> int:
    """Run all cells; print each with its outputs as it ends. Gives 0, or 1 where a cell failed."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    node = nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]  # typed in part
    quiet = ["--log-level=ERROR"]  # else a warning about loopback traffic comes before the notebook
    client = NotebookClient(node, timeout=CELL_TIMEOUT, kernel_name="python3", extra_arguments=quiet)
    client.on_cell_start = _show_source
    client.on_cell_executed = _show_outputs
    try:
        client.execute(env=dict(environment))
    except CellExecutionError:
        print("\nThe run stopped at the cell above.", file=sys.stderr)
        return 1
    return 0


def _show_source(cell: Any, **_: Any) -> None:  # noqa: ANN401 - a notebook node
    if cell.cell_type == "markdown":
        print(f"\n{cell.source}")
    else:
        print("\n" + "\n".join(f"  | {line}" for line in cell.source.splitlines()))


def _show_outputs(cell: Any, **_: Any) -> None:  # noqa: ANN401 - a notebook node
    for text in _texts(cell.get("outputs", [])):
        print(text.rstrip())
    sys.stdout.flush()


def _texts(outputs: Any) -> Iterator[str]:  # noqa: ANN401 - notebook nodes
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            yield output["text"]
        elif kind == "error":
            yield "\n".join(output["traceback"])
        else:
            data = output["data"]
            yield "[picture]" if "image/png" in data else data.get("text/plain", "")
