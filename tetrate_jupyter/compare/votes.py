"""A person's votes for answers, counted over prompts, with their statistical significance; pure.

The unit is the prompt, whatever the number of its repeats, which aren't independent of each other. Two columns are
compared by the exact sign test over the prompts that one of the two won, with Holm's correction for several pairs.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tetrate_jupyter.compare.rows import Head, Row

MARKS: Final = {"best": "★", "good": "▲", "poor": "▼"}
ALPHA: Final = 0.05  # significance level: a difference is claimed up to this p-value
RANK: Final = {"best": 3, "good": 2, None: 1, "poor": 0}
_EXACT: Final = 2_000  # prompts above which the normal approximation is as good
_INTERVAL: Final = 300  # likewise, for the interval of one column's share
_OFTEN: Final = 0.5  # p-value from which on its figure would tell nothing
_FAR: Final = 2_000  # prompts up to which more are suggested
_NAMED: Final = 3  # columns that are level and named
_QUICK: Final = 200  # prompts from which a suggestion goes by the normal approximation: exact ones take half a minute


@dataclass(frozen=True, slots=True)
class Wins:
    """Prompts in which a column was best. `least`, `most`: the 95 % confidence interval of its share (exact)."""

    head: Head
    won: int
    of: int
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns over the prompts with a vote for one of them; `ahead` won at least as many as `behind`.

    `chance`: the p-value, two-sided; `corrected`: the same with Holm's correction for all pairs.
    """

    ahead: Head
    behind: Head
    won: int
    lost: int
    even: int
    chance: float
    corrected: float = 1.0

    @property
    def is_sure(self) -> bool:
        """Whether the difference is significant."""
        return self.corrected <= ALPHA


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes of a comparison, counted. `voted`: prompts with a vote; `early`: votes given early.

    `wins`: one per column, in order. `pairs`: all pairs of columns that ask differently, the most significant first.
    """

    voted: int
    early: int
    wins: tuple[Wins, ...]
    pairs: tuple[Pair, ...]

    @property
    def claim(self) -> str:
        """A sentence on the significant differences; "" for fewer than two prompts with votes."""
        if self.voted < 2 or not self.pairs:
            return ""
        sure = [p for p in self.pairs if p.is_sure]
        if not sure:
            return f"No difference can be claimed yet{self._missing}."
        over = "; ".join(f"{p.ahead.label} over {p.behind.label}" for p in sure[:3])
        more = f" and {len(sure) - 3} more" if len(sure) > 3 else ""
        return f"Preferred, beyond chance: {over}{more}."

    @property
    def detail(self) -> str:
        """The evidence for the claim: the pair it is about, its p-values in words, even prompts, early votes.

        It is the most significant pair where there is a significant one, else the two columns that lead.
        """
        if not self.claim:
            return ""
        pair = self.pairs[0] if self.pairs[0].is_sure else self._leaders
        said = []
        if pair.won + pair.lost:
            chance = "" if pair.won == pair.lost else f"; {_by_chance(pair, len(self.pairs))}"
            said.append(f"{pair.ahead.label} won {_prompts(pair.won)}, {pair.behind.label} {pair.lost}{chance}.")
        if pair.even:
            said.append(f"{_prompts(pair.even).capitalize()} {'was' if pair.even == 1 else 'were'} even.")
        return " ".join([*said, *([f"{self.early} early."] if self.early else [])])

    @property
    def picks(self) -> tuple[Head, ...]:
        """The columns that were best most often: several if they are even, none if there is no "best"."""
        most = max((w.won for w in self.wins), default=0)
        return tuple(w.head for w in self.wins if most and w.won == most)

    @property
    def _scores(self) -> dict[str, tuple[int, int]]:
        """By column: the prompts in which it was best, and by how many it is ahead in its pairs."""
        ahead: Counter[str] = Counter()
        for pair in self.pairs:
            ahead[pair.ahead.id] += pair.won - pair.lost
            ahead[pair.behind.id] -= pair.won - pair.lost
        won = {wins.head.id: wins.won for wins in self.wins}
        return {column: (won.get(column, 0), ahead[column]) for column in {*won, *ahead}}

    @property
    def _leaders(self) -> Pair:
        """The pair of the two columns with the highest scores; the most significant of several such pairs."""
        scores = self._scores
        return max(self.pairs, key=lambda p: sorted((scores[p.ahead.id], scores[p.behind.id]), reverse=True))

    def _level(self, pair: Pair) -> str:
        """Return in words that two columns are level, with all others that have the same score as both."""
        scores = self._scores
        same = [w.head.label for w in self.wins if scores[w.head.id] == scores[pair.ahead.id]]
        if len(same) < 2 or scores[pair.ahead.id] != scores[pair.behind.id]:
            same = [pair.ahead.label, pair.behind.label]
        *first, last = same if len(same) <= _NAMED else [*same[: _NAMED - 1], f"{len(same) - _NAMED + 1} more"]
        return f": {', '.join(first)} and {last} are level"

    @property
    def _missing(self) -> str:
        pair = self._leaders
        deciding = pair.won + pair.lost
        if pair.won == pair.lost:
            return self._level(pair) if deciding or pair.even else ""
        factor = pair.corrected / pair.chance if pair.chance < 1 else float(len(self.pairs))
        for total in range(deciding + 1, _FAR):
            chance = (chance_of if total < _QUICK else _nearly)(round(total * pair.won / deciding), total)
            if chance * max(factor, 1.0) <= ALPHA:
                more = math.ceil((total - deciding) * (deciding + pair.even) / deciding)
                return f": about {_prompts(more, 'more ')} would be needed if it goes on like this"
        return ": the two are too close for any number of prompts"


def tally(heads: Sequence[Head], rows: Iterable[Row]) -> Tally:
    """Return the votes of the rows, counted."""
    kept = tuple(rows)
    voted: dict[tuple[int, int], dict[str, Row]] = {(row.prompt, row.repeat): {} for row in kept if row.vote}
    for row in kept if voted else ():
        if (found := voted.get((row.prompt, row.repeat))) is not None:
            found[row.column] = row
    prompts = {prompt for prompt, _ in voted}
    wins = []
    for head in heads:
        won = {p for (p, _), found in voted.items() if head.id in found and found[head.id].vote == "best"}
        wins.append(Wins(head, len(won), len(prompts), *interval(len(won), len(prompts))))
    pairs = [_pair(a, b, voted) for a, b in combinations(heads, 2) if _asks(a) != _asks(b)]
    early = sum(row.vote_early for found in voted.values() for row in found.values() if row.vote)
    return Tally(len(prompts), early, tuple(wins), tuple(_holm(pairs)))


def _asks(head: Head) -> object:
    return head.model or head.asked, repr(head.params), head.history


def _pair(one: Head, other: Head, voted: dict[tuple[int, int], dict[str, Row]]) -> Pair:
    leads: dict[int, int] = {}
    for (prompt, _), found in voted.items():
        a, b = found.get(one.id), found.get(other.id)
        if a is None or b is None or not (a.text and b.text) or not (a.vote or b.vote):
            continue  # a column without an answer lost to none, and one without a vote on either side says nothing
        lead = RANK.get(a.vote, 1) - RANK.get(b.vote, 1)
        leads[prompt] = leads.get(prompt, 0) + (lead > 0) - (lead < 0)
    won, lost = sum(lead > 0 for lead in leads.values()), sum(lead < 0 for lead in leads.values())
    chance = chance_of(max(won, lost), won + lost)
    ahead, behind = (one, other) if won >= lost else (other, one)
    return Pair(ahead, behind, max(won, lost), min(won, lost), len(leads) - won - lost, chance)


def _holm(pairs: Iterable[Pair]) -> list[Pair]:
    ordered = sorted(pairs, key=lambda pair: (pair.chance, -pair.won))
    found, least = [], 0.0
    for place, p in enumerate(ordered):
        least = max(least, min(1.0, (len(ordered) - place) * p.chance))
        found.append(Pair(p.ahead, p.behind, p.won, p.lost, p.even, p.chance, least))
    return found


def chance_of(won: int, of: int) -> float:
    """Return the two-sided p-value of the sign test for `won` of `of`."""
    if of > _EXACT:
        return _nearly(won, of)
    return min(1.0, 2 * sum(math.comb(of, k) for k in range(max(won, of - won), of + 1)) / (1 << of))


def _nearly(won: int, of: int) -> float:
    """Return the same by the normal approximation."""
    return min(1.0, math.erfc((2 * max(won, of - won) - of - 1) / math.sqrt(2 * of)))


def interval(won: int, of: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of the share `won` of `of`: exact (Clopper-Pearson), (0, 1) for none."""
    if not of:
        return 0.0, 1.0
    if of > _INTERVAL:
        return _wilson(won / of, of)
    least = 0.0 if not won else _share(lambda p: _at_least(won, of, p) - ALPHA / 2)
    most = 1.0 if won == of else _share(lambda p: ALPHA / 2 - (1 - _at_least(won + 1, of, p)))
    return least, most


def _at_least(won: int, of: int, share: float) -> float:
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(won, of + 1))


def _share(rises: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < 0 else (low, middle)
    return low


def _wilson(share: float, of: int) -> tuple[float, float]:
    z = 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def _prompts(number: int, more: str = "") -> str:
    return f"{number:,} {more}prompt{'' if number == 1 else 's'}"


def _by_chance(pair: Pair, pairs: int) -> str:
    if pair.corrected >= _OFTEN:
        return "chance alone often gives such a lead"
    said = f"chance alone gives such a lead in {_cases(pair.chance)}"
    return said if pairs == 1 else f"{said}, and one among {pairs:,} pairs in {_cases(pair.corrected)}"


def _cases(share: float) -> str:
    if share < 0.001:
        return "fewer than 1 of 1,000 cases"
    return f"{share:.0%} of cases" if share >= 0.1 else f"{share:.1%} of cases"
