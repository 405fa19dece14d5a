"""What `%load_ext` says, in real kernels: to a person with a notebook, and nothing where nobody reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernels import SHOWS, CountingKernel
from tests.magics.asking_kernel import AskingKernel
from tests.magics.test_sign_in_kernel import LOGIN, homes, signed_in, visit
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

LOAD = "%load_ext tetrate_jupyter"
TRY = "Try %%tetrate, %tetrate_chat, %%tetrate_compare."
FORGET = "%unload_ext tetrate_jupyter"


def test_a_notebook_hears_how_things_stand_before_and_after_signing_in(tmp_path: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router, AskingKernel({**router.environment, **homes(str(tmp_path))}) as kernel:
        assert kernel.run(LOAD).shown.strip() == f"Tetrate at {router.host} is loaded; %tetrate_login signs in. {TRY}"
        assert router.requests == []
        done = kernel.run(LOGIN, on_link=lambda c: visit(router.decide(c.url)))
        assert signed_in(done, router)
        kernel.run("from tetrate_jupyter import session\nsession.models();")
        kernel.run(FORGET)
        asked = len(router.requests)
        assert kernel.run(LOAD).shown.strip() == f"Tetrate at {router.host}: signed in. {TRY}"
        assert len(router.requests) == asked
        kernel.run("%tetrate_logout")
        kernel.run(FORGET)
        assert "signed in" not in kernel.run(LOAD).shown


def test_the_configuration_names_the_model_or_turns_it_off(tmp_path: Path) -> None:
    own = {**homes(str(tmp_path)), config.KEY_VARIABLES[0]: "sk-none-of-yours-0123456789abcdef", "HOME": str(tmp_path)}
    with AskingKernel(own) as kernel:
        kernel.run("get_ipython().config.TetrateMagics.model = 'gpt-6-luna'")
        shown = kernel.run(LOAD).shown.strip()
        assert shown == f"Tetrate: key from the environment, gpt-6-luna. {TRY}"
        kernel.run(FORGET)
        kernel.run("get_ipython().config.TetrateMagics.greeting = False")
        assert kernel.run(LOAD).shown == ""


def test_where_nobody_reads_it_nothing_is_said(tmp_path: Path) -> None:
    with CountingKernel({**homes(str(tmp_path))}, counts=SHOWS) as kernel:
        assert kernel.run(LOAD).texts == []


def test_a_file_of_ids_that_is_none_is_passed_over(tmp_path: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router:
        places = homes(str(tmp_path))
        folder = tmp_path / "data" / "tetrate-jupyter" / "catalog"
        folder.mkdir(parents=True)
        with AskingKernel({**router.environment, **places}) as kernel:
            for content in ("", "[]", "null", '{"routers": 1}', "[" * 100_000):
                (folder / "ids.json").write_text(content, encoding="utf-8")
                assert "signs in" in kernel.run(LOAD).shown
                kernel.run(FORGET)
