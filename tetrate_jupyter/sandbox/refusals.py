"""Faults that are refusals: status, code, message and headers of each."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tetrate_jupyter.sandbox.accounts import invalid_code, wrong_host
from tetrate_jupyter.sandbox.api_error import ApiError

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.faults import Fault


class _Refusal(NamedTuple):
    status: int
    code: str | int | None
    kind: str
    message: str


_INVALID = "invalid_request_error"
_REFUSALS: dict[str, _Refusal] = {
    "bad-request": _Refusal(400, "bad_request", _INVALID, "The model does not exist or is not enabled for this mode."),
    "context-overflow": _Refusal(
        400,
        "context_length_exceeded",
        _INVALID,
        "This model's maximum context length is 200000 tokens, however you requested 214325 tokens.",
    ),
    "too-large": _Refusal(413, "request_too_large", _INVALID, "The request is too large."),
    "invalid-key": _Refusal(401, "invalid_api_key", "authentication_error", "The API key is invalid or was revoked."),
    "no-credits": _Refusal(402, 402, "billing_error", "Insufficient credits. Add credit to go on."),
    "forbidden": _Refusal(403, "forbidden", "permission_error", "This key may not do this."),
    "model-not-found": _Refusal(404, "model_not_found", _INVALID, "The model is not in the catalog of this key."),
    "model-not-routed": _Refusal(404, "model_not_routed", _INVALID, "No route serves this model for this key."),
    "model-not-available": _Refusal(503, "model_not_available", "api_error", "The model is still being rolled out."),
    "model-not-ready": _Refusal(503, "model_not_ready", "api_error", "The model is starting. Try again shortly."),
    "unsupported-endpoint": _Refusal(404, "unsupported_endpoint", _INVALID, "Unsupported endpoint"),
    "rate-limit": _Refusal(429, "rate_limit_exceeded", "rate_limit_error", "Too many requests."),
    "rate-limit-date": _Refusal(429, "rate_limit_exceeded", "rate_limit_error", "Too many requests."),
    "rate-limit-metadata": _Refusal(429, "rate_limit_exceeded", "rate_limit_error", "Too many requests."),
    "rate-limit-bare": _Refusal(429, "rate_limit_exceeded", "rate_limit_error", "Too many requests."),
    "budget": _Refusal(429, "budget_exceeded", "budget_error", "The spend budget of this key is used up."),
    "server-error": _Refusal(500, "internal_error", "api_error", "Something went wrong inside the router."),
    "unavailable": _Refusal(503, "unavailable", "api_error", "No provider can take this request now."),
    "gateway-timeout": _Refusal(504, "timeout", "api_error", "The provider did not answer in time."),
    "overloaded": _Refusal(529, "overloaded", "overloaded_error", "The provider is overloaded."),
    "flat-error": _Refusal(400, "bad_request", _INVALID, "The request can't be used."),
}


def refusal(fault: Fault) -> ApiError | None:
    """Return the refusal for a fault, or None for a fault of another sort."""
    if fault.kind == "wrong-host":
        return wrong_host(fault.hostname)
    if fault.kind == "code-expired":
        return invalid_code()
    if fault.kind == "catalog-page-fails":
        return ApiError(fault.status or 500, "This page of the catalog can't be read.", code="internal_error")
    words = _REFUSALS.get(fault.kind)
    if words is None:
        return None
    return ApiError(
        fault.status or words.status,
        fault.message or words.message,
        code=fault.code or words.code,
        kind=words.kind,
        headers=_headers(fault),
        extra=_extra(fault),
        flat=fault.kind == "flat-error",
    )


def _headers(fault: Fault) -> dict[str, str]:
    if fault.kind in {"rate-limit", "model-not-ready"}:
        return {"Retry-After": f"{fault.retry_after:g}"}
    if fault.kind == "rate-limit-date":
        due = datetime.now(timezone.utc) + timedelta(seconds=fault.retry_after)
        return {"Retry-After": format_datetime(due, usegmt=True)}
    if fault.kind == "budget":
        return {"x-tars-budget-action": "block"}
    return {}


def _extra(fault: Fault) -> dict[str, Any]:
    if fault.kind == "rate-limit-metadata":
        return {"metadata": {"retry_after_seconds": fault.retry_after}}
    return {"category": "bad_request"} if fault.kind == "flat-error" else {}
