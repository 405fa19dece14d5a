"""What the ledger costs: for each request, and for reading 100,000 of them; CPU seconds, against the plainest way.

Run: `python -m tests.benchmarks.ledger`. The aims: 0.3 ms for a request with a budget, 0.3 s for 100,000 records read
and summed by model, 0.05 s for today's. The plainest way is `json.loads` of each line and a sum by model.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import defaultdict
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ledger.records import record
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.completion.purse import Ended
from tetrate_jupyter.completion.request import Request
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.engine.asking import plan
from tetrate_jupyter.engine.spending import Spending
from tetrate_jupyter.engine.usage import report
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.ledger.book import Book
from tetrate_jupyter.ledger.record import encoded
from tetrate_jupyter.ledger.segments import DAY, Appender, day_of
from tetrate_jupyter.types import Message, Model, Price, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS, CALLS, DAYS = 100_000, 500, 29
MODELS = [f"provider/model-{number}" for number in range(12)]


def measure() -> dict[str, float]:
    """Return CPU seconds of reading, of the plainest way and their ratio; CPU milliseconds of a request; bytes."""
    with tempfile.TemporaryDirectory() as folder:
        size = _fill(Path(folder) / "ledger")
        book = Book(Path(folder))
        whole = min(_cpu(lambda: report(book, Endpoints(), "30d", "model")) for _ in range(5))
        today = min(_cpu(lambda: report(book, Endpoints(), "today", "model")) for _ in range(5))
        plainest = min(_cpu(lambda: _plainest(Path(folder))) for _ in range(3))
        noted, with_budget = _per_request(Path(folder) / "other")
    return {
        "read_100k_s": whole,
        "today_s": today,
        "plainest_100k_s": plainest,
        "read_to_plainest": whole / plainest,
        "request_ms": noted,
        "request_with_budget_ms": with_budget,
        "bytes_per_record": size / RECORDS,
    }


def _cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _fill(folder: Path) -> int:
    dice, now = random.Random(1), time.time()
    days: dict[str, list[bytes]] = defaultdict(list)
    for number in range(RECORDS):
        moment = round(now - number % DAYS * DAY - dice.random(), 3)
        fields = {"first": dice.random(), "total": 3.2, "price_in": Decimal(1), "price_out": Decimal(5)}
        more = {"notebook": f"/home/jo/nb{number % 7}.ipynb", "cell": f"cell-{number % 50}", "request_id": "r" * 36}
        cost = Decimal(dice.randrange(10_000)) / 1_000_000
        days[day_of(moment)].append(encoded(record(t=moment, asked=dice.choice(MODELS), cost=cost, **fields, **more)))
    appender = Appender(folder)
    for day, lines in days.items():
        appender.append(day, b"".join(lines))
    return sum(len(line) for lines in days.values() for line in lines)


def _plainest(folder: Path) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for path in folder.rglob("*.jsonl"):
        for line in path.read_text().splitlines():
            found = json.loads(line)
            sums[found["asked"]] += Decimal(found["cost"])
    return sums


def _per_request(folder: Path) -> tuple[float, float]:
    session = Session(data_dir=folder, key="sk-none-0123456789", model="m")
    model = Model("m", "m", max_output_tokens=4_000, price=Price(Decimal(1), Decimal(5)))
    request = Request(model, (Message("user", "x" * 2_000),))
    noter, planned = session._noter, plan(session.question("hello"), model, session.conversation)
    ended = Ended(time.time(), "m", Usage(100, 20), Estimate(Decimal("0.0001")), "done", 1.0, 0.5)

    async def requests(spending: Spending) -> None:
        for _ in range(CALLS):
            noting = noter.question(planned)
            paying = spending.purse(request, noting)
            await paying.open(request.messages)
            paying.close(ended)
            noting.close(ended)
            await paying.finish()
            await noting.finish()

    free, held = Spending(session.book), Spending(session.book)
    held.limit(1_000)
    found = [1_000 * _cpu(partial(asyncio.run, requests(each))) / CALLS for each in (free, held)]
    session.close()
    return found[0], found[1]


if __name__ == "__main__":
    print(json.dumps({name: round(value, 4) for name, value in measure().items()}, indent=2))
