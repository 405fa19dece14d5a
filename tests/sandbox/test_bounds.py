"""What a sandbox router that runs for days keeps, and that a start that fails can be tried again."""

from __future__ import annotations

import json
import socket
import threading
from http.client import HTTPConnection

import pytest

from tests.sandbox.raw import WEATHER
from tetrate_jupyter.sandbox import SandboxRouter
from tetrate_jupyter.sandbox.accounts import Accounts
from tetrate_jupyter.sandbox.log import KEPT, KEPT_BYTES, RequestInProgress, RequestLog


def request(number: int) -> RequestInProgress:
    return RequestInProgress("POST", f"/{number}", {}, {}, None, None, None)


def test_large_requests_push_the_oldest_out_of_the_log() -> None:
    log = RequestLog()
    for number in range(10):
        log.add(request(number), KEPT_BYTES // 4)
    assert [each.path for each in log.snapshot()] == ["/6", "/7", "/8", "/9"]
    log.add(request(10), 2 * KEPT_BYTES)
    assert [each.path for each in log.snapshot()] == ["/10"]
    log.add(request(11), 1)
    assert [each.path for each in log.snapshot()] == ["/11"]


def test_the_log_has_the_newest_requests() -> None:
    log = RequestLog()
    for number in range(KEPT + 2):
        log.add(request(number))
    found = log.snapshot()
    assert (len(found), found[0].path) == (KEPT, "/2")


def test_codes_that_nobody_exchanges_are_forgotten() -> None:
    accounts = Accounts(code_lifetime=0.0)
    for _ in range(50):
        accounts.issue_code("c" * 43)
    assert len(accounts._codes) == 1


def test_after_a_start_without_threads_the_port_is_free_and_it_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    router = SandboxRouter(port=port)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="new thread"):
            router.start()
    with router:
        assert router.host == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/api-keys/verify", "[" * 200_000),
        ("GET", "/api/public/models?limit=" + "1" * 5_000, None),
    ],
)
def test_what_no_parser_takes_is_refused_as_a_request(
    router: SandboxRouter, method: str, path: str, body: str | None
) -> None:
    connection = HTTPConnection(router.host, timeout=60)
    connection.request(method, path, body)
    assert connection.getresponse().status == 400
    connection.close()


DEEP = "[" * 200_000
ASKED = {"role": "user", "content": "What is the weather in Oslo?"}


def called(arguments: str) -> dict[str, object]:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize(
    ("model", "messages", "status"),
    [
        ("sandbox/stream", [{"role": "user", "content": "chunks=1000000 size=1000000"}], 400),
        ("claude-haiku-4-5", [ASKED, called(DEEP), {"role": "tool", "tool_call_id": "c1", "content": "{}"}], 400),
        ("claude-haiku-4-5", [ASKED, called("{}"), {"role": "tool", "tool_call_id": "c1", "content": DEEP}], 200),
    ],
    ids=["a plan for terabytes", "arguments", "a result"],
)
def test_a_question_of_any_size_and_depth_is_answered_or_refused(
    router: SandboxRouter, model: str, messages: list[dict[str, object]], status: int
) -> None:
    connection = HTTPConnection(router.host, timeout=60)
    body = {"model": model, "messages": messages, "tools": [WEATHER]}
    headers = {"Authorization": f"Bearer {router.issue_key()}"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    assert connection.getresponse().status == status
    connection.close()
