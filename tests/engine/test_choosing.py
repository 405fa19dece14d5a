"""A named model can be asked where the list of models is missing, broken or without it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.security.odd_router import KEY, OddRouter, odd_router
from tetrate_jupyter import config, errors
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import ODD_KINDS, Fault, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge

LISTS = [kind for kind in ODD_KINDS if kind.startswith("list-")]
NONE = {"html": "<html>no</html>", "empty object": "{}", "null": "null", "empty list": '{"data": []}', "text": "hello"}


@pytest.fixture
def odd() -> Iterator[OddRouter]:
    with odd_router() as made:
        yield made


@pytest.fixture
def asking(odd: OddRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=odd.base_url, key=KEY, data_dir=tmp_path, bridge=bridge)
    yield made
    made.close()


@pytest.mark.parametrize("kind", LISTS)
def test_each_odd_list_is_read(router: SandboxRouter, session: Session, kind: str) -> None:
    usual = set(session.models(refresh=True).ids)
    router.inject(Fault(kind))
    found = session.models(refresh=True)
    assert usual <= set(found.ids)
    for model in found:
        if "odd" in model.id:
            assert (model.price.input, model.price.output) == (None, None)


@pytest.mark.parametrize("items", ['["a", "b"]', '{"models": [{"name": "a"}, {"model": "b"}]}'])
def test_lists_of_names(odd: OddRouter, asking: Session, items: str) -> None:
    odd.models = items
    assert asking.models().ids == ("a", "b")


@pytest.mark.parametrize("body", NONE.values(), ids=NONE)
def test_a_named_model_is_asked_without_a_list(odd: OddRouter, asking: Session, body: str) -> None:
    odd.models = body
    answer = asking.ask("hi", model="my-model")
    assert (answer.text, answer.cost) == ("Hello.", None)
    assert odd.asked[-1]["model"] == "my-model"
    asking.choose("my-model")
    assert asking.ask("hi").text == "Hello."
    assert asking.compare("hi", "my-model, my-other").df["text"].tolist() == ["Hello.", "Hello."]


@pytest.mark.parametrize("body", ["{}", "<html>no</html>"])
def test_without_a_name_the_error_says_that_it_was_the_list(odd: OddRouter, asking: Session, body: str) -> None:
    odd.models = body
    with pytest.raises(errors.MalformedResponseError) as caught:
        asking.ask("hi")
    assert caught.value.message.startswith("The list of models can't be read.")
    assert "%tetrate_model ID" in caught.value.next_step


def test_an_unlisted_id_has_its_way(odd: OddRouter, asking: Session) -> None:
    with pytest.raises(errors.UnknownModelError) as caught:
        asking.ask("hi", model="hidden")
    assert "list of 1" in caught.value.message
    assert "'unlisted:hidden'" in caught.value.next_step
    assert asking.ask("hi", model="unlisted:hidden").text == "Hello."
    assert odd.asked[-1]["model"] == "hidden"
    asking.model = "unlisted:other"
    assert asking.model == "other"
    assert asking.ask("hi").text == "Hello."
    assert asking.compare("hi", ["unlisted:third", "good"]).df["model_asked"].tolist() == ["third", "good"]
    for wrong in ("unlisted:", "unlisted:\u202e"):
        with pytest.raises(errors.UnknownModelError):
            asking.model = wrong


def test_a_listed_id_may_be_written_so_too(asking: Session) -> None:
    asking.models()
    assert asking.choose("unlisted:GOOD").id == "good"


def test_a_foreign_host_never_has_the_services_prices_or_pages(bridge: Bridge, tmp_path: Path) -> None:
    from tetrate_jupyter.catalog.cache import CatalogCache

    foreign = Endpoints.of("https://gateway.example/v1")
    assert (foreign.keys_page, foreign.billing_page) == ("", "")
    assert not CatalogCache.of(foreign, tmp_path).public
    session = Session(base_url=foreign.base_url, key=KEY, data_dir=tmp_path, bridge=bridge)
    assert bridge.run(session._connections.catalog()) == []
    real = Endpoints.of("https://eu.router.tetrate.ai/v1")
    assert real.billing_page == "https://router.tetrate.ai/billing"
    assert CatalogCache.of(real, tmp_path).public


def test_a_server_on_this_machine_is_believed_once_it_shows_what_it_is(
    odd: OddRouter, asking: Session, router: SandboxRouter, session: Session
) -> None:
    odd.catalog = "<html>llama.cpp</html>"
    assert asking.models().ids == ("good",)
    assert asking.catalog.notes == ()  # it has no catalog: nothing to complain about
    assert asking.endpoints.keys_page == ""
    assert asking.status()["consent page"] == "none known for this address"
    with pytest.raises(errors.NotSignedInError):
        asking.bridge.run(asking.account.begin())
    session.models()
    assert session.endpoints.keys_page == f"{router.auth_url}/api-keys"


def test_the_catalog_of_a_server_on_this_machine_is_its_own(odd: OddRouter, asking: Session) -> None:
    odd.catalog = json.dumps(
        {"models": [{"model": "good", "inputTokensPricePer1M": "2", "outputTokensPricePer1M": "4"}]}
    )
    assert asking.models()[0].price.input == 2
    assert asking.endpoints.has_pages


def test_a_list_that_no_thread_can_fetch_beside_it_stops_no_question(session: Session) -> None:
    known = session.models()[0].id
    session.catalog._clock = lambda: time.monotonic() + config.MODELS_FRESH

    def no_threads(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    session.chooser._begin = no_threads
    assert session.ask("Say hello.", model=known).text
