"""The engine: the parts of a session put together, below comparisons, panels and `Session` itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.answers.places import OFF
from tetrate_jupyter.bridge import Bridge, default_bridge
from tetrate_jupyter.catalog.cache import CatalogCache
from tetrate_jupyter.catalog.service import Catalog
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.foreign import guarded
from tetrate_jupyter.completion.purse import Purses
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.engine.account import Account
from tetrate_jupyter.engine.asking import Asker, Plan, Question, planned_aside, question
from tetrate_jupyter.engine.choosing import Chooser
from tetrate_jupyter.engine.connections import Connections
from tetrate_jupyter.engine.funds import dollars, labelled
from tetrate_jupyter.engine.history import History, Past
from tetrate_jupyter.engine.keeping import Keeper, explained, recalled
from tetrate_jupyter.engine.noting import Noter, tracing
from tetrate_jupyter.engine.runs import Runs
from tetrate_jupyter.engine.spending import Spending
from tetrate_jupyter.engine.trial import Trial
from tetrate_jupyter.errors import NotSignedInError, SecretInPromptError, UnreachableError
from tetrate_jupyter.history.archive import Archive
from tetrate_jupyter.interrupts import stopped_between_cells
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.ledger.book import Book
from tetrate_jupyter.ledger.window import Ledger
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from decimal import Decimal

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.engine.funds import Fund
    from tetrate_jupyter.engine.keeping import Keeping
    from tetrate_jupyter.engine.runs import Run
    from tetrate_jupyter.keys.store import Place
    from tetrate_jupyter.types import Event, Model

T = TypeVar("T")


class Engine:
    """One key, one current model, one conversation, one ledger: asks for everything that is shown or compared.

    `Session` adds the blocking forms and the panels; see there for each argument.
    """

    comparison: object = None  # the newest one that was begun; the session's face knows more of it
    _model: str | None = None
    _chosen: str | None = None  # the current model where nobody has named it

    def __init__(
        self,
        *,
        base_url: str | None = None,
        auth_url: str | None = None,
        allow_http: bool = False,
        key: str | Secret | None = None,
        model: str | None = None,
        system: str | None = None,
        data_dir: str | Path | None = None,
        bridge: Bridge | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        given = Secret.typed(key) if key else None
        del key
        endpoints = (
            Endpoints.of(base_url, auth_url, allow_http=allow_http) if base_url else Endpoints.from_environment()
        )
        self.bridge = bridge or default_bridge()
        self.conversation = conversation or Conversation()
        self.ledger = Ledger()
        self.system = system
        self.params: dict[str, Any] = {}
        self.rows: int | str = config.DEFAULT_ROWS
        self.max_answer = config.MAX_ANSWER_CHARACTERS
        self._model_observers = Observers()
        self._connections = Connections(endpoints)
        data_dir = self._data_dir = Path(data_dir) if data_dir else None
        self.catalog = Catalog(self._connections, CatalogCache.of(endpoints, self._data_dir))
        given = given and given.bound_to(endpoints.host)
        self.account = Account(self._connections, KeyStore(data_dir), self.catalog, given=given)
        self.chooser = Chooser(self.catalog, self.account, self.begin)
        self._noter = Noter(Book(data_dir), self.catalog, self._connections)
        self._spending = Spending(self._noter.book)
        self._asker = Asker(self.catalog, self.conversation, self.ledger)
        self.runs = Runs()
        self.trial = Trial(self)  # the sandbox without an account
        self.keeper = Keeper(data_dir)
        self.past = Past(self.conversation, Archive(data_dir))
        self._set_model(model)

    def use_bridge(self, mode: Literal["thread", "nested"]) -> None:
        """Run coroutines on a private loop ("thread", the default) or on the kernel's own ("nested")."""
        if mode != self.bridge.mode:
            self.bridge = Bridge(mode) if mode == "nested" else default_bridge()

    # --- signing in ------------------------------------------------------------------------------------------

    async def alogout(self) -> tuple[Place, ...]:
        """Like `logout`."""
        places = await self.bridge.arun(self.account.forget())
        self.trial.leave()
        return places

    def connect(self, base_url: str, auth_url: str | None = None, *, allow_http: bool = False) -> None:
        """Use another router from now on. Its key is looked for anew; the old one's key stays with the old one.

        A sign-in that is under way belongs to the old one: it is cancelled.
        """
        endpoints = Endpoints.of(base_url, auth_url, allow_http=allow_http)
        self.account.settle()
        if endpoints == self.endpoints:
            return
        self._connections.move(endpoints)
        self.account.moved()
        self.catalog.move(CatalogCache.of(endpoints, self._data_dir))
        self._set_model(None)

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        return self._connections.endpoints

    # --- models ----------------------------------------------------------------------------------------------

    async def amodels(self, pattern: str = "", *, refresh: bool = False) -> ModelList:
        """Like `models`."""
        found = await self.bridge.arun(self.chooser.listed(force=refresh))
        return found.search(pattern) if pattern.strip() else found

    @property
    def model(self) -> str | None:
        """The current model's id. Setting one that the list at hand doesn't have raises `UnknownModelError`.

        An id that is served but not listed is set as "unlisted:ID".
        """
        return self._model

    @model.setter
    def model(self, model_id: str | None) -> None:
        known = self.catalog.models
        at_hand = None if model_id is None else self.chooser.at_hand(model_id)
        if model_id is not None and at_hand is None and known:
            at_hand = known.find(model_id)
        before = self._model
        self._set_model(at_hand.id if at_hand else model_id)
        self._remember(before)

    async def achoose(self, model_id: str) -> Model:
        """Like `choose`. Where kept answers are used, an id needs neither key nor router: it is taken at its word."""
        try:
            found = await self.bridge.arun(self.chooser.find(model_id))
        except (NotSignedInError, UnreachableError):
            if self.keeper.place == OFF:
                raise
            found = self.chooser.taken_at_its_word(model_id)
        before = self._model
        self._set_model(found.id)
        await asyncio.to_thread(self._remember, before)
        return found

    def on_model_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the current model has changed; return a function that stops it."""
        return self._model_observers.add(callback)

    def _set_model(self, model_id: str | None) -> None:
        if model_id is not None and secrecy.looks_secret(model_id, lenient=True):  # its repr shows it, and every panel
            raise SecretInPromptError(
                "That is an API key, not a model's id.", next_step="give an id of %tetrate_models"
            )
        if model_id != self._model:
            self._model = model_id
            self._model_observers.notify()

    def _remember(self, before: str | None) -> None:
        """Note which models a person has used: the one chosen now, and the one before, which nobody may have chosen."""
        if self._model != before:
            self.catalog.favourites.used(*(each for each in (before, self._model) if each is not None))

    async def _resolve(self, model_id: str | None) -> Model:
        wanted = model_id or self._model
        if wanted is not None:
            return await self.chooser.find(wanted)
        chosen = await self.chooser.default()
        if chosen is None:
            raise self.chooser.no_model()
        self._set_model(chosen.id)
        self._chosen = chosen.id
        return chosen

    # --- asking ----------------------------------------------------------------------------------------------

    async def aask(self, prompt: str, **options: Any) -> Answer:  # noqa: ANN401 - see `ask`
        """Like `ask`."""
        return await self.bridge.arun(self._ask(self.question(prompt, **options)))

    async def aplan(self, question: Question, conversation: Conversation | None = None) -> Plan:
        """Like `plan`, for a question put together before; within `conversation`, else as its `keep` says."""
        with guarded("Preparing the question"):
            within = conversation or (self.conversation if question.keep else Conversation())
            if question.keeping is None:
                return await planned_aside(question, await self._resolve(question.model), within)
            return await self._plan_or_recall(question, question.keeping, within)

    async def _plan_or_recall(self, question: Question, keeping: Keeping, within: Conversation) -> Plan:
        """Return the plan of a question with its kept answer, which needs neither key nor list; else to ask it."""
        planned = None
        for model in [] if keeping.refresh else await self._without_asking(question, keeping):
            planned = await planned_aside(question, model, within, then=self.recalling)
            if planned.recalled is not None:
                if question.model is None and self._model is None:
                    self._set_model(planned.recalled.answer.model_asked)
                    self._chosen = self._model
                return planned
        with explained(keeping.store, refresh=keeping.refresh):
            model = await self._resolve(question.model)
        if planned is None or planned.request.model != model:
            planned = await planned_aside(question, model, within)
        return replace(planned, chosen=question.model is None and model.id == self._chosen)

    async def _without_asking(self, question: Question, keeping: Keeping) -> list[Model]:
        """Return the models of a question as far as they are known without a request, described by their ids alone."""
        wanted = question.model or self._model or self.chooser.proposed
        ids = await asyncio.to_thread(keeping.store.chosen) if wanted is None else (wanted,)
        return [self.chooser.taken_at_its_word(each) for each in ids]

    def recalling(self, planned: Plan) -> Plan:
        """Return a plan with its kept answer, where it uses those and has one. Reads a file."""
        keeping = planned.keeping
        if keeping is None or keeping.refresh:
            return planned
        kept = keeping.store.get(planned.key)
        found = None if kept is None else recalled(kept, planned.request.schema)
        if found is None or len(found.answer.text) > self.max_answer:
            return planned
        told = keeping.store.told()
        return replace(
            planned, recalled=replace(found, answer=replace(found.answer, notes=(*found.answer.notes, *told)))
        )

    def question(self, prompt: str, **options: Any) -> Question:  # noqa: ANN401 - see `ask`
        """Put together what `ask` was given, the session's own `system` and `params` under it."""
        keeping = self.keeper.taken_from(options, self.endpoints.host)
        found = question(prompt, {**self.params, **options}, system=self.system)
        return found if keeping is None else replace(found, keeping=keeping)

    async def run(self, planned: Plan, completion: Completion | None = None) -> Answer:
        """Run a plan and record what comes of it. A `completion` made before can be watched meanwhile."""
        with guarded("Asking"):
            completion = completion or self.completion(planned)
            if planned.recalled is not None:
                with self.runs.watching(planned, completion):
                    return await self.past.written(self._asker.recall(planned, completion))
            keeping = planned.keeping
            store = None if keeping is None else keeping.store
            with explained(store, refresh=keeping is not None and keeping.refresh):
                key = await self.account.key()
                noting = self._noter.question(planned)
                paying = self._spending.purse(planned.request, noting)
                async with tracing(planned, completion, noting, self.endpoints.base_url) as traced:
                    completion.purse = Purses(*filter(None, (completion.purse, paying, noting, traced)))
                    with self.runs.watching(planned, completion):
                        asked = self._asker.run(planned, completion, self._connections.client(), key)
                        return await self.past.awaited(asked)

    def start(self, question: Question) -> Run:
        """Ask without waiting; what becomes of it is in `runs`, then in the conversation."""
        return self.runs.start(self, question)

    def completion(self, planned: Plan, on_event: Callable[[Event], None] | None = None) -> Completion:
        """Return a plan's completion, ready for `run`; its text can be read from any thread while it runs."""
        return self._asker.completion(planned, on_event, limit=self.max_answer)

    @property
    def book(self) -> Book:
        """The ledger on disk: what is noted of each request; `ledger` has the newest entries of this kernel."""
        return self._noter.book

    @property
    def budget(self) -> Decimal | None:
        """US dollars that this session and its forks may spend, from their start on; None for no limit.

        What could pass it isn't asked: `CostLimitError`. Take any number: `session.budget = 2.50`.
        """
        return self._spending.own.budget

    @budget.setter
    def budget(self, amount: Decimal | float | str | None) -> None:
        self._spending.limit(amount)

    @property
    def daily_budget(self) -> Decimal | None:
        """US dollars that all kernels of this account may spend in a day, None for no limit; told by the ledger.

        Where that can't be read or written nothing is asked: `CostLimitError`.
        """
        return self._spending.daily

    @daily_budget.setter
    def daily_budget(self, amount: Decimal | float | str | None) -> None:
        self._spending.daily = dollars(amount, "daily_budget")

    @property
    def budgets(self) -> tuple[str, ...]:
        """A sentence on each budget that is set, with what is spent of it."""
        return self._spending.said(self.endpoints.host)

    def label(self, name: str, *, budget: Decimal | float | str | None = None) -> AbstractContextManager[Fund]:
        """Return a `with` block: what is asked within carries the label in the ledger, and stays within `budget`.

        `with session.label("eval", budget=1.0) as spent:` and afterwards `spent.spent`, US dollars. Each block has its
        own budget; blocks within blocks are held by all of theirs, and carry the innermost label.
        """
        return labelled(name, budget)

    def share_ledger(self, other: Engine) -> None:
        """Note what is asked where `other` does, and pay from the same budgets."""
        self._spending = other._spending
        self._noter = Noter(other._noter.book, self.catalog, self._connections)

    @property
    def last(self) -> Answer | None:
        """The newest answer, whole or partial."""
        return self._asker.last

    async def _ask(self, question: Question) -> Answer:
        return await self.run(await self.aplan(question))

    # --- work beside -----------------------------------------------------------------------------------------

    def begin(
        self, work: Coroutine[Any, Any, T], bridge: Bridge | None = None, *, stop: Callable[[], None] | None = None
    ) -> Future[T]:
        """Start background work on the session's bridge or another; closing the session ends it.

        `stop` is for what is asked: an interrupt of the kernel calls it while the work goes on and no cell runs.
        """
        future = (bridge or self.bridge).submit(work)
        self._connections.hold(future)
        if stop is not None:
            stopped_between_cells(future, stop)
        return future

    @property
    def is_closed(self) -> bool:
        """Whether the session was closed and not used since: then nothing is fetched in the background."""
        return self._connections.is_closed

    async def aclose(self) -> None:
        """Like `close`."""
        self.account.closed()
        await self.bridge.arun(self._connections.aclose())
        await asyncio.to_thread(self.past.archive.flush)  # what was stopped just now, too
        await asyncio.to_thread(self.keeper.close)

    # --- conversation ----------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """The current conversation, oldest exchange first; `.list()`, `.open()`: earlier ones, where texts are kept."""
        return History(self.conversation.exchanges, self.past)

    @property
    def keep_texts(self) -> bool:
        """Whether prompts and answers are kept on disk from now on, so that the conversation outlives the kernel."""
        return self.past.is_kept

    @keep_texts.setter
    def keep_texts(self, wanted: bool) -> None:
        self.past.keep(wanted)

    def reset(self) -> None:
        """Start a new conversation; the old one stays in `conversation.branches`, but for one that has no answer."""
        self.conversation.reset()
        self.runs.dismiss_failed(self.conversation.branch.id)

    def __repr__(self) -> str:
        if not hasattr(self, "_connections"):  # shown in an error of its making
            return "<Session>"
        model = one_line(self._model or "no model chosen", MAX_NAME)
        return f"<Session at {one_line(self.endpoints.host)}: {model}, {len(self.history)} exchanges>"
