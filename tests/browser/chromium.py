"""Which Chromium drives the tests, and how it is started."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

VARIABLE = "TETRATE_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = [
    "--no-sandbox",  # containers run as root, where Chromium's own sandbox can't start
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    # Whatever a page asks for, nothing leaves this machine: the tests look at what was asked.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
]


def find(playwright: Playwright) -> str:
    """Give the path of a Chromium: the one that is named, one on the PATH, or Playwright's own."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise FileNotFoundError(f"{VARIABLE} names {named!r}, which is no program.")
        return found
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    raise FileNotFoundError(
        "The browser tests need a Chromium. Install one (Debian: apt install chromium; anywhere: playwright install"
        f" chromium), or set {VARIABLE} to its path."
    )
