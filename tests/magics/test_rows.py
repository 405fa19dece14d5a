"""What of a variable isn't sent is said wherever its answer is read, and `--rows` sends more; over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.types import Cut

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

LINE = "df: 15 of 2,000 rows and a summary of all sent"
QUESTION = "Which city has the highest revenue? {df}"


@pytest.fixture(autouse=True)
def table(shell: InteractiveShell) -> None:
    cities = [f"city {n}" for n in range(2_000)]
    shell.user_ns["df"] = pd.DataFrame({"city": cities, "revenue": [float(n) for n in range(2_000)]})


def prompts(router: SandboxRouter) -> list[str]:
    bodies = [r.body for r in router.requests if r.path.endswith("/chat/completions")]
    return [body["messages"][-1]["content"] for body in bodies]


def ask(shell: InteractiveShell, line: str = "", cell: str = QUESTION) -> Any:
    shell.run_cell_magic("tetrate", line, cell)
    return shell.user_ns["_tetrate"]


def test_a_cut_table_is_said_under_the_answer_and_to_the_model(
    shell: InteractiveShell, router: SandboxRouter, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(shell)
    assert LINE in answer.notices
    assert answer.cuts == (Cut("df", "rows and a summary of all", 15, 2_000),)
    assert LINE in capsys.readouterr().out
    assert LINE in answer.bundle()["text/html"]
    assert LINE in session.history[-1].notices
    (prompt,) = prompts(router)
    assert "Only 15 of 2,000 rows are here: the first 10 and the last 5." in prompt
    assert "- revenue: 2,000 values, 0 missing, min 0, max 1999" in prompt
    assert session.history[-1].user.content == prompt


def test_what_is_sent_whole_is_not_mentioned(shell: InteractiveShell) -> None:
    assert ask(shell, "", "{df['city'][0]} and {n}").notices == (SIMULATED,)


def test_the_next_question_does_not_say_it_again(shell: InteractiveShell) -> None:
    ask(shell)
    assert LINE not in ask(shell, "", "And the lowest?").notices


@pytest.mark.parametrize(("rows", "sent"), [("100", 100), ("3", 3), ("all", 2_000), ("ALL", 2_000), ("5000", 2_000)])
def test_more_rows_or_fewer_are_sent_where_the_cell_says_so(
    shell: InteractiveShell, router: SandboxRouter, rows: str, sent: int
) -> None:
    answer = ask(shell, f"--rows {rows}")
    (prompt,) = prompts(router)
    assert sum(line.startswith("| city ") and "---" not in line for line in prompt.splitlines()) == sent + 1
    assert answer.notices == (
        *(() if sent == 2_000 else (f"df: {sent} of 2,000 rows and a summary of all sent",)),
        SIMULATED,
    )


@pytest.mark.parametrize("rows", ["0", "-1", "some", "1.5"])
def test_a_number_of_rows_that_is_none_is_refused(shell: InteractiveShell, router: SandboxRouter, rows: str) -> None:
    with pytest.raises(OptionError, match="--rows") as refused:
        ask(shell, f"--rows {rows}")
    assert "--rows N|all" in refused.value.next_step
    assert prompts(router) == []


def test_all_rows_are_as_many_as_the_window_takes(shell: InteractiveShell, router: SandboxRouter) -> None:
    shell.user_ns["df"] = pd.DataFrame({"n": range(3_000_000)})
    answer = ask(shell, "--rows all")
    (cut,) = answer.cuts
    assert 15 < cut.sent < cut.of == 3_000_000
    assert cut.sentence.endswith("rows and a summary of all sent (no more are sure to fit the model's window)")
    assert cut.sentence in answer.notices
    assert len(prompts(router)[0]) > 100_000


def test_all_of_a_table_that_fits_by_its_tokens_is_sent_though_it_has_more_characters_than_the_window(
    shell: InteractiveShell, router: SandboxRouter
) -> None:
    words = [f"paid by card, on the {n}th of the month, without a discount" for n in range(4_000)]
    shell.user_ns["df"] = pd.DataFrame({"note": words})
    answer = ask(shell, "--rows all", "What is in them? {df}")
    assert answer.cuts == ()
    assert len(prompts(router)[0]) > 250_000
    assert "3999th of the month" in prompts(router)[0]


def test_what_was_just_done_is_not_advised(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["df"] = pd.DataFrame({"n": range(3_000_000)})
    shell.run_cell_magic("tetrate", "--dry-run --rows all", QUESTION)
    said = capsys.readouterr().out
    answer = ask(shell, "--rows all")
    shown = capsys.readouterr().out + answer.bundle()["text/html"]
    for text in (said, answer.bundle()["text/html"]):
        assert "fewer columns, or a model with a larger window" in text
    assert "sends more" not in said + shown
    (cut,) = answer.cuts
    assert cut.text.startswith("DataFrame: 3,000,000 rows")
    assert "Summary of all 3,000,000 rows" in cut.text


def test_the_session_and_the_config_can_say_so_for_all(
    shell: InteractiveShell, router: SandboxRouter, session: Session
) -> None:
    session.rows = 100
    assert ask(shell).notices == ("df: 100 of 2,000 rows and a summary of all sent", SIMULATED)
    assert session.fork().rows == 100
    shell.run_line_magic("config", 'TetrateMagics.rows = "all"')
    assert session.rows == "all"
    assert ask(shell).notices == (SIMULATED,)
    assert ask(shell, "--rows 15").notices == (LINE, SIMULATED)
    session.rows = "many"
    with pytest.raises(OptionError, match="rows can't be 'many'"):
        ask(shell)


def test_a_dry_run_says_it_and_estimates_what_is_really_sent(
    shell: InteractiveShell, router: SandboxRouter, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    def tokens(line: str) -> int:
        shell.run_cell_magic("tetrate", f"--dry-run {line}", QUESTION)
        shown = capsys.readouterr().out
        assert (f"{LINE}; --rows N or --rows all sends more" in shown) == (not line)
        return int(shown.split("prompt ≈ ")[1].split(" tokens")[0].replace(",", ""))

    few, many = tokens(""), tokens("--rows all")
    assert many > 20 * few
    assert prompts(router) == []
    assert session.plan("hi", cuts=(Cut("df", "rows and a summary of all", 15, 2_000),)).cuts[0].sentence == LINE


def test_results_of_tools_that_are_cut_are_said_too(shell: InteractiveShell) -> None:
    def get_sales() -> pd.DataFrame:
        """Return the sales."""
        table: pd.DataFrame = shell.user_ns["df"]
        return table

    shell.user_ns["get_sales"] = get_sales
    answer = ask(shell, "--tool get_sales", "Use the tool get_sales, please.")
    assert answer.tool_results[0].cuts == (Cut("get_sales", "rows and a summary of all", 15, 2_000),)
    assert "get_sales: 15 of 2,000 rows and a summary of all sent" in answer.notices


def test_a_comparison_says_it_everywhere(
    shell: InteractiveShell, router: SandboxRouter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "-m claude-haiku-4-5,gpt-6-luna"
    shell.run_cell_magic("tetrate_compare", f"--dry-run {line}", QUESTION)
    assert f"{LINE}; --rows N or --rows all sends more" in capsys.readouterr().out
    shell.run_cell_magic("tetrate_compare", line, QUESTION)
    result: Result = shell.user_ns["_tetrate_compare"]
    assert result.facts.notices == (LINE,)
    assert all(LINE in row.notices for row in result.rows)
    for shown in (result.text, result.html, result.blind().text, result.blind().html, capsys.readouterr().out):
        assert LINE in shown
    loaded = Result.load(result.save(tmp_path / "kept.json"))
    assert loaded.facts.notices == (LINE,)
    assert LINE in loaded.html
    assert result.comparison is not None
    assert LINE in result.comparison.conversation("gpt-6-luna").exchanges[-1].notices
    asked_on = result.comparison.follow_up("And the lowest?")
    assert asked_on.setup.cuts == ()


def test_a_comparison_takes_rows_as_well(shell: InteractiveShell, router: SandboxRouter) -> None:
    shell.run_cell_magic("tetrate_compare", "-m claude-haiku-4-5,gpt-6-luna --rows all", QUESTION)
    assert shell.user_ns["_tetrate_compare"].facts.notices == ()
    assert {prompt.count("| city 1") for prompt in prompts(router)} == {1_111}


def test_a_lone_name_in_prose_gets_a_quiet_note(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(shell, "", "The budget is $500 for {whom} (in US$).")
    assert "{whom} isn't a variable here and stays as typed." in capsys.readouterr().out
    assert prompts(router) == ["The budget is $500 for {whom} (in US$)."]
    ask(shell, "", '{"json": "{whom}"}')
    assert "a variable here" not in capsys.readouterr().out
