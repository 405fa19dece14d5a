"""What stands in a quote or an item while it grows: its marks and indentation off, or left to the whole."""

from __future__ import annotations

import pytest

from tetrate_jupyter.render.markdown import MarkdownStream, render
from tetrate_jupyter.render.nested import DEEPEST, Nested


def make(is_tight: bool) -> MarkdownStream:
    return MarkdownStream(depth=1, is_tight=is_tight)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("> a", "a"), (">a", "a"), ("   > a", "a"), (">  a", " a"), ("> a\n> b", "a\nb"), ("> a\n> b\n", "a\nb\n"),
        ("> a\n>", "a\n"), ("> a\n", "a\n"), ("> a\n  ", "a\n"), (">> a", "> a"),
    ],
)  # fmt: skip
def test_a_quote_without_its_marks(text: str, right: str) -> None:
    nested = Nested.of_quote(text, make)
    assert nested is not None
    assert nested.update(text)
    assert nested._inside._text == right  # type: ignore[attr-defined]  # a stream's
    assert nested.html == render(right)


@pytest.mark.parametrize("text", ["a", "    > a", ">\ta", "- a", ""])
def test_what_is_no_plain_quote(text: str) -> None:
    assert Nested.of_quote(text, make) is None


@pytest.mark.parametrize("text", ["> a\nb", "> a\n\n> b", "> a\n>\tb", "> a\n    > b", "> a\n\n"])
def test_where_a_quote_ends_or_is_not_plain_the_whole_is_drawn(text: str) -> None:
    nested = Nested.of_quote(text, make)
    assert nested is not None
    assert not nested.update(text)
    later = Nested.of_quote(text, make)
    assert later is not None
    assert not all(later.update(text[:end]) for end in range(1, len(text) + 1))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("- a", "a"), ("* a", "a"), ("+ a", "a"), ("1. a", "a"), ("123456789) a", "a"), ("   -    a", "a"),
        ("- a\n  b", "a\nb"), ("- a\n\n  b", "a\n\nb"), ("- a\n    b", "a\n  b"), ("1. a\n   b\n", "a\nb\n"),
        ("- a\n b"[:-2], "a\n"), ("- a\n ", "a\n"),
    ],
)  # fmt: skip
def test_an_item_without_its_indentation(text: str, right: str) -> None:
    nested = Nested.of_item(text, make, tight=False)
    assert nested is not None
    assert nested.update(text)
    assert nested._inside._text == right  # type: ignore[attr-defined]  # a stream's
    assert nested.html == render(right)


@pytest.mark.parametrize("text", ["a", "    - a", "-a", "- ", "-      a", "1234567890. a", "- [ ] a", "-\ta", "1: a"])
def test_what_is_no_plain_item(text: str) -> None:
    assert Nested.of_item(text, make, tight=True) is None


@pytest.mark.parametrize("text", ["- a\n- b", "- a\nb", "- a\n b", "- a\n\tb"])
def test_where_an_item_ends_the_whole_is_drawn(text: str) -> None:
    nested = Nested.of_item(text, make, tight=True)
    assert nested is not None
    assert nested.update(text[: text.index("\n") + 1])
    assert not nested.update(text)


def test_only_what_is_new_is_taken_off_its_marks() -> None:
    nested = Nested.of_quote("> a", make)
    assert nested is not None
    text = ""
    for piece in ("> a", " b\n", ">", " c\n> d\n", "> e"):
        text += piece
        assert nested.update(text)
        assert nested._read == text.rfind("\n") + 1
    assert nested._inside._text == "a b\nc\nd\ne"  # type: ignore[attr-defined]  # a stream's


def test_paragraphs_stand_apart_once_an_empty_line_has_parted_two() -> None:
    made: list[bool] = []

    def noted(is_tight: bool) -> MarkdownStream:
        made.append(is_tight)
        return make(is_tight)

    nested = Nested.of_item("- a", noted, tight=True)
    assert nested is not None
    assert nested.update("- a\n")
    assert nested.html == "a\n"
    assert nested.update("- a\n\n  b\n\n  c\n")
    assert nested.html == render("a\n\nb\n\nc\n")
    assert nested.update("- a\n\n  b\n\n  c\n\n  d")
    assert nested.html.count("<p") == 4
    assert made == [True, False]
    assert Nested.of_item("- a", noted, tight=False) is not None
    assert Nested.of_quote("> a", noted) is not None
    assert made == [True, False, False, False]


def test_what_is_said_of_it_is_said_of_its_inside() -> None:
    nested = Nested.of_quote("> a", make)
    assert nested is not None
    inside = nested._inside
    assert isinstance(inside, MarkdownStream)
    assert (nested.behind, nested.is_quick) == (False, True)
    inside.behind = True
    inside._rest = "x" * 10_000
    assert (nested.behind, nested.is_quick) == (True, False)


def test_blocks_are_shown_so_eight_deep() -> None:
    assert DEEPEST == 8
    for depth in (DEEPEST - 1, DEEPEST):
        stream = MarkdownStream(depth=depth)
        stream.update("> word\n" * 1_000)
        assert (stream._nested is None) == (depth == DEEPEST)
