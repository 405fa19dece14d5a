"""What a panel tells of a question or an answer: notices as chips that open what was sent, and as sentences."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.render.chips import IN_A_PANEL, details, label
from tetrate_jupyter.render.plain import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_UNKNOWN: Final[Mapping[str, str]] = MappingProxyType({})


def noticed(
    notices: Sequence[str], beside: Sequence[tuple[str, str]] = (), sent: Mapping[str, str] = _UNKNOWN
) -> dict[str, Any]:
    """Return what is told of an answer: its notices, and which are shown as chips and which as sentences.

    A chip is [label, all of it, kind, what was sent of the value it is about]. `beside`: (label, all of it) of those
    that are grey.
    """
    shown = [visible(notice) for notice in notices]
    labels = [label(notice) for notice in shown]
    chips = [
        [short, details(said, IN_A_PANEL), "warn", visible(sent.get(notice, ""))]
        for short, said, notice in zip(labels, shown, notices, strict=True)
        if short
    ]
    return {
        "notes": shown,
        "chips": chips + [[word, says, "", ""] for word, says in beside],
        "said": [notice for short, notice in zip(labels, shown, strict=True) if not short],
    }


def filled_in(said: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return what is told of a prompt that was filled in, from sentences and, where it is about them, words as sent.

    Those about words as sent are chips, `unfilled`, where they are short; the others stay sentences.
    """
    sentences, chips = [], list[Any]()
    for sentence, sent in said:
        told = noticed([sentence], sent={sentence: sent})
        if sent and told["chips"]:
            chips += told["chips"]
        else:
            sentences += told["notes"]
    return {"said": " ".join(sentences), "unfilled": chips}
