"""Token counts of the wire as `Usage`: bounded, joined from several chunks, and added up over rounds; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    from tetrate_jupyter.http.chunks import WireUsage

MAX_TOKENS: Final = 10**9  # of one answer; a count above it, or below 0, is taken for unknown


def usage_of(wire: WireUsage, before: Usage | None = None) -> Usage:
    """Return the router's token counts as `Usage`; missing and impossible ones stay unknown.

    `before`: the usage of an earlier chunk; counts missing now are taken from it, and 0 doesn't overwrite a count.
    """
    prompt, completion = wire.prompt_tokens_details, wire.completion_tokens_details
    had = before or Usage()
    return Usage(
        prompt_tokens=_count(wire.prompt_tokens, had.prompt_tokens),
        completion_tokens=_count(_output(wire), had.completion_tokens),
        cached_tokens=_count(prompt.cached_tokens if prompt else None, had.cached_tokens),
        cache_write_tokens=_count(prompt.caching_tokens if prompt else None, had.cache_write_tokens),
        reasoning_tokens=_count(completion.reasoning_tokens if completion else None, had.reasoning_tokens),
    )


def filled(usage: Usage, other: Usage) -> Usage:
    """Return the usage with what it lacks, or says to be 0, taken from another; no count is added to one."""
    return Usage(
        _count(usage.prompt_tokens, other.prompt_tokens),
        _count(usage.completion_tokens, other.completion_tokens),
        _count(usage.cached_tokens, other.cached_tokens),
        _count(usage.cache_write_tokens, other.cache_write_tokens),
        _count(usage.reasoning_tokens, other.reasoning_tokens),
    )


def believed(usage: Usage, *, has_output: bool) -> Usage:
    """Return the usage without counts that can't be: no prompt has 0 tokens, and no answer in which something came."""
    return replace(
        usage,
        prompt_tokens=usage.prompt_tokens or None,
        completion_tokens=usage.completion_tokens or (None if has_output else usage.completion_tokens),
    )


def _output(wire: WireUsage) -> int | None:
    """Return the completion tokens; with the reasoning that some providers (xAI, Gemini) count in the total only."""
    prompt, completion, total = wire.prompt_tokens, wire.completion_tokens, wire.total_tokens
    if prompt is None or completion is None or total is None or total > MAX_TOKENS:
        return completion
    if prompt <= 0 or completion < 0:  # no prompt has none: the rest may be its tokens
        return completion
    beside = total - prompt - completion
    input_details, details = wire.prompt_tokens_details, wire.completion_tokens_details
    reasoning = details.reasoning_tokens if details else None
    if not reasoning and input_details and (input_details.cached_tokens or input_details.caching_tokens):
        return completion  # the rest may be what was read from a cache
    return completion + beside if beside > 0 and reasoning in {None, 0, beside} else completion


def _count(tokens: int | None, had: int | None) -> int | None:
    if tokens is None or not 0 <= tokens <= MAX_TOKENS:
        return had
    return tokens or had or tokens


def add_usage(one: Usage, other: Usage) -> Usage:
    """Return the sum of the usage of two rounds; a count that one of them lacks is unknown, never taken for 0.

    Details (cached, cache-write, reasoning tokens) are taken for 0: the router leaves them out where there are none.
    """

    def both(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    def detail(a: int | None, b: int | None) -> int | None:
        return None if a is None and b is None else (a or 0) + (b or 0)

    return Usage(
        prompt_tokens=both(one.prompt_tokens, other.prompt_tokens),
        completion_tokens=both(one.completion_tokens, other.completion_tokens),
        cached_tokens=detail(one.cached_tokens, other.cached_tokens),
        cache_write_tokens=detail(one.cache_write_tokens, other.cache_write_tokens),
        reasoning_tokens=detail(one.reasoning_tokens, other.reasoning_tokens),
    )
