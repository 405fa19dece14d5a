"""The pictures of a cell's output: found where they are kept, and made ready to be sent, within bounds."""

from __future__ import annotations

import base64
import contextlib
import re
import struct
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import config
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.displays import DisplayedPicture, picture_of, watch_of
from tetrate_jupyter.completion.images import is_image, load_image
from tetrate_jupyter.completion.material import counted
from tetrate_jupyter.errors import AttachmentError
from tetrate_jupyter.types import OutputImage

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 10  # pictures of outputs that go with a question
SIDE: Final = 8_000  # pixels; providers refuse larger ones
_SHOWS = re.compile(r"plot|show|displ|image|fig|hist|chart|draw", re.IGNORECASE)
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_RUN_AGAIN: Final = "run the cell again"
_REFUSED: Final = {
    "kind": (
        "{kind} can't be sent",
        "show it as PNG (%config InlineBackend.figure_formats = ['png']), and run the cell again",
    ),
    "large": (
        f"larger than {config.MAX_IMAGE_BYTES // 2**20} MiB or {SIDE:,} pixels a side",
        f"make it smaller, and {_RUN_AGAIN}",
    ),
    "gone": ("only the newest pictures are kept", _RUN_AGAIN),
    "damaged": ("it can't be read", f"look at it, and {_RUN_AGAIN}"),
    "many": (
        f"{MOST} pictures, {config.MAX_IMAGE_BYTES // 2**20} MiB together, go with a question",
        "name fewer cells",
    ),
    "several": ("a picture would go with all of these prompts", "compare that prompt alone"),
}


@dataclass(frozen=True)
class CellPictures:
    """The pictures of a cell. `is_known`: whether what it displayed was seen; else there may be others."""

    found: tuple[DisplayedPicture, ...] = ()
    is_known: bool = True


def pictures_in(shell: Any, number: int) -> CellPictures:  # noqa: ANN401 - any of its attributes may be missing
    """Return the pictures that the run with this number showed, as far as anything keeps them."""
    watch = watch_of(shell)
    seen = None if watch is None else watch.of(number)
    outputs: Sequence[Any] = ()
    keeps_results = False
    with contextlib.suppress(Exception):  # no history, or another kind of it
        keeps_results = hasattr(shell.history_manager, "outputs")
        outputs = tuple(shell.history_manager.outputs.get(number, ())) if keeps_results else ()
    if seen is not None and watch is not None and watch.sees_results:
        return CellPictures(seen)
    results = _kept(outputs, "execute_result") if keeps_results else _result(shell, number)
    if seen is not None:
        return CellPictures((*seen, *results))
    displayed = _kept(outputs, "display_data")
    is_kernels = hasattr(getattr(shell, "display_pub", None), "register_hook")  # which keeps no displays by itself
    return CellPictures((*displayed, *results), bool(displayed) or not is_kernels)


def _kept(outputs: Sequence[Any], kind: str) -> tuple[DisplayedPicture, ...]:
    found: list[DisplayedPicture | None] = []
    for each in outputs:
        with contextlib.suppress(Exception):  # IPython's own, of any version
            found.append(picture_of(each.bundle) if each.output_type == kind else None)
    return tuple(each for each in found if each is not None)


def _result(shell: Any, number: int) -> tuple[DisplayedPicture, ...]:  # noqa: ANN401 - likewise
    """Return the picture of a cell's last value, drawn as it is now: IPython 8 keeps the value, not what it showed."""
    with contextlib.suppress(Exception):
        value = shell.history_manager.output_hist.get(number)
        if is_image(value):
            made = load_image(value)
            return (DisplayedPicture(made.media_type, made.data_url.partition(",")[2]),)
    return ()


def may_show(source: str) -> bool:
    """Whether a cell may have shown a picture, by its words and by what is loaded."""
    return _SHOWS.search(source) is not None and not {"matplotlib", "PIL", "IPython.display"}.isdisjoint(sys.modules)


@dataclass
class PictureRoom:
    """What a question can take of pictures: those taken, in the order in which they are sent.

    `before` images are sent before them. `refuses`: a reason for which it takes none.
    """

    before: int = 0
    refuses: str = ""
    images: list[OutputImage] = field(default_factory=list)

    def take(self, number: int, pictures: Sequence[DisplayedPicture]) -> TakenPictures:
        """Take the pictures of cell `number`, as many as there is room for."""
        lines, reasons, sent = [], list[tuple[str, str]](), 0
        for place, each in enumerate(pictures, start=1):
            name = f"picture{f' {place}' if len(pictures) > 1 else ''} of cell {number}"
            made, why = self._made(each, name)
            if made is None:
                kind = one_line(each.kind, MAX_NAME)
                reasons.append((why, kind))
                lines.append(f"[a picture, {kind}; not sent]")
                continue
            self.images.append(made)
            sent += 1
            lines.append(f"[image {self.before + len(self.images)}: {name}]")
        return TakenPictures(tuple(lines), sent, tuple(reasons))

    def _made(self, picture: DisplayedPicture, name: str) -> tuple[OutputImage | None, str]:
        if self.refuses:
            return None, self.refuses
        if picture.data is None:
            return None, picture.why
        try:
            data = base64.b64decode(picture.data) if isinstance(picture.data, str) else picture.data
            made = load_image(data)
        except (ValueError, AttachmentError):
            return None, "damaged"
        if max(_pixels(data)) > SIDE or made.size > config.MAX_IMAGE_BYTES:
            return None, "large"
        if len(self.images) == MOST or sum(i.size for i in self.images) + made.size > config.MAX_IMAGE_BYTES:
            return None, "many"
        return OutputImage(made.data_url, made.media_type, made.size, name), ""


@dataclass(frozen=True)
class TakenPictures:
    """What became of a cell's pictures: a line for each in the text, how many are sent, and why others are not."""

    lines: tuple[str, ...] = ()
    sent: int = 0
    reasons: tuple[tuple[str, str], ...] = ()

    def notes(self, word: str) -> list[str]:
        """Return a sentence for the person on each kind of picture that isn't sent; `word` names the cell."""
        found = []
        for why, kind in dict.fromkeys(self.reasons):
            said, step = _REFUSED.get(why, _REFUSED["damaged"])
            count = counted(self.reasons.count((why, kind)), "picture")
            found.append(f"{word}: {count} not sent: {said.format(kind=kind)}. Next: {step}.")
        return found


def _pixels(data: bytes) -> tuple[int, int]:
    """Return width and height by the header; zeros where they aren't read, such as those of WebP."""
    with contextlib.suppress(struct.error, IndexError):
        if data.startswith(b"\x89PNG"):
            return _pair(">II", data, 16)
        if data.startswith(b"GIF"):
            return _pair("<HH", data, 6)
        place = 2
        while data.startswith(b"\xff\xd8") and data[place] == 0xFF:
            if data[place + 1] in _JPEG_FRAMES:
                return _pair(">HH", data, place + 5)
            place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4], "big"))
    return 0, 0


def _pair(form: str, data: bytes, place: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, data, place)
    return int(first), int(second)
