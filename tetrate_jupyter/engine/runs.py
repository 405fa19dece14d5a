"""Questions that are running or have failed, for everything that shows a conversation."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from tetrate_jupyter import secrecy
from tetrate_jupyter.completion.foreign import passes, unexpected
from tetrate_jupyter.errors import SecretInPromptError, TetrateError
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.types import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.conversation import Branch, Conversation, Exchange
    from tetrate_jupyter.engine.asking import Plan, Question

STOPPED: Final = "Stopped before any text came."


class Run:
    """A question that is running, or one that failed before any answer, so that it isn't in the conversation.

    `question` is None for one that a cell or other code waits for; `plan` and `completion` are None until it is
    resolved. `failure` says why nothing came, None while it runs.
    """

    def __init__(self, branch: Branch, question: Question | None = None) -> None:
        self.id = f"run-{uuid4().hex[:10]}"
        self.question = question
        self.plan: Plan | None = None
        self.completion: Completion | None = None
        self.failure: str | None = None
        self._again_at = 0.0  # of the monotonic clock: when the router said to try again
        self._branch = branch.id
        self._before = frozenset(each.id for each in branch.exchanges)
        self._stop: Callable[[], None] | None = None
        self._is_to_stop = False  # it was stopped before it had begun

    @property
    def branch(self) -> str:
        """The id of the conversation's branch that it belongs to; of a failed one, the branch it was asked in."""
        if self.plan is None or self.failure is not None:
            return self._branch
        return self.plan.turn.branch.id

    def place(self, exchanges: Sequence[Exchange]) -> int:
        """Return how many of these exchanges come before it: up to the last one that was there when it was asked."""
        there = (place for place, each in enumerate(exchanges, 1) if each.id in self._before)
        return max(there, default=0)

    @property
    def user(self) -> Message:
        """The message that is asked."""
        if self.plan is not None:
            return self.plan.request.messages[-1]
        return Message("user", self.question.prompt if self.question else "")

    @property
    def seconds_to_wait(self) -> float:
        """Seconds left of the wait that the router asked for when it refused this question; 0.0 for none."""
        return max(0.0, self._again_at - time.monotonic())

    def withhold(self) -> None:
        """Drop a question that was refused for a key in it; only its text without the key is left."""
        if self.question is not None and not _came(self):
            text = secrecy.redact(self.question.prompt)
            self.question = replace(self.question, prompt=text, typed=None, system=None, images=(), tools=())
            self.plan = self.completion = None

    @property
    def can_stop(self) -> bool:
        """Whether `stop` does anything: a question that a cell waits for is stopped there."""
        return self.question is not None and self.failure is None

    def stop(self) -> None:
        """Stop it and its request. From any thread."""
        self._is_to_stop = True
        if self._stop is not None:
            self._stop()


_CURRENT: contextvars.ContextVar[Run | None] = contextvars.ContextVar("tetrate_run", default=None)


class Asking(Protocol):
    """The part of the engine that a run needs."""

    conversation: Conversation

    def begin(self, work: Coroutine[Any, Any, None], *, stop: Callable[[], None]) -> object:
        """Start background work that `stop` ends."""
        ...

    async def aplan(self, question: Question) -> Plan:
        """Resolve a question."""
        ...

    async def run(self, planned: Plan) -> object:
        """Run a plan and record what comes of it."""
        ...


class Runs:
    """The questions of one session that are on their way or have failed. Thread-safe to read."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._observers = Observers()

    @property
    def all(self) -> tuple[Run, ...]:
        """The runs that are going on or failed and weren't dismissed, in the order they were asked."""
        return tuple(self._runs.copy().values())

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when a run begins or ends, on that thread; return a function that stops that."""
        return self._observers.add(callback)

    def start(self, engine: Asking, question: Question) -> Run:
        """Ask on the session's loop and return at once. The run ends whatever is raised."""
        run = Run(engine.conversation.branch, question)
        self._add(run)
        asked = self._asked(engine, run, question)
        try:
            engine.begin(asked, stop=run.stop)
        except BaseException:  # no thread can be started: nothing runs that could end it
            asked.close()
            self._remove(run)
            raise
        return run

    def dismiss(self, run_id: str) -> None:
        """Forget a run that has failed."""
        run = self._runs.get(run_id)
        if run is not None and run.failure is not None:
            self._remove(run)

    def dismiss_failed(self, branch: str) -> None:
        """Forget the failed runs in this branch of the conversation."""
        for run in self.all:
            if run.branch == branch:
                self.dismiss(run.id)

    @contextlib.contextmanager
    def watching(self, plan: Plan, completion: Completion) -> Iterator[None]:
        """List a plan among the runs inside the block; questions that the conversation doesn't keep are left out."""
        if not plan.keep:
            yield
            return
        started = _CURRENT.get()
        own = started if started is not None and started.plan is None else None  # what a tool asks is another run
        run = own or Run(plan.turn.branch)
        run.plan, run.completion = plan, completion
        self._add(run)
        try:
            yield
        finally:
            if own is None:
                self._remove(run)

    async def _asked(self, engine: Asking, run: Run, question: Question) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - narrows the type: a coroutine that runs has one
        run._stop = lambda: _cancel(loop, task)  # noqa: SLF001 - its own class's part
        if run._is_to_stop:  # noqa: SLF001 - likewise
            task.cancel()
        _CURRENT.set(run)
        try:
            await engine.run(await engine.aplan(question))
        except BaseException as error:
            self._failed(run, error)
            if passes(error) and not isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._settle(engine, run, question)

    def _failed(self, run: Run, error: BaseException) -> None:
        """Record why no answer came. A partial answer is in the conversation, with the reason."""
        if isinstance(error, SecretInPromptError):
            run.withhold()  # first: a failed run is shown, and read from other threads
        failure = STOPPED if passes(error) else unexpected(error, "Asking").advice
        run.failure = None if _came(run) else failure
        run._again_at = time.monotonic() + (getattr(error, "retry_after", None) or 0.0)  # noqa: SLF001 - likewise

    def _settle(self, engine: Asking, run: Run, question: Question) -> None:
        if run.failure is None:
            self._remove(run)
            return
        if question.replaces is not None:  # the new branch got no answer: back to the old one
            with contextlib.suppress(TetrateError):  # among very many, the old one may have been forgotten meanwhile
                engine.conversation.switch(run.branch)
        self._observers.notify()

    def _add(self, run: Run) -> None:
        self._runs[run.id] = run
        self._observers.notify()

    def _remove(self, run: Run) -> None:
        self._runs.pop(run.id, None)
        self._observers.notify()


def _came(run: Run) -> bool:
    return run.completion is not None and run.completion.has_output


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[object]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nothing runs any more
        loop.call_soon_threadsafe(task.cancel)
