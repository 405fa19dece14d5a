"""One interface to tables of pandas, polars and Arrow, by column, with exact cells; imports none of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.completion.values import Float16, Float32, scalar

if TYPE_CHECKING:
    from collections.abc import Callable

Foreign: TypeAlias = Any  # a value of a library that isn't imported here
_POLARS: Final = ("DataFrame", "Series")
_ARROW: Final = ("Table", "RecordBatch", "Array", "ChunkedArray")
_NARROW: Final = {"Float32": Float32, "Float16": Float16, "float": Float32, "halffloat": Float16}


class SheetColumn(Protocol):
    """One column of a table, or its index."""

    label: str
    dtype: str

    def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
        """Return the exact values of the rows from `start` to `stop`, each `step`th."""
        ...

    def numbers(self, step: int = 1) -> tuple[Foreign, int] | None:
        """Return the numbers of every `step`th row as a numpy array, and how many are missing; None if not numeric."""
        ...


class Sheet(Protocol):
    """A table. `is_one`: a Series or the like, with a single column. `counts`: its index is 0, 1, 2 and so on."""

    title: str
    rows: int
    width: int
    is_one: bool
    counts: bool

    @property
    def index(self) -> SheetColumn | None:
        """The row labels, None for a table without any."""
        ...

    def column(self, number: int) -> SheetColumn:
        """Return the column with this number, from 0."""
        ...


def sheet(value: object) -> Sheet | None:
    """Return `value` as a table; None where it isn't one."""
    if is_a(value, "pandas", "DataFrame"):
        return _PandasFrame(value)
    if is_a(value, "pandas", "Series"):
        return _PandasSeries(value)
    for library, names, make in (("polars", _POLARS, _PolarsColumn), ("pyarrow", _ARROW, _ArrowColumn)):
        if any(is_a(value, library, name) for name in names):
            return _Other(value, make)
    return None


def label(value: object) -> str:
    """Return a column's or row's label as text, with all its levels."""
    if isinstance(value, tuple):
        return " / ".join(label(part) for part in value)
    text = None if isinstance(value, str) else scalar(value)
    return str(value) if text is None else text


# --- pandas --------------------------------------------------------------------------------------------------


class _PandasColumn:
    def __init__(self, name: object, values: Foreign) -> None:
        self.label = label(name)
        self._values = values
        self.dtype = str(values.dtype)

    def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
        return _pandas_cells(self._values[start:stop:step].array)

    def numbers(self, step: int = 1) -> tuple[Foreign, int] | None:
        dtype = self._values.dtype
        is_sparse = type(dtype).__name__ == "SparseDtype"
        dtype = dtype.subtype if is_sparse else getattr(dtype, "numpy_dtype", dtype)  # of nullable and Arrow dtypes
        if getattr(dtype, "kind", "") not in "iuf" or not _is_known(self._values.dtype):
            return None
        part = self._values[::step]
        kept = part[~part.isna()] if part.hasnans else part
        return kept.to_numpy(dtype=dtype), len(part) - len(kept)


def _is_known(dtype: Foreign) -> bool:
    """Whether the dtype is numpy's or pandas', Arrow's included: another one's methods may be anybody's code."""
    return type(dtype).__module__.partition(".")[0] in {"numpy", "pandas"}


def _pandas_cells(array: Foreign) -> list[object]:
    if is_a(array, "pandas", "Categorical"):  # its own iteration widens four-byte floats
        codes = array.codes.tolist()
        missing = array.dtype.na_value
        known = dict(
            zip(found := sorted({c for c in codes if c >= 0}), array.categories.take(found).array, strict=True)
        )
        return [known.get(code, missing) for code in codes]
    if type(array).__name__ == "ArrowExtensionArray" and _is_known(array.dtype):
        missing = array.dtype.na_value
        return [missing if value is None else value for value in arrow_values(array.__arrow_array__())]
    return list(array)


class _PandasFrame:
    is_one = False

    def __init__(self, table: Foreign) -> None:
        self._table = table
        self.rows, self.width = table.shape
        self.counts = _counts(table.index)
        self.title = f"DataFrame: {self.rows:,} rows, {self.width:,} columns"

    @property
    def index(self) -> SheetColumn | None:
        return pandas_labels(self._table.index)

    def column(self, number: int) -> SheetColumn:
        values = self._table.iloc[:, number]
        return _PandasColumn(self._table.columns[number], _Placed(values))


