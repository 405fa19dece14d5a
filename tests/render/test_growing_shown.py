"""What a reader sees while a block grows: at the end of each line, what the text so far renders to."""

from __future__ import annotations

import re

import pytest

from tests.render.kinds import text_of
from tetrate_jupyter import config
from tetrate_jupyter.render.code import MAX_COLOURED
from tetrate_jupyter.render.markdown import MarkdownStream, first_fenced_block, render

TABLE = "| a | b |\n|---|---|\n"
GROWS = {
    "items": "- a\n- b\n- c\n- *d*\n",
    "numbers from seven": "7. a\n8. b\n9. c\n",
    "numbers with brackets": "1) a\n2) b\n3) c\n",
    "items that part late": "- a\n- b\n- c\n\n- d\n- e\n",
    "items apart": "- a\n\n- b\n\n- c\n\n- d\n",
    "an item of two paragraphs": "- a\n- b\n\n  more of b\n- c\n",
    "a table": TABLE + "| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |\n| 7 | 8 |\n",
    "a table without rows": TABLE,
    "code": "```\nx = 1\ny = 2\n\nz = 3\n",
    "indented code": "```\n    x\n\n        y\n    z\n",
    "a list, then a paragraph": "- a\n- b\n- c\n\nAfter.\n\nMore.\n",
    "a table, then a list": TABLE + "| 1 | 2 |\n| 3 | 4 |\n\n- a\n- b\n",
    "a quote": "> a\n>\n> b\n",
    "headings": "# a\n\n## b\n\nText.\n",
}


def as_it_grows(text: str) -> MarkdownStream:
    """Feed a text line by line; what is shown must be what the text so far renders to."""
    stream, so_far = MarkdownStream(), ""
    for line in text.splitlines(keepends=True):
        so_far += line
        stream.update(so_far)
        assert stream.html == render(so_far), so_far
        assert not stream.behind
    return stream


@pytest.mark.parametrize("kind", GROWS)
def test_at_the_end_of_each_line_it_shows_what_the_text_renders_to(kind: str) -> None:
    as_it_grows(GROWS[kind])


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("- a *b", "- a *b"),
        ("Say **b", "Say **b**"),
        ("1. `c", "1. `c`"),
        ("| a | b", "| a | b"),
        ("a\n\n- b\n- ~~c", "a\n\n- b\n- ~~c~~"),
        ("- a\n- b\n- **c", "- a\n- b\n- **c**"),
    ],
)
def test_a_line_that_is_still_written_shows_its_marks_as_closed(text: str, closed: str) -> None:
    stream = MarkdownStream()
    stream.update(text)
    assert stream.html == render(closed)


@pytest.mark.parametrize("fence", ["```", "~~~"])
@pytest.mark.parametrize("language", ["python", "", "no-such-language"])
def test_code_that_grows_has_all_its_characters_its_language_and_one_frame(fence: str, language: str) -> None:
    lines = [f"def f{n}(a='x'):  # {n}\n" for n in range(60)]
    text, stream = f"{fence}{language}\n", MarkdownStream()
    for line in lines:
        text += line
        stream.update(text)
        assert _bare(stream.html) == _bare(render(text))
        assert stream.html.count("<pre") == 1
        assert _frame(stream.html) == _frame(render(text))
    assert (stream.html.count("<span") > len(lines)) is (language == "python")


