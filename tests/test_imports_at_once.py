"""Modules are imported late, by cells and by threads beside them: two at once must not meet half-made ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

TWO_AT_ONCE = """
import importlib, sys, threading

sys.setswitchinterval(1e-6)
meet, problems = threading.Barrier(2), []

def load(name):
    meet.wait()
    try:
        importlib.import_module(name)
    except BaseException as problem:
        problems.append(problem)

threads = [threading.Thread(target=load, args=(name,)) for name in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if problems:
    raise problems[0]
"""


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize(
    "beside", ["tetrate_jupyter.engine.rows", "tetrate_jupyter.magics.ask", "tetrate_jupyter.catalog.service"]
)
def test_a_page_that_asks_while_a_cell_begins_costs_neither(beside: str, turn: int) -> None:
    command = [sys.executable, "-c", TWO_AT_ONCE, "tetrate_jupyter.face.shared", beside]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
