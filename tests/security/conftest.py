"""What the tests of this room share with the magics': a shell on the session."""

from __future__ import annotations

from tests.magics.conftest import shell

__all__ = ["shell"]
