"""A conversation as HTML and as plain text, to be read without a kernel; pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.ledger.window import total_of
from tetrate_jupyter.render.answer import answer_plain, beside_chip, footer, line_html
from tetrate_jupyter.render.chips import notices_html
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import one_line, plain
from tetrate_jupyter.render.style import ROOT_CLASSES, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.conversation import Exchange
    from tetrate_jupyter.types import Message

MOST: Final = 300_000  # characters of HTML; a longer conversation's beginning is left out, and that is said
FOLDED: Final = 600  # characters of a prompt that are shown unfolded
_CSS: Final = (
    "<style>.tetrate-question{white-space:pre-wrap;overflow-wrap:anywhere;margin:1em 0 .5em;padding:.5em .8em;"
    "border-radius:3px;background:var(--jp-layout-color2,rgba(128,128,128,.12))}</style>"
)
EMPTY: Final = "An empty conversation."
COPY: Final = (
    "A saved copy: running this cell begins a new conversation in its place. A page that was open when the kernel "
    "ended gives it back. To keep later ones: session.keep_texts = True."
)
KEPT_COPY: Final = "A saved copy. Next: run this cell, then Go on where it was."


def typed(user: Message) -> str:
    """Return a question as the person wrote it, before anything was put into it."""
    return user.content if user.typed is None else user.typed


def said(exchange: Exchange) -> str:
    """Return all text that the model wrote in an exchange, before and after its tools; Markdown."""
    return "\n\n".join(m.content for m in exchange.replies if m.role == "assistant" and m.content.strip())


@lru_cache(maxsize=16)  # a panel and its fallback show the same, and every panel of a session
def drawn(text: str) -> str:
    """Return the HTML of a model's text for a panel: other panels and sockets wait while it is made."""
    return render(text, most=MOST, live=True)


def model_of(exchange: Exchange) -> str:
    """Return the id of the model that answered, "" where it isn't known."""
    if exchange.entry is not None:
        return exchange.entry.answered or exchange.entry.asked
    return next((m.model for m in reversed(exchange.replies) if m.role == "assistant"), "")


def quiet_line(exchange: Exchange, *, timed: bool) -> str:
    """Return the line under an answer: model, times where it is `timed`, tokens, estimated cost, as far as known."""
    entry = exchange.entry
    if entry is None:
        return one_line(model_of(exchange))
    times = entry.timing if timed else None
    return footer(entry.answered or entry.asked, asked_id=entry.asked, timing=times, usage=entry.usage, cost=entry.cost)


def answer_figures(exchange: Exchange, *, timed: bool) -> list[list[str]]:
    """Return the parts of the quiet line as [kind, text].

    A narrow page leaves out parts of kind "far" first, then "got"; the others are always shown.
    """
    entry, model = exchange.entry, one_line(model_of(exchange))
    if entry is None:
        return [["far", model]] if model else []
    parts = [["far", model]]
    if entry.timing is not None and timed:
        if entry.timing.first_token is not None:
            parts.append(["far", f"first token {seconds(entry.timing.first_token)}"])
        parts.append(["", f"total {seconds(entry.timing.total)}"])
    used = entry.usage
    if used.prompt_tokens is None and used.completion_tokens is None:
        parts.append(["got", "? tokens"])
    else:
        sent, got = (("?" if n is None else f"{n:,}") for n in (used.prompt_tokens, used.completion_tokens))
        thought = f" ({used.reasoning_tokens:,} of reasoning)" if used.reasoning_tokens else ""
        parts += [["far", f"{sent} →"], ["got", f"{got} tokens{thought}"]]
    return [*parts, ["", f"≈ {money(entry.cost)}" if entry.cost is not None else "cost unknown"]]


def sum_line(exchanges: Sequence[Exchange]) -> str:
    """Return the conversation's sum: "3 answers · 1,204 tokens · ≈ $0.0021"; what isn't known is said."""
    entries = [e.entry for e in exchanges if e.entry is not None]
    if not entries:
        return ""
    total = total_of(entries)
    words = [f"{total.calls} answer{'' if total.calls == 1 else 's'}"]
    tokens = total.prompt_tokens + total.completion_tokens
    words.append(f"{tokens:,} tokens" if total.unknown_tokens < total.calls else "? tokens")
    words.append("cost unknown" if total.cost is None else f"≈ {money(total.cost)}")
    if total.cost is not None and total.unknown_costs:
        words[-1] += f" and {total.unknown_costs} of unknown cost"
    return " · ".join(words)


def html(exchanges: Sequence[Exchange], note: str = "", *, timed: bool) -> str:
    """Return the conversation for a page, the newest part where it is very long, below a `note` on how to go on."""
    found: list[str] = []
    size = 0
    for number, exchange in enumerate(reversed(exchanges)):
        part = _exchange_html(exchange, timed=timed)
        size += len(part)
        if size > MOST and found:
            found.append(f'<p class="tetrate-notice">{len(exchanges) - number} earlier questions are left out.</p>')
            break
        found.append(part)
    inside = "".join(reversed(found)) or f'<p class="tetrate-caption">{EMPTY}</p>'
    total = f'<p class="tetrate-footer">{escape(sum_line(exchanges))}</p>' if len(exchanges) > 1 else ""
    above = f'<p class="tetrate-footer" role="note">{escape(note)}</p>' if note and exchanges else ""
    return _CSS + styled(f'<div class="{ROOT_CLASSES}">{above}{inside}{total}</div>')


def _exchange_html(exchange: Exchange, *, timed: bool) -> str:
    asked = typed(exchange.user)
    parts = [f'<div class="tetrate-question" dir="auto">{escape(asked)}</div>']
    if len(asked) > FOLDED:
        summary = escape(one_line(asked[:80]))
        parts = [f"<details><summary>{summary}…</summary>{parts[0]}</details>"]
    parts += [f'<p class="tetrate-footer">{escape(image.label)}</p>' for image in exchange.user.images]
    if exchange.reasoning.strip():
        parts.append(
            '<details class="tetrate-reasoning"><summary>Reasoning</summary>'
            f'<div class="tetrate-body">{drawn(exchange.reasoning)}</div></details>'
        )
    parts.append(f'<div class="tetrate-body">{drawn(said(exchange))}</div>')
    parts.append(notices_html(beside_chip(exchange.notices)))
    parts.append(f'<p class="tetrate-footer">{line_html(quiet_line(exchange, timed=timed), exchange.notices)}</p>')
    return "".join(parts)


def text(exchanges: Sequence[Exchange], note: str = "", *, timed: bool) -> str:
    """Return the conversation for a terminal, below a `note` on how to go on."""
    parts = [f"[{note}]"] if note and exchanges else []
    for exchange in exchanges:
        asked = plain(typed(exchange.user))
        parts.append("> " + asked.replace("\n", "\n> "))
        parts.append(answer_plain(said(exchange), footer=quiet_line(exchange, timed=timed), notices=exchange.notices))
    return "\n\n".join(parts) or EMPTY
