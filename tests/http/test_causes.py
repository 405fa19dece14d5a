"""Why a connection failed, as a sentence: for each kind of error, however deep it is wrapped."""

from __future__ import annotations

import socket
import ssl
from itertools import pairwise

import pytest

from tetrate_jupyter.http.causes import causes, explain

HOST, URL = "r.example", "https://r.example/v1"
CERTIFICATE = (
    "The certificate of r.example can't be trusted from here.",
    (
        "behind a company proxy, set SSL_CERT_FILE to the company's certificate file and restart the kernel; "
        "otherwise check this machine's clock and the base URL https://r.example/v1"
    ),
)
NETWORK = "check the network and the base URL https://r.example/v1, then try again"
REFUSED = (
    "Nothing answers at r.example: the connection was refused.",
    "check that the base URL https://r.example/v1 is right and, if it is on this machine, that the server is running",
)


def certificate(code: int | None, message: str = "no key usage") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("refused")
    if code is not None:
        error.verify_code, error.verify_message = code, message
    return error


def chain(errors: list[BaseException]) -> BaseException:
    """Return the first, caused by the second, and so on."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    ("failure", "right"),
    [
        (certificate(None), CERTIFICATE),
        (certificate(20), CERTIFICATE),
        (certificate(78), CERTIFICATE),
        (certificate(96), CERTIFICATE),
        (
            ssl.SSLError("wrong version"),
            (
                "No encrypted connection to r.example could be made.",
                "check that the base URL https://r.example/v1 is right (https where the server speaks https)",
            ),
        ),
        (
            socket.gaierror(-2, "unknown"),
            (
                "The host name r.example can't be found.",
                "check the network, and the spelling of the base URL https://r.example/v1",
            ),
        ),
        (ConnectionRefusedError(), REFUSED),
        (
            ConnectionResetError(),
            (
                "r.example dropped the connection.",
                "try again; if it happens every time, a proxy or firewall may stand between",
            ),
        ),
        (TimeoutError(), ("r.example doesn't answer.", NETWORK)),
        (OSError(), ("The connection to r.example failed or was dropped.", NETWORK)),
    ],
)
def test_each_kind_has_its_sentence_and_step(failure: Exception, right: tuple[str, str]) -> None:
    assert explain(failure, HOST, URL) == right
    assert explain(chain([OSError(), failure]), HOST, URL) == right


@pytest.mark.parametrize("code", [79, 95])
def test_what_only_a_strict_check_refuses_says_so(code: int) -> None:
    what, step = explain(chain([OSError(), certificate(code, "no key\nusage")]), HOST, URL)
    assert what == CERTIFICATE[0]
    assert step == (
        "Python 3.13 checks certificates more strictly, and the company's certificate doesn't pass (no key usage): "
        "ask for a new one, or use Python 3.12"
    )
    _, long = explain(certificate(code, "y" * 500), HOST, URL)
    assert "(" + "y" * 99 + "…)" in long


def test_the_certificate_is_named_before_what_came_of_it() -> None:
    assert explain(chain([ConnectionResetError(), certificate(20)]), HOST, URL) == CERTIFICATE


def test_causes_contexts_and_members_of_groups_are_all_looked_at() -> None:
    outer, cause, context, member = OSError("o"), OSError("a"), OSError("x"), ConnectionRefusedError()
    outer.__cause__, outer.__context__ = cause, context
    outer.exceptions = (member, "no error")  # type: ignore[attr-defined]  # as a group of a backport has them
    assert list(causes(outer)) == [outer, cause, context, member]
    assert explain(outer, HOST, URL) == REFUSED


def test_a_circle_of_causes_ends_and_twenty_are_looked_at() -> None:
    one, other = OSError("1"), OSError("2")
    one.__cause__, other.__cause__ = other, one
    assert len(list(causes(one))) == 20
    assert explain(chain([*(OSError() for _ in range(19)), ConnectionRefusedError()]), HOST, URL) == REFUSED
    assert explain(chain([*(OSError() for _ in range(20)), ConnectionRefusedError()]), HOST, URL) != REFUSED
