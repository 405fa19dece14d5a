"""A running comparison, which can be watched, stopped and retried from any thread; it runs on the session's loop."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.bridge import has_ended
from tetrate_jupyter.compare.cells import VOTES, Attempt, Cell, Vote
from tetrate_jupyter.compare.data import Facts
from tetrate_jupyter.compare.going_on import GoingOn
from tetrate_jupyter.compare.questions import checked
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.compare.rows import head_of, plain_params, row_of
from tetrate_jupyter.compare.scheduler import Scheduler
from tetrate_jupyter.compare.setup import CellPlace
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.observers import Observers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from decimal import Decimal

    from tetrate_jupyter.compare.cells import PastRun
    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.setup import Setup
    from tetrate_jupyter.conversation import Branch, Conversation
    from tetrate_jupyter.engine.engine import Engine

_LOOK: Final = 0.002  # seconds between checks whether stopped calls have ended


@dataclass(frozen=True, slots=True)
class Progress:
    """A comparison's progress. `cost`: known US dollars so far; `unknown_costs`: calls of unknown cost.

    `seconds`: since the start, until the end. `seconds_left`: an estimate from the pace so far, or None.
    """

    total: int
    done: int
    failed: int
    stopped: int
    running: int
    waiting: int
    cost: Decimal
    unknown_costs: int
    seconds: float
    seconds_left: float | None


class Comparison:
    """Prompts x columns x repeats that are being asked. Thread-safe.

    `start` returns at once, `wait` blocks until the end. Cells are identified by their column's id. The session's
    conversation changes only by `continue_with`. `earlier`: the cells of a run in another kernel.
    """

    __module__ = "tetrate_jupyter"

    def __init__(self, session: Engine, setup: Setup, forecast: Forecast, *, earlier: PastRun | None = None) -> None:
        self.session = session
        self.setup = setup
        self.forecast = forecast
        self._lock = threading.Lock()
        self._cells = {place: Cell(place, setup.column(place.column)) for place in setup.start_order()}
        self._removed: frozenset[str] = frozenset()
        self._observers = Observers()
        self._futures: list[Future[None]] = []
        self._began: float | None = None
        self._ended: float | None = None
        self._started_at: datetime | None = None
        self._scheduler = Scheduler(session, setup, forecast, self._observers.notify, self._elapsed)
        self._going_on = GoingOn(session)
        if earlier is not None:
            self._cells |= {cell.place: cell for cell in earlier.cells}
            self._started_at, self._ended = earlier.started_at, time.monotonic()
            self._began = self._ended - earlier.seconds
            for cell in earlier.cells:
                if cell.attempt is not None:
                    self._scheduler.budget.pay(cell, cell.attempt.cost, None)

    # --- watching --------------------------------------------------------------------------------------------

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after a cell's state has changed, on the thread that did; return a function that removes it.

        Growing text isn't a change: to show it, read `cell.completion` about ten times a second.
        """
        return self._observers.add(callback)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that haven't been removed."""
        return tuple(c for c in self.setup.columns if c.id not in self._removed)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of `columns`, in the order in which they are started."""
        return tuple(cell for place, cell in self._cells.items() if place.column not in self._removed)

    def cell(self, column: str, prompt: int = 0, repeat: int = 0) -> Cell:
        """Return one cell; `column` is an id or a label. Raises `OptionError` where there is no such cell."""
        found = self._cells.get(CellPlace(self._column(column).id, prompt, repeat))
        if found is None:
            raise OptionError(
                f"There is no prompt {prompt} with repeat {repeat} here.",
                next_step=f"prompts are 0 to {len(self.setup.prompts) - 1}, repeats 0 to {self.setup.repeats - 1}",
            )
        return found

    @property
    def is_running(self) -> bool:
        """Whether the comparison is still running."""
        return any(not future.done() for future in tuple(self._futures))

    @property
    def progress(self) -> Progress:
        """The progress so far."""
        counts = dict.fromkeys(("done", "failed", "stopped", "skipped", "running", "waiting"), 0)
        cells = self.cells
        for cell in cells:
            counts[cell.state] += 1
        over = len(cells) - counts["running"] - counts["waiting"]
        spent = self._elapsed()
        left = spent / over * (len(cells) - over) if over and self.is_running else None
        budget = self._scheduler.budget
        return Progress(
            total=len(cells),
            done=counts["done"],
            failed=counts["failed"],
            stopped=counts["stopped"] + counts["skipped"],
            running=counts["running"],
            waiting=counts["waiting"],
            cost=budget.spent,
            unknown_costs=budget.unknown,
            seconds=spent,
            seconds_left=left,
        )

    @property
    def result(self) -> Result:
        """A snapshot of the results so far, which doesn't change."""
        return self.result_of(range(len(self.setup.prompts)))

    def result_of(self, prompts: Iterable[int]) -> Result:
        """Return a snapshot of the results of some prompts, by number, for a view that shows few of thousands."""
        columns, repeats = self.columns, range(self.setup.repeats)
        places = [CellPlace(c.id, prompt, repeat) for prompt in prompts for c in columns for repeat in repeats]
        rows = [row_of(self._cells[place]) for place in places]
        return Result(self._facts(), [head_of(c) for c in columns], rows, comparison=self)

    def _facts(self) -> Facts:
        progress = self.progress
        return Facts(
            prompts=self.setup.prompts,
            images=tuple(image.label for image in self.setup.images),
            repeats=self.setup.repeats,
            seed=self.setup.seed,
            params=tuple(plain_params(self.setup.params).items()),
            max_cost=self.setup.max_cost,
            started_at=(self._started_at or datetime.now(timezone.utc)).isoformat(),
            seconds=progress.seconds,
            spent=progress.cost,
            unknown_costs=progress.unknown_costs,
            expected=self.forecast.expected,
            worst=self.forecast.worst,
            notices=self.setup.notices,
            typed=self.setup.as_typed,
        )

    # --- doing -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all cells. Returns at once; another call does nothing."""
        if self._began is None:
            self._began, self._started_at = time.monotonic(), datetime.now(timezone.utc)
            self._submit(self._cells.values())

    def wait(self, *, timeout: float | None = None, tick: Callable[[], float] | None = None) -> Result:
        """Wait for the end, and return the result. An interrupt ends the wait, not the comparison.

        `timeout`: seconds (default: no limit), then `asyncio.TimeoutError` is raised. `tick`: as for `Bridge.run`.
        """
        self.session.bridge.run(asyncio.wait_for(self._settled(), timeout), tick=tick)
        return self.result

    async def finished(self) -> Result:
        """Like `wait`, as a coroutine for any event loop."""
        await self.session.bridge.arun(self._settled())
        return self.result

    def stop(self, column: str | None = None) -> None:
        """Stop a column (an id or a label), or all of them; text so far is kept and marked."""
        wanted = None if column is None else self._column(column).id
        self._on_loop(lambda: self._scheduler.stop(lambda c: wanted in (None, c.place.column)))

    def retry(self, column: str | None = None) -> int:
        """Ask failed, stopped and skipped cells again, in a column or in all; return their number.

        Earlier attempts stay in the cell's `attempts`.
        """
        wanted = None if column is None else self._column(column).id
        cells = [c for c in self.cells if wanted in (None, c.place.column)]
        return self._again(cell for cell in cells if cell.state != "done")

    def ask_again(self, column: str, prompt: int = 0, repeat: int = 0) -> None:
        """Ask one cell again, however it ended; does nothing while it still runs."""
        self._again([self.cell(column, prompt, repeat)])

    def show_again(self, cell: Cell, attempt: Attempt) -> None:
        """Take a retry back: stop it where it still runs, and let the earlier attempt count again, with its vote."""

        async def later() -> None:
            going = self._scheduler.stop(lambda c: c is cell)
            if going:
                await asyncio.wait(going)
            cell.show(attempt)
            self._observers.notify()

        self.session.bridge.submit(later())

    def _again(self, cells: Iterable[Cell]) -> int:
        with self._lock:
            again = [cell for cell in cells if cell.is_over]
            for cell in again:
                cell.state = "waiting"
        if again:
            self._submit(again)
            self._observers.notify()
        return len(again)

    def remove(self, column: str) -> None:
        """Stop a column, and remove it from the comparison and its result."""
        wanted = self._column(column).id
        with self._lock:
            self._removed |= {wanted}
        self._on_loop(lambda: self._scheduler.stop(lambda c: c.place.column == wanted))
        self._observers.notify()

    def put_back(self, column: str) -> None:
        """Put a removed column, by its id, back into the comparison. Its stopped cells stay stopped."""
        with self._lock:
            self._removed -= {column}
        self._observers.notify()

    def vote(self, column: str, vote: str | None, prompt: int = 0, repeat: int = 0, *, blind: bool = False) -> None:
        """Set the vote for an answer: "best" of its prompt (several may be), "good", "poor", or None to remove it.

        It belongs to this attempt: a retry has none. `blind`: the names were hidden; it takes the place of those
        on the prompt that were given with the names in view. Votes are in `result.df["vote"]`,
        and counted in `result.tally`. Raises `InputError` where there is no answer.
        """
        if vote not in {None, *VOTES}:
            raise OptionError(f"There is no vote {vote!r}.", next_step=f"use one of: {', '.join(VOTES)}, or None")
        cell = self.cell(column, prompt, repeat)
        if cell.attempt is None or not cell.text.strip():
            raise InputError(f"{cell.column.label} has no answer to vote for.", next_step="wait for it, or retry it")
        early = not all(self.cell(c.id, prompt, repeat).is_over for c in self.columns)
        if blind and vote is not None:
            self._forget_open_votes(prompt)
        cell.attempt.vote = None if vote is None else Vote(vote, early=early, blind=blind)
        self._observers.notify()

    def _forget_open_votes(self, prompt: int) -> None:
        """Remove votes on a prompt that were given with the names in view: beside a blind one they would be a tie."""
        for column in self.columns:
            for repeat in range(self.setup.repeats):
                attempt = self.cell(column.id, prompt, repeat).attempt
                if attempt is not None and attempt.vote is not None and not attempt.vote.blind:
                    attempt.vote = None

    # --- going on --------------------------------------------------------------------------------------------

    def conversation(self, column: str, prompt: int = 0, repeat: int = 0) -> Conversation:
        """Return a column's own conversation: its history, and the cell's prompt and answer if there is one."""
        return self._going_on.conversation(self.cell(column, prompt, repeat))

    def follow_up(self, prompt: str, *, after: int = 0, repeat: int = 0) -> Comparison:
        """Return a follow-up comparison, not started: each column continues from its own answer to prompt `after`."""
        columns = tuple(replace(c, history=self.conversation(c.id, after, repeat).exchanges) for c in self.columns)
        setup = replace(
            self.setup, prompts=(prompt,), columns=columns, repeats=1, images=(), cuts=(), noted=(), as_typed=None
        )
        return Comparison(self.session, *checked(self.session, setup))

    def continue_with(self, column: str, prompt: int = 0, repeat: int = 0) -> Branch:
        """Continue the session with a column's conversation and model; the other columns become branches.

        Raises `InputError` if the column has no answer.
        """
        branch = self._going_on.take(
            self.cell(column, prompt, repeat), [self.cell(c.id, prompt, repeat) for c in self.columns]
        )
        self._observers.notify()
        return branch

    def in_use(self, prompt: int = 0, repeat: int = 0) -> str:
        """Return the id of the column that `continue_with` chose here, "" where none is or another model is in use."""
        used = self._going_on.used
        return used.column if used is not None and used[1:] == (prompt, repeat) else ""

    @property
    def can_go_back(self) -> bool:
        """Whether `go_back` takes back the last `continue_with`: the session goes on with what that chose."""
        return self._going_on.can_go_back

    def go_back(self) -> None:
        """Take back the last `continue_with`: the conversation and the model of before are the session's again.

        What was asked on meanwhile stays as a branch. Raises `InputError` where there is nothing to take back.
        """
        self._going_on.go_back()
        self._observers.notify()

    # --- inside ----------------------------------------------------------------------------------------------

    def _column(self, name: str) -> Column:
        columns = self.columns
        for found in (c for key in ("id", "label") for c in columns if getattr(c, key) == name):
            return found
        raise OptionError(
            f"There is no column {name!r}.", next_step=f"there are: {', '.join(c.label for c in columns)}"
        )

    def _elapsed(self) -> float:
        if self._began is None:
            return 0.0
        return (self._ended or time.monotonic()) - self._began

    def _submit(self, cells: Iterable[Cell]) -> None:
        self._ended = None
        with self._lock:
            self._futures = [f for f in self._futures if not f.done()]
            self._futures.append(future := self.session.begin(self._work(list(cells)), stop=self.stop))
        future.add_done_callback(lambda _: self._observers.notify())  # without the lock: it may be done already

    async def _work(self, cells: list[Cell]) -> None:
        try:
            await self._scheduler.work(c for c in cells if c.place.column not in self._removed)
        finally:
            self._ended = time.monotonic()

    async def _settled(self) -> None:
        while going_on := [f for f in self._futures if not has_ended(f)]:
            if going_on[0].done():  # the session was closed, and is still stopping its calls
                await asyncio.sleep(_LOOK)
            else:
                (done,) = (await asyncio.wait({asyncio.wrap_future(going_on[0])}))[0]
                if not done.cancelled():
                    done.result()

    def _on_loop(self, do: Callable[[], object]) -> None:
        async def later() -> None:
            do()

        if self._began is not None:  # through the bridge, so that it runs after an earlier start
            self.session.bridge.submit(later())

    def __repr__(self) -> str:
        p = self.progress
        return f"<Comparison of {len(self.columns)} columns: {p.done} of {p.total} done, {p.failed} failed>"
