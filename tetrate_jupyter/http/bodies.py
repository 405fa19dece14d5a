"""Whole bodies: requests encoded as JSON, and JSON responses read within a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.errors import MalformedResponseError, OptionError, TetrateError
from tetrate_jupyter.http import faults
from tetrate_jupyter.http.attempts import FailedAttempt, within
from tetrate_jupyter.http.chunk_reading import decode_chunk, is_of_another_api
from tetrate_jupyter.http.chunks import is_given
from tetrate_jupyter.http.reading import BOM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from tetrate_jupyter.http.attempts import OpenResponse
    from tetrate_jupyter.http.chunks import ChatChunk

T = TypeVar("T")

_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_ENOUGH: Final = 6  # bytes that are enough to distinguish an event stream from JSON
_MOST_BLANK: Final = 4096  # bytes that are looked at, blanks included
_EVENT_STARTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_UNREADABLE: Final = (ValueError, RecursionError)  # msgspec's errors are ValueErrors; so are those of bad UTF-8


async def read_whole(opened: OpenResponse, asked: faults.RequestContext, limit: int) -> bytearray | FailedAttempt:
    """Read a body to its end and close. A body of more than `limit` bytes is a failure, and so is a lost connection."""
    body = bytearray()  # grows in place: joining a list of pieces would hold all of them twice
    error: TetrateError | None = None
    try:
        async for data in opened.chunks():
            body += data
            if len(body) > limit:
                error = _too_large(opened, asked, limit)
                break
    except Exception as failure:  # noqa: BLE001 - whatever a transport raises becomes ours
        error = opened.explain(failure)
    finally:
        await opened.aclose()
    if body.startswith(BOM):
        del body[: len(BOM)]
    return body if error is None else FailedAttempt.of_error(error)


async def read_start(opened: OpenResponse, limit: int = config.MAX_ERROR_BYTES) -> bytes:
    """Read the first `limit` bytes of an error's body and close; of a body that breaks off, return what arrived."""
    body = b""
    try:
        async for data in opened.chunks():
            body += data
            if len(body) >= limit:
                break
    except Exception:  # noqa: BLE001, S110 - the status says enough without the body
        pass
    finally:
        await opened.aclose()
    return body[:limit]


def _too_large(opened: OpenResponse, asked: faults.RequestContext, limit: int) -> MalformedResponseError:
    size = f"{limit / 2**20:.0f} MB" if limit >= 2**20 else f"{limit / 2**10:.0f} kB"
    return MalformedResponseError(
        f"{asked.host} sent more than {size} where a short answer was expected.",
        next_step=f"check the base URL {asked.base_url}",
        request_id=asked.request_id,
        status=opened.status,
    )


class Begun:
    """A response whose beginning has been peeked at; reading it starts there again (see `attempts.OpenResponse`)."""

    def __init__(self, opened: OpenResponse) -> None:
        self._opened = opened
        self._start: list[bytes] = []
        self._rest = opened.chunks()
        self._failure: Exception | None = None

    async def is_stream(self) -> bool:
        """Whether its first bytes are those of an event stream, whatever its content type is."""
        seen = b""
        try:
            while len(seen) < _MOST_BLANK and len(seen.lstrip(_BLANK)) < _ENOUGH:
                if (data := await anext(self._rest, None)) is None:
                    break
                self._start.append(data)
                seen += data
        except Exception as failure:  # noqa: BLE001 - raised when the body is read
            self._failure = failure
        return seen.lstrip(_BLANK).startswith(_EVENT_STARTS)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body from its beginning."""
        for data in self._start:
            yield data
        if self._failure is not None:
            raise self._failure
        async for data in self._rest:
            yield data

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._opened.status

    def reply(self, body: faults.Body) -> faults.ReceivedResponse:
        """Join status and headers with the body that was read."""
        return self._opened.reply(body)

    def explain(self, failure: Exception) -> TetrateError:
        """Return our error for what reading raised."""
        return self._opened.explain(failure)

    async def aclose(self) -> None:
        """Close the response."""
        await self._opened.aclose()


async def read_either(
    opened: OpenResponse, asked: faults.RequestContext, seconds: float, ignored: list[str]
) -> OpenResponse | ChatChunk | FailedAttempt:
    """Read a response whose content type says JSON; return it unread where it is an event stream nevertheless.

    Raises `GatewayTimeoutError` (phase "first output") after `seconds` for the first bytes, and again for the rest.
    """
    begun = Begun(opened)
    if await within(seconds, begun.is_stream(), asked, phase="first output"):
        return begun
    whole = await within(seconds, _read_completion(begun, asked, ignored), asked, phase="first output")
    return whole if isinstance(whole, FailedAttempt) else whole.as_chunk()


async def _read_completion(
    opened: OpenResponse, asked: faults.RequestContext, ignored: list[str]
) -> ChatChunk | FailedAttempt:
    """Read a whole completion; one that carries an error, or has no completion's shape, is a failure."""
    body = await read_whole(opened, asked, config.MAX_ANSWER_BYTES)
    if isinstance(body, FailedAttempt):
        return body
    outcome = decoded(lambda content: decode_chunk(content, ignored), opened.reply(body), asked)
    if isinstance(outcome, FailedAttempt):
        return outcome
    if outcome.has_error and not is_given(outcome.error):  # it stands deeper, where nothing else is an error
        body = bytearray(msgspec.json.encode({"error": outcome.error_content}))
    if not outcome.has_error and outcome.choices is None and is_of_another_api(body):
        return FailedAttempt.of_error(faults.other_api(asked))
    if outcome.has_error or outcome.choices is None:
        return FailedAttempt.of_reply(opened.reply(body), asked)
    return outcome


def decoded(
    decode: Callable[[faults.Body], T], reply: faults.ReceivedResponse, asked: faults.RequestContext
) -> T | FailedAttempt:
    """Decode a body; one that doesn't fit is a failure (an error that came with status 200 is that error)."""
    try:
        return decode(reply.body)
    except _UNREADABLE:
        pass
    return FailedAttempt.of_reply(reply, asked)


def encoded(body: Mapping[str, Any]) -> bytes | OptionError:
    """Encode a request as JSON; return the error where it holds a value that JSON can't."""
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # our error is made outside the handler, without the foreign one as context: that may hold the prompt
    return OptionError(
        "The request holds a value that can't be sent as JSON.",
        next_step="pass plain numbers, text, lists and dicts as options, and text without broken characters",
    )
