"""Proxies and certificates: what can't be used names itself, and nothing stops plain http to this machine."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import config, errors
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.http.surroundings import Proxy, certificates, proxy_between, proxy_for
from tetrate_jupyter.keys.places import variable
from tetrate_jupyter.secret import Secret

from .conftest import DONE, RawRouter, read, text_event

if TYPE_CHECKING:
    from pathlib import Path

PROXY = "http://proxy.example:3128"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "setting",
    [
        {"ALL_PROXY": "socks://127.0.0.1:9", "NO_PROXY": "[::1]:8080,fe80::/10"},
        {"HTTP_PROXY": "nonsense://x", "HTTPS_PROXY": "http://127.0.0.1:9"},
        {"SSL_CERT_FILE": "/no/such/file.pem"},
        {"SSL_CERT_DIR": "/no/such/dir", "HTTP_PROXY": "http://127.0.0.1:9"},
    ],
)
async def test_nothing_stops_plain_http_to_this_machine(
    router: RawRouter, setting: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    client = GatewayClient(router.endpoints)
    router.will_stream(text_event("Hi."), DONE)
    assert await read(client, router.key)
    await client.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("content", [None, "", "no certificate"])
async def test_a_certificate_file_names_itself(
    tmp_path: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "company.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    client = GatewayClient(Endpoints.of("https://127.0.0.1:1/v1"))
    with pytest.raises(errors.ConfigError) as caught:
        await client.models(Secret("sk-some-key-0123456789", host=client.endpoints.host))
    assert "SSL_CERT_FILE" in caught.value.message
    assert "company.pem" in caught.value.message


@pytest.mark.parametrize(
    ("url", "exceptions", "expected"),
    [
        ("https://gateway.example/v1", "", PROXY),
        ("https://gateway.example/v1", "other.example", PROXY),
        ("https://gateway.example/v1", "gateway.example", None),
        ("https://gateway.example/v1", "example", None),
        ("https://gateway.example/v1", ".example", None),
        ("https://notexample/v1", "example", PROXY),
        ("https://gateway.example/v1", "*", None),
        ("https://gateway.example:8443/v1", "gateway.example:8443", None),
        ("https://gateway.example/v1", "gateway.example:8443", PROXY),
        ("https://gateway.example/v1", "gateway.example:443", None),
        ("https://10.1.2.3/v1", "10.0.0.0/8", None),
        ("https://11.1.2.3/v1", "10.0.0.0/8, 192.168.1.1", PROXY),
        ("https://[fd00::7]/v1", "fd00::/8", None),
        ("https://[fd00::7]/v1", "[fd00::7]", None),
        ("https://[fd00::7]:8443/v1", "[fd00::7]:8443", None),
        ("https://[fe80::7]/v1", "fd00::/8,[::1]:80,::1", PROXY),
        ("https://127.0.0.1/v1", "", None),
        ("https://[fd00::7]/v1", "[fd00::]/8", None),
        ("https://10.1.2.3/v1", "10.0.0.0/255.0.0.0", None),
        ("https://10.1.2.3/v1", "10.0.0.0/8:443", None),
        ("https://10.1.2.3/v1", "10.0.0.0/8:444", PROXY),
        ("https://10.1.2.3/v1", "10.*", None),
        ("https://10.1.2.3/v1", "10.1.*.*", None),
        ("https://110.1.2.3/v1", "10.*", PROXY),
        ("https://gateway.example/v1", "https://gateway.example/", None),
        ("https://gateway.example/v1", "https://gateway.example:443/path", None),
        ("https://gateway.example/v1", "other.example;gateway.example", None),
        ("https://gateway.example/v1", "gate*.example", None),
        ("https://gateway.example/v1", "/", PROXY),
        ("https://gateway.example/v1", "gateway.example:\u0664\u0664\u0663", None),  # no port: other digits
        ("https://gateway.example/v1", "gateway.example:\u00b2, other.example", None),
        ("https://10.1.2.3/v1", "10.1.2.3/\u00b2", None),  # a path, no network
    ],
)
def test_no_proxy(url: str, exceptions: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exceptions)
    monkeypatch.delenv("no_proxy", raising=False)
    assert proxy_for(url) == expected


@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", "https://proxy.example", "HTTPS://proxy.example:1/"])
def test_a_proxy_may_be_spoken_to_in_either_way(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert str(proxy_for("https://gateway.example/v1")).lower() == proxy.lower()


def test_plain_http_has_a_proxy_and_a_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert proxy_for("http://gateway.example/v1") == PROXY
    assert proxy_for("https://gateway.example/v1") is None
    monkeypatch.setenv("NO_PROXY", "gateway.example:80")
    assert proxy_for("http://gateway.example/v1") is None
    monkeypatch.setenv("NO_PROXY", "gateway.example:81")
    assert proxy_for("http://gateway.example/v1") == PROXY


def test_a_socks_proxy_names_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://user:secret@127.0.0.1:9")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(errors.ConfigError) as caught:
        proxy_for("https://gateway.example/v1")
    assert "%pip install socksio" in caught.value.next_step
    assert "secret" not in str(caught.value)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    assert proxy_for("https://gateway.example/v1") == "socks5://user:secret@127.0.0.1:9"
    monkeypatch.setenv("ALL_PROXY", "ftp://127.0.0.1:9")
    with pytest.raises(errors.ConfigError, match="ALL_PROXY"):
        proxy_for("https://gateway.example/v1")


def test_certificates_are_checked_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    usual = ssl.create_default_context()
    for urls in (("https://gateway.example/v1",), ("http://127.0.0.1:80", "https://gateway.example/v1")):
        assert certificates(urls, lambda: usual) is usual


@pytest.mark.parametrize(
    "text", ["sk-a-b", '"sk-a-b"', "'sk-a-b'", "sk-a-b\r\n", "sk-a-b\\n", '"sk-a-b\\r\\n"', " 'sk-a-b' \n"]
)
def test_quotes_and_line_ends_around_a_key_are_cut_off(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRATE_API_KEY", text)
    assert variable("TETRATE_API_KEY") == "sk-a-b"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://g.example/v1beta/openai/", "https://g.example/v1beta/openai"),
        ('"https://g.example/v1"\r\n', "https://g.example/v1"),
        (" 'https://g.example' ", "https://g.example/v1"),
        ('"=https://g.example/api"', "https://g.example/api"),
        ("https://g.example/inference", "https://g.example/inference"),
        ("https://g.example/a/b/compat", "https://g.example/a/b/compat"),
        ("https://g.example/api/v3", "https://g.example/api/v3"),
        ("https://g.example/api", "https://g.example/api/v1"),
        ("=https://g.example/api", "https://g.example/api"),
        ("=https://g.example/", "https://g.example"),
    ],
)
def test_a_base_url_that_is_whole_is_left_alone(given: str, expected: str) -> None:
    assert config.normalise_base_url(given) == expected


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["SSL_CERT_DIR", "SSLKEYLOGFILE"])
async def test_other_certificate_settings_name_themselves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(name, "/no/such/folder/x")
    client = GatewayClient(Endpoints.of("https://gateway.invalid/v1"))
    with pytest.raises(errors.ConfigError) as caught:
        await client.models(Secret("sk-some-key-0123456789", host=client.endpoints.host))
    assert name in caught.value.message
    assert "unset it" in caught.value.next_step


@pytest.mark.parametrize("given", ["http://[::1", "http://user:secret@", "http://user:secret@host:99999", "//"])
def test_a_proxy_that_is_no_address_names_its_variable(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", given)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(errors.ConfigError, match="HTTPS_PROXY doesn't hold") as caught:
        proxy_for("https://gateway.example/v1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("around", ["'{}'", '"{}"', " {}\r\n"])
def test_what_an_env_file_leaves_around_a_proxy_is_cut_off(around: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", around.format(PROXY))
    monkeypatch.setenv("NO_PROXY", around.format("other.example,inner.example"))
    assert proxy_for("https://gateway.example/v1") == PROXY
    assert proxy_for("https://other.example/v1") is None
    assert proxy_for("https://inner.example/v1") is None


def test_a_certificate_file_may_be_in_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", '"/no/such/file.pem"')
    with pytest.raises(errors.ConfigError, match=r"names '/no/such/file\.pem'"):
        certificates(("https://gateway.example/v1",), ssl.create_default_context)


def test_a_proxy_is_named_without_its_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.setenv("ALL_PROXY", "http://user:proxy-p@ssword@proxy.example:3128/")
    monkeypatch.setenv("NO_PROXY", "inner.example")
    assert proxy_between("https://gateway.example/v1") == Proxy("proxy.example:3128", "ALL_PROXY")
    assert proxy_between("https://inner.example/v1") is None
    assert proxy_between("http://localhost:8080/v1") is None
    monkeypatch.setenv("ALL_PROXY", "http://[broken")
    assert proxy_between("https://gateway.example/v1") is None
