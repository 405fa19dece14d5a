"""An interrupt comes back at once whatever has come: real kernels, a router that answers faster than anybody draws."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.flood import MODEL, Flood
from tests.kernels import CountingKernel
from tests.render.kinds import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

HANG = 20.0  # seconds that an interrupted cell gets on a busy machine; it took a minute
SIZE = 1_500_000
TEXTS = {
    "items": ("content", text_of("items", SIZE)),
    "paragraphs": ("content", text_of("paragraphs", SIZE)),
    "words": ("content", text_of("one paragraph", SIZE)),
    "table": ("content", text_of("a wide table", SIZE)),
    "code": ("content", text_of("code", SIZE)),
    "reasoning": ("reasoning_content", text_of("items", SIZE)),
    "short": ("content", "Some **bold** words"),
    "some": ("content", text_of("items", 8_000)),
}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[CountingKernel, Flood]]:
    with Flood(TEXTS) as flood, CountingKernel(flood.environment) as kernel:
        assert kernel.run(f"%load_ext tetrate_jupyter\n%config TetrateMagics.model='{MODEL}'").status == "ok"
        yield kernel, flood


def interrupted(running: tuple[CountingKernel, Flood], cell: str) -> tuple[float, list[str]]:
    """Interrupt a cell once it has been sent everything; give the seconds until it is back, and what it showed."""
    kernel, flood = running
    flood.sent.clear()
    at = []

    def stop() -> None:
        assert flood.sent.wait(60)
        time.sleep(0.3)  # for what is on its way
        at.append(kernel.interrupt())

    ran = kernel.run(cell, shows="", on_shown=stop)
    assert ran.status == "error"
    return ran.idle_at - at[0], ran.texts


def value(running: tuple[CountingKernel, Flood], expression: str) -> str:
    return "".join(running[0].run(f"print({expression})").texts).strip()


@pytest.mark.parametrize("form", ["markdown", "text", "code"])
@pytest.mark.parametrize("prompt", ["items", "paragraphs", "words", "table", "code"])
def test_a_cell_that_is_flooded_stops(running: tuple[CountingKernel, Flood], prompt: str, form: str) -> None:
    seconds, texts = interrupted(running, f"%tetrate --no-keep -f {form} {prompt}")
    assert seconds < HANG
    assert "Stopped." in texts[-1]
    assert "Stopped: the last part is shown, all of it is in _tetrate.text." in texts[-2]
    assert len(texts[-2]) < 1_000_000
    assert value(running, "len(_tetrate.text), _tetrate.partial") == f"{SIZE} stopped"


def test_reasoning_that_floods_stops(running: tuple[CountingKernel, Flood]) -> None:
    seconds, texts = interrupted(running, "%tetrate --no-keep reasoning")
    assert seconds < HANG
    assert "all of it is in _tetrate.reasoning." in texts[-2]
    assert value(running, "len(_tetrate.reasoning)") == str(SIZE)


def test_a_flooded_cell_stops_where_streaming_is_off(running: tuple[CountingKernel, Flood]) -> None:
    kernel, _ = running
    kernel.run("%config TetrateMagics.stream = False")
    try:
        seconds, texts = interrupted(running, "print('asked')\n%tetrate --no-keep items")
    finally:
        kernel.run("%config TetrateMagics.stream = True")
    assert seconds < HANG
    assert "all of it is in _tetrate.text." in texts[-2]


def test_a_flooded_conversation_stops(running: tuple[CountingKernel, Flood]) -> None:
    kernel, _ = running
    kernel.run("%tetrate_chat")
    seconds, _ = interrupted(running, "%tetrate items")
    assert seconds < HANG
    kernel.run("%tetrate_reset")


def test_a_short_answer_that_is_stopped_is_rendered(running: tuple[CountingKernel, Flood]) -> None:
    _, texts = interrupted(running, "%tetrate --no-keep short")
    assert "<strong>bold</strong>" in texts[-2]
    _, texts = interrupted(running, "%tetrate --no-keep some")
    assert texts[-2].count("<li>") == text_of("items", 8_000).count("-")
    assert "all of it is in" not in texts[-2]


def test_a_flooded_comparison_stops(running: tuple[CountingKernel, Flood]) -> None:
    cell = f"%%tetrate_compare --wait --repeats 60 -m {MODEL}\nitems"  # so many calls are announced: something shows
    seconds, texts = interrupted(running, cell)
    assert seconds < HANG
    assert "stopped" in texts[-2]
    assert value(running, "max(len(row.text) for row in _tetrate_compare.rows)") == str(SIZE)
