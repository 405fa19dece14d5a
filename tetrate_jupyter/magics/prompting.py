"""From a magic's options and cell to the arguments of `session.ask`: prompt, images, schema, tools, parameters."""

from __future__ import annotations

import json
import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.characters import plain
from tetrate_jupyter.errors import EmptyPromptError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tetrate_jupyter.magics.options import Parsed


@dataclass(frozen=True)
class Prompt:
    """A prompt ready to be asked: text with its variables in place, images, and the other arguments of `ask`."""

    text: str
    images: tuple[object, ...]
    arguments: Mapping[str, Any]


def prompt_text(parsed: Parsed, cell: str | None) -> str:
    """Give the text as typed: the cell's for %%tetrate, the line's for %tetrate."""
    if cell is None:
        if not parsed.words:
            raise EmptyPromptError("There is no prompt.", next_step="write it behind: %tetrate why is the sky blue?")
        return parsed.words
    if parsed.words:
        raise OptionError(
            f"The %%tetrate line takes options only, but got {parsed.words!r}.",
            next_step="put the prompt in the lines below, and a model behind -m",
        )
    if not cell.strip():
        raise EmptyPromptError("The cell has no prompt.", next_step="write it in the lines below %%tetrate")
    return cell.strip("\n")


def build_prompt(parsed: Parsed, cell: str | None, namespace: Mapping[str, Any]) -> Prompt:
    """Put variables into the prompt and resolve the names that the options give."""
    from tetrate_jupyter.completion.variables import interpolate, near_misses

    text = prompt_text(parsed, cell)
    images: tuple[object, ...] = tuple(_image(name, namespace) for name in parsed.many("image"))
    if not parsed.flag("no_interpolate"):
        for typed, meant in near_misses(text, namespace):
            print(plain(f"{{{typed}}} is no variable here and stays as typed. Did you mean {{{meant}}}?"))  # noqa: T201 - to the person
        filled = interpolate(text, namespace)
        text, images = filled.text, (*images, *filled.images)
    arguments: dict[str, Any] = {
        "model": parsed.text("model"),
        "system": parsed.text("system"),
        "temperature": parsed.number("temperature"),
        "max_tokens": parsed.integer("max_tokens"),
        "effort": parsed.text("effort"),
        "schema": _variable("--schema", parsed.text("schema"), namespace),
        "tools": [_variable("--tool", name, namespace) for name in parsed.many("tool")],
        **dict(_param(given) for given in parsed.many("param")),
    }
    return Prompt(text, images, {k: v for k, v in arguments.items() if v not in (None, [])})


def out_name(parsed: Parsed) -> str | None:
    """Give the variable that `-o` names, checked."""
    name = parsed.text("out")
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise OptionError(f"-o can't be {name!r}.", next_step="give a variable's name: -o answer")
    return name


def _image(name: str, namespace: Mapping[str, Any]) -> object:
    bare = name[1:-1] if name.startswith("{") and name.endswith("}") else name
    return namespace[bare] if bare.isidentifier() and bare in namespace else name


def _variable(option: str, name: str | None, namespace: Mapping[str, Any]) -> object:
    if name is None:
        return None
    if name not in namespace:
        raise OptionError(f"{option} names {name!r}, which is no variable here.", next_step="define it in a cell above")
    return namespace[name]


def _param(given: str) -> tuple[str, object]:
    name, equals, text = given.partition("=")
    if not equals or not name.isidentifier():
        raise OptionError(f"-p can't be {given!r}.", next_step="write -p NAME=VALUE, such as -p top_p=0.9")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text
