"""Images: what is taken, what is refused, and what the refusal tells."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tetrate_jupyter import config
from tetrate_jupyter.completion.images import is_image, load_image
from tetrate_jupyter.errors import AttachmentError
from tetrate_jupyter.types import Image


def encoded(kind: str, **options: Any) -> bytes:
    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.new("RGB", (3, 2), "red").save(buffer, format=kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def png() -> bytes:
    return encoded("PNG")


@pytest.mark.parametrize(("kind", "media"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".txt", ""])
def test_the_content_decides_the_media_type_not_the_name(tmp_path: Path, kind: str, media: str, suffix: str) -> None:
    data = encoded(kind)
    path = tmp_path / f"picture{suffix}"
    path.write_bytes(data)
    for given in (path, str(path)):
        image = load_image(given)
        assert image == Image(
            f"data:image/{media};base64,{base64.b64encode(data).decode()}", f"image/{media}", len(data), path.name
        )


def test_bytes_in_every_form_and_ready_images_are_taken(png: bytes) -> None:
    images = [load_image(value) for value in (png, bytearray(png), memoryview(png))]
    assert {image.label for image in images} == {"image"}
    assert len({image.data_url for image in images}) == 1
    assert load_image(images[0]) is images[0]


def test_a_data_url_is_taken_with_its_type_checked(png: bytes) -> None:
    plain = base64.b64encode(png).decode()
    lines = "\n".join(plain[at : at + 20] for at in range(0, len(plain), 20))
    percent = "data:," + "".join(f"%{byte:02x}" for byte in png)
    for url in (f"data:image/png;base64,{plain}", f"DATA:image/jpeg;base64,{lines}", percent):
        assert load_image(url).data_url == f"data:image/png;base64,{plain}"


@pytest.mark.parametrize("url", ["data:image/png;base64", "data:image/png;base64,@@@", "data:image/png;base64,é"])
def test_a_damaged_data_url_is_refused(url: str) -> None:
    with pytest.raises(AttachmentError, match="data: URL"):
        load_image(url)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F", "I", "I;16"])
def test_a_pil_image_of_any_mode_becomes_png(mode: str) -> None:
    import PIL.Image

    image = load_image(PIL.Image.new(mode, (4, 4)))
    assert (image.media_type, image.label) == ("image/png", "image")
    assert PIL.Image.open(io.BytesIO(base64.b64decode(image.data_url.split(",")[1]))).size == (4, 4)


def test_a_pil_image_is_turned_upright_and_loses_its_metadata(tmp_path: Path) -> None:
    import PIL.Image

    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # held sideways
    exif[0x010E] = "taken at home"
    path = tmp_path / "photo.jpg"
    PIL.Image.new("RGB", (40, 20)).save(path, exif=exif)
    with PIL.Image.open(path) as opened:
        image = load_image(opened)
    sent = base64.b64decode(image.data_url.split(",")[1])
    assert PIL.Image.open(io.BytesIO(sent)).size == (20, 40)
    assert b"taken at home" not in sent
    assert image.label == "photo.jpg"


def test_a_closed_pil_image_is_refused_with_a_reason(tmp_path: Path, png: bytes) -> None:
    import PIL.Image

    path = tmp_path / "a.png"
    path.write_bytes(png)
    opened = PIL.Image.open(path)
    opened.close()
    with pytest.raises(AttachmentError, match="PIL image") as refused:
        load_image(opened)
    assert refused.value.next_step


def test_a_matplotlib_figure_and_its_parts_become_png() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subfigures(1, 2)[0].subplots()
    axes.plot([1, 2, 3])
    for part in (figure, axes, axes.figure):
        assert is_image(part)
        image = load_image(part)
        assert (image.media_type, image.label) == ("image/png", "figure")


def test_a_figure_that_cannot_be_drawn_is_refused_with_its_own_error() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0.5, 0.5, r"$\frac{$")
    with pytest.raises(AttachmentError, match="can't be drawn"):
        load_image(figure)


def test_ipython_display_image_is_taken_but_not_its_web_address(png: bytes) -> None:
    from IPython.display import Image as Displayed

    assert load_image(Displayed(data=png)).media_type == "image/png"
    with pytest.raises(AttachmentError, match="not fetched"):
        load_image(Displayed(url="https://example.com/a.png"))


@pytest.mark.parametrize("url", ["http://example.com/a.png", "HTTPS://example.com/a.png", " https://example.com/a.png"])
def test_a_web_address_is_refused_because_nothing_is_fetched(url: str) -> None:
    with pytest.raises(AttachmentError, match="not fetched") as refused:
        load_image(url)
    assert "download it first" in refused.value.next_step


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (encoded("BMP"), "a BMP image"),
        (encoded("TIFF"), "a TIFF image"),
        (b"MM\x00*\x00\x00\x00\x08", "a TIFF image"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "a HEIC image"),
        (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00", "an AVIF image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>', "an SVG drawing"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x7fELF\x00\x01", "not an image"),
        (b"<html></html>", "not an image"),
        (b"\x89PN", "not an image"),
        (b"RIFF\x00\x00\x00\x00WAVE", "not an image"),
    ],
)
def test_other_content_is_named_and_the_way_out_is_told(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    with pytest.raises(AttachmentError, match=what) as refused:
        load_image(path)
    assert refused.value.next_step
    assert str(tmp_path) not in str(refused.value)


def test_a_misspelt_file_name_offers_the_near_ones(tmp_path: Path, png: bytes) -> None:
    for name in ("chart.png", "CHART2.PNG", "unrelated.txt"):
        (tmp_path / name).write_bytes(png)
    for given, near in (("chart.jpg", "'chart.png'"), ("chrat.png", "'chart.png'"), ("chart22.png", "'CHART2.PNG'")):
        with pytest.raises(AttachmentError, match="no file") as refused:
            load_image(tmp_path / given)
        assert near in refused.value.next_step
        assert "unrelated" not in refused.value.next_step


def test_a_missing_folder_is_told_apart_from_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AttachmentError, match="folder does not exist"):
        load_image(tmp_path / "nowhere" / "a.png")
    with pytest.raises(AttachmentError, match="folder does not exist"):
        load_image("~nobody-of-that-name/a.png")


def test_a_folder_is_refused_and_its_images_are_named(tmp_path: Path, png: bytes) -> None:
    (tmp_path / "one.png").write_bytes(png)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(AttachmentError, match="is a folder") as refused:
        load_image(tmp_path)
    assert "'one.png'" in refused.value.next_step
    assert "notes" not in refused.value.next_step


def test_an_empty_file_and_an_empty_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for value in (tmp_path / "empty.png", b"", "", "  "):
        with pytest.raises(AttachmentError, match="empty"):
            load_image(value)


def test_a_home_relative_path_is_found(clean_environment: Path, png: bytes) -> None:
    (clean_environment / "mine.png").write_bytes(png)
    assert load_image("~/mine.png").label == "mine.png"


def test_a_file_beyond_the_limit_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(50 * 2**30)  # sparse: reading it would take the memory down
    with pytest.raises(AttachmentError, match=r"51200\.0 MiB, the limit is 20 MiB") as refused:
        load_image(path)
    assert "thumbnail" in refused.value.next_step


def test_bytes_beyond_the_limit_are_refused(png: bytes) -> None:
    with pytest.raises(AttachmentError, match="too large"):
        load_image(png + bytes(config.MAX_IMAGE_BYTES))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_a_pipe_or_device_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        with pytest.raises(AttachmentError, match="not a regular file"):
            load_image(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, png: bytes) -> None:
    path = tmp_path / "private.png"
    path.write_bytes(png)
    path.chmod(0)
    with pytest.raises(AttachmentError, match="isn't allowed to read"):
        load_image(path)


@pytest.mark.parametrize("text", ["iVBORw0KGgo" * 200, "a\x00b.png", "x" * 300 + ".png", "file:///a.png"])
def test_text_that_is_no_file_name_is_refused_without_a_foreign_error(text: str) -> None:
    with pytest.raises(AttachmentError) as refused:
        load_image(text)
    assert refused.value.next_step
    assert len(str(refused.value)) < 600


def test_other_objects_are_refused_with_the_next_step() -> None:
    import numpy as np

    for value, step in (
        (np.zeros((2, 2)), "fromarray"),
        (io.BytesIO(b"x"), ".read()"),
        (["a.png"], "images=[first, second]"),
        (3, "matplotlib"),
        (None, "matplotlib"),
    ):
        with pytest.raises(AttachmentError, match="not an image") as refused:
            load_image(value)
        assert step in refused.value.next_step


def test_a_label_never_holds_a_path_or_control_characters(tmp_path: Path, png: bytes) -> None:
    path = tmp_path / "a\n\x1b[31m\u202eb.png"
    path.write_bytes(png)
    label = load_image(path).label
    assert label == "a??[31m?b.png"
    assert str(tmp_path) not in repr(load_image(path))


def test_loading_a_file_imports_neither_pil_nor_matplotlib_nor_numpy(tmp_path: Path, png: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png)
    code = (
        "import sys; from tetrate_jupyter.completion.images import load_image, is_image; load_image(sys.argv[1]);"
        "is_image(3); print(sorted({'PIL', 'matplotlib', 'numpy', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
