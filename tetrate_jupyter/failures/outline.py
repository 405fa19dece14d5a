"""What a variable is, without what it holds: type and shape, of a table the names and types of its columns too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion import sheets
from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.completion.lookup import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS: Final = 40
_LABEL: Final = 60  # characters of a column's name
_TABLES: Final = ("pandas", "polars", "pyarrow")
_SIZED: Final[tuple[type[Any], ...]] = (list, tuple, set, frozenset, dict)
_SINGLE: Final[tuple[type[Any], ...]] = (bool, int, float, complex)
_ITEMS: Final = 20  # items of a list whose types are told


def outline(value: object) -> str:
    """Return what `value` is, in one line without any value: "DataFrame, 2,000 rows x 4 columns: region (str), ...".

    Runs no code of the value's own: of a class that isn't the library's, the name.
    """
    if value is None:
        return "None"
    for library in _TABLES:
        if is_own(value, library):
            try:
                return _table(value) or type_name(value)
            except Exception:  # noqa: BLE001 - a library's own object in an odd state: its type is enough
                return type_name(value)
    if is_a(value, "numpy", "ndarray") and is_own(value, "numpy"):
        return f"numpy array, shape {value.shape}, {value.dtype}"
    return _of_python(value) or type_name(value)


def type_name(value: object) -> str:
    """Return the name of a value's class, with the module where that isn't Python's own or the notebook."""
    kind = type(value)
    module, name = (str(type.__dict__[part].__get__(kind)) for part in ("__module__", "__qualname__"))
    told = name if module in {"builtins", "__main__"} else f"{module}.{name}"
    return one_line(told, MAX_NAME)


def _table(value: Any) -> str:  # noqa: ANN401 - of pandas, polars or pyarrow
    sheet = sheets.sheet(value)
    if sheet is None:
        if is_a(value, "pandas", "Index"):
            return f"pandas Index of {len(value):,}, {one_line(str(value.dtype), MAX_NAME)}"
        return ""
    name = type_name(value).rpartition(".")[2]
    if sheet.is_one:
        only = sheet.column(0)
        return f"{name} {one_line(only.label, _LABEL)!r} of {sheet.rows:,}, {one_line(only.dtype, MAX_NAME)}"
    shown = [sheet.column(number) for number in range(min(sheet.width, _COLUMNS))]
    columns = ", ".join(f"{one_line(c.label, _LABEL)!r} ({one_line(c.dtype, _LABEL)})" for c in shown)
    more = f" and {sheet.width - len(shown):,} more" if sheet.width > len(shown) else ""
    return f"{name}, {sheet.rows:,} rows x {sheet.width:,} columns: {columns}{more}"


def _of_python(value: Any) -> str:  # noqa: ANN401 - anything
    kind = type(value)
    if kind is str:
        return f"str of {len(value):,} characters"
    if kind in {bytes, bytearray}:
        return f"{kind.__name__} of {len(value):,}"
    if kind in _SIZED:
        kinds = _kinds(value if kind is not dict else value.values())
        return f"{kind.__name__} of {len(value):,}{f' ({kinds})' if kinds else ''}"
    return kind.__name__ if kind in _SINGLE else ""


def _kinds(values: Iterable[object]) -> str:
    found: dict[str, None] = {}
    for count, each in enumerate(values):
        if count == _ITEMS:
            found["..."] = None
            break
        found[type_name(each)] = None
    return ", ".join(list(found)[:5])
