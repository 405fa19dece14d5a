"""Classifying an error by its code, its message and its status, in this order; pure.

Several meanings share one status. The patterns match messages of real servers; each is narrow enough that an error
which merely mentions a model, a key or tokens isn't misread.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tetrate_jupyter.http.error_body import ErrorBody


class Meaning(Enum):
    """What an error means where the status alone doesn't say; STATUS: the status does."""

    CREDITS = "no credit left"
    BUDGET = "a spend budget is used up"
    RATE = "too much in a short time"
    TOO_LONG = "too long for the model"
    NO_MODEL = "no such model"
    MODEL_LATER = "the model is not ready yet"
    KEY = "the key is wrong"
    CONTENT = "the prompt is refused for what it says"
    HOST = "the key is another gateway's"
    STATUS = "what the status says"


_CREDIT_WORDS: Final = frozenset(
    {
        "insufficient_quota",
        "insufficient_credits",
        "insufficient_balance",
        "insufficient_funds",
        "credits_exhausted",
        "billing_hard_limit_reached",
        "billing_not_active",
        "payment_required",
        "exceeded_current_quota_error",  # Moonshot
        "arrearage",  # Alibaba
    }
)
_CREDITS = re.compile(
    r"(?i)\binsufficient (account )?(credits?|balance|funds|quota)|\bcredit balance is too low|\bout of credits?\b|"
    r"\b(credits?|balance|funds|quota) (is|are|has been|have been) (insufficient|too low|exhausted|used up|depleted)\b|"
    r"\bused all (of )?(your |the )?(available )?credits?\b|\bmonthly spending limit\b|"
    r"\b(do|does) ?(n[o']t) have (any|enough) (credits?|balance|funds)\b|"
    r"\bno credits? (left|remaining|available)|\bexceeded your current quota\b|\bbilling hard limit|\bpayment required"
)
_BUDGET_WORDS: Final = frozenset({"budget_exceeded"})  # LiteLLM
_RATE_WORDS: Final = frozenset({"rate_limit_exceeded", "rate_limit_error", "too_many_requests", "rate_limited"})
_RATE = re.compile(
    r"(?i)\b(tokens?|requests?)[ _-]per[ _-](second|minute|hour|day)\b|\b[TR]P[MDS]\b|\brate.?limit(ed|s)?\b|"
    r"\btoo many requests\b|\bquota .{0,80}\bper (second|minute|hour|day)\b"
)
_TOO_LONG_WORDS: Final = frozenset({"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"})
_TOO_LONG = re.compile(
    r"(?i)`inputs` (tokens \+ `max_new_tokens` must be|must have less)\b|\brange of input length\b|"
    r"context[ _](length|window|limit|size)|maximum context|too many (input |prompt )?tokens|prompt is too long|"
    r"(input|prompt|request|messages?)( tokens)? (is |are )?(too large|too long)|"
    r"(input|prompt)( token(s| count))? .{0,40}exceeds?|"
    r"exceed(s|ed)? (the )?model('?s)? (token|context) (limit|length)|"
    r"exceeds? the (model'?s )?(maximum|limit|available context) ?(number )?(of.*tokens|size)?|"
    r"reduce the length of the (messages|prompt|input)"
)
_NO_MODEL_WORDS: Final = frozenset(
    {"model_not_found", "model_not_routed", "invalid_model", "unknown_model", "deployment_not_found"}
)
_LATER_WORDS: Final = frozenset({"model_not_ready", "model_not_available"})
_NO_MODEL = re.compile(
    r"(?i)\b(unknown|no such|invalid|unsupported|unrecogni[sz]ed) model\b|"
    r"\bmodels?\b.{0,220}?\b(does ?n[o']t exist|"
    r"(can)?not (be )?(found|available|served|deployed|loaded|configured|recogni[sz]ed)|"
    r"is (unknown|invalid)|is not a valid)|\bis not a valid model\b|\b(no|could ?n[o']t find|find) (the )?model\b|"
    r"\bno (allowed )?(endpoints?|providers?) (are )?(found|available)\b|"
    r"\bno (endpoints?|deployments?|providers?|route) (found |available )?for\b.{0,40}\b(model|[\w.-]+/[\w.-]+)"
)
_NO_ACCESS = re.compile(r"(?i)(n't|\bnot) have access to (the|this|that) model\b")
_KEY_WORDS: Final = frozenset({"invalid_api_key", "api_key_invalid", "incorrect_api_key"})
_KEY = re.compile(
    r"(?i)\b(invalid|incorrect|wrong|expired) api[ _-]?key|\bapi[ _-]?key (is )?(not valid|invalid|incorrect|expired)"
)
_CONTENT_WORDS: Final = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "moderation_blocked",
        "responsibleaipolicyviolation",  # Azure
        "data_inspection_failed",  # Alibaba
    }
)
_CONTENT = re.compile(
    r"(?i)\bcontent (management )?polic(y|ies)\b|\b(input|prompt|message|content) (was|is|has been) flagged\b|"
    r"\brejected (by|as a result of) (our|the) safety system\b|\bmay contain inappropriate content\b"
)
_CODES: Final = (
    (_CREDIT_WORDS, Meaning.CREDITS, range(600)),
    (_BUDGET_WORDS, Meaning.BUDGET, range(600)),
    (_LATER_WORDS, Meaning.MODEL_LATER, range(600)),
    (_NO_MODEL_WORDS, Meaning.NO_MODEL, range(600)),
    (_TOO_LONG_WORDS, Meaning.TOO_LONG, range(600)),
    (_RATE_WORDS, Meaning.RATE, range(500)),
    (_KEY_WORDS, Meaning.KEY, range(500)),
    (_CONTENT_WORDS, Meaning.CONTENT, range(500)),
    (frozenset({"hostname_not_selected"}), Meaning.HOST, range(403, 404)),
)


