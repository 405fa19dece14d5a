"""Reading JSON that nearly fits: an unreadable member is left out of its object, an entry out of its list; pure.

A body may have flaws for which `msgspec` refuses all of it: half of a surrogate pair (a text that was cut), `NaN`,
endless nesting. Such a body is repaired first.
"""

from __future__ import annotations

import contextlib
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

import msgspec

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T", bound=msgspec.Struct)

BOM: Final = b"\xef\xbb\xbf"
_WORDS: Final = ("text", "content", "thinking", "summary")  # members that hold the words of a part
_MOST_LOOSE: Final = 100_000  # values of one part that is read as Python reads it
MAX_MENDED: Final = 8 * 2**20  # bytes; scanning the tokens of more would hold up other answers for seconds
MAX_TOKENS: Final = 2_000_000  # each takes about half a microsecond
MAX_DEPTH: Final = 100  # levels of nesting; the API's own bodies have six
_SPACED: Final = bytes(range(256)).translate(
    bytes.maketrans(bytes(range(32)), b" " * 32)
)  # JSON has no others in texts
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)  # ValueError includes bad UTF-8

# No group in it is repeated: `re` would keep each repetition until the end, hundreds of bytes per character.
_TOKEN = re.compile(
    rb"(?P<half>\\u(?:d[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|d[c-f][0-9a-f]{2}|(?![0-9a-f]{4})))"
    rb"|\\(?:ud[89ab][0-9a-f]{2}\\u[0-9a-f]{4}|.)"
    rb'|["\[\]{}]|-?\b(?:NaN|Infinity|inf|nan)\b',
    re.DOTALL | re.IGNORECASE,
)


def check_values(body: bytes | bytearray, most: int = config.MAX_JSON_VALUES) -> int:
    """Return an estimate of the number of values; raise `msgspec.DecodeError` where it is more than `most`.

    More are neither decoded nor read one by one.
    """
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > most:
        raise msgspec.DecodeError("more values than any list has")
    return values


def decode(body: bytes | bytearray, kind: type[T]) -> T:
    """Decode `body`, repaired if need be. Raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
    found: T = _decoded(body, kind)
    return found


def mended(body: bytes | bytearray) -> bytes | bytearray:
    """Return `body` with halves of surrogate pairs, `NaN` and whatever is nested deeper than 100 replaced.

    A body of more than 8 MB is returned as it is. Raises `msgspec.DecodeError` for more than `MAX_TOKENS` quotes,
    brackets, escapes and invalid numbers: the time that each takes would hold up other answers.
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
                at = found.end()  # what was opened at this depth has been replaced by null
            depth -= 1
            continue
        elif depth > MAX_DEPTH:
            continue
        kept += body[at : found.start()] + (b"null" if found["half"] is None else rb"\ufffd")
        at = found.end()
    kept += body[at:]
    return kept


def loosely(part: msgspec.Raw) -> object:
    """Decode a part as Python does, which accepts halves of a surrogate pair; return None where that fails, too.

    A part of more than 8 MB, or with more than 100,000 values, isn't decoded: each is an object of Python's then.
    """
    if len(bytes(part)) > MAX_MENDED:
        return None
    try:
        check_values(bytes(part), _MOST_LOOSE)
        return json.loads(bytes(part), strict=False)
    except UNREADABLE:
        return None


def is_hollow(value: object, depth: int = 4) -> bool:
    """Whether a value says nothing: it is empty, or all of its members are."""
    if not isinstance(value, (dict, list)) or depth == 0:
        return not value
    return all(is_hollow(each, depth - 1) for each in (value.values() if isinstance(value, dict) else value))


def words_in(value: object, depth: int = 4) -> str:
    """Return the text of a value that is one, or has it in parts or in a member for it; "" where there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and depth:
        return "".join(words_in(each, depth - 1) for each in value)
    if isinstance(value, dict) and depth:
        return next((said for name in _WORDS if (said := words_in(value.get(name), depth - 1))), "")
    return ""


def raw(value: object) -> msgspec.Raw:
    """Return a decoded value as JSON that is read later."""
    return msgspec.Raw(json.dumps(value).encode())


def _tokens(body: bytes | bytearray) -> Iterator[re.Match[bytes]]:
    """Yield the brackets and invalid numbers outside strings, and the halves of surrogate pairs."""
    in_text = False
    for number, found in enumerate(_TOKEN.finditer(body)):
        if number >= MAX_TOKENS:
            raise msgspec.DecodeError("more to be mended than any list has")
        if found[0] == b'"':
            in_text = not in_text
        elif found["half"] is not None or not (in_text or found[0][:1] == b"\\"):
            yield found


def listed(body: bytes | bytearray, names: Iterable[str]) -> list[msgspec.Raw]:
    """Return the items of a list that is the whole body, or the member under the first of `names` that holds a list.

    If all items are strings, each becomes an object with that `id`; an object without `id` takes it from its `model` or
    `name`. Raises what `decode` raises, and `msgspec.ValidationError` where there is no list.
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
        return msgspec.json.decode(mended(body).translate(_SPACED), type=kind)


def entries(raw: list[msgspec.Raw], kind: type[T]) -> list[T]:
    """Return the entries of a list, as `kind`, without those that can't be read."""
    return [found for item in raw if (found := entry(item, kind)) is not None]


def entry(raw: msgspec.Raw | bytes | bytearray, kind: type[T], *, needed: frozenset[str] = frozenset()) -> T | None:
    """Read an object as `kind`, without the members that don't fit; numbers may be given as text.

    None where it isn't an object, where a member without a default is missing, or where a `needed` one doesn't fit.
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
    except TypeError:  # a member without a default is missing
        return None


@cache
def _unread(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return `kind` with raw JSON for each member; unknown members, of which there may be many, take no memory."""
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
