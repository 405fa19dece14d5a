"""The session: the engine with its blocking forms, comparisons and panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetrate_jupyter.completion.foreign import guarded
from tetrate_jupyter.engine.engine import Engine
from tetrate_jupyter.engine.history import Past
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from ipywidgets import DOMWidget, Dropdown

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.engine.account import SignedIn
    from tetrate_jupyter.engine.asking import Plan
    from tetrate_jupyter.engine.keeping import Cached
    from tetrate_jupyter.engine.status import Status
    from tetrate_jupyter.engine.streams import AsyncStream, Stream
    from tetrate_jupyter.failures.change import Fix
    from tetrate_jupyter.failures.wishes import Wish
    from tetrate_jupyter.keys.store import Place
    from tetrate_jupyter.types import Model

# What completion and docs offer of a session, by what it is for. The rest is there for panels and magics, which stand
# on the same engine: nobody needs it to ask.
OFFERED = {
    "Asking": (
        "ask", "aask", "stream", "astream", "plan", "question", "start", "runs", "last",
        "system", "params", "rows", "max_answer", "cached",
    ),
    "Comparing": ("compare", "acompare", "comparison", "side_by_side"),
    "Models": ("model", "models", "amodels", "choose", "achoose", "picker", "dropdown", "on_model_change"),
    "The conversation": ("chat", "conversation", "history", "reset", "fork", "keep_texts"),
    "A cell": ("explain", "aexplain", "fix", "afix", "improve", "aimprove"),
    "What it costs": ("usage", "budget", "daily_budget", "budgets", "label"),
    "Signing in": ("login", "logout", "alogout", "connect", "endpoints", "status", "astatus"),
    "Its end": ("close", "aclose", "is_closed", "use_bridge"),
}  # fmt: skip


class Session(Engine):
    """One key, one current model, one conversation, one ledger.

    `base_url` and `auth_url` default to the environment (`TETRATE_BASE_URL`, `TETRATE_AUTH_URL`), then to the real
    service; `allow_http` accepts plain http beyond this machine. `key` is a key given by hand (better: `login`).
    `model` is a model id; without one a small, current model of the key's list is chosen at the first question.
    `system` goes before every question. `params` are options for every question: `session.params["temperature"] = 0`.
    `rows`: how many rows of a table the `{df}` of cells and the chat send: 15 (up to 30 whole), a number, or "all".
    `max_answer` caps the characters of one answer (4,000,000: text, reasoning and tool calls over all its rounds);
    beyond it the request is closed, and what came is kept and marked.
    `budget`, `daily_budget`: US dollars that are never exceeded, see there. `keep_texts`: whether prompts and answers
    are kept on disk from now on (False), see `history`.
    Every blocking call but `login` and `usage` has a coroutine of the same name with `a` before it.
    """

    __module__ = "tetrate_jupyter"

    comparison: Comparison | None  # the newest one that `compare` has begun

    def __dir__(self) -> list[str]:
        offered = {name for names in OFFERED.values() for name in names}
        return sorted(offered | {name for name in super().__dir__() if name.startswith("_")})

    # --- signing in ------------------------------------------------------------------------------------------

    def login(
        self, *, key: str | Secret | None = None, store: str = "auto", again: bool = False, timeout: float | None = None
    ) -> SignedIn:
        """Sign in, and say to whom, where the key is kept and how many models it reaches.

        A key that is there already is checked and used (unless `again`). With `key`, that key is checked and kept.
        Otherwise the consent page's address is shown and the browser, or a pasted address, code or key, is waited for.
        The sandbox is left, where it is in use. `store`: "auto" (keyring, else private file), "keyring", "file",
        "memory". `timeout`: seconds to wait for the person (180). Raises the `LoginError` family.
        """
        typed = None if key is None else Secret.typed(key)
        del key
        self.trial.leave()  # signing in is for the real router, not the sandbox
        from tetrate_jupyter.face.sign_in import sign_in

        with guarded("Signing in"):
            if typed is not None:
                return self.bridge.run(self.account.use_text(typed, store=store))
            return sign_in(self, store=store, again=again, timeout=timeout)

    def logout(self) -> tuple[Place, ...]:
        """Forget the key in every place it could be; return those places. The key itself still exists at the router."""
        return self.bridge.run(self.alogout())

    def status(self) -> Status:
        """Return where the session stands: router, sign-in, model, health, versions. Holds nothing secret."""
        return self.bridge.run(self.astatus())

    async def astatus(self) -> Status:
        """Like `status`."""
        from tetrate_jupyter.engine.status import report

        return await self.bridge.arun(report(self, self._connections))

    # --- models ----------------------------------------------------------------------------------------------

    def models(self, pattern: str = "", *, refresh: bool = False) -> ModelList:
        """Return the models this key reaches, narrowed by words or a pattern; see `ModelList.search`.

        `refresh` asks the router anew; otherwise a list of less than 15 minutes ago is used.
        """
        return self.bridge.run(self.amodels(pattern, refresh=refresh))

    def choose(self, model_id: str) -> Model:
        """Set the current model; raises `UnknownModelError`, with the nearest ids, where this key doesn't reach it."""
        return self.bridge.run(self.achoose(model_id))

    def dropdown(self) -> Dropdown:
        """Return a dropdown (ipywidgets) of the models; it sets the current model and follows it."""
        from tetrate_jupyter.widgets.dropdown import model_dropdown

        return model_dropdown(self)

    def picker(self, words: str = "", *, sort: str = "provider") -> DOMWidget:
        """Return the model picker (anywidget), searching for `words`; shown where it is a cell's last line.

        `words` as for `models`; `sort`: "provider", "price", "context" or "name".
        """
        from tetrate_jupyter.widgets.picker import model_picker

        return model_picker(self, words, sort)

    def chat(self) -> DOMWidget:
        """Return the chat panel (anywidget) on this session's conversation; shown where it is a cell's last line."""
        from tetrate_jupyter.widgets.chat import ChatPanel

        return ChatPanel(self)

    # --- asking ----------------------------------------------------------------------------------------------

    def ask(self, prompt: str, **options: Any) -> Answer:  # noqa: ANN401 - the options are those of `question`
        """Ask and wait for the whole answer.

        `model`, `system`: for this question only. `images`: paths, bytes, PIL images or matplotlib figures. `schema`:
        a JSON schema, dataclass or pydantic model; the checked value is in `answer.parsed`. `tools`: plain or async
        functions with type hints that the model may call. The conversation so far goes along, and is paid for, each
        time; `keep=False` asks outside of it: nothing of it is sent, and nothing gets into it.
        `temperature`, `max_tokens`, `effort`, and any other request field by its own name.
        `cached=True`: a kept answer to the same question stands for asking, and a new one is kept; see `cached`, which
        says so for all questions. `refresh=True`: ask anew and put that in its place. `repeat=1`, `2`, ...: another
        answer to the same.

        Raises the `GatewayError`, `InputError` and `AnswerError` families; what had come by then is in `.answer`.
        """
        return self.bridge.run(self.aask(prompt, **options))

    def stream(self, prompt: str, **options: Any) -> Stream:  # noqa: ANN401 - see `ask`
        """Ask and get typed events as they come; leaving the block stops the request.

        `with session.stream("...") as events:` / `for event in events:` / afterwards `events.answer`.
        The events are `TextDelta`, `ReasoningDelta`, `ToolCalled` and `Retrying`. The deltas of each kind, joined, are
        `answer.text` and `answer.reasoning`, whatever comes between them. Options as for `ask`.
        """
        from tetrate_jupyter.engine.streams import Stream

        return Stream(self, self.question(prompt, **options))

    def astream(self, prompt: str, **options: Any) -> AsyncStream:  # noqa: ANN401 - see `ask`
        """Like `stream`, for `async with` and `async for`."""
        from tetrate_jupyter.engine.streams import AsyncStream

        return AsyncStream(self, self.question(prompt, **options))

    def cached(self, where: object = True, *, refresh: bool = False) -> Cached:
        """Use kept answers for every question of this session from now on; in a `with` block, until its end.

        The same question (router, model, messages, parameters, images, schema, tools) gets the answer that it got
        before: at once, without network and key, marked (`answer.cached`), its cost $0 now. Whole answers are kept;
        errors, refusals and what was cut short aren't. `where`: "answers.jsonl", a file to be committed beside the
        notebook; True, your own place on this machine; False, none. `refresh`: ask anew, and replace what is kept.
        A model counts by the id it is asked for, a tool by its description and source. Panels always ask anew.
        Raises `ConfigError` for what is no place.
        """
        from tetrate_jupyter.engine.keeping import Cached

        return Cached(self.keeper, where, refresh=refresh)

    def plan(self, prompt: str, **options: Any) -> Plan:  # noqa: ANN401 - see `ask`
        """Return what `ask` would send, how large it is and what it would cost, without sending it."""
        return self.bridge.run(self.aplan(self.question(prompt, **options)))

    # --- a cell ----------------------------------------------------------------------------------------------

    def explain(self, error: BaseException | str | None = None, **options: Any) -> Answer:  # noqa: ANN401 - see below
        """Ask why a cell failed and what to change: by default of the last error of this kernel.

        A string is source: what it does is explained, and it alone is sent.

        Sent are the cell and those it calls, the traceback (frames of libraries folded), names and shapes of the
        variables that the failing lines name, and the libraries' versions; `values=True` also sends what those
        variables hold, a few rows of tables. The conversation isn't sent and isn't changed, unless `keep=True`.
        Further options as for `ask`.

        Raises `InputError` where there is nothing to explain, `SecretInPromptError` for what looks like a key in any
        of it (nothing is sent), and what `ask` raises.
        """
        if isinstance(error, str):
            from tetrate_jupyter.failures import wishes

            return wishes.explain(self, error, options)
        from tetrate_jupyter.failures.asking import explain

        return explain(self, error, options)

    async def aexplain(self, error: BaseException | str | None = None, **options: Any) -> Answer:  # noqa: ANN401 - see `explain`
        """Like `explain`."""
        if isinstance(error, str):
            from tetrate_jupyter.failures import wishes

            return await wishes.aexplain(self, error, options)
        from tetrate_jupyter.failures.asking import aexplain

        return await aexplain(self, error, options)

    def fix(self, error: BaseException | None = None, **options: Any) -> Fix:  # noqa: ANN401 - see `explain`
        """Ask what to change in a cell that failed: an explanation, the new source and the change as a diff.

        Nothing is changed or run by it. Code is taken only where it is the whole cell and can be parsed; else
        `fix.source` is None and `fix.problem` says why. `fix.sent` is what was sent. Otherwise like `explain`.
        """
        from tetrate_jupyter.failures.asking import fix

        return fix(self, error, options)

    async def afix(self, error: BaseException | None = None, **options: Any) -> Fix:  # noqa: ANN401 - see `explain`
        """Like `fix`."""
        from tetrate_jupyter.failures.asking import afix

        return await afix(self, error, options)

    def improve(
        self,
        source: str,
        wish: Wish = "improve",
        *,
        before: str = "",
        after: str = "",
        **options: Any,  # noqa: ANN401 - see `ask`
    ) -> Fix:
        """Ask for better source of a cell: an explanation, the new source and the change as a diff.

        `wish`: "improve"; "document" for docstrings and comments; "test" or "continue" for the code of a new cell that
        tests this one or goes on from it. `before`, `after`: the rest of the cell, where `source` is a part of it;
        sent, never changed. Sent are these and nothing else of the notebook, outside the conversation, unless
        `keep=True`. Nothing is changed or run; code that can't be used is told by `fix.problem`, as for `fix`. Further
        options as for `ask`.

        Raises `InputError` for source that is empty or longer than 20,000 characters, `SecretInPromptError` for what
        looks like a key in any of it (nothing is sent), and what `ask` raises.
        """
        from tetrate_jupyter.failures.wishes import Passage, improve

        return improve(self, wish, Passage(source, before, after), options)

    async def aimprove(
        self,
        source: str,
        wish: Wish = "improve",
        *,
        before: str = "",
        after: str = "",
        **options: Any,  # noqa: ANN401 - see `ask`
    ) -> Fix:
        """Like `improve`."""
        from tetrate_jupyter.failures.wishes import Passage, aimprove

        return await aimprove(self, wish, Passage(source, before, after), options)

    # --- comparing -------------------------------------------------------------------------------------------

    def compare(self, prompts: str | Iterable[str], models: object = None, **options: Any) -> Result:  # noqa: ANN401 - see below
        """Ask several models the same, wait, and return the result: text, times and costs of each, as data.

        `models`: ids, "a,b", patterns ("claude-*"), `Model`s, or {"model": id, "temperature": 0, "label": "cold"} with
        options of its own; the same one may come twice. None: the session's and two neighbours by price.
        `cached`, `refresh` as for `ask`; kept answers are marked, and count neither in times nor agreement nor chance.
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

    def side_by_side(
        self,
        comparison: Comparison | None = None,
        *,
        blind: bool = False,
        prompt: str = "",
        models: Sequence[str] = (),
    ) -> DOMWidget:
        """Return the compare panel (anywidget), on `comparison` where there is one; shown as a cell's last line.

        `blind` hides names, order, times and costs until they are revealed. A result's is `result.comparison`.
        `prompt`, `models` (ids): what stands ready where there is no comparison, or one of another prompt; nothing is
        asked before somebody presses Compare.
        """
        from tetrate_jupyter.widgets.compare import ComparePanel

        if comparison is not None and prompt and comparison.setup.prompts != (prompt,):
            comparison = None
        return ComparePanel(self, comparison, models=models, blind=blind, prompt=prompt)

    # --- what was spent --------------------------------------------------------------------------------------

    def usage(self, period: str = "30d", *, sandbox: bool = False) -> pd.DataFrame:
        """Return what was asked in a period as a DataFrame: a row for each request, tries and rounds of tools included.

        `period`: "today", "7d", "30d" (all kernels, from the ledger), or "session" (this kernel). `sandbox`: what the
        sandbox answered, which is left out otherwise, unless there is nothing else. Costs are estimates in US dollars,
        NaN for unknown; the router's dashboard has the bill. `%tetrate_usage` sums it up. Raises `ConfigError`.
        """
        from tetrate_jupyter.engine.usage import records
        from tetrate_jupyter.ledger.frame import to_frame

        return to_frame(records(self.book, period, sandbox=sandbox))

    # --- conversation ----------------------------------------------------------------------------------------

    def fork(self) -> Session:
        """Return a session of its own with a copy of the conversation, the same router, key and model."""
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
        if self.chooser.proposed is not None:
            other.chooser.propose(self.chooser.proposed)
        other.keeper = self.keeper.fork()
        other.account.share(self.account)
        other.share_ledger(self)
        other.past = Past(other.conversation, self.past.archive)
        other.keep_texts = self.keep_texts
        return other

    def close(self) -> None:
        """End background work (questions, comparisons, a sign-in), close connections and files, within 5 s.

        The next call opens new ones.
        """
        self.bridge.run(self.aclose())
