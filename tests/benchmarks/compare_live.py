"""What the compare panel costs while four columns write: kernel CPU and bytes, beside four plain HTML boxes at 10 Hz.

Run: `python -m tests.benchmarks.compare_live`. Each column gets 500 chunks of 20 characters over 5 s, in paragraphs of
500 characters. The page is stood for by its own messages; all that the kernel sends it counts with its envelope.
"""

from __future__ import annotations

import json
import statistics

from tests.kernels import WIDGETS, CountingKernel, Ran
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import SandboxRouter

ROUNDS = 5
SECONDS = 5.0
COLUMNS = 4
CHUNKS = 500
SIZE = 20
TEXT = COLUMNS * CHUNKS * SIZE
PROMPT = f"chunks={CHUNKS} size={SIZE} interval={SECONDS / CHUNKS} paragraph=25"

_SETUP = """
%load_ext tetrate_jupyter
import time
from tetrate_jupyter import session
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.widgets.compare import ComparePanel
session.models()

def compare(show=None):
    comparison = session.bridge.run(prepare(session, {prompt!r}, ["sandbox/stream"] * {columns}))
    panel = None
    if show == "panel":
        panel = ComparePanel(session, comparison)
        panel._fallback.show("", "")
        panel._handle_custom_msg({{"do": "hello", "view": "v", "page": "p"}}, [])
    comparison.start()
    while show == "boxes" and comparison.is_running:
        time.sleep(0.1)
        for box, cell in zip(boxes, comparison.cells):
            box.value = render(cell.text)
    result = comparison.wait()
    time.sleep(0.3)
    assert [len(row.text) for row in result.rows] == [{size}] * {columns}
    if panel is not None:
        panel.close()
"""
_BOXES = """
import ipywidgets
from tetrate_jupyter.render.markdown import render
boxes = [ipywidgets.HTML() for _ in range({columns})]
"""


def measure() -> dict[str, float]:
    """Give CPU milliseconds and bytes: the comparison alone, in the panel, in plain boxes; an idle kernel as long."""
    with SandboxRouter(list_faults=True) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment, counts=WIDGETS) as kernel:
            for cell in (
                _SETUP.format(prompt=PROMPT, columns=COLUMNS, size=CHUNKS * SIZE),
                _BOXES.format(columns=COLUMNS),
                "compare()",  # imports, first connections
            ):
                ready = kernel.run(cell)
                assert ready.status == "ok", ready.texts
            idle = kernel.run(f"time.sleep({SECONDS})")
            ways: dict[str, list[Ran]] = {"None": [], "'panel'": [], "'boxes'": []}
            for _ in range(ROUNDS):  # in turn: what else the machine does meets all three alike
                for way, rans in ways.items():
                    rans.append(kernel.run(f"compare({way})"))
                    assert rans[-1].status == "ok", rans[-1].texts
    middle = statistics.median
    alone, panel, boxes = (1000 * middle(ran.cpu for ran in rans) for rans in ways.values())
    return {
        "idle_cpu_ms": 1000 * idle.cpu,
        "alone_cpu_ms": alone,
        "panel_cpu_ms": panel,
        "boxes_cpu_ms": boxes,
        "panel_to_boxes": panel / boxes,
        "added_to_boxes_added": (panel - alone) / (boxes - alone),
        "messages": middle(ran.messages for ran in ways["'panel'"]),
        "bytes_per_text_byte": middle(ran.bytes for ran in ways["'panel'"]) / TEXT,
        "boxes_bytes_per_text_byte": middle(ran.bytes for ran in ways["'boxes'"]) / TEXT,
    }


if __name__ == "__main__":
    print(json.dumps({name: round(value, 3) for name, value in measure().items()}, indent=2))
