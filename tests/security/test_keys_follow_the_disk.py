"""Keys follow the disk: a sign-out, a new key, a stranger's hand are noticed by every kernel, at its next question."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keyring
import keyring.core
import pytest

from tests.kernels import CountingKernel
from tests.keys.backends import Faithful, Hanging
from tests.security.second_user import NOBODY, needs_second_user
from tetrate_jupyter import config
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import InvalidKeyError, NotSignedInError, SecretInPromptError, TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.keys.system_keyring import SERVICE, SystemKeyring
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tetrate_jupyter.sandbox import SandboxRouter

MODEL = "claude-haiku-4-5"
GATEWAY = Endpoints.of("https://gateway.example/v1")
posix_only = pytest.mark.skipif(os.name != "posix", reason="this system has no owners and modes of this kind")


def streamed(session: Session) -> str:
    with session.stream("hello", keep=False) as events:
        return "".join(events.texts())


def signed_in(session: Session) -> bool:
    if not session.status()["signed in"].startswith("yes"):
        raise InvalidKeyError(session.status()["signed in"])
    return True


def compared(session: Session) -> bool:
    result = session.compare("hello", [MODEL, "gpt-6-luna"])
    if result.failed:
        raise InvalidKeyError(str(result.failed[0].error))
    return True


WAYS: dict[str, Callable[[Session], Any]] = {
    "ask": lambda s: s.ask("hello", keep=False),
    "stream": streamed,
    "models": lambda s: s.models(refresh=True),
    "status": signed_in,
    "compare": compared,
    "check": lambda s: s.bridge.run(s.account.check()),
}


@pytest.fixture
def new_session(router: SandboxRouter, tmp_path: Path) -> Iterator[Callable[[], Session]]:
    """Make a session as another kernel of the same account has it."""
    made: list[Session] = []

    def make() -> Session:
        session = Session(base_url=router.base_url, model=MODEL, data_dir=tmp_path / "data")
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()


@pytest.fixture
def backend() -> Iterator[Faithful]:
    """A keyring that works, in the place of the system's."""
    made = Faithful()
    keyring.set_keyring(made)
    yield made
    keyring.core._keyring_backend = None


# --- what another kernel does --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_new_sign_in_elsewhere_is_used_at_the_next_call(
    way: str, router: SandboxRouter, new_session: Callable[[], Session]
) -> None:
    a, b = new_session(), new_session()
    first = router.issue_key()
    a.login(key=first, store="file")
    assert WAYS[way](b)
    router.revoke_key(first)
    a.login(key=router.issue_key(), store="file")
    assert WAYS[way](b)
    assert not refusals(router)  # the file had changed: the old key wasn't even tried


def refusals(router: SandboxRouter) -> list[object]:
    return [r for r in router.requests if r.status == 401]


def last_key(router: SandboxRouter) -> str | None:
    """Whose key the last question came with: the sandbox numbers them as they were issued."""
    return [r for r in router.requests if r.method == "POST"][-1].key


def test_a_sign_out_elsewhere_ends_it_here(router: SandboxRouter, new_session: Callable[[], Session]) -> None:
    a, b = new_session(), new_session()
    a.login(key=router.issue_key(), store="file")
    assert b.ask("hello")
    told: list[None] = []
    b.account.on_change(lambda: told.append(None))
    a.logout()
    asked = len(router.requests)
    for way in (WAYS["ask"], WAYS["models"], WAYS["stream"]):
        with pytest.raises(NotSignedInError) as caught:
            way(b)
        assert "%tetrate_login" in caught.value.next_step
    assert b.status()["signed in"].startswith("no")
    assert [r for r in router.requests[asked:] if r.key] == []
    assert told  # so that panels follow
    assert not b.catalog.models


def test_one_that_has_signed_in_itself_follows_too(router: SandboxRouter, new_session: Callable[[], Session]) -> None:
    a, b = new_session(), new_session()
    b.login(key=router.issue_key(), store="file")
    assert b.ask("hello")
    a.login(key=router.issue_key(), store="file")
    assert b.ask("hello")
    assert last_key(router) == "key 2"
    a.logout()
    with pytest.raises(NotSignedInError):
        b.ask("hello")


def test_a_key_in_memory_only_stays_whatever_the_disk_says(
    router: SandboxRouter, new_session: Callable[[], Session]
) -> None:
    a, b = new_session(), new_session()
    b.login(key=router.issue_key(), store="memory")
    a.login(key=router.issue_key(), store="file")
    assert b.ask("hello")
    a.logout()
    assert b.ask("hello")
    assert last_key(router) == "key 1"


