"""Validating chat requests, as strictly as the service and its providers are known to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.config import CHARACTERS_PER_TOKEN
from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.fields import OPENAI_ONLY, check_fields
from tetrate_jupyter.sandbox.messages import check_messages
from tetrate_jupyter.sandbox.profiles import EFFORT_FACTOR, TEST_PROFILE
from tetrate_jupyter.sandbox.replies.reply import text_of
from tetrate_jupyter.sandbox.usage import prompt_tokens

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.models import Models, Served
    from tetrate_jupyter.sandbox.replies.reply import Reply

_RANGES: Final = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
}
_COUNTS: Final = ("max_tokens", "max_completion_tokens", "top_k")
_FLAGS: Final = ("stream", "parallel_tool_calls", "logprobs", "store")
_KNOWN: Final = (
    frozenset(
        [
            "model",
            "messages",
            "stream",
            "stream_options",
            "stop",
            "n",
            "seed",
            "user",
            "metadata",
            "tools",
            "tool_choice",
            "response_format",
            "reasoning_effort",
            "logit_bias",
            "top_logprobs",
            "service_tier",
        ]
    )
    | OPENAI_ONLY
    | {*_RANGES, *_COUNTS, *_FLAGS}
)
_FOREIGN: Final[dict[str, frozenset[str]]] = {  # fields for which a provider has no counterpart
    "anthropic": frozenset(
        [
            "seed",
            "logit_bias",
            "frequency_penalty",
            "presence_penalty",
            "store",
            "service_tier",
        ]
    ),
    "openai": frozenset({"top_k"}),
    "gemini": frozenset(["logit_bias", "store", "service_tier"]),
    "xai": frozenset(["logit_bias", "store", "service_tier", "top_k"]),
    "groq": frozenset(["logit_bias", "store", "top_k"]),
    "deepinfra": frozenset(["logit_bias", "store", "service_tier"]),
}
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Accepted:
    """A valid request. `body` is without the `dropped` fields; `max_tokens` is the requested cap, or None."""

    served: Served
    body: dict[str, Any]
    stream: bool
    include_usage: bool
    dropped: tuple[str, ...]
    max_tokens: int | None


def accept(body: dict[str, Any], models: Models) -> Accepted:
    """Validate a request. Raises `ApiError` with the router's refusal."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise bad_request("'model' is required.", param="model")
    served = models.find(model)
    if unknown := sorted(body.keys() - _KNOWN):
        raise bad_request(f"Unrecognized request argument supplied: {', '.join(unknown)}", param=unknown[0])
    check_messages(body.get("messages"), served)
    _check_parameters(body, served)
    check_fields(body, served)
    _check_tools(body, served)
    _check_shape(body.get("response_format"))
    _check_json_is_named(body, served)
    dropped = _dropped(body, served)
    kept = {name: value for name, value in body.items() if name not in dropped}
    cap = kept.get("max_completion_tokens", kept.get("max_tokens"))
    _check_size(kept, served, cap)
    options = body.get("stream_options") or {}
    return Accepted(served, kept, bool(body.get("stream")), bool(options.get("include_usage")), dropped, cap)


