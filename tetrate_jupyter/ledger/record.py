"""One record: a request that was sent and may have been billed, as one line of JSON.

Every round of tools and every try is one: each is billed for itself. `call` joins those of one question. What isn't
known is None, never 0, and is left out of the line but for the fields that every line has. No prompt, no answer and no
key is in it.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line

VERSION: Final = 1
MOST_LINE: Final = 64_000  # bytes: more than the longest texts and amounts of one record take
_MOST_TEXT: Final = 2 * MAX_NAME  # characters of one field; a path to a notebook is the longest
_MOST_NUMBER: Final = 2**63 - 1
_NOTHING, _MOST_COST = Decimal(0), Decimal(10**12)  # US dollars
# The bounds hold for what is read: a line may have been written by anybody. `clean` has what we write keep to them.
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=_MOST_TEXT)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_MOST_NUMBER)]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, rename={"tokens_in": "in"}):
    """One request.

    `t`: when it was sent, seconds since the epoch. `call`, `n`: the question it belongs to, and which of its requests
    it is, from 0. `host` as in `Endpoints.host`. `asked`, `served`: model ids. `tokens_in`, `out`: tokens of prompt and
    answer; `cached_in` of the prompt, `reasoning` of the answer. `cost`: estimated US dollars, 0 where nothing can have
    been billed, with the prices it was estimated at (`price_in`, `price_out`: US dollars per million tokens). `most`:
    what it can have cost at most, where `cost` is unknown. `first`: seconds until the first text; `total`: until the
    end. `outcome`: "done", "partial" (broken off, text had come), "failed" (`error` says why: "stopped" where somebody
    did), or "open" while a daily budget has set `most` aside for it; that line is replaced by the one of its end, or
    taken back by one that is "void". `op`: what asked ("ask", "compare").
    `cached`: the answer came from the answers that are kept, and nothing was sent. `simulated`: by the sandbox.
    """

    v: int = VERSION
    t: float
    call: Text
    n: Count
    host: Text
    asked: Text
    served: Text | None
    tokens_in: Count | None
    out: Count | None
    cost: Decimal | None
    outcome: Text
    op: Text | None = None
    cached_in: Count | None = None
    cache_write: Count | None = None
    reasoning: Count | None = None
    price_in: Decimal | None = None
    price_out: Decimal | None = None
    most: Decimal | None = None
    first: float | None = None
    total: float | None = None
    error: Text | None = None
    finish: Text | None = None
    request_id: Text | None = None
    trace_id: Text | None = None
    notebook: Text | None = None
    cell: Text | None = None
    kernel: Text | None = None
    label: Text | None = None
    run: Text | None = None
    row: Count | None = None
    cached: bool = False
    simulated: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others, wherever it is written."""
        return self.call, self.n


class Brief(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename={"tokens_in": "in"}):
    """The part of a `Record` that sums are made of: reading it takes two thirds of the time."""

    t: float
    call: Text
    n: Count
    asked: Text
    served: Text | None
    tokens_in: Count | None
    out: Count | None
    cost: Decimal | None
    outcome: Text
    cached_in: Count | None = None
    most: Decimal | None = None
    first: float | None = None
    error: Text | None = None
    notebook: Text | None = None
    label: Text | None = None
    cached: bool = False
    simulated: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """See `Record.key`."""
        return self.call, self.n


FIELDS: Final = Record.__struct_fields__
RecordT = TypeVar("RecordT", Record, Brief)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {k: msgspec.json.Decoder(k) for k in (Record, Brief)}
_IS_OPEN: Final = b'"outcome":"open"'


def clean(record: Record) -> Record:
    """Return the record with its texts on one line, within bounds and without keys, and without what JSON can't say."""
    changed: dict[str, Any] = {}
    for name in FIELDS:
        value = getattr(record, name)
        tidy: object
        if isinstance(value, str):
            tidy = one_line(secrecy.redact(value), _MOST_TEXT)
        elif isinstance(value, Decimal):
            tidy = value if _can_be(value) else None
        elif isinstance(value, float):
            tidy = value if math.isfinite(value) else None
        elif isinstance(value, int):
            tidy = value if 0 <= value <= _MOST_NUMBER else None
        else:
            continue
        if tidy is not value and tidy != value:
            changed[name] = tidy
    return msgspec.structs.replace(record, **changed) if changed else record


def encoded(record: Record) -> bytes:
    """Return the record as a line, with its end."""
    return _ENCODER.encode(record) + b"\n"


def holds_open(data: bytes) -> bool:
    """Whether a segment's bytes have a record that its end may have replaced."""
    return _IS_OPEN in data


def decoded(data: bytes, kind: type[RecordT]) -> tuple[list[RecordT], int]:
    """Return the records of a segment's bytes and the number of lines that are none.

    The end of a line that was torn is no record: what comes behind the last line break is left alone, and not counted.
    """
    whole = data[: data.rfind(b"\n") + 1]
    try:
        if not _has_long_lines(whole):
            found: list[RecordT] = _DECODERS[kind].decode_lines(whole)
            costs = [cost for each in found if (cost := each.cost) is not None]
            costs += [most for each in found if (most := each.most) is not None]
            if all(_NOTHING <= cost <= _MOST_COST for cost in costs):
                return found, 0
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):  # the third: what isn't a number
        pass
    sound, odd = _one_by_one(whole, kind)
    return [each for each, _ in sound], len(odd)


def with_lines(data: bytes) -> tuple[list[tuple[Record, bytes]], list[bytes]]:
    """Return the records of a segment's bytes, each with its line, and the lines that are none.

    For whoever writes them again: a line has what a newer version has noted beside what is known here.
    """
    return _one_by_one(data[: data.rfind(b"\n") + 1], Record)


def _one_by_one(whole: bytes, kind: type[RecordT]) -> tuple[list[tuple[RecordT, bytes]], list[bytes]]:
    found: list[tuple[RecordT, bytes]] = []
    odd: list[bytes] = []
    for line in (piece + b"\n" for piece in whole.split(b"\n")):
        if not line.strip():
            continue
        try:
            record = None if len(line) > MOST_LINE else _DECODERS[kind].decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            record = None
        if record is not None and _is_sound(record):
            found.append((record, line))
        else:
            odd.append(line)
    return found, odd


def _has_long_lines(whole: bytes) -> bool:
    """Whether a line is longer than a record can be; looks at few of the bytes."""
    start = 0
    while len(whole) - start > MOST_LINE:
        start = whole.rfind(b"\n", start, start + MOST_LINE) + 1
        if not start:
            return True
    return False


def _is_sound(record: Record | Brief) -> bool:
    return _can_be(record.cost) and _can_be(record.most)


def _can_be(amount: Decimal | None) -> bool:
    """Whether it can be an amount of US dollars: what is no number, or less than nothing, would add up to anything."""
    return amount is None or (amount.is_finite() and _NOTHING <= amount <= _MOST_COST)
