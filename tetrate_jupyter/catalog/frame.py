"""Models as a pandas DataFrame; pandas is imported only when one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    import pandas as pd

    from tetrate_jupyter.types import Model

# Column: (dtype, value). Names and dtypes are stable; columns may be added at the end.
COLUMNS: Final[dict[str, tuple[str, Callable[[Model], Any]]]] = {
    "id": ("string", lambda m: m.id),
    "name": ("string", lambda m: m.name),
    "provider": ("string", lambda m: m.provider),
    "mode": ("string", lambda m: m.mode),
    "context_window": ("Int64", lambda m: m.context_window),
    "max_output_tokens": ("Int64", lambda m: m.max_output_tokens),
    "images": ("boolean", lambda m: m.images),
    "tools": ("boolean", lambda m: m.tools),
    "reasoning": ("boolean", lambda m: m.reasoning),
    "structured_output": ("boolean", lambda m: m.structured_output),
    "input_per_1m": ("float64", lambda m: _float(m.price.input)),
    "output_per_1m": ("float64", lambda m: _float(m.price.output)),
    "cached_per_1m": ("float64", lambda m: _float(m.price.cache_read)),
    "cache_write_per_1m": ("float64", lambda m: _float(m.price.cache_write)),
    "long_context_threshold": ("Int64", lambda m: m.long_context_threshold),
    "deprecated": ("bool", lambda m: m.deprecated),
    "preview": ("bool", lambda m: m.preview),
    "release_date": ("datetime64[ns]", lambda m: m.release_date),
    "retirement_date": ("datetime64[ns]", lambda m: m.retirement_date),
}


def to_frame(models: Sequence[Model]) -> pd.DataFrame:
    """Return the models as a DataFrame. Raises `ConfigError` where pandas isn't installed."""
    try:
        import pandas as pd
    except ImportError:
        raise ConfigError("A DataFrame needs pandas.", next_step="%pip install pandas") from None
    frame: pd.DataFrame = pd.DataFrame(
        {name: pd.Series([value(m) for m in models], dtype=dtype) for name, (dtype, value) in COLUMNS.items()}
    )
    return frame


def _float(price: Decimal | None) -> float:
    return float("nan") if price is None else float(price)
