"""Where a session stands, made to be read and to be pasted into a bug report; holds nothing secret."""

from __future__ import annotations

import asyncio
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from tetrate_jupyter.engine.connections import Connections
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.http.wire import StatusReport
    from tetrate_jupyter.render.table import Table

PACKAGES: Final = (
    "tetrate-jupyter",
    "ipython",
    "ipykernel",
    "ipywidgets",
    "anywidget",
    "jupyterlab",
    "httpx",
    "keyring",
)
KEPT: Final = "kept on disk; %tetrate_history lists them, and erases them with --erase"
MOST_PROVIDERS: Final = 100  # that are shown; the rest is counted
_MOST_REQUESTS: Final = 10**12
_MAX_CODE: Final = 60  # characters


@dataclass(frozen=True)
class Status:
    """Facts as (name, value) pairs, in reading order. Shows itself as a table."""

    facts: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        return dict(self.facts)[name]

    def __repr__(self) -> str:
        return self._table().plain()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        shown = self._table()
        return {"text/html": shown.html(), "text/plain": shown.plain()}

    def _table(self) -> Table:
        from tetrate_jupyter.render.table import Table, TableColumn

        return Table([TableColumn(""), TableColumn("")], [list(fact) for fact in self.facts])


async def report(engine: Engine, connections: Connections) -> Status:
    """Gather the facts. What can't be found out is reported as that, so that a report never fails."""
    signed_in = await _sign_in(engine, connections)  # first: it shows what a server on this machine is
    page = engine.endpoints.auth_url if await engine.account.has_consent_page() else "none known for this address"
    facts = [("router", engine.endpoints.base_url), ("consent page", page), *signed_in]
    facts += [
        ("model", engine.chooser.told(engine.model) or "none chosen (the first question chooses one)"),
        ("conversation", f"{len(engine.history)} exchange{'' if len(engine.history) == 1 else 's'}"),
        ("texts", KEPT if engine.keep_texts else "not kept (session.keep_texts)"),
        ("asked so far", _asked(engine)),
        ("bridge", engine.bridge.mode),
        *await asyncio.to_thread(versions),  # reads many files
    ]
    return Status(tuple(facts))


async def _sign_in(engine: Engine, connections: Connections) -> list[tuple[str, str]]:
    try:
        found = await asyncio.to_thread(engine.account.find)
    except TetrateError as error:
        return [("signed in", f"no: {error.message}")]
    if found is None:
        trouble = [("note", engine.account.trouble)] if engine.account.trouble else []
        return [("signed in", "no (run %tetrate_login)"), *trouble]
    try:
        models = await engine.catalog.refresh(found.secret, force=True)
    except TetrateError as error:
        return [("key", str(found.place)), ("signed in", f"no: {error.message}")]
    facts = [("key", str(found.place)), ("signed in", f"yes; the key reaches {len(models)} models")]
    facts += [("note", note) for note in engine.catalog.notes]
    try:
        health = await connections.client().status(found.secret)
    except TetrateError as error:
        return [*facts, ("health", f"no report: {error.message}")]
    return [*facts, *_health(health)]


def _health(health: StatusReport | None) -> list[tuple[str, str]]:
    if health is None:
        return [("health", "answers, but publishes no report (older version)")]
    facts = [("health", "answers")]
    words = {True: "reachable", False: "NOT reachable", None: "no traffic seen"}
    for provider in health.providers[:MOST_PROVIDERS]:
        text = words[provider.reachable]
        failures, code = _count(provider.failures), one_line(str(provider.last_failure_code or ""), _MAX_CODE)
        if failures is not None:
            asked = _count(provider.observed_requests)
            text += f"; {failures:,} of {'?' if asked is None else f'{asked:,}'} requests failed"
            text += f", last with {code}" if code else ""
        facts.append((f"provider {one_line(provider.name, MAX_NAME)}", text))
    more = len(health.providers) - MOST_PROVIDERS
    return [*facts, ("providers", f"and {more:,} more")] if more > 0 else facts


def _count(number: int | None) -> int | None:
    """Return a count that is worth showing, None for 0 and for what can't be one."""
    return number if number is not None and 0 < number <= _MOST_REQUESTS else None


def _asked(engine: Engine) -> str:
    from tetrate_jupyter.render.numbers import money

    total = engine.ledger.total()
    if not total.calls:
        return "nothing yet"
    cost = "cost unknown" if total.cost is None else f"≈ {money(total.cost)}"
    unknown = f", {total.unknown_costs} of unknown cost" if total.cost is not None and total.unknown_costs else ""
    odd = f"; {total.ignored:,} odd members of answers left out" if total.ignored else ""
    return f"{total.calls} requests, {cost}{unknown}{odd}"


def versions() -> list[tuple[str, str]]:
    """Return Python's, the system's and the packages' versions; "not installed" where one is missing."""
    found = [("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")]
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    found += _panels()
    if "google.colab" in sys.modules:
        found.append(("front end", "Google Colab"))
    return found


def _panels() -> list[tuple[str, str]]:
    """Return what panels need from the page, and whether this environment's Jupyter has it."""
    from tetrate_jupyter.front_end import fitting_anywidget, served_anywidgets

    needed, served = fitting_anywidget(), served_anywidgets()
    if not needed:
        return []
    if not served:
        return [("panels", f"need {needed} where Jupyter runs, which isn't in this environment")]
    here = one_line(served[0], MAX_NAME)
    if here.split(".")[:2] == metadata.version("anywidget").split(".")[:2]:
        return [("panels", f"need {needed} where Jupyter runs; a Jupyter of this environment has {here}, which fits")]
    step = f'pip install "{needed}" there, and reload the page'
    return [("panels", f"a Jupyter of this environment has anywidget {here}, which doesn't fit. Next: {step}")]
