"""Where a comparison stands, in the words and numbers that the compare panel shows above its columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.compare import facts
from tetrate_jupyter.compare.verdict import verdict
from tetrate_jupyter.render.answer import with_chip
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.compare.running import Comparison, Progress
    from tetrate_jupyter.compare.summary import ColumnFigures

NOTHING: Final[Mapping[str, Any]] = {
    "running": False,
    "prompts": 0,
    "repeats": 1,
    "question": "",
    "progress": "",
    "share": 0,
    "failed": 0,
    "forecast": "",
    "verdict": "",
    "notices": "",
    "columns": [],
    "code": "",
    "seed": 0,
}


def standing(comparison: Comparison, *, blind: bool) -> dict[str, Any]:
    """Return what is true of the whole: progress, forecast, verdict. Costly for thousands of cells that are over."""
    running, progress = comparison.is_running, comparison.progress
    result = comparison.result if not running and progress.total else None
    labels = {c.id: c.label for c in comparison.columns}
    names = {k: v for k, v in comparison.setup.blind_names().items() if k in labels} if blind else labels
    figured = [c.figures for c in result.columns] if result is not None else []
    cuts = [cut.sentence for cut in comparison.setup.cuts]
    over = progress.total - progress.running - progress.waiting
    return {
        "running": running,
        "prompts": len(comparison.setup.prompts),
        "repeats": comparison.setup.repeats,
        "progress": with_chip(
            _progress(progress, comparison.forecast, running=running), facts.provenance(result.rows) if result else ()
        ),
        "share": round(over / max(progress.total, 1), 3),
        "failed": progress.failed + progress.stopped,
        "forecast": "" if blind else comparison.forecast.sentence,
        "verdict": _verdict(figured) if not blind else "",
        "notices": visible("; ".join([*_shortfall(result, figured, names), *cuts])),
        "columns": [[column, visible(name)] for column, name in names.items()],
        "code": result.code if result and not blind else "",
        "seed": comparison.setup.seed,
    }


def _shortfall(result: Result | None, figured: Sequence[ColumnFigures], names: Mapping[str, str]) -> list[str]:
    if result is None:
        return []
    named = [replace(c, head=replace(c.head, label=names.get(c.head.id, c.head.label))) for c in figured]
    return facts.shortfall(named, result)


def _verdict(figured: Sequence[ColumnFigures]) -> str:
    said = verdict(figured)
    return facts.sentence(said) if said else ""


def _progress(progress: Progress, forecast: Forecast, *, running: bool) -> str:
    words = [f"{progress.done} of {progress.total} done"]
    if progress.failed:
        words.append(f"{progress.failed} failed")
    if progress.stopped:
        words.append(f"{progress.stopped} stopped")
    words.append(_cost(progress, forecast, running=running))
    if not running:
        words.append(seconds(progress.seconds))
    elif progress.seconds_left is not None and progress.total > progress.running + progress.done:
        words.append(f"about {seconds(progress.seconds_left)} left")
    return " · ".join(words)


def _cost(progress: Progress, forecast: Forecast, *, running: bool) -> str:
    unknown = f" and {progress.unknown_costs} unknown" if progress.unknown_costs else ""
    if running or forecast.expected is None:
        return f"≈ {money(progress.cost)}{unknown}"
    return f"≈ {money(progress.cost)}{unknown} (forecast ≈ {money(forecast.expected)})"
