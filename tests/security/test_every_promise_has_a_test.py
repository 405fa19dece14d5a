"""SECURITY.md and the files of this folder are one list: no promise without a test, no test that promises nothing."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PROMISE = re.compile(r"^- \*\*(.+?)\*\*", re.MULTILINE)
OTHERS = {"test_every_promise_has_a_test.py", "test_wire_fuzz.py"}  # this file; all of the bounds at once


def file_name(words: str) -> str:
    return "_".join(re.findall("[a-z0-9]+", words.lower().replace("'", "")))


def test_every_promise_has_a_test() -> None:
    text = (HERE.parents[1] / "SECURITY.md").read_text(encoding="utf-8")
    promises = text.split("## What the package promises")[1].split("\n## ")[0]
    wanted = {f"test_{file_name(words)}.py" for words in PROMISE.findall(promises)}
    there = {path.name for path in HERE.glob("test_*.py")} - OTHERS
    assert wanted == there


def test_each_of_them_tests_something() -> None:
    empty = [path.name for path in HERE.glob("test_*.py") if "def test_" not in path.read_text(encoding="utf-8")]
    assert empty == []
