"""Server-sent events: bytes in, data payloads out; knows nothing of HTTP."""

from __future__ import annotations

from typing import Final

import msgspec

from tetrate_jupyter import config

_BOM = b"\xef\xbb\xbf"
MOST_LINES: Final = 100_000  # of one event, 47 bytes each beside their text; routers send one


class EventTooLargeError(Exception):
    """One event grew past the bound."""


class EventSplitter:
    """Splits a stream of bytes into the data of its events, however the bytes were cut.

    Line ends may be CRLF, LF or CR. Comments (keep-alives), other names, ids and retry hints are dropped; several data
    lines of one event are joined by LF. An event named "error", and JSON without its "data:", become a chunk
    with an `error` where they aren't one. Work is done on bytes, so a character cut in two needs no care. `max_event`
    bounds one event, in bytes; beyond it `feed` raises `EventTooLargeError`.
    """

    __slots__ = ("_after_cr", "_buffer", "_max_event", "_started")

    def __init__(self, max_event: int = config.MAX_EVENT_BYTES) -> None:
        self._buffer = bytearray()
        self._max_event = max_event
        self._after_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the data of each event they complete."""
        buffer = self._buffer
        if not self._started:
            buffer += data
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                return []
            self._started = True
            data = bytes(buffer).removeprefix(_BOM)
            buffer.clear()
        if self._after_cr or b"\r" in data:
            data = self._plain_line_ends(data)
        if not buffer and data.endswith(b"\n\n"):
            return self._payloads(data[:-2].split(b"\n\n"))  # the common case: whole events only
        seen = max(0, len(buffer) - 1)
        buffer += data
        if buffer.find(b"\n\n", seen) < 0:
            if len(buffer) > self._max_event:
                raise EventTooLargeError
            return []
        whole = bytes(buffer)
        buffer.clear()
        *blocks, rest = whole.split(b"\n\n")
        del whole  # a large event is there as few times at once as can be
        self._buffer = bytearray(rest)
        return self._payloads(blocks)

    def finish(self) -> list[bytes]:
        """Return what is left when the bytes end: an event whose blank line never came (it may be cut off)."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return self._payloads([rest])

    def _plain_line_ends(self, data: bytes) -> bytes:
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _payloads(self, blocks: list[bytes]) -> list[bytes]:
        found = []
        for block in filter(None, blocks):
            if len(block) > self._max_event or block.count(b"\n") >= MOST_LINES:
                raise EventTooLargeError
            if len(block) > 6 and block.startswith(b"data: ") and b"\n" not in block:
                found.append(block[6:])
            elif (data := _data_of(block)) is not None:
                found.append(data)
        return found


def _data_of(block: bytes) -> bytes | None:
    if block[:1] in (b"{", b"["):  # an error's JSON in a stream that was promised, without its "data:"
        return block if block[:1] == b"{" else b'{"error":' + block + b"}"
    lines = []
    is_error = False
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
        elif name == b"event":
            is_error = value.strip() == b"error"
    data = b"\n".join(lines) if any(lines) else None
    return _named_error(data) if is_error else data


def _named_error(data: bytes | None) -> bytes:
    """Return the data of an event that is named "error" as a chunk with the member `error`, whatever it was."""
    try:
        content = msgspec.json.decode(data or b"null")
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        content = (data or b"").decode("utf-8", "replace")
    return msgspec.json.encode({"error": content or "the server named no reason"})
