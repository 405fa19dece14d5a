"""The right text under the right name, whatever happens: every answer carries a marker that only its column can say."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.compare.conftest import eventually
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.types import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.compare.conftest import Prepare
    from tetrate_jupyter.conversation import Exchange

MODELS = [
    *["claude-haiku-4-5"] * 3,
    "claude-sonnet-5",
    "gemini-2.5-flash",
    "gemini-3.8-flash",
    "gpt-5-mini",
    "gpt-6-luna",
    "gpt-6-sol",
    "xai/grok-4.5",
    "groq/openai/gpt-oss-20b",
    "deepinfra/deepseek-ai/DeepSeek-V3.2",
]
STALLS = ("claude-haiku-4-5", "gemini-2.5-flash", "xai/grok-4.5")


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    """A router with the models' own paces, a good deal faster: their streams are mixed."""
    with SandboxRouter(speed=8) as running:
        yield running


def marker(number: int) -> str:
    return f"MARK{number:02}X"


def told(number: int) -> tuple[Exchange, ...]:
    conversation = Conversation()
    said = Message("user", f"My code word is {marker(number)}.")
    conversation.add(conversation.begin(), said, [Message("assistant", "Noted.")])
    return conversation.exchanges


class Sections(HTMLParser):
    """The text of each section of a page, by its name, and the text outside all."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {"": ""}
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self._name = dict(attrs)["aria-label"] or ""
            self.texts.setdefault(self._name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._name = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._name] += data


def markers_in(text: str) -> set[str]:
    return {marker(n) for n in range(len(MODELS)) if marker(n) in text}


def test_every_answer_stays_under_its_own_name(router: SandboxRouter, prepared: Prepare, tmp_path: Path) -> None:
    for model in STALLS:
        router.inject(Fault("stream-stall", model=model, after_chunks=2))
    router.inject(Fault("stream-cut", model="gpt-6-luna", after_chunks=1))
    columns = [{"model": model, "history": told(number)} for number, model in enumerate(MODELS)]
    running = prepared(["What is my code word?", "Tell me: what is my code word?"], columns, repeats=2, seed=11)
    gone = next(c.id for c in running.columns if c.asked == "xai/grok-4.5")
    running.start()
    for model in STALLS:
        router.wait_for(lambda r, model=model: r.model == model and r.fault and r.chunks_sent > 1)
    stalled = {c for c in running.cells if c.column.asked in STALLS}
    eventually(lambda: sum(c.state == "running" and bool(c.text) for c in stalled) >= len(STALLS))
    running.remove(gone)
    eventually(lambda: running.progress.running <= 2)
    running.stop("gemini-2.5-flash")
    for label in ("claude-haiku-4-5", "claude-haiku-4-5 #2", "claude-haiku-4-5 #3"):
        running.stop(label)
    broken = running.wait()
    assert {"stopped", "failed", "done"} == {r.state for r in broken.rows}
    while running.retry():
        running.wait()

    result = running.result
    own = {f"c{n + 1}": marker(n) for n in range(len(MODELS)) if f"c{n + 1}" != gone}
    labels = {h.label: own[h.id] for h in result.heads}
    assert len(labels) == len(MODELS) - 1
    assert len(result.rows) == (len(MODELS) - 1) * 4
    for row in (*result.rows, *(r for r in broken.rows if r.text)):
        assert markers_in(row.text) <= {own[row.column]}
    for row in result.rows:
        assert row.state == "done"
        assert own[row.column] in row.text
    for cell in running.cells:
        assert cell.answer is not None
        assert markers_in(cell.answer.text) == {own[cell.place.column]}
    _in_every_form(result, labels, tmp_path, gone=marker(int(gone[1:]) - 1))


def _in_every_form(result: Result, labels: dict[str, str], folder: Path, *, gone: str) -> None:
    for label, text in result.df[["label", "text"]].itertuples(index=False):
        assert markers_in(text) == {labels[label]}
    sections = Sections()
    sections.feed(result.html)
    outside = sections.texts.pop("")
    assert markers_in(outside) == set()
    assert {name: markers_in(text) for name, text in sections.texts.items()} == {k: {v} for k, v in labels.items()}
    path = result.save(folder / "comparison.json")
    again = Result.load(path)
    assert again.rows == result.rows
    assert gone not in path.read_text() + result.html + result.text
    for label, own in labels.items():
        assert markers_in("".join(again[label].texts)) == {own}
        assert result.comparison is not None
        assert own in result.comparison.conversation(label).exchanges[-1].answer
