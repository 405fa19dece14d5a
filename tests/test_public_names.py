"""The public names are a promise; loading costs next to nothing and undoes itself."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from decimal import Decimal

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import tetrate_jupyter
from tetrate_jupyter.face.session import OFFERED

NAMES = [
    "Answer", "AnswerError", "AuthError", "Comparison", "ConfigError", "Conversation", "Earlier", "Fix",
    "GatewayError", "History", "InputError", "KeyStoreError", "Ledger", "Message", "Model", "ModelList",
    "NotSignedInError", "Price",
    "ReasoningDelta", "Result", "Retrying", "Session",
    "TetrateError", "TextDelta", "Timing", "ToolCalled", "Usage", "load_ipython_extension", "session",
    "unload_ipython_extension",
]  # fmt: skip


def test_exactly_these_names_are_public_and_each_can_be_had() -> None:
    assert tetrate_jupyter.__all__ == NAMES == sorted(NAMES)
    for name in NAMES:
        assert getattr(tetrate_jupyter, name) is not None
        assert name in dir(tetrate_jupyter)


def test_completion_offers_of_a_session_what_one_asks_with() -> None:
    shell = TerminalInteractiveShell()
    shell.Completer.use_jedi = True  # the usual way; the other one adds what the class has
    shell.user_ns["session"] = tetrate_jupyter.session
    with provisionalcompleter():
        completions = {found.text.lstrip(".") for found in shell.Completer.completions("session.", 8)}
    offered = {name for names in OFFERED.values() for name in names}
    assert offered <= completions
    assert not {"keeper", "begin", "recalling", "share_ledger"} & completions  # those are for panels and magics
    for name in offered:
        getattr(tetrate_jupyter.session, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_class_shows_and_pickles_under_its_public_name(name: str) -> None:
    found = getattr(tetrate_jupyter, name)
    if not isinstance(found, type):
        return
    # The errors are public as a whole tree, with more of them than these: all show as of one module.
    home = "tetrate_jupyter.errors" if issubclass(found, tetrate_jupyter.TetrateError) else "tetrate_jupyter"
    assert repr(found) == f"<class '{home}.{name}'>"
    assert f"c{home}\n{name}\n".encode() in pickle.dumps(found, protocol=0)
    assert pickle.loads(pickle.dumps(found)) is found


def test_a_price_comes_back_from_a_pickle() -> None:
    price = tetrate_jupyter.Price(input=Decimal("0.25"))
    assert pickle.loads(pickle.dumps(price)) == price


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="sesion"):
        tetrate_jupyter.sesion  # noqa: B018 - the access is what is tested


def test_the_shared_session_is_an_object_whatever_was_imported_before() -> None:
    script = (
        "import tetrate_jupyter.face.session, tetrate_jupyter.face.shared\n"
        "from tetrate_jupyter import session, Session\n"
        "import tetrate_jupyter\n"
        "print(isinstance(session, Session), session is tetrate_jupyter.face.shared.session)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


HEAVY = {"httpx", "keyring", "ipywidgets", "markdown_it", "msgspec", "tornado", "pandas", "numpy", "jsonschema"}


def test_loading_the_extension_imports_nothing_heavy() -> None:
    script = (
        "from IPython.terminal.interactiveshell import TerminalInteractiveShell as Shell\n"
        "import sys, json\nshell = Shell.instance()\nbefore = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'tetrate_jupyter')\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    added = json.loads(done.stdout)
    assert len(done.stdout.splitlines()) == 1  # loading prints nothing
    assert not done.stderr
    assert not {name.split(".")[0] for name in added} & HEAVY
    assert len(added) <= 15
