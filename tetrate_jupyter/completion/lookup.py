"""Following `.name` and `[key]` from a variable to a value, running no code but Python's own and that in `READABLE`."""

from __future__ import annotations

import array
import collections
import difflib
import enum
import functools
import re
import sys
import types
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

# Computed properties that may be read, since they have no side effects, by library and class. Only for values of the
# library's own classes: a subclass may have replaced any of them by its own code.
_DAY: Final = "year month day"
_TIME: Final = "hour minute second microsecond nanosecond tzinfo tz"
_TABLE: Final = "shape size ndim empty"
READABLE: Final[dict[str, dict[str, str]]] = {
    "pandas": {
        "DataFrame": f"{_TABLE} columns index dtypes",
        "Series": f"{_TABLE} index dtype name",
        "Index": f"{_TABLE} dtype name names nlevels",
        "Timestamp": f"{_DAY} {_TIME}",
        "Timedelta": "days seconds microseconds nanoseconds",
    },
    "numpy": {
        "ndarray": "shape size ndim dtype itemsize nbytes strides",
        "generic": "shape size ndim dtype itemsize nbytes real imag",
        "dtype": "name kind char itemsize names",
    },
    "polars": {"DataFrame": "shape height width columns dtypes schema", "Series": "shape dtype name"},
    "pyarrow": {"Table": "num_rows num_columns column_names shape schema nbytes", "ChunkedArray": "type nbytes"},
    "PIL.Image": {"Image": "size width height mode"},
    "pathlib": {"PurePath": "name stem suffix suffixes parent parts anchor root drive"},
    "datetime": {
        "date": _DAY,
        "datetime": f"{_DAY} {_TIME} fold",
        "time": f"{_TIME} fold",
        "timedelta": "days seconds microseconds",
    },
    "decimal": {"Decimal": "real imag"},
    "fractions": {"Fraction": "numerator denominator"},
    "uuid": {"UUID": "hex int urn version variant fields"},
    "ipaddress": {"_IPAddressBase": "compressed exploded version"},
    "builtins": {"complex": "real imag", "int": "real imag numerator denominator", "float": "real imag"}
    | {"slice": "start stop step", "range": "start stop step", "BaseException": "args"},
}
_IN_C: Final = frozenset({"builtins", "datetime", "decimal"})  # their attributes are read by C code alone
_INDEXED: Final = {  # libraries' own classes whose indexing has no side effects
    "pandas": ("DataFrame", "Series", "Index"),
    "numpy": ("ndarray", "void"),
    "polars": ("DataFrame", "Series"),
    "pyarrow": ("Table", "ChunkedArray"),
    "re": ("Match",),
    "sqlite3": ("Row",),
}
_CONTAINERS: Final[tuple[type[Any], ...]] = (
    *(dict, list, tuple, str, range, bytes, bytearray, collections.deque, array.array),
)
_FUNCTIONS: Final = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)
_LIBRARY_FUNCTIONS: Final = frozenset(
    {"ufunc", "_ArrayFunctionDispatcher", "cython_function_or_method"}
)  # numpy's, C's
_FIELD: Final = type(vars(collections.namedtuple("_", "x"))["x"])  # noqa: PYI024 - the type of a namedtuple's fields
STEP: Final = r"""\.[^\W\d]\w*|\[(?:-?\d{1,9}|'[^'\n]{0,200}'|"[^"\n]{0,200}")\]"""  # .name, [0], ['key']
_STEP = re.compile(STEP)


def follow(value: object, chain: str, whole: str) -> object:
    """Return the value that `chain` (".attribute", "[0]", "['key']", in sequence) leads to from `value`.

    `whole` is the expression as typed, for errors. It reads instance attributes, slots, fields of a namedtuple, plain
    class attributes, columns of a DataFrame, items of Python's own containers (never by a subclass's method), and some
    libraries' properties without side effects (`READABLE`). No other property, descriptor, accessor, `__getattr__`,
    `__getitem__` or `__missing__` is run. Raises `AttachmentError`, which names what exists, and `SecretInPromptError`
    for a part of a key.
    """
    for step in _STEP.findall(chain):
        if _is(value, Secret):
            raise SecretInPromptError(f"{{{whole}}} is part of an API key.", next_step="remove it from the prompt")
        value = _attribute(value, step[1:], whole) if step[0] == "." else _item(value, step[1:-1], whole)
        if not is_variable(value):
            raise _refusal(whole, f"is a {_name(value)}; nothing is called", "use a variable for its result")
    return value


