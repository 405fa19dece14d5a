"""Budgets: the most that a request can cost is set aside before it is sent, and settled when its cost is known.

There are three kinds, and a request has to fit into each that is set: the session's own (what it has spent since it
began, whenever the budget was set: running a cell that sets it again allows nothing more), those of the labels around
it, and the day's, over all kernels, which rests on the ledger and is closed where that can't be read or written.

A bound needs a cap on the answer. Where none was asked for it is the model's own longest answer; where that doesn't fit
any more, requests wait for those that are on their way to leave something over, and the last one gets the longest cap
that the money allows, which is said under an answer that it cuts. Where that would be too short to be of use, nothing
is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.amounts import EXACT, product, total
from tetrate_jupyter.catalog.estimate import LONG_FACTOR, is_long, most_cost, most_rates
from tetrate_jupyter.completion.request import CAPS, OVER, fewest, most_prompt_tokens
from tetrate_jupyter.engine.funds import Fund, dollars, is_near, labels, near
from tetrate_jupyter.errors import ConfigError, CostLimitError
from tetrate_jupyter.ledger.budget import enough_for, stated
from tetrate_jupyter.ledger.day import Day
from tetrate_jupyter.render.numbers import money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.completion.purse import Ended
    from tetrate_jupyter.completion.request import Request
    from tetrate_jupyter.engine.noting import Noting
    from tetrate_jupyter.ledger.book import Book
    from tetrate_jupyter.types import Message

_TURNS: Final = 20  # how often other kernels may be quicker to take what is left of the day


class Spending:
    """The budgets of a session and of its forks. Thread-safe."""

    def __init__(self, book: Book) -> None:
        self.own = Fund("the session's budget", "session.budget = {}")
        self.daily: Decimal | None = None
        self.day = Day(book)
        self.warned_for: Decimal | None = None  # the day's budget whose warning was given
        self._lock = threading.Lock()
        self._flying = 0  # requests that hold money
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def limit(self, amount: object) -> None:
        """Set the session's budget."""
        self.own.account.most = dollars(amount, "budget")
        self.own.is_warned = False

    def said(self, host: str) -> tuple[str, ...]:
        """Return a sentence on each budget that is set, with what is spent of it."""
        found = []
        if self.own.budget is not None:
            gone, unknown = self.own.account.gone, _unknown(self.own.unknown)
            found.append(f"Of {self.own.name} {stated(self.own.budget)}, ≈ {money(gone)} are spent{unknown}.")
        if self.daily is not None:
            try:
                gone = self.day.ended(host)
                unknown = _unknown(self.day.told().unknown + self.day.told(host).unknown)
            except ConfigError as unreadable:
                found.append(f"Nothing is asked: {unreadable.advice}")
            else:
                found.append(f"Of the day's budget {stated(self.daily)}, ≈ {money(gone)} are spent{unknown}.")
        return tuple(found)

    def purse(self, request: Request, noting: Noting) -> Paying:
        """Return the money for one question."""
        return Paying(self, request, noting, (self.own, *labels()))

    def begin(self, call: Paying, funds: Sequence[Fund], worst: Decimal | None) -> bool:
        """Set an amount aside in all budgets, or in none."""
        with self._lock:
            for number, fund in enumerate(funds):
                if not fund.account.begin(call, worst):
                    for other in funds[:number]:
                        other.account.end(call)
                    return False
            self._flying += 1
            return True

    def end(self, call: Paying, funds: Sequence[Fund], cost: Decimal | None, most: Decimal | None) -> None:
        """Pay, give back what is left over, and wake the requests that wait for it."""
        with self._lock:
            for fund in funds:
                fund.account.pay(call, cost, most)
                fund.account.end(call)
            self._done()

    def give_back(self, call: Paying, funds: Sequence[Fund]) -> None:
        """Release what was set aside for a request that wasn't sent."""
        with self._lock:
            for fund in funds:
                fund.account.end(call)
            self._done()

    def _done(self) -> None:
        self._flying -= 1
        waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(event.set)

    def more_to_come(self) -> asyncio.Event | None:
        """Return an event that is set when money is given back, None where no request is running."""
        with self._lock:
            if not self._flying:
                return None
            event = asyncio.Event()
            self._waiting.append((asyncio.get_running_loop(), event))
            return event


