"""Stars and recent models: remembered for a person and a router, between two kernels, on a disk that may be broken."""

from __future__ import annotations

import json
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.catalog.cache import CatalogCache
from tetrate_jupyter.catalog.favourites import MOST_STARS, MOST_USED, Favourites
from tetrate_jupyter.face.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.sandbox import SandboxRouter

HERE = "https://api.router.example/v1"


class Clock:
    at = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at


def of(folder: Path, router: str = HERE, clock: Clock | None = None) -> Favourites:
    return Favourites(CatalogCache("", folder, router=router, public=False, now=clock or Clock()))


def test_they_are_there_in_the_next_kernel_for_the_same_router_only(tmp_path: Path) -> None:
    first = of(tmp_path)
    for name in ("b", "a", "c"):
        first.star(name, on=True)
    first.star("a", on=False)
    first.used("x", "y")
    first.used("x")
    assert (first.stars, first.recent) == (("b", "c"), ("x", "y"))
    assert (of(tmp_path).stars, of(tmp_path).recent) == (("b", "c"), ("x", "y"))
    other = of(tmp_path, "https://other.example/v1")
    assert (other.stars, other.recent) == ((), ())
    other.star("o", on=True)
    assert of(tmp_path).stars == ("b", "c")


def test_two_kernels_lose_nothing_of_each_other(tmp_path: Path) -> None:
    clock = Clock()
    one, two = of(tmp_path, clock=clock), of(tmp_path, clock=clock)
    one.star("a", on=True)
    two.star("b", on=True)
    assert two.stars == ("a", "b")
    (tmp_path / "marks.json").unlink()  # as if the other's write had taken the place of one's own
    two.used("z")
    one.look()
    assert (set(one.stars), one.recent) == ({"a", "b"}, ("z",))
    clock.at += 1
    one.star("a", on=False)
    two.look()
    assert two.stars == ("b",)


def test_many_threads_at_once_lose_no_star(tmp_path: Path) -> None:
    shared = of(tmp_path)
    threads = [threading.Thread(target=shared.star, args=(f"m{n}",), kwargs={"on": True}) for n in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(of(tmp_path).stars) == {f"m{n}" for n in range(20)}


def test_forgetting_is_for_good_also_where_another_kernel_still_knows_them(tmp_path: Path) -> None:
    clock = Clock()
    one, two = of(tmp_path, clock=clock), of(tmp_path, clock=clock)
    one.star("a", on=True)
    one.used("u")
    assert two.stars == ("a",)
    clock.at += 1
    one.forget()
    clock.at += 1
    two.star("b", on=True)
    assert (two.stars, two.recent) == (("b",), ())
    assert of(tmp_path, clock=clock).stars == ("b",)


def test_everything_has_a_bound_and_no_sandbox_costs_a_person_their_stars(tmp_path: Path) -> None:
    clock = Clock()
    mine = of(tmp_path, clock=clock)
    for number in range(MOST_STARS + 30):
        clock.at += 1
        mine.star(f"{number:04}" + "é" * 150, on=True)
        mine.used(f"u{number}")
    assert len(mine.stars) == MOST_STARS
    assert mine.stars[-1].startswith(f"{MOST_STARS + 29:04}")
    assert len(mine.recent) == MOST_USED
    for number in range(20):
        clock.at += 1
        of(tmp_path, f"http://127.0.0.1:{number}/v1", clock).star("s", on=True)
    assert len(json.loads((tmp_path / "marks.json").read_text("utf-8"))["routers"]) == 8
    assert len(of(tmp_path, clock=clock).stars) == MOST_STARS
    mine.star("x" * 201, on=True)
    mine.star("with\x1b[31m", on=True)
    assert not any(len(name) > 200 or "\x1b" in name for name in of(tmp_path, clock=clock).stars)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"version":1,"routers":{"x":3}}', b'{"version":2,"routers":{}}', b" " * 2_000_000, None],
)
def test_a_file_that_cant_be_read_is_none_and_is_made_anew(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "marks.json"
    if content is None:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes there")
        os.mkfifo(file)
    else:
        file.write_bytes(content)
    marks = of(tmp_path)
    assert marks.stars == ()
    marks.star("b", on=True)
    assert of(tmp_path).stars == ("b",)


def test_a_time_to_come_has_not_the_last_word(tmp_path: Path) -> None:
    clock = Clock()
    marks = {"stars": {"a": [1e300, True], "bad\u202e": [1.0, True]}, "used": {"u": 1e300}, "cleared": 1e299}
    (tmp_path / "marks.json").write_text(json.dumps({"version": 1, "routers": {HERE: marks}}))
    mine = of(tmp_path, clock=clock)
    mine.star("b", on=True)
    assert "bad\u202e" not in mine.stars
    clock.at += 10
    mine.star("a", on=False)
    mine.used("v")
    again = of(tmp_path, clock=clock)
    assert again.stars == ("b",)
    assert again.recent[0] == "v"


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing there")
def test_only_the_person_reads_the_file_and_a_full_disk_is_no_trouble(tmp_path: Path) -> None:
    of(tmp_path).star("a", on=True)
    assert stat.S_IMODE((tmp_path / "marks.json").stat().st_mode) == 0o600
    (tmp_path / "in the way").write_text("")
    stuck = of(tmp_path / "in the way")
    stuck.star("a", on=True)
    assert stuck.stars == ("a",)
    nowhere = Favourites()
    nowhere.star("a", on=True)
    nowhere.used("b")
    assert (nowhere.stars, nowhere.recent) == (("a",), ("b",))


def test_whoever_follows_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, ...]] = []
    mine, other = of(tmp_path), of(tmp_path)
    stop = mine.on_change(lambda: told.append(mine.stars))
    mine.star("a", on=True)
    other.star("b", on=True)
    mine.look()
    mine.look()
    stop()
    mine.forget()
    assert told == [("a",), ("a", "b")]


def test_a_model_that_is_chosen_is_recent_and_signing_out_forgets(session: Session, tmp_path: Path) -> None:
    session.models()
    session.model = "claude-opus-5"
    session.choose("gpt-6-luna")
    marks = session.catalog.favourites
    assert marks.recent == ("gpt-6-luna", "claude-opus-5", "claude-haiku-4-5")
    marks.star("claude-opus-5", on=True)
    kept = (tmp_path / "data" / "marks.json").read_text("utf-8")
    assert "claude-opus-5" in kept
    session.logout()
    assert (marks.stars, marks.recent) == ((), ())
    assert "claude" not in (tmp_path / "data" / "marks.json").read_text("utf-8")


def test_another_router_has_its_own(session: Session, router: SandboxRouter) -> None:
    session.models()
    session.catalog.favourites.star("claude-opus-5", on=True)
    session.connect("http://127.0.0.1:9/v1")
    assert session.catalog.favourites.stars == ()
    session.connect(router.base_url)
    assert session.catalog.favourites.stars == ("claude-opus-5",)


def test_where_several_people_meet_one_account_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, router: SandboxRouter, tmp_path: Path
) -> None:
    monkeypatch.setattr("tetrate_jupyter.config.shared_account", lambda: "a hub")
    session = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data")
    session.model = "claude-opus-5"
    session.catalog.favourites.star("claude-opus-5", on=True)
    assert session.catalog.favourites.stars == ("claude-opus-5",)
    assert not (tmp_path / "data" / "marks.json").exists()
    session.close()
