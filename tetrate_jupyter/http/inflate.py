"""Bodies that arrive compressed although identity was requested: decompressed within a bound, or refused; pure.

The HTTP library decompresses in one step, before anything can check the size: three layers of gzip turn 286 bytes into
gigabytes. So a single layer of gzip or deflate, which a proxy may add unasked, is decompressed here piece by piece, and
everything else is refused.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Protocol

    class _Unpacker(Protocol):
        @property
        def unconsumed_tail(self) -> bytes: ...
        @property
        def eof(self) -> bool: ...
        def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


PIECE: Final = 64 * 1024  # bytes decompressed at a time
_MOST_SILENCE: Final = 1024 * 1024  # compressed bytes that may yield nothing: endless headers and empty blocks
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS  # zlib's way to ask for the gzip format
_SHOWN: Final = 60  # characters of an encoding's name


class EncodingError(Exception):
    """Raised for a body whose encoding isn't supported, or is broken; the message is for a person."""


def encoding_of(header: str) -> str:
    """Return "gzip", "deflate" or "" (not compressed) for a `Content-Encoding`; several headers are joined by commas.

    Raises `EncodingError` for any other, and for several layers.
    """
    layers = [name for part in header.split(",") if (name := part.strip().lower()) and name != "identity"]
    if not layers:
        return ""
    if len(layers) == 1 and layers[0] in _GZIP:
        return "gzip"
    if layers == ["deflate"]:
        return "deflate"
    name = "".join(c for c in ", ".join(layers) if c.isascii() and c.isprintable())[:_SHOWN]
    raise EncodingError(f"compressed in a way that wasn't asked for ({name})")


async def inflated(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Yield the decompressed content of `chunks` as it arrives, in pieces of at most 64 kB. Raises `EncodingError`.

    Data after the end of the compressed stream is ignored.
    """
    unpacker: _Unpacker | None = None
    silent = 0
    async for data in chunks:
        if unpacker is None and data:
            unpacker = _unpacker(encoding, data)
        if unpacker is None or unpacker.eof:
            continue
        silent += len(data)
        for piece in _pieces(unpacker, data):
            silent = 0
            yield piece
            await asyncio.sleep(0)  # lets cancellation and timeouts through, which a bomb would keep waiting
        if silent > _MOST_SILENCE:
            raise EncodingError("compressed, and empty as far as it was read")
    if unpacker is not None and not unpacker.eof:
        raise EncodingError("compressed, and cut off before its end")


def _pieces(unpacker: _Unpacker, data: bytes) -> Iterator[bytes]:
    try:
        piece = unpacker.decompress(data, PIECE)
        while piece:
            yield piece
            piece = unpacker.decompress(unpacker.unconsumed_tail, PIECE)
    except zlib.error:
        raise EncodingError("compressed, but broken") from None


def _unpacker(encoding: str, start: bytes) -> _Unpacker:
    if encoding == "gzip":
        return zlib.decompressobj(_GZIP_HEADER)
    # "deflate" means the zlib format; some servers send raw deflate, without the two-byte header and its checksum.
    has_header = start[0] & 0x0F == 8 and (len(start) < 2 or (start[0] * 256 + start[1]) % 31 == 0)
    return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
