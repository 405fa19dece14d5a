"""What a reader of a page gets to see, measured in the page itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_WATCH = """
(box) => {
    const look = () => {
        const bodies = box.querySelectorAll(".tetrate-body");
        const text = bodies.length ? bodies[bodies.length - 1].innerText : "";
        const before = window.SEEN[window.SEEN.length - 1];
        if (text && text !== before) window.SEEN.push(text);
    };
    window.SEEN = [];
    new MutationObserver(look).observe(box, {childList: true, subtree: true, characterData: true});
}
"""

_PALE = """
(root) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d", {willReadFrequently: true});
    const luminance = () => {
        const channels = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) => c / 255);
        const [r, g, b] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paint = (colour) => {
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return luminance();
    };
    const found = [];
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest("style")) continue;
        const ancestors = [];
        for (let each = element; each; each = each.parentElement) ancestors.unshift(each);
        paint("white");
        let behind = 1;
        for (const each of ancestors) behind = paint(getComputedStyle(each).backgroundColor);
        const front = paint(getComputedStyle(element).color);
        const [dark, light] = [front, behind].sort((a, b) => a - b);
        const contrast = (light + 0.05) / (dark + 0.05);
        found.push([contrast, `${element.tagName}.${element.className}: ${texts.currentNode.data.slice(0, 40)}`]);
    }
    return found;
}
"""

_WIDE = """
() => {
    const around = "html, body, .jp-Notebook, .jp-WindowedPanel-outer, .jp-Cell, .jp-OutputArea-output";
    return [...document.querySelectorAll(around)]
        .filter((e) => e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX))
        .map((e) => `${e.tagName}.${e.className}: ${e.scrollWidth} > ${e.clientWidth}`);
}
"""


def watch(box: Locator) -> None:
    """From now on, keep every text that the newest answer in `box` shows."""
    box.evaluate(_WATCH)


def texts(page: Page) -> list[str]:
    """Give the texts that were seen since `watch`, in order."""
    found: list[str] = page.evaluate("window.SEEN")
    return found


def wait_for_texts(page: Page, count: int) -> None:
    """Wait until so many different texts were seen since `watch`."""
    page.wait_for_function("count => window.SEEN.length >= count", arg=count)


def contrasts(root: Locator) -> list[tuple[float, str]]:
    """Give the contrast (WCAG 2.2, 1 to 21) of each visible text in `root` and where it stands."""
    found: list[list[Any]] = root.evaluate(_PALE)
    return [(contrast, where) for contrast, where in found]


def scrolling_sideways(page: Page) -> list[str]:
    """Name whatever around the answers scrolls sideways; an answer's own table or code may."""
    found: list[str] = page.evaluate(_WIDE)
    return found
