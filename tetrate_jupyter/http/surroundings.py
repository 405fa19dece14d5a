"""The environment's proxies, certificates and keys, read here so that an error can name the variable at fault."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import ssl
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies

from tetrate_jupyter import config
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

_PORTS: Final = {"http": 80, "https": 443}
_USABLE: Final = frozenset({"http", "https", "socks5", "socks5h"})
# What creating a client raises for an unusable proxy address or certificate file.
SETTINGS_ERRORS: Final = (ImportError, ValueError, FileNotFoundError, PermissionError, IsADirectoryError)


def key_variable() -> str:
    """Return the name of the first variable that holds a key, or ""."""
    return next((name for name in config.KEY_VARIABLES if os.environ.get(name, "").strip()), "")


def unusable(host: str) -> ConfigError:
    """Return the error for an environment that can't be used for a reason that isn't known."""
    return ConfigError(
        f"The settings of this environment (addresses, proxies, certificates) allow no connection to {host}.",
        next_step="check TETRATE_BASE_URL, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE; "
        "a socks proxy needs: pip install socksio",
    )


def certificates(urls: tuple[str, ...], usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return the SSL context that trusts `SSL_CERT_FILE` or `SSL_CERT_DIR`, else what `usual` returns.

    Where every address is plain http, none is loaded, since none is checked. Raises `ConfigError`, which names the
    variable whose file is missing or holds no certificate.
    """
    if all(urlsplit(url).scheme == "http" for url in urls):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _check_key_log()
    for name, kind in (("SSL_CERT_FILE", "cafile"), ("SSL_CERT_DIR", "capath")):
        value = os.environ.get(name, "").strip(config.WRAPPING)
        if not value:
            continue
        problem = "isn't there" if not os.path.exists(value) else "can't be read as certificates"  # noqa: PTH110 - no Path of a foreign text
        with contextlib.suppress(OSError, ValueError):  # ssl's errors are OSErrors
            if kind == "capath":
                os.listdir(value)  # noqa: PTH208 - as above; ssl accepts a missing one, and then trusts nothing
            return ssl.create_default_context(**{kind: value})  # type: ignore[arg-type]  # one of two names of a path
        raise ConfigError(
            f"{name} names {value!r}, which {problem}.",
            next_step=f"set {name} to a {'file' if kind == 'cafile' else 'folder'} of certificates (PEM), or unset it; "
            "then restart the kernel",
        )
    return usual()


def _check_key_log() -> None:
    value = os.environ.get("SSLKEYLOGFILE")
    if not value:
        return
    try:
        with open(value, "ab"):  # noqa: PTH123 - no Path of a foreign text
            return
    except (OSError, ValueError):
        raise ConfigError(
            f"SSLKEYLOGFILE names {value!r}, which can't be written.",
            next_step="set it to a file that you can write, or unset it; then restart the kernel",
        ) from None


@dataclass(frozen=True)
class Proxy:
    """A proxy that stands between: its host and port, without user and password, and the variable that names it."""

    host: str
    variable: str


def proxy_for(url: str) -> str | None:
    """Return the proxy for an address, or None: none is used for this machine, nor for what `NO_PROXY` names.

    "socks://", as desktops write it, means socks5. Raises `ConfigError` for a proxy that isn't supported.
    """
    named = _named(url)
    if named is None:
        return None
    given, name = named
    proxy = _address(given, name)
    if proxy.scheme == "socks":
        proxy = proxy._replace(scheme="socks5")
    if proxy.scheme not in _USABLE:
        raise ConfigError(
            f"{name} names a {proxy.scheme}:// proxy, which isn't supported.",
            next_step=f"set {name} to http://HOST:PORT or socks5://HOST:PORT, then restart the kernel",
        )
    if proxy.scheme.startswith("socks"):
        _check_socks(name)
    return urlunsplit(proxy)


def proxy_between(url: str) -> Proxy | None:
    """Return the proxy through which an address is reached, None for none and for one that can't be used."""
    named = _named(url)
    with contextlib.suppress(ConfigError):
        if named is not None:
            return Proxy(_address(*named).netloc.rpartition("@")[2], named[1])
    return None


def _named(url: str) -> tuple[str, str] | None:
    """Return (what is given as the proxy for an address, the variable that gives it)."""
    split = urlsplit(url)
    if config.scope_is_loopback(config.scope_of(url)):
        return None
    proxies = {name: value.strip(config.WRAPPING) for name, value in getproxies().items()}
    given = proxies.get(split.scheme) or proxies.get("all")
    if not given or _is_excepted(split, proxies.get("no", "")):
        return None
    return given, f"{split.scheme.upper()}_PROXY" if proxies.get(split.scheme) else "ALL_PROXY"


def _address(given: str, name: str) -> SplitResult:
    """Return a proxy's address, split; an invalid one isn't quoted in the error, since it may hold a password."""
    with contextlib.suppress(ValueError):
        proxy = urlsplit(given if "://" in given else f"http://{given}")
        if proxy.hostname and (proxy.port is None or proxy.port):
            return proxy
    raise ConfigError(
        f"{name} doesn't hold a proxy's address.",
        next_step=f"set {name} to http://HOST:PORT, or unset it; then restart the kernel",
    )


def _check_socks(name: str) -> None:
    from importlib.util import find_spec

    if find_spec("socksio") is None:
        raise ConfigError(
            f"{name} is a socks proxy, for which socksio isn't installed.",
            next_step=f"%pip install socksio and restart the kernel; or set {name} to an http:// proxy",
        )


def _is_excepted(split: SplitResult, exceptions: str) -> bool:
    """Whether `NO_PROXY` names this address: by host, domain, IP address or CIDR, perhaps with brackets or a port."""
    host, port = (split.hostname or "").lower().rstrip("."), split.port or _PORTS.get(split.scheme)
    for entry in exceptions.replace(",", " ").replace(";", " ").split():
        if entry == "*":
            return True
        name, its_port = _parted(entry.rpartition("://")[2].lower())
        if its_port not in {None, port}:
            continue
        bare = name.removeprefix("*").strip(".")
        if bare and (host == bare or host.endswith(f".{bare}") or ("*" in bare and fnmatchcase(host, bare))):
            return True
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                return True
    return False


def _parted(entry: str) -> tuple[str, int | None]:
    entry, _, rest = entry.partition("/")
    width = rest.partition(":")[0]
    if width.isascii() and width.replace(".", "").isdigit():  # a network; anything else is the path of an address
        return f"{entry.strip('[]')}/{width}", _port(rest.partition(":")[2])
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, port = entry.partition(":")
    else:
        name, port = entry, ""
    return name, _port(port)


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
