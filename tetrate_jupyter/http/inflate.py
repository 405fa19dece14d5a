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
        @property
        def unused_data(self) -> bytes: ...
        def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


PIECE: Final = 64 * 1024  # bytes decompressed at a time
_MOST_SILENCE: Final = 1024 * 1024  # compressed bytes that may yield nothing: endless headers and empty blocks
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS  # zlib's way to ask for the gzip format
_GZIP_MARK: Final = b"\x1f\x8b"  # how each part of a gzip file begins
_NO_ENCODINGS: Final = frozenset({"identity", "none", "utf-8", "utf8", "ascii", "binary", "8bit", "chunked"})
_SHOWN: Final = 60  # characters of an encoding's name


class EncodingError(Exception):
    """Raised for a body whose encoding isn't supported, or is broken; the message is for a person."""


def encoding_of(header: str) -> str:
    """Return "gzip", "deflate" or "" (not compressed) for a `Content-Encoding`; several headers are joined by commas.

    Some servers put a character set there, or "none": that is no encoding. Raises `EncodingError` for any other, and
    for several layers.
    """
    layers = [name for part in header.split(",") if (name := part.strip().lower()) and name not in _NO_ENCODINGS]
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

    Gzip may come in several parts, one after another; other data after the end of the compressed stream is ignored.
    """
    unpacker: _Unpacker | None = None
    silent = 0
    beyond: bytes | None = b""  # what follows a part, as far as it may begin another one; None: nothing more counts
    async for more in chunks:
        data = more
        silent += len(data) if beyond is not None else 0
        while data and beyond is not None:
            if unpacker is None or unpacker.eof:
                beyond += data
                if unpacker is not None and (encoding != "gzip" or not beyond.startswith(_GZIP_MARK)):
                    beyond = beyond if encoding == "gzip" and _GZIP_MARK.startswith(beyond) else None
                    break
                data, beyond = beyond, b""
                unpacker = _unpacker(encoding, data)
            for piece in _pieces(unpacker, data):
                silent = 0
                yield piece
                await asyncio.sleep(0)  # lets cancellation and timeouts through, which a bomb would keep waiting
            data = unpacker.unused_data
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
