"""One record: a request that was sent and may have been billed, as one line of JSON.

Every round of tools and every try is one: each is billed for itself. `call` joins those of one question. What isn't
known is None, never 0, and is left out of the line but for the fields that every line has. No prompt, no answer and no
key is in it.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION: Final = 1
_MOST_TEXT: Final = 2 * MAX_NAME  # characters of one field; a path to a notebook is the longest


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, rename={"tokens_in": "in"}):
    """One request.

    `t`: when it was sent, seconds since the epoch. `call`, `n`: the question it belongs to, and which of its requests
    it is, from 0. `host` as in `Endpoints.host`. `asked`, `served`: model ids. `tokens_in`, `out`: tokens of prompt and
    answer; `cached_in` of the prompt, `reasoning` of the answer. `cost`: estimated US dollars, 0 where nothing can have
    been billed, with the prices it was estimated at (`price_in`, `price_out`: US dollars per million tokens). `most`:
    what it can have cost at most, where `cost` is unknown. `first`: seconds until the first text; `total`: until the
    end. `outcome`: "done", "partial" (broken off, text had come), "failed", or "open" while a daily budget has set
    `most` aside for it; that line is replaced by the one of its end, or taken back by one that is "void". `op`: what
    asked ("ask", "compare").
    `cached`: the answer came from the answers that are kept, and nothing was sent. `simulated`: by the sandbox.
    """

    v: int = VERSION
    t: float
    call: str
    n: int
    host: str
    asked: str
    served: str | None
    tokens_in: int | None
    out: int | None
    cost: Decimal | None
    outcome: str
    op: str | None = None
    cached_in: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    price_in: Decimal | None = None
    price_out: Decimal | None = None
    most: Decimal | None = None
    first: float | None = None
    total: float | None = None
    error: str | None = None
    finish: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    notebook: str | None = None
    cell: str | None = None
    kernel: str | None = None
    label: str | None = None
    run: str | None = None
    row: int | None = None
    cached: bool = False
    simulated: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others, wherever it is written."""
        return self.call, self.n


class Brief(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename={"tokens_in": "in"}):
    """The part of a `Record` that sums are made of: reading it takes two thirds of the time."""

    t: float
    call: str
    n: int
    asked: str
    served: str | None
    tokens_in: int | None
    out: int | None
    cost: Decimal | None
    outcome: str
    cached_in: int | None = None
    most: Decimal | None = None
    first: float | None = None
    notebook: str | None = None
    label: str | None = None
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
        elif isinstance(value, (float, Decimal)):
            tidy = value if math.isfinite(value) else None
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
        found: list[RecordT] = _DECODERS[kind].decode_lines(whole)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _one_by_one(whole.split(b"\n"), kind)
    return found, 0


def _one_by_one(lines: Iterable[bytes], kind: type[RecordT]) -> tuple[list[RecordT], int]:
    found: list[RecordT] = []
    odd = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            found.append(_DECODERS[kind].decode(line))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            odd += 1
    return found, odd
