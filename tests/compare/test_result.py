"""What a comparison came to: frame, file, page, terminal, picture, diff and the cell that makes it again."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.compare.conftest import eventually
from tests.render.hostile import HOSTILE
from tests.render.page import FRAME, Page
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.data import Facts
from tetrate_jupyter.compare.exports import COLUMNS
from tetrate_jupyter.compare.figures import agreement, figures, leaders, merged, verdict
from tetrate_jupyter.compare.page import MOST
from tetrate_jupyter.compare.restoring import restored
from tetrate_jupyter.compare.result import LiveResult, Result
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.errors import ComparisonFileError, ConfigError, InputError, OptionError
from tetrate_jupyter.render.diff import diff_html, word_diff
from tetrate_jupyter.render.style import styled
from tetrate_jupyter.sandbox import Fault, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.face.session import Session


def made(
    rows: list[Row], prompts: tuple[str, ...] = ("hi",), labels: tuple[str, ...] = ("a", "b"), **more: Any
) -> Result:
    facts: dict[str, Any] = {
        "prompts": prompts, "images": (), "repeats": 1, "seed": 1, "params": (), "max_cost": None,
        "started_at": "2026-01-01T00:00:00+00:00", "seconds": 1.0, "spent": Decimal("0.5"), "unknown_costs": 0,
        "expected": Decimal("0.4"), "worst": Decimal(2),
    }  # fmt: skip
    heads = [Head(f"c{n}", label, label, label, "p") for n, label in enumerate(labels, 1)]
    return Result(Facts(**{**facts, **more}), heads, rows)


def row(column: str = "c1", repeat: int = 0, text: str = "x", **more: Any) -> Row:
    usual: dict[str, Any] = {
        "state": "done", "started": 0.0, "first_token": 1.0, "total": 2.0, "tokens_out": 11, "tokens_in": 3,
        "cost": Decimal("0.1"), "attempts": 1,
    }  # fmt: skip
    return Row(column, more.pop("prompt", 0), repeat, text=text, **{**usual, **more})


def test_after_an_interrupt_short_answers_are_rendered_and_long_ones_shown_as_they_were_written() -> None:
    short, long = "**short**", "- item\n" * 4_000
    shown = made([row("c1", text=short), row("c2", text=long)]).bundle(at_once=True)
    assert "<strong>short</strong>" in shown["text/html"]
    assert "<li>" not in shown["text/html"]
    assert "- item\n- item" in shown["text/html"]
    assert (
        made([row("c1", text=short)], labels=("a",)).bundle(at_once=True)["text/html"]
        == made([row("c1", text=short)], labels=("a",)).html
    )


def test_texts_of_very_many_lines_are_compared_in_linear_time_and_whole() -> None:
    one, other = "same\n" * 5_000 + "old\n" + "- item\n" * 100_000, "same\n" * 5_000 + "new\n" + "- item\n" * 100_000
    pieces = word_diff(one, other)
    assert [p.kind for p in pieces] == ["same", "removed", "added", "same"]
    assert "".join(p.text for p in pieces if p.kind != "added") == one
    assert "".join(p.text for p in pieces if p.kind != "removed") == other
    longer = word_diff(one, one + "- item\n" * 50_000)
    assert "".join(p.text for p in longer if p.kind != "removed") == one + "- item\n" * 50_000


# --- data ------------------------------------------------------------------------------------------------------


def test_the_frame_has_every_row_and_the_promised_columns(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("invalid-key", model="gpt-6-luna", times=None))
    frame = session.compare(["one", "two"], ["claude-haiku-4-5", "gpt-6-luna", "nope-nope"], repeats=2).df
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {n: t for n, (t, _) in COLUMNS.items()}
    assert len(frame) == 12
    assert frame.groupby("label")["state"].unique().map(list).to_dict() == {
        "claude-haiku-4-5": ["done"], "gpt-6-luna": ["failed"], "nope-nope": ["failed"],
    }  # fmt: skip
    assert frame.loc[frame.label == "nope-nope", ["model", "total_s", "cost_usd", "asked_at"]].isna().all().all()
    assert (frame.loc[frame.state == "done", "tokens_out"] > 0).all()
    assert frame.loc[frame.error == "InvalidKeyError", "next_step"].notna().all()


def test_a_column_by_label_or_id(session: Session) -> None:
    result = session.compare("What is 2 + 2?", ["claude-haiku-4-5", "claude-haiku-4-5"])
    assert result["claude-haiku-4-5 #2"].rows == result["c2"].rows != result["c1"].rows
    assert result["c1"].text.startswith("2 + 2 = **4**")
    with pytest.raises(OptionError, match="There is no column 'c3'"):
        result["c3"]


def test_identical_answers_are_merged_with_their_counts() -> None:
    rows = [row(repeat=n, text=t) for n, t in enumerate(["yes", "no", "yes ", "yes"])]
    assert [(m.row.text, m.repeats) for m in merged(rows)] == [("yes", (0, 2, 3)), ("no", (1,))]
    assert agreement(rows) == 0.75
    assert agreement(rows[:1]) is None


def test_leaders_are_named_and_ties_are_not() -> None:
    def said(*pairs: tuple[float, str]) -> list[str]:
        rows = [row(f"c{n}", total=t, cost=Decimal(c)) for n, (t, c) in enumerate(pairs, 1)]
        return leaders([figures(Head(r.column, r.column, r.column), [r]) for r in rows])

    assert said((2.0, "0.1"), (3.0, "0.2")) == ["fastest c1 (2.00 s)", "cheapest c1 (≈ $0.10)"]
    assert said((2.0, "0.1"), (2.05, "0.1")) == []
    assert said((2.0, "0"), (3.0, "0")) == ["fastest c1 (2.00 s)"]
    assert said((2.0, "0.1")) == []
    several = [
        figures(Head(c, c, c), [row(c, prompt=n, total=t) for n in range(3)]) for c, t in (("a", 2.0), ("b", 9.0))
    ]
    assert leaders(several)[0] == "fastest a (2.00 s, the median of 3 answers)"
    half = [
        figures(Head("c1", "a", "a"), [row()]),
        figures(Head("c2", "b", "b"), [row("c2", state="failed", total=0.1)]),
    ]
    assert leaders(half) == []


def test_a_lead_within_the_noise_of_a_model_against_itself_is_none() -> None:
    def said(*pairs: tuple[str, float]) -> list[str]:
        return verdict(
            [
                figures(Head(f"c{n}", f"{m} #{n}", m), [row(f"c{n}", total=t, cost=Decimal(1), text="x" * 100)])
                for n, (m, t) in enumerate(pairs)
            ]
        )

    apart = "chance (a against itself): 1.00 s of time"
    assert said(("a", 2.0), ("a", 3.0), ("b", 2.9)) == [apart]
    assert said(("b", 9.0), ("a", 2.0), ("a", 3.0)) == ["fastest a #1 (2.50 s)", apart]
    assert said(("a", 2.0), ("a", 3.0)) == [apart]
    assert said(("a", 2.0), ("b", 2.9)) == ["fastest a #0 (2.00 s)"]


def test_an_unknown_cost_crowns_nobody_cheapest() -> None:
    one = figures(Head("c1", "a", "a"), [row(total=1.0)])
    other = figures(Head("c2", "b", "b"), [row("c2", total=9.0, cost=None)])
    assert leaders([one, other]) == ["fastest a (1.00 s)"]
    assert (other.cost, other.unknown_costs) == (None, 1)


def test_speed_leaves_the_waiting_out() -> None:
    assert row(first_token=1.0, total=2.0, tokens_out=11).speed == 10
    assert row(first_token=None, total=2.0).speed is None


def test_a_difference_is_of_the_prompt_and_repeat_asked_for() -> None:
    places = [(prompt, repeat) for prompt in (0, 1) for repeat in (0, 1)]
    rows = [row(c, n, f"{c} {p} {n}", prompt=p) for c in ("c1", "c2") for p, n in places]
    result = made(rows, ("one", "two"), repeats=2)

    def sides(*where: int, **named: int) -> tuple[str, str]:
        pieces = result.diff("a", "b", *where, **named)
        return tuple("".join(p.text for p in pieces if p.kind != other) for other in ("added", "removed"))  # type: ignore[return-value]

    assert sides() == ("c1 0 0", "c2 0 0")
    assert sides(1) == ("c1 1 0", "c2 1 0")
    assert sides(repeat=1) == ("c1 0 1", "c2 0 1")
    assert sides(1, 1) == ("c1 1 1", "c2 1 1")
    with pytest.raises(OptionError, match=r"There is no prompt 2 with repeat 1\.") as caught:
        result.diff("a", "b", 2, 1)
    assert caught.value.next_step == "see result.df"


def test_its_votes_are_added_up() -> None:
    rows = [row(c, prompt=n, vote="best" if c == "c1" else None) for n in range(6) for c in ("c1", "c2")]
    assert made(rows, ("q",) * 6).tally.claim == "Preferred, beyond chance: a over b."
    assert made(rows[:1]).tally.claim == ""


# --- going on ---------------------------------------------------------------------------------------------------


def test_it_goes_on_from_the_prompt_and_repeat_asked_for(session: Session) -> None:
    result = session.compare(["My number is 4711.", "My number is 1234."], "claude-haiku-4-5,gpt-6-luna", repeats=2)
    for prompt, repeat in ((0, 0), (1, 0), (1, 1)):
        branch = result.continue_with("gpt-6-luna", prompt, repeat)
        assert session.conversation.branch == branch
        (exchange,) = session.history
        assert exchange.user.content == result.facts.prompts[prompt]
        wanted = [r.text for r in result["gpt-6-luna"].rows if (r.prompt, r.repeat) == (prompt, repeat)]
        assert [exchange.answer] == wanted
    assert session.model == "gpt-6-luna"
    assert result.continue_with("gpt-6-luna") == result.continue_with("c2", 0, 0)
    on = result.follow_up("What is my number?")
    assert [r.column for r in on.rows] == ["c1", "c2"]
    assert all("4711" in r.text for r in on.rows)
    on = result.follow_up("What is my number?", after=1)
    assert all("1234" in r.text for r in on.rows)
    assert {r.state for r in on.rows} == {"done"}


def test_a_column_or_all_that_failed_is_asked_again(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("bad-request", times=None))
    result = session.compare("hello", ["claude-haiku-4-5", "gpt-6-luna"])
    assert [r.state for r in result.rows] == ["failed", "failed"]
    router.clear_faults()
    assert [r.state for r in result.retry("gpt-6-luna").rows] == ["failed", "done"]
    assert [r.state for r in result.retry().rows] == ["done", "done"]
    assert [r.state for r in result.rows] == ["failed", "failed"]  # it stays as it was


def test_a_live_result_is_what_there_is_and_can_be_stopped(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-stall", after_chunks=1, times=None))
    running = session.bridge.run(prepare(session, ["one", "two"], ["claude-haiku-4-5", "gpt-6-luna"], repeats=1))
    live = LiveResult(running)
    running.start()
    assert live.is_running
    with pytest.raises(asyncio.TimeoutError):  # another one than Python's own before 3.11
        live.wait(timeout=0.01)
    eventually(lambda: all(r.text for r in live.rows))
    early = live.result
    assert [r.state for r in early.rows] == ["running"] * 4
    assert (live.heads, live.comparison) == (early.heads, running)
    live.stop()
    assert {r.state for r in live.wait().rows} == {"stopped"}
    assert not live.is_running
    assert live.facts == running.result.facts
    assert [r.state for r in early.rows] == ["running"] * 4


def test_hidden_names_are_those_of_the_comparison(session: Session) -> None:
    result = session.compare("hello", ["claude-haiku-4-5", "gpt-6-luna"], blind=True, seed=3)
    comparison = result.comparison
    assert comparison is not None
    comparison.remove("c1")
    names = {h.id: h.label for h in comparison.result.blind().shown.heads}
    assert names == {"c2": "B"}  # as before the other one was removed; alone it would be "A"
    assert {h.label for h in made([row("c1"), row("c2")]).blind().shown.heads} == {"A", "B"}


# --- file ------------------------------------------------------------------------------------------------------


def test_a_saved_comparison_comes_back_as_it_was(session: Session, router: SandboxRouter, tmp_path: Path) -> None:
    router.inject(Fault("stream-cut", model="gpt-6-luna", after_chunks=1))
    models = ["claude-haiku-4-5", {"model": "gpt-6-luna", "temperature": 0, "label": "cold"}, "nope-nope"]
    result = session.compare(["a haiku about the sea", "b"], models, repeats=2, max_cost=5, max_tokens=300)
    path = result.save(tmp_path / "sub.json")
    again = Result.load(str(path))
    assert (again.facts, again.heads, again.rows) == (result.facts, result.heads, result.rows)
    assert again.html == result.html
    assert again.code == result.code
    assert list(tmp_path.glob("*.json")) == [path]
    assert session.bridge.run(session.account.key()).reveal() not in path.read_text()
    for go_on in (again.retry, lambda: again.continue_with("c1"), lambda: again.follow_up("And?")):
        with pytest.raises(InputError, match="loaded from a file") as caught:
            go_on()
        assert caught.value.next_step == "run it again: print(result.code) shows the cell"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t[: len(t) // 2], "truncated"),
        (lambda _: "", "truncated"),
        (lambda t: t.replace('"version": 1', '"version": 2'), "version 2; this package reads version 1"),
        (lambda t: t.replace("tetrate-comparison", "other"), "isn't a saved comparison"),
        (lambda _: "[1]", "isn't a saved comparison"),
        (lambda t: t.replace('"rows"', '"lines"'), "parts missing"),
        (lambda t: t.replace('"cost": "0.1"', '"cost": "dear"'), "parts missing"),
        (lambda t: t.replace('"cost": "0.1"', '"cost": "NaN"'), "parts missing"),
        (lambda t: t.replace('"cost": "0.1"', '"cost": "1e60"'), "parts missing"),
        (lambda t: t.replace('"attempts": 1', '"attempts": "many"'), "parts missing"),
        (lambda t: t.replace('"total": 2.0', '"total": Infinity'), "parts missing"),
        (lambda t: t.replace('"column": "c1"', '"column": "c9"'), "parts missing"),
        (lambda t: t.replace('"typed": null', '"typed": 7'), "parts missing"),
    ],
)
def test_a_file_that_cant_be_used_says_why(tmp_path: Path, change: Any, words: str) -> None:
    path = made([row(), row("c2")]).save(tmp_path / "c.json")
    path.write_text(change(path.read_text()))
    with pytest.raises(ComparisonFileError, match=words):
        Result.load(path)


def test_a_newer_version_with_more_fields_still_loads_what_it_knows(tmp_path: Path) -> None:
    path = made([row()], labels=("a",)).save(tmp_path / "c.json")
    whole = json.loads(path.read_text())
    whole["rows"][0]["later"] = 1
    path.write_text(json.dumps(whole))
    assert Result.load(path).rows[0].text == "x"
    whole["rows"][0]["asked_at"] = "\x1b]52;c;aGk=\x07"
    path.write_text(json.dumps(whole))
    assert Result.load(path).df["asked_at"].isna().any()


def test_what_was_typed_is_in_the_file_and_older_files_are_read_without(session: Session, tmp_path: Path) -> None:
    typed, sent = "Which is best in {table}?", "Which is best in [7, 8]?"
    running = session.bridge.run(prepare(session, sent, "gpt-6-luna", as_typed=typed))
    running.start()
    path = running.wait().save(tmp_path / "c.json")
    loaded = Result.load(path)
    assert (loaded.facts.typed, loaded.facts.prompts) == (typed, (sent,))
    again = restored(session, loaded)
    assert again.setup.as_typed == typed
    assert [e.user.typed for e in again.conversation("gpt-6-luna").exchanges] == [typed]
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole["comparison"]["prompts"] *= 2
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ComparisonFileError, match="parts missing"):  # it would be one text for two
        Result.load(path)
    del whole["comparison"]["typed"]
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert Result.load(path).facts.typed is None


def test_places_that_cant_be_read_or_written_say_so(tmp_path: Path) -> None:
    with pytest.raises(ComparisonFileError, match="can't be read"):
        Result.load(tmp_path / "nowhere.json")
    with pytest.raises(ComparisonFileError, match="can't be written"):
        made([row()]).save(tmp_path / "nowhere" / "c.json")


# --- page and terminal -----------------------------------------------------------------------------------------


_CLASS = re.compile("[a-z0-9-]+( [a-z0-9_-]+)*")
_BAR = re.compile(
    r"margin-left:[0-9.]+%;width:[0-9.]+%;display:inline-block;height:\.8em;min-width:1px;vertical-align:middle;"
    r"background-color:rgba\(128,128,128,\.(35|95)\)"
)
_STANDS = re.compile("text-align:left(;width:50%;white-space:nowrap)?")
_OURS = {"class": _CLASS, "dir": re.compile("auto|ltr"), "role": re.compile("list|listitem|region")}
PAGE = {
    **FRAME,
    "details": {"class": _CLASS, "open": re.compile("")},
    "summary": _OURS,
    "section": {"aria-label": re.compile(".*", re.DOTALL)},
    "h4": _OURS,
    "p": _OURS,
    "div": {**FRAME["div"], **_OURS, "style": re.compile("overflow-wrap:break-word;overflow-x:auto")},
    "ins": {},
    "span": {**FRAME["span"], **_OURS, "style": _BAR},
    "table": {**FRAME["table"], "class": re.compile("tetrate-bars"), "style": re.compile("width:100%")},
    "td": {**FRAME["td"], "style": _STANDS, "aria-hidden": re.compile("true")},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text_everywhere(name: str) -> None:
    attack = HOSTILE[name]
    told = {"error": "E", "message": attack, "next_step": attack, "request_id": attack, "notices": (attack,)}
    rows = [row(text=attack, reasoning=attack), row("c2", text=attack, state="failed", model=attack, **told)]
    result = made(rows, prompts=(attack,), labels=(attack[:400], attack[:400] + "2"))
    html = result.html
    _, _, body = html.partition("</style>")
    assert Page(body, PAGE).faults == []
    assert html == styled(body)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", result.text)
    assert Page(diff_html(result.diff("c1", "c2")), {"ins": {}, "del": {}}).faults == []


def test_the_page_says_every_number_and_error() -> None:
    rows = [row(text="**bold**"), row("c2", state="failed", text="half", partial=True, error="StreamCutError",
            message="It was cut.", next_step="ask again", request_id="req-1", retries=2, retry_wait=1.5)]  # fmt: skip
    page = made(rows, labels=("model-a", "model-b")).html
    for words in ("<strong>bold</strong>", "StreamCutError: It was cut. Next: ask again.", "Request id: req-1", "half",
                  "1 of 2 done, 1 failed", "≈ $0.50 (estimated ≈ $0.40, at most ≈ $2.00)",
                  "waiting 1.00\xa0s, writing 1.00\xa0s", "sent 3 times (waited 1.50 s between)"):  # fmt: skip
        assert words in page


def test_the_page_is_bounded_and_says_what_was_cut() -> None:
    page = made([row(text="long " * 30_000), row("c2", text="`code` $x^2$ " * 3_000)]).html
    assert len(page) < MOST * 1.1
    assert "Cut here: 130,000 more characters" in page
    prompts = tuple(f"prompt {n} " + "p" * 300 for n in range(1000))
    many = made(
        [row(c, prompt=n, text="answer " * 99) for n in range(1000) for c in ("c1", "c2")], prompts=prompts
    ).html
    assert len(many) < MOST * 1.1
    assert "prompts are left out here" in many


def test_repeats_fold_and_a_stopped_or_empty_cell_says_so() -> None:
    rows = [row(repeat=n, text="same") for n in range(3)]
    rows += [row("c2", 0, "", state="stopped"), row("c2", 1, ""), row("c2", 2, "", state="waiting", total=None)]
    page = made(rows, repeats=3).html
    for words in (
        "3 of 3 the same (repeats 1, 2, 3)",
        "Stopped before any text",
        "The answer is empty",
        "Not over yet",
    ):
        assert words in page


def test_the_terminal_gets_table_and_answers() -> None:
    rows = [row(text="first answer"), row("c2", text="y" * 5000)]
    text = made(rows, labels=("model-a", "model-b")).text
    assert "model-a" in text
    assert "first answer" in text
    assert "(3,500 more characters)" in text
    several = made([row(prompt=n) for n in range(2)], prompts=("a", "b"), labels=("m",)).text
    assert "The 2 answers are in result.df." in several


def test_the_plot_shows_its_three_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    figure = made([row(), row("c2", total=4.0, cost=None), row("c3", state="failed")], labels=("a", "$b$", "c")).plot()
    assert [axes.get_title() for axes in figure.axes] == ["Cost against time", "Time", "Length"]
    figure.canvas.draw()


@pytest.mark.parametrize(("module", "use"), [("pandas", "df"), ("matplotlib.pyplot", "plot")])
def test_what_isnt_installed_is_said(monkeypatch: pytest.MonkeyPatch, module: str, use: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = made([row()])
    with pytest.raises(ConfigError, match="needs"):
        result.plot() if use == "plot" else result.df


# --- diff and recipe -------------------------------------------------------------------------------------------

PAIRS = [
    ("", ""),
    ("a b c", "a x c"),
    ("", "new"),
    ("The same.\nTwo lines.", "The same.\nTwo other lines."),
    ("word " * 4000, "word " * 3990 + "end"),
    ("ü 世界 👩🏽‍🔬", "ü 世界! 👩🏽‍🔬"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=range(len(PAIRS)))
def test_a_diff_holds_both_texts_whole(one: str, other: str) -> None:
    pieces = word_diff(one, other)
    assert "".join(p.text for p in pieces if p.kind != "added") == one
    assert "".join(p.text for p in pieces if p.kind != "removed") == other


def test_a_diff_is_by_words() -> None:
    assert word_diff("it is red", "it is green") == (("same", "it is "), ("removed", "red"), ("added", "green"))
    assert diff_html(word_diff("a <b>", "a <i>")) == "a &lt;<del>b</del><ins>i</ins>&gt;"
    assert made([row(text="x y"), row("c2", text="x z")]).diff("a", "b")[0] == ("same", "x ")


def test_the_recipe_makes_the_comparison_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    models = ["claude-haiku-4-5", "claude-haiku-4-5", {"model": "gpt-6-luna", "temperature": 0.5, "label": "cold"}]
    first = session.compare(['it\'s "one"\n', "two {x}"], models, repeats=2, max_cost=5, seed=99, max_tokens=50)
    import tetrate_jupyter

    monkeypatch.setattr(tetrate_jupyter, "session", session, raising=False)
    namespace: dict[str, Any] = {}
    exec(first.code, namespace)
    again = namespace["result"]
    assert again.heads == first.heads
    assert [(r.column, r.prompt, r.repeat, r.text) for r in again.rows] == [
        (r.column, r.prompt, r.repeat, r.text) for r in first.rows
    ]
    assert again.code == first.code


def test_the_recipe_names_what_it_cant_hold(session: Session) -> None:
    def weather(city: str) -> str:
        """Tell the weather."""
        return f"Sun in {city}."

    session.ask("Earlier.")
    code = session.compare("hello", "claude-haiku-4-5", tools=[weather], history=True).code
    assert "# Pass tools= as well" in code
    assert "earlier exchanges" in code
