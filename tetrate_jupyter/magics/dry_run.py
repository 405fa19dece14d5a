"""--dry-run: what would be sent, how large it is and what it would cost at the most. It changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter import secrecy
from tetrate_jupyter.completion.cuts import NO_MORE_FIT
from tetrate_jupyter.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.engine.asking import Plan, Question
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Cut

MAX_SHOWN = 20_000  # characters of the body; beyond, the reader has seen enough
MAX_URL = 60  # characters of a data: URL
COUNTED = frozenset(
    {"rows", "rows and a summary of all", "values", "values and a summary of all", "members", "labels", "columns"}
)
MORE = "; --rows N or --rows all sends more"


def planned(session: Engine, asked: Question, *, is_new: bool) -> Plan:
    """Return the plan of a question that isn't asked; `is_new`: in a conversation of its own."""
    if asked.keeping is None:
        asked = replace(asked, model=asked.model or unchosen(session))
    return session.bridge.run(session.aplan(asked, Conversation() if is_new else None))


def unchosen(session: Engine) -> str | None:
    """Return the model that the session would take for its own where it has none; planning with it by name doesn't."""
    if session.model is not None:
        return None
    found = session.bridge.run(session.chooser.default())
    return None if found is None else found.id


def show_plan(plan: Plan) -> None:
    """Print the body and the estimates."""
    from tetrate_jupyter.render.plain import plain

    print(secrecy.redact(plain(text(plan))))  # noqa: T201 - a magic's answer


def text(plan: Plan) -> str:
    """Return the report: one line of size and cost, then the body as it would go out."""
    body = json.dumps(_shortened(plan.request.body()), indent=2, ensure_ascii=False)
    if len(body) > MAX_SHOWN:
        body = f"{body[:MAX_SHOWN]}\n... ({len(body) - MAX_SHOWN:,} more characters)"
    return "\n".join(
        [
            f"Nothing was sent. To {plan.request.model.id}:",
            *kept(plan),
            *estimates(plan),
            *left_out(plan.cuts),
            *plan.request.notes,
            "",
            body,
        ]
    )


def kept(plan: Plan) -> list[str]:
    """Return the line that a kept answer would be used, where one would."""
    if plan.recalled is None or plan.recalled.answer.asked_at is None:
        return []
    day = plan.recalled.answer.asked_at.date().isoformat()
    return [f"The kept answer of {day} would be taken instead, for $0. What asking anew (--refresh) would take:"]


def left_out(cuts: Sequence[Cut]) -> list[str]:
    """Return a line for each variable of which a part would not be sent, with how to send more."""
    from tetrate_jupyter.render.chips import FULL

    said = [f"{cut.sentence}{MORE if cut.what in COUNTED and not cut.why else ''}" for cut in cuts]
    return [*said, *([FULL] if any(cut.why == NO_MORE_FIT for cut in cuts) else [])]


def estimates(plan: Plan) -> list[str]:
    """Return size and cost, unknown as unknown."""
    from tetrate_jupyter.render.numbers import money

    low, worst = plan.cost.usd, plan.worst_cost.usd
    size = f"prompt ≈ {plan.prompt_tokens:,} tokens; answer at most {plan.output_cap:,}"
    if low is None or worst is None:
        return [size, "cost unknown: the router publishes no price for this model"]
    notes = [f"({note})" for note in plan.worst_cost.notes]
    return [size, f"cost ≈ {money(low)} for the prompt, at most ≈ {money(worst)} with the answer", *notes]


def _shortened(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {k: _shortened(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shortened(v) for v in value]
    if isinstance(value, str) and value.startswith("data:") and len(value) > MAX_URL:
        return f"{value[:MAX_URL]}... ({len(value):,} characters)"
    return value
