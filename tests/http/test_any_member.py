"""Streams of any shape: any split gives the same answer; any JSON in one member the same text or one typed error."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tetrate_jupyter.completion.accumulate import Accumulator
from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.http.sse import EventSplitter

BOUNDED = settings(derandomize=True, deadline=None, max_examples=300, database=None)
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud83d", "\ude00", "<think>", "stop", "3"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "type", "thinking", "content", "x", "index"]), inner, max_size=3)
    ),
    max_leaves=6,
)
CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
CHUNKS: list[dict[str, Any]] = [
    {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "One 😀, "}}]},
    {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {"reasoning_content": "hm", "content": "two"}}]},
    {
        "choices": [
            {
                "index": 0,
                "delta": {"content": ", three", "tool_calls": [CALL], "function_call": CALL["function"]},
                "logprobs": None,
            }
        ]
    },
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"input_tokens": 1}}], "usage": None},
    {"choices": [], "x_groq": {"error": "", "usage": {"completion_tokens": 2}}, "eval_count": 2},
    {"choices": [], "usageMetadata": {"promptTokenCount": 1, "thoughtsTokenCount": 0}, "usage_metadata": {}},
    {
        "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}},
    },
]
WHOLE = "One 😀, two, three"
# Members that decide which choice it is, or that are the text: what another value means there is another answer.
TEXTUAL = {"choices", "delta", "content"}


def read(payloads: list[bytes]) -> Accumulator:
    adding = Accumulator()
    parts = [adding.add(decode_chunk(payload)) for payload in payloads]
    parts.append(adding.finish())
    adding.text = "".join(text for text, _ in parts)  # type: ignore[attr-defined]
    adding.thought = "".join(thought for _, thought in parts)  # type: ignore[attr-defined]
    return adding


def facts(adding: Any) -> tuple[object, ...]:
    return adding.text, adding.thought, adding.tool_calls, adding.finish_reason, adding.usage


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every member of a chunk, by its path; entries of lists too."""
    found: list[tuple[Any, ...]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(*before, key), *places(inner, (*before, key))]
    return found


PLACES = [(n, path) for n, chunk in enumerate(CHUNKS) for path in places(chunk)]


@BOUNDED
@given(st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_gives_the_same_answer(cuts: list[int]) -> None:
    data = b"".join(b"data: " + json.dumps(c, ensure_ascii=False).encode() + b"\n\n" for c in CHUNKS)
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    splitter = EventSplitter()
    payloads = [p for one, two in itertools.pairwise(at) for p in splitter.feed(data[one:two])]
    assert facts(read(payloads)) == facts(read([json.dumps(c).encode() for c in CHUNKS]))


@BOUNDED
@given(
    st.lists(st.integers(0, 40), max_size=6),
    st.sampled_from(["a 😀 b", "<think>é</think>\n\n<b>", "<thin", " x\ud83d"]),
)
def test_any_split_of_a_text_into_chunks_gives_the_same_answer(cuts: list[int], text: str) -> None:
    units = text.encode("utf-16-le", "surrogatepass")  # also between the halves of a pair, as some servers cut
    at = [0, *sorted(min(cut * 2, len(units)) for cut in cuts), len(units)]
    pieces = [units[one:two].decode("utf-16-le", "surrogatepass") for one, two in itertools.pairwise(at)]
    said = [json.dumps({"choices": [{"delta": {"content": piece}}]}).encode() for piece in pieces]
    whole = [json.dumps({"choices": [{"delta": {"content": text}}]}).encode()]
    assert facts(read(said)) == facts(read(whole))


@pytest.mark.heavy
@BOUNDED
@given(st.sampled_from(PLACES), ANY)
def test_any_value_in_one_member_gives_the_same_text_or_one_error(place: tuple[int, Any], value: Any) -> None:
    number, (*path, last) = place
    chunks = copy.deepcopy(CHUNKS)
    holder: Any = chunks[number]
    for key in path:
        holder = holder[key]
    holder[last] = value
    try:
        found: Any = read([json.dumps(chunk).encode() for chunk in chunks])
    except (ValueError, RecursionError):  # what the stream makes a MalformedResponseError of
        assert TEXTUAL & {*path, last}, (place, value)
        return
    if last in TEXTUAL or (path and path[-1] == "choices") or last == "index":
        return  # another text, or another choice
    assert found.text == WHOLE
