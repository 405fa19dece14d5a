"""The command line: `tetrate-jupyter demo` and `tetrate-jupyter sandbox`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C in a run."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)  # a supervisor's stop is a Ctrl-C: everything we started ends too
    try:
        if options.command == "sandbox":
            from tetrate_jupyter.cli.sandbox_command import run_sandbox

            return run_sandbox(port=options.port, speed=options.speed)
        from tetrate_jupyter.cli.demo import execute_demo, open_demo

        if options.execute:
            return execute_demo()
        return open_demo(Path(options.folder), browser=not options.no_browser)
    except TetrateError as error:
        print("\n".join([f"tetrate-jupyter: {error.message}", *error.lines()[1:]]), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(prog="tetrate-jupyter", description="Many language models from one notebook.")
    commands = top.add_subparsers(dest="command", required=True, metavar="{demo,sandbox}")
    demo = commands.add_parser(
        "demo", help="open the quickstart in JupyterLab on the sandbox router; no account needed"
    )
    demo.add_argument("--execute", action="store_true", help="run it headless in a real kernel and print what is seen")
    demo.add_argument("--no-browser", action="store_true", help="start everything, but only print the address")
    demo.add_argument("--folder", default="tetrate-demo", help="where the notebook is put (default: %(default)s)")
    sandbox = commands.add_parser("sandbox", help="start the sandbox router alone")
    sandbox.add_argument("--port", type=int, default=0, help="default: a free one")
    sandbox.add_argument("--speed", type=float, default=1.0, help="times the models' usual pace (default: %(default)s)")
    return top


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
