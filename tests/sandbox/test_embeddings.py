from __future__ import annotations

import base64
import json
import math
import struct
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.raw import Sent, send
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox import SandboxRouter

ADA, GEMINI = "text-embedding-ada-002", "gemini-embedding-2"


def ask(router: SandboxRouter, given: object, model: str = GEMINI, **more: Any) -> Sent:
    body = {"model": model, "input": given, **more}
    return send(router, "POST", "/v1/embeddings", body, key=router.issue_key())


def vectors(sent: Sent) -> list[list[float]]:
    assert sent.status == 200, sent.text
    assert [entry["index"] for entry in sent.json["data"]] == list(range(len(sent.json["data"])))
    return [entry["embedding"] for entry in sent.json["data"]]


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_text_always_has_the_same_vector_of_the_models_size_and_of_length_one(router: SandboxRouter) -> None:
    for model, size in ((ADA, 1536), (GEMINI, 3072)):
        first = vectors(ask(router, "A cat sleeps.", model))
        assert first == vectors(ask(router, ["A cat sleeps."], model))
        assert len(first[0]) == size
        assert math.isclose(math.hypot(*first[0]), 1, rel_tol=1e-5)
        assert all(first[0])


def test_the_answer_has_the_documented_shape(router: SandboxRouter) -> None:
    body = ask(router, ["a" * 35, "b" * 70], ADA, user="u").json
    assert {name: body[name] for name in ("object", "model")} == {"object": "list", "model": ADA}
    assert body["data"][1]["object"] == "embedding"
    assert body["usage"] == {"prompt_tokens": 30, "total_tokens": 30}


def test_texts_with_words_in_common_are_nearer(router: SandboxRouter) -> None:
    cat, cats, tax = vectors(ask(router, ["The cat sleeps on the sofa", "cats sleep on a sofa", "Taxes rise in May"]))
    assert likeness(cat, cats) > 0.4
    assert likeness(cat, tax) < 0.2


def test_fewer_dimensions_are_the_beginning_of_all_at_length_one(router: SandboxRouter) -> None:
    whole, part = vectors(ask(router, "hello world"))[0], vectors(ask(router, "hello world", dimensions=256))[0]
    assert len(part) == 256
    length = math.hypot(*whole[:256])
    assert all(math.isclose(p, w / length, abs_tol=1e-6) for p, w in zip(part, whole, strict=False))
    assert ask(router, "hello", ADA, dimensions=256).status == 400


def test_base64_says_the_same_as_floats(router: SandboxRouter) -> None:
    floats = vectors(ask(router, "hello", encoding_format="float"))[0]
    packed = base64.b64decode(vectors(ask(router, "hello", encoding_format="base64"))[0])  # type: ignore[arg-type]
    assert list(struct.unpack(f"<{len(packed) // 4}f", packed)) == floats


def test_tokens_do_as_well_as_text(router: SandboxRouter) -> None:
    one = ask(router, [15339, 1917])
    assert len(vectors(one)) == 1
    assert one.json["usage"]["prompt_tokens"] == 2
    two = vectors(ask(router, [[15339, 1917], [15339]]))
    assert two[0] == vectors(one)[0] != two[1]


@pytest.mark.parametrize(
    "body",
    [
        {"input": ""},
        {"input": []},
        {"input": ["a", ""]},
        {"input": ["a", 1]},
        {"input": [[]]},
        {"input": [-1]},
        {"input": [True]},
        {"input": {"text": "a"}},
        {"input": None},
        {"input": ["a"] * 2049},
        {"input": "a" * 40_000},
        {"input": ["a" * 20_000] * 100},
        {"input": "a", "dimensions": 0},
        {"input": "a", "dimensions": 4000},
        {"input": "a", "dimensions": "256"},
        {"input": "a", "encoding_format": "int8"},
        {"input": "a", "temperature": 1},
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_what_can_not_be_is_refused(router: SandboxRouter, body: dict[str, Any]) -> None:
    given = body.pop("input")
    assert ask(router, given, **body).status == 400


def test_only_models_that_make_embeddings_can_be_asked(router: SandboxRouter) -> None:
    for model, status in (("claude-haiku-4-5", 400), ("gpt-image-1.5", 400), ("sandbox/echo", 400), ("nobody", 404)):
        assert ask(router, "a", model).status == status
    assert send(router, "POST", "/v1/embeddings", {"model": GEMINI, "input": "a"}).status == 401


def test_faults_and_the_status_reach_this_route_too(router: SandboxRouter) -> None:
    router.inject(Fault("overloaded", path="embeddings"))
    assert ask(router, "a").status == 529
    assert ask(router, "a").status == 200
    providers = send(router, "GET", "/v1/status", key=router.issue_key()).json["providers"]
    seen = next(p for p in providers if p["name"] == "gemini")
    assert (seen["observed_requests"], seen["failures"]) == (2, 1)
