"""An error that is made anew from its class and words has all that its class has."""

from __future__ import annotations

import inspect

import pytest

from tests.architecture.test_public_api import assigned
from tetrate_jupyter import errors
from tetrate_jupyter.compare.cells import retold
from tetrate_jupyter.errors import TetrateError, WrongHostError

KINDS = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, TetrateError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_made_anew_lacks_no_member(kind: type[TetrateError]) -> None:
    error = retold(kind, "What happened.", next_step="do this", request_id="r-1")
    assert type(error) is kind
    assert (error.message, error.next_step, error.request_id) == ("What happened.", "do this", "r-1")
    for member in set().union(*(assigned(each) for each in kind.__mro__)):
        getattr(error, member)


def test_what_its_class_knows_is_told_again() -> None:
    error = retold(WrongHostError, "Elsewhere.", next_step="", request_id=None)
    assert isinstance(error, WrongHostError)
    assert (error.status, error.hostnames, error.code) == (403, (), None)
