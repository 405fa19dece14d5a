"""`with session.stream(...)` and `async with session.astream(...)`: events as they come, the request always closed."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.errors import InputError
from tetrate_jupyter.types import TextDelta

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.engine.asking import Question
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Event

_POLL: Final = 0.1  # seconds; an untimed wait can't be interrupted on Windows
_END: Final = None


class _Watched:
    """A question that is running, and its answer so far."""

    def __init__(self, engine: Engine, question: Question) -> None:
        self._engine = engine
        self._question = question
        self._completion: Completion | None = None
        self._whole: Answer | None = None

    @property
    def answer(self) -> Answer | None:
        """The answer: whole once the loop over the events has ended, partial before, None before any of it came."""
        if self._whole is not None:
            return self._whole
        return self._completion.answer(partial=self._completion.partial) if self._completion is not None else None

    async def _run(self, put: Callable[[Event], None]) -> None:
        planned = await self._engine.aplan(self._question)
        self._completion = self._engine.completion(planned, put)
        self._whole = await self._engine.run(planned, self._completion)


class Stream(_Watched):
    """Events of one answer, blocking. Leaving the `with` block stops the request; `answer` has what came."""

    def __init__(self, engine: Engine, question: Question) -> None:
        super().__init__(engine, question)
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._future: Future[None] | None = None

    def __enter__(self) -> Self:
        self._future = self._engine.begin(self._run(self._events.put), stop=self._stop)
        self._future.add_done_callback(lambda _: self._events.put(_END))
        return self

    def __iter__(self) -> Iterator[Event]:
        if self._future is None:
            raise InputError("The stream isn't open.", next_step="with session.stream(...) as events:")
        while True:
            with contextlib.suppress(queue.Empty):
                event = self._engine.bridge.take(self._events, _POLL)
                if event is _END:
                    break
                yield event
        if not self._future.cancelled():
            self._future.result()

    def texts(self) -> Iterator[str]:
        """Return only the new pieces of the answer's text: `for text in events.texts(): print(text, end="")`."""
        return (event.delta for event in self if isinstance(event, TextDelta))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._future is not None and not self._future.done():
            self._engine.bridge.cancel(self._future)


class AsyncStream(_Watched):
    """Events of one answer for `async with` and `async for`, on any event loop. Leaving the block stops the request."""

    def __init__(self, engine: Engine, question: Question) -> None:
        super().__init__(engine, question)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def put(event: Event | None) -> None:
            with contextlib.suppress(RuntimeError):  # the caller's loop is gone; nobody listens any more
                loop.call_soon_threadsafe(self._events.put_nowait, event)

        self._task = asyncio.ensure_future(self._engine.bridge.arun(self._run(put)))
        self._task.add_done_callback(lambda _: put(_END))
        return self

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._task is None:
            raise InputError("The stream isn't open.", next_step="async with session.astream(...) as events:")
        while (event := await self._events.get()) is not _END:
            yield event
        if not self._task.cancelled():
            self._task.result()

    def texts(self) -> AsyncIterator[str]:
        """Return only the new pieces of the answer's text: `async for text in events.texts(): ...`."""
        return (event.delta async for event in self if isinstance(event, TextDelta))

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # retrieved, so that asyncio doesn't log it: the block was left early
