"""What is mended in JSON that can't be read as it came, and that all else stays as it is."""

from __future__ import annotations

import json

import pytest

from tetrate_jupyter.http import reading

DEEP = reading.MAX_DEPTH


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (
            r'{"a": "caf\u00e9 \ud83d\ude00 \u0041\n\"NaN\" \\ud83d", "b": NaN}',
            {"a": 'café 😀 A\n"NaN" \\ud83d', "b": None},
        ),
        (r'["\ud83d", "\ude00\ud83d", "\ud83d\u0041", "\u12 x"]', ["\ufffd", "\ufffd\ufffd", "\ufffdA", "\ufffd12 x"]),
        ('["[[NaN]]", -Infinity, inf, 1]', ["[[NaN]]", None, None, 1]),
        (f'[{"[" * DEEP}NaN, "]"{"]" * DEEP}, 2]', None),
    ],
)
def test_only_what_is_broken_is_replaced(body: str, wanted: object) -> None:
    found = json.loads(reading.mended(body.encode()))
    if wanted is None:
        assert str(found).count("[") == DEEP
        assert found[-1] == 2
    else:
        assert found == wanted
