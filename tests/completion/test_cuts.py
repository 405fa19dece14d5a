"""Whatever of a value is not sent is said: to the model in the prompt, and to the person as a `Cut`."""

from __future__ import annotations

import decimal
import types
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tetrate_jupyter.catalog.estimate import crowded_tokens
from tetrate_jupyter.completion import summary
from tetrate_jupyter.completion.cuts import Described, Limits, rows_of, shortened
from tetrate_jupyter.completion.describe import described, fitting
from tetrate_jupyter.completion.nested import MAX_JSON
from tetrate_jupyter.completion.tables import MAX_CHARACTERS
from tetrate_jupyter.completion.tools import described_result
from tetrate_jupyter.completion.variables import interpolate
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.types import Cut


def said(found: Described) -> list[str]:
    return [cut.sentence for cut in found.cuts]


class Long:
    def __repr__(self) -> str:
        return "long " * 5_000


DEEP: Any = "end"
for _ in range(50):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "sentences"),
    [
        (pd.DataFrame({"n": range(2_000)}), ["v: 15 of 2,000 rows and a summary of all sent"]),
        (pd.DataFrame(np.zeros((3, 35))), ["v: 20 of 35 columns sent"]),
        (pd.DataFrame(np.zeros((50, 35))), ["v: 15 of 50 rows and a summary of all sent", "v: 20 of 35 columns sent"]),
        (pd.DataFrame({"t": ["word " * 1_000] * 3}), ["v: 3 cells shortened"]),
        (pd.DataFrame({"t": ["a", "word " * 1_000]}), ["v: 1 cell shortened"]),
        (pd.Series(range(100)), ["v: 15 of 100 values and a summary of all sent"]),
        (pd.Index(range(1_000)), ["v: 60 of 1,000 labels sent"]),
        (np.zeros(10_000), ["v: 60 of 10,000 values sent"]),
        (np.zeros((100, 100)), ["v: 64 of 10,000 values sent"]),
        (np.array(["x" * 1_000]), ["v: 1 value shortened"]),
        ({"big": "x " * 20_000, "after": 1}, ["v: 1 of 2 members sent", "v['big']: 19,782 of 40,000 characters sent"]),
        ({"t": pd.DataFrame({"n": range(100)})}, ["v['t']: 15 of 100 rows sent"]),
        ([Long(), 1], ["v: 1 value shortened"]),
        (DEEP, ["v: 1 part nested deeper than 12 levels left out"]),
        (Long(), ["v: 5,939 of 25,000 characters sent"]),
        (types.SimpleNamespace(a=1), []),
        (10**5000, ["v: 1 number left out"]),
        ("x" * 1_000_000, []),
        (pd.DataFrame({"n": range(30)}), []),
        (np.zeros(400), []),
        (list(range(1_000)), []),
    ],
    ids=range(21),
)
def test_every_cut_is_said_and_nothing_else(value: object, sentences: list[str]) -> None:
    found = described(value, "v")
    assert said(found) == sentences
    for sentence in sentences:
        number = sentence.split(": ", 1)[1].split(" ")[0]
        assert number in found.text or "left out" in sentence


def test_a_list_is_cut_between_its_members() -> None:
    found = described([123456789] * 100_000, "v")
    (cut,) = found.cuts
    assert (cut.what, cut.of) == ("members", 100_000)
    body, _, note = found.text.partition("\n")
    assert body == str([123456789] * cut.sent)
    assert cut.sentence in note
    assert len(found.text) <= MAX_JSON


def test_a_list_of_records_is_cut_between_its_records() -> None:
    found = described({"rows": [{"id": n, "x": n / 7} for n in range(10_000)], "b": 1}, "v")
    outer, inner = found.cuts
    assert outer.sentence == "v: 1 of 2 members sent"
    assert inner.name == "v['rows']"
    assert found.text.count('"id"') == found.text.count('"x"') == inner.sent


