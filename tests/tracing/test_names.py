"""The conventions are under development: a name that changes here is changed on purpose."""

from __future__ import annotations

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes, server_attributes
from opentelemetry.semconv.schemas import Schemas

from tetrate_jupyter.tracing import conventions

PINNED = {
    "gen_ai.input.messages",
    "gen_ai.operation.name",
    "gen_ai.output.messages",
    "gen_ai.output.type",
    "gen_ai.provider.name",
    "gen_ai.request.frequency_penalty",
    "gen_ai.request.max_tokens",
    "gen_ai.request.model",
    "gen_ai.request.presence_penalty",
    "gen_ai.request.seed",
    "gen_ai.request.stream",
    "gen_ai.request.temperature",
    "gen_ai.request.top_p",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "server.address",
    "server.port",
    "error.type",
}
OURS = {"tetrate." + name for name in ("cost", "request_id", "simulated", "op", "label", "run", "row", "cell")}


def test_the_names_are_those_that_were_read() -> None:
    used = {value for name, value in vars(conventions).items() if name.isupper() and isinstance(value, str)}
    others = {conventions.SCHEMA_URL, conventions.CAPTURE_VARIABLE, conventions.CHAT, conventions.PROVIDER}
    assert used - others == PINNED | OURS


@pytest.mark.once
def test_the_conventions_have_them() -> None:
    known = {
        value
        for module in (gen_ai_attributes, error_attributes, server_attributes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    assert known >= PINNED
    assert conventions.SCHEMA_URL in {each.value for each in Schemas}
