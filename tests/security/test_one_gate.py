"""One gate: no request leaves with a key in it, whichever part holds it and in whatever form; nothing of it is kept."""

from __future__ import annotations

import base64
import os
import pickle
import random
import secrets
import signal
import threading
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from tests import at_rest
from tests.security.keys import FORMS, without
from tests.widgets.page import Page
from tetrate_jupyter import secrecy
from tetrate_jupyter.engine.runs import Run
from tetrate_jupyter.errors import SecretInPromptError, TetrateError, ToolFailedError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.http.gate import outgoing
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.widgets.compare import ComparePanel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter

MODEL = "claude-haiku-4-5"
TWO = [MODEL, "gpt-6-luna"]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def key(router: SandboxRouter) -> str:
    return router.issue_key()


@pytest.fixture
def session(router: SandboxRouter, key: str, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=router.base_url, key=key, data_dir=tmp_path / "data", bridge=bridge, model=MODEL)
    yield made
    made.close()


def kept(session: Session, folder: Path) -> list[object]:
    """Everything that a question may have left behind."""
    files = [path.read_text(errors="replace") for path in at_rest.files(folder)]
    runs = [(run.user, run.failure, run.question) for run in session.runs.all]
    comparison = session.comparison.result if session.comparison is not None else None
    return [
        session,
        session.history,
        session.conversation.branches,
        session.ledger.entries,
        session.last,
        runs,
        comparison,
        *files,
    ]


def sent(router: SandboxRouter) -> str:
    return repr([(r.path, r.query, r.headers, r.body) for r in router.requests])


def described(text: str) -> type:
    @dataclass
    class Reply:
        value: str

    Reply.__doc__ = text
    Reply.__annotations__["value"] = Annotated[str, text]
    return Reply


def tool_with_default(text: str) -> Callable[..., str]:
    def look_up(word: str, token: str = text) -> str:
        """Look a word up."""
        return word + token

    return look_up


def tool_with_docstring(text: str) -> Callable[..., str]:
    def look_up(word: str) -> str:
        return word

    look_up.__doc__ = f"Look a word up with {text}."
    return look_up


def schema(**value: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"value": {"type": "string", **value}}, "required": ["value"]}


ASKED: dict[str, Callable[[str], dict[str, Any]]] = {
    "prompt": lambda text: {"prompt": f"Is {text} fine?"},
    "system": lambda text: {"system": f"Sign with {text}."},
    "user": lambda text: {"user": text},
    "metadata": lambda text: {"metadata": {"deep": [{"down": text}]}},
    "a field's name": lambda text: {"metadata": {text: 1}},
    "stop": lambda text: {"stop": ["###", text]},
    "a tool's default": lambda text: {"tools": [tool_with_default(text)]},
    "a tool's docstring": lambda text: {"tools": [tool_with_docstring(text)]},
    "a schema's description": lambda text: {"schema": schema(description=text)},
    "a schema's default": lambda text: {"schema": schema(default=text)},
    "a schema's enum": lambda text: {"schema": schema(enum=[text, "other"])},
}


@pytest.mark.parametrize("place", ASKED)
def test_no_part_of_a_question_takes_a_key_out(
    session: Session, router: SandboxRouter, key: str, tmp_path: Path, place: str
) -> None:
    for form in FORMS.values():
        options = {"prompt": "hello", **ASKED[place](form(key))}
        for ask in (session.ask, session.plan):
            with pytest.raises(SecretInPromptError) as caught:
                ask(**options)
            without(key, str(caught.value), repr(caught.value), caught.value.args)
    assert not [r for r in router.requests if "chat" in r.path]
    without(key, *kept(session, tmp_path))
    assert session.history == ()


@pytest.mark.parametrize("form", FORMS)
def test_a_sessions_own_settings_take_no_key_out(session: Session, router: SandboxRouter, key: str, form: str) -> None:
    session.system = f"Sign with {FORMS[form](key)}."
    with pytest.raises(SecretInPromptError):
        session.ask("hello")
    session.system = None
    session.params["user"] = FORMS[form](key)
    with pytest.raises(SecretInPromptError), session.stream("hello") as events:
        list(events)
    with pytest.raises(SecretInPromptError):
        session.compare("hello", TWO)
    assert "chat" not in sent(router)


