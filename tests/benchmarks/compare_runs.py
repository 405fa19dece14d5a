"""What large comparisons cost: 32 columns at once, a forecast of 10,000 cells, the memory of 2,000 answers.

Run: `python -m tests.benchmarks.compare_runs`.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.forecast import forecast
from tetrate_jupyter.compare.setup import Setup
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 32
WALL = "chunks=100 size=20 interval=0.03"
CELLS = 2_000
ANSWER = "chunks=50 size=40 interval=0"  # 2,000 characters, like an answer of some paragraphs
ROUNDS = 5


@contextmanager
def _session(**router: object) -> Iterator[Session]:
    with tempfile.TemporaryDirectory() as folder, SandboxRouter(list_faults=True, **router) as sandbox:  # type: ignore[arg-type]
        session = Session(base_url=sandbox.base_url, key=sandbox.issue_key(), data_dir=Path(folder))
        session.models()
        yield session
        session.close()


def measure() -> dict[str, float]:
    """Give all three."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.compare_runs", "memory"], capture_output=True, text=True, check=True
    )
    return {**_wall(), **_forecast(), **json.loads(found.stdout.splitlines()[-1])}  # after what the run says of itself


def _wall() -> dict[str, float]:
    with _session() as session:
        session.compare(WALL, ["sandbox/stream"] * 2)  # imports, first connections
        ratios, firsts = [], []
        for _ in range(ROUNDS):
            before = time.monotonic()
            rows = session.compare(WALL, ["sandbox/stream"] * COLUMNS).rows
            whole = time.monotonic() - before
            assert all(row.state == "done" for row in rows)
            ratios.append(whole / max(row.total or 0 for row in rows))
            started = [row.started or 0 for row in rows]
            firsts.append(1000 * (max(started) - min(started)))
    return {"columns": COLUMNS, "wall_to_slowest": statistics.median(ratios), "barrier_ms": statistics.median(firsts)}


def _forecast() -> dict[str, float]:
    with _session(speed=INSTANT) as session:
        prompts = [f"Summarise report {n}. " + "It has many words. " * 20 for n in range(1_000)]
        setup = session.bridge.run(prepare(session, prompts[:2], "claude-*,gpt-6-luna,gpt-6-sol", repeats=1)).setup
        setup = Setup(tuple(prompts), setup.columns[:10])
        assert setup.size == 10_000
        spent = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            forecast(setup)
            spent.append(1000 * (time.perf_counter() - before))
    return {"forecast_ms": statistics.median(spent)}


def _memory() -> dict[str, float]:
    """Give the peak of the process beyond what it had before, in MB: the run, then its result as data and as a page.

    The router has a process of its own, so that only the caller's side counts.
    """
    command = [sys.executable, "-m", "tests.benchmarks.compare_runs", "router"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as router,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert router.stdout is not None
        base_url, key = router.stdout.readline().split()
        session = Session(base_url=base_url, key=key, data_dir=Path(folder))
        session.compare(ANSWER, ["sandbox/stream"] * 2)
        before = _peak()
        columns = ["sandbox/stream"] * 10
        result = session.compare([f"{ANSWER}\n{n}" for n in range(CELLS // 10)], columns, max_cost="inf")
        assert sum(row.state == "done" for row in result.rows) == CELLS
        ran = _peak()
        assert len(result.html) > 0
        shown = _peak()
        session.close()
        router.communicate("\n")
    return {"run_mb": ran - before, "run_and_page_mb": shown - before, "text_mb": CELLS * 2_000 / 1e6}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _router() -> None:
    with SandboxRouter(list_faults=True, speed=INSTANT) as router:
        print(router.base_url, router.issue_key(), flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    if sys.argv[1:] == ["router"]:
        _router()
    else:
        found = _memory() if sys.argv[1:] == ["memory"] else measure()
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))
