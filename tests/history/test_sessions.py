"""A conversation outlives its kernel where somebody has said that texts are kept, and only there."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from tests.history.turns import written
from tetrate_jupyter import Conversation, Earlier, History
from tetrate_jupyter.errors import InputError, OptionError, StreamCutError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import Fault
from tetrate_jupyter.types import Image, Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def later(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session as a new kernel of the same account makes it."""
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    made.model = "claude-haiku-4-5"
    yield made
    made.close()


@pytest.fixture
def kept(session: Session) -> Session:
    session.keep_texts = True
    return session


def texts(session: Session) -> list[str]:
    return [each.user.content for each in session.history]


def test_nothing_is_written_unless_somebody_says_so(session: Session, tmp_path: Path) -> None:
    assert session.keep_texts is False
    assert session.status()["texts"] == "not kept (session.keep_texts)"
    session.ask("What is a flabbergast?")
    session.past.archive.flush()
    assert not (tmp_path / "data" / "history").exists()
    found = session.history.list()
    assert found == ()
    assert "session.keep_texts = True" in repr(found)


def test_only_what_is_said_from_then_on_is_written(session: Session, tmp_path: Path) -> None:
    session.ask("before it")
    session.keep_texts = True
    session.ask("while it is on")
    session.ask("left out", keep=False)
    session.keep_texts = False
    session.ask("after it")
    session.past.archive.flush()
    there = written(tmp_path / "data")
    assert b"while it is on" in there
    assert not any(word in there for word in (b"before it", b"left out", b"after it"))
    with pytest.raises(OptionError):
        session.keep_texts = "yes"  # type: ignore[assignment]  # what a person may try


def test_a_later_kernel_goes_on_where_it_was(kept: Session, later: Session, router: SandboxRouter) -> None:
    kept.ask("My name is Ada.")
    answer = kept.ask("What is 17 * 23?")
    (found,) = later.history.list()
    assert (found.words, found.turns, found.models) == ("My name is Ada.", 2, ("claude-haiku-4-5",))
    assert later.history.open(1) == kept.history
    assert later.history[-1].answer == answer.text
    assert later.history[-1].entry is not None
    assert later.history[-1].entry.cost == answer.cost
    assert later.history[-1].notices == answer.notices
    later.keep_texts = True
    later.ask("And now?")
    sent = router.requests[-1].body["messages"]
    assert [m["content"] for m in sent if m["role"] == "user"] == ["My name is Ada.", "What is 17 * 23?", "And now?"]
    (found,) = kept.history.list()
    assert found.turns == 3
    assert kept.history.open(found) == later.history  # and the kernel before takes it up again


def test_a_branch_comes_back_as_one(kept: Session, later: Session) -> None:
    kept.ask("One?")
    kept.ask("Two?")
    first = kept.history
    kept.ask("Two, differently?", replaces=first[1].id)
    assert later.history.open(1) == kept.history
    assert texts(later) == ["One?", "Two, differently?"]
    ways = later.conversation.variants(later.history[1].id)
    assert [way.exchanges for way in ways] == [tuple(first), tuple(kept.history)]
    before = later.conversation.branches
    later.conversation.switch(ways[0].id)
    assert later.history.open(1) == kept.history or texts(later) == ["One?", "Two?"]
    assert later.conversation.branches == before  # nothing comes twice


def test_one_whose_beginning_isnt_kept_goes_on_where_it_is(session: Session, later: Session) -> None:
    session.ask("before it")
    session.keep_texts = True
    session.ask("then")
    session.history.open(1)
    assert texts(session) == ["before it", "then"]
    assert len(session.conversation.branches) == 1
    later.history.open(1)
    assert texts(later) == ["then"]


def test_a_reset_begins_another_and_a_fork_goes_its_own_way(kept: Session, later: Session) -> None:
    kept.ask("One?")
    kept.reset()
    kept.ask("Other?")
    fork = kept.fork()
    assert fork.keep_texts
    fork.ask("Of the fork?")
    found = later.history.list()
    assert [(each.words, each.turns) for each in found] == [("Of the fork?", 1), ("Other?", 1), ("One?", 1)]
    later.history.open(found[0])
    assert texts(later) == ["Other?", "Of the fork?"]
    fork.close()


