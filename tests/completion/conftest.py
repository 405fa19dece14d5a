"""One completion over real HTTP, with all that it tells, on a server that sends what a test names."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.http.conftest import DONE, STOP, RawRouter, event
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.completion.request import Request
from tetrate_jupyter.completion.run import Completion
from tetrate_jupyter.completion.tools import Toolbox
from tetrate_jupyter.errors import CostLimitError, TetrateError
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Message, Model
from tetrate_jupyter.types import Usage as Used

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.purse import Ended
    from tetrate_jupyter.types import Cut, Event

MODEL = Model("m-0", "M")
NEXT = {"prompt_tokens": 3, "completion_tokens": 5}
USAGE = event(choices=[], usage=NEXT)
END = STOP + USAGE + DONE
KEY = Secret("sk-" + "Kq7vR2xWz9" * 4, host="a.example")


def thought_event(text: str) -> bytes:
    return event(model="m-1", choices=[{"index": 0, "delta": {"reasoning_content": text}}])


def calls_event(*names: str) -> bytes:
    calls = [
        {"index": n, "id": f"c{n}", "type": "function", "function": {"name": name, "arguments": '{"a": 2}'}}
        for n, name in enumerate(names)
    ]
    return event(model="m-1", choices=[{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}])


def price(model: str, usage: Used) -> Estimate:
    """A cent a token; the note names the model."""
    if usage.completion_tokens is None:
        return Estimate(None, ("unknown",))
    return Estimate(Decimal(usage.completion_tokens) / 100, (f"as {model}",))


def double(a: int) -> int:
    """Double a number."""
    return 2 * a


def table(a: int) -> list[int]:
    """Return more than is sent."""
    return list(range(20_000))


def fails(a: int) -> int:
    """Fail."""
    raise ZeroDivisionError("by nothing")


def leaks(a: int) -> str:
    """Give a key away."""
    return f"the key is {KEY.reveal()}"


class Kept:
    """A purse that writes down what it is asked."""

    def __init__(self, cap: int | None = None, refuses: str = "") -> None:
        self.cap, self.refuses = cap, refuses
        self.asked: list[tuple[str, ...]] = []
        self.dropped: list[tuple[str, ...]] = []
        self.lost: list[Ended] = []
        self.ended: list[Ended] = []
        self.finished = 0

    def _may(self, what: str) -> None:
        if self.refuses == what:
            raise CostLimitError("It would cost too much.", next_step="raise it")

    async def open(self, messages: Sequence[Message]) -> int | None:
        self.asked.append(tuple(m.role for m in messages))
        self._may("open")
        return self.cap

    def opened(self, dropped: Sequence[str]) -> None:
        self.dropped.append(tuple(dropped))
        self._may("opened")

    async def lose(self, ended: Ended) -> None:
        self.lost.append(ended)
        self._may("lose")

    def close(self, ended: Ended) -> None:
        self.ended.append(ended)

    async def finish(self) -> tuple[str, ...]:
        self.finished += 1
        return ("Noted.",)


class Ask:
    """A router, a client, and a completion with what it tells, each event with the state at that moment."""

    def __init__(self, raw: RawRouter, client: GatewayClient) -> None:
        self.raw, self.client = raw, client
        self.told: list[tuple[str, Event]] = []

    def made(self, *tools: Callable[..., Any], cuts: tuple[Cut, ...] = (), **more: Any) -> Completion:
        request = Request(
            MODEL,
            (Message("user", "hello", cuts=cuts),),
            toolbox=Toolbox.of(tools) if tools else None,
            notes=("Said.",),
        )
        self.completion = Completion(
            request, price=price, on_event=lambda e: self.told.append((self.completion.state, e)), **more
        )
        return self.completion

    async def run(self, *tools: Callable[..., Any], purse: Kept | None = None, **more: Any) -> Answer:
        self.made(*tools, **more).purse = purse
        return await self.completion.run(self.client, self.raw.key)

    async def fail(self, kind: type[TetrateError], *tools: Callable[..., Any], **more: Any) -> Any:
        with pytest.raises(kind) as caught:
            await self.run(*tools, **more)
        assert type(caught.value) is kind
        return caught.value

    @property
    def sent(self) -> list[list[str]]:
        return [[m["role"] for m in request.json["messages"]] for request in self.raw.requests]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    raw = RawRouter()
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    client = GatewayClient(raw.endpoints)
    yield Ask(raw, client)
    await client.aclose()
    server.close()
    await raw.aclose()
    await server.wait_closed()
