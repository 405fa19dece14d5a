"""Containers as JSON: which members fit, how each is written, and what is said of those that are left out."""

from __future__ import annotations

import collections
import enum
import json
import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tetrate_jupyter.completion.cuts import Described, Limits
from tetrate_jupyter.completion.nested import ValueWriter, is_container, said, written
from tetrate_jupyter.errors import SecretInPromptError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut


class Kind(str, enum.Enum):
    A = "a"


class Point(NamedTuple):
    x: int
    y: float


class Thing:
    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def text(value: object, room: int = 1_000) -> str:
    return ValueWriter("v", room).text(value)


def compact(value: object, room: int = 1_000) -> tuple[str, tuple[Cut, ...]]:
    writer = ValueWriter("v", room, is_compact=True)
    return writer.text(value), writer.cuts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, "{}"),
        ([], "[]"),
        (set(), "[]"),
        ({"a": [1, 2.5, None, True, "ü"]}, '{"a": [1, 2.5, null, true, "ü"]}'),
        (range(3), "[0, 1, 2]"),
        (collections.deque([1]), "[1]"),
        (Point(1, 2.0), '{"x": 1, "y": 2}'),
        ([math.inf, -math.inf, math.nan], "[Infinity, -Infinity, NaN]"),
        ({1: 2, None: 3, (1, "a"): 4, 2.5: 5}, '{"1": 2, "None": 3, "(1, a)": 4, "2.5": 5}'),
        ({Kind.A: 1}, "{\"<Kind.A: 'a'>\": 1}"),
        ({tuple(range(30)): 1}, f'{{"({", ".join(map(str, range(20)))})": 1}}'),
        (["\ud800"], '["\ufffd"]'),
        ([np.bool_(True), np.int64(3), np.array(4)], "[true, 3, 4]"),
        ([np.ma.masked], '["--"]'),
        ([Thing("<thing>")], '["<thing>"]'),
        ([Thing("x" * 201)], f'["{"x" * 199}…"]'),
        (np.array([(1, 2.5)], dtype=[("a", "i8"), ("b", "f8")])[0], '{"a": 1, "b": 2.5}'),
        ([pd.DataFrame({"a": [1, 2], "b": [3, 4]})], '[[{"a": 1, "b": 3}, {"a": 2, "b": 4}]]'),
    ],
)
def test_each_kind_of_member_is_written_as_json(value: object, expected: str) -> None:
    assert text(value) == expected


def test_records_have_a_line_each_and_long_ones_a_line_per_member() -> None:
    rows = [{"name": "n" * 20, "value": n} for n in range(3)]
    lines = ["[", *(f'  {{"name": "{"n" * 20}", "value": {n}}},' for n in range(3)), "]"]
    lines[3] = lines[3].rstrip(",")
    assert text(rows) == "\n".join(lines)
    assert text({"a": ["x" * 60, ["y" * 60]]}) == (f'{{\n  "a": [\n    "{"x" * 60}",\n    ["{"y" * 60}"]\n  ]\n}}')
    assert text(["x" * 60, "y" * 60]) == f'["{"x" * 60}", "{"y" * 60}"]'
    assert compact(rows)[0] == json.dumps(rows, separators=(",", ":"))


def test_a_line_is_at_most_a_hundred_characters() -> None:
    whole = {"a": "x" * 91}
    assert text(whole) == f'{{"a": "{"x" * 91}"}}'
    assert text({"a": "x" * 92}) == f'{{\n  "a": "{"x" * 92}"\n}}'


def test_whole_members_are_written_as_far_as_they_fit() -> None:
    assert compact([1] * 10, 2 + 3 * 10) == ("[1,1,1,1,1,1,1,1,1,1]", ())
    shown, cuts = compact([1] * 10, 2 + 3 * 10 - 1)
    assert json.loads(shown) == [1] * 9
    assert cuts == (Cut("v", "members", 9, 10),)
    shown, cuts = compact({f"k{n}": n for n in range(10)}, 50)
    assert json.loads(shown) == {f"k{n}": n for n in range(5)}
    assert cuts == (Cut("v", "members", 5, 10),)


def test_members_without_anything_in_them_take_room_too() -> None:
    shown, cuts = compact([[]] * 1_000, 101)
    assert json.loads(shown) == [[]] * 25
    assert cuts == (Cut("v", "members", 25, 1_000),)


