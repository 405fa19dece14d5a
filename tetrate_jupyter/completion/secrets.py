"""The last look before a request leaves: no key may travel as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.errors import SecretInPromptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tetrate_jupyter.types import Message, Secret


def refuse_secrets(messages: Sequence[Message], secrets: Iterable[Secret]) -> None:
    """Refuse a request that would carry a key, wherever it came from: a variable, a paste, an earlier answer."""
    for secret in secrets:
        for message in messages:
            if secret.is_inside(message.content) or any(secret.is_inside(c.arguments) for c in message.tool_calls):
                raise SecretInPromptError(
                    f"Your key for {secret.host} is in the {message.role} text; nothing was sent.",
                    next_step="take it out of the prompt or the variable (and %tetrate_reset if it was said earlier)",
                )
