"""How much of a text is rendered, shown and shown while it grows: exact places, and each sentence about the rest."""

from __future__ import annotations

import itertools

import pytest

from tetrate_jupyter.render import bounds, live
from tetrate_jupyter.render.live import CUT, Live, last_part, plain_live
from tetrate_jupyter.render.markdown import render

RENDERED, LIVE = 128_000, 64_000  # characters
MARKS, LIVE_MARKS = 8_000, 4_000

# --- what is rendered --------------------------------------------------------------------------------------------


def test_whole_lines_are_rendered_up_to_the_bound() -> None:
    line = "x" * 99 + "\n"
    assert bounds.within("") == 0
    assert bounds.within("x" * RENDERED) == RENDERED
    assert bounds.within("x" * (RENDERED + 1)) == RENDERED
    assert bounds.within(line * 1280) == RENDERED
    assert bounds.within(line * 1279 + "y" * 100) == RENDERED
    assert bounds.within(line * 1279 + "y" * 101) == 127_900
    assert bounds.within("\n" + "y" * RENDERED) == 1
    assert bounds.within("y\n" + "y" * RENDERED) == 2


@pytest.mark.parametrize("mark", "\n|$")
def test_marks_have_a_bound_of_their_own(mark: str) -> None:
    assert bounds.within(f"x{mark}" * MARKS) == 2 * MARKS
    assert bounds.within(mark * MARKS) == MARKS
    most = 2 * MARKS + 1 if mark != "\n" else 2 * MARKS
    assert bounds.within(f"x{mark}" * (MARKS + 1)) == most
    assert bounds.within(f"x{mark}" * (LIVE_MARKS + 1), live=True) == (
        2 * LIVE_MARKS + 1 if mark != "\n" else 2 * LIVE_MARKS
    )
    assert bounds.within(f"x{mark}" * LIVE_MARKS, live=True) == 2 * LIVE_MARKS


