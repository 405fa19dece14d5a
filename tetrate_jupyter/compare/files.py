"""Comparisons as files, by the file name's extension: versioned JSON, which can be read again; a table; or a page.

A file is written whole or not at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter import secrecy, whole_files
from tetrate_jupyter.compare.cells import VOTES
from tetrate_jupyter.compare.data import Facts, ResultData
from tetrate_jupyter.compare.exports import to_frame
from tetrate_jupyter.compare.page import html
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.errors import ComparisonFileError
from tetrate_jupyter.front_end import streaming_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    import pandas as pd

T = TypeVar("T")

FORMAT: Final = "tetrate-comparison"
VERSION: Final = 1
_MOST: Final = 10**12  # dollars, tokens, seconds and repeats are all below this
_MOST_CELL: Final = 32_767  # characters; the limit of spreadsheets
_ALWAYS: Final = frozenset({"column", "prompt", "repeat", "state", "text", "cost"})  # members of each row


def save(result: ResultData, path: str | Path) -> Path:
    """Write the file and return its path. Raises `ComparisonFileError`, also for an extension that isn't supported."""
    target = _named(path, "written")
    ending = target.suffix.lower()
    if ending in {"", ".json"}:
        return _written(target, lambda beside: _json(result, beside))
    write = _WRITERS.get(ending)
    if write is None:
        raise ComparisonFileError(
            f"A comparison can't be saved as {ending!r}.",
            next_step=f"use one of: .json, {', '.join(_WRITERS)}; or take result.df and write it yourself",
        )
    missing = ""
    try:
        return _written(target, lambda beside: write(result, beside))
    except ComparisonFileError:
        raise
    except ImportError:
        missing = "openpyxl" if ending == ".xlsx" else "pyarrow"
    except Exception as foreign:  # noqa: BLE001 - whatever a library raises for what it can't write
        raise ComparisonFileError(
            f"{target.name} can't be written: {type(foreign).__name__}.", next_step="save as .csv or .json"
        ) from None
    raise ComparisonFileError(  # outside the handler: the library's own message names dozens of libraries
        f"{ending} needs {missing}, which isn't installed; nothing was written.",
        next_step=f"%pip install {missing}, or save as .csv",
    )


def _write_text(path: Path, text: str) -> None:
    """Write text as UTF-8; a lone surrogate becomes a question mark."""
    path.write_text(text, encoding="utf-8", errors="replace", newline="")


def _written(target: Path, write: Callable[[Path], object]) -> Path:
    """Have `write` fill a temporary file beside `target`, then rename it. Raises `ComparisonFileError`."""
    try:
        return whole_files.written(target, write)
    except OSError as problem:
        raise ComparisonFileError(
            f"{target.name} can't be written: {whole_files.reason(problem)}.",
            next_step="choose a folder that exists and that you can write to",
        ) from None


def _named(path: str | Path, what: str) -> Path:
    try:
        return whole_files.named(path)
    except OSError as problem:
        raise ComparisonFileError(
            f"{whole_files.shown(path)} can't be {what}: {whole_files.reason(problem)}.", next_step="name another file"
        ) from None


def _json(result: ResultData, path: Path) -> None:
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "comparison": _out(result.facts),
        "columns": [_out(h) for h in result.heads],
        "rows": [_out(r) for r in result.rows],
    }
    _write_text(path, secrecy.redact(json.dumps(whole, ensure_ascii=False, indent=1)))


def _csv(result: ResultData, path: Path) -> None:
    frame = _with_texts(to_frame(result), whole_files.harmless)
    _write_text(path, secrecy.redact(frame.to_csv(index=False)))


def _page(result: ResultData, path: Path) -> None:
    head = '<!doctype html><meta charset="utf-8"><title>Comparison</title>'
    _write_text(path, f"{head}{html(result, timed=streaming_wanted())}")


def _parquet(result: ResultData, path: Path) -> None:
    _with_texts(to_frame(result), secrecy.redact).to_parquet(path, index=False)


