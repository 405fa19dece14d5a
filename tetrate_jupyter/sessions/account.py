"""Who a session is to the router: addresses, key, signing in and out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tetrate_jupyter.errors import InvalidKeyError, KeyHostError, NotSignedInError
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.types import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.auth.login import LoginAttempt
    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.catalog.service import Catalog
    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.keys.store import FoundKey, KeyStore, Place
    from tetrate_jupyter.sessions.connections import Connections


@dataclass(frozen=True)
class SignedIn:
    """A key that the router has just accepted: for which host, kept where, and how many models it reaches."""

    host: str
    place: Place
    models: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        reach = f"{self.models} model{'' if self.models == 1 else 's'}"
        return f"Signed in to {self.host}. The key is in {self.place}; it reaches {reach}."


class Account:
    """Finds, checks, keeps and forgets the key of one router address."""

    def __init__(self, connections: Connections, store: KeyStore, catalog: Catalog, *, given: Secret | None) -> None:
        self._connections = connections
        self._store = store
        self._catalog = catalog
        self._given = given
        self._attempt: LoginAttempt | None = None
        self._observers = Observers()

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        return self._connections.endpoints

    def find(self) -> FoundKey | None:
        """Look for the key: given to the session, this kernel's memory, environment, keyring, private file.

        May take up to 3 s where a keyring hangs. A key that was made for another host is never given.
        """
        from tetrate_jupyter.keys.store import GIVEN, FoundKey

        if self._given is not None:
            if self._given.host != self.endpoints.host:
                raise KeyHostError(
                    f"The session's key was made for {self._given.host}, not for {self.endpoints.host}.",
                    next_step="sign in here: session.login()",
                )
            return FoundKey(self._given, GIVEN)
        return self._store.find(self.endpoints)

    async def key(self) -> Secret:
        """Give the key. Raises `NotSignedInError`."""
        found = await asyncio.to_thread(self.find)
        if found is None:
            raise NotSignedInError(f"Not signed in to {self.endpoints.host}.", next_step="run %tetrate_login")
        return found.secret

    async def check(self) -> SignedIn | None:
        """Ask the router whether the key that is there still works; None where there is none.

        Raises `InvalidKeyError` (and any other `GatewayError`).
        """
        found = await asyncio.to_thread(self.find)
        if found is None:
            return None
        models = await self._catalog.refresh(found.secret, force=True)
        return self._signed_in(found.place, models)

    async def begin(self, *, timeout: float | None = None, listen: bool = True) -> LoginAttempt:
        """Start signing in; an attempt that is still waiting is cancelled. Gives the attempt, its address in `.url`.

        `listen=False`: no browser of the person can come back to this machine; the address is pasted.
        """
        from tetrate_jupyter.auth.login import LoginAttempt

        if self._attempt is not None:
            self._attempt.cancel("replaced by a newer sign-in")
        options = {} if timeout is None else {"timeout": timeout}
        self._attempt = attempt = LoginAttempt(self.endpoints.auth_url, self._exchange, listen=listen, **options)
        await attempt.start()
        return attempt

    async def finish(self, attempt: LoginAttempt, *, store: str = "auto") -> SignedIn:
        """Wait for the attempt to end, check the key it brought and keep it. Raises the `LoginError` family."""
        return await self.use(await attempt.wait(), store=store)

    async def use(self, key: Secret, *, store: str = "auto") -> SignedIn:
        """Check a key against the router, then keep it. One that the router refuses is not kept."""
        models = await self._catalog.refresh(key, force=True)
        place = await asyncio.to_thread(self._store.save, key, store=store)
        self._given = None
        self._observers.notify()
        return self._signed_in(place, models)

    async def use_text(self, text: str, *, store: str = "auto") -> SignedIn:
        """Take a key that a person typed at a hidden prompt."""
        try:
            return await self.use(Secret(text.strip(), host=self.endpoints.host), store=store)
        except InvalidKeyError as error:
            raise InvalidKeyError(
                f"{self.endpoints.host} does not accept that key (401).",
                next_step=f"copy it again from {self.endpoints.keys_page}, or sign in: %tetrate_login",
                request_id=error.request_id,
                status=401,
            ) from None

    async def forget(self) -> tuple[Place, ...]:
        """Forget the key in every place it could be; give the places it was in, an environment variable included."""
        if self._attempt is not None:
            self._attempt.cancel("signed out")
        self._given = None
        places = await asyncio.to_thread(self._store.forget, self.endpoints)
        self._catalog.forget()
        self._observers.notify()
        return places

    def drop_given(self) -> None:
        """Let go of a key that was given by hand (the session moves to another router)."""
        self._given = None
        self._observers.notify()

    def share(self, other: Account) -> None:
        """Use the key of another account of the same router, kept or given."""
        self._given, self._store = other._given, other._store

    def secrets(self) -> tuple[Secret, ...]:
        """Give every key at hand without asking a keyring: what a prompt must not carry."""
        given = () if self._given is None else (self._given,)
        return (*given, *self._store.at_hand())

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after signing in or out; gives back a function that stops it."""
        return self._observers.add(callback)

    async def _exchange(self, code: str, verifier: str) -> Secret:
        return await self._connections.client().exchange(code, verifier)

    def _signed_in(self, place: Place, models: ModelList) -> SignedIn:
        return SignedIn(self.endpoints.host, place, len(models), self._catalog.notes)