def test_marks_of_all_kinds_count_together() -> None:
    assert bounds.within("|$" * (MARKS // 2)) == MARKS
    assert bounds.within("a|$" * MARKS) == 3 * MARKS // 2 + 1


def test_while_it_grows_it_is_half_as_much() -> None:
    assert bounds.within("x" * (LIVE + 1), live=True) == LIVE
    assert bounds.within("x" * LIVE, live=True) == LIVE


def test_what_exceeds_is_counted_from_its_start() -> None:
    assert not bounds.exceeds("x" * 10, 0, 10, 3)
    assert bounds.exceeds("x" * 11, 0, 10, 3)
    assert not bounds.exceeds("x" * 11, 1, 10, 3)
    assert not bounds.exceeds("||||x", 1, 10, 3)
    assert bounds.exceeds("||||x", 0, 10, 3)
    assert not bounds.exceeds("|||", 0, 10, 3)


def test_a_last_part_begins_at_a_block_or_a_line() -> None:
    assert bounds.window("a" * 50, 0, 10, 5) == 40
    assert bounds.window("a" * 50, 45, 10, 5) == 45
    assert bounds.window("a" * 41 + "\n" + "b" * 8, 0, 10, 5) == 42
    assert bounds.window("a" * 40 + "b\nc\n\n" + "d" * 5, 0, 10, 5) == 45
    assert bounds.window("a" * 40 + "\n\n" + "d" * 8, 0, 10, 5) == 42
    assert bounds.window("a" * 45 + "\n" + "d" * 4, 0, 10, 5) == 40  # behind the middle: too much would be lost
    assert bounds.window("|" * 50, 0, 10, 5) == 45
    assert bounds.window("|" * 50, 0, 10, 0) == 50


def test_what_is_said_of_the_rest() -> None:
    assert bounds.left_out(0) == bounds.left_out(-5) == ""
    assert bounds.left_out(1) == "1 more characters are not shown here; the answer's .text has all of it."
    assert bounds.left_out(12_345).startswith("12,345 more characters are not")
    assert bounds.stopped("text") == "Stopped: the last part is shown, all of it is in _tetrate.text."
    assert bounds.said("a < b") == '<p dir="auto"><em>a &lt; b</em></p>\n'
    assert bounds.said("") == ""


def test_the_rest_is_shown_as_it_was_written() -> None:
    assert bounds.unrendered(" \n", 5) == ""
    raw = f'{bounds.said(bounds.PLAIN_FROM_HERE)}<pre class="tetrate-raw" dir="auto">a&lt;b</pre>\n'
    assert bounds.unrendered("a<b", 3) == raw
    assert bounds.unrendered("a<bcd", 3) == raw + bounds.said(bounds.left_out(2))


def test_plain_text_has_a_million_characters() -> None:
    text = "x" * 1_000_000
    assert bounds.beginning(text) == text
    assert bounds.beginning(f"{text}yz") == f"{text}\n\n[{bounds.left_out(2)}]"


# --- what is shown while it grows --------------------------------------------------------------------------------


def test_a_short_text_is_shown_whole() -> None:
    shown = Live()
    shown.update("a *b*")
    assert shown.is_whole
    assert (shown.finished, shown.html, shown.html_stopped) == ((), shown.tail, shown.tail)
    assert shown.completed("a *b*")
    assert shown.html == render("a *b*")
    assert shown.is_quick
    assert not shown.behind


def test_a_long_one_by_its_last_quarter_after_a_line_about_it() -> None:
    shown = Live()
    blocks = "".join(f"Block {n:06}.\n\n" for n in range(5_000))  # 15 characters each
    shown.update(blocks[:LIVE])
    assert shown.is_whole or "Block 000000." not in shown.html
    shown.update(blocks)
    assert not shown.is_whole
    assert shown.finished[0] == bounds.said(CUT)
    assert shown.html.startswith(bounds.said(CUT))
    assert shown.html_stopped.startswith(bounds.said(bounds.stopped("text")))
    assert "Block 004999." in shown.html
    assert not shown.completed(blocks)


def test_the_window_moves_when_more_than_it_holds_has_come() -> None:
    shown = Live()
    shown.update("x" * LIVE)
    assert shown.is_whole
    shown.update("x" * LIVE + "y")
    assert not shown.is_whole
    assert shown.html.count("x") + shown.html.count("y") <= LIVE // 4 + 50
    assert shown.html.count("x") > LIVE // 5
    shown.update("z")
    assert shown.is_whole  # another text
    assert "z" in shown.html
    assert "x" * 9 not in shown.html


@pytest.mark.parametrize(
    ("opening", "line", "tag"),
    [("```python\n", "value = 1\n", "<pre"), ("| a | b |\n|---|---|\n", "| value | 1 |\n", "<td")],
)
def test_a_window_into_a_block_goes_on_with_it(opening: str, line: str, tag: str) -> None:
    shown = Live()
    text = opening
    for _ in range(30):
        text += line * 200
        shown.update(text)
    assert not shown.is_whole
    assert tag in shown.html
    assert "```" not in shown.html


def test_text_after_a_table_or_code_does_not_go_on_with_it() -> None:
    for before, tag in (
        ("| a | b |\n|---|---|\n" + "| value | 1 |\n" * 900, "<t"),
        ("```\n" + "v\n" * 900 + "```\n", "<pre"),
    ):
        shown = Live()
        shown.update(before)
        shown.update(before + "\n\n" + "Words of it. " * 6_000)
        assert not shown.is_whole
        assert tag not in shown.html


def test_the_rest_of_a_list_is_no_table() -> None:
    shown = Live()
    text = ""
    for number in range(4):
        text += f"- item {number}\n" * 1_500
        shown.update(text)
    assert not shown.is_whole
    assert "<li>" in shown.html
    assert "item 3" in shown.html


def test_what_takes_long_rests_before_it_is_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))  # each look at it takes a second
    shown, text = Live(), "word " * 2_000
    assert shown.is_quick
    shown.update(text)
    assert (shown.behind, shown.is_quick) == (False, False)
    shown.update(f"{text}more")
    assert (shown.behind, shown.is_quick) == (True, False)
    assert "more" not in shown.html
    assert shown.completed(f"{text}more")
    assert not shown.behind
    assert shown.html == render(f"{text}more")


def test_plain_text_so_far() -> None:
    assert "\x1b" not in plain_live("a\x1bb")
    assert plain_live("x" * LIVE) == "x" * LIVE
    assert plain_live("y" + "x" * LIVE) == f"[{CUT}]\n\n" + "x" * LIVE


def test_the_last_part_at_once_is_rendered_only_where_it_is_short() -> None:
    short = "*a* " + "x" * (live.QUICK - 4)
    assert last_part(short) == render(short)
    longer = short + "x"
    assert last_part(longer) == f'<pre class="tetrate-raw" dir="auto">{longer}</pre>\n'
    most = "<" + "x" * 15_999
    assert last_part(most) == f'<pre class="tetrate-raw" dir="auto">&lt;{"x" * 15_999}</pre>\n'
    cut = '<pre class="tetrate-raw" dir="auto">' + "x" * 16_000 + "</pre>\n"
    assert last_part("y" + "x" * 16_000) == bounds.said(bounds.stopped("text")) + cut
    assert last_part("y" + "x" * 16_000, of="reasoning") == bounds.said(bounds.stopped("reasoning")) + cut
    assert last_part("y" + " " * 16_000) == ""
