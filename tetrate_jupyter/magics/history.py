"""%tetrate_history: conversations that are kept; listed, searched, opened, taken elsewhere, erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from tetrate_jupyter.engine.exporting import Exported
    from tetrate_jupyter.engine.history import Listing, Past
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Parsed


def history(context: Context, line: str) -> Listing | Exported | None:
    """Return the list, or what is exported; or open one, or erase."""
    parsed = commands.HISTORY.parse(line)
    past = context.session.past
    _check(parsed)
    if parsed.flag("erase"):
        _say(_erased(past, parsed))
        return None
    number = parsed.integer("open")
    if number is not None:
        _say(_opened(past, number))
        return None
    form = parsed.text("export")
    if form is None:
        return past.list(parsed.words, everywhere=parsed.flag("all"))
    from tetrate_jupyter.engine.exporting import exported, saved

    exchanges, name = past.exchanges(parsed.integer("of")), parsed.text("file")
    if name is None:
        return exported(exchanges, form)
    _say(f"{_count(len(exchanges))} in {saved(exchanges, form, name)}")
    return None


def _check(parsed: Parsed) -> None:
    """Raise `OptionError` for options that don't go together."""
    done = [
        name for name in ("open", "export", "erase") if parsed.flag(name) or parsed.text(name) or parsed.integer(name)
    ]
    if len(done) > 1 or (done and (parsed.words or parsed.flag("all"))):
        raise OptionError(
            f"--{done[-1]} stands alone.", next_step="list or search first, then e.g. %tetrate_history --open 2"
        )
    for name, with_ in (("of", "export"), ("file", "export"), ("older_than", "erase")):
        if with_ not in done and (parsed.text(name) or parsed.integer(name) is not None):
            option = name.replace("_", "-")
            raise OptionError(f"--{option} is for --{with_}.", next_step="see %tetrate_history?")
    if (parsed.integer("older_than") or 0) < 0:
        raise OptionError("What is erased goes by age.", next_step="%tetrate_history --erase --older-than 90")


def _opened(past: Past, number: int) -> str:
    opened = past.open(number)
    turns, others = opened.lines[-1], len(opened.lines) - 1
    lines = [f"Open: {turns[0].words or '(no text)'} ({_count(len(turns))})."]
    if others:
        lines.append(f"{others:,} more line{'' if others == 1 else 's'} of it: the arrows in %tetrate_chat go there.")
    if opened.is_cut:
        lines.append("Its beginning isn't kept, so the model doesn't see that.")
    return "\n".join([*lines, "Next: go on with %%tetrate or %tetrate_chat."])


def _erased(past: Past, parsed: Parsed) -> str:
    days = parsed.integer("older_than")
    gone = past.erase(days)
    older = "" if days is None else f" older than {days:,} days"
    going_on = " What is said from now on is still kept." if past.is_kept else ""
    return f"Erased: {_count(gone)}{older}, from {past.archive.folder}.{going_on}"


def _count(number: int) -> str:
    return f"{number:,} turn{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    from tetrate_jupyter.render.plain import plain

    print(plain(text))  # noqa: T201 - a magic's answer
