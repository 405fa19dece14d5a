"""Records as a pandas DataFrame and as files; pandas is imported here and only when asked for."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import whole_files
from tetrate_jupyter.errors import ConfigError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from tetrate_jupyter.ledger.record import Record

# Column: (dtype, value). Names and dtypes are a promise; columns may be added at the end. Seconds end in _s.
COLUMNS: Final[dict[str, tuple[str, Callable[[Record], Any]]]] = {
    "time": ("datetime64[ns, UTC]", lambda r: r.t),
    "host": ("string", lambda r: r.host),
    "op": ("string", lambda r: r.op),
    "model_asked": ("string", lambda r: r.asked),
    "model": ("string", lambda r: r.served),
    "tokens_in": ("Int64", lambda r: r.tokens_in),
    "tokens_out": ("Int64", lambda r: r.out),
    "tokens_cached": ("Int64", lambda r: r.cached_in),
    "tokens_cache_write": ("Int64", lambda r: r.cache_write),
    "tokens_reasoning": ("Int64", lambda r: r.reasoning),
    "cost_usd": ("float64", lambda r: r.cost),
    "input_per_1m": ("float64", lambda r: r.price_in),
    "output_per_1m": ("float64", lambda r: r.price_out),
    "first_token_s": ("float64", lambda r: r.first),
    "total_s": ("float64", lambda r: r.total),
    "outcome": ("string", lambda r: r.outcome),
    "error": ("string", lambda r: r.error),
    "finish_reason": ("string", lambda r: r.finish),
    "request_id": ("string", lambda r: r.request_id),
    "notebook": ("string", lambda r: r.notebook),
    "cell": ("string", lambda r: r.cell),
    "kernel": ("string", lambda r: r.kernel),
    "label": ("string", lambda r: r.label),
    "run": ("string", lambda r: r.run),
    "row": ("Int64", lambda r: r.row),
    "call": ("string", lambda r: r.call),
    "request": ("int64", lambda r: r.n),
    "cached": ("bool", lambda r: r.cached),
    "simulated": ("bool", lambda r: r.simulated),
    "trace_id": ("string", lambda r: r.trace_id),
}


def to_frame(records: Sequence[Record]) -> pd.DataFrame:
    """Make the frame, the oldest first. Raises `ConfigError` where pandas isn't installed."""
    try:
        import pandas as pd
    except ImportError:
        raise ConfigError("A DataFrame needs pandas.", next_step="%pip install pandas") from None
    rows = sorted(records, key=lambda each: (each.t, each.call, each.n))

    def column(name: str, dtype: str, value: Callable[[Record], Any]) -> Any:  # noqa: ANN401 - pandas publishes no types here
        values = [value(each) for each in rows]
        if name == "time":
            return pd.Series(pd.to_datetime(values, unit="s", utc=True, errors="coerce"), dtype=dtype)
        if dtype == "float64":
            values = [float("nan") if each is None else float(each) for each in values]
        return pd.Series(values, dtype=dtype)

    frame: pd.DataFrame = pd.DataFrame({name: column(name, *rest) for name, rest in COLUMNS.items()})
    return frame


def save(records: Sequence[Record], name: str, kind: str) -> Path:
    """Write a file of one `kind` ("csv", "json", "parquet"), as a whole or not at all. Raises `OptionError`.

    Amounts are texts in JSON, where numbers aren't exact; what is unknown is null, and empty in CSV.
    """
    rows = sorted(records, key=lambda each: (each.t, each.call, each.n))
    try:
        return whole_files.written(whole_files.named(name), lambda beside: _WRITERS[kind](rows, beside))
    except OSError as failed:
        problem, next_step = whole_files.reason(failed), "choose a folder you may write to"
    except ImportError:
        raise OptionError("Parquet needs pyarrow; nothing was written.", next_step="%pip install pyarrow") from None
    except Exception as foreign:  # noqa: BLE001 - whatever pandas or pyarrow raise for what they can't write
        problem, next_step = type(foreign).__name__, "write --csv or --json"
    raise OptionError(f"{whole_files.shown(name)} can't be written: {problem}.", next_step=next_step)


def _plain(records: Sequence[Record]) -> list[dict[str, Any]]:
    return [
        {
            name: str(found) if isinstance(found := value(each), Decimal) else found
            for name, (_, value) in COLUMNS.items()
        }
        for each in records
    ]


def _json(records: Sequence[Record], path: Path) -> None:
    path.write_text(json.dumps(_plain(records), ensure_ascii=False, indent=0), encoding="utf-8", errors="replace")


def _csv(records: Sequence[Record], path: Path) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.DictWriter(file, list(COLUMNS))
        writer.writeheader()
        for row in _plain(records):
            texts = {name: whole_files.harmless(value) for name, value in row.items() if isinstance(value, str)}
            writer.writerow(row | texts)


def _parquet(records: Sequence[Record], path: Path) -> None:
    to_frame(records).to_parquet(path, index=False)


_WRITERS: Final[dict[str, Callable[[Sequence[Record], Path], None]]] = {"csv": _csv, "json": _json, "parquet": _parquet}
