"""What a chat panel costs while an answer streams: kernel CPU and bytes, beside the same answer without a panel.

Run: `python -m tests.benchmarks.chat`. 1,000 chunks of 20 characters come over 10 s, in paragraphs of 500. The page is
stood for by its own messages; everything that the kernel sends it is counted with its envelope.
"""

from __future__ import annotations

import json
import statistics

from tests.kernels import WIDGETS, CountingKernel, Ran
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import SandboxRouter

ROUNDS = 5
SECONDS = 10.0

CHUNKS = 1000
SIZE = 20
PROMPT = f"chunks={CHUNKS} size={SIZE} interval={SECONDS / CHUNKS} paragraph=25"

_SETUP = """
%load_ext tetrate_jupyter
import threading, time
from tetrate_jupyter import session
from tetrate_jupyter.widgets.chat import ChatPanel
session.model = "sandbox/stream"
session.models()

def ask(show=None):
    ended = threading.Event()
    stop = session.runs.on_change(lambda: None if session.runs.all else ended.set())
    run = session.start(session.question({prompt!r}))
    while not ended.wait(0.1 if show else 60):
        if run.completion:
            show(run.completion.text)
    stop()
    time.sleep(0.3)
    assert len(session.history[-1].answer) == {size}
    session.reset()
"""
_WHOLE = """
import ipywidgets
from tetrate_jupyter.render.markdown import render
box = ipywidgets.HTML()

def whole(text):
    box.value = render(text)
"""
_OPEN = """
panel = ChatPanel(session)
panel._fallback.show("", "")
panel._handle_custom_msg({"do": "hello", "view": "v", "page": "p"}, [])
"""


def measure() -> dict[str, float]:
    """Give CPU milliseconds and bytes for 1,000 chunks: what the panel adds, and an idle kernel for as long."""
    with SandboxRouter(list_faults=True) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment, counts=WIDGETS) as kernel:
            ready = kernel.run(_SETUP.format(prompt=PROMPT, size=CHUNKS * SIZE))
            assert ready.status == "ok", ready.texts
            kernel.run("ask()")  # imports, first connections
            idle = kernel.run(f"time.sleep({SECONDS})")
            assert kernel.run(_WHOLE).status == "ok"
            without: list[Ran] = []
            whole: list[Ran] = []
            shown: list[Ran] = []
            for _ in range(ROUNDS):  # in turn: what else the machine does meets all three alike
                without.append(kernel.run("ask()"))
                whole.append(kernel.run("ask(whole)"))
                assert kernel.run(_OPEN).status == "ok"
                shown.append(kernel.run("ask()"))
                assert kernel.run("panel.close()").status == "ok"
            assert {ran.status for ran in (*without, *whole, *shown)} == {"ok"}
    middle = statistics.median
    size = middle(ran.bytes for ran in shown)
    alone = middle(ran.cpu for ran in without)
    added = middle(ran.cpu for ran in shown) - alone
    whole_added = middle(ran.cpu for ran in whole) - alone
    return {
        "idle_cpu_ms": 1000 * idle.cpu,
        "stream_alone_cpu_ms": 1000 * alone,
        "whole_html_cpu_ms": 1000 * whole_added,
        "whole_html_bytes_per_text_byte": middle(ran.bytes for ran in whole) / (CHUNKS * SIZE),
        "panel_cpu_ms": 1000 * added,
        "panel_to_whole_html": added / whole_added,
        "messages": middle(ran.messages for ran in shown),
        "bytes": size,
        "bytes_per_text_byte": size / (CHUNKS * SIZE),
    }


if __name__ == "__main__":
    print(json.dumps({name: round(value, 3) for name, value in measure().items()}, indent=2))
