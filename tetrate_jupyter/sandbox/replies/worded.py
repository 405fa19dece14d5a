"""JSON requested in the prompt's text: by a schema, an example, the names of its members, or only as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.sandbox.replies.findings import Findings
from tetrate_jupyter.sandbox.replies.schema_fill import Filler
from tetrate_jupyter.sandbox.replies.words import wants_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.sandbox.replies.reply import Ask

_READ: Final = 20_000  # characters that are read of system text and prompt, each
_WANTED: Final = re.compile(
    r"\b(?:answer|reply|respond|return|output|produce|provide)\b[^.?!\n]{0,80}\bjson\b"
    r"|\b(?:as|in|only|to)\s+(?:(?:a|an|one|raw|valid|single|plain|pure|strict)\s+)*json\b(?!\s+schemas?\b)"
    r"|\bjson\s+(?:only|output|mode)\b",
    re.IGNORECASE,
)
_VERBATIM: Final = re.compile(r"\b(?:exactly|verbatim|repeat|echo)\b", re.IGNORECASE)
_AN_ARRAY: Final = re.compile(r"\bjson\s+(?:array|list)\b|\b(?:array|list)\b[^.\n]{0,40}\bjson\b", re.IGNORECASE)
_LIKE: Final = re.compile(r"\b(?:like|formats?|form|shape|examples?|structure|template)\b[^{}]{0,80}$", re.IGNORECASE)
_MEMBERS: Final = re.compile(
    r"\b(?:keys?|fields?|properties|members|attributes)\b\s*(?:named|called|are|is)?\s*:?\s*([^.\n]+)", re.IGNORECASE
)
_MEMBER: Final = re.compile(r"^(?:and\s+)?[`\"']?([A-Za-z_]\w*)[`\"']?\s*(?:[(:]\s*(?:an?\s+)?(\w+)[^,]*)?$")
_ABOUT_FORM: Final = re.compile(r"\b(?:json|schema|code fence|markdown)\b", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.!?:])\s+|\n+")
_SCHEMA_WORDS: Final = frozenset({"$ref", "$defs", "properties", "anyOf", "oneOf", "allOf", "enum", "const", "items"})
_KINDS: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_SPOKEN_KINDS: Final = {
    "int": "integer", "float": "number", "decimal": "number", "bool": "boolean", "list": "array", "text": "string",
    "str": "string", "dict": "object", **{kind: kind for kind in _KINDS},
}  # fmt: skip
_QUANTITIES: Final = frozenset(
    {"age", "amount", "count", "cost", "duration", "height", "number", "population", "price", "rating", "total", "year"}
)


def worded_json(ask: Ask, results: str = "") -> str | None:
    """Return the JSON that a request asks for in its text, or None where it doesn't.

    `results`: tools' results, which are read before the prompt.
    """
    forced = (ask.body.get("response_format") or {}).get("type") == "json_object"
    wishes = f"{ask.system[:_READ]}\n{ask.prompt}"
    if not forced and "json" not in wishes.lower():
        return None
    objects = list(_objects(wishes))
    schemas = [(start, value) for start, value, _ in objects if _is_schema(value)]
    if not forced and not _WANTED.search(wishes):
        return None
    if not forced and not schemas and wants_code(ask.prompt):
        return None
    if not schemas and _VERBATIM.search(ask.prompt):
        return next((piece for _, _, piece in _objects(ask.prompt)), None)
    schema, taken = _described(wishes)
    if schemas:  # the last one counts: earlier ones, and the text between, explain it
        schema = _unwrapped(schemas[-1][1])
        taken = [piece for start, _, piece in objects if schemas[0][0] <= start <= schemas[-1][0]]
    found = Findings("\n".join(filter(None, (results, _without_form(ask.prompt, taken)))))
    if schema is None:
        return json.dumps(_plain_value(wishes, found), ensure_ascii=False)
    return json.dumps(Filler(schema, ask.rng, careful=ask.profile.careful).fill(found), ensure_ascii=False)


def _described(text: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Return a schema made from an example or from names, and the pieces of text that it is made from."""
    examples = [(value, piece) for start, value, piece in _objects(text) if value and _LIKE.search(text[:start])]
    if examples:
        return _of_example(examples[-1][0]), [piece for _, piece in examples]
    for found in _MEMBERS.finditer(text):
        if members := _members(found[1]):
            return {"type": "object", "properties": members, "required": list(members)}, [found.group()]
    return None, []


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any], str]]:
    decoder = json.JSONDecoder()
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            yield place, value, text[place:end]
        place = text.find("{", end)


def _is_schema(value: dict[str, Any]) -> bool:
    inner = _unwrapped(value)
    kind = inner.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return bool(_SCHEMA_WORDS & inner.keys()) or all(isinstance(k, str) and k in _KINDS for k in kinds)


def _unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without the API's wrapping."""
    inner = value.get("json_schema", value)
    inner = inner.get("schema", inner) if isinstance(inner, dict) else value
    return inner if isinstance(inner, dict) else value


def _of_example(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        properties = {name: _of_example(item) for name, item in value.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    if isinstance(value, list):
        return {"type": "array", "items": _of_example(value[0]) if value else {"type": "string"}}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, (int, float)):
        return {"type": "integer" if isinstance(value, int) else "number"}
    text = str(value or "").strip(" <>[]")
    options = [option.strip() for option in text.split("|")]
    if len(options) > 1 and all(options):
        return {"enum": options}
    return {"type": _SPOKEN_KINDS.get(text.lower(), "string")}


def _members(text: str) -> dict[str, Any]:
    members = {}
    for item in re.split(r",\s*|\s+and\s+", text.strip()):
        found = _MEMBER.match(item.strip())
        if found is None:
            break  # the list ends where prose begins
        kind = _SPOKEN_KINDS.get((found[2] or "").lower())
        members[found[1]] = {"type": kind or ("number" if found[1].lower() in _QUANTITIES else "string")}
    return members


def _plain_value(wishes: str, found: Findings) -> object:
    if _AN_ARRAY.search(wishes):
        return found.listed() or found.names or ["example"]
    return {"names": found.names, "numbers": [n for _, _, n in found.numbers]}


def _without_form(prompt: str, taken: list[str]) -> str:
    """Return the text without the parts about the answer's form, so that no value is read from them."""
    for piece in sorted(taken, key=len, reverse=True):  # longest first, since one may contain another
        prompt = prompt.replace(piece, "\n")
    kept = [s for s in _SENTENCE.split(prompt) if s.strip() and not _ABOUT_FORM.search(s)]
    return "\n".join(kept) if any(re.search(r"\w{3}", s) for s in kept) else prompt
