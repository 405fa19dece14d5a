"""%tetrate and %%tetrate: ask, show the answer as it comes, leave it in a variable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.engine.rows import asked_limits
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.formats import HINTS, next_cell, parse_json, shown
from tetrate_jupyter.magics.output import output_for
from tetrate_jupyter.magics.prompting import build_prompt, keeping_error, out_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.cuts import Limits
    from tetrate_jupyter.engine.asking import Plan, Question
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Parsed
    from tetrate_jupyter.magics.output import Output
    from tetrate_jupyter.magics.prompting import Prompt

VARIABLE = "_tetrate"


class Stopped(KeyboardInterrupt):
    """The cell was interrupted; the text so far is kept. Still a KeyboardInterrupt: the cells after it don't run."""

    def _render_traceback_(self) -> list[str]:
        return [f"Stopped. The text so far is in {VARIABLE}, and in the conversation, marked as partial."]


class StoppedAtOnce(KeyboardInterrupt):
    """The cell was interrupted before any text came; there is nothing to keep."""

    def _render_traceback_(self) -> list[str]:
        return ["Stopped before any text came."]


def ask(context: Context, line: str, cell: str | None, variables: Mapping[str, Any]) -> None:
    """Run one magic call from its line to its variable. `variables` are those that its prompt may name."""
    with keeping_error(context, line if cell is None else cell):
        _ask(context, line, cell, variables)


def _ask(context: Context, line: str, cell: str | None, variables: Mapping[str, Any]) -> None:
    parsed = commands.ASK.parse(line)
    out, form = out_name(parsed), parsed.text("format") or context.defaults.format
    context.be_signed_in(parsed.text("model") or context.session.model or "", parsed.words if cell is None else cell)
    asked = _question(context, build(context, parsed, cell, variables), parsed, form)
    if parsed.flag("dry_run"):
        from tetrate_jupyter.magics.dry_run import planned, show_plan

        show_plan(planned(context.session, asked, is_new=parsed.flag("new")))
        return
    if parsed.flag("new"):
        context.session.reset()

    def show(answer: Answer, *, body: str | None = None, at_once: bool = False) -> dict[str, str]:
        return shown(answer, form, footer=context.defaults.footer, body=body, at_once=at_once)

    output = output_for(
        context.shell, show, stream=context.defaults.stream, markdown=form != "text", footer=context.defaults.footer
    )
    answer = _run(context, asked, output, out)
    if form == "json":
        answer = parse_json(answer)
        _keep(context, answer, out)
    if form == "code" and answer.code:
        context.shell.set_next_input(next_cell(answer.code), replace=False)


def build(context: Context, parsed: Parsed, cell: str | None, variables: Mapping[str, Any]) -> Prompt:
    """Put the variables and what goes along into the prompt, as much of each as fits."""

    def limits(text: str) -> Limits:
        return asked_limits(
            context.session,
            text,
            parsed.text("rows"),
            parsed.text("model"),
            history=_keeps(context, parsed) and not parsed.flag("new"),
        )

    return build_prompt(parsed, cell, variables, limits, context.kernel)


def _keeps(context: Context, parsed: Parsed) -> bool:
    """Whether it is asked within the conversation, after what is there."""
    return bool(context.defaults.keep) and not parsed.flag("no_keep")


def _question(context: Context, prompt: Prompt, parsed: Parsed, form: str) -> Question:
    asked = context.session.question(
        prompt.text,
        images=prompt.images,
        cuts=prompt.cuts,
        typed=prompt.typed,
        keep=_keeps(context, parsed),
        cell_id=context.cells.next(counts=not parsed.flag("dry_run")),
        cached=parsed.flag("cache") or None,
        refresh=parsed.flag("refresh"),
        **(context.asking_defaults | dict(prompt.arguments)),
    )
    hint = HINTS.get(form)
    if hint is None or asked.schema is not None:
        return asked
    return replace(asked, system=f"{asked.system}\n\n{hint}" if asked.system else hint)


def _run(context: Context, asked: Question, output: Output, out: str | None) -> Answer:
    planned = context.session.bridge.run(context.session.aplan(asked))
    return run_shown(context, planned, output, lambda answer: _keep(context, answer, out))


def run_shown(
    context: Context,
    planned: Plan,
    output: Output,
    keep: Callable[[Answer], None],
    stopped_as: type[KeyboardInterrupt] = Stopped,
) -> Answer:
    """Run a plan with its answer shown as it comes; `keep` gets it, also the part of it that came before a failure."""
    session = context.session
    completion = session.completion(planned)
    try:
        answer = session.bridge.run(session.run(planned, completion), tick=lambda: output.tick(completion))
    except (KeyboardInterrupt, TetrateError) as stopped:
        reason = type(stopped).__name__ if isinstance(stopped, TetrateError) else "stopped"
        partial = completion.answer(partial=reason) if completion.has_output else None
        final = partial
        if partial is not None and isinstance(stopped, TetrateError):
            final = replace(partial, partial=None)  # the error right below says that the answer broke off
        output.end(final, at_once=isinstance(stopped, KeyboardInterrupt))
        if partial is not None:
            keep(partial)
        if isinstance(stopped, TetrateError):
            raise
        raise (StoppedAtOnce if partial is None else stopped_as) from None
    output.end(answer)
    keep(answer)
    return answer


def _keep(context: Context, answer: Answer, out: str | None) -> None:
    context.shell.user_ns[VARIABLE] = answer
    if out is not None:
        context.shell.user_ns[out] = answer
