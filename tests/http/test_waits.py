"""What is read as a wait, and what is none."""

from __future__ import annotations

import pytest

from tetrate_jupyter.http.retry import is_budget_block, retry_after, seconds_to_wait

DAY = 86_400.0


@pytest.mark.parametrize(
    ("named", "seconds"),
    [
        (5, 5.0), (0.5, 0.5), (0, 0.0), (-1, 0.0), (DAY, DAY), (DAY + 1, DAY), (10**400, DAY), (True, None),
        ("5", None), (None, None), ([5], None), (float("nan"), None), (float("inf"), None),
    ],
)  # fmt: skip
def test_a_wait_is_from_0_to_a_day(named: object, seconds: float | None) -> None:
    assert seconds_to_wait(named) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), (" 7.5 ", 7.5), ("", None), ("soon", None), ("nan", None), ("Thu, 01 Jan 1970 00:00:50 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0), ("0" * 99 + "7", 7.0), ("0" * 100 + "7", 0.0),
    ],
)  # fmt: skip
def test_a_header_holds_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, now=lambda: 30.0) == seconds
    assert retry_after({}, now=lambda: 30.0) is None


def test_a_budget_blocks_with_its_header_and_429() -> None:
    block = {"x-tars-budget-action": " Block "}
    assert is_budget_block(429, block)
    assert not is_budget_block(403, block)
    assert not is_budget_block(429, {"x-tars-budget-action": "warn"})
    assert not is_budget_block(429, {})
    assert not is_budget_block(None, block)
