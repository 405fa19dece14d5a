"""The magics in a real ipykernel: streaming displays, interrupts that stop the request, failed cells, nested loops."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tests.kernels import CountingKernel
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

SLOW = "chunks=3000 size=20 interval=0.01"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[CountingKernel, SandboxRouter]]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment) as kernel:
            assert (
                kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'").status == "ok"
            )
            yield kernel, router


@pytest.fixture
def kernel(running: tuple[CountingKernel, SandboxRouter]) -> CountingKernel:
    return running[0]


@pytest.fixture
def router(running: tuple[CountingKernel, SandboxRouter]) -> Iterator[SandboxRouter]:
    yield running[1]
    running[1].clear_faults()


def value(kernel: CountingKernel, expression: str) -> str:
    return "".join(kernel.run(f"print({expression})").texts).strip()


def test_text_shows_at_once_and_one_display_is_updated(kernel: CountingKernel) -> None:
    ran = kernel.run("%%tetrate -m sandbox/stream\nchunks=40 size=20 interval=0.02", shows="#0")
    assert ran.status == "ok"
    assert ran.kinds[0] == "display_data"
    assert set(ran.kinds[1:]) == {"update_display_data"}
    assert 2 <= ran.messages <= 12  # 0.8 s at ten a second, not forty; fewer where the machine is busy
    assert "#39" not in ran.texts[0]
    assert "#39" in ran.texts[-1]
    assert "first token" in ran.texts[-1]


def test_an_interrupt_stops_the_request_and_keeps_the_text(kernel: CountingKernel, router: SandboxRouter) -> None:
    seen = len(router.requests)
    ran = kernel.run(f"%%tetrate -m sandbox/stream -o story\n{SLOW}", shows="#0", on_shown=kernel.interrupt)
    logged = router.wait_for(lambda r: r.hung_up_at is not None and r in router.requests[seen:])
    assert logged.chunks_sent < 3000
    assert ran.status == "error"
    assert "Stopped." in ran.texts[-1]
    assert "Traceback" not in ran.texts[-1]
    assert "Stopped: this is part of an answer." in ran.texts[-2]
    assert value(kernel, "story.partial, story.text[:2], _tetrate is story") == "stopped #0 True"
    assert kernel.run("%tetrate hello").status == "ok"


def test_an_interrupt_before_any_text_says_that_nothing_came(kernel: CountingKernel, router: SandboxRouter) -> None:
    seen, process = len(router.requests), int(value(kernel, "__import__('os').getpid()"))
    router.inject(Fault("slow-headers"))

    def interrupt() -> None:
        router.wait_for(lambda r: r.path.endswith("/chat/completions") and r in router.requests[seen:])
        os.kill(process, signal.SIGINT)  # what the manager sends; in a thread that would make an event loop

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    ran = kernel.run("%%tetrate\nhello")
    watcher.join()
    assert ran.status == "error"
    assert ran.texts[-1].strip() == "Stopped before any text came."


def test_an_interrupt_of_an_awaited_question_stops_the_request(kernel: CountingKernel, router: SandboxRouter) -> None:
    seen = len(router.requests)
    code = (
        "from tetrate_jupyter import session\n"
        f"async with session.astream({SLOW!r}, model='sandbox/stream', keep=False) as events:\n"
        "    async for event in events:\n        print(event.delta)"
    )
    ran = kernel.run(code, shows="#0", on_shown=kernel.interrupt)
    router.wait_for(lambda r: r.hung_up_at is not None and r in router.requests[seen:])
    assert ran.status == "error"


def test_an_interrupt_while_a_tool_runs(kernel: CountingKernel) -> None:
    kernel.run(
        "import threading\n"
        "def wait_long(product: str) -> int:\n    '''How many pieces of a product are in stock.'''\n"
        "    print('tool is running', flush=True)\n    threading.Event().wait(120)\n    return 1"
    )
    ran = kernel.run(
        "%tetrate --tool wait_long How many pieces of the product 'lamp' are in stock?",
        shows="tool is running",
        on_shown=kernel.interrupt,
    )
    assert ran.status == "error"
    assert ran.texts[-1].strip() == "Stopped before any text came."


def test_a_failed_call_fails_its_cell_in_a_few_lines(kernel: CountingKernel, router: SandboxRouter) -> None:
    router.inject(Fault("no-credits"))
    ran = kernel.run("%tetrate hello")
    assert ran.status == "error"
    assert ran.kinds[-1] == "error"
    assert ran.texts[-1].startswith("CreditsExhaustedError")
    assert "/billing" in ran.texts[-1]
    assert len(ran.texts[-1].splitlines()) <= 3


def test_a_broken_stream_shows_what_came_and_why(kernel: CountingKernel, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", after_chunks=5))
    ran = kernel.run("%%tetrate -m sandbox/stream\nchunks=100 size=20 interval=0")
    assert ran.status == "error"
    assert "part of an answer" not in ran.texts[-2]  # said once, by the error
    assert ran.texts[-1].startswith("StreamCutError: The answer was cut off before its end.")
    assert "_tetrate.partial" in kernel.run("print(f'{_tetrate.partial=}')").texts[-1]


def test_with_streaming_off_there_is_one_final_output(kernel: CountingKernel) -> None:
    kernel.run("%config TetrateMagics.stream = False")
    try:
        ran = kernel.run("%%tetrate -m sandbox/stream\nchunks=30 size=20 interval=0.02")
        assert ran.kinds == ["display_data"]
        assert "#29" in ran.texts[0]
    finally:
        kernel.run("%config TetrateMagics.stream = True")


def test_an_answer_of_200_000_characters_is_whole_and_its_display_stays_affordable(kernel: CountingKernel) -> None:
    ran = kernel.run("%%tetrate -m sandbox/stream -o long --no-keep\nchunks=2000 size=100 interval=0.002")
    assert ran.status == "ok"
    assert value(kernel, "len(long.text)") == "200000"
    assert "#1999" in ran.texts[-1]
    assert ran.messages < 60  # the longer the text, the rarer the updates
    assert ran.bytes < 20 * 200_000


def test_code_is_put_into_a_new_cell(kernel: CountingKernel) -> None:
    ran = kernel.run("%%tetrate -m sandbox/echo -f code\nSee:\n```python\nprint(1)\n```")
    assert {"source": "set_next_input", "text": "print(1)", "replace": False} in ran.payload


def test_text_format_shows_no_html(kernel: CountingKernel) -> None:
    ran = kernel.run("%%tetrate -m sandbox/echo -f text\n# no <b>heading</b>")
    assert "# no <b>heading</b>" in ran.texts[-1]
    assert "<h" not in ran.texts[-1]


def test_markup_of_a_model_is_text(kernel: CountingKernel) -> None:
    ran = kernel.run("%%tetrate -m sandbox/echo\n<img src=x onerror=alert(1)> ![x](https://evil.example/beacon.png)")
    html = ran.texts[-1].partition("<style>")[2]
    assert "<img" not in html
    assert "&lt;img" in html


def test_the_nested_bridge_runs_tools_on_the_kernels_own_loop(kernel: CountingKernel) -> None:
    kernel.run(
        "import asyncio\nkernel_loop = asyncio.get_running_loop()\nseen = []\n"
        "async def stock_of(product: str) -> int:\n    '''How many pieces of a product are in stock.'''\n"
        "    seen.append(asyncio.get_running_loop() is kernel_loop)\n    return 12\n"
        "%config TetrateMagics.bridge = 'nested'"
    )
    try:
        ran = kernel.run("%tetrate --tool stock_of How many pieces of the product 'lamp' are in stock?")
        assert ran.status == "ok", ran.texts[-1]
        assert value(kernel, "seen") == "[True]"
    finally:
        kernel.run("%config TetrateMagics.bridge = 'thread'")


def test_the_nested_bridge_really_stops_too(kernel: CountingKernel, router: SandboxRouter) -> None:
    kernel.run("%config TetrateMagics.bridge = 'nested'")
    try:
        seen = len(router.requests)
        ran = kernel.run(f"%%tetrate -m sandbox/stream\n{SLOW}", shows="#0", on_shown=kernel.interrupt)
        router.wait_for(lambda r: r.hung_up_at is not None and r in router.requests[seen:])
        assert ran.status == "error"
        assert "Stopped." in ran.texts[-1]
    finally:
        kernel.run("%config TetrateMagics.bridge = 'thread'")


def test_loading_twice_and_unloading(kernel: CountingKernel) -> None:
    assert kernel.run("%reload_ext tetrate_jupyter").status == "ok"
    assert kernel.run("%tetrate hello").status == "ok"
    kernel.run("%unload_ext tetrate_jupyter")
    assert "not found" in kernel.run("%tetrate hello").texts[-1]
    assert kernel.run("%load_ext tetrate_jupyter").status == "ok"
    assert kernel.run("%tetrate hello").status == "ok"
