"""The feed: whatever changes, a page that applies the operations shows exactly what it should, at a small price."""

from __future__ import annotations

import json
import random

from tests.widgets.page import Page
from tetrate_jupyter import secrecy
from tetrate_jupyter.render.markdown import MarkdownStream
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.widgets.feed import Feed, Item


def is_shown(page: Page, fields: dict[str, object], items: list[Item]) -> None:
    assert page.fields == fields
    assert list(page.items) == [item.key for item in items]
    for item in items:
        shown = page.items[item.key]
        assert shown.fields == item.fields
        assert shown.blocks == list(item.blocks)
        assert shown.tail == item.tail


def _row(chance: random.Random) -> dict[str, int] | None:
    names = chance.choice(("", "ab", "ab", "abc"))
    return {name: chance.randint(0, 2) for name in names} if names else None


def test_any_sequence_of_states_reaches_every_page() -> None:
    chance = random.Random(7)
    feed, page = Feed(), Page()
    keys = list("abcdef")
    blocks = {key: [f"<p>{key}</p>"] for key in keys}
    for _ in range(400):
        chosen = chance.sample(keys, chance.randint(0, len(keys)))
        for key in chosen:
            if chance.random() < 0.5:
                blocks[key] = [*blocks[key], f"<p>{chance.random()}</p>"]
            elif chance.random() < 0.1:
                blocks[key] = ["<p>anew</p>"]
        items = [
            Item(key, {"state": chance.randint(0, 2)}, tuple(blocks[key]), "é😀<b>"[: chance.randint(0, 4)] * 3)
            for key in chosen
        ]
        fields = {"busy": chance.random() < 0.5, "row": _row(chance)}
        page.apply(feed.changes(fields, items))
        is_shown(page, fields, items)
        late = Page()
        late.apply(feed.everything())
        is_shown(late, fields, items)


def test_nothing_is_said_where_nothing_changed() -> None:
    feed = Feed()
    items = [Item("a", {"state": "done"}, ("<p>x</p>",), "<p>y</p>")]
    assert feed.changes({"busy": True}, items)
    assert feed.changes({"busy": True}, items) == []


def test_of_a_field_that_is_an_object_only_the_members_that_changed_are_told() -> None:
    feed = Feed()
    feed.changes({"row c1": {"state": "running", "figures": ["", "12+"]}}, [])
    told = feed.changes({"row c1": {"state": "running", "figures": ["", "15+"]}}, [])
    assert told == [["panel", {}, {"row c1": {"figures": ["", "15+"]}}]]


def test_a_renamed_item_keeps_what_was_told() -> None:
    feed, page = Feed(), Page()
    page.apply(feed.changes({}, [Item("run", {}, ("<p>x</p>",), "y")]))
    page.apply(feed.rename("run", "kept"))
    assert feed.changes({}, [Item("kept", {}, ("<p>x</p>",), "y")]) == []
    assert page.items["kept"].html == "<p>x</p>y"
    assert feed.rename("gone", "other") == []


def test_half_a_character_pair_is_never_sent() -> None:
    feed, page = Feed(), Page()
    for tail in ("😀😀", "😀😁", "😀", "😁"):
        page.apply(json.loads(json.dumps(feed.changes({}, [Item("a", {}, (), tail)]))))
        assert page.items["a"].tail == tail


def test_bytes_grow_with_the_text_not_with_its_square() -> None:
    def sent(paragraphs: int) -> int:
        feed, stream, text, total = Feed(), MarkdownStream(), "", 0
        for number in range(paragraphs):
            for word in range(20):
                text += f"word{number}-{word} "
                stream.update(text)
                total += len(json.dumps(feed.changes({}, [Item("a", {}, tuple(stream.finished), stream.tail)])))
            text += "\n\n"
        return total

    assert sent(80) < 2.5 * sent(40)


def test_a_long_paragraph_is_not_sent_again_and_again() -> None:
    feed, stream, text, total = Feed(), MarkdownStream(), "", 0
    for word in range(1000):
        text += f"word{word} "
        stream.update(text)
        total += len(json.dumps(feed.changes({}, [Item("a", {}, tuple(stream.finished), stream.tail)])))
    assert total < 8 * len(text)


def test_what_was_told_of_a_block_before_it_was_finished_is_not_told_again() -> None:
    feed, page, stream, text, told = Feed(), Page(), MarkdownStream(), "", 0
    for number in range(400):
        text += f"word{number} " + "\n\n" * (number % 20 == 19)
        stream.update(text)
        operations = feed.changes({}, [Item("a", {}, tuple(stream.finished), stream.tail)])
        told += sum(len(operation[-1]) for operation in operations if operation[0] == "grow")
        page.apply(operations)
    assert page.items["a"].html == stream.html
    assert told < 1.7 * len(stream.html)  # the end of a paragraph comes again with each piece; 3.4 with whole blocks


def test_a_key_that_comes_in_two_pieces_is_told_in_neither_way() -> None:
    key = Secret("sk-test-0123456789-0123456789-abcd", host="a.test")
    text = key.reveal()
    feed, page = Feed(), Page()
    page.apply(feed.changes({}, [Item("a", {}, (), f"<p>so {text[:14]}</p>")]))
    for blocks, tail in (((), f"<p>so {text}</p>"), ((f"<p>so {text}</p>",), "<p>é😀 more</p>")):
        page.apply(feed.changes({}, [Item("a", {}, blocks, tail)]))
        assert page.items["a"].html == secrecy.redact("".join((*blocks, tail)), secrecy.HTML_MARK)
    late = Page()
    late.apply(feed.everything())
    assert late.items["a"] == page.items["a"]
    assert feed.changes({}, [Item("a", {}, blocks, tail)]) == []
