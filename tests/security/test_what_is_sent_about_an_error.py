"""What is sent about an error: cells, traceback, names and shapes; values when asked for; nothing like a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.failures.conftest import Notebook, notebook
from tetrate_jupyter.errors import SecretInPromptError

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

__all__ = ["notebook"]

FAILS = "total = sum(wages.values()) / nothing"
UNKNOWN = "sk-" + "Zt5Rk2Wq8Lm1Xv7"  # no key of this process, but it looks like one


def sent(router: SandboxRouter) -> str:
    return json.dumps([r.body for r in router.requests if r.path.endswith("/chat/completions")])


def test_what_variables_hold_stays_here_unless_it_is_asked_for(
    notebook: Notebook, session: Session, router: SandboxRouter
) -> None:
    notebook.shell.user_ns.update(wages={"Ada": 123456, "Bob": 654321}, nothing=0)
    notebook.run(FAILS)
    session.explain()
    said = sent(router)
    assert "ZeroDivisionError" in said
    assert "wages" in said
    assert "123456" not in said
    assert "Ada" not in said
    session.explain(values=True)
    assert "123456" in sent(router)


def test_what_looks_like_a_key_is_refused_known_or_not(
    notebook: Notebook, session: Session, router: SandboxRouter
) -> None:
    notebook.run(f"token = '{UNKNOWN}'\n1 / 0")
    with pytest.raises(SecretInPromptError):
        session.explain()
    assert sent(router) == "[]"
