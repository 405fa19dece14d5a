"""Making single values for a JSON schema, actual ones from the prompt where that is easy."""

from __future__ import annotations

import math
import re
import uuid
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.sandbox.replies.arithmetic import evaluate, expression_in, shown
from tetrate_jupyter.sandbox.replies.patterns import text_for
from tetrate_jupyter.sandbox.replies.words import material, name_words, quoted, sentiment, stem, words

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tetrate_jupyter.sandbox.replies.findings import Findings

_RESULTS = frozenset(("answer", "result", "total", "sum", "product", "value", "solution"))
_KINDS: dict[str, frozenset[str]] = {  # what the words in a property's name imply about its value
    "email": frozenset(("email", "mail")),
    "url": frozenset(("url", "link", "uri", "website")),
    "date": frozenset(("date", "day")),
    "time": frozenset(("time",)),
    "file": frozenset(("file", "filename", "path")),
    "expression": frozenset(("expression", "formula", "equation", "calculation")),
    "result": _RESULTS,
    "mood": frozenset(("sentiment", "mood", "tone")),
    "place": frozenset(("city", "place", "location", "country", "town", "destination", "region")),
    "prose": frozenset(("summary", "description", "reason", "reasoning", "explanation", "comment", "text", "content")),
    "question": frozenset(("query", "question", "prompt", "search", "input", "request", "topic")),
    "name": frozenset(("name", "person", "author", "user", "customer", "title", "subject", "company", "product")),
}
_EXAMPLES = {
    "email": "ada@example.org",
    "uri": "https://example.org/",
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "duration": "PT1H",
}


def text_value(schema: dict[str, Any], name: str, found: Findings, rng: random.Random) -> tuple[str, bool]:
    """Return a text, and whether it is from the prompt."""
    if (kind := schema.get("format")) is not None:
        return _formatted(str(kind), found, rng)
    value = _known_text(schema, name, found)
    is_real = value is not None
    if (pattern := schema.get("pattern")) is not None:
        value, is_real = _fitting(str(pattern), value, found, rng)
    text = value if value is not None else f"example {' '.join(name_words(name)) or 'text'}"
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
    if pattern is None and len(text) < least:
        text = text.ljust(least, ".")
    return (text[: int(most)] if most is not None and pattern is None else text), is_real


def number_value(
    schema: dict[str, Any], name: str, found: Findings, rng: random.Random, *, near_only: bool = False
) -> tuple[float | int, bool]:
    """Return a number within the schema's bounds, and whether it is from the prompt."""
    whole = schema.get("type") == "integer"
    worked_out = _worked_out(name, found)
    value = worked_out if worked_out is not None else found.number(name, near_only=near_only)
    is_real = value is not None and _fits(value, schema, whole=whole)
    if value is None or not is_real:
        value = _within_bounds(schema, rng, whole=whole)
    return (int(value) if whole or (value == int(value) and abs(value) < 2**53) else value), is_real


def truth_value(name: str, found: Findings, *, careful: bool) -> tuple[bool, bool]:
    """Return a bool, and whether the prompt mentions it. A negation before the name's word makes it False."""
    wanted = {stem(w) for w in name_words(name)} - {"is", "has", "was", "are", "can"}
    if wanted & {"positive", "happy", "recommended", "satisfied"}:
        return sentiment(found.text, careful=careful) == "positive", True
    here = [stem(w) for w in words(found.text)]
    for place, word in enumerate(here):
        if word in wanted:
            return not {"not", "no", "never", "isn't", "doesn't", "without"} & set(
                here[max(0, place - 3) : place]
            ), True
    return True, False


def choice_value(options: list[Any], found: Findings, rng: random.Random, *, careful: bool) -> tuple[Any, bool]:
    """Return one of the options: one that the prompt names, or that follows from a sentiment or result, or any."""
    about = material(found.text)
    named = [o for o in options if isinstance(o, str) and re.search(rf"\b{re.escape(o)}\b", about, re.IGNORECASE)]
    if named:
        return named[0], True
    mood = sentiment(about, careful=careful)
    for option in options:
        if isinstance(option, str) and option.lower() == mood:
            return option, True
    possible = [o for o in options if o is not None] or options
    return rng.choice(possible), False


