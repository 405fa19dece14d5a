"""The chat panel: the session's conversation, asked from a prompt box and from cells alike."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.completion.along import fill, images_named
from tetrate_jupyter.completion.cell_pictures import PictureRoom
from tetrate_jupyter.completion.images import load_image
from tetrate_jupyter.engine.rows import limits
from tetrate_jupyter.errors import EmptyPromptError, OptionError, SecretInPromptError, TetrateError, UnknownModelError
from tetrate_jupyter.failures.asking import nameable, offer
from tetrate_jupyter.failures.cells import running_shell
from tetrate_jupyter.front_end import namespace, on_cell_run, streaming_wanted
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.widgets import transcript
from tetrate_jupyter.widgets.attach import attachable
from tetrate_jupyter.widgets.chat_earlier import EarlierList
from tetrate_jupyter.widgets.chat_items import ChatItems, earlier
from tetrate_jupyter.widgets.model_menu import ModelMenu
from tetrate_jupyter.widgets.naming import Naming
from tetrate_jupyter.widgets.panel import Panel, script, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.engine.asking import Question
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Image, Message
    from tetrate_jupyter.widgets.feed import Fields, Item

FIRST_LOOK: Final = 0.02  # seconds between looks until the first text
NAMED: Final = 10  # cells that the box offers; any can be written, and files
COMPARED: Final = """# The same question, side by side; comparison {number} of this session{left_out}
from tetrate_jupyter import session
session.side_by_side(session.comparison{again})"""
_AGAIN: Final = 8_000  # characters of a prompt that is written into that cell
_NUMBERS: Final = count(1)
_PARAMETERS: Final = {"temperature": float, "max_tokens": int, "effort": str}


class ChatPanel(Panel):
    """The conversation of `session`, live. Several panels of one session show the same."""

    _esm = script(
        "code.js",
        "models.js",
        "naming.js",
        "chat_box.js",
        "notices.js",
        "chat_message.js",
        "chat_earlier.js",
        "chat.js",
    )
    _css = style("models.css", "notices.css", "chat.css")

    def __init__(self, session: Engine) -> None:
        super().__init__(session)
        self._items = ChatItems(session.conversation, session.runs)
        self._hinted = ("", "")  # the conversation, and what is said of it
        self._compared: list[str] = []  # the view that asked for a comparison, and the cell that shows it
        self._offered: list[list[str]] = []
        self._named: list[list[str]] = []
        self._drawn: list[Item] | None = None  # the items that go with the fields that were asked for last
        self._menu = ModelMenu(session)
        self.on_msg(Naming(self._tell).heard)
        self._earlier = EarlierList(session, self.work, self.changed)
        self.begin()

    def follows(self) -> Sequence[Callable[[], None]]:
        """See `Panel`."""
        session = self.session
        self._look()
        self._earlier.look()
        return [
            session.runs.on_change(self.changed),
            session.conversation.on_change(self._kept),
            session.on_model_change(self.changed),
            session.catalog.on_change(self.changed),
            on_cell_run(self._offer),
        ]

    def forget(self) -> None:
        """See `Panel`."""
        self._items = ChatItems(self.session.conversation, self.session.runs)

    # --- showing ---------------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """See `Panel`."""
        session = self.session
        model = session.catalog.models.get(session.model) if session.model else None
        self._drawn = self._items.all()  # first: whose they are is among the fields
        return {
            "model": session.model,
            **self._menu.fields(),
            "providers": {m: p for m in self._items.models if (p := self._provider(m))},
            "busy": bool(self._items.active),
            "stoppable": any(run.can_stop for run in self._items.active),
            "total": transcript.sum_line(session.history),
            "parameters": {name: session.params.get(name) for name in _PARAMETERS},
            "efforts": list(model.reasoning_efforts) if model else [],
            "system": session.system or "",
            "hint": self._hinted[1] if self._hinted[0] == session.conversation.branch.root else "",
            "variables": self._offered,
            "named": self._named,
            "earlier": earlier(session.conversation, session.past),
            "compared": self._compared,
            **self._earlier.fields(),
        }

    def items(self) -> Sequence[Item]:
        """See `Panel`."""
        drawn, self._drawn = self._drawn, None
        return self._items.all() if drawn is None else drawn

    def fallback_html(self) -> str:
        """See `Panel`."""
        return transcript.html(self.session.history, self._how_to_go_on(), timed=streaming_wanted())

    def fallback_plain(self) -> str:
        """See `Panel`."""
        return transcript.text(self.session.history, self._how_to_go_on(), timed=streaming_wanted())

    def _how_to_go_on(self) -> str:
        return transcript.KEPT_COPY if self.session.past.is_kept else transcript.COPY

    def _provider(self, model: str) -> str:
        found = self.session.catalog.models.get(model)
        return "" if found is None else visible(found.provider or "")

    # --- following -------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """See `Panel`."""
        for run, exchange in self._items.settled():
            self.rename(run, exchange)
        self.sync()

    def until_next_look(self) -> float | None:
        """See `Panel`. Where text is still to come: 0.1 s, less before the first, more where it is long."""
        active = self._items.active
        if not active:
            return None
        longest = max((run.completion.length for run in active if run.completion is not None), default=0)
        pause = max(config.DISPLAY_INTERVAL, min(longest, config.LIVE_CHARACTERS) / config.DISPLAY_BYTES_PER_SECOND)
        return pause if longest else FIRST_LOOK

    def _kept(self) -> None:
        self.changed()
        self.renew_fallback()

    # --- what the page may ask for ---------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[..., None]]:
        """See `Panel`."""
        return {
            "ask": self._ask,
            "edit": self._edit,
            "retry": self._retry,
            "compare": self._compare,
            "stop": self._stop,
            "dismiss": self._dismiss,
            "way": self._way,
            "new": self._new,
            "back": lambda branch: self.session.conversation.switch(str(branch)),
            "choose": self._choose,
            "menu": self._menu.ask,
            "set": self._set,
            "take": self._take,
            **self._earlier.actions(),
        }

    def _ask(self, text: str, names: Sequence[str] = (), buffers: Sequence[bytes] = ()) -> None:
        images = [replace(load_image(data), label=str(name)[:200]) for name, data in zip(names, buffers, strict=True)]
        self.session.start(self._question(str(text), images))

    def _edit(self, key: str, text: str) -> None:
        user, replaces = self._find(key)
        question = self._question(str(text), _uploaded(user), replaces=replaces)
        self.session.runs.dismiss(key)
        self.session.start(question)

    def _retry(self, key: str, model: str | None = None) -> None:
        user, replaces = self._find(key)
        question = self.session.question(
            user.content,
            images=user.images,
            typed=user.typed,
            cuts=user.cuts,
            replaces=replaces,
            model=str(model) if model else None,
            cached=False,  # who presses Retry wants to ask
        )
        self.session.runs.dismiss(key)
        self.session.start(question)

    def _question(self, text: str, images: Sequence[Image], replaces: str | None = None) -> Question:
        if not text.strip() and not images:
            raise EmptyPromptError("The prompt is empty.", next_step="write something in the box")
        room, kernel = PictureRoom(before=len(images)), nameable(running_shell())
        filled = fill(text, namespace(), partial(limits, self.session), kernel, self._hint, room=room)
        if secrecy.holds(filled.text):  # a variable's: nothing of the question begins, so nothing of it is shown
            raise SecretInPromptError("A variable here holds an API key; nothing was sent.", next_step="leave it out")
        return self.session.question(
            filled.text,
            images=(*images, *filled.images),
            typed=filled.typed,
            cuts=filled.cuts,
            replaces=replaces,
            cached=False,  # who presses Send or Retry wants to ask
        )

    def _take(
        self,
        exchanges: Sequence[Sequence[Any]],
        left: int = 0,
        model: str | None = None,
        *,
        asked: object = True,
        versions: object = False,
    ) -> None:
        """Take a conversation back from a page whose kernel was restarted; see `EarlierList.take_back`.

        `model` is taken where none is chosen yet, and where this key reaches it. `asked`: whether somebody has asked
        for it; else one that has begun here stays in front.
        """
        if model and self.session.model is None:
            with suppress(UnknownModelError):
                self.session.model = str(model)
        busy = bool(self._items.active)
        begun = busy or bool(self.session.history)
        is_in_front = not busy and (bool(asked) or not begun)  # what is being asked belongs to the one that is there
        said = self._earlier.take_back(
            exchanges, int(left), begun=begun, is_in_front=is_in_front, has_versions=bool(versions)
        )
        if said:
            self._hint(said)

    def _hint(self, text: str) -> None:
        """Show a notice, for as long as this conversation is in front."""
        self._hinted = (self.session.conversation.branch.root, text)

    def _new(self) -> None:
        self._hint("")
        self.session.reset()

    def _find(self, key: str) -> tuple[Message, str | None]:
        """Return the message of an item, and the exchange that asking it again replaces."""
        for run in self.session.runs.all:
            if run.id == key:
                return run.user, run.question.replaces if run.question else None
        exchange = next((e for e in self.session.history if e.id == key), None)
        if exchange is None:
            raise OptionError("That question is gone: the conversation has changed.", next_step="ask it anew")
        return exchange.user, exchange.id

    def _compare(self, key: str, by: str) -> None:
        """Ask an answer's model and two others the same, with the same history; `by`: the view that gets a cell."""
        user, _ = self._find(key)
        exchanges = self.session.history
        before = next((place for place, each in enumerate(exchanges) if each.id == key), len(exchanges))
        entry = exchanges[before].entry if before < len(exchanges) else None
        own = None if entry is None else entry.asked  # what answered may have no id that can be asked

        async def prepared() -> None:
            from tetrate_jupyter.compare.asking import beside, prepare

            try:
                wanted = await beside(self.session, own, history=exchanges[:before], images=bool(user.images))
                made = await prepare(
                    self.session, user.content, wanted, images=user.images, cuts=user.cuts, as_typed=user.typed
                )
            except TetrateError as error:
                self.tell_problem(error)
                return
            self.session.comparison = made
            made.start()
            self._compared = [str(by), _cell_of(made)]
            self.changed()

        self.work(prepared)

    def _stop(self, key: str | None = None) -> None:
        """Stop what was asked here, or all of it."""
        for run in self.session.runs.all:
            if key in (None, run.id) and run.can_stop:
                run.stop()

    def _dismiss(self, key: str) -> None:
        self.session.runs.dismiss(key)

    def _way(self, key: str, step: int) -> None:
        ways = self.session.conversation.variants(key)
        current = [branch.id for branch in ways].index(self.session.conversation.branch.id)
        self.session.conversation.switch(ways[(current + int(step)) % len(ways)].id)

    def _choose(self, model: str) -> None:
        self.session.model = str(model) or None

    def _set(self, name: str, value: str) -> None:
        """Set a parameter or the system prompt from its text; an empty one leaves it to the provider."""
        if name == "system":
            self.session.system = value.strip() or None
            return
        if not value.strip():
            self.session.params.pop(name, None)
            return
        kind = _PARAMETERS[name]
        try:
            number = kind(value)
            self.session.question("-", **{name: number})  # its bounds are checked where every question's are
        except ValueError:
            raise OptionError(f"{name} can't be {value!r}.", next_step="give a number, or leave it empty") from None
        self.session.params[name] = number

    def _offer(self) -> None:
        self._look()
        self.changed()

    def _look(self) -> None:
        """See what can be put into a question."""
        self._offered = attachable(namespace())
        named = offer("@", running_shell(), cells=NAMED, files=0)  # the disk may be slow, and cells wait for this
        self._named = [[visible(word), visible(what)] for word, what in named.items()]


def _cell_of(made: Comparison) -> str:
    """Return the source of a cell that shows a comparison, and asks it anew in a kernel that doesn't have it."""
    setup, (prompt,) = made.setup, made.setup.prompts
    lost = [*(["the images"] if setup.images else []), *(["what was said before"] if _goes_on(made) else [])]
    left_out = f"\n# Asked by another kernel it goes without {' and '.join(lost)}." if lost else ""
    again = f",\n    prompt={prompt!r},\n    models={[column.asked for column in made.columns]!r},\n"
    return COMPARED.format(number=next(_NUMBERS), left_out=left_out, again=again if len(prompt) <= _AGAIN else "")


def _goes_on(made: Comparison) -> bool:
    return any(column.history for column in made.columns)


def _uploaded(user: Message) -> Sequence[Image]:
    """Return the images that were sent as files: those that the text names come anew with it."""
    if user.typed is None:
        return user.images
    return user.images[: max(0, len(user.images) - images_named(user.content, user.typed))]
