"""Another account of the same machine, for what only it can show: what it may read, and what it can plant."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOBODY = 65534
TIMEOUT = 60.0  # seconds; a bound that no test is meant to reach
needs_second_user = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 1)() != 0, reason="not run as root: there is no second user to try it with"
)


def as_second_user(command: Sequence[str], *, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as another user; `said` is its input."""
    return subprocess.run(
        command,
        input=said,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
    )


def found_by_second_user(secret: str, *places: str | Path) -> list[str]:
    """Return the files in `places` in which another user finds the secret; a place may hold shell patterns."""
    # by its input: on a command line of ours the secret would be found, and by our own doing
    script = f"grep -rlaF -f - {' '.join(map(str, places))} 2>/dev/null"
    return as_second_user(["sh", "-c", script], said=secret).stdout.split()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account of this machine may enter, as a home often is; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
