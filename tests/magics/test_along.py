"""Words with "@" in the magics' prompts: what arrives at the router, what is said, what Tab offers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.kernels import CountingKernel
from tetrate_jupyter import config
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.failures.cells import last_error
from tetrate_jupyter.magics.context import CellIds
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.md").write_text("buy milk {total} @above", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(router: SandboxRouter) -> list[str]:
    return [r.body["messages"][-1]["content"] for r in router.requests if r.path.endswith("/chat/completions")]


def run(shell: InteractiveShell, *cells: str) -> bool:
    results = [shell.run_cell(cell, store_history=True) for cell in cells]  # all of them, also after one that fails
    return all(result.success for result in results)


def test_cells_and_files_arrive_below_the_question(
    shell: InteractiveShell, router: SandboxRouter, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = "%%tetrate -o answer\nAdd {total} to @[1] and @above, see @data/notes.md; not \\@above nor a@b.c"
    assert run(shell, "total = 41", "total + 1", cell)
    (prompt,) = asked(router)
    question, material = prompt.split("\n\n", 1)
    assert question == "Add 41 to @[1] and @above, see @data/notes.md; not @above nor a@b.c"
    assert "@[1]: cell In[1], 1 line\nCell In[1]:\n```python\ntotal = 41\n```" in material
    assert "@above: cell In[2]" in material
    assert material.endswith("@data/notes.md: file, 23 bytes\n```md\nbuy milk {total} @above\n```")
    said = capsys.readouterr().out
    assert "With the question: @[1] (1 line), @above (1 line, output 1 line), @data/notes.md (23 bytes)." in said
    assert session.history[0].user.content == prompt  # what was sent
    assert session.history[0].user.typed == cell.split("\n", 1)[1]


def test_the_line_form_and_the_last_error(shell: InteractiveShell, router: SandboxRouter) -> None:
    run(shell, "rows = [1, 2]\nrows[7]", "fine = 1")
    assert run(shell, "%tetrate Why @error?")
    (prompt,) = asked(router)
    assert prompt.startswith("Why @error?\n\n")
    assert "IndexError: list index out of range" in prompt
    assert "rows[7]" in prompt
    assert "in at most 120 words" not in prompt  # another question's task


def test_what_a_prompt_that_fails_raises_is_not_the_error_that_it_names(
    shell: InteractiveShell, router: SandboxRouter
) -> None:
    run(shell, "rows = [1, 2]\nrows[7]")
    assert not run(shell, "%tetrate -m no-such-model Why @error?")
    assert isinstance(last_error(shell), IndexError)
    assert run(shell, "%tetrate Why @error?")
    assert "IndexError" in asked(router)[-1]


def test_running_the_same_prompt_again_sends_the_same(shell: InteractiveShell, router: SandboxRouter) -> None:
    assert run(shell, "total = 41", *["%%tetrate\nexplain @above"] * 3)
    assert asked(router)[0] == asked(router)[1] == asked(router)[2]
    assert "total = 41" in asked(router)[0]


def test_a_prompt_of_the_history_is_text(shell: InteractiveShell, router: SandboxRouter) -> None:
    assert run(shell, "total = 41", "%%tetrate\nexplain @[1]", "%%tetrate\nsum up @notebook")
    material = asked(router)[-1]
    assert "```\n%%tetrate\nexplain @[1]\n```" in material
    assert material.count("total = 41") == 1


@pytest.mark.parametrize("word", ["@[99]", "@above", "@notebook", "@error", "@./gone.md", "@../x.md", "@data/"])
def test_what_cannot_be_had_is_an_error_before_anything_is_sent(
    shell: InteractiveShell, router: SandboxRouter, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("last_value", "last_exc"):
        monkeypatch.delattr(f"sys.{name}", raising=False)
    with pytest.raises(AttachmentError) as raised:
        shell.run_cell_magic("tetrate", "", f"explain {word}")
    assert f"\\{word}" in raised.value.next_step
    shell.run_cell_magic("tetrate", "", f"explain \\{word}")
    shell.run_cell_magic("tetrate", "-n", f"explain {word}")
    assert asked(router) == [f"explain {word}"] * 2


def test_a_key_is_refused(shell: InteractiveShell, router: SandboxRouter, here: Path) -> None:
    (here / "settings.txt").write_text("key: sk-Zt5Rk2Wq8Lm1Xv7abc", encoding="utf-8")
    for word in ("@settings.txt", "@above"):
        result = shell.run_cell("x = 'sk-Zt5Rk2Wq8Lm1Xv7abc'", store_history=True)
        assert result.success
        with pytest.raises(SecretInPromptError):
            shell.run_cell_magic("tetrate", "", f"explain {word}")
    assert asked(router) == []


def test_text_without_such_words_arrives_as_it_is(shell: InteractiveShell, router: SandboxRouter) -> None:
    text = "@property\ndef f(self): ...\n\nmail a@b.c, @types/node, @app.route('/'), @someone, \\@foo `@above` @ alone"
    shell.run_cell_magic("tetrate", "", text)
    assert asked(router) == [text]


def test_a_word_that_is_kept_literal_stands_in_the_conversation_as_it_was_typed(
    shell: InteractiveShell, router: SandboxRouter, session: Session
) -> None:
    assert run(shell, "%%tetrate\nwhat is \\@error?")
    assert asked(router) == ["what is @error?"]
    assert session.history[0].user.typed == "what is \\@error?"


def test_a_slip_is_said(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell_magic("tetrate", "", "sum up @data/note.md")
    assert "@data/note.md isn't a file here and stays as typed. Did you mean @data/notes.md?" in capsys.readouterr().out


def test_what_was_cut_is_said(shell: InteractiveShell, router: SandboxRouter, here: Path) -> None:
    (here / "long.txt").write_text("word " * 40_000, encoding="utf-8")
    shell.run_cell_magic("tetrate", "-o answer", "sum up @long.txt")
    assert "@long.txt: 60,000 of 200,000 bytes sent" in shell.user_ns["answer"].notices
    assert len(asked(router)[0]) < 61_000


def test_a_comparison_sends_them_to_each_model(shell: InteractiveShell, router: SandboxRouter) -> None:
    assert run(shell, "total = 41", "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna --wait\nexplain @above")
    first, second = asked(router)
    assert first == second
    assert "```python\ntotal = 41\n```" in first


def test_a_dry_run_shows_them(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shell, "total = 41", "%%tetrate --dry-run\nexplain @above")
    assert "total = 41" in capsys.readouterr().out
    assert asked(router) == []


def test_from_python_text_is_text(session: Session, router: SandboxRouter) -> None:
    session.ask("explain @data/notes.md and @above")
    assert asked(router) == ["explain @data/notes.md and @above"]


def test_which_runs_were_of_the_running_cell(shell: InteractiveShell) -> None:
    cells = CellIds(shell)
    try:
        for name in ("a", "b", "a"):
            shell.run_cell("1", store_history=True, cell_id=name)
        shell.run_cell("seen = []", store_history=True)
        shell.user_ns["cells"] = cells
        shell.run_cell("seen += [cells.is_running, *map(cells.is_this, range(1, 6))]", store_history=True, cell_id="a")
        assert shell.user_ns["seen"] == [True, True, False, True, None, None]
        shell.run_cell("seen.append(cells.is_running)", store_history=False)
        assert shell.user_ns["seen"][-1] is False
        ids = "ids = [cells.next(), cells.next(counts=False), cells.next()]"  # what isn't asked takes no id of the next
        shell.run_cell(ids, store_history=True, cell_id="a")
        assert shell.user_ns["ids"] == ["a", "a#2", "a#2"]
        for number in range(3_000):
            cells._after(SimpleNamespace(execution_count=number, info=SimpleNamespace(cell_id="x", store_history=True)))
        assert len(cells._runs) <= 2_000
    finally:
        cells.close()


def test_a_cell_that_ipython_leaves_out_of_its_history_moves_no_other(
    shell: InteractiveShell, router: SandboxRouter
) -> None:
    left_out = "get_ipython().run_line_magic('config', 'TetrateMagics.footer = True')  # paste"
    numbers = {}
    for cell in ("first = 1", left_out, "third = 3", "fourth = 4"):
        numbers[cell] = shell.run_cell(cell, store_history=True).execution_count  # some IPythons count it, some don't
    del numbers[left_out]
    for cell, number in numbers.items():
        assert run(shell, f"%tetrate explain @[{number}]")
        assert f"Cell In[{number}]:\n```python\n{cell}\n```" in asked(router)[-1]


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_tab_offers_them_with_what_each_is(shell: InteractiveShell) -> None:
    run(shell, "total = 41\ntotal", "1 / 0")

    def offered(text: str) -> dict[str, str]:
        return {c.text: c.type for c in shell.Completer.completions(text, len(text))}

    every = offered("%%tetrate -t 0\nSee @")
    assert list(every) == ["@above", "@notebook", "@error", "@[2]", "@[1]", "@data/"]  # not by the alphabet
    assert every["@[1]"] == "2 lines: total = 41"
    assert every["@error"] == "ZeroDivisionError"
    assert offered("%tetrate see @data/n") == {"@data/notes.md": "23 bytes"}
    assert offered("%%tetrate_compare\n@[1") == {"@[1]": "2 lines: total = 41"}
    for text in ("%%tetrate\nmail a@", "x = a @", "%timeit @", "@", "%tetrate_model @", "%%tetrate\n\\@ab"):
        assert not {"@above", "@data/"} & set(offered(text))


@pytest.mark.slow
def test_in_a_real_kernel(here: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with CountingKernel(environment) as kernel:
            kernel.run(f"%cd -q {here}\n%load_ext tetrate_jupyter\n%config TetrateMagics.model='claude-haiku-4-5'")
            assert kernel.run("print('hello')\ntotal = 41\ntotal + 1").status == "ok"
            number = "".join(kernel.run("print(max(Out))").texts).strip()
            assert kernel.run(f"%%tetrate\nexplain @[{number}] and @data/notes.md").status == "ok"
            prompt = asked(router)[-1]
            assert f"Cell In[{number}]:\n```python\nprint('hello')\ntotal = 41\ntotal + 1\n```" in prompt
            assert "42\n```" in prompt
            assert prompt.endswith("@data/notes.md: file, 23 bytes\n```md\nbuy milk {total} @above\n```")
            ran = kernel.run("%%tetrate\nexplain @[4711]")
            assert ran.status == "error"
            assert "names no cell that ran in this kernel" in ran.texts[-1]
            found = kernel.complete("%%tetrate\nexplain @")
            assert {"@above", "@notebook", f"@[{number}]", "@data/"} <= found.keys()
            assert found[f"@[{number}]"].startswith("3 lines: print(")
