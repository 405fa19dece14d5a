"""Values as text: exact where small, bounded and honest about it where large."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import subprocess
import sys
import types
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from tests.completion.texts import describe
from tetrate_jupyter.completion.nested import MAX_JSON
from tetrate_jupyter.completion.tables import MAX_CHARACTERS
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.secret import Secret


@dataclasses.dataclass
class City:
    name: str


class Plain:
    def __init__(self) -> None:
        self.a, self._b = 1, 2


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text {with} braces\n", "text {with} braces\n"),
        ("", ""),
        (3, "3"),
        (0.1, "0.1"),
        (float("nan"), "nan"),
        (True, "True"),
        (None, "None"),
        (decimal.Decimal("1.10"), "1.10"),
        (dt.date(2024, 5, 6), "2024-05-06"),
        (dt.timedelta(seconds=90), "0:01:30"),
        (pathlib.PurePosixPath("a/b.csv"), "a/b.csv"),
        (Colour.RED, "Colour.RED"),
        (Level.HIGH, "Level.HIGH"),
        (10**5000, "[an integer of 16,610 bits]"),
        (np.int64(3), "3"),
        (np.float64(0.5), "0.5"),
        (np.bool_(True), "True"),
        (np.dtype("int8"), "int8"),
        (pd.Timestamp("2024-05-06"), "2024-05-06 00:00:00"),
        (pd.NaT, "NaT"),
        ([], "[]"),
        ({}, "{}"),
        ([1, "a", None, True], '[1, "a", null, true]'),
        ((1, 2), "[1, 2]"),
        ({1}, "[1]"),
        (range(3), "[0, 1, 2]"),
        (collections.deque([1]), "[1]"),
        ({"a": 1, 2: [1.5]}, '{"a": 1, "2": [1.5]}'),
        ([np.int64(1), np.float32(0.5), np.bool_(False)], "[1, 0.5, false]"),
        ([float("nan"), float("inf"), "nan"], '[NaN, Infinity, "nan"]'),
        ([2**70, 1.0, 1e22], "[1180591620717411303424, 1, 1e+22]"),
        ({"when": dt.date(2024, 5, 6), "who": City("Rome")}, '{"when": "2024-05-06", "who": "City(name=\'Rome\')"}'),
        ({"df": pd.DataFrame({"a": [1]})}, '{"df": [{"a": 1}]}'),
        ([Broken], '["<class '),
        (City("Rome"), "City object: City(name='Rome')"),
        (Plain(), "Plain object: Plain(a=1)"),
        (types.SimpleNamespace(a=1), "types.SimpleNamespace object: namespace(a=1)"),
        (Broken(), "Broken object: [its repr raised RuntimeError]"),
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_small_values_are_written_exactly(value: object, expected: str) -> None:
    assert describe(value).replace(f"{__name__}.", "").startswith(expected)
    if not expected.endswith(" "):
        assert describe(value).replace(f"{__name__}.", "") == expected


def test_dicts_and_lists_are_json_that_can_be_read_back() -> None:
    value = {"rows": [{"id": n, "name": f"row {n}", "tags": ["a", "b"]} for n in range(50)]}
    text = describe(value)
    assert json.loads(text) == value
    assert text.startswith('{\n  "rows": [')


def test_a_large_container_is_cut_and_says_so() -> None:
    for value in (list(range(10_000_000)), {str(n): "x" * 100 for n in range(5_000)}, ["x" * 50_000_000]):
        text = describe(value)
        assert len(text) < MAX_JSON + 100
        assert "Only part of it is here" in text


def test_a_value_that_holds_itself_ends() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert "…" in describe(value)
    deep: Any = "end"
    for _ in range(5_000):
        deep = [deep]
    assert len(describe(deep)) < 1_000


def test_bytes_are_refused_with_the_way_out() -> None:
    with pytest.raises(AttachmentError, match="data is bytes") as refused:
        describe(b"abc", "data")
    assert 'data.decode("utf-8")' in refused.value.next_step
    with pytest.raises(AttachmentError) as refused:
        describe(bytearray(b"\x89PNG\r\n\x1a\n...."), "data")
    assert "images=[data]" in refused.value.next_step


def test_a_key_is_refused_wherever_it_is() -> None:
    key = Secret("sk-123456", host="h")
    for value in (key, [key], {"a": {"b": (1, key)}}):
        with pytest.raises(SecretInPromptError) as refused:
            describe(value)
        assert "sk-" not in str(refused.value)
    for value in (types.SimpleNamespace(k=key), pd.DataFrame({"k": [key]})):
        assert "sk-" not in describe(value)


def test_an_answer_is_its_text() -> None:
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.types import Timing, Usage

    assert describe(Answer("the *text*", "m", "m", Usage(), Timing(0.1, 0.2))) == "the *text*"


def test_a_long_repr_is_cut_and_says_so() -> None:
    class Long:
        def __repr__(self) -> str:
            return "x" * 100_000

    assert len(describe(Long())) < MAX_CHARACTERS + 200
    assert "cut here" in describe(Long())


# --- tables --------------------------------------------------------------------------------------------------


def test_a_small_table_is_shown_whole() -> None:
    frame = pd.DataFrame({"city": ["Rome", "Oslo"], "people": [2_800_000, 700_000], "rate": [0.1 + 0.2, float("nan")]})
    kind = frame["city"].dtype
    assert describe(frame) == (
        "DataFrame: 2 rows, 3 columns\n"
        f"city: {kind}, people: int64, rate: float64\n"
        "\n"
        "| city | people | rate |\n"
        "| --- | --- | --- |\n"
        "| Rome | 2800000 | 0.30000000000000004 |\n"
        "| Oslo | 700000 | NaN |"
    )


LEFT_OUT = (
    "[Only 15 of 1,000 rows are here: the first 10 and the last 5. 985 are left out: "
    "answer about all rows only from the summary, and say so.]"
)


def test_a_long_table_shows_its_first_and_last_rows_and_counts_the_rest() -> None:
    text = describe(pd.DataFrame({"n": range(1_000)}, index=[f"r{n}" for n in range(1_000)]))
    lines = text.splitlines()
    assert lines[0] == "DataFrame: 1,000 rows, 1 columns"
    assert lines[3:6] == ["| index | n |", "| --- | --- |", "| r0 | 0 |"]
    assert "| … | … |" in lines
    assert lines[lines.index("| r999 | 999 |") + 1 :] == [
        LEFT_OUT,
        "Summary of all 1,000 rows, those left out included:",
        "- n: 1,000 values, 0 missing, min 0, max 999, sum 499500, mean 499.5",
    ]


def test_a_wide_table_shows_its_first_columns_and_counts_the_rest() -> None:
    text = describe(pd.DataFrame(np.zeros((3, 5_000))))
    assert "3 rows, 5,000 columns" in text
    assert "and 4,980 more columns" in text
    assert len(text) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame(index=range(5)),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({("a", 1): [1], ("b", 2): [2]}),
        pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)])),
        pd.DataFrame({"a": pd.Categorical(["x", None])}),
        pd.DataFrame({"a": [pd.NaT, None, pd.NA], "b": [[1], {"k": 2}, b"x"], "c": [Broken(), 10**5000, City("R")]}),
        pd.DataFrame({"a|b\nc": ["x|y\nz\\"]}),
        pd.DataFrame({"a" * 500: ["b" * 5_000_000] * 40}),
        pd.DataFrame({f"column number {n}" * 5: ["x" * 59] * 40 for n in range(40)}),
        pd.DataFrame({"when": pd.date_range("2024-01-01", periods=3, tz="UTC")}),
        pd.DataFrame({"a": [1]}).astype("Sparse[int]"),
    ],
    ids=range(13),
)
def test_any_table_becomes_one_well_formed_bounded_table(frame: Any) -> None:
    text = describe(frame)
    assert len(text) <= MAX_CHARACTERS
    table = [line for line in text.splitlines() if line.startswith("|")]
    cells = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in table}
    assert len(cells) == 1
    assert "cut here" not in text.splitlines()[-1]


def test_a_thirty_megabyte_table_costs_no_more_than_a_small_one() -> None:
    big = pd.DataFrame(np.zeros((400_000, 10)), columns=[f"c{n}" for n in range(10)])
    big["text"] = "some text that repeats"
    looked_at: list[object] = []
    big["probe"] = pd.Series([Probe(looked_at)] * len(big), dtype=object)
    text = describe(big)
    assert len(text) <= MAX_CHARACTERS
    assert len(looked_at) <= 60


class Probe:
    """Counts how often it was made into text."""

    def __init__(self, seen: list[object]) -> None:
        self.seen = seen

    def __str__(self) -> str:
        self.seen.append(self)
        return "probe"


def test_a_series_shows_its_labels_and_an_index_its_own() -> None:
    text = describe(pd.Series([1, 2], index=["a", "b"], name="count"))
    assert text.splitlines()[0] == "Series count: 2 values, int64"
    assert "| b | 2 |" in text
    assert describe(pd.Series([1.5])).splitlines()[-1] == "| 0 | 1.5 |"
    assert describe(pd.Index(["a", "b"])).splitlines()[-1] == "a, b"
    long = describe(pd.RangeIndex(1_000_000))
    assert long.startswith("Index: 1,000,000 labels, int64")
    assert long.endswith("999998, 999999\n[value: 60 of 1,000,000 labels sent]")


def test_arrays_show_shape_type_and_values() -> None:
    assert describe(np.array([[1, 2], [3, 4]])) == "ndarray: shape (2, 2), int64\n[[1, 2],\n [3, 4]]"
    assert describe(np.array(5)) == "ndarray: shape (), int64\n5"
    assert "ndarray: shape (0,), float64" in describe(np.array([]))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2_000, 2_000)),
        np.zeros((3,) * 12),
        np.zeros((2,) * 20, dtype=np.int8),
        np.array(["x" * 100_000] * 3),
        np.array([Plain(), "a" * 100_000], dtype=object),
        np.ma.masked_array([1, 2], mask=[True, False]),
        np.array([Broken()], dtype=object),
        np.zeros(3, dtype=[("a", int), ("b", "U5")]),
        np.broadcast_to(np.array(1.0), (1_000_000, 1_000_000)),
    ],
    ids=range(9),
)
def test_any_array_is_bounded(array: Any) -> None:
    text = describe(array)
    assert len(text) <= MAX_CHARACTERS
    assert f"shape {array.shape}" in text


def test_describing_imports_no_library_that_was_not_there() -> None:
    code = (
        "import sys; from tetrate_jupyter.completion.variables import interpolate;"
        "print(interpolate('{a} {b} {c}', dict(a=1, b={'x': [1]}, c=object())).names_used);"
        "print(sorted({'pandas', 'numpy', 'PIL', 'matplotlib', 'jsonschema'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["('a', 'b', 'c')", "[]"]


def test_structs_inside_lists_are_named() -> None:
    class Item(msgspec.Struct):
        n: int

    assert describe([Item(1)]) == '["Item(n=1)"]'
