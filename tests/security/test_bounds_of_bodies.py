"""Whatever a router sends, and however it is packed, costs a kernel no more memory than the stated limit.

Each attack is answered on each route to a process of its own, which measures its peak.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import config

from .hostile_server import HostileServer, response
from .peak import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MB = 2**20
ALLOWED = config.MAX_RESPONSE_BYTES + 8 * MB
HANG_BOUND = 300  # seconds for all routes of one attack
HUGE = 160  # MB that an attack would become


def packed(pieces: Iterable[bytes], bits: int = 31) -> bytes:
    """gzip; with other `bits` deflate (15) or deflate without its header (-15)."""
    packer = zlib.compressobj(1, zlib.DEFLATED, bits)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def blank() -> Iterable[bytes]:
    """White space: the beginning of any JSON, and events that say nothing."""
    return (b"\n" * MB for _ in range(HUGE))


def measured(answer: Callable[[str], Any], *cases: str) -> dict[str, Any]:
    """What came of asking for each case ("kind:route", see `peak`), after a warm-up with small answers."""
    with HostileServer(lambda _: response(b"{}")) as small, HostileServer(answer) as hostile:
        done = subprocess.run(
            [sys.executable, "-m", "tests.security.peak", small.origin, hostile.origin, *cases],
            capture_output=True,
            text=True,
            timeout=HANG_BOUND,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for head in hostile.asked:
            assert b"\r\naccept-encoding: identity\r\n" in head.lower() + b"\r\n"
    told: dict[str, Any] = json.loads(done.stdout)
    assert set(told) == set(cases)
    for case, seen in told.items():
        assert seen["growth"] <= ALLOWED, (case, seen)
    return told


def check_refused(data: bytes, *encodings: str) -> dict[str, Any]:
    """Send a bomb on every route as a success, as a stream and as an error: each time an error that says so."""
    headers = [f"content-encoding: {name}" for name in encodings]
    answers = {
        "json": response(data, *headers),
        "events": response(data, *headers, kind="text/event-stream"),
        "error": response(data, *headers, status=400),
    }
    cases = ["events:chat", *(f"{kind}:{route}" for kind in ("json", "error") for route in ROUTES)]
    told = measured(lambda path: answers[path.split("/")[1]], *cases)
    for case, seen in told.items():
        kind, route = case.split(":")
        wanted = "RequestRejectedError" if kind == "error" else "MalformedResponseError"
        if route == "exchange":
            wanted = "CodeRejectedError" if kind == "error" else "ExchangeError"
        assert seen["outcome"].startswith(f"{wanted}: "), (case, seen)
    return told


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.timeout(HANG_BOUND)
@pytest.mark.parametrize(("name", "bits"), [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_one_layer_is_unpacked_with_a_bound(name: str, bits: int) -> None:
    check_refused(packed(blank(), bits), name)


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.timeout(HANG_BOUND)
@pytest.mark.parametrize("lines", [("gzip, gzip",), ("gzip", "gzip"), ("gzip, gzip, gzip",), ("gzip", "deflate")])
def test_several_layers_are_refused(lines: tuple[str, ...]) -> None:
    bomb = packed(blank())
    for _ in range(len(",".join(lines).split(",")) - 1):
        bomb = packed([bomb])
    assert "wasn't asked for" in check_refused(bomb, *lines)["json:models"]["outcome"]


@pytest.mark.timeout(HANG_BOUND)
@pytest.mark.parametrize(
    ("encoding", "module", "pack"),
    [
        ("br", "brotli", lambda module, data: module.compress(data, quality=1)),
        ("zstd", "zstandard", lambda module, data: module.compress(data, 1)),
    ],
)
def test_what_other_libraries_would_unpack_is_refused(encoding: str, module: str, pack: Callable[..., bytes]) -> None:
    try:
        bomb = pack(importlib.import_module(module), b"\n" * (HUGE * MB))
    except ImportError:
        bomb = b"?" * 1000  # refused by its name, so the content doesn't matter
    check_refused(bomb, encoding)


BRACKETS = b"[" * (16 * MB)
DOCUMENTS = {
    "brackets": BRACKETS,
    "objects": b'{"a":' * (3 * MB),
    "zeros": b'{"data":[%s0],"models":[0]}' % (b"0," * (7 * MB)),
    "lists": b'{"data":[%s[]],"models":[[]]}' % (b"[]," * (4 * MB)),
    "empty objects": b'{"data":[%s{}],"models":[{}]}' % (b"{}," * (4 * MB)),
    "objects beside an escape": rb'{"data":[%s{}],"models":[{}],"note":"\n\/\u0041"}' % (b"{}," * (4 * MB)),
    "objects beside the key": b'{"data":[%s{}],"models":[{}],"note":"sk-0123456789"}' % (b"{}," * (4 * MB)),
    "a long text to be mended": b'{"data":[{"id":"ab","created":NaN}],"models":[],"note":"%s"}' % (b"a" * (7 * MB)),
    "nothing but escapes": rb'{"note":"%s"}' % (rb"\u0041" * (2 * MB)),
    "tiny models": b'{"data":[%s{"id":"ab"}]}' % (b'{"id":"ab"},' * MB),
    "tiny entries": b'{"models":[%s{"model":"ab"}]}' % (b'{"model":"ab"},' * MB),
    "choices": b'{"choices":[%s{}]}' % (b"{}," * (2 * MB)),
    "calls": b'{"choices":[{"message":{"tool_calls":[%s{}]}}]}' % (b"{}," * (2 * MB)),
    "an error of lists": b'{"error":[%s[]]}' % (b"[]," * (2 * MB)),
    "reasoning of lists": b'{"choices":[{"message":{"content":"a","reasoning":[%s[]]}}]}' % (b"[]," * (2 * MB)),
    # one escape, for which everything used to be read as objects
    "an escape among lists": b'{"x":"\\n","data":[{"id":"m"}],"models":[{"model":"m"}],"y":[%s[]]}'
    % (b"[]," * (4 * MB)),
    "words": b'{"models":[{"model":"m","capabilities":[%s"z"]}]}' % (b'"ab",' * (3 * MB)),
    "members": b'{"choices":[{"message":{"content":5}}],"usage":"x"%s}'
    % b"".join(b',"%d":1' % n for n in range(600_000)),
    "no numbers": b'{"choices":[{"message":{"content":"h"}}],"x":[%s1]}' % (b"NaN," * (2 * MB - 100)),
    "halves": b'{"choices":[{"message":{"content":"%s"}}]}' % (b"\\ud800" * MB),
    "a text without end": b'{"choices":[{"message":{"content":"\\ud800%s' % (b"a" * (7 * MB)),
}


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.timeout(HANG_BOUND)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_objects_for_json_are_bounded_too(name: str) -> None:
    document = DOCUMENTS[name]
    event = b"data: %s\n\n" % document[: config.MAX_EVENT_BYTES - 100].replace(b'"message"', b'"delta"')
    answers = {"json": response(document), "events": response(event, kind="text/event-stream")}
    cases = ["events:chat", *(f"json:{route}" for route in ROUTES)]
    measured(lambda path: answers[path.split("/")[1]], *cases)


@pytest.mark.timeout(HANG_BOUND)
def test_the_pages_of_a_catalog_are_bounded_in_sum() -> None:
    entry = b'{"model":"m-%07d","metadata":{"description":"' + b"d" * 8000 + b'"}}'
    page = b'{"totalPages":10,"models":[%s]}' % b",".join(entry % number for number in range(1500))
    told = measured(lambda _: response(page), "json:catalog")
    assert told["json:catalog"]["outcome"].startswith("MalformedResponseError: ")


STREAMS = {
    "comments": b": keep-alive\n\n",
    "empty events": b"data: {}\n\n",
    "roles": b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
    "one line without end": b"data: " + b"a" * 1000,
    "many lines": b"data:ab\n",
    "odd counts": b'data: {"usage":"x"}\n\n',
    "after the finish": b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    "nothing but line ends": b"\r\n",
}


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.timeout(HANG_BOUND)
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_a_stream_without_end_that_says_nothing_ends(name: str, is_packed: bool) -> None:
    piece = STREAMS[name] * (MB // len(STREAMS[name]))
    head = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
    if is_packed:
        answer: Any = head + b"content-encoding: gzip\r\n\r\n" + packed(piece for _ in range(HUGE))
    else:
        answer = [head + b"\r\n", *[piece] * HUGE]
    seen = measured(lambda _: answer, "json:chat")["json:chat"]
    assert seen["outcome"].startswith("value: str" if name == "after the finish" else "MalformedResponseError: "), seen
