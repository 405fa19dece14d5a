"""The compare panel against the sandbox: every column for itself, failures in their place, and going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.columns import LIVE_COLUMNS
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.widgets.compare import EMPTY, ComparePanel
from tetrate_jupyter.widgets.compare_draft import Draft
from tetrate_jupyter.widgets.compare_sheet import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

SLOW = "chunks=2000 size=20 interval=0.01"
THREE = ("claude-haiku-4-5", "claude-sonnet-5", "gpt-6-luna")


@pytest.fixture
def panel(session: Session) -> Iterator[ComparePanel]:
    session.models()
    made = ComparePanel(session)
    yield made
    made.close()


@pytest.fixture
def page(panel: ComparePanel) -> Page:
    return Page(panel)


def pick(page: Page, *models: str) -> None:
    for model in models:
        assert page.do("add", model=model)


def states(page: Page) -> list[str]:
    return [item.fields["state"] for item in page.items.values()]


def over(page: Page) -> None:
    """Wait until all cells are over; before the first is asked the share of those that are is 0."""
    page.wait_for(lambda: page.fields["share"] == 1 and not page.fields["running"] and not page.fields["busy"])


def by_label(page: Page) -> dict[str, Any]:
    return {item.fields["label"]: item for item in page.items.values()}


def test_columns_write_side_by_side_and_end_as_what_was_answered(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    assert page.do("run", text="Show off Markdown with code, a table and math.")
    page.wait_for(lambda: page.fields["prompts"] == 1)
    over(page)
    assert states(page) == ["done"] * 3
    assert panel.comparison is not None
    for column in panel.comparison.columns:
        item = page.items[column.id]
        assert item.fields["label"] == column.label
        assert item.html == render(panel.comparison.cell(column.id).text)
        assert "≈ $" in item.fields["status"]
    assert "3 of 3 done" in page.fields["progress"]
    assert page.fields["simulated"]  # told apart: the page takes no text to pieces
    assert "simulated" not in page.fields["progress"]
    assert page.do("table")
    assert page.fields["table"].count("| claude") == 2
    assert "session.compare(" in page.fields["code"]


def test_with_no_model_named_there_are_neighbours(page: Page) -> None:
    page.do("run", text="Say hello.")
    over(page)
    assert len(page.items) == 3
    assert "claude-haiku-4-5" in by_label(page)
    assert len(page.fields["picked"]) == 3


def test_the_same_model_twice_is_two_columns(page: Page) -> None:
    pick(page, "claude-haiku-4-5", "claude-haiku-4-5")
    page.do("run", text="Say hello.")
    over(page)
    assert list(by_label(page)) == ["claude-haiku-4-5", "claude-haiku-4-5 #2"]


def test_a_failure_stays_in_its_column_and_can_be_retried(page: Page, router: SandboxRouter) -> None:
    pick(page, "claude-haiku-4-5", "sandbox/fault-no-credits", "no-such-model")
    page.do("run", text="Say hello.")
    over(page)
    found = by_label(page)
    assert found["claude-haiku-4-5"].fields["state"] in {"done", "failed"}
    assert any("Next:" in line for line in found["sandbox/fault-no-credits"].fields["error"])
    assert any("no-such-model" in line for line in found["no-such-model"].fields["error"])
    before = len(router.requests)
    page.do("retry")
    page.wait_for(lambda: len(router.requests) > before and not page.fields["running"])


def test_a_column_is_stopped_and_another_goes_on(page: Page, router: SandboxRouter) -> None:
    pick(page, "sandbox/stream", "sandbox/stream")
    page.do("run", text="chunks=150 size=20 interval=0.01")
    page.wait_for(lambda: len(page.items) == 2 and all("#9" in i.html for i in page.items.values()))
    first, second = page.items
    page.do("stop", key=first)
    over(page)
    assert page.items[first].fields["state"] == "stopped"
    assert page.items[second].fields["state"] == "done"
    assert "#149" in page.items[second].html
    assert "#149" not in page.items[first].html
    router.wait_for(lambda request: request.hung_up_at is not None)


def test_a_removed_column_is_gone_and_the_rest_stays(page: Page) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    gone = next(iter(page.items))
    page.do("remove", key=gone)
    assert gone not in page.items
    assert len(page.items) == 2
    assert page.fields["undo"] == "A column was removed."
    page.do("undo")
    assert next(iter(page.items)) == gone
    assert len(page.items) == 3
    assert page.items[gone].fields["state"] == "done"
    assert page.fields["undo"] == ""


def test_all_that_was_removed_is_put_back_and_what_is_written_meanwhile_stays(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    before = {key: item.html for key, item in page.items.items()}
    page.do("clear")
    assert page.fields["undo"] == "The answers were removed."
    page.do("drop", place=0)
    page.do("undo")
    assert {key: item.html for key, item in page.items.items()} == before
    assert len(page.fields["picked"]) == 2
    assert (page.fields["prompts"], page.fields["undo"]) == (1, "")
    assert panel.fallback_plain() != EMPTY
    page.do("clear")
    page.do("run", text="Say goodbye.")
    over(page)
    assert page.fields["undo"] == ""  # something else stands in its place
    assert page.do("undo")
    assert len(page.items) == 2


def test_all_columns_are_removed_and_the_session_still_has_them(
    page: Page, panel: ComparePanel, session: Session
) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    assert page.do("clear")
    assert page.items == {}
    assert (page.fields["prompts"], page.fields["prompt"]) == (0, "Say hello.")
    assert panel.fallback_plain() == EMPTY
    assert session.comparison is not None
    assert session.comparison.progress.done == 3
    assert page.do("clear") is False


def test_blind_hides_the_names_until_they_are_revealed(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("blind", wanted=True)
    page.do("run", text="Say hello.")
    over(page)
    assert sorted(by_label(page)) == ["A", "B", "C"]
    shown = str([(i.fields["label"], i.fields["status"], i.fields["exact"]) for i in page.items.values()])
    seed = str(page.fields["seed"])
    for told in (shown, *(str(page.fields[name]) for name in ("verdict", "columns", "code", "forecast"))):
        assert not any(model in told for model in THREE)
    for fallback in (panel.fallback_html(), panel.fallback_plain()):
        assert not any(model in fallback for model in THREE)
        assert seed in fallback
    page.do("blind", wanted=False)
    assert set(by_label(page)) == set(THREE)
    assert all(model in panel.fallback_html() for model in THREE)


def test_blind_no_answer_has_a_figure(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    assert all("first token" in item.fields["status"] for item in page.items.values())
    page.do("blind", wanted=True)
    assert [(item.fields["status"], item.fields["exact"]) for item in page.items.values()] == [("", "")] * 3
    page.do("blind", wanted=False)
    assert all("first token" in item.fields["status"] for item in page.items.values())


def test_blind_votes_begin_anew_and_take_the_place_of_open_ones(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    first, second, _ = page.items
    page.do("vote", key=first, vote="best")
    assert page.fields["voted"] == 1
    page.do("blind", wanted=True)
    assert [item.fields["vote"] for item in page.items.values()] == ["", "", ""]
    assert page.fields["voted"] == 0
    assert panel.comparison is not None
    assert "best" not in panel.comparison.result.blind().text
    page.do("blind", wanted=False)
    assert page.items[first].fields["vote"] == "best"  # not touched: nobody has voted under a letter
    page.do("blind", wanted=True)
    page.do("vote", key=second, vote="best")
    assert (page.items[second].fields["vote"], page.fields["voted"]) == ("best", 1)
    page.do("blind", wanted=False)
    assert {key: item.fields["vote"] for key, item in page.items.items() if item.fields["vote"]} == {second: "best"}


def test_blind_a_failure_doesnt_tell_whose_it_is(page: Page, panel: ComparePanel) -> None:
    pick(page, "claude-haiku-4-5", "sandbox/fault-no-credits", "no-such-model")
    page.do("blind", wanted=True)
    page.do("run", text="Say hello.")
    over(page)
    shown = str([item.fields for item in page.items.values()]) + panel.fallback_html() + panel.fallback_plain()
    for name in ("no-such-model", "no-credits", "credit"):
        assert name not in shown


def test_differences_from_a_chosen_column(page: Page) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    page.do("run", text="Say hello.")
    over(page)
    first, second = page.items
    plain = page.items[first].html
    page.do("show", how="differences", base=first)
    assert page.items[first].html == plain
    assert "<ins>" in page.items[second].html
    assert "<del>" in page.items[second].html
    page.do("show", how="answers")
    assert "<ins>" not in page.items[second].html
    assert page.do("show", how="upside down") is False


def test_going_on_with_one_makes_it_the_sessions_conversation(page: Page, session: Session) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    page.do("run", text="Say hello.")
    over(page)
    assert session.history == ()
    first, second = page.items
    assert page.fields["using"] == ""
    before = session.model
    page.do("continue", key=second)
    assert session.model == "gpt-6-luna"
    assert [e.user.content for e in session.history] == ["Say hello."]
    assert page.fields["using"] == second
    assert page.fields["back"] is True
    page.do("continue", key=first)
    assert page.do("back", key=first)
    assert page.do("back", key=first)  # a second click on what has gone
    assert session.model == "gpt-6-luna"
    assert page.do("back", key=page.fields["using"])
    assert (session.model, session.history) == (before, ())
    assert (page.fields["using"], page.fields["back"]) == ("", False)
    page.do("continue", key=second)
    session.reset()  # elsewhere: it is the session's conversation no longer
    page.wait_for(lambda: page.fields["using"] == "" and not page.fields["back"])
    page.do("continue", key=second)
    session.model = "claude-opus-5"  # elsewhere, on this thread
    page.wait_for(lambda: page.fields["using"] == "")
    assert session.comparison is not None
    session.comparison.continue_with(first)  # by code
    page.wait_for(lambda: page.fields["using"] == first)
    page.do("blind", wanted=True)
    assert page.fields["using"] == ""  # it would tell a name
    page.do("blind", wanted=False)
    assert page.fields["using"] == first


def test_parameters_are_checked_and_used(page: Page, panel: ComparePanel) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    assert page.do("set", name="temperature", value="0.5")
    assert page.do("set", name="repeats", value="2")
    assert page.do("set", name="temperature", value="hot") is False
    assert page.do("set", name="temperature", value="9") is False
    page.do("run", text="Say hello.")
    over(page)
    assert panel.comparison is not None
    assert panel.comparison.setup.params["temperature"] == 0.5
    assert page.fields["repeats"] == 2
    assert "4 of 4 done" in page.fields["progress"]
    page.do("look", prompt=0, repeat=1)
    assert page.fields["at"] == [0, 1]


def test_one_column_has_parameters_of_its_own(page: Page, router: SandboxRouter) -> None:
    pick(page, "claude-haiku-4-5", "claude-haiku-4-5")
    assert page.do("set", name="max_tokens", value="50")
    assert page.do("set", name="temperature", value="0.2", place=1)
    assert page.do("set", name="system", value="Be brief.", place=1)
    assert page.do("set", name="max_cost", value="1", place=1) is False
    page.do("run", text="Say hello.")
    over(page)
    bodies = [r.body for r in router.requests if r.path.endswith("/chat/completions")]
    assert [body["max_tokens"] for body in bodies] == [50, 50]
    own = [body for body in bodies if "temperature" in body]
    assert [(body["temperature"], body["messages"][0]["content"]) for body in own] == [(0.2, "Be brief.")]
    assert by_label(page)["claude-haiku-4-5 #2"].fields["about"] == "temperature 0.2, system Be brief."
    assert page.do("set", name="temperature", value="", place=1)
    assert page.fields["picked"][1][2] == {"system": "Be brief."}
    assert page.do("set", name="system", value="late", place=7)


def test_asking_again_asks_the_same(page: Page, panel: ComparePanel, session: Session) -> None:
    session.ask("My name is Ada.")
    models = ["claude-haiku-4-5", {"model": "claude-haiku-4-5", "label": "cold", "temperature": 0}]
    given = {"repeats": 2, "max_cost": 1, "history": True, "system": "Be brief.", "stop": ["xyz"]}
    first = session.bridge.run(prepare(session, ["one", "two"], models, **given))
    first.start()
    first.wait()
    panel._take(first)
    panel.sync()
    assert page.fields["prompt"] == "one\n---\ntwo"
    assert page.fields["others"] == ["stop"]
    page.do("run", text=page.fields["prompt"], several=True)
    page.wait_for(lambda: panel.comparison is not first and not page.fields["running"])
    assert panel.comparison is not None
    again, was = panel.comparison.setup, first.setup
    for name in ("prompts", "repeats", "params", "max_cost", "images"):
        assert getattr(again, name) == getattr(was, name)
    for one, other in zip(again.columns, was.columns, strict=True):
        assert (one.label, dict(one.params), one.history) == (other.label, dict(other.params), other.history)


def test_prompts_that_hold_the_separator_or_are_too_many_stay_whole(session: Session, panel: ComparePanel) -> None:
    draft = Draft(session)
    prompts = ("front\n---\nmatter", "two")
    draft.take(session.bridge.run(prepare(session, prompts, "claude-haiku-4-5")))
    draft.write(draft.text, several=True)
    assert session.bridge.run(draft.prepared()).setup.prompts == prompts
    many = ("x" * 100,) * 2_000
    draft.take(session.bridge.run(prepare(session, many, "claude-haiku-4-5", max_cost="inf")))
    assert (draft.fields()["given"], draft.text) == (2_000, "")
    draft.write("", several=True)
    draft.set("max_cost", "inf")
    assert session.bridge.run(draft.prepared()).setup.prompts == many
    draft.write("something else", several=False)
    assert session.bridge.run(draft.prepared()).setup.prompts == ("something else",)


def test_a_large_run_waits_for_a_word_on_what_it_may_cost(page: Page, router: SandboxRouter) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    page.do("set", name="repeats", value="30")
    page.do("run", text="Say hello.")
    page.wait_for(lambda: page.fields["confirm"])
    assert page.fields["confirm"].startswith("This makes 60 calls, at most ≈ $")
    assert not [r for r in router.requests if r.path.endswith("/chat/completions")]
    page.do("dismiss")
    assert not page.fields["confirm"]
    page.do("run", text="Say hello.")
    page.wait_for(lambda: page.fields["confirm"])
    page.do("set", name="repeats", value="20")
    assert not page.fields["confirm"]  # it was about something else
    page.do("set", name="repeats", value="30")
    page.do("run", text="Say hello.", forecast=True)
    page.wait_for(lambda: page.fields["confirm"])
    page.do("start")
    over(page)
    assert "60 of 60 done" in page.fields["progress"]
    assert "Estimated before it was asked: ≈ $" in page.fields["forecast"]
    page.do("set", name="max_cost", value="0.0000001")
    page.do("run", text="Say hello.")
    page.wait_for(lambda: "max_cost" in page.fields["problem"])


def test_a_refusal_for_the_cost_comes_with_what_helps(page: Page) -> None:
    pick(page, "claude-opus-5", "claude-haiku-4-5")
    page.do("set", name="max_cost", value="0.02")
    page.do("set", name="max_tokens", value="20000")
    page.do("run", text="Say hello.")
    page.wait_for(lambda: "max_cost" in page.fields["problem"])
    (cap, *cap_set), (more, *more_set) = page.fields["ways"]
    assert cap == f"Cap answers at {int(cap_set[1]):,} tokens"
    assert more == f"Ask anyway, for up to ${more_set[1]}"
    assert f"--max-tokens {cap_set[1]}" in page.fields["problem"]
    for name, value in (cap_set, more_set):  # either is enough
        page.do("set", name="max_cost", value="0.02")
        page.do("set", name="max_tokens", value="20000")
        page.do("set", name=name, value=value)
        page.do("run", text="Say hello.")
        over(page)
        assert "2 of 2 done" in page.fields["progress"]
        assert page.fields["ways"] == []
        page.do("clear")


def test_the_same_model_again_is_the_noise_floor(page: Page) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    assert page.do("again")
    page.do("run", text="Write twenty words.")
    over(page)
    assert "claude-haiku-4-5 #2" in by_label(page)
    assert "claude-haiku-4-5 against itself" in page.fields["verdict"]


def test_what_is_ticked_in_the_list_is_added_and_the_rest_taken_out(page: Page) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna", "claude-haiku-4-5")
    assert page.do("set", name="temperature", value="0.5", place=0)
    assert page.fields["models"] == ["claude-haiku-4-5", "gpt-6-luna"]
    assert page.do("mean", models=["claude-haiku-4-5", "gemini-3.8-flash"])
    assert [name for name, *_ in page.fields["picked"]] == ["claude-haiku-4-5"] * 2 + ["gemini-3.8-flash"]
    assert page.fields["picked"][0][2] == {"temperature": 0.5}  # what stays is as it was
    assert page.do("menu", of="one", words="grok")
    assert page.fields["menu"]["count"] == 3


def test_several_prompts_are_rows_that_unfold(page: Page, router: SandboxRouter) -> None:
    pick(page, "claude-haiku-4-5", "sandbox/fault-no-credits")
    page.do("set", name="repeats", value="2")
    assert page.fields["views"] == ("answers", "differences")
    page.do("run", text="What is 17 * 23?\n---\nSay hello.\n---\n\n", several=True)
    over(page)
    assert page.do("show", how="all prompts")
    first, second = page.items.values()
    assert [first.fields["prompt"], second.fields["prompt"]] == ["What is 17 * 23?", "Say hello."]
    (label, told), (_, failed) = first.fields["cells"]
    assert label == "claude-haiku-4-5"
    assert told.startswith("2 done · 100% the same · ")
    assert failed.startswith("2 failed")
    assert first.html == ""
    page.do("open", number=0)
    first, second = page.items.values()
    assert "391" in first.html
    assert "2 of 2 the same" in first.html
    assert second.html == ""
    page.do("open", number=0)
    assert next(iter(page.items.values())).html == ""
    page.do("look", prompt=1, repeat=1)
    assert page.fields["view"] == "answers"
    before = len(router.requests)
    page.do("retry", key="c1")  # what is seen, not its other prompts and repeats
    over(page)
    assert len(router.requests) == before + 1
    assert page.fields["at"] == [1, 1]
    assert "2 of 2 repeats say this" in by_label(page)["claude-haiku-4-5"].fields["status"]


def test_thousands_of_prompts_show_those_in_view(session: Session) -> None:
    prompts = [f"Prompt number {n}." for n in range(2_000)]
    running = session.bridge.run(prepare(session, prompts, "claude-haiku-4-5", max_cost="inf"))
    panel = session.side_by_side(running)
    page = Page(panel)
    page.do("show", how="all prompts")
    assert len(page.items) == ROWS
    page.do("page", start=1_990)
    assert [item.fields["number"] for item in page.items.values()] == list(range(1_950, 2_000))
    page.do("page", start=99_999)
    assert page.fields["start"] == 1_950
    panel.close()


def test_what_cannot_be_asked_is_said(page: Page) -> None:
    page.do("run", text="  ")
    page.wait_for(lambda: "empty" in page.fields["problem"])
    for _ in range(LIVE_COLUMNS):
        pick(page, "claude-haiku-4-5")
    assert page.do("add", model="claude-haiku-4-5") is False
    page.do("drop", place=0)
    assert len(page.fields["picked"]) == LIVE_COLUMNS - 1
    assert page.do("stop") is False


def test_a_view_that_comes_late_is_told_everything(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    late = Page(panel, "two")
    assert late.items == page.items
    assert late.fields == page.fields


def test_the_fallback_holds_every_column(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    for model in THREE:
        assert model in panel.fallback_html()
        assert model in panel.fallback_plain()
    assert "<script" not in panel.fallback_html()
