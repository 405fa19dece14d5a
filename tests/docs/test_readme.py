"""README and docs say what the code says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.readme import BEGIN, END, GENERATED, ROOT, with_generated
from tetrate_jupyter import config
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once  # it reads README and docs

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.name)
def test_the_generated_part_is_current(page: Path) -> None:
    there = page.read_text(encoding="utf-8")
    assert there.count(BEGIN) == there.count(END) == 1
    assert with_generated(page) == there, "run: make docs"


def test_every_link_between_the_pages_leads_somewhere() -> None:
    found = 0
    for path in PAGES:
        for target, heading in LINK.findall(path.read_text(encoding="utf-8")):
            if target.startswith("http"):
                continue
            found += 1
            page = (path.parent / target).resolve() if target else path
            assert page.exists(), f"{path.name}: {target}"
            headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
            assert not heading or heading in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert found > 20


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 110


def test_every_magic_that_is_mentioned_exists() -> None:
    known = {command.name for command in commands.COMMANDS}
    assert set(re.findall(r"%{1,2}(tetrate\w*)", TEXT)) <= known


def test_every_environment_variable_is_documented() -> None:
    for name in (*config.KEY_VARIABLES, config.BASE_URL_VARIABLE, config.AUTH_URL_VARIABLE, config.HOST_VARIABLE,
                 config.STREAM_VARIABLE):  # fmt: skip
        assert name in TEXT, name


def test_every_error_that_is_mentioned_exists() -> None:
    def below(kind: type) -> set[str]:
        return {kind.__name__}.union(*(below(k) for k in kind.__subclasses__()))

    assert set(re.findall(r"`(\w+Error)`", TEXT)) <= below(TetrateError)
