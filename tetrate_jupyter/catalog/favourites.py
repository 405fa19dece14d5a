"""The models that a person has starred and used, remembered per router, in this kernel and on disk.

All kernels write the same file, each the whole of it: every mark has its time, the newer one counts, and a mark that
another kernel overwrote comes back with the next write. Reading or writing a few kilobytes blocks for about a
millisecond.
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
_LATER: Final = 1e-6  # seconds between two marks, so that their times keep their order
_SKEW: Final = 60.0  # seconds that another machine's clock may be ahead


class Favourites:
    """A router's starred and used models. Thread-safe. Without a `cache` they are kept in memory only."""

    def __init__(self, cache: CatalogCache | None = None) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._marks = ModelMarks()
        self._read = False
        self._observers = Observers()

    @property
    def stars(self) -> tuple[str, ...]:
        """The starred ids, in the order in which they were starred."""
        stars = self._known().stars
        return tuple(name for name, (_, on) in sorted(stars.items(), key=lambda each: each[1][0]) if on)

    @property
    def recent(self) -> tuple[str, ...]:
        """The ids that were chosen, the most recent first."""
        used = self._known().used
        return tuple(sorted(used, key=lambda name: -used[name]))

    def star(self, identity: str, *, on: bool) -> None:
        """Star a model, or unstar it with `on=False`."""
        if is_usable(identity):
            self._add(stars={identity: on})

    def used(self, *identities: str) -> None:
        """Note that these models were chosen, in this order."""
        self._add(used=tuple(filter(is_usable, identities)))

    def forget(self) -> None:
        """Drop this router's marks, here and on disk; marks up to now that another kernel still has no longer count."""
        with self._lock:
            now = self._next(self._marks)
            self._marks, self._read = ModelMarks(cleared=now), True
            if self._cache is not None:
                self._cache.keep_marks(self._marks)
        self._observers.notify()

    def look(self) -> None:
        """Merge the marks that other kernels have written meanwhile."""
        with self._lock:
            before, self._marks, self._read = self._marks, self._merged(), True
            changed = before != self._marks
        if changed:
            self._observers.notify()

    def move(self, cache: CatalogCache | None) -> None:
        """Switch to the marks of another router."""
        with self._lock:
            self._cache, self._marks, self._read = cache, ModelMarks(), False
        self._observers.notify()

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change, on the thread that made it; return a function that removes it."""
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
        """Return the marks in memory merged with those on disk."""
        if self._cache is None:
            return self._marks
        one, other, now = self._marks, self._cache.marks(), self._cache.now()

        def sane(at: float) -> float:  # a mark from a clock that was ahead must not win forever
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
    """Return the newest marks; removed stars are remembered as long as there is room."""
    stars = sorted(marks.stars.items(), key=lambda each: (each[1][1], each[1][0]))[-MOST_STARS:]
    used = sorted(marks.used.items(), key=lambda each: each[1])[-MOST_USED:]
    since = marks.cleared
    return ModelMarks(
        {name: star for name, star in sorted(stars) if star[0] > since},
        {name: at for name, at in used if at > since},
        since,
    )
