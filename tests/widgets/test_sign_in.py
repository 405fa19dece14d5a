"""The sign-in panel against a sandbox router, its fields filled as a page does it."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import ipywidgets
import pytest

from tests.security.odd_router import KEY, odd_router
from tests.security.recorder import Recorder, Reply
from tetrate_jupyter import config, front_end
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import NotSignedInError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.widgets import sign_in
from tetrate_jupyter.widgets.sign_in import SignInPanel
from tetrate_jupyter.widgets.sign_in_view import SecretField
from tetrate_jupyter.widgets.sign_in_words import State, left_in_cell, then_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.secret import Secret

PATIENCE = 30
AWAY = ("https://gateway.invalid", "https://login.invalid")  # of no sandbox; never reached


class Watched:
    """A panel with what a test does to it and waits for."""

    def __init__(self, panel: SignInPanel) -> None:
        self.panel = panel
        self.view = panel.view
        self._changed = threading.Condition()
        for widget, name in (
            (self.view.root, "_dom_classes"),
            (self.view.problem, "value"),
            (self.view.note, "value"),
            (self.view.line, "value"),
            (self.view.host, "value"),
            (self.view.states, "value"),
            (self.view.clock, "value"),
            (self.view.link, "value"),
        ):
            widget.observe(self._tell, names=name)

    def _tell(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, found: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(found, PATIENCE), (self.panel, self.problem, self.view.note.value)
        with self.panel._lock:  # which is held until all of a state is shown
            pass

    def until_state(self, state: State) -> None:
        self.until(lambda: self.panel.state is state and f"tetrate-is-{state.value}" in self.view.root._dom_classes)

    def until_says(self, words: str) -> None:
        self.until(lambda: words in self.problem or words in self.view.note.value)

    @property
    def problem(self) -> str:
        return str(self.view.problem.value)

    @property
    def offers_trial(self) -> bool:
        """Whether "Try the sandbox" is among what can be pressed."""
        return bool(self.view.sandbox.layout.display != "none")

    @property
    def url(self) -> str:
        found = self.panel._attempt
        assert found is not None
        return found.url

    def types(self, field: ipywidgets.Password, text: str) -> None:
        """What arrives from the page when Enter is pressed."""
        field.set_state({"value": text})
        assert field.value == ""


@pytest.fixture
def nobody(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session without a key."""
    made = Session(base_url=router.base_url, data_dir=tmp_path / "data", bridge=bridge)
    yield made
    made.close()


@pytest.fixture
def shown(nobody: Session) -> Iterator[Watched]:
    """A panel at first sight: its link works."""
    made = Watched(SignInPanel(nobody, store="file"))
    made.until_state(State.OFFERED)
    yield made
    made.panel.close()


def visit(address: str) -> None:
    with urlopen(address, timeout=60) as page:
        assert page.status == 200


def test_the_browser_comes_back_and_the_panel_is_one_line(shown: Watched, router: SandboxRouter) -> None:
    assert f'href="{shown.url}"'.replace("&", "&amp;") in shown.view.link.value
    assert 'target="_blank"' in shown.view.link.value
    assert shown.view.clock.value == ""
    shown.view.opened.click()  # what the page sends with a click on the link
    shown.until_state(State.WAITING)
    assert shown.view.clock.value.startswith("<b>3:00</b> left")
    visit(router.decide(shown.url))
    shown.until_state(State.SIGNED_IN)
    assert router.host in shown.view.host.value
    assert "Signed in to Sandbox" in shown.view.states.value
    assert re.fullmatch(r"The key is in a private file; it reaches \d+ models\.", shown.view.line.value)
    about = shown.view.about.value  # in the menu: the file itself, and what only the router's own pages know
    assert ".key" in about
    assert f'Credit: <a href="{router.auth_url}/billing" target="_blank" rel="noopener noreferrer">' in about
    assert f'href="{router.auth_url}/api-keys"' in about
    assert shown.view.leave.description == "Sign out"
    assert repr(shown.panel) == "<SignInPanel: signed-in>"


