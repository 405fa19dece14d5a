"""%tetrate_cache: shows and removes kept answers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tetrate_jupyter.answers.places import OWN, place_of
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from tetrate_jupyter.answers.kept import Store, Summary
    from tetrate_jupyter.magics.context import Context

_NAMED = 5  # models


def cache(context: Context, line: str) -> None:
    """Show the answers kept in the place in use and in the person's own store, or remove them."""
    parsed = commands.CACHE.parse(line)
    days, keeper, named = parsed.number("older_than"), context.session.keeper, parsed.text("file")
    if days is not None and not parsed.flag("clear"):
        raise OptionError("--older-than goes with --clear.", next_step="write %tetrate_cache --clear --older-than 30")
    place = place_of(named) if named else keeper.place or OWN
    store = keeper.store(place)
    if parsed.flag("clear"):
        before = None if days is None else datetime.now(timezone.utc) - timedelta(days=days)
        count = store.clear(before=before)
        _say(f"{_count(count)} removed from {store.where}.", store)
        return
    _say("\n".join(_lines(store, used=place == keeper.place)), store)
    if place != OWN and not named:
        own = keeper.store(OWN).summary()
        if own.count:
            _say(f"Your own store, for --cache where no file is named, has {_count(own.count)}.", keeper.store(OWN))


def _lines(store: Store, *, used: bool) -> list[str]:
    found = store.summary()
    lines = [f"{_count(found.count)} in {found.where}{_weight(found)}."]
    if found.oldest is not None and found.newest is not None:
        lines.append(f"Asked from {found.oldest.date().isoformat()} to {found.newest.date().isoformat()}.")
    if found.models:
        named = [f"{model} {number:,}" for model, number in found.models[:_NAMED]]
        lines.append(f"Models: {', '.join(named)}{', …' if len(found.models) > _NAMED else ''}.")
    lines.append(f"Path: {store.path}")
    if not used:
        lines.append(
            "Used by --cache only. For a whole notebook, with a file to commit: "
            '%config TetrateMagics.answers = "answers.jsonl"'
        )
    return lines


def _weight(found: Summary) -> str:
    return f", {max(1, round(found.bytes / 1000)):,} kB" if found.count else ""


def _count(number: int) -> str:
    return f"{number:,} kept answer{'' if number == 1 else 's'}"


def _say(text: str, store: Store) -> None:
    from tetrate_jupyter.render.plain import plain

    print(plain("\n".join([text, *store.told()])))  # noqa: T201 - a magic's answer
