"""Calls of tools from their parts; reasoning in tags; words for how an answer ended; what an answer says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter import config
from tetrate_jupyter.completion.answer import FILTERED, TRUNCATED, Answer, beside_error
from tetrate_jupyter.completion.calls import Calls
from tetrate_jupyter.completion.reasons import KNOWN, normalized
from tetrate_jupyter.completion.thinking import ThinkTags
from tetrate_jupyter.http.chunks import ToolCallDelta as Part
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut, Timing, ToolCall, Usage


def found(*chunks: list[Part], names: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    calls = Calls(lambda text: text, names)
    for parts in chunks:
        calls.add(parts)
    return [(call.id, call.name, call.arguments) for call in calls.found()]


# --- which part belongs to which call ---------------------------------------------------------------------------

BEGUN = '{"x":'
WHOLE = '{"x": 1}'


@pytest.mark.parametrize(
    ("chunks", "right"),
    [
        # by index, whatever the order
        (
            [[Part(1, "b", "g", "{}")], [Part(0, "a", "f", BEGUN), Part(1)], [Part(0, None, None, " 1}")]],
            [("a", "f", WHOLE), ("b", "g", "{}")],
        ),
        # the same index again, with another id: another call, once the first is whole
        ([[Part(0, "a", "f", WHOLE)], [Part(0, "b", "g", "{}")]], [("a", "f", WHOLE), ("b", "g", "{}")]),
        ([[Part(0, "a", "f", BEGUN)], [Part(0, "b", "g", "{}")]], [("a", "f", BEGUN), ("b", "g", "{}")]),
        ([[Part(0, "a", "f", BEGUN)], [Part(0, "b", None, " 1}")]], [("a", "f", WHOLE)]),
        ([[Part(0, "a", "f", WHOLE)], [Part(0, "b", None, "{}")]], [("a", "f", WHOLE)]),  # a call without name is none
        ([[Part(0, "a", "f", BEGUN)], [Part(0, "a", "f", " 1}")]], [("a", "f", WHOLE)]),
        # the same index again, without id: another call only where a name comes with new arguments
        ([[Part(0, "a", "f", WHOLE)], [Part(0, None, "g", " {}")]], [("a", "f", WHOLE), ("call_1", "g", " {}")]),
        ([[Part(0, "a", "f", WHOLE)], [Part(0, None, "f", "")]], [("a", "f", WHOLE)]),
        ([[Part(0, "a", "f", BEGUN)], [Part(0, None, "f", " 1}")]], [("a", "f", WHOLE)]),
        ([[Part(0, "a", "f")], [Part(0, None, "f", "{}")]], [("a", "f", "{}")]),
        ([[Part(0, None, "f", WHOLE)], [Part(0, "b", "g", "{}")]], [("b", "f", WHOLE), ("b_1", "g", "{}")]),
        # without index: by id, the newest with it
        ([[Part(None, "a", "f", BEGUN)], [Part(None, "a", None, " 1}")]], [("a", "f", WHOLE)]),
        (
            [[Part(None, "a", "f", BEGUN)], [Part(None, "b", "g", "{}")], [Part(None, "a", None, " 1}")]],
            [("a", "f", WHOLE), ("b", "g", "{}")],
        ),
        ([[Part(None, None, "f", BEGUN)], [Part(None, "a", None, " 1}")]], [("a", "f", WHOLE)]),
        ([[Part(None, None, "f", BEGUN)], [Part(None, "a", "g", "{}")]], [("call_0", "f", BEGUN), ("a", "g", "{}")]),
        # with neither: the last one goes on, save where one chunk names several
        ([[Part(None, None, "f", BEGUN)], [Part(None, None, None, " 1}")]], [("call_0", "f", WHOLE)]),
        (
            [[Part(None, None, "f", WHOLE), Part(None, None, "f", "{}")]],
            [("call_0", "f", WHOLE), ("call_1", "f", "{}")],
        ),
        ([[Part(None, None, "f"), Part(None, None, "g")]], [("call_0", "f", ""), ("call_1", "g", "")]),
        ([[Part(None, None, "f", BEGUN)], [Part(None, None, "f", " 1}")]], [("call_0", "f", WHOLE)]),
        # ids
        ([[Part(0, None, "f", "{}")]], [("call_0", "f", "{}")]),
        ([[Part(0, "a", "f", "{}"), Part(1, "a", "f", "{}")]], [("a", "f", "{}"), ("a_1", "f", "{}")]),
        (
            [[Part(0, "a_1", "f", "{}"), Part(1, "a_1", "f", "{}"), Part(2, "a_1_1", "f", "{}")]],
            [("a_1", "f", "{}"), ("a_1_1", "f", "{}"), ("a_1_1_2", "f", "{}")],
        ),
        ([[Part(0, "a", "f", "{}")], [Part(0, "", "", None)]], [("a", "f", "{}")]),
        ([], []),
    ],
)
def test_parts_become_calls(chunks: list[list[Part]], right: list[tuple[str, str, str]]) -> None:
    assert found(*chunks) == right


@pytest.mark.parametrize(
    ("pieces", "right"),
    [
        ([Part(name="f", arguments=""), Part(arguments=BEGUN), Part(arguments=" 1}")], [("call_0", "f", WHOLE)]),
        ([Part(name="f", arguments=WHOLE)], [("call_0", "f", WHOLE)]),
        ([Part(name="f", arguments=BEGUN), Part(name="f", arguments=" 1}")], [("call_0", "f", WHOLE)]),
        ([Part(name="f", arguments=BEGUN), Part(arguments=" 1}"), Part(name="f", arguments=WHOLE)],
         [("call_0", "f", WHOLE)]),
        ([Part(name="f"), Part(name="g")], [("call_0", "g", "")]),
        ([Part(arguments=WHOLE)], []),  # a call without name is none
        ([], []),
    ],
)  # fmt: skip
def test_the_one_call_of_the_older_form(pieces: list[Part], right: list[tuple[str, str, str]]) -> None:
    calls = Calls(lambda text: text, ())
    for part in pieces:
        calls.add_only(part)
    assert [(call.id, call.name, call.arguments) for call in calls.found()] == right
    assert calls.are_any is bool(pieces)
    calls.add([Part(0, "a", "f", "{}")])  # the same call, or another one, in the newer form
    assert [(call.id, call.name, call.arguments) for call in calls.found()] == [("a", "f", "{}")]


def test_half_a_character_in_what_goes_back_does_not_keep_the_round_from_being_sent() -> None:
    calls = Calls(lambda text: text, ())
    calls.add([Part(0, "a", "f", "{}", {"s": rb'"a \ud83d"', "t": rb'"\ud83d\ude00"'})])
    ((call),) = calls.found()
    assert json.loads(call.extra) == {"s": "a \ufffd", "t": "😀"}


def test_a_name_that_is_repeated_is_joined_to_no_longer_one() -> None:
    assert found([Part(0, "a", "go", "")], [Part(0, "a", "go", "{}")], names=("gogo", "go")) == [("a", "go", "{}")]


def test_each_piece_of_the_older_form_takes_room() -> None:
    taken: list[str] = []
    calls = Calls(lambda text: taken.append(text) or text, ())  # type: ignore[func-returns-value]
    for _ in range(10):
        calls.add_only(Part(arguments="12345678"))
    assert sum(map(len, taken)) == 10 * (32 + 8)


def test_an_id_or_a_name_that_is_too_long() -> None:
    longest = "i" * config.MAX_CALL_ID
    assert found([Part(0, longest, "n" * (config.MAX_CALL_NAME + 1), "{}")]) == [
        (longest, "n" * config.MAX_CALL_NAME, "{}")
    ]
    assert found([Part(0, longest + "i", "f", "{}")]) == [("call_0", "f", "{}")]


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        (["get_", "weather"], "get_weather"),
        (["get_", "wea", "ther"], "get_weather"),
        (["get_weather", "get_weather"], "get_weather"),
        (["get_", "other"], "other"),
        (["", "get_weather"], "get_weather"),
    ],
)
def test_names_in_pieces(pieces: list[str], name: str) -> None:
    parts = [[Part(0, "a", piece)] for piece in pieces]
    assert found(*parts, names=("x", "get_weather")) == [("a", name, "")]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ('{}{"x": 1}', WHOLE),
        (' { } {} {"x": 1}', WHOLE),
        ("{}", "{}"),
        ('{"x": 1}{}', '{"x": 1}{}'),
        ('{"x": {}}', '{"x": {}}'),
        ('{"x": "{}{} {z}"}', '{"x": "{}{} {z}"}'),  # \frac{}{2}, "{}{}".format(...): the model's own text
        ('{} {"x": "{}{"}', '{"x": "{}{"}'),
        ("a\ud83d", "a\ufffd"),
    ],
)
def test_empty_arguments_before_the_right_ones_are_left_out(arguments: str, kept: str) -> None:
    assert found([Part(0, "a", "f", arguments)]) == [("a", "f", kept)]


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        (['{"x":', " 1}", WHOLE], WHOLE),
        ([WHOLE, f" {WHOLE}"], WHOLE),
        (["{", BEGUN, '{"x": 1', WHOLE], WHOLE),
        (["{}", WHOLE, WHOLE], WHOLE),
        (['{"x": {"x"', ": 1}", "}"], '{"x": {"x": 1}}'),
        (['{"x":', "{}", "}"], '{"x":{}}'),
        (['"a"', '"a"'], '"a""a"'),
        ([BEGUN, BEGUN], BEGUN * 2),
    ],
)
def test_arguments_that_come_again_count_once(pieces: list[str], kept: str) -> None:
    parts = [[Part(0, "a", "f", piece)] for piece in pieces]
    assert found(*parts) == [("a", "f", kept)]


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        ([Part(0, "a", "f", WHOLE), Part(0, "a", "f", '{"x": 2}')], [("a", "f", WHOLE), ("a_1", "f", '{"x": 2}')]),
        ([Part(0, "a", "f", WHOLE), Part(0, "a", "f", f" {WHOLE}\n")], [("a", "f", WHOLE)]),
        ([Part(0, "a", "f", WHOLE + "\n" + '{"x": 2}')], [("a", "f", WHOLE), ("a_1", "f", '{"x": 2}')]),
        ([Part(0, "a", "f", WHOLE), Part(0, "a", "f", "{}")], [("a", "f", WHOLE + "{}")]),  # no call of its own
        ([Part(0, "a", "f", WHOLE), Part(0, "a", "g", "{ }")], [("a", "f", WHOLE), ("a_1", "g", "{ }")]),
        ([Part(0, "a", "f", WHOLE + '{"x": ')], [("a", "f", WHOLE + '{"x": ')]),
        ([Part(0, "a", "f", WHOLE + "x")], [("a", "f", WHOLE + "x")]),
        ([Part(0, "a", "f", WHOLE), Part(0, None, "f", ""), Part(0, None, None, '{"x":'), Part(0, None, None, "2}")],
         [("a", "f", WHOLE), ("a_1", "f", '{"x":2}')]),
        ([Part(0, "a", "f", '{"x": "\ud83d'), Part(0, None, None, '\ude00"}'), Part(0, None, "g", WHOLE)],
         [("a", "f", '{"x": "😀"}'), ("call_1", "g", WHOLE)]),
    ],
)  # fmt: skip
def test_whole_arguments_after_whole_ones_are_another_call(
    parts: list[Part], right: list[tuple[str, str, str]]
) -> None:
    assert found(*([part] for part in parts)) == right


@pytest.mark.parametrize(
    ("parts", "names", "right"),
    [
        ([Part(0, None, "f"), Part(0, None, "g", WHOLE)], ("f", "g"), [("call_0", "f", ""), ("call_1", "g", WHOLE)]),
        ([Part(0, "a", "f"), Part(0, "a", "g")], ("f", "g"), [("a", "f", ""), ("a_1", "g", "")]),
        ([Part(0, "a", "f"), Part(0, None, "g")], ("f", "fg", "g"), [("a", "fg", "")]),  # a name in pieces
        ([Part(0, "a", "f"), Part(0, None, "fg")], ("f", "fg"), [("a", "fg", "")]),  # a name that grows
        ([Part(0, "a", "f"), Part(0, None, "f")], ("f", "g"), [("a", "f", "")]),
        ([Part(0, "a", "f"), Part(0, None, "h")], ("f", "g"), [("a", "h", "")]),  # no tool of ours
    ],
)
def test_another_tools_name_ends_a_call_without_arguments(
    parts: list[Part], names: tuple[str, ...], right: list[tuple[str, str, str]]
) -> None:
    assert found(*([part] for part in parts), names=names) == right


def test_what_came_with_calls_under_one_id_goes_back_with_the_first_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "MAX_CALLS_PER_ROUND", 2)
    calls = Calls(lambda text: text)
    calls.add([Part(0, "a", "f", WHOLE + '{"x": 2}' + '{"x": 3}', {"sign": b'"y"'})])
    assert [call.extra for call in calls.found()] == ['{"sign": "y"}', ""]
    assert calls.are_too_many


def test_white_space_in_arguments_costs_linear_work() -> None:
    for text in (f'{{"x": "{" " * 400_000}"}}', "{ " * 200_000):
        ((_, _, arguments),) = found([Part(0, "a", "f", text)])
        assert arguments == text


def test_halves_of_characters_are_joined_over_parts() -> None:
    assert found([Part(0, "a", "f", "\ud83d")], [Part(0, None, None, "\ude00")]) == [("a", "f", "😀")]


def test_arguments_that_never_end_are_looked_at_a_bounded_number_of_times() -> None:
    parts = [[Part(0, f"id-{n}", None, "x")] for n in range(70)]
    ((identity, name, arguments),) = found([Part(0, "a", "f", "{")], *parts)
    assert (identity, name, arguments) == ("a", "f", "{" + "x" * 64)


def test_what_came_with_a_call_goes_back_with_it() -> None:
    calls = Calls(lambda text: text)
    calls.add([Part(0, "a", "f", "{}", {"sign": b'"x"', "bad": b"{"}), Part(1, "b", "g", "{}")])
    calls.add([Part(0, None, None, None, {"more": b"[1]", "sign": b'"y"'})])
    first, second = calls.found()
    assert json.loads(first.extra) == {"sign": "y", "more": [1]}
    assert second.extra == ""


def test_no_part_of_a_call_holds_a_key() -> None:
    held = Secret("sk-calls-0123456789abcdef", host="gateway.example")
    calls = Calls(lambda text: text)
    key = held.reveal()
    calls.add([Part(0, key, key, key, {"x": json.dumps(key).encode()})])
    assert calls.found() == (ToolCall("<secret>", "<secret>", "<secret>"),)
    assert json.loads(calls.found()[0].extra) == {"x": "<secret>"}


def test_each_part_takes_room_and_so_does_what_comes_with_it() -> None:
    taken: list[str] = []

    def within(text: str) -> str:
        taken.append(text)
        return "" if text.startswith("[") else text[:3]

    calls = Calls(within)
    calls.add([Part(0, "a", "f", "abcdef", {"x": b"[1]", "y": b"123"})])
    assert calls.found()[0].arguments == "abc"
    assert json.loads(calls.found()[0].extra) == {"y": 123}
    assert sum(map(len, taken)) == 32 + 6 + 3 + 3


def test_the_first_calls_are_kept_and_the_rest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "MAX_CALLS_PER_ROUND", 2)
    calls = Calls(lambda text: text)
    calls.add([Part(0, "a", "f", "{}"), Part(1, "b", "g", "{}", {str(n): b"1" for n in range(3)})])
    assert not calls.are_too_many
    calls.add([Part(2, "c", "h", "{}"), Part(0, None, None, " ")])
    assert calls.are_too_many
    assert [(call.id, call.arguments) for call in calls.found()] == [("a", "{} "), ("b", "{}")]
    assert json.loads(calls.found()[1].extra) == {"0": 1, "1": 1}


# --- reasoning in tags ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("<think>a</think>b", ("b", "a")),
        ("<thinking>a</thinking>b", ("b", "a")),
        ("<thought>a</thought>b", ("b", "a")),
        ("<seed:think>a</seed:think>b", ("b", "a")),
        ("[THINK]a[/THINK]b", ("b", "a")),
        ("[THINK]a</think>", ("", "a</think>")),
        ("[THIN](x)", ("[THIN](x)", "")),
        ("<thoughts>a</thoughts>", ("<thoughts>a</thoughts>", "")),
        (" \n<think>a</think>\n\n b ", ("b ", "a")),
        ("<think>a</thinking></think>b", ("b", "a</thinking>")),
        ("<think>a", ("", "a")),
        ("<think>a</thi", ("", "a</thi")),
        ("<think></think>", ("", "")),
        ("<think>a</think>  ", ("", "a")),
        ("<think>a</think>b<think>c</think>", ("b<think>c</think>", "a")),
        ("b<think>a</think>", ("b<think>a</think>", "")),
        ("<thin", ("<thin", "")),
        ("<thinks>a</thinks>", ("<thinks>a</thinks>", "")),
        ("  ", ("  ", "")),
        ("a < b", ("a < b", "")),
        ("<think>a <b> </b>c</think>d", ("d", "a <b> </b>c")),
        (" " * 58 + "<think>a</think>b", ("b", "a")),
    ],
)
def test_tags_at_the_start_however_they_are_cut(text: str, right: tuple[str, str]) -> None:
    for size in (1, 2, 3, 7, len(text)):
        tags = ThinkTags()
        pairs = [tags.feed(text[at : at + size]) for at in range(0, len(text), size)]
        pairs.append(tags.finish())
        assert ("".join(p[0] for p in pairs), "".join(p[1] for p in pairs)) == right, size
        assert tags.finish() == ("", "")


def test_only_what_may_be_a_tag_is_held_back() -> None:
    tags = ThinkTags()
    assert [tags.feed(piece) for piece in ("<", "think", ">a", "b</", "th", "ink", "> ", "c")] == [
        *[("", "")] * 2, ("", "a"), ("", "b"), *[("", "")] * 3, ("c", ""),
    ]  # fmt: skip
    assert tags.is_over
    assert tags.feed("<think>") == ("<think>", "")
    plain = ThinkTags()
    assert plain.feed("<b") == ("<b", "")
    assert plain.is_over
    blank = ThinkTags()
    assert blank.feed(" " * 64) == ("", "")
    assert blank.feed(" ") == (" " * 65, "")
    assert blank.is_over


# --- how it ended -----------------------------------------------------------------------------------------------

ENDS = {
    "stop": "stop end_turn stop_sequence eos eos_token end complete completed finished normal",
    "length": "length max_tokens max_output_tokens model_length length_limit token_limit max_length",
    "content_filter": (
        "content_filter content_filtered safety recitation blocklist prohibited_content spii image_safety language "
        "refusal guardrail_intervened sensitive error_toxic content_policy moderation"
    ),
    "tool_calls": "tool_calls tool_call tool_use function_call",
}


@pytest.mark.parametrize(("word", "meaning"), [(word, kind) for kind, words in ENDS.items() for word in words.split()])
def test_every_word_for_an_end(word: str, meaning: str) -> None:
    assert normalized(word) == meaning
    assert normalized(f" FINISH_REASON_{word.upper()}\n") == meaning


def test_a_word_that_nobody_knows_stays() -> None:
    assert normalized(" Odd ") == " Odd "
    assert set(ENDS) == KNOWN


# --- what an answer says ----------------------------------------------------------------------------------------


def answer(text: str = "Hi.", **members: Any) -> Answer:
    return Answer(text, "asked", "served", Usage(3, 5), Timing(0.5, 1.5), **members)


CUT = Cut("df", "rows", 15, 2000)


@pytest.mark.parametrize(
    ("members", "notices"),
    [
        ({}, ()),
        ({"finish_reason": "stop"}, ()),
        ({"finish_reason": "tool_calls"}, ()),
        ({"finish_reason": "length"}, (TRUNCATED,)),
        ({"finish_reason": "content_filter"}, (FILTERED,)),
        ({"finish_reason": "odd"}, ("The provider ended this answer with 'odd'; it may not be whole.",)),
        ({"partial": "stopped"}, ("Stopped: this is part of an answer.",)),
        (
            {"partial": "AnswerTooLongError"},
            ("Stopped at the longest that an answer may be: this is part of an answer.",),
        ),
        ({"partial": "StreamCutError"}, ("Broken off (StreamCutError): this is part of an answer.",)),
        ({"refusal": "I can't."}, ("The model refused: I can't.",)),
        ({"dropped_fields": ("seed", "top_k")}, ("The router left out: seed, top_k.",)),
        ({"notes": ("One.", "Two.")}, ("One.", "Two.")),
        ({"cuts": (CUT,), "notes": ("One.",)}, ("df: 15 of 2,000 rows sent", "One.")),
        ({"text": ""}, ("The answer is empty: the model ended it without a word.",)),
        ({"text": " \n"}, ("The answer is empty: the model ended it without a word.",)),
        ({"text": "", "has_images": True}, ("No text came, only images; those aren't read from this kind of answer.",)),
        ({"text": "", "reasoning": "Hm."}, ("No text came, only reasoning.",)),
        ({"text": "", "finish_reason": "tool_calls"}, ("No text came, only tool calls.",)),
        ({"text": "", "refusal": "No."}, ("The model refused: No.",)),
        ({"text": "", "partial": "stopped"}, ("Stopped: this is part of an answer.",)),
        (
            {"text": "", "finish_reason": "length", "reasoning": "Hm."},
            ("No text came, only reasoning.", TRUNCATED),
        ),
    ],
)
def test_notices(members: dict[str, Any], notices: tuple[str, ...]) -> None:
    said = answer(**members)
    assert said.notices == notices
    assert beside_error(said.notices) == tuple(n for n in notices if not n.endswith("this is part of an answer."))


def test_an_answer_shows_itself() -> None:
    said = answer("**Hi**\x1b[31m", partial="stopped", reasoning="Hm.", cost=Decimal("0.0021"))
    assert "\x1b" not in str(said)
    assert str(said).startswith("**Hi**")
    assert repr(said) == "<Answer of served: 11 characters, partial: stopped>"
    assert repr(answer()) == "<Answer of served: 3 characters, done>"
    for part in ("served", "asked", "$0.0021", "1.5", "0.5", "3", "5"):
        assert part in said.footer
    assert "from the cache" not in said.footer
    bundle = said.bundle()
    assert bundle == said._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<strong>Hi</strong>" in bundle["text/html"]
    for shown in bundle.values():
        assert "$0.0021" in shown
        assert "Stopped: this is part of an answer." in shown
    assert "Hm." in bundle["text/html"]
    bare = said.bundle(footer=False, body="<p>x</p>")
    assert "<p>x</p>" in bare["text/html"]
    assert "$0.0021" not in bare["text/html"] + bare["text/plain"]


def test_no_output_of_an_answer_holds_a_key() -> None:
    held = Secret("sk-answer-0123456789abcdef", host="gateway.example")
    for shown in answer(f"is {held.reveal()}").bundle().values():
        assert held.reveal() not in shown


def test_the_first_code_of_an_answer() -> None:
    assert answer("a\n```python\nx = 1\n```\n```\ny\n```").code == "x = 1"
    assert answer("a").code is None
