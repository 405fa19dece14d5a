"""Proxies and certificates of this environment, read here so that what can't be used names itself."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import ssl
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
# What building a client raises for a proxy address or certificate file that can't be used.
SETTINGS_ERRORS: Final = (ImportError, ValueError, FileNotFoundError, PermissionError, IsADirectoryError)


def unusable(host: str) -> ConfigError:
    """Return the error for surroundings of which nobody knows what is wrong with them."""
    return ConfigError(
        f"No connection to {host} can be made with this environment's addresses, proxies and certificates.",
        next_step="check TETRATE_BASE_URL, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE; "
        "a socks proxy needs: pip install socksio",
    )


def certificates(urls: tuple[str, ...], usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return what certificates are checked with: `SSL_CERT_FILE` or `SSL_CERT_DIR`, else what `usual` gives.

    Where every address is plain http on this machine none is loaded, since none is checked. Raises `ConfigError` that
    names the variable whose file is missing or holds no certificate.
    """
    if all(urlsplit(url).scheme == "http" for url in urls):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, kind in (("SSL_CERT_FILE", "cafile"), ("SSL_CERT_DIR", "capath")):
        value = os.environ.get(name)
        if not value:
            continue
        problem = "isn't there" if not os.path.exists(value) else "can't be read as certificates"  # noqa: PTH110 - no Path of a foreign text
        with contextlib.suppress(OSError, ValueError):  # ssl's errors are OSErrors
            return ssl.create_default_context(**{kind: value})  # type: ignore[arg-type]  # one of two names of a path
        raise ConfigError(
            f"{name} names {value!r}, which {problem}.",
            next_step=f"set {name} to a file of certificates (PEM), or unset it; then restart the kernel",
        )
    return usual()


def proxy_for(url: str) -> str | None:
    """Return the proxy for an address, None for none: never for this machine, nor for what `NO_PROXY` names.

    "socks://" means socks5 here, as desktops write it. Raises `ConfigError` for a proxy of another kind.
    """
    split = urlsplit(url)
    if config.scope_is_loopback(config.scope_of(url)):
        return None
    proxies = getproxies()
    given = proxies.get(split.scheme) or proxies.get("all")
    if not given or _is_excepted(split, proxies.get("no", "")):
        return None
    proxy = urlsplit(given if "://" in given else f"http://{given}")
    if proxy.scheme == "socks":
        proxy = proxy._replace(scheme="socks5")
    name = f"{split.scheme.upper()}_PROXY" if proxies.get(split.scheme) else "ALL_PROXY"
    if proxy.scheme not in _USABLE:
        raise ConfigError(
            f"{name} is a proxy of the kind {proxy.scheme}://, which can't be used.",
            next_step=f"set {name} to http://HOST:PORT or socks5://HOST:PORT, then restart the kernel",
        )
    if proxy.scheme.startswith("socks"):
        _check_socks(name)
    return urlunsplit(proxy)


def _check_socks(name: str) -> None:
    from importlib.util import find_spec

    if find_spec("socksio") is None:
        raise ConfigError(
            f"{name} is a socks proxy, for which socksio isn't installed.",
            next_step=f"%pip install socksio and restart the kernel; or set {name} to an http:// proxy",
        )


def _is_excepted(split: SplitResult, exceptions: str) -> bool:
    """Whether `NO_PROXY` names this address: by name, ending, IPv4, IPv6 (also in brackets) or CIDR, also with port."""
    host, port = (split.hostname or "").lower().rstrip("."), split.port or _PORTS.get(split.scheme)
    for entry in exceptions.replace(",", " ").split():
        if entry == "*":
            return True
        name, its_port = _parted(entry.rpartition("://")[2].lower())
        if its_port not in {None, port}:
            continue
        bare = name.removeprefix("*").strip(".")
        if bare and (host == bare or host.endswith(f".{bare}")):
            return True
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                return True
    return False


def _parted(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, port = entry.partition(":")
    else:
        name, port = entry, ""
    return name, int(port) if port.isascii() and port.isdigit() else None
