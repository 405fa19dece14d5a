"""The written answers: which one fits a prompt, and how much of it a model of a given size and voice says.

They are in data/answers/*.md, whose README explains the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.core import Core
from tetrate_jupyter.sandbox.replies.words import DATA, LISTS, STOP_WORDS, sentences, stem, words

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.reply import Ask

_FENCE: Final = re.compile(r"^\s*```")
_NOT_ASKED: Final = re.compile(r"```[\s\S]*?(?:```|$)|^\s*\|.*$|\"[^\"]*\"|“[^”]*”", re.MULTILINE)
_LONGEST: Final = 60  # words of a prompt without its material; a longer one asks for more than is written
_OTHER_WORDS: Final = 2  # words of a prompt that a pattern may leave unexplained
_TOPIC: Final = (
    r"\b{}\s+(?:the (?:topic|subject|theme) of )?(.+?)\s*"
    r"(?=[.?!:;,\n]|\s(?:in|with|within|using|under|as|that|which|who|please|from)\b"
    r"|\s(?:for|to) (?:me|my|a|an|the)\b|$)"
)
_TOPIC_WORDS: Final = ("about", "on", "of", "between", "for", "in")
_LONGEST_WORD: Final = 40  # characters
_SPELLED: Final = re.compile(r"[a-z0-9]+")
_LONGEST_TOPIC: Final = 2_000  # characters that are searched for a prompt's topic
_NUMBERS: Final = {"a single": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_NUMBER: Final = rf"\b({'|'.join(_NUMBERS)}|[1-9])\s+"
_SENTENCES: Final = re.compile(_NUMBER + r"(?:\w+\s+)?sentences?\b", re.IGNORECASE)
_ITEMS: Final = re.compile(_NUMBER + r"(?:[\w-]+\s+){0,2}?[a-z]{2,}s\b", re.IGNORECASE)
_SLOT: Final = re.compile(r"\{(\w+)\}")
_BEGINS: Final = re.compile(r"\s*(?:[|#>]|```|[-*] |\d+\. |\$\$)")
_CELL: Final = re.compile(r"(?<!\\)\|")
_WRAPPED: Final = 100  # characters from which a line in the files continues in the next
_NO_PROSE: Final = re.compile(r"[#|>]|[-*] |\d+\. |\*+[^*\n]+\*+$")
_ITEM: Final = re.compile(r"^(?:\d+\.|[-*]) ")
_SHORT: Final = re.compile(r"\b(brief|briefly|short|concise|terse|one line|tl;?dr)\b", re.IGNORECASE)


@dataclass
class WrittenAnswer:
    """One written answer, as data/answers/README.md explains. `rows`: its lookup table, as {key: {column: cell}}."""

    title: str
    patterns: list[list[str]] = field(default_factory=list)
    topic: str = ""
    form: str = ""
    lookup: str = ""
    columns: list[str] = field(default_factory=list)
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    has_head: bool = False
    errors: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    before: str = ""
    pace: str = ""
    middle: list[str] = field(default_factory=list)
    versions: list[tuple[frozenset[str], list[str]]] = field(default_factory=list)

    def version(self, ask: Ask) -> tuple[str, frozenset[str]]:
        """Return the text for a model, and the words of its heading."""
        own = {ask.profile.size, ask.profile.voice, "alone"}
        order = {"small": "medium large", "medium": "large small", "large": "medium small"}[ask.profile.size].split()
        for known in (own, *({ask.profile.voice, "alone", size} for size in order)):
            fitting = [(len(head & {ask.profile.voice}), head, text) for head, text in self.versions if head <= known]
            if fitting:
                most = max(rank for rank, _, _ in fitting)
                head, text = ask.rng.choice([(head, text) for rank, head, text in fitting if rank == most])
                return _unwrapped(_with_middle(text, self.middle)), head
        raise LookupError(self.title)


@cache
def entries() -> dict[str, WrittenAnswer]:
    """Return all written answers, by title."""
    found: dict[str, WrittenAnswer] = {}
    for path in sorted((DATA / "answers").glob("[a-z]*.md")):
        _read(path.read_text(encoding="utf-8").splitlines(), found)
    return found


def written(ask: Ask, form: str = "") -> Core | None:
    """Return the written answer that fits the prompt best, or None."""
    text = _NOT_ASKED.sub(" ", ask.prompt)
    asked = list(dict.fromkeys(words(text)))
    if not asked or len(asked) > _LONGEST or len(max(asked, key=len)) > _LONGEST_WORD:
        return None
    here = f" {' '.join(w for w in _SPELLED.findall(ask.prompt.lower()) if w not in {'a', 'an', 'the'})} "
    about = topic_of(text[:_LONGEST_TOPIC])
    best: tuple[int, int] | None = None
    chosen: tuple[WrittenAnswer, dict[str, str]] | None = None
    for entry in entries().values():
        if entry.form != form or not entry.patterns:
            continue
        slots = _looked_up(entry, here)
        if slots is None:
            continue
        topic = about if entry.topic else ""
        for pattern in entry.patterns:
            score = _score(pattern, text, asked, topic, slots.get("found", ""))
            if score is not None and (best is None or score > best):
                best, chosen = score, (entry, {"topic": topic or entry.topic, **slots})
    return said(chosen[0], ask, **chosen[1]) if chosen else None


def said(entry: WrittenAnswer, ask: Ask, **slots: str) -> Core:
    """Return the part of a written answer that a model says, with its slots filled."""
    text, head = entry.version(ask)
    slots["model"] = ask.profile.name
    capitals = {name.capitalize(): value[:1].upper() + value[1:] for name, value in slots.items()}
    # in one pass, so that what stands in a value (a person's own column may be called "{value}") is never a slot
    text = _SLOT.sub(lambda found: {**capitals, **slots}.get(found[1], found[0]), text)
    shaped = text if "alone" in head else _shaped(text, f"{ask.system}\n{ask.prompt}")
    return Core(
        shaped,
        bare=slots.get("value"),
        is_finished=shaped != text or bool(head & {"alone", ask.profile.voice}),
        pace=float(entry.pace) if entry.pace else None,
    )


def topic_of(text: str) -> str:
    """Return the topic of a text ("the sea"), or ""."""
    for word in _TOPIC_WORDS:
        for found in re.finditer(_TOPIC.format(word), text, re.IGNORECASE):
            topic = found[1].strip(" '\"")
            if topic and len(topic.split()) <= 6 and set(words(topic)) - STOP_WORDS - LISTS["fillers"]:
                return topic
    return ""


def _read(lines: list[str], found: dict[str, WrittenAnswer]) -> None:
    entry, text, in_code = WrittenAnswer(""), None, False
    for line in lines:
        in_code ^= bool(_FENCE.match(line))
        if not in_code and line.startswith("# "):
            entry, text = WrittenAnswer(line[2:]), None
            found[entry.title] = entry
        elif not in_code and line.startswith("## "):
            head = set(re.findall(r"\w+|\+", line))
            text = list(entry.versions[-1][1]) if "+" in head else []
            if head == {"middle"}:
                entry.middle = text
            else:
                entry.versions.append((frozenset(head - {"+"}), text))
        elif text is not None:
            text.append(line)
        elif line.startswith("|"):
            _add_row(entry, [c.strip().replace("\\|", "|") for c in _CELL.split(line.strip("|"))])
        elif line.startswith("when: "):
            entry.patterns.append([line[6:]] if line[6] == "/" else line[6:].split())
        elif line.startswith(("error: ", "change: ")):
            name, _, value = line.partition(": ")
            getattr(entry, f"{name}s").append(value)
        elif line.startswith(("topic: ", "form: ", "lookup: ", "before: ", "pace: ")):
            name, _, value = line.partition(": ")
            setattr(entry, name, value)


def _with_middle(lines: list[str], middle: list[str]) -> list[str]:
    shared = "\n".join(middle).strip().split("\n")
    return [each for line in lines for each in (shared if line == "{middle}" else [line])]


def _unwrapped(lines: list[str]) -> str:
    """Return a text with the lines of paragraphs joined, as a model writes them; short lines (verse) are kept."""
    found: list[str] = []
    in_code = is_long = False
    for line in lines:
        goes_on = bool(found) and not in_code and bool(line.strip()) and not _BEGINS.match(line)
        if goes_on and is_long:
            found[-1] += f" {line.strip()}"
        elif goes_on and found[-1].strip() and not _BEGINS.match(found[-1]):
            found[-1] += "  "
            found.append(line)
        else:
            found.append(line)
        in_code ^= bool(_FENCE.match(line))
        is_long = len(line) >= _WRAPPED and not in_code
    return "\n".join(found).strip()


def _add_row(entry: WrittenAnswer, cells: list[str]) -> None:
    if not entry.has_head:
        entry.has_head = True
        entry.columns = cells[1:]
    elif set(cells[0]) - {"-"}:
        entry.keys.append(cells[0])
        row = dict(zip(entry.columns, cells[1:], strict=True))
        for key in cells[0].split("/"):
            entry.rows[" ".join(_SPELLED.findall(key.lower()))] = row


def _looked_up(entry: WrittenAnswer, here: str) -> dict[str, str] | None:
    """Return the row and the cell that a prompt names, by the words in `found`; None where it names none."""
    if not entry.rows:
        return {}
    keys = [key for key in entry.rows if f" {key} " in here or f" {key}s " in here]
    columns = [column for column in entry.columns if f" {column.lower()} " in here]
    if not keys or (len(entry.columns) > 1 and not entry.lookup and not columns):
        return None
    key = max(keys, key=len)
    cells = entry.rows[key]
    found = [other for other in keys if entry.rows[other] is cells]
    column = columns[0] if columns else entry.columns[0]
    return {**cells, "key": key, "column": column, "value": cells[column], "found": " ".join([*found, *columns[:1]])}


def _score(pattern: list[str], text: str, asked: list[str], topic: str, found: str) -> tuple[int, int] | None:
    """Return a pattern's score, higher for more words and fewer unexplained ones; None where it doesn't match."""
    if pattern[0].startswith("/"):
        return (99, 0) if re.search(pattern[0].strip("/"), text, re.IGNORECASE) else None
    used = set(words(f"{topic} {found}"))
    for each in pattern:
        if each in {"KEY", "*"}:
            continue
        wanted = [w for part in each.strip("-").split("/") for w in LISTS.get(part.lower(), ()) if part.isupper()]
        wanted = wanted or each.strip("-").lower().split("/")
        matched = {word for word in asked if any(is_alike(word, want) for want in wanted)}
        if bool(matched) == each.startswith("-"):
            return None
        used |= matched
    others = [w for w in asked if len(w) > 1 and w not in used and w not in STOP_WORDS and w not in LISTS["fillers"]]
    if "*" not in pattern and len(others) > _OTHER_WORDS:
        return None
    own = [each for each in pattern if not each.startswith("-") and each.lower() not in LISTS]
    return len(own) - 2 * ("*" in pattern) + len(words(found)), -len(others)


@lru_cache(maxsize=20_000)
def is_alike(word: str, wanted: str) -> bool:
    """Whether a word is the wanted one, with any ending, or with one typing error in six or more letters."""
    if word == wanted or stem(word) == stem(wanted) or stem(word) == wanted:
        return True
    one, two = (re.sub(r"(.)\1", r"\1", stem(w)) for w in (word, wanted))
    if min(len(one), len(two)) < 6 or one[0] != two[0]:
        return one == two and len(one) >= 5
    changes = [(a, b) for a, b in zip(one, two, strict=False) if a != b]
    if len(one) == len(two):
        return len(changes) <= 1 or (len(changes) == 2 and changes[0] == changes[1][::-1])
    longer, shorter = sorted((one, two), key=len, reverse=True)
    return len(longer) - len(shorter) == 1 and any(longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer)))


def _shaped(text: str, wishes: str) -> str:
    """Return an answer cut to the requested number of sentences or items."""
    if "```" in text:
        return text
    paragraphs = text.split("\n\n")
    prose = next((p for p in paragraphs if not _NO_PROSE.match(p)), paragraphs[0])
    if found := _SENTENCES.search(wishes):
        return " ".join(sentences(prose)[: _number(found[1])])
    if _SHORT.search(wishes) and not _ITEM.search(text):
        return prose
    if found := _ITEMS.search(wishes):
        return _fewer(text, _number(found[1]))
    return text


def _fewer(text: str, most: int) -> str:
    kept, count = [], 0
    for line in text.split("\n"):
        count += bool(_ITEM.match(line))
        if not (_ITEM.match(line) and count > most):
            kept.append(line)
    return "\n".join(kept)


def _number(word: str) -> int:
    return _NUMBERS.get(word.lower()) or int(word)
