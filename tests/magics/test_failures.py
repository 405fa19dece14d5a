"""%tetrate_explain and %tetrate_fix: told before it goes, shown, kept in variables, applied by hand only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernels import CountingKernel
from tetrate_jupyter import config
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.errors import InputError, OptionError, SecretInPromptError, UnknownModelError
from tetrate_jupyter.failures.change import Fix
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import LoggedRequest

FAILS = "# of this year\ncustomers = 3\nprint(customres)"
MENDED = FAILS.replace("customres", "customers")


def asked(router: SandboxRouter) -> list[LoggedRequest]:
    return [request for request in router.requests if request.path.endswith("/chat/completions")]


def fail(shell: InteractiveShell, cell: str = FAILS) -> None:
    """Run a cell that fails, then one that doesn't. Within the test: pytest clears `sys.last_value` before each."""
    shell.run_cell(cell, store_history=True)
    shell.run_cell("pass", store_history=True)


@pytest.fixture
def failed(shell: InteractiveShell) -> InteractiveShell:
    shell.InteractiveTB.set_mode(mode="Minimal")
    shell.rl_next_input = None
    return shell


def test_explaining_says_once_what_goes_then_answers(
    failed: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(failed)
    capsys.readouterr()
    failed.run_line_magic("tetrate_explain", "-o why")
    first, _, rest = capsys.readouterr().out.partition("\n")
    assert first.startswith(
        "Sending to claude-haiku-4-5: cell 1 (3 lines), traceback (3 lines), names that look alike: customers"
    )
    assert "cost ≈ $" in first
    assert "--dry-run" in first
    assert "`customers`" in rest
    assert isinstance(failed.user_ns["why"], Answer)
    assert failed.user_ns["_tetrate"] is failed.user_ns["why"]
    failed.run_line_magic("tetrate_explain", "-m gpt-6-luna")
    assert "Sending to" not in capsys.readouterr().out
    assert asked(router)[-1].body["model"] == "gpt-6-luna"


def test_fixing_shows_the_change_and_applies_nothing(
    failed: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(failed)
    failed.run_line_magic("tetrate_fix", "-o change")
    shown = capsys.readouterr().out
    assert "-print(customres)\n+print(customers)" in shown
    assert "%tetrate_fix --apply" in shown
    assert "≈ $" in shown
    fix = failed.user_ns["change"]
    assert isinstance(fix, Fix)
    assert failed.user_ns["_tetrate_fix"] is fix
    assert (fix.source, fix.original) == (MENDED, FAILS)
    assert not failed.rl_next_input
    requests = len(asked(router))
    failed.run_line_magic("tetrate_fix", "--apply")
    assert failed.rl_next_input == MENDED
    assert "Read it, then run it" in capsys.readouterr().out
    assert len(asked(router)) == requests


def test_a_change_is_not_applied_after_another_cell_has_failed(failed: InteractiveShell) -> None:
    fail(failed)
    failed.run_line_magic("tetrate_fix", "")
    failed.run_cell("1 / 0", store_history=True)
    with pytest.raises(InputError, match=r"for the error of cell 1; the last error is that of cell [23]"):
        failed.run_line_magic("tetrate_fix", "--apply")
    assert not failed.rl_next_input
    fail(failed)
    failed.run_line_magic("tetrate_fix", "--apply")
    assert failed.rl_next_input == MENDED


def test_applying_spells_out_what_hides_but_not_in_the_persons_own_lines(failed: InteractiveShell) -> None:
    fail(failed)
    own = "name = '\U0001f468\u200d\U0001f469'"
    failed.run_line_magic("tetrate_fix", "")
    fix: Fix = failed.user_ns["_tetrate_fix"]
    vars(fix).update(original=f"{own}\nx", source=f"{own}\nx = 1  # \u202e")
    failed.run_line_magic("tetrate_fix", "--apply")
    assert failed.rl_next_input.startswith("# Read this before you run it")
    assert failed.rl_next_input.endswith(f"line 3.\n{own}\nx = 1  # ⟦U+202E⟧")


def test_there_must_be_a_change_to_apply(failed: InteractiveShell) -> None:
    fail(failed)
    with pytest.raises(InputError, match="%tetrate_fix, then"):
        failed.run_line_magic("tetrate_fix", "--apply")
    failed.run_cell("raise RuntimeError('the pump is dry')", store_history=True)
    failed.run_line_magic("tetrate_fix", "")
    with pytest.raises(InputError, match="no code"):
        failed.run_line_magic("tetrate_fix", "--apply")
    assert not failed.rl_next_input


def test_a_dry_run_shows_exactly_what_would_go(
    failed: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(failed)
    for number, magic in enumerate(("tetrate_explain", "tetrate_fix")):
        failed.run_line_magic(magic, "--dry-run")
        shown = capsys.readouterr().out
        assert "Nothing was sent" in shown
        assert "cost ≈ $" in shown
        assert len(asked(router)) == number
        failed.run_line_magic(magic, "")
        for message in asked(router)[-1].body["messages"]:
            assert message["content"] in shown
        capsys.readouterr()


def test_a_dry_run_applies_nothing(failed: InteractiveShell, session: Session) -> None:
    fail(failed)
    failed.run_line_magic("tetrate_fix", "")
    with pytest.raises(OptionError, match="--apply sends nothing"):
        failed.run_line_magic("tetrate_fix", "--apply --dry-run")
    assert not failed.rl_next_input
    session.model = None
    for magic in ("tetrate_explain", "tetrate_fix"):
        failed.run_line_magic(magic, "--dry-run")
    assert session.model is None


def test_values_go_when_asked_for(shell: InteractiveShell, router: SandboxRouter) -> None:
    shell.run_cell("first_number = 987654", store_history=True)
    fail(shell, "first_number / 0")
    shell.run_line_magic("tetrate_explain", "")
    variables = asked(router)[-1].body["messages"][-1]["content"].partition("Variables")[2]
    assert "987654" not in variables
    shell.run_line_magic("tetrate_explain", "--values")
    variables = asked(router)[-1].body["messages"][-1]["content"].partition("Variables")[2]
    assert "987654" in variables


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("-m claude-haiku-99", UnknownModelError),
        ("--modle x", OptionError),
        ("words", OptionError),
        ("-o 1", OptionError),
    ],
)
def test_a_mistake_in_the_line_does_not_lose_the_error(
    failed: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str, error: type[Exception]
) -> None:
    fail(failed)
    for _ in range(2):
        result = failed.run_cell(f"%tetrate_fix {line}", store_history=True)
        assert type(result.error_in_exec) is error
    failed.run_cell("%tetrate_fix", store_history=True)
    assert failed.user_ns["_tetrate_fix"].source == MENDED


def test_a_router_in_trouble_does_not_lose_the_error(failed: InteractiveShell, router: SandboxRouter) -> None:
    fail(failed)
    router.inject(Fault("stream-cut", after_chunks=3))
    assert failed.run_cell("%tetrate_fix", store_history=True).error_in_exec is not None
    assert failed.user_ns["_tetrate_fix"].source is None  # what came of it is kept, marked
    assert failed.user_ns["_tetrate"].partial == "StreamCutError"
    assert failed.run_cell("%tetrate_fix", store_history=True).success
    assert failed.user_ns["_tetrate_fix"].source == MENDED


def test_a_key_is_refused_and_not_repeated(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    key = router.issue_key()
    shell.run_cell(f"token = {key!r}\n1 / 0", store_history=True)
    capsys.readouterr()
    for magic in ("%tetrate_explain", "%tetrate_fix", "%tetrate_fix --dry-run"):
        result = shell.run_cell(magic, store_history=True)
        assert type(result.error_in_exec) is SecretInPromptError
    assert key not in capsys.readouterr().out
    assert asked(router) == []


def test_ipythons_own_handling_stays(failed: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    fail(failed)
    failed.run_line_magic("tetrate_explain", "")
    assert failed.custom_exceptions == ()
    capsys.readouterr()
    failed.run_cell("1 / 0")
    assert "ZeroDivisionError" in capsys.readouterr().out


# --- in a kernel -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_in_a_kernel_it_streams_and_the_change_goes_into_a_new_cell() -> None:
    with SandboxRouter(speed=INSTANT, list_faults=True) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment) as kernel:
            kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
            assert kernel.run(FAILS).status == "error"
            assert kernel.run("'fine'").status == "ok"
            ran = kernel.run("%tetrate_explain")
            assert ran.status == "ok"
            assert set(ran.kinds) <= {"stream", "display_data", "update_display_data"}
            assert ">customers</code>" in ran.texts[-1]
            ran = kernel.run("%tetrate_fix")
            assert '<span class="gi">+print(customers)' in ran.texts[-1]
            assert not [each for each in ran.payload if each["source"] == "set_next_input"]
            ran = kernel.run("%tetrate_fix --apply")
            (payload,) = (each for each in ran.payload if each["source"] == "set_next_input")
            assert payload["text"] == MENDED
            assert payload["replace"] is False
            kernel.run("%config TetrateMagics.stream = False")
            ran = kernel.run("%tetrate_fix")
            assert ran.kinds == ["display_data"]  # headless: one output


@pytest.mark.slow
def test_what_goes_is_named_once_and_unfolds_whole() -> None:
    named = "traceback ("
    with SandboxRouter(speed=INSTANT) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment) as kernel:
            kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
            kernel.run(FAILS)
            first = kernel.run("%tetrate_fix")
            said, shown = first.texts[0], first.texts[-1]
            assert said.startswith("Sending to claude-haiku-4-5: ")
            assert named in said
            assert named not in shown
            assert "Show what was sent</summary>" in shown
            assert "print(customres)" in shown.partition("Show what was sent")[2]
            kernel.run(FAILS)
            later = kernel.run("%tetrate_fix")  # nothing is said before it: it names them itself
            assert "".join(later.texts[-1:]).count(named) == 1
            assert named in kernel.run("_tetrate_fix").texts[-1]


@pytest.mark.slow
def test_an_interrupt_stops_the_request_and_the_error_is_still_there() -> None:
    with SandboxRouter(speed=INSTANT, list_faults=True) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment) as kernel:
            kernel.run("%load_ext tetrate_jupyter")
            kernel.run("# chunks=3000 size=20 interval=0.01\n1 / 0")
            ran = kernel.run("%tetrate_explain -m sandbox/stream", shows="#0", on_shown=kernel.interrupt)
            assert ran.status == "error"
            assert "Stopped. The text so far is in _tetrate" in ran.texts[-1]
            router.wait_for(lambda r: r.hung_up_at is not None)
            assert "tokens" in "".join(kernel.run("%tetrate_explain -m claude-haiku-4-5").texts)
