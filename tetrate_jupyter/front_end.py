"""What is there to show things: a terminal, a notebook with a person before it, or a run that nobody watches."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def kernel() -> Any:  # noqa: ANN401 - ipykernel's or another's; its kinds share no type
    """Give the kernel that runs this code, or None in a terminal and outside IPython."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None)


def place() -> Literal["terminal", "notebook", "unattended"]:
    """Say where this code runs; "unattended" is a kernel that nobody can click in or type to (papermill, nbval)."""
    running = kernel()
    if running is None:
        return "terminal"
    if config.in_voila():
        return "notebook"  # Voilà runs a notebook as papermill does, and then there is a person before it
    if not getattr(running, "_allow_stdin", True) or not streaming_wanted():
        return "unattended"
    return "notebook"


def streaming_wanted() -> bool:
    """Whether the environment leaves streaming on (`TETRATE_JUPYTER_STREAM` is not "off")."""
    return os.environ.get(config.STREAM_VARIABLE, "").lower() not in {"off", "0", "false", "no"}


def namespace() -> Mapping[str, object]:
    """Give the notebook's variables; none outside IPython."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return {} if shell is None else dict(shell.user_ns)


def on_cell_run(callback: Callable[[], None]) -> Callable[[], None]:
    """Call `callback` after each cell, on its thread; gives back a function that stops it. Nothing outside IPython."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return lambda: None

    def after(_: object = None) -> None:
        callback()

    def stop() -> None:
        with suppress(ValueError):  # stopped before
            shell.events.unregister("post_run_cell", after)

    shell.events.register("post_run_cell", after)
    return stop
