"""An answer, and how it displays: as rendered Markdown in a notebook, as plain text elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.completion.reasons import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from tetrate_jupyter.types import Cut, Timing, ToolResult, Usage

TRUNCATED = "Cut off at the output cap; raise it with --max-tokens (max_tokens=)."
FILTERED = "The provider's content filter ended this answer early."
_NO_TEXT = "No text came"


@dataclass(frozen=True)
class Answer:
    """One answer of a model.

    `text` is Markdown exactly as the model wrote it (`print(answer)` is safe for a terminal, `print(answer.text)` is
    not); `reasoning` is the reasoning that it showed, or "". `model_asked` is the requested model, `model` the one that
    answered (they differ after a fallback). `cost` is an estimate in US dollars, or None for unknown. `partial` says
    why the answer is not whole ("stopped", or the error's name), or is None. `parsed` is the validated value where a
    schema was given. `tool_results` are the tool calls in order. `dropped_fields` are the request fields that the
    router removed for the provider. `cuts` are the parts of variables and of tools' results that the model was not
    sent. `finish_reason` is the API's word, whatever the provider wrote ("MAX_TOKENS" is "length"). `refusal` is the
    model's refusal, or "". `has_images`: there were images, which aren't read. `simulated`: the sandbox router wrote
    it, not a model. `cached`: it is a kept answer, for which nothing was sent or paid now; times and cost are those of
    `asked_at`, which only a kept one has.
    """

    __module__ = "tetrate_jupyter"

    text: str
    model_asked: str
    model: str
    usage: Usage
    timing: Timing
    reasoning: str = ""
    finish_reason: str | None = None
    cost: Decimal | None = None
    request_id: str | None = None
    partial: str | None = None
    parsed: object = None
    tool_results: tuple[ToolResult, ...] = ()
    dropped_fields: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    cuts: tuple[Cut, ...] = ()
    refusal: str = ""
    has_images: bool = False
    simulated: bool = False
    cached: bool = False
    asked_at: datetime | None = None

    @property
    def code(self) -> str | None:
        """The code of the first fenced block, or None where there is none."""
        from tetrate_jupyter.render.markdown import first_fenced_block

        found = first_fenced_block(self.text)
        return found[1] if found else None

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """What a reader must know before trusting the answer, a short sentence each."""
        found = [f"{_PARTIAL.get(self.partial, f'Broken off ({self.partial})')}{_IS_PART}"] if self.partial else []
        if self.refusal:
            found.append(f"The model refused: {self.refusal}")
        if self.emptiness:
            found.append(self.emptiness)
        if self.finish_reason == "length":
            found.append(TRUNCATED)
        elif self.finish_reason == "content_filter":
            found.append(FILTERED)
        elif self.finish_reason and self.finish_reason not in KNOWN:
            found.append(f"The provider ended this answer with {self.finish_reason!r}; it may not be whole.")
        if self.dropped_fields:
            found.append(f"The router left out: {', '.join(self.dropped_fields)}.")
        found += [*(cut.sentence for cut in self.cuts), *self.notes]
        if self.cached or self.simulated:
            from tetrate_jupyter.render.answer import CACHED, SIMULATED

            found += [CACHED] * self.cached + [SIMULATED] * self.simulated
        return tuple(found)

    @property
    def emptiness(self) -> str:
        """A sentence on why there is no text; "" where there is some, the answer isn't whole, or the model refused."""
        if self.text.strip() or self.refusal or self.partial is not None:
            return ""
        if self.has_images:
            return f"{_NO_TEXT}, only images; those aren't read from this kind of answer."
        if self.reasoning.strip():
            return f"{_NO_TEXT}, only reasoning."
        if self.finish_reason == "tool_calls":
            return f"{_NO_TEXT}, only tool calls."
        return "The answer is empty: the model ended it without a word."

    @property
    def footer(self) -> str:
        """The line below it: model, times, tokens, estimated cost. No times where outputs must be the same each run."""
        from tetrate_jupyter.front_end import streaming_wanted
        from tetrate_jupyter.render.answer import footer

        return footer(
            self.model,
            asked_id=self.model_asked,
            timing=self.timing if streaming_wanted() else None,
            usage=self.usage,
            cost=self.cost,
            asked_at=self.asked_at if self.cached else None,
        )

    def __str__(self) -> str:
        """Return the text for printing, without terminal control characters. `text` is unchanged."""
        from tetrate_jupyter.characters import plain

        return plain(self.text)

    def __repr__(self) -> str:
        from tetrate_jupyter.characters import one_line

        state = f"partial: {self.partial}" if self.partial else "done"
        return one_line(f"<Answer of {self.model}: {len(self.text)} characters, {state}>")

    def bundle(self, *, footer: bool = True, body: str | None = None, at_once: bool = False) -> dict[str, str]:
        """Return the answer as a MIME bundle: the Markdown as safe HTML, and plain text; `footer` adds the line below.

        `body`: the HTML of the text if it is rendered already. `at_once`: render nothing, since a long text takes
        longer than an interrupted cell may; its last part is shown as it was written.
        """
        from tetrate_jupyter.render.answer import answer_html, answer_plain
        from tetrate_jupyter.render.live import last_part
        from tetrate_jupyter.render.markdown import render

        line = self.footer if footer else ""
        if body is None:
            body = last_part(self.text) if at_once else render(self.text)
        html = answer_html(
            body, footer=line, notices=self.notices, cuts=self.cuts, reasoning=self.reasoning, at_once=at_once
        )
        plain = answer_plain(self.text, footer=line, notices=self.notices, at_once=at_once)
        return secrecy.bundle({"text/plain": plain, "text/html": html})

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.bundle()


def beside_error(notices: Iterable[str]) -> tuple[str, ...]:
    """Return the notices to show beside an error, which itself says that the answer is only a part."""
    return tuple(notice for notice in notices if not notice.endswith(_IS_PART))


_IS_PART: Final = ": this is part of an answer."
_PARTIAL: dict[str | None, str] = {
    "stopped": "Stopped",
    "AnswerTooLongError": "Stopped at the longest that an answer may be",
}
