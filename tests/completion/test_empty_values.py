"""A variable that holds nothing is said to: a person hardly meant to send that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tetrate_jupyter.completion.variables import interpolate


class Odd:
    """Its own code must not run, whatever it would say."""

    def __len__(self) -> int:
        raise RuntimeError("asked")

    def __bool__(self) -> bool:
        raise RuntimeError("asked")


def said(value: Any) -> list[str]:
    return [cut.sentence for cut in interpolate("See {x}.", {"x": value}).cuts]


@pytest.mark.parametrize(
    "value",
    ["", " \n\t", [], (), {}, set(), pd.DataFrame(), pd.DataFrame({"a": []}), pd.Series([], dtype=float), np.array([])],
    ids=repr,
)
def test_what_is_empty(value: Any) -> None:
    assert said(value) == ["x is empty"]


def test_nothing_at_all() -> None:
    assert said(None) == ["x is empty (None)"]


@pytest.mark.parametrize(
    "value", ["a", 0, False, 0.0, [0], {"a": None}, pd.DataFrame({"a": [1]}), np.array(0)], ids=repr
)
def test_what_is_not(value: Any) -> None:
    assert said(value) == []


def test_what_can_not_be_asked_safely_is_not_asked() -> None:
    assert said(Odd()) == []


def test_a_member_is_named_as_it_was_typed() -> None:
    found = interpolate("See {x['notes']}.", {"x": {"notes": ""}})
    assert [cut.sentence for cut in found.cuts] == ["x['notes'] is empty"]
