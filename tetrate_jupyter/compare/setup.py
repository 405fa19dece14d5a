"""What a comparison asks: prompts x columns x repeats, in a reproducible order; pure."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tetrate_jupyter.errors import EmptyPromptError, OptionError

if TYPE_CHECKING:
    from decimal import Decimal

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.types import Cut, Image

MAX_CELLS: Final = 100_000  # as many as a notebook can hold
CONCURRENCY: Final = 4  # concurrent calls to one model, by default
_FENCE: Final = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
SEPARATOR: Final = "---"  # alone on a line between two prompts
_SEEDS: Final = 2**32
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class CellPlace(NamedTuple):
    """The place of a cell: the column's id, and the numbers of prompt and repeat, from 0."""

    column: str
    prompt: int = 0
    repeat: int = 0


@dataclass(frozen=True)
class Setup:
    """Everything that defines a comparison, checked.

    `params` are the options of `Session.ask` for all columns. `seed` determines the order in which calls start and the
    blind order, but isn't sent to the models. `max_cost`: a limit in US dollars, None for no limit (see
    `compare.allowance`). `concurrency`: concurrent calls to one model. `cuts`: what was left out of the variables in
    the prompts. `as_typed`: the only prompt as it was typed, where variables were put into it. `cached`: the place of
    the kept answers to use, "" for none; `refresh`: ask everything again. `noted`: notices of a comparison made in
    another kernel. Raises `OptionError` or `EmptyPromptError`.
    """

    prompts: tuple[str, ...]
    columns: tuple[Column, ...]
    repeats: int = 1
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    max_cost: Decimal | None = None
    concurrency: int = CONCURRENCY
    cuts: tuple[Cut, ...] = ()
    as_typed: str | None = None
    cached: str = ""
    refresh: bool = False
    noted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_prompts(self.prompts, images=bool(self.images))
        if not self.columns:
            raise OptionError("There is no model to compare.", next_step='name some: models=["claude-*", "gpt-6-luna"]')
        for name in ("repeats", "concurrency"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}.", next_step="give a whole number of at least 1")
        if self.as_typed is not None and len(self.prompts) != 1:
            raise OptionError("as_typed is for one prompt.", next_step="leave it out")
        if self.max_cost is not None and not (self.max_cost.is_finite() and self.max_cost >= 0):
            raise OptionError(f"max_cost is {self.max_cost}.", next_step="give US dollars: max_cost=0.50")
        if self.size > MAX_CELLS:
            raise OptionError(
                f"This would make {self.size:,} calls; a comparison takes at most {MAX_CELLS:,}.",
                next_step="give fewer prompts, models or repeats",
            )

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.prompts) * len(self.columns) * self.repeats

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader must know about the prompts, such as what was left out of a table."""
        return (*(cut.sentence for cut in self.cuts), *self.noted)

    def column(self, column_id: str) -> Column:
        """Return the column with this id."""
        return next(c for c in self.columns if c.id == column_id)

    def duplicates(self) -> dict[str, int]:
        """Return, by column id, how many earlier columns ask the same; each has kept answers of its own."""
        seen: Counter[str] = Counter()
        found = {}
        for column in self.columns:
            history = tuple(exchange.id for exchange in column.history)
            same = repr(
                (column.model.id if column.model else column.asked, sorted(column.params.items(), key=str), history)
            )
            found[column.id] = seen[same]
            seen[same] += 1
        return found

    def start_order(self) -> list[CellPlace]:
        """Return all cells in the order of their start: by repeat, then by prompt, with columns shuffled."""
        shuffled = random.Random(self.seed)  # noqa: S311 - not used for secrets
        ids = [c.id for c in self.columns]
        found = []
        for repeat in range(self.repeats):
            for prompt in range(len(self.prompts)):
                shuffled.shuffle(ids)
                found += [CellPlace(column, prompt, repeat) for column in ids]
        return found

    def blind_names(self) -> dict[str, str]:
        """Return each column's name while models are hidden ("A", "B", ...), by column id, in the order of display."""
        return blind_names([c.id for c in self.columns], self.seed)


