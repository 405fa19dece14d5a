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

UNLISTED: Final = "unlisted:"  # before an id: use it although the list doesn't have it


class ModelList(Sequence[Model]):
    """Models in a fixed order (by provider and id, unless sorted otherwise). Immutable.

    Displays as a table of the first 500. `models["claude-haiku-4-5"]` looks up by id, `models[0]` and `models[:5]` by
    position.
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
        """Return the models that match every word of `query`, in this list's order.

        A word is a pattern for the id ("claude-*", "*flash*"), a minimum context window ("200k", "1m"), a capability
        ("vision", "tools", "reasoning", "structured", any of the catalog's own words), "cheap" (at most 1 US dollar per
        million tokens, at three input tokens per output token), "free", "preview", "deprecated", or a part of id, name
        or provider. A model of which a capability is unknown is kept.
        """
        return ModelList(filter(search.wanted_by(query), self._models))

    def sorted(self, by: str = "id", *, descending: bool = False) -> ModelList:
        """Return the list sorted by `by` (default: "id"), unknown values last. Raises `OptionError`.

        `by`: "id", "name", "provider", "context", "output", "price", "short questions", "input price", "output price",
        "released" or "retirement". "price" weighs three input tokens per output token, "short questions" 100 per 60.
        """
        return ModelList(search.in_order(self._models, by, descending=descending))

    def get(self, model_id: str) -> Model | None:
        """Return the model with this id, in any case, or None. "unlisted:ID" finds ID."""
        return self._by_id.get(model_id.strip().removeprefix(UNLISTED).strip().lower())

    def find(self, model_id: str) -> Model:
        """Return the model with this id, in any case. Raises `UnknownModelError`, which has the nearest ids."""
        found = self.get(model_id)
        if found is not None:
            return found
        near = self.nearest(model_id)
        step = f"use {' or '.join(repr(i) for i in near)}" if near else "list them with %tetrate_models"
        raise UnknownModelError(
            f"No model {model_id!r} in this key's list of {len(self):,}.",
            nearest=near,
            next_step=f"{step}; to use a model that is served but not listed, write '{UNLISTED}{model_id.strip()}'",
        )

    def nearest(self, text: str, n: int = 3) -> tuple[str, ...]:
        """Return up to `n` (default: 3) ids that are similar to `text`, best first."""
        return tuple(m.id for m in search.nearest(self._models, text, n))

    def default(self, day: date | None = None) -> Model | None:
        """Return the default model: small, current, with a price and tools. None for an empty list.

        The newest Claude Haiku, Gemini Flash, GPT Luna or GPT mini, in this order; otherwise the model whose price is
        nearest to 1 US dollar per million tokens. Deprecated, preview and retiring models come last. `day`: the day to
        judge by (default: today).
        """
        return search.default_choice(self._models, day)

    # --- showing ---------------------------------------------------------------------------------------------

    @property
    def df(self) -> pd.DataFrame:
        """The list as a pandas DataFrame, one row per model; `catalog.frame.COLUMNS` has its columns and dtypes.

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
