"""What a prompt of the compare panel names: filled in as in a cell, told, refused, and kept as it was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.widgets.page import Page
from tests.widgets.shells import shell_in
from tests.widgets.test_compare_board import kept as handed_on
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.completion.images import load_image
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.widgets.compare import ComparePanel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
KEY = "sk-Zt5Rk2Wq8Lm1Xv7abc"
BEFORE = "Asked as before: names stand for what they stood for then. Change the prompt to have them looked up."


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    (tmp_path / "notes.md").write_text("buy {total} milk", encoding="utf-8")
    with shell_in(tmp_path, monkeypatch, "total = 41") as made:
        yield made


@pytest.fixture
def panel(session: Session) -> Iterator[ComparePanel]:
    session.models()
    made = ComparePanel(session, models=["claude-haiku-4-5", "gpt-6-luna"])
    yield made
    made.close()


@pytest.fixture
def page(panel: ComparePanel) -> Page:
    return Page(panel)


def asked(router: SandboxRouter) -> list[str]:
    return [r.body["messages"][-1]["content"] for r in router.requests if r.path.endswith("/chat/completions")]


def ran(page: Page, text: str, *, several: bool = False) -> None:
    """Ask it, and wait until another comparison is over than before."""
    number = page.fields["number"]
    assert page.do("run", text=text, several=several)
    page.wait_for(lambda: page.fields["number"] > number and not page.fields["running"] and not page.fields["busy"])


def refused(page: Page, text: str, *, several: bool = False) -> str:
    page.do("run", text=text, several=several)
    page.wait_for(lambda: bool(page.fields["problem"]) and not page.fields["busy"])
    return str(page.fields["problem"])


def test_what_is_named_goes_to_every_model_and_is_told(page: Page, panel: ComparePanel, router: SandboxRouter) -> None:
    typed = "Add {total} to @above and @notes.md, not to \\@above or a@b.c"
    ran(page, typed)
    one, other = asked(router)
    assert one == other
    assert one.startswith("Add 41 to @above and @notes.md, not to @above or a@b.c\n\n")
    assert "```python\ntotal = 41\n```" in one
    assert one.endswith("```md\nbuy {total} milk\n```")  # what goes along is never looked at again
    assert page.fields["prompt"] == typed
    assert page.fields["said"] == "With the question: @above (1 line), @notes.md (16 bytes)."
    assert panel.comparison is not None
    assert panel.comparison.setup.as_typed == typed
    assert page.fields["sent"] == one  # a chip opens it, with all that went along


def test_what_is_cut_of_a_file_opens_what_was_sent_of_it(
    page: Page, panel: ComparePanel, router: SandboxRouter, tmp_path: Path
) -> None:
    (tmp_path / "long.md").write_text("milk and bread\n" * 5_000, encoding="utf-8")
    ran(page, "What is in @long.md?")
    ((label, says, kind, sent),) = page.fields["warns"]
    assert (kind, says) == ("warn", label)
    assert label.startswith("@long.md: ")
    assert label.endswith(" of 75,000 bytes sent")
    shown, _, more = sent.partition("\n[… ")
    assert shown.startswith("```md\nmilk and bread\nmilk")
    assert shown in asked(router)[0]
    assert " characters more were sent here]\n" in more
    assert page.fields["notices"] == ""


def test_asked_again_as_it_is_it_means_the_same_and_changed_it_is_looked_up(
    page: Page, router: SandboxRouter, shell: InteractiveShell
) -> None:
    ran(page, "Is {total} a prime?")
    shell.run_cell("total = 42", store_history=True)
    for _ in "twice":
        ran(page, page.fields["prompt"])
        assert asked(router)[-1] == "Is 41 a prime?"
        assert page.fields["said"] == BEFORE
        assert page.fields["prompt"] == "Is {total} a prime?"
    ran(page, "Is {total} an even number?")
    assert asked(router)[-1] == "Is 42 an even number?"
    assert page.fields["said"] == ""


def test_what_a_cell_has_asked_stands_there_as_it_was_typed(session: Session, router: SandboxRouter) -> None:
    session.models()
    made = prepare(session, "Is 41 {total} a prime?", "claude-haiku-4-5", as_typed="Is {total} {{total}} a prime?")
    panel = ComparePanel(session, session.bridge.run(made))
    page = Page(panel)
    assert page.fields["prompt"] == "Is {total} {{total}} a prime?"
    ran(page, page.fields["prompt"])
    assert asked(router) == ["Is 41 {total} a prime?"]
    assert page.fields["said"] == BEFORE
    panel.close()


def test_text_from_python_is_data(session: Session, router: SandboxRouter) -> None:
    session.models()
    panel = ComparePanel(session, models=["claude-haiku-4-5"], prompt="What does {total} mean in @notes.md?")
    page = Page(panel)
    ran(page, page.fields["prompt"])
    assert asked(router) == ["What does {total} mean in @notes.md?"]
    assert page.fields["said"] == ""
    panel.close()


@pytest.mark.parametrize(
    "given",
    [
        ["What is {total}?\n", "Explain @notebook and @notes.md "],
        ["Is {total}\r\nin @notes.md?"],
        [" {total}\x0c{total}\u2028@above\n", "---"],
    ],
)
def test_data_comes_out_of_the_box_as_data(session: Session, router: SandboxRouter, given: list[str]) -> None:
    session.models()
    panel = ComparePanel(session, session.bridge.run(prepare(session, given, "claude-haiku-4-5")))
    page = Page(panel)
    shown = "\n".join(page.fields["prompt"].splitlines())  # as a browser's box has it
    ran(page, shown, several=len(given) > 1)
    assert sorted(asked(router)) == sorted(given)
    assert page.fields["said"] == ""
    panel.close()


def test_what_was_no_variable_is_looked_for_again(page: Page, router: SandboxRouter, shell: InteractiveShell) -> None:
    ran(page, "What is {later}?")
    assert asked(router)[-1] == "What is {later}?"
    line = "{later} isn't a variable here and stays as typed."
    assert page.fields["unfilled"] == [[line.removesuffix("."), line, "warn", "What is {later}?"]]
    assert page.fields["said"] == ""
    shell.user_ns["much"] = "x" * 20_000
    ran(page, "What are {much} and {later}?")
    ((*_, sent),) = page.fields["unfilled"]
    assert sent.startswith("[… 16,014 characters were sent before]\nxxx")
    assert sent.endswith("x and {later}?")
    shell.user_ns["later"] = 7
    ran(page, "What is {later}?")
    assert asked(router)[-1] == "What is 7?"


def test_of_a_refusal_nothing_is_said_to_have_gone_along(page: Page, router: SandboxRouter) -> None:
    assert page.do("set", name="max_cost", value="0.0000001")
    assert refused(page, "Explain @above")
    assert (asked(router), page.fields["said"]) == ([], "")


def test_another_kernel_looks_for_a_picture_that_it_has_not(
    page: Page, shell: InteractiveShell, session: Session
) -> None:
    shell.user_ns["picture"] = load_image(PICTURE)
    ran(page, "Describe {picture}")
    before = handed_on(page)
    session.comparison = None  # as in a new kernel
    later = ComparePanel(session)
    again = Page(later)
    again.do("take", **before)
    again.wait_for(lambda: bool(again.items))
    ran(again, again.fields["prompt"])
    assert later.comparison is not None
    assert len(later.comparison.setup.images) == 1
    assert again.fields["said"] == ""
    later.close()


def test_a_key_in_what_is_named_is_refused(
    page: Page, router: SandboxRouter, shell: InteractiveShell, tmp_path: Path
) -> None:
    known = Secret(KEY, host=router.host)
    shell.user_ns["token"] = KEY
    (tmp_path / "key.txt").write_text(KEY, encoding="utf-8")
    for text in ("What is {token}?", "What is in @key.txt?"):
        problem = refused(page, text)
        assert "key" in problem
        assert KEY not in problem
    assert asked(router) == []
    assert known  # until here


@pytest.mark.parametrize("text", ["explain @[99]", "see @../x.md"])
def test_what_cannot_go_is_said_and_nothing_is_sent(page: Page, router: SandboxRouter, text: str) -> None:
    assert "nothing was sent" in refused(page, text)
    assert asked(router) == []


def test_a_slip_is_said(page: Page) -> None:
    ran(page, "see @note.md")
    assert page.fields["said"] == "@note.md isn't a file here and stays as typed. Did you mean @notes.md?"


def test_each_of_several_prompts_names_for_itself(page: Page, router: SandboxRouter) -> None:
    typed = "Is {total} a prime?\n---\nExplain @above"
    ran(page, typed, several=True)
    assert sorted({prompt.partition("\n")[0] for prompt in asked(router)}) == ["Explain @above", "Is 41 a prime?"]
    assert page.fields["prompt"] == typed
    assert page.fields["said"] == "With the question: @above (1 line)."
    count = len(asked(router))
    ran(page, typed, several=True)
    assert sorted(asked(router)[count:]) == sorted(asked(router)[:count])
    assert page.fields["said"] == BEFORE


def test_a_picture_goes_with_one_prompt_only(
    page: Page, panel: ComparePanel, shell: InteractiveShell, router: SandboxRouter
) -> None:
    shell.user_ns["picture"] = load_image(PICTURE)
    assert "compare that prompt alone" in refused(page, "Describe {picture}\n---\nSay hello.", several=True)
    assert asked(router) == []
    ran(page, "Describe {picture}")
    ran(page, "Describe {picture} in a word")  # that of the variable, once
    assert panel.comparison is not None
    assert len(panel.comparison.setup.images) == 1
    ran(page, "Say hello.")
    assert panel.comparison.setup.images == ()


def test_the_next_prompt_has_nothing_of_what_the_last_one_named(
    page: Page, panel: ComparePanel, shell: InteractiveShell
) -> None:
    shell.user_ns.update(picture=load_image(PICTURE), d={"a": 1})
    ran(page, "Describe {picture} {d['a']}")
    shell.user_ns.update(picture="no picture any more", d={})
    ran(page, "Say hello.")
    assert panel.comparison is not None
    assert (panel.comparison.setup.prompts, panel.comparison.setup.images) == (("Say hello.",), ())


def test_names_are_offered_while_one_types(page: Page) -> None:
    page.do("offer", of="box", line="Add {to")
    page.wait_for(lambda: page.messages[-1].get("to") == "box")
    assert page.messages[-1]["offered"] == [["{total}", "int"]]


def sent_pictures(router: SandboxRouter) -> dict[str, int]:
    """How many pictures each model got with its last question."""
    found = {}
    for request in router.requests:
        if request.path.endswith("/chat/completions"):
            content = request.body["messages"][-1]["content"]
            found[request.body["model"]] = sum(part["type"] == "image_url" for part in content if part != str(part))
    return found


def test_the_picture_of_an_output_goes_to_the_models_that_see(
    page: Page, panel: ComparePanel, router: SandboxRouter, shell: InteractiveShell
) -> None:
    shell.run_cell("import PIL.Image\nPIL.Image.new('RGB', (321, 10))", store_history=True)
    assert page.do("add", model="groq/openai/gpt-oss-20b")
    ran(page, "What is on @above?")
    expected = {"claude-haiku-4-5": 1, "gpt-6-luna": 1, "groq/openai/gpt-oss-20b": 0}
    assert sent_pictures(router) == expected
    assert page.fields["said"] == "With the question: @above (2 lines, output 1 line, 1 picture)."
    notes = [note for cell in panel.comparison.cells for note in cell.answer.notes]
    assert sum("reads no pictures" in note for note in notes) == 1
    shell.run_cell("'another cell'", store_history=True)
    ran(page, "What is on @above?")  # as it was
    assert page.fields["said"] == BEFORE
    assert sent_pictures(router) == expected


def test_with_several_prompts_no_picture_goes_and_that_is_said(
    page: Page, router: SandboxRouter, shell: InteractiveShell
) -> None:
    shell.run_cell("import PIL.Image\nPIL.Image.new('RGB', (321, 10))", store_history=True)
    ran(page, "What is on @above?\n---\nSay hello.", several=True)
    assert set(sent_pictures(router).values()) == {0}
    assert "a picture would go with all of these prompts. Next: compare that prompt alone." in page.fields["said"]
