"""Ask on a cell's toolbar, as a person uses it: shown first, sent then, put into the notebook at a click only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.test_lab_extension import LOAD, cell, command, notices
from tests.browser.test_lab_failures import MODEL, Below, asked
from tests.render.hostile import HOSTILE
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell
    from tetrate_jupyter.sandbox import SandboxRouter

SUM = "def mean(xs):\n    if xs == None:\n        return 0\n    return sum(xs) / len(xs)"
BETTER = SUM.replace("== None", "is None")
pytestmark = pytest.mark.usefixtures("signed_in")


class Asked(Below):
    """What stands below a cell that was asked about."""

    def __init__(self, about: Cell) -> None:
        self.box = about.box.get_by_role("group", name="Tetrate on this cell")


def ask_button(about: Cell) -> Locator:
    return about.box.locator("[data-jp-item-name=tetrate-ask]").get_by_role("button", name="Ask")


def ask(about: Cell, wish: str) -> Asked:
    """Press Ask and choose in its menu, with the mouse."""
    about.box.locator(".cm-content").click()
    choose(about, wish)
    return Asked(about)


def choose(about: Cell, wish: str) -> None:
    ask_button(about).click()
    about.page.get_by_role("menuitem", name=wish, exact=True).click()


def select(about: Cell, line: int, *keys: str) -> None:
    """Put the cursor at the start of a line and press keys."""
    about.box.locator(".cm-content").click()
    for key in ("Control+Home", *["ArrowDown"] * line, "Home", *keys):
        about.page.keyboard.press(key)


def test_a_better_cell_is_shown_first_then_sent_and_applied_at_a_click_only(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    notebook = opened(MODEL, SUM, "1 + 1")
    notebook[0].run()
    before = asked(lab_router)
    below = ask(notebook[1], "Improve")
    expect(below.box).to_contain_text("Improve the cell with claude-haiku-4-5? What goes to it:")
    expect(below.box).to_contain_text("cost ≈ $")
    below.box.get_by_text("the cell (4 lines)", exact=True).click()
    expect(below.box.get_by_text("if xs == None:")).to_be_visible()
    assert axe.findings(below.box) == []
    below.press("Cancel")
    expect(below.box).to_have_count(0)
    assert asked(lab_router) == before
    below = ask(notebook[1], "Improve")
    below.press("Send")
    expect(below.box).to_contain_text("+    if xs is None:")
    assert notebook[1].source == SUM
    assert asked(lab_router) == before + 1
    assert axe.findings(below.box) == []
    select(notebook[1], 0, "End")
    page.keyboard.type("  # mine")
    below.press("Apply")
    expect(notices(page)).to_contain_text("nothing was changed")
    page.keyboard.press("Escape")
    select(notebook[1], 0, "End", *["Backspace"] * len("  # mine"))
    notebook[1].reads(SUM)
    below.press("Apply")
    notebook[1].reads(BETTER)
    expect(below.box).to_contain_text("Applied.")
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+z")
    notebook[1].reads(SUM)
    below = ask(notebook[1], "Document")
    below.press("Send", "Apply and run")
    expect(notebook[1].box.locator(".jp-InputPrompt")).to_have_text("[2]:")
    assert '"""Return the mean of `xs`."""' in notebook[1].source
    expect(below.box).to_have_count(0)
    assert notebook[2].run() == "2"
    expect(notebook[2].box.locator(".jp-InputPrompt")).to_have_text("[3]:")  # what was asked is nobody's run
    notebook.save()
    saved = json.loads(notebook.path.read_text())
    assert saved["cells"][1]["outputs"] == []


def test_of_what_is_selected_only_that_is_changed(opened: Opens, page: Page) -> None:
    source = f"{SUM}\n\ndef none(x):\n    return x == None"
    notebook = opened(MODEL, source)
    notebook[0].run()
    select(notebook[1], 1, "Shift+ArrowDown", "Shift+ArrowDown")
    ask_button(notebook[1]).click()
    expect(page.get_by_role("menuitem", name="Of the selection (2 lines)")).to_be_visible()
    page.get_by_role("menuitem", name="Improve", exact=True).click()
    below = Asked(notebook[1])
    expect(below.box).to_contain_text("Improve the selection with")
    expect(below.box).to_contain_text("the cell around it (7 lines)")
    below.press("Send", "Apply")
    notebook[1].reads(source.replace("== None", "is None", 1))


def test_new_code_goes_into_a_cell_below_and_is_not_run(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM, "1 + 1")
    notebook[0].run()
    below = ask(notebook[1], "Write tests")
    below.press("Send", "Discard")
    expect(below.box).to_have_count(0)
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(3)
    below = ask(notebook[1], "Write tests")
    below.press("Send")
    expect(below.box).to_contain_text("assert callable(mean)")
    assert notebook[1].source == SUM
    below.press("Insert below")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)
    cell(page, 2).reads("def test_mean():\n    assert callable(mean)\n\n\ntest_mean()")
    expect(cell(page, 2).box.locator(".jp-InputPrompt")).to_have_text("[ ]:")
    assert cell(page, 1).source == SUM


def test_with_the_keyboard_alone_from_the_palette(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM)
    notebook[0].run()
    notebook[1].box.locator(".cm-content").click()
    command(page, "Tetrate: explain this cell")
    below = Asked(notebook[1])
    expect(below.box).to_be_focused()
    expect(below.button("Send")).to_be_visible()
    page.keyboard.press("Escape")
    expect(below.box).to_have_count(0)
    expect(page.locator(".jp-Notebook :focus, .jp-Notebook:focus")).to_have_count(1)  # back in the notebook
    command(page, "Tetrate: explain this cell")
    below.key("Send", "Enter")
    expect(below.box).to_contain_text("defines")
    below.key("Close", "Space")
    expect(below.box).to_have_count(0)
    notebook[1].box.locator(".cm-content").click()
    ask_button(notebook[1]).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Explain", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name="Explain", exact=True)).to_have_count(0)
    expect(ask_button(notebook[1])).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Explain", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(below.box).to_contain_text("Improve the cell")
    below.key("Send", "Enter")
    below.key("Apply", "Enter")
    notebook[1].reads(BETTER)


def test_a_cell_that_can_not_be_edited_is_only_explained(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, SUM)
    notebook[0].run()
    notebook.save()
    saved = json.loads(notebook.path.read_text())
    saved["cells"][1]["metadata"]["editable"] = False
    notebook.path.write_text(json.dumps(saved))
    notebook.open()
    notebook[0].run()
    below = ask(notebook[1], "Improve")
    expect(notices(page)).to_contain_text("This can't be edited: only Explain can be asked of it.")
    page.keyboard.press("Escape")
    expect(below.box).to_have_count(0)
    below = ask(notebook[1], "Explain")
    expect(below.button("Send")).to_be_visible()


def test_where_no_package_is_loaded_it_is_and_a_busy_or_missing_kernel_is_said(opened: Opens, page: Page) -> None:
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
    notebook = opened(SUM, wait)
    below = ask(notebook[0], "Explain")
    expect(below.button("Send")).to_be_visible()  # loaded by the way
    below.press("Cancel")
    notebook[1].start()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Busy")).to_be_visible()
    below = ask(notebook[0], "Explain")
    expect(below.box).to_contain_text("The kernel is busy")
    notebook.path.with_name("go").touch()
    try:
        expect(below.button("Send")).to_be_visible()
    finally:
        notebook.path.with_name("go").unlink()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Shut Down Kernel", exact=True).click()
    expect(page.locator(".jp-NotebookPanel-toolbar").get_by_text("No Kernel")).to_be_visible()
    below.press("Send")
    expect(below.box).to_contain_text("The kernel that was asked is gone.")
    below.press("Close")
    ask(notebook[0], "Explain")
    expect(notices(page)).to_contain_text("This notebook has no kernel.")


@pytest.mark.parametrize("model", ["sandbox/echo", "claude-haiku-4-5"])
def test_nothing_in_sources_and_answers_is_executed(opened: Opens, page: Page, model: str) -> None:
    texts = [text for text in HOSTILE.values() if text.isprintable()][:40]
    source = "\n".join(f"# {text}" for text in texts) + f"\ntexts = {texts!r}\nx = 1\nx = x + 1"
    notebook = opened(f"{LOAD}\n%tetrate_model {model}", source)
    notebook[0].run()
    notebook[1].box.locator(".cm-content").click()
    for wish in ("improve this cell", "explain this cell", "write tests for this cell"):
        command(page, f"Tetrate: {wish}")
        below = Asked(notebook[1])
        expect(below.button("Send")).to_be_visible()
        for summary in below.box.locator("summary").all():
            summary.click()
        expect(below.box).to_contain_text("window.PWNED=1")
        below.press("Send")
        expect(below.button("Discard").or_(below.button("Close"))).to_be_visible()
        assert page.evaluate("window.PWNED") is None
        assert "PWNED" not in page.title()
        assert below.box.locator("script, iframe, object, embed, form, base, img, [onerror], [onload]").count() == 0
    assert notebook[1].source.endswith("x = x + 1")


def test_a_setting_takes_the_button_away(opened: Opens, page: Page, lab: Lab) -> None:
    with lab.settings("tetrate-jupyter/plugin", {"askButton": False}):
        notebook = opened(SUM)
        notebook[0].box.locator(".cm-content").click()
        expect(notebook[0].box.locator("[data-jp-item-name=duplicate-cell]")).to_be_visible()
        expect(ask_button(notebook[0])).not_to_be_visible()


def test_the_quickstart_comes_beside_what_is_there(opened: Opens, page: Page, lab: Lab) -> None:
    notebook = opened("1 + 1")
    names = ("quickstart.ipynb", "quickstart-1.ipynb")
    paths = [lab.folder / name for name in names]
    paths[0].write_text("mine")
    try:
        command(page, "Tetrate: quickstart")
        tab = page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=names[1])
        expect(tab).to_be_visible()
        expect(cell(page, 0).box).to_contain_text("Quickstart: many models from one notebook")
        expect(page.locator("#jp-main-statusbar").get_by_text("| Idle")).to_be_visible()
        assert paths[0].read_text() == "mine"
        cells = json.loads(paths[1].read_text())["cells"]
        assert all(not each.get("outputs") for each in cells)
        assert not list(lab.folder.glob("Untitled*"))
        cell(page, [each["cell_type"] for each in cells].index("code")).run()  # on the kernel that gave it
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    assert notebook.path.exists()


def test_notebook_7_has_ask_and_the_quickstart(
    opened: Opens, page: Page, notebook7: Lab, lab_router: SandboxRouter
) -> None:
    key = Secret(lab_router.issue_key(), host=lab_router.host)
    KeyStore(notebook7.data / "tetrate-jupyter").save(key, store="file")
    notebook = opened(MODEL, SUM, on=notebook7)
    notebook[0].run()
    below = ask(notebook[1], "Improve")
    below.press("Send", "Apply")
    notebook[1].reads(BETTER)
    below.press("Close")
    command(page, "Tetrate: write tests for this cell")
    below.press("Send", "Insert below")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(3)
    with page.expect_popup() as popup:
        command(page, "Tetrate: quickstart")
    made = popup.value
    expect(cell(made, 0).box).to_contain_text("Quickstart: many models from one notebook")
    assert "quickstart" in made.url
    (notebook7.folder / "quickstart.ipynb").unlink()


def test_where_several_parts_are_selected_the_whole_cell_is_asked_about_and_that_is_said(
    opened: Opens, page: Page
) -> None:
    notebook = opened(MODEL, SUM)
    notebook[0].run()
    about = notebook[1]
    lines = about.box.locator(".cm-line")
    word = {"position": {"x": 10, "y": 8}}
    lines.nth(0).dblclick(**word)
    lines.nth(3).dblclick(modifiers=["Control"], position={"x": 45, "y": 8})
    expect(about.box.locator(".cm-selectionBackground")).to_have_count(2)
    ask_button(about).click()
    expect(page.get_by_role("menuitem", name="Of the whole cell (several selections)")).to_be_visible()
    page.get_by_role("menuitem", name="Improve", exact=True).click()
    below = Asked(about)
    below.press("Send", "Apply")
    about.reads(BETTER)
