"""A streamed completion: bytes of a response in, typed chunks out, always closed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tetrate_jupyter import config
from tetrate_jupyter.errors import (
    GatewayTimeoutError,
    MalformedResponseError,
    StreamCutError,
    StreamStalledError,
    TetrateError,
)
from tetrate_jupyter.http import faults
from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.http.chunks import ChatChunk, Choice
from tetrate_jupyter.http.deadline import Deadline
from tetrate_jupyter.http.error_body import error_of_event
from tetrate_jupyter.http.sse import END_MARK, EventSplitter, EventTooLargeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    from tetrate_jupyter.http.attempts import Leaving, OpenResponse

    OpenStream: TypeAlias = Callable[[], Awaitable[tuple[OpenResponse | ChatChunk, "ResponseMeta"]]]

_UNREADABLE: Final = (ValueError, RecursionError)  # msgspec's errors are ValueErrors
_AFTER_FINISH_SECONDS: Final = 5.0  # after a finish reason; usage and the end mark follow it at once, or not at all
_EVENT_WEIGHT: Final = 256  # bytes that each event counts for besides its own, since even a short one takes time
_MAYBE_EARLY: Final = frozenset({"stop", "end_turn", "eos", "eos_token"})  # reasons that may come before the text
_MOST_OTHERS: Final = 10_000
_SILENT_ENDS: Final = (type(None), StreamCutError, StreamStalledError, GatewayTimeoutError)
_HOLLOW: Final = frozenset({b"null", b"{}", b"[]"})  # events that say nothing, not even what API they are of
_LINE_STARTS: Final = b":deirDEIR{[\xef"  # how a line of a stream may begin
_DRAIN_SECONDS: Final = 0.05  # for the few bytes after the end mark; once they are read the connection can be reused


@dataclass(frozen=True)
class ResponseMeta:
    """Facts about the response. `dropped_fields`: request fields that the router removed for this provider.

    `attempts`: how many tries it took. `simulated`: the sandbox router answered, not a model.
    """

    request_id: str
    dropped_fields: tuple[str, ...] = ()
    attempts: int = 1
    simulated: bool = False


@dataclass(frozen=True)
class StreamBounds:
    """Seconds to wait for the first output, and then for each next chunk; keep-alives don't count.

    While chunks without output keep coming, the wait is `first_output` seconds at most, at any point of the stream.
    `silence`: bytes that may arrive without any output.
    """

    first_output: float = config.FIRST_OUTPUT_TIMEOUT
    between_chunks: float = config.BETWEEN_CHUNKS_TIMEOUT
    silence: int = config.MAX_RESPONSE_BYTES


class StreamProgress:
    """How far an answer has come, judged by its chunks.

    `has_output`: some of it has arrived. `has_ended`: a finish reason has arrived. `is_whole`: one has arrived after
    all of the text, so nothing more is waited for. A reason before any text doesn't end the answer (some servers send
    "stop" with the reasoning, and the text afterwards). Once text has followed a reason that came after text, a reason
    in a chunk with text no longer counts (some servers send one with every chunk).
    """

    __slots__ = ("_has_content", "_is_doubtful", "has_ended", "has_output", "is_whole")

    def __init__(self) -> None:
        self.has_output = self.has_ended = self.is_whole = False
        self._has_content = self._is_doubtful = False

    def note(self, chunk: ChatChunk) -> bool:
        """Take the next chunk; return whether it brought anything: content, reasoning or the first finish reason."""
        choice = chunk.choice
        if choice is None:
            return False
        delta = choice.added
        is_content = delta is not None and delta.has_content
        if is_content:
            self._is_doubtful = self._is_doubtful or self.is_whole
            self._has_content, self.is_whole = True, False
        brings = is_content or (not self.is_whole and delta is not None and bool(delta.reasoning_text))
        if choice.finish_reason:
            brings = brings or not self.has_ended
            self.has_ended = True
            is_last = self._has_content or choice.finish_reason.lower() not in _MAYBE_EARLY
            self.is_whole = self.is_whole or (is_last and not (self._is_doubtful and is_content))
        self.has_output = self.has_output or brings
        return brings


def _apart(chunk: ChatChunk) -> Iterable[ChatChunk]:
    """Yield each of several choices with one number as a chunk of its own: only one answer was asked for."""
    ours = [choice for choice in chunk.choices or () if not choice.index]
    if len(ours) < 2:
        return (chunk,)
    return (replace(chunk, choices=ours[:1]), *(ChatChunk([choice]) for choice in ours[1:]))


class ChatStream:
    """The chunks of one answer: `async with client.stream(...) as stream: async for chunk in stream: ...`.

    Leaving the block, also through an error or a cancellation, closes the request, so that the router stops. Entering
    raises the error of a refused or failed request. Iterating raises `StreamCutError` (neither end mark nor finish
    reason), `StreamStalledError`, `GatewayTimeoutError` (phase "first output"), `MalformedResponseError`, or the error
    that a chunk carries; none of these once the answer is whole. `request_id` is known from the start;
    `dropped_fields`, `attempts` and `simulated` once the block is entered. `ignored` lists the names of irregular
    members that were left out.
    """

    def __init__(
        self,
        open_stream: OpenStream,
        asked: faults.RequestContext,
        bounds: StreamBounds,
        ignored: list[str],
        leaving: Leaving | None = None,
    ) -> None:
        self.request_id = asked.request_id or ""
        self.dropped_fields: tuple[str, ...] = ()
        self.attempts = 0
        self.simulated = False
        self.ignored = ignored
        self._open_stream = open_stream
        self._leaving = leaving
        self._asked = asked
        self._bounds = bounds
        self._ready: deque[ChatChunk] = deque()
        self._splitter = EventSplitter()
        self._failure: TetrateError | None = None
        self._ended = False  # no more bytes are wanted
        self._standing = StreamProgress()
        self._others: list[ChatChunk] = []  # chunks with choices of another index only, in case none has index 0
        self._waited = 0.0  # seconds waited since the last output, or since the finish reason
        self._silent = 0  # bytes since the last output
        self._begins = b""  # the first bytes that aren't blank
        self._remark: TetrateError | None = None  # an event that was an error if nothing follows it
        self._is_foreign: bool | None = None  # whether events came and none is a chunk; None: nothing came

    @property
    def was_sent(self) -> bool:
        """Whether the current try of the request has begun to be sent."""
        return self._leaving is None or self._leaving.has_begun

    async def __aenter__(self) -> Self:
        opened, meta = await self._open_stream()
        self._deadline = Deadline()
        self.dropped_fields, self.attempts, self.simulated = meta.dropped_fields, meta.attempts, meta.simulated
        self._opened: OpenResponse | None = None
        if isinstance(opened, ChatChunk):
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

    async def __anext__(self) -> ChatChunk:
        ready = self._ready
        if not ready:
            await self._fill()
        return ready.popleft()

    async def _fill(self) -> None:
        """Read until a chunk is ready; raise `StopAsyncIteration`, or the failure, where none will come."""
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
        """Return the seconds to wait for the next chunk; keep-alives and chunks without output can't extend them."""
        first, between = self._bounds.first_output, self._bounds.between_chunks
        if not self._standing.has_output:
            return max(0.0, first - self._waited)
        if self._standing.is_whole:
            return max(0.0, min(between, _AFTER_FINISH_SECONDS) - self._waited)
        return max(0.0, min(between, max(first, between) - self._waited))

    async def _read(self, until: float) -> list[bytes]:
        """Return the payloads in the next bytes; [] at the end or after a failure, which are noted."""
        try:
            data = await self._deadline.wait(anext(self._bytes), until)
            self._begins = self._begins or data.lstrip()[:1]
            payloads = self._splitter.feed(data)
            self._silent += len(data) + _EVENT_WEIGHT * (len(payloads) + data.count(b"\n\n"))
            if self._silent > self._bounds.silence:
                self._end(None if self._standing.has_ended else self._malformed("endless data without an answer"))
                payloads = []
        except StopAsyncIteration:
            return self._at_end_of_bytes()
        except TimeoutError:
            self._end(None if self._standing.has_ended else self._too_slow())
        except EventTooLargeError:
            large = self._malformed("one event of the stream is larger than any answer")
            self._end(None if self._standing.is_whole else large)
        except Exception as failure:  # noqa: BLE001 - whatever a transport raises becomes ours
            self._end(None if self._standing.is_whole else self._broken(failure))
        else:
            return payloads
        return []

    def _take(self, payloads: list[bytes]) -> None:
        standing = self._standing
        for payload in payloads:
            if payload == END_MARK:
                self._end(self._of_another_api())
                return
            try:
                chunk = decode_chunk(payload, self.ignored)
                failure = faults.error_in_stream(chunk.error_content, self._asked) if chunk.has_error else None
            except _UNREADABLE:
                failure = self._malformed("a chunk of the stream can't be read")
            if failure is not None:
                if standing.is_whole:  # whatever follows a whole answer isn't part of it
                    self.ignored.append("event")
                    continue
                self._end(failure)
                return
            if chunk.choices or chunk.may_have_usage or not self._is_remark(payload):
                self._add(chunk, payload)
            if self._ended:
                return

    def _is_remark(self, payload: bytes) -> bool:
        """Whether an event without choices holds words, which are an error if nothing of the answer follows."""
        error, is_sure = error_of_event(payload)
        if error is None:
            return False
        if is_sure and not self._standing.is_whole:
            self._end(faults.error_in_stream(error, self._asked))
            return True
        self._remark = self._remark or faults.error_in_stream(error, self._asked)
        self.ignored.append("event")
        return True

    def _add(self, chunk: ChatChunk, payload: bytes) -> None:
        if chunk.choices is not None or self._is_foreign is None:
            self._is_foreign = chunk.choices is None and payload.strip() not in _HOLLOW
        for part in _apart(chunk):
            self._ready.append(part)
            if self._standing.note(part):
                self._silent, self._remark = 0, None  # the answer goes on
            elif part.choices and part.choice is None and len(self._others) < _MOST_OTHERS:
                self._others.append(part)

    def _at_end_of_bytes(self) -> list[bytes]:
        rest = self._splitter.finish()
        if rest and rest[-1] != END_MARK:
            try:
                decode_chunk(rest[-1])
            except _UNREADABLE:
                rest.pop()  # the event was cut off in the middle
        self._take(rest)
        if not self._ended:
            self._end(None if self._standing.has_ended else self._cut())
        return []

    def _end(self, failure: TetrateError | None) -> None:
        self._ended = True
        if self._remark is not None and not self._standing.has_ended and isinstance(failure, _SILENT_ENDS):
            failure = self._remark
        self._failure = failure
        if self._others and not self._standing.has_output:  # no choice had index 0: the lowest is the answer
            found = [choice for chunk in self._others for choice in chunk.choices or ()]
            lowest = min(choice.index or 0 for choice in found)
            ours = [Choice(c.added, c.finish_reason) for c in found if c.index == lowest]
            self._ready.extend(ChatChunk([choice]) for choice in ours)
            if any(choice.finish_reason for choice in ours) and isinstance(failure, StreamCutError):
                self._failure = None

    async def _drain(self) -> None:
        until = self._deadline.after(_DRAIN_SECONDS)
        try:
            while True:
                await self._deadline.wait(anext(self._bytes), until)
        except Exception:  # noqa: BLE001, S110 - the answer is whole; a connection that can't be reused is closed
            pass

    def _too_slow(self) -> TetrateError:
        if not self._standing.has_output:
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

    def _cut(self) -> TetrateError:
        if self._begins == b"<":  # a page that is labelled as a stream
            return faults.unreadable(faults.ReceivedResponse(200, {"content-type": "text/html"}), self._asked)
        if self._is_foreign is None and self._opened is not None and self._begins not in _LINE_STARTS:
            return faults.unreadable(self._opened.reply(b""), self._asked)
        if (foreign := self._of_another_api()) is not None:
            return foreign
        return StreamCutError(
            "The answer was cut off before its end.",
            next_step="ask again; the text so far is kept",
            request_id=self.request_id,
        )

    def _of_another_api(self) -> TetrateError | None:
        return faults.other_api(self._asked) if self._is_foreign and not self._standing.has_output else None

    def _broken(self, failure: Exception) -> TetrateError:
        ours = self._opened.explain(failure) if self._opened is not None else None
        return ours if isinstance(ours, MalformedResponseError) else self._cut()

    def _malformed(self, what: str) -> MalformedResponseError:
        return MalformedResponseError(
            f"{self._asked.host} sent something that doesn't conform to the API: {what}.",
            next_step="ask again, or choose another model; the text so far is kept",
            request_id=self.request_id,
            status=200,
        )
