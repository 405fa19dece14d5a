"""Whether a failed request is worth another try, after how many seconds, and whether it may have cost; pure."""

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
_LONGEST_WAIT: Final = 24 * 3600.0  # seconds; whatever is longer is "not today"
_LONGEST_DATE: Final = 100  # characters
# The VS Code extension's list, and 529: a provider that is overloaded.
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
    """Return the seconds to wait before the next try, or None: do not try again.

    `attempt` counts from 1 and `attempts` is the bound. `status` None is a connection that failed or was dropped.
    `headers` have lower-case names. `hint` is a wait in seconds named in the body; a `Retry-After` header goes before
    it. A wait past `config.RETRY_AFTER_CAP` is told to the person instead. Without either, 0.25 s doubles with each
    attempt, plus up to as much again, so that many clients don't come back at the same moment.
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
    """Whether a 429 comes from a spend budget, where another try is pointless."""
    return status == 429 and headers.get(BUDGET_HEADER, "").strip().lower() == "block"


def retry_after(headers: Mapping[str, str], *, now: Callable[[], float] = time.time) -> float | None:
    """Read `Retry-After` as seconds from now, whether it came as seconds or as a date; None where it says nothing.

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
    except (ValueError, TypeError, IndexError, ArithmeticError, OSError):  # what its parser raises for odd dates
        return None


def seconds_to_wait(named: object) -> float | None:
    """Return a wait that a router named as seconds, from 0 to a day; None where it is no number."""
    if isinstance(named, bool) or not isinstance(named, (int, float)):
        return None
    if isinstance(named, float) and not math.isfinite(named):
        return None
    return float(min(max(named, 0), _LONGEST_WAIT))  # compared before it is converted: an int may have 400 digits


def may_have_cost(error: TetrateError) -> bool:
    """Whether a request that failed so may have been billed: it had left here, and no status refused it."""
    if isinstance(error, (InputError, AuthError)):
        return False
    if isinstance(error, UnreachableError):
        return error.was_sent
    if isinstance(error, GatewayTimeoutError):
        return error.phase != "connect"
    return not (isinstance(error, GatewayError) and (error.status or 0) >= 400) or isinstance(error, StreamError)
