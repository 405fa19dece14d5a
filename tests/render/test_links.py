"""Which addresses of a model become links: those that a browser reads as another host, and no others."""

from __future__ import annotations

import pytest

from tetrate_jupyter.render.markdown import render

READABLE = [
    "https://example.com/a?b=c#d",
    "http://127.0.0.1:8888/lab",
    "https://[2001:db8::1]/",
    "https://bücher.example/",
    "https://xn--bcher-kva.example/",
    "mailto:ada@example.com",
]
# JupyterLab takes an address whose host can't be read for a path on the person's own server.
UNREADABLE = [
    "http://%zz/../logout", "http://%25zz/", "http://1.2.3.999/", "http://1.2.3.4.5/", "http://0x/", "http://09/",
    "http://xn--a/", "http://xn--/", "http://a..b/", "http://./", "http://a:99999/", "http://a:x/", "http://[1::2::3]/",
    "http://[::1%25eth0]/", "http://a%00b/", "http://a%2fb/", f"http://{'x' * 64}/", "http:///lab",
    "http://user@example.com/", "javascript:alert(1)", "data:text/html,x", "/lab", "lab", "//example.com/", "file:///etc",
    "http://a\u200bb/../x", "http://a\u00adb/",
]  # fmt: skip


@pytest.mark.parametrize("address", READABLE)
def test_readable_addresses_are_links(address: str) -> None:
    assert "<a href=" in render(f"[words]({address})")


@pytest.mark.parametrize("address", UNREADABLE)
def test_other_addresses_stay_text(address: str) -> None:
    shown = render(f"[words]({address}) and <{address}>")
    assert "<a " not in shown
    assert "words" in shown


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("[](https://example.com/a)", '<a href="https://example.com/a" {}>https://example.com/a</a>'),
        ("[ **&nbsp;** ](https://example.com/a)", '<a href="https://example.com/a" {}> <strong>\xa0</strong> https://example.com/a</a>'),
        ("[![a](https://beacon.invalid/p)](https://example.com/a)", '<a href="https://example.com/a" {}>a</a>'),
        ("[![](https://beacon.invalid/p)](javascript:alert(1))", '<a href="https://beacon.invalid/p" {}>image</a>'),
    ],
)  # fmt: skip
def test_a_link_always_says_something_and_holds_no_other(source: str, html: str) -> None:
    assert html.format('target="_blank" rel="noopener noreferrer"') in render(source)
