"""`tetrate-jupyter sandbox`: the router alone, until Ctrl-C."""

from __future__ import annotations

import os
import threading
from typing import Final

from tetrate_jupyter import config
from tetrate_jupyter.cli.stopping import say
from tetrate_jupyter.errors import ConfigError

SERVED: Final = """\
what is served, below http://127.0.0.1:PORT:
  /v1/chat/completions     POST: whole and streamed, tools, structured output, images as data URLs, logprobs
  /v1/embeddings           POST: deterministic vectors, as floats or base64
  /v1/models               GET: what a key reaches; /v1/models/ID: one of them
  /v1/status               GET: what was seen of the providers
  /api/public/models       GET: the public catalog, no key needed
  /auth                    GET: the consent page; /api/api-keys/verify POST: a code for a key
  /billing  /api-keys      GET: what the dashboard shows there, in words

what isn't served (404 "Unsupported endpoint", or 400 with the reason):
  /v1/responses  /v1/completions  /v1/messages  /v1/images/...  /v1/audio/...  /v1/moderations  /v1/files
  /v1/batches  /v1/fine_tuning/...  /v1/assistants  /v1/threads  /v1/vector_stores  /v1/realtime  /v1/rerank
  more than one answer to a request (n), audio and files in messages, images by their address, `functions`,
  web search and other tools of the providers' own, stored completions, image models

test models, askable at any time, listed with --list-faults:
  sandbox/echo             says what it is told
  sandbox/stream           a stream to measure, as in "chunks=1000 size=20 interval=0.01 first=0.5"
  sandbox/fault-KIND       goes wrong in one way, such as rate-limit, stream-cut or calls-same-index"""


def run_sandbox(*, port: int, speed: float, with_key: bool = False, list_faults: bool = False) -> int:
    """Serve until interrupted. Prints the lines that point a notebook or another program at it.

    `with_key`: one more line, with a throwaway key of this router. `list_faults`: its model list has the test models,
    too. Raises `ConfigError` when the port can't be used.
    """
    from tetrate_jupyter.sandbox import SandboxRouter

    router = SandboxRouter(port=port, speed=speed, list_faults=list_faults)
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
    """Return the line that sets a variable in this system's usual shell."""
    return f'$env:{name} = "{value}"' if os.name == "nt" else f"export {name}={value}"


def _wait_for_ever() -> None:
    never = threading.Event()
    while not never.wait(1.0):  # an untimed wait can't be interrupted on Windows
        pass
