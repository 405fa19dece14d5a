"""What the chat route accepts, as strictly as the real one and the providers behind it are known to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.config import CHARACTERS_PER_TOKEN
from tetrate_jupyter.sandbox.api_error import bad_request

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.models import Models, Served
    from tetrate_jupyter.sandbox.replies.reply import Reply


@dataclass(frozen=True)
class Accepted:
    """A request that passed."""

    served: Served
    body: dict[str, Any]
    stream: bool
    include_usage: bool
    dropped: tuple[str, ...]
    max_tokens: int | None


def accept(body: dict[str, Any], models: Models) -> Accepted:
    """Check a request. Raises what the router would answer."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise bad_request("'model' is required.", param="model")
    served = models.find(model)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("'messages' must be a list with at least one message.", param="messages")
    options = body.get("stream_options") or {}
    return Accepted(served, body, bool(body.get("stream")), bool(options.get("include_usage")), (), None)


def cut_to_size(reply: Reply, accepted: Accepted) -> Reply:
    """Cut a reply at the output limit that was asked for."""
    if accepted.max_tokens is None:
        return reply
    most = int(accepted.max_tokens * CHARACTERS_PER_TOKEN)
    return reply if len(reply.text) <= most else replace(reply, text=reply.text[:most], finish="length")