def test_a_cell_that_runs_again_replaces_its_turn(kept: Session, later: Session) -> None:
    kept.ask("first", cell_id="c1")
    kept.ask("second", cell_id="c2")
    kept.ask("first, better", cell_id="c1")
    later.history.open(1)
    assert texts(later) == ["first, better", "second"]
    later.ask("second, better", cell_id="c2")
    assert texts(later) == ["first, better", "second, better"]


def test_what_broke_is_kept_and_marked(kept: Session, later: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", after_chunks=3))
    with pytest.raises(StreamCutError):
        kept.ask("Tell me a long story.")
    assert kept.history[-1].partial
    later.history.open(1)
    assert later.history[-1].partial
    assert later.history == kept.history


def test_tools_and_small_images_come_back(kept: Session, later: Session, router: SandboxRouter) -> None:
    def stock(product: str) -> int:
        """Pieces of a product in stock."""
        return 12

    kept.ask("How many pieces of the product 'lamp' are in stock?", tools=[stock])
    kept.ask("What is it?", images=[Image(PIXEL, "image/png", 70, "dot.png")])
    later.history.open(1)
    assert later.history == kept.history
    assert [m.role for m in later.history[0].replies] == ["assistant", "tool", "assistant"]
    later.ask("Go on.")
    assert PIXEL in json.dumps(router.requests[-1].body)


def test_a_large_image_is_a_note(kept: Session, later: Session, tmp_path: Path) -> None:
    data = "data:image/png;base64," + "A" * 100_000
    conversation = kept.conversation
    conversation.add(
        conversation.begin(),
        Message("user", "What does it show?", images=(Image(data, "image/png", 75_000, "chart.png"),)),
        [Message("assistant", "A line.")],
    )
    kept.past.archive.flush()
    assert len(written(tmp_path / "data")) < 2_000
    later.history.open(1)
    (exchange,) = later.history
    assert exchange.user.images == ()
    assert exchange.user.content == "What does it show?\n\n[An image that is not kept: chart.png, 75,000 bytes]"
    assert exchange.user.typed == "What does it show?"
    assert exchange.notices == ("This image was not kept: chart.png, 75,000 bytes.",)


def test_searching_opening_and_erasing(kept: Session, later: Session) -> None:
    kept.ask("Which month is August?")
    kept.reset()
    kept.ask("Name a colour.")
    assert [each.words for each in later.history.search("AUGUST")] == ["Which month is August?"]
    later.history.open(1)  # of what was listed last
    assert texts(later) == ["Which month is August?"]
    for odd in (0, 2, -1, "gone", Earlier(1, "gone", "", (), 1, None, 0.0, 0.0)):
        with pytest.raises(InputError):
            later.history.open(odd)  # type: ignore[arg-type]  # a number, a text, one of a list
    for days in (-1, float("nan"), 1e9):
        with pytest.raises(OptionError):
            later.history.erase(older_than=days)
    assert later.history.erase(older_than=1) == 0
    assert later.history.erase() == 2
    assert later.history.list() == ()
    assert texts(later) == ["Which month is August?"]
    kept.ask("After that?")
    assert [each.turns for each in kept.history.list()] == [1]


def test_conversations_belong_to_their_notebook(kept: Session, later: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/sales.ipynb")
    kept.ask("Of sales?")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/others.ipynb")
    assert later.history.list() == ()
    (found,) = later.history.list(everywhere=True)
    assert found.notebook == "/home/ada/sales.ipynb"


def test_coroutines_and_threads_find_the_same(kept: Session, later: Session) -> None:
    kept.ask("One?")

    async def main() -> tuple[Any, ...]:
        history = later.history
        return await asyncio.gather(
            history.alist(), history.asearch("one"), history.aopen(1), history.aexport("json", 1)
        )

    listed, searched, opened, messages = asyncio.run(main())
    assert [each.id for each in listed] == [each.id for each in searched]
    assert opened == kept.history
    assert messages == kept.history.export("json")
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                kept.conversation.add(kept.conversation.begin(), Message("user", "?"), [Message("assistant", "!")])
                later.history.open(1)
                kept.history.list()
        except BaseException as problem:  # noqa: BLE001 - told below
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert problems == []
    assert kept.history.list()[0].turns == 21
    assert asyncio.run(kept.history.aerase()) == 21


def test_the_history_is_still_the_conversation(kept: Session) -> None:
    assert kept.history == ()
    kept.ask("One?")
    (exchange,) = kept.history
    assert isinstance(kept.history, History)
    assert kept.history[0] is exchange
    assert kept.history[:1] == (exchange,)
    assert pickle.loads(pickle.dumps(kept.history)) == copy.copy(kept.history) == (exchange,)


def test_an_answer_says_that_it_could_not_be_kept_once(kept: Session, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "history").write_text("in the way")
    notes = [[note for note in kept.ask("One?").notes if "kept" in note] for _ in range(2)]
    assert [len(each) for each in notes] == [1, 0]
    (tmp_path / "data" / "history").unlink()
    assert kept.ask("Two?").text
    assert kept.past.archive.flush(30)
    assert [each.turns for each in kept.history.list()] == [3]


# --- taken elsewhere ---------------------------------------------------------------------------------------------


@pytest.fixture
def talked(session: Session) -> Session:
    """A session whose conversation is known to the letter."""
    conversation = Conversation()
    conversation.add(
        conversation.begin(), Message("user", "Use {x}\nand y."), [Message("assistant", "# Ünïcode\n<b>5</b>")]
    )
    conversation.add(
        conversation.begin(),
        Message("user", "Sum 3", typed="Sum {n}"),
        [Message("assistant", "three")],
        partial=True,
    )
    session.conversation.adopt([conversation.exchanges])
    return session


def test_markdown_is_exact(talked: Session) -> None:
    assert talked.history.export() == (
        "*2 answers*\n\n> Use {x}\n> and y.\n\n**Answer**\n\n# Ünïcode\n<b>5</b>\n\n"
        "> Sum {n}\n\n**Answer**\n\nthree\n\n*(This answer is not whole.)*\n"
    )
    assert repr(talked.history.export("md")) == talked.history.export("md")


def test_a_question_stays_in_its_quotation_whatever_ends_its_lines(session: Session) -> None:
    conversation = Conversation()
    conversation.add(conversation.begin(), Message("user", "a\rb\r\r# c\r\nd\n\ne"), [Message("assistant", "f")])
    session.conversation.adopt([conversation.exchanges])
    assert "\n\n> a\r> b\r> \r> # c\r\n> d\n> \n> e\n\n" in session.history.export("md")


def test_json_is_the_apis_messages(talked: Session, tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "Use {x}\nand y."},
        {"role": "assistant", "content": "# Ünïcode\n<b>5</b>"},
        {"role": "user", "content": "Sum 3"},
        {"role": "assistant", "content": "three"},
    ]
    assert talked.history.export("json") == messages
    path = talked.history.export("json", file=tmp_path / "talk.json")
    assert path == tmp_path / "talk.json"
    assert json.loads((tmp_path / "talk.json").read_text(encoding="utf-8")) == messages


def test_cells_ask_again_and_show_the_answers(talked: Session, tmp_path: Path) -> None:
    cells = talked.history.export("cells")
    assert isinstance(cells, list)
    assert [cell["source"] for cell in cells] == ["%%tetrate -n\nUse {x}\nand y.", "%%tetrate\nSum {n}"]
    (output,) = cells[0]["outputs"]
    assert "<b>" not in output["data"]["text/html"]
    assert output["data"]["text/plain"].startswith("# Ünïcode\n<b>5</b>")
    talked.history.export("cells", file=tmp_path / "talk.ipynb")
    notebook = nbformat.read(tmp_path / "talk.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells[:2]] == ["%load_ext tetrate_jupyter", cells[0]["source"]]


def test_an_export_that_cant_be_is_said(talked: Session, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="md, json, cells"):
        talked.history.export("pdf")
    with pytest.raises(OptionError, match=r"talk\.md can't be written"):
        talked.history.export("md", file=tmp_path / "none" / "talk.md")
    (tmp_path / "there.md").mkdir()
    with pytest.raises(OptionError):
        talked.history.export("md", file=tmp_path / "there.md")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


# --- one of many -------------------------------------------------------------------------------------------------


def test_one_is_named_and_starred_from_any_kernel(kept: Session, later: Session, tmp_path: Path) -> None:
    kept.ask("What of the leavers?")
    kept.reset()
    kept.ask("Name a colour.")
    later.history.list()
    later.history.rename(2, "Churn analysis")
    later.history.star(2)
    first, second = kept.history.list()
    assert (first.title, first.name, first.starred) == ("Churn analysis", "Churn analysis", True)
    assert (second.title, second.name, second.starred) == ("Name a colour.", "", False)
    assert "★ Churn analysis" in repr(kept.history.list())
    assert [each.id for each in kept.history.search("churn")] == [first.id]
    assert str(kept.history.export("md", first)).startswith("# Churn analysis\n\n*")
    kept.history.export("cells", first, file=tmp_path / "talk.ipynb")
    notebook = nbformat.read(tmp_path / "talk.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[1].source == "# Churn analysis"
    later.history.open(first)
    assert str(later.history.export()).startswith("# Churn analysis\n\n*")
    later.history.rename(first, "")
    asyncio.run(later.history.astar(first, on=False))
    assert [each.title for each in kept.history.list()] == ["Name a colour.", "What of the leavers?"]
    asyncio.run(later.history.arename(first, "a *b* <i>"))
    assert str(later.history.export()).startswith("# a \\*b\\* \\<i\\>\n")
    with pytest.raises(OptionError):
        later.history.rename(first, 5)  # type: ignore[arg-type]  # what a person may try


def test_one_that_is_erased_goes_from_the_disk_and_from_memory(kept: Session, later: Session, tmp_path: Path) -> None:
    kept.ask("What is a xyzzy?")
    kept.ask("And more of xyzzy?")
    kept.ask("Otherwise xyzzy?", replaces=kept.history[1].id)
    kept.reset()
    kept.ask("Name a colour.")
    stays = kept.history
    later.history.open(2)
    later.history.list()
    assert later.history.erase(which=2) == 3
    assert b"xyzzy" not in written(tmp_path / "data")
    assert later.history == ()
    assert all(not branch.exchanges for branch in later.conversation.branches)
    assert [each.words for each in kept.history.list()] == ["Name a colour."]
    assert kept.history == stays
    with pytest.raises(InputError):
        later.history.open(2)
    assert asyncio.run(kept.history.aerase(which=1)) == 1
    assert kept.history == ()
    kept.ask("After it?")
    assert [(each.words, each.turns) for each in kept.history.list()] == [("After it?", 1)]


def test_a_kernel_that_has_an_erased_one_open_writes_nothing_of_it_again(
    kept: Session, later: Session, tmp_path: Path
) -> None:
    kept.ask("What is a xyzzy?", cell_id="c1")
    kept.ask("More of xyzzy?")
    later.history.erase(which=1)
    assert len(kept.history) == 2  # its own memory
    kept.keep_texts = False
    kept.keep_texts = True
    kept.ask("Said anew?", replaces=kept.history[1].id)
    kept.ask("And then?")
    fork = kept.fork()
    fork.ask("Of the fork?")
    fork.close()
    kept.past.archive.flush()
    there = written(tmp_path / "data")
    assert b"Said anew?" in there
    assert b"And then?" in there
    assert b"What is a xyzzy?" not in there
    assert b"More of xyzzy?" not in there


def test_an_answer_that_is_on_its_way_brings_back_nothing(kept: Session, tmp_path: Path) -> None:
    kept.ask("What is a xyzzy?")
    turn = kept.conversation.begin()
    assert kept.history.erase(which=1) == 1
    kept.conversation.add(turn, Message("user", "Late?"), [Message("assistant", "Yes.")])
    assert kept.past.archive.flush(30)
    assert b"xyzzy" not in written(tmp_path / "data")
    (found,) = kept.history.list()
    assert (found.words, found.turns) == ("Late?", 1)
    assert "xyzzy" not in repr(kept.conversation.branches)


def test_erasing_one_takes_no_age(kept: Session) -> None:
    kept.ask("One?")
    (found,) = kept.history.list()
    with pytest.raises(OptionError):
        kept.history.erase(3, which=1)
    with pytest.raises(OptionError, match="which=2"):
        kept.history.erase(found)  # type: ignore[arg-type]  # what a person may try
    assert len(kept.history.list()) == 1
