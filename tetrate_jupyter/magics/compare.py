"""%tetrate_compare and %%tetrate_compare: models side by side, live in a notebook, as a result everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetrate_jupyter.compare.asking import ComparisonStopped, begin, came_to_its_end, models_of, prepare
from tetrate_jupyter.compare.cells import retold
from tetrate_jupyter.compare.result import LiveResult
from tetrate_jupyter.compare.setup import SEPARATOR, refuse_pictures, split_prompts
from tetrate_jupyter.completion.cuts import USUAL
from tetrate_jupyter.engine.rows import is_asked_for, limits
from tetrate_jupyter.errors import EmptyPromptError, TetrateError
from tetrate_jupyter.front_end import place, publish
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.dry_run import left_out
from tetrate_jupyter.magics.prompting import build_prompt, keeping_error, out_name, prompt_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.completion.cuts import Limits
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Parsed
    from tetrate_jupyter.magics.prompting import Prompt
    from tetrate_jupyter.widgets.compare import ComparePanel

VARIABLE = "_tetrate_compare"


def compare(context: Context, line: str, cell: str | None, variables: Mapping[str, Any]) -> ComparePanel | None:
    """Return the panel in a notebook, the comparison in it under way; elsewhere, or with --wait, show the result.

    The variable holds the same kind of result in either case: while it runs, of what has come so far. It follows the
    panel: what is asked there later is what it has then.
    """
    parsed = commands.COMPARE.parse(line)
    out = out_name(parsed)
    live = place() == "notebook" and not parsed.flag("wait")
    if cell is None:
        if not live:
            raise EmptyPromptError("There is no prompt.", next_step="write it in the lines below %%tetrate_compare")
        from tetrate_jupyter.widgets.compare import ComparePanel

        wanted = ",".join(parsed.many("model"))
        models = context.session.bridge.run(models_of(context.session, wanted)) if wanted else ()
        ids, result = [model.id for model in models], LiveResult()
        panel = ComparePanel(context.session, models=ids, blind=parsed.flag("blind"), result=result)
        _keep(context, out, result)
        return panel
    context.be_signed_in(", ".join(parsed.many("model")), cell)
    comparison = _prepared(context, parsed, cell, variables)
    if parsed.flag("dry_run"):
        _show_forecast(comparison.forecast)
        for notice in left_out(comparison.setup.cuts):
            print(notice)  # noqa: T201 - a magic's answer
        return None
    begin(context.session, comparison)
    if live:
        from tetrate_jupyter.widgets.compare import ComparePanel

        result = LiveResult(comparison)
        _keep(context, out, result)
        return ComparePanel(context.session, comparison, blind=parsed.flag("blind"), result=result)
    _wait(context, comparison, out, blind=parsed.flag("blind"))
    return None


def _prepared(context: Context, parsed: Parsed, cell: str, variables: Mapping[str, Any]) -> Comparison:
    session, rows = context.session, parsed.text("rows")
    models = ",".join(parsed.many("model")) or None

    def limits_for(text: str) -> Limits:
        if not is_asked_for(session, rows):
            return USUAL
        asked = session.bridge.run(models_of(session, models))
        return limits(session, text, rows, models=asked, history=parsed.flag("history"))

    with keeping_error(context, cell):
        prompts = _prompts(context, parsed, cell, variables, limits_for)
    prompt, cuts = prompts[0], tuple(dict.fromkeys(cut for each in prompts for cut in each.cuts))
    asked = dict(prompt.arguments)
    asked.pop("model", None)
    own = {
        "repeats": parsed.integer("repeats"),
        "seed": parsed.integer("seed"),
        "max_cost": parsed.number("max_cost"),
        "history": parsed.flag("history") or None,
        "cached": parsed.flag("cache") or None,
        "refresh": parsed.flag("refresh") or None,
    }
    given = {name: value for name, value in own.items() if value is not None}
    options = {**context.asking_defaults, **asked, **given, "as_typed": prompt.typed if len(prompts) == 1 else None}
    texts = [each.text for each in prompts]
    return session.bridge.run(prepare(session, texts, models, images=prompt.images, cuts=cuts, **options))


def _prompts(
    context: Context,
    parsed: Parsed,
    cell: str,
    variables: Mapping[str, Any],
    limits_for: Callable[[str], Limits],
) -> list[Prompt]:
    """Return the prompts of the cell, each with its own variables in place: a value that holds a rule divides none."""
    texts = split_prompts(prompt_text(parsed, cell))
    if not texts:
        raise EmptyPromptError(f"The cell has nothing but {SEPARATOR}.", next_step="write a prompt above and below it")
    several, by_hand = len(texts) > 1, len(parsed.many("image"))
    found = [build_prompt(parsed, text, variables, limits_for, context.kernel, several=several) for text in texts]
    if several:
        refuse_pictures(max(len(each.images) for each in found), by_hand)
    return found


def _wait(context: Context, comparison: Comparison, out: str | None, *, blind: bool) -> None:
    stopped = not came_to_its_end(comparison)
    result = LiveResult(comparison)
    _keep(context, out, result)
    shown = result.blind() if blind else result
    publish(shown.bundle(at_once=stopped))
    if stopped:
        raise ComparisonStopped
    _fail_where_nothing_came(comparison)


def _fail_where_nothing_came(comparison: Comparison) -> None:
    """Raise the error of a comparison in which no column has an answer, so that a run of the notebook stops."""
    errors = [cell.error for cell in comparison.cells if cell.error is not None]
    if not errors or any(cell.state == "done" for cell in comparison.cells):
        return
    first = errors[0]
    kind = type(first) if all(type(error) is type(first) for error in errors) else TetrateError
    words = f"No column has an answer. {first.message}"
    raise retold(kind, words, next_step=first.next_step, request_id=first.request_id)


def _keep(context: Context, out: str | None, what: object) -> None:
    context.shell.user_ns[VARIABLE] = what
    if out is not None:
        context.shell.user_ns[out] = what


def _show_forecast(forecast: Forecast) -> None:
    from tetrate_jupyter.render.numbers import money
    from tetrate_jupyter.render.table import Table, TableColumn

    print(f"Nothing was sent. {forecast.sentence}")  # noqa: T201 - a magic's answer
    columns = [TableColumn("model", code=True), TableColumn("calls"), TableColumn("≈ expected"), TableColumn("at most")]
    rows = [[s.label, s.calls, money(s.expected), money(s.worst)] for s in forecast.shares]
    print(Table(columns, rows).plain())  # noqa: T201 - likewise
