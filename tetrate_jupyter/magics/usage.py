"""%tetrate_usage: what was spent; as a table, as a file, or erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from tetrate_jupyter.ledger.report import Report
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Parsed

_FILES = ("csv", "json", "parquet")
_NOT_ERASED_BY = ("by", "tokens", "sandbox", *_FILES)  # options of a report: they choose nothing of what is erased


def usage(context: Context, line: str) -> Report | None:
    """Return the report, after writing the files that were asked for; or erase records."""
    from tetrate_jupyter.engine import usage as spent

    parsed = commands.USAGE.parse(line)
    session, period = context.session, parsed.words.strip() or "7d"
    if parsed.flag("erase"):
        print(_erased(context, parsed))  # noqa: T201 - a magic's answer
        return None
    if parsed.integer("older_than") is not None:
        raise OptionError("--older-than is for --erase.", next_step="%tetrate_usage --erase --older-than 90")
    wanted = {kind: name for kind in _FILES if (name := parsed.text(kind)) is not None}
    if wanted:
        from tetrate_jupyter.ledger.frame import save

        rows = spent.records(session.book, period, sandbox=parsed.flag("sandbox"))
        for kind, name in wanted.items():
            print(f"{len(rows):,} requests are in {save(rows, name, kind)}")  # noqa: T201 - likewise
        return None
    by = parsed.text("by") or "model"
    return spent.report(
        session.book,
        session.endpoints,
        period,
        by,
        sandbox=parsed.flag("sandbox"),
        in_tokens=parsed.flag("tokens"),
        budgets=session.budgets,
    )


def _erased(context: Context, parsed: Parsed) -> str:
    from tetrate_jupyter.engine import usage as spent

    days = parsed.integer("older_than")
    if parsed.words or (days is not None and days < 0):
        raise OptionError(
            "Records are erased by age only.",
            next_step="%tetrate_usage --erase --older-than 90, or without --older-than",
        )
    beside = [name for name in _NOT_ERASED_BY if parsed.flag(name) or parsed.text(name) is not None]
    if beside:
        raise OptionError(
            f"--erase erases all records and does nothing else, so --{beside[0]} can't stand beside it; nothing was "
            "erased.",
            next_step=f"%tetrate_usage --{beside[0]} first, then %tetrate_usage --erase",
        )
    gone = spent.erase(context.session.book, days)
    older = "" if days is None else f" older than {days:,} days"
    return f"Erased: {gone:,} records{older}, from {context.session.book.folder or 'the memory of this kernel'}."
