"""%tetrate_explain and %tetrate_fix: the last error of this kernel, explained, and what to change in its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from tetrate_jupyter import secrecy
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.failures.asking import inquiring, plan
from tetrate_jupyter.failures.cells import about, last_error
from tetrate_jupyter.failures.change import Fix
from tetrate_jupyter.failures.collected import failed_cell
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.ask import VARIABLE, run_shown
from tetrate_jupyter.magics.dry_run import estimates, unchosen
from tetrate_jupyter.magics.formats import next_cell, shown
from tetrate_jupyter.magics.output import FinalOutput, TerminalOutput, output_for
from tetrate_jupyter.magics.prompting import out_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.failures.asking import Inquiry
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Command
    from tetrate_jupyter.magics.output import Output

FIX_VARIABLE: Final = "_tetrate_fix"


class InquiryStopped(KeyboardInterrupt):
    """The cell was interrupted; the text so far is kept. Still a KeyboardInterrupt: the cells after it don't run."""

    def _render_traceback_(self) -> list[str]:
        return [f"Stopped. The text so far is in {VARIABLE}, marked as partial."]


def explain(context: Context, line: str) -> None:
    """Run %tetrate_explain."""
    _ask(context, "explain", commands.EXPLAIN, line)


def fix(context: Context, line: str) -> None:
    """Run %tetrate_fix."""
    _ask(context, "fix", commands.FIX, line)


def _ask(context: Context, purpose: Literal["explain", "fix"], command: Command, line: str) -> None:
    with about(last_error(context.shell)):
        parsed = command.parse(line)
        out = out_name(parsed)
    if parsed.flag("apply"):
        if parsed.flag("dry_run"):
            raise OptionError("--apply sends nothing, so there is nothing to try.", next_step="leave --dry-run out")
        _apply(context)
        return
    model = parsed.text("model") or (unchosen(context.session) if parsed.flag("dry_run") else None)
    given = {"model": model, "effort": parsed.text("effort"), "max_tokens": parsed.integer("max_tokens")}
    options = asking_options(context, given, values=parsed.flag("values"))
    with inquiring(context.session, purpose, None, options, context.shell) as asked:
        planned = context.session.bridge.run(plan(context.session, asked))
        if parsed.flag("dry_run"):
            _print(_would_go(planned, asked))
            return
        is_said = not context.has_said_what_goes
        if is_said:
            _print(_goes(planned, asked))
        context.has_said_what_goes = True
        run(context, asked, planned, out, parts=not is_said)


def asking_options(context: Context, given: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as for `ask`
    """Return the options of an inquiry: what is `given`, `more`, and the defaults that hold beside it."""
    return {**more, **context.asking_defaults, **{name: value for name, value in given.items() if value is not None}}


def run(
    context: Context,
    asked: Inquiry,
    planned: Plan,
    out: str | None = None,
    *,
    how: bool = True,
    parts: bool = True,
) -> None:
    """Ask with the answer shown as it comes, and keep it in variables.

    `how`: a change says how it is applied; `parts`: it names what was sent, which nothing has told before it.
    """
    footer, variables, read = context.defaults.footer, context.shell.user_ns, asked.read

    def show(answer: Answer, *, body: str | None = None, at_once: bool = False) -> dict[str, str]:
        if read is not None and not at_once:
            return read(answer).bundle(footer=footer, how=how, parts=parts)
        return shown(answer, "markdown", footer=footer, body=body, at_once=at_once)

    def keep(answer: Answer) -> None:
        variables[VARIABLE] = answer
        result: Answer | Fix = answer
        if read is not None:
            result = read(answer)
            variables[FIX_VARIABLE], context.mended = result, asked.failure.cell if asked.failure else None
        if out is not None:
            variables[out] = result

    output: Output = output_for(context.shell, show, stream=context.defaults.stream, markdown=True, footer=footer)
    if read is not None and isinstance(output, TerminalOutput):
        output = PrintedOutput(show)  # text that was printed can't become a diff
    run_shown(context, planned, output, keep, InquiryStopped)


class PrintedOutput(FinalOutput):
    """Shows nothing until the end, then plain text, where only text can be shown."""

    def end(self, answer: Answer | None, *, at_once: bool = False) -> None:
        """See `Output`."""
        if answer is not None:
            _print(self._show(answer, at_once=at_once)["text/plain"])


def _apply(context: Context) -> None:
    """Put the last change that was shown into a new cell."""
    found = context.shell.user_ns.get(FIX_VARIABLE)
    if not isinstance(found, Fix):
        raise InputError("No change was proposed yet.", next_step="%tetrate_fix, then %tetrate_fix --apply")
    if found.source is None:
        raise InputError(found.problem, next_step="%tetrate_fix asks again; -m ID asks another model")
    error = last_error(context.shell)
    failed = None if error is None else failed_cell(error, context.shell)
    if failed is not None and context.mended is not None and failed.source.strip() != context.mended.source.strip():
        raise InputError(
            f"The change is for the error of {context.mended.name}; the last error is that of {failed.name}.",
            next_step="%tetrate_fix, then %tetrate_fix --apply",
        )
    context.shell.set_next_input(new_source(found), replace=False)
    _print(f"The changed source of {found.name} is in a new cell. Read it, then run it.")


def new_source(found: Fix) -> str:
    """Return the cell's new source, "" where there is none; what hides in it is spelled out."""
    return next_cell(found.source, set(found.original.split("\n"))) if found.source is not None else ""


# --- what goes -----------------------------------------------------------------------------------------------


def _goes(planned: Plan, asked: Inquiry) -> str:
    """Return the one line about what is sent, where it goes and what it costs."""
    cost = next(iter(estimates(planned)[1:]), "")
    goes = f"Sending to {planned.request.model.id}: {asked.sent.summary}; {cost}."
    return f"{goes} --dry-run shows all of it and sends nothing."


def _would_go(planned: Plan, asked: Inquiry) -> str:
    """Return the exact request that would be sent, and its cost."""
    body = planned.request.body()
    others = {key: value for key, value in body.items() if key != "messages"}
    messages = [f"--- {each['role']} ---\n{each['content']}" for each in body["messages"]]
    head = f"Nothing was sent. {planned.request.model.id} would get: {asked.sent.summary}"
    return "\n".join([head, *estimates(planned), f"with {others}", "", "\n\n".join(messages)])


def _print(text: str) -> None:
    from tetrate_jupyter.render.plain import plain

    print(secrecy.redact(plain(text)))  # noqa: T201 - a magic's answer
