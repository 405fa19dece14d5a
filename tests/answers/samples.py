"""Kept answers for tests, and what belongs to a question."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from tetrate_jupyter.answers.kept import KeptAnswer

DAY = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)


def key(name: str) -> str:
    """Return a key that looks like one."""
    return sha256(name.encode()).hexdigest()


def kept(name: str, text: str = "yes", *, days_ago: float = 0, now: datetime = DAY, **more: Any) -> KeptAnswer:
    """Return an answer to the question `name`."""
    at = (now - timedelta(days=days_ago)).isoformat()
    return KeptAnswer(**{"v": 1, "key": key(name), "at": at, "model": "claude-haiku-4-5", "text": text, **more})
