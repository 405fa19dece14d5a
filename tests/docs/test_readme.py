"""The README says what the code says."""

from __future__ import annotations

import re

from tests.docs.readme import BEGIN, END, README, with_generated
from tetrate_jupyter import config
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.magics import commands

TEXT = README.read_text(encoding="utf-8")


def test_the_generated_part_is_current() -> None:
    assert BEGIN in TEXT
    assert END in TEXT
    assert with_generated(TEXT) == TEXT, "run: make docs"


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
