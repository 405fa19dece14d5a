"""What the sign-in panel says, as text and safe HTML; no widget and no state."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import clipped, plain
from tetrate_jupyter.config import (
    AUTH_URL_VARIABLE,
    BASE_URL_VARIABLE,
    DEFAULT_BASE_URL,
    Endpoints,
    normalise_base_url,
)
from tetrate_jupyter.errors import BaseURLError
from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.engine.account import SignedIn
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.errors import TetrateError
    from tetrate_jupyter.keys.store import Place

_LOOKED_AT: Final = 10_000  # characters of a prompt
_THEN: Final = 120  # characters of a prompt, and of its models, that the card shows


class State(enum.Enum):
    """Where a card stands. The value is a part of the CSS classes."""

    CHECKING = "checking"
    OFFERED = "offered"
    WAITING = "waiting"
    EXCHANGING = "exchanging"
    KEY_ONLY = "key-only"
    SIGNED_IN = "signed-in"
    FAILED = "failed"
    STOPPED = "stopped"


SAYS: Final = {  # with the router's name
    State.CHECKING: "One moment: looking for a key and checking it",
    State.OFFERED: "Sign in to {}",
    State.WAITING: "Approve in the tab that opened",
    State.EXCHANGING: "Approved; fetching and checking the key",
    State.KEY_ONLY: "Enter a key for {}",
    State.SIGNED_IN: "Signed in to {}",
    State.FAILED: "Not signed in to {}",
    State.STOPPED: "Not signed in to {}",
}
BUTTON: Final = {  # first sight has the link instead, signed in there is LEAVE
    State.CHECKING: "Cancel",
    State.WAITING: "Cancel",
    State.EXCHANGING: "Cancel",
    State.KEY_ONLY: "Check again",
    State.FAILED: "Try again",
    State.STOPPED: "Sign in",
}
SERVICE: Final = "Tetrate"
SANDBOX: Final = "Sandbox"
LEAVE: Final = "Sign out"
TRY: Final = "Try the sandbox"
TRY_MORE: Final = "Simulated models inside this kernel: no account, nothing leaves this machine"
STOP: Final = "Stop waiting"
HOW: Final = "Your browser opens and you approve there. No key is typed or saved in the notebook."
NO_PAGE: Final = "No consent page is known for this address."
WAITING: Final = "Waiting for your answer there."
WAITING_IN_CELL: Final = "Waiting for your answer there. This cell then goes on by itself."
DEAF: Final = (
    "While the cell waits this kernel hears no buttons: sign in by the link. Anything else: stop the cell (■), run"
    " %tetrate_login, then run the cell again."
)
STARTING: Final = "Starting the sandbox inside this kernel"
CANCELLED: Final = "Cancelled. Nothing was changed."
CHECKING_KEY: Final = "Checking the key ..."
KEY_REFUSED: Final = "The key that was kept here is no longer accepted."
OVER: Final = "There is no sign-in under way. Next: press the button, then paste."
GONE: Final = "The kernel was restarted or has ended. Run this cell again."
WITHOUT: Final = "The sign-in panel needs a running kernel and widgets. Where it doesn't show: %tetrate_login --wait"
WITHOUT_IN_CELL: Final = (
    "This cell waits until you have signed in. Where no card shows: stop the cell (■), run %tetrate_login --wait, then"
    " run the cell again."
)
PASTE: Final = "Did the browser end at a page that can't be shown? Copy its address and paste it here."
ELSEWHERE: Final = (
    "This kernel seems to run on another machine: the browser may end at a page that can't be shown. Then copy its"
    " address and paste it here."
)
BASE_URL: Final = "Use a custom base URL: enterprise gateway, other OpenAI-compatible endpoint, sandbox"

_WITHOUT_VARIABLE: Final = (
    "Next: a key of your own comes before it: %tetrate_login --again; or stop using it in this kernel: "
    "import os; del os.environ['{}']"
)


def advice(error: TetrateError) -> str:
    """Return what happened and what to do next in the panel, in one line; the request's id with it."""
    step = error.in_panel or error.next_step
    text = f"{error.message} Next: {step}." if step else error.message
    return f"{text} Request id: {error.request_id}" if error.request_id else text


