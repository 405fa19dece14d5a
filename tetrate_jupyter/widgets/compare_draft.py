"""The next question of the compare panel: prompts, models with their parameters, and parameters of all."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tetrate_jupyter.compare.asking import models_of, prepare
from tetrate_jupyter.compare.columns import LIVE_COLUMNS, own_label, trios
from tetrate_jupyter.compare.setup import SEPARATOR, refuse_pictures, split_prompts
from tetrate_jupyter.completion.along import fill, images_named, with_the_question
from tetrate_jupyter.completion.cell_pictures import PictureRoom
from tetrate_jupyter.completion.cuts import as_sent
from tetrate_jupyter.engine.rows import is_asked_for, limits
from tetrate_jupyter.errors import CostLimitError, OptionError
from tetrate_jupyter.failures.asking import nameable
from tetrate_jupyter.failures.cells import running_shell
from tetrate_jupyter.front_end import namespace
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.widgets.notices import filled_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.conversation import Exchange
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Cut, Image, Model
    from tetrate_jupyter.widgets.feed import Fields

T = TypeVar("T")

EDITABLE: Final = 100_000  # characters of all prompts; beyond, no person edits them in a box
_OWN: Final[Mapping[str, Callable[[str], Any]]] = {
    "temperature": float,
    "max_tokens": int,
    "effort": str,
    "system": str,
}
_RUN: Final[Mapping[str, Callable[[str], Any]]] = {"repeats": int, "max_cost": float}
_PATIENCE: Final = 60.0  # seconds for variables and files that a prompt names
_TOLD: Final = 10  # things sent along that the line about them names
_AS_BEFORE: Final = (
    "Asked as before: names stand for what they stood for then. Change the prompt to have them looked up."
)


@dataclass(frozen=True)
class Pick:
    """One column of the next comparison. `params` go over those of all; `history` goes before the prompt."""

    model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Exchange, ...] = ()
    label: str | None = None

    @property
    def about(self) -> str:
        """The parameters of this column, in a few characters; "" for none."""
        return ", ".join(f"{name} {str(value)[:20]}" for name, value in self.params.items())

    @property
    def wish(self) -> dict[str, Any]:
        """The column as `Session.compare` takes it."""
        named = {} if self.label is None else {"label": self.label}
        return {"model": self.model, "history": self.history, **named, **self.params}


@dataclass(frozen=True)
class WrittenPrompts:
    """Prompts as `typed`, and as they are `sent`: with what they name filled in, or as they are.

    `is_data`: they were given from Python, where braces and "@" are data. `images`: those given by hand, `own` of them,
    then those that stood for variables.
    """

    typed: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    cuts: tuple[Cut, ...] = ()
    own: int = 0
    is_data: bool = True

    def is_still(self, typed: tuple[str, ...]) -> bool:
        """Whether these are what was typed; a box changes line ends, and blanks around several prompts."""
        return _out_of_a_box(typed) == _out_of_a_box(self.typed)

    @property
    def has_images(self) -> bool:
        """Whether all images are there that stood for variables: a file of a comparison has none."""
        return len(self.images) - self.own >= _images_named(self.sent)

    @property
    def options(self) -> dict[str, Any]:
        """The options for `prepare` that go with them."""
        as_typed = self.typed[0] if len(self.typed) == 1 and self.typed != self.sent else None
        return {"images": self.images, "cuts": self.cuts, "as_typed": as_typed}


class Draft:
    """The next question as it is put together in the page. Not thread-safe: the panel's lock is held around it."""

    def __init__(self, session: Engine) -> None:
        self._session = session
        self.picks: list[Pick] = []
        self.text = ""
        self.several = False
        self.ways: list[list[str]] = []  # on, after a refusal for its cost; the page shows them beside that
        self._separator = SEPARATOR
        self._given: tuple[str, ...] = ()  # prompts that are too many for the box
        self._params: dict[str, Any] = {}
        self._rest: dict[str, Any] = {}  # what has no field: images, a schema, tools
        self._taken = self._filled = WrittenPrompts()  # those taken over, and those that were filled in here last
        self.said: list[tuple[str, str]] = []  # of what goes along with them, and of words that stay: as they were sent

    def begin(self, prompt: str, models: Sequence[str]) -> None:
        """Begin with a prompt and models, where there is no comparison."""
        self.text = prompt
        self._taken = WrittenPrompts((prompt,), (prompt,))
        for model in models:
            self.add(model)

    def take(self, comparison: Comparison) -> None:
        """Begin from what was asked: asking again asks the same."""
        setup = comparison.setup
        self.picks = [_pick(column) for column in comparison.columns]
        self._params = {name: value for name, value in setup.params.items() if name in _OWN}
        self._rest = {name: value for name, value in setup.params.items() if name not in _OWN}
        if setup.images:
            self._rest["images"] = setup.images  # to be named among what has no field
        if setup.repeats > 1:
            self._params["repeats"] = setup.repeats
        if setup.max_cost is not None:
            self._params["max_cost"] = float(setup.max_cost)
        self.know(comparison)
        self._take_prompts(self._taken.typed)

    def know(self, comparison: Comparison) -> None:
        """Take note of what was asked: the same words ask the same, whatever stands in the box now."""
        setup = comparison.setup
        here = [written for written in (self._filled, self._taken) if written.sent == setup.prompts]
        if here:
            self._taken = replace(here[0], images=setup.images, cuts=setup.cuts)
            return
        self.said = []
        typed = setup.prompts if setup.as_typed is None else (setup.as_typed,)
        own = len(setup.images) - (_images_named(setup.prompts) if typed != setup.prompts else 0)
        self._taken = WrittenPrompts(typed, setup.prompts, setup.images, setup.cuts, max(0, own))

    def _take_prompts(self, prompts: tuple[str, ...]) -> None:
        self.several, self._given = len(prompts) > 1, ()
        self.text = prompts[0]
        if not self.several:
            return
        if sum(map(len, prompts)) > EDITABLE:
            self.text, self._given = "", prompts
            return
        while any(self._separator in prompt for prompt in prompts):
            self._separator += "-"
        self.text = f"\n{self._separator}\n".join(prompts)

    # --- changing --------------------------------------------------------------------------------------------

    def add(self, model: str) -> None:
        """Add a column. The same model may come again."""
        if len(self.picks) >= LIVE_COLUMNS:
            raise OptionError(f"A panel shows {LIVE_COLUMNS} columns.", next_step="remove one first")
        self.picks.append(Pick(model))

    def choose(self, models: Sequence[str]) -> None:
        """Take these models for columns, in place of those that are there."""
        self.picks = [Pick(str(model)) for model in models[:LIVE_COLUMNS]]

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Restore what another kernel's panel had, as `fields` returned it: models, prompts, parameters."""
        self.write(str(kept.get("prompt", "")), several=bool(kept.get("several")))
        self.picks = [Pick(str(model)) for _, _, _, model in list(kept.get("picked", ()))[:LIVE_COLUMNS]]
        for place, (_, _, params, _) in enumerate(list(kept.get("picked", ()))[:LIVE_COLUMNS]):
            for name, value in dict(params).items():
                self.set(str(name), str(value), place)
        for name, value in dict(kept.get("parameters", {})).items():
            self.set(str(name), str(value))

    def mean(self, models: Sequence[str]) -> None:
        """Keep the columns of these models as they are, add those that aren't there, take the others out."""
        self.picks = [pick for pick in self.picks if pick.model in models]
        for model in dict.fromkeys(models):
            if model not in {pick.model for pick in self.picks}:
                self.add(model)

    def again(self) -> None:
        """Add the first column once more: what it differs from itself is chance, and so much of every difference."""
        first = self.picks[0].model if self.picks else self._session.model
        if first is None:
            raise OptionError("There is no model yet to ask twice.", next_step="add one first")
        if not self.picks:
            self.add(first)
        self.add(first)
        self.picks[-1] = replace(self.picks[0])

    def drop(self, place: int) -> None:
        """Take a column out."""
        if 0 <= place < len(self.picks):
            del self.picks[place]

    def write(self, text: str, *, several: bool) -> None:
        """Take what stands in the prompt box."""
        if text.strip():
            self._given = ()
        self.text, self.several = text, several or bool(self._given)

    def set(self, name: str, value: str, place: int | None = None) -> None:
        """Set a parameter from its text, of all columns or of the one at `place`; an empty text unsets it."""
        if place is not None and not 0 <= place < len(self.picks):
            return  # the column went while its field was being typed into
        kinds = _OWN if place is not None else {**_OWN, **_RUN}
        params = dict(self._params if place is None else self.picks[place].params)
        params.pop(name, None)
        if value.strip():
            params[name] = self._checked(name, kinds[name], value.strip())
        if place is None:
            self._params = params
        else:
            self.picks[place] = replace(self.picks[place], params=params)

    def _checked(self, name: str, kind: Callable[[str], Any], value: str) -> Any:  # noqa: ANN401 - as its kind
        try:
            found = kind(value.lstrip("$") if name == "max_cost" else value)
        except ValueError:
            raise OptionError(f"{name} can't be {value!r}.", next_step="give a number, or leave it empty") from None
        if name in _OWN:
            self._session.question("-", **{name: found})  # its bounds are checked where every question's are
        return found

    # --- giving ----------------------------------------------------------------------------------------------

    async def prepared(self) -> Comparison:
        """Return the comparison that is meant, ready to start: what its prompts name is filled in, as in a cell.

        Prompts that were filled in before and not changed are asked as they were, and so is what was given from Python.
        """
        self.ways, self.said = [], []
        wishes = [pick.wish for pick in self.picks] or None
        options = {**self._rest, **self._params, "cached": False}  # as they are now, whatever is changed meanwhile
        try:
            prompts = await self._written(wishes)
            return await prepare(self._session, prompts.sent, wishes, **(options | prompts.options))
        except BaseException as error:
            self.said = []
            self.ways = ways_on(error) if isinstance(error, CostLimitError) else []
            raise

    async def _written(self, wishes: list[dict[str, Any]] | None) -> WrittenPrompts:
        typed, before = self._prompts(), self._taken
        if before.sent and before.is_still(typed):
            was_filled = before.sent != before.typed
            if was_filled and before.has_images:
                self.said = [(_AS_BEFORE, "")]
                return before
            if before.is_data and not was_filled:
                return before
        asked = await models_of(self._session, wishes) if is_asked_for(self._session) else None
        self._filled = await _aside(partial(self._fill, typed, asked, before.images[: before.own]))
        return self._filled

    def _fill(
        self, typed: tuple[str, ...], asked: Sequence[Model] | None, by_hand: tuple[Image, ...]
    ) -> WrittenPrompts:
        names, kernel, said = namespace(), nameable(running_shell()), list[str]()
        room = partial(limits, self._session, models=asked, history=False)
        refuses = "several" if len(typed) > 1 else ""  # a picture would go with all of them
        pictures = [PictureRoom(len(by_hand), refuses) for _ in typed]
        found = [
            fill(each, names, room, kernel, said.append, room=own) for each, own in zip(typed, pictures, strict=True)
        ]
        images = [image for each in found for image in each.images]
        if len(found) > 1:
            refuse_pictures(len(images), 0)
        along = list(dict.fromkeys(name for each in found for name in each.names))
        more = [f"{len(along) - _TOLD} more"] if len(along) > _TOLD else []
        cuts = tuple(dict.fromkeys(cut for each in found for cut in each.cuts))
        sent = tuple(each.text for each in found)
        notes = {note: as_sent(text, re.split("[, ]", note)[0]) for note, text in zip(said, sent, strict=True) if note}
        goes = with_the_question([*along[:_TOLD], *more])
        self.said = [*list(notes.items())[:3], *([(goes, "")] if goes else [])]
        return WrittenPrompts(typed, sent, (*by_hand, *images), cuts, len(by_hand), is_data=False)

    def _prompts(self) -> tuple[str, ...]:
        if self._given:
            return self._given
        if not self.several:
            return (self.text,)
        return split_prompts(self.text, self._separator)

    def fields(self) -> Fields:
        """Return what the page shows of it."""
        return {
            "models": list(dict.fromkeys(pick.model for pick in self.picks)),
            "picked": [[visible(p.label or p.model), visible(p.about), _shown(p.params), p.model] for p in self.picks],
            "most": LIVE_COLUMNS,
            "prompt": self.text,
            "several": self.several,
            "separator": self._separator,
            "given": len(self._given),
            "parameters": dict(self._params),
            "ways": self.ways,
            "others": sorted(self._rest),
            **filled_in(self.said),
        }


