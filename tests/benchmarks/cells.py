"""(c), (d): `%%tetrate` in a real ipykernel against cells that read with bare httpx; interrupting it.

One of them prints each piece, which is the least that can be done; the other shows the text so far by one display, ten
times a second, which is the least that shows an answer as Markdown while it is written.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING

from tests.kernels import CountingKernel, Ran
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 5
CHUNKS = 1000
SIZE = 7  # characters a chunk, as in the measurements of other tools

BURST = f"chunks={CHUNKS} size={SIZE} interval=0"
PACED = "chunks=500 size=20 interval=0.01"
LONG = "chunks=2000 size=20 interval=0.01"

_PRINTING = """
import httpx, json
body = {{"model": "sandbox/stream", "stream": True, "messages": [{{"role": "user", "content": {prompt!r}}}]}}
with httpx.stream("POST", {url!r}, headers={{"Authorization": "Bearer " + {key!r}}}, timeout=60, json=body) as response:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            choices = json.loads(line[6:])["choices"]
            if choices:
                print(choices[0]["delta"].get("content") or "", end="")
"""

_SHOWING = """
import httpx, json, time
from IPython.display import display, Markdown
body = {{"model": "sandbox/stream", "stream": True, "messages": [{{"role": "user", "content": {prompt!r}}}]}}
text, shown, handle = "", 0.0, display(Markdown(""), display_id=True)
with httpx.stream("POST", {url!r}, headers={{"Authorization": "Bearer " + {key!r}}}, timeout=60, json=body) as response:
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            choices = json.loads(line[6:])["choices"]
            if choices:
                text += choices[0]["delta"].get("content") or ""
                if time.monotonic() - shown >= 0.1:
                    handle.update(Markdown(text))
                    shown = time.monotonic()
handle.update(Markdown(text))
"""


def measure() -> dict[str, dict[str, float]]:
    """Give the figures of the cells, burst and paced, and of an interrupt."""
    with SandboxRouter(list_faults=True) as router:
        key = router.issue_key()
        environment = {**router.environment, config.KEY_VARIABLES[0]: key}
        with CountingKernel(environment) as kernel:
            kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.keep = False")
            ours = lambda prompt: f"%%tetrate -m sandbox/stream\n{prompt}"  # noqa: E731 - two forms of one cell
            url = router.base_url + "/chat/completions"
            others = [partial(_filled, text, url, key) for text in (_PRINTING, _SHOWING)]
            for cell in (ours, *others):  # imports, first connections
                kernel.run(cell(BURST))
            return {
                "burst": _against(kernel, router, (ours, *others), BURST, CHUNKS * SIZE),
                "paced": _against(kernel, router, (ours, *others), PACED, 500 * 20),
                "interrupt": _interrupt(kernel, router, ours(LONG)),
            }


def _filled(cell: str, url: str, key: str, prompt: str) -> str:
    return cell.format(url=url, key=key, prompt=prompt)


def _against(
    kernel: CountingKernel,
    router: SandboxRouter,
    cells: Sequence[Callable[[str], str]],
    prompt: str,
    text_bytes: int,
) -> dict[str, float]:
    ours, printing, showing = cells
    rounds: list[tuple[Ran, Ran, Ran, float]] = []
    for _ in range(ROUNDS):
        printed, showed = kernel.run(printing(prompt)), kernel.run(showing(prompt))
        mine = kernel.run(ours(prompt), shows="#0")
        assert mine.status == printed.status == showed.status == "ok", mine.texts[-1:]
        sent = router.requests[-1].first_chunk_at
        assert sent is not None
        assert mine.first_shown_at is not None
        rounds.append((mine, printed, showed, mine.first_shown_at - sent))
    middle = statistics.median
    cpu, printed_cpu, showed_cpu = (middle(each[of].cpu for each in rounds) for of in range(3))
    size = middle(each[0].bytes for each in rounds)
    return {
        "first_text_ms": 1000 * middle(each[-1] for each in rounds),
        "messages": middle(each[0].messages for each in rounds),
        "bytes": size,
        "bytes_per_text_byte": size / text_bytes,
        "cpu_ms": 1000 * cpu,
        "printing_cpu_ms": 1000 * printed_cpu,
        "to_printing_ratio": cpu / printed_cpu,
        "showing_cpu_ms": 1000 * showed_cpu,
        "to_showing_ratio": cpu / showed_cpu,
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
