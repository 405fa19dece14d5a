"""The pages of the dashboard that clients link to: what they would show at the service. They know no key."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.sandbox.consent import send_page
from tetrate_jupyter.sandbox.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        config.BILLING_PATH: {
            "title": "Billing",
            "real": "At the real service this page of the dashboard shows your credit and your bill.",
            "here": "Here nothing is billed: the models are simulated, and the notebook counts with sample prices.",
        },
        config.DASHBOARD_KEYS_PATH: {
            "title": "API keys",
            "real": "At the real service this page of the dashboard lists your keys. There you make and revoke them.",
            "here": "Here nothing needs to be revoked: a key works only in this sandbox, and only until it stops.",
        },
    }
)


class DashboardEndpoint(Endpoint):
    """`GET /billing` and `GET /api-keys`: pages without a script."""

    async def get(self) -> None:
        """Send the page."""
        await send_page(self, "dashboard.html", dict(PAGES[self.request.path]))

    head = get
