"""Why a connection failed, in a sentence, and what to do about it; pure.

The HTTP library wraps the operating system's error several times. The sentence follows the kinds of error in that
chain, never their text, which may contain a header.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tetrate_jupyter.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.http.surroundings import Proxy

MAX_DEPTH: Final = 20  # errors looked at; a longer chain of causes is a cycle
_CHECK_PROXY: Final = "check {variable} (and the user and password in it), restart the kernel, then try again"
_ANOTHER_WAY: Final = (
    "check {variable}, or add {host} to NO_PROXY if it is reached without a proxy; restart the kernel, then try again"
)
_CHECK_CERTIFICATE: Final = (
    "behind a company proxy, set SSL_CERT_FILE to the company's certificate file and restart the kernel; "
    "otherwise check this machine's clock and the base URL {url}"
)
_CHECK_NETWORK: Final = "check the network and the base URL {url}, then try again"


def explain(
    failure: BaseException, host: str, url: str, proxy: Proxy | None = None, *, refused: bool = False
) -> tuple[str, str]:
    """Return (what happened, what to do next) for a connection that failed.

    `proxy` is what stands between, if anything: where it is what can't be reached, it is what is named. `refused`: it
    said itself that it makes no connection.
    """
    if refused:
        named, variable = (f" {proxy.host}", proxy.variable) if proxy else ("", "HTTPS_PROXY")
        what = f"The proxy{named} between here and {host} refused the connection."
        return what, _CHECK_PROXY.format(variable=variable)
    if proxy is None:
        return _explained(failure, host, url)
    for cause in causes(failure):
        if isinstance(cause, (socket.gaierror, ConnectionRefusedError)):  # only the proxy itself is looked up from here
            what, _ = _explained(cause, proxy.host, url)
            step = _ANOTHER_WAY.format(variable=proxy.variable, host=urlsplit(url).hostname)
            return f"The proxy on the way to {host} can't be reached. {what}", step
    what, step = _explained(failure, host, url)
    return what, f"{step}; the way there is the proxy {proxy.host} ({proxy.variable})"


def _explained(failure: BaseException, host: str, url: str) -> tuple[str, str]:
    for kind, what, step in _KINDS:
        for cause in causes(failure):
            if isinstance(cause, ssl.SSLCertVerificationError) and getattr(cause, "verify_code", 0) in _STRICT:
                return f"The certificate of {host} can't be trusted from here.", _STRICT_STEP.format(
                    reason=one_line(str(cause.verify_message), 100)
                )
            if isinstance(cause, kind):
                return what.format(host=host), step.format(url=url)
    return f"The connection to {host} failed or was dropped.", _CHECK_NETWORK.format(url=url)


def is_no_http(failure: BaseException) -> bool:
    """Whether what arrived breaks HTTP's own rules; that nothing more arrived is something else."""
    said = [str(cause) for cause in causes(failure) if type(cause).__module__.partition(".")[0] == "h11"]
    return bool(said) and not any(text.startswith("peer ") for text in said)


def causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield an error, its causes and contexts, and the members of groups, outermost first."""
    waiting: list[BaseException] = [failure]
    for _ in range(MAX_DEPTH):
        if not waiting:
            return
        current = waiting.pop(0)
        yield current
        waiting += [c for c in (current.__cause__, current.__context__) if c is not None]
        waiting += [c for c in getattr(current, "exceptions", ()) if isinstance(c, BaseException)]


# OpenSSL's codes for what only a strict check refuses, which is Python 3.13's default.
_STRICT: Final = range(79, 96)
_STRICT_STEP: Final = (
    "Python 3.13 checks certificates more strictly, and the company's certificate doesn't pass ({reason}): "
    "ask for a new one, or use Python 3.12"
)


_KINDS: Final[tuple[tuple[type[BaseException], str, str], ...]] = (
    (
        ssl.SSLCertVerificationError,
        "The certificate of {host} can't be trusted from here.",
        _CHECK_CERTIFICATE,
    ),
    (
        ssl.SSLError,
        "No encrypted connection to {host} could be made.",
        "check that the base URL {url} is right (https where the server speaks https)",
    ),
    (
        socket.gaierror,
        "The host name {host} can't be found.",
        "check the network, and the spelling of the base URL {url}",
    ),
    (
        ConnectionRefusedError,
        "Nothing answers at {host}: the connection was refused.",
        "check that the base URL {url} is right and, if it is on this machine, that the server is running",
    ),
    (
        ConnectionResetError,
        "{host} dropped the connection.",
        "try again; if it happens every time, a proxy or firewall may stand between",
    ),
    (
        TimeoutError,
        "{host} doesn't answer.",
        _CHECK_NETWORK,
    ),
)
