"""Keys and the places where they are found, and reading them from the environment; nothing is written here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final, Literal

from tetrate_jupyter import config
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import BaseURLError
from tetrate_jupyter.secret import Secret

_LINE_ENDS = re.compile(r"(?:\\[rn])+\Z")  # literally typed: a backslash and a letter
PlaceKind = Literal["given", "memory", "environment", "keyring", "file"]
_SHORT: Final = {"keyring": "the system's keyring", "file": "a private file"}  # the others are short as they are


@dataclass(frozen=True)
class Place:
    """Where a key is. `detail` names it for a person; `note` says why it is there and not somewhere better."""

    kind: PlaceKind
    detail: str
    note: str = ""

    @property
    def removable(self) -> bool:
        """Whether a key can be removed from here; an environment variable is the person's to unset."""
        return self.kind != "environment"

    @property
    def short(self) -> str:
        """The place in a word or two, for a line that is read in passing: no path, which `str()` has."""
        return _SHORT.get(self.kind) or str(self)

    def __str__(self) -> str:
        return f"{self.detail} ({self.note})" if self.note else self.detail


GIVEN: Final = Place("given", "the session's own arguments")
MEMORY: Final = Place("memory", "this kernel's memory only")


@dataclass(frozen=True)
class FoundKey:
    """A key and where it was found."""

    secret: Secret
    place: Place


def environment_key(endpoints: Endpoints) -> FoundKey | None:
    """Return the environment's key where it belongs to this host, else None.

    It belongs to the host that the environment's own base URL names, or, without one, to the default router.
    """
    if not belongs_here(endpoints):
        return None
    for name in config.KEY_VARIABLES:
        found = found_key(variable(name), endpoints.host, Place("environment", f"the environment variable {name}"))
        if found is not None:
            return found
    return None


def belongs_here(endpoints: Endpoints) -> bool:
    """Whether a key from the environment may be sent to this router."""
    try:
        return Endpoints.from_environment().host == endpoints.host
    except BaseURLError:
        return False


def variable(name: str) -> str:
    """Return an environment variable's text without quotes and line ends around it, or ""."""
    text = os.environ.get(name, "").strip()
    while True:  # `docker --env-file` and the like keep quotes, and "\\n" as it was typed
        bare = _LINE_ENDS.sub("", text).strip()
        if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
            bare = bare[1:-1].strip()
        if bare == text:
            return text
        text = bare


def found_key(value: str | None, host: str, place: Place) -> FoundKey | None:
    """Return what was read as a key, or None where it can't be one."""
    text = (value or "").strip()
    if place.kind != "environment" and not (text.isascii() and text.isprintable() and " " not in text):
        return None  # damaged: as good as none; a variable is kept, so that the person hears what is wrong with it
    return FoundKey(Secret(text, host=host), place) if text else None
