"""Whatever a list of models, the public catalog, a status report or an answer's counts say, asking goes on."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.security.odd_router import BROKEN, KEY, ODD, OddRouter, odd_router
from tetrate_jupyter.catalog import join
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.http import wire
from tetrate_jupyter.widgets.dropdown import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.catalog.models import ModelList

MOST_TEXT = 3_000_000  # characters of any list of a thousand models
ACTS_OR_HIDES = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def members(kind: type[msgspec.Struct], parent: str = "") -> list[str]:
    """Every member of a wire struct under its name on the wire, those of the structs within after a dot."""
    found: list[str] = []
    for info in msgspec.structs.fields(kind):
        found.append(parent + info.encode_name)
        for inner in (wire.Modalities, wire.TokenLimits, wire.Metadata):
            if inner.__name__ in str(info.type):
                found += members(inner, f"{parent}{info.encode_name}.")
    return found


def entry(named: str, identity: str, member: str, value: str) -> str:
    """One entry as JSON text, everything in order but this member."""
    outer, _, inner = member.partition(".")
    odd = f'{{"{inner}": {value}}}' if inner else value
    return f'{{"{named}": {odd}}}' if outer == named else f'{{"{named}": "{identity}", "{outer}": {odd}}}'


def fill(router: OddRouter, values: dict[str, str]) -> None:
    """Put every value into every member of every list, an entry each, beside one entry that is as it should be."""
    listed, catalogued = (
        ['{"id": "good", "input_price": "0.000001", "output_price": "0.000005"}'],
        ['{"model": "good"}'],
    )
    for n, value in enumerate(values.values()):
        listed += [entry("id", f"m{n}-{k}", name, value) for k, name in enumerate(members(wire.WireModel))]
        for k, name in enumerate(members(wire.CatalogModel)):
            listed.append(f'{{"id": "c{n}-{k}"}}')
            catalogued.append(entry("model", f"c{n}-{k}", name, value))
    reports = ['{"name": "fine", "reachable": true, "failures": 1, "observed_requests": 7}']
    short = [value for value in values.values() if len(value) < 20_000]  # a report of megabytes is refused as a whole
    reports += [entry("name", "p", name, value) for name in members(wire.ProviderStatus) for value in short]
    wrong = list(values.values())
    router.models = f'{{"data": [{",".join([*listed, *wrong])}]}}'
    router.catalog = f'{{"models": [{",".join([*catalogued, *wrong])}], "totalPages": {wrong[0]}}}'
    router.status = f'{{"providers": [{",".join([*reports, *short])}], "replica": {short[0]}}}'


@pytest.fixture
def odd() -> Iterator[OddRouter]:
    with odd_router() as router:
        yield router


@pytest.fixture
def asking(odd: OddRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=odd.base_url, auth_url=odd.address, key=KEY, data_dir=tmp_path, bridge=bridge)
    yield made
    made.close()


def sane(models: ModelList) -> None:
    for model in models:
        price = model.price
        for each in (price.input, price.output, price.cache_read, price.cache_write):
            assert each is None or each == 0 or join.LEAST_PRICE <= each <= join.MOST_PRICE
            assert each is None or len(f"{each:f}") < 40
        for size in (model.context_window, model.max_output_tokens, model.long_context_threshold):
            assert size is None or 0 <= size <= join.MAX_SIZE
        texts = [model.id, model.name, model.provider or "", model.mode or "", model.description]
        texts += [*(model.capabilities or ()), *model.reasoning_efforts, *model.fallbacks]
        assert not any(ACTS_OR_HIDES.search(text) for text in texts)
        assert len("".join(texts)) < 30_000


@pytest.mark.heavy
@pytest.mark.parametrize("values", [ODD, BROKEN, {**BROKEN, **ODD}], ids=["odd", "broken", "both"])
@pytest.mark.timeout(300)
def test_every_odd_value_in_every_member_at_once(odd: OddRouter, asking: Session, values: dict[str, str]) -> None:
    fill(odd, values)
    models = asking.models()
    assert "good" in models
    assert len(models) > len(values) * len(members(wire.WireModel))  # an odd member hides no model
    sane(models)
    bundle = models._repr_mimebundle_()
    assert len(bundle["text/html"]) < MOST_TEXT
    assert len(bundle["text/plain"]) < MOST_TEXT
    assert not ACTS_OR_HIDES.search(bundle["text/plain"])
    assert len(models.df) == len(models)
    assert not ACTS_OR_HIDES.search(models.df.to_string())
    for by in ("id", "name", "provider", "context", "output", "price", "input price", "released", "retirement"):
        assert len(models.sorted(by)) == len(models)
    for words in ("*", "cheap", "free", "priced", "vision", "200k", "preview", "word", "\ud83d"):
        models.search(words)
    assert models.nearest("goood")[0] == "good"
    assert models.default() is not None

    report = asking.status()
    assert report["provider fine"] == "reachable; 1 of 7 requests failed"
    assert report["signed in"].startswith("yes")
    assert not ACTS_OR_HIDES.search(repr(report))
    assert len(repr(report)) < 100_000

    assert asking.ask("hello").text == "Hello."
    assert odd.asked[-1]["model"] == asking.model


@pytest.mark.heavy
@pytest.mark.parametrize("values", [ODD, BROKEN], ids=["odd", "broken"])
@pytest.mark.timeout(300)
def test_comparing_and_choosing_go_on(odd: OddRouter, asking: Session, values: dict[str, str]) -> None:
    fill(odd, values)
    odd.answer(usage='{"prompt_tokens": 3, "completion_tokens": 5}')
    models = asking.models()
    picker = asking.picker()
    picker._rows("view", 0, len(models))  # type: ignore[attr-defined]
    assert picker.fields()["count"] == len(models)  # type: ignore[attr-defined]
    rows: list[dict[str, Any]] = [item.fields for item in picker.items()]  # type: ignore[attr-defined]
    assert rows
    assert all(len(str(row)) < 30_000 for row in rows)
    for sort in ("provider", "price", "context", "name"):
        picker._find(sort=sort)  # type: ignore[attr-defined]
        assert picker.items()  # type: ignore[attr-defined]
    dropdown = asking.dropdown()
    assert len(dropdown.options) >= min(len(models), MOST)
    dropdown.close()
    picker.close()

    priced = [m for m in models if m.id.startswith(("m", "c"))]
    for at in range(0, len(priced), 200):
        result = asking.compare("hello", [m.id for m in priced[at : at + 200 : 5]])
        assert not result.failed
        assert not ACTS_OR_HIDES.search(repr(result))
        assert len(result.html) < MOST_TEXT
        assert len(result.df) == len(result.rows)
    assert asking.compare("hello").rows  # its own choice of neighbours


@pytest.mark.parametrize("what", ["prompt_tokens", "completion_tokens", "prompt_tokens_details", "whole"])
@pytest.mark.timeout(300)
def test_odd_counts_of_an_answer_are_unknown_and_never_an_absurd_cost(
    odd: OddRouter, asking: Session, what: str
) -> None:
    odd.models = '{"data": [{"id": "good", "input_price": "0.000001", "output_price": "0.000005"}]}'
    for name, value in {**ODD, **BROKEN}.items():
        usage = {"prompt_tokens": "3", "completion_tokens": "5", what: value}
        inside = f'{{"cached_tokens": {value}, "caching_tokens": {value}, "reasoning_tokens": {value}}}'
        if what == "prompt_tokens_details":
            usage |= {"prompt_tokens_details": inside, "completion_tokens_details": inside}
        text = "{" + ", ".join(f'"{k}": {v}' for k, v in usage.items()) + "}"
        odd.answer(usage=value if what == "whole" else text, model=value, id=value)
        answer = asking.ask("hello", keep=False)
        assert answer.text == "Hello.", name
        assert answer.cost is None or 0 <= answer.cost < 10_000, name
        assert len(answer.footer) < 1_000, name
        assert not ACTS_OR_HIDES.search(answer.footer + repr(answer) + answer.model), name
        answer.bundle()
    assert asking.ledger.total().calls == len(ODD) + len(BROKEN)
    assert (asking.ledger.total().cost or Decimal(0)) < 10**6
    assert "asked so far" in repr(asking.status())


def test_an_id_that_can_t_be_shown_as_it_is_sent_is_left_out_and_said_to_be(odd: OddRouter, asking: Session) -> None:
    odd.models = '{"data": [{"id": "good"}, {"id": "a\\u001b[31m"}, {"id": "b\\u200b"}, {"id": "%s"}]}' % ("x" * 10**6)
    assert asking.models().ids == ("good",)
    assert any("3 models are left out" in note for note in asking.catalog.notes)
    assert any("3 models are left out" in value for _, value in asking.status().facts)
    odd.models = '{"data": [{"id": "good"}]}'
    asking.models(refresh=True)
    assert not any("left out" in note for note in asking.catalog.notes)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ('"0.000003"', Decimal(3)),
        ("3e-6", Decimal(3)),
        ("0.000003", Decimal(3)),
        ('"0.0000000375"', Decimal("0.0375")),
        ('"0.25000000000000000000000000000000000000000e-6"', Decimal("0.25")),
        ("0", Decimal(0)),
        ('"0.000"', Decimal(0)),
        ('"1"', Decimal(1_000_000)),
        ('"1e-15"', Decimal("1e-9")),
        ('"1.0000001"', None),
        ('"9e-16"', None),
        ('"-0"', None),
        ('"0.0000030000000000000000000000001"', None),
        ("true", None),
        ('"1e4000"', None),
    ],
)
def test_a_price_is_exact_or_unknown(odd: OddRouter, asking: Session, text: str, price: Decimal | None) -> None:
    odd.models = f'{{"data": [{{"id": "good", "input_price": {text}}}]}}'
    assert asking.models()["good"].price.input == price
