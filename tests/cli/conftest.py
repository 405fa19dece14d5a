"""The tests' processes start with the usual signals, also where the test run itself was started by `nohup` or `&`."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def usual_signals() -> Iterator[None]:
    usual = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    here = {number: handler for name, handler in usual.items() if (number := getattr(signal, name, None)) is not None}
    before = {number: signal.signal(number, handler) for number, handler in here.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
