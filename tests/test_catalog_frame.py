"""The list as a DataFrame: stable names and dtypes, the unknown as missing."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.types import Model, Price

KNOWN = Model(
    id="a",
    name="A",
    provider="anthropic",
    mode="chat",
    context_window=200_000,
    max_output_tokens=64_000,
    price=Price(Decimal(1), Decimal(5), Decimal("0.1"), Decimal("1.25")),
    images=True,
    tools=True,
    reasoning=False,
    structured_output=True,
    long_context_threshold=100_000,
    retirement_date=date(2026, 12, 11),
    release_date=date(2025, 10, 1),
)
UNKNOWN = Model(id="b", name="B")

DTYPES = {
    "id": "string",
    "name": "string",
    "provider": "string",
    "mode": "string",
    "context_window": "Int64",
    "max_output_tokens": "Int64",
    "images": "boolean",
    "tools": "boolean",
    "reasoning": "boolean",
    "structured_output": "boolean",
    "input_per_1m": "float64",
    "output_per_1m": "float64",
    "cached_per_1m": "float64",
    "cache_write_per_1m": "float64",
    "long_context_threshold": "Int64",
    "deprecated": "bool",
    "preview": "bool",
    "release_date": "datetime64[ns]",
    "retirement_date": "datetime64[ns]",
}


@pytest.mark.parametrize("models", [ModelList([KNOWN, UNKNOWN]), ModelList([UNKNOWN]), ModelList()])
def test_names_and_dtypes_are_the_same_whatever_is_known(models: ModelList) -> None:
    assert {name: str(dtype) for name, dtype in models.df.dtypes.items()} == DTYPES
    assert len(models.df) == len(models)


def test_values_come_through_and_the_unknown_is_missing() -> None:
    known, unknown = (row for _, row in ModelList([KNOWN, UNKNOWN]).df.iterrows())
    assert (known["input_per_1m"], known["cached_per_1m"], known["context_window"]) == (1.0, 0.1, 200_000)
    assert known["retirement_date"].date() == date(2026, 12, 11)
    assert math.isnan(unknown["input_per_1m"])
    assert unknown.isna()[["provider", "context_window", "images", "retirement_date"]].all()


def test_without_pandas_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError) as caught:
        _ = ModelList([KNOWN]).df
    assert caught.value.next_step == "%pip install pandas"


def test_pandas_is_not_loaded_with_the_catalog() -> None:
    code = "import sys, tetrate_jupyter.catalog; assert 'pandas' not in sys.modules and 'httpx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
