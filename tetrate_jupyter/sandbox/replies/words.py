"""Splitting text into words and sentences, and judging its sentiment, with simple rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parents[1] / "data"
LISTS: Final[dict[str, frozenset[str]]] = {
    name: frozenset(text.split()) for name, text in json.loads((DATA / "words.json").read_text("utf-8")).items()
}
STOP_WORDS: Final = LISTS["stop"]
_CODE = re.compile(
    r"\b(code|function|script|program|snippet|python|def|class|sql|query|bash|javascript)\b", re.IGNORECASE
)
_ASKING = re.compile(
    r"\b(write|give|show|make|create|implement|generate|how (do|can|would) i|example|fix|need)\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# Typographic characters become those of a keyboard, so that all other code needs only one form.
_KEYBOARD = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2212": "-", "\u00d7": "*"})


def wants_code(prompt: str) -> bool:
    """Whether a prompt asks for code."""
    return bool(_CODE.search(prompt) and _ASKING.search(prompt))


def plain(text: str) -> str:
    """Return a text with a keyboard's quotation marks, minus and times signs."""
    return text.translate(_KEYBOARD)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [part.strip() for part in _SENTENCE_END.split(text.strip()) if part.strip()]


def words(text: str) -> list[str]:
    """Return a text's words in lower case."""
    return [w.lower() for w in _WORD.findall(plain(text))]


def keywords(text: str) -> list[str]:
    """Return the words that carry meaning, each once, in order."""
    return list(dict.fromkeys(w for w in words(text) if w not in STOP_WORDS and len(w) > 2))


def name_words(name: str) -> list[str]:
    """Return the words of an identifier ("getWeather", "get_weather") in lower case."""
    return [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def stem(word: str) -> str:
    """Return a word without the most common endings, so that "cities" matches "city" and "multiplied" "multiply"."""
    for ending, instead in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + instead
    return word


def sentiment_score(text: str, *, careful: bool) -> int:
    """Return the number of positive words minus that of negative ones; `careful`: invert words after a negation."""
    score = 0
    found = words(text)
    for place, word in enumerate(found):
        value = (word in LISTS["positive"]) - (word in LISTS["negative"])
        negated = careful and any(w in LISTS["negations"] for w in found[max(0, place - 3) : place])
        score += -value if negated else value
    return score


def sentiment(text: str, *, careful: bool) -> str:
    """Return "positive", "negative" or "neutral"."""
    score = sentiment_score(text, careful=careful)
    return "positive" if score > 0 else "negative" if score < 0 else "neutral"


def quoted(text: str) -> list[str]:
    """Return the text between quotation marks."""
    found = re.findall(r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)", plain(text))
    return [next(part for part in parts if part) for parts in found]


def material(prompt: str) -> str:
    """Return the text that a prompt is about: quoted, after a colon or on the lines below; else the whole prompt."""
    if inside := quoted(prompt):
        return max(inside, key=len)
    head, separator, rest = prompt.partition("\n")
    if separator and rest.strip() and len(rest) >= len(head) // 2:
        return rest.strip()
    head, separator, rest = prompt.partition(":")
    return rest.strip() if separator and len(rest.split()) >= 2 else prompt.strip()
