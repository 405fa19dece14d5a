"""What is kept of the model lists on disk: a copy of the public catalog, the ids for Tab in a new kernel, and marks.

Failures of the disk are returned or ignored, never raised; what is read has a bound.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.catalog import join
from tetrate_jupyter.http.wire import CatalogModel  # noqa: TC001 - msgspec reads the annotations when it runs

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION: Final = 1
_MOST_BYTES: Final = config.MAX_LIST_BYTES  # of the catalog's copy
_MOST_ID_BYTES: Final = 1024 * 1024  # of the file of ids
_MOST_OF_ONE: Final = 60_000  # bytes of a router's ids
_MOST_ROUTERS: Final = 8  # the most recent ones; each sandbox counts as another router
_MOST_MARK_BYTES: Final = 512 * 1024  # of the file of marks; those of eight routers take a fifth of it
_UNSAFE = re.compile(r"[^a-z0-9.-]+")


class _File(msgspec.Struct):
    version: int
    fetched_at: float
    models: list[CatalogModel]


class _Ids(msgspec.Struct):
    at: float
    ids: list[str]


class _IdsFile(msgspec.Struct):
    version: int
    routers: dict[str, _Ids]


class ModelMarks(msgspec.Struct, frozen=True):
    """A person's marks on a router's models, each with its time (seconds since the epoch).

    `stars`: by id, whether it was starred or unstarred then; `used`: when it was last chosen. Marks older than
    `cleared`, the time of a sign-out, don't count.
    """

    stars: dict[str, tuple[float, bool]] = {}
    used: dict[str, float] = {}
    cleared: float = 0.0

    @property
    def at(self) -> float:
        """The time of the newest mark."""
        return max([self.cleared, *self.used.values(), *(at for at, _ in self.stars.values())])


class _MarksFile(msgspec.Struct):
    version: int
    routers: dict[str, ModelMarks]


@dataclass(frozen=True, slots=True)
class KeptIds:
    """The model ids of a router's last list, and when it was fetched (seconds since the epoch)."""

    ids: tuple[str, ...] = ()
    at: float = 0.0

    def is_fresh(self, now: float) -> bool:
        """Whether they are less than 15 minutes old; False for a time in the future."""
        return 0 <= now - self.at < config.MODELS_FRESH


@dataclass(frozen=True, slots=True)
class Copy:
    """The catalog's entries and when they were fetched (seconds since the epoch)."""

    models: tuple[CatalogModel, ...]
    fetched_at: float

    def is_fresh(self, now: float) -> bool:
        """Whether it is less than 24 hours old; False for a time in the future."""
        return 0 <= now - self.fetched_at < config.CATALOG_FRESH


