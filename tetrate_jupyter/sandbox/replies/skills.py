"""The small actual skills (arithmetic, counting, sentiment, summary, images, memory), and the fallback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.sandbox.pictures import Picture, read_data_url
from tetrate_jupyter.sandbox.replies.answers import entries, said, topic_of
from tetrate_jupyter.sandbox.replies.arithmetic import evaluate, expression_in, pretty, shown
from tetrate_jupyter.sandbox.replies.core import Core
from tetrate_jupyter.sandbox.replies.tools import results_of, use_results
from tetrate_jupyter.sandbox.replies.words import (
    LISTS,
    keywords,
    material,
    quoted,
    sentences,
    sentiment,
    wants_code,
    words,
)

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.reply import Ask

_EXACT = re.compile(
    r"^\s*(?:please\s+)?(?:say|repeat|echo|(?:reply|answer|respond) with)(?:\s+(?:only|just|exactly|after me))*"
    r"(?:\s+the words?)?\s*:?\s+(.+?)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_MOOD = re.compile(r"\bsentiment\b|\bpositive or negative\b|\bmood\b|\bhappy or (un|sad|not)", re.IGNORECASE)
_SHORTEN = re.compile(r"\bsummar|\btl;?dr\b|\bshorten\b|\bin (one|a single) sentence\b.*:", re.IGNORECASE)
_BEFORE = re.compile(
    r"\bwhat (did|have|was|were|had) (i|my)\b|\bmy (first|last|previous|earlier) (question|message|prompt)"
    r"|\bdo you remember\b|\b(earlier|before) (in this|did i)\b|\bhow many (questions|messages)\b",
    re.IGNORECASE,
)
_MINE = re.compile(r"\bwhat(?:'s| is| was) my ([\w ]+?)\s*\?", re.IGNORECASE)
_LETTERS = re.compile(
    r"how many (?:times .*?letter )?['\"]?(\w)['\"]?(?:'?s)?(?: are)?(?: there)? in (?:the word )?['\"]?(\w+)",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:hi|hello|hey)\b\W*$", re.IGNORECASE)
_LONGEST_REPEATED: Final = 500  # characters


def tool_results(ask: Ask) -> Core | None:
    """Return an answer from the tools' results."""
    found = use_results(ask)
    if found is None:
        return None
    return Core(
        found, ("I called the tools that came with the request", "I repeat what they gave"), results_of(ask)[-1][1]
    )


def pictures(ask: Ask) -> Core | None:
    """Return the known facts about the images: type, bytes, pixels."""
    content = next((m["content"] for m in reversed(ask.messages) if m.get("role") == "user"), None)
    parts: list[dict[str, Any]] = content if isinstance(content, list) else []
    found = [read_data_url(str(p["image_url"]["url"])) for p in parts if p.get("type") == "image_url"]
    seen = [picture for _, picture in filter(None, found)]
    if not seen:
        return None
    known = "; ".join(map(_described, seen))
    answer = f"I can't see pictures here, only read their files: {known}. The real {ask.profile.name} would look."
    return Core(answer, ("I read the header of the file", "I can't tell what it shows"), _described(seen[0]))


def memory(ask: Ask) -> Core | None:
    """Return what was said earlier in the conversation."""
    earlier = ask.earlier_prompts
    if (mine := _MINE.search(ask.prompt)) and (told := _told(earlier, mine[1])):
        return Core(f"Your {mine[1]} is **{told}**: you told me.", ("I looked through our conversation",), told)
    if not _BEFORE.search(ask.prompt):
        return None
    how = ("I looked through the messages that came with this request",)
    if not earlier:
        return Core("Nothing: this is the first message of our conversation.", how, is_finished=True)
    if re.search(r"how many", ask.prompt, re.IGNORECASE):
        return Core(f"You sent **{len(earlier)}** before this one.", how, str(len(earlier)))
    wanted = earlier[:1] if re.search(r"\bfirst\b", ask.prompt, re.IGNORECASE) else earlier[-5:]
    if re.search(r"\b(last|previous|just)\b", ask.prompt, re.IGNORECASE):
        wanted = earlier[-1:]
    return Core(
        "Before this, you said:\n\n" + "\n".join(f"- “{_short(text)}”" for text in wanted), how, _short(wanted[-1])
    )


