"""What one stream adds up to, chunk by chunk: each member that the router sends, and nothing twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tetrate_jupyter.completion.accumulate import Accumulator, Halves
from tetrate_jupyter.completion.usage import MAX_TOKENS, add_usage, usage_of
from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.http.chunks import TokenDetails, WireUsage
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import ToolCall, Usage

KEY = "sk-accumulate-0123456789abcdef"


def chunk(delta: Any = None, **members: Any) -> Any:
    """A chunk as it comes: `delta` of choice 0, `finish_reason`, or whole `choices`."""
    choice = {"index": 0, "delta": delta, "finish_reason": members.pop("finish_reason", None)}
    return decode_chunk(json.dumps({"choices": [choice], **members}).encode())


def added(*chunks: Any, **options: Any) -> tuple[str, str, Accumulator]:
    """All text, all reasoning, and what has them added up."""
    sum_of = Accumulator(**options)
    pieces = [sum_of.add(each) for each in chunks]
    pieces.append(sum_of.finish())
    return "".join(text for text, _ in pieces), "".join(thought for _, thought in pieces), sum_of


def call(index: int, **members: Any) -> dict[str, Any]:
    identity = {"id": members.pop("id")} if "id" in members else {}
    return {"tool_calls": [{"index": index, "type": "function", **identity, "function": members}]}


# --- text and reasoning -----------------------------------------------------------------------------------------


def test_text_and_reasoning_are_told_apart_and_come_at_once() -> None:
    sum_of = Accumulator()
    assert sum_of.add(chunk({"reasoning_content": "Think. "})) == ("", "Think. ")
    assert sum_of.add(chunk({"content": "One, "})) == ("One, ", "")
    assert sum_of.add(chunk({"content": "two", "reasoning": "on"})) == ("two", "on")
    assert sum_of.add(chunk({})) == ("", "")
    assert sum_of.add(chunk(None)) == ("", "")
    assert sum_of.finish() == ("", "")
    assert sum_of.reasoning_name == "reasoning_content"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_the_name_of_the_reasoning_is_kept(name: str) -> None:
    assert added(chunk({name: "Hm."}))[2].reasoning_name == name
    assert added(chunk({"content": "Hm."}))[2].reasoning_name == ""


def test_reasoning_in_tags_stands_before_what_comes_in_its_own_member() -> None:
    text, thought, _ = added(chunk({"content": "<think>a</think>b"}), chunk({"content": "c", "reasoning": "d"}))
    assert (text, thought) == ("bc", "ad")


def test_reasoning_in_tags_that_never_close_is_given_at_the_end() -> None:
    assert added(chunk({"content": "<think>ab"}), chunk({"content": "c</thi"}))[:2] == ("", "abc</thi")


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ([{"index": 1, "delta": {"content": "no"}}], "yes"),
        ([{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "more"}}], "yesmore"),
        ([{"index": 0, "delta": {"content": "more"}}, {"index": 1, "delta": {"content": "no"}}], "yesmore"),
        ([{"index": None, "delta": {"content": "more"}}], "yesmore"),
        ([], "yes"),
    ],
)
def test_only_the_choice_that_is_ours_is_taken(other: list[Any], text: str) -> None:
    found, thought, sum_of = added(chunk({"content": "yes"}), chunk(choices=other))
    assert (found, thought) == (text, "")
    assert sum_of.has_choice


def test_a_chunk_without_our_choice_is_no_choice() -> None:
    assert not added(chunk(choices=[]))[2].has_choice
    assert not added(chunk(choices=[{"index": 1, "delta": {"content": "no"}}]))[2].has_choice


def test_images_are_noticed_once_and_for_all() -> None:
    assert added(chunk({"images": [{"url": "x"}]}), chunk({"refusal": "no"}), chunk({"content": "x"}))[2].has_images
    assert not added(chunk({"images": []}), chunk({"refusal": "no"}))[2].has_images
    end: dict[str, Any] = {"delta": {}, "message": {"images": [{"url": "x"}]}, "finish_reason": "stop"}
    assert added(chunk({"content": "x"}), chunk(choices=[end]))[2].has_images
    end["message"] = {"refusal": "no"}
    assert added(chunk({"content": "x", "images": [1]}), chunk(choices=[end]))[2].has_images


def test_a_call_in_the_older_form_is_one_until_another_comes() -> None:
    pieces = [chunk({"function_call": {"name": "f"}}), chunk({"function_call": {"arguments": "{}"}})]
    assert [(each.name, each.arguments) for each in added(*pieces)[2].tool_calls] == [("f", "{}")]
    newer = chunk({**call(0, id="a", name="g", arguments="{}"), "function_call": {"name": "f"}})
    assert [each.name for each in added(*pieces, newer)[2].tool_calls] == ["g"]
    end = {"delta": {}, "message": {"function_call": {"name": "f"}}, "finish_reason": "stop"}
    assert [each.name for each in added(chunk({"content": "x"}), chunk(choices=[end]))[2].tool_calls] == ["f"]


def test_an_id_that_is_none_is_unknown() -> None:
    for identity in ("", None, 7, " \n"):
        assert added(chunk({}, id=identity, model="m"))[2].response_id is None
    assert added(chunk({}, id="a", model="m"))[2].response_id == "a"


def test_a_refusal_comes_whole() -> None:
    text, _, sum_of = added(chunk({"refusal": "I can't "}), chunk({"content": "x"}), chunk({"refusal": "do that."}))
    assert (text, sum_of.refusal) == ("x", "I can't do that.")
    assert added(chunk({"content": "x"}))[2].refusal == ""


def test_neither_text_nor_anything_beside_it_holds_a_key() -> None:
    held = Secret(KEY, host="gateway.example")
    half = len(KEY) // 2
    text, thought, sum_of = added(
        chunk({"content": f"is {KEY[:half]}", "reasoning": KEY[:half]}, model=KEY),
        chunk({"content": f"{KEY[half:]}!", "reasoning": KEY[half:], "refusal": KEY}, finish_reason=KEY),
    )
    assert (text, thought, sum_of.refusal) == ("is <secret>!", "<secret>", "<secret>")
    assert (sum_of.served_model, sum_of.finish_reason) == ("<secret>", "<secret>")
    assert held.reveal() == KEY


def test_what_may_become_a_key_comes_at_the_end() -> None:
    held = Secret(KEY, host="gateway.example")
    sum_of = Accumulator()
    first = sum_of.add(chunk({"content": f"is {KEY[:10]}", "reasoning": f"so {KEY[:10]}"}))
    last = sum_of.finish()
    assert (first[0] + last[0], first[1] + last[1]) == (f"is {KEY[:10]}", f"so {KEY[:10]}")
    assert held.reveal() == KEY


# --- how it ended, and who answered -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "kept"),
    [
        (["stop"], "stop"),
        (["MAX_TOKENS"], "length"),
        (["end_turn"], "stop"),
        (["tool_use"], "tool_calls"),
        (["length", "stop"], "length"),
        (["stop", "length"], "length"),
        (["stop", "content_filter"], "content_filter"),
        (["content_filter", "length"], "length"),
        (["length", None], "length"),
        (["length", ""], "length"),
        (["odd_reason"], "odd_reason"),
        ([None], None),
        ([" "], None),
    ],
)
def test_the_finish_reason_is_the_last_that_says_something(reasons: list[str | None], kept: str | None) -> None:
    assert added(*[chunk({}, finish_reason=reason) for reason in reasons])[2].finish_reason == kept


def test_a_finish_reason_may_come_with_the_last_text_or_without_a_delta() -> None:
    text, _, sum_of = added(chunk({"content": "end"}, finish_reason="length"))
    assert (text, sum_of.finish_reason) == ("end", "length")
    assert added(chunk(None, finish_reason="length"))[2].finish_reason == "length"


def test_the_model_that_answers_is_the_first_that_is_named() -> None:
    assert added(chunk({}), chunk({}, model="one"), chunk({}, model="two"))[2].served_model == "one"
    assert added(chunk({}, model=""))[2].served_model is None
    assert added(chunk({}, model="\u200b\n "), chunk({}, model="one"))[2].served_model is not None
    assert "\n" not in str(added(chunk({}, model="a\nb"))[2].served_model)


# --- calls ------------------------------------------------------------------------------------------------------


def test_calls_keep_id_name_arguments_and_order() -> None:
    sum_of = added(
        chunk(call(1, id="call-b", name="second", arguments='{"x": 1}')),
        chunk(call(0, id="call-a", name="first", arguments='{"y"')),
        chunk(call(0, arguments=": 2}")),
        tools=("first", "second"),
    )[2]
    assert sum_of.tool_calls == (ToolCall("call-a", "first", '{"y": 2}'), ToolCall("call-b", "second", '{"x": 1}'))
    assert not sum_of.has_too_many_calls
    assert added(chunk({"content": "x"}))[2].tool_calls == ()


def test_a_name_in_pieces_is_joined_where_that_is_a_tool() -> None:
    pieces = chunk(call(0, id="a", name="get_")), chunk(call(0, name="weather"))
    assert added(*pieces, tools=("get_weather",))[2].tool_calls == (ToolCall("a", "get_weather", ""),)
    assert added(*pieces)[2].tool_calls == (ToolCall("a", "weather", ""),)


def test_more_calls_than_are_kept_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tetrate_jupyter.config.MAX_CALLS_PER_ROUND", 2)
    two = [chunk(call(n, id=f"c{n}", name="f", arguments="{}")) for n in range(2)]
    assert not added(*two)[2].has_too_many_calls
    sum_of = added(*two, chunk(call(2, id="c2", name="f", arguments="{}")))[2]
    assert sum_of.has_too_many_calls
    assert [c.id for c in sum_of.tool_calls] == ["c0", "c1"]
    under_one_id = "".join(f'{{"x": {n}}}' for n in range(3))
    assert added(chunk(call(0, id="c0", name="f", arguments=under_one_id)))[2].has_too_many_calls


# --- room -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["content", "reasoning"])
def test_what_there_is_room_for_is_kept(name: str) -> None:
    whole = added(chunk({name: "abc"}), chunk({name: "de"}), room=5)
    assert (whole[0] + whole[1], whole[2].is_full, whole[2].room) == ("abcde", False, 0)
    cut = added(chunk({name: "abc"}), chunk({name: "def"}), room=5)
    assert (cut[0] + cut[1], cut[2].is_full, cut[2].room) == ("abcde", True, 0)


def test_a_refusal_takes_room_too() -> None:
    text, _, sum_of = added(chunk({"refusal": "abc"}), chunk({"content": "def"}), room=5)
    assert (text, sum_of.refusal, sum_of.is_full) == ("de", "abc", True)


def test_arguments_take_room_too() -> None:
    sum_of = added(chunk(call(0, id="a", name="f", arguments="x" * 50)), room=40)[2]
    assert sum_of.is_full
    assert set(sum_of.tool_calls[0].arguments) == {"x"}
    assert len(sum_of.tool_calls[0].arguments) < 40


def test_what_was_held_back_takes_room_too() -> None:
    assert added(chunk({"content": "<think>abc</th"}), room=4)[1] == "abc<"


# --- halves of characters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (["a", "b"], "ab"),
        (["a\ud83d", "\ude00b"], "a😀b"),
        (["\ud83d", "\ude00"], "😀"),
        (["\ud83d", "x"], "\ufffdx"),
        (["\ud83d"], "\ufffd"),
        (["\ude00x"], "\ufffdx"),
        (["é", "è"], "éè"),
        (["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"),
        (["\ud83d", "\ude00\ud83d", "\ude00"], "😀😀"),
        (["a\ud800", "\udfffb"], "a\U000103ffb"),
        (["a\udbff", "\udc00b"], "a\U0010fc00b"),
    ],
)
def test_halves_are_joined(pieces: list[str], whole: str) -> None:
    halves = Halves()
    assert "".join([*map(halves.feed, pieces), halves.finish()]) == whole
    assert halves.finish() == ""


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_a_half_that_stays_alone_is_no_text(code: int) -> None:
    begun = [f"{chr(code)}x"] if code >= 0xDC00 else []  # a first half within a chunk is whole text when it is decoded
    for text in (f"x{chr(code)}", *begun):
        halves = Halves()
        assert halves.feed(text) + halves.finish() == text.replace(chr(code), "\ufffd")


def test_a_half_at_the_end_is_held_back_and_nothing_else() -> None:
    halves = Halves()
    assert halves.feed("ab\ud83d") == "ab"
    assert halves.feed("\ude00c") == "😀c"
    assert halves.feed("é") == "é"
    assert halves.finish() == ""


def test_halves_of_text_and_of_reasoning_do_not_meet() -> None:
    text, thought, _ = added(
        chunk({"content": "a\ud83d", "reasoning": "b\ud83d"}), chunk({"content": "\ude00", "reasoning": "\ude01"})
    )
    assert (text, thought) == ("a😀", "b😁")
    assert added(chunk({"content": "a\ud83d", "reasoning": "b\ud83d"}))[:2] == ("a\ufffd", "b\ufffd")


def test_a_message_beside_deltas_says_nothing_new() -> None:
    text = {"content": "One, two."}
    calls = call(0, id="a", name="f", arguments="{}")
    for beside in ({}, None, {"content": ""}):
        last = chunk(choices=[{"delta": beside, "message": text | calls, "finish_reason": "stop"}])
        assert added(chunk({"content": "One, "}), chunk({"content": "two."}), last)[0] == "One, two."
        assert added(chunk({"reasoning": "Hm."}), last)[:2] == ("One, two.", "Hm.")
        assert len(added(chunk(calls), last)[2].tool_calls) == 1
        for beside_it in (calls, {"refusal": "No."}):  # which no delta had
            last = chunk(choices=[{"delta": beside, "message": text | beside_it, "finish_reason": "tool_calls"}])
            said, _, sum_of = added(chunk({"content": "One, "}), chunk({"content": "two."}), last, last)
            assert said == "One, two."
            assert len(sum_of.tool_calls) == (beside_it is calls)
            assert sum_of.refusal == ("No." if "refusal" in beside_it else "")
    both = chunk(choices=[{"delta": calls, "message": text | calls, "finish_reason": "tool_calls"}])
    assert len(added(chunk({"content": "One, two."}), both)[2].tool_calls) == 1
    thinking = chunk(choices=[{"delta": {"reasoning": "Hm."}, "message": {"content": "", "reasoning": "Hm."}}])
    assert added(thinking, chunk({"content": "One."}))[:2] == ("One.", "Hm.")
    pieces = [chunk(choices=[{"message": {"content": piece}}]) for piece in ("One, ", "two.")]
    assert added(*pieces)[0] == "One, two."


# --- counts -----------------------------------------------------------------------------------------------------

WHOLE = WireUsage(
    11, 7, TokenDetails(cached_tokens=5, caching_tokens=3), TokenDetails(reasoning_tokens=2, cached_tokens=99)
)


def test_every_count_has_its_place() -> None:
    assert usage_of(WHOLE) == Usage(
        prompt_tokens=11, completion_tokens=7, cached_tokens=5, cache_write_tokens=3, reasoning_tokens=2
    )
    assert usage_of(WireUsage()) == Usage()


def test_counts_come_with_any_chunk() -> None:
    usage = {
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 5, "caching_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    assert added(chunk(choices=[], usage=usage))[2].usage == usage_of(WHOLE)
    assert added(chunk({"content": "x"}, usage=usage), chunk(choices=[]))[2].usage == usage_of(WHOLE)
    halves = [{name: value} for name, value in usage.items()]
    assert added(*[chunk(choices=[], usage=half) for half in halves])[2].usage == usage_of(WHOLE)


@pytest.mark.parametrize(
    ("had", "came", "kept"),
    [
        (None, 5, 5),
        (None, 0, 0),
        (None, None, None),
        (5, None, 5),
        (5, 0, 5),
        (5, 6, 6),
        (6, 5, 5),
        (0, None, 0),
        (5, -1, 5),
        (None, -1, None),
        (None, MAX_TOKENS, MAX_TOKENS),
        (None, MAX_TOKENS + 1, None),
        (5, MAX_TOKENS + 1, 5),
        (None, 1, 1),
    ],
)
def test_a_later_count_counts_where_it_is_one(had: int | None, came: int | None, kept: int | None) -> None:
    assert usage_of(WireUsage(came, 1), Usage(prompt_tokens=had)).prompt_tokens == kept
    details = TokenDetails(came, came, came)
    before = Usage(completion_tokens=had, cached_tokens=had, cache_write_tokens=had, reasoning_tokens=had)
    assert usage_of(WireUsage(None, came, details, details), before) == Usage(None, kept, kept, kept, kept)


@pytest.mark.parametrize(
    ("counts", "output"),
    [
        ((9, 5, 14, 0, None), 5),
        ((9, 5, 14, 0, 4), 5),
        ((9, 5, 314, 0, 300), 305),
        ((9, 5, 314, 0, None), 305),
        ((9, 5, 314, 0, 0), 305),
        ((9, 0, 309, 0, 300), 300),
        ((9, 5, 315, 0, 300), 5),
        ((9, 5, 314, 300, None), 5),
        ((9, 5, 314, 4, 300), 305),
        ((9, 5, 0, 0, 300), 5),
        ((9, 5, None, 0, 300), 5),
        ((None, 5, 314, 0, 300), 5),
        ((9, None, 314, 0, 300), None),
        ((-9, 5, 296, 0, 300), 5),
        ((0, 5, 305, 0, None), 5),
        ((9, 5, 10**15, 0, None), 5),
        ((9, -5, 304, 0, 300), None),
    ],
)
def test_reasoning_that_is_in_the_total_alone_is_output(counts: tuple[int | None, ...], output: int | None) -> None:
    prompt, completion, total, cached, reasoning = counts
    details = TokenDetails(reasoning_tokens=reasoning)
    wire = WireUsage(prompt, completion, TokenDetails(cached_tokens=cached), details, total)
    assert usage_of(wire).completion_tokens == output
    assert usage_of(wire).reasoning_tokens == reasoning


def test_no_answer_has_more_tokens_than_a_thousand_million() -> None:
    assert MAX_TOKENS == 1_000_000_000


def test_two_rounds_are_added_up() -> None:
    one = Usage(prompt_tokens=100, completion_tokens=10, cached_tokens=5, cache_write_tokens=3, reasoning_tokens=2)
    other = Usage(prompt_tokens=200, completion_tokens=20, cached_tokens=50, cache_write_tokens=30, reasoning_tokens=20)
    assert add_usage(one, other) == Usage(300, 30, 55, 33, 22)
    assert add_usage(one, Usage(1, 1)) == Usage(101, 11, 5, 3, 2)
    assert add_usage(Usage(1, 1), one) == Usage(101, 11, 5, 3, 2)
    assert add_usage(Usage(1, 1), Usage(2, 2)) == Usage(3, 3)
    assert add_usage(Usage(0, 0, 0), Usage(0, 0)) == Usage(0, 0, 0)


@pytest.mark.parametrize(("one", "other"), [((1, None), (2, 3)), ((2, 3), (1, None))])
def test_a_count_that_one_round_lacks_is_unknown(one: tuple[int, int | None], other: tuple[int, int | None]) -> None:
    assert add_usage(Usage(*one), Usage(*other)) == Usage(3, None)
    assert add_usage(Usage(*one[::-1]), Usage(*other[::-1])) == Usage(None, 3)
