"""What a keystroke in the model picker costs over 500 models: kernel CPU until its message has left, and bytes.

Run: `python -m tests.benchmarks.picker`. The aim is 50 ms, and only the rows in view on the wire.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

MODELS = 500
SEARCHES: list[dict[str, Any]] = [
    *({"words": "claude sonnet"[:length]} for length in range(1, 14)),
    {"words": "vision cheap 200k"},
    {"words": "", "provider": "openai"},
    {"provider": "", "capabilities": ["images", "tools"]},
    {"capabilities": [], "sort": "price"},
    {"sort": "context"},
    {"sort": "name"},
]


def measure() -> dict[str, float]:
    """Give milliseconds and bytes of a search: median and worst of all kinds, each ten times."""
    with tempfile.TemporaryDirectory() as folder, SandboxRouter(speed=INSTANT) as router:
        session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=Path(folder))
        found = session.models()
        many = ModelList([replace(m, id=f"{m.id}-{n}") for n in range(MODELS) for m in found][:MODELS])
        session.catalog._state = replace(session.catalog._state, models=many)
        panel = session.picker()
        sent: list[int] = []
        panel.send = lambda content, *_: sent.append(len(json.dumps(content)))
        panel._handle_custom_msg({"do": "hello", "view": "v", "page": "p"}, [])
        hello = sent[-1]
        sent.clear()
        spent = []
        for search in SEARCHES * 10:
            before = time.process_time()
            panel._handle_custom_msg({"do": "find", "view": "v", "n": 1, **search}, [])
            spent.append(1000 * (time.process_time() - before))
        panel.close()
        session.close()
    return {
        "models": len(many),
        "median_ms": statistics.median(spent),
        "worst_ms": max(spent),
        "first_bytes": hello,
        "median_bytes": statistics.median(sent),
        "most_bytes": max(sent),
    }


if __name__ == "__main__":
    print(json.dumps({name: round(value, 2) for name, value in measure().items()}, indent=2))
