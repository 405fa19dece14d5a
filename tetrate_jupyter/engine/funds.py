"""A budget with its name, and what is typed to raise it: the session's own, and those of labels."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.amounts import EXACT, product
from tetrate_jupyter.bridge import caller
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.values import short_repr
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.ledger import about
from tetrate_jupyter.ledger.budget import Budget, stated
from tetrate_jupyter.render.numbers import money

if TYPE_CHECKING:
    from collections.abc import Iterator

_WARNED: Final = Decimal("0.8")  # of a budget
_LEAST: Final = Decimal("1e-12")  # US dollars
_TOO_MUCH: Final = Decimal("1e12")


def dollars(given: object, name: str) -> Decimal | None:
    """Return an amount of US dollars, rounded down to a trillionth; None for no limit."""
    if given is None:
        return None
    found = Decimal("NaN")
    with contextlib.suppress(ArithmeticError, ValueError):  # the latter: an int of thousands of digits
        found = Decimal(str(given).lstrip("$"))
    if found.is_nan() or found < 0 or (found.is_finite() and found.copy_abs() >= _TOO_MUCH):
        raise OptionError(f"{name} can't be {short_repr(given)}.", next_step=f"give US dollars: {name}=0.50")
    if found.is_finite() and found != found.quantize(_LEAST, context=EXACT):
        return found.quantize(_LEAST, ROUND_DOWN, EXACT).normalize(EXACT)
    return None if found == Decimal("inf") else found or Decimal(0)  # a zero may have any number of places


@dataclass(eq=False)
class Fund:
    """A budget and what was spent of it. `spent`: known costs in US dollars; `unknown`: requests of unknown cost."""

    name: str
    more: str  # how it is raised; "{}" stands for the amount
    account: Budget = field(default_factory=Budget)
    is_warned: bool = False

    @property
    def budget(self) -> Decimal | None:
        """US dollars that it holds, None for no limit."""
        return self.account.most

    @property
    def spent(self) -> Decimal:
        """US dollars that were spent within it, as far as they are known."""
        return self.account.spent

    @property
    def unknown(self) -> int:
        """Requests whose cost isn't known; they count with their bounds."""
        return self.account.unknown

    def warning(self) -> str:
        """Return the sentence that four fifths are spent, once; "" otherwise."""
        most, gone = self.account.most, self.account.gone
        if most is None or self.is_warned or not is_near(gone, most):
            return ""
        self.is_warned = True
        return near(self.name, gone, most)


def is_near(gone: Decimal, most: Decimal) -> bool:
    """Whether four fifths of a budget are gone."""
    return gone >= (product(most, _WARNED) or most)


def near(name: str, gone: Decimal, most: Decimal) -> str:
    """Return the warning that a budget is nearly spent."""
    return f"≈ {money(gone)} of {name} ({stated(most)}) are spent; what could pass it will not be asked."


def labels() -> tuple[Fund, ...]:
    """Return the budgets of the labels that are in force here."""
    here = _LABELS.get()
    return tuple(fund for fund, _ in _around()) if here is None else here


def word() -> str | None:
    """Return the label that what is asked here carries."""
    around = _around() if _LABELS.get() is None else ()
    return about.current().label or (around[-1][1] if around else None)


_LABELS: Final[contextvars.ContextVar[tuple[Fund, ...] | None]] = contextvars.ContextVar("tetrate_labels", default=None)
_OPEN: Final[list[tuple[Fund, str]]] = []  # the blocks that the main thread is in: most often a cell's


def _around() -> tuple[tuple[Fund, str], ...]:
    """Return the blocks that hold a thread which came with no context, as those of a pool do before Python 3.14.

    Nothing tells what such a thread was begun for, so it is held by what the main thread is in: money that a person
    has limited is never spent because it was asked for in a thread. Panels ask from threads of ours and the kernel's.
    """
    thread = caller()
    is_theirs = type(thread).__module__.startswith("ipykernel") or thread.name.startswith("tetrate")
    return () if is_theirs or thread is threading.main_thread() else tuple(_OPEN)


@contextlib.contextmanager
def labelled(name: str, budget: object = None) -> Iterator[Fund]:
    """Label what is asked inside the block and hold it to a budget; yield the fund, which knows what was spent."""
    label = one_line(name, MAX_NAME).strip() if isinstance(name, str) else ""
    if not label:
        raise OptionError("A label is a word of your own.", next_step='with session.label("eval"): ...')
    fund = Fund(f"the budget of {label!r}", f"session.label({label!r}, budget={{}})")
    fund.account.most = dollars(budget, "budget")
    block = fund, label
    token = _LABELS.set((*labels(), fund))
    try:
        if caller() is threading.main_thread():
            _OPEN.append(block)
        with about.asking(label=label):
            yield fund
    finally:
        _LABELS.reset(token)
        with contextlib.suppress(ValueError):  # a thread's own
            _OPEN.remove(block)