def _out_of_a_box(prompts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, ("\n".join(each.splitlines()).strip() for each in prompts)))


def _images_named(sent: tuple[str, ...]) -> int:
    return sum(map(images_named, sent))


async def _aside(work: Callable[[], T]) -> T:
    """Do what looks at variables and files on a thread that nobody waits for at the end; raises `OptionError` late."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(act: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: done.done() or act())

    def do() -> None:
        try:
            made = work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            failed = error
            tell(lambda: done.set_exception(failed))
        else:
            tell(lambda: done.set_result(made))

    threading.Thread(target=do, name="tetrate-filling", daemon=True).start()
    try:
        return await asyncio.wait_for(done, _PATIENCE)
    except (TimeoutError, asyncio.TimeoutError):
        raise OptionError(
            f"What the prompt names hasn't answered for {_PATIENCE:.0f} s; nothing was sent.",
            next_step="leave out the variable or file that hangs",
        ) from None


class Trios:
    """The trios to begin with, kept for as long as the list is the same."""

    def __init__(self) -> None:
        self._made: tuple[ModelList, str | None, list[list[Any]]] | None = None

    def of(self, models: ModelList, own: str | None) -> list[list[Any]]:
        """Return them: [name, [[model id, provider], ...], what 1,000 short questions to all cost]."""
        if self._made is None or self._made[0] is not models or self._made[1] != own:
            chosen = next((model for model in models if model.id == own), None)
            made = [
                [trio.name, [[m.id, m.provider or ""] for m in trio.models], money(trio.price)]
                for trio in trios(models, chosen)
            ]
            self._made = models, own, made
        return self._made[2]


def ways_on(refused: CostLimitError) -> list[list[str]]:
    """Return what helps after a refusal for the cost: [words, parameter of all, its value], as far as it is known."""
    short, more = refused.fits, refused.enough
    return [
        *([[f"Cap answers at {short:,} tokens", "max_tokens", str(short)]] if short else []),
        *([[f"Ask anyway, for up to ${more}", "max_cost", more]] if more else []),
    ]


def _shown(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in _OWN if name in params}


def _pick(column: Column) -> Pick:
    params = {name: value for name, value in column.params.items() if value is not None}
    return Pick(column.asked, params, column.history, own_label(column.label, column.asked))
