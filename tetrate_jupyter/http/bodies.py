"""Bodies in one piece: what is sent as JSON, and what comes back as JSON, read within a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.errors import MalformedResponseError, OptionError, TetrateError
from tetrate_jupyter.http import faults, wire
from tetrate_jupyter.http.attempts import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.http.attempts import Opened

T = TypeVar("T")

_UNREADABLE: Final = (ValueError, RecursionError)  # msgspec's errors are ValueErrors; so are those of digits and text


async def read_whole(opened: Opened, asked: faults.Asked, limit: int) -> bytearray | Failure:
    """Read a body to its end and close. A body past `limit` bytes is a failure, and so is a connection that drops."""
    body = bytearray()  # grows in place: pieces that are joined at the end are there twice
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
    return body if error is None else Failure.of_error(error)


async def read_start(opened: Opened, limit: int = config.MAX_ERROR_BYTES) -> bytes:
    """Read the beginning of an error's body and close; a body that breaks off gives what had come."""
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


def _too_large(opened: Opened, asked: faults.Asked, limit: int) -> MalformedResponseError:
    size = f"{limit / 2**20:.0f} MB" if limit >= 2**20 else f"{limit / 2**10:.0f} kB"
    return MalformedResponseError(
        f"{asked.host} sent more than {size} where a short answer was due.",
        next_step=f"check the base URL {asked.base_url}",
        request_id=asked.request_id,
        status=opened.status,
    )


async def read_completion(opened: Opened, asked: faults.Asked) -> wire.WireCompletion | Failure:
    """Read a whole answer; one that carries an error, or no choice at all, is a failure."""
    body = await read_whole(opened, asked, config.MAX_ANSWER_BYTES)
    if isinstance(body, Failure):
        return body
    outcome = decoded(wire.decode_completion, opened.reply(body), asked)
    if isinstance(outcome, Failure):
        return outcome
    if wire.is_given(outcome.error) or not outcome.choices:
        return Failure.of_reply(opened.reply(body), asked)
    return outcome


def decoded(decode: Callable[[faults.Body], T], reply: faults.Reply, asked: faults.Asked) -> T | Failure:
    """Decode a body; what doesn't fit is a failure (an error that came with status 200 is that error)."""
    try:
        return decode(reply.body)
    except _UNREADABLE:
        pass
    return Failure.of_reply(reply, asked)


def encoded(body: Mapping[str, Any]) -> bytes | OptionError:
    """Encode a request; give the error where it holds what JSON can't."""
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # the error is given outside the handler: the foreign one may hold the prompt
    return OptionError(
        "The request holds a value that can't be sent as JSON.",
        next_step="give plain numbers, text, lists and dicts as options, and text without broken characters",
    )
