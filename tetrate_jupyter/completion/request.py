"""Building the body of `POST /chat/completions` from messages and options, and estimating its tokens."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tetrate_jupyter.catalog.estimate import estimate_tokens, most_tokens, size, text_tokens
from tetrate_jupyter.errors import OptionError, UnsupportedInputError
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.types import OutputImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tetrate_jupyter.completion.schema import Schema
    from tetrate_jupyter.completion.tools import Toolbox
    from tetrate_jupyter.types import Message, Model

_USUAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ODD_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME: Final = 64
_DEPTH = 50  # levels of an option's value that are checked; deeper ones are refused by whoever reads them
_DIGITS = 40  # of a whole `Decimal` that is sent digit by digit
_MOST_PER_DESCRIPTION = 800  # tokens; providers add up to 600 of their own to tools and schemas
FEWEST: Final = 256  # tokens: a paragraph or two; an answer that is cut earlier says too little to compare
FEWEST_THINKING: Final = 1_024  # likewise for reasoning models, whose reasoning counts towards the cap
OVER: Final = 16  # tokens that providers have been seen to bill beyond a cap: end marks, a last word
CAPS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
MAX_TEMPERATURE = 2.0  # the OpenAI-compatible maximum; providers refuse more


@dataclass(frozen=True)
class Options:
    """Options of a request; None leaves the choice to the provider.

    `temperature`: 0 to 2; `max_tokens` caps the output, at least 1; `effort`: one of the model's `reasoning_efforts`;
    `extra` holds further request fields by the API's own names, sent unchanged, but that numbers of numpy and the like
    become JSON's. Invalid values raise `OptionError`.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    effort: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", {name: _plain(value) for name, value in self.extra.items()})
        for name in ("temperature", "max_tokens"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        for name, value in self.extra.items():
            refuse_unsendable(name, value)
        refuse_other("temperature", self.temperature, (Real, type(None)), "give a number from 0 to 2")
        refuse_other("max_tokens", self.max_tokens, (Integral, type(None)), "give a whole number of at least 1")
        refuse_other("effort", self.effort, (str, type(None)), 'give its name: effort="low"')
        if self.temperature is not None and not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise OptionError(f"temperature is {self.temperature}.", next_step="give a number from 0 to 2")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise OptionError(f"max_tokens is {self.max_tokens}.", next_step="give a whole number of at least 1")
        if "messages" in self.extra:
            raise OptionError(
                "messages can't be given: they are the conversation and this prompt.",
                next_step='give the prompt, and what goes before it as system="..."',
            )
        if not self.extra.get("stream", True):
            raise OptionError("stream can't be given: every answer is streamed.", next_step="leave it out")
        if self.extra.get("n") not in (None, 1, "1") or self.extra.get("n") is True:
            raise OptionError(
                "A question gets one answer: n can't be more than 1.",
                next_step='for several answers: session.compare("...", repeats=2), or %%tetrate_compare --repeats 2',
            )


def refuse_other(name: str, value: object, kinds: tuple[type, ...], next_step: str) -> None:
    """Raise `OptionError` for a value of none of these `kinds`, and for True and False, which aren't numbers here."""
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise OptionError(f"{name} can't be {type(value).__name__}.", next_step=next_step)


def refuse_unsendable(name: str, value: object, depth: int = 0) -> None:
    """Raise `OptionError` for NaN, infinity and bytes in a value: JSON has none, and null is something else."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise OptionError(f"{name} holds bytes, which JSON can't.", next_step='give text: value.decode("utf-8")')
    if isinstance(value, float) and not math.isfinite(value):
        raise OptionError(f"{name} holds {value}, which JSON can't.", next_step="give a finite number, or leave it out")
    if depth < _DEPTH and isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            refuse_unsendable(name, each, depth + 1)


def _plain(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - whatever an option is given as
    """Return a value with the numbers in it, of numpy, `Decimal` and `Fraction`, as those of JSON."""
    if value is None or type(value) in {bool, int, float, str} or depth >= _DEPTH:
        return value
    if isinstance(value, dict):
        return {key: _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) or (_is_numpy(value) and getattr(value, "ndim", None)):
        return [_plain(each, depth + 1) for each in value]
    return _number(value) if isinstance(value, (Real, Decimal)) else value.item() if _is_numpy(value) else value


def _is_numpy(value: object) -> bool:
    return type(value).__module__ == "numpy" and hasattr(value, "item")


def _number(value: Real | Decimal) -> int | float:
    if isinstance(value, Integral):
        return int(value)
    if not isinstance(value, Decimal):  # as text, a number of four bytes keeps its few digits
        try:
            return float(str(value) if _is_numpy(value) else value)
        except OverflowError:  # a fraction beyond all of JSON's
            return math.inf
    if value.is_nan():
        return math.nan
    is_whole = value.is_finite() and value.adjusted() < _DIGITS and value == value.to_integral_value()
    return int(value) if is_whole else float(value)


@dataclass(frozen=True)
class Request:
    """Everything that one completion needs, checked and resolved, so that only sending can still fail.

    `notes`: what a reader must know about it, such as parts of the conversation that aren't sent. Raises
    `UnsupportedInputError` or `OptionError` where the model is known not to take the images or the effort.
    """

    model: Model
    messages: tuple[Message, ...]
    options: Options = field(default_factory=Options)
    schema: Schema | None = None
    toolbox: Toolbox | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_images(self.model, self.messages)
        check_effort(self.model, self.options.effort)

    def body(self, messages: Sequence[Message] | None = None, *, cap: int | None = None) -> dict[str, Any]:
        """Return the JSON body for a stream. `messages` replaces the request's own (later rounds, with tool results).

        `cap`: limit of the answer in tokens, sent in the field that the model is sure to know; it overrides the
        options.
        """
        body: dict[str, Any] = {
            "model": self.model.id,
            "messages": [wire_message(m, self.model.id) for m in (self.messages if messages is None else messages)],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        options = self.options
        if options.temperature is not None:
            body["temperature"] = options.temperature
        if options.max_tokens is not None:
            body[cap_field(self.model)] = options.max_tokens
        if options.effort is not None:
            body["reasoning_effort"] = options.effort
        if self.schema is not None and self.model.structured_output is not False:
            body["response_format"] = self.schema.response_format
        if self.toolbox is not None:
            body["tools"] = self.toolbox.specs
        if cap is not None:
            return {**body, **options.extra, cap_field(self.model): cap}
        return {**body, **options.extra}

    @property
    def cap(self) -> int | None:
        """The requested cap on the answer in tokens, in whichever field; None for no cap."""
        return max(filter(None, (self.options.max_tokens, given_cap(self.options.extra))), default=None)

    @property
    def is_surely_capped(self) -> bool:
        """Whether that cap is in a field that the model is sure to know: one that it may ignore is no limit."""
        known = CAPS[:2] if self.model.provider == "openai" else CAPS[:1]
        sure = given_cap({name: self.options.extra.get(name) for name in known})
        return self.cap is not None and self.cap in {self.options.max_tokens, sure}


def given_cap(params: Mapping[str, object]) -> int | None:
    """Return the requested cap on the output in tokens, in whichever field; None for no cap."""
    found = [value for name in CAPS if isinstance(value := params.get(name), int) and value > 0]
    return max(found) if found else None


def fewest(model: Model) -> int:
    """Return the smallest useful cap on a model's answers, in tokens."""
    return FEWEST_THINKING if model.reasoning else FEWEST


def cap_field(model: Model) -> str:
    """Return the field for the cap: OpenAI's reasoning models refuse `max_tokens`, all others know that one."""
    return "max_completion_tokens" if model.provider == "openai" and model.reasoning else "max_tokens"


def check_images(model: Model, messages: Sequence[Message]) -> None:
    """Raise `UnsupportedInputError` for an image to a model that is known to take text only."""
    if model.images is False and any(m.images for m in messages):
        raise UnsupportedInputError(
            f"{model.id} takes text only, and this question has an image.",
            next_step="choose a model that sees: %tetrate_models images",
        )


def check_effort(model: Model, effort: str | None) -> None:
    """Raise `OptionError` for an effort that the model is known not to have."""
    if effort is not None and model.reasoning_efforts and effort not in model.reasoning_efforts:
        raise OptionError(
            f"{model.id} has no effort {effort!r}.", next_step=f"use one of: {', '.join(model.reasoning_efforts)}"
        )


def fitted(messages: Sequence[Message], model: Model) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return earlier messages in a form that `model` accepts, and a sentence on each kind of change.

    They may be another model's: images are left out for a model that is known to take text only, tool calls and their
    results are sent as text to one without tools, and another model's unusual call ids, which a provider may refuse,
    are replaced.
    """
    notes = []
    count = sum(len(m.images) for m in messages)
    if model.images is False and count:
        messages = [_without_images(m) for m in messages]
        what = f"{count:,} earlier images were" if count > 1 else "An earlier image was"
        notes.append(f"{what} not sent: {model.id} takes text only.")
    if model.tools is False and any(m.tool_calls for m in messages):
        messages = _as_text(messages)
        notes.append(f"Earlier tool calls were sent as text: {model.id} takes no tools.")
    return tuple(_with_usual_ids(messages, model.id)), tuple(notes)


def without_output_images(message: Message, model: Model) -> tuple[Message, tuple[str, ...]]:
    """Return a question without the pictures of outputs where `model` is known to read none, and a sentence on them.

    Nobody has attached those: the words of the question named a cell, and what can be sent of it goes.
    """
    left = [image for image in message.images if isinstance(image, OutputImage)]
    if model.images is not False or not left:
        return message, ()
    kept = tuple(image for image in message.images if not isinstance(image, OutputImage))
    said = message.content
    for image in left:
        said = re.sub(rf"\[image \d+: {re.escape(image.label)}\]", f"[{image.label}; not sent]", said)
    what = f"{len(left):,} pictures of outputs" if len(left) > 1 else f"The {left[0].label}"
    note = f"{what} not sent: {model.id} reads no pictures. Next: ask a model that sees (%tetrate_models images)."
    return replace(message, content=said, images=kept), (note,)


def _without_images(message: Message) -> Message:
    if not message.images:
        return message
    said = [message.content] if message.content.strip() else []
    return replace(message, content="\n".join([*said, *("[an image, left out]" for _ in message.images)]), images=())


def _as_text(messages: Sequence[Message]) -> list[Message]:
    """Return a conversation with tool calls and their results written into the model's own text."""
    found: list[Message] = []
    for message in messages:
        if message.role == "tool":
            said = [f"It gave: {message.content}"]
        else:
            called = [f"[{call.name} was called with {call.arguments}]" for call in message.tool_calls]
            said = ([message.content] if message.content.strip() or not called else []) + called
        plain = replace(message, role="assistant", content="\n".join(said), tool_calls=(), tool_call_id=None, aside="")
        if message.role not in {"tool", "assistant"}:
            found.append(message)
        elif found and found[-1].role == "assistant":
            found[-1] = replace(found[-1], content=f"{found[-1].content}\n\n{plain.content}")
        else:
            found.append(plain)
    return found


def _with_usual_ids(messages: Sequence[Message], model: str) -> Iterator[Message]:
    new: dict[str, str] = {}
    for place, message in enumerate(messages):
        if message.role == "tool":
            identity = message.tool_call_id or ""
            yield replace(message, tool_call_id=new[identity]) if identity in new else message
            continue
        odd = [] if message.model == model else [c.id for c in message.tool_calls if not _USUAL_ID.fullmatch(c.id)]
        new = {identity: f"call_{place}_{number}" for number, identity in enumerate(odd)}
        calls = tuple(replace(call, id=new.get(call.id, call.id)) for call in message.tool_calls)
        yield replace(message, tool_calls=calls) if new else message


def wire_message(message: Message, model: str = "") -> dict[str, Any]:
    """Return one message in the API's form, without anything that providers refuse.

    Tool calls are sent back with the unknown members that they came with, if `model` made them; arguments that can't
    be read become `{}`, and invalid characters in a name are replaced. Halves of surrogate pairs are replaced, blank
    content beside tool calls becomes None, and a tool's result is never empty.
    """
    content = whole(message.content)
    if message.role == "tool":
        said = content if content.strip() else "(no output)"
        return {"role": "tool", "tool_call_id": whole(message.tool_call_id or ""), "content": said}
    if message.tool_calls:
        is_its_own = bool(model) and model == message.model
        calls = [
            {
                **_members(c.extra if is_its_own else ""),
                "id": whole(c.id),
                "type": "function",
                "function": {"name": _name(c.name), "arguments": _arguments(c.arguments)},
            }
            for c in message.tool_calls
        ]
        aside = _members(message.aside if is_its_own else "")
        before = content if content.strip() else None  # many models write a line break before a call
        return {**aside, "role": message.role, "content": before, "tool_calls": calls}
    if not message.images:
        return {"role": message.role, "content": content}
    parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if content.strip() else []
    parts += [{"type": "image_url", "image_url": {"url": image.data_url}} for image in message.images]
    return {"role": message.role, "content": parts}


def _name(name: str) -> str:
    return _ODD_NAME.sub("_", name)[:_LONGEST_NAME] or "unknown"


def _members(text: str) -> dict[str, Any]:
    return dict(json.loads(text)) if text else {}


def _arguments(text: str) -> str:
    """Return arguments unchanged if they are a JSON object, else what the tool got: providers refuse anything else."""
    text = whole(text) if isinstance(text, str) else ""
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError):
        return _as_read(text)
    return text


def _as_read(text: str) -> str:
    from tetrate_jupyter.completion.tool_specs import BadArgumentsError, read_arguments

    try:
        return json.dumps(read_arguments(text))
    except BadArgumentsError:
        return "{}"


def estimate_prompt_tokens(request: Request) -> int:
    """Estimate the prompt tokens of a request: messages, schema and tools."""
    return estimate_tokens(request.messages) + sum(text_tokens(text) for text in _described(request))


def most_prompt_tokens(request: Request, messages: Sequence[Message] | None = None) -> int:
    """Return an upper bound of the prompt tokens of a request, or of a round with `messages`. See `most_tokens`."""
    extra = json.dumps(dict(request.options.extra), default=str, ensure_ascii=False)
    described = size(extra) + sum(_MOST_PER_DESCRIPTION + size(text) for text in _described(request))
    return most_tokens(request.messages if messages is None else messages, request.model.id) + described


def _described(request: Request) -> list[str]:
    described: list[object] = []
    if request.toolbox is not None:
        described.append(request.toolbox.specs)
    if request.schema is not None:
        described.append(request.schema.response_format)
    return [json.dumps(each) for each in described]
