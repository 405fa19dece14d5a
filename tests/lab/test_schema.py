"""The settings' schema, as a Jupyter server finds and checks it: the words a person reads, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tetrate_jupyter.lab.link import PROTOCOL
from tetrate_jupyter.secrecy import looks_secret

pytestmark = pytest.mark.once  # it reads the repository's files, with JupyterLab's server

LABEXTENSION = Path(__file__).parents[2] / "labextension"
NAME = "tetrate-jupyter"
PLUGIN = f"{NAME}:plugin"
KEY = "sk-somebody-elses-0123456789abcdef"
DEFAULTS = {
    "model": "", "baseUrl": "", "greeting": True, "enterSends": True, "errorButtons": True, "askButton": True,
    "statusItem": True,
}  # fmt: skip
REFUSED = [
    {"model": KEY},
    {"model": f"x {KEY}"},
    {"model": "sk-short"},
    {"model": "Bearer x"},
    {"model": f"TETRATE_API_KEY={KEY}"},
    {"model": f"line\n{KEY}"},
    {"model": "x" * 201},
    {"baseUrl": KEY},
    {"baseUrl": f"https://gateway.example/{KEY}/v1"},
    {"baseUrl": f"https://me:{KEY}@gateway.example"},
    {"baseUrl": "https://me:word@gateway.example"},
    {"baseUrl": "https://gateway.example/v1?key=1"},
    {"baseUrl": "https://gateway.example /v1"},
    {"statusItem": "no"},
    {"apiKey": "x"},
]
TAKEN = [
    {"model": "claude-haiku-4-5"},
    {"model": "unlisted:risk-model/task-12345678"},
    {"model": "deepinfra/Qwen/Qwen3.8-Flash"},
    {"baseUrl": "https://sk-learn.example:8443/v1"},
    {"baseUrl": "=http://127.0.0.1:8080/openai"},
    {"baseUrl": "", "model": "", "enterSends": False},
]


def found(folder: Path, overrides: dict[str, Any] | None = None, user: object = None) -> dict[str, Any]:
    """What a server answers to a page that asks for the settings; `user`: what is in the person's file."""
    from jupyterlab_server.settings_utils import get_settings

    kept = folder / "user" / NAME / "plugin.jupyterlab-settings"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(user or {}))
    (folder / "extensions").mkdir(exist_ok=True)
    if not (folder / "extensions" / NAME).exists():
        (folder / "extensions" / NAME).symlink_to(LABEXTENSION)
    answer, warnings = get_settings(
        str(folder / "app"), str(folder / "schemas"), str(folder / "user"), schema_name=PLUGIN,
        overrides=overrides or {}, labextensions_path=[str(folder / "extensions")],
    )  # fmt: skip
    return {**answer, "warning": warnings[0]}


def test_a_server_finds_it_with_these_defaults(tmp_path: Path) -> None:
    schema = found(tmp_path)["schema"]
    assert {name: each["default"] for name, each in schema["properties"].items()} == DEFAULTS
    assert schema["title"] == "Tetrate"
    assert all(each["title"] and each["description"].endswith(".") for each in schema["properties"].values())
    package = json.loads((LABEXTENSION / "package.json").read_text())
    assert (LABEXTENSION / package["jupyterlab"]["schemaDir"] / "plugin.json").is_file()


def test_an_administrator_overrides_the_defaults(tmp_path: Path) -> None:
    schema = found(tmp_path, {PLUGIN: {"model": "gpt-6-luna", "errorButtons": False}})["schema"]["properties"]
    assert (schema["model"]["default"], schema["errorButtons"]["default"]) == ("gpt-6-luna", False)


@pytest.mark.parametrize("user", REFUSED, ids=repr)
def test_what_is_no_setting_is_not_kept(tmp_path: Path, user: dict[str, Any]) -> None:
    answer = found(tmp_path, user=user)
    assert answer["settings"] == {}
    assert "Failed validating" in str(answer["warning"])


@pytest.mark.parametrize("user", TAKEN, ids=repr)
def test_what_is_one_is(tmp_path: Path, user: dict[str, Any]) -> None:
    assert found(tmp_path, user=user)["settings"] == user


@pytest.mark.parametrize(
    "text", [KEY, "sk-ABCDEFGH", "sk-1234567890", "a sk-abcdefgh-ijklmnopq", f"TETRATE_API_KEY={KEY}"]
)
def test_the_patterns_refuse_what_looks_like_a_key(tmp_path: Path, text: str) -> None:
    assert looks_secret(text)
    for name in ("model", "baseUrl"):
        assert not re.search(found(tmp_path)["schema"]["properties"][name]["pattern"], text)


def test_the_page_knows_each_setting_and_its_default() -> None:
    source = (LABEXTENSION / "static" / "settings.js").read_text(encoding="utf-8")
    (values,) = re.findall(r"this\.values = \{([^}]*)\};", source)
    assert json.loads("{" + re.sub(r"(\w+):", r'"\1":', values).rstrip().rstrip(",") + "}") == DEFAULTS
    assert f'const ID = "{PLUGIN}";' in source
    assert PROTOCOL == 1  # what is told beside it is a member of the same greeting, which an older kernel passes over
