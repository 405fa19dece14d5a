"""The gate of what comes in: keys in escapes are found wherever they stand, without making objects of the body."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import msgspec
import pytest

from tetrate_jupyter.http import gate, reading
from tetrate_jupyter.secret import Secret

KEY = "sk-escaped-0123456789abcdef"
PIECE = 64 * 1024


def escaped(text: str) -> bytes:
    return b"".join(b"\\u%04x" % ord(c) for c in text)


@pytest.mark.parametrize("shift", range(0, 180, 7))
@pytest.mark.parametrize("filler", [b"a", b"\\\\", b"\\n", b"\\u0041"])
def test_a_key_in_escapes_is_found_where_two_pieces_meet(shift: int, filler: bytes) -> None:
    secret = Secret(KEY, host="h")
    start = b'{"a":"' + filler * (-(-PIECE // len(filler)))
    body = start[: -len(filler) * shift] if shift else start
    came = gate.incoming(body + escaped(KEY) + b'"}')
    assert KEY not in json.loads(came)["a"]
    assert "<secret>" in json.loads(came)["a"]
    del secret


def test_what_holds_no_key_is_left_as_it_came_and_costs_no_objects() -> None:
    secret = Secret(KEY, host="h")
    body = b'{"x":"\\n","y":[%s[]]}' % (b"[]," * 2_000_000)
    tracemalloc.start()
    try:
        assert gate.incoming(body) is body
        assert tracemalloc.get_traced_memory()[1] < 3 * len(body)
    finally:
        tracemalloc.stop()
    del secret


def test_a_key_among_more_values_than_any_list_has_is_refused() -> None:
    secret = Secret(KEY, host="h")
    with pytest.raises(msgspec.DecodeError):
        gate.incoming(b'{"x":"%s","y":[%s[]]}' % (KEY.encode(), b"[]," * 1_000_000))
    del secret


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("unit", [b"\\ud800", b"\\n", b"[", b"NaN ", b'""'])
def test_mending_costs_no_more_than_the_body(unit: bytes) -> None:
    body = b'{"a":NaN,"c":"' + unit * (2_000_000 // len(unit))
    tracemalloc.start()
    try:
        with contextlib.suppress(msgspec.DecodeError):  # more than is mended
            reading.mended(body)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(body)
    finally:
        tracemalloc.stop()
