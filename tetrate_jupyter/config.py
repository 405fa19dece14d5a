"""Addresses, limits, time-outs and environment names: every constant with its unit and its reason.

Nothing here reads the environment at import; `Endpoints.from_environment` does when it is called.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import secrecy, secret
from tetrate_jupyter.errors import BaseURLError, NextStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from urllib.parse import SplitResult

# --- addresses -----------------------------------------------------------------------------------------------
DEFAULT_BASE_URL: Final = "https://api.router.tetrate.ai/v1"
DEFAULT_AUTH_URL: Final = "https://router.tetrate.ai"  # the web app: consent page, key exchange, public catalog
AUTHORIZE_PATH: Final = "/auth"
EXCHANGE_PATH: Final = "/api/api-keys/verify"
CATALOG_PATH: Final = "/api/public/models"
DASHBOARD_KEYS_PATH: Final = "/api-keys"
BILLING_PATH: Final = "/billing"

# --- environment ---------------------------------------------------------------------------------------------
BASE_URL_VARIABLE: Final = "TETRATE_BASE_URL"
AUTH_URL_VARIABLE: Final = "TETRATE_AUTH_URL"
HOST_VARIABLE: Final = "TETRATE_HOST"  # goose's name; it comes without /v1
# The sandbox router sets this on each of its answers, so that nobody takes one for a model's. No other router has it.
SANDBOX_HEADER: Final = "x-tetrate-sandbox"
SIMULATED: Final = "simulated"
STREAM_VARIABLE: Final = "TETRATE_JUPYTER_STREAM"  # "off": a cell's final output only; "on": updates, whatever asks
LEDGER_VARIABLE: Final = "TETRATE_JUPYTER_LEDGER"  # a folder for the ledger; "off": none is kept on disk
KEY_VARIABLES: Final = secret.KEY_VARIABLES  # where keys are known: what guards them is below this module

SHARED_VARIABLE: Final = "TETRATE_JUPYTER_SHARED"  # "1": several people meet this system account, see `shared_account`
_VOILA_VARIABLES: Final = ("VOILA_SERVER_URL", "VOILA_PREHEAT")  # a kernel that was started before its visitor came
# has no SERVER_SOFTWARE; one started for a visitor may have an older Voilà that sets nothing else
_MERCURY_NOTEBOOK: Final = "__mercury__"  # in the name of the copy of a notebook that Mercury 3 makes for each visitor
# Servers of which one process serves all visitors, and the word that starts them.
_ONE_PROCESS: Final = {
    "bokeh": ("serve", "Bokeh"),
    "panel": ("serve", "Panel"),
    "shiny": ("run", "Shiny"),
    "solara": ("run", "Solara"),
    "streamlit": ("run", "Streamlit"),
}

# --- time-outs, seconds (the bounds of Tetrate's own VS Code extension) --------------------------------------
MODELS_TIMEOUT: Final = 15.0
CATALOG_TIMEOUT: Final = 8.0
STATUS_TIMEOUT: Final = 8.0  # a courtesy in a report: no longer than the catalog
EXCHANGE_TIMEOUT: Final = 30.0  # goose met slow 500s here; codes are short-lived, so no longer
CONNECT_TIMEOUT: Final = 10.0
HEADERS_TIMEOUT: Final = 120.0
FIRST_OUTPUT_TIMEOUT: Final = 180.0  # reasoning models send nothing while thinking
BETWEEN_CHUNKS_TIMEOUT: Final = 60.0
LOGIN_TIMEOUT: Final = 180.0  # goose's bound for a person on the consent page
KEYRING_TIMEOUT: Final = 3.0  # a locked keyring waits for a prompt that nobody sees
KEYRING_FRESH: Final = 300.0  # a key read from it is used without asking it again: some ask the person each time

# --- retries -------------------------------------------------------------------------------------------------
MODELS_ATTEMPTS: Final = 3
CHAT_ATTEMPTS: Final = 3  # two retries, and only before the stream opens
RETRY_BASE: Final = 0.25  # seconds; doubles with each attempt, plus jitter
RETRY_AFTER_CAP: Final = 10.0  # seconds; a longer Retry-After is told to the person instead of waited for

# --- catalog -------------------------------------------------------------------------------------------------
CATALOG_PAGE_SIZE: Final = 500
CATALOG_MAX_PAGES: Final = 10
MODELS_FRESH: Final = 15 * 60.0  # seconds a key's list is used without asking again
CATALOG_FRESH: Final = 24 * 3600.0  # seconds the public catalog's copy on disk is used without asking again
RETIRING_SOON_DAYS: Final = 90  # a retirement date nearer than this is shown
DEFAULT_CONTEXT_WINDOW: Final = 128_000  # tokens, where neither list says (VS Code extension's fall-back)
DEFAULT_MAX_OUTPUT: Final = 16_384  # tokens, likewise

# --- estimates -----------------------------------------------------------------------------------------------
CHARACTERS_PER_TOKEN: Final = 3.5  # the VS Code extension's estimate; there is no counting route
TOKENS_PER_MESSAGE: Final = 4
TOKENS_PER_IMAGE: Final = 800

# --- size limits ---------------------------------------------------------------------------------------------
# Bytes are counted after unpacking, as they come, and reading stops at the bound: what is beyond is never in memory.
# Python's objects for JSON take several times its bytes, so what is decoded is bounded by route and by number too.
_MB: Final = 1024 * 1024
MAX_IMAGE_BYTES: Final = 20 * _MB  # larger ones are refused by every provider the router reaches
MAX_RESPONSE_BYTES: Final = 32 * _MB  # what one call may cost, with Python's objects; a stream that says nothing
MAX_LIST_BYTES: Final = 16 * _MB  # a list of models, all its pages together: 200 models with all they tell are 0.3 MB
MAX_ANSWER_BYTES: Final = 8 * _MB  # an answer in one piece: twice the characters it may have
MAX_EVENT_BYTES: Final = 8 * _MB  # one server-sent event; a picture inside one takes 2 or 3
MAX_STATUS_BYTES: Final = 1 * _MB  # a line for each provider
MAX_KEY_BYTES: Final = 64 * 1024  # the exchange gives one key
MAX_ERROR_BYTES: Final = 64 * 1024  # an error's body; a message is a few hundred
MAX_MODELS: Final = 100_000  # entries of a list that are kept, the first ones: 500 times what the router has
MAX_JSON_OBJECTS: Final = 200_000  # braces in one document; each may become an object of 100 to 600 bytes
MAX_JSON_VALUES: Final = 500_000  # brackets and commas where a list has to be read entry by entry, 64 bytes each
MAX_CATALOG_VALUES: Final = 250_000  # the same of all its pages together; 2,000 models with all they tell are 80,000
MAX_ANSWER_CHARACTERS: Final = 4_000_000  # text, reasoning and tool calls of one answer over all its rounds; the most
# that any model writes today is 384,000 tokens, about 1.5 million characters (Python takes 1 to 4 bytes for each)

# --- variables in prompts ------------------------------------------------------------------------------------
DEFAULT_ROWS: Final = 15  # of a table that are sent where nobody has said how many

# --- tools ---------------------------------------------------------------------------------------------------
MAX_TOOL_ROUNDS: Final = 8  # model calls tools, sees results, calls again: at most this often
MAX_CALLS_PER_ROUND: Final = 64  # calls asked for at once; models ask for one to ten
MAX_CALLS_PER_QUESTION: Final = 256  # calls over all rounds: half of what the two bounds above would add up to
MAX_CALL_ID: Final = 16_384  # characters of a call's id; some gateways carry a signature of some thousand in it
MAX_CALL_NAME: Final = 256  # characters of the name that is called; the API takes 64

# --- the screen ----------------------------------------------------------------------------------------------
DISPLAY_INTERVAL: Final = 0.1  # seconds between updates of a streaming output; per chunk costs 500 times the bytes
DISPLAY_BYTES_PER_SECOND: Final = 200_000  # a long answer updates less often instead of sending megabytes
DISPLAY_REST: Final = 4.0  # times what an update cost go by before the next: at most a fifth of a core draws
# A text may be longer than anybody reads, and made of what is slow to render. What costs is counted in "marks": line
# ends, cell borders and dollar signs. 8,000 of them take half a second at worst, 128,000 characters of code as much.
RENDERED_CHARACTERS: Final = 128_000  # of one text; what follows is shown as it was written
RENDERED_MARKS: Final = 8_000  # likewise
SHOWN_CHARACTERS: Final = 1_000_000  # of one text in an output, rendered or not: notebooks are opened, mailed
LIVE_CHARACTERS: Final = 64_000  # shown while an answer grows; beyond, its last part only: updates stay small
LIVE_MARKS: Final = 4_000  # likewise
AT_ONCE_CHARACTERS: Final = 16_000  # shown anew when a cell is interrupted: it costs some milliseconds and no more

CLIENT_NAME: Final = "tetrate-jupyter"  # sent as X-Title, User-Agent and the `client` of the consent page

_OPERATION_PATHS = (
    "/chat/completions",
    "/completions",
    "/models",
    "/messages",
    "/embeddings",
    "/responses",
    "/status",
)
WRAPPING: Final = " \t\r\n'\""  # what env files leave around an address
# Last segments of addresses that are whole without a version: Azure's, Cloudflare's, Gemini's, and kin.
_WHOLE_ENDS = frozenset({"inference", "compat", "openai", "compatible-mode", "compatibility"})
_OWN_DOMAIN = ".router.tetrate.ai"  # whose keys the default consent page gives
_NEVER = frozenset('<>"\\^`{|}')  # in no address as it is; a person mistyped or pasted something else
_UNTOLD = r"(?s)(?<=//)[^/?#]*@|[?#].*"  # user, password and query are not repeated in an error
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_web_apps: set[str] = set()  # origins on this machine that have shown to be a gateway's web app, see `recognise`
_sandboxes: set[str] = set()  # base URLs whose server has said that it is the sandbox
SANDBOX_NAME: Final = "tetrate-jupyter-sandbox"  # the `Server` header by which the sandbox says what it is


@dataclass(frozen=True)
class Endpoints:
    """Where the router is. `base_url`: inference, ends in a version segment. `auth_url`: the web app's origin."""

    base_url: str = DEFAULT_BASE_URL
    auth_url: str = DEFAULT_AUTH_URL

    @property
    def host(self) -> str:
        """The name that keys are bound to and kept under, and that people see. Scheme, host and port are in it.

        "gateway.example" is https on its usual port, "gateway.example:8443" on another one. On this machine plain http
        is the usual scheme: "127.0.0.1:8080". The unusual one is named: "http://gateway.example",
        "https://localhost:8443". So a key made for one is never found for, nor sent to, the other.
        """
        return scope_of(self.base_url)

    @property
    def older_host(self) -> str | None:
        """The name under which an earlier version kept keys for this address, where that was another one."""
        split = _split(self.base_url)
        usual = split.scheme == "https" and "://" not in self.host
        return split.netloc if usual and split.netloc != self.host else None

    @property
    def is_loopback(self) -> bool:
        """Whether the gateway is on this machine: the sandbox, or anybody's."""
        return _is_loopback(_split(self.base_url))

    @property
    def has_consent_page(self) -> bool:
        """Whether the web app at `auth_url` may be this gateway's, as far as the addresses say.

        False for an address of somebody else's without a sign-in address of its own: the real service's page would
        give a key of that service, which would then be sent elsewhere, and its catalog names other prices.
        """
        host, page = (_split(url).hostname or "" for url in (self.base_url, self.auth_url))
        the_service = _split(DEFAULT_AUTH_URL).hostname or ""
        return page.rstrip(".") != the_service or host.rstrip(".").endswith(_OWN_DOMAIN)

    @property
    def is_service(self) -> bool:
        """Whether this is the real service, as far as the addresses say."""
        return self.has_consent_page and self.auth_url == DEFAULT_AUTH_URL

    @property
    def is_guessed(self) -> bool:
        """Whether the web app is only guessed: a server on this machine may be the sandbox, or anybody's.

        It is no guess any more once it has shown what it is (`recognise`).
        """
        own = _split(self.base_url)
        return self.is_loopback and self.auth_url == f"{own.scheme}://{own.netloc}" and self.auth_url not in _web_apps

    @property
    def is_sandbox(self) -> bool:
        """Whether the server there has said that it is the sandbox router, wherever it runs."""
        return self.base_url in _sandboxes

    def recognise(self, *, sandbox: bool = False) -> None:
        """Note that this address has shown to be a gateway with a web app: it serves the catalog, or said so.

        `sandbox`: it said that it is the sandbox router.
        """
        if sandbox:
            _sandboxes.add(self.base_url)
        if self.is_guessed:
            _web_apps.add(self.auth_url)

    @property
    def has_pages(self) -> bool:
        """Whether pages for keys and credit are known for this gateway: nobody is sent to one that isn't there."""
        return self.has_consent_page and not self.is_guessed

    @property
    def keys_page(self) -> str:
        """The dashboard page where keys are seen and revoked, "" where none is known."""
        return self.auth_url + DASHBOARD_KEYS_PATH if self.has_pages else ""

    @property
    def billing_page(self) -> str:
        """The page where credit is bought, "" where none is known."""
        return self.auth_url + BILLING_PATH if self.has_pages else ""

    @staticmethod
    def from_environment(environ: Mapping[str, str] | None = None) -> Endpoints:
        """Read `TETRATE_BASE_URL` (or goose's `TETRATE_HOST`) and `TETRATE_AUTH_URL`; the real service by default.

        A custom base URL on loopback without `TETRATE_AUTH_URL` is taken to be a sandbox, which serves both.
        Raises `BaseURLError` when an address can't be used.
        """
        env = os.environ if environ is None else environ
        base = env.get(BASE_URL_VARIABLE) or env.get(HOST_VARIABLE) or DEFAULT_BASE_URL
        return Endpoints.of(base, env.get(AUTH_URL_VARIABLE) or None)

    @staticmethod
    def of(base_url: str, auth_url: str | None = None, *, allow_http: bool = False) -> Endpoints:
        """Normalise what a person gives. `allow_http`: accept plain http beyond this machine."""
        base = normalise_base_url(base_url, allow_http=allow_http)
        if auth_url is None:
            split = _split(base)
            auth = f"{split.scheme}://{split.netloc}" if _is_loopback(split) else DEFAULT_AUTH_URL
        else:
            auth = _normalise_origin(auth_url, allow_http=allow_http)
        return Endpoints(base, auth)


