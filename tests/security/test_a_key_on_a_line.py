"""A key on a magic's line or in an address is recognised in whatever form, not repeated, and to be revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ipywidgets import Widget

from tests.compare.conftest import eventually
from tests.security.keys import FORMS, without
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import BaseURLError, OptionError, TetrateError
from tetrate_jupyter.widgets.sign_in import SignInPanel
from tetrate_jupyter.widgets.sign_in_words import State

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

KEY = "sk-aZ3bY5cX7dW9eV1fU2gT4hS6iR8jQ0kP"
WORDY = "sk-typed-by-hand-and-never-to-be-shown"
LINES = [
    ("tetrate_login", "{}"),
    ("tetrate_login", '"{}"'),
    ("tetrate_login", "'{}'"),
    ("tetrate_login", "TETRATE_API_KEY={}"),
    ("tetrate_login", 'TARS_API_KEY="{}"'),
    ("tetrate_login", "export AGENTROUTER_API_KEY = {}"),
    ("tetrate_login", "Bearer {}"),
    ("tetrate_login", "Authorization: Bearer {}"),
    ("tetrate_login", "--key {}"),
    ("tetrate_login", "--key={}"),
    ("tetrate_login", "--{}"),
    ("tetrate_login", "-{}"),
    ("tetrate_login", "--store {}"),
    ("tetrate_login", "--store={}"),
    ("tetrate_login", '--store "{}"'),
    ("tetrate_login", "--store memory {}"),
    ("tetrate_login", "--timeout {}"),
    ("tetrate_login", "--again={}"),
    ("tetrate_login", "--base-url {}"),
    ("tetrate_login", "--base-url https://{}/v1"),
    ("tetrate_login", "--base-url https://user:{}@gateway.example/v1"),
    ("tetrate_login", "--base-url https://gateway.example/v1?key={}"),
    ("tetrate_login", "--base-url https://gateway.example --auth-url {}"),
    ("tetrate_login", '--store "{}'),
    ("tetrate_logout", "{}"),
    ("tetrate_status", "key={}"),
    ("tetrate_reset", '"{}"'),
    ("tetrate_chat", "{}"),
    ("tetrate_model", "{}"),
    ("tetrate_model", '"{}"'),
    ("tetrate_models", "{}"),
    ("tetrate_models", "--sort {}"),
    ("tetrate_models", "cheap {} --table"),
    ("tetrate", "-m {} hello"),
    ("tetrate", "-p user={} hello"),
    ("tetrate", '-s "sign with {}" hello'),
    ("tetrate", "--key {} hello"),
    ("tetrate", "-t {} hello"),
    ("tetrate", "-o {} hello"),
    ("tetrate", "--image {} hello"),
]


@pytest.mark.parametrize("key", [KEY, WORDY], ids=["random", "wordy"])
def test_it_is_recognised_and_not_repeated(shell: InteractiveShell, router: SandboxRouter, key: str) -> None:
    for magic, line in LINES:
        with pytest.raises(TetrateError) as caught:
            shell.run_line_magic(magic, line.format(key))
        error = caught.value
        without(key, str(error), repr(error), error.args, error._render_traceback_(), str(error.__cause__))
        assert "revoke" in error.next_step, line
        assert error.__context__ is None, line
    assert not router.requests


def test_one_that_is_known_is_recognised_in_any_form(shell: InteractiveShell, session: Session) -> None:
    key = session.bridge.run(session.account.key()).reveal()
    for form in FORMS.keys() - {"in json", "in a url"}:  # these hold what the line's own grammar takes apart
        for line in (line for magic, line in LINES if magic == "tetrate_login"):
            with pytest.raises(TetrateError) as caught:
                shell.run_line_magic("tetrate_login", line.format(FORMS[form](key)))
            without(key, str(caught.value), repr(caught.value), caught.value.args)


def test_on_a_cells_line(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (f"%%tetrate {KEY}\nhello", f"%%tetrate -m {KEY}\nhello", f"%%tetrate_compare -m a,{KEY}\nhello"):
        shell.run_cell(line)
    shown = capsys.readouterr().out
    assert shown.count("revoke it") == 3
    without(KEY, shown)


@pytest.mark.parametrize("line", ["-s 'Explain sk-learn and sk-... keys' hello", "-p user=task-force-2024 hello",
                                  "what is a key such as sk-abc123def456?"])  # fmt: skip
def test_what_is_no_key_passes(shell: InteractiveShell, session: Session, line: str) -> None:
    shell.run_line_magic("tetrate", line)
    assert len(session.history) == 1


@pytest.mark.parametrize("key", [KEY, WORDY])
@pytest.mark.parametrize(
    "address",
    ["{}", "https://{}", "{}/v1", "https://a:{}@b.example", "https://b.example/?k={}", "https://b.example/v1#{}",
     "b.example/{}/v1", "https://b.example/{}/chat/completions", "http://b.example/{}", "https://b.example:x/{}"],
)  # fmt: skip
def test_in_an_address(monkeypatch: pytest.MonkeyPatch, address: str, key: str) -> None:
    monkeypatch.setenv("TETRATE_BASE_URL", address.format(key))
    for make in (lambda: Endpoints.of(address.format(key)), Endpoints.from_environment):
        with pytest.raises(BaseURLError) as caught:
            make()
        without(key, str(caught.value), repr(caught.value))


def test_a_gateway_may_be_called_so() -> None:
    assert Endpoints.of("https://sk-gateway.example.com").host == "sk-gateway.example.com"


@pytest.mark.parametrize("key", [KEY, WORDY])
def test_in_the_panels_address_field(session: Session, key: str) -> None:
    panel = SignInPanel(session)
    eventually(lambda: panel.state is State.SIGNED_IN)
    for typed in (key, f"https://x:{key}@a.example", f"https://a.example/{key}"):
        panel.view.url.value = typed
        assert panel.view.url.value == session.endpoints.base_url
        assert "revoke" in panel.view.problem.value
        without(key, Widget.get_manager_state(), panel._fallback_html(), panel._fallback_plain(), panel._shown)
    panel.close()


def test_another_option_is_still_named(shell: InteractiveShell) -> None:
    with pytest.raises(OptionError, match="has no option --stoer"):
        shell.run_line_magic("tetrate_login", "--stoer memory")
