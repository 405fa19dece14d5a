"""Reading a prompt: names, numbers, addresses, dates, and values given by name."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from tetrate_jupyter.sandbox.replies.words import LISTS, STOP_WORDS, name_words, plain, sentences, stem, words

_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]*\w@)")
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w'-]*(?:\s+(?:of|de|van|von|the)?\s*[A-ZÀ-ÖØ-Þ][\w'-]*)*")
_PLACE = re.compile(r"\b(?i:in|at|from|to|near|for|of|visit)\s+([A-ZÀ-ÖØ-Þ][\w'-]*(?:\s+[A-ZÀ-ÖØ-Þ][\w'-]*)*)")
_PATTERNS: Final = {
    "email": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"),
    "url": re.compile(r"https?://[^\s)>\"']+"),
    "date": re.compile(r"\b\d{4}-\d{2}-\d{2}\b"),
    "time": re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b"),
    "file": re.compile(r"\b[\w./-]+\.[a-z]{2,5}\b"),
}
_FIRST_WORDS: Final = STOP_WORDS | LISTS["starts"]
_FAR: Final = 10_000
_NEAR: Final = 40  # characters between a word and the number that belongs to it
_UNITS: Final = {
    "age": "year old aged",
    "price": "$ € £ cost dollar euro",
    "cost": "$ € £ price dollar euro",
    "amount": "$ € £ total",
    "duration": "minute hour second",
    "temperature": "° degree celsius",
    "distance": "km mile metre",
    "weight": "kg gram pound",
    "rating": "star out",
    "population": "people inhabitant million",
}


class Findings:
    """What one prompt contains. Numbers that have been returned aren't returned again."""

    def __init__(self, text: str) -> None:
        self.text = plain(text)
        self.numbers = [(m.start(), m.end(), m.group()) for m in _NUMBER.finditer(self._without_dates(self.text))]
        self._used: set[int] = set()

    @property
    def names(self) -> list[str]:
        """Capitalised names in order, each once, without words that only begin a sentence or a request."""
        return list(dict.fromkeys(name for _, name in self._named()))

    def _named(self) -> list[tuple[int, str]]:
        found = []
        for match in _NAME.finditer(self.text):
            parts = match.group().split()
            while parts and parts[0].lower().removesuffix("'s") in _FIRST_WORDS:
                parts = parts[1:]
            name = re.sub(r"'s$", "", " ".join(parts))
            if name and not (len(parts) == 1 and len(name) == 1):
                found.append((match.start(), name))
        return found

    @property
    def places(self) -> list[str]:
        """Names after "in", "from", "to" and the like, and those joined to them by a comma or "and"."""
        found = [re.sub(r"'s$", "", m[1]) for m in _PLACE.finditer(self.text)]
        if not found:
            return []
        tail = self.text[self.text.index(found[0]) :]
        joined = re.match(r"[\w' -]+?(?:(?:, | and |, and | or )[A-ZÀ-ÖØ-Þ][\w'-]*)+", tail)
        more = re.findall(r"(?:, | and |, and | or )([A-ZÀ-ÖØ-Þ][\w'-]*)", joined.group()) if joined else []
        return list(dict.fromkeys([found[0], *more, *found[1:]]))

    def of_kind(self, kind: str) -> str | None:
        """Return the first e-mail address, URL, date, time or file name."""
        found = _PATTERNS[kind].search(self.text)
        return found.group() if found else None

    def said(self, name: str) -> str | None:
        """Return the value of "name: value", "name = value" or "name is value"."""
        spoken = r"[\s_-]*".join(map(re.escape, name_words(name))) or re.escape(name)
        found = re.search(rf"\b{spoken}\b\s*(?:[:=]|\bis\b|\bare\b)\s*[\"]?([^\n,;.\"?]+)", self.text, re.IGNORECASE)
        return found[1].strip() if found else None

    def number(self, name: str, *, near_only: bool = False) -> float | None:
        """Return the number that belongs to a name: the nearest to its words, else the next one not yet returned."""
        free = [i for i in range(len(self.numbers)) if i not in self._used]
        own = [stem(w) for w in name_words(name)]
        units = " ".join(_UNITS.get(w, "") for w in name_words(name)).split()
        best = min(free, key=lambda i: self._distance(i, own, units), default=None)
        if best is None:
            return None
        if self._distance(best, own, units) > _NEAR:
            if near_only:
                return None
            best = free[0]
        self._used.add(best)
        return float(self.numbers[best][2].replace(",", ""))

    def mentions(self, phrase: str) -> bool:
        """Whether all words of a phrase or identifier occur."""
        here = {stem(w) for w in words(self.text)}
        wanted = [stem(w) for w in name_words(phrase)]
        return bool(wanted) and all(w in here for w in wanted)

    def listed(self) -> list[str]:
        """Return the items of "a, b and c", or of a bullet list."""
        bullets = re.findall(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$", self.text, re.MULTILINE)
        if bullets:
            return [b.strip() for b in bullets]
        tail = self.text.rpartition(":")[2] if ":" in self.text else self.text
        items = [i.strip(" .!?\n\"'") for i in re.split(r",\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+", tail)]
        return [i for i in items if i] if len(items) > 1 and all(len(i.split()) <= 4 for i in items) else []

    def segments(self) -> list[Findings]:
        """Return the text split where a new name begins, for a list of things with values of their own."""
        lines = [line for line in self.text.splitlines() if _NUMBER.search(line) and Findings(line).names]
        if len(lines) > 1:
            return [Findings(line) for line in lines]
        starts = [start for start, _ in self._named()]
        return [Findings(self.text[a:b]) for a, b in pairwise([*starts, len(self.text)])]

    def first_sentence(self) -> str:
        """Return the first sentence."""
        return next(iter(sentences(self.text)), self.text.strip())

    def _distance(self, index: int, own: list[str], units: list[str]) -> int:
        """Return a number's distance from its words: a name precedes it ("age 36"), a unit follows it ("36 years")."""
        start, end, _ = self.numbers[index]
        gaps = [_FAR]
        for word in (*own, *units):
            spelled = rf"\b{re.escape(word)}" if word.isalpha() else re.escape(word)
            for match in re.finditer(spelled, self.text, re.IGNORECASE):
                is_after = match.start() >= end
                between = self.text[end : match.start()] if is_after else self.text[match.end() : start]
                stops = 20 * len(re.findall(r"[,;.\n]", between))
                gaps.append(len(between) * (1 if is_after == (word in units) else 2) + stops)
        return min(gaps)

    @staticmethod
    def _without_dates(text: str) -> str:
        # Digits of dates, times and addresses aren't quantities.
        for kind in ("email", "url", "date", "time"):
            text = _PATTERNS[kind].sub(lambda m: " " * len(m.group()), text)
        return text
