"""Where a comparison stands, in the words and numbers that the compare panel shows above its columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.compare import facts
from tetrate_jupyter.compare.figures import verdict
from tetrate_jupyter.completion.cuts import as_sent
from tetrate_jupyter.render.answer import sent_of
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import one_line, visible
from tetrate_jupyter.widgets.compare_board import hidden
from tetrate_jupyter.widgets.notices import noticed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tetrate_jupyter.compare.figures import ColumnFigures
    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.compare.running import Comparison, Progress
    from tetrate_jupyter.compare.setup import Setup
    from tetrate_jupyter.compare.votes import Tally
    from tetrate_jupyter.widgets.compare_board import Board

NOTHING: Final[Mapping[str, Any]] = {
    "running": False,
    "prompts": 0,
    "repeats": 1,
    "question": "",
    "progress": "",
    "simulated": False,
    "share": 0,
    "failed": 0,
    "forecast": "",
    "verdict": "",
    "notices": "",
    "warns": [],
    "sent": "",
    "columns": [],
    "letters": {},
    "picks": [],
    "voted": 0,
    "using": "",
    "back": False,
    "waits": {},
    "pick": "",
    "claim": "",
    "detail": "",
    "asked": "",
    "elapsed": 0,
    "code": "",
    "seed": 0,
}
_NAMED: Final = 4  # letters that are told in a sentence
_YOURS: Final = ("", ", your pick", ", your picks")  # by how many
_QUESTION: Final = 4_000  # characters of a prompt that are shown above its answers
_ASKED: Final = 240  # characters of what was asked, above everything


def standing(comparison: Comparison, board: Board, *, blind: bool, revealed: bool = False) -> dict[str, Any]:
    """Return what is true of the whole: progress, estimate, verdict, figures.

    Costly for thousands of cells that are over. `revealed`: the columns stay in the order,
    and have the letters, in which they were shown while blind.
    """
    running, progress = comparison.is_running, comparison.progress
    result = comparison.result if not running and progress.total else None
    labels = {c.id: c.label for c in comparison.columns}
    letters = {k: v for k, v in comparison.setup.blind_names().items() if k in labels}
    names = letters if blind else {k: labels[k] for k in (letters if revealed else labels)}
    figured = [c.figures for c in result.columns] if result is not None else []
    counted = result.tally if result is not None else None
    over = progress.total - progress.running - progress.waiting
    return {
        "running": running,
        "prompts": len(comparison.setup.prompts),
        "repeats": comparison.setup.repeats,
        "progress": _progress(progress, running=running),
        "simulated": bool(result and facts.provenance(result.rows)),
        "share": round(over / max(progress.total, 1), 3),
        "failed": progress.failed + progress.stopped,
        "forecast": "" if blind else _estimate(comparison.forecast, running=running),
        "verdict": _verdict(figured) if not blind else "",
        **_told(comparison.setup, _shortfall(result, figured, names)),
        "columns": [[column, visible(name)] for column, name in names.items()],
        "letters": letters if revealed and not blind else {},
        "picks": [head.id for head in counted.picks] if counted is not None and not blind else [],
        "voted": _voted(result, counted, blind=blind),
        "pick": visible(_pick(counted, letters, labels, len(comparison.setup.prompts)))
        if revealed and not blind
        else "",
        "claim": visible(counted.claim) if counted is not None and not blind else "",
        "detail": visible(counted.detail) if counted is not None and not blind else "",
        "asked": visible(one_line(comparison.setup.as_typed or comparison.setup.prompts[0])[:_ASKED]),
        "elapsed": int(progress.seconds) if running else 0,
        **(hidden(comparison.columns) if blind else board.rows(figured, counted)),
        "code": result.code if result and not blind else "",
        "seed": comparison.setup.seed,
    }


def _voted(result: Result | None, counted: Tally | None, *, blind: bool) -> int:
    """Return how many prompts have a vote; while the names are hidden, one that was given so."""
    if blind and result is not None:
        return len({row.prompt for row in result.rows if row.vote and row.vote_blind})
    return counted.voted if counted is not None else 0


def now(comparison: Comparison, board: Board, at: tuple[int, int], *, blind: bool) -> dict[str, Any]:
    """Return what may change while nothing of the comparison does: the prompt that is looked at, what is in use, waits.

    `at`: the numbers of the prompt and of the repeat.
    """
    prompts, used = comparison.setup.prompts, "" if blind else comparison.in_use(*at)
    return {
        "question": visible(prompts[at[0]][:_QUESTION]) if len(prompts) > 1 else "",
        "using": used,
        "back": bool(used) and comparison.can_go_back,
        "waits": {} if blind else board.waits(),
    }


def _told(setup: Setup, shortfall: Sequence[str]) -> dict[str, Any]:
    """Return what must be known before the answers: sentences, chips of what was left out, the only prompt as sent."""
    is_typed = setup.as_typed in {None, setup.prompts[0]}
    left_out = noticed(setup.notices, sent=sent_of(setup.cuts))
    return {
        "notices": "; ".join([*map(visible, shortfall), *left_out["said"]]),
        "warns": left_out["chips"],
        "sent": "" if is_typed else visible(as_sent(setup.prompts[0])),
    }


def _shortfall(result: Result | None, figured: Sequence[ColumnFigures], names: Mapping[str, str]) -> list[str]:
    if result is None:
        return []
    named = [replace(c, head=replace(c.head, label=names.get(c.head.id, c.head.label))) for c in figured]
    return facts.shortfall(named, result)


def _pick(counted: Tally | None, letters: Mapping[str, str], labels: Mapping[str, str], prompts: int) -> str:
    """Return who was behind the letters: the pick, or all of them where there is none; and on how much it rests."""
    picks = [head.id for head in counted.picks] if counted is not None else []
    who = [f"{letter} was {labels[column]}" for column, letter in letters.items() if not picks or column in picks]
    if len(who) > _NAMED:
        who = [*who[:_NAMED], "…"]
    named = " and ".join(filter(None, (", ".join(who[:-1]), who[-1])))
    rests = f"; {counted.voted:,} of {prompts:,} prompts voted" if counted is not None and picks and prompts > 1 else ""
    return f"{named}{_YOURS[min(len(picks), 2)]}{rests}."


def _estimate(forecast: Forecast, *, running: bool) -> str:
    if running or forecast.expected is None:
        return forecast.sentence
    return f"Estimated before it was asked: ≈ {money(forecast.expected)}."


def _verdict(figured: Sequence[ColumnFigures]) -> str:
    said = verdict(figured)
    return facts.sentence(said) if said else ""


def _progress(progress: Progress, *, running: bool) -> str:
    words = [f"{progress.done} of {progress.total} done"]
    if progress.failed:
        words.append(f"{progress.failed} failed")
    if progress.stopped:
        words.append(f"{progress.stopped} stopped")
    words.append(_cost(progress))
    if not running:
        words.append(seconds(progress.seconds))
    elif progress.seconds_left is not None and progress.total > progress.running + progress.done:
        words.append(f"about {seconds(progress.seconds_left)} left")
    return " · ".join(words)


def _cost(progress: Progress) -> str:
    unknown = f" and {progress.unknown_costs} unknown" if progress.unknown_costs else ""
    return f"≈ {money(progress.cost)}{unknown}"
