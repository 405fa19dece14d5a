"""Tab completion of model ids and options behind our magics; never touches the network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.magics.extension import TetrateMagics

_MOST: Final = 1_000  # ids offered at once; a front end draws every one
_LINE = re.compile(r"^\s*%{1,2}(tetrate\w*)\s(.*)$", re.DOTALL)


def matcher(magics: TetrateMagics) -> Callable[[Any], dict[str, Any]]:
    """Give a matcher for IPython's completer (API v2: older hooks break on ids with "/" and ".")."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython publishes no types
    def tetrate_matcher(context: Any) -> dict[str, Any]:  # noqa: ANN401 - IPython's CompletionContext
        line = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
        found, fragment = candidates(line, lambda: magics.session.catalog.models.ids)
        return {
            "completions": [SimpleCompletion(text=text, type="tetrate") for text in found],
            "matched_fragment": fragment,
            "suppress": bool(found),
        }

    return tetrate_matcher  # type: ignore[no-any-return]  # likewise


def candidates(line: str, ids: Callable[[], tuple[str, ...]]) -> tuple[list[str], str]:
    """Give what may follow `line`, and the piece of it that they complete. `ids` is asked only where an id fits."""
    match = _LINE.match(line)
    command = next((c for c in commands.COMMANDS if match and c.name == match[1]), None)
    if match is None or command is None:
        return [], ""
    words = match[2].split(" ")
    fragment, before = words[-1], words[-2] if len(words) > 1 else ""
    option = next((o for o in command.options if before in o.names), None)
    if option is not None and option.choices:
        options: list[str] = list(option.choices)
    elif command is commands.MODEL or (option is not None and option.key == "model"):
        return _matching_ids(ids(), fragment), fragment
    elif option is not None and option.value is not None:
        return [], ""  # free text, a variable or a path: IPython's own completion knows better
    elif fragment.startswith("-"):
        options = [name for o in command.options for name in o.names]
    else:
        return [], ""
    return [o for o in options if o.startswith(fragment)], fragment


def _matching_ids(ids: tuple[str, ...], fragment: str) -> list[str]:
    """Return ids that start with the fragment, at most 1,000; where none does, ids that contain it."""
    wanted = fragment.lower()
    found = [i for i in ids if i.lower().startswith(wanted)] or [i for i in ids if wanted in i.lower()]
    return found[:_MOST]
