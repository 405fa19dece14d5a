"""Compressed bodies are unpacked piece by piece, as they come, up to their end; what isn't one layer is refused."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.http.inflate import PIECE, EncodingError, encoding_of, inflated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

TEXT = '{"answer": "naïve café, 漢字"}'.encode() * 50


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "zlib, another level": ("deflate", lambda data: zlib.compress(data, 1)),
    "deflate without its header": ("deflate", raw),
}


def unpacked(pieces: Iterable[bytes], encoding: str) -> list[bytes]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def read() -> list[bytes]:
        return [piece async for piece in inflated(chunks(), encoding)]

    return asyncio.run(read())


def refusal(pieces: Iterable[bytes], encoding: str) -> str:
    with pytest.raises(EncodingError) as caught:
        unpacked(pieces, encoding)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("header", "right"),
    [
        ("", ""), ("identity", ""), (" Identity , identity", ""), (",", ""),
        ("gzip", "gzip"), ("x-gzip", "gzip"), (" GZIP ", "gzip"), ("identity, gzip", "gzip"),
        ("deflate", "deflate"), ("Deflate,", "deflate"), ("UTF-8", ""), ("none", ""), ("utf-8, gzip", "gzip"),
    ],
)  # fmt: skip
def test_one_layer_is_known_by_its_names(header: str, right: str) -> None:
    assert encoding_of(header) == right


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("br", "br"), ("zstd", "zstd"), ("gzip, gzip", "gzip, gzip"), ("deflate, gzip", "deflate, gzip"),
        ("deflate, deflate", "deflate, deflate"), ("a\x1b[2Jüb", "a[2jb"), ("x" * 500, "x" * 60),
    ],
)  # fmt: skip
def test_all_else_is_refused_by_its_name(header: str, name: str) -> None:
    with pytest.raises(EncodingError) as caught:
        encoding_of(header)
    assert str(caught.value) == f"compressed in a way that wasn't asked for ({name})"


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("size", [1, 2, 7, 10**6])
def test_what_was_packed_comes_out_however_it_was_cut(name: str, size: int) -> None:
    encoding, pack = PACKED[name]
    data = pack(TEXT)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    if (name, size) == ("deflate without its header", 1):
        pieces[:2] = [data[:2]]  # its first byte alone may be that of a header
    assert b"".join(unpacked([b"", *pieces, b""], encoding)) == TEXT


@pytest.mark.parametrize("first", [b"\x78\x01", b"\x78\x9c", b"\x08\x1d", b"\x78"])
def test_a_header_of_zlib_is_known_by_its_checksum(first: bytes) -> None:
    # Read with its header, this is refused as broken or cut, not passed on as something else.
    assert refusal([first, b"\xff" * 10], "deflate") == "compressed, but broken"


def test_whatever_begins_as_the_header_but_for_its_checksum_has_none() -> None:
    # A stored block whose unused bits make its first byte look like the header's: 0x78 & 0x07 is "stored, not final".
    data = b"\x78" + b"\x02\x00\xfd\xff" + b"ab" + raw(b"cd")
    assert (data[0] * 256 + data[1]) % 31 != 0
    assert b"".join(unpacked([data], "deflate")) == b"abcd"
    # And one, the last, with a checksum that fits but another method than deflate's.
    data = b"\x09" + b"\x15\x00\xea\xff" + b"e" * 21
    assert (data[0] * 256 + data[1]) % 31 == 0
    assert b"".join(unpacked([data], "deflate")) == b"e" * 21


@pytest.mark.parametrize("name", PACKED)
def test_no_piece_is_larger_than_the_bound_and_the_first_comes_before_the_end(name: str) -> None:
    encoding, pack = PACKED[name]
    pieces = unpacked([pack(b"\n" * (3 * PIECE + 5))], encoding)
    assert max(map(len, pieces)) <= PIECE == 64 * 1024
    assert sum(map(len, pieces)) == 3 * PIECE + 5
    given: list[int] = []

    async def chunks() -> AsyncIterator[bytes]:
        data = pack(os.urandom(4 * PIECE))
        for at in range(0, len(data), PIECE):
            given.append(at)
            yield data[at : at + PIECE]

    async def first() -> bytes:
        async for piece in inflated(chunks(), encoding):
            return piece
        raise AssertionError

    assert asyncio.run(first())
    assert len(given) <= 2


def test_others_have_their_turn_between_two_pieces() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield gzip.compress(b"\n" * (4 * PIECE))

    async def read() -> list[int]:
        order: list[str] = []

        async def other() -> None:
            for _ in range(3):
                order.append("other")
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        seen = [len(order) async for _ in inflated(chunks(), "gzip")]
        await task
        return seen

    assert asyncio.run(read()) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", PACKED)
def test_what_is_cut_off_or_broken_is_refused_and_says_which(name: str) -> None:
    encoding, pack = PACKED[name]
    data = pack(TEXT)
    for end in (2, len(data) // 2, len(data) - 1):
        assert refusal([data[:end]], encoding) == "compressed, and cut off before its end"
    broken = b"\xff" * 20 if name != "gzip" else data[:10] + b"\xff" * 20
    assert refusal([broken], encoding) == "compressed, but broken"


def test_gzip_is_gzip_alone() -> None:
    assert refusal([zlib.compress(TEXT)], "gzip") == "compressed, but broken"
    assert refusal([raw(TEXT)], "gzip") == "compressed, but broken"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_nothing_at_all_is_an_empty_body(encoding: str) -> None:
    assert unpacked([], encoding) == []
    assert unpacked([b"", b""], encoding) == []


@pytest.mark.parametrize("name", PACKED)
def test_what_follows_the_end_is_left_out(name: str) -> None:
    encoding, pack = PACKED[name]
    data = pack(TEXT)
    assert b"".join(unpacked([data + b"more", *[b"and more" * 8_000] * 50, data], encoding)) == TEXT


@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
def test_gzip_in_several_parts_comes_out_whole(size: int) -> None:
    data = gzip.compress(TEXT[:100]) + gzip.compress(b"") + gzip.compress(TEXT[100:])
    assert b"".join(unpacked([data[at : at + size] for at in range(0, len(data), size)], "gzip")) == TEXT
    assert refusal([data[:-9]], "gzip") == "compressed, and cut off before its end"
    assert b"".join(unpacked([data, b"\x1f"], "gzip")) == TEXT
    assert b"".join(unpacked([data, b"\x1f", b"x", data], "gzip")) == TEXT
    assert b"".join(unpacked([zlib.compress(TEXT) * 2], "deflate")) == TEXT


def test_parts_of_nothing_without_end_are_refused() -> None:
    part = gzip.compress(b"") * 250
    assert refusal([part] * 1_000, "gzip") == "compressed, and empty as far as it was read"


EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # a stored block of nothing, not the last one


def silence(size: int) -> list[bytes]:
    data = EMPTY_BLOCK * (size // len(EMPTY_BLOCK) + 1)
    return [data[at : min(size, at + 5000)] for at in range(0, size, 5000)]


def test_empty_blocks_without_end_are_refused_and_a_megabyte_of_them_is_not() -> None:
    most = 2**20
    rest = EMPTY_BLOCK[most % len(EMPTY_BLOCK) :]
    assert unpacked([*silence(most), rest + raw(TEXT)], "deflate") == [TEXT]
    refused = "compressed, and empty as far as it was read"
    assert refusal([*silence(most + 1), rest[1:] + raw(TEXT)], "deflate") == refused
    # What comes in between begins the count anew.
    block = b"\x00\x02\x00\xfd\xff" + b"ab"
    some = silence(most - most % len(EMPTY_BLOCK))
    assert b"".join(unpacked([*some, block, *some, raw(b"cd")], "deflate")) == b"abcd"
