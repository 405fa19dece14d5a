"""Pictures of a cell's outputs go with a question that names the cell, in real kernels, to a router that sees them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernels import CountingKernel, Ran
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.heavy
BLIND = "groq/openai/gpt-oss-20b"
PLOT = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nprint('drawn')"
# A picture of a size that nothing else has, so that one can tell which it is.
DISPLAY = """import io
from IPython.display import clear_output, display, Image
import PIL.Image
def picture(width):
    made = io.BytesIO()
    PIL.Image.new("RGB", (width, 10)).save(made, "PNG")
    return Image(made.getvalue())
"""


class PlainKernel(CountingKernel):
    """One that runs nothing but the cells that it is given, so that the cell above is the one given before."""

    def run(
        self, code: str, *, shows: str = "", on_shown: Callable[[], None] | None = None, timeout: float = 120
    ) -> Ran:
        return self._execute(code, shows, on_shown, timeout)


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as made:
        yield made


@pytest.fixture
def kernel(router: SandboxRouter, tmp_path: Path) -> Iterator[PlainKernel]:
    environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
    with PlainKernel(environment) as made:
        made.run(f"%cd -q {tmp_path}\n%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
        made.run(DISPLAY)
        yield made


def parts(router: SandboxRouter, place: int = -1) -> list[dict[str, Any]]:
    """The parts of the last question, as they came to the router."""
    bodies = [r.body for r in router.requests if r.path.endswith("/chat/completions")]
    content = bodies[place]["messages"][-1]["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def widths(router: SandboxRouter, place: int = -1) -> list[int]:
    """The widths of the pictures that came with it."""
    urls = [each["image_url"]["url"] for each in parts(router, place) if each["type"] == "image_url"]
    found = [base64.b64decode(url.partition(",")[2]) for url in urls]
    assert all(data.startswith(b"\x89PNG") for data in found)
    return [int.from_bytes(data[16:20], "big") for data in found]


def run(kernel: PlainKernel, cell: str) -> int:
    """Run a cell; its number."""
    assert kernel.run(cell).status == "ok"
    return int("".join(kernel.run("print(len(In) - 2)").texts))


def test_a_figure_an_image_and_a_last_value_go_as_they_were_shown(kernel: PlainKernel, router: SandboxRouter) -> None:
    number = run(kernel, f"{PLOT}\ndisplay(picture(301))\npicture(302)")
    shown = "".join(kernel.run(f"%%tetrate -n\nnothing @[{number}]").texts)
    assert widths(router) == []
    said = kernel.run(f"%%tetrate\nWhat is on @[{number}]?").texts
    assert f"With the question: @[{number}] (6 lines, output" in said[0]
    assert ", 3 pictures)." in said[0]
    text, *pictures = parts(router)
    assert len(pictures) == 3
    assert widths(router)[0] == 301
    assert 302 in widths(router)  # before the figure or, where the last value isn't seen by us (ipykernel 6), after it
    assert f"What it showed:\n[image 1: picture 1 of cell {number}]\n[image 2: picture 2 of" in text["text"]
    assert "302" in "".join(said)  # the sandbox's model has seen it
    assert "iVBOR" not in text["text"] + shown


def test_above_is_the_cell_before_and_only_its_own_pictures_go(kernel: PlainKernel, router: SandboxRouter) -> None:
    run(kernel, "display(picture(303))")
    kernel.run("display(picture(304))")
    kernel.run("%%tetrate\nWhat does @above show?")
    assert widths(router) == [304]
    kernel.run("'no picture'")
    kernel.run("%%tetrate\nWhat does @above show?")
    assert widths(router) == []


def test_what_was_cleared_or_replaced_is_not_sent(kernel: PlainKernel, router: SandboxRouter) -> None:
    number = run(
        kernel,
        "for width in range(310, 320):\n    clear_output(wait=True); display(picture(width))\n"
        "shown = display(picture(330), display_id='one')\ndisplay(picture(331))",
    )
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == [319, 330, 331]
    kernel.run("from IPython.display import update_display; update_display(picture(332), display_id='one')")
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == [319, 332, 331]
    kernel.run("from IPython.display import update_display; update_display('no picture', display_id='one')")
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == [319, 331]
    number = run(kernel, "display(picture(340)); clear_output()")
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == []


def test_a_model_that_sees_nothing_gets_the_text_and_that_is_said(kernel: PlainKernel, router: SandboxRouter) -> None:
    number = run(kernel, "display(picture(305))\n'a text'")
    ran = kernel.run(f"%%tetrate -m {BLIND}\nWhat does @[{number}] show?")
    assert ran.status == "ok"
    (text,) = parts(router)
    assert f"[picture of cell {number}; not sent]" in text["text"]
    assert "[image 1" not in text["text"]
    assert f"The picture of cell {number} not sent: {BLIND} reads no pictures. Next: ask a model" in "".join(ran.texts)
    dry = "".join(kernel.run(f"%%tetrate -m {BLIND} --dry-run\nWhat does @[{number}] show?").texts)
    assert f"The picture of cell {number} not sent: {BLIND} reads no pictures." in dry
    dry = "".join(kernel.run(f"%%tetrate --new --dry-run\nWhat does @[{number}] show?").texts)
    assert "data:image/png;base64," in dry
    assert "not sent" not in dry


def test_a_comparison_sends_each_model_what_it_can_read(kernel: PlainKernel, router: SandboxRouter) -> None:
    number = run(kernel, "display(picture(306))")
    ran = kernel.run(f"%%tetrate_compare -m claude-haiku-4-5,{BLIND}\nWhat does @[{number}] show?")
    assert ran.status == "ok"
    asked = {
        r.body["model"]: isinstance(r.body["messages"][-1]["content"], list)
        for r in router.requests
        if r.path.endswith("/chat/completions")
    }
    assert asked == {"claude-haiku-4-5": True, BLIND: False}
    kernel.run("from tetrate_jupyter import session; found = session.comparison.wait()")
    said = "".join(kernel.run("print([n for c in session.comparison.cells for n in c.answer.notes])").texts)
    assert said.count("reads no pictures") == 1


def test_a_kept_answer_is_told_by_the_pictures_too(kernel: PlainKernel, router: SandboxRouter, tmp_path: Path) -> None:
    kernel.run(f"%config TetrateMagics.answers = {str(tmp_path / 'answers.jsonl')!r}")
    number = run(kernel, "display(picture(307), display_id='one')\nNone")
    change = "from IPython.display import update_display; update_display(picture(308), display_id='one')"
    for before in ("pass", "pass", change, "pass"):
        kernel.run(before)
        kernel.run(f"%%tetrate --new --no-keep\nWhat does @[{number}] show?")
    assert [widths(router, place) for place in range(2)] == [[307], [308]]
    assert parts(router, 0)[0] == parts(router, 1)[0]
    assert len([r for r in router.requests if r.path.endswith("/chat/completions")]) == 2


def test_pictures_beyond_the_bounds_stay_and_each_reason_is_said(kernel: PlainKernel, router: SandboxRouter) -> None:
    many = run(kernel, "for width in range(400, 412): display(picture(width))")
    said = "".join(kernel.run(f"%%tetrate\nsee @[{many}]").texts)
    assert widths(router) == list(range(400, 410))
    assert f"@[{many}]: 2 pictures not sent: 10 pictures, 20 MiB together, go with a question. Next: name fewer" in said
    wide = run(kernel, "display(picture(8001))")
    said = "".join(kernel.run(f"%%tetrate\nsee @[{wide}]").texts)
    assert widths(router) == []
    assert f"@[{wide}]: 1 picture not sent: larger than 20 MiB or 8,000 pixels a side. Next: make it smaller" in said
    drawing = run(
        kernel, "from IPython.display import SVG\ndisplay(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))"
    )
    said = "".join(kernel.run(f"%%tetrate\nsee @[{drawing}]").texts)
    assert "image/svg+xml can't be sent. Next: show it as PNG" in said
    assert "[a picture, image/svg+xml; not sent]" in parts(router)[0]["text"]
    kernel.run("for width in range(500, 550): display(picture(width))")
    said = "".join(kernel.run(f"%%tetrate\nsee @[{many}]").texts)
    assert widths(router) == []
    assert f"@[{many}]: 12 pictures not sent: only the newest pictures are kept. Next: run the cell again." in said
    said = "".join(kernel.run("%%tetrate\nsum up @notebook").texts)
    assert widths(router) == []
    assert "@notebook: 64 pictures not sent. Next: name the cell, @[" in said


def test_of_a_cell_that_ran_before_loading_it_is_said_that_pictures_are_not_known(router: SandboxRouter) -> None:
    environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
    with PlainKernel(environment) as kernel:
        kernel.run(DISPLAY)
        number = run(kernel, "display(picture(309))")
        other = run(kernel, "1 + 1")
        kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
        said = "".join(kernel.run(f"%%tetrate\nsee @[{number}] and @[{other}]").texts)
        assert widths(router) == []
        assert (
            f"@[{number}]: pictures that it showed before Tetrate was loaded aren't known. Next: run it again" in said
        )
        assert f"@[{other}]: pictures" not in said


def test_a_display_works_whatever_it_holds_and_unloading_ends_the_watch(kernel: PlainKernel) -> None:
    kernel.run("display({'image/png': 5, 'text/plain': 'odd'}, raw=True)")
    kernel.run("get_ipython().display_pub.publish({'image/png': 'no base64', 'text/plain': 'odd'})")
    assert "odd" in "".join(kernel.run("display({'image/png': 'x', 'text/plain': 'odd'}, raw=True)").texts)
    hooks = "print(len(get_ipython().display_pub._hooks), len(getattr(get_ipython().displayhook, '_hooks', [])))"
    before = kernel.run(hooks).texts
    kernel.run("%unload_ext tetrate_jupyter")
    after = kernel.run(hooks).texts
    assert before != after
    assert "".join(after).split() == ["0", "0"]


THREADS = """import threading
def on_a_thread(*widths):
    def show():
        for width in widths:
            clear_output(wait=True)
            display(picture(width))
    thread = threading.Thread(target=show)
    thread.start()
    return thread
