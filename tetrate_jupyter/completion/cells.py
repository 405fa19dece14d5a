"""The cells that ran in a kernel, as IPython keeps them: source and output as text of bounded length."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import one_line, plain
from tetrate_jupyter.completion.cell_pictures import PictureRoom, TakenPictures, pictures_in
from tetrate_jupyter.completion.material import counted, fenced, key_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEAST: Final = 1_000  # characters of room below which no further cell is added
_HEADS: Final = 400  # characters that a cell's headings, fences and cut marks take
_ERROR: Final = 500


@dataclass(frozen=True)
class SentCell:
    """A cell as it is sent. `note`: such as "3 lines, output 1 line". `sent` of `of` characters are in `text`.

    `pictures`: what became of those that it showed. `is_all_known`: whether there can't be others.
    """

    text: str
    note: str
    sent: int
    of: int
    pictures: TakenPictures = field(default_factory=TakenPictures)
    is_all_known: bool = True

    @property
    def is_cut(self) -> bool:
        """Whether part of it is left out."""
        return self.sent < self.of


class Watched(Protocol):
    """What an observer of each run knows in addition to IPython's history."""

    @property
    def is_running(self) -> bool:
        """Whether a cell is running that is in the history, as its newest entry."""

    @property
    def shifts(self) -> Sequence[tuple[int, int]]:
        """Pairs (position in the history, what to add from there on for a cell's number): IPython skips some cells."""

    def is_this(self, number: int) -> bool | None:
        """Whether run `number` was one of the cell that is running now; None where that isn't known."""


class Ran:
    """The cells of a shell that ran before the running one; with `shell` None there are none."""

    def __init__(self, shell: object, watched: Watched | None = None) -> None:
        self._shell: Any = shell  # any of its attributes may be missing
        self._watched = watched
        self._shifts = list(watched.shifts) if watched is not None else []
        history, count = self._history(), getattr(shell, "execution_count", 1)
        if not self._shifts:
            self._shifts = [(1, max(0, count - len(history)) if isinstance(count, int) else 0)]
        self._places = len(history)
        self.running = self._number(self._places - 1) if watched is not None and watched.is_running else None

    def source(self, number: int) -> str:
        """Return the source of the cell with this number, "" where there is none."""
        end = self._places
        for start, shift in reversed(self._shifts):
            if start <= number - shift < end:
                return self._at(number - shift)
            end = start
        return ""

    def before(self) -> Iterator[int]:
        """Yield the numbers of the cells that ran before, newest first, without earlier runs of the running cell."""
        running = "" if self.running is None else self.source(self.running)
        for place in range(self._places - 1, 0, -1):
            number = self._number(place)
            if self._at(place) and number != self.running and not (running and self._is_again(number, running)):
                yield number

    def _number(self, place: int) -> int:
        return place + next((shift for start, shift in reversed(self._shifts) if start <= place), 0)

    def _at(self, place: int) -> str:
        history = self._history()
        typed = history[place] if 0 < place < len(history) else ""
        return typed if isinstance(typed, str) and typed.strip() else ""

    def _is_again(self, number: int, running: str) -> bool:
        """Whether a run was one of the running cell: by the cell's identity or, if that is unknown, by its source."""
        is_this = None if self._watched is None else self._watched.is_this(number)
        return self.source(number) == running if is_this is None else is_this

    def _history(self) -> list[Any]:
        with contextlib.suppress(Exception):  # no history, or another kind of it
            kept = self._shell.history_manager.input_hist_raw
            return kept if isinstance(kept, list) else []
        return []

    def shown(self, number: int, source: int, output: int, room: PictureRoom | None = None) -> SentCell:
        """Return a cell with at most `source` characters of its source and `output` of its output.

        Its pictures go into `room`; without one, none is sent.
        Raises `SecretInPromptError` where the part that would be sent holds what looks like a key.
        """
        typed, written = self.source(number).strip("\n"), _joined(self._outputs(number))
        code, sent, of = _part(typed, source, f"cell {number}")
        note = counted(typed.count("\n") + 1, "line")
        text = f"Cell In[{number}]:\n{fenced(code, '' if typed.startswith('%%') else 'python')}"
        if written:
            result, more, all_of_it = _part(written, output, f"the output of cell {number}")
            sent, of = sent + more, of + all_of_it
            note += f", output {counted(written.count(chr(10)) + 1, 'line')}"
            text += f"\nIts output:\n{fenced(result, 'text')}"
        pictures = pictures_in(self._shell, number)
        taken = (room or PictureRoom(refuses="unnamed")).take(number, pictures.found)
        if taken.lines:
            text = "\n".join([text, "What it showed:", *taken.lines])
        note += f", {counted(taken.sent, 'picture')}" if taken.sent else ""
        return SentCell(text, note, sent, of, taken, pictures.is_known)

    def fitting(self, room: int, source: int, output: int) -> tuple[list[tuple[int, SentCell]], int]:
        """Return the newest cells that fit into `room` characters, oldest first, and how many cells there are.

        Runs with the same source and output are counted once, as the last of them. `source` and `output`: as in
        `shown`.
        """
        found: list[tuple[int, SentCell]] = []
        seen: set[tuple[str, str]] = set()
        count = 0
        for number in self.before():
            if room < _LEAST:
                count += 1
                continue
            known = self.source(number).strip("\n"), _joined(self._outputs(number))
            if known in seen:
                continue
            seen.add(known)
            count += 1
            left = room - _HEADS
            made = self.shown(number, min(source, left * 3 // 4), min(output, left // 4))
            if len(made.text) > room:
                room = 0
                continue
            found.append((number, made))
            room -= len(made.text) + 2
        return found[::-1], count

    def _outputs(self, number: int) -> list[str]:
        """Return a cell's outputs as text, as far as IPython keeps them: all since version 9, only `Out` before."""
        texts: list[str] = []
        with contextlib.suppress(Exception):  # no history, or another kind of it
            history = self._shell.history_manager
            for kept in getattr(history, "outputs", {}).get(number, ()):
                texts += _of_bundle(kept.bundle)
            if not texts and isinstance(result := history.output_hist_reprs.get(number), str):
                texts.append(result)
            error = getattr(history, "exceptions", {}).get(number)
            if isinstance(error, dict):
                name, said = (str(error.get(part, ""))[:_ERROR] for part in ("ename", "evalue"))
                texts.append(f"[It failed: {one_line(f'{name}: {said}', _ERROR)}]")
        return texts


def _of_bundle(bundle: Any) -> list[str]:  # noqa: ANN401 - IPython's own, of any version
    if "stream" in bundle:
        text = bundle["stream"]
        return [text if isinstance(text, str) else "".join(text)]
    text = bundle.get("text/plain")
    return [text] if isinstance(text, str) and text else []


def _joined(texts: list[str]) -> str:
    """Return the outputs, one below the other, without the progress lines that were overwritten."""
    whole = "\n".join(text.rstrip("\r\n") for text in texts if text.strip())
    if "\r" not in whole:
        return whole
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in whole.split("\n"))


def _part(text: str, most: int, where: str) -> tuple[str, int, int]:
    """Return at most `most` characters, with a mark where they are cut; their number, and that of the whole text."""
    most = max(most, 0)
    window = plain(text[: most + secrecy.REACH])
    if secrecy.looks_secret(window):
        raise key_in(where)
    of = len(text) if len(text) > most else len(window)
    if of <= most:
        return window, of, of
    sent = min(most, len(window))
    return f"{window[:sent]}\n[cut here: {sent:,} of {of:,} characters]", sent, of
