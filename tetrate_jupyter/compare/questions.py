"""What a comparison asks: checks of the whole before anything is sent, one cell's question, and its kept answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.catalog.estimate import size, text_tokens
from tetrate_jupyter.compare.allowance import Weight, kept_within, refuse_unknown_prices
from tetrate_jupyter.compare.forecast import forecast, usual_output
from tetrate_jupyter.compare.rows import plain_params
from tetrate_jupyter.completion.request import most_prompt_tokens, wire_message
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.engine.asking import plan
from tetrate_jupyter.errors import SecretInPromptError, TetrateError
from tetrate_jupyter.http.gate import outgoing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.setup import CellPlace, Setup
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Model


def checked(session: Engine, setup: Setup) -> tuple[Setup, Forecast]:
    """Return the checked setup and its forecast; a column that can't be asked has its problem.

    Raises the first column's problem if no column can be asked, `SecretInPromptError` if any part holds a key, and
    `CostLimitError` if not all calls fit into `max_cost`. See `compare.allowance`.
    """
    _refuse_keys(setup)
    weighed = [_weighed(session, setup, column) for column in setup.columns]
    setup = refuse_unknown_prices(replace(setup, columns=tuple(column for column, _ in weighed)))
    problems = [c.problem for c in setup.columns if c.problem is not None]
    if problems and len(problems) == len(setup.columns):
        raise problems[0]
    weights = {column.id: weight for column, weight in weighed}
    setup = kept_within(setup, weights)
    return setup, forecast(setup, usual_output(session.ledger.entries), weights)


def _weighed(session: Engine, setup: Setup, column: Column) -> tuple[Column, Weight]:
    """Return the column, with its problem if it can't be asked, and the tokens sent with each of its prompts."""
    if column.problem is not None or column.model is None:
        return column, Weight(0, 0)
    options = {**setup.params, **column.params}
    prompt = setup.prompts[0]
    try:
        asked = session.question(prompt, images=setup.images, keep=False, cached=False, **options)
        planned = plan(asked, column.model, Conversation(column.history))
    except SecretInPromptError:
        raise
    except TetrateError as problem:
        return replace(column, problem=problem), Weight(0, 0)
    most = most_prompt_tokens(planned.request) - size(prompt)
    return column, Weight(planned.prompt_tokens - text_tokens(prompt), most)


def _refuse_keys(setup: Setup) -> None:
    """Raise `SecretInPromptError` where any part of a setup that is sent, kept or saved holds a key."""
    earlier = {e.id: e for c in setup.columns for e in c.history}
    outgoing(
        {
            "prompts": setup.prompts,
            "typed": setup.as_typed,
            "params": plain_params(setup.params),
            "columns": [(c.asked, c.label, plain_params(c.params)) for c in setup.columns],
            "history": [wire_message(m) for e in earlier.values() for m in e.messages()],
        }
    )


class Questions:
    """The questions of one setup, planned on demand."""

    def __init__(self, session: Engine, setup: Setup) -> None:
        self._session = session
        self._setup = setup
        self._duplicates: Mapping[str, int] = setup.duplicates() if setup.cached else {}

    def planned(self, column: Column, model: Model, place: CellPlace, *, again: bool = False) -> Plan:
        """Return a cell's plan, with its kept answer if there is one. Reads files; may also raise foreign errors.

        `again`: a person asks again, so kept answers aren't used.
        """
        setup = self._setup
        options: dict[str, Any] = {**setup.params, **column.params}
        if column.allowed is not None:
            options["max_tokens"] = column.allowed
        if setup.cached:
            options |= {"cached": setup.cached, "refresh": setup.refresh or again, "repeat": place.repeat}
        else:
            options["cached"] = False
        asked = self._session.question(
            setup.prompts[place.prompt],
            images=setup.images,
            cuts=setup.cuts,
            typed=setup.as_typed,
            keep=False,
            **options,
        )
        if asked.keeping is not None:
            duplicate, is_capped = self._duplicates[column.id], column.allowed is not None
            asked = replace(asked, keeping=replace(asked.keeping, duplicate=duplicate, is_capped=is_capped))
        return self._session.recalling(plan(asked, model, Conversation(column.history)))

    def are_all_kept(self) -> bool:
        """Whether every cell has a kept answer, so that nothing needs to be sent. Reads files."""
        if not self._setup.cached or self._setup.refresh:
            return False
        columns = {column.id: column for column in self._setup.columns}
        try:
            return all(self._is_kept(columns[place.column], place) for place in self._setup.start_order())
        except TetrateError:  # raised again when it is asked, then with the model's facts
            return False

    def _is_kept(self, column: Column, place: CellPlace) -> bool:
        return column.model is not None and self.planned(column, column.model, place).recalled is not None
