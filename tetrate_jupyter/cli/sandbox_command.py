"""`tetrate-jupyter sandbox`: the router alone, until Ctrl-C."""

from __future__ import annotations

import os
import threading

from tetrate_jupyter.errors import ConfigError


def run_sandbox(*, port: int, speed: float) -> int:
    """Serve until interrupted. Prints the two lines that point a notebook or another program at it."""
    from tetrate_jupyter.sandbox import SandboxRouter

    try:
        router = SandboxRouter(port=port, speed=speed).start()
    except OSError as error:
        raise ConfigError(
            f"Port {port} can't be used: {error.strerror or error}.", next_step="leave --port out to get a free one"
        ) from None
    try:
        print("The sandbox router is running: simulated models, no account, nothing leaves this machine.")
        print("Use it from elsewhere with:\n")
        for name, value in router.environment.items():
            print(environment_line(name, value))
        print("\nStop it with Ctrl-C.", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        router.stop()
    return 0


def environment_line(name: str, value: str) -> str:
    """Give the line that sets a variable in this system's usual shell."""
    return f'$env:{name} = "{value}"' if os.name == "nt" else f"export {name}={value}"
