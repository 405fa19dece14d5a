"""Tab: model ids with slashes and dots, options, choices; only behind our magics and never over the network."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.catalog.shown import brief
from tetrate_jupyter.errors import InvalidKeyError
from tetrate_jupyter.face import shared
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.magics.complete import Sources, candidates
from tetrate_jupyter.sandbox import Fault
from tetrate_jupyter.types import Price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.sandbox import SandboxRouter

IDS = ("claude-haiku-4-5", "gpt-5.6-terra", "gpt-5.6-luna", "xai/grok-4.5", "groq/openai/gpt-oss-20b")


@pytest.mark.parametrize(
    ("line", "expected", "fragment"),
    [
        ("%tetrate_model cl", ["claude-haiku-4-5"], "cl"),
        ("%tetrate_model xai/", ["xai/grok-4.5"], "xai/"),
        ("%tetrate_model gpt-5.", ["gpt-5.6-terra", "gpt-5.6-luna"], "gpt-5."),
        ("%%tetrate -m gpt-5.6-l", ["gpt-5.6-luna"], "gpt-5.6-l"),
        ("%%tetrate -t 0.2 --model oss", ["groq/openai/gpt-oss-20b"], "oss"),
        ("%%tetrate --max", ["--max-tokens"], "--max"),
        ("%%tetrate -f j", ["json"], "j"),
        ("%tetrate_login --store ", ["auto", "keyring", "file", "memory"], ""),
        ("%%tetrate -m=oss", ["groq/openai/gpt-oss-20b"], "oss"),
        ("%%tetrate_compare -m claude-haiku-4-5,xai", ["xai/grok-4.5"], "xai"),
        ("%%tetrate_compare --repeats 2 -m a -m claude-haiku-4-5,gpt-5.6-luna,oss", ["groq/openai/gpt-oss-20b"], "oss"),
        ("%tetrate_models xai", ["xai/grok-4.5"], "xai"),
        ("%tetrate_models images grok", ["xai/grok-4.5"], "grok"),
        ("%tetrate_models --sort pr", ["price", "provider"], "pr"),
        ("%%tetrate -p top", ["top_k=", "top_p="], "top"),
        ("%%tetrate -p verbosity=", ["low", "medium", "high"], ""),
        ("%%tetrate --param=tool_choice=re", ["required"], "re"),
        ("%%tetrate --effort h", ["high"], "h"),
        ("%tetrate Summarise {sa", ["sales"], "sa"),
        ("%%tetrate -m gpt-5.6-luna\nSummarise {", ["sales", "text"], ""),
        ("%%tetrate_compare\n\nfirst line\nand {te", ["text"], "te"),
        ("%%tetrate\nSee {sales} and te", [], ""),
        ("%%tetrate\n%tetrate -m cl", [], ""),
        ("print(1)\n%tetrate -m cl", ["claude-haiku-4-5"], "cl"),
        ("print(f'{sa", [], ""),
        ("%%tetrate_other\n{sa", [], ""),
        ("%%tetrate -o na", [], ""),
        ("%%tetrate what is cl", [], ""),
        ("%timeit cl", [], ""),
        ("tetrate_model cl", [], ""),
    ],
)
def test_candidates(line: str, expected: list[str], fragment: str) -> None:
    found, completed = candidates(line, Sources(lambda: IDS, lambda: ("sales", "text")))
    assert (found, completed if found else fragment) == (expected, fragment)


def test_ids_are_only_asked_for_where_one_fits() -> None:
    def never() -> tuple[str, ...]:
        raise AssertionError("asked for ids")

    assert candidates("%%tetrate -f j", Sources(never, never)) == (["json"], "j")


def completions(shell: InteractiveShell, text: str) -> list[str]:
    return [c.text for c in shell.Completer.completions(text, len(text))]


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_ipythons_completer_gives_our_ids_and_nothing_else(
    shell: InteractiveShell, session: Session, router: SandboxRouter
) -> None:
    session.models()
    asked = len(router.requests)
    assert set(completions(shell, "%tetrate_model xai/grok-4.")) == {"xai/grok-4.3", "xai/grok-4.5", "xai/grok-4.7"}
    assert "%tetrate_login" in completions(shell, "%tetrate_lo")
    assert "claude-haiku-4-5" not in completions(shell, "claude-h")
    assert len(router.requests) == asked


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_beside_an_id_stand_its_price_and_window(
    shell: InteractiveShell, session: Session, fresh: Callable[[], Session]
) -> None:
    session.models()
    assert said(shell, "%%tetrate -m claude-haiku-4-5") == "$1.00 in, $5.00 out per M; 200k"
    assert said(shell, "%%tetrate -f js") == "tetrate"
    fresh()  # it has the ids that were kept, and no prices
    assert said(shell, "%%tetrate -m claude-haiku-4-5") == "tetrate"


def said(shell: InteractiveShell, text: str) -> str:
    return str(next(iter(shell.Completer.completions(text, len(text)))).type)


def test_an_unknown_price_is_said(session: Session) -> None:
    model = session.models()["claude-haiku-4-5"]
    assert brief(replace(model, price=Price())) == "price unknown; 200k"
    assert brief(replace(model, price=Price(input=Decimal("0.25")), context_window=None)).startswith("$0.25 in, ")


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_variables_complete_in_a_prompt(shell: InteractiveShell) -> None:
    shell.user_ns["quarterly_sales"] = [1, 2]
    assert completions(shell, "%%tetrate\nWhat of {quart") == ["quarterly_sales"]


@pytest.fixture
def fresh(session: Session, router: SandboxRouter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Session]]:
    """Makes sessions as other kernels have them, each the shared one from then on."""
    made: list[Session] = []

    def make() -> Session:
        made.append(Session(base_url=router.base_url, key=router.issue_key(), data_dir=session._data_dir))
        monkeypatch.setattr(shared, "session", made[-1])
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_a_fresh_kernel_offers_the_last_list(
    shell: InteractiveShell, session: Session, router: SandboxRouter, fresh: Callable[[], Session]
) -> None:
    session.models()
    asked = len(router.requests)
    fresh()
    assert "claude-haiku-4-5" in completions(shell, "%%tetrate -m claude-h")
    assert "claude-haiku-4-5" in completions(shell, "%%tetrate_compare -m gpt-6-luna,claude-h")
    assert len(router.requests) == asked  # it is recent


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_where_nothing_is_known_the_list_comes_for_the_next_tab(
    shell: InteractiveShell, router: SandboxRouter, fresh: Callable[[], Session]
) -> None:
    changed = threading.Event()
    fresh().catalog.on_change(changed.set)
    router.inject(Fault("slow-headers", path="models", delay=0.2))
    assert "claude-haiku-4-5" not in completions(shell, "%%tetrate -m claude-h")
    assert changed.wait(60)
    assert "claude-haiku-4-5" in completions(shell, "%%tetrate -m claude-h")


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_tab_asks_a_router_in_trouble_once(
    shell: InteractiveShell, router: SandboxRouter, fresh: Callable[[], Session]
) -> None:
    fresh()
    router.inject(Fault("forbidden", path="models"))
    for _ in range(3):
        assert "claude-haiku-4-5" not in completions(shell, "%%tetrate -m claude-h")
    router.wait_for(lambda r: r.path == "/v1/models", timeout=60)
    assert "claude-haiku-4-5" not in completions(shell, "%%tetrate -m claude-h")
    assert sum(r.path == "/v1/models" for r in router.requests) == 1


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_signing_out_forgets_the_ids(shell: InteractiveShell, session: Session, fresh: Callable[[], Session]) -> None:
    session.models()
    session.logout()
    made = fresh()
    assert made.catalog.known_ids() == ((), False)


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_a_mistyped_key_takes_nothing_away(shell: InteractiveShell, session: Session) -> None:
    count, dropdown, picker = len(session.models()), session.dropdown(), session.picker()
    with pytest.raises(InvalidKeyError):
        session.login(key="sk-mistyped-0123456789abcdef")
    assert len(session.catalog.models) == count
    assert len(dropdown.options) == count
    assert len(picker.found) == count
    assert "claude-haiku-4-5" in completions(shell, "%%tetrate -m claude-h")
