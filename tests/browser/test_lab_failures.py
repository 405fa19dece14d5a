"""Explain and Fix below a failed cell, as a person uses them: shown first, sent then, applied by hand only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.notebook import write
from tests.browser.test_lab_extension import LOAD, cell, command, front, notices, restart, status
from tests.render.hostile import HOSTILE
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell, Notebook
    from tetrate_jupyter.sandbox import SandboxRouter

MODEL = "%load_ext tetrate_jupyter\n%tetrate_model claude-haiku-4-5"
FAILS = "# of this year\ncustomers = 3\nprint(customres)"
MENDED = FAILS.replace("customres", "customers")
pytestmark = pytest.mark.usefixtures("signed_in")


class Below:
    """What stands below a failed cell."""

    def __init__(self, failed: Cell) -> None:
        self.box = failed.box.get_by_role("group", name="Tetrate on this error")

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def press(self, *names: str) -> None:
        for name in names:
            self.button(name).click()

    def key(self, name: str, key: str) -> None:
        """Press a key on a button, once it takes any."""
        expect(self.button(name)).to_be_visible()
        expect(self.box.locator("[inert]")).to_have_count(0)
        self.button(name).press(key)


def fail(failed: Cell) -> Below:
    """Run a cell that fails."""
    failed.start()
    failed.wait()
    expect(failed.failures).to_have_count(1)
    return Below(failed)


def asked(router: SandboxRouter) -> int:
    return sum(request.path.endswith("/chat/completions") for request in router.requests)


def test_explaining_shows_what_would_go_then_answers_and_leaves_nothing(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    notebook = opened(MODEL, FAILS, "1 + 1")
    notebook[0].run()
    before = asked(lab_router)
    below = fail(notebook[1])
    below.press("Explain")
    expect(below.box).to_contain_text("Explain cell 2 with claude-haiku-4-5? What goes to it:")
    expect(below.box).to_contain_text("cost ≈ $")
    expect(below.box.get_by_text("in at most 120 words")).not_to_be_visible()
    below.box.get_by_text("task", exact=True).click()
    expect(below.box.get_by_text("in at most 120 words")).to_be_visible()
    below.press("Cancel")
    expect(below.box).not_to_contain_text("cell 2")
    assert asked(lab_router) == before
    below.press("Explain", "Send")
    expect(below.box.locator("code").get_by_text("customers", exact=True).first).to_be_visible()
    expect(below.button("Close")).to_be_visible()
    assert asked(lab_router) == before + 1
    assert axe.findings(below.box) == []
    below.press("Fix", "Send", "Discard")  # the error is still the last one
    expect(notebook[1].failures).to_have_count(1)
    assert notebook[2].run() == "2"
    expect(notebook[2].box.locator(".jp-InputPrompt")).to_have_text("[3]:")
    notebook.save()
    saved = json.loads(notebook.path.read_text())
    assert [each["output_type"] for each in saved["cells"][1]["outputs"]] == ["error"]
    assert saved["cells"][1]["source"] in (FAILS, FAILS.splitlines(keepends=True))
    notebook[1].start()
    expect(below.box).to_have_count(1)  # a new one
    expect(below.box).to_have_text("ExplainFix")
    notebook[1].box.locator(".jp-InputPrompt").first.click()
    command(page, "Clear Cell Output")
    expect(below.box).to_have_count(0)


def test_whether_values_go_is_said_and_changed_before_anything_is_sent(
    opened: Opens, lab_router: SandboxRouter
) -> None:
    notebook = opened(MODEL, "first_number = 987654\nfirst_number / 0")
    notebook[0].run()
    before = asked(lab_router)
    below = fail(notebook[1])
    below.press("Explain")
    expect(below.box).to_contain_text("Of the variables only names and shapes would go.")
    expect(below.button("Add values")).to_have_attribute("title", "Shows anew what would go, and sends nothing")
    below.press("Add values")
    expect(below.box).to_contain_text("Of the variables values would go, too.")
    expect(below.box).to_contain_text("names, shapes and values of first_number")
    below.press("Leave out values")
    expect(below.box).to_contain_text("Of the variables only names and shapes would go.")
    expect(below.box).not_to_contain_text("values of first_number")
    assert asked(lab_router) == before


def test_what_would_go_is_shown_down_to_its_button_wherever_the_error_ends(opened: Opens, page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 480})
    notebook = opened(MODEL, "\n" * 12 + FAILS, *("# more\n" * 20 for _ in range(3)))
    notebook[0].run()
    below = fail(notebook[1])
    below.button("Explain").scroll_into_view_if_needed()
    below.press("Explain")
    expect(below.button("Send")).to_be_in_viewport(ratio=1)
    weight = "e => getComputedStyle(e).fontWeight"
    assert below.button("Send").evaluate(weight) > below.button("Cancel").evaluate(weight)  # the one that goes on


def test_a_change_is_applied_at_a_click_only_and_never_to_what_has_changed(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, FAILS)
    notebook[0].run()
    below = fail(notebook[1])
    below.press("Fix", "Send")
    expect(below.box).to_contain_text("+print(customers)")
    expect(below.box).not_to_contain_text("--apply")
    assert notebook[1].source == FAILS
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  # mine")
    below.press("Apply")
    expect(notices(page)).to_contain_text("nothing was changed")
    page.keyboard.press("Escape")
    notebook[1].reads(FAILS + "  # mine")
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    for _ in range(len("  # mine")):
        page.keyboard.press("Backspace")
    notebook[1].reads(FAILS)
    below.press("Apply")
    notebook[1].reads(MENDED)
    expect(below.box).to_contain_text("Applied.")
    expect(notebook[1].failures).to_have_count(1)  # it hasn't run
    notebook[1].box.locator(".cm-content").click()
    page.keyboard.press("Control+z")
    notebook[1].reads(FAILS)
    below.press("Fix", "Send", "Apply and run")
    notebook[1].reads(MENDED)
    expect(notebook[1].outputs).to_have_text(["3\n"])
    expect(below.box).to_have_count(0)


def test_the_buttons_stand_where_the_kernel_can_answer(opened: Opens, page: Page) -> None:
    notebook = opened(FAILS, LOAD, "1 / 0", "%tetrate --modle x", "raise KeyboardInterrupt")
    below = fail(notebook[0])
    expect(status(page)).to_have_text("Load Tetrate")
    expect(below.button("Explain")).not_to_be_visible()
    notebook[1].run()
    expect(below.button("Explain")).to_be_visible()  # it had failed before
    below.press("Explain")
    expect(below.box).to_contain_text("Explain cell 1")
    second = fail(notebook[2])
    expect(second.button("Fix")).to_be_visible()
    expect(below.button("Fix")).not_to_be_visible()
    own = fail(notebook[3])
    expect(second.button("Fix")).not_to_be_visible()  # ours is the kernel's last error now, and says what to do
    expect(own.box).to_have_count(0)
    second = fail(notebook[2])
    interrupted = fail(notebook[4])
    expect(second.button("Fix")).not_to_be_visible()
    expect(interrupted.box).to_have_count(0)
    second = fail(notebook[2])
    restart(page)
    expect(status(page)).to_have_text("Load Tetrate")
    expect(second.button("Fix")).not_to_be_visible()


def test_each_notebook_has_its_own(opened: Opens, page: Page, lab: Lab) -> None:
    other = write(lab.folder / "other-failed.ipynb", [MODEL, "1 / 0"])
    notebook = opened(MODEL, FAILS)
    notebook[0].run()
    first = fail(notebook[1])
    first.press("Fix", "Send")
    page.locator(".jp-DirListing-item", has_text=other.name).dblclick()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Idle")).to_be_visible()
    cell(page, 0).run()
    second = fail(cell(page, 1))
    second.press("Explain")
    expect(second.box).to_contain_text("Explain cell 2")
    front(page, notebook.path.name)
    first.press("Apply")
    notebook[1].reads(MENDED)
    front(page, other.name)
    assert cell(page, 1).source == "1 / 0"


def test_while_a_cell_runs_it_waits_and_stop_ends_the_answer(opened: Opens, page: Page) -> None:
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
    slow = "# chunks=3000 size=20 interval=0.01\n1 / 0"
    notebook = opened(MODEL, slow, wait, "%tetrate_model sandbox/stream")
    notebook[0].run()
    notebook[3].run()
    below = fail(notebook[1])
    notebook[2].start()
    expect(page.locator("#jp-main-statusbar").get_by_text("| Busy")).to_be_visible()
    below.press("Explain")
    expect(below.box).to_contain_text("The kernel is busy")
    notebook.path.with_name("go").touch()
    try:
        expect(below.button("Send")).to_be_visible()
    finally:
        notebook.path.with_name("go").unlink()
    below.press("Send")
    expect(below.box).to_contain_text("#0")
    below.press("Stop")
    expect(below.box).to_contain_text("Stopped.")
    below.press("Explain")
    expect(below.button("Send")).to_be_visible()  # still the last error


@pytest.mark.parametrize("model", ["sandbox/echo", "claude-haiku-4-5"])
def test_nothing_in_sources_tracebacks_and_answers_is_executed(opened: Opens, page: Page, model: str) -> None:
    texts = [text for text in HOSTILE.values() if text.isprintable()][:40]
    source = "\n".join(f"# {text}" for text in texts) + f"\ntexts = {texts!r}\nraise ValueError(' '.join(texts))"
    notebook = opened(f"{LOAD}\n%tetrate_model {model}", source)
    notebook[0].run()
    below = fail(notebook[1])
    below.press("Explain")
    expect(below.box).to_contain_text("Explain cell 2")
    for summary in below.box.locator("summary").all():
        summary.click()
    expect(below.box).to_contain_text("window.PWNED=1")
    below.press("Send")
    expect(below.button("Close")).to_be_visible()
    below.press("Fix", "Send")
    expect(below.button("Discard").or_(below.button("Close"))).to_be_visible()
    assert page.evaluate("window.PWNED") is None
    assert "PWNED" not in page.title()
    assert below.box.locator("script, iframe, object, embed, form, base, img, [onerror], [onload]").count() == 0


def test_what_a_kernel_tells_is_text(opened: Opens, page: Page) -> None:
    evil = "<img src=x onerror=window.ran=1>"
    hostile = f"""import tetrate_jupyter.magics.below as below
