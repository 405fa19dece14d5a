"""A comparison as a picture; matplotlib is imported here and only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetrate_jupyter.characters import clipped, one_line
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.summary import ColumnFigures

_LONGEST = 32  # characters of a label


def plot(result: ResultData) -> Figure:
    """Draw three panels: cost against time, time by column, tokens by column. Medians of whole answers.

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
    plt.close(figure)  # or an inline backend shows it twice
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
    text = one_line(column.head.label).replace("$", r"\$")  # a pair of "$" would be a formula
    return clipped(text, _LONGEST)
