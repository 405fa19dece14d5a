"""The magics class: traits for defaults, and one thin method a magic."""

from __future__ import annotations

import contextlib
import inspect
import tokenize
from typing import TYPE_CHECKING, Any, TypeVar, cast

from IPython.core.inputtransformer2 import EscapedCommand
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Enum, Float, Integer, TraitError, Unicode, Union, observe, validate

from tetrate_jupyter import config
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.front_end import place, streaming_wanted, told_by_page
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.complete import matcher
from tetrate_jupyter.magics.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from tokenize import TokenInfo
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.magics.options import Command


Function = TypeVar("Function", bound="Callable[..., Any]")


def _magic(command: Command, kind: Callable[..., Any], *, scoped: bool = False) -> Callable[[Function], Function]:
    """Make a method the magic of `command`, with its help; the line is left as typed.

    `scoped`: it gets the variables of the function it is called in as `local_ns`.
    """

    def decorate(method: Function) -> Function:
        method.__doc__ = command.help()
        made = kind(no_var_expand(method))
        return cast("Function", needs_local_scope(made) if scoped else made)

    return decorate


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Refuse a trait's value by the one error after which `%config` has the trait as it was.

    After any other it would stand there as if it were in force: a budget that holds nothing.
    """
    try:
        yield
    except TetrateError as problem:
        refused = TraitError(str(problem))
    else:
        return
    raise refused


@magics_class
class TetrateMagics(Magics):
    """Defaults of the magics: `%config TetrateMagics.model = "claude-haiku-4-5"`, or in ipython_config.py."""

    model = Unicode("", help="Model of the session; empty: a small, current one is chosen.").tag(config=True)
    system = Unicode("", help="System prompt for every question.").tag(config=True)
    temperature = Float(None, allow_none=True, help="0 (steady) to 2 (wild); None: the provider's.").tag(config=True)
    max_tokens = Integer(None, allow_none=True, help="Cap on an answer's tokens; None: the provider's.").tag(
        config=True
    )
    format = Enum(commands.FORMATS, "markdown", help="How answers are shown.").tag(config=True)
    store = Enum(commands.STORES, "auto", help="Where %tetrate_login keeps the key.").tag(config=True)
    stream = Bool(True, help="Show text as it comes; off: one final output (nbval, papermill).").tag(config=True)
    footer = Bool(True, help="Show the quiet line under an answer: model, times, tokens, cost.").tag(config=True)
    greeting = Bool(True, help="When loaded, say in a line how things stand and what to try.").tag(config=True)
    keep = Bool(True, help="Go on with the conversation. False: ask each question by itself.").tag(config=True)
    rows = Union(
        [Integer(config.DEFAULT_ROWS, min=1), Enum(("all",))],
        help='Rows of each {table} that are sent: 15 (up to 30 whole), a number, or "all" that fit.',
    ).tag(config=True)
    answers = Unicode(
        "",
        help='Keep answers and use them again: a file beside the notebook ("answers.jsonl"), "on": your own place.',
    ).tag(config=True)
    keep_texts = Bool(
        False, help="Keep prompts and answers on disk from now on, for %tetrate_history and the chat's Earlier."
    ).tag(config=True)
    daily_budget = Float(
        None, allow_none=True, help="US dollars that all kernels of this account may spend in a day; None: no limit."
    ).tag(config=True)
    bridge = Enum(
        ("thread", "nested"),
        "thread",
        help="nested: run on the kernel's own loop, for async tools that use objects bound to it.",
    ).tag(config=True)

    unseen: Callable[[], None] | None = None  # undoes `be_found`
    unheard: Callable[[], None] | None = None  # undoes `heard_between_cells`

    def __init__(self, shell: InteractiveShell) -> None:
        self.context = Context(shell, self)  # first: the next line sets the configured defaults, which use it
        super().__init__(shell)
        self.matcher = matcher(self.context)
        if not streaming_wanted():
            self.stream = False

    @property
    def session(self) -> Session:
        """The shared session."""
        return self.context.session

    @observe("model")
    def _model_set(self, change: dict[str, Any]) -> None:
        self.session.model = change["new"] or None

    @observe("system")
    def _system_set(self, change: dict[str, Any]) -> None:
        self.session.system = change["new"] or None

    @observe("rows")
    def _rows_set(self, change: dict[str, Any]) -> None:
        self.session.rows = change["new"]

    @validate("answers")
    def _answers_fit(self, proposal: dict[str, Any]) -> Any:  # noqa: ANN401 - a trait's value, as it came
        from tetrate_jupyter.answers.places import place_of

        with _refusing():
            place_of(proposal["value"])
        return proposal["value"]

    @observe("answers")
    def _answers_set(self, change: dict[str, Any]) -> None:
        self.session.cached(change["new"])

    @observe("keep_texts")
    def _keep_texts_set(self, change: dict[str, Any]) -> None:
        self.session.keep_texts = change["new"]

    @validate("daily_budget")
    def _daily_budget_fits(self, proposal: dict[str, Any]) -> Any:  # noqa: ANN401 - a trait's value, as it came
        from tetrate_jupyter.engine.funds import dollars

        with _refusing():
            dollars(proposal["value"], "daily_budget")
        return proposal["value"]

    @observe("daily_budget")
    def _daily_budget_set(self, change: dict[str, Any]) -> None:
        self.session.daily_budget = change["new"]

    @observe("bridge")
    def _bridge_set(self, change: dict[str, Any]) -> None:
        self.session.use_bridge(change["new"])

    @_magic(commands.ASK, line_cell_magic, scoped=True)
    def tetrate(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> None:
        from tetrate_jupyter.magics.ask import ask

        ask(self.context, line, cell, self._variables(local_ns))

    @_magic(commands.COMPARE, line_cell_magic, scoped=True)
    def tetrate_compare(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.compare import compare

        return compare(self.context, line, cell, self._variables(local_ns))

    def _variables(self, local_ns: dict[str, Any] | None) -> Mapping[str, Any]:
        """Return what a prompt may name: the notebook's variables, over them those of the function around the magic."""
        known: dict[str, Any] = self.context.shell.user_ns
        found = _calling_function(known) if local_ns is None or local_ns is known else local_ns
        return {**known, **found} if found else known

    @_magic(commands.LOGIN, line_magic)
    def tetrate_login(self, line: str) -> None:
        from tetrate_jupyter.magics.account import login

        login(self.context, line)

    @_magic(commands.LOGOUT, line_magic)
    def tetrate_logout(self, line: str) -> None:
        from tetrate_jupyter.magics.account import logout

        logout(self.context, line)

    @_magic(commands.STATUS, line_magic)
    def tetrate_status(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        commands.STATUS.parse(line)
        return self.session.status()

    @_magic(commands.MODELS, line_magic)
    def tetrate_models(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.models import models

        return models(self.context, line)

    @_magic(commands.MODEL, line_magic)
    def tetrate_model(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.models import model

        return model(self.context, line)

    @_magic(commands.CHAT, line_magic)
    def tetrate_chat(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.chat import chat

        return chat(self.context, line)

    @_magic(commands.CACHE, line_magic)
    def tetrate_cache(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.cache import cache

        return cache(self.context, line)

    @_magic(commands.USAGE, line_magic)
    def tetrate_usage(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.usage import usage

        return usage(self.context, line)

    @_magic(commands.HISTORY, line_magic)
    def tetrate_history(self, line: str) -> Any:  # noqa: ANN401 - shown by IPython
        from tetrate_jupyter.magics.history import history

        return history(self.context, line)

    @_magic(commands.EXPLAIN, line_magic)
    def tetrate_explain(self, line: str) -> None:
        from tetrate_jupyter.magics.failures import explain

        explain(self.context, line)

    @_magic(commands.FIX, line_magic)
    def tetrate_fix(self, line: str) -> None:
        from tetrate_jupyter.magics.failures import fix

        fix(self.context, line)

    @_magic(commands.RESET, line_magic)
    def tetrate_reset(self, line: str) -> None:
        commands.RESET.parse(line)
        self.session.reset()
        print("New conversation.")  # noqa: T201 - a magic's answer


_INDENTS = {tokenize.INDENT, tokenize.DEDENT}


class QuestionLine(EscapedCommand):
    """Let a one-line question end with "?": IPython takes `%tetrate why?` for a request for help about `why`.

    It is a line that begins with `%tetrate` and has words; `%tetrate?` stays a request for help.
    """

    priority = 4  # before IPython's help (5), which would win over a magic (10)

    @classmethod
    def find(cls, tokens_by_line: list[list[TokenInfo]]) -> QuestionLine | None:
        """Find the first such line of a cell."""
        for line in tokens_by_line:
            tokens = [token for token in line if token.type not in _INDENTS][:3]
            if [token.string for token in tokens[:2]] == ["%", "tetrate"] and tokens[-1].string != "?":
                return cls(tokens[0].start)
        return None


_LOADED = "_tetrate_magics"


def load(shell: InteractiveShell) -> None:
    """Register the magics and the completion of ids; tell who reads a notebook what to try. Fetches nothing."""
    magics = TetrateMagics(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(magics.matcher)
    shell.input_transformer_manager.token_transformers.append(QuestionLine)
    setattr(shell, _LOADED, magics)
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:  # else no page looks for it
        from tetrate_jupyter.interrupts import heard_between_cells
        from tetrate_jupyter.lab import be_found

        magics.unseen = be_found(kernel, lambda: magics.session)
        magics.unheard = heard_between_cells(kernel)
    if magics.greeting and place() == "notebook":
        _greet(magics)


def _greet(magics: TetrateMagics) -> None:
    """Print the line; what a page has told before counts where nothing is configured."""
    from tetrate_jupyter.magics.greeting import greeting

    model, environ = magics.model, None
    if told_by_page():
        from tetrate_jupyter.engine.proposing import environment_with, told_before

        told = told_before()
        if told.get("greeting") is False and "greeting" not in magics.config.TetrateMagics:
            return
        environ = environment_with(told)
    print(greeting(model, environ))  # noqa: T201 - for the person who loads it


def loaded(shell: InteractiveShell | None) -> Context | None:
    """Return what the magics of a shell work with, None where they aren't loaded."""
    magics = getattr(shell, _LOADED, None)
    return None if magics is None else magics.context


def unload(shell: InteractiveShell) -> None:
    """Undo everything that `load` did."""
    magics = getattr(shell, _LOADED, None)
    if magics is None:
        return
    magics.context.close()
    if magics.unseen is not None:
        magics.unseen()
    if magics.unheard is not None:
        magics.unheard()
    shell.Completer.custom_matchers.remove(magics.matcher)
    shell.input_transformer_manager.token_transformers.remove(QuestionLine)
    for command in commands.COMMANDS:
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(command.name, None)
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    delattr(shell, _LOADED)


def _calling_function(known: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the variables of the notebook's function that calls `run_cell_magic`, which hands on the notebook's only.

    Empty where that was a cell itself, or a library, whose variables are nobody's to name in a prompt.
    """
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != "run_cell_magic":
        frame = frame.f_back
    while frame is not None and frame.f_code.co_name == "run_cell_magic":  # a front end's shell calls IPython's
        frame = frame.f_back
    within = frame is not None and frame.f_globals is known and frame.f_locals is not known
    return frame.f_locals if frame is not None and within else {}
