"""Text of foreign objects, whose `__str__` may raise, return ten megabytes, or return something other than text.

Whatever is shown, sent or kept of them passes through here, so that it is short and raises nothing foreign.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import logging
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import clipped
from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)

MAX_ERROR: Final = 2_000  # characters of an exception's text; a validation error's list fits, a dumped table doesn't
_MOST_SAID: Final = 300  # characters of an unexpected exception's text in our error's message
_MOST_CAUSES: Final = 20  # errors that the traceback of one chain or group may show
_TRACEBACK: Final[Any] = BaseException.__dict__["__traceback__"]
_GROUP: Final[Any] = getattr(builtins, "BaseExceptionGroup", ())  # Python 3.10 has none


def text_of(value: object, limit: int = MAX_ERROR, *, write: Callable[[object], str] = str) -> str:
    """Return `write(value)`, by default `str(value)`, cut to `limit` characters and without keys; never raises.

    Where `write` raises, the result names the value's class and the error's.
    """
    try:
        text = write(value)
        # As a plain str: a subclass may define slicing and formatting in any way.
        start = str.__str__(text)[: limit + secrecy.REACH]  # searched before it is cut, which could hide a key's end
        return clipped(secrecy.redact(start), limit)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a person's class raises, SystemExit included
        return f"<{name_of(value)} whose text raised {name_of(error)}>"


def name_of(value: object) -> str:
    """Return the name of a value's class, at most 100 characters."""
    return clipped(str.__str__(type.__dict__["__name__"].__get__(type(value))), 100)


def passes(error: BaseException) -> bool:
    """Whether an exception is a request to stop rather than a failure: cancellation, a closed coroutine, an interrupt.

    Python interrupts the main thread only; a KeyboardInterrupt elsewhere was raised by somebody's code.
    """
    if isinstance(error, KeyboardInterrupt):
        return threading.current_thread() is threading.main_thread()
    return isinstance(error, (asyncio.CancelledError, GeneratorExit))


def unexpected(error: BaseException, doing: str) -> TetrateError:
    """Return a `TetrateError` for an unexpected error, which is logged. `doing`: what failed, such as "Asking"."""
    if isinstance(error, TetrateError):
        return error
    _log.warning("%s failed with %s", doing, name_of(error), exc_info=as_cause(error))
    text = text_of(error, _MOST_SAID)
    said = f": {text.rstrip('.')}" if text.strip() else ""
    return TetrateError(
        f"{doing} failed with {name_of(error)}{said}.",
        next_step="if that isn't from your own code, see the log of tetrate_jupyter; it may be a defect",
    )


@contextlib.contextmanager
def guarded(doing: str) -> Iterator[None]:
    """Turn every error that is raised inside into a `TetrateError`; a request to stop passes (see `passes`)."""
    try:
        yield
    except TetrateError:
        raise
    except BaseException as foreign:
        if passes(foreign):
            raise
        raise unexpected(foreign, doing) from as_cause(foreign)


def as_cause(error: BaseException, kept: str = "") -> BaseException:
    """Return the error for `raise ... from`: itself, or a stand-in where its traceback would be long or hold a key.

    The stand-in has the error's traceback, so that the line is shown. `kept`: where a person finds the error itself.
    """
    try:
        chain = list(islice(_chain(error), _MOST_CAUSES + 1))
        if len(chain) <= _MOST_CAUSES and all(_is_short(each) and _is_clean(each) for each in chain):
            return error
    except Exception:  # noqa: BLE001, S110 - a class may compute its cause, notes or members, and raise in doing so
        pass
    itself = f"; the error itself is in {kept}" if kept else ""
    stand_in = RuntimeError(f"{name_of(error)}: {text_of(error)} (shortened{itself})")
    return stand_in.with_traceback(_TRACEBACK.__get__(error))


def _is_short(error: BaseException) -> bool:
    notes = getattr(error, "__notes__", None) or ""
    return len(text_of(error, MAX_ERROR + 1)) <= MAX_ERROR and len(text_of(notes, MAX_ERROR + 1)) <= MAX_ERROR


def _is_clean(error: BaseException) -> bool:
    notes = getattr(error, "__notes__", None) or ""
    return all(text_of(part, write=lambda each: str(secrecy.holds(str(each)))) != "True" for part in (error, notes))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield every error that the traceback of `error` prints."""
    waiting, seen = [error], {id(error)}
    while waiting:
        current = waiting.pop()
        yield current
        members = current.exceptions if isinstance(current, _GROUP) else ()
        if type(members) is not tuple:  # a class has replaced them, perhaps by an endless iterable
            raise TypeError
        for each in (current.__cause__, current.__context__, *members):
            if isinstance(each, BaseException) and id(each) not in seen:
                seen.add(id(each))
                waiting.append(each)
