"""Describing a Python value as bounded text, for a model, which sees nothing else of it."""

from __future__ import annotations

import enum
import sys
from dataclasses import replace
from itertools import islice
from typing import Final

from tetrate_jupyter.catalog.estimate import crowded_tokens
from tetrate_jupyter.completion import arrays, nested, sheets, tables
from tetrate_jupyter.completion.cuts import USUAL, Described, Limits
from tetrate_jupyter.completion.foreign import name_of
from tetrate_jupyter.completion.images import is_image, media_type
from tetrate_jupyter.completion.loaded import is_a, is_array
from tetrate_jupyter.completion.values import exact_reprs, scalar, short_repr
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError, TetrateError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut

_ATTRIBUTES: Final = 50  # attributes shown of an object without a repr of its own
_PART: Final = 40_000  # characters that tell how many tokens a value's text makes; more than the usual bounds
_TRIES: Final = 4
_AIM: Final = 0.98  # share of the tokens that is aimed at, and what is taken for all of them
_FULL: Final = 0.94


def described(value: object, name: str = "value", limits: Limits = USUAL) -> Described:
    """Return `value` as text for a prompt, and what the text leaves out of it.

    `name` is the person's name for it, for errors and cuts; `limits` says how much is sent. Text is unchanged; numbers,
    dates and paths are as Python writes them; dicts and lists are JSON of up to 20,000 characters; tables, Series and
    arrays of pandas, numpy, polars and Arrow are shape, types and first and last rows, up to 6,000 characters; an
    answer is its text; other objects are their class and repr. Numbers are never rounded. Raises `SecretInPromptError`
    for a key and `AttachmentError` for bytes.

    The only code of the object that runs is `__repr__`, `__str__` and a container's iteration. An object that raises
    there is named; what they return is cut; how long they take can't be bounded here.
    """
    try:
        return _described(value, name, limits)
    except (TetrateError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a person's class raises, SystemExit included
        text = f"[{name_of(value)} object: reading it raised {name_of(error)}]"
        return Described(text, (Cut(name, "values left out, since reading them raised an error", 1),))


def fitting(value: object, name: str, limits: Limits) -> Described:
    """Return `value` as `described` does, with as many rows as fit `limits.tokens`, where that is given.

    How many characters make a token differs by what a table holds: it is told from a part of it, then made smaller
    until it fits.
    """
    if limits.tokens is None:
        return described(value, name, limits)
    most = limits.room or 0
    room = min(most, _PART)
    found = described(value, name, replace(limits, room=room))
    if not found.cuts and len(found.text) > _PART:  # of a kind that is sent whole
        return found
    for _ in range(_TRIES):
        taken = crowded_tokens(found.text)
        is_full = room == most or taken > _FULL * limits.tokens or not any(cut.why for cut in found.cuts)
        if taken <= limits.tokens and is_full:
            return found
        room = min(most, round(max(room, len(found.text)) * _AIM * limits.tokens / max(1, taken)))
        found = described(value, name, replace(limits, room=room))
    if crowded_tokens(found.text) <= limits.tokens:
        return found
    return described(value, name, replace(limits, room=min(room, limits.tokens)))


def empty(value: object, name: str) -> tuple[Cut, ...]:
    """Return a cut that names a value that holds nothing, which a person is unlikely to have meant; () for others.

    Empty are None, blank text, and containers and tables without members. No code of the object runs.
    """
    kind = type(value)
    if value is None:
        return (Cut(name, "", 0, 0, why="None"),)
    if kind is str:
        return () if str(value).strip() else (Cut(name, "characters", 0, 0),)
    if kind in {list, tuple, dict, set, frozenset}:
        return () if value else (Cut(name, "members", 0, 0),)
    try:
        sheet = sheets.sheet(value)
        rows = sheet.rows if sheet is not None else None
        if is_a(value, "numpy", "ndarray"):
            rows = int(getattr(value, "size", 1))
    except Exception:  # noqa: BLE001 - another library's table may raise anything
        rows = None
    return (Cut(name, "rows", 0, 0),) if rows == 0 else ()


def _described(value: object, name: str, limits: Limits) -> Described:
    if isinstance(value, enum.Enum):
        return Described(f"{type(value).__name__}.{value.name}")
    if isinstance(value, str):
        return Described(str(value))
    if type(value) is float:
        return Described(float.__repr__(value))  # as an f-string has it
    if isinstance(value, Secret):
        raise SecretInPromptError(f"{name} holds an API key; nothing was sent.", next_step="remove it from the prompt")
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise _bytes(bytes(value[:16]), name)
    if is_image(value):
        return Described("[an image]")
    return _single(value, name) or _large(value, name, limits)


def _bytes(start: bytes, name: str) -> AttachmentError:
    step = f"pass it as an image: images=[{name}]" if media_type(start) else f'decode it first: {name}.decode("utf-8")'
    return AttachmentError(f"{name} is bytes, not text.", next_step=step)


def _single(value: object, name: str) -> Described | None:
    text = str(value) if is_a(value, "numpy", "dtype") else scalar(value)
    if text is None and is_a(value, "pyarrow", "Scalar"):
        arrow = sheets.arrow_values(_of_one(value))
        return described(arrow[0], name)
    if text is None:
        return None
    if text.startswith("[") and isinstance(value, int):  # too long to be written out
        return Described(text, (Cut(name, "number left out", 1),))
    return Described(text)


def _of_one(value: object) -> object:
    return sys.modules["pyarrow"].repeat(value, 1)


def _large(value: object, name: str, limits: Limits) -> Described:
    sheet = sheets.sheet(value)
    if sheet is not None:
        return tables.table(sheet, name, limits)
    if is_a(value, "pandas", "Index"):
        return tables.index(value, name, limits)
    if is_array(value):
        return arrays.array(value, name, limits)
    if nested.is_container(value) or is_a(value, "numpy", "void"):
        return nested.written(value, name, limits)
    if type(value).__module__.partition(".")[0] == "tetrate_jupyter" and isinstance(getattr(value, "text", None), str):
        return Described(str(getattr(value, "text", "")))
    return _object(value, name)


def _object(value: object, name: str) -> Described:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.").removeprefix("__main__.")
    if type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__"):
        return _attributes(value, kind, name)
    try:
        with exact_reprs():
            text = repr(value)
    except Exception as error:  # noqa: BLE001 - a person's __repr__ may raise anything
        text = f"[its repr raised {type(error).__name__}]"
    found = tables.cut(text, name)
    return Described(f"{kind} object: {found.text}", found.cuts)


def _attributes(value: object, kind: str, name: str) -> Described:
    public = [(key, each) for key, each in vars(value).items() if not key.startswith("_")]
    shown = [(key, short_repr(each)) for key, each in islice(public, _ATTRIBUTES)]
    cuts = [Cut(name, "attributes", len(shown), len(public))] if len(shown) < len(public) else []
    short = sum(text.endswith("…") for _, text in shown)
    cuts += [Cut(name, "attributes shortened", short)] if short else []
    found = tables.cut(f"{type(value).__name__}({', '.join(f'{key}={text}' for key, text in shown)})", name)
    return Described(f"{kind} object: {found.text}{nested.said(cuts)}", (*cuts, *found.cuts))