class _PandasSeries:
    is_one = True
    width = 1

    def __init__(self, values: Foreign) -> None:
        self._column = _PandasColumn("values" if values.name is None else values.name, _Placed(values))
        self._index = values.index
        self.counts = _counts(values.index)
        self.rows = len(values)
        self.title = f"Series {self._column.label}: {self.rows:,} values, {self._column.dtype}"

    @property
    def index(self) -> SheetColumn | None:
        return pandas_labels(self._index)

    def column(self, number: int) -> SheetColumn:
        return self._column


class _Placed:
    """A Series that is read by position only."""

    def __init__(self, values: Foreign) -> None:
        self._values = values
        self.dtype = values.dtype

    def __getitem__(self, part: slice) -> Foreign:
        return self._values.iloc[part]


def _counts(labels: Foreign) -> bool:
    return type(labels).__name__ == "RangeIndex" and labels.start == 0 and labels.step == 1 and labels.name is None


def pandas_labels(labels: Foreign) -> SheetColumn:
    """Return an Index as a column; the levels of a label are joined."""
    if labels.nlevels > 1:
        return _Levels(labels)
    return _PandasColumn("index" if labels.name is None else labels.name, labels)


class _Levels:
    dtype = "MultiIndex"

    def __init__(self, labels: Foreign) -> None:
        names = [name for name in labels.names if name is not None]
        self.label = " / ".join(map(label, names)) if names else "index"
        self._labels = labels

    def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
        part = self._labels[start:stop:step]
        levels = [_pandas_cells(part.get_level_values(number).array) for number in range(part.nlevels)]
        return [" / ".join(map(label, row)) for row in zip(*levels, strict=True)]

    def numbers(self, step: int = 1) -> tuple[Foreign, int] | None:
        return None


# --- polars and Arrow ----------------------------------------------------------------------------------------


class _Other:
    """A table without row labels. A value without column names is itself the only column."""

    index = None
    counts = True

    def __init__(self, value: Foreign, make: type[_ForeignColumn]) -> None:
        self._value, self._make = value, make
        kind = f"{make.library} {type(value).__name__}"
        names = value.columns if is_a(value, "polars", "DataFrame") else None
        schema = getattr(value, "schema", None) if make is _ArrowColumn else None
        self._names: list[str] | None = (
            list(names or ()) if names is not None else None if schema is None else schema.names
        )
        self.rows = len(value) if self._names is None or make is _PolarsColumn else value.num_rows
        self.is_one = self._names is None
        if self._names is None:
            self.width = 1
            only = self.column(0)
            name = f" {only.label}" if only.label != "values" else ""
            self.title = f"{kind}{name}: {self.rows:,} values, {only.dtype}"
        else:
            self.width = len(self._names)
            self.title = f"{kind}: {self.rows:,} rows, {self.width:,} columns"

    def column(self, number: int) -> SheetColumn:
        if self._names is None:
            return self._make(getattr(self._value, "name", None) or "values", self._value)
        values = self._value.to_series(number) if self._make is _PolarsColumn else self._value.column(number)
        return self._make(self._names[number], values)


class _ForeignColumn:
    library = ""

    def __init__(self, name: object, values: Foreign) -> None:
        self.label = label(name)
        self._values = values
        self.dtype = ""

    def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
        raise NotImplementedError

    def numbers(self, step: int = 1) -> tuple[Foreign, int] | None:
        raise NotImplementedError


class _PolarsColumn(_ForeignColumn):
    library = "polars"

    def __init__(self, name: object, values: Foreign) -> None:
        super().__init__(name, values)
        self.dtype = str(values.dtype)

    def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
        return _polars_values(self._values[start:stop:step])

    def numbers(self, step: int = 1) -> tuple[Foreign, int] | None:
        if (
            not self.dtype.startswith(("Int", "UInt", "Float"))
            or self.dtype.endswith("128")
            or "numpy" not in sys.modules
        ):
            return None
        part = self._values[::step] if step > 1 else self._values
        return part.drop_nulls().to_numpy(), part.null_count()


