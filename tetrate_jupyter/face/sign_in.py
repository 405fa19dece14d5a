"""Signing in by text, in a notebook or a terminal: by the browser or a hidden prompt, whichever is first."""

from __future__ import annotations

import _thread
import getpass
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.auth.pkce import AGAIN, looks_like_key
from tetrate_jupyter.bridge import default_bridge
from tetrate_jupyter.errors import InvalidKeyError, LoginCancelledError, NotSignedInError, RedirectError, TetrateError
from tetrate_jupyter.front_end import hosted_elsewhere, kernel
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from tetrate_jupyter.auth.login import LoginAttempt
    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.engine.account import SignedIn
    from tetrate_jupyter.engine.engine import Engine

PROMPT: Final = "Waiting for the browser. If it can't come back here, paste its address (or a key), then Enter: "
PROMPT_ONLY: Final = "Paste the address the browser ended at (or a key), then Enter: "
PROMPT_BY_HAND: Final = "Paste the address the browser ended at (or a key), then Enter. Enter alone stops: "
PROMPT_KEY: Final = "No consent page is known for {host}. Paste a key for it, then Enter. Enter alone stops: "
WAITING: Final = "This cell waits for it. If the browser can't come back here, or to paste a key: stop the cell (■)."
ELSEWHERE: Final = (
    "Your browser can't come back to this kernel by itself: after approving, it ends at a page that can't be opened. "
    "Copy that page's address and paste it below."
)
_HEADLESS: Final = "set TETRATE_API_KEY before the run: nobody can approve in a browser here"


def sign_in(session: Engine, *, store: str, again: bool, timeout: float | None) -> SignedIn:
    """Sign `session` in; a key that is there already is checked and used, unless `again`.

    Raises the `LoginError` family, `NotSignedInError` where nobody can be asked, `GatewayError` where the key that is
    there could not be checked.
    """
    bridge = _bridge(session)
    if not again:
        try:
            done = bridge.run(session.account.check())
        except InvalidKeyError:
            print("The key that was kept here is no longer accepted.")  # noqa: T201 - a face of text
        else:
            if done is not None:
                return done
            if session.account.trouble:
                print(session.account.trouble)  # noqa: T201 - likewise
    if not bridge.run(session.account.has_consent_page()):
        return bridge.run(session.account.use_text(_ask_key(session.endpoints.host), store=store))
    attempt = bridge.run(session.account.begin(timeout=timeout, listen=not hosted_elsewhere()))
    try:
        with session.account.awaited():
            key = _ask(attempt, bridge, session.endpoints.host)
        if key is not None:
            attempt.cancel("a key was given instead")
            return bridge.run(session.account.use_text(key, store=store))
        return bridge.run(session.account.finish(attempt, store=store))
    except KeyboardInterrupt:
        pass  # ours is raised outside the handler: the interrupted frames may hold what was typed
    finally:
        attempt.cancel()
        _clear()
    raise LoginCancelledError("Stopped.", next_step=AGAIN)


def _bridge(session: Engine) -> Bridge:
    """Return the session's bridge, unless it is the kernel's own loop: that stands still while a prompt waits."""
    return session.bridge if session.bridge.mode == "thread" else default_bridge()


def show_link(attempt: LoginAttempt, host: str) -> None:
    """Show the consent page's address: a link in a notebook, the bare address in a terminal."""
    from html import escape

    if kernel() is None:
        print(f"Open this page to sign in to {host}:\n\n  {attempt.url}\n")  # noqa: T201 - a face of text
        if not attempt.listening:
            print(ELSEWHERE)  # noqa: T201 - likewise
        return
    from IPython.display import publish_display_data

    anchor = f'<a href="{escape(attempt.url)}" target="_blank" rel="noopener noreferrer">the consent page</a>'
    link = f"<p>To sign in to <b>{escape(host)}</b>, open {anchor} and approve.</p>"
    rest = WAITING if attempt.listening else ELSEWHERE
    link += f"<p><small>{rest}</small></p>"
    in_a_console = rest.replace("■", "Ctrl-C")
    bundle = {"text/html": link, "text/plain": f"To sign in to {host}, open:\n{attempt.url}\n{in_a_console}"}
    publish_display_data(bundle, metadata={})  # type: ignore[no-untyped-call]  # IPython's


def _clear() -> None:
    """Remove the link and the prompt, which JupyterLab would keep open though nobody reads them any more."""
    if kernel() is not None:
        from IPython.display import clear_output

        clear_output()  # type: ignore[no-untyped-call]  # IPython's


