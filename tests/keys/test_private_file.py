"""The private file: born private, replaced whole, never led elsewhere; and disks that take nothing."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.keys.conftest import FOR_EVER, everything_shown
from tests.keys.processes import command, environment, run
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import KeyStoreError
from tetrate_jupyter.keys.store import MAX_KEY_BYTES, KeyStore
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    NewStore = Callable[..., KeyStore]

posix_only = pytest.mark.skipif(os.name != "posix", reason="this system has no modes, links or limits of this kind")


def names(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "keys").iterdir())


def the_file(data: Path) -> Path:
    (only,) = (data / "keys").iterdir()
    return only


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# --- who may read --------------------------------------------------------------------------------------------


@posix_only
def test_file_and_folders_are_private_from_their_first_moment_whatever_the_umask(tmp_path: Path) -> None:
    said = run(
        """
os.umask(0)
watching = True
def watch(event, args):
    if watching and event == "os.mkdir":
        print("mkdir", oct(args[1]))
    elif watching and event == "os.chmod":
        print("chmod")
    elif watching and event == "open" and str(args[0]).endswith(".new"):
        wanted = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        print("open", args[2] & wanted == wanted)
sys.addaudithook(watch)
KeyStore(data).save(secret, store="file")
watching = False
""",
        tmp_path / "a" / "b",
    )
    assert said.splitlines() == ["mkdir 0o700"] * 3 + ["open True"]
    assert [mode(tmp_path / each) for each in ("a", "a/b", "a/b/keys")] == [0o700] * 3
    assert mode(the_file(tmp_path / "a" / "b")) == 0o600


@posix_only
def test_a_folder_and_a_file_that_stood_open_are_closed(store: KeyStore, secret: Secret, data: Path) -> None:
    store.save(secret, store="file")
    (data / "keys").chmod(0o777)
    the_file(data).chmod(0o666)
    store.save(secret, store="file")
    assert (mode(data / "keys"), mode(the_file(data))) == (0o700, 0o600)


def test_the_file_holds_the_key_alone_and_is_named_to_the_person(store: KeyStore, secret: Secret, data: Path) -> None:
    place = store.save(secret, store="file")
    assert the_file(data).read_text(encoding="utf-8") == secret.reveal()
    assert str(the_file(data)) in place.detail
    assert secret.reveal() not in str(place)


def test_the_folder_is_one_of_jupyters_and_shown_from_home(
    clean_environment: Path, endpoints: Endpoints, secret: Secret
) -> None:
    place = KeyStore().save(secret)
    assert place.kind == "file"
    assert "~/jupyter-data/tetrate-jupyter/keys/" in place.detail
    found = KeyStore().find(endpoints)
    assert found is not None
    assert found.secret == secret


# --- which host ----------------------------------------------------------------------------------------------


def test_no_two_hosts_share_a_file(store: KeyStore, new_store: NewStore, data: Path) -> None:
    hosts = ["router:8080", "router_8080", "router.8080", "router-8080", "[::1]:8080", "__1__8080", "router%3A8080"]
    for number, host in enumerate(hosts):
        store.save(Secret(f"sk-{number}", host=host), store="file")
    assert len(names(data)) == len(hosts)
    for number, host in enumerate(hosts):
        scheme = "http" if host.startswith("[::1]") else "https"  # on this machine, plain http is the usual one
        found = new_store().find(Endpoints(base_url=f"{scheme}://{host}/v1"))
        assert found is not None
        assert found.secret == Secret(f"sk-{number}", host=host)


def test_a_host_can_not_name_a_place_outside_the_folder(store: KeyStore, data: Path) -> None:
    store.save(Secret("sk-1", host="../../elsewhere"), store="file")
    assert the_file(data).parent == data / "keys"


def test_a_key_is_found_for_its_own_host_only(store: KeyStore, new_store: NewStore, secret: Secret) -> None:
    store.save(secret, store="file")
    assert new_store().find(Endpoints.of("https://elsewhere.example/v1")) is None


# --- what stands in its place --------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize("target_exists", [True, False])
def test_a_link_in_the_files_place_is_neither_read_nor_written_through(
    store: KeyStore, endpoints: Endpoints, secret: Secret, tmp_path: Path, target_exists: bool
) -> None:
    path = store._path(endpoints.host)
    path.parent.mkdir(parents=True)
    target = tmp_path / "target"
    if target_exists:
        target.write_text("sk-of-somebody-else", encoding="utf-8")
    path.symlink_to(target)
    assert store.find(endpoints) is None
    assert store.save(secret, store="file").kind == "file"
    assert not path.is_symlink()
    assert target.exists() == target_exists
    assert not target_exists or target.read_text(encoding="utf-8") == "sk-of-somebody-else"
    assert path.read_text(encoding="utf-8") == secret.reveal()


@posix_only
def test_a_link_in_the_folders_place_is_refused(
    store: KeyStore, endpoints: Endpoints, secret: Secret, data: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    store._path(endpoints.host).parent.parent.mkdir()
    (data / "keys").symlink_to(elsewhere)
    (elsewhere / store._path(endpoints.host).name).write_text("sk-planted", encoding="utf-8")
    assert store.find(endpoints) is None
    place = store.save(secret)
    assert place.kind == "memory"
    assert "link to elsewhere" in place.note
    with pytest.raises(KeyStoreError, match="link to elsewhere"):
        store.save(secret, store="file")


@posix_only
def test_a_pipe_in_the_files_place_is_not_waited_for(
    store: KeyStore, new_store: NewStore, endpoints: Endpoints, secret: Secret
) -> None:
    path = store._path(endpoints.host)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert store.find(endpoints) is None
    assert store.save(secret, store="file").kind == "file"
    assert new_store().find(endpoints)


def test_a_folder_in_the_files_place_leaves_the_key_in_memory_and_is_told(
    store: KeyStore, endpoints: Endpoints, secret: Secret
) -> None:
    path = store._path(endpoints.host)
    path.mkdir(parents=True)
    assert store.find(endpoints) is None
    place = store.save(secret)
    assert place.kind == "memory"
    assert "no file" in place.note
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with pytest.raises(KeyStoreError) as caught:
        store.forget(endpoints)
    assert str(path) in caught.value.next_step


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n  \n",
        b"\xff\xfe\x00sk",
        b"sk-one\nsk-two",
        b"sk-\x00",
        "sk-schlüssel".encode(),
        os.urandom(64) + b"\xff",
        b"sk-" + b"x" * MAX_KEY_BYTES,
        b"sk-" + b"x" * (64 * 1024 * 1024),
    ],
    ids=["empty", "blank", "bytes", "two", "nul", "letters", "random", "oversized", "huge"],
)
def test_a_file_that_holds_no_key_is_as_good_as_none_and_is_replaced(
    store: KeyStore, new_store: NewStore, endpoints: Endpoints, secret: Secret, content: bytes
) -> None:
    path = store._path(endpoints.host)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert store.find(endpoints) is None
    store.save(secret, store="file")
    found = new_store().find(endpoints)
    assert found is not None
    assert found.secret == secret


def test_a_line_end_after_the_key_does_no_harm(store: KeyStore, endpoints: Endpoints, secret: Secret) -> None:
    path = store._path(endpoints.host)
    path.parent.mkdir(parents=True)
    path.write_bytes(secret.reveal().encode() + b"\r\n")
    found = store.find(endpoints)
    assert found is not None
    assert found.secret == secret


# --- disks that take nothing ---------------------------------------------------------------------------------


@contextmanager
def full_disk() -> Iterator[None]:
    """Let the system refuse every byte that this process would write to a file."""
    resource = pytest.importorskip("resource", reason="this system has no limits to set")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the error is wanted, not the signal
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_on_a_full_disk_the_key_stays_in_memory_with_the_reason_and_nothing_is_left_behind(
    store: KeyStore, new_store: NewStore, endpoints: Endpoints, secret: Secret, data: Path
) -> None:
    with full_disk():
        place = store.save(secret)
    assert place.kind == "memory"
    assert "no keyring: there is none on this system; no file:" in place.note
    assert "File too large" in place.note
    assert names(data) == []
    found = store.find(endpoints)
    assert found is not None
    assert (found.secret, found.place) == (secret, place)
    assert new_store().find(endpoints) is None
    assert [each.kind for each in store.forget(endpoints)] == ["memory"]


def test_a_save_that_fails_leaves_the_key_that_was_there(
    store: KeyStore, new_store: NewStore, endpoints: Endpoints, secret: Secret, data: Path
) -> None:
    older = Secret("sk-older", host=secret.host)
    store.save(older, store="file")
    with full_disk(), pytest.raises(KeyStoreError) as caught:
        store.save(secret, store="file")
    assert "--store memory" in caught.value.next_step
    assert secret.reveal() not in everything_shown(caught.value)
    assert len(names(data)) == 1
    for each in (store, new_store()):
        found = each.find(endpoints)
        assert found is not None
        assert found.secret == older


def test_a_key_kept_in_memory_for_want_of_a_disk_outdates_the_one_in_the_file(
    store: KeyStore, new_store: NewStore, endpoints: Endpoints, secret: Secret
) -> None:
    store.save(Secret("sk-older", host=secret.host), store="file")
    with full_disk():
        assert store.save(secret).kind == "memory"
    assert new_store().find(endpoints) is None


def test_where_no_folder_can_be_made_the_key_stays_in_memory_and_can_be_forgotten(
    data: Path, endpoints: Endpoints, secret: Secret
) -> None:
    data.write_text("a file where the folder should be", encoding="utf-8")
    store = KeyStore(data / "below")
    assert store.find(endpoints) is None
    place = store.save(secret)
    assert place.kind == "memory"
    assert "no file:" in place.note
    with pytest.raises(KeyStoreError):
        store.save(secret, store="file")
    assert [each.kind for each in store.forget(endpoints)] == ["memory"]
    assert store.find(endpoints) is None


def own_disk(options: str, data: Path) -> tuple[str, ...]:
    """Give the command under which a process has a small disk of its own at `data`."""
    data.mkdir()
    mount = f'mount -t tmpfs -o {options} tmpfs "{data}"'
    under = ("unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh")
    try:
        probe = subprocess.run([*under, "true"], capture_output=True, text=True, timeout=FOR_EVER, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no unshare")
    if probe.returncode:
        pytest.skip(f"no disk may be mounted here: {probe.stderr.strip()}")
    return under


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("ro", "Read-only file system"),
        ("size=8k", "No space left on device"),  # for the key
        ("nr_inodes=3", "No space left on device"),  # for its file
        ("nr_inodes=2", "No space left on device"),  # for its folder
    ],
)
def test_a_disk_that_is_really_full_or_read_only_is_told_by_the_systems_words(
    data: Path, options: str, reason: str
) -> None:
    said = run(
        """