def is_variable(value: object) -> bool:
    """Whether `value` is data: not a module, function or class, nor IPython's `exit` and `quit`."""
    if _is(value, type, types.ModuleType, types.GenericAlias, *_FUNCTIONS):
        return False
    return _name(value) not in _LIBRARY_FUNCTIONS and _module(type(value)) != "IPython.core.autocall"


# --- looking without running code ----------------------------------------------------------------------------
# `isinstance`, `hasattr` and `type(x).__name__` may run code of the value (`__class__`, `__getattr__`) or its
# metaclass.


def _is(value: object, *kinds: type) -> bool:
    return any(kind in kinds for kind in _mro(type(value)))


def _mro(kind: type) -> tuple[type, ...]:
    found: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return found


def _own(kind: type) -> types.MappingProxyType[str, Any]:
    found: types.MappingProxyType[str, Any] = type.__dict__["__dict__"].__get__(kind)
    return found


def _name(value: object) -> str:
    return str(type.__dict__["__name__"].__get__(type(value)))


def _module(kind: type) -> str:
    return str(type.__dict__["__module__"].__get__(kind))


def _member(kind: type, name: str) -> Any:  # noqa: ANN401 - anything; None where there is none
    return next((_own(each)[name] for each in _mro(kind) if name in _own(each)), None)


def _held(value: object) -> dict[str, Any]:
    """Return the instance's `__dict__`, {} where there is none or its class has replaced it."""
    slot = _member(type(value), "__dict__")
    found = slot.__get__(value) if type(slot) in {types.GetSetDescriptorType, types.MemberDescriptorType} else None
    return found if type(found) is dict else {}


def _static(value: object, name: str) -> Any:  # noqa: ANN401 - anything
    """Like `inspect.getattr_static`, but without running code of a metaclass. Raises `AttributeError`."""
    held = _held(value)
    is_in_class = any(name in _own(each) for each in _mro(type(value)))
    in_class = _member(type(value), name)
    if name in held and not (is_in_class and _member(type(in_class), "__set__") is not None):
        return held[name]
    if not is_in_class:
        raise AttributeError(name)
    return in_class


def is_own(value: object, library: str) -> bool:
    """Whether the class of `value` is really one of this library's: the module that it names has it under its name."""
    home = _module(type(value))
    is_there = home in sys.modules and vars(sys.modules[home]).get(_name(value)) is type(value)
    return is_there and home.partition(".")[0] == library.partition(".")[0]


# --- attributes ----------------------------------------------------------------------------------------------


def _attribute(value: object, name: str, whole: str) -> object:
    if name.startswith("_"):
        raise _refusal(whole, f"uses the private name {name!r}", "put what you want to send into a variable")
    try:
        found = _static(value, name)
    except AttributeError:
        if _has_column(value, name):
            return _getitem(value, name)
        raise _missing_attribute(value, name, whole) from None
    if _is(value, enum.Enum) and found is _member(enum.Enum, name) and name in {"name", "value"}:
        return _static(value, f"_{name}_")
    if type(found) in {types.MemberDescriptorType, _FIELD} or _only_looks(value, name, found):
        return _read(value, name, whole)
    if not _is(found, staticmethod, classmethod, *_FUNCTIONS) and _member(type(found), "__get__") is None:
        return found
    if _has_column(value, name):
        return _getitem(value, name)
    if _is(found, staticmethod, classmethod, *_FUNCTIONS):
        raise _refusal(whole, "is a method; nothing is called", f"result = {whole}(), then {{result}}")
    # a property, an accessor or another descriptor that runs code
    raise _refusal(whole, "is computed when it is read; no code is run", f"result = {whole}, then {{result}}")


def _only_looks(value: object, name: str, found: object) -> bool:
    """Whether a descriptor is in `READABLE`, for a value of the library's own class, or is this package's own."""
    for module, kinds in READABLE.items():
        for kind, names in kinds.items():
            if name not in names.split() or not is_a(value, module, kind):
                continue
            if is_own(value, module):
                return True
            if type(found) is types.GetSetDescriptorType and module in _IN_C:  # on a person's subclass, too
                return _member(vars(sys.modules[module])[kind], name) is found
    return _is_ours(value) and _is(found, property, functools.cached_property)


def _is_ours(value: object) -> bool:
    return is_own(value, "tetrate_jupyter")


