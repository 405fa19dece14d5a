"""What each mark of Markdown becomes, and that nothing of the text is lost on the way."""

from __future__ import annotations

import re

import pytest

from tetrate_jupyter.render.markdown import render

A = 'target="_blank" rel="noopener noreferrer"'


def body(text: str) -> str:
    return render(text).strip()


def line(text: str) -> str:
    """The HTML inside the only paragraph."""
    html = body(text)
    assert html.startswith('<p dir="auto">')
    assert html.endswith("</p>")
    return html[len('<p dir="auto">') : -len("</p>")]


def link(url: str, text: str | None = None) -> str:
    return f'<a href="{url}" {A}>{url if text is None else text}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("a\nb", "a\nb"),
        ("a  \nb", "a<br>\nb"),
        ("a\\\nb", "a<br>\nb"),
        ("*a* b", "<em>a</em> b"),
        ("**a** b", "<strong>a</strong> b"),
        ("~~a~~ b", "<del>a</del> b"),
        ("x `a<b` y", 'x <code dir="ltr" translate="no">a&lt;b</code> y'),
        ("a & b < c", "a &amp; b &lt; c"),
        ("&amp; &copy;", "&amp; ©"),
        (r"\*a\*", "*a*"),
        ("a<br>b<BR/>c<br />d", "a<br>b<br>c<br>d"),
        ("H<sub>2</sub>O, x<sup>2</sup>, <kbd>Tab</kbd>", "H<sub>2</sub>O, x<sup>2</sup>, <kbd>Tab</kbd>"),
        ("<sub>2</sup>", "&lt;sub&gt;2&lt;/sup&gt;"),
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("[ ] a", "[ ] a"),
    ],
)
def test_marks_within_a_paragraph(text: str, html: str) -> None:
    assert line(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# a", '<h3 dir="auto">a</h3>'),
        ("## a", '<h4 dir="auto">a</h4>'),
        ("#### a", '<h6 dir="auto">a</h6>'),
        ("###### a", '<h6 dir="auto">a</h6>'),
        ("> a", '<blockquote dir="auto"><p dir="auto">a</p>\n</blockquote>'),
        ("- a\n- b", '<ul dir="auto">\n<li>a\n</li>\n<li>b\n</li>\n</ul>'),
        ("- a\n\n- b", '<ul dir="auto">\n<li><p dir="auto">a</p>\n</li>\n<li><p dir="auto">b</p>\n</li>\n</ul>'),
        ("1. a", '<ol dir="auto">\n<li>a\n</li>\n</ol>'),
        ("0. a", '<ol dir="auto" start="0">\n<li>a\n</li>\n</ol>'),
        ("7. a", '<ol dir="auto" start="7">\n<li>a\n</li>\n</ol>'),
        ("- [ ] a\n- [x] b\n- [X] c", '<ul dir="auto">\n<li>☐ a\n</li>\n<li>☑ b\n</li>\n<li>☑ c\n</li>\n</ul>'),
        ("- [x](https://a.example)", f'<ul dir="auto">\n<li>{link("https://a.example", "x")}\n</li>\n</ul>'),
        ("- a [x] b", '<ul dir="auto">\n<li>a [x] b\n</li>\n</ul>'),
        ("a\n\n---\n\nb", '<p dir="auto">a</p>\n<hr>\n<p dir="auto">b</p>'),
        (
            "- a\n\n  b\n- c",
            (
                '<ul dir="auto">\n<li><p dir="auto">a</p>\n<p dir="auto">b</p>\n</li>\n'
                '<li><p dir="auto">c</p>\n</li>\n</ul>'
            ),
        ),
    ],
)
def test_blocks(text: str, html: str) -> None:
    assert body(text) == html


def test_a_table_has_its_cells_and_how_they_stand() -> None:
    assert body("| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | 2 | 3 | *4* |") == (
        '<div class="tetrate-scroll"><table><thead><tr>\n'.replace("\n", "")
        + '<th dir="auto" align="left">a</th><th dir="auto" align="center">b</th>'
        '<th dir="auto" align="right">c</th><th dir="auto">d</th></tr>\n</thead>\n'
        '<tbody><tr><td dir="auto" align="left">1</td><td dir="auto" align="center">2</td>'
        '<td dir="auto" align="right">3</td><td dir="auto"><em>4</em></td></tr>\n</tbody></table></div>'
    )


@pytest.mark.parametrize("text", ["```python\nx = 1\n```", "    x = 1"])
def test_code_is_a_block_of_its_own(text: str) -> None:
    html = body(text)
    named = ' data-language="python"' if text.startswith("```") else ""
    assert html.startswith(f'<div class="tetrate-code highlight"{named}>')
    assert ('<span class="o">' in html) is text.startswith("```")
    assert re.sub("<[^>]*>", "", html) == "x = 1\n"


