"""What the routes answered by a provider share: a JSON body, and an entry in the provider's status."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.endpoint import Endpoint
from tetrate_jupyter.sandbox.state import Seen

_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class AskedEndpoint(Endpoint):
    """A route that is answered by a provider."""

    def on_finish(self) -> None:
        """Count the request in the provider's status, too."""
        super().on_finish()
        provider = self.state.models.provider_of(self.record.model)
        # A request that the router itself refuses never reaches a provider.
        if provider is None or self.gone.is_set() or 400 <= self.get_status() < 500:
            return
        seen = self.state.seen.setdefault(provider, Seen())
        seen.requests += 1
        if self.get_status() >= 500:
            seen.failures += 1
            seen.last_failure_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
            seen.last_failure_code = self.get_status()

    def read_body(self) -> dict[str, Any]:
        """Return the request's JSON object. Raises `ApiError` (400) for anything else."""
        try:
            text = self.request.body.decode("utf-8")  # `json` alone would accept UTF-16 and lone surrogates as well
            body = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise bad_request("The body is not valid JSON.") from None
        if _HALF.search(text) and _holds_half(body):  # worded as Anthropic's; few parsers accept these
            raise bad_request("The request body is not valid JSON: no low surrogate in string.")
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object.")
        return body


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _holds_half(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
