"""The conversation: where an answer goes, what is sent as context, and that nothing gets lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.catalog.estimate import text_tokens
from tetrate_jupyter.conversation import Conversation, Exchange
from tetrate_jupyter.errors import InputError
from tetrate_jupyter.types import Image, Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable


def say(conversation: Conversation, text: str, *, cell: str | None = None) -> Exchange:
    turn = conversation.begin(cell_id=cell)
    return conversation.add(turn, Message("user", text), [Message("assistant", text.upper())])


def texts(messages: tuple[Message, ...]) -> list[str]:
    return [m.content for m in messages]


def asked(conversation: Conversation) -> list[str]:
    return [e.user.content for e in conversation]


def test_what_was_said_is_the_context_of_the_next_question() -> None:
    conversation = Conversation()
    say(conversation, "a")
    assert texts(conversation.begin().messages) == ["a", "A"]


def test_a_system_prompt_comes_first_and_an_empty_one_not_at_all() -> None:
    conversation = Conversation()
    say(conversation, "a")
    assert [m.role for m in conversation.messages(system="be brief")] == ["system", "user", "assistant"]
    assert [m.role for m in conversation.messages(system="")] == ["user", "assistant"]


def test_a_cell_run_again_replaces_its_exchange_in_place_and_is_asked_as_the_first_time() -> None:
    conversation = Conversation()
    say(conversation, "a", cell="1")
    first = say(conversation, "b", cell="2")
    say(conversation, "c", cell="3")
    turn = conversation.begin(cell_id="2")
    assert texts(turn.messages) == ["a", "A"]
    again = conversation.add(turn, Message("user", "b again"), [Message("assistant", "B again")])
    assert asked(conversation) == ["a", "b again", "c"]
    assert again.id == first.id
    assert texts(conversation.begin(cell_id="4").messages)[2:4] == ["b again", "B again"]


def test_questions_outside_cells_are_never_taken_for_each_other() -> None:
    conversation = Conversation()
    say(conversation, "a")
    say(conversation, "a")
    assert len(conversation) == 2


def test_a_cell_that_failed_when_run_again_leaves_its_earlier_exchange() -> None:
    conversation = Conversation()
    say(conversation, "a", cell="1")
    conversation.begin(cell_id="1")
    assert asked(conversation) == ["a"]


def test_an_answer_that_comes_after_a_reset_goes_where_it_was_asked() -> None:
    conversation = Conversation()
    say(conversation, "a")
    turn = conversation.begin()
    conversation.reset()
    conversation.add(turn, Message("user", "late"), [])
    assert len(conversation) == 0
    assert [e.user.content for e in conversation.branches[0].exchanges] == ["a", "late"]


def test_an_answer_whose_branch_was_forgotten_brings_it_back() -> None:
    conversation = Conversation(limit=1)
    say(conversation, "a")
    turn = conversation.begin()
    conversation.reset()
    say(conversation, "b")
    conversation.add(turn, Message("user", "late"), [])
    assert asked(conversation) == ["b"]
    assert [[e.user.content for e in b.exchanges] for b in conversation.branches] == [["b"], ["a", "late"]]


def test_reset_keeps_the_old_conversation_reachable() -> None:
    conversation = Conversation()
    say(conversation, "a", cell="1")
    old = conversation.branch
    conversation.reset()
    assert conversation.messages() == ()
    say(conversation, "b", cell="1")
    conversation.switch(old.id)
    assert asked(conversation) == ["a"]


def test_reset_of_an_empty_conversation_changes_nothing() -> None:
    conversation = Conversation()
    conversation.reset()
    assert len(conversation.branches) == 1


def test_old_branches_are_bounded_and_the_current_one_is_never_forgotten() -> None:
    conversation = Conversation(limit=3)
    say(conversation, "kept")
    kept = conversation.branch.id
    for number in range(5):
        conversation.reset()
        say(conversation, str(number))
        if number == 1:
            conversation.switch(kept)
            say(conversation, "more")
    assert len(conversation.branches) == 3
    assert asked(conversation) == ["4"]


def test_a_fork_is_independent() -> None:
    conversation = Conversation()
    first = say(conversation, "a")
    say(conversation, "b")
    fork = conversation.fork(upto=first.id)
    say(fork, "c")
    assert asked(conversation) == ["a", "b"]
    assert asked(fork) == ["a", "c"]
    assert asked(conversation.fork()) == ["a", "b"]


def test_editing_branches_off_before_the_exchange_and_keeps_the_old_branch() -> None:
    conversation = Conversation()
    say(conversation, "a")
    second = say(conversation, "b")
    say(conversation, "c")
    old = conversation.branch
    turn = conversation.edit(second.id, system="s")
    assert texts(turn.messages) == ["s", "a", "A"]
    conversation.add(turn, Message("user", "b2"), [Message("assistant", "B2")])
    assert asked(conversation) == ["a", "b2"]
    assert (conversation.branch.parent, conversation.branch.root) == (old.id, old.root)
    conversation.switch(old.id)
    assert asked(conversation) == ["a", "b", "c"]


def test_variants_are_the_ways_an_exchange_went() -> None:
    conversation = Conversation()
    first = say(conversation, "a")
    second = say(conversation, "b")
    assert len(conversation.variants(first.id)) == 1
    for text in ("b2", "b3"):
        conversation.add(conversation.edit(second.id), Message("user", text), [])
        second = conversation.exchanges[-1]
    ways = conversation.variants(second.id)
    assert [b.exchanges[1].user.content for b in ways] == ["b", "b2", "b3"]
    assert ways[-1] == conversation.branch
    assert len(conversation.variants(first.id)) == 1
    conversation.switch(ways[0].id)
    assert [b.id for b in conversation.variants(conversation.exchanges[1].id)] == [b.id for b in ways]


def test_a_branch_from_before_a_reset_is_no_variant() -> None:
    conversation = Conversation()
    say(conversation, "a")
    conversation.reset()
    other = say(conversation, "b")
    assert len(conversation.variants(other.id)) == 1


def test_messages_can_stop_at_an_exchange() -> None:
    conversation = Conversation()
    first = say(conversation, "a")
    say(conversation, "b")
    assert texts(conversation.messages(upto=first.id)) == ["a", "A"]


def test_unknown_ids_are_explained() -> None:
    conversation = Conversation()
    for call in (conversation.edit, conversation.switch, conversation.variants):
        with pytest.raises(InputError) as caught:
            call("nowhere")
        assert caught.value.next_step


def test_a_partial_answer_is_kept_marked_and_sent() -> None:
    conversation = Conversation()
    turn = conversation.begin()
    kept = conversation.add(turn, Message("user", "a"), [Message("assistant", "half an")], partial=True)
    assert kept.partial
    assert kept.answer == "half an"
    assert texts(conversation.messages()) == ["a", "half an"]


def test_calls_of_tools_go_out_with_their_results_only() -> None:
    one, two = ToolCall("1", "f", "{}"), ToolCall("2", "g", "{}")
    result = Message("tool", "42", tool_call_id="1", name="f")
    whole = [Message("assistant", "", tool_calls=(one,)), result, Message("assistant", "it is 42")]
    conversation = Conversation()
    conversation.add(conversation.begin(), Message("user", "q"), whole)
    assert list(conversation.messages()[1:]) == whole

    broken = [Message("assistant", "", tool_calls=(one, two)), result]
    kept = conversation.add(conversation.begin(), Message("user", "q"), broken, partial=True)
    assert [m.tool_calls for m in kept.messages()] == [(), (one,), ()]

    unanswered = [Message("assistant", "let me see", tool_calls=(two,)), Message("assistant", " ")]
    kept = conversation.add(conversation.begin(), Message("user", "q"), unanswered, partial=True)
    assert kept.messages()[1:] == (Message("assistant", "let me see"),)
    assert kept.replies == tuple(unanswered)


def test_a_result_without_its_call_is_not_sent() -> None:
    conversation = Conversation()
    orphan = Message("tool", "42", tool_call_id="9", name="f")
    kept = conversation.add(conversation.begin(), Message("user", "q"), [orphan])
    assert kept.messages() == (Message("user", "q"),)


def test_a_long_context_is_never_cut_and_its_size_can_be_told() -> None:
    conversation = Conversation()
    for number in range(300):
        say(conversation, f"question {number} " * 50)
    assert len(conversation.messages()) == 600
    assert conversation.estimate_tokens() > 100_000


def test_the_estimate_counts_characters_messages_images_and_calls() -> None:
    image = Image("data:image/png;base64,AAAA", "image/png", 3)
    conversation = Conversation()
    call = ToolCall("1", "f", "{'a': 1}")
    conversation.add(
        conversation.begin(),
        Message("user", "x" * 35, images=(image,)),
        [Message("assistant", "", tool_calls=(call,)), Message("tool", "", tool_call_id="1")],
    )
    assert (
        conversation.estimate_tokens()
        == text_tokens("x" * 35) + text_tokens("f") + text_tokens("{'a': 1}") + 3 * 4 + 800
    )


def test_a_snapshot_does_not_change_afterwards() -> None:
    conversation = Conversation()
    before = conversation.exchanges
    say(conversation, "a")
    assert before == ()


def test_observers_hear_of_every_change_and_of_nothing_else() -> None:
    conversation, heard = Conversation(), []
    stop = conversation.on_change(lambda: heard.append(len(conversation)))
    first = say(conversation, "a")
    conversation.edit(first.id)
    conversation.switch(conversation.branch.id)
    conversation.reset()
    conversation.fork()
    stop()
    say(conversation, "b")
    assert heard == [1, 0]


def test_an_empty_conversation_is_true() -> None:
    assert Conversation()


def test_many_threads_lose_no_exchange() -> None:
    conversation = Conversation()
    threads = [threading.Thread(target=lambda: [say(conversation, "a") for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(conversation) == 400


def test_repr_is_stable() -> None:
    assert repr(Conversation()) == "<Conversation: 0 exchanges>"


class Counted(Exchange):
    """An exchange that counts how often anybody asks which it is."""

    __slots__ = ()
    looks = 0

    def __getattribute__(self, name: str) -> object:
        if name in {"id", "cell_id"}:
            Counted.looks += 1
        return super().__getattribute__(name)


def looks_at(count: int, do: Callable[[Conversation], object]) -> int:
    made = [Counted(f"e{n}", Message("user", "q"), (Message("assistant", "a"),), f"cell {n}") for n in range(count)]
    conversation = Conversation(made)
    do(conversation)  # what is kept from the first time is there from now on
    Counted.looks = 0
    do(conversation)
    return Counted.looks


def test_a_question_of_a_cell_looks_at_what_is_new_only() -> None:
    assert looks_at(1_000, lambda c: say(c, "x", cell="new")) == 0


def test_the_ways_of_all_exchanges_cost_one_look_at_each() -> None:
    def branch_off(conversation: Conversation) -> None:
        whole = conversation.branches[0].id
        conversation.switch(whole)
        conversation.edit("e7")
        conversation.switch(whole)
        conversation.ways()

    assert looks_at(1_000, branch_off) < 6_000


def test_ways_and_variants_agree() -> None:
    conversation = Conversation()
    for text in "abc":
        say(conversation, text)
    for place in (2, 1, 1, 0):
        turn = conversation.edit(
            conversation.exchanges[place].id if len(conversation) > place else say(conversation, "d").id
        )
        conversation.add(turn, Message("user", f"{place}"), [])
    for branch in conversation.branches:
        conversation.switch(branch.id)
        ways = conversation.ways()
        for place, exchange in enumerate(branch.exchanges):
            found = conversation.variants(exchange.id)
            expected: dict[str, str] = {}  # as it is defined: the same exchanges before, one branch for each id here
            for other in conversation.branches:
                same = [e.id for e in other.exchanges[:place]] == [e.id for e in branch.exchanges[:place]]
                if same and len(other.exchanges) > place and expected.get(other.exchanges[place].id) != branch.id:
                    expected[other.exchanges[place].id] = other.id
            assert [b.id for b in found] == list(expected.values())
            assert ways.get(exchange.id, (branch,)) == found
