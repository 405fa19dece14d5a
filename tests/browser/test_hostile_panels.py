"""Whatever a model, a router or a file calls itself: nothing of it acts in a panel or breaks its layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import seen
from tests.browser.test_hostile import TEXTS, Acts
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Notebook

NAMES = [text[:2000] for text in TEXTS]
REFUSALS = [text[:1000] for text in NAMES]
ECHO = "sandbox/echo"
LOAD = """\
%load_ext tetrate_jupyter
import json, threading
from tetrate_jupyter import session
session.connect({url!r})
texts = json.load(open("hostile.json"))

def ask(texts):
    for text in texts:
        ended = threading.Event()
        stop = session.runs.on_change(lambda: None if any(r.failure is None for r in session.runs.all) else ended.set())
        session.start(session.question(text, model="sandbox/echo"))
        assert ended.wait(30), text[:100]
        stop()
"""

_STRANGE = """
() => {
    const bad = "script, img, iframe, object, embed, link, meta, base, video, audio, marquee, frameset, template,"
        + " noscript, title, dialog, svg:not(.tetrate-svg), [src], [srcset], [action], [formaction], [contenteditable],"
        + " [popover]:not(.tetrate-pop), [autofocus], [data-commandlinker-command]";
    const ours = ".tetrate-body, .tetrate-prompt, .tetrate-sent, .tetrate-option, .tetrate-notice, .tetrate-chip";
    const inside = "[style]:not(.tetrate-mark, .tetrate-pay > i), [id], [name], form, textarea,"
        + " input:not([type=checkbox])";
    const ownPictures = "img:is(.tetrate-thumb[src^='data:image/webp;'], .tetrate-small[src^='blob:'])";
    const found = [];
    const say = (e) => found.push(e.outerHTML.slice(0, 200));
    for (const panel of document.querySelectorAll(".tetrate-panel, .tetrate-fallback")) {
        panel.querySelectorAll(bad).forEach((e) => e.matches(ownPictures) || say(e));
        panel.querySelectorAll(ours).forEach((e) => e.querySelectorAll(inside).forEach(say));
        for (const e of panel.querySelectorAll("*")) {
            if ([...e.attributes].some((a) => a.name.startsWith("on"))) say(e);
            if (getComputedStyle(e).position === "fixed" && !e.matches(".tetrate-pop")) say(e);
        }
        for (const a of panel.querySelectorAll("a")) {
            const open = ["http:", "https:", "mailto:"].includes(a.protocol) && a.target === "_blank";
            if (!open || a.host === location.host) say(a);
        }
    }
    return found;
}
"""
_BROKEN = """
() => {
    const boxes = ".tetrate-panel, .tetrate-log, .tetrate-box, .tetrate-message, .tetrate-option > *";
    const right = (e) => e.getBoundingClientRect().right;
    return [...document.querySelectorAll(`${boxes}, .tetrate-panel > * > *`)].filter((e) => {
        const wide = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "hidden";
        return e.matches(boxes) && wide || right(e) > right(e.closest(".tetrate-panel")) + 1;
    }).map((e) => `${e.className}: ${e.scrollWidth} > ${e.clientWidth}: ${e.textContent.slice(0, 80)}`);
}
"""


_ROWS = """
() => {
    const box = document.querySelector(".tetrate-box");
    return box.scrollHeight / parseFloat(getComputedStyle(box).getPropertyValue("--row"));
}
"""


@pytest.fixture
def hostile_router(lab: Lab, signed_out: None) -> Iterator[SandboxRouter]:
    """A router all of whose models are named and described by hostile texts."""
    records = [
        {
            "model": f"h{number}/{text[:60]}",
            "displayName": text,
            "provider": text[:300],
            "metadata": {"description": text, "fallback_policies": [text[:80]]},
        }
        for number, text in enumerate(NAMES)
    ]
    with SandboxRouter(speed=INSTANT, models=records, list_faults=True) as running:
        key = Secret(running.issue_key(), host=running.host)
        KeyStore(lab.data / "tetrate-jupyter").save(key, store="file")
        yield running


COMPARE = "result = session.compare('Say hello.', session.models()[:12])\nsession.side_by_side(result.comparison)"


def opened_on(opened: Opens, lab: Lab, router: SandboxRouter, *cells: str) -> Notebook:
    (lab.folder / "hostile.json").write_text(json.dumps(NAMES))
    notebook = opened(LOAD.format(url=router.base_url), *cells)
    notebook[0].run()
    notebook.page.keyboard.press("Control+b")  # the file browser goes: a narrow page is the notebook's alone
    return notebook


def is_inert(page: Page, acts: Acts) -> None:
    assert page.evaluate(_STRANGE) == []
    assert page.evaluate(_BROKEN) == []
    assert seen.scrolling_sideways(page) == []
    assert acts.all() == []


def test_as_prompt_answer_error_and_file_name_in_the_chat(
    opened: Opens, lab: Lab, page: Page, hostile_router: SandboxRouter
) -> None:
    assert len(NAMES) >= 60
    acts = Acts(page)
    notebook = opened_on(opened, lab, hostile_router, "session.chat()", "ask(texts)", "session.reset()\nask(texts)")
    title = page.title()
    notebook[1].run()
    messages = page.locator(".tetrate-message")
    notebook[2].run()
    expect(messages).to_have_count(len(NAMES))
    is_inert(page, acts)
    page.set_viewport_size({"width": 420, "height": 900})
    is_inert(page, acts)
    for text in REFUSALS:
        hostile_router.inject(Fault("bad-request", message=text))
    notebook[3].run()
    expect(messages).to_have_count(len(REFUSALS))
    expect(page.locator(".tetrate-message .tetrate-failed:visible")).to_have_count(len(REFUSALS))
    files = [{"name": text[:100].replace("/", "_"), "mimeType": "image/png", "buffer": b"x"} for text in NAMES[:20]]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator(".tetrate-chip")).to_have_count(20)
    is_inert(page, acts)
    assert page.title() == title


def test_as_model_name_provider_and_description_in_the_picker(
    opened: Opens, lab: Lab, page: Page, hostile_router: SandboxRouter
) -> None:
    acts = Acts(page)
    notebook = opened_on(
        opened, lab, hostile_router, "session.picker()", "session.dropdown()", "session.chat()", COMPARE
    )
    title = page.title()
    notebook[1].run()
    options = page.locator(".tetrate-option")
    expect(options.first).to_be_visible()
    assert page.evaluate(_ROWS) > 60
    words = page.get_by_role("combobox", name="Search models")
    for _ in range(20):
        words.press("PageDown")
        is_inert(page, acts)
    words.press("Enter")
    expect(page.locator(".tetrate-option[aria-selected=true]")).to_be_visible()
    notebook[2].run()
    notebook[3].run()
    expect(page.locator(".tetrate-chat")).to_be_visible()
    is_inert(page, acts)
    notebook[4].run()
    columns = page.locator(".tetrate-column")
    expect(columns).to_have_count(12)
    expect(page.locator(".tetrate-column[aria-busy=true]")).to_have_count(0)
    is_inert(page, acts)
    page.set_viewport_size({"width": 420, "height": 900})
    is_inert(page, acts)
    assert page.title() == title