@pytest.mark.slow
def test_real_kernels_follow_each_other(router: SandboxRouter, tmp_path: Path) -> None:
    shared = {**router.environment, "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    with CountingKernel(shared) as a, CountingKernel(shared) as b:
        for kernel in (a, b):
            kernel.run("from tetrate_jupyter import session; session.model = 'claude-haiku-4-5'")
        first, second = router.issue_key(), router.issue_key()
        assert "SignedIn(" in said(a, f"session.login(key={first!r}, store='file')")
        assert "NotSignedInError" not in said(b, "session.ask('hello')")
        said(a, "session.logout()")
        assert "NotSignedInError" in said(b, "session.ask('hello')")
        router.revoke_key(first)
        assert "SignedIn(" in said(a, f"session.login(key={second!r}, store='file')")
        assert "Error" not in said(b, "session.ask('hello')")
        assert last_key(router) == "key 2"


def said(kernel: CountingKernel, code: str) -> str:
    return "".join(kernel.run(code).texts)


# --- after a refusal -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_key_in_the_keyring_is_looked_at_again_when_it_is_refused(
    way: str, router: SandboxRouter, new_session: Callable[[], Session], backend: Faithful
) -> None:
    a, b = new_session(), new_session()
    first = router.issue_key()
    a.login(key=first, store="keyring")
    assert WAYS[way](b)
    router.revoke_key(first)
    a.login(key=router.issue_key(), store="keyring")
    assert WAYS[way](b)


def test_a_refused_key_that_is_still_the_one_kept_is_refused_once(
    router: SandboxRouter, new_session: Callable[[], Session], backend: Faithful
) -> None:
    a, b = new_session(), new_session()
    key = router.issue_key()
    a.login(key=key, store="keyring")
    assert b.ask("hello")
    router.revoke_key(key)
    asked = len(router.requests)
    with pytest.raises(InvalidKeyError):
        b.ask("hello")
    assert len(router.requests) == asked + 1


def test_a_refused_key_that_was_removed_from_the_keyring_is_a_sign_out(
    router: SandboxRouter, new_session: Callable[[], Session], backend: Faithful
) -> None:
    a, b = new_session(), new_session()
    key = router.issue_key()
    a.login(key=key, store="keyring")
    assert b.ask("hello")
    told: list[None] = []
    b.account.on_change(lambda: told.append(None))
    a.logout()
    router.revoke_key(key)
    with pytest.raises(NotSignedInError):
        b.ask("hello")
    assert told


def test_a_wrong_key_that_is_typed_is_refused_although_a_good_one_is_kept(
    router: SandboxRouter, new_session: Callable[[], Session], backend: Faithful
) -> None:
    a = new_session()
    good, revoked = router.issue_key(), router.issue_key()
    a.login(key=revoked, store="keyring")
    router.revoke_key(revoked)
    new_session().login(key=good, store="keyring")
    for wrong in ("sk-wrong-0123456789", revoked):  # the second is the very one that this kernel had from the keyring
        with pytest.raises(InvalidKeyError):
            a.login(key=wrong, store="keyring")
        assert backend.kept == {(SERVICE, router.host): good}
    assert a.ask("hello")


def test_a_key_that_is_found_after_a_refusal_is_not_sent_in_the_text_either(
    router: SandboxRouter, new_session: Callable[[], Session], backend: Faithful
) -> None:
    a, b = new_session(), new_session()
    first, second = router.issue_key(), router.issue_key()
    a.login(key=first, store="keyring")
    assert b.ask("hello")
    router.revoke_key(first)
    a.login(key=second, store="keyring")
    asked = len(router.requests)
    with pytest.raises((InvalidKeyError, SecretInPromptError)):
        b.ask(f"what is {second}?")
    assert not [r for r in router.requests[asked:] if r.key == "key 2" and r.method == "POST"]