def test_formulas_are_maths_in_the_line_and_in_blocks() -> None:
    assert line("so $x^2$ is").startswith("so <span")
    assert "<math" in line("so $x^2$ is")
    assert line("so $x^2$ is").endswith(" is")
    assert body("$$\nx^2\n$$").startswith('<div class="tetrate-scroll"><span')
    assert 'display="block"' in body("$$\nx^2\n$$")
    assert 'display="block"' not in line("so $x^2$ is")
    assert 'display="block"' in line("so $$x^2$$ is")


# --- links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("see https://a.example/x for more", f"see {link('https://a.example/x')} for more"),
        ("https://a.example", link("https://a.example")),
        ("http://a.example:8080/b?c=d#e", link("http://a.example:8080/b?c=d#e")),
        ("https://a.example or https://b.example x", f"{link('https://a.example')} or {link('https://b.example')} x"),
        ("https://a.example. Then", f"{link('https://a.example')}. Then"),
        ("(https://a.example), x", f"({link('https://a.example')}), x"),
        ("[https://a.example]; x", f"[{link('https://a.example')}]; x"),
        ("https://a.example/b_(c) x", f"{link('https://a.example/b_(c)')} x"),
        ("https://a.example/b_(c)) x", f"{link('https://a.example/b_(c)')}) x"),
        ("https://a.example?!... x", f"{link('https://a.example')}?!... x"),
        ("*https://a.example* x", f"<em>{link('https://a.example')}</em> x"),
        ("https://a.example, <br> <sub>x</sub>", f"{link('https://a.example')}, <br> <sub>x</sub>"),
        ("<sub>y</sub> https://a.example", f"<sub>y</sub> {link('https://a.example')}"),
        ("ftp://a.example x", "ftp://a.example x"),
        ("https:// x", "https:// x"),
        ("https://me@a.example x", "https://me@a.example x"),
        ("https://1.2.3 x", "https://1.2.3 x"),
        ("https://1.2.3.4 x", f"{link('https://1.2.3.4')} x"),
        ("https://a.example:99999 x", "https://a.example:99999 x"),
        ("https://a.example/?a=1&b=2 x", f"{link('https://a.example/?a=1&amp;b=2')} x"),
        ("https://me@a.example y https://b.example x", f"https://me@a.example y {link('https://b.example')} x"),
    ],
)
def test_an_address_in_the_text_is_a_link_and_the_text_around_it_stays(text: str, html: str) -> None:
    assert line(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a [b *c*](https://a.example) d", f"a {link('https://a.example', 'b <em>c</em>')} d"),
        ("[](https://a.example) d", f"{link('https://a.example')} d"),
        ("[![](/x)](https://a.example) d", f"{link('https://a.example', 'image')} d"),
        ("<https://a.example> d", f"{link('https://a.example')} d"),
        ("[b](mailto:a@b.example) d", f"{link('mailto:a@b.example', 'b')} d"),
        ("[b](mailto:nobody) d", "b d"),
        ("[b](mailto://x/a@b) d", "b d"),
        ("[b](javascript:x) d", "b d"),
        ("[b](/local) d", "b d"),
        ("[https://b.example](https://a.example) d", f"{link('https://a.example', 'https://b.example')} d"),
        ("[https://b.example](/local) d", f"{link('https://b.example')} d"),
        ("[b](https://a.example) https://c.example", f"{link('https://a.example', 'b')} {link('https://c.example')}"),
        ("![b](https://a.example/p.png) d", f"{link('https://a.example/p.png', 'b')} d"),
        ("![](https://a.example/p.png) d", f"{link('https://a.example/p.png', 'image')} d"),
        ("![b](data:image/png;base64,AA) d", "b d"),
        ("[![b](https://p.example)](https://a.example) d", f"{link('https://a.example', 'b')} d"),
        ("[![b](https://p.example)](/local) d", f"{link('https://p.example', 'b')} d"),
        ("[b](https://[::1]/) d", f"{link('https://[::1]/', 'b')} d"),
        ("[b](https://0x7f.1/) d", "b d"),
        ("[b](https://a_b.example) d", f"{link('https://a_b.example', 'b')} d"),
        ("[b](https://a..example) d", "b d"),
        ("[b](HTTPS://a.example) d", f"{link('HTTPS://a.example', 'b')} d"),
    ],
)
def test_links_lead_to_web_sites_and_mailboxes(text: str, html: str) -> None:
    assert line(text) == html


def test_a_very_long_address_is_no_link() -> None:
    longest = "https://a.example/" + "x" * (4000 - 18)
    assert line(f"[b]({longest}) d") == f"{link(longest, 'b')} d"
    assert line(f"[b]({longest}x) d") == "b d"


def test_what_is_too_much_for_one_paragraph_is_shown_as_it_is() -> None:
    from tetrate_jupyter.render import syntax

    text = "*a" * syntax.MAX_INLINE
    html = body(text)
    assert '<span class="tetrate-raw">' in html
    assert text[-200:] in html
