"""What the sign-in panel says, as text and safe HTML; no widget and no state."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.engine.account import SignedIn
    from tetrate_jupyter.errors import TetrateError
    from tetrate_jupyter.keys.store import Place


class State(enum.Enum):
    """Where a panel stands. The value is a part of the CSS classes."""

    CHECKING = "checking"
    WAITING = "waiting"
    EXCHANGING = "exchanging"
    KEY_ONLY = "key-only"
    SIGNED_IN = "signed-in"
    FAILED = "failed"
    STOPPED = "stopped"


SAYS: Final = {
    State.CHECKING: "Looking for a key and checking it",
    State.WAITING: "Waiting for you to approve there",
    State.EXCHANGING: "Approved; fetching and checking the key",
    State.KEY_ONLY: "No consent page is known for this address. Enter a key for it below.",
    State.SIGNED_IN: "Signed in",
    State.FAILED: "Not signed in",
    State.STOPPED: "Not signed in",
}
BUTTON: Final = {  # signed in there is LEAVE instead
    State.CHECKING: "Cancel",
    State.WAITING: "Cancel",
    State.EXCHANGING: "Cancel",
    State.KEY_ONLY: "Check again",
    State.FAILED: "Start again",
    State.STOPPED: "Sign in",
}
LEAVE: Final = "Sign out"
CANCELLED: Final = "Cancelled. Nothing was changed."
CHECKING_KEY: Final = "Checking the key ..."
KEY_REFUSED: Final = "The key that was kept here is no longer accepted."
OVER: Final = "There is no sign-in under way. Next: press the button, then paste."
GONE: Final = "The kernel was restarted or has ended. Run this cell again."
WITHOUT: Final = "The sign-in panel needs a running kernel and widgets. Where it doesn't show: %tetrate_login --wait"
PASTE: Final = "Paste the address the browser ended at, or the code"
ELSEWHERE: Final = (
    "After approving, your browser ends at a page that can't be opened, because this kernel is on another machine."
    " Copy that page's address and paste it here"
)
BASE_URL: Final = "Use a custom base URL: enterprise gateway, other OpenAI-compatible endpoint, sandbox"

_WITHOUT_VARIABLE: Final = (
    "Next: a key of your own comes before it: %tetrate_login --again; or stop using it in this kernel: "
    "import os; del os.environ['{}']"
)
_FOR_PANEL: Final = (  # next steps that are said elsewhere, too, and what they are in the panel
    ("run %tetrate_login again; it starts at once", "press Start again"),
    ("start again with %tetrate_login", "press Start again"),
    ("sign in again with %tetrate_login", "sign in again here"),
    ("sign in to this gateway with %tetrate_login", "sign in to it here"),
    ("sign in: %tetrate_login", "sign in with the consent page"),
    ("run %tetrate_login", "press the button"),
    ("pass allow_http=True", "tick the box below"),
    ("use --store", "run %tetrate_login --store"),
)


def advice(error: TetrateError) -> str:
    """Return what happened and what to do next in the panel, in one line; the request's id with it."""
    text = error.advice
    for elsewhere, here in _FOR_PANEL:
        text = text.replace(elsewhere, here)
    return f"{text} Request id: {error.request_id}" if error.request_id else text


def states_html() -> str:
    """Return the live region with the words of every state, of which the panel's class shows one."""
    spans = "".join(f'<span class="tetrate-of-{state.value}">{escape(words)}</span>' for state, words in SAYS.items())
    return f'<div role="status" class="tetrate-states">{spans}</div>'


def link_html(url: str) -> str:
    """Return the button that opens the consent page: a link, because no kernel can open a tab."""
    words = (
        '<span class="tetrate-open">Open the consent page</span><span class="tetrate-over">Consent page: done</span>'
    )
    attributes = 'class="tetrate-button tetrate-main" target="_blank" rel="noopener noreferrer"'
    return f'<a {attributes} href="{escape(url)}">{words}</a>'


def head_html(host: str) -> str:
    """Return what one signs in to."""
    return f"Sign in to <b>{escape(host)}</b>"


def more_html(*, opened: bool) -> str:
    """Return the switch of the other ways. It works in the page alone, also while the kernel is busy."""
    return f"<details{' open' if opened else ''}><summary>Other ways to sign in</summary></details>"


def gone_html() -> str:
    """Return the note that the kernel is another one."""
    return f'<div class="tetrate-problem" role="note">{escape(GONE)}</div>'


def problem_html(text: str) -> str:
    """Return what went wrong, or an answer; it is read out as it appears."""
    return f'<div class="tetrate-problem" role="alert">{escape(text)}</div>' if text else ""


def note_html(text: str) -> str:
    """Return something good to know."""
    return f'<div class="tetrate-slow" role="note">{escape(text)}</div>' if text else ""


def signed_in_html(done: SignedIn) -> str:
    """Return to whom, where the key is and what it reaches, after the words "Signed in"."""
    return f" to <b>{escape(done.host)}</b>. The key is in {escape(str(done.place))}{done.reach}."


def countdown(seconds: float) -> str:
    """Return minutes and seconds, "2:59 left"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} left"


def not_yet(host: str) -> str:
    """Return the words for a reader without a kernel: nobody had signed in."""
    return f"Not signed in to {host}. Run this cell, or %tetrate_login --wait where no panel shows."


def was_signed_in(host: str) -> str:
    """Return how it was, for a reader without a kernel: a copy of the notebook says nothing about who reads it."""
    return f"Was signed in to {host} when this was saved. Run this cell to see how it is now."


def signed_out_lines(endpoints: Endpoints, places: Sequence[Place]) -> list[str]:
    """Return where the key was removed from, where one is left, and where it can be revoked."""
    gone = [place for place in places if place.removable]
    left = [place for place in places if not place.removable]
    if left and not gone:
        lines = [f"Nothing was removed: the key in use for {endpoints.host} isn't kept by this notebook."]
    elif gone:
        where = " and ".join(str(place) for place in gone)
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
