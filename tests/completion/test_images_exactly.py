"""Images by their values: bounds, labels, thumbnails, and the words of each refusal with its next step."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import PIL.Image
import pytest
from IPython.display import Image as Displayed

from tetrate_jupyter import config
from tetrate_jupyter.completion.images import is_image, load_image, media_type, thumbnail
from tetrate_jupyter.errors import AttachmentError
from tetrate_jupyter.types import Image

if TYPE_CHECKING:
    from pathlib import Path

WAYS = "pass a file name, bytes, a PIL image or a matplotlib figure"
SMALLER = "make it smaller, for example with PIL: image.thumbnail((2000, 2000))"
AS_PNG = 'save it as PNG first: PIL.Image.open("image").convert("RGB").save("image.png")'
GIF = b"GIF89a" + b"\0" * 20


def drawn(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "red").save(buffer, "PNG")
    return buffer.getvalue()


def refusal(value: object) -> tuple[str, str]:
    with pytest.raises(AttachmentError) as refused:
        load_image(value)
    return refused.value.message, refused.value.next_step


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\1\2\3\4WEBP", "image/webp"),
        (b"GIF88a", None),
        (b"RIFF\1\2\3\4WEB", None),
        (b"RIFX\1\2\3\4WEBP", None),
        (b"\xff\xd8", None),
        (b"\x89PNG\r\n\x1a", None),
    ],
)
def test_the_first_bytes_tell_the_kind(data: bytes, kind: str | None) -> None:
    assert media_type(data) == kind


def test_an_image_is_sent_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(GIF)
    url = f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"
    assert load_image(tmp_path / "a.png") == load_image(str(tmp_path / "a.png")) == Image(url, "image/gif", 26, "a.png")
    for given in (GIF, bytearray(GIF), memoryview(GIF), url, url.replace(";base64", ";BASE64")):
        assert load_image(given) == Image(url, "image/gif", 26, "image")
    assert load_image("data:image/gif," + "".join(f"%{byte:02x}" for byte in GIF)).size == 26
    assert load_image(Displayed(data=GIF)).label == "image"
    assert load_image(Displayed(filename=str(tmp_path / "a.png"), format="png")).label == "a.png"


def test_a_label_is_bounded(tmp_path: Path) -> None:
    for length in (80, 81):
        name = "n" * (length - 4) + ".gif"
        (tmp_path / name).write_bytes(GIF)
        assert load_image(tmp_path / name).label == name[:80]


@pytest.mark.parametrize(
    ("given", "message", "step"),
    [
        ("", "The image's file name is empty.", WAYS),
        (b"", "'image' is empty.", WAYS),
        ("a" * 1_025, "This text is not a file name.", "if it is base64, pass the bytes: base64.b64decode(text)"),
        ("a\0b", "This text is not a file name.", "if it is base64, pass the bytes: base64.b64decode(text)"),
        ("a" * 1_024, f"The file '{'a' * 80}…{'a' * 100}' can't be read: File name too long.", WAYS),
        ("FILE:/a.png", "A file: address can't be used.", "pass the file's plain path"),
        ("data:image/png", "The data: URL has no comma, so no content.", WAYS),
        (
            "data:image/png;base64,a",
            "The base64 of the data: URL is damaged.",
            "copy it again in full, or pass the image's file name",
        ),
        (
            "data:;base64," + "a" * (config.MAX_IMAGE_BYTES * 3 + 1),
            "The image of the data: URL is too large: 60.0 MiB, the limit is 20 MiB.",
            SMALLER,
        ),
        (b"GIF89a".ljust(config.MAX_IMAGE_BYTES + 1), "'image' is too large: 20.0 MiB, the limit is 20 MiB.", SMALLER),
        (
            b"%PDF-1.7",
            "'image' is a PDF; PNG, JPEG, GIF and WebP can be sent.",
            "save the page as PNG first, or put its text into the prompt",
        ),
        (
            b"BM12",
            "'image' is a BMP image; PNG, JPEG, GIF and WebP can be sent.",
            AS_PNG,
        ),
        (
            b"\0\0\0\x18ftypmif1",
            "'image' is a HEIC image; PNG, JPEG, GIF and WebP can be sent.",
            f"pip install pillow-heif, then pillow_heif.register_heif_opener(); {AS_PNG}",
        ),
        (
            b"\n <svg>",
            "'image' is an SVG drawing; PNG, JPEG, GIF and WebP can be sent.",
            'pip install cairosvg, then cairosvg.svg2png(url="image", write_to="drawing.png")',
        ),
        (b"text <svg>", "'image' is not an image; PNG, JPEG, GIF and WebP can be sent.", WAYS),
        (io.BytesIO(), "A BytesIO is not an image that can be sent.", "pass its content: file.read()"),
        ([], "A list is not an image that can be sent.", "pass each image on its own: images=[first, second]"),
        ((), "A tuple is not an image that can be sent.", "pass each image on its own: images=[first, second]"),
        (3, "A int is not an image that can be sent.", WAYS),
    ],
)
def test_what_cannot_be_sent_is_told_with_the_next_step(given: object, message: str, step: str) -> None:
    assert refusal(given) == (message, step)


def test_an_image_of_exactly_the_limit_is_taken(tmp_path: Path) -> None:
    data = b"GIF89a".ljust(config.MAX_IMAGE_BYTES)
    assert load_image(data).size == config.MAX_IMAGE_BYTES
    (tmp_path / "a.gif").write_bytes(data)
    assert load_image(tmp_path / "a.gif").size == config.MAX_IMAGE_BYTES


def test_a_file_that_is_missing_is_told_with_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plot.gif", "plot.jpg", "plots.png", "plotted.png", "else.txt", "PLOT.GIF.bak"):
        (tmp_path / name).write_bytes(GIF)
    assert refusal("plot.png") == (
        "There is no file 'plot.png'.",
        "did you mean 'plot.gif', 'plot.jpg', 'plots.png'?",
    )
    assert refusal("zzzz") == ("There is no file 'zzzz'.", "check the name; os.listdir() shows what is there")
    assert refusal("no/a.png") == (
        "There is no file 'no/a.png': its folder does not exist.",
        "check the path; relative ones start at the folder that os.getcwd() returns",
    )
    assert refusal(".") == ("'.' is a folder.", "name one file: 'plot.gif', 'plot.jpg', 'plots.png'")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").touch()
    assert refusal("empty") == ("'empty' is a folder.", WAYS)


def test_a_long_path_is_shortened_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for length, shown in ((200, "a" * 200), (201, "a" * 80 + "…" + "a" * 100)):
        assert refusal("a" * length)[0] == f"There is no file {shown!r}."


def test_a_thumbnail_has_the_facts_of_its_image() -> None:
    image = load_image(drawn(1_500, 100))
    url, facts = thumbnail(image)
    assert facts == f"1,500 x 100 · {max(1, round(image.size / 1000))} kB"
    assert url.startswith("data:image/webp;base64,")
    with PIL.Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as small:
        assert small.size == (224, 15)
    with PIL.Image.open(
        io.BytesIO(base64.b64decode(thumbnail(load_image(drawn(10, 1_600)))[0].partition(",")[2]))
    ) as small:
        assert small.size == (1, 160)
    assert thumbnail(load_image(b"GIF89a" + b"\0" * 2_600)) == ("", "3 kB")
    assert thumbnail(load_image(b"GIF89a" + b"\0" * 20)) == ("", "1 kB")


def test_a_figure_and_its_parts_are_the_same_picture() -> None:
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(1, 1))
    axes = figure.subplots()
    part = figure.add_subfigure(figure.add_gridspec(1, 1)[0]) if hasattr(figure, "add_subfigure") else axes
    images = [load_image(each) for each in (figure, axes, part)]
    assert {image.label for image in images} == {"figure"}
    assert images[0] == images[1] == images[2]
    assert all(is_image(each) for each in (figure, axes, images[0], PIL.Image.new("L", (1, 1)), Displayed(data=GIF)))
    assert not any(is_image(each) for each in ("a.png", GIF, 3, SimpleNamespace(savefig=print)))


def test_a_pil_image_keeps_its_mode_where_png_has_it(tmp_path: Path) -> None:
    for mode, kept in (
        ("L", "L"),
        ("LA", "LA"),
        ("P", "P"),
        ("RGBA", "RGBA"),
        ("1", "1"),
        ("CMYK", "RGB"),
        ("HSV", "RGB"),
    ):
        image = load_image(PIL.Image.new(mode, (2, 3)))
        assert (image.media_type, image.label) == ("image/png", "image")
        with PIL.Image.open(io.BytesIO(base64.b64decode(image.data_url.partition(",")[2]))) as made:
            assert (made.mode, made.size) == (kept, (2, 3))
    (tmp_path / "a.png").write_bytes(drawn(2, 2))
    with PIL.Image.open(tmp_path / "a.png") as opened:
        assert load_image(opened).label == "a.png"
