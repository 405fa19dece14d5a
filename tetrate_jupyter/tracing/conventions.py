"""The names that OpenTelemetry's conventions have for what a span of ours says; all of them, and nowhere else.

Source: the semantic conventions for generative AI, as `opentelemetry-semantic-conventions` 0.66b2 has them (schema
1.44.0; text: github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md, November 2026). Their
status is "development": names change, so a test pins these. Ours, which the conventions don't have, begin with
"tetrate.".

The conventions let one span cover all tries of an operation. Here each try has a span of its own, since each may be
billed and each is a record of the ledger; the tries and the tools' rounds of one question have one parent, which has
none of the conventions' names, so that nothing counts its tokens twice.
"""

from __future__ import annotations

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"
CAPTURE_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CAPTURES: Final = frozenset({"true", "1", "span_only", "span_and_event"})  # its values that put texts on spans

CHAT: Final = "chat"
PROVIDER: Final = "tetrate"  # whom the client asks; which provider answered is the router's to know

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
OUTPUT_TYPE: Final = "gen_ai.output.type"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # seconds
USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE: Final = "gen_ai.usage.cache_creation.input_tokens"
USAGE_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"

COST: Final = "tetrate.cost"  # estimated US dollars
REQUEST_ID: Final = "tetrate.request_id"
SIMULATED: Final = "tetrate.simulated"
OP: Final = "tetrate.op"
LABEL: Final = "tetrate.label"
RUN: Final = "tetrate.run"
ROW: Final = "tetrate.row"
CELL: Final = "tetrate.cell"
