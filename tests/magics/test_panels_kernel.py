"""The panels in real kernels without a page: nobody there, or a front end that can't show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernels import WIDGETS, CountingKernel
from tests.magics.asking_kernel import AskingKernel
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.widgets.panel import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

LOAD = "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home: Path = tmp_path_factory.mktemp("home")
    with SandboxRouter(speed=INSTANT) as router:
        key = {config.KEY_VARIABLES[0]: router.issue_key()}
        yield {**router.environment, **key, "HOME": str(home), "JUPYTER_DATA_DIR": str(home / "data")}


def test_where_nobody_watches_only_what_can_be_read_later_is_shown(environment: dict[str, str]) -> None:
    with CountingKernel(environment, counts=WIDGETS) as kernel:
        kernel.run(LOAD)
        listed = kernel.run("%tetrate_models claude")
        assert listed.status == "ok"
        assert listed.kinds == ["execute_result"]
        assert "claude-haiku-4-5" in listed.texts[0]
        kernel.run('session.ask("The word is xyzzy.")')
        chat = kernel.run("%tetrate_chat")
        assert chat.status == "ok"
        shown = [text for kind, text in zip(chat.kinds, chat.texts, strict=True) if kind == "display_data"]
        assert len(shown) == 1
        assert "xyzzy" in shown[0]
        assert "widget" not in shown[0]


def test_a_comparison_leaves_its_fallback_and_a_table_where_nobody_watches(environment: dict[str, str]) -> None:
    with CountingKernel(environment, counts=WIDGETS) as kernel:
        kernel.run(LOAD)
        ran = kernel.run("%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna,no-such-model\nWhat is 17 * 23?")
        assert ran.status == "ok"
        assert ran.kinds == ["display_data"]
        (shown,) = ran.texts
        assert "2 of 3 done, 1 failed" in shown
        assert shown.count("391") >= 2
        assert "No model 'no-such-model'" in shown
        opened = kernel.run("%tetrate_compare")
        assert opened.status == "error"  # there is nothing to ask and nobody to ask it


def test_behind_voila_there_is_a_person_though_nobody_can_type(environment: dict[str, str]) -> None:
    with CountingKernel({**environment, "SERVER_SOFTWARE": "voila/0.5.8"}, counts=WIDGETS) as kernel:
        kernel.run(LOAD)
        chat = kernel.run("session.chat()")
        assert "comm_open" in chat.kinds
        assert chat.kinds.count("display_data") == 2


def test_a_front_end_that_shows_no_panel_gets_told_what_to_install(environment: dict[str, str]) -> None:
    with AskingKernel(environment) as kernel:
        assert kernel.run(LOAD).status == "ok"
        # The cell goes on until the panel has given up waiting for a page, so that all it says is this cell's.
        cell = kernel.run(
            'session.ask("The word is xyzzy.")\nfrom IPython.display import display\nimport time\n'
            "panel = session.chat()\ndisplay(panel)\n"
            "from concurrent.futures import wait\nassert not wait(list(panel._working), 120).not_done"
        )
        assert cell.status == "ok", cell.shown
        before, after = cell.shown.split(MISSING, 1)
        assert "xyzzy" in before
        assert "xyzzy" in after


PAGE = """
def tell(panel, **message):
    panel._handle_custom_msg({"view": "one", "n": 1, **message}, [])

def asked(panel, text, **more):
    before = panel.comparison
    tell(panel, do="run", text=text, **more)
    while panel.comparison is before:
        time.sleep(0.01)
    return panel.comparison.wait()
"""


@pytest.mark.parametrize("magic", ["%tetrate_compare", "%%tetrate_compare"])
def test_what_a_compare_cell_leaves_is_what_its_panel_shows(environment: dict[str, str], magic: str) -> None:
    with CountingKernel({**environment, "SERVER_SOFTWARE": "voila/0.5.8"}, counts=WIDGETS) as kernel:
        kernel.run(LOAD + PAGE)

        def printed(code: str) -> list[str]:
            ran = kernel.run(code)
            assert ran.status == "ok", ran.texts
            return "".join(t for k, t in zip(ran.kinds, ran.texts, strict=True) if k == "stream").splitlines()

        prompt = "" if magic == "%tetrate_compare" else "\nName a fruit."
        printed(f"{magic} -m claude-haiku-4-5,gpt-6-luna -o rr{prompt}")
        if not prompt:
            early = kernel.run("rr.df")
            assert early.status == "error"
            assert "Nothing has been compared in this panel yet" in "".join(early.texts)
        printed(
            "panel = list(Out.values())[-1]\ntell(panel, do='hello')\nasked(panel, 'one\\n---\\ntwo', several=True)"
        )
        printed("tell(panel, do='look', prompt=1, repeat=0)\nchosen = panel.comparison.columns[1].id")
        printed("tell(panel, do='vote', key=chosen, vote='best')")
        shown = printed("print(_tetrate_compare is rr, *rr.df.prompt_text)\nprint(*rr.df.vote.fillna('-'))")
        assert shown == ["True one one two two", "- - - best"]
        printed("asked(panel, 'three')")
        shown = printed("print(*rr.df.prompt_text, rr.comparison is session.comparison)")
        assert shown == ["three three True"]