COMPARED: dict[str, Callable[[str], dict[str, Any]]] = {
    "prompt": lambda text: {"prompts": ["fine", f"Is {text}?"]},
    "user": lambda text: {"user": text},
    "system": lambda text: {"system": text},
    "a column's own": lambda text: {"models": [MODEL, {"model": "gpt-6-luna", "user": text}]},
    "a label": lambda text: {"models": [MODEL, {"model": "gpt-6-luna", "label": text}]},
    "a tool": lambda text: {"tools": [tool_with_default(text)]},
    "a schema": lambda text: {"schema": schema(description=text)},
}


@pytest.mark.parametrize("place", COMPARED)
@pytest.mark.parametrize("form", ["plain", "base64 after two", "its beginning"])
def test_no_part_of_a_comparison_takes_a_key_out(  # noqa: PLR0917 - parametrized
    session: Session, router: SandboxRouter, key: str, tmp_path: Path, form: str, place: str
) -> None:
    with pytest.raises(SecretInPromptError) as caught:
        session.compare(**{"prompts": "hi", "models": TWO, **COMPARED[place](FORMS[form](key))})
    without(key, str(caught.value), *kept(session, tmp_path))
    assert session.comparison is None
    assert "chat" not in sent(router)


def test_following_up_takes_no_key_out(session: Session, router: SandboxRouter, key: str) -> None:
    result = session.compare("hi", TWO)
    before = len(router.requests)
    with pytest.raises(SecretInPromptError):
        result.follow_up(f"and {key}?")
    assert len(router.requests) == before
    without(key, sent(router), result.html, result.text, result.code)


def test_what_became_a_key_later_is_shown_and_saved_without_it(
    session: Session, router: SandboxRouter, tmp_path: Path
) -> None:
    later = router.issue_key()
    result = session.compare(f"What is {later}?", TWO, user=later)
    assert later in sent(router)  # nobody knew
    session.login(key=later, store="memory")
    saved = result.save(tmp_path / "saved.json")
    without(later, saved.read_text(), result.code, result.html, result.text, result.blind().html)
    without(later, *(each for shown in (result, result.blind()) for each in shown.bundle(at_once=True).values()))
    without(later, *result._repr_mimebundle_().values(), *result.blind()._repr_mimebundle_().values())
    assert type(result).load(saved).facts.prompts == ("What is <secret>?",)
    with pytest.raises(SecretInPromptError):
        result.follow_up("and now?")


def test_an_earlier_conversation_takes_no_key_out(session: Session, router: SandboxRouter) -> None:
    later = router.issue_key()
    session.ask(f"Remember {later}.")
    session.login(key=later, store="memory")
    with pytest.raises(SecretInPromptError) as caught:
        session.ask("What was it?")
    assert "%tetrate_reset" in caught.value.next_step
    assert "user text" in caught.value.message
    session.reset()
    assert session.ask("hello").text


def test_an_images_name_is_shown_without_a_key(
    session: Session, router: SandboxRouter, key: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{key}.png"
    path.write_bytes(PIXEL)
    session.ask("What is this?", images=[path])
    (exchange,) = session.history
    without(key, exchange, sent(router))
    assert "<secret>" in exchange.user.images[0].label


# --- tools -----------------------------------------------------------------------------------------------------


IN_STOCK = "How many pieces of the product 'lamp' are in stock?"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("does", ["gives back", "gives back in a list", "raises"])
def test_what_a_tool_does_with_a_key_is_nowhere(  # noqa: PLR0917 - parametrized
    session: Session, router: SandboxRouter, key: str, tmp_path: Path, form: str, does: str
) -> None:
    text = FORMS[form](key)

    def stock_of(product: str) -> object:
        """How many pieces of a product are in stock."""
        if does == "raises":
            raise LookupError(f"no {product} with {text}")
        return [text] if does.endswith("list") else f"the token is {text}"

    events = []
    with (
        pytest.raises((SecretInPromptError, ToolFailedError)) as caught,
        session.stream(IN_STOCK, tools=[stock_of]) as stream,
    ):
        events.extend(stream)
    assert isinstance(caught.value, ToolFailedError) == (does == "raises")
    (result,) = stream.answer.tool_results
    without(key, str(caught.value), repr(caught.value), caught.value.answer, result.result, str(result.error), events)
    without(key, sent(router), *kept(session, tmp_path))
    page = Page(session.chat())
    without(key, page.messages, page._panel.fallback_html(), page._panel.fallback_plain())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["message", "cause", "note"])
