"""Where the notebooks are, and the sandbox they run on when nobody is there to click."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOKS = tuple(sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb")))


@contextlib.contextmanager
def sandbox_environment(speed: float = INSTANT) -> Iterator[dict[str, str]]:
    """Start a router; give the variables of a kernel that is signed in to it. Nobody types there: outputs are final."""
    with SandboxRouter(speed=speed) as router:
        yield {
            **router.environment,
            config.KEY_VARIABLES[0]: router.issue_key(),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