def test_an_environment_key_has_no_other(
    router: SandboxRouter, new_session: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = router.issue_key()
    new_session().login(key=router.issue_key(), store="file")
    for name, value in router.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(config.KEY_VARIABLES[0], key)
    b = new_session()
    assert b.ask("hello")
    assert last_key(router) == "key 1"
    router.revoke_key(key)
    with pytest.raises(InvalidKeyError):
        b.ask("hello")


def test_many_calls_that_are_refused_at_once_all_go_on(
    router: SandboxRouter, new_session: Callable[[], Session], backend: Faithful
) -> None:
    a, b = new_session(), new_session()
    first = router.issue_key()
    a.login(key=first, store="keyring")
    assert b.models()
    router.revoke_key(first)
    a.login(key=router.issue_key(), store="keyring")
    backend.calls.clear()
    result = b.compare([f"question {n}" for n in range(20)], [MODEL])
    assert [row.error for row in result.failed] == []
    assert backend.calls.count("get") < 10


def test_a_keyring_that_has_stopped_answering_takes_no_key_away(tmp_path: Path) -> None:
    backend = Faithful()
    keyring.set_keyring(backend)
    backend.kept[SERVICE, GATEWAY.host] = "sk-kept"
    store = KeyStore(tmp_path, keyring=SystemKeyring(0.1))
    found = store.find(GATEWAY)
    assert found is not None
    hanging = Hanging("get")
    keyring.set_keyring(hanging)
    try:
        assert store.after_refusal(GATEWAY, found.secret) == found.secret  # asked just now
        store._known[GATEWAY.host] = old = replace_at(store._known[GATEWAY.host], 0.0)
        assert old.at == 0.0
        assert store.after_refusal(GATEWAY, found.secret) == found.secret
        assert store.find(GATEWAY) is not None
    finally:
        hanging.go_on.set()
        keyring.core._keyring_backend = None


def replace_at(known: Any, at: float) -> Any:
    from dataclasses import replace

    return replace(known, at=at)


def test_a_keyring_is_asked_again_after_some_minutes(tmp_path: Path, backend: Faithful) -> None:
    backend.kept[SERVICE, GATEWAY.host] = "sk-older"
    store = KeyStore(tmp_path)
    assert store.find(GATEWAY)
    del backend.kept[SERVICE, GATEWAY.host]
    assert store.find(GATEWAY)
    known = store._known[GATEWAY.host]
    store._known[GATEWAY.host] = replace_at(known, known.at - config.KEYRING_FRESH - 1)
    assert store.find(GATEWAY) is None


# --- whose file it is ----------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A private file with a key."""
    KeyStore(tmp_path).save(Secret("sk-kept", host=GATEWAY.host), store="file")
    (path,) = (tmp_path / "keys").iterdir()
    return path


@needs_second_user
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_another_user_owns_is_refused_and_said(what: str, kept: Path, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    assert store.find(GATEWAY)
    foreign = kept if what == "file" else kept.parent
    os.chown(foreign, NOBODY, NOBODY)
    for each in (store, KeyStore(tmp_path)):
        if what == "folder" and each is store:
            continue  # the file itself has not changed
        assert each.find(GATEWAY) is None
        assert "belongs to another user" in each.refusal(GATEWAY)
        assert kept.name in each.refusal(GATEWAY)
    session = Session(base_url=GATEWAY.base_url, data_dir=tmp_path)
    with pytest.raises(NotSignedInError, match="belongs to another user"):
        session.bridge.run(session.account.key())
    assert "belongs to another user" in session.status()["note"]
    place = KeyStore(tmp_path).save(Secret("sk-new", host=GATEWAY.host))
    assert place.kind == ("file" if what == "file" else "memory")
    if what == "file":
        assert kept.stat().st_uid == os.geteuid()
        assert KeyStore(tmp_path).find(GATEWAY)


@needs_second_user
def test_what_a_real_second_user_plants_is_not_used(tmp_path: Path) -> None:
    from tests.security.second_user import as_second_user

    folder = Path("/tmp") / f"planted-{os.getpid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    try:
        name = KeyStore(folder)._path(GATEWAY.host).name
        made = as_second_user(["sh", "-c", f"mkdir {folder}/keys && cat > '{folder}/keys/{name}'"], said="sk-planted")
        assert made.returncode == 0
        store = KeyStore(folder)
        assert store.find(GATEWAY) is None
        assert "another user" in store.refusal(GATEWAY)
        assert store.save(Secret("sk-mine", host=GATEWAY.host)).kind == "memory"
    finally:
        as_second_user(["rm", "-rf", f"{folder}/keys"])
        folder.rmdir()


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o666, 0o604, 0o777])
def test_a_mode_that_lets_others_in_is_mended_and_said(mode: int, kept: Path, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    assert store.find(GATEWAY)
    kept.chmod(mode)
    for each in (store, KeyStore(tmp_path)):
        kept.chmod(mode)
        found = each.find(GATEWAY)
        assert found is not None
        assert f"it was open to others, mode {mode:04o}; it is closed now" in str(found.place)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@posix_only
def test_a_folder_that_lets_others_in_is_mended_and_said(kept: Path, tmp_path: Path) -> None:
    kept.parent.chmod(0o777)
    found = KeyStore(tmp_path).find(GATEWAY)
    assert found is not None
    assert "its folder was open to others, mode 0777; it is closed now" in str(found.place)
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@posix_only
def test_a_link_is_said(kept: Path, tmp_path: Path) -> None:
    target = kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(target)
    store = KeyStore(tmp_path)
    assert store.find(GATEWAY) is None
    assert store.refusal(GATEWAY)


@posix_only
def test_a_second_name_of_the_file_is_said_when_the_first_is_removed(kept: Path, tmp_path: Path) -> None:
    os.link(kept, tmp_path / "backup")
    store = KeyStore(tmp_path)
    assert store.find(GATEWAY)
    (place,) = store.forget(GATEWAY)
    assert "hard link" in str(place)


# --- what a kill leaves --------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.secret import Secret
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # between the writing and the renaming
KeyStore(Path(sys.argv[1])).save(Secret("sk-left", host="gateway.example"), store="file")
"""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a save leaves that is killed."""
    root = Path(__file__).parents[2]
    run = [sys.executable, "-c", KILLED, str(tmp_path)]
    assert subprocess.run(run, env={**os.environ, "PYTHONPATH": str(root)}, timeout=120, check=False).returncode < 0
    (path,) = (tmp_path / "keys").iterdir()
    assert path.name.endswith(".new")
    return path


@posix_only
def test_forgetting_removes_it(left: Path, tmp_path: Path) -> None:
    mine = left.parent / ".notes.new"
    mine.write_text("no name of ours")
    KeyStore(tmp_path).forget(GATEWAY)
    assert list(left.parent.iterdir()) == [mine]


@posix_only
def test_the_next_save_removes_it_when_it_is_old(left: Path, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.save(Secret("sk-new", host=GATEWAY.host), store="file")
    assert left.exists()  # another kernel may be at it
    os.utime(left, (0, 0))
    store.save(Secret("sk-new", host=GATEWAY.host), store="file")
    assert not left.exists()


@posix_only
def test_a_save_bears_a_sign_out_that_takes_its_file_for_a_left_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KeyStore(tmp_path)
    rename, removed = Path.replace, []

    def meanwhile(self: Path, target: Path) -> Path:
        if not removed:
            removed.append(self)
            KeyStore(tmp_path).forget(GATEWAY)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    assert store.save(Secret("sk-new", host=GATEWAY.host), store="file").kind == "file"
    assert removed
    assert KeyStore(tmp_path).find(GATEWAY)


# --- the scheme ----------------------------------------------------------------------------------------------

SCOPES = {
    "https://gateway.example/v1": "gateway.example",
    "https://gateway.example:443/v1": "gateway.example",
    "https://GATEWAY.example:8443": "gateway.example:8443",
    "http://gateway.example": "http://gateway.example",
    "http://gateway.example:80/v1": "http://gateway.example",
    "http://gateway.example:443/v1": "http://gateway.example:443",
    "https://gateway.example:80/v1": "gateway.example:80",
    "http://127.0.0.1:8080": "127.0.0.1:8080",
    "https://127.0.0.1:8080": "https://127.0.0.1:8080",
    "http://[::1]:8080": "[::1]:8080",
    "localhost": "localhost",
}


@pytest.mark.parametrize("address", SCOPES)
def test_scheme_host_and_port_are_what_a_key_is_bound_to(address: str) -> None:
    assert Endpoints.of(address, allow_http=True).host == SCOPES[address]


class Interrupted(KeyStore):
    """Something happens on another thread after the file was read, and before that is made use of."""

    meanwhile: Callable[[], object] | None = None

    def _from_file(self, *arguments: Any) -> Any:
        found = super()._from_file(*arguments)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


def test_a_key_that_is_given_while_the_file_is_read_is_not_lost(tmp_path: Path) -> None:
    keys, elsewhere = Interrupted(tmp_path), KeyStore(tmp_path)
    for store in ("memory", "file"):
        elsewhere.save(Secret("sk-first", host=GATEWAY.host), store="file")
        keys.forget(GATEWAY)
        elsewhere.save(Secret("sk-second", host=GATEWAY.host), store="file")
        assert keys.find(GATEWAY)
        elsewhere.save(Secret("sk-third-one", host=GATEWAY.host), store="file")  # so that it is read again
        given = Secret("sk-given", host=GATEWAY.host)
        keys.meanwhile = lambda given=given, store=store: keys.save(given, store=store)
        keys.find(GATEWAY)
        found = keys.find(GATEWAY)
        assert found is not None, store
        assert (found.secret, found.place.kind) == (given, store)


def test_a_sign_out_while_the_file_is_read_stays_one(tmp_path: Path) -> None:
    keys, elsewhere = Interrupted(tmp_path), KeyStore(tmp_path)
    elsewhere.save(Secret("sk-first", host=GATEWAY.host), store="file")
    assert keys.find(GATEWAY)
    elsewhere.save(Secret("sk-second", host=GATEWAY.host), store="file")
    keys.meanwhile = lambda: keys.forget(GATEWAY)
    keys.find(GATEWAY)
    assert keys.find(GATEWAY) is None


def test_many_threads_that_are_refused_at_once_raise_nothing_foreign(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path)
    raised: list[Exception] = []
    over = threading.Event()

    def until_over(work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                while not over.is_set():
                    work()
            except Exception as error:  # noqa: BLE001 - whatever it is
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def save_and_forget() -> None:
        for _ in range(50):
            keys.save(Secret("sk-kept", host=GATEWAY.host), store="memory")
        keys.forget(GATEWAY)

    refused = Secret("sk-none-of-ours", host=GATEWAY.host)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        working = [until_over(lambda: keys.after_refusal(GATEWAY, refused)) for _ in range(2)]
        working.append(until_over(save_and_forget))
        over.wait(1.0)
        over.set()
        for thread in working:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert raised == []


@pytest.mark.parametrize("store", ["file", "keyring", "memory"])
def test_a_key_for_https_is_not_sent_over_plain_http(store: str, tmp_path: Path, backend: Faithful) -> None:
    plain = Endpoints.of("http://gateway.example/v1", allow_http=True)
    keys = KeyStore(tmp_path)
    keys.save(Secret("sk-https", host=GATEWAY.host), store=store)
    assert keys.find(GATEWAY)
    assert keys.find(plain) is None
    assert keys.forget(plain) == ()
    session = Session(base_url=GATEWAY.base_url, key="sk-https", data_dir=tmp_path)
    session.connect("http://gateway.example/v1", allow_http=True)
    with pytest.raises(NotSignedInError):
        session.ask("hello", model="m")


def test_the_environments_key_is_bound_to_the_scheme_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", "sk-from-environment")
    monkeypatch.setenv("TETRATE_BASE_URL", "https://gateway.example:443")
    store = KeyStore(tmp_path)
    assert store.find(GATEWAY)
    assert store.find(Endpoints.of("http://gateway.example/v1", allow_http=True)) is None


def test_a_key_that_was_kept_by_an_earlier_version_is_found(tmp_path: Path, backend: Faithful) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    with_port = Endpoints.of("https://gateway.example:443/v1")
    for name in ("gateway.example.key", "gateway.example%3A443.key", "127.0.0.1%3A8080.key"):
        (folder / name).write_text("sk-" + name[:9])
        (folder / name).chmod(0o600)
    assert KeyStore(tmp_path).find(GATEWAY)
    assert KeyStore(tmp_path).find(Endpoints.of("http://127.0.0.1:8080"))
    (folder / "gateway.example.key").unlink()
    assert KeyStore(tmp_path).find(GATEWAY) is None
    store = KeyStore(tmp_path)
    assert store.find(with_port)
    assert [place.kind for place in store.forget(with_port)] == ["file"]
    assert store.find(with_port) is None
    assert KeyStore(tmp_path).find(with_port) is None


def test_nothing_of_this_shows_a_key(router: SandboxRouter, new_session: Callable[[], Session]) -> None:
    a, b = new_session(), new_session()
    key = router.issue_key()
    a.login(key=key, store="file")
    assert b.ask("hello")
    router.revoke_key(key)
    with pytest.raises(TetrateError) as caught:
        b.ask("hello")
    shown = [str(caught.value), repr(b), repr(b.account), repr(vars(b.account)), repr(vars(b.account._store))]
    assert key not in "".join(shown)
