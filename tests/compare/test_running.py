"""A comparison that runs, over real HTTP: barrier, failures, stop, retry, remove, a key revoked, an interrupt."""

from __future__ import annotations

import _thread
import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.compare.conftest import eventually
from tetrate_jupyter.bridge import _cancel_others
from tetrate_jupyter.compare.asking import ComparisonStopped, prepare
from tetrate_jupyter.errors import (
    CostLimitError,
    EmptyPromptError,
    InputError,
    InvalidKeyError,
    NotSignedInError,
    OptionError,
    SecretInPromptError,
    UnknownModelError,
    UnsupportedInputError,
)
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import Fault, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

    from tests.compare.conftest import Prepare
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import LoggedRequest

TWO = ["claude-haiku-4-5", "gpt-6-luna"]
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
PICTURE += "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


# --- the usual way ---------------------------------------------------------------------------------------------


def test_without_models_it_takes_the_sessions_and_two_neighbours(session: Session) -> None:
    result = session.compare("What is 17 * 23?")
    assert result.heads[0].label == "claude-haiku-4-5"
    assert len({h.provider for h in result.heads}) == 3
    assert all("391" in column.text for column in result)
    assert [h.model for h in result.heads] == [r.model for r in result.rows]


def test_it_leaves_the_conversation_alone_and_counts_in_the_ledger(session: Session) -> None:
    session.ask("Remember this.")
    before = session.conversation.branches
    result = session.compare(["one", "two"], TWO, repeats=3, seed=5)
    assert session.conversation.branches == before
    assert len(session.ledger) == 13
    assert len(result.rows) == 12
    assert {(r.column, r.prompt, r.repeat) for r in result.rows} == {
        (c, p, n) for c in ("c1", "c2") for p in (0, 1) for n in (0, 1, 2)
    }
    assert result.facts.seed == 5
    assert result.facts.spent == sum(r.cost for r in result.rows if r.cost is not None)