def meaning_of(body: ErrorBody, model: str | None, *, route_works: bool) -> Meaning:
    """Return an error's meaning. `model`: the requested one, if any; `route_works`: this route has answered before."""
    return _by_code(body) or _by_words(body, model, route_works=route_works) or Meaning.STATUS


def _by_code(body: ErrorBody) -> Meaning | None:
    for words, what, statuses in _CODES:
        if body.words & words and (body.status or 0) in statuses:
            return what
    return None


def _by_words(body: ErrorBody, model: str | None, *, route_works: bool) -> Meaning | None:
    status, message = body.status or 0, body.message
    if _is_credits(body):
        return Meaning.CREDITS
    if status == 429 or (status in {400, 403, 413, 422} and _RATE.search(message)):
        return Meaning.RATE
    if status == 413 or (status in {400, 422, 500} and _TOO_LONG.search(message)):
        return Meaning.TOO_LONG
    if model is not None and _is_no_model(status, message, model, route_works=route_works):
        return Meaning.NO_MODEL
    if status in {400, 403} and _KEY.search(message):
        return Meaning.KEY
    return Meaning.CONTENT if status in {400, 403, 422} and _CONTENT.search(message) else None


def says_no_credit(message: str) -> bool:
    """Whether a server's message itself says that there is no credit left."""
    return bool(_CREDITS.search(message))


def lacks_credit(body: ErrorBody) -> bool:
    """Whether a body says so and names no wait: Gemini calls a limit per minute or day a quota, too."""
    return says_no_credit(body.message) and body.hint is None and not _RATE.search(body.message)


def _is_credits(body: ErrorBody) -> bool:
    if body.status == 402:
        return True
    if body.status == 429:
        return lacks_credit(body)
    return body.status in {400, 403, 412} and says_no_credit(body.message)


def _is_no_model(status: int, message: str, model: str, *, route_works: bool) -> bool:
    if "unsupported endpoint" in message.lower():
        return False
    if status == 404:
        return bool(_NO_MODEL.search(message)) or model.lower() in message.lower() or route_works
    if status in {400, 403} and _NO_ACCESS.search(message):
        return True
    # These statuses also say that a model doesn't support the request; a missing model is named in the message.
    return status in {400, 403, 422} and model.lower() in message.lower() and bool(_NO_MODEL.search(message))
