"""Reading an image's media type and size in pixels from its bytes."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass

_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=\s]+)")
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # start-of-frame markers, which hold the size


@dataclass(frozen=True)
class Picture:
    """An image's actual media type, its size in bytes, and its width and height in pixels where the header has them."""

    media_type: str
    size: int
    width: int | None = None
    height: int | None = None


def read_data_url(url: str) -> tuple[str, Picture] | None:
    """Return the media type that a data URL claims, and the image in it; None where there is no image."""
    found = _DATA_URL.fullmatch(url)
    if found is None:
        return None
    try:
        data = base64.b64decode(re.sub(r"\s", "", found[2]), validate=True)
    except (binascii.Error, ValueError):
        return None
    picture = probe(data)
    return None if picture is None else (found[1], picture)


def probe(data: bytes) -> Picture | None:
    """Return the image's facts from its header; None for bytes that aren't PNG, JPEG, GIF or WebP."""
    size = len(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and size >= 24:
        return Picture("image/png", size, *struct.unpack(">II", data[16:24]))
    if data[:6] in {b"GIF87a", b"GIF89a"} and size >= 10:
        return Picture("image/gif", size, *struct.unpack("<HH", data[6:10]))
    if data.startswith(b"\xff\xd8\xff"):
        return Picture("image/jpeg", size, *_jpeg_pixels(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Picture("image/webp", size, *_webp_pixels(data))
    return None


def _jpeg_pixels(data: bytes) -> tuple[int | None, int | None]:
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + max(length, 2)
    return None, None


def _webp_pixels(data: bytes) -> tuple[int | None, int | None]:
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None, None
