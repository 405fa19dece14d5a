"""The quickstart as a person goes through it, and what it leaves behind: no key, no code, no verifier."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import consent
from tetrate_jupyter.auth.pkce import challenge_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Opens
    from tests.browser.lab import Lab
    from tests.browser.notebook import Cell, Notebook
    from tetrate_jupyter.sandbox import SandboxRouter

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
WRONG = 'sales["unit"].sum()'  # on purpose, for %tetrate_fix
QUIET_LINE = re.compile(r"claude-haiku-4-5.* · .*total .* · .*tokens.* · ")
VERIFIER = re.compile(rb"[A-Za-z0-9\-._~]{43,}")  # RFC 7636, 4.1; at most 128 characters


@pytest.mark.usefixtures("signed_out")
def test_the_quickstart_works_cell_by_cell_and_leaves_no_secret(
    opened: Opens, lab: Lab, lab_router: SandboxRouter
) -> None:
    notebook = opened(copy_of=QUICKSTART)
    callbacks = addresses(notebook.page, "code=")
    asked = go_through(notebook, lab_router)
    assert asked, "the quickstart has a %tetrate_login cell"
    choose_another_model(notebook)
    notebook.save()
    notebook.shut_down()  # what IPython still holds goes to its history now

    (code,) = {parse_qs(urlsplit(address).query)["code"][0] for address in callbacks}
    (challenge,) = parse_qs(urlsplit(asked).query)["code_challenge"]
    (key_file,) = (lab.data / "tetrate-jupyter" / "keys").iterdir()
    assert key_file.stat().st_mode & 0o077 == 0
    key = key_file.read_text().strip()
    assert key.startswith("sk-sandbox-")
    files = {path: path.read_bytes() for path in everything_below(lab.home) if path != key_file}
    assert {notebook.path, lab.log} <= files.keys()
    assert "%tetrate_login" in ipython_history(lab)
    for path, data in files.items():
        for secret in (key, "sk-sandbox-", code):
            assert secret.encode() not in data, path
        assert not holds_verifier(data, challenge), path


def test_a_verifier_would_be_found() -> None:
    verifier = "v" * 128
    assert holds_verifier(b'{"verifier": "' + verifier.encode() + b'"}', challenge_of(verifier))
    assert holds_verifier(b"a-prefix-" + verifier.encode(), challenge_of(verifier))
    assert not holds_verifier(verifier.encode(), challenge_of("w" * 128))


def go_through(notebook: Notebook, router: SandboxRouter) -> str:
    """Run all cells, one by one; give the consent page's address."""
    asked = ""
    answers = 0
    for cell in notebook.code_cells:
        source = cell.source
        if source.startswith("%tetrate_login"):
            asked = sign_in(cell, router)
            continue
        if source == WRONG:
            cell.start()
            cell.wait()
            expect(cell.failures).to_have_count(1)
            continue
        shown = cell.run()
        if source.split(maxsplit=1)[0] == "%%tetrate" and "--dry-run" not in source:
            looks_like_an_answer(cell, shown)
            answers += 1
    assert answers > 0
    return asked


def sign_in(cell: Cell, router: SandboxRouter) -> str:
    """Follow the link, approve, and read who the notebook says is signed in."""
    cell.run()  # at once: the panel waits, not the cell
    address = consent.link(cell).get_attribute("href") or ""
    panel = consent.approve(cell)
    expect(panel.locator(".tetrate-detail")).to_contain_text(re.compile(r"private file.*; it reaches \d+ models"))
    expect(panel.locator(".tetrate-host")).to_have_text(router.host)
    expect(panel.get_by_role("status")).to_have_text("Signed in to Sandbox", use_inner_text=True)
    expect(cell.stdin).to_have_count(0)
    return address


def looks_like_an_answer(cell: Cell, shown: str) -> None:
    expect(cell.outputs.locator(".tetrate-body > *").last).to_be_visible()
    footer = cell.outputs.locator(".tetrate-footer")
    expect(footer).to_have_text(QUIET_LINE)
    assert shown.endswith(footer.inner_text().strip())


def choose_another_model(notebook: Notebook) -> None:
    """Choose in the dropdown with the keyboard alone, and read the session's model in the next cell."""
    dropdown = notebook.append("%tetrate_model")
    dropdown.run()
    expect(notebook.cells[-1].box.locator(".cm-content")).to_be_focused()  # the cell that Shift-Enter has made
    box = dropdown.box.get_by_role("combobox", name="Model")
    expect(box).to_have_value("claude-haiku-4-5")
    listed = box.locator("option").all_inner_texts()
    below = listed[listed.index("claude-haiku-4-5") + 1]
    box.focus()
    # JupyterLab takes plain keys from a closed list: https://github.com/jupyter-widgets/ipywidgets/issues/3912
    for key in ("Alt+ArrowDown", "ArrowDown", "Enter"):
        notebook.page.keyboard.press(key)
    expect(box).to_have_value(below)
    assert notebook.append("print(session.model)").run() == below
    notebook.append("%tetrate_model claude-haiku-4-5").run()
    expect(box).to_have_value("claude-haiku-4-5")  # a choice made elsewhere shows in it


def addresses(page: Page, holding: str) -> list[str]:
    """A list that grows by each address with this text that any page of the browser asks for."""
    seen: list[str] = []
    page.context.on("request", lambda request: seen.append(request.url) if holding in request.url else None)
    return seen


def everything_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def ipython_history(lab: Lab) -> str:
    (path,) = lab.home.rglob("history.sqlite")
    connection = sqlite3.connect(path)
    try:
        return "\n".join(row[0] for row in connection.execute("SELECT source_raw FROM history"))
    finally:
        connection.close()


def holds_verifier(data: bytes, challenge: str) -> bool:
    """Whether a piece of `data` is the verifier of this challenge, which alone is known here."""
    for found in VERIFIER.findall(data):
        for start in range(max(1, len(found) - 127)):
            if challenge_of(found[start : start + 128].decode()) == challenge:
                return True
    return False
