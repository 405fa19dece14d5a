"""%tetrate_history: kept conversations, listed, searched, opened, renamed, exported, erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from tetrate_jupyter.engine.exporting import Exported
    from tetrate_jupyter.engine.history import Listing, Past
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Parsed

_DOES: Final = ("open", "export", "rename", "star", "unstar", "erase")


def history(context: Context, line: str) -> Listing | Exported | None:
    """Return the list or an export; or rename, star, open or erase a conversation, and print that."""
    parsed = commands.HISTORY.parse(line)
    past = context.session.past
    _check(parsed)
    if parsed.flag("erase"):
        _say(_erased_one(past, int(parsed.words)) if parsed.words else _erased(past, parsed))
        return None
    said = _changed(past, parsed)
    if said:
        _say(said)
        return None
    form = parsed.text("export")
    if form is None:
        return past.list(parsed.words, everywhere=parsed.flag("all"))
    from tetrate_jupyter.engine.exporting import exported, saved

    number, file = parsed.integer("of"), parsed.text("file")
    exchanges, name = past.exchanges(number), past.name(number)
    if file is None:
        return exported(exchanges, form, name)
    _say(f"{_count(len(exchanges))} in {saved(exchanges, form, file, name)}")
    return None


def _check(parsed: Parsed) -> None:
    """Raise `OptionError` for options that don't go together."""
    done = [name for name in _DOES if parsed.flag(name) or parsed.text(name) or parsed.integer(name)]
    is_one = done == ["erase"] and parsed.words.isdecimal() and int(parsed.words) > 0
    takes_words = is_one or done == ["rename"]
    if len(done) > 1 or (done and ((parsed.words and not takes_words) or parsed.flag("all"))):
        raise OptionError(
            f"--{done[-1]} stands alone.", next_step="list or search first, then e.g. %tetrate_history --open 2"
        )
    if done == ["rename"] and not parsed.words:
        raise OptionError(
            "--rename needs a name.",
            next_step=f'%tetrate_history --rename {parsed.integer("rename")} "Churn analysis"; "" takes a name away',
        )
    for name, with_ in (("of", "export"), ("file", "export"), ("older_than", "erase")):
        if with_ not in done and (parsed.text(name) or parsed.integer(name) is not None):
            option = name.replace("_", "-")
            raise OptionError(f"--{option} is for --{with_}.", next_step="see %tetrate_history?")
    if is_one and parsed.integer("older_than") is not None:
        raise OptionError("A single conversation is erased whatever its age.", next_step="leave --older-than out")
    if (parsed.integer("older_than") or 0) < 0:
        raise OptionError("--older-than takes days, 0 or more.", next_step="%tetrate_history --erase --older-than 90")


def _changed(past: Past, parsed: Parsed) -> str:
    """Open, rename or star the conversation that was named; return the line to print, "" where none was named."""
    opening, renamed = parsed.integer("open"), parsed.integer("rename")
    if opening is not None:
        return _opened(past, opening)
    if renamed is not None:
        name = past.rename(renamed, _unquoted(parsed.words))
        return f"Number {renamed} is called {name} now." if name else f"Number {renamed} has no name of its own now."
    for option, on in (("star", True), ("unstar", False)):
        number = parsed.integer(option)
        if number is not None:
            past.star(number, on=on)
            return f"Number {number} {'has a star' if on else 'has no star'} now."
    return ""


def _opened(past: Past, number: int) -> str:
    opened = past.open(number)
    turns, others = opened.lines[-1], len(opened.lines) - 1
    lines = [f"Open: {opened.name or turns[0].words or '(no text)'} ({_count(len(turns))})."]
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


def _erased_one(past: Past, number: int) -> str:
    gone = past.erase_one(number)
    return (
        f"Erased: number {number} ({_count(gone)}), from {past.archive.folder}. A kernel that has it open goes on, "
        "and keeps only what is asked from now on. Not touched: outputs in notebooks, kept answers (%tetrate_cache)."
    )


def _unquoted(words: str) -> str:
    """Return a name without the quotes around it."""
    return words[1:-1] if len(words) > 1 and words[0] == words[-1] and words[0] in "\"'" else words


def _count(number: int) -> str:
    return f"{number:,} turn{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    from tetrate_jupyter.render.plain import plain

    print(plain(text))  # noqa: T201 - a magic's answer