def test_a_number_of_rows_is_no_reason_to_send_more_than_is_usual() -> None:
    limits = Limits(rows=1, room=60_000, is_usual=False)
    found = written(["x" * 15_000] * 3, "v", limits)
    assert found.text.count("x" * 15_000) == 2
    assert [(cut.what, cut.sent, cut.of) for cut in found.cuts] == [("members", 2, 3)]
    more = written(["x" * 15_000] * 3, "v", Limits(rows=3, room=60_000, is_usual=False))
    assert more.cuts == ()


def test_a_long_text_is_cut_with_a_mark_and_counted() -> None:
    shown, cuts = compact("x" * 1_000, 200)
    assert shown == f'"{"x" * 196}…"'
    assert cuts == (Cut("v", "characters", 196, 1_000),)
    assert compact("x" * 98, 100) == (f'"{"x" * 98}"', ())
    shown, cuts = compact('"' * 1_000, 200)
    assert 150 < len(shown) <= 201
    assert json.loads(shown) == '"' * cuts[0].sent + "…"
    assert compact("x" * 1_000, 99) == ('"…"', ())


def test_a_member_that_would_be_cut_is_left_out_where_little_room_is_left() -> None:
    shown, cuts = compact(["x" * 800, "y" * 800], 1_000)
    assert json.loads(shown) == ["x" * 800]
    assert cuts == (Cut("v", "members", 1, 2),)
    shown, cuts = compact(["x" * 100, "y" * 2_000], 1_000)
    assert [(cut.name, cut.what, cut.of) for cut in cuts] == [("v[1]", "characters", 2_000)]
    assert json.loads(shown)[1].endswith("y…")


def test_what_is_nested_too_deeply_is_left_out() -> None:
    def nest(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    assert compact(nest(13)) == ("[" * 13 + "1" + "]" * 13, ())
    shown, cuts = compact(nest(14))
    assert shown == "[" * 13 + '"…"' + "]" * 13
    assert cuts == (Cut("v", "parts nested deeper than 12 levels left out", 1),)


def test_cuts_are_told_one_by_one_up_to_six() -> None:
    cells = [pd.DataFrame({f"c{c}": [1] for c in range(21)}) for _ in range(7)]
    writer = ValueWriter("v", 100_000)
    writer.text(cells[:6])
    assert [cut.what for cut in writer.cuts] == ["columns"] * 6
    writer = ValueWriter("v", 100_000)
    writer.text(cells)
    assert [cut.what for cut in writer.cuts] == ["columns"] * 5 + ["further parts cut"]
    assert writer.cuts[-1].sent == 2
    assert (writer.cuts[0].sent, writer.cuts[0].of) == (20, 21)
    assert said(writer.cuts[5:]) == f"\n[Only part of it is here. {writer.cuts[5].sentence}]"


def test_shortened_values_are_counted() -> None:
    writer = ValueWriter("v", 10_000)
    writer.text([Thing("x" * 300), Thing("y"), Thing("z" * 300)])
    assert writer.cuts == (Cut("v", "values shortened", 2),)


def test_a_hook_turns_objects_into_data_or_text() -> None:
    asked: list[str] = []

    def hook(value: object, path: str) -> object:
        asked.append(path)
        return Described("told", (Cut(path, "rows", 1, 2),)) if repr(value) == "d" else {"r": repr(value)}

    writer = ValueWriter("v", 1_000, is_compact=True, hook=hook)
    assert writer.text([Thing("a"), {"k": Thing("d")}]) == '[{"r":"a"},{"k":"told"}]'
    assert asked == ["v[0]", "v[1]['k']"]
    assert writer.cuts == (Cut("v[1]['k']", "rows", 1, 2),)


def test_a_key_is_refused_wherever_it_is() -> None:
    with pytest.raises(SecretInPromptError) as refused:
        text({"a": [Secret("sk-test-Aq7ZmX2kLr9TbW4nYc6VdE8h", host="h")]})
    assert refused.value.message == "v holds an API key; nothing was sent."
    assert refused.value.next_step == "remove it from the prompt"


def test_only_containers_have_members() -> None:
    for value in ({}, [], (), set(), frozenset(), range(1), collections.deque(), collections.OrderedDict()):
        assert is_container(value) is True
    for value in ("a", b"a", 1, None, Thing("x"), iter([])):
        assert is_container(value) is False
