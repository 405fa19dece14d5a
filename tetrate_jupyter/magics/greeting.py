"""The one line that `%load_ext` says in a notebook, from what is at hand: no network, no keyring, nothing heavy."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRY: Final = "Try %%tetrate, %tetrate_chat, %%tetrate_compare."
_MOST_BYTES: Final = 1024 * 1024  # of the file of ids, as its writer has it (catalog/cache.py)


def greeting(model: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the line. It never claims that nobody is signed in: a keyring isn't asked.

    `model`: the one that the configuration names, "" for none. A key in the environment counts as signed in, and so
    does a list that an earlier kernel fetched with this router's key: signing out removes it.
    """
    env = os.environ if environ is None else environ
    try:
        endpoints = config.Endpoints.from_environment(env)
    except ConfigError:
        return f"Tetrate: %tetrate_status tells what is wrong with the base URL. {_TRY}"
    # a gateway on this machine may be anybody's, and only its first answer could tell
    name = "Tetrate" if endpoints.is_service else f"Tetrate at {endpoints.host}"
    if any(env.get(each, "").strip() for each in config.KEY_VARIABLES):
        stands = "key from the environment"
    elif _has_list(endpoints.base_url):
        stands = "signed in"
    else:
        return f"{name} is loaded; %tetrate_login signs in. {_TRY}"
    return str(secrecy.redacted(f"{name}: {stands}{f', {model}' if model else ''}. {_TRY}"))


def _has_list(base_url: str) -> bool:
    """Whether a list of this router's models has been kept. Importing what keeps it would take longer than the rest."""
    from jupyter_core.paths import jupyter_data_dir

    path = Path(jupyter_data_dir()) / "tetrate-jupyter" / "catalog" / "ids.json"
    with suppress(OSError, ValueError, RecursionError, AttributeError, TypeError):
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            return base_url in json.loads(path.read_bytes()).get("routers", {})
    return False
