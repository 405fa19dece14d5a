"""What a text costs grows with its length, whatever it is made of; of a very long one, all is shown or counted."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest

from tests.render.kinds import KINDS, text_of
from tests.render.page import Page
from tetrate_jupyter import config
from tetrate_jupyter.render import bounds
from tetrate_jupyter.render.answer import answer_html, answer_plain
from tetrate_jupyter.render.live import CUT, Live
from tetrate_jupyter.render.markdown import MarkdownStream, first_fenced_block, render

SMALL, LARGE = 8_000, 32_000
SOME = ["words", "one paragraph", "items", "a wide table", "code", "dollars", "hidden", "formula lines", "lists"]


def cpu(text: str, rounds: int = 3) -> float:
    """Seconds of this process, the best of some."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        render(text)
        found.append(time.process_time() - began)
    return min(found)


@pytest.fixture(scope="module")
def ordinary() -> float:
    """What 40 kB of an ordinary answer cost."""
    return cpu("# Title\n\nSome *words* of `x`.\n\n- a\n- b\n\n" * 1_000)


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_time_is_linear_in_the_text(kind: str) -> None:
    render(text_of(kind, 1_000))  # what is imported, and what is kept
    assert cpu(text_of(kind, LARGE)) < 10 * cpu(text_of(kind, SMALL)) + 0.02


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_a_megabyte_of_any_kind_costs_little_more_than_what_is_rendered_of_it(kind: str, ordinary: float) -> None:
    assert cpu(text_of(kind, 1_000_000), 1) < 20 * ordinary


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("kind", SOME)
def test_a_very_long_text_is_all_there_or_counted(kind: str) -> None:
    text = text_of(kind, 200_000)
    html = render(text)
    assert Page(html).faults == []
    room = bounds.within(text)
    assert room <= config.RENDERED_CHARACTERS
    if room < len(text):
        assert bounds.PLAIN_FROM_HERE in html
        raw = html.rpartition('<pre class="tetrate-raw" dir="auto">')[2].partition("</pre>")[0]
        assert unescape(raw) == text[room:].replace("\u202e", "[U+202E]")


def test_what_is_not_shown_is_counted() -> None:
    text = text_of("words", config.SHOWN_CHARACTERS + 5_000)
    html = render(text)
    counted = int(re.findall(r"([\d,]+) more characters", html)[0].replace(",", ""))
    raw = unescape(html.rpartition('<pre class="tetrate-raw" dir="auto">')[2].partition("</pre>")[0])
    assert bounds.within(text) + len(raw) + counted == len(text)
    assert len(html) < 1.2 * config.SHOWN_CHARACTERS
    assert "5,000 more characters are not shown here" in answer_plain(text)


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("kind", SOME)
def test_a_stream_of_a_very_long_text_ends_as_the_whole_renders(kind: str) -> None:
    text = text_of(kind, 200_000)
    stream = MarkdownStream()
    for end in range(0, len(text), 50_000):
        stream.update(text[:end])
    stream.update(text)
    stream.finish()
    assert stream.html == render(text)


def test_reasoning_is_bounded_too() -> None:
    html = answer_html("", reasoning=text_of("items", 3 * config.SHOWN_CHARACTERS))
    assert len(html) < 2 * config.SHOWN_CHARACTERS
    assert "more characters are not shown here" in html


def test_code_is_looked_for_only_where_a_fence_is() -> None:
    began = time.process_time()
    assert first_fenced_block(text_of("items", 2_000_000)) is None
    assert time.process_time() - began < 2


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("kind", SOME)
def test_what_is_shown_live_does_not_grow_with_the_answer(kind: str) -> None:
    text, live = text_of(kind, 200_000), Live()
    largest = 0
    for end in range(0, len(text), 20_000):
        live.update(text[:end])
        assert Page(live.html).faults == []
        if not live.is_whole:
            assert live.finished[0] == bounds.said(CUT)
        largest = max(largest, len(live.html))
    assert not live.completed(text)
    assert not live.is_whole
    assert largest < 1_500_000


def test_a_short_answer_is_live_as_a_whole() -> None:
    text, live = text_of("items", 4_000), Live()
    live.update(text[:1_000])
    assert live.completed(text)
    assert live.is_whole
    assert live.html == render(text)


def test_the_end_is_in_the_window() -> None:
    live, text = Live(), ""
    for number in range(40_000):
        text += f"Sentence {number}.\n\n"
        if number % 1_000 == 0:
            live.update(text)
            assert f"Sentence {number}." in live.html


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "mark"), [("code", "<pre"), ("a table", "<td")])
def test_a_window_into_a_block_is_shown_as_that_block(kind: str, mark: str) -> None:
    text, live = text_of(kind, 200_000), Live()
    for end in range(0, len(text), 5_000):
        live.update(text[:end])
    assert not live.is_whole
    assert mark in live.html
    assert live.html.count("<p dir") == 1  # the line that says so


def test_another_text_starts_over() -> None:
    live = Live()
    live.update(text_of("words", 200_000))
    live.update("short")
    assert live.is_whole
    assert live.html == render("short")
