"""What a summary says of the columns and arrays of which not every value is sent, to the character."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tetrate_jupyter.completion import summary as summaries
from tetrate_jupyter.completion.sheets import sheet


def lines(frame: pd.DataFrame, limit: int = 5_000) -> list[str]:
    table = sheet(frame)
    assert table is not None
    return summaries.summary([table.column(n) for n in range(table.width)], table.rows, limit).split("\n")


def line(values: Any, **options: Any) -> str:
    """The line on one column, without its name."""
    return lines(pd.DataFrame({"c": pd.Series(values, **options)}))[1].removeprefix("- c: ")


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([1, 2, 4], {}, "3 values, 0 missing, min 1, max 4, sum 7, mean ≈ 2.3333333333333335"),
        ([1, 2, 3], {}, "3 values, 0 missing, min 1, max 3, sum 6, mean 2"),
        (
            [2**64 - 1] * 3,
            {"dtype": "u8"},
            f"3 values, 0 missing, min {2**64 - 1}, max {2**64 - 1}, sum {3 * (2**64 - 1)}",
        ),
        ([-(2**62)] * 4, {"dtype": "i8"}, f"min {-(2**62)}, max {-(2**62)}, sum {-(2**64)}"),
        ([1.5, math.nan, 2.5], {}, "2 values, 1 missing, min 1.5, max 2.5, sum ≈ 4, mean ≈ 2"),
        ([math.inf, 1.0], {}, "2 values, 0 missing, min 1, max inf, 1 infinite, not in the mean, sum ≈ 1, mean ≈ 1"),
        ([math.inf], {}, "1 values, 0 missing, min inf, max inf, 1 infinite, not in the mean"),
        ([math.nan], {}, "0 values, 1 missing"),
        ([1, None], {"dtype": "Int64"}, "1 values, 1 missing, min 1, max 1, sum 1, mean 1"),
        ([1e308, 1e308], {}, "2 values, 0 missing, min 1e+308, max 1e+308"),
        (["a", "b", None], {}, "2 values, 1 missing, 2 different"),
        (["a", "b", "a"], {}, "3 values, 0 missing, 2 different; most frequent: 'a' 2, 'b' 1"),
        (
            [f"{'x' * 60} {end}" for end in "aab"],
            {},
            f"3 values, 0 missing, 2 different; most frequent: '{'x' * 60} a' 2, '{'x' * 60} b' 1",
        ),
        (
            ["x" * 60, "y", "y"],
            {},
            f"3 values, 0 missing, 2 different; most frequent: 'y' 2, '{'x' * 39}…' 1",
        ),
        (
            [True, False, True],
            {"dtype": object},
            "3 values, 0 missing, 2 different; most frequent: 'True' 2, 'False' 1",
        ),
        ([True, True], {}, "2 values, 0 missing, 1 different; most frequent: 'True' 2"),
        ([dt.date(2024, 1, 2), dt.date(2023, 1, 2)], {}, "2 values, 0 missing, min 2023-01-02, max 2024-01-02"),
        (
            [dt.timedelta(2), dt.timedelta(1)],
            {"dtype": object},
            "2 values, 0 missing, min 1 day, 0:00:00, max 2 days, 0:00:00",
        ),
        ([1.5, 0.5, math.nan], {"dtype": object}, "2 values, 1 missing, min 0.5, max 1.5"),
        ([dt.time(3), dt.time(1)], {}, "2 values, 0 missing, min 01:00:00, max 03:00:00"),
        ([Decimal("1.50"), Decimal("0.1"), None], {}, "2 values, 1 missing, min 0.1, max 1.50, sum 1.60, mean ≈ 0.8"),
        ([Decimal("0.1")] * 10, {}, "10 values, 0 missing, min 0.1, max 0.1, sum 1.0, mean ≈ 0.1"),
        ([Decimal("1E+3"), Decimal(2)], {}, "2 values, 0 missing, min 2, max 1E+3, sum 1002, mean 501"),
        (
            [10**30, 1 - 10**30],
            {"dtype": object},
            f"2 values, 0 missing, min {1 - 10**30}, max {10**30}, sum 1, mean 0.5",
        ),
        ([Decimal("1E+400"), Decimal(1)], {}, "2 values, 0 missing, min 1, max 1E+400"),
        ([Decimal("1E+299"), Decimal("1E-9")], {}, "2 values, 0 missing, min 1E-9, max 1E+299"),
        ([Decimal("Infinity"), Decimal(1)], {}, "2 values, 0 missing, min 1, max Infinity"),
        ([Decimal(-1), Decimal(1)], {}, "2 values, 0 missing, min -1, max 1, sum 0, mean 0"),
        ([Decimal("sNaN"), Decimal(1)], {}, "2 values, 0 missing"),
        ([10**30, 1], {"dtype": object}, f"2 values, 0 missing, min 1, max {10**30}"),
        ([1, "a"], {"dtype": object}, "2 values, 0 missing"),
        ([np.array([1, 2]), np.array([3])], {"dtype": object}, "2 values, 0 missing"),
        ([{"a": 1}], {}, "1 values, 0 missing"),
    ],
    ids=repr,
)
def test_a_column_in_one_line(values: Any, options: dict[str, Any], expected: str) -> None:
    found = line(values, **options)
    assert expected in found
    assert found.startswith(expected) or expected.startswith("min")
    if expected.endswith("missing") or "most frequent" in expected:
        assert found == expected


@pytest.mark.parametrize("values", [["1E+400", "1"], ["1E+299", "1E-9"], ["Infinity", "1"], ["NaN", "1"]])
def test_decimals_are_summed_exactly_or_not_at_all(values: list[str]) -> None:
    assert "sum" not in line([Decimal(value) for value in values])


def test_times_are_compared_where_their_methods_are_known() -> None:
    assert line(pd.to_datetime(["2024-03-04", None, "2023-01-01"])) == (
        "2 values, 1 missing, min 2023-01-01 00:00:00, max 2024-03-04 00:00:00"
    )
    assert line(pd.to_timedelta([5, 3], unit="s")).startswith("2 values, 0 missing, min 0 days 00:00:03")
    bare = [dt.datetime(2024, 1, 2), dt.datetime(2023, 1, 2)]  # noqa: DTZ001 - as people have them
    assert line(bare, dtype=object) == "2 values, 0 missing, min 2023-01-02 00:00:00, max 2024-01-02 00:00:00"
    zone = dt.timezone.utc
    mixed = [dt.datetime(2024, 1, 1, tzinfo=zone), dt.datetime(2024, 1, 1)]  # noqa: DTZ001 - the point of the test
    assert line(mixed, dtype=object) == "2 values, 0 missing"

    class Decimal2:
        """A class of another's that only has a known name."""

        def __lt__(self, other: object) -> bool:
            raise AssertionError

    Decimal2.__name__ = "Decimal"
    assert line([Decimal2(), Decimal2()], dtype=object) == "2 values, 0 missing"


