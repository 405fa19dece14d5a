"""What a debugger shows of an error: the variables of all its frames, and what hangs on those."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_DEPTH = 7  # from a variable through attributes and members
_MANY = 200_000  # objects looked at for one error
_LEAVES = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType, int, float, complex)


def errors_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that hangs on it as cause or context, shown or not."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]


def frames_of(error: BaseException) -> Iterator[types.FrameType]:
    """Yield the frames of all tracebacks of an error, without those of tests and of what runs them."""
    for each in errors_of(error):
        trace = each.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename.replace("\\", "/")
            if "/tests/" not in file and "/_pytest/" not in file and "/pluggy/" not in file:
                yield trace.tb_frame
            trace = trace.tb_next


def leaks(error: BaseException, marker: str) -> list[str]:
    """Say where `marker` is: in a variable of a frame, or in what can be reached from one, or in the error itself."""
    search = _Search(marker)
    for each in errors_of(error):
        search.look(each.args, f"{type(each).__name__}.args", _DEPTH)
        search.look(vars(each), f"{type(each).__name__}", _DEPTH)
    for frame in frames_of(error):
        for name, value in frame.f_locals.items():
            search.look(value, f"{frame.f_code.co_qualname if hasattr(frame.f_code, 'co_qualname') else frame.f_code.co_name}: {name}", _DEPTH)  # fmt: skip # noqa: E501
    return search.found


class _Search:
    def __init__(self, marker: str) -> None:
        self._text, self._bytes = marker, marker.encode()
        self._seen: dict[int, object] = {}
        self.found: list[str] = []

    def look(self, value: Any, where: str, depth: int) -> None:
        if isinstance(value, str):
            self._note(self._text in value, where)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self._note(self._bytes in bytes(value), where)
        elif depth and not isinstance(value, _LEAVES) and id(value) not in self._seen and len(self._seen) < _MANY:
            self._seen[id(value)] = value
            self._note(self._text in _repr(value), where + " (repr)")
            for name, member in _members(value):
                self.look(member, f"{where}{name}", depth - 1)

    def _note(self, found: bool, where: str) -> None:
        if found:
            self.found.append(where)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - foreign
        return ""


def _items(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Return all items of a mapping that other threads may be changing (an event loop's selectors)."""
    while True:
        try:
            return list(mapping.items())
        except RuntimeError:  # it was changed meanwhile: read it again
            continue


def _members(value: Any) -> Iterable[tuple[str, object]]:
    if isinstance(value, types.CoroutineType):
        return [] if value.cr_frame is None else [(f".{n}", v) for n, v in value.cr_frame.f_locals.items()]
    if isinstance(value, types.MethodType):
        return [(".__self__", value.__self__)]
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for pair in _items(value) for key, part in ((pair[0], pair[1]), ("", pair[0]))]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(f"[{n}]", part) for n, part in enumerate(value)]
    named = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in {"__weakref__", "__dict__"} and hasattr(value, name):
                named[name] = getattr(value, name)
    return [(f".{name}", part) for name, part in named.items()]
