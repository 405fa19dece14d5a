"""Answers as a reader meets them in a real JupyterLab: growing, stopped, in the dark, on a narrow page, by keyboard."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell
    from tetrate_jupyter.sandbox import SandboxRouter

ENOUGH = 4.5  # WCAG 2.2, 1.4.3
FOCUSED_IN_ANSWER = "document.activeElement.closest('.tetrate-answer') !== null"
LOAD = "%load_ext tetrate_jupyter"
ENDLESS_PROMPT = "chunks=100000 size=20 interval=0.02"
ENDLESS = f"%%tetrate -m sandbox/stream --new\n{ENDLESS_PROMPT}"
WHOLE = "%%tetrate -m sandbox/stream --new\nchunks=60 size=20 interval=0.02"
ALL_KINDS = """\
# Heading

A paragraph with *emphasis*, `code`, a [link](https://example.com/one), ~~struck~~ and $x^2 + \\frac{1}{2}$.

> A quote with `code` in it

- one [two](https://example.com/two)
  1. three

| Name | Number |
|---|--:|
| `a` | 1 |
| [three](https://example.com/three) | 2 |

```python
# a comment
def f(x: int = 0x1F) -> str:
    return f"{x!r}" + 'text' if x is not None else None
```

```diff
-old
+new
```

$$\\sum_{i=1}^n i$$

![picture](https://example.com/four.png) and <b>raw</b>
"""
WIDE = "| " + " | ".join(f"column {n}" for n in range(40)) + " |\n" + "|---" * 40 + "|\n" + "| cell" * 40 + " |\n\n"
LONG = f"```text\n{'a long line ' * 60}\n```\n\n{'w' * 400}\n\n`{'c' * 400}`\n\n$${'x+' * 200}y$$\n"
ECHO = "%%tetrate -m sandbox/echo --new\n{{{}}}"
CUT = "%%tetrate -m sandbox/fault-length --new\nWrite."
REASONED = "%%tetrate -m groq/openai/gpt-oss-20b --new\nWhat is 17 * 23?"


def test_an_answer_grows_before_the_eye_and_ends_whole(signed_in: None, opened: Opens) -> None:
    notebook = opened(LOAD, WHOLE)
    notebook[0].run()
    seen.watch(notebook[1].box)
    shown = notebook[1].run()
    grown = seen.texts(notebook.page)
    assert len(grown) > 3
    assert all(later.startswith(sooner.rstrip()) for sooner, later in pairwise(grown))
    assert "#0 lorem" in shown
    assert "#59 lorem" in shown
    expect(notebook[1].outputs).to_have_count(1)
    expect(notebook[1].outputs.locator(".tetrate-footer")).to_contain_text("sandbox/stream")


def test_the_stop_button_keeps_the_text_so_far_and_ends_the_request(
    signed_in: None, opened: Opens, lab_router: SandboxRouter
) -> None:
    notebook = opened(LOAD, ENDLESS, "print(6 * 7)", "%tetrate -m sandbox/echo --new Still here?")
    notebook[0].run()
    seen.watch(notebook[1].box)
    notebook[1].start()
    seen.wait_for_texts(notebook.page, 6)
    notebook.page.get_by_role("button", name="Interrupt the kernel").click()
    notebook[1].wait()

    lab_router.wait_for(lambda r: r.body is not None and ENDLESS_PROMPT in str(r.body) and r.hung_up_at is not None)
    kept = seen.texts(notebook.page)
    assert kept[-1].startswith(kept[5].rstrip())
    answer = notebook[1].outputs.locator(".tetrate-answer")
    expect(answer).to_have_count(1)
    expect(answer.locator(".tetrate-notice")).to_contain_text("Stopped")
    assert notebook[1].failures.inner_text().startswith("Stopped. The text so far is in _tetrate")
    assert notebook[2].run() == "42"
    assert "Still here?" in notebook[3].run()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_all_text_stands_out_from_what_is_behind_it(theme: str, signed_in: None, opened: Opens, lab: Lab) -> None:
    with lab.theme(theme):
        for cell in show_all(opened, lab):
            measured = seen.contrasts(cell.outputs.locator(".tetrate-answer"))
            assert measured
            assert [pale for pale in measured if pale[0] < ENOUGH] == []


def test_pale_text_would_be_found(page: Page) -> None:
    page.set_content(
        "<body style='background:#eee'><p style='color:#777'>pale</p><p style='color:#0008'>also</p><p>dark"
    )
    found = {where.split(": ")[1]: contrast for contrast, where in seen.contrasts(page.locator("body"))}
    assert 3.8 < found["pale"] < 3.9
    assert found["also"] < ENOUGH
    assert found["dark"] > 18


def test_a_narrow_page_does_not_scroll_sideways(signed_in: None, opened: Opens, lab: Lab) -> None:
    cells = show_all(opened, lab)
    page = cells[0].page
    page.set_viewport_size({"width": 520, "height": 900})
    page.get_by_role("tab", name="File Browser").click()  # folds the sidebar
    for cell in cells:
        cell.outputs.first.scroll_into_view_if_needed()
        box = cell.outputs.locator(".tetrate-answer").bounding_box()
        assert box
        assert 300 < box["width"] < 520
        assert seen.scrolling_sideways(page) == []
    table = cells[1].outputs.locator(".tetrate-scroll").first
    assert table.evaluate("e => e.scrollWidth > e.clientWidth")  # it scrolls by itself


def test_keys_go_through_an_answer_and_tables_have_headings(signed_in: None, opened: Opens, lab: Lab) -> None:
    kinds = show_all(opened, lab)[0]
    page = kinds.page
    links = kinds.outputs.get_by_role("link")
    expect(links).to_have_count(4)
    for key, start in (("Tab", links.first), ("Shift+Tab", links.last)):
        start.focus()
        assert page.evaluate(FOCUSED_IN_ANSWER)
        reached = 0
        while page.evaluate(FOCUSED_IN_ANSWER):
            page.keyboard.press(key)
            reached += 1
            assert reached < 20, "the focus can't leave the answer"
        assert reached >= 4
    headings = kinds.outputs.get_by_role("table").get_by_role("columnheader")
    assert headings.all_inner_texts() == ["Name", "Number"]
    assert kinds.outputs.get_by_role("heading", name="Heading").count() == 1


def show_all(opened: Opens, lab: Lab) -> list[Cell]:
    """Run cells that show every kind of content there is; give those cells."""
    (lab.folder / "texts.json").write_text(json.dumps([ALL_KINDS, WIDE + LONG]))
    load = LOAD + "\nimport json\nkinds, wide = json.load(open('texts.json'))"
    notebook = opened(load, ECHO.format("kinds"), ECHO.format("wide"), CUT, REASONED, "%tetrate_models --table")
    cells = notebook.cells
    for cell in cells:
        cell.run()
    cells[4].outputs.get_by_text("Reasoning", exact=True).click()
    return cells[1:]
