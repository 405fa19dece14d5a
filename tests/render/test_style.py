"""An output carries the rules that it needs, and no others."""

from __future__ import annotations

import re

import pytest

from tetrate_jupyter.render.answer import answer_html
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.render.table import Table, TableColumn

EVERYTHING = """# Title

> quoted

- item with `code`

| a | b |
|---|---|
| 1 | 2 |

Here is $x^2$.

```python
print("hello")  # said
```
"""


def style_of(html: str) -> str:
    found = re.match("<style>([^<]*)</style>", html)
    assert found
    return found[1]


def test_plain_words_carry_no_rules_for_code_tables_or_formulas() -> None:
    style = style_of(answer_html(render("Just words.")))
    assert not re.search("tetrate-(code|scroll|maths|facts|reasoning|notice|footer)", style)
    assert len(style) < 1000


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("# Title", ".tetrate-body h3{"),
        ("- a", ".tetrate-body li{"),
        ("> a", ".tetrate-body blockquote{"),
        ("a `b`", ":not(pre)>code{"),
        ("```python\n1\n```", ".tetrate-code pre{"),
        ("|a|\n|-|\n|1|", ".tetrate-scroll table{"),
        ("$x^2$", ".tetrate-maths[hidden]{"),
    ],
)
def test_each_kind_of_text_brings_its_rules(source: str, rule: str) -> None:
    assert rule in style_of(answer_html(render(source)))
    assert rule not in style_of(answer_html(render("words")))


def test_every_class_that_is_used_has_its_rules() -> None:
    answer = answer_html(render(EVERYTHING), footer="quiet", notices=["cut"], reasoning="hm")
    table = Table([TableColumn("id", code=True), TableColumn("what", wide=True)], [["a", "b"]], caption="two").html()
    for html in (answer, table):
        body = html.partition("</style>")[2]
        for name in set(re.findall("tetrate-[a-z]+", body)) - {"tetrate-display"}:
            assert f".{name}" in style_of(html), name
