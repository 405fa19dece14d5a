"""The session: what magics, panels and Python code share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.bridge import Bridge, default_bridge
from tetrate_jupyter.catalog.cache import CatalogCache
from tetrate_jupyter.catalog.service import Catalog
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.foreign import guarded
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.errors import SecretInPromptError
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.ledger import Ledger
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.sessions.account import Account
from tetrate_jupyter.sessions.asking import Asker, Plan, Question, planned_aside
from tetrate_jupyter.sessions.choosing import Chooser
from tetrate_jupyter.sessions.connections import Connections
from tetrate_jupyter.sessions.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ipywidgets import DOMWidget, Dropdown

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.conversation import Exchange
    from tetrate_jupyter.keys.store import Place
    from tetrate_jupyter.sessions.account import SignedIn
    from tetrate_jupyter.sessions.runs import Run
    from tetrate_jupyter.sessions.status import Status
    from tetrate_jupyter.sessions.streams import AsyncStream, Stream
    from tetrate_jupyter.types import Event, Model


class Session:
    """One key, one current model, one conversation, one ledger.

    `base_url` and `auth_url` default to the environment (`TETRATE_BASE_URL`, `TETRATE_AUTH_URL`), then to the real
    service; `allow_http` accepts plain http beyond this machine. `key` is a key given by hand (better: `login`).
    `model` is a model id; without one a small, current model of the key's list is chosen at the first question.
    `system` goes before every question. `params` are options for every question: `session.params["temperature"] = 0`.
    `rows`: how many rows of a table the `{df}` of cells and the chat send: 15 (up to 30 whole), a number, or "all".
    `max_answer` caps the characters of one answer (4,000,000: text, reasoning and tool calls over all its rounds);
    beyond it the request is closed, and what came is kept and marked.
    Every blocking call has a coroutine of the same name with `a` before it.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        auth_url: str | None = None,
        allow_http: bool = False,
        key: str | Secret | None = None,
        model: str | None = None,
        system: str | None = None,
        data_dir: Path | None = None,
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
        self._model: str | None = None
        self._model_observers = Observers()
        self._connections = Connections(endpoints)
        self._data_dir = data_dir
        self.catalog = Catalog(self._connections, CatalogCache.of(endpoints, self._data_dir))
        given = given and given.bound_to(endpoints.host)
        self.account = Account(self._connections, KeyStore(data_dir), self.catalog, given=given)
        self.chooser = Chooser(self.catalog, self.account)
        self._asker = Asker(self.catalog, self.conversation, self.ledger)
        self.runs = Runs()
        self.comparison: Comparison | None = None  # the newest one that `compare` has begun
        self._set_model(model)

    def use_bridge(self, mode: Literal["thread", "nested"]) -> None:
        """Run coroutines on a private loop ("thread", the default) or on the kernel's own ("nested")."""
        if mode != self.bridge.mode:
            self.bridge = Bridge(mode) if mode == "nested" else default_bridge()

    # --- signing in ------------------------------------------------------------------------------------------

    def login(
        self, *, key: str | Secret | None = None, store: str = "auto", again: bool = False, timeout: float | None = None
    ) -> SignedIn:
        """Sign in, and say to whom, where the key is kept and how many models it reaches.

        A key that is there already is checked and used (unless `again`). With `key`, that key is checked and kept.
        Otherwise the consent page's address is shown and the browser, or a pasted address, code or key, is waited for.
        `store`: "auto" (keyring, else private file), "keyring", "file" or "memory". `timeout`: seconds to wait for the
        person (180). Raises the `LoginError` family.
        """
        typed = None if key is None else Secret.typed(key)
        del key
        from tetrate_jupyter.sessions.sign_in import sign_in

        with guarded("Signing in"):
            if typed is not None:
                return self.bridge.run(self.account.use_text(typed, store=store))
            return sign_in(self, store=store, again=again, timeout=timeout)

    def logout(self) -> tuple[Place, ...]:
        """Forget the key in every place it could be; give those places. The key itself still exists at the router."""
        return self.bridge.run(self.alogout())

    async def alogout(self) -> tuple[Place, ...]:
        """Like `logout`."""
        return await self.bridge.arun(self.account.forget())

    def connect(self, base_url: str, auth_url: str | None = None, *, allow_http: bool = False) -> None:
        """Use another router from now on. Its key is looked for anew; the old one's key stays with the old one.

        A sign-in that is under way belongs to the old one: it is cancelled.
        """
        endpoints = Endpoints.of(base_url, auth_url, allow_http=allow_http)
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

    def status(self) -> Status:
        """Say where the session stands: router, sign-in, model, health, versions. Holds nothing secret."""
        return self.bridge.run(self.astatus())

    async def astatus(self) -> Status:
        """Like `status`."""
        from tetrate_jupyter.sessions.status import report

        return await self.bridge.arun(report(self, self._connections))

    # --- models ----------------------------------------------------------------------------------------------

    def models(self, pattern: str = "", *, refresh: bool = False) -> ModelList:
        """Give the models this key reaches, narrowed by words or a pattern; see `ModelList.search`.

        `refresh` asks the router anew; otherwise a list of less than 15 minutes ago is used.
        """
        return self.bridge.run(self.amodels(pattern, refresh=refresh))

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
        self._set_model(at_hand.id if at_hand else model_id)

    def choose(self, model_id: str) -> Model:
        """Set the current model; raises `UnknownModelError`, with the nearest ids, where this key doesn't reach it."""
        return self.bridge.run(self.achoose(model_id))

    async def achoose(self, model_id: str) -> Model:
        """Like `choose`."""
        found = await self.bridge.arun(self.chooser.find(model_id))
        self._set_model(found.id)
        return found

    def on_model_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the current model has changed; gives back a function that stops it."""
        return self._model_observers.add(callback)

    def dropdown(self) -> Dropdown:
        """Give a dropdown (ipywidgets) of the models; it sets the current model and follows it."""
        from tetrate_jupyter.widgets.dropdown import model_dropdown

        return model_dropdown(self)

    def picker(self, words: str = "", *, sort: str = "provider") -> DOMWidget:
        """Give the model picker (anywidget), searching for `words`; shown where it is a cell's last line.

        `words` as for `models`; `sort`: "provider", "price", "context" or "name".
        """
        from tetrate_jupyter.widgets.picker import model_picker

        return model_picker(self, words, sort)

    def chat(self) -> DOMWidget:
        """Give the chat panel (anywidget) on this session's conversation; shown where it is a cell's last line."""
        from tetrate_jupyter.widgets.chat import ChatPanel

        return ChatPanel(self)

    def _set_model(self, model_id: str | None) -> None:
        if model_id is not None and secrecy.looks_secret(model_id, lenient=True):  # its repr shows it, and every panel
            raise SecretInPromptError(
                "That is an API key, not a model's id.", next_step="give an id of %tetrate_models"
            )
        if model_id != self._model:
            self._model = model_id
            self._model_observers.notify()

    async def _resolve(self, model_id: str | None) -> Model:
        wanted = model_id or self._model
        if wanted is not None:
            return await self.chooser.find(wanted)
        chosen = await self.chooser.default()
        if chosen is None:
            raise self.chooser.no_model()
        self._set_model(chosen.id)
        return chosen

    # --- asking ----------------------------------------------------------------------------------------------

    def ask(self, prompt: str, **options: Any) -> Answer:  # noqa: ANN401 - the options are those of `question`
        """Ask and wait for the whole answer.

        `model`, `system`: for this question only. `images`: paths, bytes, PIL images or matplotlib figures. `schema`:
        a JSON schema, dataclass or pydantic model; the checked value is in `answer.parsed`. `tools`: plain or async
        functions with type hints that the model may call. `keep=False` leaves it out of the conversation.
        `temperature`, `max_tokens`, `effort`, and any other request field by its own name.

        Raises the `GatewayError`, `InputError` and `AnswerError` families; what had come by then is in `.answer`.
        """
        return self.bridge.run(self.aask(prompt, **options))

    async def aask(self, prompt: str, **options: Any) -> Answer:  # noqa: ANN401 - see `ask`
        """Like `ask`."""
        return await self.bridge.arun(self._ask(self.question(prompt, **options)))

    def stream(self, prompt: str, **options: Any) -> Stream:  # noqa: ANN401 - see `ask`
        """Ask and get typed events as they come; leaving the block stops the request.

        `with session.stream("...") as events:` / `for event in events:` / afterwards `events.answer`.
        The events are `TextDelta`, `ReasoningDelta`, `ToolCalled` and `Retrying`. The deltas of each kind, joined, are
        `answer.text` and `answer.reasoning`, whatever comes between them. Options as for `ask`.
        """
        from tetrate_jupyter.sessions.streams import Stream

        return Stream(self, self.question(prompt, **options))

    def astream(self, prompt: str, **options: Any) -> AsyncStream:  # noqa: ANN401 - see `ask`
        """Like `stream`, for `async with` and `async for`."""
        from tetrate_jupyter.sessions.streams import AsyncStream

        return AsyncStream(self, self.question(prompt, **options))

    def plan(self, prompt: str, **options: Any) -> Plan:  # noqa: ANN401 - see `ask`
        """Say what `ask` would send, how large it is and what it would cost, without sending it."""
        return self.bridge.run(self.aplan(self.question(prompt, **options)))

    async def aplan(self, question: Question) -> Plan:
        """Like `plan`, for a question put together before."""
        with guarded("Preparing the question"):
            model = await self._resolve(question.model)
            return await planned_aside(question, model, self.conversation)

    def question(self, prompt: str, **options: Any) -> Question:  # noqa: ANN401 - see `ask`
        """Put together what `ask` was given, the session's own `system` and `params` under it."""
        from tetrate_jupyter.sessions.asking import question

        return question(prompt, {**self.params, **options}, system=self.system)

    async def run(self, planned: Plan, completion: Completion | None = None) -> Answer:
        """Run a plan and record what comes of it. A `completion` made before can be watched meanwhile."""
        with guarded("Asking"):
            key = await self.account.key()
            completion = completion or self.completion(planned)
            with self.runs.watching(planned, completion):
                return await self._asker.run(planned, completion, self._connections.client(), key)

    def start(self, question: Question) -> Run:
        """Ask without waiting; what becomes of it is in `runs`, then in the conversation."""
        return self.runs.start(self, question)

    def completion(self, planned: Plan, on_event: Callable[[Event], None] | None = None) -> Completion:
        """Give a plan's completion, ready for `run`; its text can be read from any thread while it runs."""
        return self._asker.completion(planned, on_event, limit=self.max_answer)

    @property
    def last(self) -> Answer | None:
        """The newest answer, whole or partial."""
        return self._asker.last

    async def _ask(self, question: Question, on_event: Callable[[Event], None] | None = None) -> Answer:
        planned = await self.aplan(question)
        return await self.run(planned, self.completion(planned, on_event))

    # --- comparing -------------------------------------------------------------------------------------------

    def compare(self, prompts: str | Iterable[str], models: object = None, **options: Any) -> Result:  # noqa: ANN401 - see below
        """Ask several models the same, wait, and give the result: text, times and costs of each, as data.

        `models`: ids, "a,b", patterns ("claude-*"), `Model`s, or {"model": id, "temperature": 0, "label": "cold"} with
        options of its own; the same one may come twice. None: the session's and two neighbours by price.
        `repeats`: how often each is asked (1). `seed`: order of the calls. `max_cost`: US dollars that are not passed;
        either all is asked or, with `CostLimitError`, nothing. Without `max_tokens` it gives all answers the same cap,
        the longest that it allows. `concurrency`: calls to one model at once (4). `images`: for all. `history=True`:
        after the session's conversation, which is not changed. Further options as for `ask`.

        A model that fails is a column that says why. Raises the `InputError` and `AuthError` families before anything
        is asked. While it runs, and after an interrupt, it is `session.comparison`.
        """
        from tetrate_jupyter.compare.asking import compare

        return compare(self, prompts, models, options)

    async def acompare(self, prompts: str | Iterable[str], models: object = None, **options: Any) -> Result:  # noqa: ANN401 - see `compare`
        """Like `compare`."""
        from tetrate_jupyter.compare.asking import acompare

        return await acompare(self, prompts, models, options)

    def side_by_side(self, comparison: Comparison | None = None, *, blind: bool = False) -> DOMWidget:
        """Give the compare panel (anywidget), on `comparison` where there is one; shown where it is a cell's last line.

        `blind` hides the names until they are revealed. `result.comparison` is the one behind a result.
        """
        from tetrate_jupyter.widgets.compare import ComparePanel

        return ComparePanel(self, comparison, blind=blind)

    # --- conversation ----------------------------------------------------------------------------------------

    @property
    def history(self) -> tuple[Exchange, ...]:
        """The current conversation, oldest exchange first."""
        return self.conversation.exchanges

    def reset(self) -> None:
        """Start a new conversation; the old one stays in `conversation.branches`."""
        self.conversation.reset()

    def fork(self) -> Session:
        """Give a session of its own with a copy of the conversation, the same router, key and model."""
        other = Session(
            base_url=self.endpoints.base_url,
            auth_url=self.endpoints.auth_url,
            allow_http=True,
            model=self._model,
            system=self.system,
            bridge=self.bridge,
            conversation=self.conversation.fork(),
        )
        other.params.update(self.params)
        other.rows, other.max_answer = self.rows, self.max_answer
        other.account.share(self.account)
        return other

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self.bridge.run(self._connections.aclose())

    def __repr__(self) -> str:
        if not hasattr(self, "_connections"):  # shown in an error of its making
            return "<Session>"
        model = one_line(self._model or "no model chosen", MAX_NAME)
        return f"<Session at {one_line(self.endpoints.host)}: {model}, {len(self.history)} exchanges>"
