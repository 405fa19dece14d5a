"""What an update of an answer costs to render while it grows, for each kind of block: early on, and late in a long one.

Run: `python -m tests.benchmarks.rendering`. The text grows by three lines an update. The aim is a ratio near 1: what an
update costs doesn't grow with the answer.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT, LONG = 5_000, 40_000  # characters

KINDS: Final[dict[str, tuple[str, Callable[[int], str]]]] = {  # how the text begins, and its n-th line
    "list": ("", lambda n: f"- item {n} with **bold** and `code` in it\n"),
    "nested": ("", lambda n: f"{'  ' if n % 20 else ''}- item {n} with `code`\n"),
    "one_item": ("- item\n", lambda n: f"  - item {n} with `code`\n"),
    "table": ("| a | b |\n|---|---|\n", lambda n: f"| row {n} | `value {n}` |\n"),
    "quote": ("", lambda n: f"> line {n} of a **quotation**\n"),
    "code": ("```python\n", lambda n: f"x_{n} = found({n}, 'a')  # a comment\n"),
    "paragraphs": ("", lambda n: f"Paragraph {n} and **bold** more.\n\n"),
}


def measure() -> dict[str, dict[str, float]]:
    """Return, for each kind, milliseconds of CPU an update up to both lengths, and their ratio."""
    found = {}
    for name, (start, line) in KINDS.items():
        _grown(start, line, SHORT)  # imports, caches
        short, long = _grown(start, line, SHORT), _grown(start, line, LONG)
        found[name] = {"short_ms": 1000 * short, "long_ms": 1000 * long, "ratio": long / short}
    return found


def _grown(text: str, line: Callable[[int], str], size: int) -> float:
    """Return the seconds of CPU that an update cost on average."""
    live, number, updates = Live(), 0, 0
    began = time.process_time()
    while len(text) < size:
        for _ in range(3):
            text += line(number)
            number += 1
        live.update(text)
        updates += 1
    return (time.process_time() - began) / updates


if __name__ == "__main__":
    print(json.dumps({k: {n: round(x, 3) for n, x in v.items()} for k, v in measure().items()}, indent=2))
