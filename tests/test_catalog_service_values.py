"""What a catalog says of itself: when its list came, its notes word by word, and which error names the list."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.test_catalog_service import ENTRY, FALLBACK, KEY, OTHER_KEY, Clock, Lists, kept
from tetrate_jupyter import config
from tetrate_jupyter.catalog.cache import CatalogCache, Copy
from tetrate_jupyter.catalog.service import RETRY_PAUSE, Catalog
from tetrate_jupyter.errors import (
    ForbiddenError,
    GatewayError,
    GatewayTimeoutError,
    InvalidKeyError,
    MalformedResponseError,
    NotFoundError,
    ProviderError,
    RequestRejectedError,
    UnreachableError,
    UnsupportedEndpointError,
)
from tetrate_jupyter.http.wire import CatalogModel

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.http.wire import WireModel
    from tetrate_jupyter.secret import Secret

pytestmark = pytest.mark.anyio
MISSING = "Prices, windows and capabilities may be missing."
OUT_OF_DATE = "The list of models may be out of date. No connection."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lists() -> Lists:
    return Lists()


async def test_when_the_list_came_is_told_on_the_clock_of_days(lists: Lists, clock: Clock, tmp_path: Path) -> None:
    wall, ticks = Clock(1_800_000_000.0), Clock(50.0)
    catalog = Catalog(lists, CatalogCache("h", tmp_path, now=wall), clock=ticks)
    assert catalog.listed_at is None
    await catalog.refresh(KEY)
    assert catalog.listed_at == 1_800_000_000.0
    wall.at, ticks.at = wall.at + 10, ticks.at + 10
    assert catalog.listed_at == 1_800_000_000.0
    catalog.forget()
    assert catalog.listed_at is None


async def test_both_lists_must_be_fresh(lists: Lists, clock: Clock, tmp_path: Path) -> None:
    catalog = Catalog(lists, CatalogCache("h", tmp_path, now=clock), clock=clock)
    assert not catalog.is_fresh
    await catalog.refresh(KEY)
    assert catalog.is_fresh
    clock.at += config.MODELS_FRESH - 1
    assert catalog.is_fresh
    clock.at += 1
    assert not catalog.is_fresh
    await catalog.refresh(KEY)
    clock.at += config.CATALOG_FRESH - config.MODELS_FRESH
    assert not catalog.is_fresh


async def test_a_catalog_that_failed_is_left_alone_for_a_minute(lists: Lists, clock: Clock) -> None:
    lists.catalog_error = UnreachableError("No connection.")
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    clock.at += RETRY_PAUSE - 1
    assert catalog.is_fresh
    await catalog.refresh(KEY)
    assert lists.asked.count("catalog") == 1
    clock.at += 1
    assert not catalog.is_fresh
    await catalog.refresh(KEY)
    assert lists.asked.count("catalog") == 2
    assert RETRY_PAUSE == 60


async def test_ids_for_tab_are_the_lists_own_once_it_is_there(lists: Lists, clock: Clock, tmp_path: Path) -> None:
    catalog = Catalog(lists, kept(tmp_path, clock), clock=clock)
    assert catalog.known_ids() == ((), False)
    await catalog.refresh(KEY)
    assert catalog.known_ids() == (("a",), True)
    clock.at += config.MODELS_FRESH
    assert catalog.known_ids() == (("a",), False)
    bare = Catalog(lists, clock=clock)
    assert bare.known_ids() == ((), False)
    bare.forget_kept()
    assert bare.known_ids() == ((), False)


async def test_ids_are_kept_only_when_the_list_was_fetched(lists: Lists, clock: Clock, tmp_path: Path) -> None:
    catalog = Catalog(lists, kept(tmp_path, clock), clock=clock)
    await catalog.refresh(KEY)
    catalog.forget_kept()
    await catalog.refresh(KEY)
    clock.at += config.MODELS_FRESH
    lists.models_error = UnreachableError("No connection.")
    await catalog.refresh(KEY)  # the older list stays in use
    assert kept(tmp_path, clock).ids().ids == ()
    lists.models_error = None
    await catalog.refresh(KEY)
    assert kept(tmp_path, clock).ids().ids == ("a",)


async def test_every_note_is_a_sentence_and_they_have_an_order(clock: Clock, tmp_path: Path) -> None:
    lists = Lists()
    lists.reachable[KEY] = ["a", "b\u202e", "c" * 5_000]
    lists.catalog_error = UnreachableError("No connection.")
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    left_out = "2 models are left out of the list: their ids are too long, or hold invisible or control characters."
    no_catalog = f"The public catalog could not be read. No connection. {MISSING}"
    assert catalog.notes == (left_out, no_catalog)
    clock.at += config.MODELS_FRESH
    lists.models_error = UnreachableError("No connection.")
    await catalog.refresh(KEY)
    assert catalog.notes == (OUT_OF_DATE, left_out, no_catalog)
    lists.models_error = lists.catalog_error = None
    lists.reachable[KEY] = ["a", "b\u202e"]
    await catalog.refresh(KEY, force=True)
    assert catalog.notes == (left_out.replace("2 models are", "1 model is"),)
    lists.reachable[KEY] = ["a"]
    await catalog.refresh(KEY, force=True)
    assert catalog.notes == ()


@pytest.mark.parametrize(
    ("at", "told"), [(86_400.0 * 365, "1971-01-01"), (1e30, "an earlier day"), (float("nan"), "an earlier day")]
)
async def test_the_day_of_an_older_copy_is_told_where_it_is_one(
    lists: Lists, clock: Clock, tmp_path: Path, at: float, told: str
) -> None:
    class Odd(CatalogCache):
        """A disk whose copy is of any day."""

        def load(self) -> Copy:
            return Copy((ENTRY,), at)

    lists.catalog_error = UnreachableError("No connection.")
    catalog = Catalog(lists, Odd("h", tmp_path, now=clock), clock=clock)
    await catalog.refresh(KEY)
    assert catalog.notes == (f"The public catalog could not be read. No connection. The copy of {told} is used.",)


@pytest.mark.parametrize(
    "kind",
    [NotFoundError, UnsupportedEndpointError, MalformedResponseError, ProviderError, RequestRejectedError],
)
async def test_what_says_nothing_of_the_list_is_told_that_it_is_meant(lists: Lists, kind: type[GatewayError]) -> None:
    lists.models_error = kind("It went wrong.", status=500)
    with pytest.raises(kind) as caught:
        await Catalog(lists).refresh(KEY)
    assert caught.value.message == "The list of models can't be read. It went wrong."


async def test_a_list_that_takes_too_long_is_told_that_it_is_meant(lists: Lists) -> None:
    lists.models_error = GatewayTimeoutError("It took too long.", phase="headers")
    with pytest.raises(GatewayTimeoutError) as caught:
        await Catalog(lists).refresh(KEY)
    assert caught.value.message == "The list of models can't be read. It took too long."


@pytest.mark.parametrize("kind", [InvalidKeyError, ForbiddenError, GatewayError])
async def test_what_speaks_for_itself_stays_as_it_is(lists: Lists, kind: type[GatewayError]) -> None:
    lists.models_error = kind("It is refused.", status=403)
    with pytest.raises(kind) as caught:
        await Catalog(lists).refresh(KEY)
    assert caught.value.message == "It is refused."


@pytest.mark.parametrize(("kind", "covers"), [(ForbiddenError, False), (InvalidKeyError, False), (GatewayError, True)])
async def test_an_older_list_covers_trouble_but_no_refusal(
    lists: Lists, clock: Clock, kind: type[GatewayError], *, covers: bool
) -> None:
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    clock.at += config.MODELS_FRESH
    lists.models_error = kind("It is refused.", status=403)
    if covers:
        assert (await catalog.refresh(KEY)).ids == ("a",)
        assert catalog.notes == ("The list of models may be out of date. It is refused.",)
    else:
        with pytest.raises(kind):
            await catalog.refresh(KEY)


async def test_a_model_outside_the_list_has_what_the_catalog_says(lists: Lists, clock: Clock) -> None:
    catalog = Catalog(lists, clock=clock)
    assert catalog.described("vertex/a").price.input is None
    await catalog.refresh(KEY)
    found = catalog.described(" Vertex/A ")
    assert (found.id, found.price.input, found.price.output) == ("vertex/a", Decimal(2), Decimal(6))
    unknown = catalog.described("nowhere")
    assert (unknown.id, unknown.price.input) == ("nowhere", None)
    assert catalog.billed("x", " VERTEX/A-latest ") == found
    assert catalog.billed("x", "a-2025-1-1") is None
    assert catalog.billed(" P/Nowhere ", "nowhere-20250101") is None
    lists.public = [CatalogModel(id=" Odd/Id ", input_price=Decimal(3))]
    await catalog.refresh(KEY, force=True)
    assert catalog.described("odd/id").price.input == 3


async def test_signing_out_keeps_the_public_catalog_and_what_is_known_of_it(lists: Lists, clock: Clock) -> None:
    lists.catalog_error = UnreachableError("No connection.")
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    catalog.forget()
    assert catalog.notes == (f"The public catalog could not be read. No connection. {MISSING}",)
    await catalog.refresh(KEY)
    assert lists.asked.count("catalog") == 1  # not tried again so soon
    lists.catalog_error = None
    await catalog.refresh(KEY, force=True)
    catalog.forget()
    assert catalog.described("vertex/a").price.input == 2
    assert catalog.notes == ()


async def test_another_router_starts_empty_and_all_are_told(lists: Lists, clock: Clock, tmp_path: Path) -> None:
    heard: list[tuple[str, ...]] = []
    old, new = (CatalogCache(name, tmp_path, now=clock) for name in ("old.example", "new.example"))
    new.save(Copy((FALLBACK,), clock.at))
    catalog = Catalog(lists, old, clock=clock)
    await catalog.refresh(KEY)
    remove = catalog.on_change(lambda: heard.append(catalog.models.ids))
    catalog.move(new)
    assert heard == [()]
    assert (catalog.models.ids, catalog.listed_at, catalog.is_fresh) == ((), None, False)
    lists.asked.clear()
    await catalog.refresh(KEY)
    assert lists.asked == ["models"]  # the new router's catalog was on disk
    assert catalog.described("vertex/a").price.input == 2
    assert catalog.described("a").price.input is None
    remove()
    catalog.move(None)
    assert heard == [(), ("a",)]
    await catalog.refresh(KEY)
    assert sorted(lists.asked) == ["catalog", "models", "models"]


async def test_a_long_list_is_joined_all_the_same(lists: Lists, clock: Clock) -> None:
    lists.reachable[KEY] = [f"m{n}" for n in range(2_001)]
    lists.public = [CatalogModel(id="m2000", input_price=Decimal(7))]
    models = await Catalog(lists, clock=clock).refresh(KEY)
    assert len(models) == 2_001
    assert models["m2000"].price.input == 7


async def test_a_forced_refresh_of_the_same_key_is_another_than_one_that_isnt(lists: Lists, clock: Clock) -> None:
    catalog = Catalog(lists, clock=clock)
    await catalog.refresh(KEY)
    lists.reachable[KEY] = ["a", "c"]
    assert (await catalog.refresh(KEY)).ids == ("a",)
    assert (await catalog.refresh(KEY, force=True)).ids == ("a", "c")
    assert catalog.models.ids == ("a", "c")
    assert (await catalog.refresh(OTHER_KEY)).ids == ("b",)
    assert (await catalog.refresh(KEY)).ids == ("a", "c")
    assert lists.asked.count("models") == 4


async def test_two_refreshes_that_end_in_turn_both_count(lists: Lists, clock: Clock) -> None:
    catalog, heard = Catalog(lists, clock=clock), []
    catalog.on_change(lambda: heard.append(catalog.models.ids))
    lists.gate.clear()
    first = asyncio.create_task(catalog.refresh(KEY))
    await lists.until("catalog", "models")
    early, lists.gate = lists.gate, asyncio.Event()
    second = asyncio.create_task(catalog.refresh(OTHER_KEY))
    await lists.until("catalog", "catalog", "models", "models")
    early.set()
    await first
    assert catalog.models.ids == ("a",)
    lists.gate.set()
    await second
    assert catalog.models.ids == ("b",)
    assert heard == [("a",), ("b",)]


async def test_a_fresh_list_is_given_as_it_is(lists: Lists, clock: Clock) -> None:
    catalog = Catalog(lists, clock=clock)
    models = await catalog.refresh(KEY)
    assert await catalog.refresh(KEY) is models
    assert catalog.models is models


async def test_a_fetch_that_is_stopped_may_close_its_connection(lists: Lists, clock: Clock) -> None:
    closed: list[str] = []

    async def public() -> list[CatalogModel]:
        await lists.catalog()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(20):  # what closing takes
                await asyncio.sleep(0)
            closed.append("catalog")
        return []

    class Closing:
        """Two lists, of which one takes time to be closed."""

        async def models(self, key: Secret) -> list[WireModel]:
            await lists.until("catalog")
            raise InvalidKeyError("The key was refused.", status=401)

        async def catalog(self) -> list[CatalogModel]:
            return await public()

    with pytest.raises(InvalidKeyError):
        await Catalog(Closing(), clock=clock).refresh(KEY)
    assert closed == ["catalog"]


async def test_ids_of_a_key_that_has_signed_out_meanwhile_are_not_kept(
    lists: Lists, clock: Clock, tmp_path: Path
) -> None:
    catalog = Catalog(lists, kept(tmp_path, clock), clock=clock)
    lists.gate.clear()
    task = asyncio.create_task(catalog.refresh(KEY))
    await lists.until("catalog", "models")
    catalog.forget()
    catalog.forget_kept()
    lists.gate.set()
    assert (await task).ids == ("a",)
    assert kept(tmp_path, clock).ids().ids == ()
