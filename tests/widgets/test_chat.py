"""The chat panel against the sandbox: what a page is told, and what comes of what it asks for."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.widgets.page import Page
from tetrate_jupyter.compare.running import Comparison
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.widgets.chat import ChatPanel

PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05"
    b"\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)
SHOW = "Show off Markdown with code, a table and math."
SLOW = "chunks=2000 size=20 interval=0.01"


@pytest.fixture
def panel(session: Session) -> Iterator[ChatPanel]:
    session.models()
    made: ChatPanel = session.chat()
    yield made
    made.close()


@pytest.fixture
def page(panel: ChatPanel) -> Page:
    return Page(panel)


def states(page: Page) -> list[str]:
    return [item.fields["state"] for item in page.items.values()]


def ended(page: Page, *expected: str) -> None:
    page.wait_for(lambda: states(page) == list(expected) and not page.fields["busy"])


def texts(page: Page) -> list[str]:
    return [item.fields["prompt"] for item in page.items.values()]


def only(page: Page) -> tuple[str, Any]:
    ((key, item),) = page.items.items()
    return key, item


def test_a_question_streams_and_ends_as_what_a_cell_would_show(page: Page, session: Session) -> None:
    assert page.do("ask", text=SHOW)
    ended(page, "done")
    key, item = only(page)
    (exchange,) = session.history
    assert key == exchange.id
    assert item.html == render(exchange.answer)
    assert item.fields["source"] == exchange.answer
    assert "≈ $" in item.fields["foot"]
    assert "≈ $" in page.fields["total"]
    assert session.last is not None
    assert session.last.text == exchange.answer


def test_the_text_comes_in_pieces_and_finished_blocks_once(page: Page, session: Session) -> None:
    def blocks() -> list[str]:
        return [block for item in page.items.values() for block in item.blocks]

    session.model = "sandbox/stream"
    page.do("ask", text="chunks=20000 size=20 interval=0.02 paragraph=3")
    page.wait_for(lambda: len(blocks()) > 5)
    assert states(page) == ["running"]
    page.do("stop", key=only(page)[0])
    ended(page, "partial")
    assert len(set(blocks())) == len(blocks())
    operations = [operation for message in page.messages for operation in message["operations"]]
    assert sum(len(text) for name, *_, text in operations if name == "grow") < 2 * sum(map(len, blocks()))


def test_what_a_cell_asks_shows_while_it_is_written(page: Page, session: Session) -> None:
    seen = []
    session.runs.on_change(lambda: seen.append(states(page)))
    session.ask("Say hello.", cell_id="cell-1")
    assert ["running"] in [s for s in seen if s] or seen
    ended(page, "done")
    assert only(page)[1].fields["origin"] == "cell"
    session.ask("Say goodbye.", cell_id="cell-1")
    page.wait_for(lambda: texts(page) == ["Say goodbye."] and states(page) == ["done"])
    assert only(page)[1].html == render(session.history[0].answer)


def test_stop_hangs_up_and_keeps_what_came(page: Page, session: Session, router: SandboxRouter) -> None:
    session.model = "sandbox/stream"
    page.do("ask", text=SLOW)
    page.wait_for(lambda: bool(page.items) and "#3" in only(page)[1].html)
    assert page.fields["stoppable"]
    page.do("stop", key=only(page)[0])
    ended(page, "partial")
    router.wait_for(lambda request: request.hung_up_at is not None)
    assert any("Stopped" in note for note in only(page)[1].fields["notes"])
    assert "#3" in only(page)[1].html


def test_a_conversation_is_taken_back_once_and_goes_on(page: Page, session: Session) -> None:
    kept = [["What is {x}?", "What is 6 * 7?", "**42**", False], ["And then?", "", "It was st", True]]
    session.model = None
    assert page.do("take", exchanges=[], left=0, model="none-such")  # this key reaches it no longer
    assert session.model is None
    page.do("take", exchanges=kept, left=3, model="claude-haiku-4-5")
    assert session.model == "claude-haiku-4-5"
    page.wait_for(lambda: texts(page) == ["What is {x}?", "And then?"] and states(page) == ["done", "partial"])
    assert "3 earlier" in page.fields["hint"]
    assert [m.content for e in session.history for m in e.messages()] == [
        "What is 6 * 7?",
        "**42**",
        "And then?",
        "It was st",
    ]
    page.do("take", exchanges=kept)
    assert len(session.history) == 2


def test_a_refusal_is_shown_and_can_be_tried_again(page: Page, router: SandboxRouter) -> None:
    router.inject(Fault("no-credits"))
    page.do("ask", text="Say hello.")
    ended(page, "failed")
    key, item = only(page)
    assert "Next:" in item.fields["notes"][0]
    page.do("retry", key=key)
    ended(page, "done")
    assert texts(page) == ["Say hello."]


def test_a_failed_question_keeps_its_place_while_others_are_asked(page: Page, router: SandboxRouter) -> None:
    def refused(text: str) -> None:
        router.inject(Fault("no-credits"))
        page.do("ask", text=text)
        page.wait_for(lambda: texts(page)[-1:] == [text] and states(page)[-1:] == ["failed"])

    refused("Before all.")
    page.do("ask", text="Say hello.")
    ended(page, "failed", "done")
    refused("In between.")
    refused("And again.")
    page.do("ask", text="Say goodbye.")
    ended(page, "failed", "done", "failed", "failed", "done")
    assert texts(page) == ["Before all.", "Say hello.", "In between.", "And again.", "Say goodbye."]
    page.do("retry", key=list(page.items)[2])  # asked now: after what has been said
    ended(page, "failed", "done", "failed", "done", "done")
    assert texts(page) == ["Before all.", "Say hello.", "And again.", "Say goodbye.", "In between."]


def test_a_failed_question_can_be_edited_or_dismissed(page: Page, router: SandboxRouter) -> None:
    router.inject(Fault("no-credits", times=2))
    page.do("ask", text="Say hello.")
    ended(page, "failed")
    page.do("edit", key=only(page)[0], text="Say goodbye.")
    page.wait_for(lambda: texts(page) == ["Say goodbye."] and states(page) == ["failed"])
    page.do("dismiss", key=only(page)[0])
    assert page.items == {}


def test_editing_makes_a_version_and_the_old_one_is_kept(page: Page, session: Session) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    page.do("ask", text="Say two.")
    ended(page, "done", "done")
    first = next(iter(page.items))
    page.do("edit", key=first, text="Say three.")
    ended(page, "done")
    key, item = only(page)
    assert (texts(page), item.fields["way"]) == (["Say three."], [1, 2, "Question version"])
    page.do("way", key=key, step=-1)
    assert (texts(page), next(iter(page.items.values())).fields["way"]) == (
        ["Say one.", "Say two."],
        [0, 2, "Question version"],
    )
    assert len(session.history) == 2


def test_retry_asks_the_same_again_as_another_version(page: Page) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    page.do("retry", key=only(page)[0])
    page.wait_for(lambda: states(page) == ["done"] and only(page)[1].fields["way"] == [1, 2, "Answer version"])
    assert texts(page) == ["Say one."]


def test_retry_with_another_model_is_another_version_and_changes_no_choice(page: Page, session: Session) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    page.do("retry", key=only(page)[0], model="gpt-6-luna")
    page.wait_for(lambda: states(page) == ["done"] and only(page)[1].fields["way"] == [1, 2, "Answer version"])
    assert only(page)[1].fields["model"] == "gpt-6-luna"
    assert only(page)[1].fields["figures"][0] == ["far", "gpt-6-luna"]
    assert session.model == "claude-haiku-4-5"
    assert page.do("retry", key=only(page)[0], model="no-such-model")
    page.wait_for(lambda: "failed" in states(page))


def test_compare_asks_the_same_after_the_same_and_leaves_the_conversation(
    page: Page, session: Session, router: SandboxRouter
) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    page.do("ask", text="Say two.", names=["a.png"], buffers=[PIXEL])
    ended(page, "done", "done")
    page.do("ask", text="Say three.")
    ended(page, "done", "done", "done")
    count = len(router.requests)
    assert page.do("compare", key=list(page.items)[1], by="one")
    page.wait_for(lambda: bool(page.fields["compared"]))
    by, cell = page.fields["compared"]
    assert by == "one"
    compile(cell, "cell", "exec")
    assert "session.comparison" in cell
    assert "# Asked by another kernel it goes without the images and what was said before." in cell
    made = session.comparison
    assert made is not None
    made.wait(timeout=30)
    assert len(made.columns) == 3
    assert made.columns[0].label == "claude-haiku-4-5"
    sent = [request.body["messages"] for request in router.requests[count:] if request.path.endswith("completions")]
    assert len(sent) == 3
    for messages in sent:
        assert [m["role"] for m in messages] == ["user", "assistant", "user"]
        assert messages[0]["content"] == "Say one."
        assert "image_url" in str(messages[2]["content"])
    assert len(session.history) == 3


@pytest.mark.parametrize("by", ["the panel", "a cell", "going back"])
def test_a_new_conversation_begins_without_the_notice_of_the_one_before(page: Page, session: Session, by: str) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    page.do("take", exchanges=[["What was asked", "", "What was answered", False]], left=3)
    assert "3 earlier or unanswered questions" in page.fields["hint"]
    if by == "the panel":
        page.do("new")
    elif by == "a cell":
        session.reset()
    else:
        page.do("back", branch=page.fields["earlier"][0][0])
    page.wait_for(lambda: page.fields["hint"] == "")


def test_a_new_conversation_begins_without_what_failed_in_one_that_has_no_answer(
    page: Page, session: Session, router: SandboxRouter
) -> None:
    router.inject(Fault("no-credits"))
    page.do("ask", text="Say one.")
    ended(page, "failed")
    page.do("new")
    page.wait_for(lambda: not page.items)
    assert session.runs.all == ()


def test_the_cell_of_a_comparison_can_ask_it_anew_in_a_kernel_that_never_saw_it(
    page: Page, session: Session, router: SandboxRouter, bridge: Bridge, tmp_path: Path
) -> None:
    asked = 'Say "one" {in}\nquotes.'
    page.do("ask", text=asked)
    ended(page, "done")
    page.do("compare", key=next(iter(page.items)), by="one")
    page.wait_for(lambda: bool(page.fields["compared"]))
    _, source = page.fields["compared"]
    assert "Asked by another kernel" not in source  # nothing was said before
    assert isinstance(session.comparison, Comparison)
    session.comparison.wait(timeout=30)
    shows = "session.side_by_side" + source.partition("session.side_by_side")[2]
    models = [column.asked for column in session.comparison.columns]
    here = eval(shows, {"session": session})
    assert here.comparison is session.comparison
    here.close()
    later = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "later", bridge=bridge)
    panel = eval(shows, {"session": later})
    view = Page(panel)
    assert view.fields["prompts"] == 0
    assert view.fields["prompt"] == asked
    assert view.fields["models"] == models
    count = len(router.requests)
    assert view.do("run", text=view.fields["prompt"])
    view.wait_for(lambda: bool(view.items) and not view.fields["running"] and not view.fields["busy"])
    sent = [each.body for each in router.requests[count:] if each.path.endswith("completions")]
    assert sorted(each["model"] for each in sent) == sorted(models)
    assert {each["messages"][-1]["content"] for each in sent} == {asked}
    later.comparison.wait(timeout=30)
    panel.close()
    other = later.compare("Say two.", models[:2])  # then it is another one that the session has
    panel = eval(shows, {"session": later})
    assert panel.comparison is None
    assert other.comparison is later.comparison
    assert Page(panel).fields["prompt"] == asked
    panel.close()
    later.close()


def test_a_comparison_that_can_not_be_made_is_said(page: Page, router: SandboxRouter) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    assert page.do("compare", key="gone", by="one") is False
    assert page.fields["compared"] == []
    assert "Next:" in page.fields["problem"]


def test_stop_without_a_key_stops_what_was_asked_here(page: Page, session: Session) -> None:
    session.model = "sandbox/stream"
    page.do("ask", text=SLOW)
    page.wait_for(lambda: bool(page.items) and "#3" in only(page)[1].html)
    assert page.fields["stoppable"]
    assert only(page)[1].fields["bar"]
    page.do("stop")
    ended(page, "partial")
    assert not page.fields["stoppable"]
    assert ["Stopped", "Stopped: this is part of an answer.", "warn", ""] in only(page)[1].fields["chips"]


def test_what_failed_is_told_apart_from_what_to_do_next(page: Page, router: SandboxRouter) -> None:
    router.inject(Fault("no-credits"))
    page.do("ask", text="Say hello.")
    ended(page, "failed")
    what, following = only(page)[1].fields["failed"]
    assert what
    assert "Next:" not in what
    assert following.startswith("Next:")
    assert only(page)[1].fields["chips"] == only(page)[1].fields["said"] == []


def test_how_long_the_router_asked_to_wait_is_told_as_what_is_left(
    page: Page, panel: ChatPanel, router: SandboxRouter
) -> None:
    router.inject(Fault("rate-limit", retry_after=3000.0))
    page.do("ask", text="Say hello.")
    ended(page, "failed")
    assert 0 < only(page)[1].fields["wait"] <= 3000
    panel.session.runs.all[0]._again_at -= 2000  # much later
    late = Page(panel, "late")
    assert 0 < only(late)[1].fields["wait"] <= 1000
    router.inject(Fault("no-credits"))
    page.do("retry", key=only(page)[0])
    page.wait_for(lambda: [each.fields["wait"] for each in page.items.values()] == [0])


def test_whose_an_answer_is_comes_with_it(page: Page, panel: ChatPanel) -> None:
    page.do("ask", text="Say hello.")
    ended(page, "done")
    late = Page(panel, "late")
    assert late.fields["providers"] == {"claude-haiku-4-5": "anthropic"}


def test_a_refusal_without_a_text_is_shown_as_what_failed(page: Page, session: Session) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    (exchange,) = session.history
    kept = session.conversation
    turn = kept.begin()
    kept.add(turn, exchange.user, [], entry=exchange.entry, notices=["The model refused: I'd rather not."])
    page.wait_for(lambda: len(page.items) == 2)
    refused = list(page.items.values())[1].fields
    assert refused["failed"] == [
        "The model refused: I'd rather not.",
        "Next: say it in other words, or ask another model.",
    ]
    assert [chip[0] for chip in refused["chips"]] == ["The model refused: I'd rather not"]


def test_a_small_picture_is_told_and_no_more(page: Page) -> None:
    drawn = io.BytesIO()
    Image.effect_noise((1600, 900), 99).save(drawn, "PNG")
    page.do("ask", text="What is in these?", names=["a.png", "b.png"], buffers=[drawn.getvalue(), PIXEL])
    ended(page, "done")
    (source, facts), broken = only(page)[1].fields["thumbs"]
    assert source.startswith("data:image/webp;base64,")
    assert facts.startswith("1,600 x 900 · 1,")
    assert len(source) < 40_000
    assert broken == ["", "1 x 1 · 1 kB"]  # not a whole image: its name and size are told all the same


def test_an_image_is_sent_with_its_name(page: Page, session: Session) -> None:
    hostile = '"><img src=x onerror=window.PWNED=1>.png'
    page.do("ask", text="What is in this image?", names=[hostile], buffers=[PIXEL])
    ended(page, "done")
    assert only(page)[1].fields["images"] == [hostile]
    assert session.history[0].user.images[0].media_type == "image/png"
    assert hostile not in session.chat().fallback_html()


def test_what_is_no_image_stays_in_the_box(page: Page) -> None:
    assert page.do("ask", text="Look.", names=["a.txt"], buffers=[b"hello"]) is False
    assert "Next:" in page.fields["problem"]
    assert page.items == {}
    assert page.do("ask", text="Say hello.") is True
    assert page.fields["problem"] == ""


def test_an_empty_prompt_is_refused(page: Page) -> None:
    assert page.do("ask", text="  ") is False
    assert "empty" in page.fields["problem"]


def test_parameters_are_the_sessions_and_checked(page: Page, session: Session, router: SandboxRouter) -> None:
    assert page.do("set", name="temperature", value="0.5")
    assert page.do("set", name="max_tokens", value="50")
    assert page.do("set", name="system", value="Be brief.")
    assert page.do("set", name="temperature", value="hot") is False
    assert "Next:" in page.fields["problem"]
    assert page.do("set", name="temperature", value="3") is False
    assert session.params == {"temperature": 0.5, "max_tokens": 50}
    page.do("ask", text="Say hello.")
    ended(page, "done")
    assert session.system == "Be brief."
    page.do("set", name="max_tokens", value=" ")
    assert session.params == {"temperature": 0.5}


def test_the_model_follows_and_leads(page: Page, session: Session) -> None:
    assert page.fields["model"] == "claude-haiku-4-5"
    session.model = "claude-sonnet-5"
    page.wait_for(lambda: page.fields["model"] == "claude-sonnet-5")
    page.do("choose", model="claude-haiku-4-5")
    assert session.model == "claude-haiku-4-5"
    page.wait_for(lambda: page.fields["reach"] > 0)
    assert page.do("choose", model="no-such-model") is False
    assert session.model == "claude-haiku-4-5"


def test_a_view_that_comes_late_is_told_everything(panel: ChatPanel, page: Page) -> None:
    page.do("ask", text=SHOW)
    ended(page, "done")
    late = Page(panel, "two")
    assert late.fields == page.fields
    assert late.items == page.items


def test_a_view_that_comes_in_the_middle_of_a_stream_misses_nothing(
    panel: ChatPanel, page: Page, session: Session
) -> None:
    session.model = "sandbox/stream"
    page.do("ask", text="chunks=80 size=20 interval=0.01")
    page.wait_for(lambda: bool(page.items) and "#5" in only(page)[1].html)
    late = Page(panel, "two")
    ended(late, "done")
    assert only(late)[1].html == only(page)[1].html == render(session.history[0].answer)


def test_a_new_conversation_keeps_the_old_one(page: Page, session: Session) -> None:
    page.do("ask", text="Say one.")
    ended(page, "done")
    assert page.fields["earlier"] == []
    page.do("new")
    assert page.items == {}
    ((branch, first, *_),) = page.fields["earlier"]
    assert first == "Say one."
    page.do("ask", text="Say two.")
    ended(page, "done")
    page.do("back", branch=branch)
    assert texts(page) == ["Say one."]
    assert [each[1] for each in page.fields["earlier"]] == ["Say two."]


def test_the_fallback_reads_like_the_chat(panel: ChatPanel, page: Page, session: Session) -> None:
    page.do("ask", text="Say <b>hello</b>.")
    ended(page, "done")
    assert "Say &lt;b&gt;hello&lt;/b&gt;." in panel.fallback_html()
    assert render(session.history[0].answer) in panel.fallback_html()
    assert "\n> Say <b>hello</b>.\n" in panel.fallback_plain()


def test_the_fallback_says_how_to_go_on(panel: ChatPanel, page: Page, session: Session) -> None:
    for shown in (panel.fallback_html(), panel.fallback_plain()):
        assert "copy" not in shown  # of nothing
    page.do("ask", text="Say hello.")
    ended(page, "done")
    for shown in (panel.fallback_html(), panel.fallback_plain()):
        assert "running this cell begins a new conversation in its place" in shown
        assert "session.keep_texts = True" in shown
    session.keep_texts = True
    for shown in (panel.fallback_html(), panel.fallback_plain()):
        assert "Next: run this cell, then Go on where it was." in shown
        assert "begins a new" not in shown


def test_nothing_of_it_is_in_the_widgets_state(panel: ChatPanel, page: Page, session: Session) -> None:
    page.do("ask", text="The word is xyzzy.")
    ended(page, "done")
    assert "xyzzy" not in str(panel.get_state())
    key = session.bridge.run(session.account.key()).reveal()
    assert key not in str(panel.get_state())
    assert key not in str(page.messages)


def test_not_signed_in_is_said_with_the_next_step(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    page = Page(Session(base_url=router.base_url, data_dir=tmp_path / "none", bridge=bridge).chat())
    page.wait_for(lambda: "%tetrate_login" in page.fields.get("problem", ""))
    page.do("ask", text="Say hello.")
    page.wait_for(lambda: states(page) == ["failed"])
    assert "%tetrate_login" in only(page)[1].fields["notes"][0]


def test_a_page_of_another_version_is_answered(page: Page) -> None:
    assert page.do("levitate") is True
    assert page.do("way", key="gone", step=1) is False
    assert page.do("set", name="colour", value="red") is False
    assert page.do("ask", speech="hello") is False
    assert "reload" in page.fields["problem"]


def test_a_closed_panel_follows_no_more(panel: ChatPanel, page: Page, session: Session) -> None:
    panel.close()
    count = len(page.messages)
    session.ask("Say hello.")
    session.model = "claude-sonnet-5"
    assert len(page.messages) == count
