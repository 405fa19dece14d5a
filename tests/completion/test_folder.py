"""Files of the working folder: how each is named, how much of it is read, and the words of each refusal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.completion.test_along import here
from tetrate_jupyter import secrecy
from tetrate_jupyter.completion import folder
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["here"]  # a fixture

posix = pytest.mark.skipif(os.name != "posix", reason="links and devices")


def read(name: str, most: int = 100) -> folder.FileText:
    return folder.read(folder.place(name), name, most)


def test_a_file_is_sent_whole_up_to_the_bound(here: Path) -> None:
    (here / "a.PY").write_text("x = 1\n", encoding="utf-8")
    (here / "bare").write_text("12345", encoding="utf-8")
    assert read("a.PY") == folder.FileText("```py\nx = 1\n```", 6, 6)
    assert read("bare", 5) == folder.FileText("```\n12345\n```", 5, 5)
    assert read("bare", 4) == folder.FileText("```\n1234\n[cut here: 4 of 5 bytes]\n```", 4, 5)
    (here / "long.abcdefghij").write_text("a", encoding="utf-8")
    (here / "long.abcdefghijk").write_text("a", encoding="utf-8")
    assert read("long.abcdefghij").text == "```abcdefghij\na\n```"
    assert read("long.abcdefghijk").text == "```\na\n```"


def test_what_is_cut_is_counted_in_bytes(here: Path) -> None:
    (here / "wide.txt").write_bytes("größe".encode("utf-16"))
    (here / "narrow.txt").write_text("größe" * 400, encoding="utf-8")
    (here / "marked.txt").write_bytes(b"\xef\xbb\xbfab")
    assert read("wide.txt") == folder.FileText("```txt\ngröße\n```", 12, 12)
    assert read("wide.txt", 3) == folder.FileText("```txt\ngrö\n[cut here: 6 of 12 bytes]\n```", 6, 12)
    cut = read("narrow.txt", 1_000)
    assert (cut.sent, cut.of) == (1_400, 2_800)
    assert cut.text.endswith("größe\n[cut here: 1,400 of 2,800 bytes]\n```")
    assert read("marked.txt") == folder.FileText("```txt\nab\n```", 5, 5)


def test_a_file_larger_than_all_that_is_read_has_its_true_size(here: Path) -> None:
    size = (100 + secrecy.REACH) * 4
    for more in (0, 1, 1_000):
        (here / "large.txt").write_bytes(b"a" * (size + more))
        found = read("large.txt")
        assert (found.sent, found.of) == (100, size + more)


def test_a_character_that_is_cut_in_two_at_the_end_of_what_is_read_is_no_reason_to_refuse(here: Path) -> None:
    (here / "large.txt").write_bytes(b"a" + "ö".encode() * 40_000)
    assert read("large.txt").sent == 199
    (here / "broken.txt").write_bytes(b"a\xc3")
    with pytest.raises(AttachmentError, match="isn't text in UTF-8"):
        read("broken.txt")


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.gif", "a.webp"])
def test_a_picture_is_sent_in_another_way(here: Path, name: str) -> None:
    (here / name).write_bytes(b"\0\1")
    with pytest.raises(AttachmentError) as refused:
        read(name)
    assert refused.value.message == f"@{name} isn't text in UTF-8; nothing was sent."
    assert refused.value.next_step == f"send a picture with --image (to send it as typed: \\@{name})"


def test_other_data_is_sent_as_a_variable(here: Path) -> None:
    (here / "a.bin").write_bytes(b"\xff\0\1")
    with pytest.raises(AttachmentError) as refused:
        read("a.bin")
    assert refused.value.next_step == "load it into a variable and send that: {name} (to send it as typed: \\@a.bin)"


@posix
@pytest.mark.parametrize(
    ("name", "what", "step"),
    [
        ("gone.md", "isn't a file here", "check its name: it is searched for in this kernel's folder"),
        ("nul\0.md", "isn't a file here", "check its name: it is searched for in this kernel's folder"),
        ("loop.md", "is a broken link", "check its name: it is searched for in this kernel's folder"),
        ("loop.md/a.md", "is a broken link", "check its name: it is searched for in this kernel's folder"),
        ("dangling.md", "is a broken link", "check its name: it is searched for in this kernel's folder"),
        ("../outside.md", "is outside of this kernel's folder", "copy it into the folder"),
        (".env", "is hidden: such files hold settings and keys", "copy what you need into another file"),
        ("open.md", "is hidden: such files hold settings and keys", "copy what you need into another file"),
        (".seen.md", "is hidden: such files hold settings and keys", "copy what you need into another file"),
        ("data", "is a folder", "name a file in it"),
        ("pipe", "isn't a regular file", "name a text file"),
    ],
)
def test_a_file_that_cannot_be_sent_says_why_and_what_to_do(here: Path, name: str, what: str, step: str) -> None:
    (here / "loop.md").symlink_to("loop.md")
    (here / "dangling.md").symlink_to("nowhere.md")
    (here / ".env").touch()
    (here / "open.md").symlink_to(".env")
    (here / ".seen.md").symlink_to("data/notes.md")
    os.mkfifo(here / "pipe")
    with pytest.raises(AttachmentError) as refused:
        folder.place(name)
    word = folder.told(name)
    assert refused.value.message == f"{word} {what}; nothing was sent."
    assert refused.value.next_step == f"{step} (to send it as typed: \\{word})"


@posix
def test_a_place_has_its_links_resolved(here: Path) -> None:
    (here / "link.md").symlink_to("data/notes.md")
    expected = folder.FilePlace(os.path.realpath(here), ("data", "notes.md"))
    assert folder.place("link.md") == folder.place("data/../data/notes.md") == expected


def test_a_file_in_the_home_folder_is_named_by_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    assert folder.place("~/data/notes.md").parts == ("data", "notes.md")
    with pytest.raises(AttachmentError, match="isn't a file here"):
        folder.place("~data/notes.md")


@posix
def test_what_is_there_under_a_name(here: Path) -> None:
    (here / "dangling.md").symlink_to("nowhere.md")
    for name in ("data/notes.md", "data/", "dangling.md"):
        assert folder.is_there(name) is True
    for name in ("data", "gone.md", "\0"):
        assert folder.is_there(name) is False


def test_a_file_removed_after_the_look_is_told(here: Path) -> None:
    place = folder.place("data/notes.md")
    (here / "data" / "notes.md").unlink()
    with pytest.raises(AttachmentError) as refused:
        folder.read(place, "data/notes.md", 10)
    assert refused.value.message == "@data/notes.md can't be read (No such file or directory); nothing was sent."
    assert refused.value.next_step == "check the file (to send it as typed: \\@data/notes.md)"


def test_a_private_key_anywhere_in_reach_is_refused(here: Path) -> None:
    begun = "-----BEGIN RSA PRIVATE KEY-----"
    (here / "id.txt").write_text(f"{'a ' * 50}{begun}\nabc", encoding="utf-8")
    with pytest.raises(SecretInPromptError) as refused:
        read("id.txt", 10)
    assert refused.value.message == "What looks like an API key is in @id.txt; nothing was sent."
    assert refused.value.next_step == "leave @id.txt out of the question, or take the key out of the file"


@posix
def test_names_are_offered_with_what_they_are(here: Path) -> None:
    for name in (
        "one.txt",
        "two words.md",
        'quo"ted.md',
        ".hidden",
        "table.xlsx",
        "note.docx",
        "a.mp4",
        "tab\there.md",
    ):
        (here / name).write_bytes(b"ab")
    (here / "single.txt").write_bytes(b"a")
    (here / "nested").mkdir()
    (here / "out").symlink_to("..")
    os.mkfifo(here / "pipe")
    everything = {
        "data/": "folder",
        "nested/": "folder",
        "one.txt": "2 bytes",
        "single.txt": "1 byte",
        "two words.md": "2 bytes",
    }
    assert folder.offered("", 50) == everything
    assert list(folder.offered("", 50)) == sorted(everything)
    assert list(folder.offered("", 2)) == ["data/", "nested/"]
    assert folder.offered("", 0) == {}
    assert folder.offered("o", 5) == {"one.txt": "2 bytes"}
    assert folder.offered("data/n", 5) == {"data/notes.md": "22 bytes"}
    for outside in ("/", "~", ".", "data/../", "out/", "gone/"):
        assert folder.offered(outside, 5) == {}


NO_TEXT = """
a.7z a.avi a.bin a.bz2 a.db a.doc a.docx a.dll a.exe a.feather a.gif a.gz a.h5 a.ico a.jpg a.jpeg a.mov a.mp3 a.mp4
a.npy a.npz a.odt a.parquet a.pdf a.pickle a.pkl a.png a.pptx a.pt a.pyc a.so a.sqlite a.tar a.tif a.tiff a.ttf a.wav
a.webp a.whl a.woff a.woff2 a.xls a.xlsx a.xz a.zip a.zst A.PDF a.csv.gz
"""
TEXT = (
    "Makefile pdf a.c a.csv a.html a.ini a.ipynb a.json a.md a.pdf.txt a.py a.svg a.toml a.tsv a.txt a.yaml gif.d so.h"
)


def test_files_without_text_are_not_offered(here: Path) -> None:
    for name in (NO_TEXT + TEXT).split():
        (here / name).touch()
    assert set(folder.offered("", 1_000)) == {"data/", *TEXT.split()}


@posix
def test_a_working_folder_that_is_gone_has_no_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    assert folder.base() is None
    assert folder.is_there("a.md") is False
    assert folder.offered("", 5) == {}
    with pytest.raises(AttachmentError, match="isn't a file here; nothing was sent"):
        folder.place("a.md")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a/b-1_c.md", "@a/b-1_c.md"),
        ("~/x+y@z%=#&.md", "@~/x+y@z%=#&.md"),
        ("two words.md", '@"two words.md"'),
        ("größe.md", "@größe.md"),
        ("a,b", '@"a,b"'),
    ],
)
def test_a_word_is_told_as_it_is_typed(name: str, word: str) -> None:
    assert folder.told(name) == word
