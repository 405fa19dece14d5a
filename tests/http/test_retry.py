"""When a request is tried again, and after how long."""

from __future__ import annotations

import email.utils

import pytest

from tetrate_jupyter.http.retry import delay_before_retry, retry_after

NOW = 1_790_000_000.0


def delay(
    attempt: int = 1, status: int | None = 503, *, attempts: int = 3, hint: float | None = None, **headers: str
) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return delay_before_retry(attempt, status, named, attempts=attempts, hint=hint, now=lambda: NOW, jitter=lambda: 0.5)


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 502, 503, 504, 529])
def test_trouble_that_may_pass_is_worth_another_try(status: int | None) -> None:
    assert delay(status=status) is not None


@pytest.mark.parametrize("status", [200, 301, 400, 401, 402, 403, 404, 409, 413, 422, 501])
def test_a_clear_no_is_not_asked_again(status: int) -> None:
    assert delay(status=status) is None


def test_the_wait_doubles_and_is_spread() -> None:
    assert [delay(attempt, attempts=9) for attempt in (1, 2, 3)] == [0.375, 0.75, 1.5]


def test_the_last_attempt_is_the_last() -> None:
    assert delay(2) is not None
    assert delay(3) is None
    assert delay(1, attempts=1) is None


def test_a_spend_budget_is_not_a_rate_limit() -> None:
    assert delay(status=429, x_tars_budget_action="block") is None
    assert delay(status=429, x_tars_budget_action="warn") is not None


def test_retry_after_is_obeyed_in_seconds_and_as_a_date() -> None:
    assert delay(retry_after="7") == 7
    assert delay(retry_after="0.5") == 0.5
    assert delay(retry_after=email.utils.formatdate(NOW + 6, usegmt=True)) == 6
    assert delay(retry_after=email.utils.formatdate(NOW - 60, usegmt=True)) == 0


def test_a_long_retry_after_is_not_waited_for() -> None:
    assert delay(retry_after="10") == 10
    assert delay(retry_after="11") is None
    assert delay(retry_after=email.utils.formatdate(NOW + 3600, usegmt=True)) is None


def test_a_hint_in_the_body_counts_where_the_header_is_missing() -> None:
    assert delay(hint=2.5) == 2.5
    assert delay(hint=2.5, retry_after="1") == 1
    assert delay(hint=60.0) is None


@pytest.mark.parametrize(
    "text", ["", "soon", "nan", "inf", "1e999", "Mon, 99 Foo 2026", "Mon, 23 Nov 99999999999 00:00:00 GMT"]
)
def test_a_retry_after_that_says_nothing_is_passed_over(text: str) -> None:
    assert retry_after({"retry-after": text}) is None
    assert delay(retry_after=text) == 0.375


def test_a_negative_retry_after_is_now() -> None:
    assert retry_after({"retry-after": "-3"}) == 0
