"""A block that is being written costs what is new in it, and ends as the whole renders at once."""

from __future__ import annotations

import random

import pytest

from tests.render.kinds import KINDS, text_of
from tetrate_jupyter.render.markdown import MarkdownStream, render

LINES = [
    "- a\n", "- b\n", "- c | d\n", "--|--\n", "|-|-|\n", "| a | b |\n", "| c | d\n", "x | y\n", "\n", "\n\n",
    "  more\n", "    code\n", "1. a\n", "2. b\n", "7) c\n", "10. d\n", "* s\n", "+ p\n", "-\n", "- \n", "1.\n",
    "      deep\n", "   - in\n", " - i1\n",
    "  - i2\n", "   - i3\n", "     - i5\n", "\t- t\n", "-\tt\n", "> q\n", ">\n", "> - ql\n",
    "---\n", "# h\n", "```\n", "```python\n", "~~~\n", "x = 1\n", "  ```\n", "   ```\n", "$$\n", "$$ x $$\n", "- $$\n",
    "\\[\n", "\\]\n", "text\n", "- [ ] t\n", "- [x] u\n", "- # h\n", "- > q\n", "- ```\n", "- - n\n", "- 1. n\n",
    "  \n",    " \n", "a", "- ", "|", "*", "`", "**b** `c`\n", "  | a | b |\n", "  |---|---|\n", "    1. x\n", "'''\n",
    "- a\n- b\n- c\n", "| r | s |\n| t | u |\n", "def f():\n    '''x\n", "\r\n", "- e\r\n", "````--|--\n", "```--|--\n",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_blocks_that_grow_line_by_line_end_as_the_whole_renders(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        lines = chance.sample(LINES, chance.randrange(2, 9)) if chance.random() < 0.7 else LINES
        text = "".join(chance.choice(lines) for _ in range(chance.randrange(3, 40)))
        stream = MarkdownStream()
        for end in sorted(chance.randrange(len(text) + 1) for _ in range(chance.randrange(1, 30))):
            before = list(stream.finished)
            stream.update(text[:end])
            assert stream.finished[: len(before)] == before
        stream.update(text)
        stream.finish()
        assert stream.html == render(text), text


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_of_any_kind_ends_as_the_whole_renders(kind: str) -> None:
    text = text_of(kind, 6_000)
    stream = MarkdownStream()
    for end in range(0, len(text), 37):
        stream.update(text[:end])
    stream.update(text)
    stream.finish()
    assert stream.html == render(text)


NESTED = [
    "a list in an item", "a list in a numbered item", "a list deep in items", "a quote of paragraphs",
    "a list in a quote", "a quote in a quote", "code in an item",
]  # fmt: skip


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize(
    "kind",
    [
        "items",
        "loose items",
        "numbers",
        "nested items",
        "a table",
        "short rows",
        "code",
        "code of no language",
        *NESTED,
    ],
)
def test_the_finished_part_of_a_block_is_parsed_once(kind: str, parsed: list[int]) -> None:
    def work(length: int) -> int:
        parsed.clear()
        text, stream = text_of(kind, length), MarkdownStream()
        for end in range(0, length, 40):
            stream.update(text[:end])
        return sum(parsed)

    assert work(16_000) < 2.5 * work(8_000)


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.parametrize("kind", NESTED)
def test_what_a_block_has_inside_is_shown_as_the_whole_renders_while_it_grows(kind: str) -> None:
    lines, text, stream = text_of(kind, 4_000).splitlines(keepends=True), "", MarkdownStream()
    for number, line in enumerate(lines[:-1]):
        text += line
        stream.update(text)
        if number % 9 == 0:
            assert stream.html == render(text)
    for more in ("- next", " item\n", "> and\n", "lazy\n", "\n", "after *it*\n", "\n", "end"):
        text += more
        stream.update(text)
    stream.finish()
    assert stream.html == render(text)


def test_a_list_in_an_item_that_is_parted_later_stands_apart_from_then_on() -> None:
    text = "- a\n" + "  - b\n" * 400
    stream = MarkdownStream()
    stream.update(text)
    assert stream.html == render(text)
    for more in ("\n", "  more\n", "\n", "  and more\n"):
        text += more
        stream.update(text)
    assert "<p" in stream.html
    assert stream.html == render(text)


PREFIXES = ["> ", ">", "> > ", "  ", "   ", "> - ", ">   ", "    "]


@pytest.mark.once
@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(30))
def test_long_quotes_and_items_of_anything_end_as_the_whole_renders(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        prefix = chance.choice(PREFIXES)
        begin = prefix if ">" in prefix else chance.choice(["- ", "1. ", "-   ", "10) "])
        inside = "".join(chance.choice(LINES) for _ in range(chance.randrange(300, 700))).replace("\r", "")
        odd = [chance.choice(LINES) for _ in range(chance.randrange(3))]
        text = begin + inside.replace("\n", f"\n{prefix}") + "".join(odd)
        stream = MarkdownStream()
        for end in sorted(chance.randrange(len(text) + 1) for _ in range(40)):
            before = list(stream.finished)
            stream.update(text[:end])
            assert stream.finished[: len(before)] == before
        stream.update(text)
        stream.finish()
        assert stream.html == render(text), text


def test_a_block_that_finishes_only_as_a_whole_is_not_rendered_with_every_piece(parsed: list[int]) -> None:
    text, stream = text_of("a lazy quote", 16_000), MarkdownStream()
    for end in range(0, len(text), 40):
        stream.update(text[:end])
    assert sum(parsed) < 100 * len(text)  # with every piece: 400 times
    stream.update(text)
    stream.finish()
    assert not stream.behind
    assert stream.html == render(text)


def test_colours_of_code_that_grows_are_right_again_in_time() -> None:
    code = "".join(f'text{n} = """one\ntwo {n}"""\n' for n in range(100))
    text = f"```python\n{code}"
    stream = MarkdownStream()
    for end in range(0, len(text), 40):
        stream.update(text[:end])
    stream.update(text + "```\n\nafter\n")
    assert stream.finished[0] == render(text)


@pytest.mark.parametrize("text", ["\x0b\n\n\x0b\n\n\x0b", "\u2028  \n  \n\u2028", "\xa0\n\n\x0c\n", "* \n\n\xa0\n\n"])
def test_white_space_that_is_none_of_markdowns_is_rendered_alike(text: str) -> None:
    stream = MarkdownStream()
    for end in range(len(text) + 1):
        stream.update(text[:end])
    stream.finish()
    assert stream.html == render(text)
