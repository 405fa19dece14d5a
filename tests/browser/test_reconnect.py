"""What a panel says, and gives back, after its kernel was restarted, has died, was shut down, or was out of reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.test_chat import LOAD, Chat
from tests.browser.test_compare import Compare
from tests.browser.test_sign_in import restart
from tests.browser.test_sign_in_where_needed import run_all

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, WebSocketRoute

    from tests.browser.conftest import Opens
    from tests.browser.notebook import Notebook

PANELS = ("%tetrate_chat", "session.picker()", "%tetrate_compare")
DIE = "import os\nos._exit(1)"
pytestmark = pytest.mark.usefixtures("signed_in")


def panel_of(notebook: Notebook, cell: int) -> Locator:
    return notebook[cell].box.locator(".tetrate-panel")


def banner(panel: Locator, says: str) -> Locator:
    """The banner, which must be the first thing to be seen in the panel."""
    found = panel.locator(":scope > .tetrate-gone")
    expect(found).to_contain_text(says)
    assert found.evaluate("e => e.getBoundingClientRect().top - e.parentElement.getBoundingClientRect().top") < 20
    return found


def reconnect(panel: Locator, says: str) -> None:
    button = banner(panel, says).get_by_role("button", name="Reconnect")
    assert axe.findings(panel) == []
    button.click()
    expect(panel.locator(":scope > .tetrate-gone")).not_to_be_visible()


def test_every_panel_says_so_and_is_made_again(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, *PANELS)
    for cell in notebook.cells:
        cell.run()
    chat = Chat(panel_of(notebook, 1))
    chat.asked("What is {sales[0]} * 7?")
    chat.asked("The word is xyzzy.")
    answers = chat.messages.locator(":scope > .tetrate-body").all_inner_texts()
    feet = [chat.messages.nth(place).locator(".tetrate-foot") for place in (0, 1)]
    stood = [foot.inner_text() for foot in feet]
    total = chat.box.locator(".tetrate-total").inner_text()
    marks = chat.messages.locator(".tetrate-mark")
    expect(marks).to_have_text(["A", "A"])  # Anthropic's
    opener = chat.box.locator(".tetrate-opener")
    expect(opener).to_have_accessible_name(re.compile("^Model: "))
    model = opener.get_attribute("aria-label")
    assert model
    chat.prompt.fill("A draft.")
    restart(page)
    for cell in (1, 2, 3):
        banner(panel_of(notebook, cell), "The kernel was restarted.")
        expect(panel_of(notebook, cell).locator("button:not(.tetrate-again)").first).to_be_disabled()
    for cell in (1, 2, 3):  # none of the other cells has run in the new kernel
        reconnect(panel_of(notebook, cell), "The kernel was restarted.")
        assert notebook[cell].failures.count() == 0

    chat = Chat(panel_of(notebook, 1))
    expect(chat.messages).to_have_count(2)
    expect(chat.box.locator(".tetrate-opener")).to_have_accessible_name(model)
    assert chat.messages.locator(":scope > .tetrate-body").all_inner_texts() == answers
    for place, told in enumerate(stood):
        assert "simulated" in told
        assert "$" in told
        expect(chat.messages.nth(place).locator(".tetrate-foot")).to_have_text(told, use_inner_text=True)
    expect(chat.box.locator(".tetrate-total")).to_have_text(total, use_inner_text=True)
    expect(chat.messages.locator(".tetrate-mark")).to_have_text(["A", "A"])
    expect(chat.messages.first.locator(".tetrate-prompt")).to_have_text("What is {sales[0]} * 7?")
    expect(chat.prompt).to_have_value("A draft.")
    expect(chat.asked("And now?").locator(".tetrate-foot")).to_contain_text("≈ $")
    expect(chat.messages).to_have_count(3)
    expect(panel_of(notebook, 2).locator(".tetrate-option").first).to_be_visible()
    expect(panel_of(notebook, 3).get_by_label("Prompt", exact=True)).to_be_enabled()


def test_a_kernel_that_died_or_was_shut_down_is_started_again(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_chat", DIE)
    notebook[0].run()
    notebook[1].run()
    Chat(panel_of(notebook, 1)).asked("The word is xyzzy.")
    notebook[2].start()
    page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()
    reconnect(panel_of(notebook, 1), "The kernel was restarted.")
    chat = Chat(panel_of(notebook, 1))
    expect(chat.messages).to_contain_text("xyzzy")
    notebook.shut_down()
    reconnect(panel_of(notebook, 1), "The kernel has ended.")
    expect(Chat(panel_of(notebook, 1)).messages).to_contain_text("xyzzy")


def test_a_chat_is_kept_where_the_kernel_is_restarted_and_all_cells_run(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(panel_of(notebook, 1))
    chat.asked("The word is xyzzy.")
    chat.prompt.fill("A draft.")
    run_all(notebook)
    chat = Chat(panel_of(notebook, 1))
    expect(chat.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    expect(chat.messages).to_have_count(1)
    expect(chat.messages.first).to_contain_text("xyzzy")
    expect(chat.messages.first.locator(".tetrate-foot")).to_contain_text("simulated")
    expect(chat.prompt).to_have_value("A draft.")
    expect(chat.prompt).not_to_be_focused()  # nobody has pressed anything here
    chat.button("New").click()
    expect(chat.messages).to_have_count(0)
    notebook[1].run()  # the kernel knows it by now: nothing comes back of itself
    expect(Chat(panel_of(notebook, 1)).messages).to_have_count(0)


def test_a_chat_whose_output_was_cleared_does_not_come_back(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    Chat(panel_of(notebook, 1)).asked("The word is xyzzy.")
    restart(page)
    banner(panel_of(notebook, 1), "The kernel was restarted.")
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_role("menuitem", name="Clear Outputs of All Cells").click()
    expect(panel_of(notebook, 1)).to_have_count(0)
    notebook[0].run()
    notebook[1].run()
    chat = Chat(panel_of(notebook, 1))
    expect(chat.box.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(chat.messages).to_have_count(0)


def test_a_comparison_is_shown_again_with_its_votes(opened: Opens, page: Page) -> None:
    decided = "from tetrate_jupyter import session\nsession.model, session.comparison.result.df.vote.dropna().tolist()"
    notebook = opened(LOAD, "%tetrate_compare", decided)
    notebook[0].run()
    notebook[1].run()
    compare = Compare(panel_of(notebook, 1))
    compare.add("claude-haiku-4-5", "gpt-6-luna")
    compare.run("Say hello.")
    compare.is_over()
    texts = [compare.body(name).inner_text() for name in ("claude-haiku-4-5", "gpt-6-luna")]
    compare.press("Best", "gpt-6-luna")
    expect(compare.board.get_by_role("row", name="gpt-6-luna")).to_contain_text("★")
    restart(page)
    reconnect(panel_of(notebook, 1), "The kernel was restarted.")
    again = Compare(panel_of(notebook, 1), is_new=False)
    expect(again.columns).to_have_count(2)
    assert [again.body(name).inner_text() for name in ("claude-haiku-4-5", "gpt-6-luna")] == texts
    expect(again.board.get_by_role("row", name="gpt-6-luna")).to_contain_text("★")
    again.column("gpt-6-luna").get_by_role("button", name="Use gpt-6-luna from now on").click()
    expect(again.column("gpt-6-luna").get_by_role("button", name="In use: gpt-6-luna", pressed=True)).to_be_visible()
    expect(again.box.locator(".tetrate-chosen")).to_contain_text("gpt-6-luna is in use")
    assert notebook[2].run() == "('gpt-6-luna', ['best'])"


def test_all_prompts_of_a_comparison_come_back_at_the_one_that_was_shown(opened: Opens, page: Page) -> None:
    count = "from tetrate_jupyter import session\n[r.text[-4:] for r in session.comparison.result.rows]"
    notebook = opened(LOAD, "%tetrate_compare", count)
    notebook[0].run()
    notebook[1].run()
    compare = Compare(panel_of(notebook, 1))
    compare.add("sandbox/echo", "gpt-6-luna")
    compare.box.get_by_role("button", name="Another prompt").click()
    compare.run("The word is one.\n---\nThe word is two.\n---\nThe word is three.")
    compare.is_over()
    compare.press("Best", "sandbox/echo")
    compare.box.get_by_role("button", name="Prompts after").click()
    expect(compare.box.get_by_text("prompt 2 of 3", exact=True)).to_be_visible()
    expect(compare.column("sandbox/echo")).to_contain_text("two")
    restart(page)
    reconnect(panel_of(notebook, 1), "The kernel was restarted.")
    again = Compare(panel_of(notebook, 1), is_new=False)
    expect(again.box.get_by_text("prompt 2 of 3", exact=True)).to_be_visible()
    expect(again.column("sandbox/echo")).to_contain_text("two")
    again.box.get_by_role("button", name="Prompts before").click()
    expect(again.column("sandbox/echo")).to_contain_text("one")
    expect(again.column("sandbox/echo").get_by_role("button", name="Best", pressed=True)).to_be_visible()
    assert len(eval(notebook[2].run())) == 6


def several(opened: Opens, page: Page, prompts: str, more: str = "") -> Compare:
    """A comparison of several prompts in a kernel that has ended, the first of them on the screen."""
    ask = f"session.side_by_side(session.compare({prompts}, 'sandbox/echo,gpt-6-luna'{more}).comparison)"
    notebook = opened(f"{LOAD}\nfrom tetrate_jupyter import session", ask)
    page.keyboard.press("Control+b")
    notebook[0].run()
    notebook[1].run()
    compare = Compare(panel_of(notebook, 1), is_new=False)
    expect(compare.column("sandbox/echo")).to_contain_text("word 1")
    notebook.shut_down()
    banner(compare.box, "The kernel has ended.")
    return compare


def test_the_other_prompts_can_be_looked_through_when_the_kernel_has_ended(opened: Opens, page: Page) -> None:
    compare = several(opened, page, "['The word is word 1.', 'The word is word 2.', 'The word is word 3.']")
    every = compare.box.get_by_role("button", name="All prompts")
    after = compare.box.get_by_role("button", name="Prompts after")
    saved = compare.box.locator(".tetrate-saved > details")
    after.click()
    expect(compare.box.get_by_text("prompt 2 of 3", exact=True)).to_be_visible()
    expect(compare.box.get_by_text("From the saved copy, which has all 3 prompts.")).to_be_visible()
    expect(compare.columns.first).to_be_hidden()
    pressed = compare.box.locator(".tetrate-reading [aria-pressed=true]")
    expect(pressed).to_have_text(["All prompts"])
    expect(saved.nth(1).get_by_role("region", name="sandbox/echo")).to_contain_text("word 2")
    expect(saved.nth(0).get_by_role("region")).to_have_count(0)  # one at a time
    after.click()
    expect(saved.nth(2).get_by_role("region", name="sandbox/echo")).to_contain_text("word 3")
    after.click()
    expect(compare.box.get_by_text("prompt 1 of 3", exact=True)).to_be_visible()
    saved.nth(2).locator("summary").click()
    expect(saved.nth(2).get_by_role("region", name="sandbox/echo")).to_be_visible()
    assert axe.findings(compare.box) == []
    every.click()  # back to the columns as they were
    expect(compare.column("sandbox/echo")).to_contain_text("word 1")
    expect(saved.first).to_be_hidden()
    expect(pressed).to_have_text(["Columns"])


def test_all_repeats_can_be_looked_at_when_the_kernel_has_ended(opened: Opens, page: Page) -> None:
    compare = several(opened, page, "'The word is word 1.'", ", repeats=2")
    every = compare.box.get_by_role("button", name="All prompts")
    every.click()
    expect(compare.box.get_by_text("From the saved copy, which has all repeats.")).to_be_visible()
    expect(compare.columns.first).to_be_hidden()
    saved = compare.box.locator(".tetrate-saved")
    expect(saved.get_by_role("region", name="sandbox/echo")).to_contain_text("word 1")
    expect(saved.locator(".tetrate-repeats").first).to_contain_text("2")
    assert axe.findings(compare.box) == []
    every.click()
    expect(compare.columns.first).to_be_visible()


def test_of_more_prompts_than_a_notebook_keeps_that_is_said(opened: Opens, page: Page) -> None:
    long = "[f'The word is word {n + 1}. ' + 'Some more words. ' * 300 for n in range(100)]"
    compare = several(opened, page, long)
    compare.box.get_by_role("button", name="All prompts").click()
    expect(compare.box.get_by_text(re.compile(r"has the first \d+ of 100 prompts"))).to_be_visible()
    saved = compare.box.locator(".tetrate-saved > details")
    assert 2 < saved.count() < 100
    saved.nth(1).locator("summary").click()
    expect(saved.nth(1).get_by_role("region", name="sandbox/echo")).to_contain_text("word 2")


def test_a_cell_that_asks_by_itself_says_so_before_it_asks_again(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%%tetrate_compare -m gpt-6-luna\nSay hello.")
    notebook[0].run()
    notebook[1].run()
    expect(panel_of(notebook, 1).locator(".tetrate-column")).to_have_attribute("aria-busy", "false")
    restart(page)
    gone = banner(panel_of(notebook, 1), "That asks the models again.")
    gone.get_by_role("button", name="Run the cell again").click()
    expect(gone).not_to_be_visible()
    expect(panel_of(notebook, 1).locator(".tetrate-column")).to_have_attribute("aria-busy", "false")


def test_a_connection_that_was_lost_comes_back_with_what_was_said_meanwhile(opened: Opens, page: Page) -> None:
    sockets: list[WebSocketRoute] = []
    open_again = []

    def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if open_again or len(sockets) == 1:
            socket.connect_to_server()
        else:
            socket.close()

    page.route_web_socket("**/channels*", route)
    notebook = opened(LOAD, "%tetrate_chat", "session.start(session.question('The word is xyzzy.'));")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(panel_of(notebook, 1))
    chat.asked("Say hello.")
    sockets[0].close()
    gone = banner(chat.box, "The connection to the kernel is lost.")
    open_again.append(True)
    expect(gone).not_to_be_visible(timeout=60_000)
    expect(chat.messages).to_have_count(1)
    expect(chat.messages.locator(":scope > .tetrate-body")).to_contain_text("hello", ignore_case=True)
    notebook[2].run()
    expect(chat.messages).to_have_count(2)


def test_a_panel_whose_kernel_was_replaced_unseen_finds_out_when_it_is_used(opened: Opens, page: Page) -> None:
    forgets = "__import__('comm').get_comm_manager().unregister_comm(panel.comm)"
    notebook = opened(LOAD, "panel = session.chat()\npanel", forgets)
    for cell in notebook.cells:
        cell.run()
    chat = Chat(panel_of(notebook, 1))
    chat.prompt.fill("Is anybody there?")
    chat.button("Send").click()
    banner(chat.box, "The kernel was restarted.")
    expect(chat.prompt).to_have_value("Is anybody there?")


def test_a_slow_way_to_an_idle_kernel_is_no_restart(opened: Opens, page: Page) -> None:
    held: list[str | bytes] | None = None
    servers: list[WebSocketRoute] = []

    def pass_on(message: str | bytes) -> None:
        if held is None:
            servers[-1].send(message)
        else:
            held.append(message)

    def route(socket: WebSocketRoute) -> None:
        servers.append(socket.connect_to_server())
        socket.on_message(pass_on)

    page.route_web_socket("**/channels*", route)
    notebook = opened(LOAD, "%tetrate_chat")
    notebook[0].run()
    notebook[1].run()
    chat = Chat(panel_of(notebook, 1))
    held = []
    chat.prompt.fill("The word is xyzzy.")
    chat.button("Send").click()
    expect(chat.box.locator(".tetrate-slow")).to_be_visible()
    page.wait_for_timeout(5_000)  # longer than the panel waits before it doubts the kernel
    expect(chat.box.locator(":scope > .tetrate-gone")).not_to_be_visible()
    late, held = held, None
    for message in late:
        pass_on(message)
    expect(chat.messages.locator(":scope > .tetrate-body")).to_contain_text("xyzzy")
    expect(chat.box.locator(".tetrate-slow")).not_to_be_visible()
