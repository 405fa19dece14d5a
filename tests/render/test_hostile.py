"""Whatever a model writes, only whitelisted tags, attributes and addresses reach the page."""

from __future__ import annotations

import random

import pytest

from tests.render.hostile import HOSTILE
from tests.render.page import Page, framed
from tetrate_jupyter.render.answer import answer_html, answer_plain
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.markdown import MarkdownStream, first_fenced_block, render
from tetrate_jupyter.render.plain import plain
from tetrate_jupyter.render.table import Table, TableColumn

every = pytest.mark.parametrize("name", HOSTILE)


def pieces(text: str, generator: random.Random, count: int) -> list[int]:
    return [*sorted({generator.randrange(len(text) + 1) for _ in range(count)}), len(text)]


def test_the_corpus_is_large() -> None:
    assert len(HOSTILE) >= 60


@every
def test_only_whitelisted_markup_comes_out(name: str) -> None:
    assert Page(render(HOSTILE[name])).faults == []


@every
def test_only_whitelisted_markup_comes_out_while_it_streams(name: str) -> None:
    text = HOSTILE[name]
    stream = MarkdownStream()
    for end in pieces(text, random.Random(name), 12):
        stream.update(text[:end])
        assert Page(stream.html).faults == []
        assert stream.html == "".join(stream.finished) + stream.tail
    stream.finish()
    assert stream.html == render(text)


@pytest.mark.parametrize("name", [n for n in HOSTILE if len(HOSTILE[n]) < 400])
def test_markup_split_at_every_character_stays_whitelisted(name: str) -> None:
    text = HOSTILE[name]
    stream = MarkdownStream()
    for end in range(len(text) + 1):
        stream.update(text[:end])
        assert Page(stream.html).faults == []
    stream.finish()
    assert stream.html == render(text)


@every
def test_hostile_text_is_harmless_after_hostile_text(name: str) -> None:
    others = random.Random(name).sample(sorted(HOSTILE), 3)
    text = "\n".join(HOSTILE[n][:3000] for n in (*others[:2], name, others[2]))
    assert Page(render(text)).faults == []


@every
def test_the_frame_around_an_answer_holds(name: str) -> None:
    text = HOSTILE[name]
    page = framed(answer_html(render(text), footer=text[:500], notices=[text[:500]], reasoning=text[:5000]))
    assert page.faults == []


@every
def test_a_table_escapes_its_cells(name: str) -> None:
    text = HOSTILE[name][:2000]
    table = Table([TableColumn(text, hint=text), TableColumn("n", align="right", code=True)], [[text, 1]], caption=text)
    assert framed(table.html()).faults == []
    assert is_terminal_safe(table.plain())


@every
def test_plain_text_is_safe_for_a_terminal(name: str) -> None:
    text = HOSTILE[name]
    assert is_terminal_safe(plain(text))
    assert is_terminal_safe(answer_plain(text, footer=text[:100], notices=[text[:100]]))
    middle = len(text) // 2
    assert is_terminal_safe(plain(text[:middle]) + plain(text[middle:]))


@every
def test_text_can_be_sent_to_the_page_and_keeps_its_words(name: str) -> None:
    text = HOSTILE[name]
    render(text).encode()
    escape(text).encode()
    plain(text).encode()
    first_fenced_block(text)


def is_terminal_safe(text: str) -> bool:
    hidden = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {9, 10}
    return not any(ord(c) in hidden or 0xD800 <= ord(c) < 0xE000 for c in text)


def test_nothing_is_ever_loaded() -> None:
    for text in HOSTILE.values():
        for tag, attributes in Page(render(text)).tags:
            assert tag not in {"img", "iframe", "link", "script", "style", "object", "embed", "video", "audio", "svg"}
            assert not {"src", "srcset", "style", "background", "poster", "id", "name"} & set(attributes)


FRAGMENTS = [
    "**", "*", "_", "~~", "`", "```", "~~~", "\n", "\n\n", "- ", "1. ", "> ", "# ", "| ", "|---|", "---", "===",
    "$", "$$", "\\(", "\\)", "\\[", "\\]", "[", "](", ")", "![", "<", ">", "<br>", "&lt;", "http://x.example/",
    "    ", "\t", "word", " ", "\\", "\r", "\r\n", "é", "漢", "|", ":", "x^2", "\\frac{1}{2}", "python", "[ ] ",
    "+ ", "2) ", "***", "\u202e", "\x1b", "a | b",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_a_stream_of_any_pieces_ends_as_the_whole_text_renders(seed: int) -> None:
    generator = random.Random(seed)
    text = "".join(generator.choice(FRAGMENTS) for _ in range(generator.randrange(5, 120)))
    whole = render(text)
    assert Page(whole).faults == []
    stream = MarkdownStream()
    for end in pieces(text, generator, 25):
        before = list(stream.finished)
        stream.update(text[:end])
        assert stream.finished[: len(before)] == before  # a finished block never changes
        assert Page(stream.html).faults == []
    stream.finish()
    assert stream.html == whole
