"""One attempt to sign in, as a small state machine that any front end (text, widget, test) can drive."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from typing import TYPE_CHECKING, Final, NoReturn

from tetrate_jupyter import config
from tetrate_jupyter.auth import pkce
from tetrate_jupyter.auth.loopback import Listener, Page
from tetrate_jupyter.errors import (
    ExchangeError,
    LoginCancelledError,
    LoginDeniedError,
    LoginError,
    LoginTimeoutError,
    NextStep,
    RedirectError,
    TetrateError,
)
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DEAD_PORT: Final = 8765  # of the callback where none could be opened: the browser fails there, its address is pasted
_WAITING: Final = 4  # requests beyond `GUESSES` that may wait for a code being tried; more would fill up the listener
GUESSES: Final = 3  # codes without our state that are tried nevertheless: see `LoginAttempt`
_SOON: Final = 30.0  # seconds; less than that is too short for somebody who only now sees the link


class LoginState(enum.Enum):
    """The state of a sign-in attempt."""

    NEW = "not started"
    WAITING = "waiting for approval in the browser"
    EXCHANGING = "turning the code into a key"
    DONE = "signed in"
    FAILED = "failed"


class LoginAttempt:
    """One sign-in: `start`, show `url`, `wait`; `submit` and `cancel` may be called meanwhile, from any thread.

    `exchange` turns (code, verifier) into a key; it is called at most once per code. It must belong to the router of
    `auth_url`, so that code and verifier go nowhere else, whatever the session does meanwhile. `timeout`: seconds that
    the person has (default: `config.LOGIN_TIMEOUT`). `listen=False`: open no port, since the kernel is on a machine
    whose loopback the person's browser can't reach; the address is pasted. The attempt belongs to the event loop that
    `start` was awaited on.

    Any program on this machine, and any page that the person has open, can send requests to the listener. One that
    carries our state comes from the router, and a pasted text from the person: the first such code or denial ends the
    attempt. Whether the router returns our state isn't known, so a code without it is tried, too; where the router
    refuses it, the attempt goes on, for at most `GUESSES` such codes. So a hostile page can neither end a sign-in nor
    make us flood the router, and the verifier goes to the router's own exchange in any case. A wrong code doesn't use
    up the right one, since PKCE binds a code to the challenge that it was issued for. An "error" without our state ends
    nothing. After the last guess the person can still paste the address.
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
        self._verifier = Secret(pkce.new_verifier(), host="")
        self._nonce = pkce.new_state()  # not a `Secret`: it is part of the address that the person opens
        self._listener = Listener(self._browser_came)
        self._observers = Observers()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Future[Secret] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._exchanges: dict[Secret, asyncio.Task[Secret | TetrateError]] = {}
        self._guesses_left = GUESSES
        self._guessing = 0
        self._time_is_over = False
        self._stopped: LoginCancelledError | None = None
        self._started = time.monotonic()
        self._holders = 1
        self.is_opened = False
        self.state = LoginState.NEW
        self.error: TetrateError | None = None
        self.url = ""
        self.listening = False

    @property
    def remaining(self) -> float:
        """Seconds that the person has left; never below 0."""
        return max(0.0, self._timeout - (time.monotonic() - self._started))

    @property
    def since_opened(self) -> float:
        """Seconds since the person opened the consent page; 0 before that."""
        return time.monotonic() - self._started if self.is_opened else 0.0

    @property
    def ended(self) -> bool:
        """Whether the attempt is over, successful or not."""
        return self.state in {LoginState.DONE, LoginState.FAILED}

    @property
    def can_be_joined(self) -> bool:
        """Whether another front end on this event loop can share this attempt: it still waits, and has time left."""
        return self.state is LoginState.WAITING and self._loop is asyncio.get_running_loop() and self.remaining > _SOON

    def belongs_to(self, auth_url: str) -> bool:
        """Whether this attempt signs in at that router's web app."""
        return self._auth_url == auth_url

    async def start(self) -> str:
        """Open the port and return the consent page's address. Where no port can be opened, pasting still works."""
        self._loop = asyncio.get_running_loop()
        self._done = self._loop.create_future()
        self._done.add_done_callback(_look_at)
        self._started = time.monotonic()
        if self._listen:
            with contextlib.suppress(OSError):  # pasting needs no port
                await self._listener.start()
                self.listening = True
        callback = pkce.callback_address(self._listener.port or DEAD_PORT, self._nonce)
        self.url = pkce.authorization_url(self._auth_url, callback, pkce.challenge_of(self._verifier.reveal()))
        if self._stopped is not None:  # cancelled before `start`, or while the port was being opened
            self._fail(self._stopped)
        if self.ended:
            self._listener.close()
            return self.url
        self._timer = self._loop.call_later(self._timeout, self._too_late)
        self._go(LoginState.WAITING)
        return self.url

    async def wait(self) -> Secret:
        """Wait for the end and return the key. Cancelling the wait leaves the attempt alone. Raises a `LoginError`."""
        if self._done is None:
            raise LoginError("This sign-in was not started.", next_step=pkce.AGAIN)
        return await asyncio.shield(self._done)

    def submit(self, text: str | Secret) -> None:
        """Take what a person pasted: the address that the browser ended at, or the code. Callable from any thread.

        Raises `RedirectError` (the attempt goes on) or `LoginDeniedError` (the attempt ends).
        """
        pasted = Secret.typed(text)
        del text
        if self._loop is None:
            raise RedirectError("This sign-in was not started.", next_step=pkce.AGAIN)
        found = self._pasted_code(pasted)
        if isinstance(found, LoginDeniedError):
            # a separate object: raising `found` adds the caller's frames to it, and those may hold what was pasted
            denied = LoginDeniedError(found.message, next_step=NextStep(found.next_step, found.in_panel))
            self._call(lambda: self._fail(denied))
        if isinstance(found, LoginError):
            raise found
        if self.ended:
            raise RedirectError("This sign-in is over.", next_step=pkce.AGAIN)
        code = found
        self._call(lambda: self._take(code))

    def cancel(self, reason: str = "cancelled") -> None:
        """End the attempt; nothing happens where it is over already. Callable from any thread, also before `start`."""
        error = LoginCancelledError(f"This sign-in was stopped: {reason}.", next_step=pkce.AGAIN)
        self._stopped = error  # set before the loop is read: `start` sets the loop first and reads this afterwards
        self._call(lambda: self._fail(error))

    def opened(self, seconds: float) -> None:
        """Note that the person has opened the consent page: they have `seconds` from now. Callable from any thread."""
        self._call(lambda: self._wait_anew(seconds))

    def join(self) -> None:
        """Add a holder: the last one's `let_go` cancels the attempt. Call both on the attempt's event loop."""
        self._holders += 1

    def let_go(self) -> None:
        """Drop a holder, and cancel the attempt with the last one; whoever made the attempt is the first holder."""
        self._holders -= 1
        if self._holders <= 0:
            self.cancel()

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at each change of state, on the loop's thread; return a function that removes it."""
        return self._observers.add(callback)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a sign-in under way can't be copied or pickled")

    # --- reading what came, so that its text is in no frame of an error -----------------------------------------

    def _pasted_code(self, pasted: Secret) -> Secret | LoginError:
        try:
            return Secret(pkce.code_of_paste(pasted.reveal(), self._nonce), host="")
        except LoginError as error:
            return error.bare()

    def _way_back(self, query: str) -> pkce.WayBack | LoginError:
        try:
            return pkce.read_way_back(query, self._nonce)
        except LoginError as error:
            return error.bare()

    async def _exchanged(self, code: Secret) -> Secret | TetrateError:
        try:
            return await self._exchange(code.reveal(), self._verifier.reveal())
        except TetrateError as error:
            # its frames hold code and verifier, which can still be exchanged for a key where only the router failed
            return error.bare()
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException:  # noqa: BLE001 - whatever it was, its text may hold the code
            return ExchangeError("The code could not be turned into a key.", next_step=pkce.AGAIN)

    # --- on the loop -----------------------------------------------------------------------------------------

    def _call(self, action: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    async def _browser_came(self, query: str) -> Page:
        found = self._way_back(query)
        if isinstance(found, LoginError):
            return Page(400, "This is not a sign-in's callback", f"{found.message} You can close this page.")
        if found.denied is not None:
            if not found.ours:
                return _NOT_APPROVED
            self._fail(found.denied)
            return Page(
                400, "Not approved", "Nothing was changed. You can close this page and go back to the notebook."
            )
        if found.code is None or self.state is not LoginState.WAITING:
            return _USED
        if not found.ours:
            return await self._guess(found.code)
        self._take(found.code)
        if self._done is not None:
            await asyncio.wait({self._done})
        return self._end_page()

    async def _guess(self, code: Secret) -> Page:
        """Try a code that came without our state; only a successful exchange ends the attempt."""
        if code not in self._exchanges:
            if not self._guesses_left:
                return Page(400, "Not signed in", f"Another page may have sent this. {_PASTE}")
            self._guesses_left -= 1
        elif self._guessing >= GUESSES + _WAITING:
            return _BUSY  # requests that repeat one code would take every place, the person's own as well
        task = self._exchange_of(code)
        self._guessing += 1
        try:
            await asyncio.wait({task})
        finally:
            self._guessing -= 1
        if task.cancelled():  # the attempt has ended meanwhile
            return self._end_page()
        outcome = task.result()
        if isinstance(outcome, Secret):
            self._succeed(outcome)
        if self._time_is_over:
            self._too_late()
        if self.ended or isinstance(outcome, Secret):
            return self._end_page()
        return Page(400, "Not signed in", f"{outcome.message} {_PASTE}")

    def _end_page(self) -> Page:
        if self.error is None:
            return Page(200, "You are signed in", "You can close this page and go back to the notebook.")
        text = f"{self.error.message} You can close this page and start again in the notebook."
        return Page(400, "Not signed in", text)

    def _take(self, code: Secret) -> None:
        """Begin the exchange, unless one has begun or the attempt is over: the first code wins."""
        if self.state is not LoginState.WAITING or self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()  # the person was in time; the exchange has a timeout of its own
        self._go(LoginState.EXCHANGING)
        self._work = self._loop.create_task(self._trade(code))

    def _exchange_of(self, code: Secret) -> asyncio.Task[Secret | TetrateError]:
        """Return the task that exchanges this code, at most one per code: a code is good once, so it is posted once."""
        task = self._exchanges.get(code)
        if task is None:
            task = self._exchanges[code] = asyncio.ensure_future(self._exchanged(code))
        return task

    async def _trade(self, code: Secret) -> None:
        try:
            outcome = await self._exchange_of(code)
        except asyncio.CancelledError:
            self._fail(LoginCancelledError("This sign-in was stopped.", next_step=pkce.AGAIN))
            raise
        if isinstance(outcome, Secret):
            self._succeed(outcome)
        else:
            self._fail(outcome)

    def _succeed(self, key: Secret) -> None:
        if self._done is not None and not self._done.done():
            self._end(LoginState.DONE)
            self._done.set_result(key)
            self._observers.notify()

    def _fail(self, error: TetrateError) -> None:
        if self._done is None or self._done.done():
            return
        self.error = error
        self._end(LoginState.FAILED)
        self._done.set_exception(error)
        self._observers.notify()

    def _wait_anew(self, seconds: float) -> None:
        if self.state is not LoginState.WAITING or self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self.is_opened, self._timeout, self._started = True, seconds, time.monotonic()
        self._timer = self._loop.call_later(seconds, self._too_late)
        self._observers.notify()

    def _too_late(self) -> None:
        if any(not task.done() for task in self._exchanges.values()):
            self._time_is_over = True  # a code came in time; whether it was the person's shows when its exchange ends
            return
        long = self._timeout >= 120
        waited = f"{self._timeout / 60:.0f} minutes" if long else f"{self._timeout:.0f} s"
        self._fail(LoginTimeoutError(f"Nobody approved within {waited}.", next_step=pkce.AGAIN))

    def _end(self, state: LoginState) -> None:
        self.state = state
        self._verifier = Secret("", host="")
        self._listener.close()
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._work, *self._exchanges.values()):
            if task is not None:
                task.cancel()
        self._exchanges.clear()  # the codes are useless now, and need no longer be redacted

    def _go(self, state: LoginState) -> None:
        self.state = state
        self._observers.notify()


_USED: Final = Page(400, "Used already", "This sign-in is already over. You can close this page.")
_BUSY: Final = Page(503, "Busy", "This code is being tried. Look at the notebook.")
_NOT_APPROVED: Final = Page(
    400, "Not approved?", "If you said no, press Cancel in the notebook, which still waits. You can close this page."
)
_PASTE: Final = (
    "If you have just approved: copy the address of this page and paste it in the notebook, which still waits."
)


def _look_at(done: asyncio.Future[Secret]) -> None:
    if not done.cancelled():
        done.exception()  # marks it as retrieved: asyncio would log an exception that nobody waited for
