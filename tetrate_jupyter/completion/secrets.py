"""Redacting keys in a tool's result, which goes to the model, into the conversation and into the output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tetrate_jupyter import secrecy
from tetrate_jupyter.errors import SecretInPromptError

if TYPE_CHECKING:
    from tetrate_jupyter.types import ToolResult


def without_keys(result: ToolResult) -> tuple[ToolResult, SecretInPromptError | None]:
    """Return the result with keys replaced, and the error that ends the question if there was one.

    If the tool raised, its error ends the question already: then the second value is None.
    """
    clean = secrecy.redact(result.result)
    if clean == result.result:
        return result, None
    error = None if result.error is None else secrecy.redact(result.error)
    refused = SecretInPromptError(
        f"The result of the tool {result.call.name} holds an API key; it was not sent.",
        next_step=f"change {result.call.name} to leave it out, then ask again",
    )
    return replace(result, result=clean, error=error), refused if result.raised is None else None
