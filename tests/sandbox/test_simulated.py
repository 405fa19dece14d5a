"""That no model was asked is told beside each answer of the sandbox, never inside it, and of no other router's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.render.page import framed
from tests.security.recorder import Arrived, Recorder, Reply
from tests.widgets.page import Page
from tetrate_jupyter import config
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.magics.output import TerminalOutput
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.sandbox import ODD_KINDS, Fault, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge

    from .conftest import Api

MODELS = ("claude-haiku-4-5", "gpt-6-luna", "claude-sonnet-5")
ASKED = "Write a haiku about the sea."


def test_an_answer_has_it_as_a_notice_and_not_in_its_text(session: Session) -> None:
    answer = session.ask(ASKED)
    assert answer.simulated
    assert answer.notices == (SIMULATED,)
    assert "simulat" not in answer.text.lower()
    assert "simulat" not in session.history[0].replies[-1].content.lower()
    assert session.history[0].notices == (SIMULATED,)


def test_it_is_a_grey_chip_in_the_footer(session: Session) -> None:
    bundle = session.ask(ASKED).bundle()
    assert bundle["text/html"].count("simulated</span></p></div>") == 1
    assert 'class="tetrate-notice"' not in bundle["text/html"]
    assert not framed(bundle["text/html"]).faults
    assert bundle["text/plain"].endswith(" · simulated]")
    assert bundle["text/plain"].count("imulated") == 1


def test_it_is_shown_without_the_footer_too(session: Session) -> None:
    bundle = session.ask(ASKED).bundle(footer=False)
    assert '<p class="tetrate-footer"><span class="tetrate-chip"' in bundle["text/html"]
    assert bundle["text/plain"].endswith("\n\n[simulated]")


@pytest.mark.parametrize("footer", [True, False])
def test_a_terminal_shows_it_in_the_quiet_line(
    session: Session, capsys: pytest.CaptureFixture[str], footer: bool
) -> None:
    TerminalOutput(footer=footer).end(session.ask(ASKED))
    said = capsys.readouterr().out
    assert said.rstrip().endswith("simulated]")
    assert said.count("imulated") == 1


def test_what_broke_off_has_it_too(router: SandboxRouter, session: Session) -> None:
    router.inject(Fault("stream-cut", after_chunks=2))
    with pytest.raises(TetrateError) as caught:
        session.ask(ASKED)
    assert caught.value.answer is not None
    assert SIMULATED in caught.value.answer.notices


def test_every_way_to_answer_has_the_header(api: Api) -> None:
    asks = [{"model": "sandbox/echo"}, {"stream": True}, {"response_format": {"type": "json_object"}}]
    asks += [{"model": f"sandbox/fault-{kind}"} for kind in ODD_KINDS if kind.startswith("text-")]
    for body in asks:
        assert api.chat("Hello!", **body).headers[config.SANDBOX_HEADER] == config.SIMULATED, body


def test_an_error_is_none_of_its_answers(api: Api) -> None:
    assert config.SANDBOX_HEADER not in api.chat("hello", model="nobody/knows").headers
    assert config.SANDBOX_HEADER not in api.get("/v1/models").headers


@contextmanager
def saying(value: str | None) -> Iterator[str]:
    """A router that answers with this value of the header; its base URL."""
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hello."}, "finish_reason": "stop"}]}
    headers = {} if value is None else {config.SANDBOX_HEADER: value}

    def reply(arrived: Arrived) -> Reply:
        if arrived.method == "GET":
            return Reply(body=b'{"data": [{"id": "m"}]}')
        events = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
        return Reply(body=events.encode(), headers={"Content-Type": "text/event-stream", **headers})

    with Recorder(reply) as server:
        yield f"{server.origin}/v1"


@pytest.mark.parametrize(("value", "is_it"), [("simulated", True), (None, False), ("Simulated?", False), ("", False)])
def test_no_other_router_says_so(bridge: Bridge, tmp_path: Path, value: str | None, is_it: bool) -> None:
    with saying(value) as base_url:
        made = Session(base_url=base_url, key="sk-0123456789abcdef0123", data_dir=tmp_path, bridge=bridge)
        answer = made.ask("hi", model="m")
        made.close()
    assert answer.simulated is is_it
    assert (SIMULATED in answer.notices) is is_it
    assert ("simulated" in answer.footer + answer.bundle()["text/plain"]) is is_it


def test_a_comparison_tells_it_once_above_all_columns(session: Session) -> None:
    result = session.compare(ASKED, MODELS)
    shown = result._repr_mimebundle_()
    assert shown["text/plain"].splitlines()[0].endswith(" · simulated")
    assert shown["text/plain"].count("imulated") == 1
    assert shown["text/html"].count('<span class="tetrate-chip"') == 1
    assert SIMULATED in result.rows[0].notices


def test_a_comparison_with_hidden_names_tells_it_too(session: Session) -> None:
    assert session.compare(ASKED, MODELS).blind()._repr_mimebundle_()["text/plain"].count("imulated") == 1


def test_the_chat_and_what_is_left_of_it_show_it_in_the_quiet_line(session: Session) -> None:
    session.ask(ASKED)
    panel = session.chat()
    (item,) = Page(panel).items.values()
    assert item.fields["foot"].endswith(" · simulated")
    assert item.fields["notes"] == []
    from tetrate_jupyter.widgets.transcript import html, text

    assert html(session.history, timed=True).count('<span class="tetrate-chip"') == 1
    assert text(session.history, timed=True).endswith(" · simulated]")
    panel.close()


def test_the_names_in_the_list_tell_it_and_the_ids_do_not(session: Session) -> None:
    models = session.models()
    assert models["claude-haiku-4-5"].name == "Claude Haiku 4.5 (sandbox)"
    assert not [model.id for model in models if model.id.startswith("sandbox/") is False and "sandbox" in model.id]
    catalogued = [model for model in models if not model.id.startswith("sandbox/")]
    assert all(model.name.endswith("(sandbox)") for model in catalogued)
