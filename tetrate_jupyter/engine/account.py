"""A session's account at the router: addresses, key, signing in and out."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from tetrate_jupyter import config
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.errors import (
    GatewayTimeoutError,
    InvalidKeyError,
    KeyHostError,
    KeyStoreError,
    LoginCancelledError,
    NextStep,
    NotFoundError,
    NotSignedInError,
    TetrateError,
    UnreachableError,
)
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tetrate_jupyter.auth.login import LoginAttempt
    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.catalog.service import Catalog
    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.engine.connections import Connections
    from tetrate_jupyter.keys.store import FoundKey, KeyStore, Place

_MOVED: Final = "the session moved to another router"
_CLOSED: Final = "the session was closed"


@dataclass(frozen=True)
class SignedIn:
    """A key that is in use: for which host, kept where, and how many models it reaches (None: not known)."""

    host: str
    place: Place
    models: int | None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return one_line(f"Signed in to {self.host}. {self.kept}")

    @property
    def kept(self) -> str:
        """Where the key is, in short, and how many models it reaches, as a sentence; `place` has the whole of it."""
        return f"The key is in {self.place.short}{self.reach}."

    @property
    def reach(self) -> str:
        """How many models the key reaches, as the end of a sentence; "" for unknown, which a note explains."""
        if self.models is None:
            return ""
        return f"; it reaches {self.models:,} model{'' if self.models == 1 else 's'}"


class Account:
    """Finds, checks, keeps and forgets the key of one router address."""

    def __init__(self, connections: Connections, store: KeyStore, catalog: Catalog, *, given: Secret | None) -> None:
        self._connections = connections
        self._store = store
        self._catalog = catalog
        self._given = given
        self._attempt: LoginAttempt | None = None
        self._attempt_at: Endpoints | None = None  # the router of that
        self._beginning: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._observers = Observers()
        self._awaited_by: set[object] = set()
        self._awaited_observers = Observers()
        self._changes_seen = store.changes
        connections.on_refusal(self.after_refusal)

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        return self._connections.endpoints

    def find(self) -> FoundKey | None:
        """Look for the key: given to the session, this kernel's memory, environment, keyring, private file.

        May take up to 3 s where a keyring hangs. A key that was made for another host is never given. Where another
        kernel has signed in or out meanwhile, whoever follows this account is told.
        """
        from tetrate_jupyter.keys.store import GIVEN, FoundKey

        if self._given is not None:
            if self._given.host != self.endpoints.host:
                raise KeyHostError(
                    f"The session's key was made for {self._given.host}, not for {self.endpoints.host}.",
                    next_step="sign in here: session.login()",
                )
            return FoundKey(self._given, GIVEN)
        found = self._store.find(self.endpoints)
        self._follow_disk(gone=found is None)
        return found

    @property
    def trouble(self) -> str:
        """Why a key file that is there was not used when it was last looked at: a sentence for a person, or ""."""
        reason = self._store.refusal(self.endpoints)
        return f"{reason[:1].upper()}{reason[1:]}." if reason else ""

    async def after_refusal(self, refused: Secret) -> Secret | None:
        """Return another key that is kept by now, after the router refused this one (401); None where there is none.

        Asked by the HTTP client, so that every call profits. A key that a person has just given, and one of the
        environment, has no other. Raises `NotSignedInError` where the key was removed meanwhile.
        """
        if self._given is not None:
            return None
        found = await asyncio.to_thread(self._store.after_refusal, self.endpoints, refused)
        self._follow_disk(gone=found is None)
        if found is None:
            raise self.not_signed_in()
        return None if found == refused else found

    async def key(self) -> Secret:
        """Return the key, for a use of it. Raises `NotSignedInError`."""
        self.settle()
        found = await asyncio.to_thread(self.find)
        if found is None:
            raise self.not_signed_in()
        return found.secret

    async def check(self) -> SignedIn | None:
        """Ask the router whether the key that is there still works; None where there is none.

        Raises `InvalidKeyError` (and any other `GatewayError`).
        """
        found = await asyncio.to_thread(self.find)
        if found is None:
            return None
        try:
            models = await self._catalog.refresh(found.secret, force=True)
        except NotSignedInError:  # refused, and removed elsewhere meanwhile
            return None
        return self._signed_in(found.place, models)

    async def has_consent_page(self) -> bool:
        """Whether keys can be had by a browser. A server on this machine is asked what it is; one that is down may."""
        endpoints = self.endpoints
        if endpoints.is_guessed:
            try:
                await self._connections.client().catalog()
            except (UnreachableError, GatewayTimeoutError):
                return True
            except TetrateError:
                return not endpoints.is_guessed  # the sandbox says what it is whatever it answers
        return endpoints.has_consent_page

    async def begin(self, *, timeout: float | None = None, listen: bool = True, shared: bool = False) -> LoginAttempt:
        """Start signing in; an attempt that is still waiting is cancelled. Returns the attempt, its address in `.url`.

        `shared`: one that is waiting is joined instead, so that two panels show the same link; let go of it in the end.

        It belongs to the router that is in use now: moving to another one cancels it. `listen=False`: no browser of
        the person can come back to this machine; the address is pasted. Raises `NotSignedInError` where no consent
        page is known for the router: another's would give a key that is then sent to the wrong one.
        """
        # one after the other: of cards that come at once the second joins, and doesn't replace what opens its port
        async with self._beginning.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            return await self._begin(timeout=timeout, listen=listen, shared=shared)

    async def _begin(self, *, timeout: float | None, listen: bool, shared: bool) -> LoginAttempt:
        from tetrate_jupyter.auth.login import LoginAttempt

        endpoints = self.endpoints
        if not await self.has_consent_page():
            raise NotSignedInError(
                f"No consent page is known for {endpoints.host}.",
                next_step="enter a key for it: session.login(key=getpass()), or name its page: --auth-url",
            )
        before = self._attempt
        if before is not None and shared and before.can_be_joined and before.belongs_to(endpoints.auth_url):
            before.join()
            return before
        if before is not None:
            before.cancel("replaced by a newer sign-in")
        options = {} if timeout is None else {"timeout": timeout}
        attempt = LoginAttempt(endpoints.auth_url, self._connections.exchange(), listen=listen, **options)
        self._attempt_at, self._attempt = endpoints, attempt
        if self.endpoints != endpoints:  # moved on another thread, which may have looked before there was an attempt
            attempt.cancel(_MOVED)
        await attempt.start()
        return attempt

    async def finish(self, attempt: LoginAttempt, *, store: str = "auto") -> SignedIn:
        """Wait for the attempt's end and keep the key it brought, for the router that gave it. Then look at its models.

        A key that was just issued is kept before anything else is looked at; a list that can't be read is a note.
        Raises the `LoginError` family (also where the session has moved to another router meanwhile: the key is kept
        for its own and sent nowhere), and `InvalidKeyError` where the router refuses the very key, which isn't kept.
        """
        key = await attempt.wait()
        place = await asyncio.to_thread(self._keep_issued, key, store)
        if key.host != self.endpoints.host:
            raise LoginCancelledError(
                f"The session moved to another router while {key.host} gave a key, which is kept for it, in {place}.",
                next_step=NextStep(f"sign in to {self.endpoints.host}: %tetrate_login", in_panel="press Sign in"),
            )
        self._given = None
        models, notes = await self._look_at_models(key)
        if isinstance(notes, InvalidKeyError):
            await asyncio.to_thread(self._drop_refused, key)
            raise notes
        self._observers.notify()
        return SignedIn(key.host, place, models, notes)

    async def use(self, key: Secret, *, store: str = "auto") -> SignedIn:
        """Check a key against the router, then keep it.

        One that could not be checked, for whatever reason, is not kept: unlike an issued one it can be given again,
        and it must not take the place of one that works. Raises the `GatewayError` family, and `KeyHostError` for a
        key of another router, which is sent nowhere.
        """
        if key.host != self.endpoints.host:
            raise KeyHostError(
                f"This key was made for {key.host}, not for {self.endpoints.host}; it was not sent.",
                next_step="sign in here: session.login()",
            )
        try:
            models = await self._catalog.refresh(key, force=True)
        except NotFoundError as error:
            error.next_step = (
                "a key for an endpoint without a list of models can't be checked: "
                f"set TETRATE_API_KEY instead; or {error.next_step}"
            )
            raise
        place = await asyncio.to_thread(self._store.save, key, store=store)
        if key.host == self.endpoints.host:
            self._given = None
        self._observers.notify()
        return SignedIn(key.host, place, len(models), self._catalog.notes)

    async def use_text(self, text: str | Secret, *, store: str = "auto") -> SignedIn:
        """Take a key that a person typed."""
        typed = Secret.typed(text)
        del text
        error: InvalidKeyError
        try:
            return await self.use(typed.bound_to(self.endpoints.host), store=store)
        except InvalidKeyError as refused:
            error = refused
        if error.status is None:  # not sent: the error itself says what is wrong with the key
            raise error.bare()
        page = self.endpoints.keys_page
        raise InvalidKeyError(
            f"{self.endpoints.host} does not accept that key (401).",
            next_step=NextStep("sign in: %tetrate_login", "press Sign in").within(f"copy it again from {page}, or ")
            if page
            else "copy it again, all of it",
            request_id=error.request_id,
            status=401,
        )

    async def forget(self) -> tuple[Place, ...]:
        """Forget the key in every place it could be; return the places it was in, an environment variable included.

        Where the key in use is the environment's, which isn't ours to take away, nothing else is taken away either: a
        key that the person keeps isn't the one that is being signed out.
        """
        if self._attempt is not None:
            self._attempt.cancel("signed out")
        if self._given is None:
            found = await asyncio.to_thread(self._store.find, self.endpoints)
            if found is not None and not found.place.removable:
                return (found.place,)
        self._given = None
        places = await asyncio.to_thread(self._store.forget, self.endpoints)
        self._catalog.forget()
        await asyncio.to_thread(self._catalog.forget_kept)
        self._observers.notify()
        return places

    def settle(self) -> bool:
        """Keep this router unless a person names another; return whether nobody had named or used it before."""
        return self._connections.settle() and self._given is None

    @property
    def is_for_this_kernel(self) -> bool:
        """Whether the router was named in this kernel, so that the next one doesn't know it."""
        return self._connections.is_moved

    def lasts(self) -> None:
        """Take the router for one that the next kernel will know, too."""
        self._connections.last()

    def moved(self) -> None:
        """Let go of what belongs to the router that the session has just left: a key given by hand, an attempt."""
        attempt = self._attempt
        if attempt is not None and self._attempt_at != self.endpoints:  # else begun here just now, on another thread
            attempt.cancel(_MOVED)
        self._given = None
        self._observers.notify()

    def closed(self) -> None:
        """End the sign-in attempt that is waiting, because nobody needs its key any more."""
        if self._attempt is not None:
            self._attempt.cancel(_CLOSED)

    def be_everybodys(self) -> None:
        """Belong to an object that all of this process share: a server's visitors must not leave a key in it."""
        self._store.everybodys = True

    def share(self, other: Account) -> None:
        """Use the key of another account of the same router, kept or given."""
        self._given, self._store = other._given, other._store
        self._changes_seen = self._store.changes

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after signing in or out; return a function that stops it."""
        return self._observers.add(callback)

    @property
    def is_awaited(self) -> bool:
        """Whether a cell waits for somebody to sign in."""
        return bool(self._awaited_by)

    @contextlib.contextmanager
    def awaited(self) -> Iterator[None]:
        """Report, while the block runs, that a cell waits for somebody to sign in."""
        ticket = object()
        try:
            self._awaited_by.add(ticket)
            self._awaited_observers.notify()
            yield
        finally:
            self._awaited_by.discard(ticket)
            self._awaited_observers.notify()

    def on_awaited(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when a cell begins or ends to wait for a sign-in; return a function that stops it."""
        return self._awaited_observers.add(callback)

    def _keep_issued(self, key: Secret, store: str) -> Place:
        """Keep a key that was just issued. Where it can't be kept as asked, it stays in memory; the place says why."""
        try:
            return self._store.save(key, store=store)
        except KeyStoreError as error:
            why = error.message.rstrip(".")
        return replace(self._store.save(key, store="memory"), note=why)

    def _drop_refused(self, key: Secret) -> None:
        found = self._store.find(self.endpoints)
        if found is not None and found.secret == key:
            with contextlib.suppress(KeyStoreError):  # the refusal is the error to raise
                self._store.forget(self.endpoints)

    async def _look_at_models(self, key: Secret) -> tuple[int | None, tuple[str, ...] | InvalidKeyError]:
        """Return how many models an issued key reaches, and notes; or None and what is wrong, which stops nothing."""
        try:
            return len(await self._catalog.refresh(key, force=True)), self._catalog.notes
        except InvalidKeyError as error:
            return None, error.bare()
        except TetrateError as error:
            return None, (f"Its models could not be read yet. {error.message}",)
        except Exception:  # noqa: BLE001 - whatever a list holds, the key is here and asking may work
            return None, ("Its models could not be read yet.",)

    def not_signed_in(self) -> NotSignedInError:
        """Return the error that says so, with what to do next where this code runs."""
        told = f"Not signed in to {self.endpoints.host}. {self.trouble}".rstrip()
        return NotSignedInError(told, next_step=self._how_to_sign_in())

    def _how_to_sign_in(self) -> str:
        from tetrate_jupyter.front_end import in_ipython, place
        from tetrate_jupyter.keys.places import belongs_here

        variable = config.KEY_VARIABLES[0]
        if not belongs_here(self.endpoints):  # a key of the environment is sent to the router that it names, only
            variable += f" and {config.BASE_URL_VARIABLE}={self.endpoints.base_url}"
        if place() == "unattended":
            return f"set {variable} before the run: nobody can sign in here"
        if not in_ipython():
            return f"session.login(), or %tetrate_login in a notebook; or set {variable} before the run"
        return NextStep("run %tetrate_login", "press the button").within(after=f", or set {variable} before the start")

    def _follow_disk(self, *, gone: bool) -> None:
        changes, self._changes_seen = self._changes_seen, self._store.changes
        if changes != self._changes_seen:
            if gone:
                self._catalog.forget()
            self._observers.notify()

    def _signed_in(self, place: Place, models: ModelList) -> SignedIn:
        return SignedIn(self.endpoints.host, place, len(models), self._catalog.notes)
