"""What a panel's page is told while somebody types "{" or "@": what there is, bounded, and nobody waits for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.compare.conftest import eventually
from tests.widgets.page import Page
from tests.widgets.shells import shell_in
from tetrate_jupyter.completion.at_words import begun
from tetrate_jupyter.widgets.naming import MOST, Naming

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.md").write_text("buy milk", encoding="utf-8")
    (tmp_path / "my list.txt").write_text("eggs", encoding="utf-8")
    with shell_in(tmp_path, monkeypatch, "total = [1, 2, 3]\nplace = 'Ghent'") as made:
        yield made


@pytest.fixture
def page(session: Session) -> Iterator[Page]:
    session.models()
    panel = session.chat()
    yield Page(panel)
    panel.close()


def offered(page: Page, line: str, of: str = "box") -> dict[str, Any]:
    """What the kernel answers."""
    before = len(page.messages)
    page.do("offer", of=of, line=line)
    page.wait_for(lambda: any(message.get("to") == of for message in page.messages[before:]))
    return next(message for message in page.messages[before:] if message.get("to") == of)


def test_variables_come_with_what_they_are_and_nothing_goes_to_the_router(page: Page, router: SandboxRouter) -> None:
    asked = len(router.requests)
    found = offered(page, "Sum up {to")
    assert found["begun"] == "{to"
    assert found["offered"] == [["{total}", "list of 3"]]
    assert not found["more"]
    assert [text for text, _ in offered(page, "{")["offered"]] == ["{place}", "{total}"]
    assert len(router.requests) == asked


def test_words_with_an_at_are_those_of_cells_and_files(page: Page) -> None:
    assert offered(page, "explain @")["offered"] == [
        ["@above", "2 lines: total = [1, 2, 3]"],
        ["@notebook", "the cells that ran in this kernel"],
        ["@[1]", "2 lines: total = [1, 2, 3]"],
        ["@data/", "folder"],
        ['@"my list.txt"', "4 bytes"],
    ]
    assert offered(page, "see @data/n")["offered"] == [["@data/notes.md", "8 bytes"]]
    assert offered(page, 'see @"my li')["offered"] == [['@"my list.txt"', "4 bytes"]]


@pytest.mark.parametrize("line", ["", "write to a@b", "total", "@above and", "{total}", "@../", "@/etc/"])
def test_elsewhere_nothing_is_offered(page: Page, line: str) -> None:
    assert offered(page, line)["offered"] == []


def test_no_more_are_sent_than_a_person_reads(page: Page, shell: InteractiveShell, tmp_path: Path) -> None:
    for number in range(MOST + 1):
        shell.user_ns[f"many_{number}"] = number
        (tmp_path / f"file-{number}.txt").touch()
    for line in ("{many", "@file"):
        found = offered(page, line)
        assert len(found["offered"]) == MOST
        assert found["more"]
    assert not offered(page, "{many_5")["more"]


class Slow:
    """A value that takes its time to say what shape it has, of a library whose values have it at hand."""

    __module__ = "numpy"

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let_go = threading.Event()

    @property
    def shape(self) -> tuple[int, ...]:
        self.asked.set()
        assert self.let_go.wait(120)
        return (2, 3)


def test_nobody_waits_for_a_slow_one_and_only_the_last_that_was_typed_is_looked_for(
    page: Page, shell: InteractiveShell, session: Session
) -> None:
    slow = shell.user_ns["slow"] = Slow()
    before = len(page.messages)
    page.do("offer", of="box", line="{slo")
    assert slow.asked.wait(120)
    for line in ("{p", "{pl", "{pla"):
        page.do("offer", of="box", line=line)
    assert page.do("ask", text="Say hello.")  # the panel goes on
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    slow.let_go.set()
    page.wait_for(lambda: [m for m in page.messages[before:] if m.get("begun") == "{pla"] != [])
    answers = [message for message in page.messages[before:] if message.get("to") == "box"]
    assert [answer["begun"] for answer in answers] == ["{slo", "{pla"]
    assert answers[0]["offered"] == [["{slow}", "Slow, 2 x 3"]]


def test_what_is_told_in_the_panel_stays_while_one_types(page: Page) -> None:
    assert not page.do("ask", text="explain @[99]")
    problem = page.fields["problem"]
    assert problem
    offered(page, "explain @")
    assert page.fields["problem"] == problem


def test_a_view_that_was_taken_for_gone_is_there_again(page: Page) -> None:
    page.do("bye")
    assert offered(page, "{to")["offered"] == [["{total}", "list of 3"]]


class Odd(list[int]):
    def __len__(self) -> int:
        raise RuntimeError("no")


class Remote:
    """A value whose shape is asked of a cluster."""

    @property
    def shape(self) -> tuple[int, ...]:
        raise AssertionError("nobody asks")


def test_an_odd_value_hides_no_other_and_a_remote_one_is_asked_nothing(page: Page, shell: InteractiveShell) -> None:
    shell.user_ns.update(odd_one=Odd(), odd_two=1, odd_three=Remote())
    assert offered(page, "{odd")["offered"] == [["{odd_three}", "Remote"], ["{odd_two}", "int"], ["{odd_one}", "Odd"]]


def test_a_page_that_cant_be_told_is_told_the_next_time() -> None:
    told: list[str] = []

    def tell(**message: object) -> None:
        told.append(str(message["begun"]))
        if len(told) == 1:
            raise RuntimeError("the page is gone")

    naming = Naming(tell)
    for line in ("{a", "{b"):
        naming.heard(None, {"do": "offer", "of": "box", "line": line})
        eventually(lambda line=line: line in told)  # type: ignore[misc]
    assert told == ["{a", "{b"]


def test_two_who_type_at_once_are_both_answered(page: Page, shell: InteractiveShell) -> None:
    slow = shell.user_ns["slow"] = Slow()
    page.do("offer", of="one", line="{slo")
    assert slow.asked.wait(120)
    page.do("offer", of="one", line="{to")
    page.do("offer", of="other", line="{to")
    slow.let_go.set()
    page.wait_for(lambda: {"one", "other"} <= {m.get("to") for m in page.messages if m.get("begun") == "{to"})


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ('he wrote @"foo and then {na', "{na"),
        ("see @{na", "{na"),
        ('in @"my dir/no', '@"my dir/no'),
        ("a@b", ""),
        ("{a} {", "{"),
    ],
)
def test_what_a_line_begins(line: str, typed: str) -> None:
    assert begun(line) == typed


def test_a_file_that_no_word_can_name_is_not_offered(page: Page, tmp_path: Path) -> None:
    (tmp_path / "odd  name.txt").write_text("x", encoding="utf-8")
    (tmp_path / "odd_name.txt").write_text("x", encoding="utf-8")
    assert [text for text, _ in offered(page, "@odd")["offered"]] == ["@odd_name.txt"]
