"""The public catalog's copy on disk; trouble with the disk is told, never raised."""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.http.wire import CatalogModel  # noqa: TC001 - msgspec reads the annotations when it runs

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION: Final = 1
_UNSAFE = re.compile(r"[^a-z0-9.-]+")


class _File(msgspec.Struct):
    version: int
    fetched_at: float
    models: list[CatalogModel]


@dataclass(frozen=True, slots=True)
class Copy:
    """The catalog's entries and when they were fetched (seconds since the epoch)."""

    models: tuple[CatalogModel, ...]
    fetched_at: float

    def is_fresh(self, now: float) -> bool:
        """Whether it is younger than 24 hours; one from the future is not."""
        return 0 <= now - self.fetched_at < config.CATALOG_FRESH


class CatalogCache:
    """One file for one catalog host. Public data only: no key, nothing of the person.

    `folder`: default `catalog` under `tetrate-jupyter` in Jupyter's data directory, made when first needed.
    """

    def __init__(self, host: str, folder: Path | None = None, *, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._name = _UNSAFE.sub("_", host.lower()) + ".json"
        self.now = now

    @classmethod
    def of(cls, endpoints: config.Endpoints, folder: Path | None) -> CatalogCache | None:
        """Return the one for a router; None for a sandbox, whose catalog is at hand and whose ports are random."""
        return (
            None
            if endpoints.is_loopback or not endpoints.has_consent_page
            else cls(config.scope_of(endpoints.auth_url), folder)
        )

    @property
    def path(self) -> Path:
        """Where the file is, or would be."""
        if self._folder is None:
            from jupyter_core.paths import jupyter_data_dir

            self._folder = Path(jupyter_data_dir()) / "tetrate-jupyter" / "catalog"
        return self._folder / self._name

    def load(self) -> Copy | None:
        """Give what is there, however old; None where nothing usable is."""
        with suppress(OSError, msgspec.MsgspecError, ValueError, RecursionError):
            found = msgspec.json.decode(self.path.read_bytes(), type=_File)
            if found.version == _VERSION:
                return Copy(tuple(found.models), found.fetched_at)
        return None

    def save(self, copy: Copy) -> str | None:
        """Keep a copy, replacing the file as a whole. Gives None, or one sentence about why it could not be kept."""
        data = msgspec.json.encode(_File(_VERSION, copy.fetched_at, list(copy.models)))
        try:
            self._replace(data)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return f"The public catalog could not be kept on disk ({reason}); it will be fetched again next time."
        return None

    def _replace(self, data: bytes) -> None:
        path = self.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except OSError:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
