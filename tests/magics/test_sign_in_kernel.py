"""%tetrate_login in a real ipykernel with a person at it: the panel, and by text a browser, ■ and a hidden prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.kernels import CountingKernel
from tests.magics.asking_kernel import AskingKernel, Cell
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

LOGIN = "%tetrate_login --wait --again --store file"


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as running:
        yield running


@pytest.fixture(scope="module")
def shared_kernel(router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AskingKernel]:
    home = tmp_path_factory.mktemp("home")
    with AskingKernel({**router.environment, **homes(str(home))}) as running:
        running.run("%load_ext tetrate_jupyter")
        yield running


@pytest.fixture
def kernel(shared_kernel: AskingKernel) -> AskingKernel:
    shared_kernel.run("%tetrate_logout")
    return shared_kernel


def homes(home: str) -> dict[str, str]:
    return {"HOME": home, "JUPYTER_DATA_DIR": home + "/data", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def visit(address: str) -> str:
    """Do what the browser does at the end of consent; give the page."""
    try:
        with urlopen(address, timeout=60) as page:
            return str(page.read().decode())
    except HTTPError as refused:
        with refused:
            return refused.read().decode()


def signed_in(cell: Cell, router: SandboxRouter) -> bool:
    assert cell.cleared  # neither the link nor a prompt stays
    return cell.status == "ok" and f"Signed in to {router.host}. The key is in a private file" in cell.shown


def works(kernel: AskingKernel) -> bool:
    return kernel.run("%tetrate hello").status == "ok"


def test_the_browser_comes_back_and_no_prompt_was_needed(kernel: AskingKernel, router: SandboxRouter) -> None:
    pages: list[str] = []
    cell = kernel.run(LOGIN, on_link=lambda c: pages.append(visit(router.decide(c.url))))
    assert signed_in(cell, router)
    assert cell.prompts == []
    assert "You can close this page" in pages[0]
    assert "stop the cell" in cell.shown
    assert works(kernel)


def test_denied_in_the_browser_fails_the_cell_in_a_few_lines(kernel: AskingKernel, router: SandboxRouter) -> None:
    cell = kernel.run(LOGIN, on_link=lambda c: visit(router.decide(c.url, "deny")))
    assert cell.status == "error"
    assert "%tetrate_login" in cell.shown
    assert "Traceback" not in cell.shown
    again = kernel.run(LOGIN, on_link=lambda c: visit(router.decide(c.url)))
    assert signed_in(again, router)


def test_stopped_the_cell_takes_the_pasted_address(kernel: AskingKernel, router: SandboxRouter) -> None:
    cell = kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=lambda c: router.decide(c.url))
    assert signed_in(cell, router)
    assert cell.hidden == [True]


def test_stopped_the_cell_takes_a_bare_code_and_a_key(kernel: AskingKernel, router: SandboxRouter) -> None:
    def code(cell: Cell) -> str:
        return router.decide(cell.url).partition("code=")[2].partition("&")[0]

    assert signed_in(kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=code), router)
    key = router.issue_key()
    cell = kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=lambda _: key)
    assert signed_in(cell, router)
    assert key not in cell.shown


def test_nonsense_at_the_prompt_is_explained_and_asked_again(kernel: AskingKernel, router: SandboxRouter) -> None:
    answers = iter(["what?", "http://localhost:1/?nothing=here", router.issue_key()])
    cell = kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=lambda _: next(answers))
    assert signed_in(cell, router)
    assert len(cell.prompts) == 3


def test_a_wrong_key_at_the_prompt_is_refused_and_not_repeated(kernel: AskingKernel) -> None:
    wrong = "sk-made-up-made-up-made-up-made-up"
    cell = kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=lambda _: wrong)
    assert cell.status == "error"
    assert "does not accept that key" in cell.shown
    assert wrong not in cell.shown


def test_the_browser_may_still_come_while_the_prompt_is_open(kernel: AskingKernel, router: SandboxRouter) -> None:
    def approve_instead(cell: Cell) -> str:
        visit(router.decide(cell.url))
        return ""

    cell = kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=approve_instead)
    assert signed_in(cell, router)


def test_enter_alone_stops_and_another_sign_in_starts_at_once(kernel: AskingKernel, router: SandboxRouter) -> None:
    cell = kernel.run(LOGIN, on_link=lambda _: kernel.interrupt(), on_prompt=lambda _: "")
    assert cell.status == "error"
    assert "Stopped." in cell.shown
    again = kernel.run(LOGIN, on_link=lambda c: visit(router.decide(c.url)))
    assert signed_in(again, router)


def test_nobody_comes_and_the_cell_says_so(kernel: AskingKernel) -> None:
    cell = kernel.run(LOGIN + " --timeout 1")
    assert cell.status == "error"
    assert "Nobody approved within 1 s." in cell.shown


def test_on_a_hub_the_address_is_asked_for_at_once(
    router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = str(tmp_path_factory.mktemp("hub"))
    with AskingKernel({**router.environment, **homes(home), "JUPYTERHUB_USER": "ada"}) as hub:
        hub.run("%load_ext tetrate_jupyter")
        cell = hub.run(LOGIN, on_prompt=lambda c: router.decide(c.url))
        assert signed_in(cell, router)
        assert "paste it below" in cell.shown
        assert len(cell.prompts) == 1


def test_two_kernels_sign_in_at_once(kernel: AskingKernel, router: SandboxRouter) -> None:
    """The second approves while the first one waits; then the first."""

    def other_signs_in_meanwhile(cell: Cell) -> None:
        with AskingKernel({**router.environment}) as other:
            other.run("%load_ext tetrate_jupyter")
            ended = other.run(LOGIN, on_link=lambda c: visit(router.decide(c.url)))
            assert signed_in(ended, router)
            assert works(other)
        visit(router.decide(cell.url))

    assert signed_in(kernel.run(LOGIN, on_link=other_signs_in_meanwhile), router)
    assert works(kernel)


def test_a_second_sign_in_of_one_session_ends_the_first(kernel: AskingKernel, router: SandboxRouter) -> None:
    started = kernel.run(
        "from tetrate_jupyter import session\n"
        "first = session.bridge.run(session.account.begin())\n"
        "second = session.bridge.run(session.account.begin())\n"
        "print(type(first.error).__name__, second.error, '\\n', f'<a href=\"{second.url}\">')"
    )
    assert "LoginCancelledError None" in started.shown
    visit(router.decide(started.url))
    ended = kernel.run("print(session.bridge.run(session.account.finish(second, store='file')))")
    assert "Signed in to" in ended.shown


def test_a_headless_run_is_told_what_to_set(router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = str(tmp_path_factory.mktemp("headless"))
    with CountingKernel({**router.environment, **homes(home)}) as headless:
        headless.run("%load_ext tetrate_jupyter")
        ran = headless.run(LOGIN)
        assert ran.status == "error"
        assert "set TETRATE_API_KEY before the run" in "".join(ran.texts)


def test_the_panel_returns_at_once_and_signs_in_while_a_cell_runs(
    router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = str(tmp_path_factory.mktemp("panel"))
    with AskingKernel({**router.environment, **homes(home)}) as panel:
        panel.run("%load_ext tetrate_jupyter")
        shown = panel.run("%tetrate_login")
        assert shown.status == "ok"
        assert shown.prompts == []
        assert "application/vnd.jupyter.widget-view+json" in shown.shown
        assert shown.shown.count("%tetrate_login --wait") >= 2  # where no widget shows: in its own place and below
        waiting = "import threading\nfrom tetrate_jupyter import session\nsigned_in = threading.Event()\n"
        waiting += "stop = session.account.on_change(signed_in.set)\n"
        waiting += "print(f'<a href=\"{session.account._attempt.url}\">')\nprint(signed_in.wait(30))"
        cell = panel.run(waiting, on_link=lambda c: visit(router.decide(c.url)))
        assert "True" in cell.shown
        assert works(panel)
        again = panel.run("%tetrate_login")
        assert again.status == "ok"
        assert panel.run("%tetrate_login --wait").shown.startswith(f"Signed in to {router.host}.")