try:
    (data / "ballast").write_bytes(bytes(1_000_000))
except OSError:
    pass
store = KeyStore(data)
print(store.find(endpoints), store.save(secret))
try:
    store.save(secret, store="file")
except KeyStoreError as error:
    print(error)
print(store.find(endpoints).secret == secret)
print([place.kind for place in store.forget(endpoints)], store.find(endpoints))
""",
        data,
        under=own_disk(options, data),
    )
    found, *error, same, forgotten = said.splitlines()
    assert found.startswith("None this kernel's memory only (no keyring")
    assert reason in found
    assert reason in error[0]
    assert (same, forgotten) == ("True", "['memory'] None")
    assert "sk-never" not in said


# --- two at once ---------------------------------------------------------------------------------------------


def test_two_processes_that_save_at_once_leave_one_whole_key(
    new_store: NewStore, endpoints: Endpoints, data: Path
) -> None:
    script = """
mine = Secret("sk-" + sys.stdin.readline().strip() * 1000, host=endpoints.host)
print("ready", flush=True)
sys.stdin.readline()
seen = set()
for _ in range(100):
    KeyStore(data).save(mine, store="file")
    seen.add(KeyStore(data).find(endpoints).secret.reveal())
assert seen <= {"sk-" + "a" * 1000, "sk-" + "b" * 1000}, "half a key was seen"
"""
    both = [
        subprocess.Popen(
            command(script, data), env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in "ab"
    ]
    for process, name in zip(both, "ab", strict=True):
        assert process.stdin
        assert process.stdout
        process.stdin.write(name + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=FOR_EVER)
        assert process.returncode == 0
    found = new_store().find(endpoints)
    assert found is not None
    assert found.secret.reveal() in {"sk-" + "a" * 1000, "sk-" + "b" * 1000}
    assert len(names(data)) == 1
