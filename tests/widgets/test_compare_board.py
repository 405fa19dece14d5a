"""The leaderboard, the votes and the blind of the compare panel; and what another kernel gets back of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.columns import trios
from tetrate_jupyter.sandbox import Fault
from tetrate_jupyter.types import Cut
from tetrate_jupyter.widgets import compare_kept
from tetrate_jupyter.widgets.compare import ComparePanel
from tetrate_jupyter.widgets.compare_board import overall
from tetrate_jupyter.widgets.compare_items import HELD_BACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

MODELS = "claude-haiku-4-5", "gpt-6-luna", "claude-opus-5"


@pytest.fixture
def panel(session: Session) -> Iterator[ComparePanel]:
    session.models()
    made = ComparePanel(session)
    yield made
    made.close()


@pytest.fixture
def page(panel: ComparePanel) -> Page:
    return Page(panel)


def asked(page: Page, *models: str, text: str = "Say hello.", **more: Any) -> None:
    for model in models:
        assert page.do("add", model=model)
    page.do("run", text=text, **more)
    page.wait_for(lambda: bool(page.items) and not page.fields["running"] and not page.fields["busy"])
    rows = [f"row {key}" for key, _ in page.fields["columns"]]  # a column that has just ended is told after that
    page.wait_for(lambda: not {page.fields[each].get("state") for each in rows} & {"running", "waiting"})


def row(page: Page, label: str) -> dict[str, Any]:
    (found,) = [
        page.fields[f"row {key}"] for key, _ in page.fields["columns"] if page.fields[f"row {key}"]["label"] == label
    ]
    return dict(found)


def test_a_column_that_was_refused_says_how_long_the_router_asked_to_wait(
    page: Page, panel: ComparePanel, router: SandboxRouter
) -> None:
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=3600, times=None))
    asked(page, "claude-haiku-4-5", "gpt-6-luna")
    refused = row(page, "gpt-6-luna")
    assert refused["state"] == "failed"
    (key,) = [key for key, label in page.fields["columns"] if label == "gpt-6-luna"]
    assert set(page.fields["waits"]) == {key}
    first = page.fields["waits"][key]
    assert 0 < first <= 3600
    page.do("vote", key=page.fields["columns"][0][0], vote="best")
    assert 0 < Page(panel, "another view").fields["waits"][key] <= first
    page.do("blind", wanted=True)
    assert page.fields["waits"] == {}  # it would tell which
    page.do("blind", wanted=False)
    page.do("remove", key=key)
    assert page.fields["waits"] == {}
    page.do("undo")
    assert set(page.fields["waits"]) == {key}
    router.clear_faults()
    page.do("retry", key=key, whole=True)
    page.wait_for(lambda: not page.fields["running"] and row(page, "gpt-6-luna")["state"] == "done")
    assert page.fields["waits"] == {}


def test_a_column_that_waits_for_its_limit_counts_down(page: Page, panel: ComparePanel, router: SandboxRouter) -> None:
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=50))
    for model in ("claude-haiku-4-5", "gpt-6-luna"):
        assert page.do("add", model=model)
    page.do("run", text="Say hello.")

    def said() -> list[str]:
        rows = [page.fields.get(f"row {key}", {}).get("said", "") for key, _ in page.fields["columns"]]
        return [text for text in rows if text.startswith("again in ")]

    page.wait_for(lambda: bool(said()))
    first = said()
    page.wait_for(lambda: said() not in ([], first))  # the kernel tells each second
    assert any(item.fields["status"].startswith("rate limit: again in ") for item in page.items.values())
    page.do("stop")
    page.wait_for(lambda: not page.fields["running"])


def test_a_column_that_failed_otherwise_names_no_wait(page: Page, router: SandboxRouter) -> None:
    router.inject(Fault("rate-limit-bare", model="gpt-6-luna", times=None))
    asked(page, "claude-haiku-4-5", "gpt-6-luna", "sandbox/fault-unavailable")
    assert [row(page, each)["state"] for each in ("gpt-6-luna", "sandbox/fault-unavailable")] == ["failed", "failed"]
    assert page.fields["waits"] == {}


def test_a_row_has_figures_on_one_clock(page: Page) -> None:
    asked(page, *MODELS)
    for model in MODELS:
        found = row(page, model)
        assert found["state"] == "done"
        assert found["said"] == ""
        start, first, total = found["bar"]
        assert start >= 0
        assert 0 < first <= total
        time, _, *others = found["figures"]  # an answer of nine tokens has a speed only where the machine is slow
        assert time
        assert all(others)
        assert found["order"][0] == pytest.approx(total, abs=0.001)
    assert "cheapest" in row(page, "gpt-6-luna")["badges"]


def test_no_badge_unless_all_have_answered(page: Page) -> None:
    asked(page, *MODELS, "sandbox/fault-no-credits")
    assert not any(row(page, model)["badges"] for model in MODELS)
    failed = row(page, "sandbox/fault-no-credits")
    assert failed["state"] == "failed"
    assert failed["said"].startswith("Failed: ")


def test_a_cost_that_is_not_known_is_called_so_and_nothing_is_cheapest(page: Page) -> None:
    asked(page, "claude-opus-5", "gpt-6-luna", "sandbox/fault-no-usage")
    assert row(page, "sandbox/fault-no-usage")["figures"][3] == "unknown"
    assert not any("cheapest" in row(page, model)["badges"] for model in ("claude-opus-5", "gpt-6-luna"))


def test_the_row_of_one_column_changes_alone(page: Page) -> None:
    asked(page, *MODELS)
    before = len(page.messages)
    key = next(iter(page.items))
    page.do("vote", key=key, vote="good")
    page.wait_for(lambda: page.fields[f"row {key}"]["vote"] == "▲")
    told = [op for m in page.messages[before:] for op in m["operations"] if op[0] == "panel"]
    assert not any(name.startswith("row ") for _, whole, _ in told for name in whole)
    rows = [(name, set(some)) for *_, members in told for name, some in members.items() if name.startswith("row ")]
    assert rows == [(f"row {key}", {"vote", "voted", "rank"})]


def test_votes_are_taken_changed_and_taken_back(page: Page, panel: ComparePanel) -> None:
    asked(page, *MODELS)
    first, second, _ = page.items
    for key in (first, second):
        assert page.do("vote", key=key, vote="best")
    page.wait_for(lambda: page.fields["picks"] == [first, second])
    assert page.items[first].fields["vote"] == "best"
    page.do("vote", key=second, vote=None)
    page.wait_for(lambda: page.fields["picks"] == [first])
    assert page.items[second].fields["vote"] == ""
    assert panel.comparison is not None
    assert panel.comparison.result.df["vote"].dropna().tolist() == ["best"]
    assert "★" in panel.fallback_html()
    assert page.do("vote", key=first, vote="splendid") is False


def test_a_tally_over_prompts_claims_nothing_too_early(page: Page) -> None:
    asked(page, "claude-haiku-4-5", "gpt-6-luna", text="one\n---\ntwo", several=True)
    key, other = page.items
    assert page.fields[f"row {key}"]["wins"] is None  # nobody has voted
    for prompt in (0, 1):
        page.do("look", prompt=prompt, repeat=0)
        page.do("vote", key=key, vote="best")
    page.wait_for(lambda: page.fields[f"row {key}"]["vote"] == "★ 2 of 2")
    assert page.fields["claim"].startswith("No difference can be claimed yet")
    assert "likely" in page.fields[f"row {key}"]["voted"]
    won, of, least, most = page.fields[f"row {key}"]["wins"]
    assert (won, of, most) == (2, 2, 1.0)
    assert least == pytest.approx(0.025**0.5)  # Clopper and Pearson: two of two
    assert page.fields[f"row {other}"]["wins"] == [0, 2, 0.0, pytest.approx(1 - 0.025**0.5)]


def test_blind_nothing_is_told_before_the_last_answer_and_the_letters_stay(page: Page, panel: ComparePanel) -> None:
    page.do("blind", wanted=True)
    for model in ("sandbox/stream", "claude-haiku-4-5"):
        page.do("add", model=model)
    page.do("run", text="chunks=400 size=20 interval=0.01")
    page.wait_for(lambda: page.fields["progress"].startswith("1 of 2 done"))
    assert [item.fields["status"] for item in page.items.values()] == [HELD_BACK, HELD_BACK]
    assert [item.html for item in page.items.values()] == ["", ""]
    assert page.do("vote", key=next(iter(page.items)), vote="best") in {True, False}
    page.wait_for(lambda: not page.fields["running"])
    hidden = {key: item.fields["label"] for key, item in page.items.items()}
    assert list(hidden.values()) == ["A", "B"]
    assert all(page.fields[f"row {key}"] is None for key in hidden)
    assert page.fields["file"] is None
    told = "".join(map(str, page.messages))
    assert all(f"'label': '{name}'" not in told for name in ("sandbox/stream", "claude-haiku-4-5"))
    second = list(hidden)[1]
    page.do("vote", key=next(iter(hidden)), vote=None)
    page.do("vote", key=second, vote="best")
    page.do("blind", wanted=False)
    assert list(page.items) == list(hidden)
    assert page.fields["letters"] == hidden
    assert panel.comparison is not None
    label = panel.comparison.cell(second).column.label
    assert page.fields["pick"] == f"B was {label}, your pick."
    assert panel.comparison.result[label].rows[0].vote_blind


def test_the_state_of_many_cells_is_one() -> None:
    assert overall({"done": 3}) == "done"
    assert overall({"done": 3, "waiting": 1}) == "running"
    assert overall({"waiting": 2}) == "waiting"
    assert overall({"done": 1, "failed": 1}) == "partly"
    assert overall({"failed": 1, "skipped": 1}) == "failed"
    assert overall({"skipped": 2, "done": 0}) == "skipped"


def test_three_to_begin_with_are_of_three_providers(page: Page, session: Session) -> None:
    found = trios(session.models())
    assert [trio.name for trio in found] == ["Three providers", "Cheap", "Strong"]
    for trio in found:
        assert len({model.provider for model in trio.models}) == 3
        assert trio.price is not None
    assert found[1].price < found[0].price < found[2].price
    assert trios([]) == []
    cheap = [model.id for model in found[1].models]
    assert page.do("trio", models=cheap)
    assert [name for name, *_ in page.fields["picked"]] == cheap


def kept(page: Page) -> dict[str, Any]:
    """What a page hands to the next kernel: see `keep` in compare.js."""
    file = page.fields["file"]
    shown = {key: item.fields.get("source", "") for key, item in page.items.items()}
    rows = [{"text": shown.get(row["column"], ""), **row} for row in file["rows"]]
    for place, vote, early, blind in page.fields["votes"]:
        rows[place] |= {"vote": vote, "vote_early": early, "vote_blind": blind}
    names = "prompt", "several", "picked", "parameters"
    told = {"draft": {n: page.fields[n] for n in names}, "file": {**file, "rows": rows}, "at": page.fields["at"]}
    return dict(json.loads(json.dumps(told)))


def same(one: Comparison, other: Comparison) -> None:
    assert one.result.heads == other.result.heads
    for a, b in zip(one.result.rows, other.result.rows, strict=True):
        for name in ("column", "state", "text", "vote", "cost", "model", "error", "message", "notices", "tokens_out"):
            assert getattr(a, name) == getattr(b, name), name


def test_another_kernel_shows_it_again_and_goes_on(page: Page, panel: ComparePanel, session: Session) -> None:
    asked(page, "claude-haiku-4-5", "gpt-6-luna", "sandbox/fault-no-credits")
    key = list(page.items)[1]
    page.do("vote", key=key, vote="best")
    page.wait_for(lambda: page.fields["picks"] == [key])
    assert panel.comparison is not None
    before = kept(page)
    session.comparison = None  # as in a new kernel
    later = ComparePanel(session)
    again = Page(later)
    again.do("take", **before)
    again.wait_for(lambda: len(again.items) == 3)
    assert later.comparison is not None
    assert session.comparison is later.comparison
    assert later.result.comparison is later.comparison
    assert later.result.df["vote"].fillna("").tolist() == ["", "best", ""]
    same(later.comparison, panel.comparison)
    assert [item.html for item in again.items.values()] == [item.html for item in page.items.values()]
    assert again.fields["prompt"] == "Say hello."
    assert "2 of 3 done · 1 failed · ≈ $" in again.fields["progress"]
    again.do("continue", key=key)
    assert [(e.user.content, e.replies[0].content) for e in session.history] == [
        ("Say hello.", again.items[key].fields["source"])
    ]
    again.do("retry", key=next(iter(again.items)))
    again.wait_for(lambda: not again.fields["running"])
    assert later.comparison.progress.done == 2
    later.close()


def test_what_was_typed_is_known_to_another_kernel(session: Session) -> None:
    typed, sent = "Which is best in {table}?", "Which is best in [7, 8]?"
    running = session.bridge.run(prepare(session, sent, "gpt-6-luna", as_typed=typed))
    running.start()
    running.wait()
    first = session.side_by_side(running)
    before = kept(Page(first))
    first.close()
    session.comparison = None  # as in a new kernel
    later = ComparePanel(session)
    again = Page(later)
    again.do("take", **before)
    again.wait_for(lambda: bool(again.items))
    assert again.fields["asked"] == typed
    assert later.comparison is not None
    assert (later.comparison.setup.prompts, later.comparison.setup.as_typed) == ((sent,), typed)
    later.close()


def in_another_kernel(session: Session, first: ComparePanel, before: dict[str, Any]) -> tuple[ComparePanel, Page]:
    first.close()
    session.comparison = None
    later = ComparePanel(session)
    page = Page(later)
    page.do("take", **before)
    page.wait_for(lambda: bool(page.items) or bool(page.fields["problem"]))
    return later, page


def test_all_prompts_and_their_votes_come_back_in_another_kernel(session: Session) -> None:
    prompts = ["The word is one.", "The word is two.", "The word is three."]
    running = session.bridge.run(prepare(session, prompts, "sandbox/echo,gpt-6-luna", repeats=2))
    running.start()
    running.wait()
    first = session.side_by_side(running)
    page = Page(first)
    page.do("look", prompt=2, repeat=1)
    told = page.fields["file"]
    page.do("vote", key=next(iter(page.items)), vote="good")
    page.wait_for(lambda: len(page.fields["votes"]) == 1)
    assert page.fields["file"] is told  # a vote doesn't tell all the texts once more
    later, again = in_another_kernel(session, first, kept(page))
    assert later.comparison is not None
    same(later.comparison, running)
    assert (again.fields["prompts"], again.fields["repeats"], again.fields["at"]) == (3, 2, [2, 1])
    assert "three" in next(iter(again.items.values())).fields["source"]
    again.do("look", prompt=0, repeat=0)
    assert "one" in next(iter(again.items.values())).fields["source"]
    assert again.fields["said"] == ""
    later.close()


def test_what_is_too_much_to_keep_is_said(session: Session) -> None:
    prompts = ["The word is one.", "The word is two. " + "word " * (compare_kept.WHOLE // 5)]
    running = session.bridge.run(prepare(session, prompts, "sandbox/echo", max_tokens=8))
    running.start()
    running.wait()
    first = session.side_by_side(running)
    later, again = in_another_kernel(session, first, kept(Page(first)))
    assert later.comparison is not None
    assert later.comparison.setup.prompts == ("The word is one.",)
    assert again.fields["said"] == "This is what was shown: 1 more answer took too much room to be kept."
    later.close()


def test_what_was_cut_is_told_in_another_kernel_with_the_text_that_was_sent(session: Session) -> None:
    cut = Cut("many", "rows", 15, 3_000, text="1 | 2")
    running = session.bridge.run(prepare(session, "Which is best in 1 | 2?", "gpt-6-luna", cuts=(cut,)))
    running.start()
    running.wait()
    first = session.side_by_side(running)
    page = Page(first)
    chips = page.fields["warns"]
    assert [chip[0] for chip in chips] == ["many: 15 of 3,000 rows sent"]
    later, again = in_another_kernel(session, first, kept(page))
    assert again.fields["warns"] == chips
    later.close()
    bare = kept(page)
    bare["file"]["cuts"] = "nothing that can be read"
    last, told = in_another_kernel(session, later, bare)
    assert [chip[0] for chip in told.fields["warns"]] == ["many: 15 of 3,000 rows sent"]
    assert last.comparison is not None
    assert last.comparison.result.facts.notices == (cut.sentence,)
    last.close()


def test_where_the_kernel_lives_it_is_the_sessions_own(page: Page, session: Session) -> None:
    running = session.bridge.run(prepare(session, ["one", "two"], "gpt-6-luna"))
    running.start()
    running.wait()
    session.comparison = running
    first = session.side_by_side(running)
    before = kept(Page(first))
    later = ComparePanel(session)
    again = Page(later)
    again.do("take", **before)
    again.wait_for(lambda: bool(again.items))
    assert later.comparison is running
    again.do("take", draft={"prompt": "something else"})
    assert again.fields["prompt"] == "one\n---\ntwo"  # what asks by itself is not overwritten
    first.close()
    later.close()


def test_what_is_no_comparison_is_said(page: Page) -> None:
    page.do(
        "take",
        draft={"prompt": "kept", "picked": [["x", "", {"temperature": 0.5}, "gpt-6-luna"]]},
        file={"format": "x"},
    )
    page.wait_for(lambda: "isn't a saved comparison" in page.fields["problem"])
    assert page.fields["prompt"] == "kept"
    assert page.fields["picked"] == [["gpt-6-luna", "temperature 0.5", {"temperature": 0.5}, "gpt-6-luna"]]