def name_of(endpoints: Endpoints, *, trial: bool = False) -> str:
    """Return what people call this router: "Tetrate", "Sandbox" where it says so itself, else its host."""
    if trial or endpoints.is_sandbox:
        return SANDBOX
    return SERVICE if endpoints.is_service else endpoints.host


def address(typed: str, allow_http: bool, used: Endpoints) -> tuple[Endpoints | None, str]:
    """Return the router at a typed address, None for no address, and what to say of it; `used`: that in use."""
    try:
        found = Endpoints.of(typed, allow_http=allow_http)
    except BaseURLError as error:
        return None, advice(error)
    if found.base_url == used.base_url:
        other = "" if found.base_url == DEFAULT_BASE_URL else f" The usual one is {DEFAULT_BASE_URL}"
        return found, f"{found.base_url} is in use.{other}"
    return found, f"Will be used as {found.base_url} until this kernel ends"


def for_now(session: Engine) -> list[str]:
    """Return that the session's router ends with the kernel, and what names it for good; [] where it doesn't."""
    if session.trial.is_on or not session.account.is_for_this_kernel:
        return []
    at = session.endpoints
    is_plain = at.base_url.startswith("http:") and not at.is_loopback  # which the environment can't name
    typed = at.base_url if normalise_base_url(at.base_url, allow_http=True) == at.base_url else f"={at.base_url}"
    auth = "" if Endpoints.of(typed, allow_http=True) == at else at.auth_url
    cell = f"%tetrate_login --base-url {typed}{f' --auth-url {auth}' if auth else ''}{' --allow-http' * is_plain}"
    variables = f"{BASE_URL_VARIABLE}={typed}{f' and {AUTH_URL_VARIABLE}={auth}' if auth else ''}"
    other = "" if is_plain else f"; or start Jupyter with {variables}"
    return [f"This address holds until the kernel ends. To keep it: {cell} in a cell below %load_ext{other}."]


def states_html(name: str, *, trial: bool = False) -> str:
    """Return the live region with the words of every state, of which the panel's class shows one."""
    said = {state: text.format(name) for state, text in SAYS.items()}
    if trial:
        said[State.SIGNED_IN] = SANDBOX
    if name == SERVICE:
        said[State.OFFERED] += " to use 200+ models"
    spans = "".join(f'<span class="tetrate-of-{state.value}">{escape(text)}</span>' for state, text in said.items())
    return f'<div role="status" class="tetrate-states">{spans}</div>'


def link_html(url: str) -> str:
    """Return the button that opens the consent page: a link, because no kernel can open a tab.

    Where the page lets it, a click on it also presses the button by which the kernel hears of it.
    """
    text = '<span class="tetrate-first">Sign in</span><span class="tetrate-again">Open again</span>'
    attributes = 'class="tetrate-button tetrate-main" target="_blank" rel="noopener noreferrer"'
    return f'<a {attributes} href="{escape(url)}" onclick="{_TELL}">{text}</a>'


_TELL: Final = "this.closest('.tetrate-sign-in').querySelector('.tetrate-opened').click()"


def host_html(host: str, name: str) -> str:
    """Return the address beside the name, small; nothing where it is the name."""
    return f"<small>{escape(host)}</small>" if host != name else ""


def more_html() -> str:
    """Return the switch of the other ways. It works in the page alone, also while the kernel is busy."""
    return "<details><summary>Use a key</summary></details>"


def menu_html() -> str:
    """Return the switch of the menu behind which Sign out is."""
    return '<details><summary aria-label="More" title="More">⋯</summary></details>'


def ask_html(*, elsewhere: bool) -> str:
    """Return what the field for a pasted address is for."""
    return escape(ELSEWHERE if elsewhere else PASTE)


