"""Say in bounded text what a Python value is, for a reader who sees nothing else of it: a model."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import os
import reprlib
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tetrate_jupyter.completion import tables
from tetrate_jupyter.completion.images import is_image, media_type
from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.completion.tables import cut
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.types import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.types import JSON

MAX_JSON: Final = 20_000  # characters of a dict or list: it is the data itself, not a picture of it
_MAX_PARTS: Final = 5_000  # members of a dict or list that are looked at; more would not fit MAX_JSON anyway
_MAX_DEPTH: Final = 12
_ONE_LINE: Final = 100  # characters of JSON that stay on one line
_PLAIN: Final = (
    bool,
    float,
    complex,
    decimal.Decimal,
    fractions.Fraction,
    dt.date,
    dt.time,
    dt.timedelta,
    uuid.UUID,
    os.PathLike,
)


def describe(value: object, name: str = "value") -> str:
    """Give `value` as text for a prompt. `name` is what the person calls it, for errors.

    Text as it is; numbers, dates, paths as Python writes them; dicts and lists as JSON up to 20,000 characters;
    DataFrames, Series and arrays as shape, types and their first and last rows, up to 6,000 characters; an answer as
    its text; other objects as their class and repr. Whatever is left out is said to be. Raises `SecretInPromptError`
    for a key and `AttachmentError` for bytes, which are no text.

    The only code of an object's own that runs is what says what it is and holds: `__repr__`, `__str__`, a container's
    iteration. One that raises is named; what it gives is cut; how long it takes can't be bounded from here.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, _PLAIN):
        return str(value)
    if isinstance(value, Secret):
        raise _secret(name)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise _bytes(bytes(value[:16]), name)
    if is_image(value):
        return "[an image]"
    return _tabular(value) or _structured(value, name)


def _structured(value: object, name: str) -> str:
    if isinstance(value, int):
        return _integer(value)
    if _is_container(value):
        return _json(value, name)
    if type(value).__module__.startswith("tetrate_jupyter.") and isinstance(getattr(value, "text", None), str):
        return str(getattr(value, "text", ""))
    return _object(value)


def _secret(name: str) -> SecretInPromptError:
    return SecretInPromptError(f"{name} holds an API key; nothing was sent.", next_step="take it out of the prompt")


def _bytes(start: bytes, name: str) -> AttachmentError:
    step = f"give it as an image: images=[{name}]" if media_type(start) else f'decode it first: {name}.decode("utf-8")'
    return AttachmentError(f"{name} is bytes, which are no text.", next_step=step)


def _integer(value: int) -> str:
    try:
        return str(int(value))
    except ValueError:  # Python refuses to write out more than 4,300 digits
        return f"[an integer of {value.bit_length():,} bits]"


def _is_container(value: object) -> bool:
    return isinstance(value, (Mapping, AbstractSet, list, tuple, range)) or _class_name(value) == "collections.deque"


def _class_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


# --- dicts and lists -----------------------------------------------------------------------------------------


def _json(value: object, name: str) -> str:
    budget = _Budget(name)
    copy = budget.member(value)
    encoded = msgspec.json.encode(copy)
    is_flat = isinstance(copy, list) and not any(isinstance(member, (dict, list)) for member in copy)
    text = msgspec.json.format(encoded, indent=0 if is_flat or len(encoded) <= _ONE_LINE else 2).decode()
    if len(text) > MAX_JSON:
        return f"{text[:MAX_JSON]}\n[cut here: only the first {MAX_JSON:,} characters are shown]"
    return f"{text}\n[some members are left out: there are too many]" if budget.is_cut else text


class _Budget:
    """Copies a value as JSON takes it, looking at no more members than will be shown."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _MAX_PARTS
        self.is_cut = False

    def member(self, value: object, depth: int = 0) -> JSON:
        self._left -= 1
        if isinstance(value, str):
            return str(value[: MAX_JSON + 1])
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Secret):
            raise _secret(self._name)
        if isinstance(value, (int, float)) and not isinstance(value, enum.Enum):
            return self._number(value)
        if _is_container(value):
            return self._members(value, depth + 1)
        return self.member(value.item(), depth) if is_a(value, "numpy", "generic") else _one_line(value)

    def _number(self, value: float) -> JSON:
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**64 else _integer(value)
        return float(value) if value - value == 0 else str(value)  # JSON has no NaN or infinity

    def _members(self, value: Any, depth: int) -> JSON:  # noqa: ANN401 - any container
        if depth > _MAX_DEPTH:  # also where a value holds itself
            self.is_cut = True
            return "…"
        if isinstance(value, Mapping):
            return {_key(k): self.member(v, depth) for k, v in self._within(value, value.items())}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return {k: self.member(v, depth) for k, v in zip(value._fields, value, strict=False)}
        return [self.member(v, depth) for v in self._within(value, value)]

    def _within(self, value: Any, members: Any) -> list[Any]:  # noqa: ANN401 - any container
        shown = list(islice(members, max(self._left, 0)))
        self.is_cut = self.is_cut or len(shown) < len(value)
        return shown


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(_SHORT.repr(key) if isinstance(key, tuple) else _one_line(key))


# --- objects -------------------------------------------------------------------------------------------------

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 10


def _one_line(value: object) -> str:
    """Give a short text of a member of something larger."""
    if isinstance(value, (*_PLAIN, str)) and not isinstance(value, enum.Enum):
        return str(value)
    if _pandas_kind(value) is not None or is_a(value, "numpy", "ndarray"):
        return f"<{type(value).__name__} of shape {getattr(value, 'shape', '?')}>"
    return short_repr(value)


def short_repr(value: object, limit: int = 200) -> str:
    """Give the repr, at most `limit` characters long; a class that can't even do that is named."""
    try:
        text = _SHORT.repr(value)
    except Exception as error:  # noqa: BLE001 - a person's __repr__ may raise anything
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _object(value: object) -> str:
    kind = _class_name(value).removeprefix("builtins.").removeprefix("__main__.")
    if type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__"):
        shown = [f"{k}={short_repr(v)}" for k, v in islice(vars(value).items(), 50) if not k.startswith("_")]
        text = f"{type(value).__name__}({', '.join(shown)})"
    else:
        try:
            text = repr(value)
        except Exception as error:  # noqa: BLE001 - a person's __repr__ may raise anything
            text = f"[its repr raised {type(error).__name__}]"
    return f"{kind} object: {cut(text)}"


# --- tables and arrays, only of libraries that somebody has imported ------------------------------------------


_PANDAS: Final[dict[str, Callable[[Any], str]]] = {
    "DataFrame": tables.frame,
    "Series": tables.series,
    "Index": tables.index,
}


def _pandas_kind(value: object) -> str | None:
    return next((kind for kind in _PANDAS if is_a(value, "pandas", kind)), None)


def _tabular(value: object) -> str | None:
    kind = _pandas_kind(value)
    if kind is not None:
        return _PANDAS[kind](value)
    if is_a(value, "numpy", "ndarray"):
        return tables.array(value)
    return cut(str(value)) if is_a(value, "numpy", "generic") or is_a(value, "numpy", "dtype") else None
