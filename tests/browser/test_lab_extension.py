"""The extension of JupyterLab and Notebook 7: status item, side panel, commands, launcher, as a person uses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.notebook import Cell, write
from tests.browser.test_chat import SHOW, SLOW, Chat

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Notebook

LOAD = "%load_ext tetrate_jupyter"
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"
SAME_COLOUR = """(each, colour) => {
  const other = document.body.appendChild(document.createElement("i"));
  other.style.color = colour;
  const same = getComputedStyle(other).color === getComputedStyle(each).color;
  other.remove();
  return same;
}"""
DOT = "e => getComputedStyle(e, '::before').backgroundColor"
GREEN = "rgb(26, 127, 75)"
ASK = "%%tetrate -m claude-haiku-4-5\nSay hello."
HIDDEN = """import sys
class Hidden:  # as where it isn't installed
    def find_spec(self, name, path=None, target=None):
        if name == "tetrate_jupyter":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())"""
# A kernel whose package is another one than the page's part; what it tells is hostile.
OTHER = """from comm import create_comm
tetrate = create_comm(target_name="tetrate.session", primary=False)
get_ipython().kernel.comm_manager.register_comm(tetrate)
EVIL = "<img src=x onerror=window.ran=1>"
def hear(message, comm=tetrate):
    comm.send({{"type": "hello", "protocol": {protocol}}})
    comm.send({{"type": "unheard-of", "html": EVIL}})
    comm.send({{"type": "state", "model": EVIL, "signed_in": True, "host": EVIL, "sandbox": False, "asking": False,
               "stopped": False, "cost": EVIL, "notes": [EVIL]}})
    comm.send({{"type": "said", "lines": [EVIL]}})
tetrate.on_msg(hear)"""
pytestmark = pytest.mark.usefixtures("signed_in")


def status(page: Page) -> Locator:
    return page.locator(".tetrate-lab-status")


def side(page: Page) -> Locator:
    return page.get_by_role("region", name="Tetrate")


def cell(page: Page, index: int) -> Cell:
    """A cell of the notebook in front."""
    return Cell(page.locator(f"{FRONT} .jp-Cell").nth(index), page)


def choose(page: Page, name: str) -> None:
    """Click on the status item and choose in its menu."""
    status(page).click()
    page.get_by_role("menuitem", name=name, exact=True).click()


def command(page: Page, name: str) -> None:
    """Choose a command in the palette; again, as a person would, where the notebook took the focus and it went."""
    field = page.get_by_role("textbox", name="Command Palette").or_(page.locator(".lm-CommandPalette-input")).first
    for patience in (5_000, 10_000, 30_000):
        page.keyboard.press("Control+Shift+C")
        try:
            field.fill(name, timeout=patience)
            page.locator(".lm-CommandPalette-item", has_text=name).first.click(timeout=patience)
        except TooLate:
            if patience == 30_000 or field.is_visible():
                raise
        else:
            return


def front(page: Page, name: str) -> None:
    """Bring a notebook to the front."""
    page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=name).click()


def notices(page: Page) -> Locator:
    """Open the list of JupyterLab's notices: these tests have it show none by itself."""
    page.set_viewport_size({"width": 1900, "height": 900})  # the long names of these notebooks push its bell out
    page.locator(".jp-Notification-Status").click()
    return page.locator(".jp-Notification-Center")


def docked(page: Page) -> Chat:
    return Chat(side(page).locator(".tetrate-lab-docked:not(.lm-mod-hidden) .tetrate-panel"))


def restart(page: Page) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Restart Kernel…", exact=True).click()
    page.locator(".jp-Dialog .jp-mod-accept").click()


