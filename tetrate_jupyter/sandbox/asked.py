"""What the routes have in common that a provider answers: a JSON body, and a part in the provider's status."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.endpoint import Endpoint
from tetrate_jupyter.sandbox.state import Seen


class AskedEndpoint(Endpoint):
    """A route that a provider answers."""

    def on_finish(self) -> None:
        """Count for the provider's status, too."""
        super().on_finish()
        provider = self.state.models.provider_of(self.record.model)
        # What the router itself refuses never reaches a provider.
        if provider is None or self.gone.is_set() or 400 <= self.get_status() < 500:
            return
        seen = self.state.seen.setdefault(provider, Seen())
        seen.requests += 1
        if self.get_status() >= 500:
            seen.failures += 1
            seen.last_failure_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
            seen.last_failure_code = self.get_status()

    def read_body(self) -> dict[str, Any]:
        """Return the request's JSON object. Raises the 400 of anything else."""
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise bad_request("The body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object.")
        return body
