"""session.explain and session.fix: over real HTTP, outside the conversation, in both forms; the sandbox's fixes run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import tetrate_jupyter
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.errors import InputError, SecretInPromptError, StreamCutError, UnknownModelError
from tetrate_jupyter.failures import asking
from tetrate_jupyter.failures.change import Fix
from tetrate_jupyter.sandbox import Fault, SandboxRouter

if TYPE_CHECKING:
    from tests.failures.conftest import Notebook
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import LoggedRequest

TABLE = "import pandas as pd\nsales = pd.DataFrame({'region': ['North', 'South'], 'units': [3, 4]})"
ODD = """import pandas as pd
wx = pd.DataFrame({'station': ['a', 'b'], 'Ø temp (°C)': [1.5, 2], "it's rain": [0, 1]})"""
MEAN = "def mean(xs):\n    return sum(xs) / len(xs)"


def asked(router: SandboxRouter) -> list[LoggedRequest]:
    return [request for request in router.requests if request.path.endswith("/chat/completions")]


def test_explaining_gives_an_answer_and_leaves_the_conversation_alone(
    notebook: Notebook, session: Session, router: SandboxRouter
) -> None:
    session.ask("Tell me about routers.")
    before = session.history
    notebook.run("customers = 3\ncustomres + 1")
    answer = session.explain(notebook.failed)
    assert isinstance(answer, Answer)
    assert "`customers`" in answer.text
    assert session.history == before
    assert session.last is answer
    messages = asked(router)[-1].body["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]
    assert "customres + 1" in messages[1]["content"]
    assert session.ledger.entries[-1].cost == answer.cost


def test_fixing_gives_source_diff_and_exactly_what_was_sent(
    notebook: Notebook, session: Session, router: SandboxRouter
) -> None:
    cell = "# this year\nsales.groupby('regoin')['units'].sum()"
    notebook.run(TABLE, cell)
    fix = session.fix(notebook.failed)
    assert type(fix) is tetrate_jupyter.Fix
    assert fix.source == cell.replace("regoin", "region")
    assert fix.original == cell
    assert str(fix.sent) == asked(router)[-1].body["messages"][-1]["content"]
    assert fix.sent.summary.startswith("cell 2 (2 lines), traceback (")
    assert fix.cost == fix.answer.cost
    assert "`region`" in fix.explanation


@pytest.mark.anyio
async def test_the_asynchronous_forms(notebook: Notebook, session: Session) -> None:
    notebook.run("customers = 3\ncustomres + 1")
    assert "`customers`" in (await session.aexplain(notebook.failed)).text
    assert (await session.afix(notebook.failed)).source == "customers = 3\ncustomers + 1"


def test_the_sessions_own_settings_count(notebook: Notebook, session: Session, router: SandboxRouter) -> None:
    session.system = "Answer in German."
    session.params["temperature"] = 0.25
    notebook.run("1 / 0")
    session.explain(notebook.failed, model="gpt-5.4", max_tokens=300)
    body = asked(router)[-1].body
    assert body["messages"][0]["content"].startswith("Answer in German.\n\n")
    assert (body["model"], body["temperature"]) == ("gpt-5.4", 0.25)
    assert 300 in (body.get("max_tokens"), body.get("max_completion_tokens"))


def test_kept_where_that_is_asked_for(notebook: Notebook, session: Session, router: SandboxRouter) -> None:
    session.ask("Tell me about routers.")
    notebook.run("1 / 0")
    session.explain(notebook.failed, keep=True)
    assert len(session.history) == 2
    assert len(asked(router)[-1].body["messages"]) == 4


def test_nothing_is_sent_of_what_is_refused(notebook: Notebook, session: Session, router: SandboxRouter) -> None:
    notebook.run("k = 'sk-Zt5Rk2Wq8Lm1Xv7'\n1 / 0")
    with pytest.raises(SecretInPromptError):
        session.explain(notebook.failed)
    with pytest.raises(InputError):
        session.fix(KeyboardInterrupt())
    assert asked(router) == []


def test_what_goes_wrong_is_one_of_ours(notebook: Notebook, session: Session, router: SandboxRouter) -> None:
    notebook.run("1 / 0")
    with pytest.raises(UnknownModelError):
        session.fix(notebook.failed, model="claude-haiku-99")
    router.inject(Fault("stream-cut", after_chunks=3))
    with pytest.raises(StreamCutError):
        session.explain(notebook.failed)


def test_the_cap_of_the_answer_is_no_more_than_such_an_answer_needs(notebook: Notebook, session: Session) -> None:
    notebook.run("1 / 0")
    with asking.inquiring(session, "explain", notebook.failed, {}) as about:
        plan = session.bridge.run(asking.plan(session, about))
    assert plan.output_cap <= 8_100


# --- what the sandbox says -------------------------------------------------------------------------------------

MENDED: dict[str, tuple[list[str], str]] = {  # cells that run before, the cell that fails
    "a slip in a name": (["customers = 3"], "print(customres)"),
    "a slip in a builtin": ([], "pritn(1)"),
    "a module not imported": ([], "root = math.sqrt(2)"),
    "a column": ([TABLE], "sales['unitz'].sum()"),
    "a column in a function": ([TABLE, "def of(df, c):\n    return df[c].sum()"], "of(sales, 'unitz')"),
    "a text and a number": (["total = 3"], "print('Total: ' + total)"),
    "a number and a text": (["total = 3"], "total + ' pieces'"),
    "a division": (["n = 0"], "share = 5 / n"),
    "a division in a function": ([MEAN], "mean([])"),
    "an index": (["xs = [1, 2]"], "last = xs[len(xs)]"),
    "an index by number": (["xs = [1, 2]"], "xs[2]"),
    "an attribute": (["text = 'abc'"], "text.uper()"),
    "a colon": ([], "for n in range(3)\n    print(n)"),
    "an odd column": ([ODD], "wx.groupby('station')['Ø temp (C)'].mean()"),
    "a column in capitals": ([ODD], "wx['STATION']"),
    "a column with a quotation mark": ([ODD], "wx['its rain']"),
    "a column among others": ([ODD], "wx[['staton', \"it's rain\"]]"),
    "a column of a list": ([ODD], "wx[['staton']]"),
    "a module known by another name": ([], "import nunpy as np"),
    "a bracket": ([], "print((1 + 2)"),
    "a square bracket": ([], "x = [1, 2\nprint(x)"),
    "a brace": ([], "x = {'a': 1\nprint(x)"),
    "a quotation mark": ([], "print('abc)"),
    "an equals sign": ([], "x = 3\nif x = 3:\n    print(x)"),
    "a block": ([], "for n in range(2):\nprint(n)"),
    "print as it was": ([], "print 'a'"),
    "a decimal comma": (["text = '12,5'"], "float(text)"),
    "thousands": (["text = '1,234.5'"], "float(text.strip())"),
    "a decimal for a whole number": ([], "int('3.7')"),
}


@pytest.mark.parametrize("name", sorted(MENDED))
def test_the_sandboxs_changes_run(notebook: Notebook, session: Session, name: str) -> None:
    before, fails = MENDED[name]
    assert notebook.run(*before, fails) is not None
    fix = session.fix(notebook.failed)
    assert fix.source is not None, (fix.problem, fix.explanation)
    assert fix.explanation
    error = notebook.run(fix.source, fails) if fix.original != fails else notebook.run(fix.source)
    assert error is None


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("import no_such_module_here", "no_such_module_here"),
        ("from math import squirt", "squirt"),
        ("{}['price']", "price"),
        ("zzz_nowhere", "zzz_nowhere"),
        ("None + 1", "NoneType"),
        ("None.strip()", "None"),
        ("raise RuntimeError('the pump is dry')", "the pump is dry"),
        ("int('abc')", "'abc' can't be read as a number"),
        ("float('1,234')", "'1,234' can't be read as a number"),  # 1.234 or 1234: who knows
        ("open('no_such_file.csv')", "no_such_file.csv"),
        ("for n in range(3):\n    [1, 2][n]", "list index out of range"),
        ("import sklearn_no_such", "sklearn_no_such"),
    ],
)
def test_the_sandbox_explains_the_others_from_what_was_sent(
    notebook: Notebook, session: Session, cell: str, says: str
) -> None:
    notebook.run(cell)
    answer = session.explain(notebook.failed)
    assert says in answer.text
    assert "```" not in answer.text
    for model in ("claude-sonnet-5", "claude-opus-5"):
        assert says in session.explain(notebook.failed, model=model).text


def test_a_missing_module_is_installed_by_a_line_above(notebook: Notebook, session: Session) -> None:
    notebook.run("import no_such_module_here")
    fix: Any = session.fix(notebook.failed)
    assert isinstance(fix, Fix)
    assert fix.source == "%pip install no_such_module_here\n\nimport no_such_module_here"


def test_a_module_is_installed_by_the_name_of_its_package(notebook: Notebook, session: Session) -> None:
    notebook.run("raise ModuleNotFoundError(\"No module named 'bs4'\")")
    assert "%pip install beautifulsoup4\n" in str(session.fix(notebook.failed).source)


def test_what_has_no_change_is_said(notebook: Notebook, session: Session) -> None:
    notebook.run("raise RuntimeError('the pump is dry')")
    fix = session.fix(notebook.failed)
    assert fix.source is None
    assert "no code" in fix.problem
