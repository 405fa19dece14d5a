"""Budgets: what could pass one is not sent, whatever runs beside it, and what the person can do is said."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.records import on_disk, record
from tetrate_jupyter.amounts import total
from tetrate_jupyter.catalog.estimate import Estimate, cost
from tetrate_jupyter.completion.purse import Ended
from tetrate_jupyter.completion.request import Request
from tetrate_jupyter.engine.spending import Spending
from tetrate_jupyter.errors import ConfigError, CostLimitError, OptionError, TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.ledger.book import Book
from tetrate_jupyter.ledger.day import Day
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.types import Message, Model, Price, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import LoggedRequest

LUNA, HAIKU = "gpt-6-luna", "claude-haiku-4-5"
ESSAY = "Write a haiku about the sea, and explain every line of it at length."


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def charged(session: Session, router: SandboxRouter) -> Decimal:
    """What the sandbox counted, at the listed prices."""
    found = []
    for request in chats(router):
        if request.usage is not None and (request.status or 200) < 400:
            usage = Usage(request.usage["prompt_tokens"], request.usage["completion_tokens"])
            found.append(cost(session.catalog.billed(str(request.model), None), usage).usd)
    return total(found) or Decimal(0)


@pytest.fixture
def other(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """Another kernel, as it were, on the same ledger."""
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    made.model = HAIKU
    yield made
    made.close()


# --- the session's own --------------------------------------------------------------------------------------------


def test_what_could_pass_it_is_not_sent(session: Session, router: SandboxRouter) -> None:
    first = session.ask(ESSAY, max_tokens=2_000)
    assert first.cost
    session.budget = "0.005"
    with pytest.raises(CostLimitError) as caught:
        session.ask(ESSAY, max_tokens=2_000)
    assert len(chats(router)) == 1
    said = caught.value
    assert "$0.005" in said.message  # the budget; what was spent; what it could cost
    assert "spent" in said.message
    assert "could cost $0.0" in said.message
    enough = said.next_step.split("session.budget = ")[1].split(";")[0]
    fits = int(said.next_step.split("max_tokens=")[1].split(" ")[0])
    assert session.ask(ESSAY, max_tokens=fits).text
    session.budget = enough
    assert session.ask(ESSAY, max_tokens=2_000).text
    assert charged(session, router) <= Decimal(enough)


@pytest.mark.parametrize("advised", ["allow more: session.budget = ", "max_tokens="])
def test_what_an_error_advises_is_as_much_as_is_needed(session: Session, advised: str) -> None:
    session.budget = "0.0008"
    with pytest.raises(CostLimitError, match="even an answer of 1,024 tokens could cost") as caught:
        session.ask("Is this good or bad? It broke.")
    said = caught.value.next_step.split(advised)[1].split(";")[0].split(" ")[0]
    if advised == "max_tokens=":
        assert session.ask("Is this good or bad? It broke.", max_tokens=int(said)).text
        return
    assert Decimal(said) < Decimal("0.01")  # the longest answer could cost $0.3
    session.budget = said
    assert session.ask("Is this good or bad? It broke.").text


def test_setting_it_again_allows_nothing_more(session: Session) -> None:
    asked = 0

    def cell() -> None:
        session.budget = "0.0075"
        session.ask(ESSAY, max_tokens=1_000)

    with pytest.raises(CostLimitError):  # noqa: PT012 - the cell is run again and again
        for _ in range(100):
            cell()
            asked += 1
    assert 1 < asked < 100
    session.budget = None
    assert session.budget is None
    assert session.ask("hello").text


def test_a_fork_spends_from_the_same(session: Session) -> None:
    session.budget = "0.0001"
    other = session.fork()
    with pytest.raises(CostLimitError):
        other.ask(ESSAY)
    other.close()


def test_an_answer_gets_the_cap_that_the_money_allows(session: Session, router: SandboxRouter) -> None:
    session.budget = "0.01"
    answer = session.ask("hello")
    (asked,) = chats(router)
    cap = asked.body["max_tokens"]
    assert 1_024 <= cap <= 2_000
    assert not any("allowed" in note for note in answer.notices)
    router.inject(Fault("length"))
    cut = session.ask("hello")
    cap = chats(router)[-1].body["max_tokens"]
    assert f"The budget allowed this answer {cap:,} tokens." in cut.notices


def test_with_enough_money_nothing_is_capped(session: Session, router: SandboxRouter) -> None:
    session.budget = 50
    session.ask("hello")
    assert not {"max_tokens", "max_completion_tokens"} & set(chats(router)[0].body)


def test_four_fifths_are_said_once(session: Session) -> None:
    spent = session.ask("hello").cost or Decimal(0)
    session.budget = spent * 2
    session.model = LUNA
    notes: list[str] = []
    session.budget = spent * 5 / 4 + Decimal("0.05")
    session._spending.own.account.most = spent * 5 / 4  # nothing more is asked from here on
    notes += [session._spending.own.warning() for _ in range(2)]
    assert [bool(note) for note in notes] == [True, False]
    assert "spent" in notes[0]


def test_an_unknown_price_fits_under_no_budget(session: Session, router: SandboxRouter) -> None:
    session.budget = 100
    with pytest.raises(CostLimitError, match=r"price of .* is unknown"):
        session.ask("hello", model="unlisted:who/knows")
    assert not chats(router)


def test_a_try_that_may_have_been_billed_counts_with_its_bound(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("drop", times=None))
    session.budget = "0.008"
    with pytest.raises(CostLimitError, match="trying again could pass"):
        session.ask(ESSAY, max_tokens=1_000)
    assert len(chats(router)) == 1
    assert session.book.flush(20)
    (found,) = on_disk(session.book.folder)  # type: ignore[arg-type]  # there is one
    assert (found.cost, found.error) == (None, "UnreachableError")
    assert found.most is not None
    assert found.most > Decimal("0.004")


def test_a_router_that_leaves_the_cap_out_is_stopped(session: Session, router: SandboxRouter) -> None:
    session.budget = "0.1"
    router.inject(Fault("dropped-fields", dropped=("max_tokens",)))
    with pytest.raises(CostLimitError, match="left out max_tokens"):
        session.ask("hello", max_tokens=100)


@pytest.mark.parametrize("wrong", ["much", float("nan"), object(), -1, "-0.01", float("-inf")])
def test_what_is_no_amount_is_refused(session: Session, wrong: Any) -> None:
    with pytest.raises(OptionError, match="can't be"):
        session.budget = wrong
    with pytest.raises(OptionError, match="can't be"):
        session.daily_budget = wrong


def test_what_is_spent_says_how_much_of_it_is_unknown(session: Session, router: SandboxRouter) -> None:
    session.ask("Hi", max_tokens=50)
    session.budget = session.daily_budget = 1
    assert not any("unknown" in said for said in session.budgets)
    host = session.endpoints.host
    for whose in ({"simulated": True, "host": host}, {"host": "router.example"}):
        session.book.note(record(cost=None, **whose))
    assert session.budgets[1].endswith(" are spent, with 2 requests of unknown cost.")
    router.inject(Fault("drop", times=None))
    with pytest.raises(TetrateError):
        session.ask("Hi", max_tokens=50)
    assert " of unknown cost" in session.budgets[0]


# --- labels -------------------------------------------------------------------------------------------------------


def test_a_label_is_noted_and_holds_its_budget(session: Session, router: SandboxRouter) -> None:
    with session.label("eval", budget=1) as outer:
        session.ask("one")
        with session.label("inner", budget="0.000001"), pytest.raises(CostLimitError, match="budget of 'inner'"):
            session.ask("two")
        session.compare("three", HAIKU, max_tokens=100)
    session.ask("four")
    assert [each.label for each in session.book.recent] == ["eval", "eval", None]
    assert outer.spent == sum((each.cost or 0 for each in session.book.recent[:2]), Decimal(0))
    assert len(chats(router)) == 3


def test_a_label_holds_threads_that_came_without_a_context(session: Session, router: SandboxRouter) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(session.ask, "before").result().text  # its thread is older than the block
        with session.label("eval", budget=1) as spent:
            list(pool.map(session.ask, ["one", "two"]))
            pool.submit(lambda: asyncio.run(session.aask("three"))).result()
        assert {each.label for each in session.book.recent[1:]} == {"eval"}
        assert spent.spent == sum((each.cost or 0 for each in session.book.recent[1:]), Decimal(0))
        with session.label("out", budget=0), session.label("in"):
            for ask in (session.ask, lambda words: asyncio.run(session.aask(words))):
                with pytest.raises(CostLimitError, match="budget of 'out'"):
                    pool.submit(ask, "no").result()
        assert pool.submit(session.ask, "after").result().text
    assert session.book.recent[-1].label is None
    assert len(chats(router)) == 5


def test_a_label_of_one_thread_holds_no_other(session: Session) -> None:
    both_are_in = threading.Barrier(2)

    def ask(label: str) -> Decimal:
        with session.label(label, budget=1) as spent:
            both_are_in.wait(30)
            session.ask(label)
            both_are_in.wait(30)
            return spent.spent

    with session.label("all", budget=1) as of_all, ThreadPoolExecutor(2) as pool:
        each = list(pool.map(ask, ["a", "b"]))
    costs = {one.label: one.cost for one in session.book.recent}
    assert each == [costs["a"], costs["b"]]
    assert of_all.spent == sum(each)


@pytest.mark.parametrize("wrong", ["", "  ", 3])
def test_a_label_is_a_word(session: Session, wrong: Any) -> None:
    with pytest.raises(OptionError, match="label"), session.label(wrong):
        pass


# --- many at once -------------------------------------------------------------------------------------------------


def test_a_comparison_stays_within_it(session: Session, router: SandboxRouter) -> None:
    session.budget = "0.01"
    result = session.compare([ESSAY] * 30, HAIKU, max_tokens=1_000)
    assert {row.state for row in result.rows} == {"done", "failed"}
    assert {row.error for row in result.rows if row.state == "failed"} == {"CostLimitError"}
    assert charged(session, router) <= Decimal("0.01")


def test_many_at_once_over_the_wire_stay_within_it(session: Session, router: SandboxRouter) -> None:
    session.budget = "0.02"

    async def many() -> list[object]:
        asked = (session.aask(ESSAY, max_tokens=1_500, keep=False) for _ in range(64))
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(many())
    assert any(isinstance(each, CostLimitError) for each in found)
    assert sum(not isinstance(each, BaseException) for each in found) > 2
    assert charged(session, router) <= Decimal("0.02")


class Notes:
    """Stands where the notes of a question are: nothing is noted here."""

    host = "router.example"
    bound: Any = None


async def one_call(spending: Spending, dice: random.Random, model: Model, billed: list[Decimal]) -> None:
    request = Request(model, (Message("user", "x" * dice.randrange(2_000)),))
    purse = spending.purse(request, Notes())  # type: ignore[arg-type]  # likewise
    for _ in range(dice.choice((1, 1, 2))):
        try:
            cap = await purse.open(request.messages)
        except CostLimitError:
            return
        await asyncio.sleep(0)
        most = purse._most(cap or purse._own)
        actual = most * Decimal(dice.randrange(101)) / 100
        billed.append(actual)
        told = None if dice.random() < 0.1 else actual
        now = time.time()
        ended = Ended(now, model.id, Usage(), Estimate(told), "done", 0.0)
        if told is None and dice.random() < 0.5:
            try:
                await purse.lose(ended)
            except CostLimitError:
                return
            billed.append(actual)
        purse.close(ended)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_no_run_of_a_thousand_passes_it(tmp_path: Path) -> None:
    dice = random.Random(64)
    model = Model("m", "m", max_output_tokens=4_000, price=Price(Decimal(1), Decimal(5)))
    passed = refused = 0
    for _ in range(1_000):
        spending, billed = Spending(Book(tmp_path)), list[Decimal]()
        spending.limit(Decimal(dice.randrange(1, 400)) / 1_000)

        async def run(spending: Spending = spending, billed: list[Decimal] = billed) -> None:
            await asyncio.gather(*(one_call(spending, dice, model, billed) for _ in range(64)))

        asyncio.run(asyncio.wait_for(run(), 120))
        passed += sum(billed) > (spending.own.budget or 0)
        refused += len(billed) < 64
        assert spending._flying == 0
        assert spending.own.account.left is not None
    assert passed == 0
    assert refused > 500


# --- the day's ----------------------------------------------------------------------------------------------------


def test_a_day_is_counted_over_kernels(session: Session, other: Session, router: SandboxRouter) -> None:
    session.daily_budget = other.daily_budget = "0.01"
    with pytest.raises(CostLimitError, match="the day's budget") as caught:  # noqa: PT012 - until it is refused
        for _ in range(100):
            session.ask(ESSAY, max_tokens=1_000)
            other.ask(ESSAY, max_tokens=1_000)
    assert "session.daily_budget" in caught.value.next_step
    assert len(chats(router)) > 2
    assert charged(session, router) <= Decimal("0.01")
    assert [each.outcome for each in session.usage("today").itertuples()] == ["done"] * len(chats(router))


def test_it_is_closed_where_the_ledger_cant_be_read_or_is_off(
    session: Session, router: SandboxRouter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.daily_budget = 5
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "ledger").write_text("in the way")
    with pytest.raises(CostLimitError, match="can't be told from the ledger") as caught:
        session.ask("hello")
    assert "session.daily_budget = None" in caught.value.next_step
    (tmp_path / "data" / "ledger").unlink()
    monkeypatch.setenv("TETRATE_JUPYTER_LEDGER", "off")
    with pytest.raises(CostLimitError, match="turned off"):
        session.ask("hello")
    monkeypatch.delenv("TETRATE_JUPYTER_LEDGER")
    assert not chats(router)
    assert session.ask("hello").text


def test_what_was_begun_by_a_kernel_that_was_killed_counts_with_its_bound(tmp_path: Path) -> None:
    gone = Book(tmp_path)
    gone.note(record(outcome="open", cost=None, most=Decimal(3)))
    gone.note(record(cost=Decimal(1)))
    gone.note(record(cost=None, most=Decimal("0.5")))
    gone.note(record(cost=Decimal(100), t=time.time() - 3 * 86_400))
    assert gone.flush(20)
    day = Day(Book(tmp_path))
    assert day.spent("router.example") == Decimal("4.5")
    assert day.ended("router.example") == Decimal("1.5")
    assert not day.take(record(outcome="open", cost=None, most=Decimal("0.6")), Decimal(5))
    assert day.take(record(outcome="open", cost=None, most=Decimal("0.4")), Decimal(5))
    assert day.spent("router.example") == Decimal("4.9")


def test_play_money_is_of_its_sandbox_alone(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.note(record(host="127.0.0.1:1", cost=Decimal(7), simulated=True))
    book.note(record(cost=Decimal(1)))
    day = Day(book)
    assert book.flush(20)
    assert day.spent("router.example") == 1
    assert day.spent("127.0.0.1:1") == 8
    assert day.spent("127.0.0.1:2") == 1


def test_erasing_is_noticed(tmp_path: Path) -> None:
    book, day = Book(tmp_path), Day(Book(tmp_path))
    book.note(record(cost=Decimal(1)))
    assert book.flush(20)
    assert day.spent("h") == 1
    book.erase()
    assert day.spent("h") == 0


def test_kernels_that_take_at_once_never_pass_it_together(tmp_path: Path) -> None:
    days = [Day(Book(tmp_path)) for _ in range(6)]
    taken: list[bool] = []

    def take(day: Day) -> None:
        taken.extend(day.take(record(outcome="open", cost=None, most=Decimal(1)), Decimal(10)) for _ in range(10))

    threads = [threading.Thread(target=take, args=(day,)) for day in days]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert 0 < sum(taken) <= 10
    assert all(day._book.flush(60) for day in days)  # what one of them took back may still be on its way
    assert days[0].spent("h") == sum(taken)


def test_what_fails_before_it_is_sent_gives_its_money_back(session: Session, router: SandboxRouter) -> None:
    session.models()
    session.budget = session.daily_budget = "0.5"
    router.stop()
    with pytest.raises(TetrateError):
        session.ask("hello")
    assert session.book.flush(20)
    assert session._spending.own.account.left == Decimal("0.5")
    assert session._spending.day.spent(session.endpoints.host) == 0


def test_a_day_that_cant_be_read_raises(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file")
    with pytest.raises(ConfigError):
        Day(Book(tmp_path)).spent("h")


def test_what_a_day_has_cost_is_told_by_notebook_and_what_isnt_known_beside_it(tmp_path: Path) -> None:
    book = Book(tmp_path)
    first = record(outcome="open", cost=None, most=Decimal(9), notebook="a.ipynb")
    for each in (
        first,
        record(call=first.call, cost=Decimal("0.25"), notebook="a.ipynb"),
        record(cost=None, most=Decimal(5), notebook="a.ipynb"),
        record(cost=Decimal(2), notebook="b.ipynb"),
        record(cost=Decimal(7), host="127.0.0.1:1", simulated=True, notebook="a.ipynb"),
        record(outcome="void", cost=None, notebook="a.ipynb"),
    ):
        book.note(each)
    assert book.flush(20)
    day = Day(Book(tmp_path))
    assert day.told(notebook="a.ipynb") == (Decimal("0.25"), 1)
    assert day.told() == (Decimal("2.25"), 1)
    assert day.told("127.0.0.1:1", "a.ipynb") == (Decimal(7), 0)
    assert day.told(notebook="c.ipynb") == (None, 0)
    book.erase()
    assert day.told() == (None, 0)


def test_what_is_on_its_way_is_known_until_it_has_ended_however_that_was(
    session: Session, router: SandboxRouter
) -> None:
    seen: list[int] = []
    stop = session.book.on_change(lambda: seen.append(session.book.under_way))
    session.ask("hello", keep=False)
    router.inject(Fault("no-credits"))
    with pytest.raises(TetrateError):
        session.ask("hello", model=HAIKU)
    stop()
    assert set(seen) == {0, 1}
    assert session.book.under_way == 0


def test_an_endpoint_that_counts_no_tokens_does_not_make_a_budget_endless(
    session: Session, router: SandboxRouter
) -> None:
    router.inject(Fault("usage-zeros", times=None))
    session.model, session.budget = HAIKU, 0.02
    for _ in range(3):
        assert session.ask("Count.", max_tokens=1000, keep=False).cost is None
    with pytest.raises(CostLimitError, match="3 of unknown cost"):
        session.ask("Count.", max_tokens=1000, keep=False)
