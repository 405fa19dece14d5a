"""A comparison for a terminal: the figures as a table, then the answers, terminal controls taken out; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.compare import facts
from tetrate_jupyter.compare.summary import figures, merged
from tetrate_jupyter.compare.verdict import verdict
from tetrate_jupyter.compare.votes import tally
from tetrate_jupyter.render.answer import with_chip
from tetrate_jupyter.render.plain import one_line, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.compare.data import ResultData

_ANSWER: Final = 1_500  # characters of one answer
_ANSWERS: Final = 12  # answers written out; the table has all columns


def text(result: ResultData) -> str:
    """Return the text. Answers are written out for one prompt; for more, `result.df` has them."""
    figured = [figures(c.head, c.rows) for c in result.columns]
    head = with_chip(facts.headline(result), facts.provenance(result.rows))
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
            if count > _ANSWERS:
                continue
            of = len(column.rows)
            title = one_line(column.head.label) + (f" ({facts.repeats(answer, of)})" if of > 1 else "")
            lines = [f"── {title}"]
            if answer.row.text:
                cut = len(answer.row.text) - _ANSWER
                shown = plain(answer.row.text[:_ANSWER]).rstrip("\n")
                lines.append(shown if cut <= 0 else f"{shown} … ({cut:,} more characters)")
            lines += [f"[{one_line(notice)}]" for notice in facts.notices(answer.row)]
            yield "\n".join(lines)
    if count > _ANSWERS:
        yield f"{count - _ANSWERS:,} more answers are in result.df."
