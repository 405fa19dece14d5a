"""How long a cell still hangs after an interrupt, and when the router sees the hang-up.

Run: `python -m tests.benchmarks.interrupt`. The aim is 0.15 s for both, and 0.2 s in a kernel after megabytes.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import threading
import time

from tests.flood import MODEL, Flood
from tests.kernels import CountingKernel
from tests.render.kinds import text_of
from tetrate_jupyter.bridge import Bridge
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.sandbox import SandboxRouter
from tetrate_jupyter.secret import Secret

ROUNDS = 20
FLOODS = 5
FLOODED = ("items", "paragraphs", "a wide table", "code", "one paragraph")


def measure() -> dict[str, float]:
    """Give seconds from the interrupt to the return of the call, and to the hang-up: median and worst of 20."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    returned, hung_up = [], []
    with SandboxRouter() as router:
        for _ in range(ROUNDS):
            back, gone = _once(router)
            returned.append(back)
            hung_up.append(gone)
    return {
        "return_median": statistics.median(returned),
        "return_worst": max(returned),
        "hang_up_median": statistics.median(hung_up),
        "hang_up_worst": max(hung_up),
    }


def flooded() -> dict[str, float]:
    """Return milliseconds from the interrupt to idle after 1 MB of each kind: the median of 5, and the worst of all."""
    found: dict[str, list[float]] = {}
    texts = {kind.replace(" ", ""): ("content", text_of(kind, 1_000_000)) for kind in FLOODED}
    texts["reasoning"] = ("reasoning_content", text_of("items", 1_000_000))
    with Flood(texts) as flood, CountingKernel(flood.environment) as kernel:
        kernel.run(f"%load_ext tetrate_jupyter\n%config TetrateMagics.model = '{MODEL}'")
        for prompt in texts:
            found[prompt] = [_flooded(kernel, flood, prompt) for _ in range(FLOODS)]
    medians = {f"{prompt}_ms": 1000 * statistics.median(times) for prompt, times in found.items()}
    return {**medians, "worst_ms": 1000 * max(map(max, found.values()))}


def _flooded(kernel: CountingKernel, flood: Flood, prompt: str) -> float:
    at: list[float] = []
    flood.sent.clear()

    def stop() -> None:
        flood.sent.wait()
        time.sleep(0.3)  # for what is on its way
        at.append(kernel.interrupt())

    ran = kernel.run(f"%tetrate --no-keep {prompt}", on_shown=stop)
    return ran.idle_at - at[0]


def _once(router: SandboxRouter) -> tuple[float, float]:
    endpoints = Endpoints.of(router.base_url)
    key = Secret(router.issue_key(), host=endpoints.host)
    body = {"model": "sandbox/stream", "messages": [{"role": "user", "content": "chunks=1000 size=20 interval=0.02"}]}
    bridge, sent = Bridge(), 0.0
    before = len(router.requests)

    async def ask() -> None:
        client = GatewayClient(endpoints)
        seen = 0
        async with client.stream(key, body) as stream:
            async for _ in stream:
                seen += 1
                if seen == 10:
                    threading.Thread(target=interrupt).start()

    def interrupt() -> None:
        nonlocal sent
        sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    try:
        bridge.run(ask())
    except KeyboardInterrupt:
        back = time.monotonic() - sent
    router.wait_for(lambda request: request.hung_up_at is not None and request in router.requests[before:])
    (request,) = router.requests[before:]
    bridge.close()
    assert request.hung_up_at is not None
    return back, request.hung_up_at - sent


if __name__ == "__main__":
    print(json.dumps({name: round(value, 4) for name, value in {**measure(), **flooded()}.items()}, indent=2))
