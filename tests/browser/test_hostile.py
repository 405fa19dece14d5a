"""Whatever a model answers, nothing in it acts: not as it streams, not in a notebook opened later, trusted or not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from playwright.sync_api import expect

from tests.render.hostile import BEACON, HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Notebook

# Where a host can't be read, JupyterLab makes the address a path on its own server.
HOSTS = [
    "%zz", "%25zz", "1.2.3.999", "1.2.3.4.5", "0x", "a.0xg", "09", "a.09", "xn--a", "xn--", "a..b", ".", "a:99999",
    "a:x", "[1::2::3]", "[::1%25eth0]", "a^b", "a|b", "a%00b", "a%2fb", "\uff05zz", "\u00ad", "\u2100", "a\u200bb",
    "x" * 64,
]  # fmt: skip
# What can be sent as a prompt, and so be echoed: half a surrogate can't, nor can nothing.
# Their size is no matter here.
TEXTS = [text[:5000].encode(errors="replace").decode() for text in HOSTILE.values() if text.strip()]
TEXTS += ["\n".join(f"[a](http://{host}/../logout) <http://{host}/../x> http://{host}/../y\n" for host in HOSTS)]
BATCH = 40  # answers in a cell; JupyterLab folds the outputs beyond 50
TRUSTED = ".jp-OutputArea-output.jp-mod-trusted"
LOAD = """\
get_ipython().config.TetrateMagics.greeting = False
%load_ext tetrate_jupyter
import json

def answer(start, end):
    global text
    for text in json.load(open("hostile.json"))[start:end]:
        get_ipython().run_cell_magic("tetrate", "-m sandbox/echo --new --no-keep", "{text}")
