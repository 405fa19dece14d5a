"""Which model a question goes to: one of the key's list or, where the list can't say, the one that was named."""

from __future__ import annotations

import contextlib
import time
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.catalog import join
from tetrate_jupyter.catalog.models import UNLISTED
from tetrate_jupyter.completion.request import refuse_other
from tetrate_jupyter.errors import (
    GatewayError,
    InvalidKeyError,
    TetrateError,
    UnknownModelError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.catalog.service import Catalog
    from tetrate_jupyter.engine.account import Account
    from tetrate_jupyter.types import Model

_LIST_PAUSE: Final = 60.0  # seconds in which a list that could not be read isn't asked for again by a named model
DEFAULT: Final = "{} (default)"  # of a model that nobody has chosen, and that the next question goes to
_NAME_ONE: Final = "name the model: %tetrate_model ID, -m ID, or session.model = 'ID'"


class Chooser:
    """Finds models by id for one session.

    An endpoint without a readable list of models can be asked all the same, where the model was named: of such a model
    nothing is known but its id. One that the list doesn't have is asked where it is named "unlisted:ID"; from then on
    its bare id is known, too. `begin` starts work that nobody waits for, and ends with the session.
    """

    def __init__(
        self, catalog: Catalog, account: Account, begin: Callable[[Coroutine[Any, Any, None], Bridge | None], object]
    ) -> None:
        self._catalog = catalog
        self._account = account
        self._begin = begin
        self._bare: dict[tuple[str, str], Model] = {}  # by router and id in lower case: models that no list has shown
        self._listless: tuple[str, float] | None = None  # the router whose list could not be read, and when
        self._shown: tuple[ModelList, date, Model | None] | None = None  # panels ask for it each time they are drawn
        self._proposed: tuple[str, str] | None = None  # a router and its model for who hasn't chosen, see `propose`

    async def listed(self, *, force: bool = False) -> ModelList:
        """Return the key's list; see `Catalog.refresh`."""
        return await self._catalog.refresh(await self._account.key(), force=force)

    def at_hand(self, model_id: str) -> Model | None:
        """Return a model that is known without a request, or None.

        Raises `UnknownModelError` (see `named`), and `OptionError` for what is no text.
        """
        refuse_other("model", model_id, (str,), 'give a model\'s id: session.model = "claude-haiku-4-5"')
        wanted = model_id.strip()
        if wanted.startswith(UNLISTED):
            return self.named(wanted)
        return self._catalog.models.get(wanted) or self._bare.get((self._router, wanted.lower()))

    def taken_at_its_word(self, model_id: str) -> Model:
        """Return the model of an id without a request: from the lists at hand, else described by its id alone."""
        return self.at_hand(model_id) or self._catalog.described(model_id.strip())

    def named(self, words: str) -> Model:
        """Return the model of "unlisted:ID", taken at its word. Raises `UnknownModelError` for what is no id."""
        identity = words.strip().removeprefix(UNLISTED).strip()
        known = self._catalog.models.get(identity)
        if known is not None:
            return known
        if not join.is_usable(identity):
            raise UnknownModelError(
                f"{identity[:200]!r} can't be a model's id.", next_step=f"write it as in {UNLISTED}my-model"
            )
        return self._bare.setdefault((self._router, identity.lower()), self._catalog.described(identity))

    def refresh_beside(self, bridge: Bridge | None = None) -> None:
        """Begin to fetch the list where it is too old, on the session's bridge or another. Whatever fails, no error."""
        work = self._refresh_quietly()
        try:
            self._begin(work, bridge)
        except (TetrateError, RuntimeError):  # no thread can be started: the list at hand does
            work.close()

    async def find(self, model_id: str) -> Model:
        """Return the model with this id. Raises `UnknownModelError` where the list is there and doesn't have it."""
        at_hand = self.at_hand(model_id)
        if at_hand is not None:
            if not self._catalog.is_fresh and self._catalog.models:  # good enough for now; the next gets the new list
                self.refresh_beside()
            return at_hand
        await self._account.key()
        if self._is_listless():
            return self._catalog.described(model_id.strip())
        try:
            models = await self.listed()
        except (InvalidKeyError, UnreachableError):
            raise
        except GatewayError:
            self._listless = (self._router, time.monotonic())
            models = self._catalog.models
        if models and models.get(model_id) is None:  # it may be newer than our list
            with contextlib.suppress(GatewayError):
                models = await self.listed(force=True)
        return models.find(model_id) if models else self._catalog.described(model_id.strip())

    def propose(self, model_id: str) -> None:
        """Have this model be the default at the router in use. Raises `UnknownModelError` for what is no id."""
        if model_id.strip().startswith(UNLISTED):
            self.named(model_id)
        elif not join.is_usable(model_id):
            raise UnknownModelError("That can't be a model's id.", next_step=_NAME_ONE)
        self._proposed = (self._router, model_id.strip())

    @property
    def proposed(self) -> str | None:
        """The id that was proposed for the router in use, None where none was."""
        router, model_id = self._proposed or (None, None)
        return model_id if router == self._router else None

    async def default(self) -> Model | None:
        """Return the model for somebody who hasn't chosen one; None for an empty list.

        A proposed model is never replaced by another, which would have another price. Raises `UnknownModelError` where
        the list doesn't have it.
        """
        if self.proposed is not None:
            with _told_as_proposed():
                return await self.find(self.proposed)
        try:
            models = await self.listed()
        except (InvalidKeyError, UnreachableError):
            raise
        except GatewayError as error:
            error.next_step = f"{_NAME_ONE}; or {error.next_step}"
            raise
        return models.default()

    def default_at_hand(self) -> Model | None:
        """Return what `default` would choose from the list at hand, without a request; None where there is no list."""
        if self.proposed is not None:
            return self.at_hand(self.proposed)
        models, today = self._catalog.models, date.today()  # noqa: DTZ011 - retirements are told by the person's day
        if self._shown is None or self._shown[0] is not models or self._shown[1] != today:
            self._shown = models, today, models.default(today)
        return self._shown[2]

    def told(self, current: str | None) -> str:
        """Return the name to show for the model in use: its id, "ID (default)" where none is chosen, or ""."""
        if current is not None:
            return current
        default = self.default_at_hand()
        identity = default.id if default is not None else self.proposed
        return DEFAULT.format(identity) if identity else ""

    def default_of(self, models: ModelList) -> Model | None:
        """Return what `default` would choose from these models. Raises `UnknownModelError` likewise."""
        if self.proposed is None:
            return models.default()
        with _told_as_proposed():
            return self.at_hand(self.proposed) or models.find(self.proposed)

    def no_model(self) -> UnknownModelError:
        """Return the error for an empty list."""
        page = self._account.endpoints.keys_page
        return UnknownModelError(
            "This key reaches no model to talk to: the list of models is empty.",
            next_step=f"see what it may do: {page}" if page else _NAME_ONE,
        )

    @property
    def _router(self) -> str:
        return self._account.endpoints.base_url

    def _is_listless(self) -> bool:
        if self._listless is None or self._catalog.models:
            return False
        router, at = self._listless
        return router == self._router and time.monotonic() - at < _LIST_PAUSE

    async def _refresh_quietly(self) -> None:
        with contextlib.suppress(TetrateError):
            await self.listed()


@contextlib.contextmanager
def _told_as_proposed() -> Iterator[None]:
    """Add to an error about a missing model where its proposal can be changed: nobody here has named that model."""
    try:
        yield
    except UnknownModelError as error:
        where = "%tetrate_model ID, or change the default model in JupyterLab's settings, Tetrate"
        error.next_step = f"{where}: {error.next_step}"
        raise