def test_a_traceback_of_a_tools_failure_says_no_key(session: Session, key: str, form: str, where: str) -> None:
    said = FORMS[form](key)

    def stock_of(product: str) -> str:
        """How many pieces of a product are in stock."""
        error = LookupError(f"no {product} with {said}" if where == "message" else "no")
        error.__dict__["__notes__"] = [said] if where == "note" else []
        raise error from (ValueError(said) if where == "cause" else None)

    with pytest.raises(ToolFailedError) as caught:
        session.ask(IN_STOCK, tools=[stock_of])
    printed = "".join(traceback.format_exception(caught.value))
    assert "in stock_of" in printed  # where it was
    without(key, printed)


def test_the_cut_of_a_tools_result_hides_no_key(session: Session, router: SandboxRouter, key: str) -> None:
    def stock_of(product: str) -> str:
        """How many pieces of a product are in stock."""
        return "x" * 19_995 + key

    answer = session.ask(IN_STOCK, tools=[stock_of])
    assert key[:5] not in answer.tool_results[0].result
    assert "x" + key[:5] not in sent(router)


# --- variables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda text: text,
        lambda text: {"a": {"b": [text]}},
        lambda text: {text: 1},
        lambda text: ["x" * 19_980 + text, 2],  # the cut falls into it
        lambda text: {"long": "x" * 19_985 + text + "y" * 50_000},
        lambda text: ["x" * 4_999] * 3 + ["x" * 4_960 + text],
        lambda text: type("Settings", (), {"__repr__": lambda _: "x" * 5_950 + text})(),
        lambda text: text.encode().hex(),
        lambda text: (text[: len(text) // 2], "and more"),
    ],
    ids=["text", "deep", "a dict's key", "cut", "cut in a dict", "cut later", "a repr", "hex", "half"],
)
def test_a_variable_takes_no_key_out(
    shell: InteractiveShell, session: Session, router: SandboxRouter, key: str, make: Callable[[str], object]
) -> None:
    shell.user_ns["v"] = make(key)
    for line in ("", "--dry-run", "-s hello --dry-run"):
        with pytest.raises(SecretInPromptError) as caught:
            shell.run_cell_magic("tetrate", line, "Is {v} fine?")
        without(key, str(caught.value))
    with pytest.raises(SecretInPromptError):
        shell.run_cell_magic("tetrate_compare", "--wait", "Is {v} fine?")
    assert key[:14] not in sent(router)
    assert "chat" not in sent(router)
    assert session.history == ()


def test_a_table_takes_no_key_out(shell: InteractiveShell, router: SandboxRouter, key: str) -> None:
    pd = pytest.importorskip("pandas")
    for cell in (key, "x" * 50 + key):
        shell.user_ns["v"] = pd.DataFrame({"a": [cell]})
        with pytest.raises(SecretInPromptError):
            shell.run_cell_magic("tetrate", "", "Is {v} fine?")
    assert "chat" not in sent(router)


