"""Kept answers for the engine: which place a question uses, its key there, and answers written and read."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.answers.places import OFF, OWN, opened, place_of
from tetrate_jupyter.completion.request import wire_message
from tetrate_jupyter.errors import NotSignedInError, OptionError, UnreachableError
from tetrate_jupyter.http.chunk_reading import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from tetrate_jupyter.answers.kept import KeptAnswer, KeptCall, KeptReply, Store
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.request import Request
    from tetrate_jupyter.completion.schema import Schema
    from tetrate_jupyter.types import Message, ToolCall

_WHOLE: Final = frozenset({None, "stop"})  # finish reasons of answers that nothing cut short


@dataclass(frozen=True)
class Keeping:
    """How one question uses kept answers.

    `refresh`: ask anew, and put the new answer in the place of the old one. `repeat`, `duplicate`: see `KeyedRequest`.
    `is_capped`: the question's `max_tokens` isn't the person's (a comparison's `max_cost` sets one), so that it doesn't
    tell the question: an answer that it cuts isn't kept.
    """

    store: Store
    host: str
    refresh: bool = False
    repeat: int = 0
    duplicate: int = 0
    is_capped: bool = False


class Keeper:
    """Which kept answers a session uses; "off" until somebody says otherwise. `place`: see `place_of`."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.place = OFF
        self.refresh = False
        self._lock = threading.Lock()
        self._stores: dict[str, Store] = {}

    def store(self, place: str) -> Store:
        """Return the store of a place; always the same one. Raises `ConfigError`."""
        with self._lock:
            if place not in self._stores:
                self._stores[place] = opened(place, self.folder)
            return self._stores[place]

    def resolved(self, cached: object, *, refresh: bool = False) -> str:
        """Return the place for a question's `cached` option; None means the session's.

        True is the place that the session uses, or the person's own where it uses none. Raises `ConfigError`.
        """
        if cached is None:
            return (self.place or OWN) if refresh else self.place
        return (self.place or OWN) if cached is True else place_of(cached)

    def taken_from(self, options: MutableMapping[str, Any], host: str) -> Keeping | None:
        """Remove the options about kept answers from a question's; return what they mean, None where it uses none."""
        cached, refresh = options.pop("cached", None), bool(options.pop("refresh", False))
        repeat = options.pop("repeat", 0)
        if type(repeat) is not int or repeat < 0:
            raise OptionError(f"repeat can't be {str(repeat)[:100]!r}.", next_step="give 0, 1, 2, ...")
        place = self.resolved(cached, refresh=refresh)
        if place == OFF:
            return None
        return Keeping(self.store(place), host, refresh or (self.refresh and cached is not False), repeat)

    def fork(self) -> Keeper:
        """Return a copy with the same settings, independent from then on."""
        other = Keeper(self.folder)
        other.place, other.refresh = self.place, self.refresh
        other._stores.update(self._stores)  # two on one file would work against each other
        return other

    def close(self) -> None:
        """Let go of all files."""
        for store in list(self._stores.values()):
            store.close()


class Cached:
    """What `Session.cached` has set: in force at once; used as a `with` block, until the block ends."""

    def __init__(self, keeper: Keeper, where: object, *, refresh: bool = False) -> None:
        self._keeper = keeper
        self._before = keeper.place, keeper.refresh
        place = keeper.resolved(where, refresh=refresh)
        if place != OFF:
            keeper.store(place)  # what can't be a place is said now
        keeper.place, keeper.refresh = place, refresh

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._keeper.place, self._keeper.refresh = self._before

    def __repr__(self) -> str:
        place = self._keeper.place
        if place == OFF:
            return "Every question is asked."
        what = "asked anew, and kept" if self._keeper.refresh else "answered from what is kept, else asked and kept"
        return f"Questions are {what} in {self._keeper.store(place).where}."


@contextlib.contextmanager
def explained(store: Store | None, *, refresh: bool = False, next_step: str = "") -> Iterator[None]:
    """Add to an error that no kept answer was found, where key or router is missing too. None: none was looked for."""
    try:
        yield
    except (NotSignedInError, UnreachableError) as error:
        if store is not None and not refresh:
            told = " ".join(("", *store.told()))
            error.message += f" No answer to this is kept in {store.where}.{told}"
            error.next_step = next_step or error.next_step
        raise


@dataclass(frozen=True)
class Recalled:
    """A kept answer, ready to stand for the completion of a question. `replies` are the messages it gave."""

    answer: Answer
    replies: tuple[Message, ...] = field(default=())


