"""What is asked about a table: which figure of which columns, or None where a word of the question isn't understood.

It is strict on purpose: one word that may leave rows out ("in winter", "above 10") and nothing is computed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.words import LISTS, STOP_WORDS, plain, stem

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.prompt_tables import PromptColumn, PromptTable

_FIRST: Final = 0xE000  # of the private characters that stand for a column each
_MOST_COLUMNS: Final = 1_000
_LONGEST: Final = 2_000  # characters of a question
_MARK: Final = re.compile(r"[\ue000-\uf8ff]")
_QUOTES: Final = "[`'\"*]?"
_TOKEN: Final = re.compile(r"[\ue000-\uf8ff]|[^\W\d_]+(?:'[^\W\d_]+)?|-?\d+(?:[.,]\d+)*")
_SPLIT: Final = re.compile(r"[^\W\d_]+|\d+")
_UNIT: Final = re.compile(r"\s*[(\[].*[)\]]\s*$")
_FORM: Final = re.compile(  # only how it is to be said; what else such a sentence says may leave rows out
    r"(?:,? ?(?:and )?\b(?:please )?(?:answer|reply|respond)(?: only| just| briefly)?|,)? (?:in|with) (?:(?:only|just"
    r"|exactly|the|an?|one|two|three|four|\d|single|short|whole|numbers?|names?|words?|sentences?|lines?"
    r"|paragraphs?|bullets?|points?|labels?|english|german|french|markdown|nothing|else|code|it)\b[ ,]*)+(?=[.?!\n]|$)"
    r"|\bit is the variable \w+|^(?:hi|hello|hey)\b|\b(?:thanks?|thank you|be brief|briefly|nothing else"
    r"|just the number|only the name)\b",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"\b(?:variable(?: is)?(?: called| named)?|called|named) [`'\"]?([^\W\d]\w*)[`'\"]?", re.IGNORECASE
)
_NUMBERS: Final = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "two": 2}
_TOP: Final = re.compile(
    rf"\b(top|bottom) (\d{{1,3}}|{'|'.join(_NUMBERS)})\b"
    rf"|\b(\d{{1,3}}|{'|'.join(_NUMBERS)}) "
    r"(highest|largest|biggest|greatest|best|lowest|smallest|fewest|cheapest|worst)\b"
)
_BY: Final = re.compile(
    r"\b(?:which|what|who|by|per|each|every|for each|for every|grouped by|group by)"
    r"(?: of the| the| different)* ?([\ue000-\uf8ff])"
)
_SHY_BEFORE: Final = (
    r"\b(?:of|by|per|which|each|every|column|highest|lowest|most|least|fewest|largest|smallest|biggest|mean|average"
    r"|median|total|maximum|minimum|max|min|and|between|plot)(?: the)? "
)
_SHY_AFTER: Final = r"(?= ?(?:[?.!,;:]|$|\b(?:has|have|had|is|are|by|per|for each|for every|and|against|over)\b))"
_OVER: Final = re.compile(
    r"\bover (?:time\b|the (?:rows|data)\b|[\ue000-\uf8ff])|\bover all\b"
    r"|\bthere are\b|\bin (?:my|this|the|that|these|those)\b"
)
_GRAMMAR: Final = frozenset().union(
    *(words for name, words in LISTS.items() if name.startswith("table_") and name != "table_other_work"),
    LISTS["most"], LISTS["least"], STOP_WORDS,
)  # fmt: skip
_KINDS: Final = ("outliers", "correlation", "trend", "missing", "distinct")
_STATISTICS: Final = ("mean", "median", "sum")


@dataclass(frozen=True)
class TableQuestion:
    """What is asked. `kind` is one of data/tables.json; `what`: mean, median, sum, max, min or count; "" for rows.

    `form`: "python" or "sql" where code is asked for. `where`: a column and the value that its rows must have.
    """

    kind: str
    form: str = ""
    what: str = ""
    measure: PromptColumn | None = None
    by: PromptColumn | None = None
    other: PromptColumn | None = None
    best: str = ""
    top: int = 0
    where: tuple[PromptColumn, str] | None = None


def is_other_work(text: str) -> bool:
    """Whether something is to be written that isn't about what a table holds: a poem, a translation."""
    return bool(set(_SPLIT.findall(text[:_LONGEST].lower())) & LISTS["table_other_work"])


def variable_in(texts: list[str]) -> str:
    """Return the name of the table's variable, where one of the texts tells it; else ""."""
    found = (match[1] for text in texts for match in _NAMED.finditer(text[:_LONGEST]))
    return next((name for name in found if name.isidentifier() and name.lower() not in _GRAMMAR), "")


