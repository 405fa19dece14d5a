"""%tetrate_compare and %%tetrate_compare: models side by side, live in a notebook, as a result everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetrate_jupyter.compare.asking import ANNOUNCED, prepare
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.front_end import place
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.prompting import build_prompt, out_name

if TYPE_CHECKING:
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.magics.extension import TetrateMagics
    from tetrate_jupyter.magics.options import Parsed
    from tetrate_jupyter.widgets.compare import ComparePanel


def compare(magics: TetrateMagics, line: str, cell: str | None) -> ComparePanel | Result | None:
    """Give the panel in a notebook, the comparison in it under way; elsewhere, or with --wait, the result."""
    parsed = commands.COMPARE.parse(line)
    out = out_name(parsed)
    if cell is None and not parsed.words:
        return _empty(magics)
    prompt = build_prompt(parsed, cell, magics.ip.user_ns)
    models = [name for given in parsed.many("model") for name in given.split(",") if name.strip()]
    options = {**_options(magics, parsed, dict(prompt.arguments)), "images": prompt.images}
    session = magics.session
    if place() != "notebook" or parsed.flag("wait"):
        result = session.compare(prompt.text, models or None, **options)
        _keep(magics, out, result)
        return result
    from tetrate_jupyter.widgets.compare import ComparePanel

    comparison = session.bridge.run(prepare(session, prompt.text, models or None, **options))
    session.comparison = comparison
    if comparison.forecast.calls >= ANNOUNCED:
        print(comparison.forecast.sentence)  # noqa: T201 - to the person
    panel = ComparePanel(session, comparison, blind=parsed.flag("blind"))
    _keep(magics, out, comparison)
    comparison.start()
    return panel


def _empty(magics: TetrateMagics) -> ComparePanel | None:
    if place() == "terminal":
        raise OptionError(
            "There is nothing to compare.", next_step="write it behind: %tetrate_compare -m claude-*,gpt-6-luna why?"
        )
    from tetrate_jupyter.widgets.compare import ComparePanel

    return ComparePanel(magics.session)


def _options(magics: TetrateMagics, parsed: Parsed, asked: dict[str, Any]) -> dict[str, Any]:
    asked.pop("model", None)
    defaults = {"temperature": magics.temperature, "max_tokens": magics.max_tokens}
    own = {
        "repeats": parsed.integer("repeats"),
        "seed": parsed.integer("seed"),
        "max_cost": parsed.text("max_cost"),
        "history": parsed.flag("history") or None,
    }
    return {k: v for k, v in {**defaults, **asked, **own}.items() if v is not None}


def _keep(magics: TetrateMagics, out: str | None, what: object) -> None:
    if out is not None:
        magics.ip.user_ns[out] = what
