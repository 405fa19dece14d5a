"""The sandbox router's keys and authorization codes: issued, checked, exchanged, revoked."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
import time
from dataclasses import dataclass

from tetrate_jupyter.sandbox.api_error import ApiError

KEY_PREFIX = "sk-sandbox-"
CODE_LIFETIME = 60.0  # seconds; the service's is unknown, clients should exchange a code at once
CONSENT_LIFETIME = 600.0  # seconds that a consent page may stay open
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of a SHA-256, no padding
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636, 4.1


@dataclass(frozen=True)
class Consent:
    """An open consent page: its callback, and the challenge that its code will be bound to."""

    callback: str
    challenge: str
    client: str
    expires_at: float


@dataclass(frozen=True)
class Key:
    """An issued key. `number` counts from 1; `hostname` is None for a key of this router."""

    number: int
    hostname: str | None

    @property
    def label(self) -> str:
        """Its name in the log."""
        return f"key {self.number}"


class Accounts:
    """All issued keys and codes, and open consent pages; thread-safe."""

    def __init__(self, *, code_lifetime: float) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._issued = 0
        self._consents: dict[str, Consent] = {}
        self._codes: dict[str, tuple[str, float]] = {}
        self._code_lifetime = code_lifetime

    def issue_key(self, hostname: str | None) -> str:
        """Issue a key and return it; `hostname`: another host that it belongs to, None for this router."""
        text = KEY_PREFIX + secrets.token_urlsafe(24)
        with self._lock:
            self._issued += 1
            self._keys[text] = Key(self._issued, hostname)
        return text

    def revoke_key(self, text: str) -> None:
        """Revoke a key; an unknown one is ignored."""
        with self._lock:
            self._keys.pop(text, None)

    def check(self, authorization: str | None) -> Key:
        """Return the key in an `Authorization` header. Raises `ApiError`: 401, or 403 for a key of another host."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise _unauthorized("Missing bearer token. Send 'Authorization: Bearer sk-...'.", "missing_api_key")
        with self._lock:
            key = self._keys.get(text.strip())
        if key is None:
            raise _unauthorized("The API key is invalid or has been revoked.", "invalid_api_key")
        if key.hostname is not None:
            raise wrong_host(key.hostname)
        return key

    def open_consent(self, callback: str, challenge: str, client: str) -> str:
        """Remember an open consent page; return the id with which it is decided, once."""
        flow = secrets.token_urlsafe(18)
        now = time.monotonic()
        with self._lock:
            self._consents = {k: v for k, v in self._consents.items() if v.expires_at > now}
            self._consents[flow] = Consent(callback, challenge, client, now + CONSENT_LIFETIME)
        return flow

    def close_consent(self, flow: str) -> Consent | None:
        """Return the consent page that is decided and forget it; None if it is unknown, decided already or expired."""
        with self._lock:
            consent = self._consents.pop(flow, None)
        return consent if consent and consent.expires_at > time.monotonic() else None

    def issue_code(self, challenge: str) -> str:
        """Issue an authorization code that is bound to a challenge, and return it."""
        code = secrets.token_urlsafe(24)
        now = time.monotonic()
        with self._lock:
            self._codes = {k: v for k, v in self._codes.items() if v[1] > now}
            self._codes[code] = (challenge, now + self._code_lifetime)
        return code

    def exchange(self, code: object, verifier: object) -> str:
        """Exchange a code for a key. A code works once, even with a wrong verifier. Raises `ApiError` (400)."""
        if not isinstance(code, str) or not isinstance(verifier, str) or not _VERIFIER.fullmatch(verifier):
            raise ApiError(400, "code and code_verifier (43 to 128 characters) are required.", code="bad_request")
        with self._lock:
            challenge, expires_at = self._codes.pop(code, ("", 0.0))
        if expires_at <= time.monotonic() or not secrets.compare_digest(challenge, s256(verifier)):
            raise invalid_code()
        return self.issue_key(None)


def is_challenge(text: str) -> bool:
    """Whether `text` has the form of an S256 challenge."""
    return bool(_CHALLENGE.fullmatch(text))


def s256(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def invalid_code() -> ApiError:
    """Return the 400 for a code; it is the same for wrong, used and expired ones."""
    return ApiError(400, "The authorization code is invalid or has expired.", code="invalid_grant")


def wrong_host(hostname: str) -> ApiError:
    """Return the 403 for a key of another gateway host."""
    return ApiError(
        403,
        "This key is not valid on this hostname.",
        code="forbidden",
        kind="permission_error",
        extra={"category": "hostname_not_selected", "your_hostnames": [hostname]},
        flat=True,
    )


def _unauthorized(message: str, code: str) -> ApiError:
    return ApiError(401, message, code=code, kind="authentication_error", headers={"WWW-Authenticate": "Bearer"})
