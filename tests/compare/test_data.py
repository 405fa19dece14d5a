"""A comparison's rows by column, what failed of them, and the same without what differs in every run."""

from __future__ import annotations

import pytest

from tests.compare.test_pure import FACTS
from tetrate_jupyter.compare.data import ColumnResult, Facts, ResultData, without_times
from tetrate_jupyter.compare.figures import figures
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.errors import OptionError

A, B = Head("c1", "one", "m-1"), Head("c2", "two", "m-2")
ROWS = (
    Row("c1", 0, 0, "done", "a0", first_token=1.0, total=2.0, started=0.5, retry_wait=0.25),
    Row("c2", 0, 0, "failed", "b0"),
    Row("c1", 1, 0, "done", "a1"),
    Row("c2", 1, 0, "stopped", "b1"),
)


def result(rows: tuple[Row, ...] = ROWS, heads: tuple[Head, ...] = (A, B), *, is_blind: bool = False) -> ResultData:
    return ResultData(Facts(**FACTS), heads, rows, is_blind=is_blind)


def test_a_column_is_found_by_its_label_or_its_id() -> None:
    for name in ("one", "c1"):
        found = result()[name]
        assert (found.head, found.rows) == (A, (ROWS[0], ROWS[2]))
    assert result()["c2"].rows == (ROWS[1], ROWS[3])
    crossed = (Head("c1", "c2", "m"), Head("c2", "c1", "m"))
    assert result(heads=crossed)["c1"].head is crossed[1]  # what a person reads comes first


def test_what_is_no_column_says_which_there_are() -> None:
    with pytest.raises(OptionError) as caught:
        result()["three"]
    assert (caught.value.message, caught.value.next_step) == ("There is no column 'three'.", "there are: one, two")


def test_columns_are_in_the_order_of_the_request_with_their_rows() -> None:
    for found in (result().columns, tuple(result())):
        assert [(c.head, c.texts) for c in found] == [(A, ("a0", "a1")), (B, ("b0", "b1"))]
    assert result(()).columns[1].rows == ()
    assert len(result()) == 4
    assert result().failed == (ROWS[1],)
    assert result().heads == (A, B)
    assert result().facts == Facts(**FACTS)


def test_a_column_has_its_text_and_its_figures() -> None:
    column = ColumnResult(A, [ROWS[0], ROWS[2]])
    assert column.text == "a0"
    assert column.figures == figures(A, column.rows)
    assert repr(column) == "<one: 2 of 2 done>"
    assert repr(ColumnResult(B, [ROWS[1]])) == "<two: 0 of 1 done>"
    assert ColumnResult(A, []).text == ""
    assert ColumnResult(A, []).texts == ()


def test_facts_have_no_notices_and_no_typed_prompt_unless_told() -> None:
    assert (Facts(**FACTS).notices, Facts(**FACTS).typed) == ((), None)


def test_times_are_left_out_where_outputs_must_be_the_same() -> None:
    whole = result(is_blind=True)
    same = without_times(whole)
    assert same.rows == (Row("c1", 0, 0, "done", "a0"), *ROWS[1:])
    assert (same.is_blind, same.heads, same.facts) == (True, whole.heads, whole.facts)
