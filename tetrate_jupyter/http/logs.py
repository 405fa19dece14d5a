"""Keys are redacted in the HTTP library's log records as well: at DEBUG it logs all headers that a router sends."""

from __future__ import annotations

import logging
from typing import Final

from tetrate_jupyter import secrecy

_LOGGERS: Final = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def keep_keys_out() -> None:
    """Redact keys in all records of the library's loggers. Costs nothing where their level is off."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_without_keys)  # adding the same filter again has no effect


def _without_keys(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    clean = secrecy.redact(text)
    if clean != text:
        record.msg, record.args = clean, ()
    return True
