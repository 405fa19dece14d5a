"""The styles that an output carries: only those it uses, each a whole rule; and text as HTML shows it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tetrate_jupyter.render.answer import answer_html
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.style import BOUNDED, ROOT, ROOT_CLASSES, styled, stylesheet

# What of the HTML needs a section, and a rule that only this section has.
SECTIONS = {
    '<a href="#">': "a:any-link{",
    "<li>": ".tetrate-body li{",
    "<h3>": ".tetrate-body h3{",
    "<hr>": ".tetrate-body hr{",
    "<blockquote>": ".tetrate-body blockquote{",
    '<pre class="tetrate-raw">': ".tetrate-raw{white-space:pre-wrap}",
    "<code>": ":not(pre)>code{",
    '<div class="tetrate-code">': ".tetrate-code pre{",
    '<div class="tetrate-scroll">': ".tetrate-scroll table{",
    '<div class="tetrate-facts">': ".tetrate-facts .tetrate-scroll{",
    '<div class="tetrate-compare">': ".tetrate-grid{",
    '<div class="tetrate-usage">': ".tetrate-usage{",
    '<span class="tetrate-maths">': ".tetrate-tex{display:none}",
    '<details class="tetrate-reasoning">': ".tetrate-reasoning summary{",
    '<p class="tetrate-notice">': ".tetrate-notice{",
    '<p class="tetrate-failed">': "p.tetrate-failed{",
    '<span class="tetrate-chip">': ".tetrate-chip{",
    '<p class="tetrate-footer">': ".tetrate-footer{",
}


class Root(HTMLParser):
    """The attributes of the first `div`."""

    attributes: list[tuple[str, str | None]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div" and self.attributes is None:
            self.attributes = attrs


def sheet_of(html: str) -> str:
    """The style element's text, which must stand before the HTML itself."""
    shown = styled(html)
    assert shown.startswith("<style>")
    assert shown.endswith(f"</style>{html}")
    return shown.removeprefix("<style>").removesuffix(f"</style>{html}")


@pytest.mark.parametrize(("html", "rule"), SECTIONS.items(), ids=lambda each: each[:24])
def test_an_output_carries_the_rules_that_it_uses(html: str, rule: str) -> None:
    sheet = sheet_of(html)
    assert rule in sheet
    assert rule not in sheet_of("<p>plain")
    assert sheet.startswith(".tetrate-answer{--t-quiet:")
    assert sheet.endswith("}")
    assert sheet.count("{") == sheet.count("}")
    assert "\n" not in sheet
    assert rule in stylesheet()


def test_plain_text_carries_what_all_need_and_no_more() -> None:
    plain = sheet_of("<p>plain")
    assert plain == sheet_of("")
    assert ".tetrate-body>:first-child{margin-top:0}" in plain
    assert stylesheet().startswith(plain)
    assert len(plain) < len(stylesheet()) / 10


def test_all_sections_together_are_the_stylesheet() -> None:
    assert stylesheet() == sheet_of("".join(SECTIONS))


def test_what_is_wide_is_bounded_where_no_stylesheet_is_shown() -> None:
    root = Root()
    root.feed(f'<div class="{ROOT_CLASSES}" {BOUNDED}>')
    assert root.attributes == [
        ("class", "tetrate-answer mathjax_ignore tex2jax_ignore"),
        ("style", "overflow-wrap:break-word;overflow-x:auto"),
    ]
    assert ROOT == "tetrate-answer"
    assert f'<div class="{ROOT_CLASSES}">' in answer_html("Hi.")


def test_text_is_text_in_an_element_and_in_an_attribute() -> None:
    assert escape("""a & b < c > d "e" 'f' &amp;""") == "a &amp; b &lt; c &gt; d &quot;e&quot; 'f' &amp;amp;"
    assert escape("a\u202eb") == "a[U+202E]b"
    assert escape("") == ""
