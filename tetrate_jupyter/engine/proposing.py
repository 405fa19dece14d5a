"""Proposals of JupyterLab's settings page to a new kernel: a model and a router, which yield to what a person has set.

They are taken once, at a page's first word, and only where nobody has chosen or used anything else: a page that is
reloaded, or a second one, moves nothing. No key is in them, and none goes with them.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from tetrate_jupyter import config, front_end, secrecy
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import BaseURLError, ConfigError, TetrateError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tetrate_jupyter.engine.engine import Engine

_MOST: Final = 10_000  # characters of them
_NAMED: Final = (config.BASE_URL_VARIABLE, config.HOST_VARIABLE, config.AUTH_URL_VARIABLE)

_taken: WeakKeyDictionary[Engine, tuple[str, ...]] = WeakKeyDictionary()
_taking = threading.Lock()


def told_before() -> dict[str, Any]:
    """Return the settings that a page has left in this kernel, {} for none."""
    text = front_end.told_by_page()
    with suppress(ValueError, RecursionError):
        if len(text) <= _MOST:
            found = json.loads(text)
            return found if isinstance(found, dict) else {}
    return {}


def take(engine: Engine, settings: object) -> tuple[str, ...]:
    """Take the first settings that a page sends; return a sentence on each that can't be used.

    `settings`: {"model": id, "baseUrl": address}, each of which may be missing or ""; other members, and values of
    another type, are ignored. A later call changes nothing and returns the same sentences.
    """
    given = settings if isinstance(settings, dict) else {}
    with _taking:
        if engine not in _taken:
            problems = []
            for name, use in (("baseUrl", _move), ("model", _prefer)):  # the model is one of that router's
                value = given.get(name)
                if not isinstance(value, str) or not value.strip() or len(value) > _MOST:
                    continue
                try:
                    use(engine, value.strip())
                except TetrateError as error:
                    problems.append(f"Settings, Tetrate: {error.advice}")
            _taken[engine] = tuple(problems)
        return _taken[engine]


def proposed(settings: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Endpoints | None:
    """Return the router that settings propose; None for none, and where the environment names a router or has a key.

    Raises `BaseURLError` for an address that can't be used: plain http is for this machine, whatever a page says.
    """
    env = os.environ if environ is None else environ
    address = settings.get("baseUrl")
    if not isinstance(address, str) or not address.strip():
        return None
    if any(env.get(name, "").strip() for name in (*_NAMED, *config.KEY_VARIABLES)):
        return None
    if secrecy.looks_secret(address):
        raise BaseURLError(
            "there is an API key in the base URL. It isn't used.", next_step="take it out there, and revoke it"
        )
    return Endpoints.of(address)


def environment_with(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment with the router that settings propose, where it doesn't name one itself."""
    with suppress(BaseURLError):  # said where it is taken
        if proposed(settings) is not None:
            return {**os.environ, config.BASE_URL_VARIABLE: str(settings["baseUrl"])}
    return dict(os.environ)


def _move(engine: Engine, address: str) -> None:
    endpoints = proposed({"baseUrl": address})
    if endpoints is not None and engine.last is None and engine.account.settle():  # a kept answer asks nobody
        engine.connect(address)
        engine.account.lasts()


def _prefer(engine: Engine, model_id: str) -> None:
    if secrecy.looks_secret(model_id, lenient=True):
        raise ConfigError(
            "the default model is an API key. It isn't used.", next_step="take it out there, and revoke it"
        )
    try:
        engine.chooser.propose(model_id)
    except UnknownModelError:
        raise ConfigError(
            "the default model can't be a model's id. It isn't used.", next_step="give an id of %tetrate_models there"
        ) from None
