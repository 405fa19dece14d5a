"""Tables of pandas, polars and Arrow by column: titles, labels, exact cells, and the numbers for a summary."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.completion.texts import describe
from tetrate_jupyter.completion.sheets import label, pandas_labels, sheet

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")


def of(value: object) -> Any:
    found = sheet(value)
    assert found is not None
    return found


def cells(value: object, number: int = 0, step: int = 1) -> list[object]:
    table = of(value)
    return list(table.column(number).cells(0, table.rows, step))


def test_only_tables_are_tables() -> None:
    for value in ([], {}, 3, np.zeros((2, 2)), pd.Index([1]), pl.Int64, "a"):
        assert sheet(value) is None


@pytest.mark.parametrize(
    ("value", "title", "facts"),
    [
        (pd.DataFrame({"a": [1], "b": [2]}), "DataFrame: 1 rows, 2 columns", (1, 2, False, True)),
        (pd.DataFrame({"a": range(2_000)}), "DataFrame: 2,000 rows, 1 columns", (2_000, 1, False, True)),
        (pd.DataFrame({"a": [1]}, index=["x"]), "DataFrame: 1 rows, 1 columns", (1, 1, False, False)),
        (pd.DataFrame({"a": [1]}, index=pd.RangeIndex(1, 2)), "DataFrame: 1 rows, 1 columns", (1, 1, False, False)),
        (
            pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(0, 4, 2)),
            "DataFrame: 2 rows, 1 columns",
            (2, 1, False, False),
        ),
        (
            pd.DataFrame({"a": [1]}, index=pd.RangeIndex(1, name="n")),
            "DataFrame: 1 rows, 1 columns",
            (1, 1, False, False),
        ),
        (pd.Series([1, 2], name="s"), "Series s: 2 values, int64", (2, 1, True, True)),
        (pd.Series([1.5]), "Series values: 1 values, float64", (1, 1, True, True)),
        (pl.DataFrame({"a": [1], "b": [2]}), "polars DataFrame: 1 rows, 2 columns", (1, 2, False, True)),
        (pl.DataFrame(), "polars DataFrame: 0 rows, 0 columns", (0, 0, False, True)),
        (pl.Series("s", [1, 2]), "polars Series s: 2 values, Int64", (2, 1, True, True)),
        (pl.Series([1.5]), "polars Series: 1 values, Float64", (1, 1, True, True)),
        (pa.table({"a": [1], "b": [2]}), "Arrow Table: 1 rows, 2 columns", (1, 2, False, True)),
        (pa.record_batch({"a": [1]}), "Arrow RecordBatch: 1 rows, 1 columns", (1, 1, False, True)),
        (pa.array([1, 2]), "Arrow Int64Array: 2 values, int64", (2, 1, True, True)),
        (pa.chunked_array([[1], [2]]), "Arrow ChunkedArray: 2 values, int64", (2, 1, True, True)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_table_has_its_title_and_size(value: object, title: str, facts: tuple[int, int, bool, bool]) -> None:
    table = of(value)
    assert table.title == title
    assert (table.rows, table.width, table.is_one, table.counts) == facts


def test_labels_are_texts_with_all_levels() -> None:
    assert [label(each) for each in ("a", 1, 1.5, None, ("a", 1))] == ["a", "1", "1.5", "None", "a / 1"]
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)]))
    assert [of(frame).column(number).label for number in (0, 1)] == ["x / 1", "y / 2"]
    assert of(pl.DataFrame({"a": [1]})).column(0).label == "a"
    assert of(pa.table({"a": [1], "b": [2]})).column(1).label == "b"
    assert of(pl.DataFrame({"a": [1]})).index is None


def test_an_index_is_a_column_too() -> None:
    plain = pandas_labels(pd.Index([3, 4]))
    assert (plain.label, plain.dtype, plain.cells(0, 2)) == ("index", "int64", [3, 4])
    assert pandas_labels(pd.Index(["a"], name="n")).label == "n"
    levels = pandas_labels(pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("c", 3)]))
    assert (levels.label, levels.dtype) == ("index", "MultiIndex")
    assert levels.cells(0, 3, 2) == ["a / 1", "c / 3"]
    assert levels.numbers() is None
    named = pd.MultiIndex.from_tuples([("a", 1)], names=["x", None])
    assert pandas_labels(named).label == "x"
    assert pandas_labels(named.set_names(["x", "y"])).label == "x / y"
    table = of(pd.Series([1], index=["r"]))
    assert table.index.cells(0, 1) == ["r"]
    assert of(pd.DataFrame({"a": [1]}, index=["r"])).index.cells(0, 1) == ["r"]


def test_rows_are_found_by_their_place() -> None:
    assert cells(pd.Series([1, 2, 3], index=[2, 0, 1])) == [1, 2, 3]
    assert cells(pd.DataFrame([[1, 2]], columns=["a", "a"]), 1) == [2]
    assert of(pd.Series([1, 2, 3])).column(0).cells(1, 2) == [2]
    for make in (pd.Series, pl.Series, pa.array):
        assert cells(make([1, 2, 3, 4, 5]), step=2) == [1, 3, 5]
        assert list(of(make([1, 2, 3, 4, 5])).column(0).cells(1, 4)) == [2, 3, 4]


def test_a_category_is_the_value_that_it_stands_for() -> None:
    narrow = pd.Series(np.array([0.1, 0.2], dtype="f4")).astype("category")
    assert [str(cell) for cell in cells(narrow)] == ["0.1", "0.2"]
    found = cells(pd.Series(["b", None, "a", "b"], dtype="category"))
    assert [found[0], found[2], found[3]] == ["b", "a", "b"]
    assert pd.isna(found[1])  # type: ignore[call-overload]


def test_columns_of_pandas_on_arrow_keep_all_digits() -> None:
    narrow = pd.Series([0.1, None], dtype=pd.ArrowDtype(pa.float32()))
    first, second = cells(narrow)
    assert type(first).__name__ == "Float32"
    assert second is pd.NA


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series([1, None]), [1, None]),
        (pl.Series([dt.time(1, 2, 3)]), ["01:02:03"]),
        (pl.Series([3_723_000_000_500], dtype=pl.Int64).cast(pl.Time), ["01:02:03.0000005"]),
        (pl.Series([5, None], dtype=pl.Duration("ns")), ["5 ns", None]),
        (pl.Series([5], dtype=pl.Duration("us")), [dt.timedelta(microseconds=5)]),
        (pl.Series([1], dtype=pl.Datetime("ns")), ["1970-01-01 00:00:00.000000001"]),
        (pl.Series([1], dtype=pl.Datetime("us")), [dt.datetime(1970, 1, 1, 0, 0, 0, 1)]),  # noqa: DTZ001
        (pl.Series([[1, 2], None]), [[1, 2], None]),
        (pl.Series([{"a": 1, "b": "x"}, None]), [{"a": 1, "b": "x"}, None]),
        (pa.array([1, None]), [1, None]),
        (pa.array([5, None], pa.duration("ns")), ["5 ns", None]),
        (pa.array([5], pa.duration("us")), [dt.timedelta(microseconds=5)]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
        (pa.array([1], pa.timestamp("us")), [dt.datetime(1970, 1, 1, 0, 0, 0, 1)]),  # noqa: DTZ001
        (pa.array([1], pa.time64("ns")), ["00:00:00.000000001"]),
        (pa.array([[1, 2], None]), [[1, 2], None]),
        (pa.array([[1]], pa.large_list(pa.int64())), [[1]]),
        (pa.array([[1, 2]], pa.list_(pa.int64(), 2)), [[1, 2]]),
        (pa.array([{"a": 1, "b": "x"}, None]), [{"a": 1, "b": "x"}, None]),
        (pa.array([{}, None], pa.struct([])), [{}, None]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.chunked_array([[1], [2, None]]), [1, 2, None]),
    ],
    ids=lambda value: str(getattr(value, "dtype", getattr(value, "type", value)))[:30],
)
def test_cells_of_other_libraries_are_exact(values: object, expected: list[object]) -> None:
    assert cells(values) == expected


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([0.1, None], dtype=pl.Float32),
        pa.array([0.1, None], pa.float32()),
        pa.chunked_array([pa.array([0.1, None], pa.float32())]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_four_byte_floats_are_not_widened(values: object) -> None:
    first, second = cells(values)
    assert type(first).__name__ == "Float32"
    assert second is None
    for kind in (pl.List(pl.Float32), pl.Array(pl.Float32, 2)):
        ((inner, _),) = cells(pl.Series([[0.1, 0.2]], dtype=kind))  # type: ignore[misc]
        assert type(inner).__name__ == "Float32"


@pytest.mark.parametrize(
    ("values", "kept", "missing"),
    [
        (pd.Series([1, 2, 3]), [1, 2, 3], 0),
        (pd.Series([1.5, None]), [1.5], 1),
        (pd.Series([1, None], dtype="Int64"), [1], 1),
        (pd.Series([1, 2], dtype="u1"), [1, 2], 0),
        (pd.Series([1, None], dtype=pd.ArrowDtype(pa.int64())), [1], 1),
        (pd.Series(pd.arrays.SparseArray([0, 0, 2])), [0, 0, 2], 0),
        (pl.Series([1, None, 3]), [1, 3], 1),
        (pl.Series([1.5]), [1.5], 0),
        (pl.Series([1], dtype=pl.UInt8), [1], 0),
        (pa.array([1, None, 3]), [1, 3], 1),
        (pa.chunked_array([[1], [None, 3]]), [1, 3], 1),
        (pa.array([1.5], pa.float32()), [1.5], 0),
    ],
    ids=lambda value: str(getattr(value, "dtype", getattr(value, "type", "")))[:30],
)
def test_numbers_are_given_without_those_that_are_missing(values: object, kept: list[float], missing: int) -> None:
    found = of(values).column(0).numbers()
    assert found is not None
    assert (found[0].tolist(), found[1]) == (kept, missing)


def test_of_many_numbers_every_other_one_is_given() -> None:
    for make in (pd.Series, pl.Series, pa.array):
        found = of(make([1, 2, None, 4, 5])).column(0).numbers(2)
        assert found is not None
        assert (found[0].tolist(), found[1]) == ([1, 5], 1)


@pytest.mark.parametrize(
    "values",
    [
        *(pd.Series(["a"]), pd.Series([True]), pd.Series([1, 2], dtype="category"), pd.Series([1], dtype=object)),
        *(
            pl.Series(["a"]),
            pl.Series([True]),
            pl.Series([1], dtype=pl.Int128),
            pl.Series([1], dtype=pl.Duration("ns")),
        ),
        *(pa.array(["a"]), pa.array([True]), pa.array([1], pa.timestamp("s"))),
    ],
    ids=lambda value: str(getattr(value, "dtype", getattr(value, "type", value)))[:30],
)
def test_what_is_no_number_is_not_summed(values: object) -> None:
    assert of(values).column(0).numbers() is None


def test_a_time_beyond_pythons_years_costs_its_own_cell_only() -> None:
    far = pa.table({"at": pa.array([2**62, 0, None], pa.timestamp("s")), "n": [1, 2, 3]})
    lines = describe(far).splitlines()
    assert lines[-3:] == [
        "| 4611686018427387904 of timestamp[s] | 1 |",
        "| 1970-01-01 00:00:00 | 2 |",
        "| None | 3 |",
    ]
    assert describe(pa.scalar(2**62, pa.timestamp("s"))) == "4611686018427387904 of timestamp[s]"
    unknown = pa.table({"at": pa.array([1, None], pa.timestamp("us", "No/Where"))})
    assert describe(unknown).splitlines()[-2:] == ["| 1 of timestamp[us, tz=No/Where] |", "| None |"]
    times = pl.DataFrame({"at": pl.Series([2**61, 0]).cast(pl.Datetime("us"))})
    assert describe(times).splitlines()[-2:] == [
        "| 2305843009213693952 of Datetime(time_unit='us', time_zone=None) |",
        "| 1970-01-01 00:00:00 |",
    ]
