"""A refusal as the router sends it: status, headers, and a body in one of two shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """Ends a request with `status` and a JSON body.

    The body is `{"error": {message, code, type}}`, or the same members at the top level with `flat`; `extra` members
    are added beside the message. The service sends both shapes.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | int | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        flat: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self._members = {"message": message, "code": code, "type": kind, **(extra or {})}
        self._flat = flat

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return self._members if self._flat else {"error": self._members}


def bad_request(message: str, *, code: str = "bad_request", param: str | None = None) -> ApiError:
    """Return the 400 for a request that can't be used; `param` names the field at fault."""
    return ApiError(400, message, code=code, extra={"param": param} if param else None)