def test_the_five_most_frequent_values_are_named() -> None:
    letters = [letter for n, letter in enumerate("abcdef") for _ in range(10 - n)]
    assert line(letters).endswith("6 different; most frequent: 'a' 10, 'b' 9, 'c' 8, 'd' 7, 'e' 6")
    assert line(["x" * 41] * 2).endswith(f"most frequent: '{'x' * 39}…' 2")
    assert line(["x" * 40] * 2).endswith(f"most frequent: '{'x' * 40}' 2")


def test_columns_have_a_line_each_as_far_as_there_is_room() -> None:
    frame = pd.DataFrame({f"column{n}": ["a", "b"] for n in range(10)} | {"n" * 41: [1, 2]})
    whole = lines(frame)
    head = "Summary of all 2 rows, those left out included:"
    assert whole[0] == head
    assert whole[1:11] == [f"- column{n}: 2 values, 0 missing, 2 different" for n in range(10)]
    assert whole[11].startswith(f"- {'n' * 39}…: 2 values")
    one = len(whole[1]) + 1
    exactly = len(head) + 40 + 3 * one
    assert lines(frame, exactly) == [*whole[:4], "- no room for 8 more columns"]
    assert lines(frame, exactly - 1) == [*whole[:3], "- no room for 9 more columns"]


def test_a_column_that_cannot_be_read_is_said() -> None:
    class Broken:
        label, dtype = "b", "object"

        def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
            raise LookupError

        def numbers(self, step: int = 1) -> None:
            return None

    assert summaries.summary([Broken()], 3, 1_000).endswith("\n- b: not summarised (LookupError)")


def test_of_very_many_texts_some_are_looked_at() -> None:
    rows = summaries.SAMPLED_ROWS
    assert "counted over" not in line(["a"] * rows)
    assert line(["a"] * (rows + 1)) == (
        f"{rows // 2 + 1:,} values, 0 missing, 1 different; most frequent: 'a' {rows // 2 + 1:,} "
        f"(counted over {rows // 2 + 1:,} rows, evenly spaced; the rest may be different)"
    )


def test_an_array_in_one_line() -> None:
    values = np.arange(6.0).reshape(2, 3)
    said = "Summary: 6 values, 0 missing, min 0, max 5, sum ≈ 15, mean ≈ 2.5"
    assert summaries.of_array(values, 6) == summaries.of_array(values.T, 6) == said
    wide = np.broadcast_to(np.int8(1), (2, 1_000_000))
    assert summaries.of_array(wide, wide.size) == (
        "Summary: 1,000,000 values, 0 missing, min 1, max 1, sum 1000000, mean 1 "
        "(counted over 1,000,000 values, evenly spaced; the rest may be different)"
    )


def test_many_floats_are_summed_too() -> None:
    values = np.full(100_001, 0.1)
    found = summaries.of_array(values, values.size)
    assert found.startswith("Summary: 100,001 values, 0 missing, min 0.1, max 0.1, sum ≈ 10000.1")
    exact = np.zeros(100_000)
    exact[:3] = 1e16, 1.0, -1e16
    assert "sum ≈ 1, mean ≈ 1e-05" in summaries.of_array(exact, exact.size)
    exact = exact[:3]
    assert "sum ≈ 1, mean ≈ 0.3333333333333333" in summaries.of_array(exact, 3)
