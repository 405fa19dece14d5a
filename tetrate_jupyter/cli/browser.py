"""A browser opened at an address that nobody else may see: a command line is there to read for the whole machine."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
import webbrowser
from html import escape
from pathlib import Path
from typing import Final

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
_CHROMEBOOK: Final = Path("/dev/.cros_milestone")
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={url}"><title>Opening JupyterLab</title></head>
<body><p>This page leads to JupyterLab. If it doesn't: <a href="{url}">open JupyterLab</a>.</p></body></html>
"""


class RedirectPage:
    """A page that leads to a secret address and that only this account can read; the browser is given its file.

    It is made in a private folder inside `beside`, which is a folder of the person's own: browsers that come as snap or
    flatpak see neither the system's temporary folder nor hidden folders right under the home. `remove` when done.
    """

    def __init__(self, address: str, beside: Path) -> None:
        self._address = address
        self._beside = beside
        self._folder: Path | None = None

    def open(self) -> bool:
        """Open it in the person's browser. False where that can't be done without showing the address to others."""
        if _browser_is_elsewhere():
            return False
        for folder in (self._beside, Path(tempfile.gettempdir())):
            page = self._written(folder)
            if page is not None:
                return webbrowser.open(page.as_uri())
        return False

    def remove(self) -> None:
        """Remove it; never raises."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _written(self, beside: Path) -> Path | None:
        """Write the page; None where this disk lets others in, or takes nothing."""
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=".tetrate-open-", dir=beside.resolve()))
            page = self._folder / "open.html"
            # born private: the mode is there from the first moment
            descriptor = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                if _is_open(self._folder.stat()) or _is_open(os.fstat(descriptor)):
                    self.remove()
                    return None
                file.write(_PAGE.format(url=escape(self._address)))
        except OSError:
            self.remove()
            return None
        return page


def _is_open(status: os.stat_result) -> bool:
    """Whether others may come in: a disk without modes (a network drive, a memory stick) gives everything to all."""
    return os.name == "posix" and bool(stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid())


def _browser_is_elsewhere() -> bool:
    """Whether the browser belongs to another system, which can't read this one's files: WSL and Chromebooks."""
    return "microsoft" in platform.release().lower() or _CHROMEBOOK.exists()
