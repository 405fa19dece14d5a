"""A list of models that can be searched, sorted and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, overload

from tetrate_jupyter.catalog import search
from tetrate_jupyter.errors import UnknownModelError
from tetrate_jupyter.types import Model

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import pandas as pd

UNLISTED: Final = "unlisted:"  # before an id: ask for it though the list doesn't have it


class ModelList(Sequence[Model]):
    """Models in a fixed order (by provider and id, as the catalog gives them). Immutable.

    Shows itself as a table, the first 500. `models["claude-haiku-4-5"]` finds by id, `models[0]` and `models[:5]` by
    place.
    """

    __module__ = "tetrate_jupyter"

    __slots__ = ("_by_id", "_models")

    def __init__(self, models: Iterable[Model] = ()) -> None:
        self._models = tuple(models)
        self._by_id = {m.id.lower(): m for m in reversed(self._models)}

    # --- a sequence ------------------------------------------------------------------------------------------

    @overload
    def __getitem__(self, index: int | str) -> Model: ...
    @overload
    def __getitem__(self, index: slice) -> ModelList: ...
    def __getitem__(self, index: int | str | slice) -> Model | ModelList:
        if isinstance(index, slice):
            return ModelList(self._models[index])
        return self.find(index) if isinstance(index, str) else self._models[index]

    def __len__(self) -> int:
        return len(self._models)

    def __contains__(self, item: object) -> bool:
        return item.lower() in self._by_id if isinstance(item, str) else item in self._models

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelList) and other._models == self._models

    def __hash__(self) -> int:
        return hash(self._models)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in this list's order."""
        return tuple(m.id for m in self._models)

    # --- finding ---------------------------------------------------------------------------------------------

    def search(self, query: str) -> ModelList:
        """Return the models that fit every word of `query`, in this list's order.

        A word is a pattern for the id ("claude-*", "*flash*"), a context size that is needed at least ("200k", "1m"),
        a capability ("vision", "tools", "reasoning", "structured", any of the catalog's own words), "cheap" (at most
        1 US dollar per million tokens, at three tokens read for one written), "free", "preview", "deprecated", or a
        part of id, name or provider. A model for which the router doesn't say whether it has a capability is kept.
        """
        return ModelList(filter(search.wanted_by(query), self._models))

    def sorted(self, by: str = "id", *, descending: bool = False) -> ModelList:
        """Sort by "id", "name", "provider", "context", "output", "price", "short questions", "input price",
        "output price", "released" or "retirement"; the unknown last. "price" counts three tokens read for one written,
        "short questions" 100 for 60. Raises `OptionError`.
        """  # noqa: D205 - the words are the summary
        return ModelList(search.in_order(self._models, by, descending=descending))

    def get(self, model_id: str) -> Model | None:
        """Return the model with this id, whatever its case, or None. "unlisted:ID" means ID here."""
        return self._by_id.get(model_id.strip().removeprefix(UNLISTED).strip().lower())

    def find(self, model_id: str) -> Model:
        """Return the model with this id, whatever its case. Raises `UnknownModelError`, which has the nearest ids."""
        found = self.get(model_id)
        if found is not None:
            return found
        near = self.nearest(model_id)
        step = f"use {' or '.join(repr(i) for i in near)}" if near else "list them with %tetrate_models"
        raise UnknownModelError(
            f"No model {model_id!r} in this key's list of {len(self):,}.",
            nearest=near,
            next_step=f"{step}; one that is served but not listed is asked as '{UNLISTED}{model_id.strip()}'",
        )

    def nearest(self, text: str, n: int = 3) -> tuple[str, ...]:
        """Return up to `n` (default 3) ids that look like `text`, best first."""
        return tuple(m.id for m in search.nearest(self._models, text, n))

    def default(self, day: date | None = None) -> Model | None:
        """Choose for somebody who hasn't: small, current, priced, takes tools; None for an empty list.

        The newest Claude Haiku, Gemini Flash, GPT Luna or GPT mini, in this order; otherwise the model whose price is
        nearest to 1 US dollar per million tokens. Deprecated and preview models come last. `day`: default today.
        """
        return search.default_choice(self._models, day)

    # --- showing ---------------------------------------------------------------------------------------------

    @property
    def df(self) -> pd.DataFrame:
        """The list as a pandas DataFrame, one row per model; see `catalog.frame.COLUMNS` for its columns and dtypes.

        Prices are US dollars per million tokens, NaN for unknown. Raises `ConfigError` where pandas isn't installed.
        """
        from tetrate_jupyter.catalog.frame import to_frame

        return to_frame(self._models)

    def __repr__(self) -> str:
        from tetrate_jupyter.catalog.shown import model_text

        return model_text(self._models)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ANN401 - IPython's
        from tetrate_jupyter.catalog.shown import model_table, model_text

        return {"text/html": model_table(self._models).html(), "text/plain": model_text(self._models)}