def key_for(keeping: Keeping, request: Request, *, system: str | None, messages: Iterable[Message]) -> str:
    """Return the key of a question: as the person means it, whatever its model makes necessary today.

    `system` and `messages` are the person's; those of the request are fitted to what is known of its model.
    """
    from tetrate_jupyter.answers.key import KeyedRequest, key_of

    wired: list[Mapping[str, Any]] = [{"role": "system", "content": system}] if system else []
    wired += map(wire_message, messages)
    options = request.options
    params = {
        "temperature": options.temperature,
        "max_tokens": None if keeping.is_capped else options.max_tokens,
        "effort": options.effort,
        **options.extra,
    }
    schema = None if request.schema is None else request.schema.response_format
    tools = () if request.toolbox is None else request.toolbox.identity
    return key_of(
        KeyedRequest(keeping.host, request.model.id, wired, params, schema, tools, keeping.repeat, keeping.duplicate)
    )


def is_worth_keeping(answer: Answer) -> bool:
    """Whether an answer may be used instead of asking again: whole, not cut short, no refusal, not empty."""
    is_whole = answer.partial is None and answer.finish_reason in _WHOLE and not answer.refusal
    return is_whole and bool(answer.text.strip()) and not answer.cached


def kept_of(answer: Answer, replies: Sequence[Message], key: str, *, chosen: bool) -> KeptAnswer:
    """Return an answer as it is kept, as of now. `chosen`: its model was chosen by default."""
    from datetime import datetime, timezone

    from tetrate_jupyter.answers import kept as form

    usage, is_plain = answer.usage, len(replies) == 1 and replies[0].content == answer.text
    return form.KeptAnswer(
        v=form.VERSION,
        key=key,
        at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        model=answer.model_asked,
        served="" if answer.model == answer.model_asked else answer.model,
        text=answer.text,
        reasoning=answer.reasoning,
        replies=() if is_plain else tuple(map(_reply, replies)),
        results=tuple(
            form.KeptResult(_call(r.call), r.result, round(r.seconds, 6), r.error) for r in answer.tool_results
        ),
        finish=answer.finish_reason,
        cost=None if answer.cost is None else f"{answer.cost:f}",
        tokens=(
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
        ),
        first=None if answer.timing.first_token is None else round(answer.timing.first_token, 6),
        total=round(answer.timing.total, 6),
        dropped=answer.dropped_fields,
        notes=answer.notes,
        cuts=tuple(form.KeptCut(cut.name, cut.what, cut.sent, cut.of, cut.why) for cut in answer.cuts),
        images=answer.has_images,
        simulated=answer.simulated,
        chosen=chosen,
    )


def recalled(kept: KeptAnswer, schema: Schema | None) -> Recalled | None:
    """Return a kept answer as an `Answer`; None where its text doesn't fit the schema any more."""
    from decimal import Decimal

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.checking import checked
    from tetrate_jupyter.errors import AnswerError
    from tetrate_jupyter.types import Cut, Message, Timing, ToolCall, ToolResult, Usage

    text = whole(kept.text)
    answer = Answer(
        text=text,
        model_asked=kept.model,
        model=kept.served or kept.model,
        usage=Usage(*kept.tokens),
        timing=Timing(kept.first, kept.total),
        reasoning=whole(kept.reasoning),
        finish_reason=kept.finish,
        cost=None if kept.cost is None else Decimal(kept.cost),
        tool_results=tuple(
            ToolResult(
                ToolCall(r.call.id, r.call.name, r.call.arguments, r.call.extra), whole(r.result), r.seconds, r.error
            )
            for r in kept.results
        ),
        dropped_fields=kept.dropped,
        notes=kept.notes,
        cuts=tuple(Cut(cut.name, cut.what, cut.sent, cut.of, cut.why) for cut in kept.cuts),
        has_images=kept.images,
        simulated=kept.simulated,
        cached=True,
        asked_at=kept.asked_at,
    )
    try:
        answer = checked(answer, schema, has_choice=True)
    except AnswerError:
        return None
    answer = replace(answer, notes=tuple(dict.fromkeys(answer.notes)))  # a note on the text may be there already
    return Recalled(answer, tuple(map(_message, kept.replies)) or (Message("assistant", text),))


def _reply(message: Message) -> KeptReply:
    from tetrate_jupyter.answers.kept import KeptReply

    calls = tuple(map(_call, message.tool_calls))
    return KeptReply(
        message.role, message.content, calls, message.tool_call_id, message.name, message.aside, message.model
    )


def _call(call: ToolCall) -> KeptCall:
    from tetrate_jupyter.answers.kept import KeptCall

    return KeptCall(call.id, call.name, call.arguments, call.extra)


def _message(reply: KeptReply) -> Message:
    from tetrate_jupyter.legible import members_only
    from tetrate_jupyter.types import Message, ToolCall

    return Message(
        "tool" if reply.role == "tool" else "assistant",
        whole(reply.content),
        tool_calls=tuple(ToolCall(c.id, c.name, c.arguments, members_only(c.extra)) for c in reply.calls),
        tool_call_id=reply.call_id,
        name=reply.name,
        aside=members_only(reply.aside),
        model=reply.model,
    )
