"""Turning what a person passes as an image into one that can be sent."""

from __future__ import annotations

import base64
import binascii
import difflib
import io
import os
import re
import stat
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from tetrate_jupyter import config
from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.errors import AttachmentError
from tetrate_jupyter.types import Image

if TYPE_CHECKING:
    from collections.abc import Callable

_THUMBNAIL: Final = (224, 160)  # pixels; high-resolution screens show it at half that size
_LABEL_LENGTH: Final = 80  # characters of a label; longer ones would push the footer off the screen
_LONGEST_PATH: Final = 1_024  # characters; a longer text is an image's content, not its file name
_NAMES_SEEN: Final = 2_000  # entries of a folder that are searched for a similar name
_WAYS: Final = "pass a file name, bytes, a PIL image or a matplotlib figure"
_AS_PNG: Final = 'save it as PNG first: PIL.Image.open("{name}").convert("RGB").save("{stem}.png")'
_HEIF_PLUGIN: Final = "pip install pillow-heif, then pillow_heif.register_heif_opener()"
_UNSENDABLE: Final[tuple[tuple[tuple[bytes, ...], int, str], ...]] = (  # signatures, their offset, what it is
    ((b"BM",), 0, "a BMP image"),
    ((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), 0, "a TIFF image"),
    ((b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1"), 4, "a HEIC image"),
    ((b"ftypavi",), 4, "an AVIF image"),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def load_image(value: object) -> Image:
    """Return an `Image` of a file name, bytes, `data:` URL, PIL image, matplotlib figure or axes, or IPython's Image.

    PNG, JPEG, GIF and WebP can be sent, up to 20 MiB (`config.MAX_IMAGE_BYTES`); the content decides which it is, not
    the file's name. Nothing is fetched from the network. PIL images and figures are sent as PNG, without metadata.
    Raises `AttachmentError` for anything else.
    """
    if isinstance(value, Image):
        return value
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, os.PathLike):
        return _from_path(Path(os.fsdecode(value)))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(value), "image")
    for is_kind, load in _DISPLAYED:
        if is_kind(value):
            return load(value)
    raise AttachmentError(f"A {type(value).__name__} is not an image that can be sent.", next_step=_other_kind(value))


def is_image(value: object) -> bool:
    """Whether `value` is an object that displays as an image (not a file name, not bytes). Imports nothing."""
    return isinstance(value, Image) or any(is_kind(value) for is_kind, _ in _DISPLAYED)


def media_type(data: bytes) -> str | None:
    """Return which of the four sendable media types `data` has, by its first bytes; None for any other."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


@lru_cache(maxsize=16)  # a panel draws a question again and again while it is answered
def thumbnail(image: Image) -> tuple[str, str]:
    """Return a thumbnail as a `data:` URL, "" where none can be made, and the image's size: "640 x 400 · 21 kB"."""
    facts = f"{max(1, round(image.size / 1000)):,} kB"
    try:
        import PIL.Image

        with PIL.Image.open(io.BytesIO(base64.b64decode(image.data_url.partition(",")[2]))) as opened:
            facts = f"{opened.width:,} x {opened.height:,} · {facts}"
            opened.thumbnail(_THUMBNAIL)
            small = io.BytesIO()
            opened.convert("RGBA").save(small, "WEBP", quality=70)
    except Exception:  # noqa: BLE001 - a foreign decoder on foreign bytes; the size in bytes is shown nevertheless
        return "", facts
    return f"data:image/webp;base64,{base64.b64encode(small.getvalue()).decode()}", facts


def _from_text(text: str) -> Image:
    shown = text.strip()
    scheme = shown[:8].lower()
    if scheme.startswith(("http://", "https://")):
        raise AttachmentError(
            "An image at a web address is not fetched: only what is on this machine is sent.",
            next_step="download it first, then pass the file's name",
        )
    if scheme.startswith("data:"):
        return _from_data_url(shown)
    if scheme.startswith("file:"):
        raise AttachmentError("A file: address can't be used.", next_step="pass the file's plain path")
    if not shown:
        raise AttachmentError("The image's file name is empty.", next_step=_WAYS)
    if len(text) > _LONGEST_PATH or "\x00" in text:
        raise AttachmentError(
            "This text is not a file name.",
            next_step="if it is base64, pass the bytes: base64.b64decode(text)",
        )
    return _from_path(Path(text))


def _from_data_url(url: str) -> Image:
    head, comma, body = url.partition(",")
    if not comma:
        raise AttachmentError("The data: URL has no comma, so no content.", next_step=_WAYS)
    if len(body) > config.MAX_IMAGE_BYTES * 3:  # percent-encoding takes three characters per byte
        raise _too_large("The image of the data: URL", len(body))
    if not head.lower().endswith(";base64"):
        return _from_bytes(unquote_to_bytes(body), "image")
    try:
        data = base64.b64decode("".join(unquote_to_bytes(body).decode("ascii").split()), validate=True)
    except (binascii.Error, ValueError):
        raise AttachmentError(
            "The base64 of the data: URL is damaged.",
            next_step="copy it again in full, or pass the image's file name",
        ) from None
    return _from_bytes(data, "image")


def _from_path(path: Path) -> Image:
    try:
        found = path.expanduser()
    except RuntimeError:  # "~nobody/x.png"
        found = path
    try:
        return _from_bytes(_read(found, path), found.name)
    except FileNotFoundError:
        raise _missing(found, path) from None
    except PermissionError:
        raise AttachmentError(
            f"The kernel isn't allowed to read {_shown(path)}.", next_step="change its permissions, or copy it"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AttachmentError(f"The file {_shown(path)} can't be read: {reason}.", next_step=_WAYS) from None


def _read(path: Path, given: Path) -> bytes:
    # Checked before it is opened: opening a pipe waits for a writer, and a device never ends.
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        names = [name for name in _names_in(path) if name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp"))]
        raise AttachmentError(
            f"{_shown(given)} is a folder.", next_step=f"name one file: {_listed(names)}" if names else _WAYS
        )
    if not stat.S_ISREG(status.st_mode):
        raise AttachmentError(f"{_shown(given)} is not a regular file.", next_step=_WAYS)
    if status.st_size > config.MAX_IMAGE_BYTES:
        raise _too_large(f"The file {_shown(given)}", status.st_size)
    with path.open("rb") as file:
        return file.read(config.MAX_IMAGE_BYTES + 1)


def _missing(path: Path, given: Path) -> AttachmentError:
    if not path.parent.is_dir():
        return AttachmentError(
            f"There is no file {_shown(given)}: its folder does not exist.",
            next_step="check the path; relative ones start at the folder that os.getcwd() returns",
        )
    near = _near(path.name, _names_in(path.parent))
    step = f"did you mean {_listed(near)}?" if near else "check the name; os.listdir() shows what is there"
    return AttachmentError(f"There is no file {_shown(given)}.", next_step=step)


def _near(name: str, names: list[str]) -> list[str]:
    lowered: dict[str, list[str]] = {}
    for other in names:
        lowered.setdefault(other.lower(), []).append(other)
    stem = Path(name).stem.lower()
    same_stem = [other for other in names if Path(other).stem.lower() == stem]
    close = difflib.get_close_matches(name.lower(), list(lowered), n=3, cutoff=0.6)
    return list(dict.fromkeys([*same_stem, *(other for key in close for other in lowered[key])]))[:3]


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, _NAMES_SEEN))
    except OSError:
        return []


def _from_bytes(data: bytes, name: str) -> Image:
    label = _CONTROL.sub("?", name)[:_LABEL_LENGTH] or "image"
    if not data:
        raise AttachmentError(f"{label!r} is empty.", next_step=_WAYS)
    if len(data) > config.MAX_IMAGE_BYTES:
        raise _too_large(repr(label), len(data))
    kind = media_type(data)
    if kind is None:
        what, step = _recognise(data, label)
        raise AttachmentError(f"{label!r} is {what}; PNG, JPEG, GIF and WebP can be sent.", next_step=step)
    return Image(f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}", kind, len(data), label)


def _recognise(data: bytes, label: str) -> tuple[str, str]:
    """Return a description of unsendable `data`, and the step that makes something sendable of it."""
    as_png = _AS_PNG.format(name=label, stem=Path(label).stem)
    for starts, at, what in _UNSENDABLE:
        if data.startswith(starts, at):
            return what, f"{_HEIF_PLUGIN}; {as_png}" if what == "a HEIC image" else as_png
    head = data[:2_048].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<") and b"<svg" in head:
        return "an SVG drawing", f'pip install cairosvg, then cairosvg.svg2png(url="{label}", write_to="drawing.png")'
    if data.startswith(b"%PDF-"):
        return "a PDF", "save the page as PNG first, or put its text into the prompt"
    return "not an image", _WAYS


def _is_pil(value: object) -> bool:
    return is_a(value, "PIL.Image", "Image")


def _is_figure(value: object) -> bool:
    return is_a(value, "matplotlib.figure", "FigureBase") or is_a(value, "matplotlib.axes", "Axes")


def _is_displayed(value: object) -> bool:
    return is_a(value, "IPython.core.display", "Image") or is_a(value, "IPython.display", "Image")


def _from_pil(value: Any) -> Image:  # noqa: ANN401 - PIL is not imported, so its class can't be named
    from PIL import ImageOps

    buffer = io.BytesIO()
    try:
        upright = ImageOps.exif_transpose(value)
        if upright.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
            upright = upright.convert("RGB")
        upright.save(buffer, format="PNG")
    except Exception as error:
        raise AttachmentError(
            f"The PIL image can't be turned into PNG: {_short(error)}",
            next_step="open its file again, or pass the file's name",
        ) from error
    return _from_bytes(buffer.getvalue(), Path(str(getattr(value, "filename", "") or "image")).name)


def _from_figure(value: Any) -> Image:  # noqa: ANN401 - matplotlib is not imported, so its class can't be named
    figure = value
    while getattr(figure, "figure", None) not in {None, figure}:  # axes and subfigures belong to a whole figure
        figure = figure.figure
    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, format="png", bbox_inches="tight")
    except Exception as error:
        raise AttachmentError(
            f"The figure can't be drawn: {_short(error)}", next_step="show it in a cell first to see what is wrong"
        ) from error
    return _from_bytes(buffer.getvalue(), "figure")


