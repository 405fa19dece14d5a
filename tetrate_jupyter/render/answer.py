"""An answer as it is shown: its text, what a reader must know about it, and the quiet line under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import one_line, plain
from tetrate_jupyter.render.style import ROOT_CLASSES, styled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tetrate_jupyter.types import Timing, Usage


def answer_html(body_html: str, *, footer: str = "", notices: Sequence[str] = (), reasoning: str = "") -> str:
    """Put an answer together for a page.

    `body_html` comes from `render` or `MarkdownStream.html` and nowhere else; `footer`, `notices` and `reasoning` (its
    Markdown source, shown folded) are escaped or rendered here.
    """
    parts = [f'<div class="{ROOT_CLASSES}">']
    if reasoning.strip():
        from tetrate_jupyter.render.markdown import render

        parts.append(
            '<details class="tetrate-reasoning"><summary>Reasoning</summary>'
            f'<div class="tetrate-body">{render(reasoning)}</div></details>'
        )
    parts.append(f'<div class="tetrate-body">{body_html}</div>')
    parts += [f'<p class="tetrate-notice" dir="auto">{escape(notice)}</p>' for notice in notices]
    if footer:
        parts.append(f'<p class="tetrate-footer">{escape(footer)}</p>')
    parts.append("</div>")
    return styled("".join(parts))


def answer_plain(text: str, footer: str = "", notices: Sequence[str] = ()) -> str:
    """Put an answer together for a terminal: its Markdown source, then each notice and the footer in brackets."""
    tail = [f"[{one_line(line)}]" for line in (*notices, footer) if line]
    return "\n\n".join(part for part in (plain(text).rstrip("\n"), "\n".join(tail)) if part)


def footer(
    model_id: str,
    *,
    asked_id: str | None = None,
    timing: Timing,
    usage: Usage,
    cost: Decimal | None,
    cached: bool = False,
) -> str:
    """Give the quiet line: "claude-haiku-4-5 · first token 0.21 s, total 0.93 s · 12 → 34 tokens · ≈ $0.0002".

    The model is the one that answered; `asked_id` is named where it differs. `cached`: this answer was kept from an
    earlier request, so neither time nor money was spent on it now.
    """
    name = model_id if asked_id in (None, "", model_id) else f"{model_id} (asked for {asked_id})"
    parts = [one_line(name)]
    if cached:
        return " · ".join([*parts, "from the cache", _tokens(usage), "no cost now"])
    return " · ".join(
        [*parts, _times(timing), _tokens(usage), f"≈ {money(cost)}" if cost is not None else "cost unknown"]
    )


def _times(timing: Timing) -> str:
    total = f"total {seconds(timing.total)}"
    return total if timing.first_token is None else f"first token {seconds(timing.first_token)}, {total}"


def _tokens(usage: Usage) -> str:
    if usage.prompt_tokens is None and usage.completion_tokens is None:
        return "? tokens"
    sent, got = (("?" if n is None else f"{n:,}") for n in (usage.prompt_tokens, usage.completion_tokens))
    thought = f" ({usage.reasoning_tokens:,} of reasoning)" if usage.reasoning_tokens else ""
    return f"{sent} → {got} tokens{thought}"
