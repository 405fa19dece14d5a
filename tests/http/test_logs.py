"""Keys stay out of the HTTP library's own log, whichever part of it speaks, and all else stays in."""

from __future__ import annotations

import logging

import pytest

from tetrate_jupyter.http.logs import keep_keys_out
from tetrate_jupyter.secret import Secret

KEY = Secret("sk-" + "Kq7vR2xWz9" * 3, host="a.example")
PARTS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


@pytest.mark.parametrize("name", PARTS)
def test_a_key_is_redacted_in_every_part_and_the_record_stays(name: str, caplog: pytest.LogCaptureFixture) -> None:
    keep_keys_out()
    keep_keys_out()
    with caplog.at_level(logging.DEBUG, logger=name):
        logging.getLogger(name).debug("headers=%r of %d", [b"x-echo", KEY.reveal()], 7)
        logging.getLogger(name).debug("no %s here", "key")
    first, second = caplog.records
    assert KEY.reveal() not in caplog.text + repr(first.__dict__)
    assert first.getMessage().startswith("headers=[b'x-echo', ")
    assert first.getMessage().endswith(" of 7")
    assert (second.msg, second.args, second.getMessage()) == ("no %s here", ("key",), "no key here")
    assert len(logging.getLogger(name).filters) == 1
