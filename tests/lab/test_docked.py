"""What a page asks before it names a cell by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernels import CountingKernel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_number_names_a_cell_only_as_it_ran_in_this_kernel(tmp_path: Path) -> None:
    with CountingKernel({"HOME": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "data")}) as kernel:
        kernel.run("from tetrate_jupyter.lab.docked import ran")
        kernel.run("df = '😀'\ndf")
        told = "ran(6, \"df = '😀'\\ndf\\n\"), ran(6, 'df'), ran(2, 'df'), ran(9, 'df'), ran(0, ''), ran(7, '')"
        shown = "".join(kernel.run(told).texts)
        assert "(True, False, False, False, False, False)" in shown
