"""An answer as it is shown: its text, what a reader must know about it, and the quiet line under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.render.bounds import beginning, stopped
from tetrate_jupyter.render.chips import notices_html
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import one_line, plain
from tetrate_jupyter.render.style import ROOT_CLASSES, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from tetrate_jupyter.types import Cut, Timing, Usage

# Notices that are shown as chips beside the footer, in this order.
CACHED: Final = "A kept answer: nothing was asked or paid now."
SIMULATED: Final = "Simulated by the sandbox: no model was asked."
_CHIPS: Final = {CACHED: "cached", SIMULATED: "simulated"}


def sent_of(cuts: Iterable[Cut]) -> dict[str, str]:
    """Return what was sent of the values that notices are about, by notice."""
    return {cut.sentence: cut.text for cut in cuts if cut.text}


def beside_chip(notices: Iterable[str]) -> list[str]:
    """Return the notices that are shown as sentences: all but `CACHED` and `SIMULATED`, which are chips."""
    return [notice for notice in notices if notice not in _CHIPS]


def with_chip(line: str, notices: Iterable[str]) -> str:
    """Return a quiet line in plain text, with "· simulated" at its end where `notices` has `SIMULATED`, and so on."""
    return " · ".join(filter(None, (line, *(word for _, word in _chips(notices)))))


def line_html(line: str, notices: Iterable[str]) -> str:
    """Return the same for a page, the chips in grey."""
    chips = (f'<span class="tetrate-chip" title="{escape(said)}">{word}</span>' for said, word in _chips(notices))
    return " ".join(filter(None, (escape(line), *chips)))


def _chips(notices: Iterable[str]) -> list[tuple[str, str]]:
    there = set(notices)
    return [(said, word) for said, word in _CHIPS.items() if said in there]


def answer_html(
    body_html: str,
    *,
    footer: str = "",
    notices: Sequence[str] = (),
    cuts: Iterable[Cut] = (),
    reasoning: str = "",
    at_once: bool = False,
) -> str:
    """Put an answer together for a page.

    `body_html` comes from this package's renderer (`render`, `MarkdownStream`, `Live`, `last_part`) and nowhere else;
    `footer`, `notices` and `reasoning` (its Markdown source, shown folded) are escaped or rendered here; of `cuts` what
    was sent is shown behind their notices. `at_once`:
    there is no time to render the reasoning, its last part is shown as it was written.
    """
    parts = [f'<div class="{ROOT_CLASSES}">']
    if reasoning.strip():
        parts.append(
            '<details class="tetrate-reasoning"><summary>Reasoning</summary>'
            f'<div class="tetrate-body">{_thought(reasoning, at_once=at_once)}</div></details>'
        )
    parts.append(f'<div class="tetrate-body">{body_html}</div>')
    parts.append(notices_html(beside_chip(notices), sent_of(cuts)))
    if line := line_html(footer, notices):
        parts.append(f'<p class="tetrate-footer">{line}</p>')
    parts.append("</div>")
    return styled("".join(parts))


def _thought(reasoning: str, *, at_once: bool) -> str:
    if at_once:
        from tetrate_jupyter.render.live import last_part

        return last_part(reasoning, of="reasoning")
    from tetrate_jupyter.render.markdown import render

    return render(reasoning)


def answer_plain(text: str, footer: str = "", notices: Sequence[str] = (), *, at_once: bool = False) -> str:
    """Put an answer together for a terminal: its Markdown source, then each notice and the footer in brackets.

    Of a very long one the beginning is shown, and how much is left out; `at_once`: its last part.
    """
    shown = text[-config.AT_ONCE_CHARACTERS :] if at_once else text
    said = [stopped("text")] if len(shown) < len(text) else []
    tail = [f"[{one_line(line)}]" for line in (*said, *beside_chip(notices), with_chip(footer, notices)) if line]
    return "\n\n".join(part for part in (beginning(plain(shown)).rstrip("\n"), "\n".join(tail)) if part)


def footer(
    model_id: str,
    *,
    asked_id: str | None = None,
    timing: Timing | None,
    usage: Usage,
    cost: Decimal | None,
    asked_at: datetime | None = None,
) -> str:
    """Return the quiet line: "claude-haiku-4-5 · first token 0.21 s, total 0.93 s · 12 → 34 tokens · ≈ $0.0002".

    The model is the one that answered; `asked_id` is named where it differs. Without `timing` no times are named.
    `asked_at`: it is a kept answer of that time, and what it took and cost is of then.
    """
    name = model_id if asked_id in (None, "", model_id) else f"{model_id} (asked for {asked_id})"
    times = [] if timing is None else [_times(timing)]
    spent = f"≈ {money(cost)}" if cost is not None else "cost unknown"
    if asked_at is not None:
        times = [f"{each} when asked on {asked_at.date().isoformat()}" for each in times]
        spent = f"$0 now ({spent} when asked)"
    return " · ".join([one_line(name), *times, _tokens(usage), spent])


def _times(timing: Timing) -> str:
    total = f"total {seconds(timing.total)}"
    return total if timing.first_token is None else f"first token {seconds(timing.first_token)}, {total}"


def _tokens(usage: Usage) -> str:
    if usage.prompt_tokens is None and usage.completion_tokens is None:
        return "? tokens"
    sent, got = (("?" if n is None else f"{n:,}") for n in (usage.prompt_tokens, usage.completion_tokens))
    thought = f" ({usage.reasoning_tokens:,} of reasoning)" if usage.reasoning_tokens else ""
    return f"{sent} → {got} tokens{thought}"
