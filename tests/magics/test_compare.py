"""%%tetrate_compare in a shell: prompt in, the comparison shown and kept, mistakes answered in a few lines."""

from __future__ import annotations

import _thread
import threading
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tetrate_jupyter.compare.asking import ComparisonStopped
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.errors import (
    CostLimitError,
    CreditsExhaustedError,
    EmptyPromptError,
    OptionError,
    TetrateError,
    UnknownModelError,
)
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.widgets.compare_draft import Draft

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import LoggedRequest


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def test_the_answers_are_shown_and_left_in_variables(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["n"] = 23
    shell.run_cell_magic(
        "tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna -m gpt-6-luna -o result", "What is 17 * {n}?"
    )
    result = shell.user_ns["result"]
    assert isinstance(result, Result)
    assert shell.user_ns["_tetrate_compare"] is result
    assert [h.label for h in result.heads] == ["claude-haiku-4-5", "gpt-6-luna", "gpt-6-luna #2"]
    assert all("391" in column.text for column in result)
    shown = capsys.readouterr().out
    for words in ("gpt-6-luna #2", "3 of 3 done", "391", "≈ $"):
        assert words in shown


def test_options_and_traits_reach_the_requests(shell: InteractiveShell, router: SandboxRouter) -> None:
    shell.run_line_magic("config", "TetrateMagics.max_tokens = 77")
    shell.run_cell_magic(
        "tetrate_compare",
        '-m claude-haiku-4-5 --repeats 2 --seed 4 --max-cost 1 -t 0.5 -s "Be brief." -p top_p=0.5',
        "hi",
    )
    bodies = [r.body for r in chats(router)]
    assert len(bodies) == 2
    for body in bodies:
        assert (body["temperature"], body["max_tokens"], body["top_p"]) == (0.5, 77, 0.5)
        assert body["messages"][0]["content"] == "Be brief."
    facts = shell.user_ns["_tetrate_compare"].facts
    assert (facts.seed, facts.repeats, float(facts.max_cost)) == (4, 2, 1.0)


def test_a_dry_run_says_what_it_may_cost(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell_magic("tetrate_compare", "-m claude-* --repeats 10 --dry-run", "hello")
    shown = capsys.readouterr().out
    assert "Nothing was sent. This makes 80 calls, at most ≈ $" in shown
    assert "claude-opus-5-5" in shown
    assert not chats(router)


def test_a_line_of_only_dashes_divides_the_cell_as_the_panel(
    shell: InteractiveShell, session: Session, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns |= {"rule": "front\n---\nmatter", "n": 23}
    cell = "Name a colour.\nOnly one.\n ---  \n{rule}\n\n---\n\nWhat is 17 * {n}?\n---\n"
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna --dry-run", cell)
    assert "This makes 6 calls for 3 prompts, at most" in capsys.readouterr().out
    assert not chats(router)
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna", cell)
    result = shell.user_ns["_tetrate_compare"]
    prompts = ("Name a colour.\nOnly one.", "front\n---\nmatter", "What is 17 * 23?")
    assert result.facts.prompts == prompts
    assert sorted(r.body["messages"][-1]["content"] for r in chats(router)) == sorted(prompts * 2)
    assert "3 prompts · 6 of 6 done" in capsys.readouterr().out
    draft = Draft(session)
    draft.write(cell, several=True)
    assert draft._prompts() == (prompts[0], "{rule}", "What is 17 * {n}?")


def test_of_several_prompts_none_names_a_picture_and_one_given_by_hand_goes_with_all(
    shell: InteractiveShell, router: SandboxRouter
) -> None:
    shell.user_ns["photo"] = Image.new("RGB", (2, 2))
    with pytest.raises(OptionError, match="One of the prompts names a picture, which would go with all of them"):
        shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5", "one\n---\nWhat is in {photo}?")
    assert not chats(router)
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5 --image photo", "one\n---\ntwo")
    assert [len(r.body["messages"][-1]["content"]) for r in chats(router)] == [2, 2]
    with pytest.raises(EmptyPromptError, match="nothing but ---"):
        shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5", "\n---\n")


def test_too_little_money_asks_nothing_and_says_what_to_type(shell: InteractiveShell, router: SandboxRouter) -> None:
    with pytest.raises(CostLimitError, match="Nothing was asked") as caught:
        shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5 --repeats 10 --max-cost 0.03", "hello")
    assert not chats(router)
    for option in ("--max-cost", "--max-tokens"):
        step = caught.value.next_step
        value = step.split(option)[1].split(";")[0].strip()
        line = (
            f"-m claude-haiku-4-5 --repeats 10 {'' if option == '--max-cost' else '--max-cost 0.03'} {option} {value}"
        )
        shell.run_cell_magic("tetrate_compare", line, "hello")
        assert shell.user_ns["_tetrate_compare"].df["state"].eq("done").all()


@pytest.mark.parametrize(("typed", "said"), [("0", "$0.00"), ("$0.0001", "$0.0001"), ("1e-4", "$0.0001")])
def test_an_amount_is_said_as_it_was_typed(shell: InteractiveShell, typed: str, said: str) -> None:
    with pytest.raises(CostLimitError) as caught:
        shell.run_cell_magic("tetrate_compare", f"-m claude-haiku-4-5 --max-cost {typed}", "hello")
    assert f"more than max_cost {said}. Nothing was asked." in caught.value.message


@pytest.mark.parametrize(
    ("line", "cell", "error"),
    [
        ("-m claude-haiku-4-5", "  \n", EmptyPromptError),
        ("", None, EmptyPromptError),
        ("claude-haiku-4-5", "hi", OptionError),
        ("--repeats many", "hi", OptionError),
        ("-m nothing-like-it", "hi", UnknownModelError),
    ],
)
def test_a_mistake_is_answered(
    shell: InteractiveShell, router: SandboxRouter, line: str, cell: str | None, error: type[Exception]
) -> None:
    run = shell.run_line_magic if cell is None else shell.run_cell_magic
    with pytest.raises(error):
        run("tetrate_compare", line, *([] if cell is None else [cell]))
    assert not chats(router)


def test_blind_shows_letters_and_the_variable_has_the_names(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna --blind --seed 5", "What is 17 * 23?")
    shown = capsys.readouterr().out
    assert "names hidden, in the order of seed 5" in shown
    assert "── A" in shown
    assert "── B" in shown
    assert "gpt" not in shown
    assert "391" in shell.user_ns["_tetrate_compare"]["gpt-6-luna"].text


def test_an_interrupt_leaves_what_had_come(
    shell: InteractiveShell, session: Session, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    router.inject(Fault("stream-stall", model="gpt-6-luna", after_chunks=1))

    def interrupt() -> None:
        router.wait_for(lambda r: r.fault == "stream-stall" and r.chunks_sent > 0)
        router.wait_for(lambda r: r.model == "claude-haiku-4-5" and r.finished_at is not None)
        _thread.interrupt_main()

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(ComparisonStopped):
        shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna", "hello")
    watcher.join()
    assert shell.user_ns["_tetrate_compare"].df["state"].eq("stopped").any()
    said = capsys.readouterr().out
    assert "1 stopped" in said or "2 stopped" in said  # the other's last words may have been on their way


def test_a_comparison_without_any_answer_fails(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    router.inject(Fault("no-credits", times=None))
    with pytest.raises(CreditsExhaustedError, match="No column has an answer") as caught:
        shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna -o result", "hello")
    assert caught.value.next_step
    assert caught.value.request_id
    assert shell.user_ns["result"].df["state"].eq("failed").all()
    assert "0 of 2 done" in capsys.readouterr().out


def test_a_comparison_that_failed_in_several_ways_names_the_first(
    shell: InteractiveShell, router: SandboxRouter
) -> None:
    router.inject(Fault("no-credits", model="claude-haiku-4-5", times=None))
    router.inject(Fault("forbidden", model="gpt-6-luna", times=None))
    with pytest.raises(TetrateError, match="No column has an answer") as caught:
        shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna", "hello")
    assert type(caught.value) is TetrateError
    assert caught.value.next_step


def test_a_comparison_with_some_answers_is_a_result(shell: InteractiveShell, router: SandboxRouter) -> None:
    router.inject(Fault("no-credits", model="gpt-6-luna", times=None))
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna -o result", "hello")
    assert sorted(shell.user_ns["result"].df["state"]) == ["done", "failed"]


@pytest.mark.parametrize("magic", ["tetrate", "tetrate_compare"])
def test_a_cell_without_a_prompt_says_where_it_goes_in_that_very_cell(shell: InteractiveShell, magic: str) -> None:
    with pytest.raises(EmptyPromptError) as caught:
        shell.run_cell_magic(magic, "-m claude-haiku-4-5", "  \n")
    assert caught.value.next_step == "write it in the lines below the first"
