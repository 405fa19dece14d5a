"""A comparison for other tools: a pandas DataFrame, a matplotlib figure, and the cell that makes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tetrate_jupyter.characters import clipped, one_line, plain
from tetrate_jupyter.compare.columns import own_label
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from matplotlib.figure import Figure

    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.figures import ColumnFigures
    from tetrate_jupyter.compare.rows import Head, Row


class _Of(NamedTuple):
    row: Row
    head: Head
    prompt: str


# Column: (dtype, value). Names and dtypes are stable; columns may be added at the end. Names of seconds end in _s.
# pandas writes texts to the terminal unchanged, so they pass through `plain`, which removes terminal controls and names
# hidden characters. `ResultData.rows` has the exact texts.
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
    """Return the rows as a DataFrame. Raises `ConfigError` where pandas isn't installed."""
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


_LONGEST = 32  # characters of a label


def plot(result: ResultData) -> Figure:
    """Return a figure with cost against time, time per column and tokens per column: medians of whole answers.

    Raises `ConfigError` where matplotlib isn't installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ConfigError("A plot needs matplotlib.", next_step="%pip install matplotlib") from None
    columns = [c.figures for c in result.columns]
    labels = [_label(c) for c in columns]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 1.6 + 0.45 * max(5, len(columns))))
    _cost_against_time(left, columns, labels)
    _times(middle, columns, labels)
    _tokens(right, columns, labels)
    figure.tight_layout()
    plt.close(figure)  # otherwise an inline backend shows it twice
    return figure


def _cost_against_time(axes: Any, columns: list[ColumnFigures], labels: list[str]) -> None:  # noqa: ANN401 - matplotlib's
    points = [
        (c.total.median, c.cost_each.median, label)
        for c, label in zip(columns, labels, strict=True)
        if c.total is not None and c.cost_each is not None
    ]
    axes.scatter([p[0] for p in points], [p[1] for p in points])
    for x, y, label in points:
        axes.annotate(label, (x, y), textcoords="offset points", xytext=(5, 4), fontsize="small")
    axes.set(xlabel="seconds per answer", ylabel="US dollars per answer (estimated)", title="Cost against time")
    axes.margins(x=0.25, y=0.15)


def _times(axes: Any, columns: list[ColumnFigures], labels: list[str]) -> None:  # noqa: ANN401 - matplotlib's
    waiting = [_median(c.first_token) or _median(c.total) for c in columns]
    writing = [max(0.0, _median(c.total) - w) for c, w in zip(columns, waiting, strict=True)]
    places = range(len(labels))
    axes.barh(places, waiting, color="0.75", label="waiting")
    axes.barh(places, writing, left=waiting, color="0.35", label="writing")
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set(xlabel="seconds", title="Time")
    axes.legend(fontsize="small")


def _tokens(axes: Any, columns: list[ColumnFigures], labels: list[str]) -> None:  # noqa: ANN401 - matplotlib's
    places = range(len(labels))
    axes.barh(places, [_median(c.tokens_out) for c in columns], color="0.5")
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set(xlabel="tokens per answer", title="Length")


def _median(found: Any) -> float:  # noqa: ANN401 - a Spread or None
    return 0.0 if found is None else float(found.median)


def _label(column: ColumnFigures) -> str:
    text = one_line(column.head.label).replace("$", r"\$")  # matplotlib renders text between two "$" as a formula
    return clipped(text, _LONGEST)


def recipe(result: ResultData) -> str:
    """Return the source of the cell. Comments name what isn't plain data (a schema, tools, images, history)."""
    facts, notes = result.facts, []
    lines = [f"prompts = {_list(repr(p) for p in facts.prompts)}", f"models = {_list(map(_column, result.heads))}"]
    arguments = [(name, value) for name, value in facts.params if not _is_named(value)]
    if facts.repeats != 1:
        arguments.append(("repeats", facts.repeats))
    if facts.max_cost is not None:
        arguments.append(("max_cost", float(facts.max_cost)))
    arguments.append(("seed", facts.seed))
    named = [name for name, value in facts.params if _is_named(value)]
    named += [name for head in result.heads for name, value in head.params if _is_named(value)]
    if facts.images:
        named.append("images")
    notes += [f"# Pass {name}= as well: it isn't plain data." for name in dict.fromkeys(named)]
    if any(head.history for head in result.heads):
        notes.append("# The columns continued earlier exchanges, which are not part of this cell.")
    given = "".join(f", {name}={value!r}" for name, value in arguments)
    call = f"result = session.compare(prompts, models{given})"
    return "\n".join(["from tetrate_jupyter import session", "", *lines, *notes, call, "result"])


def _column(head: Head) -> str:
    params = {name: value for name, value in head.params if not _is_named(value)}
    own = own_label(head.label, head.asked)
    if not params and own is None:
        return repr(head.asked)
    return repr({"model": head.asked, **({"label": own} if own else {}), **params})


def _list(items: Iterable[str]) -> str:
    return "[\n" + "".join(f"    {item},\n" for item in items) + "]"


def _is_named(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return any(map(_is_named, value))
    return isinstance(value, dict) and set(value) == {"python"}
