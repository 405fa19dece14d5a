"""Whether to retry a failed request, after how many seconds, and whether it may have been billed; pure."""

from __future__ import annotations

import math
import random
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.errors import (
    AuthError,
    GatewayError,
    GatewayTimeoutError,
    InputError,
    StreamError,
    TetrateError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BUDGET_HEADER: Final = "x-tars-budget-action"  # "block" on a 429: a spend budget, not a rate limit
_LONGEST_WAIT: Final = 24 * 3600.0  # seconds; longer waits are shown as this one
_LONGEST_DATE: Final = 100  # characters
# The VS Code extension's list, and 529: an overloaded provider.
_WORTH_ANOTHER_TRY: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


def delay_before_retry(
    attempt: int,
    status: int | None,
    headers: Mapping[str, str],
    *,
    attempts: int,
    hint: float | None = None,
    now: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> float | None:
    """Return the seconds to wait before the next try, or None: don't retry.

    `attempt` is the number of the failed try, from 1; `attempts` is how many there may be. `status` None: the
    connection failed or was dropped. Names in `headers` are in lower case. `hint` is a wait in seconds named in the
    body; a `Retry-After` header takes precedence. A wait longer than `config.RETRY_AFTER_CAP` isn't waited for: the
    person is shown it. With neither, exponential backoff: 0.25 s, doubled with each attempt, plus jitter of up to as
    much again, so that many clients don't come back at the same moment.
    """
    if attempt >= attempts or is_budget_block(status, headers):
        return None
    if status is not None and status not in _WORTH_ANOTHER_TRY:
        return None
    asked = retry_after(headers, now=now)
    if asked is None:
        asked = hint
    if asked is not None:
        return asked if asked <= config.RETRY_AFTER_CAP else None
    step = config.RETRY_BASE * float(2 ** (attempt - 1))
    return step + step * jitter()


def is_budget_block(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether a 429 comes from a spend budget, for which a retry is pointless."""
    return status == 429 and headers.get(BUDGET_HEADER, "").strip().lower() == "block"


def retry_after(headers: Mapping[str, str], *, now: Callable[[], float] = time.time) -> float | None:
    """Return `Retry-After` as seconds from now, whether it is a number or a date; None where it is missing or neither.

    Never more than a day.
    """
    text = headers.get("retry-after", "").strip()[:_LONGEST_DATE]
    if not text:
        return None
    try:
        return seconds_to_wait(float(text))
    except ValueError:
        pass
    try:
        return seconds_to_wait(parsedate_to_datetime(text).timestamp() - now())
    except (ValueError, TypeError, IndexError, ArithmeticError, OSError):  # what the parser raises for invalid dates
        return None


def seconds_to_wait(named: object) -> float | None:
    """Return a wait that a router named, in seconds, limited to 0 up to a day; None where it isn't a number."""
    if isinstance(named, bool) or not isinstance(named, (int, float)):
        return None
    if isinstance(named, float) and not math.isfinite(named):
        return None
    return float(min(max(named, 0), _LONGEST_WAIT))  # compared before it is converted: an int may have 400 digits


def may_have_cost(error: TetrateError) -> bool:
    """Whether a request that failed with this error may have been billed: it was sent, and no status refused it."""
    if isinstance(error, (InputError, AuthError)):
        return False
    if isinstance(error, UnreachableError):
        return error.was_sent
    if isinstance(error, GatewayTimeoutError):
        return error.phase != "connect"
    return not (isinstance(error, GatewayError) and (error.status or 0) >= 400) or isinstance(error, StreamError)
