"""The protocol of signing in (RFC 7636): verifier, challenge, authorization address, reading the callback; pure."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlencode

from tetrate_jupyter import config
from tetrate_jupyter.errors import LoginDeniedError, NextStep, RedirectError
from tetrate_jupyter.secret import Secret

VERIFIER_BYTES: Final = 96  # gives 128 characters, the longest RFC 7636 allows and the length seen in use
STATE_BYTES: Final = 16
MAX_CODE: Final = 2048  # characters; the length of real codes is not documented
_CODE: Final = re.compile(r"[A-Za-z0-9._~+/=\-]+")
_KEY: Final = re.compile(r"(^|[\s='\"])sk-")  # also as "TETRATE_API_KEY=sk-..." or "Bearer sk-..."
AGAIN: Final = NextStep("run %tetrate_login again; it starts at once", in_panel="press Sign in")


def new_verifier() -> str:
    """Return a new code verifier: 128 random characters of A-Z a-z 0-9 - _."""
    return _base64url(secrets.token_bytes(VERIFIER_BYTES))


def new_state() -> str:
    """Return a new random `state`, which ties a callback to its attempt."""
    return _base64url(secrets.token_bytes(STATE_BYTES))


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a verifier: base64url of its SHA-256, without padding."""
    return _base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def callback_address(port: int, state: str) -> str:
    """Return the callback's address: "localhost" with the root path, the only form that is seen in use."""
    return f"http://localhost:{port}/?{urlencode({'state': state})}"


def authorization_url(auth_url: str, callback: str, challenge: str) -> str:
    """Return the consent page's address. The router calls the callback's parameter `callback`, not redirect_uri."""
    query = {
        "callback": callback,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "client": config.CLIENT_NAME,
    }
    return f"{auth_url}{config.AUTHORIZE_PATH}?{urlencode(query)}"


@dataclass(frozen=True)
class WayBack:
    """What a callback's query holds. `ours`: it carries this attempt's state, which only the router has been sent."""

    code: Secret | None
    denied: LoginDeniedError | None
    ours: bool


def read_way_back(query: str, state: str) -> WayBack:
    """Read a callback's query: a code, or the router's denial.

    A query that was appended naively ("?state=..?code=..") is understood. A `state` must match; a missing one is no
    error, since PKCE itself binds the code to this attempt. Raises `RedirectError` where there is neither a code nor a
    denial for this attempt.
    """
    found = {name: values[0] for name, values in parse_qs(query.replace("?", "&")).items()}
    if "state" in found and not secrets.compare_digest(_bytes(found["state"]), _bytes(state)):
        raise RedirectError(
            "That address belongs to another sign-in.", next_step=AGAIN.within("use the newest link, or ")
        )
    if "error" in found:
        no = LoginDeniedError(f"The router did not approve ({_shown(found['error'])}).", next_step=AGAIN)
        return WayBack(None, no, "state" in found)
    ours = "state" in found  # anybody can send one without it: a common word would block every prompt
    return WayBack(Secret(_checked(found.get("code", "")), host="", searched=ours), None, ours)


def code_of_query(query: str, state: str) -> str:
    """Return the authorization code of a callback's query, as `read_way_back` reads it.

    Raises `LoginDeniedError` where the router denied it, `RedirectError` where there is no code for this attempt.
    """
    found = read_way_back(query, state)
    if found.code is None:
        raise found.denied or RedirectError("There is no code in that.", next_step=AGAIN)
    return found.code.reveal()


def code_of_paste(text: str, state: str) -> str:
    """Return the authorization code in what was pasted: the address that the browser ended at, its query, or the code.

    Raises what `code_of_query` raises, and `RedirectError` for a pasted key.
    """
    pasted = text.strip().strip("<>\"'").split("#", 1)[0]
    if _KEY.search(pasted):
        raise RedirectError("That is a key, not a code.", next_step="paste the key alone, beginning with sk-")
    if re.search(r"(^|[?&])(code|error)=", pasted):
        return code_of_query(pasted.partition("?")[2] or pasted, state)
    if "://" in pasted or "?" in pasted:
        raise RedirectError(
            "There is no code in that address.", next_step="paste the address the browser shows after approving"
        )
    return _checked(pasted)


def looks_like_key(text: str) -> bool:
    """Whether `text` is an API key rather than a code."""
    return text.strip().startswith("sk-")


def _checked(code: str) -> str:
    if not code or len(code) > MAX_CODE or not _CODE.fullmatch(code):
        raise RedirectError(
            "There is no code in that.", next_step="paste the whole address the browser shows after approving"
        )
    return code


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a terminal passes on bytes that aren't UTF-8 as lone surrogates


def _shown(error: str) -> str:
    """Return the router's error code reduced to harmless characters, at most 80, since it is shown to a person."""
    return re.sub(r"[^A-Za-z0-9_ .\-]", "", error)[:80] or "no reason given"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