@pytest.mark.parametrize("step", [900, MAX_COLOURED])
def test_code_beyond_what_is_coloured_loses_its_colours_and_no_character(step: int) -> None:
    text, stream = "```python\n" + "x = [1, 'a']\n" * (MAX_COLOURED // 13 + 400), MarkdownStream()
    seen = []
    for end in [*range(len("```python\n") + step, len(text), step), len(text)]:
        stream.update(text[:end])
        if not text[:end].endswith("\n"):
            continue
        assert _bare(stream.html) == _bare(render(text[:end]))
        seen.append("<span" in stream.html)
    stream.update(text)
    assert "<span" not in stream.html
    assert stream.html == render(text)
    assert seen == sorted(seen, reverse=True)


def test_what_is_exactly_as_long_as_is_coloured_is() -> None:
    code = "x = 1\n" * (MAX_COLOURED // 6) + "y" * (MAX_COLOURED % 6 - 1) + "\n" * (MAX_COLOURED % 6 > 0)
    assert len(code) == MAX_COLOURED
    for whole in (f"```python\n{code}", f"```python\n{code}```\n\nafter\n"):
        stream = MarkdownStream()
        for end in [*range(0, len(whole), 1999), len(whole)]:
            stream.update(whole[:end])
        assert "<span" in stream.html
        stream.finish()
        assert stream.html == render(whole)


def test_what_is_finished_is_told_block_by_block_and_stays() -> None:
    stream = as_it_grows("One.\n\n- a\n- b\n\nTwo.\n\n" + TABLE + "| 1 | 2 |\n\nThree.\n")
    assert "".join(stream.finished) + stream.tail == stream.html
    assert [re.sub("<[^>]+>", " ", html).split() for html in stream.finished] == [
        ["One."], ["a", "b"], ["Two."], ["a", "b", "1", "2"],
    ]  # fmt: skip
    assert stream.tail == render("Three.\n")


def test_a_window_into_a_block_is_told_how_to_begin() -> None:
    stream = MarkdownStream()
    assert stream.opening == ""
    for text, opening in [
        ("Text.\n", ""),
        ("- a\n- b\n", ""),
        (TABLE + "| 1 | 2 |\n", TABLE),
        ("~~~ py\nx\n", "~~~ py\n"),
    ]:
        stream.update(text)  # each is another text: it begins anew
        assert stream.opening == opening
        assert stream.html == render(text)


def test_another_text_leaves_nothing_of_the_one_before() -> None:
    stream = as_it_grows("- a\n- b\n- c\n")
    stream.update("x")
    assert (stream.finished, stream.html) == ([], render("x"))
    stream.update("")
    assert (stream.finished, stream.html) == ([], "")
    assert MarkdownStream().html == ""


NESTED = ["a list in an item", "a list in a numbered item", "a list deep in items", "a quote of paragraphs"]


@pytest.mark.parametrize("kind", [*NESTED, "a list in a quote"])
def test_what_is_inside_of_a_long_block_is_shown_as_it_renders_while_it_grows(kind: str) -> None:
    text, stream = "", MarkdownStream()
    for number, line in enumerate(text_of(kind, 2_400).splitlines(keepends=True)[:-1]):
        text += line
        stream.update(text)
        if number % 16 == 0 or len(text) > 2_300:
            assert stream.html == render(text)
    for more in (" \t\n", "lazy\n", "\n", "after *it*\n"):
        text += more
        stream.update(text)
    stream.finish()
    assert stream.html == render(text)


@pytest.mark.parametrize("item", ["- a\n", "1. a\n", "- a\n  more\n", "| 1 | 2 |\n", "x = 1\n"])
def test_a_block_is_parsed_as_often_as_it_is_long(item: str, parsed: list[int]) -> None:
    begin = TABLE if item.startswith("|") else "```python\n" if item.startswith("x") else item

    def work(items: int) -> int:
        parsed.clear()
        stream = MarkdownStream()
        for number in range(items):
            stream.update(begin + number * item)
        return sum(parsed)

    assert work(200) < 2.5 * work(100)  # four times where all were parsed anew


@pytest.mark.parametrize("text", ["a\r", "- a\r\n- b\r", "```\nx\r", "| a |\r\n|---|\r\n| b |\r", "a\r\r"])
def test_a_line_end_of_two_characters_may_be_cut_in_its_middle(text: str) -> None:
    stream = MarkdownStream()
    stream.update(text)
    stream.finish()
    assert stream.html == render(text)
    for end in range(len(text) + 1):
        stream.update(text[:end])
    stream.update(text + "\nb")
    assert stream.html == render(text + "\nb")


@pytest.mark.parametrize("block", ["- a\n", "> a\n\n", "word "])
def test_what_is_too_much_to_be_rendered_is_told_while_it_grows(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "SHOWN_CHARACTERS", 3_000)
    text = block * (5_000 // len(block))
    stream = MarkdownStream()
    for end in (1_000, 2_999, 3_500, len(text)):
        stream.update(text[:end])
    stream.finish()
    assert stream.html == render(text)


def test_quotes_in_quotes_without_end_are_shown() -> None:
    stream = MarkdownStream()
    text = "> " * 300 + "deep\n" + "> " * 300 + "and deeper, with some more words to be long enough\n" * 40
    for end in range(0, len(text), 700):
        stream.update(text[:end])
    stream.update(text)
    stream.finish()
    assert stream.html == render(text)


def test_the_first_code_block_is_found_whatever_its_fence() -> None:
    assert first_fenced_block("no code") is None
    assert first_fenced_block("~~~SQL\nselect 1\n~~~\n```\nx\n```") == ("sql", "select 1")
    assert first_fenced_block("a ``` b") is None
    assert first_fenced_block("~~~\nx\n~~~") == ("", "x")
    assert first_fenced_block("- x\n\n  ```\n  y\n") == ("", "y")


def _bare(html: str) -> str:
    return re.sub("<[^>]+>", "", html)


def _frame(html: str) -> str:
    """What is around the code."""
    return html.partition("<code")[0] + html.rpartition("</code>")[2]


def test_a_stream_of_nothing_is_empty_and_quick() -> None:
    stream = MarkdownStream()
    assert stream.is_quick
    stream.finish()
    assert (stream.html, stream.is_quick, stream.behind) == ("", True, False)


def test_a_block_right_after_the_list_in_an_item_leaves_the_item_tight() -> None:
    text = "- a\n" + "  - b\n" * 400
    stream = MarkdownStream()
    for more in ("", "  # h\n", "\n"):
        text += more
        stream.update(text)
        assert stream.html == render(text)
    assert "<p" not in stream.html
