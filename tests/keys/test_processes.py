"""Keyrings as a whole process meets them: chosen by name, hanging at its end, and a real Secret Service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.keys.conftest import FOR_EVER
from tests.keys.processes import environment, run

if TYPE_CHECKING:
    from pathlib import Path

SAVE_FIND_FORGET = """
store = KeyStore(data)
print(store.save(secret))
found = KeyStore(data).find(endpoints)
print(found.place.kind, found.secret == secret)
print(*[place.kind for place in KeyStore(data).forget(endpoints)])
print(KeyStore(data).find(endpoints))
"""
FOREIGN = "ignore:unclosed:ResourceWarning"  # keyring's way to the bus leaves its socket to the garbage collector
PLAIN_TEXT = """
from keyring.backend import KeyringBackend

class PlaintextKeyring(KeyringBackend):
    priority = 0.5

    def get_password(self, service, username):
        raise AssertionError("it was asked")

    set_password = delete_password = get_password
"""


@pytest.mark.parametrize("choice", ["by name", "by itself"])
def test_a_keyring_of_plain_text_files_is_not_trusted(tmp_path: Path, choice: str) -> None:
    """By itself: the `keyring` package chooses it silently wherever it is installed and nothing better is."""
    module = tmp_path / "path" / "keyrings" / "alt"
    module.mkdir(parents=True)
    (module / "file.py").write_text(PLAIN_TEXT, encoding="utf-8")
    env = environment(PYTHON_KEYRING_BACKEND="keyrings.alt.file.PlaintextKeyring", DBUS_SESSION_BUS_ADDRESS="none:")
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "path"), env["PYTHONPATH"]])
    script = SAVE_FIND_FORGET
    if choice == "by itself":
        if sys.platform != "linux":
            pytest.skip("the person's own keyring would be chosen here")
        del env["PYTHON_KEYRING_BACKEND"]
        script = "import keyrings.alt.file, keyring\nkeyring.get_keyring()\n" + script
    place, *rest = run(script, tmp_path / "data", env=env).splitlines()
    assert "a private file" in place
    assert "no keyring: keyrings.alt keeps plain or obfuscated text files" in place
    assert rest == ["file True", "file", "None"]


def test_a_keyring_that_hangs_does_not_keep_the_process_from_ending(tmp_path: Path) -> None:
    said = run(
        """
store = KeyStore(data, keyring=SystemKeyring(0.1))
print(store.save(secret).kind, store.find(endpoints).secret == secret)
""",
        tmp_path / "data",
        env=environment(PYTHON_KEYRING_BACKEND="tests.keys.backends.Hanging"),
    )
    assert said == "file True\n"


def secret_service(home: Path, *, unlocked: bool) -> tuple[tuple[str, ...], dict[str, str]]:
    """Give command and environment of a process with a session bus and GNOME's keyring of its own."""
    missing = [name for name in ("dbus-run-session", "gnome-keyring-daemon") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    pytest.importorskip("secretstorage", reason="keyring's way to the Secret Service is not installed")
    unlock = 'printf "password\\n" | gnome-keyring-daemon --unlock --components=secrets'
    lock = "gnome-keyring-daemon --start --components=secrets"
    begin = f'({unlock if unlocked else lock}) > /dev/null 2>&1 3>&-; exec "$@" 2>&3 3>&-'
    # what the bus itself says of its limits is no word of ours: only the process's own errors come through
    under = ("sh", "-c", 'exec 3>&2; exec dbus-run-session -- "$@" 2> /dev/null', "sh", "sh", "-c", begin, "sh")
    folders = {}
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        folders[name] = str(home / name.lower())
        (home / name.lower()).mkdir(mode=0o700, parents=True)
    env = environment(HOME=str(home), **folders)
    del env["PYTHON_KEYRING_BACKEND"]
    env.pop("DISPLAY", None)
    bare = ["dbus-run-session", "--", "true"]  # without the keyring's daemon, which outlives a bus that ends so soon
    probe = subprocess.run(bare, env=env, capture_output=True, text=True, timeout=FOR_EVER, check=False)
    if probe.returncode:
        pytest.skip(f"no session bus can be started here: {probe.stderr.strip()}")
    return under, env


def test_a_real_secret_service_keeps_the_key_and_forgets_it(tmp_path: Path) -> None:
    under, env = secret_service(tmp_path / "home", unlocked=True)
    place, *rest = run(SAVE_FIND_FORGET, tmp_path / "data", FOREIGN, under=under, env=env).splitlines()
    assert place.startswith("the system's keyring (SecretService")
    assert rest == ["keyring True", "keyring", "None"]
    assert not (tmp_path / "data").exists()


def test_a_key_in_a_real_secret_service_is_found_by_a_later_process(tmp_path: Path) -> None:
    under, env = secret_service(tmp_path / "home", unlocked=True)
    run("KeyStore(data).save(secret)", tmp_path / "data", FOREIGN, under=under, env=env)
    said = run(
        "print(KeyStore(data).find(endpoints).secret == secret)", tmp_path / "data", FOREIGN, under=under, env=env
    )
    assert said == "True\n"


def test_a_real_secret_service_that_is_locked_is_a_reason_for_the_file(tmp_path: Path) -> None:
    under, env = secret_service(tmp_path / "home", unlocked=False)
    script = "store = KeyStore(data)\nprint(store.save(secret))\nprint(*[p.kind for p in store.forget(endpoints)])"
    place, forgotten = run(script, tmp_path / "data", FOREIGN, under=under, env=env).splitlines()
    assert "a private file" in place
    assert "no keyring: " in place
    assert forgotten == "file"
