"""Text of buttons can be read under the mouse: the stylesheets in a page with the colours of JupyterLab's themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.widgets.panel import static

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LEAST = 4.5  # WCAG AA
THEMES = {
    "light": "--jp-layout-color1:#fff;--jp-layout-color2:#eee;--jp-brand-color0:#0d47a1;--jp-brand-color1:#1976d2;"
    "--jp-ui-inverse-font-color1:#fff;--jp-ui-font-color1:rgba(0,0,0,.87);--jp-ui-font-color2:rgba(0,0,0,.54)",
    "dark": "--jp-layout-color1:#212121;--jp-layout-color2:#424242;--jp-brand-color0:#1976d2;--jp-brand-color1:#2196f3;"
    "--jp-ui-inverse-font-color1:rgba(0,0,0,.8);--jp-ui-font-color1:rgba(255,255,255,.87);"
    "--jp-ui-font-color2:rgba(255,255,255,.54)",
    "none": "",
}
BUTTONS = {
    "sign in": ("tetrate-sign-in tetrate-is-offered", '<a class="tetrate-button tetrate-main" href="#">Sign in</a>'),
    "open again": ("tetrate-sign-in tetrate-is-waiting", '<a class="tetrate-button tetrate-main" href="#">Open</a>'),
    "sign-in": ("tetrate-sign-in", '<button class="tetrate-button">Cancel</button>'),
    "sign-in, stopped": (
        "tetrate-sign-in tetrate-is-stopped",
        '<button class="tetrate-button tetrate-act">Sign in</button>',
    ),
    "main": ("", '<button class="tetrate-button tetrate-main">Compare</button>'),
    "other": ("", '<button class="tetrate-button">Stop</button>'),
    "plain": ("", '<button class="tetrate-button tetrate-plain">Copy</button>'),
}
CONTRAST = """(button) => {
  const canvas = document.createElement("canvas").getContext("2d");
  const over = (colours) => {  // one over the other, as the screen has them
    canvas.globalCompositeOperation = "source-over";
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(button);
  const back = [getComputedStyle(document.body).backgroundColor, style.backgroundColor];
  const [low, high] = [over(back), over([...back, style.color])].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


@pytest.mark.parametrize("theme", THEMES)
def test_text_under_the_mouse_keeps_its_contrast(browser: Browser, theme: str) -> None:
    page = browser.new_page()
    found = {}
    css = static("panel.css", "sign_in.css")
    body = "margin:2em;background:var(--jp-layout-color1,#fff);color:var(--jp-ui-font-color1,#222)"
    for name, (panel, button) in BUTTONS.items():
        page.set_content(
            f"<style>:root{{{THEMES[theme]}}} body{{{body}}} {css}</style>"
            f'<section class="tetrate-panel {panel}"><div class="tetrate-link">{button}</div></section>'
        )
        page.add_style_tag(content=".tetrate-link { display: block !important }")  # one that is done is hidden
        shown = page.locator(".tetrate-button")
        shown.hover()
        found[name] = shown.evaluate(CONTRAST)
    page.close()
    assert {name: ratio for name, ratio in found.items() if ratio < LEAST} == {}
