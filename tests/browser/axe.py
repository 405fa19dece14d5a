"""axe-core over a part of a page: what somebody who can't see, point or hear would trip over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SCRIPT = Path(axe_playwright_python.__file__).parent / "axe.min.js"
GRAVE = {"serious", "critical"}

_RUN = """
(root) => window.axe.run(root, {resultTypes: ["violations"]}).then((found) => found.violations.map((each) => ({
    id: each.id, impact: each.impact, help: each.help,
    where: each.nodes.map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`),
})))
"""


def findings(root: Locator) -> list[str]:
    """Give the serious and critical findings in `root`, one line each."""
    page = root.page
    if not page.evaluate("Boolean(window.axe)"):
        page.add_script_tag(path=SCRIPT)
    found: list[dict[str, Any]] = root.evaluate(_RUN)
    return [
        f"{each['impact']} {each['id']}: {each['help']}: {where}"
        for each in found
        if each["impact"] in GRAVE
        for where in each["where"]
    ]
