"""`tetrate-jupyter sandbox`: the router alone, until Ctrl-C."""

from __future__ import annotations

import os
import threading

from tetrate_jupyter import config
from tetrate_jupyter.cli.stopping import say
from tetrate_jupyter.errors import ConfigError


def run_sandbox(*, port: int, speed: float, with_key: bool = False) -> int:
    """Serve until interrupted. Prints the lines that point a notebook or another program at it.

    `with_key`: one more line, with a throwaway key of this router. Raises `ConfigError` when the port can't be used.
    """
    from tetrate_jupyter.sandbox import SandboxRouter

    router = SandboxRouter(port=port, speed=speed)
    try:
        try:
            router.start()
        except OSError as error:
            raise ConfigError(
                f"Port {port} can't be used: {error.strerror or error}.",
                next_step="leave --port out to get a free one",
            ) from None
        variables = {**router.environment, **({config.KEY_VARIABLES[0]: router.issue_key()} if with_key else {})}
        print("The sandbox router is running: simulated models, no account, nothing leaves this machine.")
        print("Use it from elsewhere with:\n")
        print("\n".join(environment_line(name, value) for name, value in variables.items()))
        print("\nStop it with Ctrl-C.", flush=True)
        _wait_for_ever()
    except KeyboardInterrupt:
        say("\nStopped.")
    finally:
        router.stop()
    return 0


def environment_line(name: str, value: str) -> str:
    """Give the line that sets a variable in this system's usual shell."""
    return f'$env:{name} = "{value}"' if os.name == "nt" else f"export {name}={value}"


def _wait_for_ever() -> None:
    never = threading.Event()
    while not never.wait(1.0):  # an untimed wait can't be interrupted on Windows
        pass
