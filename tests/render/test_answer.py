"""An answer put together: its parts in order, the quiet line under it, and the same for a terminal."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from tetrate_jupyter.render.answer import (
    CACHED,
    SIMULATED,
    answer_html,
    answer_plain,
    beside_chip,
    footer,
    line_html,
    sent_of,
    with_chip,
)
from tetrate_jupyter.render.bounds import left_out, stopped
from tetrate_jupyter.render.chips import LONGEST, label, notices_html
from tetrate_jupyter.types import Cut, Timing, Usage

USAGE, TIMING = Usage(1_200, 34), Timing(0.25, 1.5)


def line(**more: object) -> str:
    given = {"timing": TIMING, "usage": USAGE, "cost": Decimal("0.5"), **more}
    return footer("m-1", **given)  # type: ignore[arg-type]  # any of its parameters


def body(html: str) -> str:
    """Return the page of an answer without its styles."""
    return re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)


# --- the quiet line ----------------------------------------------------------------------------------------------


def test_the_line_names_model_times_tokens_and_cost() -> None:
    assert line() == "m-1 · first token 0.25 s, total 1.50 s · 1,200 → 34 tokens · ≈ $0.50"
    assert line(timing=Timing(None, 1.5)) == "m-1 · total 1.50 s · 1,200 → 34 tokens · ≈ $0.50"
    assert line(timing=None, cost=None) == "m-1 · 1,200 → 34 tokens · cost unknown"
    assert line(timing=None, cost=Decimal(0)).startswith("m-1 · 1,200 → 34 tokens · ≈ $0")


def test_the_model_asked_for_is_named_where_it_differs() -> None:
    assert line(asked_id="m-2").startswith("m-1 (asked for m-2) · ")
    for same in (None, "", "m-1"):
        assert line(asked_id=same).startswith("m-1 · ")


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (Usage(), "? tokens"), (Usage(5), "5 → ? tokens"), (Usage(None, 5), "? → 5 tokens"),
        (Usage(0, 0), "0 → 0 tokens"),
        (Usage(5, 5_000, reasoning_tokens=4_000), "5 → 5,000 tokens (4,000 of reasoning)"),
        (Usage(5, 6, reasoning_tokens=0), "5 → 6 tokens"),
    ],
)  # fmt: skip
def test_unknown_tokens_are_said_as_such(usage: Usage, said: str) -> None:
    assert line(usage=usage, timing=None, cost=None) == f"m-1 · {said} · cost unknown"


def test_a_kept_answer_tells_what_it_took_then() -> None:
    at = datetime(2026, 1, 2, 23, tzinfo=timezone.utc)
    assert line(asked_at=at) == (
        "m-1 · first token 0.25 s, total 1.50 s when asked on 2026-01-02 · 1,200 → 34 tokens · $0 now (≈ $0.50 when "
        "asked)"
    )
    assert line(asked_at=at, timing=None, cost=None) == ("m-1 · 1,200 → 34 tokens · $0 now (cost unknown when asked)")


# --- chips of the line -------------------------------------------------------------------------------------------


def test_two_notices_are_chips_of_the_line_and_no_sentences() -> None:
    notices = ["Other.", SIMULATED, CACHED]
    assert beside_chip(notices) == ["Other."]
    assert with_chip("line", notices) == "line · cached · simulated"
    assert with_chip("", [SIMULATED]) == "simulated"
    assert with_chip("line", ["Other."]) == "line"
    assert line_html("a<b", [CACHED, SIMULATED]) == (
        f'a&lt;b <span class="tetrate-chip" title="{CACHED}">cached</span> '
        f'<span class="tetrate-chip" title="{SIMULATED}">simulated</span>'
    )
    assert line_html("", []) == ""


def test_what_was_sent_is_told_by_its_notice() -> None:
    cut = Cut("df", "rows", 15, 2_000, text="a,b")
    assert sent_of([cut, Cut("x", "rows", 1, 2)]) == {cut.sentence: "a,b"}


# --- the whole ---------------------------------------------------------------------------------------------------


def test_the_parts_stand_in_their_order() -> None:
    html = body(answer_html("<p>Yes.</p>", footer="line", notices=["Note.", CACHED], reasoning="*why*"))
    assert html.endswith("</div>")
    order = [
        '<details class="tetrate-reasoning"><summary>Reasoning</summary><div class="tetrate-body">',
        '<p dir="auto"><em>why</em></p>',
        '</div></details><div class="tetrate-body"><p>Yes.</p></div><p class="tetrate-notice" dir="auto">Note.</p>',
        '<p class="tetrate-footer">line <span class="tetrate-chip"',
    ]
    assert [html.index(part) for part in order] == sorted(html.index(part) for part in order)


def test_what_there_is_none_of_leaves_nothing() -> None:
    html = body(answer_html("<p>Yes.</p>", reasoning=" \n"))
    assert re.fullmatch(r'<div class="[^"]*"><div class="tetrate-body"><p>Yes.</p></div></div>', html.strip())


def test_what_was_sent_stands_behind_its_notice() -> None:
    cut = Cut("df", "rows", 15, 2_000, text="a,<b>")
    html = body(answer_html("", notices=[cut.sentence], cuts=[cut]))
    assert "This was sent:" in html
    assert "a,&lt;b&gt;</pre>" in html


def test_reasoning_is_rendered_unless_there_is_no_time() -> None:
    long = "*a*\n\n" + "x" * 20_000
    assert "<em>a</em>" in answer_html("", reasoning=long)
    at_once = answer_html("", reasoning=long, at_once=True)
    assert "<em>a</em>" not in at_once
    assert stopped("reasoning") in at_once


# --- in a terminal -----------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_text_then_each_line_in_brackets() -> None:
    assert answer_plain("Yes.") == "Yes."
    assert answer_plain("*Yes.*\n\n", "line", ["Note.", CACHED]) == "*Yes.*\n\n[Note.]\n[line · cached]"
    assert answer_plain("", "line") == "[line]"
    assert answer_plain("", "", [SIMULATED]) == "[simulated]"
    assert answer_plain("a", "two\nlines") == "a\n\n[two lines]"


def test_a_terminal_shows_the_beginning_or_at_once_the_end() -> None:
    text = "x" * 16_000
    assert answer_plain(f"y{text}", at_once=True) == f"{text}\n\n[{stopped('text')}]"
    assert answer_plain(text, at_once=True) == text
    assert answer_plain("z" * 1_000_002).endswith(f"zz\n\n[{left_out(2)}]")


# --- notices as chips --------------------------------------------------------------------------------------------


def test_a_chip_has_sixty_characters_at_most() -> None:
    for length, said in ((60, True), (61, False)):
        assert bool(label("w" * length)) is said
        assert bool(label("w" * length + " (because)")) is said
        assert bool(label("w" * length + "; and more: why")) is said
        assert label("w" * length + ": why" + "y" * 60) == ("w" * length if said else "")
    assert LONGEST == 60


def test_a_summary_is_left_out_of_a_chip_that_is_too_long() -> None:
    tail = ": 15 of 2,000 rows and a summary of all sent"
    fits = "w" * (60 - len(tail))
    assert label(f"{fits}{tail}") == f"{fits}{tail}"
    assert label(f"w{fits}{tail}") == f"w{fits}: 15 of 2,000 rows sent"
    assert label("w" * 50 + tail) == "w" * 50
    assert label("a (b) (c)") == "a"


def test_no_notice_is_nothing_and_several_stand_one_after_the_other() -> None:
    assert notices_html([]) == ""
    assert notices_html(["A.", "B."]) == (
        '<p class="tetrate-notice" dir="auto">A.</p><p class="tetrate-notice" dir="auto">B.</p>'
    )


def test_a_notice_opens_only_where_there_is_more_to_read() -> None:
    assert notices_html(["a (" + "w" * 56 + ")"]).startswith("<p ")  # sixty characters
    assert notices_html(["a (" + "w" * 57 + ")"]) == (
        f'<details class="tetrate-notice"><summary>a</summary>a ({"w" * 57})</details>'
    )
    long = "w" * 70
    assert notices_html([long], {long: "sent"}) == f'<p class="tetrate-notice" dir="auto">{long}</p>'
    assert notices_html(["a"], {"a": "x<y"}) == (
        '<details class="tetrate-notice"><summary>a</summary>a This was sent:'
        '<pre class="tetrate-sent" tabindex="0" dir="auto">x&lt;y</pre></details>'
    )
