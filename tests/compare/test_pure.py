"""Columns, figures in words, differences, hidden names and the cell that makes it again: a comparison as values."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.compare import columns as listed
from tetrate_jupyter.compare import facts
from tetrate_jupyter.compare.columns import (
    MAX_COLUMNS,
    Column,
    ColumnRequest,
    column_requests,
    columns_of,
    neighbours,
    numbered,
)
from tetrate_jupyter.compare.data import Facts
from tetrate_jupyter.compare.exports import recipe
from tetrate_jupyter.compare.figures import Merged, figures
from tetrate_jupyter.compare.result import REVEAL, UNTOLD, Blind, Result
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.errors import OptionError, UnknownModelError
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.render.diff import Piece, diff_html, word_diff
from tetrate_jupyter.types import Model, Price

FACTS: dict[str, Any] = {
    "prompts": ("hi",), "images": (), "repeats": 1, "seed": 7, "params": (), "max_cost": None,
    "started_at": "2026-01-01T00:00:00+00:00", "seconds": 1.5, "spent": Decimal("0.5"), "unknown_costs": 0,
    "expected": None, "worst": None,
}  # fmt: skip


def model(identity: str, cost: str | None = "1", **members: Any) -> Model:
    price = None if cost is None else Decimal(cost)
    return Model(identity, identity, price=Price(price, price), **members)


def made(rows: list[Row], labels: str = "ab", *, is_blind: bool = False, **more: Any) -> Result:
    heads = [Head(f"c{n}", label, label) for n, label in enumerate(labels, 1)]
    return Result(Facts(**{**FACTS, **more}), heads, rows, is_blind=is_blind)


def row(column: str = "c1", state: str = "done", **members: Any) -> Row:
    return Row(column, members.pop("prompt", 0), members.pop("repeat", 0), state, **{"text": "x", **members})


# --- columns ----------------------------------------------------------------------------------------------------

LISTED = ModelList([
    model("claude-a", mode="chat"), model("claude-b", mode="responses"), model("claude-c", mode="embedding"),
    model("gpt-a", mode="completion"), model("gpt-b"),
])  # fmt: skip


def test_what_may_be_given_for_columns() -> None:
    assert column_requests(None) == []
    assert column_requests(" a, b ,,c") == [ColumnRequest("a"), ColumnRequest("b"), ColumnRequest("c")]
    assert column_requests(LISTED[0]) == [ColumnRequest("claude-a")]
    assert column_requests([LISTED[0], "b,c", {"model": " d "}]) == [
        ColumnRequest("claude-a"),
        ColumnRequest("b"),
        ColumnRequest("c"),
        ColumnRequest("d"),
    ]
    full = {"model": LISTED[0], "label": 5, "history": [], "temperature": 0}
    assert column_requests(full) == [ColumnRequest("claude-a", {"temperature": 0}, (), "5")]
    assert full["label"] == 5
    assert column_requests({"model": "a", "history": Conversation()}) == [ColumnRequest("a")]
    assert [ColumnRequest(w).is_pattern for w in ("a", "a~", "a*", "a?", "[ab]")] == [False, False, True, True, True]


@pytest.mark.parametrize("given", [5, {}, {"model": " "}, {"model": 5}])
def test_what_may_not_be_given_for_columns(given: object) -> None:
    with pytest.raises(OptionError) as caught:
        column_requests(given)
    assert "claude-haiku-4-5" in caught.value.next_step


@pytest.mark.parametrize("name", ["images", "keep", "cell_id", "replaces", "typed"])
def test_what_no_column_has_of_its_own(name: str) -> None:
    with pytest.raises(OptionError, match=name):
        column_requests({"model": "a", name: 1})


def test_columns_in_the_order_asked_for() -> None:
    wanted = [
        ColumnRequest("gpt-b", {"seed": 1}, label="mine"),
        ColumnRequest("claude-*", {"seed": 2}),
        ColumnRequest("GPT-B"),
        ColumnRequest("no-such"),
    ]
    columns = columns_of(wanted, LISTED)
    assert [(c.id, c.label, c.asked, c.params) for c in columns] == [
        ("c1", "mine", "gpt-b", {"seed": 1}), ("c2", "claude-a", "claude-a", {"seed": 2}),
        ("c3", "claude-b", "claude-b", {"seed": 2}), ("c4", "gpt-b", "gpt-b", {}), ("c5", "no-such", "no-such", {}),
    ]  # fmt: skip
    assert [c.model and c.model.id for c in columns] == ["gpt-b", "claude-a", "claude-b", "gpt-b", None]
    assert [type(c.problem) for c in columns] == [type(None)] * 4 + [UnknownModelError]
    longer = ModelList([*LISTED, model("gpt-bb")])
    assert [c.asked for c in columns_of([ColumnRequest("gpt-b")], longer)] == ["gpt-b"]
    assert Column("c1", "a", "a") == Column("c1", "a", "a", problem=OptionError("no", next_step="so"))
    assert [c.label for c in columns_of([ColumnRequest("gpt-*", label="all")], LISTED)] == ["all", "all #2"]


def test_where_nothing_fits_that_is_the_error() -> None:
    with pytest.raises(UnknownModelError) as caught:
        columns_of([ColumnRequest("claude-x*"), ColumnRequest("zz")], LISTED)
    assert caught.value.message == "No model fits 'claude-x*' in this key's list of 5."
    assert caught.value.next_step.startswith("use 'claude-a' or")
    with pytest.raises(UnknownModelError) as caught:
        columns_of([ColumnRequest("zzzz*")], LISTED)
    assert caught.value.next_step == "list them with %tetrate_models"
    partly = columns_of([ColumnRequest("zzzz*", label="mine"), ColumnRequest("gpt-b")], LISTED)
    assert [(c.label, c.asked, c.model is None) for c in partly] == [("mine", "zzzz*", True), ("gpt-b", "gpt-b", False)]
    assert columns_of([], LISTED) == ()


def test_fifty_columns_are_the_most() -> None:
    assert MAX_COLUMNS == 50
    assert len(columns_of([ColumnRequest("gpt-b")] * 50, LISTED)) == 50
    with pytest.raises(OptionError, match="'gpt-b' there are 51 columns; a comparison takes at most 50"):
        columns_of([ColumnRequest("gpt-b")] * 51, LISTED)


@pytest.mark.parametrize(
    ("labels", "right"),
    [
        ("a b", "a b"), ("a a a", "a a_#2 a_#3"), ("a a_#2 a", "a a_#2 a_#3"), ("a a a_#2", "a a_#2 a_#2_#1"),
    ],
)  # fmt: skip
def test_no_two_columns_have_one_label(labels: str, right: str) -> None:
    columns = numbered(Column("", label.replace("_", " "), "m") for label in labels.split())
    assert [c.label for c in columns] == [label.replace("_", " ") for label in right.split()]
    assert [c.id for c in columns] == [f"c{n}" for n in range(1, len(columns) + 1)]


def test_a_label_of_ones_own() -> None:
    pairs = [("m", "m"), ("m #2", "m"), ("m #x", "m"), ("mine", "m"), ("mine #2", "m")]
    assert [listed.own_label(*pair) for pair in pairs] == [None, None, "m #x", "mine", "mine #2"]


OWN = model("own", "2", provider="p")


@pytest.mark.parametrize(
    ("others", "right"),
    [
        ([model("own", provider="q"), model("a", "2", provider="q"), model("b", "3", provider="r")], "ab"),
        ([model("a", "9", provider="q"), model("b", "3", provider="r"), model("c", "0.1", provider="s")], "ba"),
        ([model("a", "2", provider="p"), model("b", "9", provider="q"), model("c", "9", provider="q")], "ba"),
        ([model("b", provider="q"), model("a", provider="r"), model("c", "1", provider="s")], "ab"),
        ([model("a", provider="q", mode="embedding"), model("b", provider="q", mode="chat")], "b"),
        ([model("a", provider="q", tools=False), model("b", provider="q", tools=True)], "b"),
        ([model("a", provider="q", deprecated=True), model("b", provider="q", preview=True)], ""),
        ([model("a", None, provider="q"), model("b", "0", provider="q")], ""),
        ([model("a", provider="q", images=False)], "a"),
    ],
)
def test_neighbours(others: list[Model], right: str) -> None:
    assert "".join(m.id for m in neighbours(OWN, others)) == right


def test_neighbours_of_a_model_of_unknown_price_are_cheap_and_take_images_where_asked() -> None:
    others = [model("a", "9", provider="q"), model("b", "1", provider="r"), model("c", "2", provider="s", images=False)]
    assert [m.id for m in neighbours(model("own", None), others)] == ["b", "c"]
    assert [m.id for m in neighbours(model("own", None), others, images=True)] == ["b", "a"]


# --- the figures in words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "more", "right"),
    [
        ([row(), row("c2")], {}, "2 columns · 2 of 2 done · 1.50 s · ≈ $0.50"),
        ([row()], {"labels": "a"}, "1 column · 1 of 1 done · 1.50 s · ≈ $0.50"),
        (
            [row(), row("c2", "failed"), row("c2", "failed"), row(state="stopped")],
            {"prompts": ("a", "b"), "repeats": 2, "unknown_costs": 1},
            "2 columns · 2 prompts · 2 repeats · 1 of 4 done, 2 failed, 1 stopped · 1.50 s · cost unknown",
        ),
        ([], {"is_blind": True}, "2 columns · 0 of 0 done · names hidden, in the order of seed 7"),
        (
            [row()], {"worst": Decimal(2), "expected": Decimal("0.4"), "unknown_costs": 3},
            "2 columns · 1 of 1 done · 1.50 s · ≈ $0.50, 3 of unknown cost (estimated ≈ $0.40, at most ≈ $2.00)",
        ),
        (
            [row()], {"worst": Decimal(2), "expected": None},
            "2 columns · 1 of 1 done · 1.50 s · ≈ $0.50 (estimated ≈ unknown, at most ≈ $2.00)",
        ),
    ],
)  # fmt: skip
def test_headlines(rows: list[Row], more: dict[str, Any], right: str) -> None:
    assert facts.headline(made(rows, **more)) == right


TIMED: dict[str, Any] = {"first_token": 1.0, "total": 2.0, "tokens_out": 11, "cost": Decimal("0.1"), "attempts": 1}
SLOW = {**TIMED, "first_token": 2.0, "total": 4.0, "tokens_out": 41, "cost": Decimal("0.2")}


def cells(rows: list[Row], **more: Any) -> list[tuple[str, ...]]:
    result = made(rows, labels="a", **more)
    return list(facts.table([figures(result.heads[0], rows)], result).rows)


def test_the_table_of_figures() -> None:
    assert cells([row(**TIMED)]) == [("a", "done", "1.00 s", "2.00 s", "10", "11", "≈ $0.10")]
    assert cells([row(**TIMED), row(repeat=1, **SLOW)], repeats=2) == [
        ("a", "2 done", "1.50 s (1.00 s to 2.00 s)", "3.00 s (2.00 s to 4.00 s)", "15", "26", "≈ $0.30")
    ]
    assert cells([row(**TIMED), row(prompt=1, **TIMED)], prompts=("a", "b"))[0][2] == "1.00 s"
    assert cells([row(state="failed")]) == [("a", "failed", "", "", "", "", "")]
    assert cells([row(state="failed", attempts=1)])[0][-1] == "unknown"
    mixed = [row(**TIMED), row(state="stopped", attempts=1), row(state="running"), row(state="failed")]
    assert cells(mixed, repeats=4)[0][1] == "1 done, 1 failed, 1 stopped, 1 not over"
    assert cells(mixed, repeats=4)[0][-1] == "≈ $0.10, 1 unknown"
    assert cells(mixed[2:3])[0][1] == "not over"
    assert cells([row(**TIMED)], is_blind=True) == [("a", "done")]
    assert cells([row(**TIMED)] * 2, is_blind=True) == [("a", "2 done")]
    titles = [c.title for c in facts.table([], made([])).columns]
    assert all(c.hint for c in facts.table([], made([])).columns if c.title not in {"model", "state"})
    assert titles == ["model", "state", "first token", "total", "tokens/s", "tokens", "cost"]
    assert [c.title for c in facts.table([], made([], is_blind=True)).columns] == ["model", "state"]


def test_one_prompt_of_a_column_in_a_line() -> None:
    both = figures(Head("c1", "a", "a"), [row(**TIMED), row(repeat=1, **SLOW)])
    assert facts.digest(both, 0.5) == "2 done · 50% the same · 3.00 s (2.00 s to 4.00 s) · ≈ $0.30"
    assert facts.digest(both, None) == "2 done · 3.00 s (2.00 s to 4.00 s) · ≈ $0.30"
    assert facts.digest(both, 1.0, blind=True) == "2 done · 100% the same"
    assert facts.digest(figures(Head("c1", "a", "a"), [row(state="failed")]), None) == "failed"


def test_sentences_and_repeats() -> None:
    assert facts.sentence(["fastest a", "cheapest b"]) == "Fastest a; cheapest b."
    assert facts.repeats(Merged(row(), (1,)), 3) == "Repeat 2 of 3"
    assert facts.repeats(Merged(row(), (0, 2)), 3) == "2 of 3 the same (repeats 1, 3)"
    many = facts.repeats(Merged(row(), tuple(range(21))), 30)
    assert many.endswith("19, 20, …)")
    assert facts.repeats(Merged(row(), tuple(range(20))), 30).endswith("19, 20)")


@pytest.mark.parametrize(
    ("members", "right"),
    [
        ({}, []), ({"notices": ("n",)}, ["n"]),
        ({"state": "failed", "error": "E", "message": "m", "next_step": "s", "request_id": "i"},
         ["E: m Next: s.", "Request id: i"]),
        ({"state": "failed", "error": "E", "message": "m", "notices": ("n", "x: this is part of an answer.")}, ["n",
        "E: m"]),
        ({"state": "stopped", "text": ""}, ["Stopped before any text came."]), ({"state": "stopped"}, []),
        ({"text": " "}, ["The answer is empty."]), ({"state": "waiting"}, ["Not over yet."]),
        ({"state": "running"}, ["Not over yet."]), ({"state": "skipped"}, []),
    ],
)  # fmt: skip
def test_what_a_reader_must_know(members: dict[str, Any], right: list[str]) -> None:
    assert facts.notices(row(**members)) == right


@pytest.mark.parametrize(
    ("members", "right"),
    [
        ({}, ""),
        ({"total": 2.0}, "total 2.00 s · cost unknown"),
        ({**TIMED, "tokens_in": 1234}, "first token 1.00 s, total 2.00 s · 1,234 → 11 tokens · 10 tokens/s · ≈ $0.10"),
        ({"total": 2.0, "tokens_in": 3}, "total 2.00 s · 3 → ? tokens · cost unknown"),
        ({"total": 2.0, "tokens_out": 3}, "total 2.00 s · ? → 3 tokens · cost unknown"),
        ({"total": 2.0, "retries": 2, "retry_wait": 3.0, "attempts": 1},
         "total 2.00 s · cost unknown · sent 3 times (waited 3.00 s between)"),
        ({"total": 2.0, "attempts": 2}, "total 2.00 s · cost unknown · attempt 2"),
    ],
)  # fmt: skip
def test_the_quiet_line(members: dict[str, Any], right: str) -> None:
    assert facts.line(row(**members)) == right


# --- differences ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "right"),
    [
        ("", "", []), ("a", "a", [("same", "a")]), ("a", "", [("removed", "a")]), ("", "a", [("added", "a")]),
        ("a b c", "a x c", [("same", "a "), ("removed", "b"), ("added", "x"), ("same", " c")]),
        ("a, b", "a; b", [("same", "a"), ("removed", ","), ("added", ";"), ("same", " b")]),
        ("word", "words", [("removed", "word"), ("added", "words")]),
    ],
)  # fmt: skip
def test_differences_word_by_word(one: str, other: str, right: list[tuple[Any, str]]) -> None:
    assert list(word_diff(one, other)) == [Piece(*each) for each in right]


def test_long_texts_by_lines_and_longer_ones_by_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "a b\nc d\ne", "a b\nx d\ne"
    by_lines = [("same", "a b\n"), ("removed", "c d\n"), ("added", "x d\n"), ("same", "e")]
    assert list(word_diff(one, other)) != by_lines
    monkeypatch.setattr("tetrate_jupyter.render.diff._MOST", 81)
    assert list(word_diff(one, other)) != by_lines
    for most in (9, 80):
        monkeypatch.setattr("tetrate_jupyter.render.diff._MOST", most)
        assert list(word_diff(one, other)) == by_lines
    monkeypatch.setattr("tetrate_jupyter.render.diff._MOST", 8)
    assert list(word_diff(one, other)) == by_lines
    crossed = word_diff("1\n2\n3\n4\n5", "1\n3\n2\n4\n5")
    assert [p.kind for p in crossed] == ["same", "removed", "added", "same"]
    assert [p.text for p in crossed] == ["1\n", "2\n3\n", "3\n2\n", "4\n5"]
    assert word_diff("1\n2\n3", "1\n2\n2\n3") == (Piece("same", "1\n2\n"), Piece("added", "2\n"), Piece("same", "3"))
    assert word_diff("1\n2\n3", "1\n2\n3") == (Piece("same", "1\n2\n3"),)


def test_lines_that_share_little_are_told_as_a_whole_and_others_by_their_words() -> None:
    one = "def is_prime(n):\n    if n < 2:\n        return False\n    return True\n\nprint(is_prime(7))\n"
    other = "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, n))\n\nprint(is_prime(11))\n"
    assert [tuple(piece) for piece in word_diff(one, other)] == [
        ("same", "def is_prime(n):\n"),
        ("removed", "    if n < 2:\n        return False\n    return True\n"),
        ("added", "    return n > 1 and all(n % d for d in range(2, n))\n"),
        ("same", "\nprint(is_prime("),
        ("removed", "7"),
        ("added", "11"),
        ("same", "))\n"),
    ]


def test_differences_for_a_page() -> None:
    pieces = [Piece("same", "a<"), Piece("removed", "b<"), Piece("added", "c<")]
    assert diff_html(pieces) == "a&lt;<del>b&lt;</del><ins>c&lt;</ins>"


# --- hidden names -----------------------------------------------------------------------------------------------


def test_what_would_tell_the_names_is_hidden() -> None:
    full = row("c1", **TIMED, reasoning="r", partial=True, refusal="no", model="a", request_id="i", notices=("n",))
    failed = row("c2", "failed", error="RateLimitError", message="a said no", next_step="s", text="")
    blind = Blind(made([full, failed]), {"c2": "A", "c1": "B", "c9": "C"})
    assert [(h.id, h.label, h.asked, h.model) for h in blind.shown.heads] == [
        ("c2", "A", "A", None), ("c1", "B", "B", None),
    ]  # fmt: skip
    assert blind.shown.rows == (
        Row("c1", 0, 0, "done", "x", "r", True, refusal="no"),
        Row("c2", 0, 0, "failed", error="Failed", message=f"{UNTOLD}.", next_step=REVEAL),
    )
    assert blind.shown.is_blind
    assert blind.html == blind.shown.html
    assert blind.text == blind.shown.text == repr(blind)
    assert blind.bundle() == blind._repr_mimebundle_() == blind.shown.bundle()
    long = Blind(made([row(text="- item\n" * 4_000)]))
    assert "<li>" not in long.bundle(at_once=True)["text/html"]
    assert sorted(h.label for h in Blind(made([full, failed])).shown.heads) == ["A", "B"]
    seeds = {tuple(h.id for h in Blind(made([full], seed=n)).shown.heads) for n in range(20)}
    assert seeds == {("c1", "c2"), ("c2", "c1")}


def test_hidden_names_keep_what_tells_none() -> None:
    told = row("c1", notices=(SIMULATED, "c1 was slow"), vote="best", vote_early=True, vote_blind=True)
    (shown,) = Blind(made([told], labels="a")).shown.rows
    assert shown == Row("c1", 0, 0, "done", "x", notices=(SIMULATED,), vote="best", vote_early=True, vote_blind=True)


# --- the cell that makes it again -------------------------------------------------------------------------------


def test_the_cell_of_a_plain_comparison() -> None:
    assert recipe(made([row()])) == (
        "from tetrate_jupyter import session\n\nprompts = [\n    'hi',\n]\nmodels = [\n    'a',\n    'b',\n]\n"
        "result = session.compare(prompts, models, seed=7)\nresult"
    )


def test_the_cell_of_a_comparison_with_everything() -> None:
    heads = [
        Head("c1", "a #2", "a"), Head("c2", "mine", "b", params=(("temperature", 0), ("tools", [{"python": "f"}]))),
        Head("c3", "c", "c", params=(("schema", {"python": "X"}),), history=2),
        Head("c4", "d", "d", params=(("top_k", 1),)),
    ]  # fmt: skip
    more = {
        "prompts": ("one", "it's"), "repeats": 3, "max_cost": Decimal("0.50"), "images": ("a.png",),
        "params": (("top_k", 5), ("schema", {"python": "X"}), ("stop", ["x"]), ("x", {"b": 2})),
    }  # fmt: skip
    assert recipe(Result(Facts(**{**FACTS, **more}), heads, [])).splitlines() == [
        "from tetrate_jupyter import session", "", "prompts = [", "    'one',", '    "it\'s",', "]", "models = [",
        "    'a',", "    {'model': 'b', 'label': 'mine', 'temperature': 0},", "    'c',",
        "    {'model': 'd', 'top_k': 1},", "]",
        "# Pass schema= as well: it isn't plain data.", "# Pass tools= as well: it isn't plain data.",
        "# Pass images= as well: it isn't plain data.",
        "# The columns continued earlier exchanges, which are not part of this cell.",
        "result = session.compare(prompts, models, top_k=5, stop=['x'], x={'b': 2}, repeats=3, max_cost=0.5, seed=7)",
        "result",
    ]  # fmt: skip


def test_blind_nobody_is_told_whose_answers_were_cut() -> None:
    rows = [row(finish_reason="length", tokens_out=100)]
    told, blind = made(rows, max_cost=Decimal(1)), made(rows, max_cost=Decimal(1), is_blind=True)
    cut = [replace(figures(told.heads[0], rows), cut=1, head=replace(told.heads[0], allowed=100))]
    assert facts.shortfall(cut, told)[0].startswith("Cut at 100 tokens, the cap that max_cost $1")
    assert facts.shortfall(cut, blind) == []
    assert facts.shortfall([replace(cut[0], cut=0)], told) == []