def _known_text(schema: dict[str, Any], name: str, found: Findings) -> str | None:
    if (said := found.said(name)) is not None:
        return said
    parts = {stem(w) for w in name_words(name)}
    kinds = [kind for kind, its_words in _KINDS.items() if parts & its_words]
    if kinds:  # "product" may mean a multiplication's result or an article
        return next((value for kind in kinds if (value := _of_kind(kind, found)) is not None), None)
    return next(iter(quoted(found.text) or found.names), None) if "description" in schema or not parts else None


def _of_kind(kind: str, found: Findings) -> str | None:
    if kind in {"email", "url", "date", "time", "file"}:
        return found.of_kind(kind)
    readers: dict[str, Callable[[], str | None]] = {
        "expression": lambda: expression_in(found.text),
        "result": lambda: _result(found),
        "mood": lambda: sentiment(material(found.text), careful=True),
        "place": lambda: next(iter(found.places or found.names), None),
        "prose": lambda: type(found)(material(found.text)).first_sentence(),
        "question": lambda: next(iter(quoted(found.text)), found.text.strip()),
        "name": lambda: next(iter(quoted(found.text) or found.names), None),
    }
    return readers[kind]()


def _result(found: Findings) -> str | None:
    expression = expression_in(found.text)
    value = evaluate(expression) if expression else None
    return None if value is None else shown(value)


def _fitting(pattern: str, value: str | None, found: Findings, rng: random.Random) -> tuple[str | None, bool]:
    if value is not None and re.search(pattern, value):
        return value, True
    if (match := re.search(pattern.removeprefix("^").removesuffix("$"), found.text)) and match.group():
        return match.group(), True
    return text_for(pattern, rng), False


def _formatted(kind: str, found: Findings, rng: random.Random) -> tuple[str, bool]:
    here = found.of_kind("url" if kind == "uri" else kind) if kind in {"email", "uri", "date"} else None
    if here is not None:
        return here, True
    if kind == "uuid":
        return str(uuid.UUID(int=rng.getrandbits(128), version=4)), False
    day = found.of_kind("date") if kind == "date-time" else None
    if day is not None:
        return f"{day}T{(found.of_kind('time') or '00:00')[:5].zfill(5)}:00Z", True
    return _EXAMPLES.get(kind, "example"), False


def _worked_out(name: str, found: Findings) -> float | None:
    expression = expression_in(found.text) if _RESULTS & {stem(w) for w in name_words(name)} else None
    value = evaluate(expression) if expression else None
    return None if value is None else float(value)


def _fits(value: float, schema: dict[str, Any], *, whole: bool) -> bool:
    low, high = _bounds(schema)
    step = schema.get("multipleOf")
    in_step = step is None or Fraction(str(value)) % Fraction(str(step)) == 0
    edges = {e for e in (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")) if not isinstance(e, bool)}
    return low <= value <= high and value not in edges and in_step and (not whole or value == int(value))


def _bounds(schema: dict[str, Any]) -> tuple[float, float]:
    lows = [float(schema[k]) for k in ("minimum", "exclusiveMinimum") if _is_number(schema.get(k))]
    highs = [float(schema[k]) for k in ("maximum", "exclusiveMaximum") if _is_number(schema.get(k))]
    return max(lows, default=-math.inf), min(highs, default=math.inf)


def _within_bounds(schema: dict[str, Any], rng: random.Random, *, whole: bool) -> float:
    low, high = _bounds(schema)
    low = low if math.isfinite(low) else (0 if high >= 0 else high - 10)
    high = high if math.isfinite(high) else low + 10
    step = Fraction(str(schema.get("multipleOf") or (1 if whole else "0.01")))
    first, last = math.ceil(Fraction(str(low)) / step), math.floor(Fraction(str(high)) / step)
    first += not _fits(float(first * step), schema, whole=whole)
    last -= not _fits(float(last * step), schema, whole=whole)
    if first > last:  # there is no multiple between the bounds, so take the middle
        return (low + high) / 2
    value = rng.randint(first, last) * step
    return int(value) if value.denominator == 1 else float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
