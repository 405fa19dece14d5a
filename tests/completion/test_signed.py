"""Signed reasoning from its pieces, within bounds, without keys."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tetrate_jupyter.completion.accumulate import Accumulator
from tetrate_jupyter.completion.signed import MOST, SignedReasoning
from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.secret import Secret


def joined(*pieces: Any) -> Any:
    signed = SignedReasoning(lambda text: text)
    for piece in pieces:
        signed.add("x", msgspec.Raw(json.dumps(piece).encode()))
    return signed.found().get("x")


T = {"type": "t"}
RIGHT: list[tuple[list[Any], Any]] = [
    ([[{**T, "text": "a"}], [{**T, "text": "b"}]], [{**T, "text": "ab"}]),
    ([[{**T, "text": "a"}, {**T, "text": "b"}]], [{**T, "text": "ab"}]),
    ([[{**T, "thinking": "a", "signature": None}], [{**T, "thinking": "", "signature": "s"}]],
     [{**T, "thinking": "a", "signature": "s"}]),
    ([[{**T, "summary": "a", "id": "1"}], [{**T, "summary": "b", "id": None, "format": None}]],
     [{**T, "summary": "ab", "id": "1", "format": None}]),
    ([[{**T, "text": "a", "index": 0}], [{**T, "text": "b", "index": 1}]],
     [{**T, "text": "a", "index": 0}, {**T, "text": "b", "index": 1}]),
    ([[{**T, "text": "a", "index": 0}], [{**T, "text": "b", "index": 0}]], [{**T, "text": "ab", "index": 0}]),
    ([[{**T, "text": "a", "summary": ["s"]}], [{**T, "text": "b", "summary": "u"}]],
     [{**T, "text": "ab", "summary": "u"}]),
    ([[{**T, "text": "a"}], [{"type": "u", "text": "b"}]], [{**T, "text": "a"}, {"type": "u", "text": "b"}]),
    ([[{**T, "data": "a"}], [{**T, "data": "b"}]], [{**T, "data": "a"}, {**T, "data": "b"}]),
    ([[{**T, "text": "a"}], [{**T, "data": "b"}], [{**T, "text": "c"}]],
     [{**T, "text": "a"}, {**T, "data": "b"}, {**T, "text": "c"}]),
    ([[{**T, "text": ["a"]}], [{**T, "text": "b"}]], [{**T, "text": ["a"]}, {**T, "text": "b"}]),
    ([[{**T, "text": "a", "summary": "s"}], [{**T, "text": "b", "summary": ["u"]}]],
     [{**T, "text": "ab", "summary": ["u"]}]),
    ([[5, None, {**T, "text": "a"}, "x"]], [{**T, "text": "a"}]),
    ([{"text": "a"}], None),
    (["text"], None),
    ([[]], None),
    ([], None),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "right"), RIGHT, ids=range(len(RIGHT)))
def test_pieces_are_joined(pieces: list[Any], right: Any) -> None:
    assert joined(*pieces) == right


def test_each_piece_takes_room_and_the_first_entries_are_kept() -> None:
    signed = SignedReasoning(lambda text: text[:20])
    signed.add("x", msgspec.Raw(b'[{"data":"12345678"}]'))
    assert signed.found() == {}
    signed.add("x", msgspec.Raw(b'[{"data":"1234567"}]'))
    signed.add("y", msgspec.Raw(b"[{broken"))
    assert signed.found() == {"x": [{"data": "1234567"}]}
    assert joined([{"data": str(n)} for n in range(MOST + 1)]) == [{"data": str(n)} for n in range(MOST)]


def test_neither_a_key_nor_half_a_character_goes_back() -> None:
    key = Secret("sk-signed-0123456789abcdef", host="signed.example")
    found = joined([{**T, "text": "a sk-signed-0123"}], [{**T, "text": "456789abcdef \ud83d"}])
    assert "0123456789abcdef" not in json.dumps(found)
    json.dumps(found, ensure_ascii=False).encode()
    del key


@pytest.mark.parametrize("odd", [{}, {"model": 7}])
def test_what_goes_back_with_the_calls(odd: dict[str, Any]) -> None:
    adding = Accumulator()
    assert adding.aside("") == ""
    delta = {"reasoning": "hm", "reasoning_details": [{**T, "text": "hm"}], "thinking_blocks": [{**T, "thinking": "h"}]}
    adding.add(decode_chunk(json.dumps({"choices": [{"delta": delta}], **odd}).encode()))
    assert json.loads(adding.aside("hm")) == {
        "reasoning": "hm",
        "reasoning_details": [{**T, "text": "hm"}],
        "thinking_blocks": [{**T, "thinking": "h"}],
    }
    alone = Accumulator()
    del delta["reasoning"]
    alone.add(decode_chunk(json.dumps({"choices": [{"delta": delta}], **odd}).encode()))
    assert set(json.loads(alone.aside(""))) == {"reasoning_details", "thinking_blocks"}