def test_more_cells_than_go_at_once_are_asked_in_their_order(
    prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tetrate_jupyter.compare.scheduler.AT_ONCE", 1)
    running = prepared(["one", "two", "three"], [*TWO, "gpt-6-sol"], seed=1)
    running.start()
    running.wait()
    began = sorted(running.cells, key=lambda cell: cell.attempts[0].started)
    assert [cell.place for cell in began] == [cell.place for cell in running.cells]


def test_all_columns_start_before_any_has_ended(session: Session, router: SandboxRouter, prepared: Prepare) -> None:
    router.inject(Fault("slow-headers", times=None))  # nobody answers until all have been seen
    models = ["claude-haiku-4-5"] * 6 + [m.id for m in session.models("claude-*")[:3]] + ["gpt-6-luna"] * 3
    running = prepared("hello", models, seed=1)
    running.start()
    eventually(lambda: len(chats(router)) == 12)
    assert running.progress.running == 12
    running.stop()
    assert running.wait().df["state"].eq("stopped").all()


def test_the_sessions_conversation_goes_before_where_it_is_wanted(session: Session, router: SandboxRouter) -> None:
    session.ask("My lucky number is 4711.")
    told = session.compare("What is my lucky number?", TWO, history=True)
    assert all("4711" in column.text for column in told)
    assert not any("4711" in column.text for column in session.compare("What is my lucky number?", TWO))


def test_parameters_of_all_and_of_one(session: Session, router: SandboxRouter) -> None:
    session.params["temperature"] = 0.5
    session.compare("hi", ["claude-haiku-4-5", {"model": "claude-haiku-4-5", "temperature": 1, "system": "Short."}])
    bodies = sorted((r.body for r in chats(router)), key=lambda b: b["temperature"])
    assert [b["temperature"] for b in bodies] == [0.5, 1]
    assert [b["messages"][0]["role"] for b in bodies] == ["user", "system"]


async def _acompare(session: Session) -> Any:
    return await session.acompare("What is 2 + 2?", TWO)


def test_it_can_be_awaited_and_cancelled_from_any_loop(session: Session, router: SandboxRouter) -> None:
    assert asyncio.run(_acompare(session)).df["state"].eq("done").all()
    router.inject(Fault("stream-stall", after_chunks=1, times=None))

    async def cancelled() -> None:
        asking = asyncio.ensure_future(_acompare(session))
        await asyncio.to_thread(router.wait_for, lambda r: r.fault == "stream-stall" and r.chunks_sent > 0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(cancelled())
    assert session.comparison is not None
    assert session.comparison.wait().df["state"].eq("stopped").all()


def test_whoever_watches_is_told_of_every_state(prepared: Prepare) -> None:
    running = prepared("hello", TWO)
    seen: list[tuple[str, ...]] = []
    stop = running.on_change(lambda: seen.append(tuple(c.state for c in running.cells)))
    running.start()
    running.wait()
    eventually(lambda: not running.is_running)
    stop()
    assert ("running", "running") in seen
    assert seen[-1] == ("done", "done")
    assert running.progress.done == running.progress.total == 2


def test_whoever_watches_hears_that_it_is_over(prepared: Prepare) -> None:
    running = prepared("hello", TWO)
    seen: list[bool] = []
    running.on_change(lambda: seen.append(running.is_running))
    running.start()
    running.wait()
    eventually(lambda: seen[-1] is False)  # what is saved with the notebook is written by who hears it


# --- failures are results --------------------------------------------------------------------------------------


def test_an_unknown_model_fails_at_once_and_the_others_run(session: Session, router: SandboxRouter) -> None:
    result = session.compare("What is 2 + 2?", ["claude-haiko-4-5", *TWO])
    failed, *others = result.rows
    assert (failed.state, failed.error, failed.attempts) == ("failed", "UnknownModelError", 0)
    assert "claude-haiku-4-5" in str(failed.next_step)
    assert all("4" in r.text and r.state == "done" for r in others)
    assert len(chats(router)) == 2


def test_a_failure_keeps_its_partial_text_its_cause_and_its_request_id(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", model="gpt-6-luna", after_chunks=2))
    prompt = "Write a haiku about the sea, and explain every line of it at length."
    whole, cut = session.compare(prompt, TWO).rows
    assert (whole.state, whole.partial) == ("done", False)
    assert (cut.state, cut.error, cut.partial) == ("failed", "StreamCutError", True)
    assert cut.text
    assert cut.request_id in {r.request_id for r in chats(router)}
    assert any("part of an answer" in notice for notice in cut.notices)


def test_an_image_fails_the_columns_that_take_text_only(session: Session) -> None:
    result = session.compare("What is this?", ["claude-haiku-4-5", "groq/openai/gpt-oss-20b"], images=[PICTURE])
    assert [(r.state, r.error) for r in result.rows] == [("done", None), ("failed", "UnsupportedInputError")]
    with pytest.raises(UnsupportedInputError):
        session.compare("What is this?", "groq/openai/gpt-oss-20b", images=[PICTURE])
    usual = session.compare("What is this?", images=[PICTURE])
    assert all(r.state == "done" for r in usual.rows)


def test_a_429_slows_that_model_only_and_is_waited_out(session: Session, router: SandboxRouter) -> None:
    # three tries of the client, then the comparison's own patience
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=0.01, times=4))
    result = session.compare([f"prompt {n}" for n in range(6)], TWO, concurrency=3)
    assert {r.state for r in result.rows} == {"done"}
    limited = result["gpt-6-luna"].rows
    assert sum(r.attempts for r in limited) + sum(r.retries for r in limited) > 6
    assert all((r.attempts, r.retries) == (1, 0) for r in result["claude-haiku-4-5"].rows)


def test_a_cell_that_waits_for_its_limit_says_how_long_still(router: SandboxRouter, prepared: Prepare) -> None:
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=50))
    running = prepared("hello", "gpt-6-luna")
    running.start()
    (cell,) = running.cells
    eventually(lambda: cell.activity.startswith("rate limit: again in "))
    first = int(cell.activity.split()[-2])
    assert 0 < first <= 50
    eventually(lambda: int(cell.activity.split()[-2]) < first)
    running.stop()
    running.wait()
    assert cell.activity == "stopped"


def test_a_429_that_asks_for_too_long_fails_and_says_so(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=3600, times=None))
    fine, limited = session.compare("hello", TWO).rows
    assert (fine.state, limited.state, limited.error) == ("done", "failed", "RateLimitError")


def test_retry_after_refusals_brings_fresh_patience(session: Session, router: SandboxRouter, prepared: Prepare) -> None:
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=0.01, times=None))
    running = prepared("hello", "gpt-6-luna")
    running.start()
    assert running.wait().rows[0].error == "RateLimitError"
    router.clear_faults()
    router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=0.01, times=4))
    running.retry()
    assert running.wait().rows[0].state == "done"


