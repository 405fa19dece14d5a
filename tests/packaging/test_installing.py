"""What pip's configuration says reaches uv, which doesn't read it; what was told to uv itself stays."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.packaging import installing

pytestmark = pytest.mark.once  # what is tested is run by the main Python alone

NEEDS_PIP = pytest.mark.skipif(find_spec("pip") is None, reason="this environment was made without pip")

LISTED = """\
:env:.extra-index-url='https://third.example/simple'
:env:.timeout='7'
global.cert='/etc/ssl/own.pem'
global.extra-index-url='https://one.example/simple https://two.example/simple'
global.find-links='/wheels /more'
global.index-url='https://global.example/simple'
global.trusted-host='one.example\\ntwo.example'
install.index-url='https://u:p@install.example/simple'
list.format='columns'
"""


def test_a_variable_beats_a_command_beats_the_global_section() -> None:
    options = installing.read_config(LISTED)
    assert options["extra-index-url"] == "https://third.example/simple"
    assert options["index-url"] == "https://u:p@install.example/simple"
    assert "format" not in options


def test_each_option_has_its_variable() -> None:
    assert installing.translated(installing.read_config(LISTED)) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://u:p@install.example/simple",
        "UV_EXTRA_INDEX_URL": "https://third.example/simple",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "one.example two.example",
        "UV_HTTP_TIMEOUT": "7",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
    }


@NEEDS_PIP
def test_pip_itself_is_asked_and_what_uv_was_told_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pips.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/from-pip")
    monkeypatch.setenv("UV_FIND_LINKS", "/from-uv")
    variables = installing.uv_environment.__wrapped__()
    assert variables["UV_DEFAULT_INDEX"] == "https://pips.example/simple"
    assert variables["UV_FIND_LINKS"] == "/from-uv"


def test_no_secret_is_in_what_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:hidden@pips.example/simple")
    monkeypatch.setattr(installing, "has_uv", lambda: True)
    assert "hidden" not in " ".join(installing.command(installing.Path(sys.executable), ["x"]))


def test_the_lowest_versions_need_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "has_uv", lambda: False)
    with pytest.raises(SystemExit, match=r"only uv .* pip install uv"):
        installing.command(installing.Path(sys.executable), ["x"], lowest=True)


@NEEDS_PIP
def test_without_uv_pip_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "has_uv", lambda: False)
    done = installing.command(installing.Path("/other/python"), ["-e", "."])
    assert done[1:3] == ["-m", "pip"]
    assert done[-6:] == ["--python", "/other/python", "install", "--quiet", "-e", "."]
    known = subprocess.run([*done[:3], "--help"], capture_output=True, text=True, check=True).stdout
    assert "--python" in known  # an option of pip since 22.3
