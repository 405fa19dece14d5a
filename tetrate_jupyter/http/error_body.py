"""Reading the body of an error, whatever its structure; pure.

It may be `{"error": {...}}` or flat, an array, a list under `errors` or `detail`, JSON inside a message, an event of a
stream, or plain text. What is shown of it is cleaned: no key, no control characters, bounded length.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.http import retry

if TYPE_CHECKING:
    from collections.abc import Iterator

Body: TypeAlias = "bytes | bytearray"
MAX_SHOWN: Final = 400  # characters of the router's message; enough for a sentence, too few for a web page
_PLAIN_NUMBER: Final = 10**18  # a code or message that is a number is shown below this
_MOST_HOSTS: Final = 5  # hosts that a key is bound to; a person has one or two
_MOST_TEXT: Final = 2_000  # bytes of an error that isn't JSON; anything longer is a page or a dump
_DEPTH: Final = 4  # nested errors; providers behind gateways have three levels
_ITEMS: Final = 3  # entries read of a list of errors; the first ones say enough
_INNER: Final = ("error", "errors", "detail", "details", "fault", "base_resp")  # members that may hold the inner error
_WORDS: Final = (
    *("message", "msg", "detail", "error_description", "error_message", "errorMessage", "error_msg", "status_msg"),
    *("Message", "faultstring", "reason", "title"),
)
_TEXTS: Final = ("text", "content", "value")  # members of a message that is an object
_FINE: Final = frozenset({"", "ok", "success"})  # what some servers send as the message of what is no error
_NAME = re.compile(r"[A-Z][A-Z0-9_]+\Z")  # a reason that is a name rather than a sentence: "API_KEY_INVALID"
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ONE_WORD = re.compile(r"[\w.-]{1,80}\Z")
_XML = re.compile(
    r"(?i)<(?:\w{1,20}:)?(Code|Message|faultstring|error_description)(?: [^<>]{0,200})?>([^<>]{1,2000})</"
)
_WEB_PAGE = re.compile(r"(?i)(?:<\?xml[^>]{0,200}>\s*)?<(?:!doctype\s+)?html\b")
_KEY_LIKE = re.compile(r"(?i)\b(sk-|bearer\s+)[\w.~+/=-]{6,}")
_HOST = re.compile(r"(?!sk-)[A-Za-z0-9.-]{1,253}(:\d{1,5})?\Z")
_DATA = re.compile(rb"(?m)^data: ?(.*)$")
# Codes by which providers name an error that comes without a status (inside a stream, or with 200).
_STATUS_OF_WORD: Final = {
    "bad_request": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "unauthenticated": 401,
    "credits_exhausted": 402,
    "insufficient_credits": 402,
    "insufficient_quota": 402,
    "insufficient_balance": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "model_not_found": 404,
    "model_not_routed": 404,
    "not_found_error": 404,
    "notfounderror": 404,
    "not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "too_many_requests": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "internal": 500,
    "internalservererror": 500,
    "model_not_ready": 503,
    "model_not_available": 503,
    "service_unavailable": 503,
    "unavailable": 503,
    "deadline_exceeded": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True)
class ErrorBody:
    """What an error body says, from all its levels. `hint`: seconds to wait that it names."""

    status: int | None
    message: str = ""
    code: str | None = None
    kind: str | None = None
    category: str | None = None
    state: str | None = None  # Google's name for it: "RESOURCE_EXHAUSTED"
    hostnames: tuple[str, ...] = ()
    hint: float | None = None
    reason: str | None = None  # Google's, too: "API_KEY_INVALID"

    @property
    def words(self) -> frozenset[str]:
        """Every name that the body gives the error, in lower case; "ModelNotFound" is "model_not_found", too."""
        given = [w for w in (self.code, self.kind, self.category, self.state, self.reason) if w]
        return frozenset([w.lower() for w in given] + [_in_words(w) for w in given])


def read_error_body(status: int | None, body: Body) -> ErrorBody:
    """Read an error body; of a web page, or a body longer than any message, only the status is used."""
    if len(body) <= config.MAX_ERROR_BYTES:  # decoded objects take many times the bytes
        body = bytes(body).removeprefix(b"\xef\xbb\xbf").strip()
        if (event := _DATA.search(body)) and body[:1] not in b"{[<":  # an error in the form of a stream
            body = event[1]
        try:
            return error_body_of(status, msgspec.json.decode(body))
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            pass
        if status is not None and status >= 400 and body[:1] == b"<":
            return error_body_of(status, _of_xml(body.decode("utf-8", "replace")))
        if status is not None and status >= 400 and 0 < len(body) <= _MOST_TEXT and body[:1] not in b"{[":
            return error_body_of(status, body.decode("utf-8", "replace"))
    return ErrorBody(status if status is not None and status >= 300 else None)


def _of_xml(text: str) -> dict[str, str]:
    """Return the code and the message of an XML error, as storage services and gateways write it; {} for a web page."""
    if _WEB_PAGE.match(text):
        return {}
    found: dict[str, str] = {}
    for name, said in _XML.findall(text):
        found.setdefault("code" if name.lower() == "code" else "message", html.unescape(said))
    return found


def error_body_of(status: int | None, content: object) -> ErrorBody:
    """Read an error that is decoded already: a whole body, or the `error` member of a chunk."""
    levels = tuple(_levels(content, _DEPTH))
    code = _text(_first(levels, "code"))
    kind = _text(_first(levels, "type"))
    category = _text(_first(levels, "category"))
    state = _text(_first(levels, "status"))
    if status is None or status < 300:
        status = _status_from(code, state, kind)
    hostnames = _first(levels, "your_hostnames")
    message = _message(levels)
    return ErrorBody(
        status,
        message=shown(message),
        code=shown(code) if code else None,
        kind=kind,
        category=shown(category) if category else None,
        state=state,
        reason=_text(_first(levels, "reason")),
        hostnames=tuple(h for h in hostnames if isinstance(h, str) and _HOST.match(h) and not secrecy.holds(h))[
            :_MOST_HOSTS
        ]
        if isinstance(hostnames, list)
        else (),
        hint=_hint(levels, message),
    )


def error_of_event(payload: Body) -> tuple[object, bool]:
    """Return a stream's event, decoded, if it may be an error without the member `error`, and whether it surely is.

    Some servers send `{"object": "error", "message": ...}` or `{"detail": ...}`; words alone may be a remark
    ("queued"). Beside an empty list of choices only what is called an error is one. None where it is none.
    """
    if len(payload) > config.MAX_ERROR_BYTES:
        return None, False
    try:
        content = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(content, dict) or content.get("choices"):
        return None, False
    named = "error" in {content.get("object"), content.get("type")} if _are_plain(content) else False
    resp = content.get("base_resp")  # MiniMax sends it with each event; 0 stands for success
    named = named or (isinstance(resp, dict) and bool(resp.get("status_code")))
    if content.get("choices") is not None:
        return (content, True) if named else (None, False)
    named = named or bool(content.get("errors") or content.get("fault"))
    if not named and not _says(content):
        return None, False
    return content, named or error_body_of(None, content).status is not None


def shown(text: str) -> str:
    """Return a server's text for display: bounded, with neither control characters nor anything like a key.

    "" where it holds a known key.
    """
    if secrecy.holds(text):
        return ""
    clean = _KEY_LIKE.sub(lambda found: found[1] + "…", one_line(text, 4 * MAX_SHOWN))
    return clean if len(clean) <= MAX_SHOWN else clean[:MAX_SHOWN] + "…"


def _are_plain(content: dict[str, Any]) -> bool:
    return all(isinstance(content.get(name), (str, type(None))) for name in ("object", "type"))


def _levels(content: object, depth: int) -> Iterator[dict[str, Any]]:
    """Yield the objects that may hold members of an error, innermost first; a text becomes one with a message."""
    if isinstance(content, str):
        yield from _inside(content, depth)
    elif isinstance(content, list):
        for item in content[:_ITEMS]:
            if depth > 0:
                yield from _levels(item, depth - 1)
    elif isinstance(content, dict):
        for inner in _held(content) if depth > 0 else ():
            yield from _levels(inner, depth - 1)
        yield content
    elif (text := _text(content)) is not None:
        yield {"message": text}


def _held(content: dict[str, Any]) -> Iterator[object]:
    """Yield what may be the error inside another one."""
    metadata = content.get("metadata")
    if isinstance(metadata, dict) and not str(metadata.get("raw") or "<").lstrip().startswith("<"):
        yield metadata["raw"]  # OpenRouter: the provider's own answer
    for name in _INNER:
        if name == "error" and _only_names(content):
            yield {"code": content[name]} if content.get("code") is None else {}
        elif content.get(name) is not None:
            yield content[name]
    said = content.get("message")
    if isinstance(said, (dict, list)):
        yield said
    if isinstance(said, dict):
        yield {"message": next((said[each] for each in _TEXTS if isinstance(said.get(each), str)), None)}
    errors = content.get("errors")
    if isinstance(errors, dict):  # by the name of the field that is wrong
        for name, said in list(errors.items())[:_ITEMS]:
            if isinstance(said, list) and said and isinstance(said[0], str):
                yield {"message": f"{name}: {said[0]}"}


def _says(content: dict[str, Any]) -> bool:
    """Whether there are words in it about what went wrong."""
    return any((_text(content.get(word)) or "").lower() not in _FINE for word in _WORDS)


def _only_names(content: dict[str, Any]) -> bool:
    """Whether `error` is only a name ("invalid_grant", as OAuth has it) of what other members say in words."""
    error = content.get("error")
    return isinstance(error, str) and bool(_ONE_WORD.match(error)) and _says(content)


def _inside(text: str, depth: int) -> Iterator[dict[str, Any]]:
    if depth > 0 and text[:1] == "{":  # a gateway that quotes its provider's body as text
        try:
            content = msgspec.json.decode(text)
        except (ValueError, RecursionError):
            pass
        else:
            yield from _levels(content, depth - 1)
            return
    yield {"message": text}


def _message(levels: tuple[dict[str, Any], ...]) -> str:
    for level in levels:
        for name in _WORDS:
            text = _text(level.get(name))
            if not text or not text.strip() or (name == "reason" and _NAME.match(text)):
                continue
            inner = tuple(_inside(text, _DEPTH - 1))
            if inner and inner[0].get("message") != text and (deeper := _message(inner)):
                return deeper
            where = level.get("loc")
            return f"{'.'.join(map(str, where[:8]))}: {text}" if isinstance(where, list) and where else text
    return _text(_first(levels, "reason")) or ""


_IN_TIME = re.compile(
    r"(?i)\b(?:try again|retry|wait)\b[^.;]{0,40}?\b(?:(\d{1,4})m ?)?(\d{1,6}(?:\.\d{1,9})?) ?"
    r"(?:(ms)|(m(?:in(?:ute)?s?)?)|s(?:ec(?:ond)?s?)?)(?![a-z])"
)


def _hint(levels: tuple[dict[str, Any], ...], message: str) -> float | None:
    """Return the seconds to wait that a body names, as a number or in its message ("try again in 1m6s")."""
    metadata = _first(levels, "metadata")
    named = metadata.get("retry_after_seconds") if isinstance(metadata, dict) else None
    if named is None:
        named = _first(levels, "retry_after")
    delay = _first(levels, "retryDelay")
    if isinstance(delay, str) and re.fullmatch(r"\d{1,6}(\.\d{1,9})?s", delay):
        named = float(delay[:-1])
    return retry.seconds_to_wait(_in_time(message) if named is None else named)


def _in_time(message: str) -> float | None:
    found = _IN_TIME.search(message)
    if found is None:
        return None
    minutes, number, is_ms, is_minutes = found.groups()
    return 60 * float(minutes or 0) + float(number) * (0.001 if is_ms else 60.0 if is_minutes else 1.0)


def _status_from(*names: str | None) -> int | None:
    for name in names:
        if name and name.isascii() and name.isdigit() and len(name) == 3 and int(name) >= 400:
            return int(name)
    each = [form for name in names if name for form in (name.lower(), _in_words(name))]
    return next((status for form in each if (status := _STATUS_OF_WORD.get(form))), None)


def _in_words(name: str) -> str:
    """Return a name in CamelCase as one with underscores."""
    return _HUMP.sub("_", name).lower()


def _first(levels: tuple[dict[str, Any], ...], name: str) -> Any:  # noqa: ANN401 - foreign JSON holds anything
    return next((level[name] for level in levels if level.get(name) is not None), None)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(value) if abs(value) < _PLAIN_NUMBER else None  # Python refuses to convert thousands of digits to text
