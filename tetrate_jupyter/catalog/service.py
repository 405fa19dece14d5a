"""The models of a key: fetched once for all callers, kept fresh, and available at once where nobody can wait."""

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

RETRY_PAUSE: Final = 60.0  # seconds after a failed catalog fetch before the next automatic one
_STOPPING_TIMEOUT: Final = 2.0  # seconds a cancelled fetch gets to close its connection
_MANY: Final = 2_000  # models
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_NO_MODELS: Final = ModelList()
_UNREAD: Final = "The list of models can't be read. {}"
_THE_LIST: Final = {  # put before messages that don't say themselves that the list is meant
    NotFoundError: _UNREAD,
    UnsupportedEndpointError: _UNREAD,
    MalformedResponseError: _UNREAD,
    ProviderError: _UNREAD,
    RequestRejectedError: _UNREAD,
    GatewayTimeoutError: _UNREAD,
}


class Source(Protocol):
    """Where the lists come from: the HTTP client."""

    async def models(self, key: Secret) -> list[WireModel]:
        """Return the key's own list."""
        ...

    async def catalog(self) -> list[CatalogModel]:
        """Return the whole public catalog."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    """The state at one moment; replaced as a whole, so that other threads can read it without a lock."""

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
    turn: int = 0  # results of refreshes that began before this one are dropped


class Catalog:
    """The models that a key reaches. `refresh` is a coroutine; all else returns what is known at once, on any thread.

    The key's list stays fresh for 15 minutes, the public catalog for 24 hours (with a `cache`, on disk as well). A
    failed fetch leaves the last good copy in use, with a note in `notes`. `clock` returns monotonic seconds (default:
    `time.monotonic`).
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
        self._begun = 0  # number of refreshes so far
        self._flights: SingleFlight[ModelList] = SingleFlight()
        self._disk_read = cache is None
        self._observers = Observers()
        self.favourites = Favourites(cache)

    # --- what is known -----------------------------------------------------------------------------------------

    @property
    def models(self) -> ModelList:
        """The models as of the last `refresh`; empty before the first one. Never touches the network (for Tab)."""
        return self._state.models

    def known_ids(self) -> tuple[tuple[str, ...], bool]:
        """Return the ids that Tab offers, and whether they are fresh. Reads a small file at most, never the network.

        They are those of `models` or, before the first list, those of the last list that any kernel fetched.
        """
        state = self._state
        if state.models:
            return state.models.ids, self._list_is_fresh(state)
        kept = KeptIds() if self._cache is None else self._cache.ids()
        return kept.ids, kept.is_fresh(self._now())

    @property
    def is_fresh(self) -> bool:
        """Whether `refresh` with the same key would send no request."""
        return self._list_is_fresh(self._state) and not self._catalog_is_due(self._state)

    @property
    def listed_at(self) -> float | None:
        """When the key's list was fetched, in seconds since the epoch; None where there is none."""
        at = self._state.listed_at
        return None if at is None else self._now() - (self._clock() - at)

    @property
    def notes(self) -> tuple[str, ...]:
        """Failures that didn't prevent a result, one sentence each, for a person."""
        state = self._state
        return tuple(note for note in (state.list_note, state.ids_note, state.catalog_note, state.disk_note) if note)

    def billed(self, asked: str, answered: str | None) -> Model | None:
        """Return the model at whose price a request is billed: the one that answered, `asked` if that is unknown.

        The id in the response may have a date, lack the provider's prefix, or be a fallback outside this key's list.
        None where no model matches: then the cost is unknown.
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
        """Return a model that isn't in the key's list, with what the catalog has on its id, if anything."""
        return self._catalogued(identity) or join.merge(WireModel(id=identity), None)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after the models have changed, on the thread that did; return a function that removes it."""
        return self._observers.add(callback)

    def forget(self) -> None:
        """Drop what belongs to the key from memory (on signing out). The public catalog stays."""
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
        """Remove this router's ids and marks from the disk. Blocks."""
        if self._cache is not None:
            self._cache.keep_ids(())
        self.favourites.forget()

    def move(self, cache: CatalogCache | None) -> None:
        """Start empty for another router, whose public catalog is cached in `cache`."""
        with self._lock:
            self._cache = cache
            self._disk_read = cache is None
            self._state = _State(turn=self._begun + 1)
        self.favourites.move(cache)
        self._observers.notify()

    # --- fetching ----------------------------------------------------------------------------------------------

    async def refresh(self, key: Secret, *, force: bool = False) -> ModelList:
        """Return the models of `key`, fetching what is missing or too old; `force`: fetch both lists in any case.

        Concurrent calls share one fetch. Raises the router's error where there is no list of this key yet, where the
        key is refused, and with `force`; otherwise the older list stays in use, with a note. A key whose list can't be
        fetched (mistyped, revoked) leaves `models` as it is.
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
        if len(listed) > _MANY:  # joining the longest lists takes seconds, and other answers stream on this loop
            models = ModelList(await asyncio.to_thread(join.join, listed, entries))
        else:
            models = ModelList(join.join(listed, entries))
        changes |= {"ids_note": _left_out(listed), "listed": listed, "models": models, "key": key}
        if self._publish(begun, changes) and changes.get("listed_at") is not None and cache is not None:
            await asyncio.to_thread(cache.keep_ids, models.ids)
        return models

    async def _list(self, key: Secret, *, force: bool) -> tuple[tuple[WireModel, ...], dict[str, Any]]:
        """Return the key's list, and the other fields of the state that change with it."""
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
        if self._cache is not cache:  # moved meanwhile: this is another router's catalog
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
        """Apply a refresh's changes, unless a newer one or a sign-out came first; return whether they were applied."""
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
    return f"{what} left out of the list: their ids are too long, or hold invisible or control characters."


def _in_use(copy: Copy | None) -> str:
    if copy is None:
        return "Prices, windows and capabilities may be missing."
    day = "an earlier day"
    with suppress(ValueError, OverflowError, OSError):
        day = datetime.fromtimestamp(copy.fetched_at, timezone.utc).date().isoformat()
    return f"The copy of {day} is used."