def scope_of(url: str) -> str:
    """Return scheme, host and port of an address in their shortest form; see `Endpoints.host`."""
    split = _split(url)
    scheme, default = split.scheme.lower(), {"http": ":80", "https": ":443"}.get(split.scheme.lower(), ":")
    place = split.netloc.removesuffix(default)
    return place if scheme == ("http" if _is_loopback(split) else "https") else f"{scheme}://{place}"


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    split = _split(url)
    return f"{split.scheme}://{split.netloc}"


def scope_is_loopback(scope: str) -> bool:
    """Whether a name as `scope_of` gives it is one of this machine."""
    return _is_loopback(_split(scope if "://" in scope else "http://" + scope))


def normalise_base_url(text: str, *, allow_http: bool = False) -> str:
    """Return the base URL with `/v1` appended unless its end says that it is whole; explain what is wrong otherwise.

    "gateway.example", "https://gateway.example/" and "https://gateway.example/v1/" all give
    "https://gateway.example/v1". Left alone is what has a version segment ("/v1beta/openai/") or ends as compatible
    endpoints do ("/inference", "/compat", "/openai"). "=https://..." is exactly this address. Raises `BaseURLError`.
    """
    text = text.strip(WRAPPING)
    exactly, text = text.startswith("="), text.removeprefix("=")
    split = _checked(text, "base URL", allow_http=allow_http)
    path = split.path.rstrip("/")
    if exactly:
        return _joined((split.scheme, split.netloc, path, "", ""))
    for operation in _OPERATION_PATHS:
        if path.endswith(operation):
            shorter = _joined((split.scheme, split.netloc, path[: -len(operation)] or "/v1", "", ""))
            raise BaseURLError(
                f"{text.strip()!r} is the address of one operation, not of the router.",
                next_step=f"use {shorter!r}",
            )
    parts = path.lower().split("/")
    if not (_WHOLE_ENDS & {parts[-1]} or any(part[:1] == "v" and part[1:2].isdigit() for part in parts)):
        path += "/v1"
    return _joined((split.scheme, split.netloc, path, "", ""))


