"""What was spent, read from the ledger, for `%tetrate_usage` and `session.usage()`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.ledger.record import Brief, Record
from tetrate_jupyter.ledger.totals import BYS, PERIODS, counted, midnight, since

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.ledger.book import Book
    from tetrate_jupyter.ledger.report import Report

_AHEAD: Final = 2 * 86_400.0  # seconds that a clock may have been fast; what is later than that is nobody's today


def records(book: Book, period: str, *, sandbox: bool = False) -> list[Record]:
    """Return the records of a period; see `totals.PERIODS`, `totals.counted`. Raises `OptionError`, `ConfigError`."""
    _known(period, PERIODS, "period")
    if period == "session" or book.is_everybodys:
        return counted(_recent(book, period), sandbox=sandbox)
    now = time.time()
    return counted(book.read(Record, since(period, now), now + _AHEAD).records, sandbox=sandbox)


def report(
    book: Book,
    endpoints: Endpoints,
    period: str,
    by: str,
    *,
    sandbox: bool = False,
    in_tokens: bool = False,
    budgets: Sequence[str] = (),
) -> Report:
    """Return what was spent in a period, and the sentences on `budgets`; see `report`. Raises as `records` does."""
    from tetrate_jupyter.ledger.report import report

    _known(period, PERIODS, "period")
    kind = next(each for each in BYS if each == _known(by, BYS, "by"))
    found: Sequence[Brief | Record]
    notes = [*budgets, *([book.trouble] if book.trouble else [])]
    if period == "session" or book.is_everybodys:
        found = _recent(book, period)
        if period != "session":
            notes.append("Several people share this account: only what this kernel asked is shown.")
    else:
        now = time.time()
        read = book.read(Brief, since(period, now), now + _AHEAD)
        found = read.records
        notes += [f"{read.odd:,} lines of the ledger can't be read."] if read.odd else []
        notes += [f"{read.left_out:,} files of the ledger are too many to be read at once."] if read.left_out else []
        if book.folder is None:
            notes.append("The ledger is off (TETRATE_JUPYTER_LEDGER): only %tetrate_usage session has anything.")
    return report(found, period, kind, sandbox=sandbox, in_tokens=in_tokens, notes=notes, bill=endpoints.billing_page)


def erase(book: Book, days: int | None = None) -> int:
    """Erase the ledger, or what is older than so many days; return the number of records. Raises `ConfigError`."""
    if book.is_everybodys:
        raise OptionError(
            "Several people share this account: its ledger isn't erased from here.",
            next_step=f"the account's owner may delete {book.folder}",
        )
    return book.erase(None if days is None else midnight(time.time(), days))


def _recent(book: Book, period: str) -> list[Record]:
    begin = float("-inf") if period == "session" else since(period, time.time())
    return [each for each in book.recent if each.t >= begin]


def _known(value: str, values: Sequence[str], what: str) -> str:
    if value not in values:
        raise OptionError(f"{what} can't be {value!r}.", next_step=f"use one of: {', '.join(values)}")
    return value
