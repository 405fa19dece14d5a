"""Markdown tokens into HTML: each tag and attribute that can come out is written in this file, escaped text between."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tetrate_jupyter.render import syntax
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.plain import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it.token import Token

_ODD: Final = re.compile(r"[\x00-\x20\x7f\\]")
_HOST: Final = re.compile(rb"[A-Za-z0-9._-]+")
_NUMBER: Final = re.compile(r"\d+|0[xX][0-9a-fA-F]*")  # a name that ends so is read as an IPv4 address
_TASK: Final = re.compile(r"\[([ xX])\](?=\s)")
_BARE: Final = re.compile(r"https?://[^\s<>\"'`|\\^{}]{1,2000}")
# Models use these few tags where Markdown has nothing; a pair around plain text is all that counts.
_LINE_BREAK: Final = re.compile(r"&lt;br ?/?&gt;", re.IGNORECASE)
_PAIR: Final = re.compile(r"&lt;(sub|sup|kbd)&gt;([^&<>]{1,200})&lt;/\1&gt;")
_TAG: Final = re.compile(r"<[^>]*>")


def html(tokens: Sequence[Token]) -> str:
    """Return the HTML of whole blocks."""
    out: list[str] = []
    tight: list[bool] = []
    for place, token in enumerate(tokens):
        kind = token.type
        if kind == "inline":
            item = place > 1 and tokens[place - 2].type == "list_item_open"
            out.append(_inline(token.content, item=item))
        elif kind == "paragraph_open":
            tight.append(token.hidden)
            out.append("" if token.hidden else '<p dir="auto">')
        elif kind == "paragraph_close":
            out.append("\n" if tight.pop() else "</p>\n")
        else:
            out.append(FIXED.get(kind) or _BLOCKS[kind](token))
    return "".join(out)


FIXED: Final = {
    "blockquote_open": '<blockquote dir="auto">',
    "blockquote_close": "</blockquote>\n",
    "bullet_list_open": '<ul dir="auto">\n',
    "bullet_list_close": "</ul>\n",
    "ordered_list_close": "</ol>\n",
    "list_item_open": "<li>",
    "list_item_close": "</li>\n",
    "table_open": '<div class="tetrate-scroll"><table>',
    "table_close": "</table></div>\n",
    "thead_open": "<thead>",
    "thead_close": "</thead>\n",
    "tbody_open": "<tbody>",
    "tbody_close": "</tbody>",
    "tr_open": "<tr>",
    "tr_close": "</tr>\n",
    "th_close": "</th>",
    "td_close": "</td>",
    "hr": "<hr>\n",
}


def _heading(token: Token) -> str:
    # Two levels down: the notebook's own headings stay above an answer's, in its outline too.
    tag = f"h{min(6, int(token.tag[1]) + 2)}"
    return f'<{tag} dir="auto">' if token.nesting == 1 else f"</{tag}>\n"


def _ordered(token: Token) -> str:
    start = token.attrs.get("start", 1)
    return f'<ol dir="auto" start="{int(start)}">\n' if start != 1 else '<ol dir="auto">\n'


def _cell(token: Token) -> str:
    style = str(token.attrs.get("style", ""))
    align = next((f' align="{side}"' for side in ("right", "center", "left") if style.endswith(side)), "")
    return f'<{token.tag} dir="auto"{align}>' if token.tag in ("td", "th") else ""


def _code(token: Token) -> str:
    from tetrate_jupyter.render.code import code_block, label

    return code_block(token.content, label(token.info)) + "\n"


def _formula(token: Token) -> str:
    from tetrate_jupyter.render.maths import formula

    return f'<div class="tetrate-scroll">{formula(token.content, display=True)}</div>\n'


_BLOCKS: Final[dict[str, Callable[[Token], str]]] = {
    "heading_open": _heading,
    "heading_close": _heading,
    "ordered_list_open": _ordered,
    "th_open": _cell,
    "td_open": _cell,
    "fence": _code,
    "code_block": _code,
    "formula_block": _formula,
}


# --- inside a paragraph ------------------------------------------------------------------------------------------


# Without any of these a paragraph is plain text, which most items and cells are: the parser would give one token.
_MARKUP: Final = re.compile(r"[\\`*_\[\]!<&~$]|[ \t]\n|\n[ \t]")


def _inline(content: str, *, item: bool = False) -> str:
    if len(content) <= syntax.MAX_INLINE and not _MARKUP.search(content):
        return _text(content, linked=False)
    box = ""
    if item and content.startswith("[") and (found := _TASK.match(content)):
        box, content = ("☐" if found[1] == " " else "☑"), content[found.end() :]
    try:
        tokens = syntax.inline(content)
    except syntax.TooCostlyError:
        return f'{box}<span class="tetrate-raw">{escape(content)}</span>'
    return box + _spans(tokens)


def _spans(tokens: Sequence[Token]) -> str:
    out: list[str] = []
    links: list[_Link] = []
    text = ""
    for token in tokens:
        kind = token.type
        if kind in ("text", "text_special"):
            text += token.content
            continue
        if text:
            out.append(_text(text, linked=any(links)))
            text = ""
        if kind == "link_open":
            link = _Link(str(token.attrs.get("href", "")), len(out))
            links.append(link)
            out.append(link.opening)
        elif kind == "link_close":
            out.append(links.pop().closing(out))
        elif kind == "image":
            out.append(_image(token, linked=any(links)))
        else:
            out.append(_MARKS.get(kind) or _SPANS[kind](token))
    if text:
        out.append(_text(text, linked=any(links)))
    return "".join(out)


class _Link:
    """An open link, at a place in the output. False where it must not be followed, so that its text stays text."""

    def __init__(self, url: str, place: int) -> None:
        self._url = url
        self._place = place
        self.opening = _opening(url)

    def __bool__(self) -> bool:
        return bool(self.opening)

    def closing(self, out: Sequence[str]) -> str:
        """Return its end; the address before it where nothing in it can be read."""
        if not self:
            return ""
        inside = _TAG.sub("", "".join(out[self._place :]))
        return "</a>" if inside.strip() else f"{escape(self._url)}</a>"


_MARKS: Final = {
    "softbreak": "\n",
    "hardbreak": "<br>\n",
    "em_open": "<em>",
    "em_close": "</em>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "s_open": "<del>",
    "s_close": "</del>",
}


def _image(token: Token, *, linked: bool) -> str:
    """Never load a picture that a model names: the request would tell somebody that, and what, was read."""
    label = escape(token.content.strip() or "image")
    opening = "" if linked else _opening(str(token.attrs.get("src", "")))  # a link in a link would end the outer one
    return f"{opening}{label}</a>" if opening else label


def _inline_formula(token: Token) -> str:
    from tetrate_jupyter.render.maths import formula

    return formula(token.content, display=token.type == "formula_display")


_SPANS: Final[dict[str, Callable[[Token], str]]] = {
    "code_inline": lambda token: f'<code dir="ltr" translate="no">{escape(token.content)}</code>',
    "formula": _inline_formula,
    "formula_display": _inline_formula,
}


def _text(text: str, *, linked: bool) -> str:
    if linked or "://" not in text:
        return _with_tags(escape(text))
    out: list[str] = []
    done = 0
    for found in _BARE.finditer(text):
        url = _trimmed(found[0])
        opening = _opening(url)
        if opening:
            out += [_with_tags(escape(text[done : found.start()])), opening, escape(url), "</a>"]
            done = found.start() + len(url)
    out.append(_with_tags(escape(text[done:])))
    return "".join(out)


_OPENED_BY: Final = {")": "(", "]": "["}


def _trimmed(url: str) -> str:
    """Leave out what belongs to the sentence: closing punctuation, and a bracket that the address did not open."""
    while url:
        last = url[-1]
        if last not in ".,:;!?*_~" and not (last in ")]" and url.count(last) > url.count(_OPENED_BY[last])):
            break
        url = url[:-1]
    return url


def _with_tags(escaped: str) -> str:
    if "&lt;" not in escaped:
        return escaped
    return _PAIR.sub(r"<\1>\2</\1>", _LINE_BREAK.sub("<br>", escaped))


def _opening(url: str) -> str:
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">' if _followable(url) else ""


def _followable(url: str) -> bool:
    """Whether the address leads openly to a web site or a mailbox: no other scheme, no sign-in part, nothing odd."""
    if len(url) > 4000 or _ODD.search(url) or visible(url) != url:  # what hides is named where it stands: elsewhere
        return False
    try:
        split = urlsplit(url)
        host, _ = split.hostname, split.port  # a port out of range raises, too
    except ValueError:
        return False
    if split.scheme == "mailto":
        return "@" in split.path and not split.netloc
    return split.scheme in ("http", "https") and host is not None and "@" not in split.netloc and _readable(host)


def _readable(host: str) -> bool:
    """Whether browsers can read the host; JupyterLab takes other addresses for paths on its own server."""
    try:
        if ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            return "%" not in host and bool(ip_address(host))
        name = host.encode("idna").lower()
        coded = [label[4:].decode("punycode") for label in name.split(b".") if label.startswith(b"xn--")]
        return bool(_HOST.fullmatch(name)) and all(label.isprintable() and not label.isascii() for label in coded)
    except ValueError:
        return False
