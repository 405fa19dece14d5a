"""What a question is asked for: the words that its records carry, in the context (task, thread) that asks it."""

from __future__ import annotations

import contextlib
import contextvars
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class About:
    """`op`: what asks ("ask", "compare"). `label`: the person's own word. `run`, `row`: of something with many rows."""

    op: str = "ask"
    label: str | None = None
    run: str | None = None
    row: int | None = None


_ABOUT: Final[contextvars.ContextVar[About]] = contextvars.ContextVar("tetrate_about", default=About())  # noqa: B039 - frozen


def current() -> About:
    """Return what is asked for here."""
    return _ABOUT.get()


@contextlib.contextmanager
def asking(**words: Any) -> Iterator[About]:  # noqa: ANN401 - fields of `About`
    """Have what is asked within, and in tasks begun there, carry these words as well."""
    token = _ABOUT.set(replace(_ABOUT.get(), **words))
    try:
        yield _ABOUT.get()
    finally:
        _ABOUT.reset(token)
