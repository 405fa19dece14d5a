"""What is there to show things: a terminal, a notebook with a person before it, or a run that nobody watches."""

from __future__ import annotations

import os
from typing import Any, Literal

from tetrate_jupyter import config


def kernel() -> Any:  # noqa: ANN401 - ipykernel's or another's; its kinds share no type
    """Give the kernel that runs this code, or None in a terminal and outside IPython."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None)


def place() -> Literal["terminal", "notebook", "unattended"]:
    """Say where this code runs; "unattended" is a kernel that nobody can click in or type to (papermill, nbval)."""
    running = kernel()
    if running is None:
        return "terminal"
    if not getattr(running, "_allow_stdin", True) or not streaming_wanted():
        return "unattended"
    return "notebook"


def streaming_wanted() -> bool:
    """Whether the environment leaves streaming on (`TETRATE_JUPYTER_STREAM` is not "off")."""
    return os.environ.get(config.STREAM_VARIABLE, "").lower() not in {"off", "0", "false", "no"}