def test_a_dry_run_prints_no_key(shell: InteractiveShell, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["k"] = key
    for line in ("--dry-run", "--dry-run -p user=x"):
        shell.run_cell(f"%%tetrate {line}\nMy key is {{k}}")
        shell.run_cell(f"%%tetrate_compare {line}\nMy key is {{k}}")
    shown = capsys.readouterr()
    assert "SecretInPromptError" in shown.out
    without(key, shown.out, shown.err)


# --- panels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_chat_panel_shows_nothing_of_what_it_refused(
    session: Session, router: SandboxRouter, key: str, tmp_path: Path, form: str
) -> None:
    session.models()
    panel = session.chat()
    page = Page(panel)
    text = FORMS[form](key)
    assert page.do("ask", text=f"Is {text} fine?") is False
    assert "API key" in page.fields["problem"]
    assert page.items == {}
    assert page.do("set", name="system", value=f"Sign with {text}") is False
    assert session.system is None
    session.system = f"Sign with {text}"
    page.do("offer")
    panel.sync()
    without(key, page.messages, page.fields, panel.fallback_html(), panel.problem, vars(panel))
    without(key, *kept(session.fork(), tmp_path), session.runs.all, sent(router))
    assert "chat" not in sent(router)
    panel.close()


def test_a_refusal_that_comes_late_leaves_nothing_of_the_question(
    session: Session, router: SandboxRouter, key: str, tmp_path: Path
) -> None:
    page = Page(session.chat())
    session.system = key  # what the page asks is fine, the rest isn't
    page.do("ask", text="hello")
    page.wait_for(lambda: [i.fields["state"] for i in page.items.values()] == ["failed"])
    run = session.start(session.question(f"Is {key} fine?", typed=f"Is {key} fine?"))
    page.wait_for(lambda: len(page.items) == 2 and page.items[run.id].fields["state"] == "failed")
    assert page.items[run.id].fields["prompt"] == "Is <secret> fine?"
    session.system = None
    without(key, page.messages, *kept(session, tmp_path), sent(router))
    page._panel.close()


def test_what_is_refused_is_let_go_of_before_it_has_failed(
    session: Session, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[str | None] = []
    let_go = Run.withhold

    def noted(run: Run) -> None:
        failed.append(run.failure)
        let_go(run)

    monkeypatch.setattr(Run, "withhold", noted)
    over = threading.Event()
    stop = session.runs.on_change(lambda: over.set() if any(run.failure for run in session.runs.all) else None)
    session.start(session.question(f"Is {key} fine?", typed=f"Is {key} fine?"))
    assert over.wait(60)
    stop()
    assert failed == [None]


@pytest.mark.parametrize("form", FORMS)
def test_the_compare_panel_shows_nothing_of_what_it_refused(
    session: Session, router: SandboxRouter, key: str, tmp_path: Path, form: str
) -> None:
    session.models()
    panel = ComparePanel(session)
    page = Page(panel)
    text = FORMS[form](key)
    for model in TWO:
        page.do("add", model=model)
    assert page.do("run", text=f"Is {text} fine?") is False
    assert page.do("set", name="system", value=text) is False
    assert page.do("set", name="system", value=text, place=1) is False
    assert page.do("add", model=text) is False
    assert "API key" in page.fields["problem"]
    without(
        key, page.messages, vars(panel._draft), panel.fallback_html(), panel.fallback_plain(), *kept(session, tmp_path)
    )
    assert "chat" not in sent(router)
    panel.close()


def test_the_picker_and_its_words(session: Session, key: str) -> None:
    session.models()
    page = Page(session.picker())
    assert page.do("find", words=key) is False
    without(key, page.messages, page.fields)
    with pytest.raises(TetrateError) as caught:
        session.model = key
    without(key, str(caught.value), repr(session))
    page._panel.close()


# --- what is no key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt",
    [
        "What is a key such as sk-... or sk-abc, and what does `sk-` stand for?",
        "TETRATE_API_KEY=sk-... is how it is set; Bearer sk-xxxxxxxxxxxxxxxxxxxxxxxx goes into the header.",
        "import sklearn  # scikit-learn, sk-learn, task-force-2024-09-budget",
        "sk-sandbox- is how the keys of the sandbox begin: sk-sandbox-",
        "sk-elsewhere-7hQz2mWvK8rTyN4p is another's",
        "%73%6b%2d and c2st and 736b2d are its beginning in other forms",
    ],
)
def test_what_is_no_key_passes_untouched(session: Session, router: SandboxRouter, prompt: str) -> None:
    session.ask(prompt, model="sandbox/echo")
    asked = [r.body["messages"][-1]["content"] for r in router.requests if "chat" in r.path]
    assert asked == [prompt]
    assert session.history[0].user.content == prompt
    assert secrecy.redact(prompt) == prompt
    passing = secrecy.Passing()
    assert "".join(passing.feed(letter) for letter in prompt) + passing.finish() == prompt


