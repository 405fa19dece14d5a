"""A router that says whatever a test puts in its mouth, over real HTTP, and a table of odd values for its members."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .recorder import Arrived, Recorder, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-odd-router-0123456789abcdef"

# Each as JSON text, since some are no JSON that Python's own encoder would write.
ODD: dict[str, str] = {
    "null": "null",
    "true": "true",
    "false": "false",
    "zero": "0",
    "minus zero": "-0",
    "minus zero as text": '"-0"',
    "minus zero, a float": "-0.0",
    "minus one": "-1",
    "minus one as text": '"-1"',
    "huge": "1e60",
    "huge as text": '"1e60"',
    "larger than a float": "1e400",
    "larger than a decimal": '"1e999999"',
    "larger than any decimal": '"1e9999999999999999999999"',
    "tiny": "1e-60",
    "tiny as text": '"1e-60"',
    "smaller than a float": "1e-999990",
    "smaller than a float as text": '"1e-999990"',
    "just below the range": '"1e-16"',
    "just above the range": '"1000001"',
    "400 digits": "9" * 400,
    "400 digits as text": f'"{"9" * 400}"',
    "5,000 digits": "1" + "0" * 5_000,
    "400 digits after the point": f'"0.{"3" * 400}"',
    "NaN as text": '"NaN"',
    "sNaN as text": '"sNaN"',
    "Infinity as text": '"Infinity"',
    "-Infinity as text": '"-Infinity"',
    "underscores": '"1_000"',
    "other digits": '"\\u0661\\u0662"',
    "spaces": '"  "',
    "empty text": '""',
    "words": '"as much as you like"',
    "an escape": '"\\u001b]52;c;ZXZpbA==\\u0007\\u001b[2J\\u009b31m"',
    "reordering": '"\\u202egpj.exe\\u202c\\u2066"',
    "invisible": '"a\\u200b\\u2060\\ufeff\\u00ad\\u3164\\ufe01\\udb40\\udd01"',
    "tags": '"\\udb40\\udc41\\udb40\\udc42"',
    "line ends": '"a\\nb\\r\\nc\\u2028d"',
    "100,000 characters": f'"{"x" * 100_000}"',
    "markup": '"<script>alert(1)</script>"',
    "a format": '"{0.__class__} %s %n"',
    "a year too far": '"99999-01-01"',
    "the year 9999": '"9999-12-31"',
    "the year 1": '"0001-01-01"',
    "no day at all": '"0000-00-00"',
    "empty list": "[]",
    "a list": "[1, null, {}]",
    "a list of texts": '["vision", 1, null, "\\u001b[31m", ["x"]]',
    "10,000 texts": "[" + ",".join(f'"word {n}"' for n in range(10_000)) + "]",
    "empty object": "{}",
    "an object": '{"a": {"b": []}}',
    "nested 200 deep": "[" * 200 + "]" * 200,
}
# These make a whole body unreadable to an ordinary decoder.
BROKEN: dict[str, str] = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "half of a pair": '"\\ud83d"',
    "the other half": '"\\ude00 \\\\ud83d"',
    "no escape": '"\\u12"',
    "nested 5,000 deep": "[" * 5_000 + "]" * 5_000,
    "objects 5,000 deep": '{"a":' * 5_000 + "1" + "}" * 5_000,
}


class OddRouter:
    """What is answered, as JSON text: `models`, `catalog`, `status`; and the chunks of an answer."""

    def __init__(self) -> None:
        self.models = '{"data": [{"id": "good"}]}'
        self.catalog = '{"models": []}'
        self.status = '{"providers": []}'
        self.chunks: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.address = ""

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    def body(self, path: str) -> str:
        if path.startswith("/v1/models"):
            return self.models
        return self.status if path.startswith("/v1/status") else self.catalog

    def answer(self, text: str = "Hello.", **members: str) -> None:
        """Answer with this text; `members` are further ones of the last chunk, as JSON text."""
        last = "".join(f', "{name}": {value}' for name, value in members.items())
        self.chunks = [
            '{"choices": [{"index": 0, "delta": {"content": ' + json.dumps(text) + "}}]}",
            '{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]' + last + "}",
        ]


@contextmanager
def odd_router() -> Iterator[OddRouter]:
    router = OddRouter()
    router.answer()

    def reply(arrived: Arrived) -> Reply:
        if arrived.method == "GET":
            return Reply(body=router.body(arrived.path).encode())
        router.asked.append(json.loads(arrived.body))
        events = "".join(f"data: {c}\n\n" for c in [*router.chunks, "[DONE]"])
        return Reply(body=events.encode(), headers={"Content-Type": "text/event-stream"})

    with Recorder(reply) as server:
        router.address = server.origin
        yield router
