"""The sign-in panel: the consent page, a pasted address or code, a key, or another base URL; all from one output."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter import front_end, secrecy
from tetrate_jupyter.auth.login import LoginState
from tetrate_jupyter.auth.pkce import looks_like_key
from tetrate_jupyter.bridge import default_bridge
from tetrate_jupyter.completion.foreign import guarded, passes, unexpected
from tetrate_jupyter.config import DEFAULT_BASE_URL, Endpoints, hosted_elsewhere
from tetrate_jupyter.engine.account import SignedIn
from tetrate_jupyter.errors import BaseURLError, GatewayError, InvalidKeyError, LoginDeniedError, TetrateError
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.widgets import sign_in_words as words
from tetrate_jupyter.widgets.lifetime import Outputs
from tetrate_jupyter.widgets.sign_in_view import Shown, SignInView
from tetrate_jupyter.widgets.sign_in_words import State
from tetrate_jupyter.widgets.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from tetrate_jupyter.auth.login import LoginAttempt
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.keys.store import FoundKey
    from tetrate_jupyter.secret import Secret

_TICK = 1.0  # seconds between two changes of the time that is left


class SignInPanel:
    """Signs `session` in from a notebook's output, and shows who is signed in. Showing it returns at once.

    `store`: where a key is kept ("auto", "keyring", "file" or "memory"). `timeout`: seconds to wait for the person
    (180). `again`: sign in anew although a key is there. It begins when it is made; `close` ends it. Nothing secret is
    in its widgets. What it has to say, errors included, is said in the panel; it raises nothing.
    """

    def __init__(
        self, session: Engine, *, store: str = "auto", timeout: float | None = None, again: bool = False
    ) -> None:
        self._session = session
        self._store = store
        self._timeout = timeout
        self._again = again
        # the kernel's own loop stands still while a cell runs; sign-in goes on
        self._bridge = session.bridge if session.bridge.mode == "thread" else default_bridge()
        self._lock = threading.RLock()
        self._turn = 0
        self._job: Future[None] | None = None  # the sign-in itself: one at a time
        self._aside: set[Future[None]] = set()  # a task that nobody holds may be collected while it runs
        self._attempt: LoginAttempt | None = None
        self._closed = False
        self._twin = Twin()
        self._hosted = hosted_elsewhere()
        self._outputs = Outputs(self._end)
        self._shown = Shown(State.CHECKING, session.endpoints.host)
        self._begin()

    def _begin(self) -> None:
        self._closed = False
        self.view = SignInView(
            hosted=self._hosted, twin_css=self._twin.hiding_css, paste=self._pasted, key=self._key_given
        )
        self.view.url.value = self._session.endpoints.base_url
        self._connect_controls()
        self._show()
        self._stop_following = self._session.account.on_change(lambda: self._beside(self._look))
        self._do(self._sign_in)

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._shown.state

    def close(self) -> None:
        """Remove it from every view and stop what it waits for. The session stays as it is."""
        self._outputs.close()
        self._end()

    def _end(self) -> None:
        self._closed = True
        self._stop_following()
        for job in (self._job, *self._aside):
            if job is not None:
                job.cancel()
        self.view.close()

    # --- what a person does; on any thread -------------------------------------------------------------------

    def _connect_controls(self) -> None:
        view = self.view
        view.act.on_click(lambda _: self._act())
        view.leave.on_click(lambda _: self._do(self._sign_out))
        view.use.on_click(lambda _: self._use_address())
        view.url.on_msg(lambda _, content, __: self._use_address() if content.get("event") == "submit" else None)
        view.url.observe(self._typed, names="value")
        view.http.observe(self._typed, names="value")
        self._typed()

    def _act(self) -> None:
        doing: dict[State, Callable[[], Coroutine[Any, Any, None]]] = {
            State.CHECKING: self._cancel,
            State.WAITING: self._cancel,
            State.EXCHANGING: self._cancel,
            State.SIGNED_IN: self._cancel,  # pressed just before
        }
        self._do(doing.get(self.state, self._sign_in))

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
        self._beside(lambda: self._use_key(text))

    def _typed(self, _: object = None) -> None:
        found, hint = self._address()
        if found is None and secrecy.looks_secret(self.view.url.value, lenient=True):
            self.view.url.value = self._session.endpoints.base_url  # a field is saved with the notebook's widgets
            self._show(problem=hint)
            return
        plain_http = self.view.url.value.strip().lower().startswith("http://") and not (found and found.is_loopback)
        self.view.advise(escape(hint), usable=found is not None, plain_http=plain_http)

    def _address(self) -> tuple[Endpoints | None, str]:
        try:
            found = Endpoints.of(self.view.url.value, allow_http=self.view.http.value)
        except BaseURLError as error:
            return None, words.advice(error)
        if found.base_url == self._session.endpoints.base_url:
            other = "" if found.base_url == DEFAULT_BASE_URL else f" The usual one is {DEFAULT_BASE_URL}"
            return found, f"{found.base_url} is in use.{other}"
        return found, f"Will be used as {found.base_url}"

    def _use_address(self) -> None:
        found, hint = self._address()
        if found is None:
            self._show(problem=hint)
        elif found.base_url != self._session.endpoints.base_url:
            self._do(lambda: self._move(found))

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
        if not await self._session.account.has_consent_page():
            self._show(State.KEY_ONLY)
            return
        await self._wait_for_browser()

    async def _wait_for_browser(self) -> None:
        account = self._session.account
        self._attempt = attempt = await account.begin(timeout=self._timeout, listen=not self._hosted)
        stop = attempt.on_change(lambda: self._exchanging(attempt))
        self._show(State.WAITING, url=attempt.url, line=words.countdown(attempt.remaining))
        ticking = asyncio.create_task(self._count_down(attempt))
        try:
            self._be_signed_in(await account.finish(attempt, store=self._store))
        finally:
            stop()
            ticking.cancel()
            attempt.cancel()

    def _exchanging(self, attempt: LoginAttempt) -> None:
        if attempt.state is LoginState.EXCHANGING:
            self._show(State.EXCHANGING, problem="", line="")

    async def _count_down(self, attempt: LoginAttempt) -> None:
        while attempt.state is LoginState.WAITING:
            await asyncio.sleep(_TICK)
            if attempt.state is LoginState.WAITING:
                self._show(line=words.countdown(attempt.remaining))

    async def _use_key(self, text: Secret) -> None:
        try:
            with guarded("Checking the key"):
                done = await self._session.account.use_text(text, store=self._store)
        except TetrateError as error:
            self._show(problem=words.advice(error), note="")
            return
        if self._job is not None:
            self._job.cancel()
        self._be_signed_in(done)

    def _be_signed_in(self, done: SignedIn, *, problem: str = "") -> None:
        self._again = False
        notes = " ".join(done.notes)
        self._show(State.SIGNED_IN, host=done.host, line=words.signed_in_html(done), problem=problem, note=notes)

    # --- the rest; on the loop -------------------------------------------------------------------------------

    async def _cancel(self) -> None:
        if self.state is not State.SIGNED_IN:  # it came just before
            self._show(State.STOPPED, line="", problem="", note=words.CANCELLED)

    async def _sign_out(self) -> None:
        places = await self._session.account.forget()
        said = " ".join(words.signed_out_lines(self._session.endpoints, places))
        if any(not place.removable for place in places):
            done = await self._session.account.check()
            if done is not None:
                self._be_signed_in(done, problem=said)
                return
        self._show(State.STOPPED, line="", problem="", note=said)

    async def _move(self, to: Endpoints) -> None:
        self._again = False
        self._session.connect(to.base_url, to.auth_url, allow_http=self.view.http.value)
        self._show(State.CHECKING, host=to.host)
        await self._sign_in()

    async def _look(self) -> None:
        """Follow what was done elsewhere: signing in or out, or moving to another router."""
        found = await asyncio.to_thread(self._session.account.find)
        host = self._session.endpoints.host
        moved = host != self._shown.host
        if moved:
            self._show(host=host)
            self.view.url.value = self._session.endpoints.base_url
            self._do(self._sign_in)
        elif found is None and self.state is State.SIGNED_IN:
            self._show(State.STOPPED, line="", problem="", note=f"Signed out of {host}.")
        elif found is not None:
            done = await self._known(found)
            if done is None:
                return
            if self.state is State.SIGNED_IN:  # our own doing, or a newer key; what was said of it stays
                self._show(line=words.signed_in_html(done))
                return
            if self._job is not None:
                self._job.cancel()
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

    # --- running and showing ---------------------------------------------------------------------------------

    def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function in place of what runs now."""
        with self._lock:
            self._turn += 1
            before, self._job = self._job, None
            if not self._closed:
                self._job = self._session.begin(self._watched(work, self._turn), self._bridge)
        if before is not None:
            before.cancel()

    def _beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if not self._closed:
            job = self._session.begin(self._watched(work), self._bridge)
            self._aside.add(job)
            job.add_done_callback(self._aside.discard)

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, None]], turn: int | None = None) -> None:
        try:
            await work()
        except BaseException as error:
            if passes(error):
                raise
            if turn not in {None, self._turn}:  # how it ended is no longer what the panel is about
                return
            self._show(State.FAILED, line="", problem=words.advice(unexpected(error, "Signing in")))

    def _show(self, state: State | None = None, **changes: str) -> None:
        with self._lock:
            before = self._shown
            self._shown = replace(before, state=state or before.state, **changes)
            if self._closed:
                return
            self.view.show(self._shown)
            if state is not None:
                self._typed()
                self._twin.update(self._twin_html(), self._twin_plain())

    # --- being displayed -------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        if self._closed:  # its cell was run again, and now another one shows it
            self._begin()
        self._outputs.shown()
        if front_end.place() == "notebook":
            bundle = {**self.view.root._repr_mimebundle_(), "text/plain": words.WITHOUT}
            publish_display_data(bundle, metadata={})  # type: ignore[no-untyped-call]  # IPython's
        self._twin.show(self._twin_html(), self._twin_plain())

    def _twin_html(self) -> str:
        if self.state is State.SIGNED_IN:
            return f"<p>{escape(words.was_signed_in(self._shown.host))}</p>"
        return f"<p>{escape(words.not_yet(self._shown.host))}</p>"

    def _twin_plain(self) -> str:
        if self.state is State.SIGNED_IN:
            return words.was_signed_in(self._shown.host)
        return words.not_yet(self._shown.host)

    def __repr__(self) -> str:
        return f"<SignInPanel: {self.state.value}>"
