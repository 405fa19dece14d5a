"""Words with "@" in the chat's box: what is sent, what is shown of it, what is refused."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import IPython
import PIL.Image
import pytest

from tests.widgets.page import Page
from tests.widgets.shells import shell_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    (tmp_path / "notes.md").write_text("buy milk", encoding="utf-8")
    with shell_in(tmp_path, monkeypatch, "total = 41") as made:
        yield made


def asked(router: SandboxRouter) -> list[str]:
    return [r.body["messages"][-1]["content"] for r in router.requests if r.path.endswith("/chat/completions")]


@pytest.fixture
def page(session: Session) -> Iterator[Page]:
    session.models()
    panel = session.chat()
    yield Page(panel)
    panel.close()


def test_what_a_word_names_goes_and_what_was_typed_is_shown(
    page: Page, session: Session, router: SandboxRouter
) -> None:
    assert page.do("ask", text="Add {total} to @above and @notes.md, not to \\@above or a@b.c")
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    (prompt,) = asked(router)
    assert prompt.startswith("Add 41 to @above and @notes.md, not to @above or a@b.c\n\n")
    assert "```python\ntotal = 41\n```" in prompt
    assert prompt.endswith("```md\nbuy milk\n```")
    (item,) = page.items.values()
    assert item.fields["prompt"] == "Add {total} to @above and @notes.md, not to \\@above or a@b.c"
    assert item.fields["sent"] == prompt


def test_an_edited_question_names_anew(
    page: Page, session: Session, router: SandboxRouter, shell: InteractiveShell
) -> None:
    assert page.do("ask", text="explain @above")
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    shell.run_cell("other = 5", store_history=True)
    (key,) = page.items
    assert page.do("edit", key=key, text="explain @above shortly")
    page.wait_for(lambda: not page.fields["busy"] and len(asked(router)) == 2)
    assert "other = 5" in asked(router)[1]


def test_a_word_that_is_kept_literal_is_still_so_when_the_question_is_edited(
    page: Page, session: Session, router: SandboxRouter
) -> None:
    assert page.do("ask", text="what is \\@above?")
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    (item,) = page.items.values()
    assert asked(router) == ["what is @above?"]
    assert (item.fields["prompt"], item.fields["sent"]) == ("what is \\@above?", "what is @above?")


@pytest.mark.parametrize("text", ["explain @[99]", "see @../x.md", "see @key.txt"])
def test_what_cannot_go_is_said_and_nothing_is_sent(
    page: Page, router: SandboxRouter, tmp_path: Path, text: str
) -> None:
    (tmp_path / "key.txt").write_text("sk-Zt5Rk2Wq8Lm1Xv7abc", encoding="utf-8")
    assert not page.do("ask", text=text)
    assert asked(router) == []


def test_a_slip_is_said(page: Page) -> None:
    assert page.do("ask", text="see @note.md")
    assert page.fields["hint"] == "@note.md isn't a file here and stays as typed. Did you mean @notes.md?"


def test_the_box_offers_what_ran(page: Page, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("last_value", "last_exc"):
        monkeypatch.delattr(f"sys.{name}", raising=False)
    shell.run_cell("other = 5\nother + 1", store_history=True)
    page.wait_for(
        lambda: (
            page.fields["named"]
            == [
                ["@above", "2 lines: other = 5"],
                ["@notebook", "the cells that ran in this kernel"],
                ["@[2]", "2 lines: other = 5"],
                ["@[1]", "1 line: total = 41"],
            ]
        )
    )


def pictures(router: SandboxRouter) -> list[int]:
    """The widths of the PNGs of the last question."""
    content = [r.body["messages"][-1]["content"] for r in router.requests if r.path.endswith("/chat/completions")][-1]
    urls = (
        [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
        if isinstance(content, list)
        else []
    )
    return [int.from_bytes(base64.b64decode(url.partition(",")[2])[16:20], "big") for url in urls]


def png(width: int) -> bytes:
    made = io.BytesIO()
    PIL.Image.new("RGB", (width, 10)).save(made, "PNG")
    return made.getvalue()


def test_the_picture_of_an_output_goes_is_shown_and_is_looked_up_anew_when_edited(
    page: Page, session: Session, router: SandboxRouter, shell: InteractiveShell
) -> None:
    shell.run_cell("import PIL.Image\nPIL.Image.new('RGB', (321, 10))", store_history=True)
    assert page.do("ask", text="Like @above?", names=["own.png"], buffers=[png(320)])
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    assert pictures(router) == [320, 321]
    page.wait_for(lambda: [key for key in page.items if not key.startswith("run-")])  # it is an exchange now
    (key,) = page.items
    assert "[image 2: picture of cell 2]" in page.items[key].fields["sent"]
    assert page.items[key].fields["images"] == ["own.png", "picture of cell 2"]
    assert len(page.items[key].fields["thumbs"]) == 2
    shell.run_cell("PIL.Image.new('RGB', (322, 10))", store_history=True)
    assert page.do("edit", key=key, text="Like @above then?")
    page.wait_for(lambda: not page.fields["busy"] and len(asked(router)) == 2)
    assert pictures(router) == [320, 322]


def test_a_model_that_reads_no_pictures_is_asked_without_and_the_answer_says_so(
    page: Page, session: Session, router: SandboxRouter, shell: InteractiveShell
) -> None:
    session.model = "groq/openai/gpt-oss-20b"
    shell.run_cell("import PIL.Image\nPIL.Image.new('RGB', (321, 10))", store_history=True)
    assert page.do("ask", text="What is on @above?")
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    assert pictures(router) == []
    assert "[picture of cell 2; not sent]" in asked(router)[0]
    (item,) = page.items.values()
    assert item.fields["images"] == []
    assert "reads no pictures" in str(item.fields)


@pytest.mark.skipif(IPython.version_info < (9,), reason="IPython 8 keeps the value of a cell, not what it showed")
def test_the_reason_why_a_picture_is_not_sent_is_a_notice(
    page: Page, session: Session, shell: InteractiveShell
) -> None:
    shell.run_cell(
        "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')", store_history=True
    )
    assert page.do("ask", text="What is on @above?")
    page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
    page.wait_for(lambda: "image/svg+xml can't be sent. Next: show it as PNG" in str(page.fields))
