"""Formulas: what becomes MathML, what is shown as its source, and what never gets into a page."""

from __future__ import annotations

import re

import pytest

from tetrate_jupyter.render.maths import MAX_FORMULA, TAGS, formula


def is_converted(latex: str) -> bool:
    return "<math" in formula(latex, display=False)


def test_a_formula_is_mathml_beside_its_hidden_source() -> None:
    assert formula(" x<y ", display=False) == (
        '<span class="tetrate-maths" dir="ltr" hidden><math display="inline"><mrow><mi>x</mi><mo>&lt;</mo>'
        '<mi>y</mi></mrow></math></span><code class="tetrate-tex" dir="ltr">x&lt;y</code>'
    )
    block = formula("x", display=True)
    assert block.startswith(
        '<span class="tetrate-maths tetrate-display" dir="ltr" hidden><math display="block"><mrow><mi>x</mi></mrow>'
    )
    assert block.endswith('</math></span><code class="tetrate-tex" dir="ltr">x</code>')


def test_what_cannot_be_converted_is_its_source() -> None:
    assert formula(r"\foo<", display=False) == r'<code class="tetrate-source" dir="ltr">\foo&lt;</code>'
    assert formula(r"\foo", display=True) == r'<code class="tetrate-source tetrate-display" dir="ltr">\foo</code>'
    assert formula(" ", display=False) == '<code class="tetrate-source" dir="ltr"></code>'
    assert formula(r"\frac", display=False) == r'<code class="tetrate-source" dir="ltr">\frac</code>'


@pytest.mark.parametrize(
    "command",
    [
        "def", "edef", "gdef", "xdef", "let", "futurelet", "newcommand", "renewcommand", "providecommand",
        "DeclareMathOperator", "newenvironment", "renewenvironment", "csname", "loop", "href", "url", "style",
        "class", "cssId", "html", "htmlClass", "htmlData", "unicode", "require", "includegraphics", "data",
        "toggle", "texttip", "mathtip", "action", "begingroup", "enclose", "bbox", "input", "include", "write",
        "catcode", "expandafter",
    ],
)  # fmt: skip
def test_what_defines_links_styles_or_names_is_not_converted(command: str) -> None:
    assert not is_converted(rf"x + \{command}{{a}}{{b}}")
    assert not is_converted(rf"\{command}")


def test_a_command_that_only_begins_like_one_is() -> None:
    assert is_converted(r"\let") is False
    assert is_converted(r"\left( x \right)")
    assert is_converted(r"\text{def}")


def test_a_formula_has_a_length_and_a_depth() -> None:
    assert is_converted("x" * MAX_FORMULA)
    assert not is_converted("x" * (MAX_FORMULA + 1))
    assert is_converted("{" * 60 + "x" + "}" * 60)
    assert not is_converted("{" * 61 + "x" + "}" * 61)
    assert is_converted("{x}" * 100)
    assert is_converted(r"\left(x\right)" * 70)
    assert not is_converted(r"\left(" * 61 + "x" + r"\right)" * 61)
    assert not is_converted(r"\begin{matrix}" * 61 + "x" + r"\end{matrix}" * 61)
    assert is_converted(r"\begin{matrix}x\end{matrix}" * 61)


@pytest.mark.parametrize(
    ("latex", "part"),
    [
        (r"\frac{a}{b}", "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>"),
        (r"\sqrt{a}", "<msqrt>"), (r"\sqrt[3]{a}", "<mroot>"), ("x^2", "<msup><mi>x</mi><mn>2</mn></msup>"),
        ("x_i", "<msub>"), ("x_i^2", "<msubsup>"), (r"\text{a b}", "<mtext>"), (r"\hat{x}", '<mover accent="true">'),
        (r"\underline{x}", "<munder>"), (r"\begin{matrix}a&b\\c&d\end{matrix}", "<mtable><mtr><mtd><mi>a</mi></mtd>"),
        (r"\mathbb{R}", "<mi>\u211d</mi>"), (r"\alpha", "<mi>\u03b1</mi>"), (r"\left( x \right)", 'stretchy="true"'),
        (r"a \quad b", '<mspace width="1em"'), (r"\sum_{i=1}^n i", "<msubsup><mo>∑</mo>"),
        (r"\begin{array}{lr}a&b\end{array}", '<mtd columnalign="right"><mi>b</mi></mtd>'),
        (r"\phantom{x}", "<mphantom>"),
        (r"\displaystyle x", 'displaystyle="true"'), (r"\binom{n}{k}", 'linethickness="0"'),
    ],
)  # fmt: skip
def test_what_people_write_is_shown_as_it_is_meant(latex: str, part: str) -> None:
    assert part in formula(latex, display=False)


@pytest.mark.parametrize(
    ("latex", "width"),
    [
        (r"a\!b", "-0.167em"), (r"a\negthinspace b", "-0.167em"), (r"a\negmedspace b", "-0.222em"),
        (r"a\negthickspace b", "-0.278em"), (r"a\thinspace b", "0.167em"), (r"a\thickspace b", "0.278em"),
        (r"a\kern3mu b", "0.167em"), (r"a\mkern-4mu b", "-0.222em"), (r"a\mskip 4.5mu b", "0.250em"),
    ],
)  # fmt: skip
def test_a_space_has_a_width_that_browsers_know(latex: str, width: str) -> None:
    assert f'<mi>a</mi><mspace width="{width}"></mspace><mi>b</mi>' in formula(latex, display=False)


def test_a_space_that_would_lay_it_over_its_neighbours_is_left_out() -> None:
    assert 'width="-0.5em"' in formula(r"a\hspace{-0.5em}b", display=False)
    assert "width" not in formula(r"a\hspace{-9em}b", display=False)
    assert 'width="9em"' in formula(r"a\hspace{9em}b", display=False)
    assert "width" not in formula(r"a\hspace{999em}b", display=False)


def test_no_tag_or_attribute_can_act() -> None:
    assert not TAGS & {"maction", "semantics", "annotation", "annotation-xml", "script", "a", "mglyph"}
    for latex in (
        r"\color{red}{x}",
        r"\textcolor{red}{x}",
        r"\colorbox{red}{x}",
        r"\href{javascript:a}{x}",
        r"\style{b}{x}",
    ):
        shown = formula(latex, display=False).partition("</math>")[0]
        found = re.findall(r"([\w-]+)=", shown.partition("<math")[2])
        assert not {"href", "style", "class", "id", "src", "mathcolor", "mathbackground"}.intersection(found)