def _read(value: object, name: str, whole: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except Exception as error:  # an unset slot, or a library's property that fails
        raise _refusal(whole, f"can't be read ({type(error).__name__})", "check the value in a cell first") from error


def _has_column(value: object, name: str) -> bool:
    return _is_frame(value) and name in _columns(value)


def _is_frame(value: object) -> bool:
    return is_a(value, "pandas", "DataFrame") and is_own(value, "pandas")


def _columns(frame: Any) -> Any:  # noqa: ANN401 - a pandas Index
    return frame.columns


def _missing_attribute(value: object, name: str, whole: str) -> AttachmentError:
    if _is(value, dict) and dict.__contains__(value, name):  # type: ignore[operator]  # `_is` has checked it
        base = whole[: whole.rindex("." + name)]
        return _refusal(whole, f"is not an attribute; {name!r} is a key", f"{{{base}[{name!r}]}}")
    there = list(_columns(value)[:1_000]) if _is_frame(value) else []
    there += [n for n in names_of(value) if type(n) is str and not n.startswith("_")]
    return _refusal(whole, f"does not exist: {_name(value)} has no {name!r}", _offer("it has", name, there))


def names_of(value: object) -> list[str]:
    """Return the attribute names of `value` and its classes; `dir` may run the value's code."""
    found = list(_held(value))
    for kind in _mro(type(value)):
        found += list(_own(kind))
    return list(dict.fromkeys(found))


# --- items ---------------------------------------------------------------------------------------------------


def _item(value: object, key_text: str, whole: str) -> object:
    key = key_text[1:-1] if key_text[0] in "'\"" else int(key_text)
    base = _container(value)
    if base is None and not _is_indexed(value):
        step = f"result = {whole}, then {{result}}"
        if _member(type(value), "__getitem__") is None:
            step = f"it is a {_name(value)}; use {{name.attribute}}"
        raise _refusal(whole, f"can't be looked up: indexing a {_name(value)} may run code", step)
    try:
        if base is None:
            return _getitem(value, key)
        # `in` first: a defaultdict would run its factory and add the key.
        if base is dict and not dict.__contains__(value, key):  # type: ignore[operator]  # it is one
            raise _missing_key(value, key, whole)
        return base.__getitem__(value, key)
    except (LookupError, TypeError, ValueError):
        raise _missing_key(value, key, whole) from None


def _container(value: object) -> type[Any] | None:
    """Return Python's own container type whose indexing `value` has, None where its class overrides it."""
    method = _member(type(value), "__getitem__")
    return next((base for base in _CONTAINERS if _is(value, base) and method is _own(base)["__getitem__"]), None)


def _is_indexed(value: object) -> bool:
    if _is_ours(value):
        return _member(type(value), "__getitem__") is not None
    return any(is_own(value, module) and is_a(value, module, k) for module, kinds in _INDEXED.items() for k in kinds)


def _getitem(value: Any, key: int | str) -> object:  # noqa: ANN401 - any container
    if isinstance(key, int) and is_a(value, "pandas", "Series"):
        return value.loc[key] if key in value.index else value.iloc[key]
    return value[key]


def _missing_key(value: Any, key: int | str, whole: str) -> AttachmentError:  # noqa: ANN401 - any container
    what = f"does not exist: there is no {key!r}"
    if _is_frame(value):
        return _refusal(whole, what, _offer("there are", key, islice(_columns(value), 1_000)))
    base = _container(value)
    if base is dict:
        return _refusal(whole, what, _offer("there are", key, islice(dict.__iter__(value), 1_000)))
    if base is not None or is_a(value, "pandas", "Series") or is_a(value, "numpy", "ndarray"):
        count = len(value) if base is None else base.__len__(value)
        where = f"it has {count:,} items, 0 to {count - 1:,}" if count else "it is empty"
        return _refusal(whole, what, where)
    return _refusal(whole, what, "check the value in a cell first")


# --- errors --------------------------------------------------------------------------------------------------


def _offer(intro: str, wanted: object, there: Iterable[Any]) -> str:
    """Return a list of existing names, similar ones first; only plain keys, since the repr of others may run code."""
    plain = [n for n in there if type(n) in {str, int, float, bool}]
    names = [n if isinstance(n, str) and isinstance(wanted, str) and n.isidentifier() else repr(n) for n in plain]
    near = difflib.get_close_matches(str(wanted), names, n=3, cutoff=0.6)
    shown = list(dict.fromkeys([*near, *names]))[:8]
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    return f"{intro} {', '.join(name[:60] for name in shown)}{more}" if shown else "it has none"


def _refusal(whole: str, what: str, step: str) -> AttachmentError:
    return AttachmentError(
        f"{{{whole}}} in the prompt {what}.", next_step=f"{step} (to send it as typed: {{{{{whole}}}}})"
    )