def _ask(attempt: LoginAttempt, bridge: Bridge, host: str) -> Secret | None:
    """Show the link and wait until the browser has come back (None) or a key was typed; what is pasted is submitted."""
    if kernel() is not None and attempt.listening:
        _be_attended()
        return None if _browser_came(attempt, bridge, host) else _ask_by_hand(attempt)
    show_link(attempt, host)
    if kernel() is None:
        return _ask_meanwhile(attempt)
    _be_attended()
    return _ask_by_hand(attempt)


def _ask_key(host: str) -> Secret:
    """Prompt for a key, where no consent page is known. Raises `LoginCancelledError` where the person stops."""
    _be_attended()
    try:
        typed = _hidden(PROMPT_KEY.format(host=host))
        if typed.reveal():
            return typed
    except KeyboardInterrupt:
        pass
    raise LoginCancelledError("Stopped.", next_step=AGAIN)


def _be_attended() -> None:
    running = kernel()
    if running is not None and not getattr(running, "_allow_stdin", True):  # as in nbclient: nobody sees a link either
        raise NotSignedInError("Not signed in, and this run takes no input.", next_step=_HEADLESS)


def _ask_meanwhile(attempt: LoginAttempt) -> Secret | None:
    """Prompt while the browser is waited for; whichever is first. For terminals."""
    prompt = BreakablePrompt()
    stop = attempt.on_change(lambda: prompt.stop() if attempt.ended else None)
    try:
        while not attempt.ended:
            text = prompt.ask(PROMPT if attempt.listening else PROMPT_ONLY)
            if text is None:
                return None
            if text.reveal() and _take(attempt, text):
                return text if looks_like_key(text.reveal()) else None
        return None
    finally:
        stop()


def _browser_came(attempt: LoginAttempt, bridge: Bridge, host: str) -> bool:
    """Show the link and wait for the end without a prompt; False where the person stops this, to paste instead.

    A prompt that the kernel leaves by itself stays open in JupyterLab, which then runs no other cell: "pending input".
    """
    try:
        show_link(attempt, host)  # says that stopping is the way to paste: that holds as soon as it is seen
        bridge.run(attempt.wait())
    except KeyboardInterrupt:
        return attempt.ended
    except TetrateError:
        return True  # the caller waits for the end once more, and gets this error
    return True


def _ask_by_hand(attempt: LoginAttempt) -> Secret | None:
    """Prompt until something usable was pasted. Enter alone stops, or goes on where the browser came meanwhile."""
    while True:
        text = _hidden(PROMPT_BY_HAND)
        if looks_like_key(text.reveal()):
            return text
        if attempt.ended:
            return None
        if not text.reveal():
            raise KeyboardInterrupt
        if _take(attempt, text):
            return None


def _take(attempt: LoginAttempt, text: Secret) -> bool:
    """Submit what was pasted, unless it is a key; return False, and print why, where it is unusable."""
    if looks_like_key(text.reveal()):
        return True
    try:
        attempt.submit(text)
    except RedirectError as error:
        print("\n".join(error.lines()))  # noqa: T201 - a face of text
        return False
    return True


class BreakablePrompt:
    """A hidden prompt on the main thread that another thread can end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = False
        self._stopped = False

    def ask(self, text: str) -> Secret | None:
        """Return what was typed, or None where `stop` came first. Raises `NotSignedInError` where nobody can type."""
        try:
            with self._lock:
                if self._stopped:
                    return None
                self._asking = True
            try:
                return _hidden(text)
            finally:
                with self._lock:
                    self._asking = False
        except KeyboardInterrupt:
            if self._stopped:  # our own signal, not the person's
                return None
            raise

    def stop(self) -> None:
        """End the prompt that is open, and any later one at once. From any thread."""
        with self._lock:
            self._stopped = True
            if self._asking:
                _interrupt_main_thread()


def _hidden(text: str) -> Secret:
    """Prompt; what is typed is wrapped before any other line can see it."""
    trouble: TetrateError
    try:
        return Secret.typed(getpass.getpass(text))
    except EOFError:
        trouble = NotSignedInError("The prompt was closed.", next_step="run %tetrate_login again")
    except Exception as error:
        if type(error).__name__ != "StdinNotImplementedError":  # IPython's; a plain RuntimeError by class
            raise
        trouble = NotSignedInError("Not signed in, and this run takes no input.", next_step=_HEADLESS)
    raise trouble


def _interrupt_main_thread() -> None:
    main = threading.main_thread().ident
    if os.name == "posix" and main is not None and sys.platform != "emscripten":
        signal.pthread_kill(main, signal.SIGINT)  # also wakes a read that waits in the system
    else:
        _thread.interrupt_main()