"""
LIVE = """\
from IPython.display import HTML
HTML('''<script>window.PWNED = 1; alert(1); document.title = "PWNED"</script><img src="http://beacon.invalid/x">
<p style="position: fixed" onclick="x()">covered</p><a href="javascript:x()">click</a>''')
"""

_STRANGE = """
() => {
    const bad = "script, img, iframe, object, embed, link, meta, base, form, input, button, textarea, select, svg,"
        + " video, audio, marquee, frameset, template, noscript, title, dialog, [src], [srcset], [style], [id],"
        + " [name], [action], [formaction], [data-commandlinker-command], [contenteditable], [popover], [autofocus]";
    const found = [];
    for (const output of document.querySelectorAll(".jp-OutputArea-output")) {
        const say = (e) => found.push(e.outerHTML.slice(0, 200));
        output.querySelectorAll(bad).forEach(say);
        for (const e of output.querySelectorAll("*")) {
            if ([...e.attributes].some((a) => a.name.startsWith("on"))) say(e);
            if (getComputedStyle(e).position === "fixed") say(e);
        }
        for (const a of output.querySelectorAll("a")) {
            if (!["http:", "https:", "mailto:"].includes(a.protocol) || a.target !== "_blank" ||
                a.host === location.host) say(a);
        }
    }
    return found;
}
"""
_FRAMES = """
() => [...document.querySelectorAll(".jp-OutputArea-output")].map(
    (output) => [...output.children].map((e) => `${e.tagName}.${e.classList[0] || ""}`).join(" ")
)
"""
_LOOKS = """
(footer) => [getComputedStyle(footer).fontSize, getComputedStyle(footer.previousElementSibling).fontSize]
"""


# JupyterLab gives its page another title whenever it likes.
_TITLES = """
const own = Object.getOwnPropertyDescriptor(Document.prototype, "title");
Object.defineProperty(document, "title", {
    configurable: true,
    get: () => own.get.call(document),
    set: (title) => { (window.TITLES ??= []).push(title); own.set.call(document, title); },
});
"""


@dataclass
class Acts:
    """What a page did that no answer may make it do."""

    page: Page
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_TITLES)
        self.page.on("dialog", self._take)
        self.page.context.on("page", lambda page: self.done.append(f"opened {page.url}"))
        self.page.context.on("request", lambda r: self.done.append(r.url) if BEACON in r.url else None)
        self.page.context.on("download", lambda download: self.done.append(f"download {download.url}"))

    def _take(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # JupyterLab's, for a notebook with changes
            dialog.accept()
            return
        self.done.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def all(self) -> list[str]:
        """Give them, with what can be read from the page now."""
        pwned: str | None = self.page.evaluate("window.PWNED && `PWNED is ${window.PWNED}`")
        titles = [*self.page.evaluate("window.TITLES ?? []"), self.page.title()]
        title = ["title PWNED"] if any("PWNED" in each for each in titles) else []
        return [*self.done, *([pwned] if pwned else []), *title]


@pytest.mark.usefixtures("signed_in")
def test_nothing_in_an_answer_acts_then_or_later(opened: Opens, lab: Lab, page: Page) -> None:
    acts = Acts(page)
    (lab.folder / "hostile.json").write_text(json.dumps(TEXTS))
    notebook = opened(LOAD, *(f"answer({start}, {start + BATCH})" for start in range(0, len(TEXTS), BATCH)))
    title = page.title()
    for cell in notebook.cells:
        cell.run()
    notebook.save()
    is_inert(notebook, acts)
    assert page.evaluate(_FRAMES) == ["STYLE. DIV.tetrate-answer"] * len(TEXTS)
    assert page.title() == title

    notebook.shut_down()
    without_kernel(notebook, lab, trusted=True)
    is_inert(notebook, acts)
    assert page.evaluate(_FRAMES) == ["STYLE. DIV.tetrate-answer"] * len(TEXTS)
    expect(page.locator(TRUSTED)).to_have_count(len(TEXTS))
    small, normal = notebook[1].outputs.locator(".tetrate-footer").first.evaluate(_LOOKS)
    assert float(small.removesuffix("px")) < float(normal.removesuffix("px"))

    without_kernel(notebook, lab, trusted=False)
    is_inert(notebook, acts)
    assert set(page.evaluate(_FRAMES)) == {"DIV.tetrate-answer"}  # JupyterLab has taken the styles away
    expect(page.locator(TRUSTED)).to_have_count(0)


def test_something_that_acts_would_be_found(opened: Opens, page: Page) -> None:
    acts = Acts(page)
    notebook = opened(LIVE)
    notebook[0].run()
    expect(notebook[0].outputs.get_by_text("covered")).to_be_attached()
    seen: set[str] = set()
    wanted = {"dialog 1", f"http://{BEACON}/x", "PWNED is 1", "title PWNED"}
    while not wanted <= seen:  # until the test's own time is over: a busy page gets to it when it does
        seen |= set(acts.all())
        page.wait_for_timeout(20)
    strange = "".join(page.evaluate(_STRANGE))
    assert all(tag in strange for tag in ("<script", "<img", "<p ", "<a "))


def is_inert(notebook: Notebook, acts: Acts) -> None:
    """Look at every output, and at what the page has done."""
    for cell in notebook.cells:
        cell.box.scroll_into_view_if_needed()  # outputs out of sight are made when they come into sight
    expect(notebook.page.locator(".jp-OutputArea-output")).to_have_count(len(TEXTS))
    assert notebook.page.evaluate(_STRANGE) == []
    assert acts.all() == []


def without_kernel(notebook: Notebook, lab: Lab, *, trusted: bool) -> None:
    """Open the saved notebook as a reader who has no kernel for it."""
    saved = nbformat.read(notebook.path, nbformat.NO_CONVERT)
    saved.metadata = nbformat.from_dict({"kernelspec": {"name": "elsewhere", "display_name": "E", "language": "E"}})
    notary = NotebookNotary(data_dir=str(lab.data))
    if trusted:
        notary.sign(saved)
    else:
        notary.unsign(saved)
    nbformat.write(saved, notebook.path)
    notebook.open_without_kernel()
