"""Writing server-sent events, with everything that can go wrong inside a stream."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Final

from tornado.iostream import StreamClosedError

from tetrate_jupyter.sandbox.endpoint import HungUpError

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.endpoint import Endpoint

_END_MARK: Final = "[DONE]"
_SPLIT_EVERY: Final = 7  # bytes; few enough to split UTF-8 characters
_KEEP_ALIVE_EVERY: Final = 0.05  # seconds between comments when only comments are sent
_COMMENTS = b": keep-alive\n\n\n: a comment: with colons\nevent: message\nid: 7\nretry: 3000\n"


class EndOfStreamError(Exception):
    """Raised where a fault has ended the stream early, so that nothing more is sent."""


class EventWriter:
    """Writes one stream. The endpoint's fault takes effect after its `after_chunks` events with output."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._fault = endpoint.fault
        self._kind = endpoint.fault.kind if endpoint.fault else None
        self._outputs = 0
        self._line_end = b"\r\n" if self._kind == "crlf" else b"\n"

    async def open(self, content_type: str = "text/event-stream; charset=utf-8") -> None:
        """Send the headers at once."""
        endpoint = self._endpoint
        endpoint.set_header("Content-Type", content_type)
        endpoint.set_header("Cache-Control", "no-cache")
        endpoint.connection.stream.set_nodelay(True)  # chunks are small, and Nagle's algorithm would break the pace
        with endpoint.state.log.change():
            endpoint.record.status = endpoint.get_status()
        await self._flush()

    async def output(self, event: dict[str, Any]) -> None:
        """Send an event with output, or apply the fault that is due."""
        if self._fault and self._outputs == self._fault.after_chunks:
            await self._trouble()
        self._outputs += 1
        await self.event(event)

    async def event(self, event: dict[str, Any]) -> None:
        """Send an event as JSON."""
        await self.text(json.dumps(event, ensure_ascii=False, separators=(",", ":")))

    async def text(self, data: str) -> None:
        """Send an event whose data is this text, JSON or not; the end mark isn't counted in the log."""
        await self._data(data.encode())
        if data == _END_MARK:
            return
        record = self._endpoint.record
        with self._endpoint.state.log.change():
            record.chunks_sent += 1
            record.first_chunk_at = record.first_chunk_at or time.monotonic()

    async def done(self) -> None:
        """Send the end mark and finish the response."""
        if self._fault and self._outputs <= self._fault.after_chunks:
            await self._trouble()  # the answer had fewer events than that
        if self._kind != "no-done":
            await self.text(_END_MARK)
        await self._endpoint.finish()

    async def raw(self, text: str) -> None:
        """Send text unchanged; it must hold whole events."""
        await self._send(text.encode())

    async def _data(self, data: bytes) -> None:
        end = self._line_end
        block = b"data: " + data + end + end
        if self._kind == "comments":
            block = _COMMENTS + block
        if self._kind == "byte-split":
            for start in range(0, len(block), _SPLIT_EVERY):
                await self._send(block[start : start + _SPLIT_EVERY])
        else:
            await self._send(block)

    async def _send(self, data: bytes) -> None:
        self._endpoint.write(data)
        await self._flush()
        await asyncio.sleep(0)  # a stream without pauses must not block the others

    async def _flush(self) -> None:
        if self._endpoint.gone.is_set():
            raise HungUpError
        try:
            await self._endpoint.flush()
        except StreamClosedError:
            self._endpoint.on_connection_close()  # a write may fail before Tornado reports the closed connection
            raise HungUpError from None

    async def _trouble(self) -> None:
        fault, kind = self._fault, self._kind
        if fault is None:
            return
        if kind == "stream-error":
            message = fault.message or "The provider failed in the middle of its answer."
            await self.event({"error": {"message": message, "code": fault.code or 502, "type": "api_error"}})
            await self._endpoint.finish()
            raise EndOfStreamError
        if kind == "stream-cut":
            self._endpoint.drop()
            raise EndOfStreamError
        if kind == "stream-unfinished":
            await self._endpoint.finish()
            raise EndOfStreamError
        if kind == "stream-stall":
            await self._endpoint.wait(fault.delay)
        elif kind == "keep-alive-only":
            await self._only_comments(fault.delay)
        elif kind == "bad-json":
            await self._data(b'{"choices": [{"index": 0, "delta": {"content": "tru')

    async def _only_comments(self, seconds: float | None) -> None:
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            await self._send(b": keep-alive\n\n")
            await self._endpoint.wait(_KEEP_ALIVE_EVERY)
