"""Where the person's browser is, as far as a machine says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.front_end import (
    CONTAINER_VARIABLES,
    HOSTED_VARIABLES,
    LIKELY_VARIABLES,
    hosted_elsewhere,
    likely_elsewhere,
    maybe_elsewhere,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", HOSTED_VARIABLES)
def test_what_is_known_to_be_elsewhere_is_likely_too(name: str) -> None:
    assert hosted_elsewhere({name: "1"})
    assert likely_elsewhere({name: "1"})
    assert maybe_elsewhere({name: "1"}, files=())


@pytest.mark.parametrize("name", LIKELY_VARIABLES)
def test_what_is_likely_is_not_known(name: str) -> None:
    assert likely_elsewhere({name: "true"})
    assert not hosted_elsewhere({name: "true"})
    assert not likely_elsewhere({name: ""})


@pytest.mark.parametrize("name", CONTAINER_VARIABLES)
def test_a_container_may_be_on_the_persons_own_machine(name: str) -> None:
    assert maybe_elsewhere({name: "true"}, files=())
    assert not likely_elsewhere({name: "true"})
    assert not maybe_elsewhere({name: ""}, files=())


def test_a_container_is_told_by_its_file(tmp_path: Path) -> None:
    mark = tmp_path / ".dockerenv"
    assert not maybe_elsewhere({}, files=(str(mark),))
    mark.touch()
    assert maybe_elsewhere({}, files=(str(mark),))
