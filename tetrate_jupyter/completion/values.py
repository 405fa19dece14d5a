"""Writing one value exactly: as the shortest text that reads back as the same value of its type."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import enum
import fractions
import math
import os
import struct
import sys
import uuid
from typing import TYPE_CHECKING, Any, Final, SupportsFloat

from tetrate_jupyter.completion.cuts import shortened
from tetrate_jupyter.completion.foreign import name_of
from tetrate_jupyter.completion.loaded import is_a

if TYPE_CHECKING:
    from collections.abc import Iterator

WHOLE_BELOW: Final = 1e16  # a whole float below this is written like an integer; above, repr's exponent form is exact
MISSING: Final = frozenset({"", "NaN", "nan", "None", "<NA>", "NaT", "null", "inf", "-inf"})  # strings that need quotes
_PLAIN: Final = (
    complex,
    decimal.Decimal,
    fractions.Fraction,
    dt.date,
    dt.time,
    dt.timedelta,
    uuid.UUID,
    os.PathLike,
)


class Float32(float):
    """A four-byte number that a library returned as Python's eight-byte float."""

    code = "f"


class Float16(Float32):
    """A two-byte number, likewise."""

    code = "e"


def number(value: Any) -> str:  # noqa: ANN401 - Python's float or numpy's of any width
    """Return a float as the shortest digits that read back as the same value of its width; no point if it is whole."""
    if value != value:  # noqa: PLR0124 - true for NaN only
        return "NaN"
    if value in {math.inf, -math.inf}:
        return "inf" if value > 0 else "-inf"
    wide = value if is_a(value, "numpy", "longdouble") else float(value)  # float16 can't be compared with 1e16
    if abs(wide) < WHOLE_BELOW and wide == int(wide):
        return "-0.0" if value == 0 and math.copysign(1, value) < 0 else str(int(wide))
    if isinstance(value, Float32):
        return _narrow(value)
    return float.__repr__(value) if isinstance(value, float) else str(value)


def _narrow(value: Float32) -> str:
    for digits in range(1, 10):
        text = f"{float(value):.{digits}g}"
        with contextlib.suppress(OverflowError):  # rounded up beyond the largest value
            if struct.unpack(value.code, struct.pack(value.code, float(text)))[0] == value:
                return text
    return float.__repr__(value)


def integer(value: int) -> str:
    """Return an integer as text; for one that Python refuses to convert, its size."""
    try:
        return str(int(value))
    except ValueError:
        return f"[an integer of {value.bit_length():,} bits]"


def is_number(value: object) -> bool:
    """Whether `value` is an int or a float of any width, but not a bool or an enum member."""
    if isinstance(value, (enum.Enum, bool)) or is_a(value, "numpy", "bool_"):
        return False
    if isinstance(value, (int, float)) or is_a(value, "numpy", "integer") or is_a(value, "numpy", "floating"):
        return not is_a(value, "numpy", "timedelta64")  # numpy counts these among its integers
    return False


def scalar(value: object) -> str | None:
    """Return a scalar as exact text; None for strings, containers and objects."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, enum.Enum):
        return None
    if is_number(value):
        is_whole = isinstance(value, int) or is_a(value, "numpy", "integer")
        return integer(int(value)) if is_whole else number(value)  # type: ignore[call-overload]  # `is_number` has checked
    if isinstance(value, _PLAIN):
        return str(value)
    if is_a(value, "numpy", "generic"):
        return None if isinstance(value, (str, bytes)) or is_a(value, "numpy", "void") else str(value)
    return _of_pandas(value)


def _of_pandas(value: object) -> str | None:
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    if value is getattr(pandas, "NA", value) or value is getattr(pandas, "NaT", value):
        return str(value)
    if is_a(value, "pandas", "Interval"):
        opening, closing = "[" if value.closed_left else "(", "]" if value.closed_right else ")"
        return f"{opening}{scalar(value.left)}, {scalar(value.right)}{closing}"
    return str(value) if is_a(value, "pandas", "Period") or is_a(value, "pandas", "DateOffset") else None


# --- objects -------------------------------------------------------------------------------------------------


def short_repr(value: object, limit: int = 200) -> str:
    """Return the repr, cut to `limit` characters; where it raises, the names of the class and of the error."""
    try:
        with exact_reprs():
            text = repr(value)
    except Exception as error:  # noqa: BLE001 - a person's __repr__ may raise anything
        return f"<{name_of(value)}, whose repr raised {name_of(error)}>"
    return shortened(text, limit)


@contextlib.contextmanager
def exact_reprs() -> Iterator[None]:
    """Make numpy and pandas, if they are imported, write all digits in the reprs of other objects."""
    with contextlib.ExitStack() as stack:
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if numpy is not None and hasattr(numpy, "printoptions"):
            stack.enter_context(numpy.printoptions(floatmode="unique", suppress=False))
        if pandas is not None and hasattr(pandas, "option_context"):
            stack.enter_context(pandas.option_context("display.float_format", _padded))
        yield


def _padded(value: SupportsFloat) -> str:
    return number(value)
