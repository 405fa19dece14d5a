"""A server that sends exactly the bytes a test names, and what the tests of this room share."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient, Timeouts
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY_TEXT = "sk-never-to-be-shown-0123456789abcdef"


class Then(Enum):
    """What a script does besides sending bytes."""

    HANG = "wait for the client to hang up"
    CLOSE = "close the connection"
    RESET = "drop the connection without a goodbye"


Step = bytes | Then | asyncio.Event


@dataclass
class Request:
    """What arrived."""

    head: str
    body: bytes

    @property
    def path(self) -> str:
        return self.head.split(" ", 2)[1]

    @property
    def headers(self) -> dict[str, str]:
        lines = [line.partition(":") for line in self.head.split("\r\n")[1:] if line]
        return {name.lower(): value.strip() for name, _, value in lines}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RawRouter:
    """Answers request after request with the scripts it is given; the last one is repeated."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    scripts: list[tuple[Step, ...]] = field(default_factory=list)
    connections: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def will(self, *steps: Step) -> RawRouter:
        self.scripts.append(steps)
        return self

    def will_answer(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> RawRouter:
        return self.will(answer(status, body, headers))

    def will_stream(self, *steps: Step, end: bool = True) -> RawRouter:
        """Send these pieces as the body of a chunked event stream."""
        pieces = [chunked(step) if isinstance(step, bytes) else step for step in steps]
        return self.will(stream_head(), *pieces, *([b"0\r\n\r\n"] if end else []))

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints.of(f"http://127.0.0.1:{self.port}/v1")

    @property
    def key(self) -> Secret:
        return Secret(KEY_TEXT, host=f"127.0.0.1:{self.port}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request = Request(head.strip(), b"")
        request.body = await reader.readexactly(int(request.headers.get("content-length", 0)))
        self.requests.append(request)
        self.arrived.set()
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif step is Then.HANG:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                self.hung_up.set()
                return False
            elif step is Then.RESET:
                writer.transport.abort()
                return False
            else:
                return False
        return True

    async def aclose(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


def answer(status: int, body: object = None, headers: dict[str, str] | None = None) -> bytes:
    """One whole response; a body that isn't bytes or text is sent as JSON."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(content)), **(headers or {})}
    return (
        "".join([f"HTTP/1.1 {status} X\r\n", *(f"{k}: {v}\r\n" for k, v in fields.items()), "\r\n"]).encode() + content
    )


def stream_head(**headers: str) -> bytes:
    fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **headers}
    return (
        "HTTP/1.1 200 OK\r\n" + "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in fields.items()) + "\r\n"
    ).encode()


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(**members: Any) -> bytes:
    return b"data: " + json.dumps(members, ensure_ascii=False).encode() + b"\n\n"


def text_event(text: str, **choice: Any) -> bytes:
    return event(model="m-1", choices=[{"index": 0, "delta": {"content": text}, **choice}])


STOP = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8})
DONE = b"data: [DONE]\n\n"
HASTE = 1.5  # seconds
QUESTION = {"model": "m-1", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
async def router() -> AsyncIterator[RawRouter]:
    raw = RawRouter()
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    yield raw
    server.close()
    await raw.aclose()
    await server.wait_closed()


@pytest.fixture
async def client(router: RawRouter) -> AsyncIterator[GatewayClient]:
    client = GatewayClient(router.endpoints)
    yield client
    await client.aclose()


@pytest.fixture
async def hasty(router: RawRouter) -> AsyncIterator[GatewayClient]:
    """A client whose every bound is short, and yet long enough for a busy machine to do what isn't to be late."""
    client = GatewayClient(router.endpoints, timeouts=Timeouts(*[HASTE] * 8))
    yield client
    await client.aclose()


async def read(client: GatewayClient, key: Secret, body: dict[str, Any] | None = None) -> list[Any]:
    """Stream one answer to its end."""
    async with client.stream(key, body or QUESTION) as stream:
        return [chunk async for chunk in stream]


def text_of(chunks: list[Any]) -> str:
    return "".join(c.delta.content or "" for c in chunks if c.delta is not None)
