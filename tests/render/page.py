"""What may come out of the renderer, checked by a real HTML parser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tetrate_jupyter.render import maths
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.render.style import styled

VOID = {"br", "hr"}
_DIR = {"dir": re.compile("auto|ltr")}
_LANGUAGE = re.compile(r"[a-z0-9][a-z0-9+#._-]{0,29}")
_CELL = {**_DIR, "align": re.compile("left|right|center")}
_CODE = {**_DIR, "class": re.compile(r"tetrate-(source|tex)( tetrate-display)?"), "translate": re.compile("no")}
_MATHS = (  # each of them acts on nothing
    "display mathvariant stretchy fence form accent accentunder displaystyle separator movablelimits largeop symmetric"
    " columnalign columnlines rowlines frame notation width height depth lspace rspace"
    " minsize maxsize linethickness columnspacing rowspacing mathsize scriptlevel"
)

WHITELIST: dict[str, dict[str, re.Pattern[str]]] = {
    **dict.fromkeys(("p", "h3", "h4", "h5", "h6", "ul", "blockquote"), _DIR),
    **{
        key: {}
        for key in ("li", "em", "strong", "del", "br", "hr", "table", "thead", "tbody", "tr", "sub", "sup", "kbd")
    },
    "ol": {**_DIR, "start": re.compile(r"\d{1,9}")},
    "pre": {**_DIR, "translate": re.compile("no"), "class": re.compile("tetrate-raw")},
    "code": _CODE,
    "div": {"class": re.compile("tetrate-code highlight|tetrate-scroll"), "data-language": _LANGUAGE},
    "span": {
        **_DIR,
        "class": re.compile(r"[a-z][a-z0-9]{0,3}|tetrate-raw|tetrate-maths( tetrate-display)?"),
        "hidden": re.compile(""),
    },
    "th": _CELL,
    "td": _CELL,
    "a": {
        "href": re.compile(r"(https?://[^\s\\]+|mailto:[^\s\\]+@[^\s\\]+)"),
        "target": re.compile("_blank"),
        "rel": re.compile("noopener noreferrer"),
    },
    **dict.fromkeys(maths.TAGS, dict.fromkeys(_MATHS.split(), re.compile(r"[a-z0-9 .%-]{0,400}"))),
}
FRAME: dict[str, dict[str, re.Pattern[str]]] = {  # what answer_html and Table put around
    **WHITELIST,
    "details": {"class": re.compile("tetrate-(reasoning|notice)")},
    "summary": {},
    "span": {
        **WHITELIST["span"],
        "class": re.compile(r"tetrate-chip|[a-z][a-z0-9]{0,3}|tetrate-raw|tetrate-maths( tetrate-display)?"),
        "title": re.compile(re.escape(SIMULATED)),
    },
    "p": {**_DIR, "class": re.compile("tetrate-(notice|failed|footer|caption)")},
    "div": {
        "class": re.compile(
            "tetrate-code highlight|tetrate-scroll|tetrate-body|"
            "tetrate-answer mathjax_ignore tex2jax_ignore( tetrate-facts)?"
        ),
        "data-language": _LANGUAGE,
        "tabindex": re.compile("0"),
        "role": re.compile("region"),
        "aria-label": re.compile("Table"),
    },
    **{
        key: {
            **_CELL,
            "class": re.compile("tetrate-[a-z]+( tetrate-[a-z]+)?"),
            "scope": re.compile("col"),
            "title": re.compile(".*", re.DOTALL),
        }
        for key in ("th", "td")
    },
}


class Page(HTMLParser):
    """Reads HTML; `faults` says what should not be in it, `text` is what is between the tags."""

    def __init__(self, html: str, allowed: dict[str, dict[str, re.Pattern[str]]] = WHITELIST) -> None:
        super().__init__(convert_charrefs=True)
        self.allowed = allowed
        self.faults: list[str] = []
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self.feed(html)
        self.close()
        if self.open:
            self.faults.append(f"not closed: {self.open}")

    @property
    def text(self) -> str:
        return "".join(self._text)

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.tags if tag == "a"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.allowed:
            self.faults.append(f"<{tag}>")
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> names an attribute twice")
        for name, value in attrs:
            pattern = self.allowed.get(tag, {}).get(name)
            if pattern is None or not pattern.fullmatch(value or ""):
                self.faults.append(f"<{tag} {name}={value!r}>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self._text.append(data)
        if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", data):
            self.faults.append("a hidden character")

    def handle_comment(self, data: str) -> None:
        self.faults.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("declaration")

    def unknown_decl(self, data: str) -> None:
        self.faults.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.faults.append("processing instruction")


def framed(html: str) -> Page:
    """Read what `answer_html` or `Table.html` gives: our own stylesheet, word for word, and then a frame."""
    body = html.partition("</style>")[2]
    assert html == styled(body)
    return Page(body, FRAME)