def _normalise_origin(text: str, *, allow_http: bool) -> str:
    split = _checked(text, "sign-in address", allow_http=allow_http)
    return _joined((split.scheme, split.netloc, split.path.rstrip("/").removesuffix(AUTHORIZE_PATH), "", ""))


def _checked(text: str, what: str, *, allow_http: bool) -> SplitResult:
    shown = text.strip()
    example = f"give it as {DEFAULT_BASE_URL!r}"
    if secrecy.looks_secret(shown, lenient="." not in shown):  # not said again: addresses are shown and logged
        raise BaseURLError(f"There is an API key in the {what}.", next_step=f"leave it out; {secrecy.SEEN}")
    quoted = repr(re.sub(_UNTOLD, "", shown))
    if not shown or any(c.isspace() or ord(c) < 32 or c in _NEVER for c in shown):
        raise BaseURLError(f"{quoted} is not a usable {what}.", next_step=example)
    with_scheme = shown if "://" in shown else ("http://" if _bare_loopback(shown) else "https://") + shown
    try:
        split = _split(with_scheme)
        port = split.port
    except ValueError:
        raise BaseURLError(f"{quoted} is not a usable {what}.", next_step=example) from None
    if split.username is not None or split.password is not None:
        raise BaseURLError(f"The {what} holds a user name or password.", next_step="leave it out; keys are kept apart")
    if split.scheme not in {"http", "https"} or not split.hostname:
        raise BaseURLError(f"{quoted} is not a usable {what}.", next_step=example)
    if split.query or split.fragment:
        raise BaseURLError(f"The {what} has a ? or # part.", next_step="give it without that part")
    if split.scheme == "http" and not (allow_http or _is_loopback(split)):
        step, ways = "use https, or {} if this network is yours", ("pass allow_http=True", "tick the box below")
        raise BaseURLError(
            f"{quoted} is plain http: the key would travel unencrypted.", next_step=NextStep(*map(step.format, ways))
        )
    host = split.hostname.lower()
    netloc = f"[{host}]" if ":" in host else host
    return split._replace(scheme=split.scheme.lower(), netloc=netloc if port is None else f"{netloc}:{port}")