def test_many_cuts_are_told_in_few_lines() -> None:
    found = described({f"t{n}": pd.DataFrame({"n": range(100)}) for n in range(20)}, "v", Limits(10, 100_000, False))
    assert len(found.cuts) == 6
    assert said(found)[-1] == "v: 15 further parts cut"


def test_a_text_is_never_cut_inside_a_number() -> None:
    assert shortened("revenue 123456789 more", 13) == "revenue …"
    assert shortened("revenue 123456789 more", 19) == "revenue 123456789 …"
    assert len(shortened("1" * 100, 20)) == 20
    assert shortened("short", 5) == "short"


# --- summaries -----------------------------------------------------------------------------------------------


def test_a_cut_table_is_summarised_over_all_its_rows() -> None:
    rows = 2_000
    frame = pd.DataFrame(
        {
            "city": ["Rome", "Oslo", "Oslo", None] * (rows // 4),
            "revenue": [float(n) for n in range(rows - 1)] + [float("nan")],
            "big": pd.array([2**62] * (rows - 1) + [None], dtype="Int64"),
            "flag": [True, False] * (rows // 2),
            "when": pd.date_range("2020-01-01", periods=rows, tz="UTC"),
            "odd": [float("inf"), 1.0] * (rows // 2),
        }
    )
    lines = described(frame, "df").text.splitlines()
    assert lines[lines.index("Summary of all 2,000 rows, those left out included:") + 1 :] == [
        "- city: 1,500 values, 500 missing, 2 different; most frequent: 'Oslo' 1,000, 'Rome' 500",
        "- revenue: 1,999 values, 1 missing, min 0, max 1998, sum ≈ 1997001, mean ≈ 999",
        f"- big: 1,999 values, 1 missing, min {2**62}, max {2**62}, sum {2**62 * 1999}, mean 4.611686018427388e+18",
        "- flag: 2,000 values, 0 missing, 2 different; most frequent: 'True' 1,000, 'False' 1,000",
        "- when: 2,000 values, 0 missing, min 2020-01-01 00:00:00+00:00, max 2025-06-22 00:00:00+00:00",
        "- odd: 2,000 values, 0 missing, min 1, max inf, 1,000 infinite, not in the mean, sum ≈ 1000, mean ≈ 1",
    ]


def test_a_table_that_is_whole_needs_no_summary() -> None:
    assert "Summary" not in described(pd.DataFrame({"n": range(30)}), "df").text


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries_are_cut_and_summarised_alike(library: str) -> None:
    pytest.importorskip(library)
    frame = pd.DataFrame({"n": range(2_000), "city": ["Rome", "Oslo"] * 1_000})
    if library == "polars":
        import polars as pl

        other = pl.DataFrame(frame.to_dict("list"))
    else:
        import pyarrow as pa

        other = pa.table(frame.to_dict("list"))
    found = described(other, "t")
    assert said(found) == ["t: 15 of 2,000 rows and a summary of all sent"]
    assert "- n: 2,000 values, 0 missing, min 0, max 1999, sum 1999000, mean 999.5" in found.text
    assert "- city: 2,000 values, 0 missing, 2 different; most frequent: 'Rome' 1,000, 'Oslo' 1,000" in found.text


def test_sums_of_integers_are_exact_beyond_64_bits() -> None:
    for dtype, value in (("int64", -(2**63)), ("int64", 2**63 - 1), ("uint64", 2**64 - 1), ("int8", 127)):
        text = described(pd.Series([value] * 1_000, dtype=dtype), "s").text
        assert f"sum {value * 1_000}," in text


def test_a_large_table_is_sampled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "EXACT_CELLS", 1_000)
    monkeypatch.setattr(summary, "SAMPLED_ROWS", 100)
    text = described(pd.DataFrame({"n": range(10_000), "t": ["x"] * 10_000}), "df").text
    assert "(counted over 500 rows, evenly spaced; the rest may be different)" in text
    assert "- t: 100 values, 0 missing, 1 different; most frequent: 'x' 100 (counted over 100 rows" in text


def test_summaries_run_no_code_of_the_person() -> None:
    class Trap:
        def __str__(self) -> str:
            return "trap"

        def _boom(self, *_: object) -> Any:
            pytest.fail("the person's code was run")

        __eq__ = __lt__ = __gt__ = __hash__ = __bool__ = __float__ = __len__ = _boom  # type: ignore[assignment]

    frame = pd.DataFrame({"n": range(1_000), "t": pd.Series([Trap() for _ in range(1_000)], dtype=object)})
    text = described(frame, "df").text
    assert "- t: 1,000 values, 0 missing" in text


def test_a_table_of_ten_million_rows_is_read_in_part() -> None:
    rows = 10_000_000
    whole = np.zeros(rows, dtype="f4")
    whole[rows // 2] = 5
    frame = pd.DataFrame({"a": whole, "b": np.broadcast_to(np.array("x", dtype=object), rows)})
    text = described(frame, "df").text
    assert "- a: 10,000,000 values, 0 missing, min 0, max 5" in text
    assert "(counted over 100,000 rows, evenly spaced" in text
    assert len(text) <= MAX_CHARACTERS


def test_no_kind_of_column_ends_the_prompt() -> None:
    columns: dict[str, Any] = {
        "interval": pd.arrays.IntervalArray.from_breaks(range(101)),
        "period": pd.period_range("2020", periods=100),
        "complex": np.arange(100) + 0.5j,
        "sparse": pd.arrays.SparseArray([1.0] * 100),
        "category": pd.Categorical([1, 2] * 50),
        "mixed": pd.Series([1, "a", None, [1]] * 25, dtype=object),
        "delta": pd.to_timedelta(range(100), unit="s"),
        "decimal": [decimal.Decimal("sNaN"), decimal.Decimal(1)] * 50,
    }
    found = described(pd.DataFrame(columns), "df")
    assert said(found) == ["df: 15 of 100 rows and a summary of all sent"]
    for name in columns:
        assert f"- {name}: 100 values" in found.text or f"- {name}: 75 values" in found.text
    assert "(0, 1]" in found.text
    assert "- delta: 100 values, 0 missing, min 0 days 00:00:00, max 0 days 00:01:39" in found.text
    assert described(pd.DataFrame(index=range(100)), "df").cuts == ()


# --- how many ------------------------------------------------------------------------------------------------


def test_more_rows_are_sent_where_somebody_says_so() -> None:
    frame = pd.DataFrame({"n": range(2_000), "t": ["x" * 500] * 2_000})
    found = described(frame, "df", Limits(100, 1_000_000, False))
    assert said(found) == ["df: 100 of 2,000 rows and a summary of all sent"]
    assert found.text.count("\n| ") == 103
    whole = described(frame, "df", Limits(None, 2_000_000, False))
    assert whole.cuts == ()
    assert whole.text.count("x" * 500) == 2_000
    few = described(frame, "df", Limits(3, is_usual=False))
    assert said(few) == ["df: 3 of 2,000 rows and a summary of all sent"]


def test_all_rows_are_still_bounded_by_the_room_and_that_is_said() -> None:
    for value in (
        pd.DataFrame({"n": range(100_000)}),
        np.arange(100_000),
        pd.Index(range(100_000)),
        list(range(100_000)),
    ):
        found = described(value, "v", Limits(None, 30_000, False))
        assert len(found.text) <= 30_000
        (cut,) = found.cuts
        assert cut.sent < cut.of == 100_000
        assert cut.why == "no more are sure to fit the model's window"


SIXTY = 60_000  # tokens


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"n": range(300_000)}),
        pd.DataFrame({"say": ["it rained in the morning"] * 30_000}),
        pd.DataFrame({"n": [*range(3_000), *["it rained in the morning, and then it stopped"] * 30_000]}),
        pd.DataFrame({"id": [f"{n * 7919:032x}" for n in range(30_000)]}),
        pd.DataFrame({"city": ["\u6771\u4eac"] * 60_000}),
        np.arange(300_000),
        list(range(300_000)),
    ],
    ids=["digits", "words", "words later", "hex", "kanji", "array", "list"],
)
def test_a_window_is_filled_by_what_a_token_holds_of_just_this_value(value: object) -> None:
    found = fitting(value, "v", Limits(None, 8 * SIXTY, False, SIXTY))
    assert 0.85 * SIXTY < crowded_tokens(found.text) <= SIXTY
    assert found.cuts[0].why == "no more are sure to fit the model's window"


