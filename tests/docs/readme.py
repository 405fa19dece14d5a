"""Writes the generated parts of `docs/` from the code: every magic, its options, every trait; all of `session`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.docs import reference
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.extension import TetrateMagics

ROOT = Path(__file__).parents[2]
BEGIN = "<!-- generated (make docs) -->"
END = "<!-- end generated -->"


def magics() -> str:
    """Return the Markdown of all magics."""
    parts = [_command(command) for command in commands.COMMANDS]
    parts.append("### Defaults\n\n" + _traits())
    return "\n\n".join(parts)


# What is written between the two marks of each page.
GENERATED = {ROOT / "docs" / "magics.md": magics, ROOT / "docs" / "python.md": reference.generated}


def with_generated(page: Path) -> str:
    """Return a page's text with its generated part made anew."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n\n".join([before + BEGIN, GENERATED[page](), END + after])


def _command(command: commands.Command) -> str:
    mark = "%%" if command is commands.COMPARE else "%"
    title = f"### `{mark}{command.name}`" + (" and `%%tetrate`" if command.name == "tetrate" else "")
    parts = [title, _escaped(" ".join(command.purpose.split("\n")))]
    if command.example:
        parts.append(f"```\n{command.example}\n```")
    if command.options:
        rows = [
            f"| `{o.usage.replace('|', chr(92) + '|')}` | {_escaped(o.help)}{_choices(o)} |" for o in command.options
        ]
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _traits() -> str:
    rows = [
        f"| `{name}` | `{trait.default()!r}` | {trait.help} |"
        for name, trait in sorted(TetrateMagics.class_own_traits(config=True).items())
    ]
    intro = (
        "`%config TetrateMagics` lists them. To set one for this kernel: "
        '`%config TetrateMagics.model = "claude-haiku-4-5"`;\n'
        'for all: `c.TetrateMagics.model = "claude-haiku-4-5"` in `ipython_config.py`.'
    )
    return "\n".join([intro, "", "| trait | default | meaning |", "|---|---|---|", *rows])


def _choices(option: commands.Option) -> str:
    return f" ({', '.join(f'`{c}`' for c in option.choices)})" if option.choices else ""


def _escaped(text: str) -> str:
    return re.sub(r"\b_tetrate\w*", r"`\g<0>`", text).replace("*)", "\\*)")


if __name__ == "__main__":
    for page in GENERATED:
        made = with_generated(page)
        if "--write" in sys.argv:
            page.write_text(made, encoding="utf-8")
        elif page.read_text(encoding="utf-8") != made:
            sys.exit(f"{page.name}: the generated part is old. Next: make docs")
        print(f"{page.name}: the generated part is current")
