"""Python processes of their own, for what one process can't show: another umask, disk, keyring, or two at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.keys.conftest import FOR_EVER

ROOT = Path(__file__).parents[2]
BEFORE = """
import os, sys
from pathlib import Path
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import KeyStoreError
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.keys.system_keyring import SystemKeyring
from tetrate_jupyter.secret import Secret
data = Path(sys.argv[1])
endpoints = Endpoints.of("https://gateway.example/v1")
secret = Secret("sk-never-to-be-shown-0123456789", host=endpoints.host)
"""


def environment(**changes: str) -> dict[str, str]:
    """Give the environment of a process that finds this package and these tests."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **changes}


def command(script: str, data: Path, *warnings: str) -> list[str]:
    options = [part for each in ("error", *warnings) for part in ("-W", each)]
    return [sys.executable, *options, "-c", BEFORE + script, str(data)]


def run(script: str, data: Path, *warnings: str, under: tuple[str, ...] = (), env: dict[str, str] | None = None) -> str:
    """Run a script (begun under another program, where one is named); give what it prints. Nothing else may come."""
    done = subprocess.run(
        [*under, *command(script, data, *warnings)],
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=2 * FOR_EVER,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    return done.stdout