def _polars_values(values: Foreign) -> list[object]:
    kind = str(values.dtype)
    if kind in _NARROW:
        return _each(_NARROW[kind], values.to_list())
    if kind.startswith("Datetime") and "'ns'" in kind:
        return list(values.cast(sys.modules["polars"].String).to_list())
    if kind == "Time" or (kind.startswith("Duration") and "'ns'" in kind):
        return _each(_clock if kind == "Time" else _nanoseconds, values.to_physical().to_list())
    if kind.startswith(("List(", "Array(")):
        return [None if member is None else _polars_values(member) for member in values]
    if kind.startswith("Struct("):
        names = values.struct.fields
        fields = [_polars_values(values.struct.field(name)) for name in names]
        return _records(names, fields, values.is_not_null().to_list())
    return _polars_cells(values, kind)


def _polars_cells(values: Foreign, kind: str) -> list[object]:
    try:
        return list(values.to_list())
    except Exception:  # noqa: BLE001 - one time beyond Python's years
        return [_polars_cell(values[place : place + 1], kind) for place in range(len(values))]


def _polars_cell(one: Foreign, kind: str) -> object:
    """Return the only value; where Python has none for it, its number and type as text."""
    try:
        return one.to_list()[0]
    except Exception:  # noqa: BLE001 - as above
        return f"{one.to_physical().to_list()[0]} of {kind}"


def _each(write: Callable[[Any], object], values: list[Any]) -> list[object]:
    return [None if value is None else write(value) for value in values]


def _records(names: list[str], fields: list[list[object]], valid: list[bool]) -> list[object]:
    rows = zip(*fields, strict=True) if fields else iter([()] * len(valid))
    return [dict(zip(names, row, strict=True)) if there else None for row, there in zip(rows, valid, strict=True)]


def _nanoseconds(value: int) -> str:
    return f"{value} ns"


def _clock(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


class _ArrowColumn(_ForeignColumn):
    library = "Arrow"

    def __init__(self, name: object, values: Foreign) -> None:
        super().__init__(name, values)
        self.dtype = str(values.type)

    def cells(self, start: int, stop: int, step: int = 1) -> list[object]:
        if step == 1:
            return arrow_values(self._values.slice(start, stop - start))
        return arrow_values(self._values.take(sys.modules["pyarrow"].array(range(start, stop, step))))

    def numbers(self, step: int = 1) -> tuple[Foreign, int] | None:
        if self.dtype not in _ARROW_NUMBERS or "numpy" not in sys.modules:
            return None
        values = self._values
        if step > 1:
            values = values.take(sys.modules["pyarrow"].array(range(0, len(values), step)))
        kept = values.drop_null()
        many = {} if is_a(kept, "pyarrow", "ChunkedArray") else {"zero_copy_only": False}
        return kept.to_numpy(**many), len(values) - len(kept)


_ARROW_LISTS: Final = ("list<", "large_list<", "fixed_size_list<", "list_view<", "large_list_view<")
_ARROW_NUMBERS: Final = frozenset(
    {*(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "halffloat", "float", "double"}
)


def arrow_values(values: Foreign) -> list[object]:
    """Return the exact values of an Arrow array, whose own conversion widens four-byte floats and drops nanoseconds."""
    if is_a(values, "pyarrow", "ChunkedArray"):
        return [value for chunk in values.chunks for value in arrow_values(chunk)]
    kind = str(values.type)
    if kind.startswith(("dictionary<", "extension<")):
        return arrow_values(values.dictionary_decode() if kind.startswith("d") else values.storage)
    if kind.startswith(_ARROW_LISTS):
        return [arrow_values(member.values) if member.is_valid else None for member in values]
    if kind.startswith("struct<"):
        names = [values.type.field(number).name for number in range(values.type.num_fields)]
        fields = [arrow_values(field) for field in values.flatten()]
        return _records(names, fields, values.is_valid().to_pylist())
    return _arrow_single(values, kind)


def _arrow_single(values: Foreign, kind: str) -> list[object]:
    if kind in _NARROW:
        return _each(_NARROW[kind], values.to_pylist())
    if kind == "time64[ns]" or kind.startswith("timestamp[ns"):
        return list(values.cast(sys.modules["pyarrow"].string()).to_pylist())
    if kind == "duration[ns]":
        return _each(_nanoseconds, values.cast(sys.modules["pyarrow"].int64()).to_pylist())
    try:
        return list(values.to_pylist())
    except Exception:  # noqa: BLE001 - one date beyond Python's years, or a time zone that isn't known here
        return [_arrow_cell(member) for member in values]


def _arrow_cell(member: Foreign) -> object:
    """Return one value; where Python has none for it, its number and unit as text."""
    try:
        return member.as_py()
    except Exception:  # noqa: BLE001 - as above
        return f"{member.value} of {member.type}"
