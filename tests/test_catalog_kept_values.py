"""What is kept of lists and marks: which ones where there are too many, in which order, and for how long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from tetrate_jupyter.catalog.cache import CatalogCache, Copy, KeptIds, ModelMarks
from tetrate_jupyter.catalog.favourites import Favourites

if TYPE_CHECKING:
    from pathlib import Path

HERE = "https://api.router.example/v1"
NOW = 1_700_000_000.0


def cache(folder: Path, router: str = HERE, at: float = NOW) -> CatalogCache:
    return CatalogCache("Host.Example:80", folder, router=router, public=False, now=lambda: at)


def kept(folder: Path, name: str) -> dict[str, object]:
    found = json.loads((folder / f"{name}.json").read_text("utf-8"))
    assert found["version"] == 1
    return dict(found["routers"])


# --- marks -------------------------------------------------------------------------------------------------------


def test_the_two_hundred_newest_stars_and_twenty_newest_uses_are_kept() -> None:
    mine = Favourites()
    for number in range(201):
        mine.star(f"m{number}", on=True)
        mine.used(f"m{number}")
    assert mine.stars == tuple(f"m{n}" for n in range(1, 201))
    assert mine.recent == tuple(f"m{n}" for n in range(200, 180, -1))


def test_what_was_unstarred_gives_way_before_what_is_starred() -> None:
    mine = Favourites()
    mine.star("first", on=True)
    mine.star("gone", on=True)
    mine.star("gone", on=False)
    for number in range(199):
        mine.star(f"m{number}", on=True)
    assert mine.stars == ("first", *(f"m{n}" for n in range(199)))


def test_stars_are_in_the_order_in_which_they_were_given_and_uses_the_other_way_round(tmp_path: Path) -> None:
    mine = Favourites(cache(tmp_path))
    for name in ("c", "a", "b"):
        mine.star(name, on=True)
    mine.used("z", "x", "y")
    assert (mine.stars, mine.recent) == (("c", "a", "b"), ("y", "x", "z"))
    times = cache(tmp_path).marks().used
    assert NOW < times["z"] < times["x"] < times["y"] < NOW + 0.001


def test_marks_of_a_clock_that_is_ahead_count_as_of_now(tmp_path: Path) -> None:
    cache(tmp_path).keep_marks(
        ModelMarks({"near": (NOW + 60, True), "far": (NOW + 61, True)}, {"near": NOW + 60, "far": NOW + 61})
    )
    mine = Favourites(cache(tmp_path))
    assert mine.stars == ("far", "near")
    assert mine.recent == ("near", "far")
    mine.used("own")  # the newest, though its clock is behind the other
    assert mine.recent == ("own", "near", "far")


def test_forgotten_marks_stay_forgotten_where_another_kernel_still_has_them(tmp_path: Path) -> None:
    old = ModelMarks({"a": (NOW - 5, True)}, {"a": NOW - 5})
    mine = Favourites(cache(tmp_path))
    mine.star("b", on=True)
    mine.forget()
    assert (mine.stars, mine.recent) == ((), ())
    assert cache(tmp_path).marks().cleared > NOW
    cache(tmp_path).keep_marks(old)
    mine.look()
    assert (mine.stars, mine.recent) == ((), ())


def test_observers_hear_of_changes_and_of_nothing_else(tmp_path: Path) -> None:
    mine, heard = Favourites(cache(tmp_path)), []
    stop = mine.on_change(lambda: heard.append(mine.stars))
    mine.look()
    assert heard == []
    mine.star("a", on=True)
    Favourites(cache(tmp_path)).star("b", on=True)
    mine.look()
    assert heard == [("a",), ("a", "b")]
    mine.move(None)
    mine.forget()
    assert heard == [("a",), ("a", "b"), (), ()]
    stop()
    mine.star("c", on=True)
    assert len(heard) == 4


def test_the_newest_mark_is_of_any_kind() -> None:
    assert ModelMarks().at == 0.0
    assert ModelMarks({"a": (3.0, False)}, {"b": 2.0}, 1.0).at == 3.0
    assert ModelMarks({"a": (3.0, False)}, {"b": 5.0}, 1.0).at == 5.0
    assert ModelMarks({"a": (3.0, False)}, {"b": 5.0}, 7.0).at == 7.0


def test_marks_of_eight_routers_are_kept_and_those_of_this_machine_go_first(tmp_path: Path) -> None:
    cache(tmp_path, "http://127.0.0.1:5000").keep_marks(ModelMarks({"a": (NOW + 99, True)}))
    names = [f"https://r{n}.example" for n in range(8)]
    for number, name in enumerate(names):
        cache(tmp_path, name).keep_marks(ModelMarks({"a": (NOW - number, True)}))
    assert set(kept(tmp_path, "marks")) == set(names)
    cache(tmp_path, "https://new.example").keep_marks(ModelMarks())
    assert set(kept(tmp_path, "marks")) == {*names[:7], "https://new.example"}
    cache(tmp_path, names[0]).keep_marks(ModelMarks())
    assert len(kept(tmp_path, "marks")) == 8


# --- ids ---------------------------------------------------------------------------------------------------------


def test_ids_are_kept_with_their_time_and_removed_by_none(tmp_path: Path) -> None:
    cache(tmp_path).keep_ids(("b", "a"))
    assert cache(tmp_path).ids() == KeptIds(("b", "a"), NOW)
    assert cache(tmp_path, "https://other.example").ids() == KeptIds()
    cache(tmp_path).keep_ids(())
    assert cache(tmp_path).ids() == KeptIds()
    assert kept(tmp_path, "ids") == {}


def test_removing_what_isnt_there_writes_nothing(tmp_path: Path) -> None:
    cache(tmp_path).keep_ids(())
    assert list(tmp_path.iterdir()) == []
    cache(tmp_path, "").keep_ids(("a",))
    cache(tmp_path, "").keep_marks(ModelMarks({"a": (1.0, True)}))
    assert list(tmp_path.iterdir()) == []


def test_ids_of_the_eight_most_recent_routers_are_kept(tmp_path: Path) -> None:
    for number in range(10):
        cache(tmp_path, f"https://r{number}.example", NOW + number).keep_ids(("a",))
    assert set(kept(tmp_path, "ids")) == {f"https://r{n}.example" for n in range(2, 10)}


def test_sixty_thousand_bytes_of_ids_are_kept(tmp_path: Path) -> None:
    cache(tmp_path).keep_ids(("é" * 20_000, "a" * 20_000, "b"))
    assert len(kept(tmp_path, "ids")[HERE]["ids"]) == 2  # type: ignore[call-overload]  # JSON
    cache(tmp_path).keep_ids(("é" * 20_000, "a" * 20_001, "b"))
    assert len(kept(tmp_path, "ids")[HERE]["ids"]) == 1  # type: ignore[call-overload]  # JSON


@pytest.mark.parametrize(("age", "is_fresh"), [(-1, False), (0, True), (899, True), (900, False)])
def test_ids_are_fresh_for_a_quarter_of_an_hour(age: float, is_fresh: bool) -> None:
    assert KeptIds(("a",), NOW).is_fresh(NOW + age) is is_fresh


@pytest.mark.parametrize(("age", "is_fresh"), [(-1, False), (0, True), (86_399, True), (86_400, False)])
def test_a_catalog_is_fresh_for_a_day(age: float, is_fresh: bool) -> None:
    assert Copy((), NOW).is_fresh(NOW + age) is is_fresh


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ids", "marks"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2, "routers": {}}', b'{"routers": {}}', b"\xff"])
def test_a_file_of_another_kind_counts_as_none(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / f"{name}.json").write_bytes(content.replace(b"{}", b'{"%s": {}}' % HERE.encode()))
    assert cache(tmp_path).ids() == KeptIds()
    assert cache(tmp_path).marks() == ModelMarks()
    cache(tmp_path).keep_ids(("a",))
    cache(tmp_path).keep_marks(ModelMarks(cleared=1.0))
    assert (cache(tmp_path).ids().ids, cache(tmp_path).marks().cleared) == (("a",), 1.0)


def test_files_have_a_size_up_to_which_they_are_read(tmp_path: Path) -> None:
    def padded(name: str, bytes_: int) -> None:
        members = {"marks": {"cleared": 1.0}, "ids": {"at": 1.0, "ids": ["a"]}}[name]
        data = msgspec.json.encode({"version": 1, "routers": {HERE: members}})
        (tmp_path / f"{name}.json").write_bytes(data.ljust(bytes_))

    padded("ids", 2**20)
    padded("marks", 2**19)
    assert (cache(tmp_path).ids().ids, cache(tmp_path).marks().cleared) == (("a",), 1.0)
    padded("ids", 2**20 + 1)
    padded("marks", 2**19 + 1)
    assert (cache(tmp_path).ids(), cache(tmp_path).marks()) == (KeptIds(), ModelMarks())


def test_the_catalogs_file_is_named_after_its_host(tmp_path: Path) -> None:
    assert cache(tmp_path).path == tmp_path / "host.example_80.json"
    assert cache(tmp_path).load() is None
    assert cache(tmp_path).save(Copy((), NOW)) is None
    assert list(tmp_path.iterdir()) == []
    public = CatalogCache("host", tmp_path / "new")
    assert public.save(Copy((), NOW)) is None
    assert public.load() == Copy((), NOW)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["host.json"]


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    said = CatalogCache("host", tmp_path / "file").save(Copy((), NOW))
    assert said is not None
    assert said.startswith("The public catalog could not be kept on disk (")
    assert said.endswith("); it will be fetched again next time.")
