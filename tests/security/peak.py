"""Asks a router on every route, in a process of its own, and prints what came of it and how much memory it took."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from tetrate_jupyter import errors
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.completion.request import Request
from tetrate_jupyter.completion.run import Completion
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Message, Model

BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def peak() -> int:
    """The most memory this process has had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # of this process alone; ru_maxrss begins with what its parent had
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024  # type: ignore[index]
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


async def chat(client: GatewayClient, key: Secret) -> str:
    request = Request(Model("m", "m"), (Message("user", "hello"),))
    return (await Completion(request, price=lambda _model, _usage: Estimate(None)).run(client, key)).text


ROUTES: dict[str, Any] = {
    "models": lambda client, key: client.models(key),
    "catalog": lambda client, _: client.catalog(),
    "status": lambda client, key: client.status(key),
    "exchange": lambda client, _: client.exchange("code-0123", "verifier-0123"),
    "chat": chat,
}


async def ask(origin: str, cases: list[str]) -> dict[str, Any]:
    """Ask for each case: "kind:route", where the kind is the first part of the path that is asked."""
    told: dict[str, Any] = {}
    for case in cases:
        kind, route = case.split(":")
        endpoints = Endpoints.of(f"{origin}/{kind}/v1", f"{origin}/{kind}")
        client = GatewayClient(endpoints)
        before, started = peak(), time.monotonic()
        try:
            outcome = (
                f"value: {type(await ROUTES[route](client, Secret('sk-0123456789', host=endpoints.host))).__name__}"
            )
        except errors.TetrateError as error:
            outcome = f"{type(error).__name__}: {error.message}"[:300]
        told[case] = {
            "outcome": outcome,
            "growth": peak() - before,
            "seconds": round(time.monotonic() - started, 2),
        }
        await client.aclose()
    return told


if __name__ == "__main__":
    warm_up, hostile, *wanted = sys.argv[1:]
    asyncio.run(ask(warm_up, [f"json:{route}" for route in ROUTES]))  # imports, buffers: not what is measured
    print(json.dumps(asyncio.run(ask(hostile, wanted))))
