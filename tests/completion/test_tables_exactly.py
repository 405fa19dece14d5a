"""Tables to the last character: shape, kinds, rows, what is left out, and each kind of cell."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tetrate_jupyter.completion import values
from tetrate_jupyter.completion.cuts import Limits
from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.completion.tables import MAX_CHARACTERS, cell, cut
from tetrate_jupyter.types import Cut

TOLD = "answer about all rows only from the summary, and say so.]"


class Level(enum.IntEnum):
    HIGH = 3


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_a_small_table_is_there_whole() -> None:
    found = described(pd.DataFrame({"city": ["Rome", "Oslo"], "people": [2.5, None]}), "df")
    assert found.text == (
        "DataFrame: 2 rows, 2 columns\ncity: str, people: float64\n\n"
        "| city | people |\n| --- | --- |\n| Rome | 2.5 |\n| Oslo | NaN |"
    ).replace("str", str(pd.Series(["a"]).dtype))
    assert found.cuts == ()


def test_a_series_has_its_index_and_its_name() -> None:
    found = described(pd.Series([7, 8], name="s", index=["a", "b"]), "s")
    assert found.text == "Series s: 2 values, int64\n\n| index | s |\n| --- | --- |\n| a | 7 |\n| b | 8 |"
    long = described(pd.Series(range(40)), "s", Limits(4, is_usual=False))
    assert long.cuts == (Cut("s", "values and a summary of all", 4, 40),)


def test_what_is_left_out_of_a_long_table_is_told_and_summarised() -> None:
    found = described(pd.DataFrame({"a": range(40)}), "df", Limits(4, is_usual=False))
    assert found.text == (
        "DataFrame: 40 rows, 1 columns\na: int64\n\n| a |\n| --- |\n| 0 |\n| 1 |\n| 2 |\n| … |\n| 39 |\n"
        f"[Only 4 of 40 rows are here: the first 3 and the last 1. 36 are left out: {TOLD}\n"
        "Summary of all 40 rows, those left out included:\n"
        "- a: 40 values, 0 missing, min 0, max 39, sum 780, mean 19.5"
    )
    assert found.cuts == (Cut("df", "rows and a summary of all", 4, 40),)
    one = described(pd.DataFrame({"a": range(40)}), "df", Limits(1, is_usual=False))
    assert "| 0 |\n[Only 1 of 40 rows are here: the first 1. 39 are left out" in one.text


def test_twenty_columns_are_sent_and_more_where_rows_were_asked_for() -> None:
    wide = pd.DataFrame({f"c{n}": [n] for n in range(22)})
    found = described(wide, "df")
    assert "c19: int64 … and 2 more columns\n" in found.text
    assert "| c19 |\n" in found.text
    assert found.text.endswith("\n[df: 20 of 22 columns sent]")
    assert found.cuts == (Cut("df", "columns", 20, 22),)
    assert described(wide[[f"c{n}" for n in range(20)]], "df").cuts == ()
    assert described(wide, "df", Limits(5, room=20_000)).cuts == ()


def test_cells_are_shortened_before_rows_are_left_out() -> None:
    two = described(pd.DataFrame({"a": ["x" * 2_000, "y" * 2_001]}), "df")
    assert "x" * 2_000 in two.text
    assert "| " + "y" * 1_999 + "… |" in two.text
    assert two.cuts == (Cut("df", "cells shortened", 1),)
    three = described(pd.DataFrame({"a": ["x" * 3_000] * 3}), "df")
    assert three.text.count("| " + "x" * 299 + "… |") == 3
    assert three.cuts == (Cut("df", "cells shortened", 3),)
    many = described(pd.DataFrame({"a": ["x" * 300] * 30}), "df")
    assert many.text.count("| " + "x" * 59 + "… |") == 30
    assert many.cuts == (Cut("df", "cells shortened", 30),)
    ends = described(pd.DataFrame({"a": ["x" * 3_000, *["m"] * 40, "z" * 3_000]}), "df")
    assert Cut("df", "cells shortened", 2) in ends.cuts  # of both ends
    label = described(pd.DataFrame({"L" * 61: [1]}), "df")
    assert label.cuts == (Cut("df", "cells shortened", 1),)
    assert described(pd.DataFrame({"L" * 60: [1]}), "df").cuts == ()


def test_no_text_is_longer_than_its_bound() -> None:
    wide = pd.DataFrame({f"column {n} with a rather long name": ["text " * 50] * 200 for n in range(20)})
    for limits in (Limits(), Limits(100), Limits(None, room=9_000), Limits(None, room=40_000)):
        found = described(wide, "df", limits)
        assert len(found.text) <= limits.bound(MAX_CHARACTERS)
        assert found.cuts
    assert described(wide, "df", Limits(None, room=9_000)).cuts[0].why == "no more are sure to fit the model's window"
    assert described(wide, "df", Limits(2, room=40_000, is_usual=False)).cuts[0].why == ""


def test_rows_are_left_out_where_no_room_for_notes_would_be_left() -> None:
    def long(more: int) -> pd.DataFrame:
        return pd.DataFrame({"a": pd.Series([*["x" * 50] * 99, "x" * more, "y" * 40], dtype=object)})

    fits = described(long(52), "df", Limits(None))
    assert fits.cuts == ()
    assert len(fits.text) == 5_602
    over = described(long(53), "df", Limits(None))
    assert over.cuts == (Cut("df", "rows and a summary of all", 96, 101),)


def test_one_row_that_fits_only_just_is_sent_without_a_summary_of_itself() -> None:
    found = described(pd.DataFrame({f"c{n}": [10**257] for n in range(20)}), "df")
    assert found.text.count(str(10**257)) == 20
    assert "Summary" not in found.text
    assert found.cuts == ()


def test_where_one_row_is_all_that_fits_it_is_sent_with_all_its_columns() -> None:
    found = described(pd.DataFrame({f"c{n}": [10**300] * 3 for n in range(10)}), "df")
    assert found.cuts == (Cut("df", "rows and a summary of all", 1, 3),)
    assert f"| c9 |\n{'| --- ' * 10}|\n{f'| {10**300} ' * 10}|\n[Only 1 of 3 rows are here: the first 1." in found.text


def test_a_series_with_an_endless_name_is_cut_and_that_is_counted() -> None:
    found = described(pd.Series([1, 2], name="n" * 7_000), "s")
    assert found.text.endswith("n…\n[cut here: 5,939 of 7,336 characters]")
    assert found.cuts == (Cut("s", "characters", 5_939, 7_336),)


def test_an_index_has_its_labels() -> None:
    kind = pd.Index(["a"]).dtype
    assert described(pd.Index(["a", "b|c"]), "i").text == f"Index: 2 labels, {kind}\na, b\\|c"
    assert described(pd.Index(range(100)), "i").cuts == ()
    found = described(pd.Index(range(101)), "i")
    assert found.text.startswith("Index: 101 labels, int64\n0, 1, 2")
    assert "48, 49, …, 91, 92" in found.text
    assert found.text.endswith("100\n[i: 60 of 101 labels sent]")
    assert found.cuts == (Cut("i", "labels", 60, 101),)
    short = described(pd.Index(["x" * 61, "y" * 60]), "i")
    assert short.cuts == (Cut("i", "labels shortened", 1),)
    asked = described(pd.Index(range(101)), "i", Limits(6, room=9_000, is_usual=False))
    assert asked.text.splitlines()[1] == "0, 1, 2, 3, …, 99, 100"


CELLS: list[tuple[Any, str, bool]] = [
    ("a|b\\c\nd\re", "a\\|b\\\\c\\nd\\re", False),
    ("", "", False),
    ("NaN", '"NaN"', False),
    ("None", '"None"', False),
    ("null", '"null"', False),
    ("inf", '"inf"', False),
    ("none", "none", False),
    ("x" * 9, "x" * 9, False),
    ("x" * 11, "x" * 9 + "…", True),
    (None, "None", False),
    (True, "True", False),
    (1e20, "1e+20", False),
    (2.0, "2", False),
    (123456789012345, "123456789012345", False),  # no number is cut
    (10**329, "1" + "0" * 329, False),
    (10**330, "[a number of 331 digits]", True),
    (10**5_000, "[an integer of 16,610 bits]", True),
    (dt.date(2026, 1, 2), "2026-01-02", False),
    (dt.datetime(2026, 1, 2, 3), "2026-01-0…", True),  # noqa: DTZ001
    (Broken(), "<Broken: …", True),
    ([1, 2], "[1,2]", False),
]


@pytest.mark.parametrize(("value", "text", "short"), CELLS, ids=range(len(CELLS)))
def test_a_cell_is_one_line_and_says_whether_it_is_whole(value: Any, text: str, short: bool) -> None:
    assert cell(value, 10) == (text, short)


def test_a_text_that_is_cut_says_where() -> None:
    assert cut("x" * 100, "t", 100).text == "x" * 100
    found = cut("x" * 101, "t", 100)
    assert found.text == "x" * 39 + "…\n[cut here: 39 of 101 characters]"
    assert found.cuts == (Cut("t", "characters", 39, 101),)


# --- single values -----------------------------------------------------------------------------------------------

NUMBERS: list[tuple[Any, str]] = [
    (0.0, "0"), (-0.0, "-0.0"), (1.0, "1"), (-3.0, "-3"), (0.1, "0.1"), (1e15, "1000000000000000"), (1e16, "1e+16"),
    (math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "NaN"), (np.float32(0.1), "0.1"), (np.float16(0.1), "0.1"),
    (np.float64(1e-7), "1e-07"), (np.float32(16777216), "16777216"), (values.Float32(np.float32(0.1)), "0.1"),
    (values.Float16(np.float16(0.1)), "0.1"), (values.Float32(3.4028234663852886e38), "3.4028235e+38"),
    (np.longdouble(2), "2"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), NUMBERS, ids=range(len(NUMBERS)))
def test_a_number_has_the_shortest_exact_digits(value: Any, text: str) -> None:
    assert values.number(value) == text


SCALARS: list[tuple[Any, str | None]] = [
    (None, "None"), (True, "True"), (np.True_, "True"), (7, "7"), (np.int8(-7), "-7"),
    (np.uint64(2**64 - 1), str(2**64 - 1)),
    (decimal.Decimal("1.50"), "1.50"), (1 + 2j, "(1+2j)"), (dt.timedelta(1), "1 day, 0:00:00"), (pd.NA, "<NA>"),
    (pd.NaT, "NaT"), (pd.Interval(1, 2.5), "(1, 2.5]"), (pd.Interval(1, 2, closed="both"), "[1, 2]"),
    (pd.Interval(1, 2, closed="neither"), "(1, 2)"), (pd.Period("2026-01"), "2026-01"),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (np.timedelta64(3, "s"), "3 seconds"), ("text", None), (b"x", None), ([1], None), (Level.HIGH, None),
    (np.str_("x"), None),
    (object(), None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), SCALARS, ids=range(len(SCALARS)))
def test_a_single_value_is_exact_text(value: Any, text: str | None) -> None:
    assert values.scalar(value) == text


def test_what_is_a_number() -> None:
    numbers = (1, 1.5, np.int8(1), np.float16(1), np.longdouble(1), values.Float32(1.0))
    others = (
        True,
        np.True_,
        Level.HIGH,
        "1",
        None,
        1j,
        decimal.Decimal(1),
        np.timedelta64(1, "s"),
        np.datetime64("2026"),
    )
    assert all(map(values.is_number, numbers))
    assert not any(map(values.is_number, others))


def test_reprs_have_all_digits_and_are_bounded() -> None:
    tiny = np.array([1e-10, 0.1234567890123])
    with np.printoptions(precision=2, suppress=True), values.exact_reprs():
        assert "1.234567890123e-01" in repr(tiny)
        assert "0.1234567890123" in repr(pd.Series([0.1234567890123]))
    assert values.short_repr("x" * 300) == "'" + "x" * 198 + "…"
    assert values.short_repr("x", 3) == "'x'"

    class Odd:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert values.short_repr(Odd()) == "<Odd, whose repr raised ZeroDivisionError>"
