"""Usage under other names than the API's: those of Anthropic, Gemini, Ollama, DeepSeek, and other places; pure.

A count is read where its name has one meaning. Nothing is guessed, and nothing counted twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.http.chunks import NOTHING, TokenDetails, WireUsage, count, members, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import msgspec

    from tetrate_jupyter.http.chunks import ChatChunk

_LONGEST: Final = 64 * 1024  # bytes of an object with usage; real ones have hundreds


def foreign_usages(chunk: ChatChunk) -> Iterator[WireUsage]:
    """Yield what a chunk tells of usage under other names or in other places, each in the API's own form."""
    if chunk.usage is not None:
        yield _renamed(chunk.usage)
    for choice in chunk.choices or ():  # Moonshot's place
        yield from _of(choice.usage)
    yield from _of((_members(chunk.x_groq) or {}).get("usage", NOTHING))
    for metadata in (chunk.gemini_usage, chunk.usage_metadata):
        yield from _of(metadata)
    yield WireUsage(count(short(chunk.prompt_eval_count)), count(short(chunk.eval_count)))


def _members(raw: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    return members(raw) if raw is not NOTHING and len(bytes(raw)) <= _LONGEST else None


def _of(raw: msgspec.Raw) -> Iterator[WireUsage]:
    found = _members(raw)
    if not found:
        return
    details: dict[str, Any] = {name: _details(found, name) for name in _DETAILS}
    counts: dict[str, Any] = {name: _number(found, name) for name in _PLAIN}
    plain = WireUsage(**counts, **details)
    yield plain
    yield _renamed(plain)
    yield _gemini(found)


_DETAILS: Final = tuple(name for name in WireUsage.__struct_fields__ if name.endswith("_details"))
_PLAIN: Final = tuple(name for name in WireUsage.__struct_fields__ if name not in _DETAILS)


def _number(found: Mapping[str, msgspec.Raw], *names: str) -> int | None:
    numbers = (count(short(found.get(name))) for name in names)
    return next((number for number in numbers if number is not None), None)


def _details(found: Mapping[str, msgspec.Raw], name: str) -> TokenDetails | None:
    inside = _members(found.get(name, NOTHING))
    return TokenDetails(**{n: _number(inside, n) for n in TokenDetails.__struct_fields__}) if inside else None


def _renamed(wire: WireUsage) -> WireUsage:
    """Return usage in Anthropic's, the Responses API's and DeepSeek's names under the API's own ones.

    Anthropic's `input_tokens` are those beside the cache: what was read from it and written to it is counted apart.
    """
    prompt, total = wire.input_tokens, wire.total_tokens
    read, written = wire.cache_read_input_tokens, wire.cache_creation_input_tokens
    beside = (read or 0) + (written or 0)
    is_all = prompt is not None and wire.output_tokens is not None and total == prompt + wire.output_tokens
    if prompt is not None and beside > 0 and not is_all and wire.input_tokens_details is None:
        prompt, total = prompt + beside, None
    names = (wire.prompt_cache_hit_tokens, read, wire.cached_tokens)  # DeepSeek's, Anthropic's, Moonshot's
    cached = next((number for number in names if number is not None), None)
    details = wire.input_tokens_details
    if details is None and (cached is not None or written is not None):
        details = TokenDetails(cached, written)
    return WireUsage(prompt, wire.output_tokens, details, wire.output_tokens_details, total)


def _gemini(found: Mapping[str, msgspec.Raw]) -> WireUsage:
    """Return usage in Gemini's names, in either of their spellings: its answer's tokens are without the reasoning."""
    prompt = _number(found, "promptTokenCount", "prompt_token_count")
    answer = _number(found, "candidatesTokenCount", "candidates_token_count")
    thought = _number(found, "thoughtsTokenCount", "thoughts_token_count")
    of_tools = _number(found, "toolUsePromptTokenCount", "tool_use_prompt_token_count")
    cached = _number(found, "cachedContentTokenCount", "cached_content_token_count")
    return WireUsage(
        None if prompt is None else prompt + (of_tools or 0),
        None if answer is None else answer + (thought or 0),
        None if cached is None else TokenDetails(cached_tokens=cached),
        None if thought is None else TokenDetails(reasoning_tokens=thought),
    )
