"""Turns as tests want them."""

from __future__ import annotations

import json
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from tests import at_rest
from tetrate_jupyter.history.archive import Archive
from tetrate_jupyter.history.turn import VERSION, KeptTurn, Said
from tetrate_jupyter.ledger.segments import day_of, month_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_numbers = count()
NOVEMBER = 1_795_680_000.0  # the 26th of November 2026, 08:00 UTC
AN_HOUR_AGO = float(round(time.time())) - 3_600.0  # what is kept is removed when it is old, by today's clock


def turn(asked: str = "Name a colour.", answer: str = "Blue.", **fields: Any) -> KeptTurn:
    """Return one that nobody else has, a conversation of its own unless told otherwise."""
    name = f"t{next(_numbers):08}"
    usual: dict[str, Any] = {
        "v": VERSION,
        "t": time.time(),
        "id": name,
        "root": f"root of {name}",
        "branch": fields.get("root", f"root of {name}"),
        "words": asked[:100],
        "asked": asked,
        "replies": (Said("assistant", answer),),
        "model": "claude-haiku-4-5",
    }
    return KeptTurn(**{**usual, **fields})


def archive(folder: Path) -> Archive:
    """Return the archive of an account that nobody shares."""
    return Archive(folder, shared=lambda: None)


def kept(folder: Path, turns: Iterable[KeptTurn]) -> Archive:
    """Return an archive that has these on disk."""
    made = archive(folder)
    for each in turns:
        made.put(each)
    assert made.flush(30)
    return made


def segment(folder: Path, name: str = "", day: str = "") -> Path:
    """Return the path of a file that somebody else may have put there, today unless told otherwise."""
    day = day or day_of(AN_HOUR_AGO)
    month = folder / "history" / month_of(day)
    month.mkdir(mode=0o700, parents=True, exist_ok=True)
    return month / (name or f"host-1-{day}T080000.000000.jsonl")


def line(**fields: Any) -> bytes:
    """Return a line as a hand might write it."""
    usual = {"v": 1, "t": AN_HOUR_AGO, "id": "x", "root": "r", "branch": "r", "asked": "Who?", "words": "Who?"}
    return json.dumps({**usual, **fields}).encode() + b"\n"


def written(folder: Path) -> bytes:
    """Return all that is on disk."""
    return at_rest.text(folder / "history")
