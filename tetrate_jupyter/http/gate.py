"""Where a request leaves and JSON comes in: no key passes in a body, whoever put it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter import secrecy
from tetrate_jupyter.errors import SecretInPromptError, TetrateError
from tetrate_jupyter.http import reading
from tetrate_jupyter.http.bodies import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.http.faults import Body

T = TypeVar("T")

_STEP: Final = "take it out of what is sent (and %tetrate_reset if it was said earlier)"
_ESCAPED: Final = re.compile(rb"\\(?:u00[2-7]|/)")  # a key has visible ASCII only
_ESCAPES: Final = (
    (b"\\/", b"/"),
    *((form % code, b"%c" % code) for code in range(0x20, 0x7F) for form in (b"\\u%04x", b"\\u%04X")),
)


def outgoing(body: Mapping[str, Any]) -> bytes:
    """Encode a request as it is sent. Raises `SecretInPromptError` where any of it holds a key, and `OptionError`."""
    content = encoded(body)
    if isinstance(content, TetrateError):
        raise content
    if secrecy.holds(content):
        raise SecretInPromptError(f"An API key is in {_place(body)}; nothing was sent.", next_step=_STEP)
    return content


def _place(body: Mapping[str, Any]) -> str:
    """Return the name of the part that holds it, for who has to take it out."""
    for name, part in body.items():
        several = part if name == "messages" and isinstance(part, list) else [part]
        for each in several:
            found = encoded({"": each})
            if isinstance(found, bytes) and secrecy.holds(found):
                role = each.get("role") if name == "messages" and isinstance(each, dict) else None
                return f"the {role} text" if role else f"the request's {name!r}"
    return "the request"


def clean(decode: Callable[[Body], T]) -> Callable[[Body], T]:
    """Return the decoder with the gate before it."""
    return lambda body: decode(incoming(body))


def incoming(content: Body) -> Body:
    """Return JSON with every key in its texts replaced, also where it stands there in escapes.

    What is no JSON even when it is mended is returned as text is: whoever reads it says what is wrong with it. Raises
    `msgspec.DecodeError` where there is a key among more values than any list has: they aren't made into objects.
    """
    if not (secrecy.holds(content) or (_ESCAPED.search(content) and secrecy.holds(_unescaped(content)))):
        return content
    reading.check_values(content)
    try:
        tree = msgspec.json.decode(content)
    except reading.UNREADABLE:
        try:
            tree = msgspec.json.decode(reading.mended(content))
        except reading.UNREADABLE:
            text = content.decode("utf-8", "replace")
            return secrecy.redact(text).encode() if secrecy.holds(text) else content
    return msgspec.json.encode(secrecy.redacted(tree))


def _unescaped(content: Body) -> Body:
    """Return JSON with what a key may be escaped as written out, to be searched and nothing else.

    Decoding it would do that too, but take many times the bytes, before anything has looked at what it holds.
    """
    for escape, character in _ESCAPES:
        if escape in content:
            content = content.replace(escape, character)
    return content
