"""Arithmetic: finding an expression in a prompt and evaluating it exactly."""

from __future__ import annotations

import ast
import operator
import re
from fractions import Fraction
from typing import TYPE_CHECKING

from tetrate_jupyter.sandbox.replies.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable

_IN_WORDS = (
    (r"(\d[\d.,]*)\s*(?:%|percent|per cent) of (\d[\d.,]*)", r"\1 / 100 * \2"),
    (r"\b(?:multiply|product of|times) (-?[\d.,]+) (?:by|and|with) (-?[\d.,]+)", r"\1 * \2"),
    (r"\bdivide (-?[\d.,]+) by (-?[\d.,]+)", r"\1 / \2"),
    (r"\b(?:add|sum of) (-?[\d.,]+) (?:and|to) (-?[\d.,]+)", r"\1 + \2"),
    (r"\bsubtract (-?[\d.,]+) from (-?[\d.,]+)", r"\2 - \1"),
    (r"\bmultiplied by\b|\btimes\b|(?<=\d)\s*x\s*(?=\d)", "*"),
    (r"\bdivided by\b|\bover\b|\u00f7", "/"),
    (r"\bplus\b", "+"),
    (r"\bminus\b", "-"),
    (r"\bto the power of\b|\^", "**"),
    (r"\bmod(?:ulo)?\b", "%"),
    (r"(?<=\d),(?=\d{3}\b)", ""),
)
_EXPRESSION = re.compile(r"(?<![\w.])\(*\s*-?\s*\d[\d.\s()]*(?:(?:\*\*|//|[-+*/%])[\s(]*-?\s*\d[\d.\s()]*)+")
_NEVER_ONE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d+(?:-\d+){2,}")  # a date or a phone number isn't a subtraction
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: operator.mod,
}
_LARGEST_POWER = 64
_SCHOOL_SIGNS = {"**": "to the power of", "*": "\u00d7", "//": "div", "/": "\u00f7", "-": "\u2212", "%": "mod"}


def expression_in(text: str) -> str | None:
    """Return the first expression in a text, with Python's operators, or None."""
    text = plain(text)
    for pattern, instead in _IN_WORDS:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    found = _EXPRESSION.search(_NEVER_ONE.sub(" ", text))
    if found is None:
        return None
    expression = found.group().strip().rstrip("(.")
    while expression.count(")") > expression.count("(") and expression.endswith(")"):
        expression = expression[:-1].rstrip()
    return None if evaluate(expression) is None else re.sub(r"\s+", " ", expression)


def evaluate(expression: str) -> Fraction | None:
    """Return an expression's value; None where there is none (syntax, division by zero, a huge power)."""
    if len(expression) > 200:
        return None
    try:
        return _value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, OverflowError):
        return None


def shown(value: Fraction) -> str:
    """Return a number as a person writes it: whole, or with up to six decimals."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.6f}".rstrip("0").rstrip(".")


def pretty(expression: str) -> str:
    """Return an expression with mathematical signs in place of Python's operators."""
    spaced = re.sub(r"\s*(\*\*|//|[-+*/%])\s*", r" \1 ", expression).replace("( - ", "(-").strip()
    for sign, shown_as in _SCHOOL_SIGNS.items():
        spaced = spaced.replace(f" {sign} ", f" {shown_as} ")
    return spaced


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow):
            if right.denominator != 1 or abs(right) > _LARGEST_POWER or abs(left) > 10**6:
                raise ValueError("too large a power")
            return Fraction(left**right.numerator)
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError("not arithmetic")
