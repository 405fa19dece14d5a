"""Many language models from one notebook, through the Tetrate Agent Router Service.

`%load_ext tetrate_jupyter` in a notebook; `from tetrate_jupyter import session` in Python code. Importing this does no
work: each public name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.conversation import Conversation
    from tetrate_jupyter.engine.history import History
    from tetrate_jupyter.errors import (
        AnswerError,
        AuthError,
        ConfigError,
        GatewayError,
        InputError,
        KeyStoreError,
        NotSignedInError,
        TetrateError,
    )
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.face.shared import session
    from tetrate_jupyter.failures.change import Fix
    from tetrate_jupyter.history.listing import Earlier
    from tetrate_jupyter.ledger.window import Ledger
    from tetrate_jupyter.types import (
        Message,
        Model,
        Price,
        ReasoningDelta,
        Retrying,
        TextDelta,
        Timing,
        ToolCalled,
        Usage,
    )

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AnswerError",
    "AuthError",
    "Comparison",
    "ConfigError",
    "Conversation",
    "Earlier",
    "Fix",
    "GatewayError",
    "History",
    "InputError",
    "KeyStoreError",
    "Ledger",
    "Message",
    "Model",
    "ModelList",
    "NotSignedInError",
    "Price",
    "ReasoningDelta",
    "Result",
    "Retrying",
    "Session",
    "TetrateError",
    "TextDelta",
    "Timing",
    "ToolCalled",
    "Usage",
    "load_ipython_extension",
    "session",
    "unload_ipython_extension",
]

_HOMES = {
    "Answer": "completion.answer",
    "Comparison": "compare.running",
    "Conversation": "conversation",
    "Earlier": "history.listing",
    "Fix": "failures.change",
    "History": "engine.history",
    "Ledger": "ledger.window",
    "ModelList": "catalog.models",
    "Result": "compare.result",
    "Session": "face.session",
    "session": "face.shared",
    **dict.fromkeys(
        (
            "Message",
            "Model",
            "Price",
            "ReasoningDelta",
            "Retrying",
            "TextDelta",
            "Timing",
            "ToolCalled",
            "Usage",
        ),
        "types",
    ),
    **dict.fromkeys(
        (
            "AnswerError",
            "AuthError",
            "ConfigError",
            "GatewayError",
            "InputError",
            "KeyStoreError",
            "NotSignedInError",
            "TetrateError",
        ),
        "errors",
    ),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - every public name has its own type, told above
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics; `%load_ext tetrate_jupyter` calls this."""
    from tetrate_jupyter.magics.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Undo all that loading did; `%unload_ext tetrate_jupyter` calls this."""
    from tetrate_jupyter.magics.extension import unload

    unload(shell)
