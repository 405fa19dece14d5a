"""What is taken of a reply: code that is the whole cell, changed, and can be parsed; all else is said and not taken."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from tests.render.hostile import HOSTILE
from tests.render.page import FRAME, Page
from tests.render.test_hostile import is_terminal_safe
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.failures.cells import NotebookCell
from tetrate_jupyter.failures.change import Fix
from tetrate_jupyter.failures.collected import Failure
from tetrate_jupyter.failures.parts import Part, Sent
from tetrate_jupyter.types import Timing, Usage

if TYPE_CHECKING:
    from tests.failures.conftest import Notebook

SOURCE = "%matplotlib inline\n# the totals\nfiles = !ls\ntotal = 0\nfor n in values:\n    total += n\nprint(totl)"
MENDED = SOURCE.replace("totl", "total")
OTHER = "def mean(xs):\n    return sum(xs) / len(xs)"
SENT = Sent((Part("cell 3", "7 lines", "the <cell>"), Part("task", "", "fix it")))


def fix_of(
    text: str, source: str = SOURCE, others: tuple[NotebookCell, ...] = (), shell: Any = None, **members: Any
) -> Fix:
    answer = Answer(text, "m", "m", Usage(3, 5), Timing(0.5, 1.5), **members)
    failure = Failure("NameError", NotebookCell(3, source), others, (), 0, (), (), ())
    return Fix.read(answer, failure, SENT, shell)


@pytest.mark.parametrize(
    "reply",
    [
        f"A slip.\n\n```python\n{MENDED}\n```",
        f"A slip.\n```\n{MENDED}\n```\n",
        f"A slip.\r\n\r\n```py\r\n{MENDED}\r\n```\r\n",
        f"~~~python\n{MENDED}\n~~~\nA slip.",
        f"It was:\n```python\n{SOURCE}\n```\nand becomes:\n```python\n{MENDED}\n```",
        f"The line\n```python\nprint(total)\n```\nand so the cell:\n```python\n{MENDED}\n```",
        f"```text\nNameError\n```\n```python\n{MENDED}\n```\n```output\n6\n```",
        f"1. Here:\n\n   ```python\n{chr(10).join('   ' + line for line in MENDED.split(chr(10)))}\n   ```",
        "{" + f'"explanation": "A slip.", "source": {MENDED!r}'.replace("'", '"') + "}",
    ],
)
def test_the_whole_changed_cell_is_taken(reply: str) -> None:
    found = fix_of(reply)
    assert found.source == MENDED
    assert found.problem == ""
    assert found.cell == 3
    assert found.original == SOURCE
    assert found.diff.split("\n")[-2:] == ["-print(totl)", "+print(total)"]
    assert MENDED not in found.explanation
    assert repr(found) == "<Fix of cell 3: 1 lines added, 1 removed>"


@pytest.mark.parametrize(
    ("reply", "says", "members"),
    [
        ("The name is wrong.", "no code", {}),
        ("", "no code", {}),
        ("```text\nNameError: totl\n```", "no code", {}),
        ("```diff\n-print(totl)\n+print(total)\n```", "no code", {}),
        (f"```python\n{MENDED}", "broke off", {}),
        (f"```python\n{MENDED}\n```", "broke off", {"finish_reason": "length"}),
        (f"```python\n{MENDED}\n```", "broke off", {"partial": "stopped"}),
        ("", "refused", {"refusal": "I can't help with that."}),
        (f"```python\n{MENDED}(\n```", "isn't Python", {}),
        ("```python\n\n```", "empty", {}),
        (f"```python\n{SOURCE}\n```", "as it stands", {}),
        (f"```python\n{SOURCE}\n\n```", "as it stands", {}),
        ("```python\nprint(total)\n```", "only a part", {}),
        ("```python\n# ... existing code ...\nfor n in values:\n    total += n\nprint(total)\n```", "leaves parts", {}),
        ("```python\n%matplotlib inline\n# rest of the cell stays\nprint(total)\n```", "leaves parts", {}),
        ("```python\nimport flask\napp = flask.Flask('web')\napp.run()\nprint('so')\n```", "nothing to do", {}),
        (f"```python\n{MENDED}\x00\n```", "holds a NUL", {}),
        (f"```python\ntotal = {'(' * 5_000}{')' * 5_000}\n```", "isn't Python", {}),
        (f"```python\n{MENDED}\n{'x = 1' + chr(10)}{'y = 2' * 50_000}\n```", "characters|nothing", {}),
        ('{"source": 3}', "no code", {}),
        ("{" * 100_000, "no code", {}),
    ],
)
def test_what_can_not_be_used_is_said_and_not_taken(reply: str, says: str, members: dict[str, Any]) -> None:
    found = fix_of(reply, **members)
    assert found.source is None
    assert found.diff == ""
    assert any(word in found.problem for word in says.split("|")), found.problem
    assert found.problem in found.bundle()["text/plain"]
    assert found.explanation == reply.strip()
    assert "none" in repr(found)


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        ("1/0", "1/1"),
        ("pritn(x)", "print(x)"),
        ("nme", "name"),
        ("await fetch(1", "await fetch(1)"),
        ("%%time\ntotal = vals[3]", "%%time\ntotal = vals[2]"),
        ("%%bash\nsl -l", "%%bash\nls -l"),
        ("text = '''\n```\nx\n```\n'''\nprint(txt)", "text = '''\n```\nx\n```\n'''\nprint(text)"),
        ("x = '\\d'\nprint(y)", "x = '\\d'\nprint(x)"),
    ],
)
def test_cells_of_any_kind(source: str, mended: str) -> None:
    found = fix_of(f"So:\n````python\n{mended}\n````", source)
    assert (found.source, found.problem) == (mended, "")


def test_the_body_of_a_timed_cell_is_parsed_too() -> None:
    found = fix_of("```python\n%%time\ntotal = vals[2\n```", "%%time\ntotal = vals[3]")
    assert "isn't Python" in found.problem


def test_the_shells_own_transformers_decide_what_is_python(notebook: Notebook) -> None:
    source = "total = 3 kilo\nprint(totl)"
    assert fix_of("```python\ntotal = 3 kilo\nprint(total)\n```", source, shell=notebook.shell).source is None
    notebook.shell.input_transformers_post.append(lambda lines: [line.replace(" kilo", "_000") for line in lines])
    assert fix_of("```python\ntotal = 3 kilo\nprint(total)\n```", source, shell=notebook.shell).source is not None


def test_a_transformer_that_breaks_breaks_nothing(notebook: Notebook) -> None:
    def broken(_: list[str]) -> list[str]:
        raise SystemError("no")

    notebook.shell.input_transformers_post.append(broken)
    found = fix_of(f"```python\n{MENDED}\n```", shell=notebook.shell)
    assert "isn't Python (no)" in found.problem


def test_a_change_of_the_cell_that_was_called_is_for_that_cell() -> None:
    mended = OTHER.replace("/ len(xs)", "/ len(xs) if xs else 0")
    found = fix_of(f"Empty.\n```python\n{mended}\n```", "mean([])", (NotebookCell(2, OTHER),))
    assert (found.cell, found.original, found.source) == (2, OTHER, mended)
    found = fix_of("Empty.\n```python\nmean([1])\n```", "mean([])", (NotebookCell(2, OTHER),))
    assert found.cell == 3


def test_it_shows_explanation_change_and_what_was_sent() -> None:
    found = fix_of(f"The name has a *slip*.\n```python\n{MENDED}\n```")
    shown = found.bundle()
    page = Page(shown["text/html"].partition("</style>")[2], FRAME)
    assert page.faults == []
    assert "Sent: cell 3 (7 lines)" in page.text
    assert "the <cell>" in page.text
    assert "<em>slip</em>" in shown["text/html"]
    assert '<span class="gd">-print(totl)' in shown["text/html"]
    assert '<span class="gi">+print(total)' in shown["text/html"]
    assert "-print(totl)\n+print(total)" in shown["text/plain"]
    assert "%tetrate_fix --apply" in shown["text/plain"]
    assert "3 → 5 tokens" in shown["text/plain"]
    assert found.cost is None


def test_what_hides_in_a_change_is_spelled_out() -> None:
    mended = MENDED + "  # \u202e evil \u200b"
    found = fix_of(f"```python\n{mended}\n```")
    assert found.source == mended
    assert "⟦U+202E⟧ evil ⟦U+200B⟧" in found.diff


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_replies_and_cells_are_shown_safely(name: str) -> None:
    text = HOSTILE[name][:5_000]
    cell = f"x = {text!r}\nprint(y)"
    mended = cell.replace("print(y)", "print(x)") + f"\n# {text.splitlines()[0] if text.splitlines() else ''}"
    for found in (fix_of(text, cell), fix_of(f"{text}\n\n``````python\n{mended}\n``````", cell)):
        shown = found.bundle()
        assert Page(shown["text/html"].partition("</style>")[2], FRAME).faults == []
        assert is_terminal_safe(shown["text/plain"])
        assert is_terminal_safe(repr(found))


def test_it_can_be_kept() -> None:
    found = fix_of(f"A slip.\n```python\n{MENDED}\n```")
    assert pickle.loads(pickle.dumps(found)) == found
    assert copy.deepcopy(found) == found


def test_a_reply_of_very_many_blocks_is_read_in_part() -> None:
    found = fix_of("```python\nx = 1\n```\n\n" * 20_000)
    assert found.source is None
