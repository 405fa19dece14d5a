"""What a page has been told, and the smallest message that brings it up to date; pure.

A panel is a set of fields and an ordered list of items; an item has fields of its own and, where a model writes into
it, a body: finished blocks of HTML, which never change again, and a tail that does. The operations, in order:

["panel", {field: value}, {field: {member: value}}]
                                     these fields of the panel have changed; of the others, objects, these members
["order", [key, ...]]                the items, in this order; unknown ones are new, missing ones are gone
["rename", old, new]                 the item is the same, its key is another
["item", key, {field: value}]        these fields of the item have changed
["body", key]                        the body starts over
["grow", key, [size, ...], n, text]  the tail is its first n code units, then this text; from its beginning, blocks of
                                     these sizes are finished: what was told of them as tail isn't told again
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from tetrate_jupyter import secrecy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Operation: TypeAlias = "list[Any]"  # JSON: a word and its operands, as drawn above
Fields: TypeAlias = "Mapping[str, Any]"  # JSON values; each panel documents its own


@dataclass(frozen=True)
class Item:
    """One item as it should be. `blocks` and `tail` are safe HTML, from our own renderer."""

    key: str
    fields: Fields = field(default_factory=dict)
    blocks: Sequence[str] = ()
    tail: str = ""


@dataclass
class _Known:
    fields: dict[str, Any] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)  # as they should be
    tail: str = ""
    shown: list[str] = field(default_factory=list)  # the same as the page has them: without keys
    shown_tail: str = ""


class Feed:
    """Keeps what the page knows. Every operation that is given out must reach the page, in order."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._items: dict[str, _Known] = {}

    def changes(self, fields: Fields, items: Sequence[Item]) -> list[Operation]:
        """Return the operations from what the page knows to `fields` and `items`; from now on it knows these."""
        found: list[Operation] = []
        changed = _in_part(self._fields, fields)
        if changed:
            found.append(["panel", *changed])
        keys = [item.key for item in items]
        if keys != list(self._items):
            found.append(["order", keys])
            self._items = {key: self._items.get(key) or _Known() for key in keys}
        for item in items:
            found += _item_changes(self._items[item.key], item)
        return found

    def rename(self, old: str, new: str) -> list[Operation]:
        """Rename an item (a run has become an exchange); return the operations, none where it isn't there."""
        if old not in self._items or new in self._items:
            return []
        self._items = {new if key == old else key: told for key, told in self._items.items()}
        return [["rename", old, new]]

    def everything(self) -> list[Operation]:
        """Return the operations from an empty page to what the page knows: for another view, or the page reloaded."""
        found: list[Operation] = [["panel", dict(self._fields), {}], ["order", list(self._items)]]
        for key, told in self._items.items():
            found.append(["item", key, dict(told.fields)])
            if told.shown or told.shown_tail:
                found.append(_grown(key, "", told.shown, told.shown_tail))
        return found


def _item_changes(told: _Known, item: Item) -> list[Operation]:
    found: list[Operation] = []
    changed = _changed(told.fields, item.fields)
    if changed:
        found.append(["item", item.key, changed])
    count = len(told.blocks)
    if list(item.blocks[:count]) != told.blocks:
        told.blocks, told.tail, told.shown, told.shown_tail, count = [], "", [], "", 0
        found.append(["body", item.key])
    new = item.blocks[count:]
    if new or item.tail != told.tail:
        # Whole pieces are searched: what leaves is only what is new of them, which could be half a key.
        finished = [secrecy.redact(block, secrecy.HTML_MARK) for block in new]
        tail = secrecy.redact(item.tail, secrecy.HTML_MARK)
        found.append(_grown(item.key, told.shown_tail, finished, tail))
        told.blocks += new
        told.shown += finished
        told.tail, told.shown_tail = item.tail, tail
    return found


def _grown(key: str, before: str, finished: Sequence[str], tail: str) -> Operation:
    """Return the operation after which a page that has `before` as tail has these blocks more, and this tail."""
    whole = "".join((*finished, tail))
    kept = _common(before, whole)
    return ["grow", key, [*map(_units, finished)], _units(whole[:kept]), whole[kept:]]


def _changed(told: dict[str, Any], fields: Fields) -> dict[str, Any]:
    changed = {name: value for name, value in fields.items() if name not in told or told[name] != value}
    told.update(changed)
    return changed


def _in_part(told: dict[str, Any], fields: Fields) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the fields that have changed, and of those that stay objects only the members; None for neither."""
    before = dict(told)
    whole = _changed(told, fields)
    members: dict[str, Any] = {}
    for name in [*whole]:
        was, now = before.get(name), whole[name]
        if isinstance(was, dict) and isinstance(now, dict) and was.keys() == now.keys():
            members[name] = {member: value for member, value in now.items() if was[member] != value}
            del whole[name]
    return (whole, members) if whole or members else None


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _units(text: str) -> int:
    """Return the length as a page counts it: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