def form_of(text: str) -> str:
    """Return in what form an answer is wanted: "sql", "python", or "" for words."""
    said = set(_SPLIT.findall(text[:_LONGEST].lower()))
    if said & LISTS["sql"]:
        return "sql"
    return "python" if said & {"python", "pandas", "matplotlib", "code", "script", "function", "snippet"} else ""


def understood(text: str, table: PromptTable) -> TableQuestion | None:
    """Return what a question asks about a table; None where a part of it isn't understood."""
    found = _TableQuestion(_MARK.sub("", plain(text[:_LONGEST])), table)
    question = found.question()
    return replace(question, form=question.form or form_of(text)) if question else None


def names_a_column(text: str, table: PromptTable) -> bool:
    """Whether a text names one of a table's columns."""
    return bool(_TableQuestion(_MARK.sub("", plain(text[:_LONGEST])), table).columns)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _may_be_named(name: str, said: str) -> bool:
    """Whether a text has the beginning of a word of a name; of a thousand columns, few are looked for closer."""
    parts = _SPLIT.findall(name) or [name]
    return any(part and stem(part)[:3] in said for part in parts)


class _TableQuestion:
    """A question, with a private character for each column that it names."""

    def __init__(self, text: str, table: PromptTable) -> None:
        self._table = table
        names = [_folded(column.name) for column in table.columns[:_MOST_COLUMNS]]
        self._columns = list(table.columns[:_MOST_COLUMNS])
        said, often = _folded(text), Counter(names)
        self._names = {n: name for n, name in enumerate(names) if often[name] == 1 and _may_be_named(name, said)}
        self.where: list[tuple[PromptColumn, str]] = []
        text = self._without_form(text)
        self.text = self._marked(_folded(self._without_values(text)))
        self.words = _TOKEN.findall(_OVER.sub(lambda m: "".join(_MARK.findall(m.group())), self.text))

    @property
    def columns(self) -> list[PromptColumn]:
        """The columns that are named, each once, in order."""
        return [self._columns[ord(mark) - _FIRST] for mark in dict.fromkeys(_MARK.findall(self.text))]

    def has(self, name: str) -> bool:
        """Whether a word of a list occurs."""
        return not LISTS[name].isdisjoint(self.words)

    @staticmethod
    def _without_form(text: str) -> str:
        return _NAMED.sub(" ", _FORM.sub(" ", text))

    def _without_values(self, text: str) -> str:
        """Take out "for Bob", "where station is Bob": values of text columns, which choose rows."""
        for column in self._columns:
            if column.is_number or column.is_date or not self._table.is_whole or column.is_cut:
                continue
            for value in dict.fromkeys(column.present):
                is_word = value.casefold() in _GRAMMAR and not value[:1].isupper()
                if is_word or not value or value not in text:
                    continue
                spelled = re.escape(value)
                found = re.search(
                    rf"\b(?:for|in|at|from|with|where|is|=)(?: the)?"
                    rf"(?: {re.escape(column.name)})?(?: is| =| ==)? ?{_QUOTES}"
                    rf"(?<!\w){spelled}(?!\w){_QUOTES}",
                    text,
                )
                if found and len(value) <= 100:
                    self.where.append((column, value))
                    text = f"{text[: found.start()]} {text[found.end() :]}"
        return text

    def _marked(self, text: str) -> str:
        shy = {n for n, name in self._names.items() if self._is_shy(name)}
        for n, name in self._longest_first():
            if name not in text:
                continue
            text = re.sub(rf"([`'\"*]+){re.escape(name)}\1", f" {chr(_FIRST + n)} ", text)
        for n, name in self._longest_first():
            if n not in shy and all(part[:3] in text for part in _SPLIT.findall(_UNIT.sub("", name))):
                for spelled in self._spellings(name):
                    text = re.sub(rf"(?<!\w){spelled}(?!\w)", f" {chr(_FIRST + n)} ", text)
        text = self._by_a_word(text)
        for n in sorted(n for n in shy if self._names[n] in text):
            text = re.sub(rf"({_SHY_BEFORE}){re.escape(self._names[n])}{_SHY_AFTER}", rf"\g<1>{chr(_FIRST + n)} ", text)
        return " ".join(text.split())

    def _longest_first(self) -> list[tuple[int, str]]:
        return sorted(self._names.items(), key=lambda item: -len(item[1]))

    @staticmethod
    def _is_shy(name: str) -> bool:
        """Whether a column's name is a word of questions ("mean", "count") or so short that it may be one ("a")."""
        parts = _SPLIT.findall(name)
        return not any(len(part) > 1 and not part.isdigit() for part in parts) or all(
            part in _GRAMMAR or part.isdigit() for part in parts
        )

    def _spellings(self, name: str) -> list[str]:
        """Return expressions for a name: as it is, its words apart, without the unit in brackets; "s" may follow."""
        found = [re.escape(name)]
        for each in (name, _UNIT.sub("", name)):
            parts = _SPLIT.findall(each)
            if parts and not self._is_shy(" ".join(parts)) and self._is_only(parts):
                found.append(r"[\W_]{0,3}".join(map(re.escape, parts)) + "(?:s|es)?")
                if parts[-1].endswith("y"):
                    found.append(found[-1].removesuffix("y(?:s|es)?") + "ies")
        return found

    def _is_only(self, parts: list[str]) -> bool:
        """Whether no other column begins with or consists of the same words."""
        same = [n for n, name in self._names.items() if _SPLIT.findall(name)[: len(parts)] == parts]
        return len(same) == 1

    def _by_a_word(self, text: str) -> str:
        """Mark columns of whose names one word stands in the text, where it is a word of no other."""
        owners: dict[str, set[int]] = {}
        for n, name in self._names.items():
            for part in _SPLIT.findall(name):
                owners.setdefault(stem(part), set()).add(n)

        def marked(found: re.Match[str]) -> str:
            word = found.group()
            own = owners.get(stem(word), set())
            fits = len(own) == 1 and len(word) > 1 and word not in _GRAMMAR - LISTS["table_fillers"]
            return f" {chr(_FIRST + next(iter(own)))} " if fits else word

        return re.sub(r"[^\W\d_]+", marked, text)

    # --- what is asked -------------------------------------------------------------------------------------

    def question(self) -> TableQuestion | None:
        """Return what is asked, None where it isn't understood."""
        loose = self._loose()
        if loose is not None:
            return loose
        top = _TOP.search(self.text)
        if not self._is_all_understood(top) or len(self.where) > 1:
            return None
        where = self.where[0] if self.where else None
        found = self._figure(top)
        return replace(found, where=where) if found else None

    def _loose(self) -> TableQuestion | None:
        """Return what is answered by what is true of the whole table, whatever else is said."""
        numeric = [c for c in self.columns if c.is_number]
        others = [c for c in self.columns if not c.is_number]
        first, second = ([*others, None])[0], ([*numeric, None, None])[:2]
        if self.has("table_plot"):
            return TableQuestion("plot", "python", measure=second[0], other=second[1], by=first)
        if self.has("table_fill"):
            return TableQuestion("fill", "python", measure=([*self.columns, None])[0])
        if self.has("table_clean"):
            return TableQuestion("clean", "python")
        asks_more = any(self.has(f"table_{kind}") for kind in (*_KINDS, *_STATISTICS)) or self.columns or self.where
        return TableQuestion("overview") if self._is_overview() and not asks_more else None

    def _is_overview(self) -> bool:
        return self.has("table_overview") or bool(
            re.search(
                r"\b(?:tell me about|look at|what is in|what's in|what do you see|stand out)\b|\bpatterns?\b", self.text
            )
        )

    def _is_all_understood(self, top: re.Match[str] | None) -> bool:
        counted = set(_TOKEN.findall(top.group())) if top else set()
        known = [w for w in self.words if not _MARK.match(w) and w not in counted]
        # "When was the highest ...?" asks for a date, a later "when" leaves rows out
        allowed = {"when"} & set(known[:1]) | ({"between"} if self.has("table_correlation") else set())
        return all(
            (word in _GRAMMAR or word.removesuffix("'s") in _GRAMMAR or stem(word) in _GRAMMAR)
            and (word not in LISTS["table_limits"] or word in allowed)
            for word in known
        ) and not ("where" in self.words and self.words[0] != "where")

    def _figure(self, top: re.Match[str] | None) -> TableQuestion | None:
        by, numeric = self._roles(is_top=top is not None)
        for kind in _KINDS:
            if self.has(f"table_{kind}"):
                return self._of_kind(kind, by, numeric)
        stated = [w for w in _STATISTICS if self.has(f"table_{w}")]
        ends = [end for end, name in (("max", "most"), ("min", "least")) if self.has(name)]
        if len(stated) > 1 or len(ends) > 1:
            return None
        what, best = ([*stated, ""])[0], ([*ends, ""])[0]
        counts = self.has("table_rows") or self.has("table_often")
        if not numeric and not what and (counts or {"many", "count", "number"} & set(self.words)):
            return self._count(by, best, counts=counts)
        measure = self._measure(numeric)
        if measure is None or (by is not None and by.place == measure.place):
            return None
        return self._top(top, measure, by, what) if top else self._of_measure(measure, by, what, best)

    @staticmethod
    def _top(top: re.Match[str], measure: PromptColumn, by: PromptColumn | None, what: str) -> TableQuestion:
        best = "max" if top[1] == "top" or (top[4] or "") in LISTS["most"] else "min"
        kind = "group_top" if what and by else "top"
        return TableQuestion(kind, what=what, measure=measure, by=by, best=best, top=_number(top[2] or top[3]))

    def _of_measure(self, measure: PromptColumn, by: PromptColumn | None, what: str, best: str) -> TableQuestion | None:
        by = by or (self._asked_for() if best else None)
        if by is None:
            if what and best:
                return None
            return TableQuestion("value", what=what or best, measure=measure) if what or best else None
        if not best:
            grouped = what or re.search(r"\b(?:by|per|each|every)\b", self.text)
            return TableQuestion("groups", "", what or "sum", measure, by) if grouped else None
        repeats = len(set(by.cells)) < len(by.cells) or not self._table.is_whole
        if what or (repeats and LISTS["table_added"] & set(self.words)):
            return TableQuestion("group_best", "", what or "sum", measure, by, best=best)
        if not re.search(r"\b(?:which|what|who|where|when)\b", self.text) and _BY.search(self.text):
            return TableQuestion("groups", "", best, measure, by)  # the highest price by region
        return TableQuestion("extreme", "", "", measure, by, best=best)

    def _roles(self, *, is_top: bool) -> tuple[PromptColumn | None, list[PromptColumn]]:
        """Return the column of the groups or names, and the columns to calculate with."""
        named = self.columns
        found = _BY.search(self.text)
        by = self._columns[ord(found[1]) - _FIRST] if found else None
        labels = [c for c in named if not c.is_number and c is not by]
        if by is not None and by.is_number and (is_top or len(named) == 1 or (labels and len(named) == 2)):
            by = None  # "the top 3 stations by temperature", "which price is the highest"
        if by is None and labels:
            by = labels.pop(0)
        numeric = [c for c in named if c.is_number and c is not by]
        return by, numeric if not labels else [*numeric, *labels]

    def _measure(self, numeric: list[PromptColumn]) -> PromptColumn | None:
        """Return the one column to calculate with: the one that is named, or the only one that there is."""
        if len(numeric) == 1 and numeric[0].is_number:
            return numeric[0]
        able = [
            c for c in self._table.columns if c.is_number and c.place >= 0 and c.name.casefold() not in {"index", "id"}
        ]
        return able[0] if not numeric and len(able) == 1 and not self._table.hidden else None

    def _asked_for(self) -> PromptColumn | None:
        """Return the column that "who", "where" or "when" asks for, if only one can be meant."""
        if not self.words or self.words[0] not in {"who", "where", "when"}:
            return None
        is_date = self.words[0] == "when"
        fit = [c for c in self._table.columns if (c.is_date if is_date else not c.is_date and not c.is_number)]
        return fit[0] if len(fit) == 1 else None

    def _of_kind(self, kind: str, by: PromptColumn | None, numeric: list[PromptColumn]) -> TableQuestion | None:
        if kind == "correlation":
            able = numeric or [c for c in self._table.columns if c.is_number and c.place >= 0]
            fits = len(able) == 2 and by is None and all(c.is_number for c in able)
            return TableQuestion(kind, measure=able[0], other=able[1]) if fits else None
        if kind in {"missing", "distinct"}:
            named = self.columns
            if len(named) > 1 or (kind == "distinct" and not named):
                return None
            return TableQuestion(kind, measure=named[0] if named else None)
        measure = self._measure(numeric)
        fits = measure is not None and (by is None or (kind == "trend" and by.is_date))
        return TableQuestion(kind, measure=measure) if fits else None

    def _count(self, by: PromptColumn | None, best: str, *, counts: bool) -> TableQuestion | None:
        if by is None:
            return TableQuestion("rows") if self.has("table_rows") and not best else None
        if best or self.has("table_often"):
            return TableQuestion("count_best", "", "count", by=by, best=best or "max") if counts else None
        if self.has("table_rows"):
            return TableQuestion("counts", "", "count", by=by)
        return TableQuestion("distinct", measure=by) if not self.where else None


def _number(word: str) -> int:
    return _NUMBERS.get(word) or int(word)