class CatalogCache:
    """The files: a catalog host's public data, the ids that a key of `router` reaches, and the marks.

    None holds a key. Without a `router` neither ids nor marks are kept, with `public=False` no catalog. `folder`:
    default is `tetrate-jupyter/catalog` in Jupyter's data directory, made when first needed.
    """

    def __init__(
        self,
        host: str,
        folder: Path | None = None,
        *,
        router: str = "",
        public: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._router = router
        self.public = public
        self._name = _UNSAFE.sub("_", host.lower()) + ".json"
        self.now = now

    @classmethod
    def of(cls, endpoints: config.Endpoints, folder: Path | None) -> CatalogCache:
        """Return the cache for a router. No catalog is kept of a router on this machine, nor of a foreign one.

        Where several people share one system account, neither ids nor marks are kept: they are personal.
        """
        public = not endpoints.is_loopback and endpoints.has_consent_page
        router = "" if config.shared_account() is not None else endpoints.base_url
        return cls(config.scope_of(endpoints.auth_url) if public else "", folder, router=router, public=public)

    @property
    def path(self) -> Path:
        """The path of the catalog's file, whether it exists or not."""
        if self._folder is None:
            from jupyter_core.paths import jupyter_data_dir

            self._folder = Path(jupyter_data_dir()) / "tetrate-jupyter" / "catalog"
        return self._folder / self._name

    def load(self) -> Copy | None:
        """Return the catalog's copy, however old; None where there is no usable one."""
        if not self.public:
            return None
        with suppress(OSError, msgspec.MsgspecError, ValueError, RecursionError):
            found = msgspec.json.decode(_read(self.path, _MOST_BYTES), type=_File)
            if found.version == _VERSION:
                return Copy(tuple(found.models), found.fetched_at)
        return None

    def save(self, copy: Copy) -> str | None:
        """Keep a copy, replacing the whole file. Returns None, or a sentence about why it could not be kept."""
        if not self.public:
            return None
        data = msgspec.json.encode(_File(_VERSION, copy.fetched_at, list(copy.models)))
        try:
            _replace(self.path, data)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return f"The public catalog could not be kept on disk ({reason}); it will be fetched again next time."
        return None

    # --- ids -------------------------------------------------------------------------------------------------

    def ids(self) -> KeptIds:
        """Return the ids of this router's last list, however old; empty where there are no usable ones."""
        found = self._ids_file().routers.get(self._router)
        if found is None:
            return KeptIds()
        return KeptIds(tuple(filter(join.is_usable, found.ids)), found.at)

    def keep_ids(self, ids: tuple[str, ...]) -> None:
        """Keep the first 60 kB of a list's ids; an empty tuple removes them. Failures of the disk are ignored."""
        if not self._router:
            return
        routers = self._ids_file().routers
        known = routers.pop(self._router, None)
        if known is None and not ids:
            return
        last = sorted(routers.items(), key=lambda each: each[1].at)[-_MOST_ROUTERS + 1 :]
        now = {self._router: _Ids(self.now(), _first(ids))} if ids else {}
        with suppress(OSError, ValueError):
            _replace(self._ids_path, msgspec.json.encode(_IdsFile(_VERSION, {**dict(last), **now})))

    # --- marks -----------------------------------------------------------------------------------------------

    def marks(self) -> ModelMarks:
        """Return the marks on this router's models; empty where there are no usable ones."""
        return self._marks_file().routers.get(self._router) or ModelMarks()

    def keep_marks(self, marks: ModelMarks) -> None:
        """Keep the marks, and those of the seven other routers with the newest ones. Failures of the disk are ignored.

        Routers on this machine are dropped first: each sandbox has a new address, and must not displace a person's
        stars.
        """
        if not self._router:
            return
        routers = self._marks_file().routers
        routers.pop(self._router, None)
        last = sorted(routers.items(), key=lambda each: (not config.scope_is_loopback(each[0]), each[1].at))
        kept = {**dict(last[-_MOST_ROUTERS + 1 :]), self._router: marks}
        with suppress(OSError, ValueError):
            _replace(self._marks_path, msgspec.json.encode(_MarksFile(_VERSION, kept)))

    @property
    def _marks_path(self) -> Path:
        return self.path.with_name("marks.json")

    def _marks_file(self) -> _MarksFile:
        with suppress(OSError, msgspec.MsgspecError, ValueError, RecursionError):
            found = msgspec.json.decode(_read(self._marks_path, _MOST_MARK_BYTES), type=_MarksFile)
            if found.version == _VERSION:
                return found
        return _MarksFile(_VERSION, {})

    @property
    def _ids_path(self) -> Path:
        return self.path.with_name("ids.json")

    def _ids_file(self) -> _IdsFile:
        with suppress(OSError, msgspec.MsgspecError, ValueError, RecursionError):
            found = msgspec.json.decode(_read(self._ids_path, _MOST_ID_BYTES), type=_IdsFile)
            if found.version == _VERSION:
                return found
        return _IdsFile(_VERSION, {})


def _first(ids: tuple[str, ...]) -> list[str]:
    sizes = accumulate(len(identity.encode("utf-8", "replace")) for identity in ids)
    return [identity for identity, size in zip(ids, sizes, strict=True) if size <= _MOST_OF_ONE]


def _read(path: Path, most: int) -> bytes:
    """Read a regular file of at most `most` bytes. Raises `OSError`, and `ValueError` for any other file."""
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a device may never end
            raise ValueError(path)
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(path)
    return data


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # opening a pipe would wait forever


def _replace(path: Path, data: bytes) -> None:
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
