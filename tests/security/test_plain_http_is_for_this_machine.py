"""Plain http is accepted on this machine only, unless asked for."""

from __future__ import annotations

import pytest

from tetrate_jupyter import Session
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import BaseURLError

ELSEWHERE = (
    "http://gateway.example/v1",
    "HTTP://gateway.example",
    "http://127.0.0.1.example/v1",
    "http://localhost.example",
    "http://127.0.0.2.nip.io",
    "http://2130706433/v1",  # 127.0.0.1 as one number: no form that we take for this machine
    "http://0.0.0.0/v1",
    "http://[::ffff:10.0.0.1]/v1",
    "http://localhost@gateway.example",
    "http://gateway.example#@localhost",
)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_it_is_refused_beyond_this_machine(address: str) -> None:
    with pytest.raises(BaseURLError) as refused:
        Endpoints.of(address)
    assert refused.value.next_step
    with pytest.raises(BaseURLError):
        Endpoints.of("https://gateway.example", auth_url=address)
    with pytest.raises(BaseURLError):
        Session(base_url=address)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost:8000/v1", "http://[::1]:8000"])
def test_this_machine_may_do_without(address: str) -> None:
    assert Endpoints.of(address).base_url.startswith("http://")


def test_it_is_taken_where_it_is_asked_for() -> None:
    assert Endpoints.of("http://gateway.example", allow_http=True).base_url == "http://gateway.example/v1"
