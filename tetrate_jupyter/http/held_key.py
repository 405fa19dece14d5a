"""The key of one call: bound to its router, never in a body or message, and replaceable after a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tetrate_jupyter import errors, secrecy
from tetrate_jupyter.http.exchange import is_sendable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tetrate_jupyter.http.faults import RequestContext
    from tetrate_jupyter.secret import Secret

AfterRefusal: TypeAlias = "Callable[[Secret], Awaitable[Secret | None]]"


class HeldKey:
    """A key for the duration of one call."""

    def __init__(self, key: Secret) -> None:
        self.key = key
        self._before: list[Secret] = []  # kept alive, so that the gate knows them until the call is over

    def checked(self, host: str, asked: RequestContext) -> HeldKey:
        """Return `self` if the key can be sent to `host`. Raises `KeyHostError` or `InvalidKeyError`."""
        if self.key.host != host:
            raise errors.KeyHostError(
                f"This key was made for {self.key.host}, not for {host}; it was not sent.",
                next_step=errors.NextStep(
                    "sign in to this gateway with %tetrate_login, or set TETRATE_BASE_URL back",
                    in_panel="sign in to it here, or set TETRATE_BASE_URL back",
                ),
            )
        if not is_sendable(self.key.reveal()):
            raise errors.InvalidKeyError(
                f"The key for {asked.host} holds spaces, line breaks or characters that no key has; it was not sent.",
                next_step=asked.sign_in.within(after=", or copy the key again"),
            )
        return self

    def takes(self, other: Secret, content: bytes) -> bool:
        """Switch to another key, unless it is for another host or in the body; return whether it was switched."""
        unfit = other.host != self.key.host or not is_sendable(other.reveal())
        if unfit or secrecy.holds(content):
            return False
        self._before.append(self.key)
        self.key = other
        return True
