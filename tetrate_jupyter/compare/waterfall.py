"""When each call waited and when it wrote, as bars on one time axis; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.numbers import seconds

if TYPE_CHECKING:
    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.rows import Row

MOST: Final = 24  # bars; beyond, a picture says less than the table
# In the elements themselves: a notebook that isn't trusted (a colleague's) is shown without stylesheets.
_BAR: Final = (
    "display:inline-block;height:.8em;min-width:1px;vertical-align:middle;background-color:rgba(128,128,128,{})"
)
_PALE, _DARK = _BAR.format(".35"), _BAR.format(".95")


def waterfall(result: ResultData) -> str:
    """Return the bars, "" where there are none or too many. Each has its seconds as text beside it."""
    rows = [r for r in result.rows if r.started is not None and r.total is not None]
    if not rows or len(rows) > MOST:
        return ""
    labels = {h.id: h.label for h in result.heads}
    end = max((r.started or 0) + (r.total or 0) for r in rows) or 1.0
    several = len(result.facts.prompts) * result.facts.repeats > 1
    bars = "".join(_bar(r, labels[r.column] + (_which(r, result) if several else ""), end) for r in rows)
    return (
        "<details open><summary>Waiting (pale) and writing (dark)</summary>"
        f'<table class="tetrate-bars" style="width:100%"><tbody>{bars}</tbody></table></details>'
    )


def _which(row: Row, result: ResultData) -> str:
    prompt = f", prompt {row.prompt + 1}" if len(result.facts.prompts) > 1 else ""
    return prompt + (f", repeat {row.repeat + 1}" if result.facts.repeats > 1 else "")


def _bar(row: Row, label: str, end: float) -> str:
    started, total = row.started or 0.0, row.total or 0.0
    waiting = total if row.first_token is None else row.first_token
    writing = max(0.0, total - waiting)
    said = f"waiting {seconds(waiting)}, writing {seconds(writing)}"
    parts = [
        f'<span style="margin-left:{_share(before, end)};width:{_share(length, end)};{bar}"></span>'
        for bar, before, length in ((_PALE, started, waiting), (_DARK, 0.0, writing))
    ]
    return (
        f'<tr><td style="text-align:left" dir="auto">{escape(label)}</td>'
        f'<td style="text-align:left;width:50%;white-space:nowrap" aria-hidden="true">{"".join(parts)}</td>'
        f'<td style="text-align:left">{escape(said)}</td></tr>'
    )


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%"
