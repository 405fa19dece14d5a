"""How a session stands, in words and amounts for a line of a page: read from what is there, nothing is fetched."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import front_end
from tetrate_jupyter.amounts import total
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.engine.runs import STOPPED
from tetrate_jupyter.errors import ConfigError, TetrateError
from tetrate_jupyter.ledger.day import Day, DayCost
from tetrate_jupyter.ledger.totals import midnight
from tetrate_jupyter.render.numbers import money

if TYPE_CHECKING:
    from tetrate_jupyter.engine.engine import Engine

_UNKNOWN: Final = "cost unknown"
_NOTHING: Final = Decimal(0)
_APART: Final = "Play money is counted for each sandbox by itself, and never with what is paid."


class Standing:
    """The state of a session, as pages show it. Reading it may take as long as a keyring and a disk do."""

    def __init__(self, session: Engine) -> None:
        self._session = session
        self._day = Day(session.book)
        self._knows = False  # whether `_signed_in` is of now: a keyring isn't asked twice a second
        self._signed_in: bool | None = None

    def sign_in_changed(self) -> None:
        """Look for the key at the next reading."""
        self._knows = False

    def now(self) -> dict[str, Any]:
        """Return it. `signed_in` is None where that can't be told; `cost` is what this notebook has cost today."""
        session = self._session
        host, simulated = session.endpoints.host, self._is_simulated()
        here, notes = self._costs(host if simulated else "")
        return {
            "model": one_line(session.chooser.told(session.model), MAX_NAME),
            "signed_in": self._is_signed_in(),
            "waiting": session.account.is_awaited,
            "host": one_line(host, MAX_NAME),
            "sandbox": simulated,
            "asking": bool(session.book.under_way) or any(each.failure is None for each in session.runs.all),
            "stopped": self._was_stopped(),
            "cost": here,
            "notes": [one_line(note, 10 * MAX_NAME) for note in (*notes, *session.budgets)],
        }

    def _is_simulated(self) -> bool:
        host, book = self._session.endpoints.host, self._session.book
        asked = next((each for each in reversed(book.recent) if each.host == host), None)
        if self._session.trial.is_on or asked is not None:
            return self._session.trial.is_on or (asked is not None and asked.simulated)
        with suppress(ConfigError):  # told beside the cost; a kernel that has just begun knows no answer of its own
            return self._is_read and self._day.is_play(host)
        return False

    @property
    def _is_read(self) -> bool:
        """Whether the ledger on disk is told, and not only what this kernel has asked."""
        return self._session.book.folder is not None and not self._session.book.is_everybodys

    def _is_signed_in(self) -> bool | None:
        if not self._knows:
            self._knows = True  # first: what changes meanwhile is looked at again
            try:
                self._signed_in = self._session.account.find() is not None
            except TetrateError:
                self._signed_in = None
        return self._signed_in

    def _was_stopped(self) -> bool:
        failed = [each.failure for each in self._session.runs.all if each.failure is not None]
        last = self._session.last
        return STOPPED in failed[-1:] or (last is not None and last.partial == "stopped")

    def _costs(self, play: str) -> tuple[str, list[str]]:
        """Return what this notebook has cost today, and sentences on that and on all notebooks."""
        path = front_end.notebook()
        try:
            here, everywhere = self._told(play, path), self._told(play, None)
        except ConfigError as unreadable:
            return _UNKNOWN, [unreadable.message]
        told = [f"This notebook today: {_long(here)}.", f"All notebooks today: {_long(everywhere)}."]
        return _short(here), [*told, *([_APART] if play else [])]

    def _told(self, play: str, path: str | None) -> DayCost:
        book = self._session.book
        if self._is_read:
            return self._day.told(play, path)
        begin = midnight(time.time())  # only this kernel's own is to be told, or is known
        own = [each for each in book.recent if each.t >= begin and (each.host if each.simulated else "") == play]
        ended = [each for each in own if each.outcome not in {"open", "void"}]
        return DayCost(total(each.cost for each in ended), len([1 for each in ended if each.cost is None]))


def _short(told: DayCost) -> str:
    if told.cost is None:
        return _UNKNOWN if told.unknown else money(_NOTHING)
    return money(told.cost) + (" + unknown" if told.unknown else "")


def _long(told: DayCost) -> str:
    if told.cost is None and told.unknown:
        return f"{told.unknown:,} of unknown cost"
    known = f"≈ {money(told.cost)}" if told.cost is not None else money(_NOTHING)
    return f"{known} + {told.unknown:,} of unknown cost" if told.unknown else known
