"""The gate of what comes in: keys in escapes are found wherever they stand, without making objects of the body."""

from __future__ import annotations

import json
import tracemalloc

import msgspec
import pytest

from tetrate_jupyter.errors import OptionError, SecretInPromptError
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


@pytest.mark.parametrize("unit", [b"\\ud800", b"\\n", b"[", b"NaN ", b'""'])
def test_mending_costs_no_more_than_the_body(unit: bytes) -> None:
    body = b'{"a":NaN,"c":"' + unit * (250_000 // len(unit))
    tracemalloc.start()
    try:
        reading.mended(body)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"model": "m", "messages": [{"role": "system", "content": KEY}]}, "the system text"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": KEY}]}, "the tool text"),
        ({"messages": [{"content": KEY}]}, "the request's 'messages'"),
        ({"messages": [], "user": KEY}, "the request's 'user'"),
        ({"tools": [{"role": "user", "name": KEY}]}, "the request's 'tools'"),
        ({"messages": [], KEY: 1}, "the request"),
    ],
)
def test_the_part_that_holds_it_is_named(body: dict[str, object], place: str) -> None:
    secret = Secret(KEY, host="h")
    with pytest.raises(SecretInPromptError) as caught:
        gate.outgoing(body)
    assert caught.value.message == f"An API key is in {place}; nothing was sent."
    assert "%tetrate_reset" in caught.value.next_step
    del secret


def test_what_holds_no_key_leaves_as_json_and_what_is_none_is_refused() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "ü sk-"}], "n": 1}
    assert json.loads(gate.outgoing(body)) == body
    with pytest.raises(OptionError):
        gate.outgoing({"model": "m", "seed": object()})


@pytest.mark.parametrize(
    ("came", "right"),
    [
        (b'{"a":"%s","b":["%s",1]}' % (KEY.encode(), KEY.encode()), b'{"a":"<secret>","b":["<secret>",1]}'),
        (b'{"%s":null}' % KEY.encode(), b'{"<secret>":null}'),
        (b'{"a":"%s"}' % b"".join(b"\\u%04X" % ord(c) for c in KEY), b'{"a":"<secret>"}'),
        (b'{"a":"%s","b":NaN}' % KEY.encode(), b'{"a":"<secret>","b":null}'),
        (b'{"a":"%s' % KEY.encode(), b'{"a":"<secret>'),
        (b"\xff %s" % KEY.encode(), "\ufffd <secret>".encode()),
        (b'{"a":"%s' % escaped(KEY), b'{"a":"%s' % escaped(KEY)),  # no JSON: nothing reads escapes there
        (b'\xff{"a":"%s' % escaped(KEY), b'\xff{"a":"%s' % escaped(KEY)),
        (b'{"a":"\\/sk-"}', b'{"a":"\\/sk-"}'),
        (b"", b""),
    ],
)
def test_what_comes_in_has_no_key_and_is_else_as_it_came(came: bytes, right: bytes) -> None:
    secret = Secret(KEY, host="h")
    assert gate.incoming(came) == right
    assert gate.clean(lambda body: [bytes(body)])(bytearray(came)) == [right]
    del secret


def test_a_key_with_a_stroke_is_found_where_that_is_escaped() -> None:
    secret = Secret("k1/Z9/k2/Y8/k3/X7", host="h")
    assert gate.incoming(b'{"a":"k1\\/Z9\\/k2\\/Y8\\/k3\\/X7"}') == b'{"a":"<secret>"}'
    del secret


def test_among_as_many_values_as_a_list_may_have_a_key_is_found() -> None:
    secret = Secret(KEY, host="h")
    body = b'{"x":"%s","y":[%s1]}' % (KEY.encode(), b"1," * 50_000)
    assert KEY.encode() not in gate.incoming(body)
    del secret


@pytest.mark.parametrize("form", [b"\\u%04x", b"\\u%04X"])
def test_each_character_that_a_key_may_have_is_known_by_its_escapes(form: bytes) -> None:
    key = "sk-" + "".join(map(chr, range(0x21, 0x7F)))
    secret = Secret(key, host="h")
    came = b'{"a":"%s"}' % b"".join(form % code for code in key.encode())
    assert gate.incoming(came) == b'{"a":"<secret>"}'
    del secret
