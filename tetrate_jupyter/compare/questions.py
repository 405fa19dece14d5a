"""One cell's question, and its kept answer where the comparison uses those."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.engine.asking import plan
from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.setup import CellPlace, Setup
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Model


class Questions:
    """The questions of one setup, each planned when it is wanted."""

    def __init__(self, session: Engine, setup: Setup) -> None:
        self._session = session
        self._setup = setup
        self._twins: Mapping[str, int] = setup.twins() if setup.cached else {}

    def planned(self, column: Column, model: Model, place: CellPlace, *, again: bool = False) -> Plan:
        """Return a cell's plan, with its kept answer where there is one. Reads files; raises what a tool raises, too.

        `again`: a person wants it asked again, so kept answers aren't used.
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
            setup.prompts[place.prompt], images=setup.images, cuts=setup.cuts, keep=False, **options
        )
        if asked.keeping is not None:
            twin, is_capped = self._twins[column.id], column.allowed is not None
            asked = replace(asked, keeping=replace(asked.keeping, twin=twin, is_capped=is_capped))
        return self._session.recalling(plan(asked, model, Conversation(column.history)))

    def are_all_kept(self) -> bool:
        """Whether every cell has a kept answer, so that nothing has to be asked. Reads files."""
        if not self._setup.cached or self._setup.refresh:
            return False
        columns = {column.id: column for column in self._setup.columns}
        try:
            return all(self._is_kept(columns[place.column], place) for place in self._setup.start_order())
        except TetrateError:  # asking raises it again, with all that is known of the model
            return False

    def _is_kept(self, column: Column, place: CellPlace) -> bool:
        return column.model is not None and self.planned(column, column.model, place).recalled is not None
