"""A comparison without script: a page with every column and number, bounded in size, and a terminal's text; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.compare import facts
from tetrate_jupyter.compare.data import without_times
from tetrate_jupyter.compare.figures import agreement, figures, merged, verdict
from tetrate_jupyter.compare.votes import tally
from tetrate_jupyter.render.answer import line_html, with_chip
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.render.numbers import seconds
from tetrate_jupyter.render.plain import one_line, plain
from tetrate_jupyter.render.style import BOUNDED, ROOT_CLASSES, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.figures import Merged
    from tetrate_jupyter.compare.rows import Head, Row

MOST: Final = 400_000  # characters of the whole page, since notebooks are mailed, diffed and kept in git
_ANSWERS: Final = 160_000  # characters of source text that all answers share
_LONGEST: Final = 20_000  # characters of one answer, however few there are
_SHORTEST: Final = 400  # characters; a shorter piece of an answer is useless
_SWELLS: Final = 12  # times the length of its source that a rendered answer may have; otherwise the source is shown
_AT_ONCE: Final = 8_000  # characters of answers that are still rendered after an interrupt
_PROMPT: Final = 4_000  # characters of a prompt
_BARS: Final = 24  # bars; with more, the table says more than the picture
# Inline styles, since a notebook that isn't trusted (a colleague's) is shown without stylesheets.
_BAR: Final = (
    "display:inline-block;height:.8em;min-width:1px;vertical-align:middle;background-color:rgba(128,128,128,{})"
)
_PALE, _DARK = _BAR.format(".35"), _BAR.format(".95")


class _Room:
    """The room that is left, for an answer and for the page."""

    def __init__(self, answers: int, *, at_once: bool = False) -> None:
        self.at_once = at_once
        self.each = max(_SHORTEST, min(_LONGEST, _ANSWERS // max(1, answers)))
        self.left = MOST
        self.left_out = 0
        self.rendered = 0

    def take(self, html: str) -> str:
        """Return the piece and take up its room, or "" if there is too little."""
        if len(html) > self.left:
            self.left_out += 1
            return ""
        self.left -= len(html)
        return html


def html(result: ResultData, *, timed: bool = True) -> str:
    """Return the page for keeping: without keys, and without times where outputs must be the same in every run."""
    return secrecy.redact(page(result, timed=timed), secrecy.HTML_MARK)


def page(result: ResultData, *, at_once: bool = False, timed: bool = True) -> str:
    """Return the page as HTML. `at_once`: don't render longer answers, for a cell that was interrupted."""
    if not timed:
        result = without_times(result)
    figured = [figures(c.head, c.rows) for c in result.columns]
    room = _Room(len(result.rows), at_once=at_once)
    head = facts.headline(result, timed=timed)
    parts = [
        f'<div class="{ROOT_CLASSES} tetrate-compare" {BOUNDED}>',
        f'<p class="tetrate-caption">{line_html(head, facts.provenance(result.rows))}</p>',
        *(f'<p class="tetrate-notice" dir="auto">{escape(said)}</p>' for said in facts.shortfall(figured, result)),
        facts.table(figured, result).markup,
        *(f'<p class="tetrate-notice" dir="auto">{escape(notice)}</p>' for notice in result.facts.notices),
    ]
    won = verdict(figured)
    if won and not result.is_blind:
        parts.append(f'<p class="tetrate-won" dir="auto">{escape(facts.sentence(won))}</p>')
    counted = tally(result.heads, result.rows)
    parts += [f'<p dir="auto">{escape(said)}</p>' for said in (counted.claim, counted.detail) if said]
    parts.append(_waterfall(result))
    room.left -= sum(map(len, parts))
    answers = _by_prompt(result)
    parts += [_prompt(result, number, answers[number], room) for number in range(len(result.facts.prompts))]
    if room.left_out:
        several = "prompts are" if room.left_out > 1 else "prompt is"
        parts.append(
            f'<p class="tetrate-notice">{room.left_out:,} {several} left out here to keep the notebook small; '
            "result.df has every row.</p>"
        )
    parts.append("</div>")
    return styled("".join(parts))


