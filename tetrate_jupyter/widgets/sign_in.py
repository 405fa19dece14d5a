"""The sign-in card: consent page, sandbox, a pasted address or code, a key, another base URL; all from one output."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter import config, front_end, secrecy
from tetrate_jupyter.auth.login import LoginState
from tetrate_jupyter.auth.pkce import looks_like_key
from tetrate_jupyter.bridge import default_bridge
from tetrate_jupyter.completion.foreign import guarded, unexpected
from tetrate_jupyter.engine.account import SignedIn
from tetrate_jupyter.errors import (
    GatewayError,
    InvalidKeyError,
    LoginDeniedError,
    LoginError,
    LoginTimeoutError,
    TetrateError,
)
from tetrate_jupyter.interrupts import GuardedFuture
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.widgets import sign_in_words as words
from tetrate_jupyter.widgets.lifetime import Outputs
from tetrate_jupyter.widgets.sign_in_jobs import Jobs
from tetrate_jupyter.widgets.sign_in_view import Shown, SignInView
from tetrate_jupyter.widgets.sign_in_words import State
from tetrate_jupyter.widgets.static_fallback import StaticFallback

if TYPE_CHECKING:
    from tetrate_jupyter.auth.login import LoginAttempt
    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.keys.store import FoundKey
    from tetrate_jupyter.secret import Secret

_TICK = 1.0  # seconds between two changes of the time that is left
_FIRST_SIGHT = 3600.0  # seconds that the link is good for before anybody has opened it
_PASTE_AFTER = 15.0  # seconds with the page open, after which something may be wrong with the way back


class SignInPanel:
    """Signs `session` in from a notebook's output, and shows who is signed in. Showing it returns at once.

    `store`: where a key is kept ("auto", "keyring", "file" or "memory"). `timeout`: seconds to wait for the person
    once the consent page has been opened (180). `again`: sign in anew although a key is there. `then`: what a cell that
    waits for `outcome` does next, as HTML; None where none waits. It begins when it is made; `close` ends it. Nothing
    secret is in its widgets. What it has to say, errors included, is said in the panel; it raises nothing.
    """

    def __init__(
        self,
        session: Engine,
        *,
        store: str = "auto",
        timeout: float | None = None,
        again: bool = False,
        then: str | None = None,
    ) -> None:
        self._session = session
        self._store = store
        self._timeout = config.LOGIN_TIMEOUT if timeout is None else timeout
        self._again = again
        self._then = then
        # the kernel's own loop stands still while a cell runs; sign-in goes on
        self.bridge = session.bridge if session.bridge.mode == "thread" else default_bridge()
        self.outcome: GuardedFuture[SignedIn | None] = GuardedFuture()  # None: somebody stopped waiting
        self._lock = threading.RLock()
        self._jobs = Jobs(lambda work: session.begin(work, self.bridge), self._failed)
        self._attempt: LoginAttempt | None = None
        self._cancelled = False
        self._closed = False
        self._fallback = StaticFallback()
        self._elsewhere = front_end.likely_elsewhere()
        self._patience = 0.0 if front_end.maybe_elsewhere() else _PASTE_AFTER
        self._outputs = Outputs(self._end)
        self._shown = Shown(State.CHECKING, session.endpoints.host, self._name)
        self._begin()

    def _begin(self) -> None:
        self._closed = False
        self._jobs.open()
        self.view = SignInView(
            elsewhere=self._elsewhere,
            then=self._then,
            fallback_css=self._fallback.hiding_css,
            paste=self._pasted,
            key=self._key_given,
        )
        self.view.url.value = self._session.endpoints.base_url
        self._connect_controls()
        self._show()
        self._stop_following = self._session.account.on_change(lambda: self._jobs.look(self._look))
        self._jobs.do(self._sign_in)

    @property
    def _name(self) -> str:
        return words.name_of(self._session.endpoints, trial=self._session.trial.is_on)

    @property
    def state(self) -> State:
        """The state of the card."""
        return self._shown.state

    @property
    def was_done_elsewhere(self) -> bool:
        """Whether the person has signed in at another card, or by a cell. A link that was followed may not tell us."""
        came = self._attempt is not None and self._attempt.state in {LoginState.EXCHANGING, LoginState.DONE}
        return not self.view.was_used and not (came and self._attempt is not None and not self._attempt.is_opened)

    def say(self, note: str) -> None:
        """Show a note, until something else happens."""
        self._show(note=note)

    def close(self) -> None:
        """Remove it from every view and stop what it waits for. The session stays as it is."""
        self._outputs.close()
        self._end()

    def _end(self) -> None:
        self._closed = True
        self._stop_following()
        self._jobs.close()
        self.view.close()

    # --- what a person does; on any thread -------------------------------------------------------------------

    def _connect_controls(self) -> None:
        view = self.view
        view.act.on_click(lambda _: self._act())
        view.leave.on_click(lambda _: self._jobs.do(self._sign_out))
        view.opened.on_click(lambda _: self._opened())
        view.sandbox.on_click(lambda _: self._jobs.do(self._try_sandbox))
        view.real.on_click(lambda _: self._jobs.do(self._leave_sandbox))
        view.stop.on_click(lambda _: self._end_waiting(None))
        view.go.on_click(lambda _: view.paste.give())
        view.use.on_click(lambda _: self._use_address())
        view.url.on_msg(lambda _, content, __: self._use_address() if content.get("event") == "submit" else None)
        view.url.observe(self._typed, names="value")
        view.http.observe(self._typed, names="value")
        self._typed()

    def _act(self) -> None:
        attempt = self._attempt
        if self.state in {State.WAITING, State.EXCHANGING} and attempt is not None and not attempt.ended:
            self._cancelled = True
            attempt.cancel()
        elif self.state is State.CHECKING:
            self._jobs.do(self._cancel)
        elif self.state in {State.FAILED, State.STOPPED, State.KEY_ONLY}:
            self._jobs.do(self._sign_in)  # else it is Cancel, pressed just before the end

    def _opened(self) -> None:
        attempt = self._attempt
        if attempt is not None:
            attempt.opened(self._timeout)

    def _end_waiting(self, done: SignedIn | None) -> None:
        with self._lock:
            if not self.outcome.done():
                self.outcome.set_result(done)

    def _pasted(self, text: Secret) -> None:
        attempt = self._attempt
        if looks_like_key(text.reveal()):
            self._key_given(text)
        elif attempt is None or attempt.ended:
            self._show(problem=words.OVER)
        else:
            self._show(problem="")
            try:
                attempt.submit(text)
            except LoginDeniedError:
                pass  # the end of the attempt, which says so itself
            except TetrateError as error:
                self._show(problem=words.advice(error))

    def _key_given(self, text: Secret) -> None:
        self._show(problem="", note=words.CHECKING_KEY)
        self._jobs.beside(lambda: self._use_key(text))

    def _typed(self, _: object = None) -> None:
        with self._lock:  # what is said must be about what was typed last
            found, hint = words.address(self.view.url.value, self.view.http.value, self._session.endpoints)
            if found is None and secrecy.looks_secret(self.view.url.value, lenient=True):
                self.view.url.value = self._session.endpoints.base_url  # a field is saved with the notebook's widgets
                return self._show(problem=hint)
            plain_http = self.view.url.value.strip().lower().startswith("http://") and not (found and found.is_loopback)
            return self.view.advise(escape(hint), usable=found is not None, plain_http=plain_http)

    def _use_address(self) -> None:
        found, hint = words.address(self.view.url.value, self.view.http.value, self._session.endpoints)
        if found is None:
            self._show(problem=hint)
        elif found.base_url != self._session.endpoints.base_url:
            self._jobs.do(lambda: self._move(found))

    # --- signing in; on the loop -----------------------------------------------------------------------------

    async def _sign_in(self) -> None:
        self._show(State.CHECKING, problem="", note="", line="")
        if not self._again:
            try:
                done = await self._session.account.check()
            except InvalidKeyError:
                self._show(note=words.KEY_REFUSED)
            else:
                if done is not None:
                    self._be_signed_in(done)
                    return
                self._show(note=self._session.account.trouble)
        await self._offer()

    async def _offer(self) -> None:
        """Wait for the browser; whatever comes of it, first sight is back at once, with a link that works."""
        while await self._session.account.has_consent_page():
            self._cancelled = False
            try:
                return self._be_signed_in(await self._by_browser())
            except LoginTimeoutError as error:
                if self._attempt is None or not self._attempt.is_opened:  # nobody is there; the panel goes to sleep
                    return self._show(State.STOPPED, line="", clock="", note="")
                self._show(problem=words.advice(error))
            except LoginError as error:
                note, problem = (words.CANCELLED, "") if self._cancelled else ("", words.advice(error))
                self._show(note=note, problem=problem)
        return self._show(State.KEY_ONLY, line=words.NO_PAGE, clock="")

    async def _by_browser(self) -> SignedIn:
        account = self._session.account
        self._attempt = attempt = await account.begin(timeout=_FIRST_SIGHT, shared=True)
        ticking: set[asyncio.Task[None]] = set()
        stop = attempt.on_change(lambda: self._follow(attempt, ticking))
        self._show(State.OFFERED, url=attempt.url, line=words.HOW, clock="", asks_paste=self._elsewhere)
        try:
            self._follow(attempt, ticking)  # it may be another panel's, and opened there
            return await account.finish(attempt, store=self._store)
        finally:
            stop()
            for task in ticking:
                task.cancel()
            attempt.let_go()

    def _follow(self, attempt: LoginAttempt, ticking: set[asyncio.Task[None]]) -> None:
        if self.state is State.SIGNED_IN:
            return  # by another way, just before
        if attempt.state is LoginState.EXCHANGING:
            self._show(State.EXCHANGING, problem="", note="", line="", clock="")
        elif attempt.state is LoginState.WAITING and attempt.is_opened and not ticking:
            said = words.WAITING if self._then is None else words.WAITING_IN_CELL
            self._show(State.WAITING, problem="", note="", line=said, clock=words.clock_html(attempt.remaining))
            ticking.add(asyncio.ensure_future(self._count_down(attempt)))

    async def _count_down(self, attempt: LoginAttempt) -> None:
        while attempt.state is LoginState.WAITING:
            await asyncio.sleep(_TICK)
            if attempt.state is LoginState.WAITING:
                late = attempt.since_opened >= self._patience
                self._show(clock=words.clock_html(attempt.remaining), asks_paste=late)

    async def _use_key(self, text: Secret) -> None:
        try:
            with guarded("Checking the key"):
                done = await self._session.account.use_text(text, store=self._store)
        except TetrateError as error:
            self._show(problem=words.advice(error), note="")
            return
        self._jobs.stop_main()
        self._be_signed_in(done)

    def _be_signed_in(self, done: SignedIn, *, problem: str = "") -> None:
        self._again = False
        told = words.told_of(done, self._session.endpoints, trial=self._session.trial.is_on)
        note = " ".join([*done.notes, *words.for_now(self._session)])
        self._show(State.SIGNED_IN, host=done.host, clock="", problem=problem, note=note, **told)
        self._end_waiting(done)

    async def _try_sandbox(self) -> None:
        self._show(State.CHECKING, problem="", note="", line=words.STARTING, clock="", url="")
        there = await self._session.trial.start()
        self._show(host=there.host)  # before the session moves: then it is no news
        self._be_signed_in(await self._session.trial.enter())

    async def _leave_sandbox(self) -> None:
        self._session.trial.leave()
        self._show(State.CHECKING, host=self._session.endpoints.host, problem="", note="", line="", url="")
        await self._sign_in()

    # --- the rest; on the loop -------------------------------------------------------------------------------

    async def _cancel(self) -> None:
        if self.state is not State.SIGNED_IN:  # it came just before
            self._show(State.STOPPED, line="", clock="", problem="", note=words.CANCELLED)

    async def _sign_out(self) -> None:
        of = self._session.endpoints
        places = await self._session.alogout()
        said = " ".join(words.signed_out_lines(of, places))
        if any(not place.removable for place in places):
            done = await self._session.account.check()
            if done is not None:
                self._be_signed_in(done, problem=said)
                return
        self._show(host=self._session.endpoints.host, problem="", note=said, page=of.keys_page)
        await self._offer()

    async def _move(self, to: Endpoints) -> None:
        self._again = False
        self._session.connect(to.base_url, to.auth_url, allow_http=self.view.http.value)
        self._show(State.CHECKING, host=to.host, url="")
        await self._sign_in()

    async def _look(self) -> None:
        """Follow what was done elsewhere: signing in or out, or moving to another router."""
        found = await asyncio.to_thread(self._session.account.find)
        host = self._session.endpoints.host
        moved = host != self._shown.host
        if moved:
            self._show(host=host, url="")
            self.view.url.value = self._session.endpoints.base_url
            self._jobs.do(self._sign_in)
        elif found is None and self.state is State.SIGNED_IN and not self._jobs.does(self._sign_out):
            self._show(problem="", note=f"Signed out of {host}.")
            self._jobs.do(self._offer)
        elif found is not None:
            done = await self._known(found)
            if done is None:
                return
            if self.state is State.SIGNED_IN:  # our own doing, or a newer key; what was said of it stays
                self._show(**words.told_of(done, self._session.endpoints, trial=self._session.trial.is_on))
                return
            self._jobs.stop_main()
            self._be_signed_in(done)

    async def _known(self, found: FoundKey) -> SignedIn | None:
        catalog = self._session.catalog
        if not catalog.models:
            try:
                return await self._session.account.check()
            except InvalidKeyError:
                raise
            except GatewayError as error:  # the key is there all the same; a list that can't be read stops nothing
                return SignedIn(self._session.endpoints.host, found.place, None, (error.message,))
        return SignedIn(self._session.endpoints.host, found.place, len(catalog.models), catalog.notes)

    # --- showing ---------------------------------------------------------------------------------------------

    def _failed(self, error: BaseException) -> None:
        self._show(State.FAILED, line="", clock="", problem=words.advice(unexpected(error, "Signing in")))

    def _show(self, state: State | None = None, **changes: Any) -> None:  # noqa: ANN401 - the fields of `Shown`
        with self._lock:
            if self._jobs.outrun:
                return
            before = self._shown
            at_sandbox, in_trial = self._session.endpoints.is_sandbox, self._session.trial.is_on
            now = {"name": self._name, "trial": in_trial, "offers_trial": not at_sandbox, **changes}
            self._shown = replace(before, state=state or before.state, **now)
            if self._closed:
                return
            self.view.show(self._shown)
            if state is not None:
                self._typed()
                self._fallback.update(self._fallback_html(), self._fallback_plain())

    # --- being displayed -------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        if self._closed:  # its cell was run again, and now another one shows it
            self._begin()
        self._outputs.shown()
        if front_end.place() == "notebook":
            publish_display_data(self.bundle(words.WITHOUT), metadata={})  # type: ignore[no-untyped-call]  # IPython's
        self._fallback.show(self._fallback_html(), self._fallback_plain())

    def show_above(self) -> None:
        """Show it in the running cell above a panel, which has the static fallback of both."""
        self.view.root.add_class("tetrate-above")
        self._outputs.shown()
        front_end.publish(self.bundle(words.not_yet(self._shown.host)))

    def bundle(self, plain: str) -> dict[str, Any]:
        """Return its output, with the words for a front end that shows no widgets."""
        return {**self.view.root._repr_mimebundle_(), "text/plain": plain}

    def _fallback_html(self) -> str:
        return f"<p>{escape(self._fallback_plain())}</p>"

    def _fallback_plain(self) -> str:
        said = words.was_signed_in if self.state is State.SIGNED_IN else words.not_yet
        return said(self._shown.host)

    def __repr__(self) -> str:
        return f"<SignInPanel: {self.state.value}>"
