"""What the HTTP library logs passes the gate for keys, too: at DEBUG it writes whatever headers a router sends."""

from __future__ import annotations

import logging
from typing import Final

from tetrate_jupyter import secrecy

_LOGGERS: Final = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def keep_keys_out() -> None:
    """Let no record of the library's loggers hold a key. Costs nothing where they aren't listened to."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_without_keys)  # the same one again is no second one


def _without_keys(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    clean = secrecy.redact(text)
    if clean != text:
        record.msg, record.args = clean, ()
    return True