def _by_prompt(result: ResultData) -> dict[int, list[tuple[Head, list[Row]]]]:
    """Return the columns with their rows for each prompt, in a single pass over the rows."""
    found: dict[int, dict[str, list[Row]]] = {}
    for row in result.rows:
        found.setdefault(row.prompt, {}).setdefault(row.column, []).append(row)
    for number in range(len(result.facts.prompts)):
        found.setdefault(number, {})
    return {number: [(h, rows.get(h.id, [])) for h in result.heads] for number, rows in found.items()}


def _prompt(result: ResultData, number: int, columns: Sequence[tuple[Head, list[Row]]], room: _Room) -> str:
    prompt = result.facts.prompts[number]
    if room.left_out:  # once one has no room, the later ones are left out, too
        room.left_out += 1
        return ""
    if len(result.facts.prompts) == 1:
        opening = (
            f'<details><summary>Prompt</summary><p class="tetrate-raw" dir="auto">{_cut_prompt(prompt)}</p></details>'
        )
        return room.take(f"{opening}{_grid(columns, room)}")
    first = " ".join(prompt.split())[:90]
    whole = f'<p class="tetrate-raw" dir="auto">{_cut_prompt(prompt)}</p>' if len(prompt) > len(first) else ""
    opening = f'<details class="tetrate-of-prompt"{" open" if number == 0 else ""}>'  # the panel finds it by this class
    return room.take(
        f'{opening}<summary dir="auto">{number + 1}. {escape(first)}</summary>{whole}{_grid(columns, room)}</details>'
    )


def _cut_prompt(prompt: str) -> str:
    cut = len(prompt) - _PROMPT
    return escape(prompt) if cut <= 0 else f"{escape(prompt[:_PROMPT])} … ({cut:,} more characters)"


def grid(result: ResultData, number: int) -> str:
    """Return one prompt's answers side by side, equal repeats merged; `result` needs only that prompt's rows."""
    return _grid(_by_prompt(result)[number], _Room(len(result.rows)))


def _grid(columns: Sequence[tuple[Head, list[Row]]], room: _Room) -> str:
    sections = [_section(head, rows, room) for head, rows in columns]
    return f'<div class="tetrate-grid">{"".join(sections)}</div>'


def _section(head: Head, rows: Sequence[Row], room: _Room) -> str:
    name = escape(head.label)
    same = agreement(rows)
    note = "" if same is None else f' <span class="tetrate-same">{same:.0%} the same</span>'
    answers = "".join(_answer(head, each, len(rows), room) for each in merged(rows))
    return f'<section aria-label="{name}"><h4 dir="auto">{name}{note}</h4>{answers}</section>'


def _answer(head: Head, answer: Merged, of: int, room: _Room) -> str:
    row, parts = answer.row, []
    if of > 1:
        parts.append(f'<p class="tetrate-repeats">{escape(facts.repeats(answer, of))}</p>')
    if row.reasoning.strip():
        parts.append(
            '<details class="tetrate-reasoning"><summary>Reasoning</summary>'
            f'<div class="tetrate-body">{_markdown(row.reasoning, room.each // 2, room)[0]}</div></details>'
        )
    if row.text:
        body, cut = _markdown(row.text, room.each, room)
        parts.append(f'<div class="tetrate-body">{body}</div>')
        if cut:
            where = f'result["{head.label}"].rows'
            parts.append(f'<p class="tetrate-notice">Cut here: {cut:,} more characters are in {escape(where)}.</p>')
    parts += [f'<p class="tetrate-notice" dir="auto">{escape(notice)}</p>' for notice in facts.notices(row)]
    line = facts.line(row)
    parts.append(f'<p class="tetrate-footer">{escape(line)}</p>' if line else "")
    return "".join(parts)


def _markdown(text: str, most: int, room: _Room) -> tuple[str, int]:
    """Return the first `most` characters as HTML, and the number of characters left out."""
    cut = max(0, len(text) - most)
    shown = text[:most] if cut else text
    room.rendered += len(shown)
    if not room.at_once or room.rendered <= _AT_ONCE:
        html = render(shown)
        if len(html) <= max(2_000, _SWELLS * len(shown)):
            return html, cut
    return f'<pre class="tetrate-raw" dir="auto">{escape(shown)}</pre>', cut


