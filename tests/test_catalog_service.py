"""The catalog of a key: what is fetched when, what stays in use when a fetch fails, and what is told."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from tetrate_jupyter import config
from tetrate_jupyter.catalog.cache import CatalogCache, Copy
from tetrate_jupyter.catalog.service import RETRY_PAUSE, Catalog
from tetrate_jupyter.errors import GatewayError, InvalidKeyError, ProviderError, UnreachableError
from tetrate_jupyter.http.wire import CatalogModel, WireModel
from tetrate_jupyter.secret import Secret

OPEN = Path("/proc/self/fd")
KEY = Secret("sk-one", host="gateway.example")
OTHER_KEY = Secret("sk-two", host="gateway.example")
ENTRY = CatalogModel(id="a", provider="anthropic", input_price=Decimal(1), output_price=Decimal(5))
FALLBACK = CatalogModel(id="vertex/a", provider="vertex", input_price=Decimal(2), output_price=Decimal(6))


class Lists:
    """A source whose answers are set by the test. Counts what is asked; `gate` holds answers back."""

    def __init__(self) -> None:
        self.reachable = {KEY: ["a"], OTHER_KEY: ["b"]}
        self.public = [ENTRY, FALLBACK]
        self.models_error: GatewayError | None = None
        self.catalog_error: GatewayError | None = None
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.cancelled = 0
        self._changed = asyncio.Event()

    async def until(self, *asked: str) -> None:
        """Wait until exactly these have been asked."""
        while sorted(self.asked) != sorted(asked):
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), timeout=60)

    async def _answer(self, what: str, error: GatewayError | None) -> None:
        self.asked.append(what)
        self._changed.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if error is not None:
            raise error

    async def models(self, key: Secret) -> list[WireModel]:
        await self._answer("models", self.models_error)
        return [WireModel(id=i) for i in self.reachable[key]]

    async def catalog(self) -> list[CatalogModel]:
        await self._answer("catalog", self.catalog_error)
        return list(self.public)


class Clock:
    """Time as the test says."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> CatalogCache:
    return CatalogCache("Router.Example:8443", tmp_path / "data" / "catalog", now=clock)


@pytest.mark.anyio
async def test_before_anything_was_fetched_the_list_is_empty_and_nobody_is_asked() -> None:
    lists = Lists()
    catalog = Catalog(lists)
    assert len(catalog.models) == 0
    assert catalog.models.nearest("a") == ()
    assert lists.asked == []


