"""Calling the tools in a request, and answering with their results."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from tetrate_jupyter.sandbox.replies.arithmetic import expression_in
from tetrate_jupyter.sandbox.replies.findings import Findings
from tetrate_jupyter.sandbox.replies.reply import Ask, Call, Reply, text_of
from tetrate_jupyter.sandbox.replies.schema_fill import Filler
from tetrate_jupyter.sandbox.replies.words import STOP_WORDS, name_words, stem, words

_ENOUGH = 2  # score from which a tool fits: one word of its name, or two of its description
_MOST_AT_ONCE = 4  # calls in one message
_LONGEST_SHOWN = 600  # characters of a tool's result that are quoted
_SIGNS = {"+": "add plus sum", "*": "multiply times product", "-": "subtract minus difference", "/": "divide quotient"}
_ALIKE = {
    "when": "time date",
    "where": "location place",
    "cost": "price",
    "far": "distance",
    "old": "age",
    "hot": "weather",
}


def call_tools(ask: Ask) -> Reply | None:
    """Return calls of the tools that fit, or None: there are no tools, none fits, or their results are there."""
    tools: list[dict[str, Any]] = ask.body.get("tools") or []
    choice = ask.body.get("tool_choice", "auto")
    if not tools or choice == "none":
        return None
    called = _called_already(ask)
    if called:
        following = [t for t in tools if _name(t) not in called and Findings(ask.prompt).mentions(_name(t))]
        return _calling(ask, following[0]) if following and choice == "auto" else None
    if isinstance(choice, dict):
        return _calling(ask, next(t for t in tools if _name(t) == choice["function"]["name"]))
    best = max(tools, key=lambda tool: _points(tool, ask.prompt))
    if choice != "required" and _points(best, ask.prompt) < _ENOUGH:
        return None
    return _calling(ask, best)


def use_results(ask: Ask) -> str | None:
    """Return an answer from the tools' results, or None where the last message isn't one."""
    results = results_of(ask)
    if not results:
        return None
    if len(results) == 1 and "\n" not in results[0][1]:
        return f"According to `{results[0][0]}`: {_readable(results[0][1])}."
    return "\n".join(f"- `{name}` gave {_readable(text)}" for name, text in results)


def results_of(ask: Ask) -> list[tuple[str, str]]:
    """Return the name and the result of each tool called since the user's last message."""
    found = []
    names = {call["id"]: call["function"]["name"] for m in ask.messages for call in m.get("tool_calls") or ()}
    for message in reversed(ask.messages):
        if message["role"] == "user":
            break
        if message["role"] == "tool":
            found.append((names.get(message["tool_call_id"], "the tool"), text_of(message)))
    return found[::-1]


def call_of(ask: Ask, tool: dict[str, Any]) -> Call:
    """Return a call of a tool, with arguments that match its schema."""
    filler = Filler(tool["function"].get("parameters") or {}, ask.rng, careful=ask.profile.careful)
    return Call(_name(tool), filler.arguments(Findings(ask.prompt)))


def _calling(ask: Ask, tool: dict[str, Any]) -> Reply:
    call = call_of(ask, tool)
    return Reply(calls=tuple(_one_for_each(ask, tool, call)), finish="tool_calls")


def _one_for_each(ask: Ask, tool: dict[str, Any], call: Call) -> list[Call]:
    """Return one call per place or name, if the tool takes one and the prompt has several ("Paris and Rome")."""
    schema = tool["function"].get("parameters") or {}
    required = [
        n for n in schema.get("required") or () if schema.get("properties", {}).get(n, {}).get("type") == "string"
    ]
    found = Findings(ask.prompt)
    if len(required) != 1 or ask.body.get("parallel_tool_calls") is False:
        return [call]
    wanted = call.arguments.get(required[0])
    several = next((group for group in (found.places, found.names) if wanted in group), [])
    if len(several) < 2 or "enum" in schema["properties"][required[0]]:
        return [call]
    return [Call(call.name, {**call.arguments, required[0]: one}) for one in several[:_MOST_AT_ONCE]]


def _points(tool: dict[str, Any], prompt: str) -> int:
    function = tool["function"]
    spoken = words(prompt)
    here = {stem(w) for w in spoken} - STOP_WORDS
    here |= {one + two for one, two in pairwise(spoken)}  # "look up" finds "lookup"
    here |= {stem(w) for word in spoken for w in _ALIKE.get(word, "").split()}
    if expression := expression_in(prompt):
        here |= {stem(w) for sign, found in _SIGNS.items() if sign in expression for w in found.split()}
        here |= {"calculate", "calculator", "expression"}
    if function["name"] in prompt:
        return 10
    own = {stem(w) for w in name_words(function["name"])} - STOP_WORDS
    described = {stem(w) for w in words(str(function.get("description", "")))} - STOP_WORDS
    return 3 * len(own & here) + len((described - own) & here)


def _called_already(ask: Ask) -> set[str]:
    return {name for name, _ in results_of(ask)}


def _name(tool: dict[str, Any]) -> str:
    return str(tool["function"]["name"])


def _readable(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict) and value and all(not isinstance(v, (dict, list)) for v in value.values()):
        return ", ".join(f"{key}: **{item}**" for key, item in value.items())[:_LONGEST_SHOWN]
    shown = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " …"
    return f"**{shown}**" if "\n" not in shown else f"\n\n```\n{shown}\n```"