def test_what_fits_a_window_goes_whole_and_what_has_no_rows_is_left_alone() -> None:
    words = pd.DataFrame({"say": ["it rained in the morning"] * 3_000})
    assert len(fitting(words, "v", Limits(None, 8 * SIXTY, False, SIXTY)).text) > 1.4 * SIXTY
    assert fitting(words, "v", Limits(None, 8 * SIXTY, False, SIXTY)).cuts == ()
    assert fitting("long " * 100_000, "v", Limits(None, 80, False, 10)).text == "long " * 100_000
    assert len(fitting(words, "v", Limits(None, 0, False, 0)).text) <= MAX_CHARACTERS


def test_what_was_asked_for_is_not_said_to_have_no_room() -> None:
    for value in (np.arange(1_000), pd.Index(range(1_000)), pd.Series(range(1_000)), pd.DataFrame({"n": range(1_000)})):
        found = fitting(value, "v", Limits(100, 8 * SIXTY, False, SIXTY))
        assert [(cut.sent, cut.why) for cut in found.cuts] == [(100, "")]


def test_a_table_of_too_many_columns_names_that_bound() -> None:
    wide = fitting(pd.DataFrame(np.zeros((2, 1_500))), "v", Limits(None, 8 * SIXTY, False, SIXTY))
    assert [cut.sentence for cut in wide.cuts] == ["v: 1,000 of 1,500 columns sent (1,000 at most)"]
    narrow = fitting(pd.DataFrame(np.zeros((2, 1_500))), "v", Limits(None, 30_000, False, 3_000))
    assert [cut.why for cut in narrow.cuts if cut.what == "columns"] == ["no more are sure to fit the model's window"]


