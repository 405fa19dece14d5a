"""(c), (d): `%%tetrate` in a real ipykernel against a cell that reads with bare httpx and prints; interrupting it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.kernels import CountingKernel, Ran
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
CHUNKS = 1000
SIZE = 7  # characters a chunk, as in the measurements of other tools

BURST = f"chunks={CHUNKS} size={SIZE} interval=0"
PACED = "chunks=500 size=20 interval=0.01"
LONG = "chunks=2000 size=20 interval=0.01"

_BARE = """
import httpx, json
body = {{"model": "sandbox/stream", "stream": True, "messages": [{{"role": "user", "content": {prompt!r}}}]}}
with httpx.stream("POST", {url!r}, headers={{"Authorization": "Bearer " + {key!r}}}, timeout=60, json=body) as response:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            choices = json.loads(line[6:])["choices"]
            if choices:
                print(choices[0]["delta"].get("content") or "", end="")
"""


def measure() -> dict[str, dict[str, float]]:
    """Give the figures of both cells, burst and paced, and of an interrupt."""
    with SandboxRouter(list_faults=True) as router:
        key = router.issue_key()
        environment = {**router.environment, config.KEY_VARIABLES[0]: key}
        with CountingKernel(environment) as kernel:
            kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.keep = False")
            ours = lambda prompt: f"%%tetrate -m sandbox/stream\n{prompt}"  # noqa: E731 - two forms of one cell
            url = router.base_url + "/chat/completions"
            bare = lambda prompt: _BARE.format(url=url, key=key, prompt=prompt)  # noqa: E731 - likewise
            for cell in (ours, bare):  # imports, first connections
                kernel.run(cell(BURST))
            return {
                "burst": _against(kernel, router, (ours, bare), BURST, CHUNKS * SIZE),
                "paced": _against(kernel, router, (ours, bare), PACED, 500 * 20),
                "interrupt": _interrupt(kernel, router, ours(LONG)),
            }


def _against(
    kernel: CountingKernel,
    router: SandboxRouter,
    cells: tuple[Callable[[str], str], Callable[[str], str]],
    prompt: str,
    text_bytes: int,
) -> dict[str, float]:
    ours, bare = cells
    rounds: list[tuple[Ran, Ran, float]] = []
    for _ in range(ROUNDS):
        other = kernel.run(bare(prompt))
        mine = kernel.run(ours(prompt), shows="#0")
        assert mine.status == other.status == "ok", mine.texts[-1:]
        sent = router.requests[-1].first_chunk_at
        assert sent is not None
        assert mine.first_shown_at is not None
        rounds.append((mine, other, mine.first_shown_at - sent))
    middle = statistics.median
    cpu, bare_cpu = middle(m.cpu for m, _, _ in rounds), middle(o.cpu for _, o, _ in rounds)
    size = middle(m.bytes for m, _, _ in rounds)
    return {
        "first_text_ms": 1000 * middle(first for _, _, first in rounds),
        "messages": middle(m.messages for m, _, _ in rounds),
        "bytes": size,
        "bytes_per_text_byte": size / text_bytes,
        "cpu_ms": 1000 * cpu,
        "bare_cpu_ms": 1000 * bare_cpu,
        "cpu_ratio": cpu / bare_cpu,
    }


def _interrupt(kernel: CountingKernel, router: SandboxRouter, cell: str) -> dict[str, float]:
    idle: list[float] = []
    hung_up: list[float] = []
    for _ in range(ROUNDS):
        at: list[float] = []
        seen = len(router.requests)
        ran = kernel.run(cell, shows="#0", on_shown=lambda at=at: at.append(kernel.interrupt()))
        logged = router.wait_for(lambda r, seen=seen: r in router.requests[seen:] and r.hung_up_at is not None)
        assert logged.hung_up_at is not None
        idle.append(ran.idle_at - at[0])
        hung_up.append(logged.hung_up_at - at[0])
    return {"idle_ms": 1000 * statistics.median(idle), "hung_up_ms": 1000 * statistics.median(hung_up)}
