"""The ledger: sums that never take the unknown for nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from tetrate_jupyter.ledger.window import Entry, Ledger, Total, total_of
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    import pytest


def entry(cost: str | None = "0.01", *, sent: int | None = 10, written: int | None = 20, **more: object) -> Entry:
    known = None if cost is None else Decimal(cost)
    return Entry(asked="m", usage=Usage(prompt_tokens=sent, completion_tokens=written), cost=known, **more)  # type: ignore[arg-type]


def test_an_entry_has_an_aware_time_in_utc() -> None:
    assert entry().time.utcoffset() == timedelta(0)


def test_an_empty_ledger_has_no_cost_rather_than_cost_nothing() -> None:
    assert Ledger().total() == Total()
    assert Ledger().total().cost is None


def test_known_costs_are_added_and_unknown_ones_counted() -> None:
    ledger = Ledger()
    for one in (entry("0.1"), entry(None), entry("0.2")):
        ledger.record(one)
    assert (ledger.total().cost, ledger.total().unknown_costs, ledger.total().calls) == (Decimal("0.3"), 1, 3)


def test_only_unknown_costs_stay_unknown() -> None:
    assert total_of([entry(None)]).cost is None


def test_free_is_known() -> None:
    assert total_of([entry("0")]).cost == 0


def test_tokens_are_added_only_where_both_counts_are_known() -> None:
    total = total_of([entry(), entry(sent=None), entry(written=None), entry(sent=0, written=0)])
    assert (total.prompt_tokens, total.completion_tokens, total.unknown_tokens) == (10, 20, 2)


def test_failed_and_partial_calls_are_counted_apart() -> None:
    total = total_of([entry(), entry(outcome="failed", error="RateLimitError"), entry(outcome="partial")])
    assert (total.calls, total.failed, total.partial) == (3, 1, 1)


def test_a_low_decimal_precision_of_the_notebook_changes_no_sum() -> None:
    with localcontext() as context:
        context.prec = 2
        assert total_of([entry("1.2345"), entry("0.0001")]).cost == Decimal("1.2346")


def test_the_oldest_entries_go_but_the_total_still_counts_them() -> None:
    ledger = Ledger(limit=2)
    for number in range(5):
        ledger.record(entry(request_id=str(number)))
    assert [e.request_id for e in ledger.entries] == ["3", "4"]
    assert len(ledger) == 2
    assert ledger.total().calls == 5
    assert ledger.total().cost == Decimal("0.05")


def test_clear_starts_anew() -> None:
    ledger = Ledger()
    ledger.record(entry())
    ledger.clear()
    assert ledger.entries == ()
    assert ledger.total() == Total()


def test_a_snapshot_does_not_change_afterwards() -> None:
    ledger = Ledger()
    ledger.record(entry())
    before = ledger.entries
    ledger.record(entry())
    assert len(before) == 1


def test_observers_hear_of_each_change_until_they_stop() -> None:
    ledger, heard = Ledger(), []
    stop = ledger.on_change(lambda: heard.append(len(ledger)))
    ledger.record(entry())
    ledger.clear()
    stop()
    stop()
    ledger.record(entry())
    assert heard == [1, 0]


def test_an_observer_that_raises_is_logged_and_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    ledger, heard = Ledger(), []

    def broken() -> None:
        raise RuntimeError("observer's own trouble")

    ledger.on_change(broken)
    ledger.on_change(lambda: heard.append(1))
    ledger.record(entry())
    assert heard == [1]
    assert "observer's own trouble" in caplog.text


def test_an_observer_may_record_itself() -> None:
    ledger = Ledger()
    ledger.on_change(lambda: ledger.record(entry()) if len(ledger) < 3 else None)
    ledger.record(entry())
    assert len(ledger) == 3


def test_many_threads_lose_no_entry() -> None:
    ledger = Ledger()
    threads = [threading.Thread(target=lambda: [ledger.record(entry()) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert ledger.total().calls == len(ledger) == 1600
    assert ledger.total().cost == Decimal(16)


def test_repr_is_stable() -> None:
    assert repr(Ledger()) == "<Ledger: 0 calls>"
