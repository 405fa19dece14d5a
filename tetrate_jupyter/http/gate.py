"""The gate for keys in bodies: a request that holds one isn't sent, and received JSON has them replaced."""

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

_STEP: Final = "remove it from what is sent (and run %tetrate_reset if an earlier message holds it)"
_ESCAPED: Final = re.compile(rb"\\(?:u00[2-7]|/)")  # escapes of visible ASCII, which is all that a key has
_ESCAPES: Final = (
    (b"\\/", b"/"),
    *((form % code, b"%c" % code) for code in range(0x20, 0x7F) for form in (b"\\u%04x", b"\\u%04X")),
)


def outgoing(body: Mapping[str, Any]) -> bytes:
    """Encode a request for sending. Raises `SecretInPromptError` where it holds a key, and `OptionError`."""
    content = encoded(body)
    if isinstance(content, TetrateError):
        raise content
    if secrecy.holds(content):
        raise SecretInPromptError(f"An API key is in {_place(body)}; nothing was sent.", next_step=_STEP)
    return content


def _place(body: Mapping[str, Any]) -> str:
    """Return the name of the part that holds the key, for the person who has to remove it."""
    for name, part in body.items():
        several = part if name == "messages" and isinstance(part, list) else [part]
        for each in several:
            found = encoded({"": each})
            if isinstance(found, bytes) and secrecy.holds(found):
                role = each.get("role") if name == "messages" and isinstance(each, dict) else None
                return f"the {role} text" if role else f"the request's {name!r}"
    return "the request"


def clean(decode: Callable[[Body], T]) -> Callable[[Body], T]:
    """Return `decode` with `incoming` applied first."""
    return lambda body: decode(incoming(body))


def incoming(content: Body) -> Body:
    """Return JSON with every known key in its strings replaced, also where it is written with escapes.

    What isn't JSON even when it is repaired is redacted as text and returned: the caller reports what is wrong with it.
    Raises `msgspec.DecodeError` where a key is among more values than any list has, which are never decoded.
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
    """Return JSON with the escapes that may hide a key resolved, for searching only.

    Decoding would resolve them too, but take many times the bytes, before anything has checked the size.
    """
    for escape, character in _ESCAPES:
        if escape in content:
            content = content.replace(escape, character)
    return content
