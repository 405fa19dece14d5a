"""The minor fields of a chat request: their types, and the models that they are for.

The service's documentation doesn't cover them, so OpenAI's reference decides. A field for which a provider has no
counterpart is dropped and named (`validate`); `logprobs` is refused instead, since an answer without them is useless to
the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.sandbox.api_error import bad_request

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.models import Served

OPENAI_ONLY: Final = frozenset(
    ["verbosity", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "prediction", "modalities"]
)
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "verbosity": ("low", "medium", "high"),
    "prompt_cache_retention": ("in-memory", "in_memory", "24h"),
    "service_tier": ("auto", "default", "flex", "scale", "priority"),
}
_TEXTS: Final = ("user", "prompt_cache_key", "safety_identifier")
_LONGEST_IDENTIFIER: Final = 64  # characters of safety_identifier
_MOST_METADATA: Final = 16  # pairs, with names of at most 64 and values of at most 512 characters
_MOST_TOP_LOGPROBS: Final = 20
_WITHOUT_LOGPROBS: Final = frozenset({"anthropic", "groq"})  # providers whose models have none
_NOT_WHILE_THINKING: Final = frozenset({"openai", "xai", "deepinfra"})  # providers without them while a model reasons


def check_fields(body: dict[str, Any], served: Served) -> None:
    """Raise `ApiError` (400) for a field with an invalid value."""
    for name, choices in _CHOICES.items():
        if body.get(name) not in (None, *choices):
            raise bad_request(f"'{name}' must be one of {', '.join(choices)}.", param=name)
    for name in _TEXTS:
        if not isinstance(body.get(name), (str, type(None))):
            raise bad_request(f"'{name}' must be text.", param=name)
    if len(body.get("safety_identifier") or "") > _LONGEST_IDENTIFIER:
        name = "safety_identifier"
        raise bad_request(f"'{name}' has at most {_LONGEST_IDENTIFIER} characters.", param=name)
    if body.get("seed") is not None and type(body["seed"]) is not int:
        raise bad_request("'seed' must be a whole number.", param="seed")
    _check_logit_bias(body.get("logit_bias"))
    _check_metadata(body.get("metadata"))
    _check_modalities(body.get("modalities"), served)
    _check_prediction(body.get("prediction"))
    _check_logprobs(body, served)


def _check_logit_bias(bias: object) -> None:
    fits = bias is None or (
        isinstance(bias, dict)
        and all(token.isdecimal() for token in bias)
        and all(type(value) in (int, float) and -100 <= value <= 100 for value in bias.values())
    )
    if not fits:
        raise bad_request("'logit_bias' must map token ids to numbers from -100 to 100.", param="logit_bias")


def _check_metadata(metadata: object) -> None:
    fits = metadata is None or (
        isinstance(metadata, dict)
        and len(metadata) <= _MOST_METADATA
        and all(len(name) <= 64 for name in metadata)
        and all(isinstance(value, str) and len(value) <= 512 for value in metadata.values())
    )
    if not fits:
        raise bad_request(f"'metadata' must be up to {_MOST_METADATA} pairs of text.", param="metadata")


def _check_modalities(modalities: object, served: Served) -> None:
    if modalities is None or modalities == ["text"]:
        return
    if isinstance(modalities, list) and modalities and all(kind in ("text", "audio") for kind in modalities):
        raise bad_request(f"The model '{served.id}' writes text only, not audio.", param="modalities")
    raise bad_request("'modalities' must be a list of text and audio.", param="modalities")


def _check_prediction(prediction: object) -> None:
    if prediction is None:
        return
    content = prediction.get("content") if isinstance(prediction, dict) else None
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    is_text = bool(parts) and all(
        isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str) for p in parts
    )
    if not isinstance(prediction, dict) or prediction.get("type") != "content" or not is_text:
        raise bad_request("'prediction' must have type 'content' and text as its content.", param="prediction")


def _check_logprobs(body: dict[str, Any], served: Served) -> None:
    most = body.get("top_logprobs")
    if most is not None and (type(most) is not int or not 0 <= most <= _MOST_TOP_LOGPROBS):
        raise bad_request(f"'top_logprobs' must be from 0 to {_MOST_TOP_LOGPROBS}.", param="top_logprobs")
    if most is not None and not body.get("logprobs"):
        raise bad_request("'top_logprobs' is only allowed when 'logprobs' is true.", param="top_logprobs")
    if not body.get("logprobs"):
        return
    profile = served.profile
    thinks = profile.thinking != "none" and body.get("reasoning_effort") != "none"
    if profile.provider in _WITHOUT_LOGPROBS or (thinks and profile.provider in _NOT_WHILE_THINKING):
        raise bad_request(
            "Unsupported parameter: 'logprobs' is not supported with this model.",
            code="unsupported_parameter",
            param="logprobs",
        )
