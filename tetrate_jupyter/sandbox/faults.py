"""Everything that can go wrong, by name, and the list of faults that are still to happen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

from tetrate_jupyter.sandbox.oddities import ODD_KINDS, ODDITIES

Route: TypeAlias = Literal[
    "chat", "embeddings", "models", "model", "catalog", "status", "auth", "decision", "exchange", "any"
]

FaultKind: TypeAlias = Literal[
    # refusals with a status
    "bad-request",  # 400
    "context-overflow",  # 400 "context length"
    "too-large",  # 413
    "invalid-key",  # 401
    "no-credits",  # 402
    "forbidden",  # 403
    "wrong-host",  # 403 hostname_not_selected
    "not-found",  # 404 as a web page: wrong base URL
    "model-not-found",  # 404 model_not_found
    "model-not-routed",  # 404 model_not_routed
    "model-not-available",  # 503 model_not_available: still propagating
    "model-not-ready",  # 503 model_not_ready with Retry-After
    "unsupported-endpoint",  # 404
    "rate-limit",  # 429, Retry-After in seconds
    "rate-limit-date",  # 429, Retry-After as an HTTP date
    "rate-limit-metadata",  # 429, error.metadata.retry_after_seconds
    "rate-limit-bare",  # 429 and nothing else
    "budget",  # 429 with x-tars-budget-action: block
    "server-error",  # 500
    "bad-gateway",  # 502 as a web page
    "unavailable",  # 503
    "gateway-timeout",  # 504
    "overloaded",  # 529
    "flat-error",  # 400, message and code on the top level
    "unreadable-error",  # 500, a body that isn't JSON although its type says so
    # responses that aren't an answer
    "error-as-200",  # HTTP 200, {"error": {code: <number>, message}}
    "html",  # HTTP 200, a proxy's login page
    "empty-body",  # HTTP 200 and an empty body
    "broken-json",  # HTTP 200, truncated JSON
    "redirect",  # 302 to another path
    "slow-headers",  # silence for `delay` seconds (None: until the client gives up), then a normal answer
    "drop",  # the connection closes before any header
    # inside a stream
    "stream-error",  # a chunk with an `error` member after `after_chunks`
    "stream-cut",  # the connection breaks after `after_chunks`
    "stream-unfinished",  # ends cleanly after `after_chunks`, without finish_reason and [DONE]
    "stream-stall",  # falls silent after `after_chunks` for `delay` seconds (None: until the client gives up)
    "keep-alive-only",  # only comments after `after_chunks`, for `delay` seconds (None: until the client gives up)
    "bad-json",  # one event after `after_chunks` isn't JSON
    "no-done",  # complete with finish_reason, but no [DONE]
    "byte-split",  # pieces of a few bytes, cut inside UTF-8 characters
    "crlf",  # CRLF line ends
    "comments",  # comments, blank lines, `event:` and `retry:` fields between the events
    "not-streamed",  # a whole completion as JSON although a stream was requested
    # unusual answers
    "no-usage",  # no usage, even if requested
    "served-differs",  # `served_model` answered
    "dropped-fields",  # x-tars-dropped-fields names `dropped`
    "content-filter",  # ended by the filter before any text
    "length",  # cut at the output limit, after a few words
    "empty-answer",  # finish_reason stop, no text
    "tool-loop",  # calls a tool again and again, whatever the result
    "loose-tool-calls",  # no ids, the function's name repeated on each chunk
    # models, catalog, sign-in
    "plain-models",  # ids only, without prices and sizes
    "catalog-page-fails",  # two pages, of which `page` fails
    "callback-doubled-query",  # redirects with "?...?code="
    "callback-drops-query",  # redirects without the callback's own query
    "code-expired",  # the exchange refuses the code
]
FAULT_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
FAULT_PREFIX: Final = "sandbox/fault-"

_OWN_ROUTE: dict[str, Route] = {
    "plain-models": "models",
    "catalog-page-fails": "catalog",
    "callback-doubled-query": "decision",
    "callback-drops-query": "decision",
    "code-expired": "exchange",
}
_OWN_ROUTE.update(dict.fromkeys((name for name, odd in ODDITIES.items() if odd.lists_models), "models"))
CHAT_KINDS: Final = tuple(kind for kind in (*FAULT_KINDS, *ODD_KINDS) if kind not in _OWN_ROUTE)
_BY_MODEL: Final = {FAULT_PREFIX + kind: kind for kind in CHAT_KINDS}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, or that is sent in an unusual form.

    `kind`: one of `FAULT_KINDS` or `ODD_KINDS` (data/oddities.md has what each of the latter sends). `path`: the route
    it applies to; by default the kind's own, mostly "chat". `model`: apply to this model's requests only. `times`: how
    often it happens (default: once); None is always. The other fields are for some kinds: `status`, `code` and
    `message` of a refusal, `retry_after` in seconds, `after_chunks` events with output that are still sent, `delay` in
    seconds (real ones, whatever the router's speed), `served_model`, `dropped` fields, `hostname` of the key, catalog
    `page`. Raises `ValueError` for an unknown kind.
    """

    kind: FaultKind | str
    path: Route | None = None
    model: str | None = None
    times: int | None = 1
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float = 1.0
    after_chunks: int = 3
    delay: float | None = None
    served_model: str = "claude-sonnet-4-6"
    dropped: tuple[str, ...] = ("seed", "logit_bias")
    hostname: str = "router.tare-elsewhere.tetrate.ai"
    page: int = 2

    def __post_init__(self) -> None:
        if self.kind not in {*FAULT_KINDS, *ODD_KINDS}:
            known = ", ".join((*FAULT_KINDS, *ODD_KINDS))
            raise ValueError(f"no fault is called {self.kind!r}; there are: {known}")

    @property
    def route(self) -> Route:
        """The route it applies to."""
        return self.path or _OWN_ROUTE.get(self.kind, "chat")

    def concerns(self, route: Route, model: str | None, page: int) -> bool:
        """Whether the fault applies to a request."""
        if self.route not in {route, "any"} or self.model not in {None, model}:
            return False
        return self.kind != "catalog-page-fails" or page == self.page


class FaultBook:
    """The faults still to happen, in the order they were added; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Drop all faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, route: Route, model: str | None = None, page: int = 1) -> Fault | None:
        """Return the first fault that applies to a request, and count it; None if none does."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.concerns(route, model, page):
                    self._count(place, fault)
                    return fault
        return None

    def is_waiting(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind is still to happen."""
        with self._lock:
            return any(fault.kind == kind for fault in self._waiting)

    def _count(self, place: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times > 1:
            self._waiting[place] = replace(fault, times=fault.times - 1)
        else:
            del self._waiting[place]


def of_model(model: str) -> Fault | None:
    """Return the fault that a model id names ("sandbox/fault-rate-limit"), or None."""
    kind = _BY_MODEL.get(model)
    return None if kind is None else Fault(kind, model=model, times=None)
