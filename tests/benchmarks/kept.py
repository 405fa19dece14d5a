"""(k) Kept answers: a whole question that is answered from what is kept, and a large file that is opened."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.answers.samples import kept
from tetrate_jupyter.answers.file import FileStore
from tetrate_jupyter.answers.kept import line_of
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

HITS: Final = 200
ANSWERS: Final = 5_000
_TEXT: Final = "x y z " * 230


def measure() -> dict[str, float]:
    """Give milliseconds: a hit's CPU and median, opening a file of 5,000 answers and looking one up there; and MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {**_hits(folder), **_file(folder / "large.jsonl")}


def _hits(folder: Path) -> dict[str, float]:
    asked = {"model": "claude-haiku-4-5", "keep": False, "cached": True}
    with SandboxRouter(speed=INSTANT) as router:
        session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=folder)
        session.ask("What is 17 * 23?", **asked)
    session.ask("What is 17 * 23?", **asked)
    took, cpu = [], time.process_time()
    for _ in range(HITS):
        began = time.perf_counter()
        session.ask("What is 17 * 23?", **asked)
        took.append(time.perf_counter() - began)
    cpu = time.process_time() - cpu
    session.close()
    return {"hit_ms": 1000 * statistics.median(took), "hit_cpu_ms": 1000 * cpu / HITS}


def _file(path: Path) -> dict[str, float]:
    answers = [kept(str(number), _TEXT, cost="0.000036", total=1.2) for number in range(ANSWERS)]
    path.write_bytes(b"".join((line_of(answer) or b"") + b"\n" for answer in answers))
    began = time.process_time()
    assert FileStore(path).get(answers[0].key) is not None
    return {"open_cpu_ms": 1000 * (time.process_time() - began), "file_mb": path.stat().st_size / 1e6}