def test_all_values_of_a_prompt_share_the_room() -> None:
    frame = pd.DataFrame({"n": range(100_000)})
    done = interpolate("{a} {b} {c}", {"a": frame, "b": frame, "c": [1]}, Limits(None, 40_000, False))
    assert len(done.text) <= 40_000 + MAX_CHARACTERS
    assert [cut.name for cut in done.cuts] == ["a", "b"]
    done = interpolate("{a} {b} {c}", {"a": frame, "b": frame, "c": [1]}, Limits(None, 8 * SIXTY, False, SIXTY))
    assert crowded_tokens(done.text) <= SIXTY + MAX_CHARACTERS


def test_a_prompt_tells_its_cuts_once_for_each_variable() -> None:
    frame = pd.DataFrame({"n": range(2_000)})
    done = interpolate("{df} {df} {df['n']} {{df}}", {"df": frame})
    assert [cut.sentence for cut in done.cuts] == [
        "df: 15 of 2,000 rows and a summary of all sent",
        "df['n']: 15 of 2,000 values and a summary of all sent",
    ]


@pytest.mark.parametrize("given", [0, -1, "none", 1.5, True, None, ""])
def test_a_number_of_rows_is_checked(given: object) -> None:
    with pytest.raises(OptionError, match="rows"):
        rows_of(given)


def test_a_number_of_rows_is_read() -> None:
    assert [rows_of(each) for each in (1, "50", "all", "ALL")] == [1, 50, None, None]


def test_results_of_tools_say_what_they_leave_out() -> None:
    assert said(described_result(pd.DataFrame({"n": range(2_000)}), "get_sales")) == [
        "get_sales: 15 of 2,000 rows and a summary of all sent"
    ]
    assert said(described_result("x" * 100_000, "read")) == ["read: 20,000 of 100,000 characters sent"]
    assert described_result({"a": [1.0, 2]}, "f") == Described('{"a":[1,2]}')
    (cut,) = described_result([1] * 100_000, "f").cuts
    assert cut == Cut("f", "members", cut.sent, 100_000)
