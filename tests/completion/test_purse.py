"""What is recorded of each request, and how several purses pay as one; totals are unknown where a part is."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.completion.test_accumulate import added, call, chunk
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.completion.accumulate import Accumulator
from tetrate_jupyter.completion.purse import Ended, Purses, Try, priced, summed
from tetrate_jupyter.errors import CostLimitError
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.types import Message

FREE = Estimate(Decimal(0))


def ended(problem: BaseException | str | None = None) -> Ended:
    return Try().ended("failed", FREE, problem, None)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (None, None),
        ("", None),
        ("RateLimitError", "RateLimitError"),
        (CostLimitError("x", next_step="y"), "CostLimitError"),
        (asyncio.CancelledError(), "stopped"),
        (KeyboardInterrupt(), "stopped"),
        (ZeroDivisionError(), "TetrateError"),
    ],
)
def test_the_error_that_ended_it_is_named(problem: BaseException | str | None, kind: str | None) -> None:
    assert ended(problem).error == kind


def test_a_request_that_was_never_sent_has_nothing_but_its_time() -> None:
    before = time.time()
    tried = Try()
    found = tried.ended("partial", Estimate(None, ("why",)), None, None)
    assert before <= found.at <= time.time()
    assert found.total >= 0
    assert (found.outcome, found.cost) == ("partial", Estimate(None, ("why",)))
    assert (found.served, found.usage, found.finish, found.request_id) == (None, Usage(), None, None)
    assert (found.response_id, found.calls, found.first, found.heard) == (None, (), None, None)
    assert (found.simulated, found.is_asked) == (False, False)


def test_times_count_from_when_it_is_sent() -> None:
    now = time.time()
    later = Try(after=1_000.0)
    assert now + 1_000 <= later.at < now + 1_000 + 600
    assert later.ended("failed", FREE, None, None).total == 0.0
    tried = Try()
    tried.first, tried.heard = tried.started + 3.0, tried.started + 2.0
    found = tried.ended("done", FREE, None, None, Accumulator())
    assert found.first == pytest.approx(3.0)
    assert found.heard == pytest.approx(2.0)
    assert (found.served, found.finish, found.calls) == (None, None, ())
    early = Try(after=-50.0)
    assert early.ended("done", FREE, None, None).total >= 50


class Kept:
    """A purse that writes down what it is asked."""

    def __init__(
        self, name: str, said: list[str], cap: int | None = None, problem: BaseException | None = None
    ) -> None:
        self._name, self._said, self._cap, self._problem = name, said, cap, problem

    async def open(self, messages: Sequence[Message]) -> int | None:
        self._said.append(f"{self._name} opens {len(messages)}")
        return self._cap

    def opened(self, dropped: Sequence[str]) -> None:
        self._said.append(f"{self._name} opened {list(dropped)}")

    async def lose(self, ended: Ended) -> None:
        self._said.append(f"{self._name} loses {ended.error}")
        if self._problem is not None:
            raise self._problem

    def close(self, ended: Ended) -> None:
        self._said.append(f"{self._name} closes {ended.error}")

    async def finish(self) -> tuple[str, ...]:
        return (f"{self._name}.", f"{self._name}!")


@pytest.mark.anyio
@pytest.mark.parametrize(("caps", "lowest"), [((5, 3), 3), ((None, 7), 7), ((0, 4), 0), ((None, None), None)])
async def test_of_several_purses_the_lowest_cap_applies(caps: tuple[int | None, ...], lowest: int | None) -> None:
    assert await Purses(*(Kept("a", [], cap) for cap in caps)).open([]) == lowest


@pytest.mark.anyio
async def test_several_purses_pay_in_their_order() -> None:
    said: list[str] = []
    both = Purses(Kept("a", said), Kept("b", said))
    await both.open([])
    both.opened(["tools"])
    await both.lose(ended("X"))
    both.close(ended("Y"))
    assert said == [
        *("a opens 0", "b opens 0", "a opened ['tools']", "b opened ['tools']"),
        *("b loses X", "a loses X", "a closes Y", "b closes Y"),
    ]
    assert await both.finish() == ("b.", "b!", "a.", "a!")
    assert await Purses().finish() == ()


@pytest.mark.anyio
async def test_a_purse_that_refuses_keeps_no_other_from_paying() -> None:
    said: list[str] = []
    first, second = LookupError("first"), CostLimitError("second", next_step="x")
    with pytest.raises(CostLimitError) as refused:
        await Purses(Kept("a", said, problem=first), Kept("b", said, problem=second)).lose(ended("X"))
    assert refused.value is second
    assert said == ["b loses X", "a loses X"]
    with pytest.raises(LookupError):
        await Purses(Kept("a", said, problem=first), Kept("b", said)).lose(ended("X"))


def price(model: str, usage: Usage) -> Estimate:
    if model == "broken":
        raise ZeroDivisionError
    if model == "unlisted":
        return Estimate(None, ("no price",))
    return Estimate(Decimal(usage.prompt_tokens or 0) / 100, ("estimated", model))


def test_rounds_are_summed() -> None:
    usage, cost = summed([("a", Usage(100, 5)), ("b", Usage(200, 7))], price)
    assert (usage.prompt_tokens, usage.completion_tokens) == (300, 12)
    assert cost == Estimate(Decimal(3), ("estimated", "a", "b"))
    assert summed([("a", Usage(100, 5))], price) == (Usage(100, 5), Estimate(Decimal(1), ("estimated", "a")))


@pytest.mark.parametrize(
    ("model", "notes"), [("broken", ("estimated", "a")), ("unlisted", ("estimated", "a", "no price"))]
)
def test_a_round_of_unknown_cost_makes_the_total_unknown(model: str, notes: tuple[str, ...]) -> None:
    assert summed([("a", Usage(100, 5)), (model, Usage(1, 1))], price)[1] == Estimate(None, notes)
    assert priced(price, "broken", Usage()) == Estimate(None)


def test_what_came_of_an_answer_is_recorded_with_it() -> None:
    came = added(
        chunk(call(0, id="c1", name="add", arguments="{}"), id="gen-1", model="served-model"),
        chunk({}, finish_reason="tool_calls", usage={"prompt_tokens": 7, "completion_tokens": 2}),
    )[2]
    found = Try().ended("done", FREE, None, None, came)
    assert (found.served, found.response_id, found.finish) == ("served-model", "gen-1", "tool_calls")
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (7, 2)
    assert [each.name for each in found.calls] == ["add"]


def test_a_record_is_one_of_a_request_to_the_router_unless_it_says_otherwise() -> None:
    made = Ended(1.0, None, Usage(), FREE, "done", 2.0)
    assert (made.simulated, made.is_asked, made.calls) == (False, True, ())
