"""A comparison's page and its text in a terminal: each part, its bounds, and what is said of what is left out."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.compare.test_pure import made, row
from tetrate_jupyter.compare.page import MOST, grid, html, page, text
from tetrate_jupyter.compare.votes import tally
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.compare.rows import Row

TIMED: dict[str, Any] = {
    "started": 0.0, "first_token": 1.0, "total": 2.0, "tokens_out": 21, "cost": Decimal("0.1"),
}  # fmt: skip
BLANK = "\N{NO-BREAK SPACE}"
BODY = '<div class="tetrate-body">'


def body(result: Result, **more: Any) -> str:
    """The page without its stylesheet."""
    return page(result, **more).partition("</style>")[2]


def parts(shown: str, tag: str, name: str = "") -> list[str]:
    """What is in all elements of a tag and class, without markup."""
    marked = f' class="{name}"' if name else ""
    found = re.findall(rf"<{tag}{marked}[^>]*>(.*?)</{tag}>", shown, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", each) for each in found]


def voted(**more: Any) -> Result:
    return made(
        [row(c, prompt=p, vote="best" if c == "c1" else None) for p in range(9) for c in ("c1", "c2")],
        prompts=tuple(f"prompt {n}" for n in range(9)),
        **more,
    )


def test_a_page_begins_with_the_whole_and_the_leads() -> None:
    rows = [row(text="Hi **you**", **TIMED), row("c2", text="Hi < you", **{**TIMED, "total": 3.0})]
    shown = body(made(rows, notices=("df: <cut>",)))
    assert parts(shown, "p", "tetrate-caption") == ["2 columns · 2 of 2 done · 1.50 s · ≈ $0.50"]
    assert parts(shown, "p", "tetrate-notice") == ["df: &lt;cut&gt;"]
    assert parts(shown, "p", "tetrate-won") == ["Fastest a (2.00 s); longest a (10 characters)."]
    assert f'{BODY}<p dir="auto">Hi <strong>you</strong></p>' in shown
    assert f'{BODY}<p dir="auto">Hi &lt; you</p>' in shown
    assert parts(shown, "h4") == ["a", "b"]
    assert 'aria-label="b"' in shown
    assert parts(shown, "p", "tetrate-footer")[0].startswith("first token 1.00 s, total 2.00 s · ? → 21 tokens")
    assert parts(shown, "p", "tetrate-repeats") == []
    assert "tetrate-reasoning" not in shown
    assert '<details><summary>Prompt</summary><p class="tetrate-raw" dir="auto">hi</p></details>' in shown
    assert parts(body(made(rows, is_blind=True)), "p", "tetrate-won") == []


def test_a_page_for_keeping_holds_no_key() -> None:
    key = Secret("sk-" + "Kq7vR2xWz9" * 3, host="a.example")
    result = made([row(text=f"It is {key.reveal()}.")], labels="a")
    assert key.reveal() not in html(result)
    assert "It is " in html(result)
    assert html(made([row(**TIMED)], labels="a")) == page(made([row(**TIMED)], labels="a"))


def test_votes_are_told_on_the_page_and_in_the_terminal() -> None:
    result = voted()
    counted = tally(result.heads, result.rows)
    assert counted.claim
    assert counted.detail
    shown = body(result)
    assert f'<p dir="auto">{counted.claim}</p>' in shown
    assert f'<p dir="auto">{counted.detail}</p>' in shown
    assert f"\n\n{counted.claim} {counted.detail}\n\n" in text(result)


def test_bars_show_when_each_call_waited_and_wrote() -> None:
    late = {**TIMED, "started": 1.0, "total": 3.0}
    shown = body(made([row(**TIMED), row("c2", **late)]))
    assert "<details open><summary>Waiting (pale) and writing (dark)</summary>" in shown
    assert [re.sub("display.*?rgba.128,128,128,", "", each) for each in re.findall(r'<span style="(.*?)"', shown)] == [
        "margin-left:0.00%;width:25.00%;.35)", "margin-left:0.00%;width:25.00%;.95)",
        "margin-left:25.00%;width:25.00%;.35)", "margin-left:0.00%;width:50.00%;.95)",
    ]  # fmt: skip
    assert f"waiting 1.00{BLANK}s, writing 2.00{BLANK}s" in shown
    nothing = body(made([row(**{**TIMED, "first_token": None})], labels="a"))
    assert f"waiting 2.00{BLANK}s, writing 0.00{BLANK}s" in nothing
    assert '<td style="text-align:left" dir="auto">a</td>' in nothing


def test_bars_are_named_by_prompt_and_repeat_where_there_are_several() -> None:
    one = body(made([row(repeat=n, **TIMED) for n in range(2)], labels="a", repeats=2))
    assert 'dir="auto">a, repeat 2</td>' in one
    two = body(made([row(prompt=n, **TIMED) for n in range(2)], labels="a", prompts=("x", "y")))
    assert 'dir="auto">a, prompt 2</td>' in two
    rows = [row(prompt=p, repeat=r, **TIMED) for p in range(2) for r in range(2)]
    assert 'dir="auto">a, prompt 2, repeat 1</td>' in body(made(rows, labels="a", prompts=("x", "y"), repeats=2))


def test_there_are_no_bars_for_none_and_for_too_many() -> None:
    assert "Waiting (pale)" not in body(made([row(total=2.0), row("c2", started=1.0)]))
    rows = [row(repeat=n, **TIMED) for n in range(25)]
    assert "Waiting (pale)" in body(made(rows[:24], labels="a", repeats=24))
    assert "Waiting (pale)" not in body(made(rows, labels="a", repeats=25))


def test_equal_repeats_are_one_answer_with_its_reasoning() -> None:
    rows = [row(repeat=n, text=said, reasoning="<why>") for n, said in enumerate(("yes", "yes", "no"))]
    shown = body(made(rows, labels="a", repeats=3))
    assert parts(shown, "h4") == ["a 67% the same"]
    assert parts(shown, "p", "tetrate-repeats") == ["2 of 3 the same (repeats 1, 2)", "Repeat 3 of 3"]
    assert shown.count("<summary>Reasoning</summary>") == 2
    assert f'{BODY}<p dir="auto">&lt;why&gt;</p>' in shown
    assert "tetrate-reasoning" not in body(made([row(reasoning=" \n")], labels="a"))
    failed = body(made([row(state="failed", text="", error="E", message="<m>", next_step="s")], labels="a"))
    assert "E: &lt;m&gt; Next: s." in parts(failed, "p", "tetrate-notice")
    assert BODY not in failed


def test_several_prompts_have_a_part_each_and_the_first_is_open() -> None:
    long = "word <b>\n" * 20
    rows = [row(prompt=p, text=f"answer {p}") for p in range(2)]
    shown = body(made(rows, labels="a", prompts=("one", long)))
    assert shown.count('<details class="tetrate-of-prompt" open><summary dir="auto">1. one</summary><div') == 1
    start = " ".join(long.split())[:90].replace("<", "&lt;").replace(">", "&gt;")
    assert f'<details class="tetrate-of-prompt"><summary dir="auto">2. {start}</summary><p class="tetrate-raw"' in shown
    assert parts(shown, "p", "tetrate-raw") == [long.replace("<", "&lt;").replace(">", "&gt;")]


def test_a_long_prompt_is_cut_and_its_rest_counted() -> None:
    assert parts(body(made([row()], labels="a", prompts=("x" * 4_000,))), "p", "tetrate-raw") == ["x" * 4_000]
    (shown,) = parts(body(made([row()], labels="a", prompts=("x" * 6_001,))), "p", "tetrate-raw")
    assert shown == "x" * 4_000 + " … (2,001 more characters)"


def test_a_long_answer_is_cut_and_its_rest_counted() -> None:
    whole = body(made([row(text="x" * 20_000, reasoning="y" * 10_001)], labels="a"))
    assert "x" * 20_000 in whole
    assert "y" * 10_000 + "<" in whole
    assert parts(whole, "p", "tetrate-notice") == []
    cut = body(made([row(text="x" * 21_001)], labels="a"))
    assert "x" * 20_000 + "<" in cut
    assert parts(cut, "p", "tetrate-notice") == ["Cut here: 1,001 more characters are in result[&quot;a&quot;].rows."]
    shared = body(made([row(repeat=n, text=f"{n}" + "x" * 20_000) for n in range(16)], labels="a", repeats=16))
    assert "15" + "x" * 9_998 + "<" in shared
    assert parts(shared, "p", "tetrate-notice")[0].startswith("Cut here: 10,001 more")
    many = body(made([row(repeat=n, text=f"{n:03}" + "x" * 500) for n in range(600)], labels="a", repeats=600))
    assert "599" + "x" * 397 + "<" in many


def test_what_swells_is_shown_as_it_was_written() -> None:
    formulas = "$x^2$ " * 400
    shown = body(made([row(text=formulas)], labels="a"))
    assert f'<pre class="tetrate-raw" dir="auto">{formulas}</pre>' in shown
    assert "<math" in body(made([row(text="$x^2$")], labels="a"))  # a short one may swell


def test_after_an_interrupt_only_the_first_answers_are_rendered() -> None:
    rows = [row(text="**a**" * 1_000), row("c2", text="**b**" * 700)]
    shown = body(made(rows), at_once=True)
    assert "<strong>a</strong>" in shown
    assert "<strong>b</strong>" not in shown
    assert f'<pre class="tetrate-raw" dir="auto">{"**b**" * 700}</pre>' in shown
    assert "<strong>b</strong>" in body(made(rows))
    just = [row(text="**a**" * 1_000), row("c2", text="**b**" * 600)]
    assert "<strong>b</strong>" in body(made(just), at_once=True)


def test_prompts_without_room_are_left_out_and_counted() -> None:
    prompts = tuple(f"prompt {n}" for n in range(120))
    rows = [row(prompt=n, text="x" * 400, notices=("<&>" * 1_000,)) for n in range(120)]
    shown = body(made(rows, labels="a", prompts=prompts))
    assert len(shown) < MOST + 300
    kept = shown.count('class="tetrate-of-prompt"')
    assert 0 < kept < 119
    assert f". prompt {kept - 1}</summary>" in shown
    assert parts(shown, "p", "tetrate-notice")[-1] == (
        f"{120 - kept} prompts are left out here to keep the notebook small; result.df has every row."
    )
    all_but_one = body(made(rows[: kept + 1], labels="a", prompts=prompts[: kept + 1]))
    assert "1 prompt is left out here" in all_but_one
    assert "left out here" not in body(made(rows[:kept], labels="a", prompts=prompts[:kept]))


def test_a_page_may_have_400_000_characters_beside_its_stylesheet() -> None:
    def padded(size: int) -> str:
        rows = [row(), row(prompt=1, notices=("x" * size,))]
        return body(made(rows, labels="a", prompts=("one", "two")))

    bare = len(padded(1)) - 1 - len("</div>")  # the last end tag always has room
    full = padded(400_000 - bare)
    assert len(full) == 400_000 + len("</div>")
    assert "left out here" not in full
    assert "1 prompt is left out here" in padded(400_001 - bare)


def test_one_prompts_grid_has_all_columns() -> None:
    found = grid(made([row(text="one"), row("c1", prompt=1, text="two")], prompts=("x", "y")), 1)
    assert found.startswith('<div class="tetrate-grid"><section aria-label="a"><h4 dir="auto">a</h4>')
    assert "two" in found
    assert "one" not in found
    assert found.endswith('<section aria-label="b"><h4 dir="auto">b</h4></section></div>')


# --- a terminal --------------------------------------------------------------------------------------------------


def test_a_terminal_gets_the_whole_the_figures_and_the_answers() -> None:
    rows = [row(text="Hi **you**\n", **TIMED), row("c2", text="", state="failed", error="E", message="m\x1b[1m")]
    shown = text(made(rows, notices=("df:\ncut",)))
    head, table, notice, first, second = shown.split("\n\n") if shown.count("\n\n") == 4 else [shown] * 5
    assert head == "2 columns · 1 of 2 done, 1 failed · 1.50 s · ≈ $0.50"
    assert table.splitlines()[2].startswith("a      done")
    assert notice == "df: cut"
    assert first == "── a\nHi **you**"
    assert second.startswith("── b\n[E: m")
    assert "\x1b" not in shown
    leads = [row(text="Hi **you**", **TIMED), row("c2", **{**TIMED, "total": 3.0})]
    assert "\n\nFastest a (2.00 s); longest a (10 characters).\n\n" in text(made(leads))
    assert "Fastest" not in text(made(leads, is_blind=True))


def test_a_terminal_gets_the_beginning_of_long_answers_and_the_first_of_many() -> None:
    assert text(made([row(text="x" * 1_500)], labels="a")).endswith("── a\n" + "x" * 1_500)
    assert text(made([row(text="x" * 2_501)], labels="a")).endswith("x" * 1_500 + " … (1,001 more characters)")

    def many(count: int) -> str:
        return text(made([row(repeat=n, text=f"answer {n}") for n in range(count)], labels="a", repeats=count))

    assert many(12).endswith("── a (Repeat 12 of 12)\nanswer 11")
    assert many(14).endswith("answer 11\n\n2 more answers are in result.df.")
    several = made([row(prompt=n) for n in range(2)], labels="a", prompts=("x", "y"))
    assert text(several).endswith("\n\nThe 2 answers are in result.df.")
    assert "──" not in text(several).rpartition("\n\n")[2]


def test_rows_of_no_prompt_are_no_trouble() -> None:
    rows: list[Row] = []
    assert parts(body(made(rows)), "h4") == ["a", "b"]
    assert text(made(rows)).startswith("2 columns · 0 of 0 done")
