"""What `.name` and `[key]` lead to, and the words of each refusal: what is there, and what to type instead."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import fractions
import pathlib
import re
import types
import uuid
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tetrate_jupyter.completion.lookup import follow, is_own, is_variable, names_of
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.secret import Secret


class Point(NamedTuple):
    x: int
    y: int


class Colour(enum.Enum):
    RED = "red"


class Plain:
    shared = 7

    def __init__(self) -> None:
        self.own = 3
        self._private = 4

    @property
    def computed(self) -> int:
        raise AssertionError

    def method(self) -> int:
        raise AssertionError


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = 1


class Indexed:
    def __getitem__(self, key: object) -> int:
        raise AssertionError


class OwnList(list):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        raise AssertionError


FRAME = pd.DataFrame({"a": [1, 2], "b c": [3, 4], "shape": [5, 6]})


@pytest.mark.parametrize(
    ("value", "chain", "expected"),
    [
        (Point(1, 2), ".y", 2),
        (Colour.RED, ".name", "RED"),
        (Colour.RED, ".value", "red"),
        (Plain(), ".own", 3),
        (Plain(), ".shared", 7),
        (Slotted(), ".a", 1),
        ({"a": [1, {"b": "c"}]}, "['a'][1]['b']", "c"),
        ({"a": 1}, '["a"]', 1),
        ({2: "two"}, "[2]", "two"),
        ([1, 2, 3], "[-1]", 3),
        ("text", "[1]", "e"),
        (b"ab", "[0]", 97),
        (range(5), "[2]", 2),
        (collections.deque([4, 5]), "[1]", 5),
        (range(1, 9, 2), ".step", 2),
        (dt.date(2024, 3, 4), ".month", 3),
        (dt.datetime(2024, 3, 4, 5, 6), ".hour", 5),  # noqa: DTZ001 - no zone needed
        (dt.timedelta(2, 3), ".seconds", 3),
        (fractions.Fraction(3, 4), ".denominator", 4),
        (Decimal("1.5"), ".real", Decimal("1.5")),
        (uuid.UUID(int=5), ".int", 5),
        (pathlib.PurePosixPath("a/b.tar.gz"), ".suffixes", [".tar", ".gz"]),
        (complex(1, 2), ".imag", 2.0),
        (ValueError("a", 2), ".args", ("a", 2)),
        (re.match("(a)(b)", "ab"), "[2]", "b"),
        (FRAME, ".shape", (3 - 1, 3)),
        (np.zeros((2, 3)), ".ndim", 2),
        (np.zeros((2, 3)), ".dtype.kind", "f"),
        (np.array([7, 8]), "[1]", 8),
        (pd.Series([7, 8], index=[5, 1]), "[1]", 8),
        (pd.Series([7, 8], index=["x", "y"]), "[0]", 7),
        (pd.Series([7, 8], index=["x", "y"]), "['y']", 8),
        (pd.Timestamp("2024-03-04 05:06"), ".minute", 6),
    ],
)
def test_a_step_leads_to_what_is_there(value: object, chain: str, expected: object) -> None:
    assert follow(value, chain, "v" + chain) == expected


def test_a_column_is_read_by_its_name() -> None:
    assert list(follow(FRAME, ".a", "df.a")) == [1, 2]  # type: ignore[call-overload]
    assert list(follow(FRAME, "['b c']", "df['b c']")) == [3, 4]  # type: ignore[call-overload]


TYPED = " (to send it as typed: {{%s}})"
MANY = {f"key{n}": n for n in range(12)}


@pytest.mark.parametrize(
    ("value", "chain", "message", "step"),
    [
        (Plain(), "._private", "uses the private name '_private'", "put what you want to send into a variable"),
        (Plain(), ".computed", "is computed when it is read; no code is run", "result = v.computed, then {result}"),
        (Plain(), ".method", "is a method; nothing is called", "result = v.method(), then {result}"),
        (Plain(), ".owm", "does not exist: Plain has no 'owm'", "it has own, shared, computed, method"),
        ({"a": 1}, ".a", "is not an attribute; 'a' is a key", "{v['a']}"),
        ({"a": 1}, "['b']", "does not exist: there is no 'b'", "there are a"),
        ({1: 1}, "['b']", "does not exist: there is no 'b'", "there are 1"),
        ({"a b": 1}, "['b']", "does not exist: there is no 'b'", "there are 'a b'"),
        ({}, "['b']", "does not exist: there is no 'b'", "it has none"),
        (
            MANY,
            "['kex9']",
            "does not exist: there is no 'kex9'",
            "there are key9, key0, key1, key2, key3, key4, key5, key6 and 4 more",
        ),
        (
            MANY,
            "['key']",
            "does not exist: there is no 'key'",
            "there are key9, key8, key7, key0, key1, key2, key3, key4 and 4 more",
        ),
        ({"n" * 70: 1}, "['b']", "does not exist: there is no 'b'", f"there are {'n' * 60}"),
        ([1, 2], "[2]", "does not exist: there is no 2", "it has 2 items, 0 to 1"),
        ([], "[0]", "does not exist: there is no 0", "it is empty"),
        (list(range(2_000)), "[2000]", "does not exist: there is no 2000", "it has 2,000 items, 0 to 1,999"),
        ([1], "['a']", "does not exist: there is no 'a'", "it has 1 items, 0 to 0"),
        (np.array([1, 2]), "[5]", "does not exist: there is no 5", "it has 2 items, 0 to 1"),
        (pd.Series([1]), "[5]", "does not exist: there is no 5", "it has 1 items, 0 to 0"),
        (re.match("a", "a"), "[5]", "does not exist: there is no 5", "check the value in a cell first"),
        (FRAME, "['z']", "does not exist: there is no 'z'", "there are a, 'b c', shape"),
        (Indexed(), "[0]", "can't be looked up: indexing a Indexed may run code", "result = v[0], then {result}"),
        (OwnList([1]), "[0]", "can't be looked up: indexing a OwnList may run code", "result = v[0], then {result}"),
        (3, "[0]", "can't be looked up: indexing a int may run code", "it is a int; use {name.attribute}"),
        ({"f": len}, "['f']", "is a builtin_function_or_method; nothing is called", "use a variable for its result"),
        ({"m": re}, "['m']", "is a module; nothing is called", "use a variable for its result"),
    ],
)
def test_a_step_that_leads_nowhere_says_what_is_there(value: object, chain: str, message: str, step: str) -> None:
    whole = f"v{chain}"
    with pytest.raises(AttachmentError) as refused:
        follow(value, chain, whole)
    assert refused.value.message == f"{{{whole}}} in the prompt {message}."
    assert refused.value.next_step == step + TYPED % whole


def test_what_an_object_holds_itself_comes_before_its_class_but_for_a_property() -> None:
    value = Plain()
    vars(value).update(shared=9, computed=5)
    assert follow(value, ".shared", "v.shared") == 9
    with pytest.raises(AttachmentError, match="is computed when it is read"):
        follow(value, ".computed", "v.computed")


def test_what_c_code_reads_of_a_number_is_read_of_a_subclass_too() -> None:
    class Size(int):
        pass

    assert follow(Size(3), ".numerator", "v.numerator") == 3


def test_a_column_that_is_missing_is_told_with_those_that_are_there() -> None:
    with pytest.raises(AttachmentError) as refused:
        follow(FRAME, ".bb", "df.bb")
    assert refused.value.message == "{df.bb} in the prompt does not exist: DataFrame has no 'bb'."
    assert refused.value.next_step.startswith("it has a, 'b c', shape, ")


def test_a_table_of_polars_or_arrow_is_read_like_one_of_pandas() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1, 2]})
    assert follow(frame, "['a'][1]", "df['a'][1]") == 2
    assert follow(frame, ".height", "df.height") == 2
    arrow = pytest.importorskip("pyarrow").table({"a": [1, 2]})
    assert follow(arrow, ".num_rows", "t.num_rows") == 2
    assert follow(arrow, "['a']", "t['a']") == arrow["a"]


def test_an_unset_slot_is_told() -> None:
    with pytest.raises(AttachmentError) as refused:
        follow(Slotted(), ".b", "v.b")
    assert refused.value.message == "{v.b} in the prompt can't be read (AttributeError)."
    assert refused.value.next_step == "check the value in a cell first (to send it as typed: {{v.b}})"


def test_looking_adds_no_key_to_a_dict_that_makes_them() -> None:
    counts: collections.defaultdict[str, int] = collections.defaultdict(int, a=1)
    assert follow(counts, "['a']", "v['a']") == 1
    with pytest.raises(AttachmentError, match="there is no 'b'"):
        follow(counts, "['b']", "v['b']")
    assert dict(counts) == {"a": 1}


def test_a_part_of_a_key_is_refused() -> None:
    with pytest.raises(SecretInPromptError) as refused:
        follow(Secret("sk-test-Aq7ZmX2kLr9TbW4nYc6VdE8h", host="h"), ".host", "key.host")
    assert refused.value.message == "{key.host} is part of an API key."
    assert refused.value.next_step == "remove it from the prompt"


def test_data_is_a_variable_and_code_is_none() -> None:
    for value in (1, "a", None, [len], Plain(), FRAME, np.float64(1)):
        assert is_variable(value) is True
    for value in (int, list[int], re, len, Plain().method, Plain.method, str.upper, "a".upper, np.add, np.concatenate):
        assert is_variable(value) is False
    for value in (int.__add__, (1).__add__, dict.__dict__["fromkeys"], lambda: 1, pd.api.types.is_scalar):
        assert is_variable(value) is False


def test_a_class_is_a_librarys_own_only_where_the_library_has_it() -> None:
    assert is_own(FRAME, "pandas") is True
    assert is_own(FRAME, "numpy") is False
    false = type("DataFrame", (), {"__module__": "pandas"})
    assert is_own(false(), "pandas") is False
    gone = type("Gone", (), {"__module__": "pandas.nowhere"})
    assert is_own(gone(), "pandas") is False


def test_a_persons_subclass_may_have_replaced_what_a_library_computes() -> None:
    class Frame(pd.DataFrame):
        @property
        def shape(self) -> tuple[int, int]:
            raise AssertionError

    with pytest.raises(AttachmentError, match="is computed when it is read"):
        follow(Frame({"a": [1]}), ".shape", "v.shape")

    class Day(dt.date):
        pass

    assert follow(Day(2024, 3, 4), ".year", "v.year") == 2024


def test_the_names_of_a_value_are_its_own_first_and_once_each() -> None:
    found = names_of(Plain())
    assert found[:2] == ["own", "_private"]
    assert found.index("shared") < found.index("__class__")
    assert len(found) == len(set(found))
    assert names_of(types.SimpleNamespace(a=1))[0] == "a"
