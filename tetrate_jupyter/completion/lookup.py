"""Follow `.name` and `[key]` from a variable to a value without running the person's code."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
import types
from collections.abc import Mapping, Sized
from itertools import islice
from typing import Any, Final, TypeGuard

from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.types import Secret

# Libraries whose properties and indexing only read: `df.shape`, `path.name`, `colour.value`, `answer.code`.
_READING_ONLY: Final = frozenset(
    {
        "PIL",
        "_collections",
        "collections",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "ipaddress",
        "numpy",
        "pandas",
        "pathlib",
        "polars",
        "tetrate_jupyter",
        "uuid",
    }
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
_SLOTS: Final = (types.MemberDescriptorType, types.GetSetDescriptorType)  # made by the interpreter, run no Python
STEP: Final = r"""\.[^\W\d]\w*|\[(?:-?\d{1,9}|'[^'\n]{0,200}'|"[^"\n]{0,200}")\]"""  # .name, [0], ['key']
_STEP = re.compile(STEP)


def follow(value: object, chain: str, whole: str) -> object:
    """Give what `chain` (".attribute", "[0]", "['key']", one after another) leads to from `value`.

    `whole` is the expression as typed, for errors. Attributes are looked up without calling anything of the person's:
    plain attributes and slots always, properties only of libraries known to just read. Raises `AttachmentError` that
    names what is there.
    """
    for step in _STEP.findall(chain):
        if isinstance(value, Secret):
            raise SecretInPromptError(f"{{{whole}}} is part of an API key.", next_step="take it out of the prompt")
        value = _attribute(value, step[1:], whole) if step[0] == "." else _item(value, step[1:-1], whole)
        if not is_variable(value):
            raise _refusal(whole, f"is a {type(value).__name__}; nothing is called", "use a variable for its result")
    return value


def is_variable(value: object) -> bool:
    """Whether `value` is data: not a module, function, class, nor IPython's own `exit` and `quit`."""
    if isinstance(value, (type, types.ModuleType, types.GenericAlias, *_FUNCTIONS)):
        return False
    return type(value).__name__ not in _LIBRARY_FUNCTIONS and type(value).__module__ != "IPython.core.autocall"


# --- attributes ----------------------------------------------------------------------------------------------


def _attribute(value: object, name: str, whole: str) -> object:
    if name.startswith("_"):
        raise _refusal(whole, f"uses the private name {name!r}", "put what you want to send into a variable")
    try:
        found = inspect.getattr_static(value, name)
    except AttributeError:
        if _has_column(value, name):
            return _getitem(value, name)
        raise _missing_attribute(value, name, whole) from None
    if isinstance(found, _SLOTS) or _is_reading_only(found):
        return _read(value, name, whole)
    if isinstance(found, (staticmethod, classmethod, *_FUNCTIONS)):
        if _has_column(value, name):
            return _getitem(value, name)
        raise _refusal(whole, "is a method; nothing is called", f"result = {whole}(), then {{result}}")
    if hasattr(type(found), "__get__"):  # a property or other descriptor with code of its own
        raise _refusal(whole, "is computed when it is read; no code is run", f"result = {whole}, then {{result}}")
    return found


def _is_reading_only(descriptor: object) -> bool:
    if not hasattr(type(descriptor), "__get__") or isinstance(descriptor, (staticmethod, classmethod, *_FUNCTIONS)):
        return False
    getter = getattr(descriptor, "fget", None) or getattr(descriptor, "func", None)
    home = getattr(getter, "__module__", None) or type(descriptor).__module__
    return str(home).partition(".")[0] in _READING_ONLY


def _read(value: object, name: str, whole: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except Exception as error:  # an empty slot, or a library's property that fails
        raise _refusal(whole, f"can't be read ({type(error).__name__})", "check the value in a cell first") from error


def _has_column(value: object, name: str) -> bool:
    return _is_frame(value) and name in value.columns


def _missing_attribute(value: object, name: str, whole: str) -> AttachmentError:
    if isinstance(value, Mapping) and name in value:
        base = whole[: whole.rindex("." + name)]
        return _refusal(whole, f"is not an attribute; {name!r} is a key", f"{{{base}[{name!r}]}}")
    there = [str(column) for column in value.columns[:1_000]] if _is_frame(value) else []
    with contextlib.suppress(Exception):  # only for the hint; a person's __dict__ may raise anything
        there += [n for n in object.__dir__(value) if not n.startswith("_")]
    return _refusal(whole, f"does not exist: {type(value).__name__} has no {name!r}", _offer("it has", name, there))


def _is_frame(value: object) -> TypeGuard[Any]:
    return is_a(value, "pandas", "DataFrame")


# --- items ---------------------------------------------------------------------------------------------------


def _item(value: object, key_text: str, whole: str) -> object:
    key = key_text[1:-1] if key_text[0] in "'\"" else int(key_text)
    if not _indexes_safely(value):
        step = f"result = {whole}, then {{result}}"
        if not hasattr(type(value), "__getitem__"):
            step = f"it is a {type(value).__name__}; use {{name.attribute}}"
        raise _refusal(whole, f"can't be looked up: indexing a {type(value).__name__} may run code", step)
    try:
        # `in` first for mappings: a defaultdict would run its factory and gain a key.
        if isinstance(value, Mapping) and key not in value:
            raise _missing_key(value, key, whole)
        return _getitem(value, key)
    except (LookupError, TypeError, ValueError):
        raise _missing_key(value, key, whole) from None


def _indexes_safely(value: object) -> bool:
    try:
        method = inspect.getattr_static(type(value), "__getitem__")
    except AttributeError:
        return False
    if isinstance(method, (types.WrapperDescriptorType, types.MethodDescriptorType)):
        return True
    return str(getattr(method, "__module__", "")).partition(".")[0] in _READING_ONLY


def _getitem(value: Any, key: int | str) -> object:  # noqa: ANN401 - any container
    if isinstance(key, int) and is_a(value, "pandas", "Series"):
        return value.loc[key] if key in value.index else value.iloc[key]
    return value[key]


def _missing_key(value: object, key: int | str, whole: str) -> AttachmentError:
    if _is_frame(value) or isinstance(value, Mapping):
        names = list(islice(value.columns if _is_frame(value) else value, 1_000))
        return _refusal(whole, f"does not exist: there is no {key!r}", _offer("there are", key, names))
    if isinstance(value, Sized):
        count = len(value)
        where = f"it has {count:,} items, 0 to {count - 1:,}" if count else "it is empty"
        return _refusal(whole, f"does not exist: there is no {key!r}", where)
    return _refusal(whole, f"does not exist: there is no {key!r}", "check the value in a cell first")


# --- errors --------------------------------------------------------------------------------------------------


def _offer(intro: str, wanted: object, there: list[Any]) -> str:
    """List what is there, the look-alikes first."""
    names = [n if isinstance(n, str) and isinstance(wanted, str) and n.isidentifier() else repr(n) for n in there]
    near = difflib.get_close_matches(str(wanted), names, n=3, cutoff=0.6)
    shown = list(dict.fromkeys([*near, *names]))[:8]
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    return f"{intro} {', '.join(name[:60] for name in shown)}{more}" if shown else "it has none"


def _refusal(whole: str, what: str, step: str) -> AttachmentError:
    return AttachmentError(
        f"{{{whole}}} in the prompt {what}.", next_step=f"{step} (to send it as typed: {{{{{whole}}}}})"
    )
