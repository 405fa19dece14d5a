"""Which models a person has starred and used, remembered for each router, in this kernel and on disk.

Two kernels write one file, each as a whole: every mark has its time, the newer one counts, and what one kernel knows
is put back with its next write. Reading and writing a file of some kilobytes blocks for about a millisecond.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.catalog.cache import ModelMarks
from tetrate_jupyter.catalog.join import is_usable
from tetrate_jupyter.observers import Observers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tetrate_jupyter.catalog.cache import CatalogCache

MOST_STARS: Final = 200
MOST_USED: Final = 20
_LATER: Final = 1e-6  # seconds; what is done one after the other has times one after the other
_SKEW: Final = 60.0  # seconds that another clock may be ahead


class Favourites:
    """Thread-safe. Without a `cache` they are remembered by this kernel only."""

    def __init__(self, cache: CatalogCache | None = None) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._marks = ModelMarks()
        self._read = False
        self._observers = Observers()

    @property
    def stars(self) -> tuple[str, ...]:
        """The ids that are starred, in the order in which that was done."""
        stars = self._known().stars
        return tuple(name for name, (_, on) in sorted(stars.items(), key=lambda each: each[1][0]) if on)

    @property
    def recent(self) -> tuple[str, ...]:
        """The ids that were chosen, the last one first."""
        used = self._known().used
        return tuple(sorted(used, key=lambda name: -used[name]))

    def star(self, identity: str, *, on: bool) -> None:
        """Star a model, or no longer."""
        if is_usable(identity):
            self._add(stars={identity: on})

    def used(self, *identities: str) -> None:
        """Note that these models were chosen, one after the other."""
        self._add(used=tuple(filter(is_usable, identities)))

    def forget(self) -> None:
        """Drop all of this router's, here and on disk; what another kernel still knows of them counts no more."""
        with self._lock:
            now = self._next(self._marks)
            self._marks, self._read = ModelMarks(cleared=now), True
            if self._cache is not None:
                self._cache.keep_marks(self._marks)
        self._observers.notify()

    def look(self) -> None:
        """Take in what other kernels have kept meanwhile."""
        with self._lock:
            before, self._marks, self._read = self._marks, self._merged(), True
            changed = before != self._marks
        if changed:
            self._observers.notify()

    def move(self, cache: CatalogCache | None) -> None:
        """Begin anew with another router's."""
        with self._lock:
            self._cache, self._marks, self._read = cache, ModelMarks(), False
        self._observers.notify()

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when something was marked, on the thread that did; return a function that stops it."""
        return self._observers.add(callback)

    def _known(self) -> ModelMarks:
        with self._lock:
            if not self._read:
                self._marks, self._read = self._merged(), True
            return self._marks

    def _add(self, *, stars: Mapping[str, bool] | None = None, used: Sequence[str] = ()) -> None:
        with self._lock:
            marks = self._merged()
            now = self._next(marks)
            starred = {name: (now, on) for name, on in (stars or {}).items()}
            chosen = {name: now + place * _LATER for place, name in enumerate(used)}
            self._marks = _bounded(ModelMarks({**marks.stars, **starred}, {**marks.used, **chosen}, marks.cleared))
            self._read = True
            if self._cache is not None:
                self._cache.keep_marks(self._marks)
        self._observers.notify()

    def _next(self, marks: ModelMarks) -> float:
        now = 0.0 if self._cache is None else self._cache.now()
        return max(now, marks.at + _LATER)

    def _merged(self) -> ModelMarks:
        """Return what is known here together with what is on disk."""
        if self._cache is None:
            return self._marks
        one, other, now = self._marks, self._cache.marks(), self._cache.now()

        def sane(at: float) -> float:  # what a clock that was wrong wrote must not have the last word
            return at if at <= now + _SKEW else now

        stars, used = dict(one.stars), dict(one.used)
        for name, (at, on) in other.stars.items():
            if is_usable(name) and sane(at) > stars.get(name, (0.0, on))[0]:
                stars[name] = (sane(at), on)
        for name, at in other.used.items():
            if is_usable(name):
                used[name] = max(sane(at), used.get(name, 0.0))
        return _bounded(ModelMarks(stars, used, max(one.cleared, sane(other.cleared))))


def _bounded(marks: ModelMarks) -> ModelMarks:
    """Return the newest marks: stars taken away are remembered as long as there is room."""
    stars = sorted(marks.stars.items(), key=lambda each: (each[1][1], each[1][0]))[-MOST_STARS:]
    used = sorted(marks.used.items(), key=lambda each: each[1])[-MOST_USED:]
    since = marks.cleared
    return ModelMarks(
        {name: star for name, star in sorted(stars) if star[0] > since},
        {name: at for name, at in used if at > since},
        since,
    )