tell, evil = below._tell, {evil!r}
below.would_go = lambda *_, **options: tell(step="problem", said=evil) if options["values"] else tell(
    step="ask", ticket=evil + '")', variables=True)
below.send = lambda ticket: tell(step="done", cell=2, original=evil, source=evil)"""
    notebook = opened(f"{LOAD}\n{hostile}", FAILS)
    notebook[0].run()
    below = fail(notebook[1])
    below.press("Explain", "Add values")
    expect(below.box).to_contain_text(evil)
    below.press("Explain", "Send", "Apply")
    expect(notices(page)).to_contain_text("nothing was changed")
    assert notebook[1].source == FAILS
    assert page.evaluate("window.ran") is None
    assert below.box.locator("img").count() == 0


def test_in_notebook_7_with_the_keyboard_alone(
    opened: Opens, page: Page, notebook7: Lab, lab_router: SandboxRouter
) -> None:
    key = Secret(lab_router.issue_key(), host=lab_router.host)
    KeyStore(notebook7.data / "tetrate-jupyter").save(key, store="file")
    notebook: Notebook = opened(MODEL, FAILS, on=notebook7)
    notebook[0].run()
    below = fail(notebook[1])
    below.key("Fix", "Enter")
    below.key("Cancel", "Space")
    expect(below.box).to_have_text("ExplainFix")
    below.key("Fix", "Space")
    below.key("Send", "Enter")
    expect(below.box).to_contain_text("+print(customers)")
    below.key("Apply and run", "Enter")
    expect(notebook[1].outputs).to_have_text(["3\n"])
    assert page.locator(".jp-Notebook .jp-Cell").count() <= 3


def test_what_is_below_an_error_goes_where_its_cell_goes(opened: Opens, page: Page) -> None:
    notebook = opened(MODEL, FAILS, "1 + 1")
    notebook[0].run()
    below = fail(notebook[1])
    below.press("Explain", "Send")
    expect(below.button("Close")).to_be_visible()
    page.locator(".jp-InputPrompt:visible").nth(1).click()
    page.keyboard.press("Control+Shift+ArrowDown")
    notebook[2].reads(FAILS)
    below = Below(notebook[2])
    expect(below.button("Close")).to_be_visible()
    expect(below.box).to_contain_text("customers")
    below.press("Fix", "Send", "Apply")
    notebook[2].reads(MENDED)
    notebook[2].run()
    expect(page.get_by_role("group", name="Tetrate on this error")).to_have_count(0)


def test_an_explanation_stays_above_the_change_that_is_asked_for_after_it(opened: Opens) -> None:
    notebook = opened(MODEL, FAILS)
    notebook[0].run()
    below = fail(notebook[1])
    below.press("Explain", "Send")
    expect(below.button("Close")).to_be_visible()
    said = below.box.inner_text().splitlines()[-3:]
    explained = max(said, key=len)
    below.press("Fix")
    expect(below.box).to_contain_text("Fix cell 2")
    expect(below.box).to_contain_text(explained)
    below.press("Cancel")
    expect(below.box).to_contain_text(explained)
    below.press("Fix", "Send", "Discard")
    expect(below.box).to_contain_text(explained)
    below.press("Close")
    expect(below.box).not_to_contain_text(explained)
