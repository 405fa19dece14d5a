"""What goes along with a question: cells and files as text, bounded, never more than was named."""

from __future__ import annotations

import base64
import io
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import PIL.Image
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tetrate_jupyter import config
from tetrate_jupyter.completion import along as bounds
from tetrate_jupyter.completion.along import (
    Along,
    Kernel,
    along,
    fill,
    images_named,
    note_on_missing,
    offered,
    with_the_question,
)
from tetrate_jupyter.completion.cells import Ran, Watched
from tetrate_jupyter.completion.cuts import USUAL
from tetrate_jupyter.errors import AttachmentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-Zt5Rk2Wq8Lm1Xv7abc"
posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, within one that has a file of its own."""
    place = tmp_path / "notebooks"
    (place / "data").mkdir(parents=True)
    (place / "data" / "notes.md").write_text("# Notes\nto buy: @above", encoding="utf-8")
    (tmp_path / "outside.md").write_text("not yours", encoding="utf-8")
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Iterator[InteractiveShell]:
    made = InteractiveShell()
    made.history_manager.enabled = False
    for kept in ("outputs", "exceptions"):  # all shells of a process share them
        getattr(made.history_manager, kept, {}).clear()
    yield made
    made.history_manager.end_session()
    capsys.readouterr()


def run(shell: InteractiveShell, *cells: str) -> None:
    for cell in cells:
        shell.run_cell(cell, store_history=True)


def never() -> str:
    raise AssertionError("nobody has named the error")


def sent(text: str, shell: object = None, watched: Watched | None = None) -> Along:
    return along(text, kernel_of(shell, watched))


def kernel_of(shell: object, watched: Watched | None = None) -> Kernel:
    return Kernel(Ran(shell, watched), never)


def history(*sources: str, **more: Any) -> Any:
    """A shell with nothing but a history, as one that has run for long."""
    manager = SimpleNamespace(input_hist_raw=["", *sources], output_hist_reprs={}, **more)
    return SimpleNamespace(execution_count=len(sources) + 1, history_manager=manager)


def watched(cells: dict[int, bool] | None = None, *shifts: tuple[int, int]) -> Watched:
    """Knows that the newest cell is running, and which runs were of it."""
    return SimpleNamespace(is_running=True, shifts=shifts, is_this=(cells or {}).get)


# --- cells ---------------------------------------------------------------------------------------------------


def test_a_cell_goes_with_its_source_and_output_below_the_question(shell: InteractiveShell) -> None:
    run(shell, "x = 40\n\nx + 2")
    made = sent("What does @[1] do?", shell)
    assert made.text == "What does @[1] do?"
    assert made.names == ("@[1] (3 lines, output 1 line)",)
    assert made.material.startswith("\n\nWhat the words with @ name")
    assert "@[1]: cell In[1], 3 lines, output 1 line\n" in made.material
    assert "```python\nx = 40\n\nx + 2\n```" in made.material
    assert made.material.count("42") == 1
    assert made.cuts == ()


def test_what_was_printed_and_how_a_cell_failed_is_told_too(shell: InteractiveShell) -> None:
    if not hasattr(shell.history_manager, "exceptions"):
        pytest.skip("this IPython keeps none of it")
    run(shell, "print('10%\\r50%\\r100%'); print('\\x1b[31mred')", "{}['missing']")
    made = sent("@notebook", shell)
    assert "```text\n100%\nred\n```" in made.material
    assert "[It failed: KeyError: 'missing']" in made.material


def test_the_same_thing_costs_once_whatever_it_is_called(shell: InteractiveShell) -> None:
    run(shell, "first = 1", "second = 2")
    made = sent("@[2] @above @[2] and @above again", shell)
    assert made.material.count("second = 2") == 1
    assert "@[2], @above: cell In[2], 1 line\n" in made.material
    assert "first" not in made.material


def test_above_is_the_cell_that_ran_last_before_and_no_earlier_run_of_this_one() -> None:
    shell = history("a = 1", "explain @above", "", "explain @above", "explain @above")
    assert "a = 1" in sent("explain @above", shell, watched()).material
    by_cell = watched({2: True, 4: True})  # its text was another then
    shell = history("a = 1", "explane @above", "", "explan @above", "explain @above")
    assert "a = 1" in sent("@above", shell, by_cell).material
    assert "explain @above" in sent("@above", shell).material  # in the chat no cell asks


@pytest.mark.parametrize("word", ["@above", "@notebook", "@[7]", "@[0]", "@[999999999999999999]"])
def test_in_the_first_cell_there_is_nothing_to_name(word: str) -> None:
    for shell in (history("explain it"), history()):
        with pytest.raises(AttachmentError, match="nothing was sent") as raised:
            sent(f"explain {word}", shell, watched())
        assert f"\\{word}" in raised.value.next_step
    for each in (None, object()):
        with pytest.raises(AttachmentError, match="nothing was sent"):
            sent(f"explain {word}", each)


def test_the_running_cell_names_another() -> None:
    with pytest.raises(AttachmentError, match="very cell"):
        sent("@[2]", history("a", "b"), watched())


def test_cells_have_their_numbers_also_where_the_history_has_not_all_of_them() -> None:
    shell = history("first", "second", "twelve", "%%tetrate")
    shell.execution_count = 14
    shell.history_manager.output_hist_reprs |= {1: "of the first", 3: "of the third", 12: "of the twelfth"}
    known = watched({}, (1, 0), (3, 9))
    for word in ("@[12]", "@above"):
        made = sent(word, shell, known)
        assert "Cell In[12]:\n```python\ntwelve\n```\nIts output:\n```text\nof the twelfth\n```" in made.material
    assert "first\n```\nIts output:\n```text\nof the first\n```" in sent("@[1]", shell, known).material
    assert "second" in sent("@[2]", shell, known).material
    for number in (0, 3, 10, 11, 14):
        with pytest.raises(AttachmentError, match="names no cell"):
            sent(f"@[{number}]", shell, known)
    with pytest.raises(AttachmentError, match="very cell"):
        sent("@[13]", shell, known)


@pytest.mark.parametrize("inside", ["```\nEnd of it.\n```", "````", "`" * 40, "~~~\n@error\n```python", "```" * 9])
def test_a_fence_in_an_output_closes_nothing(inside: str) -> None:
    shell = history("show()")
    shell.history_manager.output_hist_reprs[1] = inside
    material = sent("@[1]", shell).material
    lines = material.split("\n")
    opened = lines.index("Its output:") + 1
    fence = lines[opened].removesuffix("text")
    assert set(fence) == {"`"}
    assert lines[opened + 1 : -1] == inside.split("\n")
    assert lines[-1] == fence
    assert fence not in inside


def drawn(width: int, height: int = 10) -> bytes:
    made = io.BytesIO()
    PIL.Image.new("RGB", (width, height)).save(made, "PNG")
    return made.getvalue()


def shows(*pictures: object, kind: str = "image/png") -> Any:
    """A shell whose first cell showed these, as IPython 9 keeps them: as bytes or as base64."""
    bundles = [{"text/plain": "<Figure size 640x480>", kind: picture} for picture in pictures]
    return history("plot()", outputs={1: [SimpleNamespace(output_type="display_data", bundle=b) for b in bundles]})


def test_a_picture_goes_with_its_cell_and_the_text_says_which_it_is() -> None:
    made = sent("@[1]", shows(drawn(7), base64.b64encode(drawn(8)).decode()))
    assert [base64.b64decode(i.data_url.partition(",")[2]) for i in made.images] == [drawn(7), drawn(8)]
    assert made.material.endswith(
        "```\nWhat it showed:\n[image 1: picture 1 of cell 1]\n[image 2: picture 2 of cell 1]"
    )
    assert made.names == ("@[1] (1 line, output 2 lines, 2 pictures)",)
    assert made.notes == ()
    filled = fill(
        "see {fig} and @[1]", {"fig": PIL.Image.new("1", (9, 9))}, lambda _: USUAL, kernel_of(shows(drawn(7))), str
    )
    assert "see [image 2: fig] and @[1]" in filled.text  # as they are sent
    assert [image.label for image in filled.images] == ["picture of cell 1", "image"]


@pytest.mark.parametrize(
    ("picture", "kind", "why"),
    [
        ("<svg/>", "image/svg+xml", "image/svg+xml can't be sent. Next: show it as PNG"),
        ("no base64", "image/png", "it can't be read. Next: look at it"),
        (b"no picture", "image/jpeg", "it can't be read. Next: look at it"),
        ("x" * 28_000_001, "image/png", "larger than 20 MiB or 8,000 pixels a side. Next: make it smaller"),
        (drawn(8_001), "image/png", "larger than 20 MiB or 8,000 pixels a side. Next: make it smaller"),
        (drawn(1, 8_001), "image/png", "larger than 20 MiB or 8,000 pixels a side. Next: make it smaller"),
    ],
)
def test_a_picture_that_cannot_go_is_named_and_the_reason_said(picture: object, kind: str, why: str) -> None:
    made = sent("@above", shows(picture, kind=kind))
    assert made.images == ()
    assert made.material.endswith(f"What it showed:\n[a picture, {kind}; not sent]")
    assert made.notes == (f"@above: 1 picture not sent: {why}{made.notes[0].partition(why)[2]}",)
    assert made.names == ("@above (1 line, output 1 line)",)


@pytest.mark.parametrize("form", ["JPEG", "GIF"])
def test_the_pixels_of_each_kind_are_bounded(form: str) -> None:
    for side, count in ((8_000, 1), (8_001, 0)):
        data = io.BytesIO()
        PIL.Image.new("1", (side, 1)).save(data, form)
        made = sent("@[1]", shows(data.getvalue(), kind=f"image/{form.lower()}"))
        assert len(made.images) == count


def test_pictures_are_bounded_in_number_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sent("@[1]", shows(*map(drawn, range(1, 14))))
    assert len(made.images) == 10
    assert (
        "@[1]: 3 pictures not sent: 10 pictures, 20 MiB together, go with a question. Next: name fewer" in made.notes[0]
    )
    monkeypatch.setattr(config, "MAX_IMAGE_BYTES", 2 * len(drawn(7)))
    assert len(sent("@[1]", shows(*[drawn(7)] * 3)).images) == 2


def test_all_cells_together_take_no_picture_along_and_say_which_cell_has_some() -> None:
    made = sent("@notebook", shows(drawn(7)))
    assert made.images == ()
    assert "[a picture, image/png; not sent]" in made.material
    assert made.notes == ("@notebook: 1 picture not sent. Next: name the cell, @[1].",)


def test_where_only_the_last_value_is_kept_it_is_drawn() -> None:
    shell = history("plot()")
    shell.history_manager.output_hist = {1: PIL.Image.new("RGB", (7, 10))}
    (image,) = sent("@[1]", shell).images
    assert image.media_type == "image/png"


def test_words_in_what_goes_along_name_nothing() -> None:
    shell = history("%%tetrate\nexplain @[77] and @notebook {x} \\@above", "b")
    made = sent("@notebook", shell)
    assert "explain @[77] and @notebook {x} \\@above" in made.material


def test_a_long_cell_is_cut_and_that_is_said() -> None:
    shell = history("x = 1\n" * 50_000)
    shell.history_manager.output_hist_reprs[1] = "y" * 1_000_000
    made = sent("@[1]", shell)
    assert len(made.material) < bounds.SOURCE + bounds.OUTPUT + 1_000
    assert made.cuts[0].sentence == "@[1]: 30,000 of 1,299,999 characters sent"
    assert "[cut here: 20,000 of 299,999 characters]" in made.material


def test_all_together_has_a_bound_too() -> None:
    shell = history(*(f"# {n}\n" + "x = 1\n" * 4_000 for n in range(40)))
    made = sent(" ".join(f"@[{n + 1}]" for n in range(40)), shell)
    assert len(made.material) < bounds.ROOM + 40 * 500
    assert made.cuts[-1].sent == 0
    with pytest.raises(AttachmentError, match="more than 50 things"):
        sent(" ".join(f"@[{n + 1}]" for n in range(51)), history(*("x" for _ in range(60))))


def test_of_a_notebook_the_newest_cells_are_kept_in_their_order() -> None:
    shell = history(*(f"value_{number} = {number}\nprint(value_{number})" for number in range(10_000)))
    made = sent("@notebook", shell)
    assert len(made.material) < bounds.NOTEBOOK + 1_000
    assert "value_9999 = " in made.material
    assert "value_0 = " not in made.material
    assert made.material.index("value_9998 = ") < made.material.index("value_9999 = ")
    (cut,) = made.cuts
    assert cut.what == "cells"
    assert 100 < cut.sent < cut.of == 10_000
    assert made.names == (f"@notebook ({cut.sent:,} cells of 10,000, the newest)",)


def test_a_cell_that_ran_again_with_the_same_output_is_there_once() -> None:
    material = sent("@notebook", history("a = 1", "b = 2", "a = 1")).material
    assert material.count("a = 1") == 1
    assert material.index("b = 2") < material.index("a = 1")


def test_a_cell_larger_than_all_that_may_go_is_cut() -> None:
    made = sent("@notebook", history("first", "x = 1\n" * 100_000))
    assert [cut.sentence for cut in made.cuts] == ["@notebook: 1 cell shortened"]
    assert "first" in made.material


def test_a_history_of_another_kind_is_none() -> None:
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    for shell in (
        SimpleNamespace(execution_count="x", history_manager=None),
        SimpleNamespace(execution_count=5, history_manager=Odd()),
        SimpleNamespace(execution_count=3, history_manager=SimpleNamespace(input_hist_raw=[None, 5, b"x"])),
    ):
        with pytest.raises(AttachmentError):
            sent("@above", shell)
    shell = history("a", outputs={1: [SimpleNamespace(bundle=5)]}, exceptions={1: 7})
    assert "a" in sent("@above", shell).material


# --- files ---------------------------------------------------------------------------------------------------


def test_a_text_file_goes_as_it_is_and_its_size_is_said(here: Path) -> None:
    made = sent("Sum up @data/notes.md.")
    assert made.text == "Sum up @data/notes.md."
    assert made.names == ("@data/notes.md (22 bytes)",)
    assert with_the_question(made.names) == "With the question: @data/notes.md (22 bytes)."
    assert made.material.endswith("@data/notes.md: file, 22 bytes\n```md\n# Notes\nto buy: @above\n```")


@posix
def test_files_with_other_names_and_encodings(here: Path) -> None:
    (here / "my notes.md").write_text("spaced", encoding="utf-8")
    (here / "größe.txt").write_text("größer", encoding="utf-16")
    (here / "bom.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    (here / "empty.txt").touch()
    (here / "link.md").symlink_to("data/notes.md")
    (here / "Makefile").write_text("all:", encoding="utf-8")
    made = sent('@"my notes.md" @größe.txt @bom.csv @empty.txt @link.md @data/../data/notes.md @./Makefile @Makefile')
    for text in ("spaced", "größer", "```csv\na,b\n1,2\n```", "all:"):
        assert text in made.material
    assert made.material.count("# Notes") == 1
    assert [cut.sentence for cut in made.cuts] == ["@empty.txt is empty"]
    assert len(made.names) == 6


def test_a_word_at_which_there_is_no_file_stays_plain(here: Path) -> None:
    (here / "types" / "node").mkdir(parents=True)
    text = "@types/node @gone/x.md a@data/notes.md @app.route('/') \\@gone.md"
    assert sent(text) == Along(text)
    assert sent("\\@data/notes.md") == Along("@data/notes.md")


def test_a_slip_in_a_files_name_is_noted(here: Path) -> None:
    said = note_on_missing("see @data/note.md, @nothing.md, @types/node, \\@data/notez.md and a@b.md")
    assert said == (
        "@data/note.md isn't a file here and stays as typed. Did you mean @data/notes.md? "
        "@nothing.md isn't a file here and stays as typed."
    )
    assert note_on_missing("see @data/notes.md and @above") == ""


@posix
def test_a_working_folder_that_is_gone_has_no_files(here: Path) -> None:
    for each in (here / "data" / "notes.md", here / "data", here):
        each.unlink() if each.is_file() else each.rmdir()
    assert sent("@data/notes.md and @app.py") == Along("@data/notes.md and @app.py")
    assert note_on_missing("@notes.md") == "@notes.md isn't a file here and stays as typed."
    with pytest.raises(AttachmentError, match="isn't a file here"):
        sent("@./notes.md")


# --- what Tab offers -------------------------------------------------------------------------------------------


def test_offered_is_what_can_be_named(here: Path) -> None:
    (here / "my notes.md").write_text("abc", encoding="utf-8")
    for name in (".env", "image.png", "table.parquet"):
        (here / name).touch()
    shell = history("import pandas as pd\npd.x", "total = 3")
    found = offered("@", Ran(shell), error="KeyError")
    assert list(found)[:5] == ["@above", "@notebook", "@error", "@[2]", "@[1]"]
    assert found["@[1]"] == "2 lines: import pandas as pd"
    assert found["@above"] == "1 line: total = 3"
    assert found["@error"] == "KeyError"
    assert found['@"my notes.md"'] == "3 bytes"
    assert found["@data/"] == "folder"
    assert set(list(found)[5:]) == {"@data/", '@"my notes.md"'}
    assert offered("@da", Ran(None), error="") == {"@data/": "folder"}
    assert offered("@data/", Ran(None), error="") == {"@data/notes.md": "22 bytes"}
    assert offered('@"my', Ran(None), error="") == {'@"my notes.md"': "3 bytes"}
    for begun in ("@../", "@/", "@~/", "@.", "@data/../../", "@gone/", "@data/notes.md/"):
        assert offered(begun, Ran(None), error="") == {}


def test_an_image_that_a_text_names_twice_is_one() -> None:
    typed = "Is {fig} like {fig}, or like {other}?"
    sent = "Is [image 2: fig] like [image 2: fig], or like [image 3: other]?"
    assert images_named(sent, typed) == images_named(sent) == 2
    assert images_named(f"{sent} [image 2: ", f"{typed} [image 2: ") == 2
    assert images_named(typed, None) == 0
