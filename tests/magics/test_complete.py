"""Tab: model ids with slashes and dots, options, choices; only behind our magics and never over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.magics.complete import candidates

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.sessions.session import Session

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
        ("%%tetrate -o na", [], ""),
        ("%%tetrate what is cl", [], ""),
        ("%timeit cl", [], ""),
        ("tetrate_model cl", [], ""),
    ],
)
def test_candidates(line: str, expected: list[str], fragment: str) -> None:
    assert candidates(line, lambda: IDS) == (expected, fragment)


def test_ids_are_only_asked_for_where_one_fits() -> None:
    def never() -> tuple[str, ...]:
        raise AssertionError("asked for ids")

    assert candidates("%%tetrate -f j", never) == (["json"], "j")


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
