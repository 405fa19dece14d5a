"""What the routes answered by a provider share: an entry in the provider's status."""

from __future__ import annotations

from datetime import datetime, timezone

from tetrate_jupyter.sandbox.endpoint import Endpoint
from tetrate_jupyter.sandbox.state import Seen


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
