"""Arrays as text: whole, or their edges with a summary, with every value exact."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from tests.completion.texts import describe
from tetrate_jupyter.completion.arrays import array
from tetrate_jupyter.completion.cuts import Limits
from tetrate_jupyter.types import Cut


def test_a_small_array_is_written_whole() -> None:
    assert array(np.array([[1, 2], [3, 4]]), "a") == array(np.array([[1, 2], [3, 4]]), "b")
    assert array(np.array([[1, 2], [3, 4]]), "a").text == "ndarray: shape (2, 2), int64\n[[1, 2],\n [3, 4]]"
    assert array(np.zeros((0, 3)), "a").text == "ndarray: shape (0, 3), float64\n[]"
    assert array(np.array(2.5), "a").text == "ndarray: shape (), float64\n2.5"
    assert array(np.arange(8).reshape(2, 2, 2), "a").text.endswith("\n[[[0, 1],\n  [2, 3]],\n [[4, 5],\n  [6, 7]]]")
    masked = np.ma.array([1, 2], mask=[False, True])
    assert array(masked, "a").text == "MaskedArray: shape (2,), int64\n[1, --]"


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_is_an_array() -> None:
    matrix = np.matrix([[1, 0.1], [3, 4]])
    assert describe(matrix) == "matrix: shape (2, 2), float64\n[[1, 0.1],\n [3, 4]]"
    assert describe({"m": matrix}) == '{"m": [[1, 0.1], [3, 4]]}'
    assert array(np.asmatrix(np.arange(1_000)), "a").cuts == (Cut("a", "values", 8, 1_000),)


class Tensor:
    """As torch has it: its repr rounds, and numpy knows no "bfloat16"."""

    def __init__(self, values: Any, dtype: str = "torch.float64") -> None:
        self.values, self.dtype, self.shape = np.array(values), dtype, np.array(values).shape

    def __repr__(self) -> str:
        return "tensor([0.3333])"

    def detach(self) -> Tensor:
        return self

    cpu = to_dense = detach

    def float(self) -> Tensor:
        return Tensor(self.values.astype("float32"), "torch.float32")

    def numpy(self) -> Any:
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values


def test_no_number_of_a_tensor_is_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = types.ModuleType("torch")
    torch.Tensor = Tensor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert describe(Tensor([1 / 3])) == "Tensor: shape (1,), torch.float64\n[0.3333333333333333]"
    assert describe(Tensor([0.5], "torch.bfloat16")) == "Tensor: shape (1,), torch.bfloat16\n[0.5]"
    assert describe([Tensor([1 / 3])]) == "[[0.3333333333333333]]"
    assert describe(Tensor(np.arange(500))).endswith("min 0, max 499, sum 124750, mean 249.5")


def test_up_to_four_hundred_values_are_written() -> None:
    assert array(np.arange(400), "a").cuts == ()
    found = array(np.arange(401), "a")
    (cut,) = found.cuts
    assert cut == Cut("a", "values", 60, 401)
    numbers = ", ".join(map(str, range(40))), ", ".join(map(str, range(381, 401)))
    assert found.text == (
        f"ndarray: shape (401,), int64\n[{numbers[0]}, ..., {numbers[1]}]\n"
        f"[Only part of it is here. {cut.sentence}]\n"
        "Summary: 401 values, 0 missing, min 0, max 400, sum 80200, mean 200"
    )


def test_of_other_arrays_the_edges_of_each_axis_are_written() -> None:
    table = array(np.arange(1_000).reshape(8, 125), "a")
    assert table.cuts == (Cut("a", "values", 64, 1_000),)
    assert table.text.split("\n")[1] == "[[0, 1, 2, 3, ..., 121, 122, 123, 124],"
    tall = array(np.arange(1_000).reshape(100, 10), "a")
    assert tall.cuts == (Cut("a", "values", 64, 1_000),)
    lines = tall.text.split("\n")
    assert lines[1:7] == [
        "[[0, 1, 2, 3, ..., 6, 7, 8, 9],",
        *(f" [{n}0, {n}1, {n}2, {n}3, ..., {n}6, {n}7, {n}8, {n}9]," for n in (1, 2, 3)),
        " ...,",
        " [960, 961, 962, 963, ..., 966, 967, 968, 969],",
    ]
    four = array(np.zeros((5, 5, 5, 5)), "a")
    assert four.cuts == (Cut("a", "values", 4**4, 5**4),)
    seven = array(np.zeros((3,) * 7), "a")
    assert seven.cuts == (Cut("a", "values", 2**7, 3**7),)
    assert array(np.zeros((4, 4, 4, 8)), "a").cuts == (Cut("a", "values", 4**4, 512),)


def test_with_a_number_of_rows_whole_rows_are_written() -> None:
    values = np.arange(100).reshape(50, 2)
    found = array(values, "a", Limits(rows=6, room=10_000, is_usual=False))
    assert found.text.split("\n")[1:8] == [
        *("[[0, 1],", " [2, 3],", " [4, 5],", " [6, 7],", " ...,", " [96, 97],", " [98, 99]]"),
    ]
    (cut,) = found.cuts
    assert (cut.sent, cut.of, cut.why) == (12, 100, "")
    assert array(values, "a", Limits(rows=None, room=10_000, is_usual=False)).cuts == ()
    one = array(values, "a", Limits(rows=1, room=10_000, is_usual=False))
    assert one.text.split("\n")[1:3] == ["[[0, 1],", " ...]"]


def test_what_does_not_fit_is_cut_to_fewer_values() -> None:
    found = array(np.array(["x" * 150] * 100), "a")
    (cut,) = found.cuts
    assert 20 < cut.sent < 40
    assert cut.of == 100
    assert len(found.text) <= 6_000
    assert found.text.count("x" * 150) == cut.sent
    assert "Summary" not in found.text
    wide = array(np.zeros((10_000, 3)), "a", Limits(rows=None, room=7_000, is_usual=False))
    assert len(wide.text) <= 7_000
    assert wide.cuts[0].why == "no more are sure to fit the model's window"


def test_long_values_are_shortened_and_counted() -> None:
    found = array(np.array(["a", "x" * 300, "y" * 300], dtype=object), "a")
    assert found.cuts == (Cut("a", "values shortened", 2),)
    assert found.text.split("\n")[-1] == f"[Only part of it is here. {found.cuts[0].sentence}]"
    assert f"{'x' * 150}" in found.text
    assert "x" * 200 not in found.text
    record = np.array([(1, 2.5)], dtype=[("n", "i8"), ("v", "f8")])
    assert array(record, "a").text.endswith('\n[{"n": 1, "v": 2.5}]')
    listed = np.empty(2, dtype=object)
    listed[0], listed[1] = [1, 2], list(range(500))
    assert array(listed, "a").cuts == (Cut("a", "values shortened", 1),)
    assert "[[1, 2], [0, 1, 2" in array(listed, "a").text


def test_values_of_every_kind_are_exact() -> None:
    assert array(np.array([0.1, 1e-9, np.nan, np.inf]), "a").text.endswith("[0.1, 1e-09, NaN, inf]")
    assert array(np.array([0.1], dtype="f4"), "a").text.endswith("float32\n[0.1]")
    assert array(np.array([True, False]), "a").text.endswith("[True, False]")
    assert array(np.array(["a'b"]), "a").text.endswith('\n["a\'b"]')
    assert array(np.array([b"ab"]), "a").text.endswith("\n[b'ab']")
    assert array(np.array(["2024-03-04"], dtype="M8[D]"), "a").text.endswith("\n[2024-03-04]")
