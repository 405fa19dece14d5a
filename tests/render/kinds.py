"""Texts of every kind that Markdown knows, of any length: data for tests of what they cost."""

from __future__ import annotations

UNITS: dict[str, str] = {
    "words": "Some ordinary words of a paragraph, and more of them, until there are enough. " * 3 + "\n\n",
    "one paragraph": "word ",
    "lines of a paragraph": "a\n",
    "emphasis": "a *b* **c** _d_ \n\n",
    "paragraphs": "a\n\n",
    "items": "- item\n",
    "loose items": "- item\n\n",
    "nested items": "- a\n  - b\n    - c\n",
    "numbers": "1. item\n",
    "boxes": "- [ ] item\n",
    "lists": "- a\n+ b\n",
    "quotes": "> quoted\n",
    "quotes apart": "> quoted\n\n",
    "quotes in quotes": "> > > > > > > > a\n> b\n",
    "lists in quotes": "> - a\n",
    "quotes in lists": "- > a\n",
    "tables": "a|b\n-|-\n",
    "cell borders": "| a | b |\n",
    "short fences": "```\na\n```\n",
    "fences that open": "- ```\n",
    "formula lines": "$$x^2$$\n",
    "formulas without end": "$$\na\n\n",
    "headings": "# a\n",
    "rules": "---\n",
    "links": "[a](https://x.example/a) and https://y.example/b\n\n",
    "entities": "&amp; &lt; &copy; &#35;\n\n",
    "brackets": "[",
    "stars": "*a",
    "backticks": "`a ",
    "dollars": "$a ",
    "quote marks": "> ",
    "dashes": "- ",
    "hidden": "\u202ea",
}
BEGUN: dict[str, tuple[str, str]] = {  # a first part, and what follows it again and again
    "a table": ("| a | b |\n|---|---|\n", "| `c` | **d** |\n"),
    "a wide table": ("|a" * 50 + "|\n" + "|-" * 50 + "|\n", "|b" * 50 + "|\n"),
    "short rows": ("|a" * 90 + "|\n" + "|-" * 90 + "|\n", "|b\n"),
    "code": ("```python\n", "x = [1, 'a']\n"),
    "code of no language": ("```\n", "x = [1, 'a']\n"),
    "an item": ("- a\n", "\n  b\n"),
    "a lazy quote": ("> > ", "a\n"),
    "a formula without end": ("$$\n", "a\n"),
    "a list in an item": ("- a\n", "  - b\n"),
    "a list in a numbered item": ("1. a\n\n", "   - b `c`\n"),
    "a list deep in items": ("- a\n  - b\n    - c\n", "      - d\n"),
    "a quote of paragraphs": ("", "> a **b**\n>\n"),
    "a list in a quote": ("> a\n>\n", "> - b\n"),
    "a quote in a quote": ("> a\n>\n", "> > b\n> >\n"),
    "code in an item": ("- a\n  ```python\n", "  x = [1, 'a']\n"),
}
KINDS = (*UNITS, *BEGUN)


def text_of(kind: str, length: int) -> str:
    """Return a text of this kind and length."""
    begin, unit = BEGUN[kind] if kind in BEGUN else ("", UNITS[kind])
    return (begin + unit * (length // len(unit) + 1))[:length]
