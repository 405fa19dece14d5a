"""Install into an environment: with uv, which takes seconds, else with pip, aloud. Needs nothing but Python itself.

`python -m tests.packaging.installing [--lowest] ENVIRONMENT WHAT...` is what `make` runs. uv doesn't read pip's
configuration: what this machine says there (an index of its own, a folder of wheels, a certificate) is handed on.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# pip's option, the variable that tells uv the same, and what stands between several. Variables rather than options:
# an address may hold a password, and what a process was started with can be read by all.
TOLD = (
    ("index-url", "UV_DEFAULT_INDEX", ""),
    ("extra-index-url", "UV_EXTRA_INDEX_URL", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("constraint", "UV_CONSTRAINT", " "),
    ("timeout", "UV_HTTP_TIMEOUT", ""),
    ("default-timeout", "UV_HTTP_TIMEOUT", ""),
    ("cert", "SSL_CERT_FILE", ""),
    ("proxy", "ALL_PROXY", ""),
    ("no-index", "UV_NO_INDEX", ""),
)
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


@functools.cache
def has_uv() -> bool:
    """Whether uv can be had: it is here, or pip installs it beside this Python. Says so where it can't."""
    if importlib.util.find_spec("uv") is None and sys.prefix != sys.base_prefix:
        subprocess.run([*PIP, "install", "--quiet", "uv"], check=False)
        importlib.invalidate_caches()
    if importlib.util.find_spec("uv") is not None:
        return True
    print("uv can't be had here: installing with pip, which takes minutes instead of seconds.", file=sys.stderr)
    return False


def read_config(listed: str) -> dict[str, str]:
    """Return pip's options by name from the lines of `pip config list`; a variable beats `install`, that `global`."""
    found: dict[str, str] = {}
    lines = [line.partition("=") for line in listed.splitlines()]
    for section in ("global.", "install.", ":env:."):
        for name, _, value in lines:
            if name.startswith(section):
                found[name.removeprefix(section)] = str(ast.literal_eval(value))
    return found


def translated(options: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell uv what pip's options say; it also chooses among all indexes, as pip does."""
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for option, variable, between in TOLD:
        value = options.get(option, "").strip()
        if value:
            variables[variable] = between.join(value.split()) if between else value
    return variables


@functools.cache
def uv_environment() -> dict[str, str]:
    """Return this process's variables with what pip's configuration says, for uv. One that is set for uv stays."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=True).stdout
    return {**translated(read_config(listed)), **os.environ}


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def command(python: Path, what: Sequence[str], *, lowest: bool = False) -> list[str]:
    """Return what installs it for that Python. Raise SystemExit where only uv could: pip knows no lowest versions."""
    if has_uv():
        how = ["--upgrade", "--resolution", "lowest-direct"] if lowest else []
        return [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python), *how, *what]
    if lowest:
        raise SystemExit("only uv can install the lowest versions. Next: .venv/bin/python -m pip install uv")
    return [*PIP, "--python", str(python), "install", "--quiet", *what]


def install(environment: Path, what: Sequence[str], *, lowest: bool = False, cwd: Path | None = None) -> None:
    """Install into an environment that is there. Raise CalledProcessError where it can't be."""
    done = command(python_of(environment).absolute(), what, lowest=lowest)
    subprocess.run(done, env=uv_environment() if has_uv() else None, cwd=cwd, check=True)


def main(arguments: list[str]) -> None:
    lowest = arguments[:1] == ["--lowest"]
    environment, *what = arguments[lowest:]
    try:
        install(Path(environment), what, lowest=lowest)
    except subprocess.CalledProcessError as error:
        raise SystemExit(error.returncode) from None


if __name__ == "__main__":
    main(sys.argv[1:])
