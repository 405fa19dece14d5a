"""Scheduling a comparison's cells on the session's loop: started together, paced per model, within `max_cost`."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.amounts import product
from tetrate_jupyter.catalog.estimate import LONG_FACTOR, most_cost
from tetrate_jupyter.compare.cells import Attempt, Cell
from tetrate_jupyter.compare.lanes import Lane
from tetrate_jupyter.compare.questions import Questions
from tetrate_jupyter.completion.foreign import passes, unexpected
from tetrate_jupyter.completion.request import CAPS, OVER, most_prompt_tokens
from tetrate_jupyter.errors import (
    AuthError,
    BudgetExceededError,
    CostLimitError,
    CreditsExhaustedError,
    InvalidKeyError,
    ModelUnavailableError,
    RateLimitError,
    TetrateError,
    WrongHostError,
)
from tetrate_jupyter.ledger import about
from tetrate_jupyter.ledger.budget import Budget, stated
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.types import Retrying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from tetrate_jupyter.catalog.estimate import Estimate
    from tetrate_jupyter.compare.cells import CellState
    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.setup import Setup
    from tetrate_jupyter.completion.purse import Ended
    from tetrate_jupyter.completion.request import Request
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Event, Message

AT_ONCE: Final = 64  # concurrent calls of a comparison, each with a connection
REFUSALS: Final = 5  # 429s after which a cell is tried again
_STOPPING_TIMEOUT: Final = 2.0  # seconds that stopped calls get to close their connections
_CANCEL_AGAIN: Final = 0.25  # seconds
# Every further call would fail the same way, so waiting cells fail at once and nothing more is sent.
_FOR_ALL: Final = (InvalidKeyError, AuthError, WrongHostError, CreditsExhaustedError, BudgetExceededError)


class Scheduler:
    """Runs the cells of a comparison. Call all methods on the loop. `changed` is called after each change of state."""

    def __init__(
        self,
        session: Engine,
        setup: Setup,
        forecast: Forecast,
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.budget = Budget(setup.max_cost)
        self._session = session
        self._setup = setup
        self._forecast = forecast
        self._changed = changed
        self._clock = clock
        self._questions = Questions(session, setup)
        self._run = secrets.token_hex(6)  # identifies its calls in the ledger
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[Cell, asyncio.Task[None]] = {}
        self._planned: dict[Cell, Plan | TetrateError] = {}
        self._coming: dict[Cell, object] = {}  # cells that are being planned, and the batch they are in
        self._planning: set[asyncio.Task[None]] = set()
        self._uncapped: set[Lane] = set()  # lanes whose model doesn't get the cap
        self._turns = itertools.count()
        self._idle = asyncio.Event()
        self._for_money = 0  # calls that wait for money between two rounds
        self._freed = asyncio.Event()  # set and replaced when money is freed

    async def work(self, cells: Iterable[Cell]) -> None:
        """Ask these cells; return when all cells have ended, including those of earlier calls."""
        for cell in cells:
            self._add(cell)
        self._pump()
        try:
            while self._tasks or any(lane.next is not None for lane in self._lanes.values()):
                self._idle.clear()
                await self._idle.wait()
        except asyncio.CancelledError:  # the session is being closed: cells left now would never end
            self.stop(lambda _: True)
            for planning in self._planning:
                planning.cancel()
            until = self._now() + _STOPPING_TIMEOUT
            while (left := [task for task in self._tasks.values() if not task.done()]) and self._now() < until:
                await asyncio.wait(left, timeout=_CANCEL_AGAIN)
                for task in left:
                    task.cancel()  # on Python 3.10 anyio loses one that meets a connection being made
            raise

    def stop(self, wanted: Callable[[Cell], bool]) -> list[asyncio.Task[None]]:
        """Stop the running and waiting cells for which `wanted` is true; text so far is kept. Returns what ends yet."""
        for lane in self._lanes.values():
            for cell in lane.take_if(wanted):
                self._over(cell, "stopped")
        going = [task for cell, task in self._tasks.items() if wanted(cell)]
        for task in going:
            task.cancel()
        self._pump()
        return going

    # --- whose turn it is ------------------------------------------------------------------------------------

    def _add(self, cell: Cell) -> None:
        cell.problem, cell.again_at, cell.refusals = cell.column.problem, 0.0, 0
        if cell.problem is not None or cell.column.model is None:
            self._over(cell, "skipped" if isinstance(cell.problem, CostLimitError) else "failed")
            return
        cell.state = "waiting"
        self.budget.promise(cell, self._forecast.most(cell.place))
        model = cell.column.model.id
        if model not in self._lanes:
            same = sum(c.model is not None and c.model.id == model for c in self._setup.columns)
            self._lanes[model] = Lane(max(self._setup.concurrency, same))  # so that all columns can start together
        self._lanes[model].add(next(self._turns), cell)

    def _pump(self) -> None:
        """Start all cells that may start. An error fails the waiting cells, which would never end otherwise."""
        try:
            self._start_ready()
        except BaseException as foreign:  # noqa: BLE001 - a session or catalog may be a person's own
            error = unexpected(foreign, "Asking")
            for waiting in [cell for lane in self._lanes.values() for cell in lane.take_if(lambda _: True)]:
                waiting.problem = error
                self._over(waiting, "failed")
        finally:
            self._idle.set()

    def _start_ready(self) -> None:
        """Start all cells that may start. Their tasks begin together, once this has returned."""
        held: set[Lane] = set()  # lanes whose next cell has to wait for its plan or for money
        while len(self._tasks) < AT_ONCE:
            now = self._now()
            ready = [lane for lane in self._lanes.values() if lane.is_ready(now) and lane not in held]
            if ready:
                self._start_or_hold(min(ready, key=lambda each: each.turn), held)
            elif not self._refuse_one(held):
                break
        self._plan_ahead()

    def _start_or_hold(self, lane: Lane, held: set[Lane]) -> None:
        cell = lane.next
        if cell is None:
            return
        planned = self._planned.get(cell)
        if planned is None:  # it is being planned
            held.add(lane)
            return
        worst = self._forecast.most(cell.place)
        if isinstance(planned, TetrateError):
            lane.take()
            cell.problem = planned
            self._over(cell, "failed")
        elif planned.recalled is not None or self.budget.begin(cell, worst):
            self._start(lane.take(), lane, planned)
        elif self.budget.never_fits(worst):
            self._refuse(lane)
        else:
            held.add(lane)

    def _refuse_one(self, held: set[Lane]) -> bool:
        """Skip the first held cell if nothing that runs, or soon does, can free money; return whether it did so."""
        if not held or self.budget.is_busy or any(lane.next not in self._planned for lane in held):
            return False
        lane = min(held, key=lambda each: each.turn)
        held.discard(lane)
        self._refuse(lane)
        return True

    def _refuse(self, lane: Lane) -> None:
        cell = lane.take()
        cell.problem = self.too_dear("its longest answer could pass")
        self._over(cell, "skipped")

    def too_dear(self, what: str) -> CostLimitError:
        """Return the error for a call that `max_cost` doesn't cover; `what` completes "Not asked: ... max_cost"."""
        return CostLimitError(
            f"Not asked: {what} max_cost {stated(self.budget.most)} (≈ {money(self.budget.spent)} spent so far).",
            next_step="raise max_cost, or cap the answers with max_tokens",
        )

    def uncapped(self, cell: Cell, dropped: Sequence[str]) -> CostLimitError:
        """Return the error for an answer whose cap the router dropped; this model isn't asked any more."""
        if cell.column.model is not None:
            self._uncapped.add(self._lanes[cell.column.model.id])
        return CostLimitError(
            f"Stopped: the router left {', '.join(dropped)} out for this model, so its answers could pass max_cost "
            f"{stated(self.budget.most)}.",
            next_step="leave this model out, or compare without max_cost",
        )

    def _plan_ahead(self) -> None:
        """Plan the cells that could start now, in a thread, since that reads files, encodes and runs foreign code."""
        now, room = self._now(), AT_ONCE - len(self._tasks)
        ready = [pair for lane in self._lanes.values() if lane.is_ready(now) for pair in lane.first()]
        ready.sort(key=lambda pair: pair[0])
        wanted = [cell for _, cell in ready if cell not in self._planned and cell not in self._coming][: max(0, room)]
        if wanted:
            self._coming.update(dict.fromkeys(wanted, wanted))
            planning = asyncio.ensure_future(self._plan_all(wanted))
            self._planning.add(planning)
            planning.add_done_callback(self._planning.discard)

    async def _plan_all(self, cells: Sequence[Cell]) -> None:
        again = [bool(cell.attempts) and cell.refusals == 0 for cell in cells]
        planned: list[Plan | TetrateError]
        try:
            planned = await asyncio.to_thread(lambda: [self._plan(*each) for each in zip(cells, again, strict=True)])
        except RuntimeError as none_can_start:  # no thread can be started
            planned = [unexpected(none_can_start, "Asking")] * len(cells)
        for cell, each in zip(cells, planned, strict=True):
            if self._coming.get(cell) is cells:  # otherwise it was stopped meanwhile, and perhaps added again
                del self._coming[cell]
                self._planned[cell] = each
        self._pump()

    def _plan(self, cell: Cell, again: bool) -> Plan | TetrateError:
        assert cell.column.model is not None  # noqa: S101 - narrows the type; a cell without a model is in no lane
        try:
            return self._questions.planned(cell.column, cell.column.model, cell.place, again=again)
        except BaseException as foreign:  # noqa: BLE001 - a schema or tool is foreign code
            return unexpected(foreign, "Asking")

    # --- asking ----------------------------------------------------------------------------------------------

    def _start(self, cell: Cell, lane: Lane, planned: Plan) -> None:
        del self._planned[cell]
        attempt = Attempt(self._clock(), user=planned.request.messages[-1])
        load = self._forecast.load(cell.column.id)
        purse = _Purse(self, cell, planned.request, load.cap + OVER if load is not None else 0)

        def heard(event: Event) -> None:
            if isinstance(event, Retrying):
                attempt.retries += 1
                attempt.retry_wait += event.seconds
                lane.ease()
                self._changed()

        try:
            attempt.completion = self._session.completion(planned, heard)
        except BaseException as foreign:  # noqa: BLE001 - it is in no lane any more, so it has to end here
            cell.problem = unexpected(foreign, "Asking")
            self._over(cell, "failed")
            return
        attempt.completion.purse = purse
        cell.attempts.append(attempt)
        cell.state, cell.again_at = "running", 0.0
        lane.running += 1
        self._tasks[cell] = asyncio.ensure_future(self._ask(cell, attempt, planned))
        self._tasks[cell].add_done_callback(lambda _: self._ended(cell, attempt, lane))
        self._changed()

    async def _ask(self, cell: Cell, attempt: Attempt, planned: Plan) -> None:
        try:
            with about.asking(op="compare", run=self._run, row=cell.place.prompt):
                attempt.finish(await self._session.run(planned, attempt.completion))
        except asyncio.CancelledError:
            attempt.end(stopped=True)
            cell.state = "stopped"
        except BaseException as foreign:
            attempt.end(unexpected(foreign, "Asking"))
            cell.state = "failed"
            if passes(foreign):
                raise
        else:
            cell.state = "done"

    def _ended(self, cell: Cell, attempt: Attempt, lane: Lane) -> None:
        if attempt.completion is not None:  # cancelled before its task began
            attempt.end(stopped=True)
            cell.state = "stopped"
        del self._tasks[cell]
        lane.running -= 1
        self.budget.end(cell)
        if cell.state == "done":
            lane.succeeded()
        elif attempt.error is not None:
            self._failed(cell, attempt.error, lane)
        self._changed()
        self._free()
        self._pump()

    def _failed(self, cell: Cell, error: TetrateError, lane: Lane) -> None:
        if isinstance(error, RateLimitError) and cell.refusals < REFUSALS:
            cell.refusals += 1
            rest = lane.rest(self._now(), error.retry_after)
            if rest is not None:
                cell.state, cell.again_at = "waiting", time.monotonic() + max(rest, lane.resting_until - self._now())
                lane.put_back(cell)
                self.budget.promise(cell, self._forecast.most(cell.place))
                asyncio.get_running_loop().call_later(rest, self._pump)
                return
        if isinstance(error, _FOR_ALL):
            lanes = list(self._lanes.values())
        elif lane in self._uncapped or (isinstance(error, ModelUnavailableError) and error.status == 404):
            lanes = [lane]
        else:
            return
        for each in lanes:
            for waiting in each.take_if(lambda _: True):
                waiting.problem = error
                self._over(waiting, "failed")

    def _over(self, cell: Cell, state: CellState) -> None:
        cell.state, cell.again_at = state, 0.0
        self._planned.pop(cell, None)
        self._coming.pop(cell, None)
        self.budget.end(cell)
        self._free()
        self._changed()

    # --- money between two rounds ------------------------------------------------------------------------------

    async def money_for(self, cell: Cell, worst: Decimal | None) -> None:
        """Set at least `worst` aside for a running cell's next request; wait for money that other calls free.

        Raises `CostLimitError` if it is too much, or if nothing is running that could free some.
        """
        while not self.budget.more(cell, worst):
            self._for_money += 1
            try:
                if self.budget.never_fits(worst) or self._for_money >= len(self._tasks):
                    self.budget.end(cell)  # its money may be enough for another one that waits
                    self._free()
                    raise self.too_dear("the next round could pass")
                await self._freed.wait()
            finally:
                self._for_money -= 1

    def paid(self, cell: Cell, cost: Decimal | None, most: Decimal | None) -> None:
        """Pay for one request of a cell, and free the rest of its money for others."""
        self.budget.pay(cell, cost, most)
        self._free()

    def _free(self) -> None:
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _Purse:
    """The `Purse` of one attempt of a cell: the money for each request is set aside before it is sent."""

    def __init__(self, scheduler: Scheduler, cell: Cell, request: Request, cap: int) -> None:
        self._scheduler = scheduler
        self._cell = cell
        self._request = request
        self._cap = cap
        self._worst: Decimal | None = None

    async def open(self, messages: Sequence[Message]) -> None:
        """See `Purse`."""
        self._worst = most_cost(self._request.model, most_prompt_tokens(self._request, messages), self._cap)
        await self._scheduler.money_for(self._cell, self._worst)

    async def lose(self, ended: Ended) -> None:
        """Pay for a failed try that may have been billed. Raises `CostLimitError` if a retry may exceed `max_cost`."""
        if ended.cost.usd is not None:
            return
        self._scheduler.paid(self._cell, None, self._worst)
        if not self._scheduler.budget.more(self._cell, self._worst):
            raise self._scheduler.too_dear("trying again could pass")

    def opened(self, dropped: Sequence[str]) -> None:
        """See `Purse`."""
        if self._scheduler.budget.most is not None and not set(CAPS).isdisjoint(dropped):
            raise self._scheduler.uncapped(self._cell, dropped)

    def close(self, ended: Ended) -> None:
        """See `Purse`."""
        self._scheduler.paid(self._cell, ended.cost.usd, self._most(ended.cost))

    async def finish(self) -> tuple[str, ...]:
        """See `Purse`."""
        return ()

    def _most(self, cost: Estimate) -> Decimal | None:
        """Return the cost to charge: the bound if unknown; twice the estimate (or the bound) if it may be too low."""
        if cost.usd is None or self._worst is None:
            return self._worst if cost.usd is None else cost.usd
        doubled = product(cost.usd, LONG_FACTOR) if cost.notes else None
        return cost.usd if doubled is None else max(cost.usd, min(doubled, self._worst))
