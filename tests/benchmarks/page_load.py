"""(m) What the extension adds to JupyterLab's page, in one run: main thread, bytes, and what an idle notebook sends.

Run: `python -m tests.benchmarks.page_load`. Pages with and without it are opened in turn on one server. `with_ms` and
`without_ms` are processor time of the page's main thread, medians; they vary from load to load by more than they
differ. `ours_ms` is what Chromium's profiler finds below a frame of the extension, with all that it calls there:
wall-clock time, so a busy machine makes it longer.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.browser import chromium
from tests.browser.lab import EXTENSION, Lab
from tests.browser.notebook import Notebook, write
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

ROUNDS = 5  # after one that warms the server's files
IDLE = 10_000  # ms in which an idle notebook is listened to
SAMPLING = 200  # microseconds
NAME = "tetrate-jupyter"
_CONFIG = '<script id="jupyter-config-data" type="application/json">'


def measure() -> dict[str, float]:
    """Give milliseconds of main thread, bytes, and the messages of ten idle seconds."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, SandboxRouter(speed=INSTANT) as router:
        environment = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
        with Lab(Path(folder) / "lab", environment) as lab, sync_playwright() as playwright:
            path = chromium.find(playwright)
            browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS, timeout=60_000)
            loads = [(_load(browser, lab, is_with=True), _load(browser, lab, is_with=False)) for _ in range(ROUNDS + 1)]
            sent, received = _idle(browser, lab)
            browser.close()
    with_it = statistics.median(load["task"] for load, _ in loads[1:])
    without = statistics.median(load["task"] for _, load in loads[1:])
    files = [each for each in EXTENSION.rglob("*") if each.is_file()]
    return {
        "with_ms": with_it,
        "without_ms": without,
        "added_ms": with_it - without,
        "ours_ms": statistics.median(load["ours"] for load, _ in loads[1:]),
        "bytes": sum(each.stat().st_size for each in files),
        "idle_sent": sent,
        "idle_received": received,
    }


def _load(browser: Browser, lab: Lab, *, is_with: bool) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.route(f"{lab.origin}/lab*", lambda route: _document(route, is_with=is_with))
    told = context.new_cdp_session(page)
    told.send("Performance.enable", {"timeDomain": "threadTicks"})
    told.send("Profiler.enable")
    told.send("Profiler.setSamplingInterval", {"interval": SAMPLING})
    told.send("Profiler.start")
    page.goto(lab.address("").replace("/workspaces//tree/", "") + "&reset", wait_until="domcontentloaded")
    page.locator(".jp-LauncherCard").first.wait_for(timeout=120_000)
    page.wait_for_load_state("networkidle", timeout=120_000)
    assert page.locator("#tetrate-panel").count() == int(is_with)
    profile = told.send("Profiler.stop")["profile"]
    metrics = {each["name"]: each["value"] for each in told.send("Performance.getMetrics")["metrics"]}
    context.close()
    return {"task": 1000 * metrics["TaskDuration"], "ours": _ours(profile)}


def _document(route: Route, *, is_with: bool) -> None:
    """Pass the page on, without the extension among those that it is to load or with it."""
    response = route.fetch()
    before, mark, rest = response.text().partition(_CONFIG)
    if is_with or not mark:
        route.fulfill(response=response)
        return
    told, end, after = rest.partition("</script>")
    page = json.loads(told)
    page["federated_extensions"] = [each for each in page["federated_extensions"] if each["name"] != NAME]
    route.fulfill(response=response, body=f"{before}{mark}{json.dumps(page)}{end}{after}")


def _ours(profile: dict[str, Any]) -> float:
    """Return the milliseconds of samples below a frame of the extension."""
    nodes = {node["id"]: node for node in profile["nodes"]}
    ours: set[int] = set()
    begun = [(node["id"], False) for node in profile["nodes"] if node["callFrame"]["functionName"] == "(root)"]
    while begun:
        at, is_ours = begun.pop()
        is_ours = is_ours or f"/{NAME}/" in nodes[at]["callFrame"]["url"]
        if is_ours:
            ours.add(at)
        begun += [(child, is_ours) for child in nodes[at].get("children", ())]
    spent = zip(profile["samples"], profile["timeDeltas"], strict=True)
    return sum(delta for node, delta in spent if node in ours) / 1000


def _idle(browser: Browser, lab: Lab) -> tuple[int, int]:
    """Return how many messages go to the kernel of a notebook that is loaded, and come from it, in ten idle seconds.

    The server's own events, such as those on JupyterLab's look at the folder, are not counted.
    """
    page = browser.new_page()
    counts = {"sent": 0, "received": 0}
    page.on("websocket", lambda socket: _count(socket, counts) if "/api/kernels/" in socket.url else None)
    path = write(lab.folder / "idle.ipynb", ["%load_ext tetrate_jupyter"])
    notebook = Notebook(page, path, lab.address(path.name))
    notebook.open()
    notebook[0].run()
    page.locator(".tetrate-lab-status").filter(has_text="today").wait_for()
    _settle(page, counts)
    counts.update(sent=0, received=0)
    page.wait_for_timeout(IDLE)
    page.close()
    return counts["sent"], counts["received"]


def _settle(page: Page, counts: dict[str, int]) -> None:
    """Wait until a second has passed without a message."""
    for _ in range(60):
        before = dict(counts)
        page.wait_for_timeout(1_000)
        if counts == before:
            return


def _count(socket: Any, counts: dict[str, int]) -> None:
    def add(kind: str) -> None:
        counts[kind] += 1

    socket.on("framesent", lambda _: add("sent"))
    socket.on("framereceived", lambda _: add("received"))


if __name__ == "__main__":
    print(json.dumps({name: round(value, 2) for name, value in measure().items()}, indent=2))
