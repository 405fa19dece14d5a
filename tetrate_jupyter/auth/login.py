"""One attempt to sign in, as a small state machine that any face (text, widget, test) can drive."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.auth import pkce
from tetrate_jupyter.auth.loopback import Listener, Page
from tetrate_jupyter.errors import (
    ExchangeError,
    LoginCancelledError,
    LoginDeniedError,
    LoginError,
    LoginTimeoutError,
    RedirectError,
    TetrateError,
)
from tetrate_jupyter.observers import Observers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tetrate_jupyter.types import Secret

DEAD_PORT: Final = (
    8765  # named in the address where no port could be opened: the browser ends there, the code is pasted
)
_AGAIN: Final = "run %tetrate_login again; it starts at once"


class LoginState(enum.Enum):
    """Where an attempt stands."""

    NEW = "not started"
    WAITING = "waiting for approval in the browser"
    EXCHANGING = "turning the code into a key"
    DONE = "signed in"
    FAILED = "failed"


class LoginAttempt:
    """Signing in once. `start`, show `url`, `wait`; meanwhile `submit` and `cancel` from any thread.

    `exchange` turns (code, verifier) into a key; it is called once at the most. `timeout`: seconds for the person.
    `listen=False`: for a kernel on another machine, whose loopback no browser of the person reaches; paste only.
    It lives on the event loop that `start` was awaited on.
    """

    def __init__(
        self,
        auth_url: str,
        exchange: Callable[[str, str], Awaitable[Secret]],
        *,
        timeout: float = config.LOGIN_TIMEOUT,
        listen: bool = True,
    ) -> None:
        self._auth_url = auth_url
        self._exchange = exchange
        self._timeout = timeout
        self._listen = listen
        self._verifier = pkce.new_verifier()
        self._nonce = pkce.new_state()
        self._listener = Listener(self._browser_came)
        self._observers = Observers()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Future[Secret] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._started = time.monotonic()
        self.state = LoginState.NEW
        self.error: TetrateError | None = None
        self.url = ""
        self.listening = False

    @property
    def remaining(self) -> float:
        """Seconds left for the person."""
        return max(0.0, self._timeout - (time.monotonic() - self._started))

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.state in {LoginState.DONE, LoginState.FAILED}

    async def start(self) -> str:
        """Open the port and give the consent page's address. Where no port opens, pasting still works."""
        self._loop = asyncio.get_running_loop()
        self._done = self._loop.create_future()
        self._done.add_done_callback(_look_at)
        self._started = time.monotonic()
        if self._listen:
            with contextlib.suppress(OSError):  # pasting needs no port
                await self._listener.start()
                self.listening = True
        callback = pkce.callback_address(self._listener.port or DEAD_PORT, self._nonce)
        self.url = pkce.authorization_url(self._auth_url, callback, pkce.challenge_of(self._verifier))
        self._timer = self._loop.call_later(self._timeout, self._too_late)
        self._go(LoginState.WAITING)
        return self.url

    async def wait(self) -> Secret:
        """Wait for the end; give the key. Raises the `LoginError` family. Cancelling this leaves the attempt alone."""
        if self._done is None:
            raise LoginError("This sign-in was not started.", next_step=_AGAIN)
        return await asyncio.shield(self._done)

    def submit(self, text: str) -> None:
        """Take what a person pasted: the address the browser ended at, or the code. From any thread.

        Raises `RedirectError` (the attempt goes on) or `LoginDeniedError` (and ends).
        """
        if self._loop is None:
            raise RedirectError("This sign-in was not started.", next_step=_AGAIN)
        try:
            code = pkce.code_of_paste(text, self._nonce)
        except LoginDeniedError as error:
            denied = error
            self._call(lambda: self._fail(denied))
            raise
        if self.ended:
            raise RedirectError("This sign-in is over.", next_step=_AGAIN)
        self._call(lambda: self._take(code))

    def cancel(self, reason: str = "cancelled") -> None:
        """Stop waiting; nothing happens where it is over. From any thread."""
        error = LoginCancelledError(f"This sign-in was stopped: {reason}.", next_step=_AGAIN)
        self._call(lambda: self._fail(error))

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at each change of state, on the loop's thread; gives back a function that stops it."""
        return self._observers.add(callback)

    # --- on the loop -----------------------------------------------------------------------------------------

    def _call(self, action: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    async def _browser_came(self, query: str) -> Page:
        try:
            code = pkce.code_of_query(query, self._nonce)
        except LoginDeniedError as error:
            self._fail(error)
            return Page(
                400, "Not approved", "Nothing was changed. You can close this page and go back to the notebook."
            )
        except RedirectError as error:
            return Page(400, "This is not the way back", f"{error.message} You can close this page.")
        if not self._take(code):
            return Page(400, "Used already", "This sign-in has had its answer. You can close this page.")
        if self._done is not None:
            await asyncio.wait({self._done})
        if self.error is None:
            return Page(200, "You are signed in", "You can close this page and go back to the notebook.")
        text = f"{self.error.message} You can close this page and start again in the notebook."
        return Page(400, "Not signed in", text)

    def _take(self, code: str) -> bool:
        """Begin the exchange; False where one has begun or the attempt is over: the first code wins."""
        if self.state is not LoginState.WAITING or self._loop is None:
            return False
        if self._timer is not None:
            self._timer.cancel()  # the person was in time; the exchange has a bound of its own
        self._go(LoginState.EXCHANGING)
        self._work = self._loop.create_task(self._trade(code))
        return True

    async def _trade(self, code: str) -> None:
        try:
            key = await self._exchange(code, self._verifier)
        except TetrateError as error:
            # its frames hold code and verifier, which together are still good for a key where the router was in trouble
            error.__cause__ = error.__context__ = None
            self._fail(error.with_traceback(None))
        except asyncio.CancelledError:
            self._fail(LoginCancelledError("This sign-in was stopped.", next_step=_AGAIN))
            raise
        except Exception:  # noqa: BLE001 - whatever it was, its text may hold the code
            self._fail(ExchangeError("The code could not be turned into a key.", next_step=_AGAIN))
        else:
            self._succeed(key)

    def _succeed(self, key: Secret) -> None:
        if self._done is not None and not self._done.done():
            self._end(LoginState.DONE)
            self._done.set_result(key)
            self._observers.notify()

    def _fail(self, error: TetrateError) -> None:
        if self._done is None or self._done.done():
            return
        self.error = error
        if self._work is not None:
            self._work.cancel()
        self._end(LoginState.FAILED)
        self._done.set_exception(error)
        self._observers.notify()

    def _too_late(self) -> None:
        long = self._timeout >= 120
        waited = f"{self._timeout / 60:.0f} minutes" if long else f"{self._timeout:.0f} s"
        self._fail(LoginTimeoutError(f"Nobody approved within {waited}.", next_step=_AGAIN))

    def _end(self, state: LoginState) -> None:
        self.state = state
        self._verifier = ""
        self._listener.close()
        if self._timer is not None:
            self._timer.cancel()

    def _go(self, state: LoginState) -> None:
        self.state = state
        self._observers.notify()


def _look_at(done: asyncio.Future[Secret]) -> None:
    if not done.cancelled():
        done.exception()  # whoever waits gets it; where nobody does, asyncio need not complain
