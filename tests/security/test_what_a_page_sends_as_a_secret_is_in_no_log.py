"""With every logger at DEBUG, what is typed into the sign-in panel is in no record; all else is logged as before."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kernels import CountingKernel
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.widgets.sign_in_logs import WITHHELD, _Factory, keep_out_of_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-marker-7f3c9a1e5b2d8460"
ELSE = "ordinary-text-of-another-widget"

LOG_ALL = """
import logging
from IPython import get_ipython
to_file = logging.FileHandler({path!r}, encoding="utf-8")
to_file.setFormatter(logging.Formatter("%(name)s %(funcName)s %(message)s %(args)r"))
logging.getLogger().addHandler(to_file)
logging.getLogger().setLevel(logging.DEBUG)
for name in list(logging.root.manager.loggerDict):
    logging.getLogger(name).setLevel(logging.DEBUG)
own = get_ipython().kernel.log  # of the application, which may hand nothing on
own.setLevel(logging.DEBUG)
if not own.propagate:
    own.addHandler(to_file)
"""
SHOW = """
import ipywidgets
from tetrate_jupyter import session
from tetrate_jupyter.widgets.sign_in import SignInPanel
plain = ipywidgets.Text()
panel = SignInPanel(session, store="memory")
view = panel.view
print("ids", plain.model_id, view.key.model_id, view.paste.model_id, view.url.model_id)
"""
SAID = """
import time
until = time.monotonic() + 30
while {words!r} not in view.problem.value + view.note.value + view.line.value and time.monotonic() < until:
    time.sleep(0.02)
print(view.problem.value, view.note.value, view.line.value, plain.value)
"""


class Page(CountingKernel):
    """A kernel with a page before it, which sends what is typed."""

    def types(self, model_id: str, text: str, **more: object) -> None:
        """Send a field's new value as JupyterLab does."""
        data = {"method": "update", "state": {"value": text}, "buffer_paths": []}
        self._client.shell_channel.send(
            self._client.session.msg("comm_msg", {"comm_id": model_id, "data": data, **more})
        )

    def says(self, words: str) -> str:
        """Wait until the panel says this; give what it says."""
        shown = "".join(self.run(SAID.format(words=words)).texts)
        assert words in shown
        return shown


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as running:
        yield running


@pytest.mark.slow
def test_what_is_typed_into_the_panel_is_in_no_log(router: SandboxRouter, tmp_path: Path) -> None:
    log = tmp_path / "debug.log"
    home = {"HOME": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path / "data"), "IPYTHONDIR": str(tmp_path / "ipython")}
    with Page({**router.environment, **home}) as page:
        assert page.run(LOG_ALL.format(path=str(log))).status == "ok"
        shown = "".join(page.run(SHOW).texts).split()
        plain, key, paste, url = shown[shown.index("ids") + 1 :]
        page.types(plain, ELSE)
        page.types(key, KEY)
        said = page.says("does not accept that key")
        assert ELSE in said  # it came
        assert KEY not in said
        page.says("Your browser opens")  # a sign-in is under way, to which an address can belong
        page.types(paste, f"http://localhost:1/?state=another&code={KEY[3:]}")
        page.says("belongs to another sign-in")
        page.types(url, f"https://{KEY[3:]}.invalid")
        page.types(paste, KEY)
        good = router.issue_key()
        page.types(key, good)
        page.says("The key is in")
        page.run("panel.close()")
        page.types(key, KEY)  # by a page that doesn't know yet
        page.run("to_file.flush()")
        kept = page.run("print(repr(get_ipython().kernel.get_parent()), get_ipython().kernel._parents)")
    text = log.read_text(encoding="utf-8")
    assert text.count(ELSE) >= 2  # of the kernel and of comm
    assert text.count(WITHHELD) >= 8
    for secret in (KEY[3:], good):
        assert secret not in text
        assert secret not in "".join(kept.texts)


def test_until_there_is_a_panel_nothing_is_changed() -> None:
    asks = (
        "import logging; before = logging.getLogRecordFactory()\n"
        "import tetrate_jupyter, tetrate_jupyter.widgets.sign_in\n"
        "from tetrate_jupyter import session\n"
        "assert logging.getLogRecordFactory() is before is logging.LogRecord"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False, timeout=50).returncode == 0


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    before = logging.getLogRecordFactory()
    caplog.set_level(0)
    yield caplog
    logging.setLogRecordFactory(before)


def test_every_form_of_a_record_is_recognised(records: pytest.LogCaptureFixture) -> None:
    keep_out_of_logs("the-model")
    message = {"content": {"comm_id": "the-model", "data": {"state": {"value": KEY}}}}
    log = logging.getLogger("somebody's")
    log.debug("%s", message)
    log.debug("Content: %s\n", message["content"])
    log.debug(message)
    log.debug("%(content)s", message)
    log.debug("handle_msg[%s](%s)", "the-model", message)
    log.debug("wrong %d %s", message, 1)
    log.debug("bytes %r", str(message).encode())
    try:
        raise ValueError(str(message))
    except ValueError:
        log.exception("while handling")
    assert [record.getMessage() for record in records.records] == [WITHHELD] * 8
    assert KEY not in records.text
    log.warning("of %s", "another")
    assert records.records[-1].getMessage() == "of another"


def test_a_factory_of_somebody_elses_goes_on_and_is_chained_once(records: pytest.LogCaptureFixture) -> None:
    class Theirs(logging.LogRecord):
        pass

    logging.setLogRecordFactory(Theirs)
    keep_out_of_logs("one-model")
    first = logging.getLogRecordFactory()
    keep_out_of_logs("two-model")
    assert logging.getLogRecordFactory() is first
    logging.getLogger().warning("of two-model")
    assert isinstance(records.records[-1], Theirs)
    assert records.records[-1].getMessage() == WITHHELD
    logging.setLogRecordFactory(Theirs)  # they put theirs in its place once more
    keep_out_of_logs("three-model")
    assert isinstance(logging.getLogRecordFactory(), _Factory)