def test_pictures_are_no_keys(key: str, session: Session) -> None:
    url = "data:image/png;base64," + base64.b64encode(os.urandom(3_000_000)).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    assert url.encode() in outgoing({"model": "m", "messages": [{"role": "user", "content": [part]}]})


def test_a_short_key_refuses_nothing(session: Session) -> None:
    held = [Secret("x", host="a"), Secret("hello", host="a"), Secret("", host="a")]
    assert session.ask("hello x").text
    assert secrecy.redact("hello x") == "hello x"
    assert len(held) == 3


WORDS = ["password", "aaaaaaaa", "lm-studio", "not-needed", "sk-no-key-required", "EMPTY_KEY", "messages", "12345678"]
NO_WORDS = ["hunter2hunter2", "aZbYcXdWeVfU", "sk-abc123def", "kqzvtpwmxrkqzvtpwmxr", "deadbeef01"]


@pytest.mark.parametrize("key", [*WORDS, "ababababababab"])
def test_a_key_that_is_a_word_refuses_nothing(router: SandboxRouter, bridge: Bridge, tmp_path: Path, key: str) -> None:
    session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge, model=MODEL)
    held = Secret(key, host="a")
    said = f"A good {key}, aaaaaaaaaa."
    assert session.ask(f"Repeat after me: {said}").text
    assert secrecy.redact(said) == said
    assert held.host
    session.close()


@pytest.mark.parametrize("key", NO_WORDS)
def test_a_key_that_is_no_word_is_looked_for_however_short(key: str) -> None:
    held = Secret(key, host="a")
    assert secrecy.redact(f"a {key} b") == "a <secret> b"
    assert held.host


MANY = 20  # keys, so many that they are looked for all at once
LENGTHS = [8, 9, 11, 12, 13, 14, 15, 16, 20, 24, 28, 30, 31, 32, 51, 200]


@pytest.fixture
def many() -> list[Secret]:
    """Keys of one maker, which begin alike."""
    made = [Secret(f"sk-sandbox-{secrets.token_urlsafe(24)}", host="a") for _ in range(MANY)]
    assert secrecy._REGISTRY.forms()._windows is not None
    return made


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("form", FORMS)
def test_of_many_keys_each_is_found_wherever_it_stands(many: list[Secret], form: str, length: int) -> None:
    dice = random.Random(length)
    letters = "abcXYZ019-_ö" if form in {"plain", "reversed"} else "abcXYZ019-_"
    value = "".join([*dice.sample(letters, 8), *dice.choices(letters, k=length - 8)])
    held = Secret(value, host="a")
    found = FORMS[form](value)
    is_part = form in {"its beginning", "its end"}
    if is_part and (length < 24 or length % 2):  # what is left of it is less than enough
        assert secrecy.redact(value) == secrecy.MARK
        return
    for before in range(17):
        text = "ä" * (before % 2) + "." * before + found + "." * (before % 5)
        assert secrecy.holds(text)
        assert secrecy.holds(text.encode())
        assert secrecy.holds(bytearray(text.encode()))
        shown = secrecy.redact(text)
        assert secrecy.MARK in shown
        assert not secrecy.holds(shown)
    assert held.host
    assert len(many) == MANY


@pytest.mark.parametrize("text", ["sk-sandbox-", "sk-sandbox-is how they begin", "", "a", "no key at all, ö " * 99])
def test_of_many_keys_none_is_seen_where_there_is_none(many: list[Secret], text: str) -> None:
    assert not secrecy.holds(text)
    assert not secrecy.holds(text.encode())
    assert secrecy.redact(text) == text
    assert len(many) == MANY