def test_a_key_revoked_in_the_middle_fails_the_rest_without_asking(
    session: Session, router: SandboxRouter, prepared: Prepare
) -> None:
    key = router.issue_key()
    session.bridge.run(session.account.use_text(key, store="memory"))
    router.inject(Fault("stream-stall", model="gpt-6-luna", after_chunks=1))
    running = prepared([f"Say hello, number {n}." for n in range(30)], TWO, concurrency=1)
    running.start()
    router.wait_for(lambda r: r.fault == "stream-stall" and r.chunks_sent > 0)
    eventually(lambda: running.progress.done > 3)
    router.revoke_key(key)
    eventually(lambda: running.progress.waiting == 0)
    running.stop()  # the one that stalls
    result = running.wait()
    states = result.df["state"].value_counts()
    assert states["done"] > 3
    assert states["stopped"] == 1
    assert states["failed"] + states["done"] + 1 == 60
    assert set(result.df["error"].dropna()) == {"InvalidKeyError"}
    assert len(chats(router)) < 60
    session.bridge.run(session.account.use_text(router.issue_key(), store="memory"))
    assert running.retry() == 60 - states["done"]
    assert running.wait().df["state"].eq("done").all()


def test_an_interrupt_stops_the_calls_and_keeps_what_has_come(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-stall", model="gpt-6-luna", after_chunks=2))
    prompt = "Write a haiku about the sea, and explain every line of it at length."

    def interrupt() -> None:
        router.wait_for(lambda r: r.fault == "stream-stall" and r.chunks_sent > 1)
        eventually(lambda: session.comparison is not None and session.comparison.cell("c2").text)
        eventually(lambda: session.comparison is not None and session.comparison.cell("c1").state == "done")
        _thread.interrupt_main()

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(ComparisonStopped):
        session.compare(prompt, TWO)
    watcher.join()
    assert session.comparison is not None
    done, stopped = session.comparison.result.rows
    assert (done.state, stopped.state, stopped.partial) == ("done", "stopped", True)
    assert stopped.text
    router.wait_for(lambda r: r.fault == "stream-stall" and r.hung_up_at is not None)


# --- bad input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "models", "more", "error"),
    [
        ("hi", "grok-9-*", {}, UnknownModelError),
        ("hi", [], {}, OptionError),
        ("hi", " , ", {}, OptionError),
        ("hi", "*", {"list": 500}, OptionError),
        ("  ", TWO, {}, EmptyPromptError),
        ([], TWO, {}, EmptyPromptError),
        (["a", ""], TWO, {}, EmptyPromptError),
        ("hi", TWO, {"temperature": 9}, OptionError),
        ("hi", TWO, {"repeats": 0}, OptionError),
        ("hi", TWO, {"max_cost": "much"}, OptionError),
        ("hi", TWO, {"model": "claude-haiku-4-5"}, OptionError),
        ("hi", TWO, {"keep": True}, OptionError),
        (["hi"] * 10_000, TWO, {}, CostLimitError),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(  # noqa: PLR0917 - the cases' own parts
    session: Session, router: SandboxRouter, prompt: Any, models: Any, more: dict[str, Any], error: type[Exception]
) -> None:
    if more.pop("list", 0):
        models = [m.id for m in session.models()] * 20
    with pytest.raises(error):
        session.compare(prompt, models, **more)
    assert not chats(router)


def test_not_signed_in_is_said(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    nobody = Session(base_url=router.base_url, data_dir=tmp_path / "nobody", bridge=bridge)
    with pytest.raises(NotSignedInError):
        nobody.compare("hi", TWO)


def test_a_key_in_a_prompt_is_refused_and_kept_nowhere(session: Session, router: SandboxRouter) -> None:
    key = session.bridge.run(session.account.key()).reveal()
    with pytest.raises(SecretInPromptError):
        session.compare(["fine", f"my key is {key}"], TWO)
    with pytest.raises(SecretInPromptError):  # it would be in the saved file
        session.bridge.run(prepare(session, "fine", TWO, as_typed=f"my key is {key}"))
    assert session.comparison is None
    assert not chats(router)


def test_ten_thousand_prompts_need_a_word_on_their_cost(session: Session) -> None:
    with pytest.raises(
        CostLimitError, match=r"20,000 calls for 10,000 prompts, at most ≈ \$[\d,.]+ .*Nothing was asked"
    ):
        session.compare([f"p {n}" for n in range(10_000)], TWO)


# --- the cap ---------------------------------------------------------------------------------------------------


def test_an_unknown_price_cant_be_held_under_a_cap(bridge: Bridge, tmp_path: Path) -> None:
    records = [
        {"model": "priced", "provider": "p", "mode": "chat", "isEnabled": True, "limits": {"max_output_tokens": 50},
         "inputTokensPricePer1M": "1", "outputTokensPricePer1M": "1"},
        {"model": "mystery", "provider": "p", "mode": "chat", "isEnabled": True},
    ]  # fmt: skip
    with SandboxRouter(speed=float("inf"), models=records) as router:
        session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge)
        priced, mystery = session.compare("hello", ["priced", "mystery"], max_cost=1).rows
        assert (priced.state, mystery.state, mystery.error) == ("done", "skipped", "CostLimitError")
        assert "unknown" in str(mystery.message)
        with pytest.raises(CostLimitError, match="the price of this model is unknown"):
            session.compare("hello", "mystery", max_cost=1)
        free = session.compare("hello", ["priced", "mystery"])
        assert [r.state for r in free.rows] == ["done", "done"]
        assert free["mystery"].rows[0].cost is None
        assert free.facts.unknown_costs == 1
        session.close()


# --- stop, retry, remove, go on --------------------------------------------------------------------------------


def test_a_column_is_stopped_and_retried_alone(session: Session, router: SandboxRouter, prepared: Prepare) -> None:
    router.inject(Fault("stream-stall", model="gpt-6-luna", after_chunks=1))
    running = prepared("Write a haiku about the sea.", TWO)
    running.start()
    eventually(lambda: running.cell("gpt-6-luna").text)
    running.stop("gpt-6-luna")
    first = running.wait()
    assert [r.state for r in first.rows] == ["done", "stopped"]
    assert running.retry() == 1
    second = running.wait()
    assert [r.state for r in second.rows] == ["done", "done"]
    assert [r.attempts for r in second.rows] == [1, 2]
    assert first.rows[1].state == "stopped"  # a result is a snapshot
    assert running.retry() == 0
    running.ask_again("c1")
    assert [r.attempts for r in running.wait().rows] == [2, 2]


def test_stop_right_after_start_asks_nothing_more(prepared: Prepare) -> None:
    running = prepared([f"p {n}" for n in range(200)], TWO)
    running.start()
    running.stop()
    result = running.wait()
    assert set(result.df["state"]) <= {"stopped", "done"}
    assert result.df["state"].eq("stopped").sum() > 100


def test_a_removed_column_is_gone(router: SandboxRouter, prepared: Prepare) -> None:
    router.inject(Fault("stream-stall", model="gpt-6-luna", after_chunks=1))
    running = prepared("Write a haiku about the sea.", TWO)
    running.start()
    eventually(lambda: running.cell("gpt-6-luna").text)
    running.remove("gpt-6-luna")
    result = running.wait()
    assert [h.label for h in result.heads] == ["claude-haiku-4-5"]
    assert len(result.rows) == 1
    router.wait_for(lambda r: r.fault == "stream-stall" and r.hung_up_at is not None)
    with pytest.raises(OptionError, match="There is no column"):
        running.cell("gpt-6-luna")


def test_each_column_goes_on_from_its_own_answer(session: Session, router: SandboxRouter) -> None:
    first = session.compare("Write a haiku about the sea.", ["claude-haiku-4-5"] * 2 + ["gpt-6-luna"])
    first.follow_up("And another.")
    asked = {r.body["messages"][1]["content"]: r.model for r in chats(router)[3:]}
    assert asked == {column.text: column.head.model for column in first}
    assert session.history == ()


def test_continue_with_makes_one_the_conversation_and_the_others_branches(session: Session) -> None:
    session.ask("Earlier.")
    result = session.compare("My lucky number is 4711.", TWO)
    old = session.conversation.branch
    chosen = result.continue_with("gpt-6-luna")
    assert session.model == "gpt-6-luna"
    assert session.conversation.branch == chosen
    assert [e.answer for e in session.history] == [result["gpt-6-luna"].text]
    assert old in session.conversation.branches
    ways = session.conversation.variants(session.history[0].id)
    assert {b.exchanges[0].answer for b in ways} == {c.text for c in result}
    assert "4711" in session.ask("What is my lucky number?").text
    result.continue_with("claude-haiku-4-5")
    assert len(session.history) == 1
    result.continue_with("gpt-6-luna")
    assert len(session.history) == 2  # what was asked on is still there
    assert len(session.conversation.branches) == 3


def test_continue_with_on_top_of_the_conversation(session: Session) -> None:
    session.ask("My name is Ada.")
    result = session.compare("What is my name?", TWO, history=True)
    result.continue_with("c2")
    assert len(session.history) == 2
    assert len(session.conversation.variants(session.history[1].id)) == 2


def test_going_on_is_taken_back_step_by_step(session: Session) -> None:
    session.model = "claude-opus-5"
    session.ask("Earlier.")
    before = session.conversation.branch
    comparison = session.compare("My lucky number is 4711.", TWO).comparison
    assert comparison is not None
    first, second = (column.id for column in comparison.columns)
    assert not comparison.can_go_back
    comparison.continue_with(first)
    comparison.continue_with(first)  # changes nothing, and is no step
    comparison.continue_with(second)
    asked_on = session.ask("What is my lucky number?").text
    assert comparison.can_go_back
    comparison.go_back()
    assert (session.model, comparison.in_use()) == (comparison.cell(first).column.label, first)
    assert len(session.history) == 1
    comparison.go_back()
    assert session.conversation.branch == before
    assert (session.model, comparison.in_use()) == ("claude-opus-5", "")
    assert asked_on in [e.answer for branch in session.conversation.branches for e in branch.exchanges]  # nothing lost
    assert not comparison.can_go_back
    with pytest.raises(InputError, match="Nothing was changed"):
        comparison.go_back()
    comparison.continue_with(second)
    assert session.history[-1].answer == asked_on


def test_going_on_is_taken_back_to_an_empty_conversation_and_no_model(session: Session) -> None:
    session.model = None
    comparison = session.compare("hi", TWO).comparison
    assert comparison is not None
    comparison.continue_with(comparison.columns[1].id)
    comparison.go_back()
    assert session.history == ()
    assert session.model is None


def test_going_on_is_not_taken_back_where_something_else_has_begun(session: Session) -> None:
    comparison = session.compare("hi", TWO).comparison
    assert comparison is not None
    chosen = comparison.columns[1]
    branch = comparison.continue_with(chosen.id)
    session.reset()
    session.ask("Something else.")
    assert not comparison.can_go_back
    with pytest.raises(InputError, match="Nothing was changed"):
        comparison.go_back()
    assert session.model == chosen.label
    session.conversation.switch(branch.id)
    session.model = "claude-opus-5"
    assert not comparison.can_go_back
    with pytest.raises(InputError, match="Nothing was changed"):
        comparison.go_back()
    assert session.model == "claude-opus-5"
    assert session.conversation.branch == branch


def test_going_on_is_not_taken_back_from_another_line_of_the_same_conversation(session: Session) -> None:
    session.ask("Earlier.")
    result = session.compare("My lucky number is 4711.", TWO, history=True)
    result.continue_with("c2")
    comparison = result.comparison
    assert comparison is not None
    assert comparison.can_go_back
    session.conversation.edit(session.history[0].id)
    session.ask("Different.")
    assert not comparison.can_go_back
    assert comparison.in_use() == ""
    with pytest.raises(InputError, match="Nothing was changed"):
        comparison.go_back()
    assert [e.user.content for e in session.history] == ["Different."]


def test_a_column_that_is_still_writing_cant_be_gone_on_from(session: Session, prepared: Prepare) -> None:
    comparison = prepared("chunks=2000 interval=0.05", ["sandbox/stream", "claude-haiku-4-5"])
    comparison.start()
    eventually(lambda: bool(comparison.cell("c1").text))
    with pytest.raises(InputError, match="is still writing") as refused:
        comparison.continue_with("c1")
    assert "stop it" in refused.value.next_step
    assert session.history == ()
    comparison.stop()
    comparison.wait()
    assert comparison.continue_with("c1").exchanges[-1].partial


def test_a_column_without_an_answer_cant_be_gone_on_from(session: Session) -> None:
    result = session.compare("hi", ["claude-haiku-4-5", "nothing-like-it"])
    with pytest.raises(InputError, match="no answer"):
        result.continue_with("nothing-like-it")


def test_a_refused_key_fails_every_column(session: Session, router: SandboxRouter, prepared: Prepare) -> None:
    running = prepared("hi", TWO)
    router.revoke_key(session.bridge.run(session.account.key()).reveal())
    running.start()
    assert {type(c.error) for c in (running.wait(), running)[1].cells} == {InvalidKeyError}


def test_when_the_loop_is_closed_nothing_more_is_begun(
    session: Session, router: SandboxRouter, prepared: Prepare
) -> None:
    router.inject(Fault("stream-stall", after_chunks=1, times=None))
    running = prepared([f"prompt {n}" for n in range(20)], TWO)
    running.start()
    eventually(lambda: all(any(c.text for c in running.cells if c.column is column) for column in running.columns))
    session.bridge.run(_cancel_others())  # what closing it does first
    eventually(lambda: not running.is_running)
    eventually(lambda: {c.state for c in running.cells} == {"stopped"})