@pytest.mark.anyio
async def test_both_lists_are_fetched_and_joined(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    models = await catalog.refresh(KEY)
    assert models["a"].price.input == 1
    assert catalog.models == models
    assert sorted(lists.asked) == ["catalog", "models"]
    assert catalog.notes == ()


@pytest.mark.anyio
async def test_a_fresh_list_is_given_without_asking(cache: CatalogCache, clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, cache, clock=clock)
    await catalog.refresh(KEY)
    clock.at += config.MODELS_FRESH - 1
    await catalog.refresh(KEY)
    assert len(lists.asked) == 2
    clock.at += 1
    await catalog.refresh(KEY)
    assert lists.asked[2:] == ["models"]


@pytest.mark.anyio
async def test_force_asks_anew_for_both(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    await catalog.refresh(KEY, force=True)
    assert sorted(lists.asked) == ["catalog", "catalog", "models", "models"]


@pytest.mark.anyio
async def test_the_public_catalog_is_kept_on_disk_for_a_day(cache: CatalogCache, clock: Clock) -> None:
    await Catalog(Lists(), cache, clock=clock).refresh(KEY)
    lists = Lists()
    clock.at += config.CATALOG_FRESH - 1
    models = await Catalog(lists, cache, clock=clock).refresh(KEY)
    assert lists.asked == ["models"]
    assert models["a"].price.input == 1
    clock.at += 1
    later = Lists()
    await Catalog(later, cache, clock=clock).refresh(KEY)
    assert sorted(later.asked) == ["catalog", "models"]


@pytest.mark.anyio
async def test_the_file_holds_public_data_only(cache: CatalogCache, clock: Clock) -> None:
    await Catalog(Lists(), cache, clock=clock).refresh(KEY)
    assert cache.path.name == "router.example_8443.json"
    text = cache.path.read_text()
    assert "sk-one" not in text
    assert set(json.loads(text)) == {"version", "fetched_at", "models"}
    assert [p.name for p in cache.path.parent.iterdir()] == [cache.path.name]


@pytest.mark.anyio
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 99, "fetched_at": 0, "models": []}', b"\xff\xfe"])
async def test_an_unusable_file_is_replaced(cache: CatalogCache, clock: Clock, content: bytes) -> None:
    cache.path.parent.mkdir(parents=True)
    cache.path.write_bytes(content)
    catalog = Catalog(Lists(), cache, clock=clock)
    await catalog.refresh(KEY)
    assert catalog.notes == ()
    assert cache.load() == Copy((ENTRY, FALLBACK), clock.at)


@pytest.mark.anyio
async def test_a_copy_that_is_read_while_the_session_moves_is_not_the_new_routers(
    cache: CatalogCache, tmp_path: Path, clock: Clock
) -> None:
    class Moving(CatalogCache):
        def load(self) -> Copy | None:
            catalog.move(CatalogCache("other.example", tmp_path, now=clock))
            return super().load()

    cache.save(Copy((ENTRY,), clock.at))
    lists = Lists()
    catalog = Catalog(lists, Moving("Router.Example:8443", tmp_path / "data" / "catalog", now=clock), clock=clock)
    await catalog.refresh(KEY)
    assert "catalog" in lists.asked


@pytest.mark.anyio
async def test_a_copy_from_the_future_is_not_fresh(cache: CatalogCache, clock: Clock) -> None:
    cache.save(Copy((ENTRY,), clock.at + 10))
    lists = Lists()
    await Catalog(lists, cache, clock=clock).refresh(KEY)
    assert "catalog" in lists.asked


@pytest.mark.anyio
async def test_a_disk_that_takes_nothing_is_told_and_stops_nothing(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("in the way")
    catalog = Catalog(Lists(), CatalogCache("h", tmp_path / "file" / "catalog", now=clock), clock=clock)
    assert (await catalog.refresh(KEY))["a"].price.input == 1
    (note,) = catalog.notes
    assert "could not be kept on disk" in note


@pytest.mark.anyio
async def test_a_failed_catalog_never_hides_the_keys_list(clock: Clock) -> None:
    lists = Lists()
    lists.catalog_error = UnreachableError("No connection to the router.")
    catalog = Catalog(lists, clock=clock)
    models = await catalog.refresh(KEY)
    assert models.ids == ("a",)
    assert models["a"].price.input is None
    (note,) = catalog.notes
    assert "No connection to the router." in note
    assert "may be missing" in note


@pytest.mark.anyio
async def test_a_failed_catalog_keeps_the_stale_copy_and_tells_its_day(cache: CatalogCache, clock: Clock) -> None:
    cache.save(Copy((ENTRY,), 0.0))
    lists = Lists()
    lists.catalog_error = ProviderError("The router is in trouble.", status=500)
    catalog = Catalog(lists, cache, clock=clock)
    assert (await catalog.refresh(KEY))["a"].price.input == 1
    assert "The copy of 1970-01-01 is used." in catalog.notes[0]
    assert cache.load() == Copy((ENTRY,), 0.0)


@pytest.mark.anyio
async def test_a_failed_catalog_is_tried_again_after_a_pause(clock: Clock) -> None:
    lists = Lists()
    lists.catalog_error = ProviderError("The router is in trouble.", status=500)
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    await catalog.refresh(KEY)
    assert len(lists.asked) == 2
    lists.catalog_error = None
    clock.at += RETRY_PAUSE
    assert (await catalog.refresh(KEY))["a"].price.input == 1
    assert lists.asked[2:] == ["catalog"]
    assert catalog.notes == ()


@pytest.mark.anyio
async def test_without_any_list_the_routers_error_is_raised(clock: Clock) -> None:
    lists = Lists()
    lists.models_error = UnreachableError("No connection to the router.")
    with pytest.raises(UnreachableError):
        await Catalog(lists, clock=clock).refresh(KEY)


@pytest.mark.anyio
async def test_an_older_list_stays_in_use_when_the_router_is_in_trouble(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    clock.at += config.MODELS_FRESH
    lists.models_error = UnreachableError("No connection to the router.")
    assert (await catalog.refresh(KEY)).ids == ("a",)
    assert "out of date" in catalog.notes[0]
    with pytest.raises(UnreachableError):
        await catalog.refresh(KEY, force=True)
    lists.models_error = None
    await catalog.refresh(KEY)
    assert catalog.notes == ()


@pytest.mark.anyio
async def test_a_refused_key_is_never_covered_by_an_older_list(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    clock.at += config.MODELS_FRESH
    lists.models_error = InvalidKeyError("The key was refused.", status=401)
    with pytest.raises(InvalidKeyError):
        await catalog.refresh(KEY)


@pytest.mark.anyio
async def test_a_refused_key_is_told_at_once_and_the_other_fetch_is_stopped(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)

    async def refused(key: Secret) -> list[WireModel]:
        await lists.until("catalog")
        raise InvalidKeyError("The key was refused.", status=401)

    lists.gate.clear()
    lists.models = refused  # type: ignore[method-assign]
    with pytest.raises(InvalidKeyError):
        await catalog.refresh(KEY)
    assert lists.cancelled == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [UnreachableError("No connection to the router."), InvalidKeyError("The key was refused.", status=401)],
    ids=["unreachable", "refused"],
)
@pytest.mark.parametrize("force", [True, False])
async def test_another_key_never_gets_the_first_ones_list_nor_takes_it_away(
    error: GatewayError, clock: Clock, *, force: bool
) -> None:
    lists, heard = Lists(), []
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    catalog.on_change(lambda: heard.append(catalog.models.ids))
    lists.models_error = error
    with pytest.raises(type(error)):
        await catalog.refresh(OTHER_KEY, force=force)  # mistyped: what was known stays
    assert catalog.models.ids == ("a",)
    assert heard == []
    lists.models_error = None
    assert (await catalog.refresh(OTHER_KEY)).ids == ("b",)
    assert catalog.models.ids == ("b",)


@pytest.mark.anyio
async def test_the_refresh_that_began_last_counts(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    lists.gate.clear()
    first = asyncio.create_task(catalog.refresh(KEY))
    await lists.until("catalog", "models")
    slow, lists.gate = lists.gate, asyncio.Event()
    lists.gate.set()
    assert (await catalog.refresh(OTHER_KEY)).ids == ("b",)
    slow.set()
    assert (await first).ids == ("a",)
    assert catalog.models.ids == ("b",)


@pytest.mark.anyio
async def test_a_catalog_that_comes_after_a_move_is_not_the_new_routers(tmp_path: Path, clock: Clock) -> None:
    lists = Lists()
    old, new = (CatalogCache(name, tmp_path, now=clock) for name in ("old.example", "new.example"))
    catalog = Catalog(lists, old, clock=clock)
    lists.gate.clear()
    task = asyncio.create_task(catalog.refresh(KEY))
    await lists.until("catalog", "models")
    catalog.move(new)
    lists.gate.set()
    await task
    assert new.load() is None
    assert catalog.billed("vertex/a", "vertex/a") is None


# --- ids on disk, for Tab in a fresh kernel ----------------------------------------------------------------------


def kept(folder: Path, clock: Clock, router: str = "http://127.0.0.1:1/v1") -> CatalogCache:
    return CatalogCache("", folder, router=router, public=False, now=clock)


@pytest.mark.anyio
async def test_the_ids_of_the_last_list_are_there_in_a_fresh_kernel(tmp_path: Path, clock: Clock) -> None:
    await Catalog(Lists(), kept(tmp_path, clock), clock=clock).refresh(KEY)
    lists = Lists()
    fresh = Catalog(lists, kept(tmp_path, clock), clock=clock)
    assert fresh.known_ids() == (("a",), True)
    clock.at += config.MODELS_FRESH
    assert fresh.known_ids() == (("a",), False)
    assert lists.asked == []
    assert Catalog(lists, kept(tmp_path, clock, "http://127.0.0.1:2/v1")).known_ids() == ((), False)
    fresh.forget_kept()
    assert fresh.known_ids() == ((), False)


def test_ids_on_disk_have_bounds(tmp_path: Path, clock: Clock) -> None:
    long = tuple(f"{n:06}-" + "é" * 190 for n in range(5_000))
    for number in range(20):
        clock.at += 1
        kept(tmp_path, clock, f"http://127.0.0.1:{number}/v1").keep_ids(long)
    file = tmp_path / "ids.json"
    assert file.stat().st_size < 1_000_000
    assert len(json.loads(file.read_text("utf-8"))["routers"]) == 8
    assert kept(tmp_path, clock, "http://127.0.0.1:0/v1").ids().ids == ()
    assert 100 < len(kept(tmp_path, clock, "http://127.0.0.1:19/v1").ids().ids) < 5_000


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"version":1,"routers":{"x":3}}', b" " * 2_000_000, None])
def test_ids_that_cant_be_read_are_none(content: bytes | None, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "ids.json"
    if content is None:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes there")
        os.mkfifo(file)
    else:
        file.write_bytes(content)
    cache = kept(tmp_path, clock)
    assert cache.ids().ids == ()
    cache.keep_ids(("b",))
    assert cache.ids().ids == ("b",)


@pytest.mark.skipif(not OPEN.exists(), reason="open files can't be counted there")
def test_a_folder_in_the_place_of_the_ids_costs_no_open_file_each_time(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "ids.json").mkdir()
    before = len([*OPEN.iterdir()])
    for _ in range(50):
        assert kept(tmp_path, clock).ids().ids == ()
    assert len([*OPEN.iterdir()]) < before + 50


def test_a_disk_that_takes_no_ids_is_no_trouble(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("in the way")
    kept(tmp_path / "file", clock).keep_ids(("a",))


def test_no_ids_are_kept_where_several_people_meet_one_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRATE_JUPYTER_SHARED", "1")
    cache = CatalogCache.of(config.Endpoints.of("http://127.0.0.1:1/v1"), tmp_path)
    cache.keep_ids(("a",))
    assert not (tmp_path / "ids.json").exists()


@pytest.mark.anyio
async def test_two_keys_at_once_each_get_their_own_list(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    first, second = await asyncio.gather(catalog.refresh(KEY), catalog.refresh(OTHER_KEY))
    assert (first.ids, second.ids) == (("a",), ("b",))
    assert catalog.models == second


@pytest.mark.anyio
async def test_parallel_refreshes_ask_once(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    lists.gate.clear()
    waiting = [asyncio.create_task(catalog.refresh(KEY)) for _ in range(5)]
    await lists.until("catalog", "models")
    lists.gate.set()
    results = await asyncio.gather(*waiting)
    assert all(r == results[0] for r in results)
    assert len(lists.asked) == 2


@pytest.mark.anyio
async def test_a_cancelled_refresh_stops_both_fetches(clock: Clock) -> None:
    lists = Lists()
    lists.gate.clear()
    task = asyncio.create_task(Catalog(lists, clock=clock).refresh(KEY))
    await lists.until("catalog", "models")
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert lists.cancelled == 2


@pytest.mark.anyio
async def test_signing_out_drops_the_keys_list_and_what_is_still_under_way(clock: Clock) -> None:
    lists = Lists()
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    catalog.forget()
    assert len(catalog.models) == 0
    assert not catalog.is_fresh
    lists.gate.clear()
    task = asyncio.create_task(catalog.refresh(KEY))
    await lists.until("catalog", "models", "models")
    catalog.forget()
    lists.gate.set()
    await task
    assert len(catalog.models) == 0


@pytest.mark.anyio
async def test_observers_hear_of_changes_only(clock: Clock) -> None:
    lists, heard = Lists(), []
    catalog = Catalog(lists, clock=clock)
    catalog.on_change(lambda: heard.append(catalog.models.ids))
    await catalog.refresh(KEY)
    await catalog.refresh(KEY, force=True)
    catalog.forget()
    catalog.forget()
    assert heard == [("a",), ()]


@pytest.mark.anyio
async def test_other_threads_may_read_at_any_time(clock: Clock) -> None:
    catalog = Catalog(Lists(), clock=clock)
    await catalog.refresh(KEY)
    read: list[tuple[str, ...]] = []
    thread = threading.Thread(target=lambda: read.append(catalog.models.search("a*").ids))
    thread.start()
    await asyncio.to_thread(thread.join, 5)
    assert read == [("a",)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "answered", "billed"),
    [
        ("a", "a", "a"),
        ("a", None, "a"),
        ("a", "A-20251001", "a"),
        ("a", "a-2025-10-01", "a"),
        ("a", "a-latest", "a"),
        ("a", "vertex/a", "vertex/a"),
        ("a", "vertex/a-20251001", "vertex/a"),
        ("groq/openai/gpt-oss", "openai/gpt-oss", "groq/openai/gpt-oss"),
        ("groq/openai/gpt-oss", "gpt-oss", "groq/openai/gpt-oss"),
        ("a", "something-else", None),
        ("nowhere", None, None),
    ],
)
async def test_the_answering_model_is_billed(asked: str, answered: str | None, billed: str | None) -> None:
    lists = Lists()
    lists.reachable[KEY] = ["a", "groq/openai/gpt-oss"]
    catalog = Catalog(lists)
    await catalog.refresh(KEY)
    found = catalog.billed(asked, answered)
    assert (found and found.id) == billed


def test_the_cache_lives_in_jupyters_data_directory(clean_environment: Path) -> None:
    assert CatalogCache("h").path == clean_environment / "jupyter-data" / "tetrate-jupyter" / "catalog" / "h.json"
