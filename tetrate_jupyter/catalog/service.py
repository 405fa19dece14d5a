"""The models of a key: fetched once for all who ask, kept fresh, and there at once for who can't wait."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, Protocol

from tetrate_jupyter import config
from tetrate_jupyter.catalog import join
from tetrate_jupyter.catalog.cache import CatalogCache, Copy, KeptIds
from tetrate_jupyter.catalog.favourites import Favourites
from tetrate_jupyter.catalog.flight import SingleFlight
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.errors import (
    ForbiddenError,
    GatewayError,
    GatewayTimeoutError,
    InvalidKeyError,
    MalformedResponseError,
    NotFoundError,
    ProviderError,
    RequestRejectedError,
    TetrateError,
    UnsupportedEndpointError,
)
from tetrate_jupyter.http.wire import CatalogModel, WireModel
from tetrate_jupyter.observers import Observers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tetrate_jupyter.secret import Secret
    from tetrate_jupyter.types import Model

RETRY_PAUSE: Final = 60.0  # seconds after a failed catalog fetch before the next one that nobody asked for
_STOPPING_TIMEOUT: Final = 2.0  # seconds a cancelled fetch gets to close its connection
_MANY: Final = 2_000  # models
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_NO_MODELS: Final = ModelList()
_UNREAD: Final = "The list of models can't be read. {}"
_THE_LIST: Final = {  # said before the errors that could be about anything else
    NotFoundError: _UNREAD,
    UnsupportedEndpointError: _UNREAD,
    MalformedResponseError: _UNREAD,
    ProviderError: _UNREAD,
    RequestRejectedError: _UNREAD,
    GatewayTimeoutError: _UNREAD,
}


class Source(Protocol):
    """Where lists come from: the HTTP client."""

    async def models(self, key: Secret) -> list[WireModel]:
        """Return the key's own list."""
        ...

    async def catalog(self) -> list[CatalogModel]:
        """Return the public catalog, whole."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    """All there is at one moment; replaced as a whole, so that other threads may read it without a lock."""

    key: Secret | None = None
    listed: tuple[WireModel, ...] = ()
    listed_at: float | None = None  # on the monotonic clock
    list_note: str | None = None
    copy: Copy | None = None
    tried_at: float | None = None  # the last catalog fetch that failed, on the monotonic clock
    catalog_note: str | None = None
    disk_note: str | None = None
    ids_note: str | None = None
    models: ModelList = _NO_MODELS
    turn: int = 0  # refreshes that began before this one change nothing any more


class Catalog:
    """What a key reaches. `refresh` is a coroutine; everything else gives what is there, at once, from any thread.

    The key's list is used for 15 minutes, the public catalog for 24 hours (also on disk, where `cache` says where).
    A failed fetch leaves the last good copy in use and says so in `notes`. `clock`: monotonic seconds, for tests.
    """

    def __init__(
        self, source: Source, cache: CatalogCache | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._cache = cache
        self._clock = clock
        self._now = time.time if cache is None else cache.now
        self._lock = threading.Lock()
        self._state = _State()
        self._begun = 0  # refreshes so far
        self._flights: SingleFlight[ModelList] = SingleFlight()
        self._disk_read = cache is None
        self._observers = Observers()
        self.favourites = Favourites(cache)

    # --- what is there -----------------------------------------------------------------------------------------

    @property
    def models(self) -> ModelList:
        """The models as last joined; empty before the first `refresh`. Never touches the network (for Tab)."""
        return self._state.models

    def known_ids(self) -> tuple[tuple[str, ...], bool]:
        """Return the ids that Tab offers, and whether they are recent. Reads a small file at the most, asks nobody.

        They are those of `models` or, before the first list, those of the last list that any kernel has had.
        """
        state = self._state
        if state.models:
            return state.models.ids, self._list_is_fresh(state)
        kept = KeptIds() if self._cache is None else self._cache.ids()
        return kept.ids, kept.is_fresh(self._now())

    @property
    def is_fresh(self) -> bool:
        """Whether `refresh` with the same key would ask nobody."""
        return self._list_is_fresh(self._state) and not self._catalog_is_due(self._state)

    @property
    def listed_at(self) -> float | None:
        """When the key's list was fetched, in seconds since the epoch; None where there is none."""
        at = self._state.listed_at
        return None if at is None else self._now() - (self._clock() - at)

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong without stopping anything: one sentence each, for a person."""
        state = self._state
        return tuple(note for note in (state.list_note, state.ids_note, state.catalog_note, state.disk_note) if note)

    def billed(self, asked: str, answered: str | None) -> Model | None:
        """Return the model whose price a request is billed at: the one that answered, where it says which.

        The answering id may carry a date, lack the provider's prefix, or be a fallback beyond this key's list.
        None where it can't be told: then the cost is unknown.
        """
        models = self.models
        if answered is None:
            return models.get(asked)
        undated = _DATED.sub("", answered.strip().lower())
        for identity in (answered, undated):
            found = models.get(identity) or self._catalogued(identity)
            if found is not None:
                return found
        return models.get(asked) if asked.strip().lower().endswith("/" + undated) else None

    def described(self, identity: str) -> Model:
        """Return a model that no list of the key has shown: what the catalog says of its id, mostly nothing."""
        return self._catalogued(identity) or join.merge(WireModel(id=identity), None)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the models have changed, on the changing thread; return a function that stops it."""
        return self._observers.add(callback)

    def forget(self) -> None:
        """Drop what belongs to the key (signing out), in memory. The public catalog stays."""
        with self._lock:
            state = self._state
            self._state = _State(
                copy=state.copy,
                tried_at=state.tried_at,
                catalog_note=state.catalog_note,
                disk_note=state.disk_note,
                turn=self._begun + 1,
            )
        if state.models:
            self._observers.notify()

    def forget_kept(self) -> None:
        """Drop the ids and marks that are kept on disk for this router. Blocks."""
        if self._cache is not None:
            self._cache.keep_ids(())
        self.favourites.forget()

    def move(self, cache: CatalogCache | None) -> None:
        """Start empty for another router, whose public catalog is kept in `cache`."""
        with self._lock:
            self._cache = cache
            self._disk_read = cache is None
            self._state = _State(turn=self._begun + 1)
        self.favourites.move(cache)
        self._observers.notify()

    # --- fetching ----------------------------------------------------------------------------------------------

    async def refresh(self, key: Secret, *, force: bool = False) -> ModelList:
        """Return the models of `key`, fetching what is missing or too old; `force`: fetch both lists anew.

        Parallel calls share one fetch. Raises the router's error where there is no list of this key yet, where the key
        is refused, and with `force`; otherwise the older list stays in use and the trouble is a note. A key whose list
        can't be had (mistyped, revoked) leaves `models` as it is.
        """
        state = self._state
        if not force and state.key == key and self._disk_read and self.is_fresh:
            return state.models
        return await self._flights.run((key, force), lambda: self._refresh(key, force=force))

    async def _refresh(self, key: Secret, *, force: bool) -> ModelList:
        with self._lock:
            self._begun += 1
            begun = self._begun
        cache = self._cache
        await self._read_disk()
        public = None
        if force or self._catalog_is_due(self._state):
            public = asyncio.ensure_future(self._fetch_catalog())
        try:
            listed, changes = await self._list(key, force=force)
            if public is not None:
                await public
        finally:
            if public is not None and not public.done():
                public.cancel()
                await asyncio.wait({public}, timeout=_STOPPING_TIMEOUT)
        copy = self._state.copy
        entries = () if copy is None else copy.models
        if len(listed) > _MANY:  # seconds for the longest lists that are read: other answers stream on this loop
            models = ModelList(await asyncio.to_thread(join.join, listed, entries))
        else:
            models = ModelList(join.join(listed, entries))
        changes |= {"ids_note": _left_out(listed), "listed": listed, "models": models, "key": key}
        if self._publish(begun, changes) and changes.get("listed_at") is not None and cache is not None:
            await asyncio.to_thread(cache.keep_ids, models.ids)
        return models

    async def _list(self, key: Secret, *, force: bool) -> tuple[tuple[WireModel, ...], dict[str, Any]]:
        """Return the key's list, and what else is new with it."""
        state = self._state
        mine = state.key == key and state.listed_at is not None
        if mine and not force and self._list_is_fresh(state):
            return state.listed, {}
        try:
            listed = tuple(await self._source.models(key))
        except GatewayError as error:
            if force or not mine or isinstance(error, (InvalidKeyError, ForbiddenError)):
                error.message = _THE_LIST.get(type(error), "").format(error.message) or error.message
                raise
            return state.listed, {"list_note": f"The list of models may be out of date. {error.message}"}
        return listed, {"listed_at": self._clock(), "list_note": None}

    async def _fetch_catalog(self) -> None:
        cache = self._cache
        try:
            copy = Copy(tuple(await self._source.catalog()), self._now())
        except TetrateError as error:
            if self._cache is not cache:
                return
            note = f"The public catalog could not be read. {error.message} {_in_use(self._state.copy)}"
            self._change(tried_at=self._clock(), catalog_note=note)
            return
        if self._cache is not cache:  # moved meanwhile: it is another router's
            return
        self._change(copy=copy, tried_at=None, catalog_note=None)
        if cache is not None:
            self._change(disk_note=await asyncio.to_thread(cache.save, copy))

    async def _read_disk(self) -> None:
        cache = self._cache
        if self._disk_read or cache is None:
            return
        copy = await asyncio.to_thread(cache.load)
        if self._cache is not cache:
            return
        self._disk_read = True
        if self._state.copy is None:
            self._change(copy=copy)

    # --- state -------------------------------------------------------------------------------------------------

    def _change(self, **fields: Any) -> None:  # noqa: ANN401 - fields of _State
        with self._lock:
            self._state = replace(self._state, **fields)

    def _publish(self, begun: int, changes: dict[str, Any]) -> bool:
        """Take over what a refresh has brought, unless a newer one or a sign-out came before its end."""
        with self._lock:
            before = self._state
            if begun < before.turn:
                return False
            self._state = replace(before, **changes, turn=begun)
        if changes["models"] != before.models:
            self._observers.notify()
        return True

    def _list_is_fresh(self, state: _State) -> bool:
        return state.listed_at is not None and self._clock() - state.listed_at < config.MODELS_FRESH

    def _catalog_is_due(self, state: _State) -> bool:
        if state.copy is not None and state.copy.is_fresh(self._now()):
            return False
        return state.tried_at is None or self._clock() - state.tried_at >= RETRY_PAUSE

    def _catalogued(self, identity: str) -> Model | None:
        copy = self._state.copy
        if copy is None:
            return None
        wanted = identity.strip().lower()
        for entry in copy.models:
            if entry.id.strip().lower() == wanted:
                return join.merge(WireModel(id=entry.id), entry)
        return None


def _left_out(listed: Iterable[WireModel]) -> str | None:
    count = sum(not join.is_usable(wire.id) for wire in listed)
    if not count:
        return None
    what = "1 model is" if count == 1 else f"{count:,} models are"
    return f"{what} left out of the list: their ids are too long, or hold characters that hide or act on a terminal."


def _in_use(copy: Copy | None) -> str:
    if copy is None:
        return "Prices, windows and capabilities may be missing."
    day = "an earlier day"
    with suppress(ValueError, OverflowError, OSError):
        day = datetime.fromtimestamp(copy.fetched_at, timezone.utc).date().isoformat()
    return f"The copy of {day} is used."
