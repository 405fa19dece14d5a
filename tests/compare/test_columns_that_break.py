"""Whatever is raised while columns are asked fails what it concerns; the comparison ends, and can be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.catalog.service import Catalog
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.face.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.sandbox import SandboxRouter

MODELS = "claude-haiku-4-5, gpt-5-nano"
STOCK = "How many pieces of the product 'lamp' are in stock?"


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(2), KeyboardInterrupt(), MemoryError()], ids=repr)
def test_in_a_tool(session: Session, error: BaseException) -> None:
    broken = [True]

    def stock_of(product: str) -> int:
        """How many pieces of a product are in stock."""
        if broken[0]:
            raise error
        return 12

    result = session.compare(STOCK, MODELS, tools=[stock_of])
    assert {row.state for row in result.rows} == {"failed"}
    assert {row.error for row in result.rows} == {"ToolFailedError"}
    broken[0] = False
    assert {row.state for row in result.retry().rows} == {"done"}


class OddSession(Session):
    """A session of one's own whose questions can't be asked, for whatever reason."""

    error: BaseException | None = None

    def completion(self, *given: Any, **options: Any) -> Completion:
        if self.error is not None:
            raise self.error
        return super().completion(*given, **options)


class OddCatalog(Catalog):
    """A list of models that answers no question about prices."""

    def billed(self, asked: str, answered: str | None) -> Any:
        raise LookupError(asked, answered)


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(2), KeyboardInterrupt()], ids=repr)
def test_in_a_session_of_ones_own(router: SandboxRouter, bridge: Bridge, tmp_path: Path, error: BaseException) -> None:
    session = OddSession(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge)
    session.error = error
    result = session.compare(["Say one.", "Say two."], MODELS)
    assert {row.state for row in result.rows} == {"failed"}
    assert all(row.message and type(error).__name__ in row.message and row.next_step for row in result.rows)
    assert session.comparison is not None
    assert not session.comparison.is_running
    session.error = None
    assert {row.state for row in result.retry().rows} == {"done"}
    session.close()


def test_in_a_catalog_of_ones_own(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tetrate_jupyter.engine.engine.Catalog", OddCatalog)
    session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge)
    result = session.compare("Say hello.", MODELS)
    assert [(row.state, row.cost) for row in result.rows] == [("done", None)] * 2
    session.close()


def test_in_whoever_watches(session: Session) -> None:
    def fail() -> None:
        raise SystemExit(1)

    comparison = session.bridge.run(prepared(session))
    comparison.on_change(fail)
    comparison.start()
    assert {row.state for row in comparison.wait(timeout=60).rows} == {"done"}


async def prepared(session: Session) -> Any:
    from tetrate_jupyter.compare.asking import prepare

    return await prepare(session, "Say hello.", MODELS)


def test_what_cannot_be_prepared_is_ours(session: Session) -> None:
    class Odd:
        def __fspath__(self) -> str:
            raise SystemExit(2)

    with pytest.raises(TetrateError) as caught:
        session.compare("Say hello.", MODELS, images=[Odd()])
    assert caught.value.next_step