"""


def test_what_other_threads_show_below_a_cell_goes_with_it(kernel: PlainKernel, router: SandboxRouter) -> None:
    kernel.run(THREADS)
    number = run(kernel, "display(picture(350)); on_a_thread(351, 352).join(); display(picture(353))")
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == [352, 353]
    kernel.run("%unload_ext tetrate_jupyter")
    run(kernel, "on_a_thread(354).join()")
    kernel.run("%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
    number = run(kernel, "display(picture(355)); [on_a_thread(356).join() for _ in range(3)]; None")
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == [356]
    many = (
        "for thread in [threading.Thread(target=lambda: display(picture(357))) for _ in range(8)]:\n    thread.start()"
    )
    number = run(kernel, f"threads = []\n{many}; threads.append(thread)\nfor each in threads: each.join()")
    kernel.run(f"%%tetrate\nsee @[{number}]")
    assert widths(router) == [357] * 8


def test_hooks_that_somebody_else_put_on_a_thread_stay(kernel: PlainKernel) -> None:
    kernel.run("%unload_ext tetrate_jupyter\nseen = []\nhook = lambda message: seen.append(1) or message")
    kernel.run("get_ipython().display_pub.register_hook(hook)\n%load_ext tetrate_jupyter\ndisplay(picture(358))")
    kernel.run("%unload_ext tetrate_jupyter\ndisplay(picture(359))")
    kernel.run("get_ipython().display_pub.unregister_hook(hook); display(picture(360))")
    assert "".join(kernel.run("print(len(seen))").texts).split() == ["2"]


class SubshellKernel(PlainKernel):
    """One whose cells may run on a subshell."""

    subshell: str | None = None

    def begin_subshell(self) -> bool:
        self._client.kernel_info()
        features = self._client.get_shell_msg(timeout=60)["content"].get("supported_features", ())
        if "kernel subshells" not in features:
            return False
        self._client.control_channel.send(self._client.session.msg("create_subshell_request", {}))
        self.subshell = str(self._client.get_control_msg(timeout=60)["content"]["subshell_id"])
        return True

    def run_there(self, code: str) -> None:
        message = self._client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False},
        )
        message["header"]["subshell_id"] = self.subshell
        self._client.shell_channel.send(message)
        assert self._reply(message["header"]["msg_id"], 60)["status"] == "ok"


def test_what_a_cell_on_a_subshell_shows_goes_with_it(router: SandboxRouter, tmp_path: Path) -> None:
    environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
    with SubshellKernel(environment) as kernel:
        kernel.run(f"%cd -q {tmp_path}\n%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
        kernel.run(DISPLAY)
        if not kernel.begin_subshell():
            pytest.skip("this ipykernel has no subshells")
        kernel.run_there("display(picture(361))\npicture(362)")
        number = int("".join(kernel.run("print(len(In) - 2)").texts))
        kernel.run(f"%%tetrate\nsee @[{number}]")
        assert widths(router) == [361, 362]
