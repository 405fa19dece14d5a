"""From a magic's options and cell to the arguments of `session.ask`: prompt, images, schema, tools, parameters."""

from __future__ import annotations

import contextlib
import json
import keyword
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import plain
from tetrate_jupyter.completion.request import refuse_unsendable
from tetrate_jupyter.errors import EmptyPromptError, OptionError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tetrate_jupyter.completion.along import Kernel
    from tetrate_jupyter.completion.cuts import Limits
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Parsed
    from tetrate_jupyter.types import Cut

_LEAVE_OUT: Final = "leave it out"
# What `session.ask` takes beside the request's fields: `-p` sends fields, all else has an option of its own.
_OWN: Final = {
    "images": "give the picture with --image",
    "schema": "give the schema's variable with --schema",
    "tools": "give the function with --tool",
    "keep": "write --no-keep",
    "cached": "write --cache",
    "refresh": "write --refresh",
    "repeat": "for several answers: %%tetrate_compare --repeats 2",
    "prompt": "write the prompt as the cell's text",
    **dict.fromkeys(("self", "typed", "cuts", "cell_id", "replaces"), _LEAVE_OUT),
}


@dataclass(frozen=True)
class Prompt:
    """A prompt ready to be asked: text with its variables in place, images, and the other arguments of `ask`.

    `cuts` is what was left out of variables and of what goes along; `typed` the text as typed, where variables or its
    words with "@" have changed it.
    """

    text: str
    images: tuple[object, ...]
    arguments: Mapping[str, Any]
    cuts: tuple[Cut, ...] = ()
    typed: str | None = None


def prompt_text(parsed: Parsed, cell: str | None) -> str:
    """Return the text as typed: the cell's for %%tetrate, the line's for %tetrate."""
    if cell is None:
        if not parsed.words:
            raise EmptyPromptError("There is no prompt.", next_step="write it behind: %tetrate why is the sky blue?")
        return parsed.words
    if parsed.words:
        if secrecy.looks_secret(parsed.words, lenient=True):
            raise commands.ASK.secret_on_line()
        raise OptionError(
            f"The %%tetrate line takes options only, but got {parsed.words!r}.",
            next_step="put the prompt in the lines below, and a model behind -m",
        )
    if not cell.strip():
        raise EmptyPromptError("The cell has no prompt.", next_step="write it in the lines below the first")
    return cell.strip("\n")


def build_prompt(
    parsed: Parsed,
    cell: str | None,
    namespace: Mapping[str, Any],
    limits: Callable[[str], Limits],
    kernel: Kernel | None = None,
    *,
    several: bool = False,
) -> Prompt:
    """Put variables into the prompt and below it what its words with "@" name; resolve the options' names.

    `limits` says how much of each variable goes into a text, `kernel` what can be named (None: nothing). `several`: it
    is one of several prompts, so that no picture of a cell goes along.
    """
    text = prompt_text(parsed, cell)
    made = Prompt(text, tuple(_image(name, namespace) for name in parsed.many("image")), {})
    if not parsed.flag("no_interpolate"):
        made = _filled(made, namespace, limits, kernel, "several" if several else "")
    arguments: dict[str, Any] = {
        "model": parsed.text("model"),
        "system": parsed.text("system"),
        "temperature": parsed.number("temperature"),
        "max_tokens": parsed.integer("max_tokens"),
        "effort": parsed.text("effort"),
        "schema": _variable("--schema", parsed.text("schema"), namespace),
        "tools": [_variable("--tool", name, namespace) for name in parsed.many("tool")],
    }
    arguments = {name: value for name, value in arguments.items() if value not in (None, [])}
    return replace(made, arguments={**arguments, **dict(_param(given) for given in parsed.many("param"))})


@contextlib.contextmanager
def keeping_error(context: Context, text: str) -> Iterator[None]:
    """Have what is raised inside not become the error that `@error` names."""
    if "@error" not in text:
        yield
        return
    from tetrate_jupyter.failures.cells import about, last_error

    with about(last_error(context.shell)):
        yield


def out_name(parsed: Parsed) -> str | None:
    """Return the variable that `-o` names, checked."""
    name = parsed.text("out")
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise OptionError(f"-o can't be {name!r}.", next_step="give a variable's name: -o answer")
    return name


def _filled(
    typed: Prompt, namespace: Mapping[str, Any], limits: Callable[[str], Limits], kernel: Kernel | None, refuses: str
) -> Prompt:
    from tetrate_jupyter.completion.along import fill, with_the_question
    from tetrate_jupyter.completion.cell_pictures import PictureRoom

    filled = fill(typed.text, namespace, limits, kernel, _tell, room=PictureRoom(len(typed.images), refuses))
    _tell(with_the_question(filled.names))
    return Prompt(filled.text, (*typed.images, *filled.images), {}, filled.cuts, filled.typed)


def _tell(text: str) -> None:
    if text:
        print(plain(text))  # noqa: T201 - to the person


def _image(name: str, namespace: Mapping[str, Any]) -> object:
    bare = name[1:-1] if name.startswith("{") and name.endswith("}") else name
    return namespace[bare] if bare.isidentifier() and bare in namespace else name


def _variable(option: str, name: str | None, namespace: Mapping[str, Any]) -> object:
    if name is None:
        return None
    if name not in namespace:
        raise OptionError(
            f"{option} names {name!r}, which isn't a variable here.", next_step="define it in a cell above"
        )
    return namespace[name]


def _meant(text: str) -> str | None:
    """Return in JSON what Python calls `text`: None, True, False or a number; None where it is anything else."""
    if text in {"None", "True", "False"}:
        return {"None": "null"}.get(text, text.lower())
    try:
        number = float(text)
    except ValueError:
        return None
    return str(int(text)) if text.replace("_", "").lstrip("+-").isdigit() else repr(number)


def _param(given: str) -> tuple[str, object]:
    name, equals, text = given.partition("=")
    if not equals or not name.isidentifier():
        raise OptionError(f"-p can't be {given!r}.", next_step="write -p NAME=VALUE, such as -p top_p=0.9")
    if name in _OWN:
        raise OptionError(f"-p {name} is no field of the request.", next_step=_OWN[name])
    step = f'write JSON: -p {name}=["a","b"]'
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if text.lstrip()[:1] in {"[", "{", '"'}:
            raise OptionError(f"-p {name} begins like JSON and isn't: {text[:200]!r}.", next_step=step) from None
        _refuse_no_number(name, text)
        if (meant := _meant(text)) is not None:
            raise OptionError(
                f"-p {name}={text} would be sent as text.",
                next_step=f"write -p {name}={meant}; {_as_text(name, text)}",
            ) from None
        return name, text
    _refuse_no_number(name, text)
    refuse_unsendable(f"-p {name}", value)
    return name, value


def _refuse_no_number(name: str, text: str) -> None:
    """Raise `OptionError` for NaN, infinity and numbers beyond all others, in Python's words or JSON's."""
    try:
        is_number = math.isfinite(float(text))
    except ValueError:
        return
    if not is_number:
        raise OptionError(
            f"-p {name} holds {text[:200]}, which JSON can't.",
            next_step=f"give a finite number; {_as_text(name, text)}",
        )


def _as_text(name: str, text: str) -> str:
    return f"for the text itself -p '{name}=\"{text}\"'"
