"""What to do next, as the sign-in panel says it: its buttons in place of what one would type."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import pytest

import tetrate_jupyter
from tetrate_jupyter import config, errors
from tetrate_jupyter.http.exchange import exchange_error
from tetrate_jupyter.http.faults import RequestContext
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.widgets import sign_in_words as words

PACKAGE = Path(tetrate_jupyter.__file__).parent
BELOW = ("auth", "http", "keys")  # rooms whose errors a sign-in meets


def test_words_of_a_router_stay_as_they_are_even_where_they_name_a_step() -> None:
    said = "Blocked: run %tetrate_login, use --store, or pass allow_http=True, it says."
    assert words.advice(errors.ForbiddenError(said)) == said
    own = errors.NextStep("use --store file", in_panel="run %tetrate_login --store file")
    assert words.advice(errors.KeyStoreError(said, next_step=own)) == f"{said} Next: run %tetrate_login --store file."


def test_a_step_without_words_for_the_panel_is_said_as_it_is() -> None:
    error = errors.LoginError("No.", next_step="wait a minute", request_id="r1")
    assert words.advice(error) == "No. Next: wait a minute. Request id: r1"
    assert words.advice(errors.LoginError("No.")) == "No."


def test_a_step_between_other_words_keeps_both_forms() -> None:
    step = errors.NextStep("type this", in_panel="press that").within("wait, then ", "; or stop")
    error = errors.LoginError("No.", next_step=step)
    assert error.lines() == ["No.", "Next: wait, then type this; or stop"]
    assert words.advice(error) == "No. Next: wait, then press that; or stop."
    assert words.advice(pickle.loads(pickle.dumps(error))) == words.advice(error)


def test_neither_form_holds_a_key_or_what_acts_on_a_terminal() -> None:
    secret = "sk-the-panel-says-it-0123456789"
    key = Secret(secret, host="router.test")
    step = errors.NextStep(f"type {secret}\x1b[2J", in_panel=f"press {secret}\x1b[2J")
    said = words.advice(errors.LoginError("No.", next_step=step))
    assert key.reveal() not in said
    assert "\x1b" not in said
    assert said.startswith("No. Next: press <secret>")


@pytest.mark.parametrize("endpoints", [config.Endpoints.of(config.DEFAULT_BASE_URL), None])
def test_a_router_with_or_without_a_page_of_keys_is_told_for_the_panel(
    endpoints: config.Endpoints | None,
) -> None:
    asked = RequestContext("https://router.test/v1", "r1", endpoints=endpoints)
    assert "%" not in asked.sign_in.in_panel
    told = words.advice(exchange_error(errors.GatewayError("no", status=500), asked))
    assert "%tetrate_login" not in told
    assert "press Sign in" in told


def test_every_step_below_that_names_the_magic_has_words_for_the_panel() -> None:
    plain = []
    for room in BELOW:
        for path in (PACKAGE / room).glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            said = {id(each) for call in ast.walk(tree) if _is_step(call) for each in ast.walk(call)}
            said |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
            plain += [
                f"{path.name}:{node.lineno}: {node.value}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and "%tetrate_login" in str(node.value) and id(node) not in said
            ]
    assert plain == []


def _is_step(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "NextStep"
