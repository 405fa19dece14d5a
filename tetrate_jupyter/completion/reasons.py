"""Finish reasons: the API's four, and what providers write instead; pure."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "stop": "stop end_turn stop_sequence eos eos_token end complete completed finished normal",
    "length": "length max_tokens max_output_tokens model_length length_limit token_limit max_length",
    "content_filter": "content_filter content_filtered safety recitation blocklist prohibited_content spii "
    "image_safety language refusal guardrail_intervened sensitive error_toxic content_policy moderation",
    "tool_calls": "tool_calls tool_call tool_use function_call",
}
_MEANT: Final = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
KNOWN: Final = frozenset(_WORDS)


def normalized(reason: str) -> str:
    """Return the API's word for a provider's finish reason; an unknown one is returned unchanged."""
    return _MEANT.get(reason.strip().lower().removeprefix("finish_reason_"), reason)