def blind_names(columns: Iterable[str], seed: int) -> dict[str, str]:
    """Return each column's name while models are hidden ("A", "B", ...), by column id, in the order of display."""
    ids = list(columns)
    random.Random(f"blind {seed}").shuffle(ids)  # noqa: S311 - as above; another order than that of starting
    return {column: _letters(number) for number, column in enumerate(ids)}


def new_seed() -> int:
    """Return a random seed; it is recorded, so that the run can be repeated."""
    return random.SystemRandom().randrange(_SEEDS)


def prompts_of(given: object) -> tuple[str, ...]:
    """Return the prompts in an argument: a text, or a list or pandas Series of texts. Raises `OptionError`."""
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise OptionError(f"A prompt can't be {type(given).__name__}.", next_step="give a text or a list of texts")
    found = tuple(given)
    for number, prompt in enumerate(found, 1):
        if not isinstance(prompt, str):
            raise OptionError(
                f"Prompt {number} of {len(found):,} is {type(prompt).__name__}, not text.",
                next_step="give texts: [str(p) for p in prompts]",
            )
    return found


def split_prompts(text: str, separator: str = SEPARATOR) -> tuple[str, ...]:
    """Return the prompts of a text, with lines of `separator` alone between them: the one way for cells and panels.

    A line between two code fences is code and divides nothing; a fence that is never closed protects nothing. Without
    such a line it is the text as it is; with one, no prompt has blanks around it, and none is empty.
    """
    found: list[list[str]] = [[]]
    lines = [line.strip() for line in text.splitlines()]
    fenced = _fenced(lines)
    for number, line in enumerate(text.splitlines()):
        if lines[number] == separator and number not in fenced:
            found.append([])
        else:
            found[-1].append(line)
    if len(found) == 1:
        return (text,) if text.strip() else ()
    return tuple(filter(None, ("\n".join(lines).strip() for lines in found)))


def _fenced(lines: Sequence[str]) -> set[int]:
    """Return the numbers of the lines that stand between a code fence and the one that closes it."""
    found: set[int] = set()
    open_ever: dict[str, int] = {}  # by character, the length from which no fence is closed any more
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        sign, length = (fence[1][0], len(fence[1])) if fence else ("", 0)
        if sign and length < open_ever.get(sign, length + 1):
            closes = (n for n in range(number + 1, len(lines)) if _closes(lines[n], sign, length))
            end = next(closes, None)
            if end is None:
                open_ever[sign] = length
            else:
                found.update(range(number + 1, end))
                number = end
        number += 1
    return found


def _closes(line: str, sign: str, length: int) -> bool:
    return len(line) >= length and line == sign * len(line)


def refuse_pictures(images: int, by_hand: int) -> None:
    """Raise `OptionError` where one of several prompts names a picture; `by_hand` of the `images` are meant for all."""
    if images > by_hand:
        raise OptionError(
            "One of the prompts names a picture, which would go with all of them; nothing was sent.",
            next_step="compare that prompt alone",
        )


def _check_prompts(prompts: tuple[str, ...], *, images: bool) -> None:
    if not prompts:
        raise EmptyPromptError("There is no prompt.", next_step="give a text or a list of texts")
    empty = [number for number, prompt in enumerate(prompts, 1) if not prompt.strip()]
    if not empty or images:
        return
    if len(prompts) == 1:
        raise EmptyPromptError("The prompt is empty.", next_step="ask something")
    more = f" (and {len(empty) - 1:,} more)" if len(empty) > 1 else ""
    raise EmptyPromptError(
        f"Prompt {empty[0]:,} of {len(prompts):,}{more} is empty.",
        next_step="leave empty ones out: [p for p in prompts if p.strip()]",
    )


def _letters(number: int) -> str:
    first, last = divmod(number, len(_LETTERS))
    return (_LETTERS[first - 1] if first else "") + _LETTERS[last]
