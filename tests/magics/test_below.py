"""What a page calls below a failed cell and of Ask: shown first, sent as shown, never raised, nobody's run."""

from __future__ import annotations

import html
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.magics.test_failures import FAILS, MENDED, asked, fail
from tetrate_jupyter.magics.below import MIME, send, would_go, would_go_of
from tetrate_jupyter.magics.extension import load, unload

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.sandbox import SandboxRouter

CALL = '__import__("tetrate_jupyter.magics.below", fromlist=["send"]).{}({!r}, {})'


def told(call: Callable[[], object]) -> tuple[dict[str, Any], str]:
    """What the page is told last, and the HTML that it shows."""
    with capture_output() as captured:
        call()
    bundles = [output.data for output in captured.outputs]
    shown = [str(bundle.get("text/html", "")) for bundle in bundles if MIME not in bundle]
    return next(bundle[MIME] for bundle in reversed(bundles) if MIME in bundle), "".join(shown)


@pytest.fixture
def failed(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    monkeypatch.setattr(InteractiveShell, "_instance", shell)
    for name in ("last_value", "last_exc", "last_type", "last_traceback"):  # of another test
        vars(sys).pop(name, None)
    shell.InteractiveTB.set_mode(mode="Minimal")
    return shell


def test_what_is_sent_is_what_was_shown(failed: InteractiveShell, router: SandboxRouter) -> None:
    fail(failed)
    data, shown = told(lambda: would_go("explain", 1))
    assert asked(router) == []
    assert data["step"] == "ask"
    assert "Explain cell 1 with claude-haiku-4-5?" in shown
    assert "cost ≈ $" in shown
    failed.run_cell("customers = 4; customres = 5", store_history=True)  # changes nothing of what was shown
    assert told(lambda: send(data["ticket"]))[0] == {"step": "done"}
    (request,) = asked(router)
    seen = html.unescape(re.sub(r"<[^>]*>", "", shown))
    content = request.body["messages"][-1]["content"]
    assert "print(customres)" in content
    for line in content.splitlines():
        assert line in seen


def test_a_change_is_told_with_what_it_is_for(failed: InteractiveShell) -> None:
    fail(failed)
    data, _ = told(lambda: would_go("fix", 1))
    done, _ = told(lambda: send(data["ticket"]))
    assert done == {"step": "done", "cell": 1, "original": FAILS, "source": MENDED}
    assert failed.user_ns["_tetrate_fix"].source == MENDED


def test_what_was_shown_is_sent_once_and_under_its_name_only(failed: InteractiveShell, router: SandboxRouter) -> None:
    fail(failed)
    data, _ = told(lambda: would_go("explain", 1))
    assert "no longer" in told(lambda: send(data["ticket"][::-1]))[0]["said"]
    assert asked(router) == []
    assert told(lambda: send(data["ticket"]))[0]["step"] == "done"
    assert "no longer" in told(lambda: send(data["ticket"]))[0]["said"]
    assert len(asked(router)) == 1


def test_what_is_shown_below_several_cells_may_be_sent_in_any_order(failed: InteractiveShell) -> None:
    tickets = [told(lambda name=name: would_go_of("explain", f"{name} = 1"))[0]["ticket"] for name in "abcdefghi"]
    assert "no longer" in told(lambda: send(tickets[0]))[0]["said"]  # a kernel keeps eight
    assert told(lambda: send(tickets[8]))[0]["step"] == "done"
    assert told(lambda: send(tickets[1]))[0]["step"] == "done"


def test_another_error_than_that_of_the_cell_is_not_asked_about(failed: InteractiveShell) -> None:
    fail(failed)
    data, shown = told(lambda: would_go("fix", 7))
    assert data["step"] == "problem"
    assert "is that of cell 1. Next: run this cell again" in data["said"]
    assert shown == ""


def test_being_asked_by_a_page_is_nobodys_run(failed: InteractiveShell) -> None:
    ran = failed.run_cell("%%time\n1 / 0", store_history=True)  # its frames name no cell: only the last result does
    if ran.error_in_exec is None:
        pytest.skip("this IPython's %%time shows the error and keeps it to itself")
    for purpose in ("explain", "fix", "explain", "fix"):
        data, shown = told(lambda purpose=purpose: failed.run_cell(CALL.format("would_go", purpose, 1)))
        assert data["step"] == "ask", data
        assert "cell 1 (2 lines)" in shown


def test_values_go_only_when_asked_for(failed: InteractiveShell) -> None:
    failed.run_cell("first_number = 987654", store_history=True)
    fail(failed, "first_number / 0")
    data, shown = told(lambda: would_go("explain", 2))
    assert data["variables"] is True
    assert "987654" not in shown
    assert "987654" in told(lambda: would_go("explain", 2, values=True))[1]


def test_a_key_is_refused_and_not_repeated(failed: InteractiveShell, router: SandboxRouter) -> None:
    key = router.issue_key()
    fail(failed, f"token = {key!r}\n1 / 0")
    for purpose in ("explain", "fix"):
        data, shown = told(lambda purpose=purpose: would_go(purpose, 1))
        assert data["step"] == "problem"
        assert key not in str(data) + shown
    assert asked(router) == []


def test_problems_are_told_and_do_not_become_the_last_error(failed: InteractiveShell, router: SandboxRouter) -> None:
    assert "No cell of this kernel has failed" in told(lambda: would_go("explain", 1))[0]["said"]
    fail(failed)
    data, _ = told(lambda: would_go("explain", 1))
    router.stop()
    data, _ = told(lambda: failed.run_cell(CALL.format("send", data["ticket"], "")))
    assert data["step"] == "problem"
    unload(failed)
    assert "isn't loaded. Next: %load_ext" in told(lambda: would_go("explain", 1))[0]["said"]
    load(failed)


SUM = "def mean(xs):\n    if xs == None:\n        return 0\n    return sum(xs) / len(xs)"


def test_what_is_asked_of_a_cell_is_shown_first_and_told_as_a_change(
    failed: InteractiveShell, router: SandboxRouter
) -> None:
    data, shown = told(lambda: would_go_of("improve", SUM))
    assert (data["step"], data["variables"]) == ("ask", False)
    assert "Improve the cell with claude-haiku-4-5?" in shown
    assert "cost ≈ $" in shown
    assert asked(router) == []
    done, shown = told(lambda: send(data["ticket"]))
    assert done == {"step": "done", "cell": None, "original": SUM, "source": SUM.replace("== None", "is None")}
    assert "--apply" not in shown


def test_a_part_of_a_cell_and_new_code_are_told_for_their_place(failed: InteractiveShell) -> None:
    before, part, after = "def mean(xs):\n    ", "if xs == None:\n        return 0", "\n    return 1"
    data, shown = told(lambda: would_go_of("improve", part, before, after))
    assert "Improve the selection with" in shown
    assert told(lambda: send(data["ticket"]))[0]["source"] == part.replace("== None", "is None")
    data, shown = told(lambda: would_go_of("test", SUM))
    assert "Write tests for the cell with" in shown
    done, _ = told(lambda: send(data["ticket"]))
    assert (done["original"], "test_mean()" in done["source"]) == ("", True)
    data, _ = told(lambda: would_go_of("explain", SUM))
    assert told(lambda: send(data["ticket"]))[0] == {"step": "done"}
    assert "mean" in failed.user_ns["_tetrate"].text


def test_asking_about_a_cell_needs_no_error_and_leaves_the_last_one(failed: InteractiveShell) -> None:
    fail(failed)
    call = '__import__("tetrate_jupyter.magics.below", fromlist=["send"]).would_go_of("improve", {!r})'
    data, _ = told(lambda: failed.run_cell(call.format(SUM)))
    assert data["step"] == "ask"
    assert told(lambda: would_go("explain", 1))[0]["step"] == "ask"


def test_what_can_not_be_asked_of_a_cell_is_told(failed: InteractiveShell, router: SandboxRouter) -> None:
    key = router.issue_key()
    for arguments, said in (
        (("improve", ""), "write something in the cell"),
        (("improve", f"token = {key!r}"), "keep it out of there"),
        (("unheard-of", SUM), "There is no wish 'unheard-of'"),
    ):
        data, shown = told(lambda arguments=arguments: would_go_of(*arguments))
        assert data["step"] == "problem", data
        assert said in data["said"]
        assert key not in str(data) + shown
    assert asked(router) == []