def _xlsx(result: ResultData, path: Path) -> None:
    import pandas as pd

    frame = _with_texts(to_frame(result), lambda text: secrecy.redact(text)[:_MOST_CELL])
    for name in frame.columns:  # spreadsheets have no time zones
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            frame[name] = frame[name].dt.tz_localize(None)
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        frame.to_excel(writer, index=False, sheet_name="comparison")
        for row in writer.sheets["comparison"].iter_rows():
            for cell in row:
                if cell.data_type == "f":  # an answer that begins with "=" is text, not a formula
                    cell.data_type = "s"


def _with_texts(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return a copy of the frame with every text changed."""

    def changed(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
        return change(value) if isinstance(value, str) else value

    found: pd.DataFrame = frame.copy()
    for name in found.columns:
        if str(found[name].dtype) in {"object", "string", "str"}:
            found[name] = found[name].map(changed, na_action="ignore").astype(found[name].dtype)
    return found


_WRITERS: Final[Mapping[str, Callable[[ResultData, Path], None]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
    ".html": _page,
}


# --- reading ----------------------------------------------------------------------------------------------------


def load(path: str | Path) -> ResultData:
    """Read a file that `save` wrote as JSON. Raises `ComparisonFileError`."""
    source = _named(path, "read")
    try:
        whole = json.loads(source.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ComparisonFileError(
            f"{source.name} can't be read: {whole_files.reason(problem)}.", next_step="check the path"
        ) from None
    except (ValueError, RecursionError):
        raise ComparisonFileError(
            f"{source.name} is truncated or isn't JSON.", next_step="save the comparison again, or use another copy"
        ) from None
    return read(whole, source.name)


def read(whole: Any, name: str) -> ResultData:  # noqa: ANN401 - JSON
    """Return the comparison in a file's JSON; `name` is shown in errors. Raises `ComparisonFileError`."""
    _check(whole, name)
    try:
        heads = [_in(Head, each) for each in whole["columns"]]
        result = ResultData(_in(Facts, whole["comparison"]), heads, [_in(Row, each) for each in whole["rows"]])
        _check_rows(result)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation):
        raise ComparisonFileError(
            f"{name} has parts missing.", next_step="save the comparison again, or use another copy"
        ) from None
    return result


def parts(result: ResultData, without: Collection[str]) -> dict[str, Any]:
    """Return a file's JSON; rows lack the members in `without`, and most of those that are empty."""
    whole = {"format": FORMAT, "version": VERSION, "comparison": _out(result.facts)}
    rows = [
        {name: value for name, value in _out(row).items() if (value or name in _ALWAYS) and name not in without}
        for row in result.rows
    ]
    return {**whole, "columns": [_out(h) for h in result.heads], "rows": rows}


def _check(whole: object, name: str) -> None:
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise ComparisonFileError(f"{name} isn't a saved comparison.", next_step="use a file that result.save() wrote")
    version = whole.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        raise ComparisonFileError(
            f"{name} is of version {version!r}; this package reads version {VERSION}.",
            next_step="%pip install --upgrade tetrate-jupyter" if newer else "save the comparison again",
        )


def _check_rows(result: ResultData) -> None:
    columns, prompts = {h.id for h in result.heads}, len(result.facts.prompts)
    if len(columns) < len(result.heads):
        raise ValueError("two columns with one id")
    if result.facts.typed is not None and prompts != 1:
        raise ValueError("one text for several prompts")
    for row in result.rows:
        if row.column not in columns or not 0 <= row.prompt < prompts:
            raise ValueError("a row without its column or prompt")
        if row.vote not in {None, *VOTES}:
            raise ValueError("an unknown vote")


def _out(value: Any) -> dict[str, Any]:  # noqa: ANN401 - one of ours
    found = asdict(value)
    for name, each in found.items():
        if isinstance(each, Decimal):
            found[name] = str(each)  # JSON isn't exact
        elif name == "params":
            found[name] = dict(each)
    return found


def _in(kind: type[T], given: dict[str, Any]) -> T:
    pairs = {name: [*value.items()] if name == "params" else value for name, value in given.items()}
    made = msgspec.convert(pairs, kind)
    for each in fields(kind):  # type: ignore[arg-type]  # each is a dataclass
        value = getattr(made, each.name)
        is_number = isinstance(value, (int, float, Decimal)) and each.name != "seed"  # of that any number is valid
        if is_number and not -_MOST < value < _MOST:  # NaN fails this, too
            raise ValueError(each.name)
    return made
