"""What is mended in JSON that can't be read as it came, and that all else stays as it is."""

from __future__ import annotations

import json

import msgspec
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
        (r'["a\\", NaN, "\"NaN"]', ["a\\", None, '"NaN']),
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


def test_what_stands_outside_of_texts_and_is_no_json_stays() -> None:
    assert reading.mended(b"[\\n, \\u0041, 1]") == b"[\\n, \\u0041, 1]"


def test_more_than_a_list_has_is_not_mended() -> None:
    most = b"[" + b'""' * (reading.MAX_TOKENS // 2 - 1) + b" NaN"  # as many signs as are looked at
    assert reading.mended(most).endswith(b"null")
    with pytest.raises(msgspec.DecodeError, match="more to be mended"):
        reading.mended(most + b" NaN")
    long = b"[NaN]" + b" " * (reading.MAX_MENDED - 5)
    assert reading.mended(long) != long
    assert reading.mended(long + b" ") == long + b" "  # it stays as it is


def test_values_are_counted_before_they_are_made() -> None:
    assert reading.check_values(b'{"a":[1,2],"b":{}}') == 5
    assert reading.check_values(b"[1,2]", 2) == 2
    with pytest.raises(msgspec.DecodeError, match="more values"):
        reading.check_values(b"[1,2,3]", 2)


class Part(msgspec.Struct):
    size: int | None = None
    name: str = "none"


class Thing(msgspec.Struct, rename="camel"):
    the_id: str
    count: int | None = None
    parts: list[Part] | None = None
    part: Part | None = None
    words: list[str] | None = None


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ('{"theId":"a","count":3}', Thing("a", 3)),
        ('{"theId":"a","count":"3"}', Thing("a", 3)),
        ('{"theId":"a","count":"x","more":[1]}', Thing("a")),
        ('{"theId":"a","count":[]}', Thing("a")),
        ('{"theId":5,"count":3}', None),
        ('{"count":3}', None),
        ("[1]", None),
        ('{"theId":"a","part":{"size":"4","name":[]}}', Thing("a", part=Part(4))),
        ('{"theId":"a","part":{"size":{},"name":"b"}}', Thing("a", part=Part(None, "b"))),
        ('{"theId":"a","part":"x","words":["b"]}', Thing("a", words=["b"])),
        ('{"theId":"a","parts":[{"size":1},5,{"size":[],"name":"b"}],"words":["b",[],"c"]}',
         Thing("a", parts=[Part(1), Part(None, "b")], words=["b", "c"])),
        ('{"theId":"a","words":"b","parts":{}}', Thing("a")),
        ('{"theId":"a","count":1e400,"words":["b"]}', Thing("a", words=["b"])),
    ],
)  # fmt: skip
def test_a_member_that_doesnt_fit_is_left_out_alone(body: str, right: Thing | None) -> None:
    assert reading.entry(body.encode(), Thing) == right
    assert reading.entries([msgspec.Raw(body.encode()), msgspec.Raw(b'{"theId":"z"}')], Thing) == [
        *([] if right is None else [right]), Thing("z"),
    ]  # fmt: skip


def test_a_member_that_is_needed_is_never_read_as_something_else() -> None:
    needed = frozenset({"count"})
    assert reading.entry(b'{"theId":"a","count":3,"part":5}', Thing, needed=needed) == Thing("a", 3)
    for count in (b'"3"', b"[]", b"3.5"):
        assert reading.entry(b'{"theId":"a","count":%s,"part":5}' % count, Thing, needed=needed) is None
    assert reading.entry(b'{"theId":"a","part":5}', Thing, needed=needed) == Thing("a")


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ('{"data":[{"id":"a"}],"models":[{"id":"b"}]}', [{"id": "a"}]),
        ('{"models":[{"id":"b"}]}', [{"id": "b"}]),
        ('{"data":5,"models":[{"id":"b"}]}', [{"id": "b"}]),
        ('{"data":[],"models":[{"id":"b"}]}', []),
        ('{"data":null,"models":[]}', None),
        ('\ufeff \n[{"id":"a"}]', [{"id": "a"}]),
        ("[]", None),
        ('["a","b"]', [{"id": "a"}, {"id": "b"}]),
        ('["a",{"id":"b"}]', ["a", {"id": "b"}]),
        ('[{"model":"a","x":1},{"name":"b"},{"model":5,"name":"c"},{"other":"d"},7]',
         [{"model": "a", "x": 1, "id": "a"}, {"name": "b", "id": "b"}, {"model": 5, "name": "c", "id": "c"},
          {"other": "d"}, 7]),
        ('[{"id":"a","name":"b"}]', [{"id": "a", "name": "b"}]),
        ('{"data":[{"id":"a","x":NaN}]}', [{"id": "a", "x": None}]),
        ("{}", None),
        ('{"other":[1]}', None),
    ],
)  # fmt: skip
def test_a_list_is_found_wherever_it_stands(body: str, right: list[object] | None) -> None:
    if right is None:
        with pytest.raises(msgspec.ValidationError, match="no list"):
            reading.listed(body.encode(), ("data", "models"))
    else:
        found = reading.listed(body.encode(), ("data", "models"))
        assert [msgspec.json.decode(item) for item in found] == right


def test_what_fits_after_mending_is_read_and_what_doesnt_is_refused() -> None:
    assert reading.decode(b'{"theId":"a\\ud83d","count":NaN}', Thing) == Thing("a\ufffd")
    for wrong in (b'{"theId":5}', b"[]", b'{"theId":"a"'):
        with pytest.raises(msgspec.MsgspecError):
            reading.decode(wrong, Thing)
