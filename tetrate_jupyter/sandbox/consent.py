"""Sign-in: the consent page, its decision, and the exchange of a code for a key (PKCE, S256)."""

from __future__ import annotations

import html
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from tetrate_jupyter.sandbox.accounts import is_challenge
from tetrate_jupyter.sandbox.api_error import ApiError
from tetrate_jupyter.sandbox.endpoint import Endpoint

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.faults import Route

_PAGES = Path(__file__).parent / "pages"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WEB_SCHEMES = frozenset({"http", "https"})
_NEVER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_LONGEST_CLIENT = 60  # characters of an application's name that are shown


class ConsentEndpoint(Endpoint):
    """`GET /auth?callback=&code_challenge=[&code_challenge_method=S256][&client=]`: the consent page."""

    route: ClassVar[Route] = "auth"

    async def get(self) -> None:
        """Send the page, or a 400 that says what is wrong with the address."""
        callback = self.get_query_argument("callback", "")
        challenge = self.get_query_argument("code_challenge", "")
        wrong = _callback_trouble(callback) or _challenge_trouble(
            challenge, self.get_query_argument("code_challenge_method", "S256")
        )
        if wrong:
            await self._page("refused.html", {"reason": wrong}, status=400)
            return
        client = self.get_query_argument("client", "")[:_LONGEST_CLIENT] or "An application on this computer"
        flow = self.state.accounts.open_consent(callback, challenge, client)
        back = urlsplit(callback)
        fields = {"client": client, "flow": flow, "back": back.netloc or f"the application ({back.scheme})"}
        await self._page("consent.html", fields, leads_to=f"{back.scheme}://{back.netloc}" if back.netloc else "")

    async def _page(self, name: str, fields: dict[str, str], *, status: int = 200, leads_to: str = "") -> None:
        await send_page(self, name, fields, status=status, leads_to=leads_to)


class DecisionEndpoint(Endpoint):
    """`POST /auth/decision`: redirects to the callback with a code or with error=access_denied."""

    route: ClassVar[Route] = "decision"

    async def post(self) -> None:
        """Redirect the browser to the callback."""
        consent = self.state.accounts.close_consent(self.get_body_argument("flow", ""))
        decision = self.get_body_argument("decision", "")
        if consent is None or decision not in {"approve", "deny"}:
            reason = "This page was already used or has been open too long. Start signing in again."
            await send_page(self, "refused.html", {"reason": reason}, status=400)
            return
        if decision == "approve":
            answer = {"code": self.state.accounts.issue_code(consent.challenge)}
        else:
            answer = {"error": "access_denied"}
        self.set_status(302)
        self.set_header("Location", _with_answer(consent.callback, answer, self.fault.kind if self.fault else ""))
        self.set_header("Cache-Control", "no-store")
        await self.finish()


class ExchangeEndpoint(Endpoint):
    """`POST /api/api-keys/verify` with exactly `code` and `code_verifier`: answers `{"key": ...}`."""

    route: ClassVar[Route] = "exchange"

    async def post(self) -> None:
        """Send the key, once per code."""
        body = self.read_body()
        if body.keys() != {"code", "code_verifier"}:
            raise ApiError(400, "The body must hold exactly 'code' and 'code_verifier'.", code="bad_request")
        key = self.state.accounts.exchange(body["code"], body["code_verifier"])
        self.set_header("Cache-Control", "no-store")
        await self.send_json({"key": key})


async def send_page(
    endpoint: Endpoint, name: str, fields: dict[str, str], *, status: int = 200, leads_to: str = ""
) -> None:
    """Answer with one of the pages. `leads_to`: the origin that its form may redirect to, for the browser's policy."""
    style = (_PAGES / "style.css").read_text(encoding="utf-8")
    escaped = {field: html.escape(text) for field, text in fields.items()}
    page = Template((_PAGES / name).read_text(encoding="utf-8")).substitute(escaped, style=style)
    endpoint.set_status(status)
    endpoint.set_header("Content-Type", "text/html; charset=utf-8")
    endpoint.set_header("Cache-Control", "no-store")
    endpoint.set_header("Referrer-Policy", "no-referrer")
    endpoint.set_header("X-Content-Type-Options", "nosniff")
    form_action = f"form-action 'self' {leads_to}".strip() if leads_to else ""
    policy = ["default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "frame-ancestors 'none'"]
    endpoint.set_header("Content-Security-Policy", "; ".join([*policy, *filter(None, [form_action])]))
    await endpoint.finish(page)


def _callback_trouble(callback: str) -> str:
    try:
        split = urlsplit(callback)
        port_is_fine = split.port is None or split.port > 0
    except ValueError:
        return "The callback is not an address."
    if not callback or not port_is_fine or not _SCHEME.fullmatch(split.scheme):
        return "The address of this page lacks a usable callback."
    if split.scheme in _NEVER or "\r" in callback or "\n" in callback:
        return "The callback is not an address that a browser may be sent to."
    if split.scheme in _WEB_SCHEMES and (split.scheme == "https" or split.hostname not in _LOOPBACK):
        # A callback on another machine was never seen to work, so no client should learn to rely on one here.
        return "The callback must lead to this computer (http://localhost:PORT) or to an application."
    return ""


def _challenge_trouble(challenge: str, method: str) -> str:
    if method != "S256":
        return "Only code_challenge_method=S256 is supported."
    return "" if is_challenge(challenge) else "The address of this page lacks a usable code_challenge."


def _with_answer(callback: str, answer: dict[str, str], fault: str) -> str:
    encoded = urlencode(answer)
    if fault == "callback-doubled-query":
        return f"{callback}?{encoded}"
    split: SplitResult = urlsplit(callback)
    kept = "" if fault == "callback-drops-query" else split.query
    query = f"{kept}&{encoded}" if kept else encoded
    return urlunsplit(split._replace(query=query))
