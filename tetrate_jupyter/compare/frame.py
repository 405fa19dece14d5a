"""A comparison as a pandas DataFrame; pandas is imported here and only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tetrate_jupyter.characters import plain
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.rows import Head, Row


class _Of(NamedTuple):
    row: Row
    head: Head
    prompt: str


# Column: (dtype, value). Names and dtypes are a promise; columns may be added at the end. Seconds end in _s.
# pandas writes a cell's characters to the terminal as they are, so texts go in as `plain` gives them: without terminal
# controls, hidden characters named. The rows behind have every text exactly.
COLUMNS: Final[dict[str, tuple[str, Callable[[_Of], Any]]]] = {
    "prompt": ("int64", lambda o: o.row.prompt),
    "column": ("string", lambda o: o.row.column),
    "label": ("string", lambda o: o.head.label),
    "repeat": ("int64", lambda o: o.row.repeat),
    "prompt_text": ("string", lambda o: o.prompt),
    "model_asked": ("string", lambda o: o.head.asked),
    "model": ("string", lambda o: o.row.model),
    "provider": ("string", lambda o: o.head.provider),
    "state": ("string", lambda o: o.row.state),
    "text": ("string", lambda o: o.row.text or None),
    "reasoning": ("string", lambda o: o.row.reasoning or None),
    "partial": ("bool", lambda o: o.row.partial),
    "error": ("string", lambda o: o.row.error),
    "message": ("string", lambda o: o.row.message),
    "next_step": ("string", lambda o: o.row.next_step),
    "request_id": ("string", lambda o: o.row.request_id),
    "finish_reason": ("string", lambda o: o.row.finish_reason),
    "first_token_s": ("float64", lambda o: _number(o.row.first_token)),
    "total_s": ("float64", lambda o: _number(o.row.total)),
    "writing_s": ("float64", lambda o: _number(o.row.writing)),
    "tokens_per_s": ("float64", lambda o: _number(o.row.speed)),
    "tokens_in": ("Int64", lambda o: o.row.tokens_in),
    "tokens_out": ("Int64", lambda o: o.row.tokens_out),
    "tokens_reasoning": ("Int64", lambda o: o.row.tokens_reasoning),
    "tokens_cached": ("Int64", lambda o: o.row.tokens_cached),
    "cost_usd": ("float64", lambda o: _number(o.row.cost)),
    "started_s": ("float64", lambda o: _number(o.row.started)),
    "asked_at": ("datetime64[ns, UTC]", lambda o: o.row.asked_at),
    "attempts": ("int64", lambda o: o.row.attempts),
    "retries": ("int64", lambda o: o.row.retries),
    "retry_wait_s": ("float64", lambda o: o.row.retry_wait),
    "refusal": ("string", lambda o: o.row.refusal or None),
    "cached": ("bool", lambda o: o.row.cached),
    "vote": ("string", lambda o: o.row.vote),
    "vote_early": ("boolean", lambda o: o.row.vote_early if o.row.vote else None),
    "vote_blind": ("boolean", lambda o: o.row.vote_blind if o.row.vote else None),
}


def to_frame(result: ResultData) -> pd.DataFrame:
    """Make the frame. Raises `ConfigError` where pandas isn't installed."""
    try:
        import pandas as pd
    except ImportError:
        raise ConfigError("A DataFrame needs pandas.", next_step="%pip install pandas") from None
    heads = {h.id: h for h in result.heads}
    found = [_Of(row, heads[row.column], result.facts.prompts[row.prompt]) for row in result.rows]
    frame: pd.DataFrame = pd.DataFrame({name: _series(found, name) for name in COLUMNS})
    return frame


def _series(found: list[_Of], name: str) -> pd.Series[Any]:
    import pandas as pd

    dtype, value = COLUMNS[name]
    values: Any = [value(o) for o in found]
    if dtype == "string":
        values = [None if text is None else plain(text) for text in values]
    if dtype.startswith("datetime"):
        values = pd.to_datetime(pd.Series(values, dtype="string"), utc=True, format="ISO8601", errors="coerce")
    made: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return made


def _number(value: Any) -> float:  # noqa: ANN401 - Decimal, float or None
    return float("nan") if value is None else float(value)
