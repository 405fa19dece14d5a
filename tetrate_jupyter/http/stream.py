"""An answer as it is written: bytes of a response in, typed chunks out, always closed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.errors import (
    GatewayTimeoutError,
    MalformedResponseError,
    StreamCutError,
    StreamStalledError,
    TetrateError,
)
from tetrate_jupyter.http import faults, wire
from tetrate_jupyter.http.deadline import Deadline
from tetrate_jupyter.http.sse import EventSplitter, EventTooLargeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    from tetrate_jupyter.http.attempts import Opened

    OpenStream: TypeAlias = Callable[[], Awaitable[tuple[Opened | wire.ChatChunk, "ResponseMeta"]]]

_UNREADABLE: Final = (ValueError, RecursionError)  # msgspec's errors are ValueErrors
_END_MARK: Final = b"[DONE]"
_AFTER_FINISH_SECONDS: Final = 5.0  # usage and the end mark follow a finish reason at once, or not at all
_EVENT_WEIGHT: Final = 256  # bytes that an event counts for besides its own: reading it takes time, however short it is
_DRAIN_SECONDS: Final = 0.05  # what follows the end mark is a few bytes; reading them lets the connection be used again


@dataclass(frozen=True)
class ResponseMeta:
    """What came beside the answer. `dropped_fields`: request fields that the router removed for this provider."""

    request_id: str
    dropped_fields: tuple[str, ...] = ()
    attempts: int = 1


@dataclass(frozen=True)
class StreamBounds:
    """Seconds to wait for the first visible output, and for the next chunk afterwards; keep-alives count as nothing.

    Chunks that bring no output are waited through for `first_output` seconds, too, whenever they come. `silence` is the
    number of bytes that may come without any output.
    """

    first_output: float = config.FIRST_OUTPUT_TIMEOUT
    between_chunks: float = config.BETWEEN_CHUNKS_TIMEOUT
    silence: int = config.MAX_RESPONSE_BYTES


class ChatStream:
    """The chunks of one answer: `async with client.stream(...) as stream: async for chunk in stream: ...`.

    Leaving the block, also by an error or a cancel, closes the request: the router sees the hang-up. Raises on entering
    whatever the router refuses with; while iterating `StreamCutError` (no end mark and no finish reason),
    `StreamStalledError`, `GatewayTimeoutError` (phase "first output"), `MalformedResponseError`, or the error that a
    chunk carries. `request_id` is known from the start; `dropped_fields` and `attempts` once entered.
    """

    def __init__(self, open_stream: OpenStream, asked: faults.Asked, bounds: StreamBounds) -> None:
        self.request_id = asked.request_id or ""
        self.dropped_fields: tuple[str, ...] = ()
        self.attempts = 0
        self._open_stream = open_stream
        self._asked = asked
        self._bounds = bounds
        self._ready: deque[wire.ChatChunk] = deque()
        self._splitter = EventSplitter()
        self._failure: TetrateError | None = None
        self._ended = False  # no more bytes are wanted
        self._complete = False  # a finish reason or the end mark has come
        self._has_output = False
        self._waited = 0.0  # seconds waited since the last output, or since the finish reason
        self._silent = 0  # bytes since then

    async def __aenter__(self) -> Self:
        opened, meta = await self._open_stream()
        self._deadline = Deadline()
        self.dropped_fields, self.attempts = meta.dropped_fields, meta.attempts
        self._opened: Opened | None = None
        if isinstance(opened, wire.ChatChunk):
            self._ready.append(opened)
            self._ended = True
        else:
            self._opened = opened
            self._bytes: AsyncIterator[bytes] = opened.chunks()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            self._deadline.close()
            return
        try:
            if kind is None and self._ended and self._failure is None:
                await self._drain()
        finally:
            self._deadline.close()
            await opened.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> wire.ChatChunk:
        ready = self._ready
        if not ready:
            await self._fill()
        return ready.popleft()

    async def _fill(self) -> None:
        """Read until a chunk is ready; raise when there is none to come."""
        deadline = self._deadline
        waited_from = deadline.after(0)
        until = waited_from + self._patience()
        while not self._ready:
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                raise StopAsyncIteration
            self._take(await self._read(until))
        self._waited = 0.0 if self._silent == 0 else self._waited + deadline.after(0) - waited_from

    def _patience(self) -> float:
        """Return the seconds to wait for the next chunk: keep-alives and chunks without output can't stretch them."""
        first, between = self._bounds.first_output, self._bounds.between_chunks
        if not self._has_output:
            return max(0.0, first - self._waited)
        if self._complete:
            return max(0.0, min(between, _AFTER_FINISH_SECONDS) - self._waited)
        return max(0.0, min(between, max(first, between) - self._waited))

    async def _read(self, until: float) -> list[bytes]:
        """Give the payloads of the next bytes; at the end, or when reading fails, note so."""
        try:
            data = await self._deadline.wait(anext(self._bytes), until)
            payloads = self._splitter.feed(data)
            self._silent += len(data) + _EVENT_WEIGHT * (len(payloads) + data.count(b"\n\n"))
            if self._silent > self._bounds.silence:
                self._end(None if self._complete else self._malformed("nothing of an answer, without end"))
                payloads = []
        except StopAsyncIteration:
            return self._at_end_of_bytes()
        except TimeoutError:
            self._end(None if self._complete else self._too_slow())
        except EventTooLargeError:
            self._end(self._malformed("one event of the stream is larger than any answer"))
        except Exception as failure:  # noqa: BLE001 - whatever a transport raises becomes ours
            self._end(None if self._complete else self._broken(failure))
        else:
            return payloads
        return []

    def _take(self, payloads: list[bytes]) -> None:
        for payload in payloads:
            if payload == _END_MARK:
                self._complete = True
                self._end(None)
                return
            try:
                chunk = wire.decode_chunk(payload)
            except _UNREADABLE:
                self._end(self._malformed("a chunk of the stream can't be read"))
                return
            if wire.is_given(chunk.error):
                self._end(faults.error_in_stream(chunk.error_content, self._asked))
                return
            self._ready.append(chunk)
            if not self._complete and chunk.has_output:  # what comes after the finish counts as nothing
                self._has_output, self._silent = True, 0
                self._complete = chunk.finish_reason is not None

    def _at_end_of_bytes(self) -> list[bytes]:
        rest = self._splitter.finish()
        if rest and rest[0] != _END_MARK:
            try:
                wire.decode_chunk(rest[0])
            except _UNREADABLE:
                rest = []  # the event was cut off in the middle
        self._take(rest)
        if not self._ended:
            self._end(None if self._complete else self._cut())
        return []

    def _end(self, failure: TetrateError | None) -> None:
        self._ended = True
        self._failure = failure

    async def _drain(self) -> None:
        until = self._deadline.after(_DRAIN_SECONDS)
        try:
            while True:
                await self._deadline.wait(anext(self._bytes), until)
        except Exception:  # noqa: BLE001, S110 - the answer is whole; a connection that can't be reused is closed
            pass

    def _too_slow(self) -> TetrateError:
        if not self._has_output:
            return GatewayTimeoutError(
                f"{self._asked.model or self._asked.host} sent nothing for {self._bounds.first_output:.0f} s.",
                phase="first output",
                next_step="ask again, or choose another model",
                request_id=self.request_id,
            )
        return StreamStalledError(
            f"The answer stopped coming: nothing for {self._bounds.between_chunks:.0f} s.",
            next_step="ask again; the text so far is kept",
            request_id=self.request_id,
        )

    def _cut(self) -> StreamCutError:
        return StreamCutError(
            "The answer was cut off before its end.",
            next_step="ask again; the text so far is kept",
            request_id=self.request_id,
        )

    def _broken(self, failure: Exception) -> TetrateError:
        ours = self._opened.explain(failure) if self._opened is not None else None
        return ours if isinstance(ours, MalformedResponseError) else self._cut()

    def _malformed(self, what: str) -> MalformedResponseError:
        return MalformedResponseError(
            f"{self._asked.host} sent something that isn't the API's: {what}.",
            next_step="ask again, or choose another model; the text so far is kept",
            request_id=self.request_id,
            status=200,
        )