def _waterfall(result: ResultData) -> str:
    """Return bars of each call's waiting and writing time on one time axis; "" for none or too many.

    Each has its seconds as text.
    """
    rows = [r for r in result.rows if r.started is not None and r.total is not None]
    if not rows or len(rows) > _BARS:
        return ""
    labels = {h.id: h.label for h in result.heads}
    end = max((r.started or 0) + (r.total or 0) for r in rows) or 1.0
    several = len(result.facts.prompts) * result.facts.repeats > 1
    bars = "".join(_bar(r, labels[r.column] + (_which(r, result) if several else ""), end) for r in rows)
    return (
        "<details open><summary>Waiting (pale) and writing (dark)</summary>"
        f'<table class="tetrate-bars" style="width:100%"><tbody>{bars}</tbody></table></details>'
    )


def _which(row: Row, result: ResultData) -> str:
    prompt = f", prompt {row.prompt + 1}" if len(result.facts.prompts) > 1 else ""
    return prompt + (f", repeat {row.repeat + 1}" if result.facts.repeats > 1 else "")


def _bar(row: Row, label: str, end: float) -> str:
    started, total = row.started or 0.0, row.total or 0.0
    waiting = total if row.first_token is None else row.first_token
    writing = max(0.0, total - waiting)
    said = f"waiting {seconds(waiting)}, writing {seconds(writing)}".replace(" s", "\N{NO-BREAK SPACE}s")
    parts = [
        f'<span style="margin-left:{_share(before, end)};width:{_share(length, end)};{bar}"></span>'
        for bar, before, length in ((_PALE, started, waiting), (_DARK, 0.0, writing))
    ]
    return (
        f'<tr><td style="text-align:left" dir="auto">{escape(label)}</td>'
        f'<td style="text-align:left;width:50%;white-space:nowrap" aria-hidden="true">{"".join(parts)}</td>'
        f'<td style="text-align:left">{escape(said)}</td></tr>'
    )


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%"


_SHOWN: Final = 1_500  # characters of one answer in a terminal
_WRITTEN: Final = 12  # answers written out in a terminal; the table has all columns


def text(result: ResultData, *, timed: bool = True) -> str:
    """Return the text. It has the answers if there is one prompt; for more, they are in `result.df`."""
    if not timed:
        result = without_times(result)
    figured = [figures(c.head, c.rows) for c in result.columns]
    head = with_chip(facts.headline(result, timed=timed), facts.provenance(result.rows))
    parts = [one_line(head), *map(one_line, facts.shortfall(figured, result))]
    parts.append(facts.table(figured, result).plain())
    parts += [one_line(notice) for notice in result.facts.notices]
    won = verdict(figured)
    if won and not result.is_blind:
        parts.append(one_line(facts.sentence(won)))
    counted = tally(result.heads, result.rows)
    if counted.claim:
        parts.append(one_line(f"{counted.claim} {counted.detail}"))
    if len(result.facts.prompts) == 1:
        parts += list(_answers(result))
    else:
        parts.append(f"The {len(result.rows):,} answers are in result.df.")
    return "\n\n".join(parts)


def _answers(result: ResultData) -> Iterator[str]:
    count = 0
    for column in result.columns:
        for answer in merged(column.rows):
            count += 1
            if count > _WRITTEN:
                continue
            of = len(column.rows)
            title = one_line(column.head.label) + (f" ({facts.repeats(answer, of)})" if of > 1 else "")
            lines = [f"── {title}"]
            if answer.row.text:
                cut = len(answer.row.text) - _SHOWN
                shown = plain(answer.row.text[:_SHOWN]).rstrip("\n")
                lines.append(shown if cut <= 0 else f"{shown} … ({cut:,} more characters)")
            lines += [f"[{one_line(notice)}]" for notice in facts.notices(answer.row)]
            yield "\n".join(lines)
    if count > _WRITTEN:
        yield f"{count - _WRITTEN:,} more answers are in result.df."
