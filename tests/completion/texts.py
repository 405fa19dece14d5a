"""The text alone of what is described for a prompt; what it leaves out is tested where cuts are."""

from __future__ import annotations

from tetrate_jupyter.completion.cuts import USUAL, Limits
from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.completion.tools import described_result


def describe(value: object, name: str = "value", limits: Limits = USUAL) -> str:
    """Return a value as text for a prompt."""
    return described(value, name, limits).text


def result_text(value: object) -> str:
    """Return what a tool returned as text."""
    return described_result(value, "result").text
