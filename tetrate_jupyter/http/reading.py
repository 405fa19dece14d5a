"""Read JSON that nearly fits: a member that can't be read is left out of its object, an entry of its list; pure.

What comes may be broken in ways that `msgspec` refuses whole: half of a surrogate pair (a text that was cut), `NaN`,
brackets without end. Such a body is mended first.
"""

from __future__ import annotations

import contextlib
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

import msgspec

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T", bound=msgspec.Struct)

BOM: Final = b"\xef\xbb\xbf"
MAX_MENDED: Final = 8 * 2**20  # bytes; looking at each token of more would hold up other answers for seconds
MAX_TOKENS: Final = 2_000_000  # each takes about half a microsecond
MAX_DEPTH: Final = 100  # brackets within brackets; the API's own bodies have six
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)  # ValueError: bad UTF-8 included

# No group is repeated in it: each turn would be kept until the end, hundreds of bytes for a character of a long text.
_TOKEN = re.compile(
    rb"(?P<half>\\u(?:d[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|d[c-f][0-9a-f]{2}|(?![0-9a-f]{4})))"
    rb"|\\(?:ud[89ab][0-9a-f]{2}\\u[0-9a-f]{4}|.)"
    rb'|["\[\]{}]|-?\b(?:NaN|Infinity|inf|nan)\b',
    re.DOTALL | re.IGNORECASE,
)


def check_values(body: bytes | bytearray, most: int = config.MAX_JSON_VALUES) -> int:
    """Return about how many values there are; raise `msgspec.DecodeError` for more than `most`.

    More are neither made into objects nor looked at one by one.
    """
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > most:
        raise msgspec.DecodeError("more values than any list has")
    return values


def decode(body: bytes | bytearray, kind: type[T]) -> T:
    """Read `body`, mended where it must be. Raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
    found: T = _decoded(body, kind)
    return found


def mended(body: bytes | bytearray) -> bytes | bytearray:
    """Replace halves of surrogate pairs, `NaN` and what is nested deeper than 100.

    A body above 8 MB stays as it is. Raises `msgspec.DecodeError` for more than `MAX_TOKENS` quotes, brackets, escapes
    and numbers that are none: the time that each takes would hold up others.
    """
    if len(body) > MAX_MENDED:
        return body
    kept = bytearray()
    at = depth = 0
    for found in _tokens(body):
        token = found[0]
        if token in b"[{":
            depth += 1
            if depth != MAX_DEPTH + 1:
                continue
        elif token in b"]}":
            if depth == MAX_DEPTH + 1:
                at = found.end()  # what was opened there is null since then
            depth -= 1
            continue
        elif depth > MAX_DEPTH:
            continue
        kept += body[at : found.start()] + (b"null" if found["half"] is None else rb"\ufffd")
        at = found.end()
    kept += body[at:]
    return kept


def _tokens(body: bytes | bytearray) -> Iterator[re.Match[bytes]]:
    """Yield the brackets and the numbers that are none outside texts, and halves of pairs."""
    in_text = False
    for number, found in enumerate(_TOKEN.finditer(body)):
        if number >= MAX_TOKENS:
            raise msgspec.DecodeError("more to be mended than any list has")
        if found[0] == b'"':
            in_text = not in_text
        elif found["half"] is not None or not (in_text or found[0][:1] == b"\\"):
            yield found


def listed(body: bytes | bytearray, names: Iterable[str]) -> list[msgspec.Raw]:
    """Return the items of a list that is the whole body, or stands under the first of these `names` that holds one.

    Items that are all texts become objects with this `id`, as do those that call it `model` or `name`. Raises as
    `decode` does, and `msgspec.ValidationError` where there is no list.
    """
    body = body.removeprefix(BOM).lstrip()
    if body[:1] == b"[":
        body = b'{"":' + bytes(body) + b"}"
    members: dict[str, msgspec.Raw] = _decoded(body, dict[str, msgspec.Raw])
    first, *others = names
    for name in (first, *others, ""):
        with contextlib.suppress(*UNREADABLE):
            items = _decoded(bytes(members.get(name, b"")), list[msgspec.Raw])
            if items or name == first:  # an empty list under another name may be anything
                return _named(items)
    raise msgspec.ValidationError("no list")


def _named(items: list[msgspec.Raw]) -> list[msgspec.Raw]:
    starts = {bytes(item)[:1] for item in items}
    if starts == {b'"'}:
        return [msgspec.Raw(b'{"id":' + bytes(item) + b"}") for item in items]
    return [_with_id(item) if b'"id"' not in bytes(item) else item for item in items]


def _with_id(item: msgspec.Raw) -> msgspec.Raw:
    with contextlib.suppress(*UNREADABLE):
        members = msgspec.json.decode(item, type=dict[str, msgspec.Raw])
        for name in ("model", "name"):
            if bytes(members.get(name, b""))[:1] == b'"':
                return msgspec.Raw(msgspec.json.encode({**members, "id": members[name]}))
    return item


def _decoded(body: bytes | bytearray, kind: Any) -> Any:  # noqa: ANN401 - whatever `kind` says
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(mended(body), type=kind)


def entries(raw: list[msgspec.Raw], kind: type[T]) -> list[T]:
    """Return the entries of a list that can be read."""
    return [found for item in raw if (found := entry(item, kind)) is not None]


def entry(raw: msgspec.Raw | bytes | bytearray, kind: type[T], *, needed: frozenset[str] = frozenset()) -> T | None:
    """Read an object without those of its members that don't fit; numbers given as text are read.

    None where it is no object, where a member without a default is missing, or where one that is `needed` doesn't fit.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except UNREADABLE:
        pass
    try:
        members = msgspec.json.decode(raw, type=_unread(kind))
    except UNREADABLE:
        return None
    kept: dict[str, Any] = {}
    for info in msgspec.structs.fields(kind):
        member = getattr(members, info.name)
        if member is None:
            continue
        value = _member(member, info.type, exactly=info.name in needed)
        if value is not msgspec.UNSET:
            kept[info.name] = value
        elif info.name in needed:
            return None
    try:
        return kind(**kept)
    except TypeError:  # a member that must be there isn't
        return None


@cache
def _unread(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return `kind` with JSON for each member: what it has no name for, which may be any number, takes no memory."""
    members: list[tuple[str, Any, Any]] = [
        (info.name, msgspec.Raw, msgspec.field(default=None, name=info.encode_name))
        for info in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(f"{kind.__name__}Unread", members)


def _member(raw: msgspec.Raw, kind: Any, *, exactly: bool = False) -> Any:  # noqa: ANN401 - whatever a field is annotated with
    for strict in (True, False):
        try:
            return msgspec.json.decode(raw, type=kind, strict=strict)
        except UNREADABLE:
            if exactly:
                return msgspec.UNSET
    for option in (kind, *get_args(kind)):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            found = entry(raw, option)
            return msgspec.UNSET if found is None else found
        if get_origin(option) is list:
            return _items(raw, get_args(option)[0])
    return msgspec.UNSET


def _items(raw: msgspec.Raw, kind: Any) -> Any:  # noqa: ANN401 - as above
    try:
        items = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except UNREADABLE:
        return msgspec.UNSET
    return [found for item in items if (found := _member(item, kind)) is not msgspec.UNSET]
