"""Records as tests want them."""

from __future__ import annotations

import time
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.ledger.record import Record, decoded

if TYPE_CHECKING:
    from pathlib import Path

_numbers = count()
NOVEMBER = 1_795_680_000.0  # the 26th of November 2026, 08:00 UTC


def record(**fields: Any) -> Record:
    """Return one that nobody else has."""
    usual: dict[str, Any] = {
        "t": time.time(),
        "call": f"call{next(_numbers):08}",
        "n": 0,
        "host": "router.example",
        "asked": "claude-haiku-4-5",
        "served": "claude-haiku-4-5-20251001",
        "tokens_in": 100,
        "out": 20,
        "cost": Decimal("0.01"),
        "outcome": "done",
    }
    return Record(**{**usual, **fields})


def on_disk(folder: Path) -> list[Record]:
    """Return all records of all segments, as they are."""
    found: list[Record] = []
    for path in sorted(folder.rglob("*.jsonl")):
        records, odd = decoded(path.read_bytes(), Record)
        assert not odd
        found += records
    return found
