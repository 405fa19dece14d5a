"""CPU that reading a streamed answer costs: our client against bare httpx reading the same stream.

Run: `python tests/benchmarks/client_cpu.py`. The sandbox serves from a process of its own. The aim is a ratio up to
1.25; below 1 we cost less than the library used plainly (`aiter_lines` and `json.loads`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx

from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

CHUNKS = 1000
ROUNDS = 7  # alternating, so that a busy moment of the machine hits both
INTERVAL = 0.002  # seconds between chunks: each comes in a network read of its own, as from a real model
SERVER = """
import sys
from tetrate_jupyter.sandbox import SandboxRouter
with SandboxRouter() as router:
    print(router.base_url, router.issue_key(), flush=True)
    sys.stdin.read()
"""


def measure() -> dict[str, float]:
    """Give CPU milliseconds per 1,000 chunks for both, paced and as fast as they come, and their ratios."""
    with _sandbox() as (base_url, key):
        paced = asyncio.run(_compare(base_url, key, INTERVAL))
        burst = asyncio.run(_compare(base_url, key, 0.0))
    return {
        **{f"paced_{name}": value for name, value in paced.items()},
        **{f"burst_{name}": value for name, value in burst.items()},
    }


@contextlib.contextmanager
def _sandbox() -> Iterator[tuple[str, str]]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        base_url, key = process.stdout.readline().split()
        yield base_url, key
        process.stdin.close()


async def _compare(base_url: str, key: str, interval: float) -> dict[str, float]:
    prompt = f"chunks={CHUNKS} size=20 interval={interval}"
    body = {"model": "sandbox/stream", "messages": [{"role": "user", "content": prompt}]}
    endpoints = Endpoints.of(base_url)
    client = GatewayClient(endpoints)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as bare:
        ways: dict[str, Callable[[], Awaitable[int]]] = {
            "httpx_ms": lambda: _bare(bare, base_url, key, body),
            "ours_ms": lambda: _ours(client, Secret(key, host=endpoints.host), body),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for name in [*ways, *list(ways) * ROUNDS]:  # the first of each warms up
            before = time.process_time()
            assert await ways[name]() >= CHUNKS
            spent[name].append(time.process_time() - before)
    await client.aclose()
    per_thousand = 1000 * 1000 / CHUNKS  # seconds to milliseconds, chunks to thousands
    found = {name: statistics.median(times[1:]) * per_thousand for name, times in spent.items()}
    pairs = zip(spent["ours_ms"][1:], spent["httpx_ms"][1:], strict=True)
    return {**found, "ratio": statistics.median(ours / theirs for ours, theirs in pairs)}


async def _bare(client: httpx.AsyncClient, base_url: str, key: str, body: dict[str, Any]) -> int:
    count = 0
    headers = {"Authorization": f"Bearer {key}"}
    request = {**body, "stream": True}
    async with client.stream("POST", base_url + "/chat/completions", json=request, headers=headers) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                json.loads(line[6:])
                count += 1
    return count


async def _ours(client: GatewayClient, key: Secret, body: dict[str, Any]) -> int:
    count = 0
    async with client.stream(key, body) as stream:
        async for _ in stream:
            count += 1
    return count


if __name__ == "__main__":
    print(json.dumps({name: round(value, 3) for name, value in measure().items()}, indent=2))