def exact(ask: Ask) -> Core | None:
    """Return the words that the prompt asks to repeat."""
    found = _EXACT.match(ask.prompt)
    if found is None or len(found[1]) > _LONGEST_REPEATED:
        return None
    is_word_for_word = "only" in ask.prompt or "exactly" in ask.prompt or bool(quoted(found[1]))
    if not is_word_for_word and (" in " in found[1] or _GREETING.match(found[1])):
        return None  # "say hello in French" is more than repeating, and "say hello" is a greeting
    said = (quoted(found[1]) or [found[1]])[0].strip("`")
    return Core(said, bare=said, is_finished=True)


def code(ask: Ask) -> Core | None:
    """Return a stub for code that no answer is written for, named after its purpose."""
    if not wants_code(ask.prompt):
        return None
    topics = [w for w in keywords(ask.prompt) if w not in LISTS["fillers"] and w not in LISTS["write"]]
    name = "_".join([w for w in topics if w.isascii() and w.isalpha()][:3]) or "answer"
    return said(entries()["Code otherwise"], ask, topic=" ".join(topics[:3]) or "this", function=name)


def arithmetic(ask: Ask) -> Core | None:
    """Return the value of the expression in the prompt."""
    expression = expression_in(ask.prompt)
    value = evaluate(expression) if expression else None
    if expression is None or value is None:
        return None
    result = shown(value)
    how = (f"I read `{expression}` in your message", "I worked it out with exact fractions")
    return Core(f"{pretty(expression)} = **{result}**", how, result)


def counting(ask: Ask) -> Core | None:
    """Return a count of letters or words."""
    if found := _LETTERS.search(ask.prompt):
        letter, word = found[1].lower(), found[2]
        count = word.lower().count(letter)
        spelled = " ".join(f"**{c}**" if c.lower() == letter else c for c in word)
        return Core(f"There are **{count}**: {spelled}", ("I went through it letter by letter",), str(count))
    if re.search(r"\bhow many words\b", ask.prompt, re.IGNORECASE):
        count = len(words(material(ask.prompt)))
        return Core(f"There are **{count}** words.", ("I counted what stands between spaces",), str(count))
    return None


def judge(ask: Ask) -> Core | None:
    """Return a text's sentiment by a word list."""
    if not _MOOD.search(ask.prompt + ask.system):
        return None
    about = material(ask.prompt)
    mood = sentiment(about, careful=ask.profile.careful)
    reader = "minded a negation before them" if ask.profile.careful else "didn't look for negations"
    return Core(f"**{mood.capitalize()}**: “{_short(about)}”", (f"I counted good and bad words, and {reader}",), mood)


def summary(ask: Ask) -> Core | None:
    """Return the first sentence, or the first of each paragraph for a larger model."""
    if not _SHORTEN.search(ask.prompt):
        return None
    about = material(ask.prompt)
    if about == ask.prompt.strip():
        return None  # there is nothing to summarise
    first = next(iter(sentences(about)), about)
    if ask.profile.size != "large":
        return Core(first, ("I took the first sentence",), first)
    paragraphs = [sentences(p)[0] for p in re.split(r"\n\s*\n", about) if p.strip()]
    more = [s for s in sentences(about)[1:] if s not in paragraphs]
    points = (paragraphs + more)[:3]
    return Core("\n".join(f"- {p}" for p in points), ("I took what stands first and what follows",), first)


def fallback(ask: Ask) -> Core:
    """Return a statement that no answer is written for this, with the topics that have one."""
    topics = [w for w in keywords(ask.prompt[:_LONGEST_REPEATED]) if w not in LISTS["fillers"]][:3]
    topic = topic_of(ask.prompt[:_LONGEST_REPEATED]) or " ".join(topics) or "that"
    offers = [o.replace("{topic}", topic) for o in ask.rng.sample(entries()["Offers"].keys, 3)]
    listed = "\n".join(f"- *{offer}*" for offer in offers)
    return said(entries()["Otherwise"], ask, topic=topic, offers="; ".join(f"*{o}*" for o in offers), list=listed)


def _described(picture: Picture) -> str:
    kind = picture.media_type.removeprefix("image/").upper()
    pixels = f", {picture.width:,} x {picture.height:,} pixels" if picture.width and picture.height else ""
    return f"{kind}{pixels}, {picture.size:,} bytes"


def _told(earlier: list[str], what: str) -> str | None:
    for text in reversed(earlier):
        if found := re.search(rf"\bmy {re.escape(what)} is ([^.,;!?\n]+)", text, re.IGNORECASE):
            return found[1].strip()
        if what == "name" and (found := re.search(r"\b(?:i am|i'm|call me) ([A-Z][\w'-]*)", text)):
            return found[1]
    return None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:117] + "..."
