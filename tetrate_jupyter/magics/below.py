"""What is asked below a cell, called by the page: shows what would be sent, then, on Send, the answer.

Both are shown, and the page is told how it goes on by a message of a kind of its own; no cell keeps either. What is
sent is what was shown: it waits here meanwhile, the newest few of a kernel.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

from tetrate_jupyter import front_end, secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.foreign import passes, unexpected
from tetrate_jupyter.errors import InputError
from tetrate_jupyter.failures.asking import inquiring, plan
from tetrate_jupyter.failures.cells import not_a_run, running_shell
from tetrate_jupyter.failures.wishes import Passage, inquiry
from tetrate_jupyter.magics.dry_run import estimates
from tetrate_jupyter.magics.extension import loaded
from tetrate_jupyter.magics.failures import FIX_VARIABLE, asking_options, new_source, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.failures.asking import Inquiry
    from tetrate_jupyter.failures.change import Fix
    from tetrate_jupyter.magics.context import Context

MIME: Final = "application/vnd.tetrate.failed+json"  # as in labextension/static/failed.js


@dataclass(frozen=True)
class _Ready:
    """A question that was shown and may be sent, under a name that only the page that showed it knows."""

    ticket: str
    asked: Inquiry
    planned: Plan


_TITLES: Final = {"test": "Write tests for", "continue": "Continue"}
_MAX_READY: Final = 8  # what is shown below cells at once; of more, the oldest has to be asked anew
_ready: WeakKeyDictionary[Context, dict[str, _Ready]] = WeakKeyDictionary()


def would_go(purpose: Literal["explain", "fix"], number: int, *, values: bool = False) -> None:
    """Show what would be sent about the error of cell In[number], to which model, and what it would cost.

    Nothing is sent. A problem is told, not raised: raised, it would be the last error.
    """
    with _telling():
        context = _context()
        options = asking_options(context, {}, values=values)
        with inquiring(context.session, purpose, None, options, context.shell) as asked:
            _check(asked, number)
            _show(context, asked)


def would_go_of(wish: str, source: str, before: str = "", after: str = "") -> None:
    """Like `would_go`, of the source of a cell, whether it has run or not; or of a part between `before` and `after`.

    `wish`: "explain", or one of those of `session.improve`.
    """
    with _telling("Asking about the cell"):
        context = _context()
        options = asking_options(context, {})
        _show(context, inquiry(context.session, wish, Passage(source, before, after), options, context.shell))


def send(ticket: str) -> None:
    """Send what was shown under this name, with the answer shown as it comes; then tell the page of the change."""
    with _telling():
        context = _context()
        ready = _ready.get(context, {}).pop(ticket, None)
        if ready is None:
            raise InputError("What would be sent is no longer what was shown.", next_step="ask once more")
        context.has_said_what_goes = True
        run(context, ready.asked, ready.planned, how=False)
        change = _change(context.shell.user_ns[FIX_VARIABLE]) if ready.asked.read else {}
        _tell(step="done", **change)


@contextmanager
def _telling(what: str = "Asking about the error") -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:  # raised, it would be the last error
        _tell(step="problem", said="Stopped.")
    except BaseException as error:
        if passes(error):
            raise
        _tell(step="problem", said=unexpected(error, what).advice)


def _context() -> Context:
    shell = running_shell()
    context = loaded(shell)
    if shell is None or context is None:
        raise InputError("tetrate_jupyter isn't loaded.", next_step="%load_ext tetrate_jupyter")
    not_a_run(shell)
    return context


def _check(asked: Inquiry, number: int) -> None:
    cell = asked.failure.cell if asked.failure else None
    if cell is not None and cell.number not in {None, number}:
        raise InputError(f"The last error of this kernel is that of {cell.name}.", next_step="run this cell again")


def _show(context: Context, asked: Inquiry) -> None:
    ready = _Ready(uuid4().hex, asked, context.session.bridge.run(plan(context.session, asked)))
    waiting = _ready.setdefault(context, {})
    waiting[ready.ticket] = ready
    while len(waiting) > _MAX_READY:
        del waiting[next(iter(waiting))]
    front_end.publish(secrecy.bundle(_shown(ready)))
    _tell(step="ask", ticket=ready.ticket, variables=bool(asked.failure and asked.failure.variables))


def _shown(ready: _Ready) -> dict[str, str]:
    """Return all that would be sent, each part to be opened, with where it goes and what it costs."""
    from tetrate_jupyter.render.answer import answer_html
    from tetrate_jupyter.render.code import code_block
    from tetrate_jupyter.render.escape import escape

    request, asked = ready.planned.request, ready.asked
    wish = _TITLES.get(asked.purpose, asked.purpose.capitalize())
    title = f"{wish} {asked.name} with {one_line(request.model.id, MAX_NAME)}? What goes to it:"
    cost = next(iter(estimates(ready.planned)[1:]), "")
    system = [str(each["content"]) for each in request.body()["messages"] if each["role"] == "system"]
    parts = [(f"{each.name} ({each.note})" if each.note else each.name, each.text) for each in asked.sent.parts]
    body = "".join(
        f'<details class="tetrate-reasoning"><summary>{escape(one_line(label))}</summary>'
        f'<div class="tetrate-body">{code_block(text)}</div></details>'
        for label, text in [*parts, *(("system prompt", text) for text in system)]
    )
    html = answer_html(f"<p><strong>{escape(title)}</strong></p>{body}", footer=cost)
    return {"text/plain": f"{title} {asked.sent.summary}; {cost}", "text/html": html}


def _change(found: Fix) -> dict[str, Any]:
    if found.source is None:
        return {}
    return {"cell": found.cell, "original": found.original, "source": new_source(found)}


def _tell(**data: Any) -> None:  # noqa: ANN401 - JSON
    front_end.publish({MIME: secrecy.redacted(data)})
