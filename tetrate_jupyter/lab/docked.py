"""The panels of the side panel: those of a cell, shown in an output that belongs to no cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tetrate_jupyter import lab
from tetrate_jupyter.completion.cells import Ran
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.failures.cells import not_a_run, running_shell

if TYPE_CHECKING:
    from tetrate_jupyter.engine.engine import Engine

_shown: WeakKeyDictionary[Engine, dict[str, Any]] = WeakKeyDictionary()


def show(name: str, period: str = "today", by: str = "model") -> None:
    """Show a panel of this kernel's session: "chat", "models" or "usage" (of a period, by model or notebook).

    Asked for again, the same chat or list gets one more view. Raises `OptionError` for another name.
    """
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    if shell is not None:
        not_a_run(shell)
    display(_panel(lab.session(), name, period, by))  # type: ignore[no-untyped-call]  # IPython's


def ran(number: int, source: str) -> bool:
    """Whether the cell that ran with this number in this kernel has this source: then `@[number]` stands for it."""
    typed = Ran(running_shell()).source(number).strip()
    return bool(typed) and typed == source.strip()


def _panel(session: Engine, name: str, period: str, by: str) -> Any:  # noqa: ANN401 - widgets publish no types
    if name == "usage":
        from tetrate_jupyter.engine.usage import report

        return report(session.book, session.endpoints, period, by, budgets=session.budgets)
    made = _shown.setdefault(session, {})
    if name not in made:
        made[name] = _made(session, name)
    return made[name]


def _made(session: Engine, name: str) -> Any:  # noqa: ANN401 - likewise
    if name == "chat":
        from tetrate_jupyter.widgets.chat import ChatPanel

        return ChatPanel(session)
    if name == "models":
        from tetrate_jupyter.widgets.picker import model_picker

        return model_picker(session)
    raise OptionError(f"There is no panel {name!r}.", next_step="one of: chat, models, usage")