def _bare_loopback(text: str) -> bool:
    return _is_loopback(_split("http://" + text))


def _is_loopback(split: SplitResult) -> bool:
    return (split.hostname or "").lower() in _LOOPBACK


def _split(url: str) -> SplitResult:
    from urllib.parse import urlsplit  # three modules, which a plain IPython on Python 3.13 doesn't have loaded

    return urlsplit(url)


def _joined(parts: tuple[str, str, str, str, str]) -> str:
    from urllib.parse import urlunsplit

    return urlunsplit(parts)


def in_voila(environment: Mapping[str, str] | None = None) -> bool:
    """Whether Voilà has started this kernel, for a visitor or before one came."""
    env = os.environ if environment is None else environment
    return env.get("SERVER_SOFTWARE", "").startswith("voila/") or any(name in env for name in _VOILA_VARIABLES)


def shared_account(environment: Mapping[str, str] | None = None, command: Sequence[str] | None = None) -> str | None:
    """Return where several people meet this system account ("Voilà"), or None where nothing says that they do.

    There, what is kept for the account is kept for everybody: keys stay in memory, and a key that is kept already isn't
    used. Known are Voilà, Mercury, a notebook server that is a service of JupyterHub, and the servers of
    `shared_process`. A server that is shared by other means (a collaboration account of a hub, a token passed round)
    can't be told from a person's own: its operator sets `TETRATE_JUPYTER_SHARED=1`.
    """
    env = os.environ if environment is None else environment
    if in_voila(env):
        return "Voilà"
    if _MERCURY_NOTEBOOK in env.get("JPY_SESSION_NAME", "").rsplit("/", 1)[-1]:
        return "Mercury"
    if env.get("JUPYTERHUB_SERVICE_NAME"):  # a person's own server has none
        return "a service of JupyterHub"
    if env.get(SHARED_VARIABLE, "").strip().lower() not in {"", "0", "off", "false", "no"}:
        return SHARED_VARIABLE
    return shared_process(env, command)


def shared_process(environment: Mapping[str, str] | None = None, command: Sequence[str] | None = None) -> str | None:
    """Return the server whose visitors all meet in this very process ("Streamlit"), or None.

    There, memory is shared, too: what a module holds, every visitor has. `command`: the process's own command line.
    """
    env = os.environ if environment is None else environment
    if env.get("SOLARA_APP"):  # Solara inside Flask or Starlette
        return "Solara"
    words = sys.orig_argv if command is None else command
    for number, word in enumerate(words[:6]):  # "python -m panel serve", "/usr/bin/panel serve"
        program = word.replace("\\", "/").rsplit("/", 1)[-1].lower().removesuffix(".exe")
        start, name = _ONE_PROCESS.get(program, ("", ""))
        if start and start in words[number + 1 :]:
            return name
    return None
