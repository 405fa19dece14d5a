"""`max_cost`, as the sandbox counts it: never passed, nothing left out in silence, all asked or nothing."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.compare.conftest import eventually
from tetrate_jupyter.amounts import total
from tetrate_jupyter.catalog.estimate import cost, most_rates
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.figures import verdict
from tetrate_jupyter.compare.questions import Questions
from tetrate_jupyter.engine.funds import dollars
from tetrate_jupyter.errors import CostLimitError, OptionError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.types import Usage
from tetrate_jupyter.widgets.compare_board import Board
from tetrate_jupyter.widgets.compare_standing import standing

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from tests.compare.conftest import Prepare
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.sandbox import LoggedRequest

HAIKU, SONNET, LUNA = "claude-haiku-4-5", "claude-sonnet-5", "gpt-6-luna"
ESSAY = "Write a haiku about the sea, and explain every line of it at length."


class CacheWriter:
    """A router whose every answer is as long as its cap and filled a cache, which its price list doesn't know."""

    MODEL = "raw/cache-writer"

    def __init__(self) -> None:
        prices = {"input_price": "0.000001", "output_price": "0.000005", "max_output_tokens": 8_000}
        listed = json.dumps({"data": [{"id": self.MODEL, **prices}]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer("application/json", listed if self.path.endswith("/models") else b"{}")

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                details = {"cached_tokens": 0, "caching_tokens": 9}
                usage = {"prompt_tokens": 9, "completion_tokens": asked["max_tokens"], "prompt_tokens_details": details}
                choice = {"index": 0, "delta": {"content": "Blue."}, "finish_reason": "length"}
                chunk = json.dumps({"choices": [choice], "usage": usage})
                self.answer("text/event-stream", f"data: {chunk}\n\ndata: [DONE]\n\n".encode())

            def answer(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def charged(session: Session, router: SandboxRouter) -> Decimal:
    """What the sandbox counted, whether or not the client waited for the end of it, at the listed prices."""
    found = []
    for request in chats(router):
        if request.usage is not None and (request.status or 200) < 400:
            usage = Usage(request.usage["prompt_tokens"], request.usage["completion_tokens"])
            found.append(cost(session.catalog.billed(str(request.model), None), usage).usd)
    return total(found) or Decimal(0)


# --- all or nothing --------------------------------------------------------------------------------------------


def test_without_a_cap_all_answers_get_the_longest_that_the_money_allows(
    session: Session, router: SandboxRouter
) -> None:
    result = session.compare("Name a colour.", f"{HAIKU},{SONNET},{LUNA}", repeats=3, max_cost=0.50)
    assert {r.state for r in result.rows} == {"done"}
    caps = {r.body.get("max_tokens") or r.body.get("max_completion_tokens") for r in chats(router)}
    assert len(caps) == 1
    assert caps.pop() > 1_000
    assert charged(session, router) <= Decimal("0.5")
    assert result.facts.worst is not None
    assert result.facts.worst <= Decimal("0.5")


def test_enough_money_caps_nothing(session: Session, router: SandboxRouter) -> None:
    session.compare("Name a colour.", f"{HAIKU},{LUNA}", max_cost=50)
    assert not {"max_tokens", "max_completion_tokens"} & {name for r in chats(router) for name in r.body}


@pytest.mark.parametrize("more", [{}, {"max_tokens": 4_000}, {"max_completion_tokens": 4_000}])
def test_too_little_asks_nothing_and_names_what_would_do(
    session: Session, router: SandboxRouter, more: dict[str, Any]
) -> None:
    models = HAIKU if "max_completion_tokens" not in more else LUNA
    with pytest.raises(CostLimitError, match=r"This makes 40 calls; .*Nothing was asked") as caught:
        session.compare("Name a colour.", models, repeats=40, max_cost=0.03, **more)
    assert not chats(router)
    step = caught.value.next_step
    enough = step.split("max_cost=")[1].split(")")[0]
    fits = int(step.split("max_tokens=")[1].split(")")[0])
    assert {r.state for r in session.compare("Name a colour.", models, repeats=40, max_cost=enough, **more).rows} == {
        "done"
    }
    less = {
        **more,
        **({"max_tokens": fits} if "max_completion_tokens" not in more else {"max_completion_tokens": fits}),
    }
    assert {r.state for r in session.compare("Name a colour.", models, repeats=40, max_cost=0.03, **less).rows} == {
        "done"
    }


def test_prompts_that_cost_too_much_by_themselves_are_refused(session: Session, router: SandboxRouter) -> None:
    with pytest.raises(CostLimitError, match="the prompts alone can cost"):
        session.compare("字" * 10_000, HAIKU, max_cost=0.004)
    assert not chats(router)


def test_the_forecast_says_the_cap_and_the_true_worst_case(prepared: Prepare) -> None:
    found = prepared("Name a colour.", f"{HAIKU},{SONNET}", repeats=3, max_cost=0.50).forecast
    assert f"Answers are capped at {found.allowed:,} tokens, what max_cost $0.50 allows" in found.sentence
    assert found.worst <= Decimal("0.5") < found.uncapped
    assert "without it, at most" in found.sentence


def test_a_follow_up_is_kept_to_it_too(session: Session, router: SandboxRouter) -> None:
    first = session.compare(ESSAY, HAIKU, max_cost=0.01)
    first.follow_up("And another.")
    assert charged(session, router) <= Decimal("0.02")
    assert "max_tokens" in chats(router)[-1].body


def test_what_is_cut_at_the_cap_says_so_and_nobody_leads(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("length", times=None))
    result = session.compare(ESSAY, f"{HAIKU},{LUNA}", max_cost="0.0116")
    cut = [r for r in result.rows if r.finish_reason == "length"]
    assert cut
    allowed = result.heads[0].allowed
    assert any(f"Cut at {allowed:,} tokens: the cap that max_cost allows" in n for n in cut[0].notices)
    shown = result.text
    assert shown.index(f"Cut at {allowed:,} tokens, the cap that max_cost $0.0116 allows") < shown.index("model")
    assert not [said for said in verdict([c.figures for c in result.columns]) if "noise" not in said]


# --- never passed ----------------------------------------------------------------------------------------------


def stock_of(product: str) -> str:
    """Give the number of pieces of a product in stock."""
    return "12 " * 200


def test_every_round_of_tools_is_set_aside_before_it_is_sent(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("tool-loop", times=None))
    result = session.compare(
        "How many pieces of the product 'lamp' are in stock?",
        HAIKU,
        tools=[stock_of],
        max_tokens=60,
        max_cost="0.009",
    )
    (row,) = result.rows
    assert (row.state, row.error) == ("failed", "CostLimitError")
    assert "the next round could pass max_cost" in str(row.message)
    assert f"Not asked, or not to the end: {HAIKU} (1 of 1). The next round could pass" in result.text
    assert len(chats(router)) > 1
    assert charged(session, router) <= Decimal("0.009")


def test_a_try_that_was_dropped_counts_as_one_that_was_billed(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("drop", times=2))
    result = session.compare("Name a colour.", HAIKU, max_tokens=300, max_cost="0.004")
    assert result.facts.unknown_costs > 0
    assert len(chats(router)) < 3
    assert result.rows[0].error == "CostLimitError"
    assert "trying again could pass max_cost" in str(result.rows[0].message)


def test_a_try_after_which_the_day_allows_no_other_counts_too(
    session: Session, router: SandboxRouter, prepared: Prepare
) -> None:
    running = prepared("Name a colour.", HAIKU, max_tokens=300, max_cost=1)
    assert running.forecast.worst is not None
    session.daily_budget = running.forecast.worst * Decimal("1.5")
    router.inject(Fault("drop", times=1))
    running.start()
    result = running.wait()
    assert "the day's budget" in str(result.rows[0].message)
    assert result.facts.unknown_costs == 1
    assert len(chats(router)) == 1


def _setting(rolls: random.Random) -> tuple[Any, list[str], dict[str, Any]]:
    texts = [
        "Name a colour.",
        ESSAY,
        "字" * rolls.randrange(1, 400),
        "x = 1\n" * rolls.randrange(1, 100),
        "Привет, мир! 😀",
    ]
    prompts = rolls.sample(texts, rolls.randrange(1, 4))
    models = rolls.choices(
        [HAIKU, LUNA, SONNET, "gemini-3.8-flash", "groq/openai/gpt-oss-20b"], k=rolls.randrange(1, 4)
    )
    more: dict[str, Any] = {
        "max_cost": Decimal(str(round(10 ** rolls.uniform(-4, -0.5), 6))),
        "repeats": rolls.randrange(1, 4),
    }
    if rolls.random() < 0.4:
        more["max_tokens"] = rolls.choice([1, 7, 50, 300, 2_000])
    if rolls.random() < 0.3:
        more["tools"] = [stock_of]
        prompts[0] = "How many pieces of the product 'lamp' are in stock?"
    return prompts, models, more


FAULTS = [None, None, "drop", "stream-cut", "no-usage", "rate-limit", "server-error", "bad-json"]


@pytest.mark.parametrize("seed", range(10))
def test_what_the_sandbox_counts_never_passes_it(session: Session, router: SandboxRouter, seed: int) -> None:
    rolls, asked = random.Random(seed), 0
    for _ in range(20):
        prompts, models, more = _setting(rolls)
        fault = rolls.choice(FAULTS)
        if fault is not None:
            router.inject(Fault(fault, times=rolls.randrange(1, 4), retry_after=0.0))
        before = charged(session, router)
        try:
            session.compare(prompts, models, **more)
            asked += 1
        except CostLimitError:
            pass
        assert charged(session, router) - before <= more["max_cost"], (prompts, models, more, fault)
        router.clear_faults()
    assert asked > 2


@pytest.mark.parametrize(
    ("model", "given"),
    [(HAIKU, "max_completion_tokens"), (HAIKU, "max_output_tokens"), (LUNA, "max_output_tokens")],
)
def test_a_cap_under_a_name_that_a_model_may_not_know_is_sent_under_one_that_it_does(
    session: Session, router: SandboxRouter, model: str, given: str
) -> None:
    session.compare(ESSAY, model, max_cost=0.5, **{given: 60})
    (asked,) = chats(router)
    assert asked.body["max_completion_tokens" if model == LUNA else "max_tokens"] == 60


def test_a_model_whose_cap_the_router_leaves_out_is_asked_no_further(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("dropped-fields", dropped=("max_tokens",), times=None))
    result = session.compare([f"{ESSAY} {n}" for n in range(12)], f"{HAIKU},{LUNA}", max_cost=1, max_tokens=300)
    first = result.heads[0].id
    rows = [r for r in result.rows if r.column == first]
    assert {r.error for r in rows} == {"CostLimitError"}
    assert "the router left max_tokens out for this model, so its answers could pass max_cost $1.00" in str(
        rows[0].message
    )
    asked = [r for r in chats(router) if r.model == HAIKU]
    assert 0 < len(asked) <= 4  # those that ran at once
    assert result.facts.unknown_costs >= len(asked)  # they were answered, and so they may have been billed
    assert session.compare(ESSAY, HAIKU, max_tokens=300).rows[0].state == "done"  # without max_cost it is a note


def test_what_may_have_cost_more_counts_with_no_more_than_its_bound(bridge: Bridge, tmp_path: Path) -> None:
    """Cache writes make a known cost too low. Each answer here is as long as its cap: twice that is not to be had."""
    with CacheWriter() as server:
        session = Session(base_url=server.base_url, key="sk-cache-writer", data_dir=tmp_path, bridge=bridge)
        more: dict[str, Any] = {"repeats": 12, "max_tokens": 400, "concurrency": 1}
        worst = bridge.run(prepare(session, "Name a colour.", CacheWriter.MODEL, **more)).forecast.worst
        result = session.compare("Name a colour.", CacheWriter.MODEL, max_cost=worst, **more)
        assert {r.state for r in result.rows} == {"done"}
        assert any("cache writes" in note for note in result.rows[0].notices)
        session.close()


def test_input_from_a_cache_counts_with_its_own_price_where_that_is_higher(session: Session) -> None:
    model = session.models().find(HAIKU)
    dear = replace(model, price=replace(model.price, input=Decimal(1), cache_read=Decimal(5)))
    assert most_rates(dear) == (Decimal("0.000005"), most_rates(model)[1])  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("1e-99999999", "0"),
        ("0e-99999999", "0"),
        (0.1 + 0.2, "0.3"),
        ("0." + "9" * 90_000, "0.999999999999"),
        ("-0", "0"),
    ],
)
def test_an_amount_has_as_many_digits_as_can_be_said(given: Any, taken: str) -> None:
    assert str(dollars(given, "max_cost")) == taken


@pytest.mark.parametrize(
    "given", [pytest.param(10**5_000, id="long"), "1e999999999", "1" * 40, "-1", "-inf", "nan", "sNaN", True, "much"]
)
def test_what_is_no_amount_says_so(prepared: Prepare, given: Any) -> None:
    with pytest.raises(OptionError, match="max_cost") as caught:
        prepared("hi", HAIKU, max_cost=given)
    assert len(caught.value.advice) < 400


# --- what costs nothing ----------------------------------------------------------------------------------------


def test_what_never_left_and_what_was_refused_cost_nothing(
    session: Session, router: SandboxRouter, prepared: Prepare
) -> None:
    running = prepared([f"prompt {n}" for n in range(12)], HAIKU)
    running.start()
    running.stop()
    result = running.wait()
    never = [r for r in result.rows if r.request_id is None]
    assert all(r.cost == 0 or r.attempts == 0 for r in never)
    assert result.facts.unknown_costs == session.ledger.total().unknown_costs
    assert result.facts.unknown_costs <= len(chats(router))
    router.inject(Fault("bad-request", times=None))
    refused = session.compare("hello", f"{HAIKU},{LUNA}")
    assert [r.cost for r in refused.rows] == [0, 0]
    assert refused.facts.unknown_costs == 0
    assert all(e.cost == 0 for e in session.ledger.entries if e.error is not None)


def test_a_stop_in_the_middle_counts_with_its_bound(session: Session, router: SandboxRouter, prepared: Prepare) -> None:
    router.inject(Fault("stream-stall", after_chunks=1, times=None))
    running = prepared(ESSAY, HAIKU, max_tokens=1_000, max_cost="0.008")
    running.start()
    eventually(lambda: running.cell("c1").text)
    running.stop()
    assert running.wait().facts.unknown_costs == 1
    router.clear_faults()
    running.retry()  # what was stopped may have been billed whole: there is no money for another
    (row,) = running.wait().rows
    assert (row.state, row.error) == ("skipped", "CostLimitError")
    assert len(chats(router)) == 1


def test_a_column_that_isnt_asked_is_said_above_everything(session: Session, prepared: Prepare) -> None:
    models = [HAIKU, {"model": LUNA, "max_tokens": 1}]
    worst = prepared(ESSAY, models, max_tokens=1_000).forecast.worst
    running = prepared(ESSAY, models, max_tokens=1_000, max_cost=worst)
    running.start()
    running.wait()
    running.ask_again("c1")
    result = running.wait()
    assert [r.state for r in result.rows] == ["skipped", "done"]
    said = result.text
    assert said.index(f"Not asked: {HAIKU} (1 of 1). ") < said.index("model")
    assert "Next: raise max_cost, or cap the answers with max_tokens." in said
    assert f"Not asked: {HAIKU}" in result.html
    assert verdict([c.figures for c in result.columns]) == []


def test_money_that_is_promised_to_a_cell_that_is_being_planned_is_waited_for(
    session: Session, prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    worst = prepared("Name a colour.", f"{HAIKU},{LUNA}", max_tokens=1_000).forecast.worst
    running = prepared("Name a colour.", f"{HAIKU},{LUNA}", max_tokens=1_000, max_cost=worst)
    running.start()
    running.wait()
    first, second = running.cell("c1"), running.cell("c2")
    may_go_on, plan = threading.Event(), Questions.planned

    def planned(self: Questions, column: Column, *given: Any, **more: Any) -> Plan:
        if column.id == "c1":
            may_go_on.wait(60)
        return plan(self, column, *given, **more)

    monkeypatch.setattr(Questions, "planned", planned)
    running.ask_again("c1")  # what is left is enough for one of them at a time
    running.ask_again("c2")
    try:
        eventually(lambda: second in running._scheduler._planned or second.is_over)
    finally:
        may_go_on.set()
    running.wait()
    assert [(cell.state, len(cell.attempts)) for cell in (first, second)] == [("done", 2)] * 2


def test_the_panel_says_it_too_and_names_nobody_while_blind(session: Session, prepared: Prepare) -> None:
    models = [HAIKU, {"model": LUNA, "max_tokens": 1}]
    worst = prepared(ESSAY, models, max_tokens=1_000).forecast.worst
    running = prepared(ESSAY, models, max_tokens=1_000, max_cost=worst)
    running.start()
    running.wait()
    running.ask_again("c1")
    running.wait()
    eventually(lambda: not running.is_running)
    shown = standing(running, Board(running), blind=False)
    assert shown["notices"].startswith(f"Not asked: {HAIKU} (1 of 1). ")
    assert shown["verdict"] == ""
    hidden = standing(running, Board(running), blind=True)["notices"]
    assert hidden.startswith(f"Not asked: {running.setup.blind_names()['c1']} (1 of 1)")
    assert HAIKU not in hidden


def test_what_no_connection_took_is_free(router: SandboxRouter, session: Session, prepared: Prepare) -> None:
    running = prepared(["one", "two"], f"{HAIKU},{LUNA}", max_cost=1, max_tokens=50)
    router.stop()
    running.start()
    result = running.wait()
    assert {(r.error, r.cost) for r in result.rows} == {("UnreachableError", Decimal(0))}
    assert (result.facts.unknown_costs, session.ledger.total().unknown_costs) == (0, 0)
