"""Which tests `make check` takes for those of what has changed."""

from __future__ import annotations

import pytest

from tests.changed import ALWAYS, ROOT, belonging

pytestmark = pytest.mark.once  # reads the repository's files


@pytest.mark.parametrize(
    ("file", "test"),
    [
        ("tests/http/test_sse.py", "tests/http/test_sse.py"),
        ("tetrate_jupyter/http/sse.py", "tests/http/test_sse.py"),  # its own
        ("tetrate_jupyter/magics/ask.py", "tests/magics/test_ask.py"),  # of its name
        ("tetrate_jupyter/observers.py", "tests/ledger/test_totals.py"),  # of what imports it
        ("tetrate_jupyter/errors.py", "tests/http/test_faults.py"),
        ("tests/kernels.py", "tests/answers/test_kernel.py"),
        ("tetrate_jupyter/widgets/static/picker_table.js", "tests/widgets/test_picker.py"),
    ],
)
def test_what_belongs_to_a_file(file: str, test: str) -> None:
    assert test in belonging([file])


@pytest.mark.parametrize("file", ["README.md", "tests/browser/test_chat.py", "pyproject.toml"])
def test_what_has_no_quick_tests_leaves_those_of_the_whole_tree(file: str) -> None:
    assert belonging([file]) == [*ALWAYS]


def test_each_module_of_the_package_has_tests_that_are_there() -> None:
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tetrate_jupyter").rglob("*.py")]
    for module in modules:
        found = belonging([module])
        assert len(found) > len(ALWAYS), module
        assert all((ROOT / test).exists() for test in found), module
