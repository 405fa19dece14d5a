"""No number in a prompt is rounded: what stands there reads back as the very value, of its own type."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import fractions
import json
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.completion.texts import describe, result_text
from tetrate_jupyter.completion.values import Float16, Float32, number, scalar

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(min_value=-(2**63), max_value=2**63 - 1)


def cells(text: str) -> list[str]:
    """The cells of the only column of a described table."""
    rows = [line[2:-2] for line in text.splitlines() if line.startswith("| ")]
    return [row.split(" | ")[-1] for row in rows[2:]]


# --- single values -------------------------------------------------------------------------------------------


@given(FLOATS)
def test_any_float_reads_back_as_itself(value: float) -> None:
    text = number(value)
    assert float(text) == value
    assert math.copysign(1, float(text)) == math.copysign(1, value)
    assert len(text) <= max(len(repr(value)), 17)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_any_four_byte_float_is_as_short_as_numpy_has_it(value: float) -> None:
    for text in (number(Float32(value)), number(np.float32(value))):
        assert np.float32(float(text)) == np.float32(value)
        assert decimal.Decimal(text) == decimal.Decimal(str(np.float32(value))) or value.is_integer()


@given(st.floats(width=16, allow_nan=False, allow_infinity=False))
def test_any_two_byte_float_likewise(value: float) -> None:
    for text in (number(Float16(value)), number(np.float16(value))):
        assert np.float16(float(text)) == np.float16(value)
        assert value.is_integer() or text in {str(np.float16(value)), f"{value:.{len(text.lstrip('-0.'))}g}"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567890123.0, "1234567890123"),
        (12345678901.55, "12345678901.55"),
        (0.1 + 0.2, "0.30000000000000004"),
        (9999999999999998.0, "9999999999999998"),
        (1e16, "1e+16"),
        (1e22, "1e+22"),
        (-0.0, "-0.0"),
        (5e-324, "5e-324"),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (np.float32(0.1), "0.1"),
        (np.float16(0.1), "0.1"),
        (np.float32("inf"), "inf"),
        (np.longdouble("0.1"), "0.1"),
        (np.longdouble(2**60), "1.152921504606846976e+18"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (10**40, "1" + "0" * 40),
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("1E+400"), "1E+400"),
        (fractions.Fraction(1, 3), "1/3"),
        (np.complex64(0.1 + 0.2j), "(0.1+0.2j)"),
        (1e22 + 0.1j, "(1e+22+0.1j)"),
        (None, "None"),
        (pd.NA, "<NA>"),
        (pd.NaT, "NaT"),
        (pd.Timestamp("2024-05-06 01:02:03.123456789", tz="Europe/Rome"), "2024-05-06 01:02:03.123456789+02:00"),
        (np.datetime64("2024-05-06T01:02:03.123456789"), "2024-05-06T01:02:03.123456789"),
        (pd.Timedelta(1, "ns"), "0 days 00:00:00.000000001"),
        (pd.Period("2024-05", freq="M"), "2024-05"),
        (pd.Interval(0.1 + 0.2, 1234567890123.0), "(0.30000000000000004, 1234567890123]"),
        (dt.datetime(2024, 5, 6, 1, 2, 3, 4, tzinfo=dt.timezone.utc), "2024-05-06 01:02:03.000004+00:00"),
    ],
    ids=repr,
)
def test_a_single_value_is_written_exactly(value: object, text: str) -> None:
    if isinstance(value, np.longdouble) and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("longdouble has eight bytes here")
    assert scalar(value) == text


# --- tables --------------------------------------------------------------------------------------------------


def test_the_table_of_the_report_keeps_its_digits() -> None:
    frame = pd.DataFrame({"account": [1234567890123, None], "amount": [12345678901.55, 1]})
    assert describe(frame).splitlines()[-2:] == ["| 1234567890123 | 12345678901.55 |", "| NaN | 1 |"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "Float64", "Float32", "object", "Sparse[float64]"])
@given(values=st.lists(FLOATS, min_size=1, max_size=10))
def test_any_column_of_floats_reads_back(dtype: str, values: list[float]) -> None:
    kind = re.sub(r"Sparse\[|\]", "", dtype).lower()
    kind = "float64" if kind == "object" else kind
    with np.errstate(over="ignore"):
        narrow = np.array(values).astype(kind)
    narrow = narrow[np.isfinite(narrow)]
    shown = cells(describe(pd.DataFrame({"n": pd.Series(narrow).astype(dtype)})))
    assert np.array([float(text) for text in shown]).astype(kind).tolist() == narrow.tolist()
    series = cells(describe(pd.Series(narrow, dtype=dtype)))
    assert series == shown


@pytest.mark.parametrize("dtype", ["int64", "Int64", "object"])
@given(values=st.lists(WHOLE, min_size=1, max_size=10))
def test_any_column_of_integers_reads_back(dtype: str, values: list[int]) -> None:
    assert [int(text) for text in cells(describe(pd.DataFrame({"n": pd.Series(values, dtype=dtype)})))] == values


@given(values=st.lists(FLOATS, min_size=1, max_size=8), kind=st.sampled_from(["float64", "float32", "float16"]))
def test_any_array_list_and_dict_reads_back(values: list[float], kind: str) -> None:
    with np.errstate(over="ignore"):
        array = np.array(values).astype(kind)
    array = array[np.isfinite(array)]
    for text in (
        describe(array).split("\n", 1)[1],
        describe([array])[1:-1],
        describe(list(array)),
        json.dumps(json.loads(describe({"a": {"b": array}}))["a"]["b"])
        if kind == "float64"
        else describe(array.tolist()),
        result_text(list(array)),
    ):
        assert np.array(json.loads(text), dtype="float64").astype(kind).tolist() == array.tolist()


LEAVES = st.none() | st.booleans() | WHOLE | FLOATS | st.text(max_size=5)


def nest(inner: Any) -> Any:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)


@given(st.recursive(LEAVES, nest, max_leaves=12))
def test_any_nested_value_reads_back(value: Any) -> None:
    if isinstance(value, (list, dict)):
        assert json.loads(describe(value)) == value
        assert json.loads(result_text(value)) == value


def test_what_is_missing_and_what_is_infinite_have_names_of_their_own() -> None:
    frame = pd.DataFrame(
        {"a": pd.Series([None, float("nan"), pd.NA, pd.NaT, float("inf"), "NaN", "None", ""], dtype=object)}
    )
    assert cells(describe(frame)) == ["None", "NaN", "<NA>", "NaT", "inf", '"NaN"', '"None"', ""]
    assert describe([float("nan"), None, float("-inf"), "NaN"]) == '[NaN, null, -Infinity, "NaN"]'
    assert result_text([float("nan"), None]) == "[NaN,null]"


def test_labels_and_levels_are_exact_too() -> None:
    text = describe(pd.DataFrame({1234567890123.0: [1]}, index=pd.Index([12345678901.55], name="when")))
    assert "| when | 1234567890123 |" in text
    assert "| 12345678901.55 | 1 |" in text
    levels = pd.MultiIndex.from_tuples([(1e12, np.float32(0.1))], names=["big", "small"])
    assert "| 1000000000000 / 0.1 | 1 |" in describe(pd.DataFrame({"n": [1]}, index=levels))
    assert describe(pd.Index([1e12, 0.1])).endswith("\n1000000000000, 0.1")


def test_categories_keep_the_width_of_their_numbers() -> None:
    kinds = pd.Series(np.array([0.1, 0.2, 0.1], dtype="f4")).astype("category")
    kinds.iloc[1] = np.nan
    assert cells(describe(pd.DataFrame({"k": kinds}))) == ["0.1", "NaN", "0.1"]


def test_values_inside_cells_are_exact_and_never_cut_in_a_number() -> None:
    frame = pd.DataFrame(
        {"v": [[0.1 + 0.2, 1e12], {"a": np.array([0.1], dtype="f4")}, 10**300, [12345678901234] * 900]}
    )
    first, second, third, fourth = cells(describe(frame))
    assert first == "[0.30000000000000004,1000000000000]"
    assert second == '{"a":[0.1]}'
    assert third == str(10**300)
    assert set(json.loads(fourth)) == {12345678901234}


def test_a_table_inside_a_dict_is_its_data() -> None:
    value = {
        "train": pd.DataFrame({"a": [0.1, 1e12]}),
        "s": pd.Series([1.5], index=["x"], name="n"),
        "p": pd.Series([2.5]),
    }
    assert json.loads(describe(value)) == {
        "train": [{"a": 0.1}, {"a": 1000000000000}],
        "s": [{"index": "x", "n": 1.5}],
        "p": [2.5],
    }


def test_arrays_of_every_kind_are_exact() -> None:
    assert describe(np.array([1234567.891, 1e22])).endswith("\n[1234567.891, 1e+22]")
    assert describe(np.array([0.1, 2.5], dtype="f4")).endswith("\n[0.1, 2.5]")
    assert describe(np.ma.masked_array([0.1 + 0.2, 1], mask=[False, True])).endswith("\n[0.30000000000000004, --]")
    assert describe(np.array([(0.1, "x")], dtype=[("a", "f4"), ("b", "U5")])).endswith('\n[{"a": 0.1, "b": "x"}]')
    assert describe(np.array([1e12, None, "x"], dtype=object)).endswith("\n[1000000000000, None, 'x']")


def test_objects_that_hold_tables_and_arrays_don_t_round_them_either() -> None:
    @dataclasses.dataclass
    class Held:
        array: Any
        table: Any

    text = describe(Held(np.array([1234567.8912345]), pd.DataFrame({"a": [12345678901.55]})))
    assert "1234567.8912345" in text
    assert "12345678901.55" in text


# --- polars and Arrow ----------------------------------------------------------------------------------------


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False) | st.none(), min_size=1, max_size=8))
def test_polars_columns_read_back(values: list[float | None]) -> None:
    polars = pytest.importorskip("polars")
    for kind, width in ((polars.Float64, "f8"), (polars.Float32, "f4")):
        series = polars.Series("n", values, dtype=kind)
        for shown in (cells(describe(series)), cells(describe(polars.DataFrame({"n": series})))):
            read = [None if text == "None" else np.dtype(width).type(float(text)) for text in shown]
            assert read == [None if value is None else np.dtype(width).type(value) for value in values]


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False) | st.none(), min_size=1, max_size=8))
def test_arrow_columns_read_back(values: list[float | None]) -> None:
    arrow = pytest.importorskip("pyarrow")
    for kind, width in ((arrow.float64(), "f8"), (arrow.float32(), "f4")):
        array = arrow.array(values, type=kind)
        frame = pd.DataFrame({"n": pd.Series(array, dtype=pd.ArrowDtype(kind))})
        for value in (array, arrow.chunked_array([array]), arrow.table({"n": array}), frame):
            read = [
                None if text in {"None", "<NA>"} else np.dtype(width).type(float(text))
                for text in cells(describe(value))
            ]
            assert read == [None if value is None else np.dtype(width).type(value) for value in values]


def test_other_kinds_of_polars_are_exact() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {
            "when": polars.Series([1700000000123456789]).cast(polars.Datetime("ns")),
            "took": polars.Series([123456789]).cast(polars.Duration("ns")),
            "at": polars.Series([123456789]).cast(polars.Time),
            "price": [decimal.Decimal("1.10")],
            "list": polars.Series([[0.1]], dtype=polars.List(polars.Float32)),
            "part": [{"x": 1e12}],
            "big": polars.Series([2**100], dtype=polars.Int128),
        }
    )
    (row,) = [line for line in describe(frame).splitlines() if line.startswith("| 2023")]
    assert row == (
        "| 2023-11-14 22:13:20.123456789 | 123456789 ns | 00:00:00.123456789 | 1.10 | [0.1] | "
        f'{{"x":1000000000000}} | {2**100} |'
    )
    assert json.loads(describe({"t": frame.select("list", "part")})) == {"t": [{"list": [0.1], "part": {"x": 10**12}}]}


def test_other_kinds_of_arrow_are_exact() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table(
        {
            "when": arrow.array([1700000000123456789], arrow.timestamp("ns")),
            "at": arrow.array([123456789], arrow.time64("ns")),
            "took": arrow.array([123456789], arrow.duration("ns")),
            "half": arrow.array([np.float16(0.1)], arrow.float16()),
            "list": arrow.array([[0.1]], arrow.list_(arrow.float32())),
            "part": arrow.array([{"x": 0.1}], arrow.struct([("x", arrow.float32())])),
            "kind": arrow.array([0.1], arrow.float32()).dictionary_encode(),
        }
    )
    assert describe(table).splitlines()[-1] == (
        '| 2023-11-14 22:13:20.123456789 | 00:00:00.123456789 | 123456789 ns | 0.1 | [0.1] | {"x":0.1} | 0.1 |'
    )
    assert describe(arrow.scalar(0.1, arrow.float32())) == "0.1"
    assert describe(arrow.table({})).startswith("Arrow Table: 0 rows, 0 columns")