def test_of_many_keys_those_in_a_stream_are_blotted_however_it_is_cut(many: list[Secret]) -> None:
    for number in (0, 7, MANY - 1):
        value = many[number].reveal()
        text = f"sk-sandbox-none {value} and {value[::-1]}, {many[3].reveal()[:20]} sk-"
        for size in (1, 3, 8, 200):
            passing = secrecy.Passing()
            out = "".join(passing.feed(text[at : at + size]) for at in range(0, len(text), size)) + passing.finish()
            assert out.count(secrecy.MARK) == 3
            assert not secrecy.holds(out)
            assert out.startswith("sk-sandbox-none ")
            assert out.endswith(" sk-")


def test_many_keys_are_looked_for_as_few_are(many: list[Secret]) -> None:
    values = frozenset(each.reveal() for each in many[:8])
    dice = random.Random(7)
    alphabet = [*values, *"abc ö\n", "sk-sandbox-"]
    both = secrecy._Forms(values)
    assert both._windows is not None
    for _ in range(300):
        parts = [dice.choice(alphabet) for _ in range(9)]
        text = "".join(part[dice.randrange(3) :][: dice.choice([9, 12, 15, 16, 99])] for part in parts)
        expected = any(needle in text for needle in both._needles)
        assert both.are_in(text) is both.are_in(text.encode()) is expected


def test_whoever_pastes_a_book_where_a_key_belongs_waits_for_nothing() -> None:
    before = len(secrecy._REGISTRY.forms()._needles)  # keys of other tests may be alive
    held = Secret.typed("a1b2c3d4 " * 500_000)
    assert not secrecy.holds("hello")
    assert len(secrecy._REGISTRY.forms()._needles) <= before
    assert not any(len(value) > secrecy.LONGEST for value in secrecy._REGISTRY.forms().values)
    assert held.reveal()


@pytest.mark.heavy
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork needs one")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_other_threads_make_the_forms_hangs_nothing() -> None:
    over = threading.Event()

    def noting() -> None:
        while not over.is_set():
            held = Secret("sk-noted-by-a-thread-0123456789", host="h")
            assert secrecy.holds(f"It is {held.reveal()}.")

    threads = [threading.Thread(target=noting) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        ends = [forked() for _ in range(10)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert ends == [0] * 10


def forked() -> int:
    """Ask the gate in a forked child; return how the child ended."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)  # a child that waits for ever is ended by it
        try:
            os._exit(0 if secrecy.redact("hello") == "hello" else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1]


def test_the_environments_keys_are_known_without_being_asked_for(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TETRATE_API_KEY", "TARS_API_KEY", "AGENTROUTER_API_KEY"):
        value = f"sk-{name}-0123456789"
        monkeypatch.setenv(name, value)
        with pytest.raises(SecretInPromptError):
            session.ask(f"Is {value} fine?")
        monkeypatch.delenv(name)
        session.plan(f"Is {value} fine?")


def test_a_key_that_nobody_holds_any_more_is_forgotten() -> None:
    value = "sk-here-and-gone-0123456789"
    secret = Secret(value, host="a")
    other = Secret(value, host="a")  # equal ones are held each for itself
    del secret
    assert secrecy.redact(f"a {value}") == "a <secret>"
    del other
    assert secrecy.redact(f"a {value}") == f"a {value}"


def test_the_gate_gives_nothing_away() -> None:
    secret = Secret("sk-kept-to-itself-0123456789", host="a")
    forms = secrecy._REGISTRY.forms()
    without(secret.reveal(), repr(vars(secrecy)), repr(vars(secrecy._REGISTRY)), repr(forms), secrecy.Passing())
    with pytest.raises(TypeError):
        pickle.dumps(forms)


def test_an_error_never_holds_a_key() -> None:
    secret = Secret('sk-odd"one\\with&<marks>-0123456789', host="a")
    for text in (form(secret.reveal()) for form in FORMS.values()):
        error = TetrateError(f"It said {text}.", next_step=f"try {text}", request_id="1")
        without(secret.reveal(), str(error), repr(error), error.args, vars(error), error._render_traceback_())
