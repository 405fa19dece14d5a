"""Only what is named goes along: text files below the kernel's folder, and nothing that holds what looks like a key."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.completion.test_along import here, history, sent
from tetrate_jupyter.completion import along as bounds
from tetrate_jupyter.completion import folder
from tetrate_jupyter.completion.along import offered
from tetrate_jupyter.completion.cells import Ran
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["here"]  # a fixture

KEY = "sk-Zt5Rk2Wq8Lm1Xv7abc"
posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices")


def test_what_looks_like_a_key_goes_nowhere(here: Path) -> None:
    (here / "settings.md").write_text(f"token: {KEY}", encoding="utf-8")
    (here / "id.txt").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", encoding="utf-8")
    (here / "hidden.txt").write_text("sk-\x1b[0mZt5Rk2Wq8\x1b[0mLm1Xv7abc", encoding="utf-8")
    shell = history(f"key = {KEY!r}", "b = 1")
    shell.history_manager.output_hist_reprs[2] = f"'{KEY}'"
    for word in ("@[1]", "@[2]", "@above", "@notebook", "@settings.md", "@id.txt", "@hidden.txt"):
        with pytest.raises(SecretInPromptError, match="nothing was sent") as raised:
            sent(f"see {word}", shell)
        assert KEY not in str(raised.value)


def test_a_known_key_of_any_form_is_found_before_a_cut_could_hide_its_end(here: Path) -> None:
    key = Secret("Zk3vQ9xT7mB2nL5p", host="api.example.com")
    text = "x" * (bounds.FILE - 8) + key.reveal()[::-1] + " and more"
    (here / "long.txt").write_text(text, encoding="utf-8")
    with pytest.raises(SecretInPromptError):
        sent("@long.txt")
    with pytest.raises(SecretInPromptError):
        sent("@[1]", history("x" * (bounds.SOURCE - 8) + key.reveal()))


@posix
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("@../outside.md", "outside"),
        ("@data/../../outside.md", "outside"),
        ("@/etc/passwd", "outside"),
        ("@./../outside.md", "outside"),
        ("@link.md", "outside"),
        ("@links/passwd", "outside"),
        ("@zero.txt", "outside"),
        ("@../gone.md", "isn't a file"),
        ("@./gone.md", "isn't a file"),
        ("@~/gone.md", "isn't a file"),
        ("@.env", "hidden"),
        ("@.ssh/id.txt", "hidden"),
        ("@open.txt", "hidden"),
        ("@loop.md", "broken link"),
        ("@dangling.md", "broken link"),
        ("@pipe.txt", "isn't a regular file"),
        ("@data/", "folder"),
        ("@binary.txt", "isn't text"),
        ("@latin.txt", "isn't text"),
        ("@huge.log", "isn't text"),  # zeros
    ],
)
def test_what_is_no_text_file_of_the_folder_is_refused(here: Path, word: str, said: str) -> None:
    (here / "link.md").symlink_to("../outside.md")
    (here / "links").symlink_to("/etc")
    (here / "zero.txt").symlink_to("/dev/zero")
    (here / ".env").write_text("A=1", encoding="utf-8")
    (here / ".ssh").mkdir()
    (here / ".ssh" / "id.txt").write_text("x", encoding="utf-8")
    (here / "open.txt").symlink_to(".env")
    (here / "loop.md").symlink_to("loop.md")
    (here / "dangling.md").symlink_to("nowhere.md")
    os.mkfifo(here / "pipe.txt")
    (here / "binary.txt").write_bytes(bytes(range(256)))
    (here / "latin.txt").write_bytes("größe".encode("latin-1"))
    with (here / "huge.log").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(AttachmentError, match=said) as raised:
        sent(f"see {word}")
    assert "nothing was sent" in str(raised.value)
    assert f"\\{word}" in raised.value.next_step
    assert "not yours" not in str(raised.value)


def test_a_large_file_is_cut_and_not_read_whole(here: Path) -> None:
    (here / "long.log").write_bytes("größe 1\n".encode() * 1_000_000)
    made = sent("@long.log")
    assert len(made.material) < bounds.FILE + 1_000
    (cut,) = made.cuts
    assert (cut.name, cut.what, cut.of) == ("@long.log", "bytes", 10_000_000)
    assert bounds.FILE < cut.sent < bounds.FILE * 2
    assert f"[cut here: {cut.sent:,} of 10,000,000 bytes]" in made.material


@posix
def test_a_folder_that_becomes_a_link_after_the_look_leads_nowhere(here: Path) -> None:
    place = folder.place("data/notes.md")
    (here / "data").rename(here / "moved")
    (here / "data").symlink_to(here.parent)
    (here.parent / "notes.md").write_text("not yours", encoding="utf-8")
    with pytest.raises(AttachmentError, match="can't be read"):
        folder.read(place, "data/notes.md", 100)


@posix
def test_a_file_that_changes_while_it_is_read_is_bounded(here: Path) -> None:
    path, done = here / "growing.log", threading.Event()
    path.write_bytes(b"line\n" * 1_000)

    def change() -> None:
        with path.open("r+b") as file:
            while not done.is_set():
                file.truncate(0)
                file.seek(0)
                file.write(b"line\n" * 50_000)
                file.flush()

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(50):
            try:
                made = sent("@growing.log")
            except AttachmentError:  # zeros, where it has just been emptied below the writer
                continue
            assert len(made.material) < bounds.FILE + 1_000
    finally:
        done.set()
        changing.join()


@posix
def test_nothing_outside_of_the_folder_is_offered(here: Path) -> None:
    (here / "out.md").symlink_to("../outside.md")
    (here / "up").symlink_to("..")
    (here / "in.md").symlink_to("data/notes.md")
    assert set(offered("@", Ran(None), error="")) == {"@data/", "@in.md"}
    assert offered("@up/", Ran(None), error="") == {}