def test_the_status_follows_the_notebook_in_front_and_what_its_kernel_does(opened: Opens, page: Page, lab: Lab) -> None:
    other = write(lab.folder / "other.ipynb", ["1 + 1"])
    notebook = opened(LOAD, "%tetrate_model claude-haiku-4-5", ASK, f"%%tetrate -m sandbox/stream\n{SLOW}")
    expect(status(page)).to_have_text("Load Tetrate")
    notebook[0].run()
    # the sandbox is known where another has asked it
    expect(status(page)).to_contain_text("no model yet · this notebook: $0 today")
    notebook[1].run()
    expect(status(page)).to_contain_text("claude-haiku-4-5 · this notebook: $0 today")
    notebook[2].run()
    expect(status(page)).to_have_text("sandbox · claude-haiku-4-5 · this notebook: $0.000055 today")
    notebook[3].start()
    expect(status(page)).to_contain_text("asking…")
    expect(notebook[3].box.locator(".jp-InputPrompt")).to_have_text("[*]:")  # told while it runs

    page.locator(".jp-DirListing-item", has_text=other.name).dblclick()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Idle")).to_be_visible()
    expect(status(page)).to_have_text("Load Tetrate")
    status(page).click()
    expect(status(page)).to_have_text("sandbox · no model yet · this notebook: $0 today")  # its own, not the other's
    cell(page, 0).run()
    expect(cell(page, 0).box.locator(".jp-InputPrompt")).to_have_text("[1]:")  # no history of what was loaded

    front(page, notebook.path.name)
    expect(status(page)).to_contain_text("asking…")
    page.locator(f"{FRONT} .jp-InputPrompt").first.click()
    notebook.interrupt()
    expect(status(page)).to_contain_text("claude-haiku-4-5 · stopped · this notebook: $0.000055")
    assert status(page).evaluate(DOT) == GREEN
    choose(page, "Sign out")
    expect(notices(page)).to_contain_text("key")
    expect(status(page)).to_have_text("Tetrate: sandbox · not signed in")
    assert status(page).evaluate(DOT) == "rgba(0, 0, 0, 0)"  # a ring: nothing is ready
    status(page).click()
    expect(page.get_by_role("menuitem", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("menuitem", name="This notebook today: ≈ $0.000055", exact=False)).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_side_panel_has_the_chat_of_the_notebook_in_front(opened: Opens, page: Page, lab: Lab, theme: str) -> None:
    other = write(lab.folder / f"beside-{theme[-5:].strip()}.ipynb", ["1 + 1"])
    with lab.theme(theme):
        notebook = opened("'not loaded'", "%%tetrate\nThe word is plugh.")
    command(page, "Tetrate: chat")
    expect(side(page)).to_contain_text("Tetrate isn't loaded in this notebook's kernel.")
    assert axe.findings(side(page)) == []
    side(page).get_by_role("button", name="Load").click()
    chat = docked(page)
    chat.asked(SHOW)
    expect(chat.messages.last.locator("math").first).to_be_visible()
    fills = "([box, room]) => box.getBoundingClientRect().height > room.getBoundingClientRect().height - 60"
    page.wait_for_function(fills, arg=[chat.box.element_handle(), side(page).element_handle()])  # all, under the tabs
    expect(chat.prompt).to_be_in_viewport(ratio=1)
    notebook[1].run()
    expect(chat.messages.last).to_contain_text("plugh")  # one conversation
    assert axe.findings(side(page)) == []
    assert axe.findings(status(page)) == []

    page.locator(".jp-DirListing-item", has_text=other.name).dblclick()
    expect(side(page)).to_contain_text("Tetrate isn't loaded in this notebook's kernel.")
    expect(chat.box).not_to_be_visible()
    side(page).get_by_role("button", name="Load").click()
    second = docked(page)
    second.asked("The word is frotz.")
    front(page, notebook.path.name)
    expect(docked(page).messages.last).to_contain_text("plugh")
    expect(side(page).get_by_text("frotz").first).not_to_be_visible()
    assert not notebook[0].outputs.count()

    side(page).get_by_role("button", name="Models").click()
    expect(side(page).locator(".tetrate-option").first).to_be_visible()
    assert axe.findings(side(page)) == []
    side(page).get_by_role("button", name="Usage").click()
    expect(side(page).get_by_text("Spent today").first).to_be_visible()

    restart(page)
    expect(side(page)).to_contain_text("Tetrate isn't loaded in this notebook's kernel.")
    expect(status(page)).to_have_text("Load Tetrate")
    side(page).get_by_role("button", name="Load").click()
    side(page).get_by_role("button", name="Chat").click()
    expect(docked(page).messages).to_have_count(2)  # what was asked before is taken back
    expect(docked(page).messages.last).to_contain_text("plugh")


def test_the_docked_box_stays_at_the_end_of_the_panel(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD)
    notebook[0].run()
    command(page, "Tetrate: chat")
    chat = docked(page)
    box = chat.box.locator(".tetrate-composer")
    expect(chat.box.locator(".tetrate-example").first).to_be_visible()
    empty, room, cards = (
        box.bounding_box(),
        side(page).bounding_box(),
        chat.box.locator(".tetrate-cards").bounding_box(),
    )
    assert empty is not None
    assert room is not None
    assert cards is not None
    assert room["y"] + room["height"] - empty["y"] - empty["height"] <= 16
    assert (cards["x"], cards["width"]) == (empty["x"], empty["width"])
    chat.asked("Say hello.")
    assert box.bounding_box() == empty
    chat.button("More").click()
    chat.box.get_by_role("menuitem", name="Earlier").click()
    expect(chat.box.get_by_role("button", name="Keep conversations")).to_be_visible()
    assert box.bounding_box() == empty


def test_code_of_the_side_panel_goes_into_its_own_notebook(opened: Opens, page: Page, lab: Lab) -> None:
    other = write(lab.folder / "another.ipynb", ["'another'"])
    notebook = opened(LOAD + "\n%tetrate_model sandbox/echo", "mine = 1", "last = 1")
    notebook[0].run()
    command(page, "Tetrate: chat")
    chat = docked(page)
    code = chat.asked("```python\nn = 6 * 7\nprint(n)\n```").locator(".tetrate-code")
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    below = chat.button("Insert below", code)
    expect(below).to_have_attribute("title", "Insert as a new cell below the cell that begins with mine = 1")
    below.click()
    notebook[2].reads("n = 6 * 7\nprint(n)")
    assert notebook[2].box.locator(".jp-OutputArea-output").count() == 0
    expect(below).to_have_attribute("title", re.compile("begins with n = 6"))  # the next goes below that
    chat.button("Run in a new cell below", code).click()
    notebook[3].wait()
    assert notebook[3].text == "42"
    notebook[4].reads("last = 1")
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    code.get_by_role("button", name="Replace the code of the cell that begins with mine = 1").click()
    notebook[1].reads("n = 6 * 7\nprint(n)")
    assert axe.findings(side(page)) == []

    page.locator(".jp-DirListing-item", has_text=other.name).dblclick()
    expect(cell(page, 0).box).to_contain_text("another")
    expect(chat.box).not_to_be_visible()
    front(page, notebook.path.name)
    chat.button("Insert below", code).click()
    notebook.save()
    assert notebook.path.read_text().count("n = 6 * 7") == 4
    assert "6 * 7" not in other.read_text()
    chat.button("Compare", chat.messages.last).click()
    expect(page.locator(f"{FRONT} .jp-Cell").nth(3)).to_contain_text("session.side_by_side")


def test_code_of_the_side_panel_is_not_put_into_a_notebook_that_is_read_only(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD + "\n%tetrate_model sandbox/echo", "mine = 1")
    notebook[0].run()
    command(page, "Tetrate: chat")
    chat = docked(page)
    code = chat.asked("```python\nn = 6 * 7\n```").locator(".tetrate-code")
    page.evaluate("() => { const w = document.querySelector('#tetrate-panel .tetrate-lab-docked').tetrateNotebook;"
                  " w.model.readOnly = true; }")  # fmt: skip
    chat.button("Insert below", code).click()
    expect(chat.box).to_contain_text("This notebook is read-only. Next: copy the code")
    chat.button("Run in a new cell below", code).click()
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(2)


def test_what_is_opened_while_a_cell_runs_says_that_it_waits(opened: Opens, page: Page) -> None:
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
    notebook = opened(LOAD, wait)
    notebook[0].run()
    expect(status(page)).to_have_text("no model yet · this notebook: $0 today")
    notebook[1].start()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Busy")).to_be_visible()
    choose(page, "Chat")
    expect(side(page)).to_contain_text("The kernel is busy: this opens after the running cell.")
    notebook.path.with_name("go").touch()
    try:
        expect(docked(page).prompt).to_be_visible()
    finally:
        notebook.path.with_name("go").unlink()
    expect(side(page).locator(".tetrate-lab-note")).not_to_be_visible()


def test_a_long_conversation_is_docked_at_its_end_with_its_model_and_no_news(opened: Opens, page: Page) -> None:
    asked = "\n".join(f"session.ask('Write a haiku about {word}.')" for word in ("rain", "snow", "sand", "dust"))
    notebook = opened(LOAD, f"from tetrate_jupyter import session\n{asked}\nsession.conversation.reset()\n{asked};")
    notebook[0].run()
    notebook[1].run()
    command(page, "Tetrate: chat")
    chat = docked(page)
    expect(chat.messages.last.locator(".tetrate-figures")).to_be_in_viewport()
    expect(chat.button("New answer ↓")).not_to_be_visible()
    name = chat.box.locator(".tetrate-opener .tetrate-id > b")
    expect(name).to_have_text("claude-haiku-4-5")
    assert name.evaluate("e => e.scrollWidth <= e.clientWidth")
    chat.button("More").click()
    chat.box.get_by_role("menuitem", name="Earlier").click()
    chat.box.get_by_role("button", name="Write a haiku about rain").first.click()
    expect(chat.messages).to_have_count(4)
    chat.button("New").click()
    expect(chat.prompt).to_be_focused()


def test_a_kernel_that_takes_its_time_to_end_keeps_the_conversation(opened: Opens, page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method in ("DELETE", "POST"):
            held.append(route)
        else:
            route.fallback()

    opened("1 + 1")
    command(page, "Tetrate: chat")
    side(page).get_by_role("button", name="Load").click()
    chat = docked(page)
    expect(chat.model).to_have_accessible_name(re.compile(r"^Model: .+ \(default\)$"))  # the models are listed
    chat.choose("claude-haiku-4-5")
    chat.asked("The word is xyzzy.")

    page.route(re.compile("/api/kernels/[^/]+/restart"), hold)
    chat.box.evaluate("panel => { panel.dataset.stays = 'yes'; }")
    restart(page)
    page.wait_for_timeout(3000)  # the kernel lives and answers all this while: nothing is asked of it
    expect(chat.box).to_have_attribute("data-stays", "yes")
    expect(chat.messages).to_have_count(1)
    expect(side(page)).not_to_contain_text("no kernel")
    command(page, "Tetrate: load in this notebook")  # at once: it waits for the new kernel
    held.pop().continue_()
    expect(chat.box).not_to_have_attribute("data-stays", "yes")
    expect(chat.messages).to_have_count(1)
    chat.asked("And now?")
    expect(chat.messages).to_have_count(2)

    page.route("**/api/sessions/*", hold)
    chat.box.evaluate("panel => { panel.dataset.stays = 'yes'; }")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
    page.wait_for_timeout(3000)
    expect(chat.box).to_have_attribute("data-stays", "yes")
    held.pop().continue_()
    page.unroute("**/api/sessions/*")
    expect(chat.box.locator(":scope > .tetrate-gone")).to_contain_text("The kernel has ended.")
    chat.button("Reconnect").click()
    expect(chat.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    expect(chat.messages).to_have_count(2)
    chat.asked("And after it ended?")


def test_a_restart_leaves_the_side_panels_conversation_to_be_taken_back(opened: Opens, page: Page) -> None:
    opened("1 + 1")
    command(page, "Tetrate: chat")
    side(page).get_by_role("button", name="Load").click()
    chat = docked(page)
    expect(chat.model).to_have_accessible_name(re.compile(r"^Model: .+ \(default\)$"))
    expect(status(page)).to_contain_text("(default)")
    chat.choose("claude-haiku-4-5")
    chat.asked("The word is xyzzy.")
    chat.asked("And now?")
    chat.prompt.fill("A draft.")
    restart(page)
    expect(chat.box.locator(":scope > .tetrate-gone")).to_contain_text("The kernel was restarted.")
    expect(chat.prompt).to_be_in_viewport(ratio=1)
    room, box = side(page).bounding_box(), chat.box.locator(":scope > .tetrate-chat").bounding_box()
    assert room is not None
    assert box is not None
    assert box["y"] + box["height"] <= room["y"] + room["height"] + 1
    expect(side(page)).not_to_contain_text("isn't loaded")
    expect(chat.messages).to_have_count(2)  # it can still be read
    assert axe.findings(side(page)) == []
    chat.button("Reconnect").click()
    expect(chat.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    expect(chat.messages).to_have_count(2)
    expect(chat.messages.first).to_contain_text("xyzzy")
    expect(chat.model).to_have_accessible_name("Model: claude-haiku-4-5")
    expect(chat.prompt).to_have_value("A draft.")

    restart(page)  # and what is loaded in another way
    expect(chat.box.locator(":scope > .tetrate-gone")).to_contain_text("The kernel was restarted.")
    status(page).click()
    expect(chat.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    expect(chat.messages).to_have_count(2)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
    expect(chat.box.locator(":scope > .tetrate-gone")).to_contain_text("The kernel has ended.")
    chat.button("Reconnect").click()
    expect(chat.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    expect(chat.messages).to_have_count(2)
    expect(chat.model).to_have_accessible_name("Model: claude-haiku-4-5")


def test_reconnect_in_a_cell_leaves_what_was_asked_beside_it_since(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    here = Chat(notebook[1].box.locator(".tetrate-panel"))
    here.asked("The word is xyzzy.")
    restart(page)
    expect(here.box.locator(":scope > .tetrate-gone")).to_be_visible()
    command(page, "Tetrate: chat")
    side(page).get_by_role("button", name="Load").click()
    docked(page).asked("Name a colour.")
    here.button("Reconnect").click()
    expect(here.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    expect(here.messages).to_have_count(1)
    expect(here.messages).to_contain_text("xyzzy")
    expect(here.box).to_contain_text("see Earlier")
    notebook.save()
    saved = notebook.path.read_text()
    assert "xyzzy" in saved
    here.box.get_by_role("button", name="Earlier conversations").click()
    here.box.get_by_role("list", name="In this kernel").get_by_role("button", name="Name a colour.").click()
    expect(docked(page).messages).to_contain_text("Name a colour.")


def test_the_commands_add_cells_below(opened: Opens, page: Page) -> None:
    notebook = opened("1 + 1")
    notebook[0].run()
    page.locator(f"{FRONT} .jp-InputPrompt").first.click()
    command(page, "Tetrate: new prompt cell")
    expect(notebook[1].box.locator(".cm-content")).to_be_focused()
    page.keyboard.type("Say hello.")
    assert notebook[1].source == "%%tetrate\nSay hello."
    assert "Hello!" in notebook[1].run()
    command(page, "Tetrate: compare models")
    expect(page.locator(f"{FRONT} .tetrate-compare").get_by_label("Prompt", exact=True)).to_be_focused()
    page.locator(f"{FRONT} .jp-InputPrompt").first.click()  # a panel's box keeps the page's keys to itself
    command(page, "Tetrate: sign in")
    expect(docked(page).prompt).to_be_visible()  # somebody has


def test_asking_about_a_cell_adds_a_prompt_with_its_source_as_it_stands(opened: Opens, page: Page) -> None:
    source = "region = 'north'\nprint(f'{region} ```')"
    notebook = opened(LOAD + "\n%tetrate_model sandbox/echo", source)
    notebook[0].run()
    notebook[1].run()
    page.locator(f"{FRONT} .jp-InputPrompt").nth(1).click()
    command(page, "Tetrate: ask about this cell")
    expect(notebook[2].box.locator(".cm-content")).to_be_focused()
    page.keyboard.type("What is printed?")
    notebook[2].reads(f"%%tetrate -n\nWhat is printed?\n\n````python\n{source}\n````")
    shown = notebook[2].run()
    assert "What is printed?" in shown
    assert "{region}" in shown  # no value of the notebook
    assert notebook[1].source == source


def test_asking_about_an_output_names_its_cell_in_the_chats_box(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD + "\n%tetrate_model sandbox/echo", "print('forty', 'two')", "1 + 1")
    for each in range(3):
        notebook[each].run()

    def ask(index: int) -> None:
        notebook[index].box.locator(".jp-OutputArea-output").first.click(button="right", position={"x": 5, "y": 5})
        page.locator(".lm-Menu-itemLabel").get_by_text("Tetrate: ask about this output", exact=True).click()

    ask(1)
    expect(docked(page).prompt).to_have_value("@[2] ")
    expect(docked(page).prompt).to_be_focused()
    page.keyboard.type("is what?")
    ask(2)
    expect(docked(page).prompt).to_have_value("@[2] is what? @[3] ")
    docked(page).prompt.press("Control+Enter")
    expect(docked(page).messages).to_have_count(1)
    expect(docked(page).messages.last).to_have_attribute("aria-busy", "false")
    expect(docked(page).messages.last).to_contain_text("forty two")  # its output went along

    restart(page)
    notebook[0].run()
    ask(2)  # whatever runs next in this kernel gets its number
    expect(notices(page)).to_contain_text("or another kernel ran it")
    expect(docked(page).prompt).to_have_value("")


def test_a_notebook_whose_kernel_has_not_the_package(opened: Opens, page: Page) -> None:
    notebook = opened(HIDDEN, "sys.meta_path.pop(0); None")
    notebook[0].run()
    status(page).click()
    expect(status(page)).to_have_text("Tetrate: not installed")
    command(page, "Tetrate: chat")
    expect(side(page)).to_contain_text("Next: %pip install tetrate-jupyter")
    notebook[1].run()
    side(page).get_by_role("button", name="Load").click()
    expect(docked(page).prompt).to_be_visible()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
    expect(side(page)).to_contain_text("The kernel has ended.")
    expect(status(page)).not_to_be_visible()


def test_another_release_in_the_kernel_is_told_what_to_do(opened: Opens, page: Page) -> None:
    notebook = opened(OTHER.format(protocol=2), OTHER.format(protocol=0))
    notebook[0].run()
    expect(status(page)).to_have_text("Tetrate: reload the page")
    command(page, "Tetrate: chat")
    expect(side(page)).to_contain_text("Next: update tetrate-jupyter where Jupyter runs, and reload the page.")
    restart(page)
    expect(status(page)).to_have_text("Load Tetrate")
    notebook[1].run()
    expect(status(page)).to_have_text("Tetrate: update the kernel's package")
    expect(side(page)).to_contain_text("Next: %pip install --upgrade tetrate-jupyter")


def test_what_a_kernel_tells_is_text(opened: Opens, page: Page) -> None:
    notebook = opened(OTHER.format(protocol=1))
    notebook[0].run()
    expect(status(page)).to_contain_text("<img src=x onerror=window.ran=1> ·")
    status(page).click()
    expect(page.get_by_role("menuitem", name="<img src=x", exact=False).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(notices(page)).to_contain_text("<img src=x")
    command(page, "Tetrate: chat")
    expect(side(page)).to_contain_text("This can't be shown")
    assert page.evaluate("window.ran") is None
    assert (
        page.locator("#jp-main-statusbar img, .lm-Menu img, .jp-Notification-List img, #tetrate-panel img").count() == 0
    )


def test_the_launcher_makes_a_notebook_with_the_chat_beside_it(opened: Opens, page: Page) -> None:
    opened("1 + 1")
    page.keyboard.press("Control+Shift+L")
    page.locator(".jp-Launcher-section", has_text="Tetrate").locator(".jp-LauncherCard", has_text="Chat").click()
    chat = docked(page)
    chat.asked("The word is xyzzy.")
    expect(chat.messages.last).to_contain_text("xyzzy")
    expect(page.locator(f"{FRONT} .jp-Cell")).to_have_count(1)


def test_notebook_7_has_commands_and_side_panel(opened: Opens, page: Page, notebook7: Lab) -> None:
    notebook: Notebook = opened(LOAD, on=notebook7)
    notebook[0].run()
    command(page, "Tetrate: chat")
    expect(side(page).locator(".tetrate-panel").first).to_be_visible()
    room = side(page).bounding_box()
    assert room is not None
    assert room["x"] + room["width"] <= 1280 + 1  # nothing is cut off
    assert page.locator(".tetrate-lab-status").count() == 0  # there is no status bar
    assert axe.findings(side(page)) == []


@pytest.mark.parametrize("place", ["lab", "notebook7"])
def test_prompts_are_coloured_as_markdown_and_only_they(
    opened: Opens, page: Page, request: pytest.FixtureRequest, place: str
) -> None:
    prompt = "Is it **bold** for you?"
    notebook: Notebook = opened(f"%%tetrate\n{prompt}", "import os", on=request.getfixturevalue(place))

    def part(cell: Cell, text: str) -> Locator:
        return cell.box.locator(".cm-line span").get_by_text(text, exact=True)

    expect(part(notebook[0], "bold")).to_have_css("font-weight", "700")
    expect(part(notebook[0], "for")).to_have_count(0)  # a word, not Python's
    expect(part(notebook[1], "import")).to_have_css("font-weight", "700")
    assert notebook[0].source == f"%%tetrate\n{prompt}"
    added = notebook.append(f"%%tetrate_compare\n{prompt}")
    expect(part(added, "bold")).to_have_css("font-weight", "700")
    page.keyboard.press("Control+Home")
    page.keyboard.type(" ")  # no magic any more
    expect(part(added, "for")).to_have_css("font-weight", "700")


@pytest.mark.parametrize("place", ["lab", "notebook7"])
def test_prompts_have_their_names_marked_their_spelling_looked_at_and_their_brackets_left(
    opened: Opens, page: Page, request: pytest.FixtureRequest, place: str
) -> None:
    on = request.getfixturevalue(place)
    prompt = "Is {sales} or {{rates}} in @[3], @above, \\@error, @data/notes.md, `@above`, a@b.org?"
    typing = {"defaultConfig": {"autoClosingBrackets": True}}
    with on.settings("@jupyterlab/codemirror-extension/plugin", typing):
        notebook: Notebook = opened(f"%%tetrate\n{prompt}", "# {sales} @above\n", f"%%tetrate -n\n{prompt}", on=on)
    content = [each.box.locator(".cm-content") for each in notebook.cells]
    names = content[0].locator(".tetrate-lab-name")
    expect(names).to_have_text(["{sales}", "@[3]", "@above", "@data/notes.md"])
    colour = page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-mirror-editor-keyword-color')")
    innermost = "each => { while (each.firstElementChild) each = each.firstElementChild; return each; }"
    for each in names.all():
        inner = each.evaluate_handle(innermost)
        assert inner.evaluate(SAME_COLOUR, colour.strip())
    for other in content[1:]:
        expect(other.locator(".tetrate-lab-name")).to_have_count(0)
    for place_of, is_looked_at in zip(content, ("true", "false", "true"), strict=True):
        expect(place_of).to_have_attribute("spellcheck", is_looked_at)
    expect(content[0].locator(".cm-line").first).to_have_attribute("spellcheck", "false")
    for each, typed in zip(content[:2], ("(", "()"), strict=True):
        each.click()
        page.keyboard.press("Control+End")
        page.keyboard.press("Enter")
        page.keyboard.type("(")
        expect(each.locator(".cm-line").last).to_have_text(typed)
    content[0].click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(" ")  # no magic any more
    expect(names).to_have_count(0)
    expect(content[0]).to_have_attribute("spellcheck", "false")
    page.keyboard.press("Backspace")
    expect(names).to_have_count(4)
    expect(content[0]).to_have_attribute("spellcheck", "true")
