"""The magics around asking: sign-in with a key that is there, sign-out, status, models, choice of model."""

from __future__ import annotations

import getpass
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tests import at_rest
from tetrate_jupyter import front_end
from tetrate_jupyter.errors import InvalidKeyError, LoginError, NotSignedInError, OptionError, UnknownModelError
from tetrate_jupyter.face import shared
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.widgets.panel import MISSING
from tetrate_jupyter.widgets.sign_in_words import for_now

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

PASTED = ("sk-sandbox-0123456789abcdef", "http://localhost:1/?code=abc", "Zm9vYmFyYmF6cXV4cXV1eA")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_signed_in_already_it_checks_the_key_and_returns(
    shell: InteractiveShell, session: Session, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("tetrate_login", "")
    assert said(capsys).startswith(f"Signed in to {router.host}. The key is in the session's own arguments; it reaches")
    assert [r.path for r in router.requests if r.method == "POST"] == []
    assert [r for r in router.requests if r.path == "/v1/models"]


@pytest.mark.parametrize("pasted", PASTED)
def test_a_key_or_code_on_the_line_is_refused_with_the_reason(
    shell: InteractiveShell, router: SandboxRouter, pasted: str
) -> None:
    with pytest.raises(OptionError, match="saved in the notebook") as caught:
        shell.run_line_magic("tetrate_login", pasted)
    assert pasted not in "\n".join(caught.value.lines())
    assert "hidden field or prompt" in caught.value.next_step
    assert not router.requests


def test_other_words_on_the_line_are_refused_too(shell: InteractiveShell) -> None:
    with pytest.raises(OptionError, match="takes options only"):
        shell.run_line_magic("tetrate_login", "please")


def test_with_another_base_url_the_key_stays_behind(
    shell: InteractiveShell, session: Session, router: SandboxRouter
) -> None:
    with SandboxRouter(speed=INSTANT) as other:
        session.connect(other.base_url)
        with pytest.raises(NotSignedInError):
            shell.run_line_magic("tetrate", "hello")
        assert not other.requests


@pytest.mark.parametrize("options", ["--base-url {other.base_url}", "--auth-url {other.auth_url}"])
def test_another_address_cancels_a_sign_in_that_is_under_way(
    shell: InteractiveShell, session: Session, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = session.bridge.run(session.account.begin())
    monkeypatch.setattr(getpass, "getpass", lambda _: "")  # in a terminal one would be asked next
    with SandboxRouter(speed=INSTANT) as other:
        with pytest.raises(LoginError):
            shell.run_line_magic("tetrate_login", options.format(other=other) + " --again --timeout 1")
        assert "moved to another router" in str(attempt.error)
        assert other.auth_url == session.endpoints.auth_url
        assert not [r for r in other.requests if r.key is not None]


@pytest.mark.parametrize("options", ["", " --auth-url https://login.example"])
def test_an_address_for_this_kernel_says_what_keeps_it_and_that_does(  # noqa: PLR0917 - parametrized
    shell: InteractiveShell,
    session: Session,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: str,
) -> None:
    shell.run_line_magic("tetrate_login", "")
    assert "until the kernel ends" not in said(capsys)
    with SandboxRouter(speed=INSTANT) as other:
        session.connect(other.base_url)
        session.login(key=other.issue_key(), store="file")
        shell.run_line_magic("tetrate_login", f"--base-url {other.base_url}{options}")
        *_, line = said(capsys).strip().splitlines()
        advised = re.fullmatch(
            r"This address holds until the kernel ends. To keep it: %tetrate_login (.*) in a cell below %load_ext; "
            r"or start Jupyter with (\S+=\S+)(?: and (\S+=\S+))?\.",
            line,
        )
        assert advised is not None, line
        for text in filter(None, advised.groups()[1:]):
            monkeypatch.setenv(*text.split("="))
        named = Session(data_dir=tmp_path / "data", bridge=session.bridge)
        assert named.endpoints == session.endpoints
        fresh = Session(base_url="http://127.0.0.1:9", data_dir=tmp_path / "data", bridge=session.bridge)
        monkeypatch.setattr(shared, "session", fresh)
        shell.run_line_magic("tetrate_login", advised[1])
        assert fresh.endpoints == session.endpoints
        assert said(capsys).startswith(f"Signed in to {other.host}.")
        for each in (session, named, fresh):
            each.close()


def test_plain_http_is_kept_by_the_cell_alone(session: Session) -> None:
    session.connect("=http://gateway.example/raw", allow_http=True)
    (line,) = for_now(session)
    assert line.endswith(
        "%tetrate_login --base-url =http://gateway.example/raw --allow-http in a cell below %load_ext."
    )
    session.account.lasts()
    assert for_now(session) == []


@pytest.mark.parametrize("store", ["file", "memory", "auto"])
def test_signing_out_forgets_the_key_everywhere_and_says_where_it_still_is(  # noqa: PLR0917 - parametrized
    shell: InteractiveShell,
    session: Session,
    router: SandboxRouter,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    store: str,
) -> None:
    key = router.issue_key()
    session.login(key=key, store=store)
    shell.run_line_magic("tetrate_logout", "")
    text = said(capsys)
    assert text.startswith(f"Signed out of {router.host}: the key was removed from ")
    assert f"still exists at the router. To revoke it: {router.auth_url}" in text
    assert str(tmp_path) not in text  # a path is no help any more: nothing is there
    assert not [path for path in at_rest.files(tmp_path) if key in path.read_text(errors="replace")]
    with pytest.raises(NotSignedInError):
        session.ask("hello")


def test_signing_out_twice_is_no_error(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("tetrate_logout", "")
    shell.run_line_magic("tetrate_logout", "")
    assert "No key for" in said(capsys)


def test_a_key_in_the_environment_is_used_and_left_and_told(
    shell: InteractiveShell,
    router: SandboxRouter,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TETRATE_BASE_URL", router.base_url)
    monkeypatch.setenv("TETRATE_API_KEY", router.issue_key())
    shell.run_line_magic("tetrate_logout", "")
    assert "still in the environment variable TETRATE_API_KEY" in said(capsys)
    shell.run_line_magic("tetrate_login", "")
    assert "The key is in the environment variable TETRATE_API_KEY" in said(capsys)


def test_a_hubs_key_is_not_signed_out_and_ones_own_stays(
    shell: InteractiveShell,
    router: SandboxRouter,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = router.issue_key()
    session.login(key=own, store="file")
    files = {path for path in session._data_dir.rglob("*.key") if path.read_text() == own}
    assert files
    monkeypatch.setenv("TETRATE_BASE_URL", router.base_url)
    monkeypatch.setenv("TETRATE_API_KEY", router.issue_key())
    hub = Session(base_url=router.base_url, data_dir=session._data_dir, bridge=session.bridge)
    monkeypatch.setattr(shared, "session", hub)
    capsys.readouterr()
    shell.run_line_magic("tetrate_logout", "")
    text = said(capsys)
    assert text.startswith("Nothing was removed")
    assert "del os.environ['TETRATE_API_KEY']" in text
    assert "restart" not in text
    assert "revoke" not in text  # it is the hub's
    assert all(path.read_text() == own for path in files)
    assert hub.ask("hello").text
    monkeypatch.delenv("TETRATE_API_KEY")  # what was advised
    shell.run_line_magic("tetrate_logout", "")
    assert said(capsys).startswith("Signed out of")
    assert not any(path.exists() for path in files)
    hub.close()


@pytest.mark.parametrize("named", [True, False])
def test_without_a_key_the_variable_is_named(router: SandboxRouter, *, named: bool) -> None:
    environment = {**os.environ, "TETRATE_JUPYTER_STREAM": "off"}
    if named:
        environment["TETRATE_BASE_URL"] = router.base_url
    code = f"from tetrate_jupyter import Session; Session(base_url={router.base_url!r}).ask('hi')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Next: session.login(), or %tetrate_login in a notebook; or set TETRATE_API_KEY ")
    assert (f"TETRATE_BASE_URL={router.base_url}" in last) is not named


def test_a_key_that_the_router_refuses_is_not_kept(session: Session, router: SandboxRouter) -> None:
    session.logout()
    with pytest.raises(InvalidKeyError, match="does not accept that key") as caught:
        session.login(key="sk-sandbox-made-up-made-up-made-up")
    assert "made-up" not in "\n".join(caught.value.lines())
    with pytest.raises(NotSignedInError):
        session.ask("hello")


def test_the_status_says_where_one_stands_and_nothing_secret(shell: InteractiveShell, router: SandboxRouter) -> None:
    key = router.issue_key()
    shell.user_ns["session"] = None
    from tetrate_jupyter.face.shared import session

    session.login(key=key, store="file")
    shell.run_line_magic("tetrate", "hello")
    status = shell.run_line_magic("tetrate_status", "")
    assert status["router"] == router.base_url
    assert status["signed in"].startswith("yes; the key reaches ")
    assert "a private file" in status["key"]
    assert status["model"] == "claude-haiku-4-5"
    assert status["health"] == "answers"
    assert status["asked so far"].startswith("1 requests, ≈ $")
    shown = repr(status) + json.dumps(status._repr_mimebundle_())
    assert key not in shown
    assert "tetrate-jupyter" in shown


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("invalid-key", path="models"), "no: "),
        (Fault("unavailable", path="models", times=None), "no: "),
    ],
)
def test_a_status_never_fails(shell: InteractiveShell, router: SandboxRouter, fault: Fault, says: str) -> None:
    router.inject(fault)
    assert shell.run_line_magic("tetrate_status", "")["signed in"].startswith(says)


def test_a_status_of_nobody_says_how_to_begin(shell: InteractiveShell, session: Session) -> None:
    session.logout()
    assert shell.run_line_magic("tetrate_status", "")["signed in"] == "no (run %tetrate_login)"


def test_models_are_narrowed_sorted_and_shown(shell: InteractiveShell, session: Session) -> None:
    found = shell.run_line_magic("tetrate_models", "--sort price images claude-*")
    assert [m.id for m in found] == [m.id for m in session.models("images claude-*").sorted("price")]
    assert len(found) > 1
    assert all(m.id.startswith("claude-") for m in found)
    assert "$/1M in" in repr(found)
    assert "<table" in found._repr_mimebundle_()["text/html"]
    assert list(found.df["id"]) == [m.id for m in found]


def test_a_search_without_result_says_what_next(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_line_magic("tetrate_models", "nothing-like-it") is None
    assert "No model fits 'nothing-like-it'. Next: fewer words" in said(capsys)


def test_choosing_a_model(shell: InteractiveShell, session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("tetrate_model", "gpt-6-luna")
    assert session.model == "gpt-6-luna"
    assert said(capsys) == "Model: gpt-6-luna\n"
    with pytest.raises(UnknownModelError) as caught:
        shell.run_line_magic("tetrate_model", "gpt6-luna")
    assert "gpt-6-luna" in caught.value.next_step
    assert session.model == "gpt-6-luna"


def test_without_an_id_a_terminal_is_told_the_model(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("tetrate_model", "")
    assert said(capsys) == "Model: claude-haiku-4-5. Next: %tetrate_model ID\n"


@pytest.mark.parametrize(
    ("served", "says"),
    [
        ("{own}", "which fits"),
        ("0.1.7", "has anywidget 0.1.7, which doesn't fit. Next: pip install \"anywidget~="),
        ("\u001b[2J", "which doesn't fit"),
    ],
)
def test_the_status_shows_both_versions_of_anywidget(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: str, says: str
) -> None:
    own = metadata.version("anywidget")
    folder = tmp_path / "labextensions" / "anywidget"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": served.format(own=own)}), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    status = shell.run_line_magic("tetrate_status", "")
    assert status["anywidget"] == own
    assert says in status["panels"]
    assert "\u001b" not in repr(status)


def test_a_panel_that_does_not_show_names_the_version_that_fits() -> None:
    major, minor, _ = metadata.version("anywidget").split(".", 2)
    assert f'pip install "anywidget~={major}.{minor}.0"' in MISSING


@pytest.mark.parametrize("content", ["", "[]", "{", '{"version": 3}'])
def test_a_damaged_labextension_is_none(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "labextensions" / "anywidget"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(content, encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    before = front_end.served_anywidgets()
    (folder / "package.json").unlink()
    assert front_end.served_anywidgets() == before  # others may be there
