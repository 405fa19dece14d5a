"""What a page's settings do to a new kernel's session, and what they never do: each rule in a real kernel."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.test_link import HELLO, LOAD, Page
from tetrate_jupyter import config
from tetrate_jupyter.front_end import TOLD
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

OTHERS = "sk-somebody-elses-0123456789abcdef"
USUAL = config.Endpoints().host
SETTLED = {
    "connected to the usual one": f"session.connect({config.DEFAULT_BASE_URL!r})",
    "a sign-in under way": "_ = session.bridge.run(session.account.begin())",
    "asked": "try: session.ask('hi')\nexcept Exception as error: print(error)",
}
IMPORT = "from tetrate_jupyter import session\n"
PLACES = {"JPY_SESSION_NAME": "sales.ipynb"}


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


@pytest.fixture
def other() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


def keep(key: str, host: str) -> None:
    """Keep a key on disk, where the kernels of this test look."""
    KeyStore(Path(os.environ["JUPYTER_DATA_DIR"]) / "tetrate-jupyter").save(Secret(key, host=host), store="file")


@pytest.fixture
def page(router: SandboxRouter) -> Iterator[Page]:
    """One whose environment names no router."""
    keep(router.issue_key(), router.host)
    with Page(PLACES) as running:
        running.run(
            "import os\nfor name in list(os.environ):\n    if name.startswith('TETRATE_'): del os.environ[name]"
        )
        yield running


@pytest.fixture
def there(router: SandboxRouter) -> Iterator[Page]:
    """One whose environment names the sandbox."""
    keep(router.issue_key(), router.host)
    with Page({**router.environment, **PLACES}) as running:
        yield running


def greet(page: Page, **settings: Any) -> dict[str, Any]:
    """Say hello with settings; gives the first state."""
    (page.way,) = page.find()
    page.say({**HELLO, "settings": settings})
    return page.told(lambda data: data["type"] == "state")


def said(page: Page) -> list[str]:
    """What the person was told."""
    told = [m["content"]["data"] for m in page.heard if m["msg_type"] == "comm_msg"]
    return [line for each in told if each["type"] == "said" for line in each["lines"]]


def leave(**settings: Any) -> str:
    """What a page runs before a cell that loads the extension."""
    return f"get_ipython().{TOLD} = {json.dumps(json.dumps(settings))}"


def printed(page: Page, code: str) -> str:
    before = len(page.heard)
    reply = page.run(code)
    assert reply["status"] == "ok", reply
    return "".join(m["content"]["text"] for m in page.heard[before:] if m["msg_type"] == "stream")


# --- the model ------------------------------------------------------------------------------------------------------


def test_the_model_is_what_is_asked_where_nobody_has_chosen(there: Page, router: SandboxRouter) -> None:
    there.run(LOAD)
    assert greet(there, model="sandbox/echo")["model"] == "sandbox/echo (default)"
    assert printed(there, IMPORT + "print(session.model)").strip() == "None"
    assert there.run("%tetrate hi")["status"] == "ok"
    assert router.requests[-1].model == "sandbox/echo"
    assert greet(there, model="claude-haiku-4-5")["model"] == "sandbox/echo"  # another page, or a reload
    assert said(there) == []
    assert printed(there, "print(session.fork().chooser.proposed)").strip() == "sandbox/echo"


@pytest.mark.parametrize(
    "chosen", ["%config TetrateMagics.model = 'claude-haiku-4-5'", "%tetrate_model claude-haiku-4-5"]
)
def test_what_a_person_chose_wins(there: Page, router: SandboxRouter, chosen: str) -> None:
    there.run(f"{LOAD}\n{chosen}")
    assert greet(there, model="sandbox/echo")["model"] == "claude-haiku-4-5"
    there.run("%tetrate hi")
    assert router.requests[-1].model == "claude-haiku-4-5"


def test_a_model_that_was_used_before_the_page_came_stays(there: Page, router: SandboxRouter) -> None:
    there.run(f"{LOAD}\n%tetrate hi")
    used = router.requests[-1].model
    assert used != "sandbox/echo"
    assert greet(there, model="sandbox/echo")["model"] == used


def test_a_model_that_the_list_has_not_is_said_and_no_other_is_asked(there: Page, router: SandboxRouter) -> None:
    there.run(LOAD)
    assert greet(there, model="no-such-model")["model"] == "no-such-model (default)"
    reply = there.run(IMPORT + "session.ask('hi')")
    assert reply["ename"] == "UnknownModelError"
    with_next = printed(there, "try: session.ask('hi')\nexcept Exception as error: print(error)")
    assert "the default model in JupyterLab's settings, Tetrate" in with_next
    assert there.run("session.compare('hi')")["ename"] == "UnknownModelError"
    assert not [each for each in router.requests if each.path.endswith("/chat/completions")]
    assert there.run("%tetrate_model sandbox/echo\n%tetrate hi")["status"] == "ok"


def test_an_unlisted_model_can_be_the_default(there: Page, router: SandboxRouter) -> None:
    there.run(LOAD)
    assert greet(there, model="unlisted:my-model")["model"] == "my-model (default)"
    there.run("%tetrate hi")
    assert router.requests[-1].model == "my-model"


# --- the router -----------------------------------------------------------------------------------------------------


def test_a_new_kernel_goes_to_the_router_of_the_settings_once(
    page: Page, router: SandboxRouter, other: SandboxRouter
) -> None:
    keep(OTHERS, USUAL)
    page.run(LOAD)
    state = greet(page, baseUrl=router.base_url, model="sandbox/echo")
    assert (state["host"], state["signed_in"]) == (router.host, True)  # with its own key
    assert state["model"] == "sandbox/echo (default)"
    assert page.run("%tetrate hi")["status"] == "ok"
    assert greet(page, baseUrl=other.base_url)["host"] == router.host
    assert other.requests == []
    assert said(page) == []


def test_a_key_of_another_router_stays_at_home(page: Page, other: SandboxRouter) -> None:
    keep(OTHERS, USUAL)
    page.run(LOAD)
    state = greet(page, baseUrl=other.base_url)
    assert (state["host"], state["signed_in"]) == (other.host, False)
    assert page.run(IMPORT + "session.ask('hi')")["ename"] == "NotSignedInError"
    assert OTHERS not in repr([(each.headers, each.body) for each in other.requests])


@pytest.mark.parametrize("code", SETTLED.values(), ids=list(SETTLED))
def test_a_session_that_was_used_or_named_its_router_is_not_moved(page: Page, router: SandboxRouter, code: str) -> None:
    page.run(LOAD)
    assert page.run(IMPORT + code)["status"] == "ok"
    assert greet(page, baseUrl=router.base_url)["host"] == USUAL
    assert router.requests == []


def test_a_kernel_that_has_been_greeted_is_no_new_one(page: Page, router: SandboxRouter) -> None:
    page.run(LOAD)
    assert page.greet()["host"] == USUAL  # by a page that tells no settings
    assert greet(page, baseUrl=router.base_url, model="sandbox/echo")["host"] == USUAL
    assert printed(page, IMPORT + "print(session.chooser.proposed)").strip() == "None"


@pytest.mark.parametrize(
    "variables",
    [
        {config.BASE_URL_VARIABLE: "https://gateway.example/v1"},
        {config.HOST_VARIABLE: "https://gateway.example"},
        {config.AUTH_URL_VARIABLE: "https://gateway.example"},
        {config.KEY_VARIABLES[0]: OTHERS},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_the_environment_wins(page: Page, router: SandboxRouter, variables: dict[str, str]) -> None:
    page.run(f"os.environ.update({variables!r})")
    page.run(LOAD)
    assert greet(page, baseUrl=router.base_url)["host"] in {USUAL, "gateway.example"}
    assert said(page) == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://gateway.example/v1", "plain http"),
        (f"https://gateway.example/{OTHERS}/v1", "API key"),
        (f"https://me:{OTHERS}@gateway.example/v1", "API key"),
        ("https://me:word@gateway.example/v1", "user name or password"),
        ("not an address", "not a usable base URL"),
    ],
)
def test_an_address_that_is_refused_is_told_and_repeats_no_key(page: Page, address: str, words: str) -> None:
    page.run(LOAD)
    assert greet(page, baseUrl=address)["host"] == USUAL
    (line,) = said(page)
    assert line.startswith("Settings, Tetrate: ")
    assert words in line
    assert " Next: " in line
    assert OTHERS not in repr(page.heard)
    greet(page, baseUrl=address)  # another page: the person is told there, too
    assert said(page) == [line, line]


@pytest.mark.parametrize("model", [OTHERS, "sk-typed-wrong", "a\u202eb", "x" * 201])
def test_a_key_is_no_model(there: Page, model: str) -> None:
    there.run(LOAD)
    assert model not in greet(there, model=model)["model"]
    (line,) = said(there)
    assert " Next: " in line
    assert model not in repr(there.heard)
    assert printed(there, IMPORT + "print(session.chooser.proposed)").strip() == "None"


@pytest.mark.parametrize("settings", [None, [], "x", 7, {"model": None, "baseUrl": []}, {"model": {"a": 1}, "new": 1}])
def test_what_are_no_settings_is_left_alone(there: Page, router: SandboxRouter, settings: object) -> None:
    there.run(LOAD)
    (there.way,) = there.find()
    there.say({**HELLO, "settings": settings})
    assert there.told(lambda data: data["type"] == "state")["host"] == router.host
    assert said(there) == []


# --- told before the extension is loaded ----------------------------------------------------------------------------


def test_what_is_told_before_loading_counts_in_the_very_next_cells(page: Page, router: SandboxRouter) -> None:
    page.run(leave(baseUrl=router.base_url, model="sandbox/echo"))
    page.run(f"{LOAD}\n%tetrate hi")
    assert router.requests[-1].model == "sandbox/echo"
    page.run(IMPORT)
    assert greet(page, model="claude-haiku-4-5")["model"] == "sandbox/echo"


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 9_000, "x" * 20_000, '{"model": 7, "greeting": 0}'])
def test_what_is_told_before_may_be_anything(there: Page, router: SandboxRouter, text: str) -> None:
    there.run(f"get_ipython().{TOLD} = {text!r}")
    assert there.run(f"{LOAD}\n%tetrate hi")["status"] == "ok"
    there.run(f"%unload_ext tetrate_jupyter\nget_ipython().{TOLD} = 7")
    assert there.run(LOAD)["status"] == "ok"


def test_the_line_of_loading_is_left_out_unless_it_is_configured(page: Page, router: SandboxRouter) -> None:
    page.run("import tetrate_jupyter.front_end as f\nf.place = lambda: 'notebook'")
    page.run(leave(greeting=False))
    assert printed(page, LOAD) == ""
    page.run("%unload_ext tetrate_jupyter")
    page.run(leave(baseUrl=router.base_url))
    assert f"Tetrate at {router.host}" in printed(page, LOAD)  # of the router that the session will use
    page.run("%unload_ext tetrate_jupyter")
    page.run(leave(greeting=False) + "\nget_ipython().config.TetrateMagics.greeting = True")
    assert "Tetrate is loaded" in printed(page, LOAD)
