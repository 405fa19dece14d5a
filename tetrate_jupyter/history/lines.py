"""The lines of a conversation, put together again from its turns, each of which names the one before it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tetrate_jupyter.history.files import LineLocation

MOST_LINES: Final = 100  # of one conversation, the newest: half of the branches that one in use keeps


def by_id(places: Iterable[LineLocation]) -> dict[str, list[LineLocation]]:
    """Return the versions of each turn, the oldest first."""
    found: dict[str, list[LineLocation]] = {}
    for place in places:
        found.setdefault(place.head.id, []).append(place)
    for versions in found.values():
        versions.sort(key=lambda each: each.head.t)
    return found


def lines_of(root: str, versions: Mapping[str, Sequence[LineLocation]]) -> tuple[list[list[LineLocation]], bool]:
    """Return a conversation's lines, the one used last at the end, and whether any of them has lost its beginning.

    `versions`: of all turns, since a conversation may go on from another one's. A turn that was asked anew is there as
    its own line asked it last.
    """
    own = [place for several in versions.values() for place in several if place.head.root == root]
    followed = {place.head.after for place in own}
    newest = {place.head.id: place for place in sorted(own, key=lambda each: each.head.t)}
    ends = [place for identity, place in newest.items() if identity not in followed]
    if own and not ends:  # they name each other in a circle: nobody but a hand writes that
        ends = [max(own, key=lambda each: each.head.t)]
    begun: dict[str, float] = {}
    for place in own:
        branch = place.head.branch
        begun[branch] = min(place.head.t, begun.get(branch, place.head.t))
    found: list[tuple[float, list[LineLocation]]] = []
    is_cut = False
    for end in sorted(ends, key=lambda each: each.head.t)[-MOST_LINES:]:
        line, lost = _line(end, versions, begun)
        is_cut = is_cut or lost
        found.append((max(each.head.t for each in line if each.head.branch == end.head.branch), line))
    return [line for _, line in sorted(found, key=lambda each: each[0])], is_cut


def _line(
    end: LineLocation, versions: Mapping[str, Sequence[LineLocation]], begun: Mapping[str, float]
) -> tuple[list[LineLocation], bool]:
    """Return the turns up to `end`, the first one first, and whether the first names one that isn't there."""
    branch = end.head.branch
    line, seen, at = [end], {end.head.id}, end
    while (before := at.head.after) and before not in seen:
        several = versions.get(before)
        if not several:
            return line[::-1], True
        at = _version(several, branch, begun.get(branch, end.head.t))
        line.append(at)
        seen.add(before)
    return line[::-1], False


def _version(several: Sequence[LineLocation], branch: str, begun: float) -> LineLocation:
    """Return the version that a branch has: its own, else the one that was there when it began."""
    own = [each for each in several if each.head.branch == branch]
    earlier = [each for each in several if each.head.t <= begun]
    return (own or earlier or list(several))[-1]
