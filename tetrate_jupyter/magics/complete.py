"""Tab behind our magics: model ids, options, request fields, variables, "@" words. Never waits for the network."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.magics.options import Option

_MOST: Final = 1_000  # ids offered at once; a front end draws every one
_PAUSE: Final = 60.0  # seconds between two lists that Tab has fetched
_LINE = re.compile(r"^\s*%{1,2}(tetrate\w*)\s(.*)$", re.DOTALL)
_EFFORTS: Final = ("low", "medium", "high")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {  # those that `-p` is used for most, with values where they are few
    "frequency_penalty": (),
    "logit_bias": (),
    "parallel_tool_calls": ("true", "false"),
    "presence_penalty": (),
    "prompt_cache_key": (),
    "reasoning_effort": _EFFORTS,
    "seed": (),
    "service_tier": ("auto", "default", "flex", "priority"),
    "stop": (),
    "tool_choice": ("auto", "none", "required"),
    "top_k": (),
    "top_p": (),
    "verbosity": _EFFORTS,
}


@dataclass(frozen=True)
class Sources:
    """The sources of names; each is called only where one of its names may fit."""

    ids: Callable[[], tuple[str, ...]]
    variables: Callable[[], tuple[str, ...]] = field(default=tuple)
    named: Callable[[str], Mapping[str, str]] = field(default=lambda _: {})  # "@" words that begin so, and what each is


def matcher(context: Context) -> Callable[[Any], dict[str, Any]]:
    """Return a matcher for IPython's completer (API v2: older hooks break on ids with "/" and ".")."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    known = Ids(lambda: context.session)

    def variables() -> tuple[str, ...]:
        from tetrate_jupyter.widgets.attach import attachable

        return tuple(name for name, _ in attachable(context.shell.user_ns))

    def named(begun: str) -> Mapping[str, str]:
        from tetrate_jupyter.failures.asking import offer

        return offer(begun, context.shell, context.cells)

    sources = Sources(known, variables, named)

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython publishes no types
    def tetrate_matcher(typed: Any) -> dict[str, Any]:  # noqa: ANN401 - IPython's CompletionContext
        lines = typed.full_text.split("\n")[: typed.cursor_line + 1]
        lines[-1] = lines[-1][: typed.cursor_position]
        found, fragment = candidates("\n".join(lines), sources)
        said = (named(fragment) if fragment.startswith("@") else known.said(set(found))) if found else {}
        return {
            "completions": [SimpleCompletion(text=text, type=said.get(text, "tetrate")) for text in found],
            "matched_fragment": fragment,
            "suppress": bool(found),
            "ordered": fragment.startswith("@"),  # the newest cell first
        }

    return tetrate_matcher  # type: ignore[no-any-return]  # likewise


class Ids:
    """The ids that Tab offers: those at hand or kept on disk; older ones are fetched anew for the next Tab."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session
        self._fetched: tuple[str, float] | None = None  # from which router, and when

    def __call__(self) -> tuple[str, ...]:
        """Return them at once."""
        session = self._session()
        known, recent = session.catalog.known_ids()
        if not recent and not session.is_closed:
            self._fetch(session)
        return known

    def said(self, ids: Collection[str]) -> dict[str, str]:
        """Return the note beside each model that is at hand: price and window."""
        from tetrate_jupyter.catalog.shown import brief

        return {model.id: brief(model) for model in self._session().catalog.models if model.id in ids}

    def _fetch(self, session: Session) -> None:
        from tetrate_jupyter.bridge import default_bridge

        router, now = session.endpoints.base_url, time.monotonic()
        if self._fetched is not None and self._fetched[0] == router and now - self._fetched[1] < _PAUSE:
            return
        self._fetched = router, now
        session.chooser.refresh_beside(default_bridge())  # a loop of its own: the kernel's may wait for Tab


def candidates(text: str, sources: Sources) -> tuple[list[str], str]:
    """Return what may follow `text`, a cell up to the cursor, and the piece of it that they complete."""
    first, _, line = text.rpartition("\n")
    in_cell = _prompts(first.lstrip().partition("\n")[0])
    match = None if in_cell else _LINE.match(line)
    if in_cell or (match and _prompts(line.lstrip())):
        named = _named(line, sources)
        if named is not None:
            return named
    command = next((c for c in commands.COMMANDS if match and c.name == match[1]), None)
    if match is None or command is None:
        return [], ""
    words = match[2].split(" ")
    fragment, before = words[-1], words[-2] if len(words) > 1 else ""
    option = next((o for o in command.options if before in o.names), None)
    name, equals, value = fragment.partition("=")
    if option is None and equals:
        option = next((o for o in command.options if name in o.names and o.value is not None), None)
        fragment = value if option is not None else fragment
    if option is not None and option.value is not None:
        return _values(option, fragment, sources)
    if fragment.startswith("-"):
        return [n for o in command.options for n in o.names if n.startswith(fragment)], fragment
    if command in {commands.MODEL, commands.MODELS}:
        return _matching_ids(sources.ids(), fragment), fragment
    return [], ""


def _named(line: str, sources: Sources) -> tuple[list[str], str] | None:
    """Return the variables behind a brace, or the words behind an `@`; None where the line ends in neither."""
    from tetrate_jupyter.completion.at_words import begun

    typed = begun(line)
    if typed.startswith("{"):
        return [name for name in sources.variables() if name.startswith(typed[1:])], typed[1:]
    return (list(sources.named(typed)), typed) if typed else None


def _prompts(line: str) -> bool:
    """Whether what follows is a prompt, in which `{name}` is a variable."""
    return bool(re.match(r"%{1,2}(?:tetrate|tetrate_compare)(?:\s|$)", line))


def _values(option: Option, fragment: str, sources: Sources) -> tuple[list[str], str]:
    fragment = fragment.lstrip("\"'")
    if option.key == "model":
        fragment = fragment.rpartition(",")[2] if option.many else fragment  # a,b
        return _matching_ids(sources.ids(), fragment), fragment
    options: tuple[str, ...] = option.choices or (_EFFORTS if option.key == "effort" else ())
    if option.is_param:
        name, equals, fragment = fragment.rpartition("=")
        options = FIELDS.get(name, ()) if equals else tuple(f"{each}=" for each in FIELDS)
    # else free text, a variable or a path: IPython's own completion knows better
    return [o for o in options if o.startswith(fragment)], fragment


def _matching_ids(ids: tuple[str, ...], fragment: str) -> list[str]:
    """Return ids that start with the fragment, at most 1,000; where none does, ids that contain it."""
    wanted = fragment.lower()
    found = [i for i in ids if i.lower().startswith(wanted)] or [i for i in ids if wanted in i.lower()]
    return found[:_MOST]