def cut_to_size(reply: Reply, accepted: Accepted) -> Reply:
    """Return a reply cut at the first stop sequence and at the requested output limit."""
    stops = accepted.body.get("stop") or ()
    for stop in (stops,) if isinstance(stops, str) else stops:
        if (end := reply.text.find(stop)) >= 0:
            reply = replace(reply, text=reply.text[:end])
    if accepted.max_tokens is None or reply.calls:
        return reply
    most = int(accepted.max_tokens * CHARACTERS_PER_TOKEN)
    thoughts = reply.reasoning[: most // 2]  # at most half of the limit, so that there is some answer
    if len(thoughts) + len(reply.text) <= most:
        return replace(reply, reasoning=thoughts)
    return replace(reply, reasoning=thoughts, text=reply.text[: most - len(thoughts)], finish="length")


def _check_parameters(body: dict[str, Any], served: Served) -> None:
    _check_types(body)
    if body.get("n") not in (1, None):
        raise bad_request("Only n=1 is supported.", param="n")
    options = body.get("stream_options")
    if not isinstance(options, (dict, type(None))):
        raise bad_request("'stream_options' must be an object.", param="stream_options")
    if options is not None and not body.get("stream"):
        raise bad_request("'stream_options' is only allowed when 'stream' is true.", param="stream_options")
    if "max_tokens" in body and not served.profile.takes_max_tokens:
        raise bad_request(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            code="unsupported_parameter",
            param="max_tokens",
        )
    _check_stop(body.get("stop"))
    _check_effort(body.get("reasoning_effort"), served)


def _check_types(body: dict[str, Any]) -> None:
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is not None and not (_is_number(value) and low <= value <= high):
            raise bad_request(f"'{name}' must be a number from {low:g} to {high:g}.", param=name)
    for name in _COUNTS:
        value = body.get(name)
        if value is not None and not (isinstance(value, int) and _is_number(value) and value > 0):
            raise bad_request(f"'{name}' must be a whole number above 0.", param=name)
    for name in _FLAGS:
        if not isinstance(body.get(name, False), (bool, type(None))):
            raise bad_request(f"'{name}' must be true or false.", param=name)


def _check_stop(stop: object) -> None:
    fits = isinstance(stop, (str, type(None))) or (
        isinstance(stop, list) and len(stop) <= 4 and all(isinstance(s, str) and s for s in stop)
    )
    if not fits:
        raise bad_request("'stop' must be text or a list of up to 4 texts.", param="stop")


def _check_effort(effort: object, served: Served) -> None:
    if effort is None or not served.can("reasoning"):
        return
    possible = served.efforts or tuple(EFFORT_FACTOR)
    if effort not in possible:
        raise bad_request(f"'reasoning_effort' must be one of {', '.join(possible)}.", param="reasoning_effort")


def _check_tools(body: dict[str, Any], served: Served) -> None:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if not tools and isinstance(tools, (list, type(None))):
        # An empty list counts as none, with any choice that forces no tool: the newest reports on OpenAI's API say so,
        # while older ones say that it is refused.
        if choice not in ((None, "none") if tools is None else (None, "none", "auto")):
            raise bad_request("'tool_choice' is only allowed when 'tools' are given.", param="tool_choice")
        return
    names = _tool_names(tools)
    if not served.can("tool_choice"):
        raise bad_request(f"The model '{served.id}' does not support tools.", param="tools")
    if choice in ("none", "auto", None):
        return
    function = choice.get("function") if isinstance(choice, dict) else None
    named = function.get("name") if isinstance(function, dict) else None
    if choice != "required" and named not in names:
        raise bad_request("'tool_choice' must be none, auto, required or one of the tools.", param="tool_choice")
    if not served.profile.takes_forced_tool:
        raise bad_request("tool_choice: forcing a tool is not possible while thinking is on.", param="tool_choice")


def _tool_names(tools: object) -> list[str]:
    if not isinstance(tools, list):
        raise bad_request("'tools' must be a list.", param="tools")
    names = []
    for place, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        name = function.get("name") if isinstance(function, dict) else None
        if function is None or not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
            raise bad_request(f"tools[{place}]: a function with a name like 'get_weather' is needed.", param="tools")
        if not isinstance(function.get("parameters", {}), dict):
            raise bad_request(f"tools[{place}]: 'parameters' must be a JSON schema.", param="tools")
        names.append(name)
    if len(set(names)) < len(names):
        raise bad_request("Tool names must be unique.", param="tools")
    return names


def _check_shape(shape: object) -> None:
    if shape is None:
        return
    kind = shape.get("type") if isinstance(shape, dict) else None
    if kind in ("text", "json_object"):
        return
    given = shape.get("json_schema") if isinstance(shape, dict) and kind == "json_schema" else None
    if not isinstance(given, dict) or not isinstance(given.get("schema"), dict):
        raise bad_request("'response_format' must be text, json_object or json_schema.", param="response_format")
    if not isinstance(given.get("name"), str) or not _TOOL_NAME.fullmatch(given["name"]):
        raise bad_request("'response_format.json_schema.name' is required.", param="response_format")


def _check_json_is_named(body: dict[str, Any], served: Served) -> None:
    """Raise `ApiError` (400) where no message mentions JSON: OpenAI requires it, or its models write endless blanks."""
    shape = body.get("response_format") or {}
    if shape.get("type") != "json_object" or served.profile.provider != "openai":
        return
    if not any("json" in text_of(message).lower() for message in body["messages"]):
        raise bad_request(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            param="messages",
        )


def _dropped(body: dict[str, Any], served: Served) -> tuple[str, ...]:
    provider = served.profile.provider
    foreign = set(_FOREIGN.get(provider, ()))
    if provider not in ("openai", TEST_PROFILE.provider):
        foreign |= OPENAI_ONLY
    if not served.can("reasoning"):
        foreign.add("reasoning_effort")
    if not served.can("structured_outputs"):
        foreign.add("response_format")
    return tuple(sorted(name for name in foreign if body.get(name) is not None))


def _check_size(body: dict[str, Any], served: Served, cap: int | None) -> None:
    most = served.limit("max_output_tokens")
    if cap is not None and most is not None and cap > most:
        raise bad_request(
            f"max_tokens: {cap} is more than the {most} that '{served.id}' can write.", param="max_tokens"
        )
    prompt, window = prompt_tokens(body), served.context_window
    total = prompt + (cap or 0)
    if window is not None and total > window:
        raise bad_request(
            f"This model's maximum context length is {window} tokens. However, you requested {total} tokens "
            f"({prompt} in the messages, {cap or 0} in the completion).",
            code="context_length_exceeded",
            param="messages",
        )
    if (intake := served.limit("max_input_tokens")) is not None and prompt > intake:
        raise bad_request(
            f"The input of {prompt} tokens exceeds the model's context length for input of {intake} tokens.",
            code="context_length_exceeded",
            param="messages",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
