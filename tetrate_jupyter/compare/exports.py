"""A comparison as the file that its name asks for: a table for other programs, or a page; JSON is `files`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.compare import files
from tetrate_jupyter.compare.frame import to_frame
from tetrate_jupyter.compare.page import html
from tetrate_jupyter.errors import ComparisonFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from tetrate_jupyter.compare.data import ResultData

_MOST_CELL: Final = 32_767  # characters; a spreadsheet's own limit


def save(result: ResultData, path: str | Path) -> Path:
    """Write the file. Raises `ComparisonFileError`, also for an ending that says none of these formats."""
    target = Path(path).expanduser()
    ending = target.suffix.lower()
    if ending in {"", ".json"}:
        return files.save(result, target)
    write = _WRITERS.get(ending)
    if write is None:
        raise ComparisonFileError(
            f"A comparison can't be saved as {ending!r}.",
            next_step=f"use one of: .json, {', '.join(_WRITERS)}; or take result.df and write it yourself",
        )
    missing = ""
    try:
        return files.written(target, lambda beside: write(result, beside))
    except ComparisonFileError:
        raise
    except ImportError:
        missing = "openpyxl" if ending == ".xlsx" else "pyarrow"
    except Exception as foreign:  # noqa: BLE001 - what a library can't write
        raise ComparisonFileError(
            f"{target.name} can't be written: {type(foreign).__name__}.", next_step="save as .csv or .json"
        ) from None
    raise ComparisonFileError(  # outside the handler: the library's advice names libraries by the dozen
        f"{ending} needs {missing}, which isn't installed; nothing was written.",
        next_step=f"%pip install {missing}, or save as .csv",
    )


def _csv(result: ResultData, path: Path) -> None:
    files.write_text(path, secrecy.redact(to_frame(result).to_csv(index=False)))


def _page(result: ResultData, path: Path) -> None:
    head = '<!doctype html><meta charset="utf-8"><title>Comparison</title>'
    files.write_text(path, f"{head}{html(result)}")


def _parquet(result: ResultData, path: Path) -> None:
    _without_keys(to_frame(result)).to_parquet(path, index=False)


def _xlsx(result: ResultData, path: Path) -> None:
    import pandas as pd

    frame = _without_keys(to_frame(result), most=_MOST_CELL)
    for name in frame.columns:  # a spreadsheet has no zones
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            frame[name] = frame[name].dt.tz_localize(None)
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        frame.to_excel(writer, index=False, sheet_name="comparison")
        for row in writer.sheets["comparison"].iter_rows():
            for cell in row:
                if cell.data_type == "f":  # an answer that begins with = is a text, not a formula
                    cell.data_type = "s"


def _without_keys(frame: pd.DataFrame, most: int | None = None) -> pd.DataFrame:
    def clean(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
        return secrecy.redact(value)[:most] if isinstance(value, str) else value

    found: pd.DataFrame = frame.copy()
    for name in found.columns:
        if str(found[name].dtype) in {"object", "string", "str"}:
            found[name] = found[name].map(clean, na_action="ignore").astype(found[name].dtype)
    return found


_WRITERS: Final[Mapping[str, Callable[[ResultData, Path], None]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
    ".html": _page,
}
