"""Changes that nothing can notice, since they mean the same: module -> change, as the runner names it -> why."""

from __future__ import annotations

_ORDER = "the order of two numbers that are added up"
_SHORT_CUT = "a short cut: the longer way gives the same"

EQUIVALENT: dict[str, dict[str, str]] = {
    "completion/accumulate": {
        "Accumulator.add: chunk.choice if choices[0].index or len(choices) > 1 else choices[0] -> chunk.choice": _SHORT_CUT,
        "Accumulator.add: len(choices) > 1 -> GtE": _SHORT_CUT,
        "Accumulator.add: choice.finish_reason and choice.finish_reason != self._reason -> choice.finish_reason": _SHORT_CUT,
        "Accumulator._add_rest: not name -> never": _SHORT_CUT,
        "Accumulator._end: self._reason = reason -> pass": _SHORT_CUT,
        "Halves.feed: piece.isascii() or not ('\\ud800' <= piece[-1] <= '\\udfff' or…c00' <= piece[0] <= '\\udfff') -> "
        "not ('\\ud800' <= piece[-1] <= '\\udfff' or '\\udc00' <= piece[0] <= '\\udfff')": _SHORT_CUT,
        "Halves.feed: '\\udfff' -> '\\udfff~'": "no single character is between the two",
        "add_usage: both(one.completion_tokens, other.completion_tokens) -> "
        "both(other.completion_tokens, one.completion_tokens)": _ORDER,
        "add_usage: detail(one.cached_tokens, other.cached_tokens) -> "
        "detail(other.cached_tokens, one.cached_tokens)": _ORDER,
    },
}