def then_html(models: str, prompt: str) -> str:
    """Return what the cell that waits will ask: the first line of what was typed; "" where a key may be in it."""
    looked_at = prompt[:_LOOKED_AT]
    line = next((line.strip() for line in looked_at.splitlines() if line.strip()), "")
    if not line or secrecy.looks_secret(f"{models} {looked_at}"):
        return ""
    whom = f"<b>{escape(clipped(models, _THEN))}</b> " if models else ""
    return f'<span>Then asks</span> {whom}<span dir="auto">“{escape(clipped(plain(line), _THEN))}”</span>'


def gone_html() -> str:
    """Return the note that the card belongs to an earlier kernel."""
    return f'<div class="tetrate-problem" role="note">{escape(GONE)}</div>'


def problem_html(text: str) -> str:
    """Return what went wrong, or an answer; it is read out as it appears."""
    return f'<div class="tetrate-problem" role="alert">{escape(text)}</div>' if text else ""


def note_html(text: str, page: str = "") -> str:
    """Return something to know, said politely; where it names `page`, as a link."""
    found = escape(text)
    if page:
        found = found.replace(escape(page), _link_html(page, page))
    return f'<div class="tetrate-slow" role="note">{found}</div>' if text else ""


def _link_html(url: str, name: str) -> str:
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(name)}</a>'


def told_of(done: SignedIn, endpoints: Endpoints, *, trial: bool) -> dict[str, Any]:
    """Return the HTML of what is told of a sign-in: `line` after "Signed in to Tetrate", `about` in the menu."""
    if trial:
        return {"line": "Simulated models, nothing leaves this machine.", "about": ""}
    return {"line": escape(done.kept), "about": _about(done, endpoints)}


def _about(done: SignedIn, endpoints: Endpoints) -> str:
    """Return the whole place of the key where the line has only a part of it, and where credit and keys are looked at.

    No router is known to tell a key whose account it is of, or what credit is left: nothing is said of that.
    """
    pages = [("Credit", endpoints.billing_page), ("Keys", endpoints.keys_page)]
    links = "".join(f" {name}: {_link_html(url, url.partition('://')[2])}." for name, url in pages if url)
    whole = str(done.place)
    return (f"The key is in {escape(whole)}.{links}" if whole != done.place.short else links).strip()


def clock_html(seconds: float) -> str:
    """Return minutes and seconds, "2:59 left"."""
    whole = round(seconds)
    return f"<b>{whole // 60}:{whole % 60:02}</b> left"


def not_yet(host: str) -> str:
    """Return the words for a reader without a kernel: nobody had signed in."""
    return f"Not signed in to {host}. Run this cell, or %tetrate_login --wait where no panel shows."


def was_signed_in(host: str) -> str:
    """Return how it was, for a reader without a kernel: a copy of the notebook says nothing about who reads it."""
    return f"Was signed in to {host} when this was saved. Run this cell to see how it is now."


def left_in_cell(done: SignedIn | None, endpoints: Endpoints, *, trial: bool) -> str:
    """Return the line that a card leaves in the cell that waited for it."""
    if done is None:
        return "Not signed in."
    if trial:
        return "Sandbox: simulated models, nothing leaves this machine. For real ones: %tetrate_login"
    return f"Signed in to {name_of(endpoints)}. {done.kept}"


def signed_out_lines(endpoints: Endpoints, places: Sequence[Place]) -> list[str]:
    """Return where the key was removed from, where one is left, and where it can be revoked."""
    gone = [place for place in places if place.removable]
    left = [place for place in places if not place.removable]
    if left and not gone:
        lines = [f"Nothing was removed: the key in use for {endpoints.host} isn't kept by this notebook."]
    elif gone:
        where = " and ".join(dict.fromkeys(place.short for place in gone))
        lines = [f"Signed out of {endpoints.host}: the key was removed from {where}."]
    else:
        lines = [f"No key for {endpoints.host} was kept here."]
    for place in left:
        step = _WITHOUT_VARIABLE.format(place.detail.rpartition(" ")[2])
        lines.append(f"A key is still in {place}, with which this kernel was started. {step}")
    if not gone:
        return lines
    page = endpoints.keys_page
    return [
        *lines,
        f"The key itself still exists at the router. To revoke it{f': {page}' if page else ', go where it was made.'}",
    ]
