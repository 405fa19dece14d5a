"""Every fault that the sandbox router knows, over real HTTP: each becomes its own error, or does no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient, Timeouts
from tetrate_jupyter.sandbox import FAULT_KINDS, INSTANT, Fault, FaultKind, SandboxRouter
from tetrate_jupyter.secret import Secret

from .conftest import read, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.anyio

ERRORS: dict[FaultKind, type[errors.GatewayError]] = {
    "bad-request": errors.RequestRejectedError,
    "flat-error": errors.RequestRejectedError,
    "context-overflow": errors.ContextTooLongError,
    "too-large": errors.ContextTooLongError,
    "invalid-key": errors.InvalidKeyError,
    "no-credits": errors.CreditsExhaustedError,
    "error-as-200": errors.ProviderError,  # the sandbox says 502 in it
    "forbidden": errors.ForbiddenError,
    "wrong-host": errors.WrongHostError,
    "not-found": errors.NotFoundError,
    "model-not-found": errors.ModelUnavailableError,
    "model-not-routed": errors.ModelUnavailableError,
    "model-not-available": errors.ModelUnavailableError,
    "model-not-ready": errors.ModelUnavailableError,
    "unsupported-endpoint": errors.UnsupportedEndpointError,
    "rate-limit": errors.RateLimitError,
    "rate-limit-date": errors.RateLimitError,
    "rate-limit-metadata": errors.RateLimitError,
    "rate-limit-bare": errors.RateLimitError,
    "budget": errors.BudgetExceededError,
    "server-error": errors.ProviderError,
    "bad-gateway": errors.ProviderError,
    "unavailable": errors.ProviderError,
    "gateway-timeout": errors.ProviderError,
    "overloaded": errors.ProviderError,
    "unreadable-error": errors.ProviderError,
    "html": errors.MalformedResponseError,
    "empty-body": errors.MalformedResponseError,
    "broken-json": errors.MalformedResponseError,
    "redirect": errors.MalformedResponseError,
    "slow-headers": errors.GatewayTimeoutError,
    "drop": errors.UnreachableError,
    "stream-error": errors.ProviderError,
    "stream-cut": errors.StreamCutError,
    "stream-unfinished": errors.StreamCutError,
    "stream-stall": errors.StreamStalledError,
    "keep-alive-only": errors.StreamStalledError,
    "bad-json": errors.MalformedResponseError,
}
WITH_TEXT_BEFORE: frozenset[FaultKind] = frozenset(
    {"stream-error", "stream-cut", "stream-unfinished", "stream-stall", "keep-alive-only", "bad-json"}
)
HARMLESS: frozenset[FaultKind] = frozenset(
    {
        "no-done",
        "byte-split",
        "crlf",
        "comments",
        "not-streamed",
        "no-usage",
        "served-differs",
        "dropped-fields",
        "length",
    }
)
NOT_OURS: frozenset[FaultKind] = frozenset(
    {"content-filter", "empty-answer", "tool-loop", "loose-tool-calls"}  # what an answer means is decided above us
    | {"plain-models", "catalog-page-fails", "code-expired"}  # below, each in a test of its own
    | {"callback-doubled-query", "callback-drops-query"}  # the browser's way, not ours
)


# A second is short for whatever does come, on a busy machine.
NEVER_COMES = {
    "slow-headers": Timeouts(headers=1),
    "stream-stall": Timeouts(between_chunks=1),
    "keep-alive-only": Timeouts(between_chunks=1),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as router:
        yield router


@pytest.fixture
def key(sandbox: SandboxRouter) -> Secret:
    sandbox.clear_faults()
    return Secret(sandbox.issue_key(), host=sandbox.host)


@pytest.fixture
async def patient(
    sandbox: SandboxRouter, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[GatewayClient]:
    """A bound of a second for what never comes, the usual ones for what does; no wait between tries."""
    monkeypatch.setattr("tetrate_jupyter.config.RETRY_BASE", 0.0)
    callspec = getattr(request.node, "callspec", None)  # of a test with several faults
    bounds = NEVER_COMES.get(callspec.params.get("kind") if callspec else None, Timeouts())
    client = GatewayClient(Endpoints.of(sandbox.base_url), timeouts=bounds)
    yield client
    await client.aclose()


def question(model: str = "claude-haiku-4-5", **members: Any) -> dict[str, Any]:
    prompt = "Write a few sentences about routers."
    return {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "stream_options": {"include_usage": True},
        **members,
    }


def test_every_fault_of_the_sandbox_has_its_place_here() -> None:
    assert set(FAULT_KINDS) == set(ERRORS) | HARMLESS | NOT_OURS


@pytest.mark.parametrize("kind", ERRORS)
async def test_each_fault_becomes_its_error(
    kind: FaultKind, sandbox: SandboxRouter, patient: GatewayClient, key: Secret
) -> None:
    sandbox.inject(Fault(kind, times=None, retry_after=0))
    chunks: list[Any] = []

    async def ask() -> None:
        async with patient.stream(key, question()) as stream:
            async for chunk in stream:
                chunks.append(chunk)  # noqa: PERF401 - kept also when the stream breaks

    with pytest.raises(errors.GatewayError) as caught:
        await ask()
    assert type(caught.value) is ERRORS[kind]
    assert caught.value.next_step
    assert caught.value.__context__ is None
    assert caught.value.request_id == sandbox.requests[-1].request_id
    assert bool(text_of(chunks)) is (kind in WITH_TEXT_BEFORE)


@pytest.mark.parametrize("kind", sorted(HARMLESS))
async def test_what_is_only_odd_does_no_harm(
    kind: FaultKind, sandbox: SandboxRouter, patient: GatewayClient, key: Secret
) -> None:
    sandbox.inject(Fault(kind))
    async with patient.stream(key, question()) as stream:
        chunks = [chunk async for chunk in stream]
    scripted = {"byte-split": "Grüße aus dem Sandkasten, 世界, 🌍 👩🏽\u200d🔬", "length": "stops at its output limit"}
    assert scripted.get(kind, "router") in text_of(chunks)  # else about routers, as the question was
    assert [c.finish_reason for c in chunks if c.finish_reason] == ["length" if kind == "length" else "stop"]
    assert (chunks[-1].usage is None) is (kind == "no-usage")
    assert stream.dropped_fields == (("seed", "logit_bias") if kind == "dropped-fields" else ())
    assert {c.model for c in chunks} == {"claude-sonnet-4-6" if kind == "served-differs" else "claude-haiku-4-5"}


async def test_a_streamed_answer_and_a_whole_one_say_the_same(
    sandbox: SandboxRouter, patient: GatewayClient, key: Secret
) -> None:
    chunks = await read(patient, key, question())
    sandbox.inject(Fault("not-streamed"))
    (whole,) = await read(patient, key, question())
    assert text_of([whole]) == text_of(chunks)
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert whole.usage.completion_tokens == chunks[-1].usage.completion_tokens


async def test_one_failure_before_the_stream_is_overcome(
    sandbox: SandboxRouter, patient: GatewayClient, key: Secret
) -> None:
    for kind in ("drop", "overloaded"):
        sandbox.inject(Fault(kind))
    async with patient.stream(key, question()) as stream:
        assert text_of([chunk async for chunk in stream])
    assert stream.attempts == 3


async def test_the_router_sees_the_hang_up(sandbox: SandboxRouter, patient: GatewayClient, key: Secret) -> None:
    body = question("sandbox/stream", messages=[{"role": "user", "content": "chunks=1000 size=20 interval=0.01"}])
    async with patient.stream(key, body) as stream:
        await anext(stream)
        await anext(stream)
    seen = sandbox.wait_for(lambda r: r.request_id == stream.request_id and r.hung_up_at is not None)
    assert seen.chunks_sent < 1000


async def test_models_catalog_and_status_are_read(sandbox: SandboxRouter, patient: GatewayClient, key: Secret) -> None:
    models, catalog = await patient.models(key), await patient.catalog()
    assert {m.id for m in models} <= {m.id for m in catalog} | {m.id for m in models if m.id.startswith("sandbox/")}
    assert any(m.input_price for m in models)
    assert any(m.capabilities for m in catalog)
    await read(patient, key, question())
    report = await patient.status(key)
    assert report is not None
    assert any(p.observed_requests for p in report.providers)


async def test_plain_models_have_ids_and_nothing_else(
    sandbox: SandboxRouter, patient: GatewayClient, key: Secret
) -> None:
    sandbox.inject(Fault("plain-models"))
    models = await patient.models(key)
    assert models
    assert all(m.input_price is None and m.context_window is None for m in models)


async def test_a_catalog_page_that_fails_voids_all(sandbox: SandboxRouter, patient: GatewayClient) -> None:
    sandbox.clear_faults()
    sandbox.inject(Fault("catalog-page-fails"))
    with pytest.raises(errors.ProviderError):
        await patient.catalog()


async def test_an_expired_code_is_rejected(sandbox: SandboxRouter, patient: GatewayClient) -> None:
    sandbox.clear_faults()
    sandbox.inject(Fault("code-expired"))
    with pytest.raises(errors.CodeRejectedError):
        await patient.exchange("any-code", "v" * 43)


async def test_an_exchange_that_fails_inside_the_router(sandbox: SandboxRouter, patient: GatewayClient) -> None:
    sandbox.clear_faults()
    sandbox.inject(Fault("server-error", path="exchange"))
    with pytest.raises(errors.ExchangeError):
        await patient.exchange("any-code", "v" * 43)


async def test_a_revoked_key_is_an_invalid_key(sandbox: SandboxRouter, patient: GatewayClient) -> None:
    text = sandbox.issue_key()
    sandbox.revoke_key(text)
    with pytest.raises(errors.InvalidKeyError):
        await patient.models(Secret(text, host=sandbox.host))


async def test_a_key_for_another_host_is_told_by_the_router(sandbox: SandboxRouter, patient: GatewayClient) -> None:
    foreign = Secret(sandbox.issue_key("gateway.elsewhere.example"), host=sandbox.host)
    with pytest.raises(errors.WrongHostError) as caught:
        await patient.models(foreign)
    assert caught.value.hostnames == ("gateway.elsewhere.example",)
