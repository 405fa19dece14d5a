"""An interrupt of a real kernel that runs no cell: what goes on beside is stopped, and a running cell comes first."""

from __future__ import annotations

import pytest

from tests.magics.asking_kernel import AskingKernel
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

pytestmark = pytest.mark.slow

LONG = "chunks=30000 size=20 interval=0.01"
LOAD = "%load_ext tetrate_jupyter"
COMPARE = f"%%tetrate_compare -m sandbox/stream,sandbox/stream\n{LONG}"
WAIT = "import time\nwhile {}: time.sleep(0.01)"


def kernel_of(router: SandboxRouter) -> AskingKernel:
    return AskingKernel({**router.environment, config.KEY_VARIABLES[0]: router.issue_key()})


def value(kernel: AskingKernel, expression: str) -> str:
    return kernel.run(f"print({expression})").shown.strip()


def over(router: SandboxRouter, seen: int, count: int) -> None:
    """Wait until so many long answers have been ended by us."""

    def is_over(_: object) -> bool:
        long = [each for each in router.requests[seen:] if each.model == "sandbox/stream"]
        return len([each for each in long if each.hung_up_at is not None]) == count

    router.wait_for(is_over)


def test_it_stops_comparisons_chats_and_streams_and_keeps_what_came() -> None:
    with SandboxRouter(speed=INSTANT, list_faults=True) as router, kernel_of(router) as kernel:
        kernel.run(f"{LOAD}\nfrom tetrate_jupyter import Session, session\nother = Session()")
        seen = len(router.requests)
        started = kernel.run(COMPARE)
        assert started.status == "ok", started.shown
        ask = f".start(session.question({LONG!r}, model='sandbox/stream'))"
        kernel.run(f"session{ask}\nother{ask}\nstream = session.stream({LONG!r}, model='sandbox/stream').__enter__()")
        texts = "[c.text for c in session.comparison.cells], [r.completion and r.completion.has_output for r in runs()]"
        kernel.run("def runs(): return session.runs.all + other.runs.all")
        kernel.run(WAIT.format(f"not (stream.answer and all(sum(({texts}), [])))"))
        kernel.interrupt()
        over(router, seen, 5)
        kernel.run(WAIT.format("session.comparison.is_running or session.runs.all or other.runs.all"))
        states = "[(cell.state, cell.text[:2]) for cell in session.comparison.cells]"
        assert value(kernel, states) == "[('stopped', '#0'), ('stopped', '#0')]"
        kept = "[e.replies[-1].content[:2] for s in (session, other) for e in s.history], stream.answer.text[:2]"
        assert value(kernel, kept) == "['#0', '#0', '#0'] #0"
        assert kernel.run("%tetrate -m sandbox/echo hello").status == "ok"


def test_a_running_cell_is_what_it_stops_and_the_rest_goes_on_until_the_next() -> None:
    with SandboxRouter(speed=INSTANT, list_faults=True) as router, kernel_of(router) as kernel:
        kernel.run(f"{LOAD}\nfrom tetrate_jupyter import session")
        seen = len(router.requests)
        kernel.run(COMPARE)
        kernel.run(WAIT.format("not all(cell.text for cell in session.comparison.cells)"))
        running = kernel.begin("session.ask('hello', model='sandbox/echo', keep=False)\nwhile True: pass")
        router.wait_for(lambda r: r.model == "sandbox/echo")
        kernel.interrupt()
        assert kernel._reply(running, 60)["status"] == "error"
        said = (value(kernel, "session.comparison.is_running") for _ in range(100))
        assert next(filter(None, said)) == "True"  # for a moment a failed cell's kernel refuses what comes behind it
        kernel.interrupt()
        over(router, seen, 2)


def test_unloading_has_interrupts_ignored_again_and_a_handler_of_others_stays() -> None:
    handler = "import signal\nprint(get_ipython().kernel.saved_sigint_handler)"
    with SandboxRouter(speed=INSTANT, list_faults=True) as router, kernel_of(router) as kernel:
        before = kernel.run(handler).shown
        kernel.run(LOAD)
        assert "heard" in kernel.run(handler).shown
        kernel.run("%reload_ext tetrate_jupyter\n%unload_ext tetrate_jupyter")
        assert kernel.run(handler).shown == before
        kernel.run("def mine(*_): pass\nget_ipython().kernel.saved_sigint_handler = mine")
        kernel.run(LOAD)
        assert "function mine" in kernel.run(handler).shown
