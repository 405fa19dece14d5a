"""Records every request in the ledger when it ends, before its answer is shown as finished."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import secrets
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.completion.purse import Ended
from tetrate_jupyter.engine import funds
from tetrate_jupyter.front_end import notebook
from tetrate_jupyter.ledger import about
from tetrate_jupyter.ledger.day import void
from tetrate_jupyter.ledger.record import Record
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from decimal import Decimal

    from tetrate_jupyter.catalog.service import Catalog
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.engine.connections import Connections
    from tetrate_jupyter.engine.traced import Traced
    from tetrate_jupyter.ledger.book import Book
    from tetrate_jupyter.types import Message

_log = logging.getLogger(__name__)


class Noter:
    """What the records of one session's questions are made with."""

    def __init__(self, book: Book, catalog: Catalog, connections: Connections) -> None:
        self.book = book
        self.catalog = catalog
        self._connections = connections
        self._simulated: set[str] = set()  # hosts at which a sandbox has answered

    def question(self, planned: Plan) -> Noting:
        """Return the object that records the requests of one question."""
        return Noting(self, planned, self._connections.endpoints.host)

    def is_simulated(self, host: str, ended: Ended | None = None) -> bool:
        """Whether requests to this host cost play money only; `ended`: a finished request that may tell."""
        if ended is not None and ended.simulated:
            self._simulated.add(host)
        return host in self._simulated


class Noting:
    """Notes the requests of one question. A `Purse` without money."""

    def __init__(self, noter: Noter, planned: Plan, host: str) -> None:
        self._noter = noter
        self._asked = planned.request.model.id
        self._cell = planned.turn.cell_id
        self.host = host
        self.bound: Callable[[], Decimal | None] = lambda: None  # what the current request can cost at most
        self.trace_id: str | None = None  # of the trace that it is part of
        self._about, self._label = about.current(), funds.word()
        self._call = secrets.token_hex(8)
        self._n = 0

    async def open(self, messages: Sequence[Message]) -> int | None:
        """See `Purse`."""
        self._noter.book.begin(self)
        return None

    def opened(self, dropped: Sequence[str]) -> None:
        """See `Purse`."""

    async def lose(self, ended: Ended) -> None:
        """See `Purse`."""
        self._note(ended)

    def close(self, ended: Ended) -> None:
        """See `Purse`."""
        self._note(ended)
        self._noter.book.end(self)

    async def finish(self) -> tuple[str, ...]:
        """See `Purse`."""
        await self._noter.book.settled()
        news = self._noter.book.news()
        return (news,) if news else ()

    def begun(self, most: Decimal | None) -> Record:
        """Return the record of the next request before it is sent, with what it can cost at most."""
        nothing = Ended(time.time(), None, Usage(), Estimate(None), "failed", 0.0)
        return msgspec.structs.replace(self._record(nothing), outcome="open", most=most, total=None)

    def take_back(self, begun: Record) -> None:
        """Note that a request that was begun was not sent."""
        self._noter.book.note(void(begun))

    def _note(self, ended: Ended) -> None:
        if not ended.is_asked:
            return
        try:
            self._noter.book.note(self._record(ended))
        except Exception:  # noqa: BLE001 - whatever a custom catalog raises, no call is lost for it
            _log.warning("a request could not be noted in the ledger", exc_info=True)
        self._n += 1

    def _record(self, ended: Ended) -> Record:
        billed = self._noter.catalog.billed(self._asked, ended.served or self._asked)
        price, usage = billed.price if billed is not None else None, ended.usage
        return Record(
            t=round(ended.at, 3),
            call=self._call,
            n=self._n,
            host=self.host,
            asked=self._asked,
            served=ended.served,
            tokens_in=usage.prompt_tokens,
            out=usage.completion_tokens,
            cached_in=usage.cached_tokens,
            cache_write=usage.cache_write_tokens,
            reasoning=usage.reasoning_tokens,
            cost=ended.cost.usd,
            price_in=price.input if price is not None else None,
            price_out=price.output if price is not None else None,
            most=self.bound() if ended.cost.usd is None else None,
            outcome=ended.outcome,
            op=self._about.op,
            first=None if ended.first is None else round(ended.first, 4),
            total=round(ended.total, 4),
            error=ended.error,
            finish=ended.finish,
            request_id=ended.request_id,
            trace_id=self.trace_id,
            notebook=notebook(),
            cell=self._cell,
            kernel=kernel(),
            label=self._label,
            run=self._about.run,
            row=self._about.row,
            simulated=self._noter.is_simulated(self.host, ended),
        )


def kernel() -> str:
    """Return the name of this process among all that write to the same ledger."""
    return f"{platform.node()}-{os.getpid()}"


def tracing(
    planned: Plan, completion: Completion, noting: Noting, base_url: str
) -> AbstractAsyncContextManager[Traced | None]:
    """Return the context in which a question is traced; nothing is loaded where this process has no OpenTelemetry."""
    if "opentelemetry.trace" in sys.modules:
        from tetrate_jupyter.engine.traced import traced

        return traced(planned, completion, noting, base_url) or contextlib.nullcontext()
    return contextlib.nullcontext()