class Paying:
    """The money for the requests of one question: a `Purse`."""

    def __init__(self, spending: Spending, request: Request, noting: Noting, funds: tuple[Fund, ...]) -> None:
        self._spending = spending
        self._request = request
        self._noting = noting
        self._funds = funds
        self._messages: Sequence[Message] = ()
        self._prompt: int | None = None  # a bound of their tokens, once it was needed
        self._holds = False
        self._is_capped = False  # whether the amount set aside depends on a cap
        self._cap: int | None = None  # the cap that the money allowed
        self._was_cut = False
        noting.bound = self._bound

    async def open(self, messages: Sequence[Message]) -> int | None:
        """See `Purse`."""
        self._messages, self._prompt, self._cap, self._is_capped = messages, None, None, False
        if not self._is_limited:
            self._holds = self._spending.begin(self, self._funds, None)
            return None
        try:
            return await self._opened()
        except ConfigError as unreadable:
            problem = CostLimitError(f"Not asked: {unreadable.message}", next_step=unreadable.next_step)
        raise problem

    async def _opened(self) -> int | None:
        least = self._own if self._request.cap is not None else min(self._own, fewest(self._request.model))
        for _ in range(_TURNS):
            self._is_capped = self._request.cap is not None
            if await self._takes(self._most(self._own)):
                return self._sure_cap
            while not any(fund.account.never_fits(self._most(least)) for fund in self._funds):
                event = self._spending.more_to_come()
                if event is None:
                    break
                await event.wait()
                if await self._takes(self._most(self._own)):
                    return self._sure_cap
            fits = await self._fits()
            if self._request.cap is not None or fits < least:
                break
            if await self._takes(self._most(fits)):
                self._cap, self._is_capped = fits, True
                return fits
        raise await self._too_dear(least, await self._fits())

    def opened(self, dropped: Sequence[str]) -> None:
        """See `Purse`."""
        if self._is_limited and (self._is_capped or self._sure_cap) and not set(CAPS).isdisjoint(dropped):
            raise CostLimitError(
                f"Stopped: the router left out {', '.join(dropped)}, so this model's answer could pass the budget.",
                next_step="choose another model, or take the budget away: session.budget = None",
            )

    async def lose(self, ended: Ended) -> None:
        """See `Purse`."""
        if ended.cost.usd is None:
            most = self._bound()
            self._spending.end(self, self._funds, None, most)
            self._holds = self._spending.begin(self, self._funds, most if self._is_limited else None)
            if not self._holds:
                raise self._refusal("trying again could pass", most or Decimal(0))
        daily = self._spending.daily
        if daily is None:
            return
        self._holds = False
        with contextlib.suppress(ConfigError):
            self._holds = await self._takes_of_the_day(self._bound(), daily)
        if not self._holds:
            raise CostLimitError(
                f"Not asked again: trying again could pass the day's budget {stated(daily)}.",
                next_step="allow more today: session.daily_budget, or ask again later",
            )

    def close(self, ended: Ended) -> None:
        """See `Purse`."""
        self._was_cut = self._cap is not None and ended.finish == "length"
        if self._holds:
            self._settle(ended)

    async def finish(self) -> tuple[str, ...]:
        """See `Purse`."""
        said = [fund.warning() for fund in self._funds]
        if self._was_cut:
            said.append(f"The budget allowed this answer {self._cap:,} tokens.")
        spending, daily = self._spending, self._spending.daily
        if daily is not None and spending.warned_for != daily:
            with contextlib.suppress(ConfigError):  # the next question says it
                gone = await asyncio.to_thread(spending.day.ended, self._noting.host)
                if is_near(gone, daily):
                    spending.warned_for = daily
                    said.append(near("the day's budget", gone, daily))
        return tuple(filter(None, said))

    # --- inside ----------------------------------------------------------------------------------------------

    @property
    def _is_limited(self) -> bool:
        return self._spending.daily is not None or any(fund.budget is not None for fund in self._funds)

    @property
    def _own(self) -> int:
        return self._request.cap or self._request.model.max_output_tokens or config.DEFAULT_MAX_OUTPUT

    @property
    def _sure_cap(self) -> int | None:
        """The cap to send where the request has none that holds: the model's own isn't known, or its name isn't."""
        if self._request.cap is not None:
            return None if self._request.is_surely_capped else self._request.cap
        return None if self._request.model.max_output_tokens is not None else config.DEFAULT_MAX_OUTPUT

    @property
    def _tokens(self) -> int:
        if self._prompt is None:
            self._prompt = most_prompt_tokens(self._request, self._messages)
        return self._prompt

    def _most(self, answer: int) -> Decimal:
        found = most_cost(self._request.model, self._tokens, answer + OVER)
        if found is None:
            raise CostLimitError(
                f"Not asked: the price of {self._request.model.id} is unknown, so {self._limits} could be passed.",
                next_step="choose another model, or take the budget away: session.budget = None",
            )
        return found

    def _bound(self) -> Decimal | None:
        """Return what the current request can cost at most, None where its price is unknown."""
        with contextlib.suppress(CostLimitError):
            return self._most(self._cap or self._own)
        return None

    def _charge(self, ended: Ended) -> Decimal | None:
        """Return the cost to charge: the bound where unknown; doubled, up to the bound, where an estimate errs low."""
        cost = ended.cost.usd
        if cost is None:
            return self._bound()
        doubled = product(cost, LONG_FACTOR) if ended.cost.notes else None
        return cost if doubled is None else max(cost, min(doubled, self._bound() or doubled))

    @property
    def _limits(self) -> str:
        names = [fund.name for fund in self._funds if fund.budget is not None]
        return (names or ["the day's budget"])[0]

    async def _takes(self, worst: Decimal) -> bool:
        """Set an amount aside in every budget, the day's last; return whether that worked."""
        if not self._spending.begin(self, self._funds, worst):
            return False
        daily = self._spending.daily
        self._holds = daily is None or await self._takes_of_the_day(worst, daily)
        return self._holds

    async def _takes_of_the_day(self, worst: Decimal | None, daily: Decimal) -> bool:
        """Set aside in the day's budget; whether that worked. Where it didn't, the other budgets have theirs back.

        In a thread, for it waits for the disk; where nobody waits for the thread any more, it is taken back later.
        """
        begun = self._noting.begun(worst)
        taking = asyncio.ensure_future(asyncio.to_thread(self._spending.day.take, begun, daily))
        fits = False
        try:
            fits = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(lambda _: self._noting.take_back(begun))
            raise
        finally:
            if not fits:
                self._spending.give_back(self, self._funds)
        return fits

    def _settle(self, ended: Ended) -> None:
        self._holds = False
        if not ended.is_asked:
            self._spending.give_back(self, self._funds)
            if self._spending.daily is not None:
                self._noting.take_back(self._noting.begun(None))
            return
        self._spending.end(self, self._funds, ended.cost.usd, self._charge(ended))

    async def _left(self) -> Decimal:
        """Return what all budgets have left."""
        found = [left for fund in self._funds if (left := fund.account.left) is not None]
        daily = self._spending.daily
        if daily is not None:
            gone = await asyncio.to_thread(self._spending.day.spent, self._noting.host)
            found.append(total((daily, gone.copy_negate())) or Decimal(0))
        return min(found)

    async def _fits(self) -> int:
        """Return the tokens of the longest answer that the money allows."""
        rates, left = most_rates(self._request.model), await self._left()
        if rates is None:
            return 0
        prompt = self._tokens
        times = LONG_FACTOR if is_long(self._request.model, prompt) else 1
        for_answer = total((left, (product(rates[0], prompt, times) or Decimal(0)).copy_negate()))
        each = product(rates[1], times)
        if for_answer is None or for_answer < 0 or not each:
            return 0 if for_answer is None or for_answer < 0 else self._own
        return max(0, min(self._own, int(EXACT.divide_int(for_answer, each)) - OVER))

    async def _too_dear(self, least: int, fits: int) -> CostLimitError:
        """Return the refusal of an answer of `least` tokens, which would do; `fits`: those that the money allows."""
        worst, daily = self._most(least), self._spending.daily
        this = f"even an answer of {least:,} tokens" if least < self._own else "this"
        for fund in self._funds:
            left = fund.account.left
            if left is not None and left < worst:
                return self._refusal("it could pass", worst, fits, this)
        gone = await asyncio.to_thread(self._spending.day.spent, self._noting.host)
        enough = enough_for(total((gone, worst)) or worst)
        return CostLimitError(
            f"Not asked: {this} could cost {money(worst)}, and of the day's budget {stated(daily)} "
            f"≈ {money(gone)} are spent, what is set aside for requests on their way included.",
            next_step=f"allow more today: session.daily_budget = {enough}{_shorter(fits)}",
        )

    def _refusal(self, what: str, worst: Decimal, fits: int = 0, this: str = "this") -> CostLimitError:
        tight = min((fund for fund in self._funds if fund.budget is not None), key=lambda fund: fund.account.left or 0)
        unknown = f", {tight.unknown:,} of unknown cost" if tight.unknown else ""
        enough = enough_for(total((tight.account.gone, worst)) or worst)
        return CostLimitError(
            f"Not asked: {what} {tight.name} of {stated(tight.budget)}: ≈ {money(tight.account.gone)} spent{unknown}, "
            f"and {this} could cost {money(worst)}.",
            next_step=f"allow more: {tight.more.format(enough)}{_shorter(fits)}, or choose a cheaper model",
        )


def _unknown(requests: int) -> str:
    """Return what stands behind a sum: a request without a price, or in doubt, isn't nothing."""
    return f", with {requests:,} request{'' if requests == 1 else 's'} of unknown cost" if requests else ""


def _shorter(fits: int) -> str:
    return f"; or cap the answer: max_tokens={fits} (--max-tokens {fits})" if fits > 0 else ""
