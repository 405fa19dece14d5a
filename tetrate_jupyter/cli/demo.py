"""`tetrate-jupyter demo`: sandbox router, JupyterLab and the quickstart, all stopped together."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from tetrate_jupyter import config
from tetrate_jupyter.cli.notebook import place, pristine
from tetrate_jupyter.cli.stopping import say
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def open_demo(folder: Path, *, browser: bool) -> int:
    """Open the quickstart in JupyterLab on a sandbox router; returns when either is stopped.

    Raises `ConfigError` where something is missing, the folder can't be used or JupyterLab fails.
    """
    need("jupyterlab", "JupyterLab")
    from tetrate_jupyter.cli.browser import RedirectPage
    from tetrate_jupyter.cli.lab import Lab
    from tetrate_jupyter.sandbox import SandboxRouter

    notebook, remark = place(folder)
    with SandboxRouter() as router:
        lab = Lab(notebook, environment(router.environment))
        page = RedirectPage(lab.url, notebook.parent)
        try:
            print("Starting JupyterLab ...", flush=True)
            lab.start()
            print(f"The sandbox router is at {router.base_url}: simulated models, no account, nothing leaves here.")
            print(remark)
            print(f"Open {lab.url}\nStop everything with Ctrl-C.", flush=True)
            if browser and not page.open():
                print("No browser was opened: open the address above yourself.", flush=True)
            lab.wait()
            say("JupyterLab was shut down; the sandbox router stops too.")
        except KeyboardInterrupt:
            say("\nStopping JupyterLab and the sandbox router ...")
        finally:
            page.remove()
            lab.stop()
            forget_keys(router.base_url)
    return 0


def execute_demo() -> int:
    """Run the quickstart in a real kernel on a sandbox router and print what a person would see."""
    need("nbclient", "nbclient")
    need("ipykernel", "ipykernel")
    from tetrate_jupyter.cli.headless import run_notebook
    from tetrate_jupyter.sandbox import SandboxRouter

    with SandboxRouter() as router:
        variables = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        return run_notebook(pristine(), environment(variables))


def need(module: str, name: str) -> None:
    """Refuse with the line to type when an optional part isn't installed."""
    if importlib.util.find_spec(module) is None:
        raise ConfigError(f"{name} is not installed here.", next_step='pip install "tetrate-jupyter[lab]"')


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the child's environment: the person's own keys and addresses stay out of a demo."""
    own = {*config.KEY_VARIABLES, config.BASE_URL_VARIABLE, config.AUTH_URL_VARIABLE, config.HOST_VARIABLE}
    return {**{k: v for k, v in os.environ.items() if k not in own}, **extra}


def forget_keys(base_url: str) -> None:
    """Remove the throwaway keys that the demo's notebook kept for its router."""
    from tetrate_jupyter.errors import TetrateError
    from tetrate_jupyter.keys.store import KeyStore

    try:
        KeyStore().forget(config.Endpoints.of(base_url))
    except TetrateError:
        return  # worth nothing without that router; not worth a message on the way out either
