"""When a panel is over: the cells whose outputs show it, and what becomes of it when they are run again.

A front end clears a cell's output when the cell is run again, so what it showed is gone. It need not tell the kernel:
core ipywidgets and a page that was closed never do. What is gone here may be shown again: it is in a variable, perhaps.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ipywidgets

from tetrate_jupyter import front_end

if TYPE_CHECKING:
    from collections.abc import Callable


class Outputs:
    """The cells that show something. `gone` is called, in the next run of the last of them, before its code.

    Where the front end gives cells no ids (a terminal, some front ends) nothing is known, and `gone` never called.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._cells: set[str] = set()
        self._shell: Any = None
        self._lock = threading.Lock()

    @property
    def known(self) -> bool:
        """Whether a cell is known to show it."""
        return bool(self._cells)

    def shown(self) -> None:
        """Note that the running cell shows it from now on."""
        cell, shell = _running_cell()
        if cell is None:
            return
        with self._lock:
            self._cells.add(cell)
            listening, self._shell = self._shell is not None, shell
        if not listening:
            shell.events.register("pre_run_cell", self._before)

    def close(self) -> None:
        """Stop listening, and forget the cells."""
        with self._lock:
            shell, self._shell = self._shell, None
            self._cells.clear()
        if shell is not None:
            with suppress(ValueError):  # another shell's events, or reset ones
                shell.events.unregister("pre_run_cell", self._before)

    def _before(self, info: Any) -> None:  # noqa: ANN401 - IPython's ExecutionInfo publishes no type
        cell = getattr(info, "cell_id", None)
        if cell not in self._cells:
            return
        self._cells.discard(cell)
        if not self._cells:
            self.close()
            self._gone()


def _running_cell() -> tuple[str | None, Any]:
    """Return the running cell's id, as the front end gave it, and the shell; None where there is none."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    try:
        cell = kernel.get_parent()["metadata"]["cellId"]  # type: ignore[union-attr]  # what is None raises, too
    except (AttributeError, KeyError, TypeError):
        return None, shell
    return (cell if isinstance(cell, str) else None), shell


def hear(widget: Any) -> None:  # noqa: ANN401 - ipywidgets publishes no types
    """Let no message of a page to this widget be kept from it by the kernel, over this comm and those to come."""
    front_end.hear_where_sent(widget.comm)
    widget.observe(lambda change: front_end.hear_where_sent(change["new"]), names="comm")


def put_away(widget: Any) -> None:  # noqa: ANN401 - ipywidgets publishes no types
    """Close a widget and those of its own (layout, style), which ipywidgets would keep for as long as the kernel."""
    own = _own(widget)
    ipywidgets.Widget.close(widget)  # not the subclass's own, which is for good
    for part in own:
        part.close()


def reopen(widget: Any) -> None:  # noqa: ANN401 - likewise
    """Open a widget anew that was put away, and those of its own: to the page it is another one."""
    if widget.comm is not None:
        return
    for part in (*_own(widget), widget):
        if part.comm is None:
            vars(part).pop("_repr_mimebundle_", None)  # closing has put None in the method's place
            part._model_id = None  # noqa: SLF001 - a page may not have done with the old one
            part.open()


def stay_behind(panel: Any) -> None:  # noqa: ANN401 - a `Panel`, which is made with this module
    """Have a panel show nothing in a forked process until it is shown there; no lock of the other one is waited for."""
    vars(panel).update(_lock=threading.RLock(), _views={}, _met=True)


def _own(widget: Any) -> list[Any]:  # noqa: ANN401 - likewise
    parts = (getattr(widget, name, None) for name in ("layout", "style"))
    return [part for part in parts if isinstance(part, ipywidgets.Widget)]