def _from_displayed(value: Any) -> Image:  # noqa: ANN401 - the class is in three places across IPython's versions
    if isinstance(value.data, (bytes, bytearray)):
        return _from_bytes(bytes(value.data), Path(value.filename or "image").name)
    return _from_text(str(value.filename or value.url or value.data or ""))


_DISPLAYED: Final[tuple[tuple[Callable[[object], bool], Callable[[Any], Image]], ...]] = (
    (_is_pil, _from_pil),
    (_is_figure, _from_figure),
    (_is_displayed, _from_displayed),
)


def _other_kind(value: object) -> str:
    if is_a(value, "numpy", "ndarray"):
        return "make it an image: PIL.Image.fromarray(array)"
    if hasattr(value, "read"):
        return "pass its content: file.read()"
    if isinstance(value, (list, tuple)):
        return "pass each image on its own: images=[first, second]"
    return _WAYS


def _too_large(what: str, size: int) -> AttachmentError:
    return AttachmentError(
        f"{what} is too large: {size / 2**20:.1f} MiB, the limit is {config.MAX_IMAGE_BYTES / 2**20:.0f} MiB.",
        next_step="make it smaller, for example with PIL: image.thumbnail((2000, 2000))",
    )


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name[:_LABEL_LENGTH]) for name in names[:3])


def _shown(path: Path) -> str:
    text = str(path)
    return repr(text if len(text) <= 200 else f"{text[:80]}…{text[-100:]}")


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
