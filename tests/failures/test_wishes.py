"""session.improve, and session.explain of source: what is sent, what of a reply is taken, and where it is put."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest

import tetrate_jupyter
from tests.render.hostile import HOSTILE
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.errors import InputError, SecretInPromptError
from tetrate_jupyter.failures.wishes import Passage, inquiry
from tetrate_jupyter.types import Timing, Usage

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.failures.change import Fix
    from tetrate_jupyter.sandbox import LoggedRequest, SandboxRouter

MEAN = "def mean(xs):\n    if xs == None:\n        return 0\n    return sum(xs) / len(xs)\n"
WISHES: Any = ("improve", "document", "test", "continue")


def asked(router: SandboxRouter) -> list[LoggedRequest]:
    return [request for request in router.requests if request.path.endswith("/chat/completions")]


def read(session: Session, text: str, wish: str = "improve", source: str = MEAN) -> Fix:
    """What is taken of this reply."""
    reader = inquiry(session, wish, Passage(source), {}).read
    assert reader is not None
    return reader(Answer(text, "m", "m", Usage(3, 5), Timing(0.5, 1.5)))


def test_a_better_cell_comes_as_a_change_and_with_exactly_what_was_sent(
    session: Session, router: SandboxRouter
) -> None:
    session.ask("Tell me about routers.")
    before = session.history
    found = session.improve(MEAN)
    assert type(found) is tetrate_jupyter.Fix
    assert found.wish == "improve"
    assert found.source == MEAN.replace("== None", "is None").rstrip("\n")
    assert found.original == MEAN
    assert "-    if xs == None:\n+    if xs is None:" in found.diff
    assert found.cost == found.answer.cost is not None
    assert session.history == before
    message = asked(router)[-1].body["messages"][-1]["content"]
    assert str(found.sent) == message
    assert MEAN in message
    assert found.sent.summary == "the cell (4 lines)"


@pytest.mark.parametrize("wish", WISHES)
def test_each_wish_gives_code_that_can_be_parsed(session: Session, wish: Any) -> None:
    found = session.improve(MEAN, wish)
    assert found.problem == ""
    assert found.source is not None
    ast.parse(found.source)
    is_new = wish in {"test", "continue"}
    assert (found.original == "") is (found.diff == "") is is_new
    assert repr(found).startswith("<Fix: new code, " if is_new else "<Fix of the cell: ")
    bundle = found.bundle()
    assert found.source.split("\n")[-1].strip() in bundle["text/plain"]
    assert "nothing was changed or run" in bundle["text/plain"]
    assert "--apply" not in bundle["text/plain"]  # that is of %tetrate_fix


def test_documenting_changes_no_code(session: Session) -> None:
    found = session.improve(MEAN, "document")
    assert found.source is not None
    (function,) = ast.parse(found.source).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function)
    assert ast.dump(ast.Module(function.body[1:], [])) == ast.dump(ast.Module(ast.parse(MEAN).body[0].body, []))  # type: ignore[attr-defined]


def test_source_is_explained(session: Session, router: SandboxRouter) -> None:
    answer = session.explain(MEAN)
    assert isinstance(answer, Answer)
    assert "defines `mean`" in answer.text
    assert MEAN in asked(router)[-1].body["messages"][-1]["content"]


@pytest.mark.anyio
async def test_the_asynchronous_forms(session: Session) -> None:
    assert "defines `mean`" in (await session.aexplain(MEAN)).text
    assert (await session.aimprove(MEAN, "continue")).source == "help(mean)"


@pytest.mark.parametrize(
    ("before", "source", "after"),
    [
        ("def mean(xs):\n", "    if xs == None:\n        return 0\n", "    return 1\n"),
        ("def mean(xs):\n    ", "if xs == None:\n        return 0", "\n    return 1\n"),
        ("def mean(xs):\n    return 1 if ", "xs == None", " else 0\n"),
        ("def mean(xs):", "\n    if xs == None:\n        return 0\n\n", "    return 1\n"),
    ],
)
def test_a_part_of_a_cell_is_put_where_it_stood(session: Session, before: str, source: str, after: str) -> None:
    found = session.improve(source, before=before, after=after)
    assert found.problem == ""
    assert before + str(found.source) + after == (before + source + after).replace("== None", "is None")
    assert found.name == "the cell"
    assert found.sent.summary.startswith("the selection (")
    assert "the cell around it (" in found.sent.summary


@pytest.mark.parametrize(
    "code", ["if xs is None:\n    return 0", "    if xs is None:\n        return 0\n", "\nif xs is None: return 0"]
)
def test_a_part_comes_as_far_in_as_it_was(code: str) -> None:
    part = Passage("    if xs == None:\n        return 0\n", "def mean(xs):\n", "    return 1\n")
    placed = part.placed(code)
    assert placed.startswith("    if xs is None:")
    assert placed.endswith("return 0\n")
    ast.parse(part.before + placed + part.after)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("I would leave it.", "no code for the cell"),
        ("```python\ndef mean(xs:\n```", "isn't Python"),
        ("```python\ndef mean(xs):\n    return 0", "broke off"),
        ("```python\nimport os\nos.remove('everything')\n```", "nothing to do with the cell"),
        (f"```python\n{MEAN}```", "is the cell as it stands"),
        ("```python\ndef mean(xs):\n    # ... rest of the code\n    return sum(xs) / len(xs)\n```", "leaves parts"),
        ("```bash\nrm -rf /\n```", "no code for the cell"),
        ('```python\ndef mean(xs):\n    return "\0" or sum(xs) / len(xs)\n```', "NUL"),
    ],
)  # fmt: skip
def test_a_reply_without_usable_code_is_said_and_gives_no_source(session: Session, reply: str, problem: str) -> None:
    found = read(session, reply)
    assert found.source is None
    assert found.diff == ""
    assert problem in found.problem
    assert problem in found.bundle()["text/plain"]


def test_less_is_no_loss_when_it_is_improved(session: Session) -> None:
    loop = "total = 0\nfor x in xs:\n    if x > 0:\n        y = x\n        total = total + y\nprint(total)"
    short = "total = sum(x for x in xs if x > 0)\nprint(total)"
    for wish, source in (("improve", short), ("document", None)):
        assert read(session, f"```python\n{short}\n```", wish, loop).source == source


def test_of_several_blocks_the_longest_is_for_the_new_cell(session: Session) -> None:
    tests = (
        "def test_mean():\n    assert mean([1, 3]) == 2\n\n\nassert mean([]) == 0\nassert mean([1]) == 1\ntest_mean()"
    )
    blocks = "\n".join(f"```python\n{code}\n```" for code in (MEAN, "test_mean()", tests, "x = 1"))
    found = read(session, blocks, "test")
    assert (found.source, found.original) == (tests, "")


@pytest.mark.parametrize("wish", [*WISHES, "explain"])
@pytest.mark.parametrize("where", ["source", "before", "across"])
def test_a_key_in_the_cell_is_refused_and_not_repeated(
    session: Session, router: SandboxRouter, wish: str, where: str
) -> None:
    key = "sk-somebody-elses-0123456789abcdef"
    line = f"token = '{key}'\n"
    source, before = {"source": (line, ""), "before": (MEAN, line), "across": (line[20:], line[:20])}[where]
    with pytest.raises(SecretInPromptError) as refused:
        inquiry(session, wish, Passage(source, before), {})
    assert key not in str(refused.value)
    assert asked(router) == []


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("", {}, "no source"),
        (" \n", {}, "no source"),
        ("x" * 20_001, {}, "20,001 characters"),
        (MEAN, {"wish": "destroy\n"}, "no wish"),
        (MEAN, {"wish": "explain"}, "session.explain"),
        (MEAN, {"before": 3}, "Source is text, not int"),
        (3, {}, "Source is text, not int"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_said(
    session: Session, router: SandboxRouter, source: Any, options: Any, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        session.improve(source, **options)
    assert asked(router) == []


def test_of_what_stands_around_a_part_not_all_goes(session: Session, router: SandboxRouter) -> None:
    session.improve("x = x + 1", before="# far\n" * 5_000, after="\n# behind" * 5_000)
    message = asked(router)[-1].body["messages"][-1]["content"]
    assert len(message) < 20_000
    assert "cut, in which it stands" in message


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_hostile_in_a_cell_stays_data(session: Session, router: SandboxRouter, text: str) -> None:
    source = f"text = {text!r}\n{MEAN}"
    try:
        found = session.improve(source)
    except InputError:  # a lone surrogate, for instance
        assert asked(router) == []
        return
    assert str(found.sent) in asked(router)[-1].body["messages"][-1]["content"]
    html = found.bundle()["text/html"]
    for element in ("<script", "<img", "<iframe", "<svg", "<form"):
        assert element not in html.lower()
