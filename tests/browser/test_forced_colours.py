"""In colours forced by the system (high contrast) nothing vanishes; nothing moves where no motion is wanted."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_chat import LOAD, Chat
from tests.browser.test_compare import Compare
from tetrate_jupyter.widgets.panel import static

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.conftest import Opens

PARTS = """
<section class="tetrate-panel tetrate-answer">
<p><span class="tetrate-pill tetrate-good">fastest</span> <span class="tetrate-mark" style="--hue:20">A</span></p>
<div class="tetrate-time" style="width:200px"><i class="tetrate-wait" style="inset-inline-start:0;width:50%"></i>
  <i class="tetrate-write" style="inset-inline-start:50%;width:20%"></i></div>
<p><button class="tetrate-button tetrate-main">Send</button>
<button class="tetrate-button" aria-pressed="true">Pressed
  <span class="tetrate-quiet" style="--t-quiet:#888">quietly</span></button>
<button class="tetrate-button" aria-pressed="false">Loose</button>
<button class="tetrate-button" disabled>Not now</button>
<button class="tetrate-button tetrate-icon" aria-label="Wrong"><svg class="tetrate-svg" style="color:#c5221f"
  viewBox="0 0 24 24"><path d="M4 4l16 16"/></svg></button></p>
</section>
"""
COLOUR = "e => getComputedStyle(e).color"
MOVING = "e => e.getAnimations({subtree: true}).length"
pytestmark = pytest.mark.usefixtures("signed_in")


def picture(of: Locator) -> Image.Image:
    """What is seen of an element, and of two pixels around it."""
    of.scroll_into_view_if_needed()
    box = of.bounding_box()
    assert box is not None
    clip = {"x": box["x"] - 2, "y": box["y"] - 2, "width": box["width"] + 4, "height": box["height"] + 4}
    return Image.open(io.BytesIO(of.page.screenshot(clip=clip))).convert("RGB")


def dark(image: Image.Image) -> float:
    """The share of pixels that stand out from the one at the corner, which is outside the element."""
    outside = image.getpixel((0, 0))
    pixels = [image.getpixel((x, y)) for x in range(image.width) for y in range(image.height)]
    return sum(1 for each in pixels if each != outside) / len(pixels)


def has_edge(of: Locator) -> bool:
    """Whether a line goes along its top."""
    image = picture(of)
    outside = image.getpixel((0, 0))
    middle = range(image.width // 3, 2 * image.width // 3)
    return any(all(image.getpixel((x, y)) != outside for x in middle) for y in range(5))


@pytest.fixture(params=["light", "dark"])
def forced(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page with the parts of panels, in the system's light or dark colours of high contrast."""
    made = browser.new_page(forced_colors="active", color_scheme=request.param)
    made.set_content(f"<style>{static('panel.css')}</style>{PARTS}")
    yield made
    made.close()


def test_parts_keep_their_shape_and_what_is_chosen_is_told(forced: Page) -> None:
    assert has_edge(forced.locator(".tetrate-pill"))
    assert has_edge(forced.locator(".tetrate-mark"))
    waiting, bar = (picture(forced.locator(name)) for name in (".tetrate-wait", ".tetrate-time"))
    assert dark(waiting) > 0.2  # hatched
    assert has_edge(forced.locator(".tetrate-time"))
    assert bar.getpixel((bar.width * 6 // 10, bar.height // 2)) != bar.getpixel((bar.width * 9 // 10, bar.height // 2))
    loose = dark(picture(forced.get_by_role("button", name="Loose")))
    for name in ("Send", "Pressed"):
        assert dark(picture(forced.get_by_role("button", name=name))) > loose + 0.3, name
    send, pressed = (picture(forced.get_by_role("button", name=name)) for name in ("Send", "Pressed"))
    assert send.getpixel((6, send.height // 2)) != pressed.getpixel((6, pressed.height // 2))  # two things, two looks
    quietly = forced.get_by_text("quietly").evaluate(COLOUR)
    assert quietly == forced.get_by_role("button", name="Pressed").evaluate(COLOUR)  # a pair of the system's
    icon = forced.get_by_role("button", name="Wrong")
    colours = {colour for _, colour in picture(icon).getcolors(10_000) or []}
    assert not [(r, g, b) for r, g, b in colours if r - max(g, b) > 60]  # the system's colour, not its own
    assert forced.get_by_role("button", name="Not now").evaluate("e => getComputedStyle(e).opacity") == "1"


def test_in_panels_focus_choice_and_more_to_see_are_told(opened: Opens, page: Page) -> None:
    page.emulate_media(forced_colors="active")
    asked = "%%tetrate_compare -m claude-haiku-4-5,gpt-6-luna,gpt-5-nano,gemini-3.8-flash\nSay hello."
    notebook = opened(LOAD, "%tetrate_models", asked)
    page.set_viewport_size({"width": 1000, "height": 900})
    for cell in (0, 1, 2):
        notebook[cell].run()
    picker = notebook[1].box.locator(".tetrate-picker")
    expect(picker.locator(".tetrate-option").first).to_be_visible()
    star = picker.locator(".tetrate-option").nth(1).locator(".tetrate-star svg")
    expect(star).to_have_css("opacity", "1")  # an empty box would seem to be for ticks
    compare = Compare(notebook[2].box.locator(".tetrate-panel"), is_new=False)
    compare.is_over()
    column = compare.column("gpt-6-luna")
    loose = picture(column.locator("header"))
    compare.press("Best", "gpt-6-luna")
    expect(column.get_by_role("button", name="Best: gpt-6-luna")).to_have_attribute("aria-pressed", "true")
    page.mouse.move(2, 2)
    place = (loose.width // 2, 3)
    assert picture(column.locator("header")).getpixel(place) != loose.getpixel(place)  # its frame goes over its head
    frame = compare.box.locator(".tetrate-frame")
    expect(frame).to_have_attribute("data-more", re.compile(r"\bend\b"))  # the click may have scrolled it
    edge = picture(frame)
    assert edge.getpixel((edge.width - 5, edge.height // 3)) != edge.getpixel((edge.width - 12, edge.height // 3))
    compare.edit()
    compare.box.get_by_role("button", name="Add a model").click()
    find = picture(compare.box.locator(".tetrate-models:popover-open .tetrate-search"))
    below = {find.getpixel((find.width // 2, find.height - y)) for y in (3, 4, 5)}
    assert below.isdisjoint({find.getpixel((find.width // 2, 6))})  # that the search has the focus is seen


def test_nothing_moves_where_no_motion_is_wanted(opened: Opens, page: Page) -> None:
    notebook = opened(LOAD, "%tetrate_model sandbox/stream", "session.chat()")
    for cell in (0, 1, 2):
        notebook[cell].run()
    chat = Chat(notebook[2].box.locator(".tetrate-panel"))
    message = chat.ask("chunks=3000 size=20 interval=0.01")
    expect(message.locator(":scope > .tetrate-body")).to_contain_text("#9 ")
    assert chat.box.evaluate(MOVING) > 0  # a bar that is being written pulses
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function("!document.querySelector('.tetrate-chat').getAnimations({subtree: true}).length")
    chat.button("Stop").click()
    expect(message).to_have_attribute("aria-busy", "false")