def test_the_lines_of_a_sign_in_are_short_and_its_details_are_in_the_menu(
    shown: Watched, router: SandboxRouter, nobody: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(router.decide(shown.url))
    shown.until_state(State.SIGNED_IN)
    done = shown.panel.outcome.result(PATIENCE)
    assert done is not None
    short = r"The key is in a private file; it reaches \d+ models\."
    assert re.fullmatch(rf"Signed in to {re.escape(router.host)}\. {short}", str(done))
    assert re.fullmatch(rf"Signed in to Sandbox\. {short}", left_in_cell(done, nobody.endpoints, trial=False))
    assert done.place.detail.endswith(".key")
    assert done.place.detail in shown.view.about.value
    nobody.logout()
    shown.until_state(State.OFFERED)
    monkeypatch.setenv("TETRATE_BASE_URL", router.base_url)
    monkeypatch.setenv("TETRATE_API_KEY", router.issue_key())
    there = Watched(SignInPanel(nobody))
    there.until_state(State.SIGNED_IN)
    assert "the environment variable TETRATE_API_KEY; it reaches" in there.view.line.value
    assert there.view.about.value.startswith("Credit:")  # the line has said all of the place
    there.panel.close()


@pytest.mark.parametrize("whole", [True, False])
def test_a_pasted_address_or_code_signs_in(shown: Watched, router: SandboxRouter, *, whole: bool) -> None:
    ended_at = router.decide(shown.url)
    shown.types(shown.view.paste, ended_at if whole else parse_qs(urlsplit(ended_at).query)["code"][0])
    shown.until_state(State.SIGNED_IN)


def test_nonsense_is_explained_and_the_wait_goes_on(shown: Watched, router: SandboxRouter) -> None:
    shown.types(shown.view.paste, "what is this")
    shown.until_says("paste the whole address")
    shown.types(shown.view.paste, "http://localhost:1/?state=another&code=abc")
    shown.until_says("belongs to another sign-in")
    assert "%tetrate_login" not in shown.problem
    assert shown.panel.state is State.OFFERED
    shown.types(shown.view.paste, router.decide(shown.url))
    shown.until_state(State.SIGNED_IN)
    assert shown.problem == ""


def test_denied_then_started_again(shown: Watched, router: SandboxRouter) -> None:
    first = shown.url
    shown.types(shown.view.paste, router.decide(first, "deny"))
    shown.until_says("did not approve")
    assert "Next: press Sign in." in shown.problem
    shown.until(lambda: shown.panel.state is State.OFFERED and shown.url != first)
    shown.view.opened.click()
    shown.until_state(State.WAITING)
    assert shown.problem == ""
    visit(router.decide(shown.url))
    shown.until_state(State.SIGNED_IN)


def test_a_cancel_that_comes_late_does_not_sign_out(shown: Watched, router: SandboxRouter, nobody: Session) -> None:
    visit(router.decide(shown.url))
    shown.until_state(State.SIGNED_IN)
    shown.view.act.click()
    assert not wait(shown.panel._jobs._going.values(), PATIENCE).not_done
    assert shown.panel.state is State.SIGNED_IN
    assert nobody.account.find() is not None


def test_signing_out_is_not_taken_for_somebody_elses(shown: Watched, router: SandboxRouter) -> None:
    for _ in range(5):
        visit(router.decide(shown.url))
        shown.until_state(State.SIGNED_IN)
        shown.view.leave.click()
        while shown.panel.state is State.SIGNED_IN:  # what any change of the session makes it do
            shown.panel._jobs.beside(shown.panel._look)
            time.sleep(0.001)
        shown.until_state(State.OFFERED)
        assert "removed" in shown.view.note.value
    page = f"{router.auth_url}/api-keys"
    link = f'To revoke it: <a href="{page}" target="_blank" rel="noopener noreferrer">{page}</a></div>'
    assert shown.view.note.value.endswith(link)


def test_a_code_that_was_used_is_told(shown: Watched, router: SandboxRouter) -> None:
    ended_at = router.decide(shown.url)
    shown.types(shown.view.paste, ended_at)
    shown.until_state(State.SIGNED_IN)
    shown.view.leave.click()
    shown.until_state(State.OFFERED)
    code = parse_qs(urlsplit(ended_at).query)["code"][0]
    shown.types(shown.view.paste, code)
    shown.until_says("Next: press Sign in")
    assert code not in shown.problem


def test_nobody_comes(nobody: Session) -> None:
    late = Watched(SignInPanel(nobody, timeout=0.2))
    late.until_state(State.OFFERED)
    first = late.url
    late.view.opened.click()
    late.until_says("Nobody approved within")
    late.until(lambda: late.panel.state is State.OFFERED and late.url != first)
    late.panel.close()


def test_a_wrong_key_is_refused_and_a_good_one_kept(shown: Watched, router: SandboxRouter, nobody: Session) -> None:
    shown.types(shown.view.key, "sk-made-up-made-up-made-up")
    shown.until_says("does not accept that key")
    assert "made-up" not in shown.problem
    assert shown.panel.state is State.OFFERED
    shown.types(shown.view.paste, router.issue_key())  # into the other field: that is understood
    shown.until_state(State.SIGNED_IN)
    assert nobody.bridge.run(nobody.account.key()).host == router.host


def test_cancel_ends_the_attempt_and_the_next_starts_at_once(shown: Watched) -> None:
    first = shown.panel._attempt
    assert first is not None
    shown.view.opened.click()
    shown.until_state(State.WAITING)
    ended = threading.Event()
    first.on_change(ended.set)
    shown.view.act.click()
    assert ended.wait(PATIENCE)
    assert first.ended
    shown.until(lambda: shown.panel.state is State.OFFERED and shown.url != first.url)
    shown.until_state(State.OFFERED)
    assert shown.view.clock.value == ""
    assert "Cancelled." in shown.view.note.value


def test_what_is_done_elsewhere_shows(shown: Watched, router: SandboxRouter, nobody: Session) -> None:
    nobody.login(key=router.issue_key(), store="memory")
    shown.until_state(State.SIGNED_IN)
    assert "memory" in shown.view.line.value
    nobody.logout()
    shown.until_state(State.OFFERED)
    with SandboxRouter(speed=INSTANT) as other:
        nobody.connect(other.base_url)
        shown.until(lambda: other.host in shown.view.host.value and shown.panel.state is State.OFFERED)
        assert shown.view.url.value == other.base_url


def test_what_another_kernel_does_shows_at_the_next_question(
    shown: Watched, router: SandboxRouter, nobody: Session, bridge: Bridge, tmp_path: Path
) -> None:
    elsewhere = Session(base_url=router.base_url, data_dir=tmp_path / "data", bridge=bridge)
    elsewhere.login(key=router.issue_key(), store="file")
    assert nobody.models()
    shown.until_state(State.SIGNED_IN)
    elsewhere.logout()
    with pytest.raises(NotSignedInError):
        nobody.models()
    shown.until_state(State.OFFERED)
    shown.until_says("Signed out of")
    elsewhere.login(key=router.issue_key(), store="file")
    assert nobody.models()
    shown.until_state(State.SIGNED_IN)
    elsewhere.close()


def test_two_panels_of_one_session(shown: Watched, router: SandboxRouter, nobody: Session) -> None:
    second = Watched(SignInPanel(nobody, store="memory"))
    second.until_state(State.OFFERED)
    assert second.url == shown.url
    second.view.opened.click()
    shown.until_state(State.WAITING)  # whichever was clicked
    visit(router.decide(second.url))
    second.until_state(State.SIGNED_IN)
    shown.until_state(State.SIGNED_IN)
    second.view.leave.click()
    second.until_state(State.OFFERED)
    shown.until_state(State.OFFERED)
    second.panel.close()
    # the other one still shows a link that works, whichever of the two had begun it
    shown.until(lambda: shown.panel._attempt is not None and not shown.panel._attempt.ended)
    assert shown.panel.state is State.OFFERED


def test_a_key_that_is_there_is_checked(session: Session, router: SandboxRouter) -> None:
    there = Watched(SignInPanel(session))
    there.until_state(State.SIGNED_IN)
    assert [r.path for r in router.requests if r.method == "POST"] == []
    there.panel.close()
    again = Watched(SignInPanel(session, again=True))
    again.until_state(State.OFFERED)
    again.panel.close()


def test_a_gateway_on_this_machine_is_no_sandbox_unless_it_says_so(bridge: Bridge, tmp_path: Path) -> None:
    with odd_router() as gateway:
        session = Session(base_url=gateway.base_url, key=KEY, data_dir=tmp_path / "data", bridge=bridge)
        there = Watched(SignInPanel(session))
        there.until_state(State.SIGNED_IN)
        assert session.endpoints.has_pages  # it serves a catalog, as the sandbox does
        assert f"Signed in to {session.endpoints.host}" in there.view.states.value
        assert "Sandbox" not in there.view.states.value
        there.panel.close()
        session.close()


def test_a_key_that_is_no_longer_accepted_and_a_router_in_trouble(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("invalid-key", path="models"))
    old = Watched(SignInPanel(session))
    old.until_state(State.OFFERED)
    old.until_says("no longer accepted")
    old.panel.close()
    router.inject(Fault("unavailable", path="models", times=None))
    troubled = Watched(SignInPanel(session))
    troubled.until_state(State.FAILED)
    assert "Next:" in troubled.problem
    troubled.panel.close()


def test_a_key_in_the_environment_stays_and_that_is_said(
    nobody: Session, router: SandboxRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_BASE_URL", router.base_url)
    monkeypatch.setenv("TETRATE_API_KEY", router.issue_key())
    there = Watched(SignInPanel(nobody))
    there.until_state(State.SIGNED_IN)
    there.view.leave.click()
    there.until_says("still in the environment variable TETRATE_API_KEY")
    assert there.panel.state is State.SIGNED_IN
    there.panel.close()


def test_a_base_url_is_checked_as_it_is_typed_and_then_used(shown: Watched) -> None:
    view = shown.view
    for typed, told in (
        ("http://gateway.example", "travel unencrypted"),
        ("https://gateway.example/v1/models", "use 'https://gateway.example/v1'"),
        ("", "not a usable base URL"),
        ("<b>", "&lt;b&gt;"),
    ):
        view.url.value = typed
        assert told in view.hint.value
        assert view.use.disabled
        view.use.click()
        assert shown.panel.state is State.OFFERED
    view.url.value = "http://gateway.example"
    assert view.http.layout.display != "none"
    view.http.value = True
    assert not view.use.disabled
    with SandboxRouter(speed=INSTANT) as other:
        view.url.value = other.base_url.removesuffix("/v1")
        assert f"Will be used as {other.base_url} until this kernel ends" in view.hint.value
        assert view.http.layout.display == "none"
        view.use.click()
        shown.until(lambda: other.host in view.host.value and shown.panel.state is State.OFFERED)
        assert view.key.description == f"Enter a key for {other.host}"
        assert other.auth_url in shown.url
        assert view.note.value == ""
        visit(other.decide(shown.url))
        shown.until_state(State.SIGNED_IN)
        assert "This address holds until the kernel ends. To keep it: " in view.note.value
        assert f"%tetrate_login --base-url {other.base_url} in a cell" in view.note.value
        assert f"TETRATE_BASE_URL={other.base_url}." in view.note.value
        shown.types(view.key, other.issue_key())
        shown.until_state(State.SIGNED_IN)
        assert other.host in view.host.value


def test_an_address_without_a_consent_page_takes_a_key_only(bridge: Bridge, tmp_path: Path) -> None:
    elsewhere = Session(base_url="https://gateway.invalid", data_dir=tmp_path, bridge=bridge)
    shown = Watched(SignInPanel(elsewhere))
    shown.until_state(State.KEY_ONLY)
    assert shown.view.link.value == ""
    shown.panel.close()
    elsewhere.close()
    assert not Endpoints.of("https://api.router.tetrate.ai.example").has_consent_page
    assert Endpoints.of("https://gateway.invalid", "https://login.invalid").has_consent_page
    assert Endpoints().has_consent_page


def test_on_a_hub_the_field_for_pasting_is_open(nobody: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    hub = Watched(SignInPanel(nobody))
    hub.until_state(State.OFFERED)
    assert "copy its address and paste it here" in hub.view.paste.description
    assert "tetrate-is-asking" in hub.view.root._dom_classes
    assert hub.panel._attempt is not None
    assert hub.panel._attempt.listening  # whatever the guess is worth
    hub.panel.close()


def test_the_field_for_pasting_comes_after_a_while(nobody: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_end, "CONTAINER_FILES", ())
    monkeypatch.setattr(sign_in, "_PASTE_AFTER", 0.0)
    late = Watched(SignInPanel(nobody))
    late.until_state(State.OFFERED)
    assert "tetrate-is-asking" not in late.view.root._dom_classes
    late.view.opened.click()
    late.until(lambda: "tetrate-is-asking" in late.view.root._dom_classes)
    assert late.view.paste.description.startswith("Did the browser end at a page")
    late.panel.close()


def test_in_a_container_the_field_is_closed_until_the_page_is_open(
    nobody: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser is on the same machine as often as not."""
    monkeypatch.setattr(front_end, "CONTAINER_FILES", (__file__,))
    card = Watched(SignInPanel(nobody))
    card.until_state(State.OFFERED)
    assert "tetrate-is-asking" not in card.view.root._dom_classes
    assert "another machine" not in card.view.paste.description
    card.view.opened.click()
    card.until(lambda: "tetrate-is-asking" in card.view.root._dom_classes)
    assert card.view.paste.description.startswith("Did the browser end at a page")
    card.panel.close()


def test_letters_are_waited_for_and_pasted_text_is_not(shown: Watched, router: SandboxRouter) -> None:
    for length in range(1, 9):
        shown.view.paste.set_state({"value": "not-yet!"[:length]})
    assert shown.problem == ""
    shown.view.go.click()
    shown.until_says("paste the whole address")
    shown.view.paste.set_state({"value": router.decide(shown.url)})
    shown.until_state(State.SIGNED_IN)


@pytest.fixture
def elsewhere(bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session without a key at a gateway that isn't there: first sight asks nothing of it."""
    made = Session(base_url=AWAY[0], auth_url=AWAY[1], data_dir=tmp_path / "data", bridge=bridge)
    yield made
    made.close()


def test_at_a_sandbox_the_embedded_one_is_not_offered(
    shown: Watched, nobody: Session, elsewhere: Session, router: SandboxRouter
) -> None:
    assert not shown.offers_trial
    nobody.connect(*AWAY)
    shown.until(lambda: "gateway.invalid" in shown.view.host.value + shown.view.states.value and shown.offers_trial)
    other = Watched(SignInPanel(elsewhere))
    other.until_state(State.OFFERED)
    assert other.offers_trial
    elsewhere.connect(router.base_url)
    other.until(lambda: other.panel.state is State.OFFERED and not other.offers_trial)
    other.panel.close()


def test_at_a_server_on_this_machine_that_is_no_sandbox_the_trial_is_offered(bridge: Bridge, tmp_path: Path) -> None:
    with Recorder(lambda _: Reply(404)) as server:
        own = Session(base_url=server.base_url, data_dir=tmp_path, bridge=bridge)
        panel = Watched(SignInPanel(own))
        panel.until_state(State.KEY_ONLY)
        assert panel.offers_trial
        panel.panel.close()
        own.close()


def test_the_sandbox_is_tried_and_left(elsewhere: Session) -> None:
    nobody, host = elsewhere, elsewhere.endpoints.host
    first, second = Watched(SignInPanel(nobody)), Watched(SignInPanel(nobody))
    first.until_state(State.OFFERED)
    assert first.offers_trial
    first.view.sandbox.click()
    for each in (first, second):
        each.until_state(State.SIGNED_IN)
        each.until(lambda panel=each: "tetrate-is-trial" in panel.view.root._dom_classes)  # type: ignore[misc]
    assert nobody.trial.is_on
    assert nobody.ask("Say hello").simulated
    second.view.real.click()
    for each in (first, second):
        each.until(lambda panel=each: panel.panel.state is State.OFFERED and host in panel.view.states.value)  # type: ignore[misc]
    assert not nobody.trial.is_on
    assert nobody.endpoints.host == host
    nobody.bridge.run(nobody.trial.enter())
    nobody.logout()
    assert nobody.endpoints.host == host
    first.panel.close()
    second.panel.close()


def test_nothing_secret_is_in_what_a_notebook_saves(shown: Watched, router: SandboxRouter) -> None:
    key = router.issue_key()
    attempt = shown.panel._attempt
    assert attempt is not None
    verifier = attempt._verifier.reveal()
    ended_at = router.decide(shown.url)
    code = parse_qs(urlsplit(ended_at).query)["code"][0]
    shown.types(shown.view.key, "sk-wrong-wrong-wrong")
    shown.types(shown.view.paste, ended_at)
    shown.until_state(State.SIGNED_IN)
    shown.types(shown.view.key, key)
    saved = json.dumps(ipywidgets.Widget.get_manager_state())
    assert "tetrate-is-signed-in" in saved
    for secret in (key, "sk-wrong", "sk-sandbox-", code, verifier):
        assert secret not in saved


def test_closing_stops_the_attempt_and_leaves_no_widget(nobody: Session) -> None:
    shown = Watched(SignInPanel(nobody))
    shown.until_state(State.OFFERED)
    attempt = shown.panel._attempt
    assert attempt is not None
    ended = threading.Event()
    attempt.on_change(ended.set)
    shown.panel.close()
    assert ended.wait(PATIENCE)
    assert shown.view.root.comm is None
    assert shown.view.paste.comm is None


def test_moving_to_another_router_ends_the_attempt_of_the_panel(shown: Watched, router: SandboxRouter) -> None:
    first = shown.panel._attempt
    assert first is not None
    ended_at = router.decide(first.url)
    with SandboxRouter(speed=INSTANT) as other:
        shown.view.url.value = other.base_url
        shown.view.use.click()
        shown.until(lambda: other.host in shown.view.host.value and shown.panel.state is State.OFFERED)
        assert first.ended
        shown.types(shown.view.paste, ended_at)
        shown.until_says("belongs to another sign-in")
        assert not [r for r in other.requests if r.path == config.EXCHANGE_PATH]
    assert not [r for r in router.requests if r.path == config.EXCHANGE_PATH]


def test_another_sign_in_page_ends_the_attempt_and_says_why(
    shown: Watched, router: SandboxRouter, nobody: Session
) -> None:
    with SandboxRouter(speed=INSTANT) as other:
        nobody.connect(router.base_url, other.auth_url)
        shown.until_says("moved to another router")
        shown.until(lambda: shown.panel.state is State.OFFERED and router.host not in shown.url.partition("?")[0])
        assert shown.url.startswith(other.auth_url)


def test_signed_in_although_the_list_cannot_be_read(shown: Watched, router: SandboxRouter, nobody: Session) -> None:
    router.inject(Fault("unavailable", path="models", times=None))
    followed = threading.Event()
    nobody.account.on_change(followed.set)
    visit(router.decide(shown.url))
    shown.until_state(State.SIGNED_IN)
    assert "The key is in a private file" in shown.view.line.value
    shown.until_says("could not be read yet")
    assert followed.wait(PATIENCE)
    nobody.bridge.run(shown.panel._look())  # what a panel does when something has changed
    assert shown.panel.state is State.SIGNED_IN
    assert "models" not in shown.view.line.value


def test_what_is_typed_is_taken_out_of_the_pages_own_message() -> None:
    taken: list[Secret] = []
    field = SecretField("a label", taken.append)
    for sent in ("sk-typed", " sk-typed \n"):
        message = {"content": {"data": {"method": "update", "state": {"value": sent}}}}
        field._handle_msg(message)
        assert "sk-typed" not in repr(message)
        assert "sk-typed" not in repr(vars(field))
    field.value = "sk-typed"  # by code
    assert field.value == ""
    assert [each.reveal() for each in taken] == ["sk-typed"] * 3
    field._handle_msg({"content": {"data": {"method": "update", "state": {"value": "", "description": "another"}}}})
    field._handle_msg({"content": {"data": {"method": "update", "state": {"value": ["sk-typed"]}}}})
    assert field.description == "another"
    assert len(taken) == 3
    field.close()


def test_a_saved_notebook_says_how_it_was_and_nothing_of_its_reader(session: Session) -> None:
    shown = Watched(SignInPanel(session))
    shown.until_state(State.SIGNED_IN)
    for text in (shown.panel._fallback_html(), shown.panel._fallback_plain()):
        assert f"Was signed in to {session.endpoints.host} when this was saved." in text
        assert "The key is" not in text
    shown.panel.close()


@pytest.mark.parametrize(
    ("models", "prompt", "html"),
    [
        ("a/b", "\n  What is <b>?\nMore", "<span>Then asks</span> <b>a/b</b> <span>“What is &lt;b&gt;?”</span>"),
        ("", "x" * 300, f"<span>Then asks</span> <span>“{'x' * 119}…”</span>"),
        ("", "a\x1b[31m\u202eb", "<span>Then asks</span> <span>“a[U+202E]b”</span>"),
        ("a", " \n\t\n", ""),
        ("a", "use sk-0123456789abcdef0123456789", ""),
        ("sk-0123456789abcdef0123456789", "hello", ""),
        ("a", "one\nTETRATE_API_KEY=abcdefgh", ""),
    ],
)
def test_a_waiting_card_says_what_is_asked_then_and_nothing_like_a_key(models: str, prompt: str, html: str) -> None:
    assert then_html(models, prompt).replace(' dir="auto"', "") == html
