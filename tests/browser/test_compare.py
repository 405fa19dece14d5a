"""Models side by side in a real JupyterLab: each column at its own pace, stopped, retried, hidden, told apart."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, seen
from tests.browser.test_chat import without_kernel
from tests.browser.test_hostile import Acts
from tests.browser.test_hostile_panels import NAMES, is_inert
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Opens
    from tests.browser.notebook import Notebook
    from tetrate_jupyter.sandbox import SandboxRouter

LOAD = "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session"
GROWTH = """
() => {
    window.GREW = {};
    new MutationObserver((changes) => {
        for (const change of changes) {
            const node = change.target.nodeType === 1 ? change.target : change.target.parentElement;
            const column = node?.closest(".tetrate-column");
            if (!column || !node.closest(".tetrate-body")?.innerText) continue;
            const times = (window.GREW[column.getAttribute("aria-label")] ??= []);
            if (times[times.length - 1] !== performance.now()) times.push(performance.now());
        }
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}
"""
CLOCK = "performance.now() / 1000"
pytestmark = pytest.mark.usefixtures("signed_in")


class Compare:
    """The panel as a person sees it."""

    def __init__(self, box: Locator, *, is_new: bool = True) -> None:
        self.box = box
        self.prompt = box.get_by_label("Prompt", exact=True)
        self.columns = box.locator(".tetrate-column")
        self.stands = box.locator(".tetrate-stands")
        self.board = box.get_by_role("table", name="Leaderboard")
        self.suggested = box.get_by_role("list", name="Suggested models")
        self.again = box.get_by_role("button", name="Run again")
        if is_new:
            expect(self.prompt).to_be_visible()

    def edit(self) -> None:
        """Open what was asked, which is one line once it has been."""
        if not self.prompt.is_visible():
            self.box.get_by_role("button", name="Edit", exact=True).click()
        expect(self.prompt).to_be_visible()

    def choose(self, entry: str) -> None:
        """Choose from the menu of the whole comparison."""
        self.box.get_by_role("button", name="More", exact=True).click()
        self.box.get_by_role("menuitem", name=entry, exact=True).click()

    def add(self, *models: str) -> None:
        self.edit()
        for model in models:
            chips = self.box.locator(".tetrate-chip")
            expect(chips.first).to_be_visible()
            suggested = self.suggested.count() > 0
            count = 0 if suggested else chips.count()
            remove = self.box.get_by_role("button", name=f"Remove {model}", exact=True)
            if remove.count() and not suggested:
                self.box.get_by_role("button", name="Same model twice").click()
            else:
                self.box.get_by_role("button", name="Add a model").click()
                small = self.box.locator(".tetrate-models:popover-open")
                if suggested:
                    small.get_by_role("button", name="Clear").click()  # of the three that would be asked
                small.get_by_role("combobox", name="Search models").fill(model)
                expect(small.locator(".tetrate-at")).to_contain_text(model)
                small.get_by_role("combobox", name="Search models").press("Enter")
                small.get_by_role("button", name="Done").click()
            expect(chips).to_have_count(count + 1)

    def drop(self, model: str) -> None:
        self.edit()
        chips = self.box.locator(".tetrate-chip")
        count = chips.count()
        self.box.get_by_role("button", name=f"Remove {model}", exact=True).first.click()
        if count == 1:
            expect(self.suggested).to_be_visible()
        else:
            expect(chips).to_have_count(count - 1)

    def run(self, text: str) -> None:
        self.edit()
        self.prompt.fill(text)
        self.prompt.press("Control+Enter")

    def column(self, label: str) -> Locator:
        return self.box.get_by_role("listitem", name=label, exact=True)

    def body(self, label: str) -> Locator:
        return self.column(label).locator(":scope > .tetrate-body")

    def press(self, name: str, label: str) -> None:
        self.column(label).get_by_role("button", name=f"{name}: {label}", exact=True).click()

    def is_over(self) -> None:
        expect(self.again).to_be_visible()


def opened_panel(notebook: Notebook) -> Compare:
    notebook[0].run()
    notebook[1].run()
    return Compare(notebook[1].box.locator(".tetrate-panel"))


def test_a_view_that_nothing_is_told_yet_offers_nothing(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "panel = session.side_by_side()\npanel", "import os\nos.getpid()")
    opened_panel(notebook)
    kernel = int(notebook[2].run())
    os.kill(kernel, signal.SIGSTOP)  # it hears nothing of the new view
    try:
        notebook[1].box.locator(".jp-OutputArea-output").first.click(button="right", position={"x": 5, "y": 5})
        page.get_by_text("Create New View for Cell Output").click()
        view = page.locator(".jp-LinkedOutputView .tetrate-panel")
        add = view.locator("button").get_by_text("Add a model", exact=True)
        place = add.bounding_box()
        assert place is not None
        page.mouse.click(place["x"] + 5, place["y"] + 5)
        page.keyboard.press("Enter")
    finally:
        os.kill(kernel, signal.SIGCONT)
    add.click()
    expect(view.locator(".tetrate-models:popover-open").get_by_role("combobox")).to_be_focused()


def test_done_means_what_was_entered_though_the_list_is_late(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "panel = session.side_by_side()\npanel", "import os\nos.getpid()")
    panel = opened_panel(notebook)
    kernel = int(notebook[2].run())
    panel.box.get_by_role("button", name="Add a model").click()
    small = panel.box.locator(".tetrate-models:popover-open")
    expect(small.locator(".tetrate-choice").first).to_be_visible()
    small.get_by_role("button", name="Clear").click()
    os.kill(kernel, signal.SIGSTOP)
    try:
        small.get_by_role("combobox", name="Search models").fill("gpt-6-luna")
        small.get_by_role("combobox", name="Search models").press("Enter")
        small.get_by_role("button", name="Done").click()
    finally:
        os.kill(kernel, signal.SIGCONT)
    expect(panel.box.locator(".tetrate-chip .tetrate-name")).to_have_text(["gpt-6-luna"])


def test_live_columns_and_what_can_be_done_with_them(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    notebook = opened(LOAD, "%tetrate_compare", "%%tetrate\nAnd now?")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    assert axe.findings(panel.box) == []
    panel.add("sandbox/stream", "sandbox/stream", "sandbox/fault-no-credits")
    began = page.evaluate(CLOCK)
    panel.run("chunks=400 size=20 interval=0.03 paragraph=10")
    for label in ("sandbox/stream", "sandbox/stream #2"):
        expect(panel.body(label)).to_contain_text("#19 ")
    assert axe.findings(panel.box) == []
    expect(panel.column("sandbox/fault-no-credits")).to_contain_text("Next: add credit")
    time = panel.board.get_by_role("row", name="sandbox/stream #2").locator("td.tetrate-figure-0")
    expect(time).to_contain_text("writing")
    assert (
        float(time.locator(":scope > :last-child").inner_text().removesuffix(" s")) <= page.evaluate(CLOCK) - began + 1
    )  # since it was asked, not since the page opened
    panel.press("Stop", "sandbox/stream #2")
    expect(panel.column("sandbox/stream #2")).to_contain_text("stopped")
    lab_router.wait_for(lambda request: request.model == "sandbox/stream" and request.hung_up_at is not None)
    expect(panel.body("sandbox/stream")).to_contain_text("#399")
    expect(panel.body("sandbox/stream #2")).not_to_contain_text("#399")
    panel.is_over()
    panel.press("Retry", "sandbox/stream #2")
    expect(panel.body("sandbox/stream #2")).to_contain_text("#399")
    panel.is_over()
    expect(panel.stands).to_contain_text("2 of 3 done · 1 failed")
    assert axe.findings(panel.box) == []

    for name in ("sandbox/stream", "sandbox/stream", "sandbox/fault-no-credits"):
        panel.drop(name)
    panel.add("claude-haiku-4-5", "gpt-6-luna")
    panel.edit()
    panel.box.get_by_label("Blind").check()
    panel.run("Show off Markdown with code, a table and math.")
    expect(panel.columns).to_have_count(2)
    panel.is_over()
    assert panel.box.locator(".tetrate-label").all_inner_texts() == ["Answer A", "Answer B"]
    assert "gpt-6-luna" not in panel.box.inner_text()
    panel.box.get_by_role("button", name="Blind").click()
    expect(panel.column("gpt-6-luna")).to_be_visible()
    panel.box.get_by_role("button", name="Differences").click()
    changed = panel.box.locator(".tetrate-column :is(ins, del)")
    expect(changed.first).to_be_visible()
    panel.box.get_by_role("button", name="Differences").click()
    expect(changed).to_have_count(0)
    panel.choose("Show only the code")
    expect(panel.body("claude-haiku-4-5").locator(".tetrate-code")).to_be_visible()
    expect(panel.body("claude-haiku-4-5").locator("table")).not_to_be_visible()
    panel.choose("Show whole answers")
    page.set_viewport_size({"width": 400, "height": 900})
    assert seen.scrolling_sideways(page) == []
    assert axe.findings(panel.box) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    panel.column("gpt-6-luna").get_by_role("button", name="Use gpt-6-luna from now on").click()
    undo = panel.box.locator(".tetrate-chosen").get_by_role("button", name="Undo")
    assert len({each.bounding_box()["y"] for each in panel.columns.locator("footer").all()}) == 1  # type: ignore[index]
    expect(undo).to_be_visible()
    assert axe.findings(panel.box) == []
    undo.press("Enter")
    expect(undo).to_be_hidden()
    expect(panel.box.locator(":focus")).to_have_count(1)
    panel.column("gpt-6-luna").get_by_role("button", name="Use gpt-6-luna from now on").click()
    expect(panel.box.locator(".tetrate-chosen")).to_have_text(re.compile("^gpt-6-luna is in use in this notebook"))
    assert "gpt-6-luna" in notebook[2].run()

    notebook.save()
    notebook.shut_down()
    expect(panel.box.get_by_text("The kernel has ended.")).to_be_visible()
    without_kernel(notebook)
    fallback = notebook[1].box.locator(".tetrate-fallback")
    expect(fallback).to_contain_text("gpt-6-luna")
    expect(fallback).to_contain_text("What a notebook can show")
    expect(notebook[1].box.get_by_text("Error displaying widget")).not_to_be_visible()
    assert axe.findings(fallback) == []


def opened_done(opened: Opens, page: Page, line: str, prompt: str = "Say hello.") -> Compare:
    """A comparison made by a cell, done."""
    notebook = opened(LOAD, f"%%tetrate_compare {line}\n{prompt}")
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    box = notebook[1].box.locator(".tetrate-panel")
    expect(box.get_by_role("button", name="Run again")).to_be_visible()
    return Compare(box, is_new=False)


def test_the_result_comes_first_and_decides(opened: Opens, page: Page) -> None:
    panel = opened_done(opened, page, "-m claude-haiku-4-5,gpt-6-luna,gemini-3.8-flash")
    expect(panel.prompt).not_to_be_visible()
    for said in ("3 models", "“Say hello.”", "3 of 3 done"):
        expect(panel.box.locator(".tetrate-top").get_by_text(said)).to_be_visible()
    frame, body = panel.box.bounding_box(), panel.body("gpt-6-luna").bounding_box()
    assert frame is not None
    assert body is not None
    assert body["y"] - frame["y"] <= 180
    expect(panel.board.get_by_role("row")).to_have_count(4)
    expect(panel.box.locator(".tetrate-main:visible")).to_have_count(0)
    panel.box.get_by_role("region", name="Answers").focus()
    page.keyboard.press("2")
    best = panel.column("gpt-6-luna").get_by_role("button", name="Best: gpt-6-luna")
    expect(best).to_have_attribute("aria-pressed", "true")
    expect(panel.board.get_by_role("row", name="gpt-6-luna")).to_contain_text("★")
    expect(panel.box.locator(".tetrate-main:visible")).to_have_count(1)
    page.keyboard.press("2")
    expect(best).to_have_attribute("aria-pressed", "false")
    panel.column("claude-haiku-4-5").get_by_role("button", name="Poor: claude-haiku-4-5").click()
    expect(panel.board.get_by_role("row", name="claude-haiku-4-5")).to_contain_text("▼")
    panel.edit()
    panel.prompt.click()
    page.keyboard.type("1 2 3")
    expect(panel.prompt).to_have_value("Say hello.1 2 3")
    expect(panel.box.get_by_role("button", name="Best:", pressed=True)).to_have_count(0)
    assert axe.findings(panel.box) == []


@pytest.mark.parametrize("width", [700, 1000, 1280])
def test_the_verdict_is_no_strip_beside_what_is_in_use(opened: Opens, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    panel = opened_done(opened, page, "-m claude-haiku-4-5,gpt-6-luna")
    page.keyboard.press("Control+b")
    panel.column("gpt-6-luna").locator(".tetrate-use").click()
    expect(panel.box.locator(".tetrate-chosen")).to_contain_text("is in use")
    verdict = panel.box.locator(".tetrate-verdict")
    expect(verdict).to_contain_text("heapest gpt-6-luna")
    in_use, place = panel.box.locator(".tetrate-chosen").bounding_box(), verdict.bounding_box()
    assert in_use is not None
    assert place is not None
    assert place["y"] >= in_use["y"] + in_use["height"]
    assert place["width"] > 280
    assert place["height"] < 70


def test_the_leaderboard_sorts_and_leads_to_each_answer(opened: Opens, page: Page) -> None:
    panel = opened_done(
        opened, page, "-m claude-haiku-4-5,claude-opus-5,gpt-6-luna,gpt-5-nano,sandbox/fault-no-credits"
    )
    names = panel.board.locator("tbody .tetrate-goes > .tetrate-id")
    expect(names.last).to_have_text("sandbox/fault-no-credits")  # last, however it is sorted
    expect(panel.board.get_by_role("row", name="sandbox/fault-no-credits")).to_contain_text("Failed: ")
    expect(panel.board.get_by_role("button", name="Retry sandbox/fault-no-credits")).to_be_visible()
    expect(panel.board.get_by_text("fastest")).to_have_count(0)  # one has no answer
    panel.board.get_by_role("button", name="Cost", exact=True).click()
    head = panel.board.get_by_role("columnheader", name="Cost")
    expect(head).to_have_attribute("aria-sort", "ascending")
    cheapest, dearest = names.first.inner_text(), names.nth(3).inner_text()
    assert dearest == "claude-opus-5"
    panel.board.get_by_role("button", name="Cost").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(names.first).to_have_text(dearest)
    expect(names.nth(3)).to_have_text(cheapest)
    expect(names.last).to_have_text("sandbox/fault-no-credits")
    assert axe.findings(panel.box) == []

    panel.board.get_by_role("button", name=f"{cheapest}: show the answer").click()  # five are shown one at a time
    expect(panel.column(cheapest)).to_be_visible()
    expect(panel.column(dearest)).not_to_be_visible()
    panel.box.get_by_role("region", name="Answers").focus()
    page.keyboard.press("ArrowRight")
    expect(panel.column("sandbox/fault-no-credits")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(panel.column(dearest)).to_be_visible()
    panel.box.get_by_role("button", name="Grid").click()
    expect(panel.column(cheapest)).to_be_visible()
    expect(panel.column(dearest)).to_be_visible()
    assert seen.scrolling_sideways(page) == []


def test_blind_holds_back_and_reveals_in_place(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    panel.add("sandbox/stream", "claude-haiku-4-5")
    panel.box.get_by_label("Blind").check()
    panel.run("chunks=100 size=20 interval=0.03")
    expect(panel.columns).to_have_count(2)
    expect(panel.columns.first).to_contain_text("held back")
    expect(panel.board).not_to_be_visible()
    assert [body.inner_text() for body in panel.columns.locator(":scope > .tetrate-body").all()] == ["", ""]
    panel.is_over()
    letters = {panel.body(letter).inner_text()[:20]: letter for letter in "AB"}
    panel.box.get_by_role("region", name="Answers").focus()
    page.keyboard.press("2")
    expect(panel.box.get_by_text("1 of 2 voted")).to_be_visible()
    assert axe.findings(panel.box) == []
    panel.box.get_by_role("button", name="Reveal").click()
    marks = panel.columns.locator(".tetrate-letter")
    expect(marks).to_have_text(["A", "B"])  # as they were, names beside them
    for name in ("sandbox/stream", "claude-haiku-4-5"):
        letter = letters[panel.body(name).inner_text()[:20]]
        expect(panel.column(name).locator(".tetrate-letter")).to_have_text(letter)
        if letter == "B":
            expect(panel.box.get_by_text(f"B was {name}, your pick.")).to_be_visible()
            panel.box.locator(".tetrate-picked-one").get_by_role("button", name=f"Use {name} from now on").click()
    expect(panel.box.locator(".tetrate-picked-one").get_by_role("button", pressed=True)).to_have_text("In use")
    expect(panel.box.locator(".tetrate-picked-one")).to_contain_text("in use in this notebook")
    assert axe.findings(panel.box) == []


def test_retry_counts_down_where_the_router_said_when(opened: Opens, page: Page, lab_router: SandboxRouter) -> None:
    def sent() -> int:
        return sum(request.path.endswith("/chat/completions") for request in list(lab_router.requests))

    lab_router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=90, times=None))
    notebook = opened(LOAD, "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna\nSay hello.")
    notebook[0].run()
    notebook[1].run()
    panel = Compare(notebook[1].box.locator(".tetrate-panel"), is_new=False)
    retry = panel.board.get_by_role("button", name="Retry gpt-6-luna", exact=True)  # and so it is called all the time
    counting = re.compile(r"^Retry in \d+ s$")
    expect(retry).to_have_text(counting)
    expect(panel.board.get_by_text(counting)).to_have_count(1)
    expect(retry).to_have_attribute("aria-disabled", "true")
    expect(retry).not_to_have_text(retry.inner_text())  # it goes on
    assert axe.findings(panel.box) == []
    panel.is_over()  # nothing comes that would set it anew
    before, asked = retry.bounding_box(), sent()
    retry.click(force=True)
    expect(retry).to_have_text(counting)
    live = panel.box.locator("[aria-live=polite]")
    expect(live).not_to_contain_text("retry")
    page.evaluate("window.WAS = performance.now; performance.now = () => window.WAS.call(performance) + 100_000; 0")
    try:
        expect(retry).to_have_text("Retry")
        expect(live).to_have_text("You can retry gpt-6-luna now.")
        assert before == retry.bounding_box()  # nothing has moved
    finally:
        page.evaluate("performance.now = window.WAS; 0")
    lab_router.clear_faults()
    retry.click()
    expect(panel.body("gpt-6-luna")).to_contain_text("Hello")
    panel.is_over()
    expect(panel.board.get_by_role("button", name="Retry gpt-6-luna")).to_have_count(0)
    assert sent() == asked + 1  # what was pressed while it counted asked nothing


def test_the_retry_of_a_column_and_of_all_that_failed_count_down_too(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    lab_router.inject(Fault("rate-limit", model="gpt-6-luna", retry_after=90, times=None))
    notebook = opened(LOAD, "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna\nSay hello.")
    notebook[0].run()
    notebook[1].run()
    panel = Compare(notebook[1].box.locator(".tetrate-panel"), is_new=False)
    panel.is_over()
    column = panel.column("gpt-6-luna")
    retry = column.get_by_role("button", name="Retry: gpt-6-luna", exact=True)  # and so it is called all the time
    next_step, counting = column.locator(".tetrate-failed p").filter(has_text="Next:"), re.compile(r"^\d+ s$")
    expect(retry).to_have_text(counting)
    expect(retry).to_have_attribute("aria-disabled", "true")
    expect(panel.column("claude-haiku-4-5").get_by_role("button", name="Retry: claude-haiku-4-5")).to_have_text("")
    expect(next_step).to_have_text(re.compile(r"^Next: wait \d+ s, then ask again$"))
    expect(next_step).not_to_have_text(next_step.inner_text())  # it goes on
    assert axe.findings(panel.box) == []
    asked = len(lab_router.requests)
    retry.click(force=True)
    panel.box.get_by_role("button", name="More", exact=True).click()
    entry = panel.box.get_by_role("menuitem", name="Retry what failed", exact=True)
    expect(entry).to_have_text(re.compile(r"^Retry what failed in \d+ s$"))
    assert axe.findings(panel.box) == []
    entry.click(force=True)
    expect(entry).to_be_visible()
    before = retry.bounding_box()
    lab_router.clear_faults()
    page.evaluate("window.WAS = performance.now; performance.now = () => window.WAS.call(performance) + 100_000; 0")
    try:
        expect(entry).to_have_text("Retry what failed")
        expect(retry).to_have_text("")
        expect(next_step).to_have_text("Next: ask again")
        expect(panel.box.locator("[aria-live=polite]")).to_have_text("You can retry gpt-6-luna now.")
        assert before == retry.bounding_box()  # nothing has moved
    finally:
        page.evaluate("performance.now = window.WAS; 0")
    assert len(lab_router.requests) == asked  # what was pressed while it counted asked nothing
    entry.click()
    expect(panel.body("gpt-6-luna")).to_contain_text("Hello")


def test_an_empty_panel_says_how_to_begin(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    starts = panel.box.get_by_role("group", name="Start with these")
    expect(starts.get_by_role("button", pressed=True)).to_contain_text("claude-haiku-4-5")
    cheap = starts.get_by_role("button", name="Cheap")
    cheap.click()
    expect(cheap).to_have_attribute("aria-pressed", "true")
    expect(panel.box.locator(".tetrate-chip")).to_have_count(3)
    panel.box.get_by_role("button", name="Write a function").click()
    expect(panel.prompt).to_have_value("Write a Python function that tells whether a number is prime.")
    expect(panel.prompt).to_be_focused()
    expect(panel.columns).to_have_count(0)  # nothing is sent before it is asked for
    assert axe.findings(panel.box) == []
    panel.box.get_by_role("button", name="Compare", exact=True).click()
    expect(panel.columns).to_have_count(3)
    expect(panel.prompt).not_to_be_visible()
    panel.is_over()


@pytest.mark.parametrize("count", [2, 4, 12])
def test_columns_write_at_the_same_time(opened: Opens, page: Page, count: int) -> None:
    share = "result = session.comparison.result\nresult.facts.seconds / max(result.df.total_s)"
    notebook = opened(LOAD, "%tetrate_compare", share, "session.comparison.progress.done")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    page.evaluate(GROWTH)
    panel.add(*(["sandbox/stream"] * count))
    panel.run("chunks=120 size=20 interval=0.025 paragraph=10")
    expect(panel.columns).to_have_count(count)
    panel.is_over()
    grew = page.evaluate("window.GREW")
    assert len(grew) == count
    assert all(len(times) >= 5 for times in grew.values()), {name: len(times) for name, times in grew.items()}
    assert max(times[0] for times in grew.values()) < min(times[-1] for times in grew.values())
    assert float(notebook[2].run()) <= 1.1
    assert notebook[3].run() == str(count)


def test_an_interrupt_while_no_cell_runs_stops_what_the_panel_asks(
    opened: Opens, page: Page, lab_router: SandboxRouter
) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    panel.add("sandbox/stream", "sandbox/stream")
    panel.run("chunks=3000 size=20 interval=0.02")
    expect(panel.columns.first.locator(":scope > .tetrate-body")).to_contain_text("#3")
    notebook[0].box.locator(".jp-InputPrompt").first.click()
    notebook.interrupt()
    expect(panel.board.get_by_text("stopped", exact=False).first).to_be_visible()
    panel.is_over()
    expect(panel.columns.first.locator(":scope > .tetrate-body")).to_contain_text("#3")  # what came is kept


def test_what_is_asked_of_whom_is_set_in_the_panel(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "panel = session.side_by_side()\npanel", "session.comparison.setup.columns[2].params")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    panel.add("claude-haiku-4-5", "gpt-6-luna")
    panel.box.get_by_role("button", name="Same model twice (shows chance)").click()
    expect(panel.box.locator(".tetrate-chip")).to_have_count(3)
    panel.box.get_by_role("button", name="claude-haiku-4-5", exact=True).last.click()
    own = panel.box.get_by_role("group", name="Only for claude-haiku-4-5")
    own.get_by_label("Temperature").fill("0.2")
    own.get_by_label("Temperature").press("Tab")
    expect(panel.box.locator(".tetrate-chip").last).to_contain_text("temperature 0.2")
    assert axe.findings(panel.box) == []
    own.get_by_label("Temperature").fill("")
    own.get_by_role("button", name="Done").click()
    expect(panel.box.get_by_role("button", name="claude-haiku-4-5", exact=True).last).to_be_focused()
    panel.box.get_by_text("Parameters", exact=True).click()
    panel.box.get_by_label("Repeats").fill("2")
    panel.box.get_by_label("Repeats").press("Tab")
    panel.box.get_by_label("Several prompts").check()
    panel.prompt.fill("What is 17 * 23?\n---\nThink step by step: what is 12 * 12?")
    panel.box.get_by_role("button", name="Estimate cost").click()
    expect(panel.box.locator(".tetrate-confirm")).to_contain_text("This makes 12 calls for 2 prompts, at most ≈ $")
    assert axe.findings(panel.box) == []
    panel.box.get_by_label("Blind").check()
    panel.box.get_by_role("button", name="Ask all 12").click()
    panel.is_over()
    expect(panel.stands).to_contain_text("12 of 12 done")
    expect(panel.box.get_by_text("in the order of seed")).to_be_visible()
    assert "claude" not in panel.box.inner_text()
    assert axe.findings(panel.box) == []
    panel.box.get_by_role("button", name="Reveal").click()
    expect(panel.box.get_by_role("region", name="Answers")).to_be_focused()
    expect(panel.box.locator(".tetrate-verdict")).to_contain_text("claude-haiku-4-5 against itself")
    panel.box.get_by_role("button", name="All prompts").click()
    rows = panel.box.locator(".tetrate-promptrow")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("2 done · 100% the same")
    rows.first.get_by_role("button", name="1. What is 17").click()
    expect(rows.first.locator(".tetrate-body").first).to_contain_text("391")
    assert axe.findings(panel.box) == []
    assert seen.scrolling_sideways(page) == []
    page.set_viewport_size({"width": 400, "height": 900})
    assert seen.scrolling_sideways(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    rows.last.get_by_role("button", name="Show prompt 2 in columns").click()
    expect(panel.body("gpt-6-luna")).to_contain_text("144")
    expect(panel.box.get_by_text("prompt 2 of 2, repeat 1 of 2")).to_be_visible()
    panel.choose("Unfold what the models thought")
    for reasoning in panel.box.locator(".tetrate-reasoning:visible").all():
        expect(reasoning).to_have_attribute("open", "")
    assert notebook[2].run() == "{}"


def test_twelve_columns_and_hostile_texts(opened: Opens, page: Page) -> None:
    acts = Acts(page)
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    panel.add(*(["sandbox/echo"] * 12))
    panel.run(re.sub("(?m)^---$", "- - -", "\n\n".join(text[:300] for text in NAMES)))  # as one prompt
    expect(panel.columns).to_have_count(12)
    panel.is_over()
    expect(panel.stands).to_contain_text("12 of 12 done")
    labels = panel.board.locator("tbody .tetrate-goes > .tetrate-id").all_text_contents()
    assert labels == ["sandbox/echo", *(f"sandbox/echo #{n}" for n in range(2, 13))]
    is_inert(page, acts)
    panel.box.get_by_role("button", name="Columns").click()
    panel.box.get_by_role("button", name="Differences").click()
    is_inert(page, acts)
    fallback = notebook[1].box.locator(".tetrate-fallback")
    expect(fallback).to_contain_text("sandbox/echo #12")  # written by the thread that draws, after what is seen first
    notebook.save()
    notebook.shut_down()
    without_kernel(notebook)
    expect(fallback).to_contain_text("sandbox/echo #12")
    is_inert(page, acts)
    # JupyterLab takes `tabindex` out of what isn't trusted; Chromium and Firefox focus what scrolls by themselves.
    assert [f for f in axe.findings(fallback) if "scrollable-region-focusable" not in f] == []


def test_over_its_limit_one_click_caps_the_answers_and_asks(opened: Opens) -> None:
    panel = opened_panel(opened(LOAD, "%tetrate_compare"))
    panel.add("claude-opus-5", "claude-haiku-4-5")
    panel.box.get_by_text("Parameters", exact=True).click()
    fields = panel.box.locator("details")
    fields.get_by_label("Max cost, $").fill("0.02")
    fields.get_by_label("Output cap").fill("20000")
    panel.run("Say hello.")
    ways = panel.box.get_by_role("group", name="Ways on")
    expect(ways.get_by_role("button", name="Ask anyway, for up to $")).to_be_visible()
    assert axe.findings(panel.box) == []
    ways.get_by_role("button", name="Cap answers at").click()
    panel.is_over()
    expect(panel.stands).to_contain_text("2 of 2 done")
    expect(ways).not_to_be_visible()


def test_adding_to_the_suggested_three_adds(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    first = panel.box.locator(".tetrate-trio").first
    expect(first).to_be_visible()
    suggested = first.locator(".tetrate-mono").all_inner_texts()
    panel.box.get_by_role("button", name="Add a model").click()
    small = panel.box.locator(".tetrate-models:popover-open")
    expect(small).to_contain_text("3 ticked")
    search = small.get_by_role("combobox", name="Search models")
    for count, model in enumerate(("sandbox/stream", "sandbox/echo"), 4):
        search.press_sequentially(model)  # what was searched for before is replaced
        expect(small.locator(".tetrate-at")).to_contain_text(model)
        search.press("Enter")
        expect(small).to_contain_text(f"{count} ticked")
    small.get_by_role("button", name="Done").click()
    names = panel.box.locator(".tetrate-chip .tetrate-name")
    expect(names).to_have_count(5)
    assert names.all_text_contents()[3:] == ["sandbox/stream", "sandbox/echo"]
    assert len(suggested) == 3


def test_blind_over_prompts_leads_from_one_to_the_next_by_keys(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    panel.add("claude-haiku-4-5", "gpt-6-luna")
    panel.prompt.fill("Say one.")
    for prompt in ("Say two.", "Say three."):
        panel.box.get_by_role("button", name="Another prompt").click()
        page.keyboard.type(prompt)
    panel.box.get_by_label("Blind").check()
    panel.run(panel.prompt.input_value())
    confirm = panel.box.get_by_role("button", name="Ask all 6")
    if confirm.is_visible():
        confirm.click()
    panel.is_over()
    reveal = panel.box.get_by_role("button", name="Reveal")
    onward = panel.box.get_by_role("button", name="Next prompt")
    main = re.compile(r"\btetrate-main\b")
    expect(onward).to_be_visible()
    panel.box.get_by_role("region", name="Answers").focus()
    for prompt in (1, 2, 3):
        expect(panel.box.get_by_text(f"prompt {prompt} of 3")).to_be_visible()
        expect(reveal).not_to_have_class(main)
        page.keyboard.press("1")
        expect(panel.box.get_by_text(f"{prompt} of 3 prompts voted")).to_be_visible()
        if prompt < 3:
            expect(onward).to_have_class(main)
            onward.focus()
            page.keyboard.press("Enter")  # and the next digit comes while a button has the focus
    expect(onward).to_be_hidden()
    expect(reveal).to_have_class(main)
    assert axe.findings(panel.box) == []
    reveal.click()
    expect(panel.box.locator(".tetrate-picked-one")).to_contain_text("3 of 3 prompts voted")


def test_the_variable_has_what_is_shown_and_a_typed_line_divides_prompts(opened: Opens, page: Page) -> None:
    notebook = opened(
        LOAD,
        "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna -o kept\nName a colour.\n---\nName a fruit.",
        "[len(kept.df), int(kept.df.vote.count())]",
    )
    notebook[0].run()
    notebook[1].run()
    panel = Compare(notebook[1].box.locator(".tetrate-panel"), is_new=False)
    panel.is_over()
    expect(panel.stands).to_contain_text("4 of 4 done")
    panel.box.get_by_role("region", name="Answers").focus()
    page.keyboard.press("1")
    expect(panel.board).to_contain_text("★ 1 of 1")
    assert notebook[2].run() == "[4, 1]"
    panel.choose("Copy as table")
    expect(panel.box.get_by_text("Copied: the answers to all 2 prompts")).to_be_attached()
    panel.edit()
    panel.box.get_by_text("Parameters", exact=True).click()
    expect(panel.box.get_by_label("Several prompts")).to_be_checked()
    panel.prompt.fill("Name a tree.")
    panel.box.get_by_label("Several prompts").uncheck()
    panel.prompt.press("End")
    page.keyboard.type("\n---\nName a bird.\n---\nName a fish.")
    expect(panel.box.get_by_label("Several prompts")).to_be_checked()
    panel.prompt.press("Control+Enter")
    expect(panel.stands).to_contain_text("6 of 6 done")
    expect(panel.box.get_by_text("The votes of 1 prompt stay with the earlier run")).to_be_visible()
    assert notebook[2].run() == "[6, 0]"
    assert axe.findings(panel.box) == []
    panel.box.get_by_role("button", name="Undo").click()
    expect(panel.box.get_by_text("This is the earlier run, with its votes.")).to_be_visible()
    assert notebook[2].run() == "[4, 1]"


def test_code_in_a_column_wraps_and_is_whole_in_sight(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_compare")
    panel = opened_panel(notebook)
    panel.add("claude-haiku-4-5", "gpt-6-luna", "claude-sonnet-5")
    panel.run("Write a Python function that checks whether a number is prime, with a docstring.")
    panel.is_over()
    code = panel.box.locator(".tetrate-column .tetrate-code pre")
    expect(code).to_have_count(3)
    assert code.evaluate_all("all => all.every(each => each.scrollWidth <= each.parentElement.clientWidth)")
    panel.box.get_by_role("button", name="One at a time").or_(
        panel.box.get_by_role("radio", name="One at a time")
    ).click()
    expect(code.first).to_have_css("white-space", "pre")


def test_chips_open_what_was_sent_once_above_all_answers(opened: Opens, page: Page) -> None:
    table = "import pandas as pd\nmany = pd.DataFrame({'n': range(3_000)})"
    files = f"import pathlib\npathlib.Path('long.md').write_text('milk and bread\\n' * 5_000)\n{table}"
    notebook = opened(f"{LOAD}\n{files}", "%tetrate_compare")
    page.keyboard.press("Control+b")
    panel = opened_panel(notebook)
    panel.add("claude-haiku-4-5", "gpt-6-luna")
    panel.run("Sum {many} and {nothing}, with @long.md")
    panel.is_over()
    aside = panel.box.locator(".tetrate-compare > .tetrate-aside")
    chips = aside.get_by_role("button")
    expect(chips).to_have_count(4)
    told, sent = aside.locator(".tetrate-why > p"), aside.get_by_label("what was sent of it")
    for chip, says, text in (
        ("{nothing} isn't a variable here and stays as typed", "This was sent:", "and {nothing}, with @long.md"),
        ("many: 15 of 3,000 rows", "sends more. This was sent:", "| 2999 |"),
        ("@long.md: ", "of 75,000 bytes sent This was sent:", "milk and bread"),
        ("with its variables", "The question as it was sent:", "and {nothing}, with @long.md"),
    ):
        button = aside.get_by_role("button", name=chip)
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(told).to_contain_text(says)
        expect(sent).to_contain_text(text)
        assert axe.findings(panel.box) == []
    expect(panel.box.locator(".tetrate-notices")).to_be_hidden()
    expect(panel.columns.locator(".tetrate-aside:visible")).to_have_count(0)
    button.click()
    expect(told).to_be_hidden()
    notebook.shut_down()
    expect(panel.box.get_by_text("The kernel has ended.")).to_be_visible()
    button.click()  # what was sent is still there
    expect(sent).to_contain_text("and {nothing}, with @long.md")
