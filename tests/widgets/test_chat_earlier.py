"""The chat's Earlier: kept conversations listed, searched, opened; the offer to go on after a restart."""

from __future__ import annotations

import json
from decimal import Decimal
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest

from tests import at_rest
from tests.widgets.page import Page
from tetrate_jupyter.conversation import Exchange
from tetrate_jupyter.errors import StreamCutError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.ledger.window import Entry
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.sandbox import Fault
from tetrate_jupyter.types import Cut, Message, Usage
from tetrate_jupyter.widgets import chat_kept, transcript
from tetrate_jupyter.widgets.chat import ChatPanel
from tetrate_jupyter.widgets.chat_earlier import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture
def later(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session as a new kernel of the same account makes it."""
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    made.model = "claude-haiku-4-5"
    yield made
    made.close()


@pytest.fixture
def page_of() -> Iterator[Callable[[Session], Page]]:
    made: list[ChatPanel] = []

    def page(session: Session) -> Page:
        session.models()
        panel = session.chat()
        assert isinstance(panel, ChatPanel)
        made.append(panel)
        return Page(panel)

    yield page
    for each in made:
        each.close()


@pytest.fixture
def kept(session: Session) -> Session:
    session.keep_texts = True
    session.ask("Which month is <b>August</b>?")
    session.ask("And July?")
    return session


def prompts(page: Page) -> list[str]:
    return [item.fields["prompt"] for item in page.items.values()]


def test_without_kept_texts_it_offers_to_keep_them_and_says_where(
    session: Session, page_of: Callable[[Session], Page], tmp_path: Path
) -> None:
    session.ask("Which month is August?")
    page = page_of(session)
    assert page.fields["resume"] is None
    assert listed(page) == []
    assert page.fields["past"]["note"] == "No earlier conversations yet."
    where = str(session.past.archive.folder)
    assert f"on this machine, in {where}. Each can be erased here" in page.fields["past"]["offer"]
    assert "%tetrate_history --erase all" in page.fields["past"]["offer"]
    assert page.do("keep")
    page.wait_for(lambda: page.fields["past"]["offer"] == "")
    assert session.keep_texts is True
    assert page.fields["past"]["note"].startswith(f"From now on conversations are kept in {where}. Each can be erased")
    session.ask("And July?")
    assert listed(page) == ["And July?"]  # from now on
    page.do("past", of="")
    page.wait_for(lambda: page.fields["past"] is None)


def test_conversations_of_this_kernel_are_searched_with_those_on_disk(
    session: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    session.ask("Name a <b>colour</b>.")
    session.reset()
    session.ask("The word is XYZZY.")
    session.reset()
    session.keep_texts = True
    session.ask("The word is plugh.")
    session.reset()
    page.wait_for(lambda: len(page.fields["earlier"]) == 3)
    third, second, first = page.fields["earlier"]
    assert (first[1], first[2]) == ("Name a <b>colour</b>.", "1 turn · claude-haiku-4-5")
    listed(page)
    assert page.fields["past"]["here"] is None  # all of them
    ((identity, *_),) = page.fields["past"]["rows"]
    assert identity == third[3]  # one row for what is in both
    listed(page, words="WORD is xyzzy")
    assert page.fields["past"]["here"] == [second[0]]
    assert page.fields["past"]["note"] == ""
    listed(page, words="nowhere")
    assert page.fields["past"]["here"] == []
    assert page.fields["past"]["note"] == "Nothing is found."


def test_after_a_restart_it_goes_on_where_it_was(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    later.model = None
    page = page_of(later)
    page.wait_for(lambda: page.fields["resume"] is not None)
    identity, words, title = page.fields["resume"]
    assert words.startswith("Go on where it was (2 turns, ")
    assert title == "Which month is <b>August</b>?"
    page.do("open", identity=identity)
    page.wait_for(lambda: prompts(page) == ["Which month is <b>August</b>?", "And July?"])
    page.wait_for(lambda: page.fields["resume"] is None)
    assert later.history == kept.history
    page.wait_for(lambda: page.fields["model"] == "claude-haiku-4-5")
    page.do("new")
    page.wait_for(lambda: not page.items)
    assert page.fields["resume"] is None  # that was left on purpose


def test_it_searches_and_opens(kept: Session, later: Session, page_of: Callable[[Session], Page]) -> None:
    kept.reset()
    kept.ask("Name a colour.")
    later.ask("Something else.")
    page = page_of(later)
    page.do("past", of="one")
    page.wait_for(lambda: page.fields["past"] is not None)
    assert [row[1] for row in page.fields["past"]["rows"]] == ["Name a colour.", "Which month is <b>August</b>?"]
    page.do("past", of="one", words="JULY", everywhere=True)
    page.wait_for(lambda: page.fields["past"]["words"] == "JULY")
    ((identity, words, facts, found),) = page.fields["past"]["rows"]
    assert (words, found) == ("Which month is <b>August</b>?", "And July?")
    assert "2 turns · ≈ $" in facts
    page.do("open", identity=identity)
    page.wait_for(lambda: prompts(page) == ["Which month is <b>August</b>?", "And July?"])
    page.wait_for(lambda: page.fields["past"] is None)
    page.do("open", identity="gone")
    page.wait_for(lambda: "isn't kept any more" in page.fields.get("problem", ""))


def test_a_page_that_gives_back_the_same_opens_it_from_the_disk(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    later.keep_texts = True
    page = page_of(later)
    page.do("take", exchanges=[["And July?", "", "An answer.", False]])
    page.wait_for(lambda: len(page.items) == 2)
    assert later.history == kept.history
    assert [each.turns for each in later.history.list()] == [2]  # nothing is there twice


def test_a_page_that_gives_back_something_else_is_taken_at_its_word(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(later)
    page.do("take", exchanges=[["Other?", "", "An answer.", False]])
    page.wait_for(lambda: prompts(page) == ["Other?"])


GIVEN = [["What is {x}?", "What is 6 * 7?", "**42**", False], ["And then?", "", "It was st", True]]


def test_a_conversation_that_comes_back_after_another_has_begun_is_one_of_its_own(
    session: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    other = page_of(session)
    session.ask("Name a colour.")
    begun = session.history
    assert page.do("take", exchanges=GIVEN, left=0)
    page.wait_for(lambda: prompts(page) == ["What is {x}?", "And then?"])
    other.wait_for(lambda: prompts(other) == ["What is {x}?", "And then?"])
    assert "see Earlier" in page.fields["hint"]
    ((branch, words, *_),) = page.fields["earlier"]
    assert words == "Name a colour."
    other.do("take", exchanges=GIVEN)  # the panel of another place gives back the same
    session.ask("And July?")
    other.do("take", exchanges=GIVEN)
    assert len(session.history) == 3
    page.do("back", branch=branch)
    page.wait_for(lambda: prompts(page) == ["Name a colour."])
    assert session.history == begun


def test_answers_that_a_page_gives_back_have_all_that_stood_under_them(
    session: Session, later: Session, page_of: Callable[[Session], Page], router: SandboxRouter
) -> None:
    page = page_of(session)
    session.ask("One?", model="claude-haiku-4-5")
    session.start(session.question("15 rows", typed="{df}", cuts=(Cut("df", "rows", 15, 2_000),), model="gpt-6-luna"))
    page.wait_for(lambda: len(page.items) == 2 and not page.fields["busy"])
    router.inject(Fault("stream-cut", after_chunks=3))
    with pytest.raises(StreamCutError):
        session.ask("Tell me a long story.")
    page.wait_for(lambda: len(given_back(page)) == 3)
    given = given_back(page)
    again = page_of(later)
    spent = later.ledger.total()
    assert again.do("take", exchanges=given)
    again.wait_for(lambda: len(again.items) == 3)
    assert [item.fields["model"] for item in again.items.values()] == ["claude-haiku-4-5", "gpt-6-luna", given[2][4]]
    assert {"claude-haiku-4-5", "gpt-6-luna"} <= set(again.fields["providers"])  # whose mark it is
    assert shown(again) == shown(page)
    labels = {chip[0] for _, chips, _, _ in shown(again) for chip in chips}
    assert labels >= {"simulated", "df: 15 of 2,000 rows sent"}
    assert again.fields["total"] == page.fields["total"]
    assert transcript.html(later.history, timed=True) == transcript.html(
        session.history, timed=True
    )  # what the notebook saves
    assert later.ledger.total() == spent  # it has been counted already
    assert given_back(again) == given  # and so once more
    assert later.ask("Three?").text


def test_one_that_was_being_written_as_the_kernel_ended_is_simulated_and_a_part(
    session: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    session.model = "sandbox/stream"
    page.do("ask", text="chunks=2000 size=20 interval=0.01")
    page.wait_for(lambda: any(item.fields["kept"] for item in page.items.values()))
    (item,) = page.items.values()
    again = page_of(later)
    exchange = [item.fields["prompt"], "", item.html, True, item.fields["model"], item.fields["kept"]]
    page.do("stop")
    assert again.do("take", exchanges=[exchange])
    again.wait_for(lambda: len(again.items) == 1)
    (back,) = again.items.values()
    assert [chip[0] for chip in back.fields["chips"]] == ["Broken off", "simulated"]
    assert back.fields["model"] == "sandbox/stream"


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"cost": "much"},
        {"cost": "NaN"},
        {"cost": "-1"},
        {"model": "m", "total": 1e300},
        {"tokens": [1]},
        {"notices": [7]},
        {"notices": ["x" * 100_000]},
        {"outcome": {"a": [{}]}},
        {"root": "other", "asked": "Something else?", "reasoning": "None.", "images": 3},
    ],
)
def test_what_no_page_of_ours_has_kept_takes_nothing_of_the_texts(
    kept: object, session: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    assert page.do("take", exchanges=[["One?", "", "Yes.", False, "gpt-6-luna", kept]])
    page.wait_for(lambda: len(page.items) == 1)
    (item,) = page.items.values()
    assert (item.fields["prompt"], item.fields["source"], item.fields["model"]) == ("One?", "Yes.", "gpt-6-luna")
    assert (item.fields["notes"], item.fields["reasoning"], page.fields["total"]) == ([], "", "")


def test_what_is_kept_of_an_answer_is_bounded_and_its_marks_come_first() -> None:
    entry = Entry(asked="m", usage=Usage(3, 4), cost=Decimal("0.5"))
    cuts = tuple(Cut(f"{number}" * 100, "rows", 1, 2) for number in range(2_000))
    user = Message("user", "?", cuts=cuts)
    notices = (*(cut.sentence for cut in cuts), "y" * 100_000, SIMULATED)
    made = chat_kept.kept(Exchange("1", user, (Message("assistant", "!"),), entry=entry, notices=notices))
    assert len(json.dumps(made)) < chat_kept.MOST
    assert made["notices"] == [SIMULATED]
    assert (made["model"], made["cost"]) == ("m", "0.5")
    assert chat_kept.kept_so_far(notices) == {"notices": [SIMULATED]}


def test_versions_that_a_page_could_not_give_back_are_told(
    kept: Session, session: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    given = given_back(page)
    again = page_of(later)
    again.do("take", exchanges=GIVEN, versions=True)
    again.wait_for(lambda: len(again.items) == 2)
    assert again.fields["hint"] == VERSIONS
    again.do("new")
    again.do("take", exchanges=given, versions=True)  # the disk has them
    again.wait_for(lambda: prompts(again) == ["Which month is <b>August</b>?", "And July?"])
    assert VERSIONS not in again.fields["hint"]


def test_one_that_nobody_asked_for_stays_behind_the_one_that_has_begun(
    session: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    session.ask("Name a colour.")
    page.do("take", exchanges=GIVEN, asked=False)
    page.wait_for(lambda: [each[1] for each in page.fields["earlier"]] == ["What is {x}?"])
    assert prompts(page) == ["Name a colour."]
    page.do("back", branch=page.fields["earlier"][0][0])
    page.wait_for(lambda: prompts(page) == ["What is {x}?", "And then?"])


def test_one_that_comes_while_the_first_question_is_asked_leaves_that_in_place(
    session: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    session.model = "sandbox/stream"
    page.do("ask", text="chunks=2000 size=20 interval=0.01")
    page.wait_for(lambda: bool(page.fields["busy"]))
    page.do("take", exchanges=GIVEN)
    page.wait_for(lambda: [each[1] for each in page.fields["earlier"]] == ["What is {x}?"])
    page.do("stop")
    page.wait_for(lambda: not page.fields["busy"])
    assert len(page.items) == 1
    assert "What is {x}?" not in prompts(page)


def test_one_that_is_on_the_disk_is_found_behind_what_was_asked_since(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    later.keep_texts = True
    page = page_of(later)
    later.ask("Name a colour.")
    page.do("take", exchanges=[["And July?", "", "An answer.", False]])
    page.wait_for(lambda: len(page.items) == 2)
    assert later.history == kept.history
    assert sorted(each.turns for each in later.history.list()) == [1, 2]  # nothing is there twice


def listed(page: Page, **asked: object) -> list[str]:
    """Open the list anew, and return its titles."""
    before = page.fields["past"]
    page.do("past", of="one", **asked)
    page.wait_for(lambda: page.fields["past"] is not None and page.fields["past"] is not before)
    return [row[1] for row in page.fields["past"]["rows"]]


def test_one_is_named_and_starred_where_it_stands(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    kept.reset()
    kept.ask("Name a colour.")
    page = page_of(later)
    assert listed(page) == ["Name a colour.", "Which month is <b>August</b>?"]
    identity = page.fields["past"]["rows"][1][0]
    page.do("name", identity=identity, name="Months <of> the\nyear")
    page.wait_for(lambda: page.fields["past"]["rows"][1][1] == "Months <of> the year")
    page.do("star", identity=identity, on=True)
    page.wait_for(lambda: page.fields["past"]["marks"] == {identity: [True, "Months <of> the year"]})
    assert page.fields["past"]["rows"][1][0] == identity  # nothing moves under the pointer
    assert listed(page) == ["Months <of> the year", "Name a colour."]
    assert listed(page, words="MONTHS", everywhere=True) == ["Months <of> the year"]
    page.do("open", identity=identity)
    page.wait_for(lambda: len(page.items) == 2)
    page.do("new")
    page.wait_for(lambda: [each[1] for each in page.fields["earlier"]] == ["Months <of> the year"])
    page.do("name", identity=identity, name=f"sk-not-known-{token_hex(12)}")
    page.wait_for(lambda: "A key seems to be in that name" in page.fields.get("problem", ""))
    assert "0123456789abcdef" not in repr(page.messages)
    assert next(each.title for each in kept.history.list()) == "Months <of> the year"


def test_what_may_be_gone_on_with_is_the_newest_whatever_has_a_star(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    kept.history.star(1)
    kept.reset()
    kept.ask("Name a colour.")
    kept.history.rename(kept.history.list()[1], "Colours")
    page = page_of(later)
    page.wait_for(lambda: page.fields["resume"] is not None)
    assert page.fields["resume"][2] == "Colours"


def test_one_that_is_erased_is_gone_from_chat_fallback_and_list(
    kept: Session, page_of: Callable[[Session], Page], tmp_path: Path
) -> None:
    page = page_of(kept)
    (title,) = listed(page)
    assert len(page.items) == 2
    page.do("erase", identity=page.fields["past"]["rows"][0][0])
    page.wait_for(lambda: page.fields["past"]["rows"] == [])
    page.wait_for(lambda: not page.items)
    assert "Erased." in page.fields["past"]["note"]
    assert page.fields["earlier"] == []
    assert page.fields["resume"] is None
    assert title not in repr(page._panel.fallback_plain() if page._panel else title)
    assert b"August" not in at_rest.text(tmp_path)


def test_what_a_page_gives_back_of_an_erased_one_is_on_no_disk_again(
    kept: Session, later: Session, page_of: Callable[[Session], Page], tmp_path: Path
) -> None:
    kept.history.erase(which=1)
    later.keep_texts = True
    given = [["Which month is <b>August</b>?", "", "An answer.", False], ["And July?", "", "Another.", False]]
    page = page_of(later)
    page.do("take", exchanges=given)
    page.wait_for(lambda: len(page.items) == 2)
    page.do("new")
    later.ask("Something else.")
    page.do("take", exchanges=[["Of August?", "with its variables, August", "Yes.", False]])  # another has begun
    page.wait_for(lambda: "with its variables, August" in [item.fields["sent"] for item in page.items.values()])
    later.ask("And now?")
    assert later.past.archive.flush(30)
    there = at_rest.text(tmp_path / "data" / "history")
    assert b"Something else." in there
    assert b"And now?" in there
    assert b"August" not in there
    assert sorted(each.turns for each in later.history.list()) == [1, 1]


def shown(page: Page) -> list[tuple[object, ...]]:
    """Return what stands under each answer."""
    items = page.items.values()
    return [(i.fields["figures"], i.fields["chips"], i.fields["said"], i.fields["reasoning"]) for i in items]


def given_back(page: Page) -> list[list[object]]:
    """Return what a page gives a new kernel: as chat.js, none without an answer's text."""
    items = [item.fields for item in page.items.values() if item.fields["source"]]
    return [[f["prompt"], f["sent"], f["source"], f["state"] == "partial", f["model"], f["kept"]] for f in items]


def test_what_stands_under_an_answer_comes_back_with_it(
    session: Session, later: Session, page_of: Callable[[Session], Page], router: SandboxRouter
) -> None:
    session.keep_texts = True
    page = page_of(session)
    session.ask("One?")
    question = session.question("15 rows", typed="{df}", cuts=(Cut("df", "rows and a summary of all", 15, 2_000),))
    session.start(question)
    page.wait_for(lambda: len(page.items) == 2 and not page.fields["busy"])
    session.ask("Think.", model="gpt-6-luna", effort="high")
    router.inject(Fault("stream-cut", after_chunks=3))
    with pytest.raises(StreamCutError):
        session.ask("Tell me a long story.")
    nothing = session.conversation.begin()
    session.conversation.add(
        nothing, Message("user", "Refused?"), [Message("assistant", "")], notices=["The model refused."]
    )
    page.wait_for(lambda: len(page.items) == 5)
    before = shown(page)
    assert {chip[0] for _, chips, _, _ in before for chip in chips} >= {
        "df: 15 of 2,000 rows and a summary of all sent",
        "simulated",
    }
    opening = page_of(later)
    later.history.open(1)
    opening.wait_for(lambda: len(opening.items) == 5)
    assert shown(opening) == before
    assert opening.fields["total"] == page.fields["total"]
    opening.do("new")
    later.conversation.forget(frozenset(branch.root for branch in later.conversation.branches))
    opening.wait_for(lambda: not opening.items)
    opening.do("take", exchanges=given_back(page))  # Reconnect
    opening.wait_for(lambda: len(opening.items) == 5)
    assert shown(opening) == before


def test_a_page_that_shows_another_way_gets_that_one_from_the_disk(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(kept)
    way = kept.conversation.branch.id
    kept.ask("And June?", replaces=kept.history[1].id)
    kept.conversation.switch(way)
    page.wait_for(lambda: prompts(page) == ["Which month is <b>August</b>?", "And July?"])
    again = page_of(later)
    again.do("take", exchanges=given_back(page))
    again.wait_for(lambda: prompts(again) == ["Which month is <b>August</b>?", "And July?"])
    assert shown(again) == shown(page)
    assert [item.fields["way"] for item in again.items.values()][1][:2] == [1, 2]


def test_of_one_that_was_kept_from_its_middle_on_that_comes_from_the_disk(
    session: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(session)
    session.ask("Before it.")
    session.keep_texts = True
    session.ask("One?")
    session.ask("Two?")
    page.wait_for(lambda: len(page.items) == 3)
    later.keep_texts = True
    again = page_of(later)
    again.do("take", exchanges=given_back(page))
    again.wait_for(lambda: prompts(again) == ["Before it.", "One?", "Two?"])
    assert shown(again)[1:] == shown(page)[1:]
    later.ask("Three?")
    (found,) = later.history.list()  # it goes on under its name on disk
    assert (found.turns, found.words) == (3, "One?")


def test_one_that_only_ends_alike_is_taken_from_the_page(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(later)
    given = [
        ["Other?", "", "Yes.", False],
        ["Which month is <b>August</b>?", "", "x", False],
        ["And July?", "", "No.", False],
    ]
    page.do("take", exchanges=given)
    page.wait_for(lambda: len(page.items) == 3)
    assert [item.fields["source"] for item in page.items.values()] == ["Yes.", "x", "No."]


def test_an_answer_without_times_shows_what_else_is_known_of_it() -> None:
    entry = Entry(asked="m", usage=Usage(3, 4), cost=Decimal("0.5"))
    exchange = Exchange("1", Message("user", "?"), (Message("assistant", "!"),), entry=entry)
    assert transcript.answer_figures(exchange, timed=True) == [
        ["far", "m"],
        ["far", "3 →"],
        ["got", "4 tokens"],
        ["", "≈ $0.50"],
    ]
    assert transcript.quiet_line(exchange, timed=True) == "m · 3 → 4 tokens · ≈ $0.50"
