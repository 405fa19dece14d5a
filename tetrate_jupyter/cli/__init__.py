"""The command line: `tetrate-jupyter demo` and `tetrate-jupyter sandbox`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tetrate_jupyter import __version__
from tetrate_jupyter.cli.sandbox_command import SERVED, run_sandbox
from tetrate_jupyter.cli.stopping import leave, silence, stopped_by_signals
from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C in a run."""
    options = parser().parse_args(arguments)
    try:
        with stopped_by_signals():
            return _run(options)
    except TetrateError as error:
        print("\n".join([f"tetrate-jupyter: {error.message}", *error.lines()[1:]]), file=sys.stderr)
        return 1
    except BrokenPipeError:  # `tetrate-jupyter demo --execute | head`
        silence()
        return 1
    except KeyboardInterrupt:
        leave(130)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="tetrate-jupyter", description="Many language models from one notebook.")
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="{demo,sandbox}")
    demo = commands.add_parser(
        "demo", help="open the quickstart in JupyterLab on the sandbox router; no account needed"
    )
    demo.add_argument("--execute", action="store_true", help="run it headless in a real kernel and print what is seen")
    demo.add_argument("--no-browser", action="store_true", help="start everything, but only print the address")
    demo.add_argument("--folder", default="tetrate-demo", help="where the notebook is put (default: %(default)s)")
    _add_sandbox(commands)
    return top


def _add_sandbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sandbox = commands.add_parser(
        "sandbox",
        help="start the sandbox router alone",
        description="Start the sandbox router alone: simulated models behind an OpenAI-compatible API.",
        epilog=SERVED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sandbox.add_argument("--port", type=_port, default=0, help="default: a free one")
    sandbox.add_argument(
        "--speed", type=_speed, default=1.0, help="times the models' usual pace, inf: no waiting (default: %(default)s)"
    )
    sandbox.add_argument(
        "--with-key",
        action="store_true",
        help="also print a throwaway key, good for this router alone and until it stops: nobody needs to sign in",
    )
    sandbox.add_argument(
        "--list-faults", action="store_true", help="also list the test models, one for each thing that can go wrong"
    )


def _run(options: argparse.Namespace) -> int:
    if options.command == "sandbox":
        return run_sandbox(
            port=options.port, speed=options.speed, with_key=options.with_key, list_faults=options.list_faults
        )
    from tetrate_jupyter.cli.demo import execute_demo, open_demo

    if options.execute:
        return execute_demo()
    return open_demo(Path(options.folder), browser=not options.no_browser)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number up to 65535, 0 for a free one")
    return int(text)


def _speed(text: str) -> float:
    refused = argparse.ArgumentTypeError(f"{text!r} is not a speed: give a number above 0, such as 2 or 0.5")
    try:
        speed = float(text)
    except ValueError:
        raise refused from None
    if not speed > 0:  # also refuses nan
        raise refused
    return speed
