"""A key stays where it is kept: after every magic and every panel nothing that was written holds it, in any form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.searched import SearchedKernel, where
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.magics.asking_kernel import Cell

pytestmark = pytest.mark.slow

PROLOGUE = """\
%load_ext tetrate_jupyter
import traceback
from pathlib import Path
import tetrate_jupyter
from tetrate_jupyter import session

def marker(number=0):
    return Path(MARKERS).read_text().split()[number]

def told(work):
    "Print what a failure shows, the locals of every frame included, as error reporters do."
    try:
        work()
    except tetrate_jupyter.TetrateError as error:
        print("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()), repr(error))
    else:
        print("it went well")
"""

SIGNED_IN = """\
import time
for _ in range(200):
    if session.account.find() is not None:
        break
    time.sleep(0.1)
assert session.account.find() is not None
"""


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


@pytest.fixture
def keys(router: SandboxRouter) -> list[str]:
    """A key that works, one that was revoked, and another that works."""
    made = [router.issue_key() for _ in range(3)]
    router.revoke_key(made[1])
    return made


@pytest.fixture
def kernel(router: SandboxRouter, keys: list[str], tmp_path: Path) -> Iterator[SearchedKernel]:
    markers = tmp_path / "markers"  # outside of the home that is searched
    markers.write_text("\n".join(keys))
    home = tmp_path / "home"
    home.mkdir()
    with SearchedKernel(home, router.environment) as running:
        assert running.run(f"MARKERS = {str(markers)!r}\n{PROLOGUE}").status == "ok"
        yield running


def fails(kernel: SearchedKernel, code: str) -> Cell:
    cell = kernel.run(code)
    assert cell.status == "error", cell.shown
    return cell


def works(kernel: SearchedKernel, code: str) -> Cell:
    cell = kernel.run(code)
    assert cell.status == "ok", cell.shown
    return cell


def test_the_search_finds_a_key_in_every_form(kernel: SearchedKernel, keys: list[str]) -> None:
    """Without this the tests below could pass by finding nothing ever."""
    works(kernel, "import base64, logging\nlogging.getLogger('x').debug('%s', marker()[::-1])\nprint(marker())")
    works(kernel, "Path('~/left').expanduser().write_text(base64.b64encode(b'x' + marker().encode()).decode())")
    found = " ".join(kernel.findings(keys))
    assert "debug.log: reversed" in found
    assert "a message: plain" in found
    assert "left: base64" in found
    assert where(keys, b"nothing of the kind") == []


def test_signing_in_by_prompt_and_by_code(kernel: SearchedKernel, keys: list[str]) -> None:
    login = "%tetrate_login --wait --again --store "
    refused = kernel.run(login + "file", on_link=lambda _: kernel.interrupt(), on_prompt=lambda _: keys[1])
    assert refused.status == "error"
    assert "does not accept that key" in refused.shown
    typed = kernel.run(login + "file", on_link=lambda _: kernel.interrupt(), on_prompt=lambda _: keys[0])
    assert typed.status == "ok", typed.shown
    works(kernel, "%tetrate_logout")
    assert "it went well" in works(kernel, "told(lambda: session.login(key=marker(), store='file'))").shown
    assert "Error" in works(kernel, "told(lambda: session.login(key=marker(1), store='memory'))").shown
    assert "Error" in works(kernel, "told(lambda: tetrate_jupyter.Session(key=marker(1)).models())").shown
    works(kernel, "session.connect('http://127.0.0.1:9/v1')")
    assert "Error" in works(kernel, "told(lambda: session.login(key=marker(), store='memory'))").shown
    assert kernel.findings(keys) == []


def test_what_shows_objects_shows_no_key(kernel: SearchedKernel, keys: list[str]) -> None:
    works(kernel, "session.login(key=marker(), store='memory')")
    works(kernel, "import inspect, pprint, copy")
    works(kernel, "print(repr(session), vars(session), vars(session.account), inspect.getmembers(session.account))")
    works(kernel, "found = session.account.find(); print(found, vars(found), found.secret.__reduce_ex__)")
    works(kernel, "%whos")
    works(kernel, "%tetrate_status")
    assert kernel.findings(keys) == []


def test_asking_with_a_key_in_every_place(kernel: SearchedKernel, router: SandboxRouter, keys: list[str]) -> None:
    works(kernel, "session.login(key=marker(), store='memory')\nkey = marker()\nnested = {'deep': [1, {'er': key}]}")
    works(kernel, "%tetrate Say hello.")
    fails(kernel, "%%tetrate\nWhat is {key}?")
    fails(kernel, "%%tetrate --dry-run\nWhat is {key}?")
    fails(kernel, "%%tetrate\nWhat is {nested}?")
    fails(kernel, "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna --wait\nWhat is {key}?")
    fails(kernel, "session.system = f'You know {key}.'\nsession.ask('hi')")
    works(kernel, "session.system = None")
    fails(kernel, "session.ask('hi', user=key)")
    fails(kernel, "session.compare('hi', ['claude-haiku-4-5', 'gpt-6-luna'], user=key)")
    works(kernel, "def look(place: str = key) -> str:\n    'Look there.'\n    return key")
    fails(kernel, "session.ask('hi', tools=[look])")
    fails(kernel, "session.ask('hi', schema={'type': 'object', 'properties': {'a': {'const': key}}})")
    works(kernel, "result = session.compare('hi', ['claude-haiku-4-5', 'gpt-6-luna'])")
    works(kernel, "result.save('~/saved.json')\nresult")
    works(kernel, "print(result.code if hasattr(result, 'code') else '', session.history, session.ledger)")
    assert kernel.findings(keys) == []
    sent = [request for request in router.requests if where(keys, repr(request).encode())]
    assert sent == []


def test_the_sign_in_panel(kernel: SearchedKernel, keys: list[str]) -> None:
    works(kernel, "%tetrate_login")
    field = kernel.comm_of(_view_name="PasswordView")  # the newest of the two: the one for a key
    for number in (1, 0):
        kernel.send(field, {"method": "update", "state": {"value": keys[number]}, "buffer_paths": []})
        works(kernel, "import time; time.sleep(0.5)")  # the panel's work goes on beside the cells
    works(kernel, SIGNED_IN)
    works(kernel, "%tetrate_models")
    works(kernel, "%tetrate_model")
    works(kernel, "%tetrate_status")
    assert kernel.findings(keys) == []
    assert "comm" in kernel.log.lower()  # other messages are still logged


def test_the_chat_panel_refuses_a_key_and_keeps_nothing_of_it(kernel: SearchedKernel, keys: list[str]) -> None:
    works(kernel, "session.login(key=marker(), store='file')")
    works(kernel, "%tetrate_chat")
    chat = kernel.comm_of(_anywidget_id="tetrate_jupyter.widgets.chat.ChatPanel")
    for number, message in enumerate(({"do": "hello"}, {"do": "ask", "text": f"What is {keys[0]}?"})):
        kernel.send(chat, {"method": "custom", "content": {**message, "view": "one", "n": number}})
    works(kernel, "import time\nfor _ in range(100):\n    if not session.runs.all: time.sleep(0.05)")
    works(kernel, "print(session.history, session.runs.all)")
    logs = ("debug.log", "kernel.err")  # what a person types into a prompt is logged at DEBUG, as a cell's source is
    assert [found for found in kernel.findings(keys) if not found.startswith(logs)] == []
