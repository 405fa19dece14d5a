"""The pictures of cells: where they are found, which of them are sent, and what is said of the others."""

from __future__ import annotations

import base64
import io
import struct
from types import SimpleNamespace
from typing import Any

import PIL.Image
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.completion.test_displays import IN_MEMORY, Kernel, kernel
from tetrate_jupyter import config
from tetrate_jupyter.completion import cell_pictures
from tetrate_jupyter.completion.cell_pictures import (
    MOST,
    SIDE,
    CellPictures,
    PictureRoom,
    TakenPictures,
    may_show,
    pictures_in,
)
from tetrate_jupyter.completion.displays import DisplayedPicture

__all__ = ["kernel"]


def made(width: int, height: int = 1, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    PIL.Image.new("L", (width, height)).save(out, form)
    return out.getvalue()


def shown(data: bytes | str) -> DisplayedPicture:
    return DisplayedPicture("image/png", base64.b64encode(data).decode() if isinstance(data, bytes) else data)


def why(room: PictureRoom, *pictures: DisplayedPicture) -> list[str]:
    return [reason for reason, _ in room.take(3, pictures).reasons]


@pytest.mark.parametrize("form", ["PNG", "GIF", "JPEG"])
def test_sides_are_bounded(form: str) -> None:
    for width, height in ((SIDE, 1), (1, SIDE)):
        assert why(PictureRoom(), shown(made(width, height, form))) == []
    for width, height in ((SIDE + 1, 1), (1, SIDE + 1)):
        assert why(PictureRoom(), shown(made(width, height, form))) == ["large"]


def test_the_sides_of_a_jpeg_stand_behind_its_other_parts() -> None:
    plain = made(SIDE + 1, 1, "JPEG")
    for part in (b"\xff\xe1" + struct.pack(">H", 1_002) + b"\xff" * 1_000, b"\xff\xc4\x00\x02", b"\xff\xcc\x00\x02"):
        assert why(PictureRoom(), shown(plain[:2] + part + plain[2:])) == ["large"]
    assert cell_pictures._pixels(plain) == (1, SIDE + 1)
    for kind in range(0xC0, 0xD0):
        is_frame = kind not in {0xC4, 0xC8, 0xCC}
        head = b"\xff\xd8\xff" + bytes([kind]) + b"\x00\x08\x08\x00\x07\x00\x09"
        assert cell_pictures._pixels(head) == ((7, 9) if is_frame else (0, 0))
    assert cell_pictures._pixels(b"\xff\xd8\xff\xd0\x00\x08\x08\x00\x07\x00\x09") == (0, 0)
    assert cell_pictures._pixels(b"\xff\xd8\xff\xcf\x00\x08\x08\x00\x07\x00\x09") == (7, 9)
    for broken in (
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\x00\x00",
        b"\xff\xd8\xff\xc0\x00",
        b"\x89PNG",
        b"GIF8",
        b"RIFF",
    ):
        assert cell_pictures._pixels(broken) == (0, 0)
    assert cell_pictures._pixels(b"\xff\xd8" + b"\xff\xe1\x00\x00" * 1_000) == (0, 0)  # it comes to an end
    assert cell_pictures._pixels(made(5, 6)) == (5, 6)
    assert cell_pictures._pixels(made(5, 6, "GIF")) == (5, 6)


def test_pictures_are_taken_in_order_and_named() -> None:
    room = PictureRoom(before=2)
    one, two = made(1), made(2)
    taken = room.take(
        3, [shown(one), DisplayedPicture("image/svg+xml", None, "kind"), DisplayedPicture("image/png", two)]
    )
    assert taken.lines == (
        "[image 3: picture 1 of cell 3]",
        "[a picture, image/svg+xml; not sent]",
        "[image 4: picture 3 of cell 3]",
    )
    assert (taken.sent, taken.reasons) == (2, (("kind", "image/svg+xml"),))
    assert [each.label for each in room.images] == ["picture 1 of cell 3", "picture 3 of cell 3"]
    assert [base64.b64decode(each.data_url.partition(",")[2]) for each in room.images] == [one, two]
    assert [(each.media_type, each.size) for each in room.images] == [("image/png", len(one)), ("image/png", len(two))]
    assert PictureRoom().take(4, [shown(one)]).lines == ("[image 1: picture of cell 4]",)
    assert room.take(4, [shown(made(3))]).lines == ("[image 5: picture of cell 4]",)


def test_a_question_has_room_for_some() -> None:
    room = PictureRoom()
    assert why(room, *[shown(made(n + 1)) for n in range(MOST + 2)]) == ["many"] * 2
    assert len(room.images) == MOST
    assert why(PictureRoom(refuses="several"), shown(made(1))) == ["several"]


def test_all_pictures_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    one = made(100, 100)
    monkeypatch.setattr(config, "MAX_IMAGE_BYTES", 2 * len(one))
    assert why(PictureRoom(), *[shown(one)] * 3) == ["many"]
    monkeypatch.setattr(config, "MAX_IMAGE_BYTES", len(one))
    assert why(PictureRoom(), shown(one)) == []


@pytest.mark.parametrize("data", ["no base64", "AAAA", "", b"text", b""])
def test_what_is_no_picture_is_damaged(data: str | bytes) -> None:
    assert why(PictureRoom(), DisplayedPicture("image/png", data)) == ["damaged"]


def test_what_is_said_of_pictures_that_are_not_sent() -> None:
    reasons = (("kind", "image/svg+xml"), ("gone", "image/png"), ("kind", "image/svg+xml"), ("unknown", "image/png"))
    as_png = "show it as PNG (%config InlineBackend.figure_formats = ['png']), and run the cell again"
    assert TakenPictures(reasons=reasons).notes("@[3]") == [
        f"@[3]: 2 pictures not sent: image/svg+xml can't be sent. Next: {as_png}.",
        "@[3]: 1 picture not sent: only the newest pictures are kept. Next: run the cell again.",
        "@[3]: 1 picture not sent: it can't be read. Next: look at it, and run the cell again.",
    ]
    for word in ("large", "damaged", "many", "several"):
        ((said),) = TakenPictures(reasons=((word, "image/png"),)).notes("@above")
        assert said.startswith("@above: 1 picture not sent: ")
        assert ". Next: " in said
    assert "20 MiB or 8,000 pixels" in TakenPictures(reasons=(("large", ""),)).notes("x")[0]
    assert "10 pictures, 20 MiB together" in TakenPictures(reasons=(("many", ""),)).notes("x")[0]
    assert TakenPictures().notes("x") == []


def test_a_kind_of_any_length_is_named_shortly() -> None:
    ((line),) = PictureRoom().take(1, [DisplayedPicture("image/" + "x" * 10_000 + "\n", None, "kind")]).lines
    assert len(line) < 1_000
    assert "\n" not in line


def test_which_cells_may_have_shown_something() -> None:
    import IPython.display  # noqa: F401 - one of those that show

    for source in ("plt.plot(x)", "fig", "df.hist()", "display(x)", "im.Show()", "image", "alt.Chart(d)", "draw(x)"):
        assert may_show(source)
    assert not may_show("1 + 1")


def test_what_was_seen_goes_first(kernel: Kernel) -> None:
    from tetrate_jupyter.completion.displays import DisplayWatch

    shell = kernel.shell
    assert pictures_in(shell, 1) == CellPictures((), is_known=False)  # displays went by unseen
    watch = DisplayWatch(shell)
    kernel.begin("a")
    kernel.show("1")
    kernel.end(1)
    shell.history_manager.output_hist[1] = PIL.Image.new("L", (3, 3))
    found = pictures_in(shell, 1)
    assert found.is_known
    assert len(found.found) == (1 if watch.sees_results else 2)
    watch.sees_results = False
    assert [each.kind for each in pictures_in(shell, 1).found] == ["image/png"] * (1 if has_outputs(shell) else 2)
    assert pictures_in(shell, 2) == CellPictures((), is_known=False)


def has_outputs(shell: Any) -> bool:
    return hasattr(shell.history_manager, "outputs")


def test_what_ipython_keeps_is_found_where_nothing_was_seen(kernel: Kernel) -> None:
    output = SimpleNamespace
    kept = [
        output(output_type="display_data", bundle={"image/png": "AAAA"}),
        output(output_type="execute_result", bundle={"image/gif": "BBBB"}),
        output(output_type="stream", bundle={"image/png": "CCCC"}),
        output(output_type="display_data", bundle={"text/plain": "x"}),
        output(output_type="display_data"),
    ]
    history = SimpleNamespace(outputs={1: kept, 2: kept[1:2]}, output_hist={})
    shell = SimpleNamespace(history_manager=history, display_pub=object())
    assert [each.data for each in pictures_in(shell, 1).found] == ["AAAA", "BBBB"]
    assert pictures_in(shell, 3) == CellPictures()
    kernels = SimpleNamespace(history_manager=history, display_pub=kernel.shell.display_pub)
    assert (pictures_in(kernels, 1).is_known, pictures_in(kernels, 2).is_known) == (True, False)
    assert [each.data for each in pictures_in(kernels, 2).found] == ["BBBB"]


def test_a_last_value_is_drawn_where_nothing_is_kept_of_what_it_showed() -> None:
    image = PIL.Image.new("L", (3, 3))
    history = SimpleNamespace(output_hist={1: image, 2: "text"})
    shell = SimpleNamespace(history_manager=history)
    ((found),) = pictures_in(shell, 1).found
    assert found.kind == "image/png"
    assert base64.b64decode(found.data or "").startswith(b"\x89PNG")
    assert pictures_in(shell, 2) == pictures_in(SimpleNamespace(), 1) == CellPictures()
    assert pictures_in(InteractiveShell(config=IN_MEMORY), 1) == CellPictures()
