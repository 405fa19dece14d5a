"""(a) What `%load_ext tetrate_jupyter` costs on top of bare IPython: whole processes, and modules."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

ROUNDS = 7  # after one that warms the file cache

_START = (
    "from IPython.terminal.interactiveshell import TerminalInteractiveShell as Shell\n"
    "import sys\nshell = Shell.instance()\nbefore = len(sys.modules)\n"
)
_LOAD = "shell.run_line_magic('load_ext', 'tetrate_jupyter')\n"
_REPORT = "import json; print(json.dumps(len(sys.modules) - before))\n"


def measure() -> dict[str, float]:
    """Give seconds and modules that loading adds (medians of whole processes, taken in turn)."""
    bare: list[float] = []
    loaded: list[float] = []
    modules = 0
    for number in range(ROUNDS + 1):
        one, _ = _whole_process(_START + _REPORT)
        other, modules = _whole_process(_START + _LOAD + _REPORT)
        if number:
            bare.append(one)
            loaded.append(other)
    before, after = statistics.median(bare), statistics.median(loaded)
    return {"bare_s": before, "loaded_s": after, "added_s": after - before, "ratio": after / before, "modules": modules}


def _whole_process(script: str) -> tuple[float, int]:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return time.monotonic() - started, json.loads(done.stdout.splitlines()[-1])
