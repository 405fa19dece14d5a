"""Numbers, brackets, dates and lists past all reason become typed errors or plain text, never a foreign exception."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import config, errors
from tetrate_jupyter.catalog.shown import MOST_ROWS
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.completion.schema import Schema, SchemaProblem
from tetrate_jupyter.http.faults import ReceivedResponse, RequestContext, error_for
from tetrate_jupyter.http.retry import retry_after
from tetrate_jupyter.magics.formats import parse_json, shown
from tetrate_jupyter.types import Timing, Usage
from tetrate_jupyter.widgets.dropdown import model_dropdown

from .conftest import says
from .hostile_server import response

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Asking

ASKED = RequestContext("https://gateway.example/v1", "id-1")
DAY = 24 * 3600.0
DEEP = {"brackets": "[" * 100_000, "closed": "[" * 100_000 + "]" * 100_000, "objects": '{"a":' * 50_000}
ODD = {**DEEP, "digits": "9" * 5_000, "a list of digits": f"[{'9' * 5_000}]", "surrogate": '"\\ud800"', "nan": "NaN"}


# --- waits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wait", ["9" * 300, "9" * 399, "9" * 5_000, "1e308", "1e400", "-1", "-" + "9" * 399, "NaN", '"9"']
)
def test_any_wait_in_a_body_is_a_rate_limit(wait: str) -> None:
    body = b'{"error":{"message":"slow down","metadata":{"retry_after_seconds":%s}}}' % wait.encode()
    error = error_for(ReceivedResponse(429, {}, body), ASKED)
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after is None or 0 <= error.retry_after <= DAY
    assert len(str(error)) < 1_000


@pytest.mark.parametrize(
    "header",
    [
        *(
            "9" * 400,
            "9" * 60_000,
            "1_0",
            "٣",
            "-5",
            "infinity",
            "nan",
            ",",
            ", ,",
            "Fri",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ),
        *(
            "Fri, 31 Dec 9999 23:59:59 -9999",
            "Fri, 31 Dec 0000 23:59:59 GMT",
            "31 Dec " + "9" * 80,
            "\x00",
            "1 1 1 1 1",
        ),
        *(
            "Fri, 31 Dec 9999 99:99:99 GMT",
            "Fri, 31 Dec -1 0:0:0 GMT",
            "Fri, 0 Jan 1 1:1:1 -0000",
            "Fri, 1 Jan 1 1:1:1",
        ),
    ],
)
def test_any_retry_after_header_is_a_wait_of_at_most_a_day_or_nothing(header: str) -> None:
    wait = retry_after({"retry-after": header})
    assert wait is None or 0 <= wait <= DAY


@pytest.mark.parametrize("code", ["9" * 5_000, "9" * 300, "-" + "9" * 300, "1e308", "true", "[]", "{}", '"9"', "null"])
@pytest.mark.parametrize("member", ["code", "type", "category", "message", "your_hostnames", "metadata", "error"])
def test_any_member_of_an_error_is_an_error_of_ours(member: str, code: str) -> None:
    for body in (f'{{"error":{{"{member}":{code}}}}}', f'{{"{member}":{code}}}'):
        for status in (200, 101, 399, 403, 429, 503, 999):
            error = error_for(ReceivedResponse(status, {}, body.encode()), ASKED)
            assert len(str(error)) < 2_000


@pytest.mark.parametrize(
    "text", ["exceeds the limit of ", "sk-", "bearer ", "bearer" + " " * 100, "a" * 63 + ".", "\x1b["]
)
def test_no_text_of_an_error_keeps_a_kernel_busy(text: str) -> None:
    body = b'{"error":{"message":"%s"}}' % (text * (60_000 // len(text))).replace("\x1b", "\\u001b").encode()
    started = time.monotonic()
    assert len(str(error_for(ReceivedResponse(400, {}, body), ASKED))) < 2_000
    assert time.monotonic() - started < 20  # milliseconds; what backtracks takes for ever


# --- answers that should be JSON -----------------------------------------------------------------------------


def answer(text: str) -> Answer:
    return Answer(text, "m", "m", Usage(), Timing(None, 0.0))


@pytest.mark.parametrize("name", ODD)
def test_any_text_in_the_format_json_is_a_value_or_a_typed_error(name: str) -> None:
    with contextlib.suppress(errors.SchemaMismatchError):
        parse_json(answer(ODD[name]))


@pytest.mark.parametrize("name", DEEP)
def test_brackets_without_end_are_told_and_kept(name: str) -> None:
    with pytest.raises(errors.SchemaMismatchError) as caught:
        parse_json(answer(DEEP[name]))
    assert caught.value.answer.text == DEEP[name]
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["digits", "a list of digits", "surrogate", "nan"])
def test_any_text_in_the_format_json_is_shown(name: str) -> None:
    assert shown(answer(ODD[name]), "json", footer=False)["text/plain"]


@dataclass
class Bad:
    a: int

    def __post_init__(self) -> None:
        raise ZeroDivisionError("x" * 10**6)


@dataclass
class Nested:
    a: list[Any]


RECURSIVE = {"type": "object", "properties": {"a": {"$ref": "#"}}, "additionalProperties": {"$ref": "#"}}


@pytest.mark.parametrize("schema", [{"type": "object"}, RECURSIVE, Bad, Nested, list[int], dict[str, Any]])
@pytest.mark.parametrize("name", [*ODD, "fits", "fits in part", "long names"])
def test_any_answer_fits_a_schema_or_says_why_not(schema: Any, name: str) -> None:
    texts = {
        **ODD,
        "fits": '{"a": 1}',
        "fits in part": '{"a":' * 300 + "1" + "}" * 300,
        "long names": f'{{"{"n" * 10**6}": 1}}',
    }
    problem = ""
    try:
        Schema.of(schema).parse(texts[name])
    except SchemaProblem as found:
        problem = str(found)
    assert len(problem) < 1_000


def test_an_answer_that_fits_no_schema_is_kept(asking: Callable[..., Asking]) -> None:
    session = asking(says(DEEP["closed"])).session
    with pytest.raises(errors.SchemaMismatchError) as caught:
        session.ask("hello", schema={"type": "object"})
    assert caught.value.answer.text == DEEP["closed"]


# --- lists of models -----------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_hundred_thousand_models_show_a_bounded_table(asking: Callable[..., Asking]) -> None:
    asked = asking()
    asked.models = [{"id": f"model-{n:06}", "owned_by": "somebody", "created": n} for n in range(10**5)]
    models = asked.session.models()
    assert len(models) == 10**5
    for text in (repr(models), *models._repr_mimebundle_().values()):
        assert len(text) < 1_000_000
        assert "99,500 more; narrow it: session.models(" in text
        assert "model-000499" in text
        assert "model-000500" not in text
    assert [m.id for m in asked.session.models("model-09999?")] == [f"model-09999{n}" for n in range(10)]
    assert models.nearest("modell-000123")[0] == "model-000123"
    with pytest.raises(errors.UnknownModelError):
        asked.session.choose("x" * 10**6)
    assert len(model_dropdown(asked.session).options) <= 1_001


@pytest.mark.heavy
def test_a_list_that_is_longer_is_cut(asking: Callable[..., Asking]) -> None:
    asked = asking()
    asked.models = [{"id": f"m{n}"} for n in range(config.MAX_MODELS + 5)]
    assert len(asked.session.models()) == config.MAX_MODELS


def test_a_model_of_long_texts_shows_short_ones(asking: Callable[..., Asking]) -> None:
    asked = asking()
    long = "n" * 10**6
    asked.models = [{"id": "m", "owned_by": long, "description": long}, {"id": long}]
    (model,) = asked.session.models()
    assert all(len(str(value)) < 10_000 for value in dataclasses.asdict(model).values())
    assert len(asked.session.models()._repr_mimebundle_()["text/html"]) < 100_000


def test_a_list_of_few_shows_all(asking: Callable[..., Asking]) -> None:
    asked = asking()
    asked.models = [{"id": f"m{n:03}"} for n in range(MOST_ROWS)]
    assert "more" not in repr(asked.session.models())


def test_a_status_report_of_many_providers_is_short(asking: Callable[..., Asking]) -> None:
    asked = asking()
    usual = asked.answer
    line = b'{"name":"%s","failures":1,"last_failure_code":"%s"}' % (b"p" * 500, b"c" * 500)
    body = b'{"providers":[%s]}' % b",".join([line] * 900)
    asked.server.answer = lambda path: response(body) if path.endswith("/status") else usual(path)
    status = asked.session.status()
    assert "and 800 more" in repr(status)
    assert len(repr(status)) < 100_000


class _LyingOfItsClass:
    @property
    def __class__(self) -> type:
        raise RuntimeError("asked for its class")


class _NoDict:
    __class__ = dict  # type: ignore[assignment]


class _Number(int):
    def __int__(self) -> int:
        raise RuntimeError("no number")


class _Members(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("no members")


class _Leaving:
    def __repr__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize("kind", [_LyingOfItsClass, _NoDict, _Number, _Members, _Leaving])
@pytest.mark.parametrize("inside", [False, True])
def test_a_variable_that_raises_when_it_is_read_is_named(kind: type, inside: bool) -> None:
    value = kind()
    found = described([value] if inside else value, "v")
    assert "raised" in found.text
    assert inside or found.cuts
