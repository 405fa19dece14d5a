"""Keeps what a page sends for the sign-in panel's fields out of every log of this process.

At DEBUG ipykernel, `comm` and others log the messages that come from a page, whole. Each is about one widget and names
it; a record that names a field of the panel is therefore left without its text, whatever the logger, the handler and
the form of the message. That is done where records are made, before any filter, handler or formatter sees them.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

WITHHELD: Final = "[withheld: a message of the sign-in panel's fields, which may hold a key]"

_lock = threading.Lock()
# Never emptied: a page that doesn't know yet that a panel is closed may still send what was typed there.
_fields: set[str] = set()


def keep_out_of_logs(model_id: str) -> None:
    """Withhold from now on each log record that names this widget. Cheap: until the first call nothing is changed."""
    with _lock:
        _fields.add(model_id)
        made_by = logging.getLogRecordFactory()
        if not isinstance(made_by, _Factory):
            logging.setLogRecordFactory(_Factory(made_by))  # again, where somebody has put another in its place


class _Factory:
    """Makes records as before, and empties those that name a field."""

    def __init__(self, made_by: Callable[..., logging.LogRecord]) -> None:
        self._made_by = made_by

    def __call__(self, *arguments: Any, **options: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging passes them
        record = self._made_by(*arguments, **options)
        if _names_a_field(record):
            record.msg, record.args = WITHHELD, ()
            record.exc_info = record.exc_text = record.stack_info = None
        return record


def _names_a_field(record: logging.LogRecord) -> bool:
    text = _text(record)
    return any(field in text for field in tuple(_fields))


def _text(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    try:
        return f"{record.getMessage()} {error}"
    except Exception:  # noqa: BLE001 - what can't be put together is logged as an error, with its parts
        return f"{record.msg!r} {record.args!r} {error!r}"
