"""The state that all routes of one sandbox router share."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.sandbox.faults import FaultBook
from tetrate_jupyter.sandbox.log import RequestLog
from tetrate_jupyter.sandbox.usage import PromptCache

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.accounts import Accounts
    from tetrate_jupyter.sandbox.models import Models


@dataclass
class Seen:
    """A provider's requests and failures since the router started."""

    requests: int = 0
    failures: int = 0
    last_failure_at: str | None = None
    last_failure_code: int | None = None


@dataclass
class RouterState:
    """One router's models, accounts, faults, log and counters."""

    models: Models
    accounts: Accounts
    speed: float
    seed: int
    max_request_bytes: int
    faults: FaultBook = field(default_factory=FaultBook)
    log: RequestLog = field(default_factory=RequestLog)
    cache: PromptCache = field(default_factory=PromptCache)
    seen: dict[str, Seen] = field(default_factory=dict)
    dice: dict[str, random.Random] = field(default_factory=dict)

    def status(self) -> dict[str, Any]:
        """Return the report of `GET /v1/status`; `reachable` is None for a provider without requests yet."""
        return {"replica": "sandbox-0", "observed_only": True, "providers": [self._provider(n) for n in self._names()]}

    def _names(self) -> list[str]:
        return list(dict.fromkeys([*self.models.providers, *self.seen]))

    def _provider(self, name: str) -> dict[str, Any]:
        seen = self.seen.get(name, Seen())
        return {
            "name": name,
            "reachable": seen.failures < seen.requests if seen.requests else None,
            "observed_requests": seen.requests,
            "failures": seen.failures,
            "last_failure_at": seen.last_failure_at,
            "last_failure_code": seen.last_failure_code,
        }

    def rolls_failure(self, model: str, rate: float) -> bool:
        """Whether the provider fails this request; deterministic for the n-th request of each model."""
        if rate <= 0:
            return False
        dice = self.dice.setdefault(model, random.Random(f"{self.seed}|{model}"))  # noqa: S311 - not used for secrets
        return dice.random() < rate
