"""Every error this package raises, in one tree.

TetrateError                         what happened, and what to type next
├── ConfigError                      a setting can't be used
│   └── BaseURLError                 ... the router's address
├── InputError                       the call itself is wrong; nothing was sent
│   ├── EmptyPromptError
│   ├── OptionError                  unknown option or unusable value of a magic
│   ├── UnknownModelError            no such model in this key's list; nearest ids offered
│   ├── AttachmentError              image or variable that can't be sent
│   ├── UnsupportedInputError        the model can't take it (an image for a text-only model)
│   ├── SecretInPromptError          the request would have carried the key
│   ├── CostLimitError               it could pass a budget or a comparison's max_cost; what could isn't asked
│   ├── ComparisonFileError          a saved comparison that can't be read
│   ├── SchemaDefinitionError        `schema=` isn't a usable schema
│   └── ToolDefinitionError          `tools=` holds something that can't be described
├── AuthError
│   ├── NotSignedInError
│   ├── KeyHostError                 the key was made for another gateway host; it was not sent
│   └── LoginError                   signing in did not end well; can be started again at once
│       ├── LoginDeniedError
│       ├── LoginTimeoutError
│       ├── LoginCancelledError      (also: replaced by a newer attempt)
│       ├── RedirectError            pasted text holds no usable code
│       ├── CodeRejectedError        wrong, used or expired code
│       └── ExchangeError            the router could not turn the code into a key
├── KeyStoreError                    a key could not be kept or removed
├── GatewayError                     the router was asked
│   ├── UnreachableError             no connection (name, refused, TLS, dropped before the answer)
│   ├── GatewayTimeoutError          too slow; `.phase` says where
│   ├── RequestRejectedError         400 and kin
│   │   └── ContextTooLongError      400/413 with "context length", or 413
│   ├── InvalidKeyError              401: wrong or revoked key
│   ├── CreditsExhaustedError        402
│   ├── ForbiddenError               403
│   │   └── WrongHostError           403: the key belongs to another gateway host
│   ├── NotFoundError                404: wrong base URL
│   │   ├── ModelUnavailableError    404/503: not in this key's catalog, no route, or still starting
│   │   └── UnsupportedEndpointError
│   ├── RateLimitError               429, worth another try
│   ├── BudgetExceededError          429 from a spend budget, not worth another try
│   ├── ProviderError                5xx and 529
│   ├── MalformedResponseError       not what the API promises (HTML, bad JSON, missing parts)
│   └── StreamError                  broken after it had begun; the text so far is kept
│       ├── StreamCutError           ended without its end mark
│       ├── StreamStalledError       no chunk for too long
│       └── AnswerTooLongError       longer than one answer may be; the request was closed
├── AnswerError                      an answer came, but not one that can be used; `.answer` has it
│   ├── ContentFilteredError
│   ├── RefusedError                 the model refused where a schema was given; `.refusal` has its words
│   ├── EmptyAnswerError             nothing came at all
│   ├── SchemaMismatchError
│   ├── ToolFailedError              a tool raised; its own error is the cause
│   └── ToolLoopError                the model went on calling tools past the bound, or called too many at once
└── BridgeError                      blocking call from a place where it would wait for itself

In IPython an error shows as a few lines instead of a traceback, and the cell still fails. No error text ever holds a
key, nor a character that acts on a terminal or hides: each error cleans what it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from tetrate_jupyter.types import AnswerLike


class NextStep(str):
    """What to type next. `in_panel`: what to do instead in the sign-in panel, which has a button for it."""

    __slots__ = ("in_panel",)
    in_panel: str

    def __new__(cls, step: str, in_panel: str) -> Self:
        """Return the step with its words for the panel."""
        made = super().__new__(cls, step)
        made.in_panel = in_panel
        return made

    def within(self, before: str = "", after: str = "") -> NextStep:
        """Return this step between other words."""
        return NextStep(f"{before}{self}{after}", f"{before}{self.in_panel}{after}")


class TetrateError(Exception):
    """Base of every error of this package.

    `message`: what happened, one or two sentences. `next_step`: what to do or type next, or "".
    `request_id`: the `X-Request-ID` of the request concerned (see the Console's Request Logs), or None where none was.
    `answer`: what had arrived when it happened, marked as partial, or None where nothing had.
    """

    answer: AnswerLike | None = None

    def __init__(self, message: str, *, next_step: str = "", request_id: str | None = None) -> None:
        self.message = secrecy.cleaned(message)
        self.next_step = secrecy.cleaned(next_step)
        self.in_panel = secrecy.cleaned(getattr(next_step, "in_panel", ""))  # "": the same there
        self.request_id = one_line(request_id, MAX_NAME) if request_id else request_id
        super().__init__(self.message)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def bare(self) -> Self:
        """Return this error without traceback, cause and context: frames hold secrets. Raise it outside `except`."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)

    def lines(self) -> list[str]:
        """Return the text a person sees, line by line, without the class name."""
        step, made = self.next_step, self.request_id
        return [self.message, *([f"Next: {step}"] if step else []), *([f"Request id: {made}"] if made else [])]

    @property
    def advice(self) -> str:
        """What happened and what to do next, in one line: for a panel."""
        return f"{self.message} Next: {self.next_step}." if self.next_step else self.message

    def _render_traceback_(self) -> list[str]:
        # IPython shows this list instead of sixty frames; the cell still counts as failed.
        first, *rest = self.lines()
        return [f"{type(self).__name__}: {first}", *rest]


class ConfigError(TetrateError):
    """A setting can't be used."""


class BaseURLError(ConfigError):
    """The router's address can't be used."""


class InputError(TetrateError):
    """The call itself is wrong; nothing was sent."""


class EmptyPromptError(InputError):
    """There is no prompt."""


class OptionError(InputError):
    """Unknown option, or a value that the option can't take."""


class UnknownModelError(InputError):
    """No such model among those this key reaches. `nearest`: up to three ids that look alike, best first."""

    def __init__(self, message: str, *, nearest: Sequence[str] = (), next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.nearest = tuple(nearest)


class AttachmentError(InputError):
    """An image or variable that can't be sent."""


class UnsupportedInputError(InputError):
    """The chosen model can't take this kind of input."""


class SecretInPromptError(InputError):
    """The request would have carried the key; it was not sent."""


class CostLimitError(InputError):
    """It could pass a budget or `max_cost`. Of a comparison: `fits`, a cap in tokens (0: none), `enough`, dollars."""

    fits, enough = 0, ""


class ComparisonFileError(InputError):
    """A saved comparison that can't be read: of another version, truncated, or something else."""


class SchemaDefinitionError(InputError):
    """`schema=` isn't a JSON schema, dataclass or pydantic model that can be used."""


class ToolDefinitionError(InputError):
    """`tools=` holds something whose arguments can't be described to a model."""


class AuthError(TetrateError):
    """Signing in, or the lack of it."""


class NotSignedInError(AuthError):
    """No key for this gateway host anywhere it could be."""


class KeyHostError(AuthError):
    """The key was made for another gateway host and was not sent."""


class LoginError(AuthError):
    """Signing in did not end well. It can be started again at once."""


class LoginDeniedError(LoginError):
    """The person, or the router, said no on the consent page."""


class LoginTimeoutError(LoginError):
    """Nobody came back from the consent page in time."""


class LoginCancelledError(LoginError):
    """The attempt was stopped, or a newer one took its place."""


class RedirectError(LoginError):
    """What was pasted holds no authorization code that fits this attempt."""


class CodeRejectedError(LoginError):
    """The router refused the authorization code: wrong, used or expired."""


class ExchangeError(LoginError):
    """The router failed to turn the authorization code into a key."""


class KeyStoreError(TetrateError):
    """A key could not be kept or removed where it should be."""


class GatewayError(TetrateError):
    """The router was asked and the answer, or its absence, is a failure.

    `status`: HTTP status, or None where none arrived. `code`: the router's own `error.code`, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        request_id: str | None = None,
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, request_id=request_id)
        self.status = status
        self.code = one_line(code, MAX_NAME) if code else code


class UnreachableError(GatewayError):
    """No connection: name not found, refused, TLS, or dropped before an answer."""

    was_sent = True  # whether the request had left by then, so that it may have been billed


class GatewayTimeoutError(GatewayError):
    """Too slow. `phase` is "connect", "headers", "first output" or "whole" (a short call's overall bound)."""

    def __init__(self, message: str, *, phase: str, next_step: str = "", request_id: str | None = None) -> None:
        super().__init__(message, next_step=next_step, request_id=request_id)
        self.phase = phase


class RequestRejectedError(GatewayError):
    """400 and kin: the router can't use the request."""


class ContextTooLongError(RequestRejectedError):
    """The request is larger than the model's context window, or than the router takes (413)."""


class InvalidKeyError(GatewayError):
    """401: wrong or revoked key."""


class CreditsExhaustedError(GatewayError):
    """402: the account has no credit left."""


class ForbiddenError(GatewayError):
    """403."""


class WrongHostError(ForbiddenError):
    """403: the key belongs to another gateway host. `hostnames`: the hosts the router named."""

    def __init__(
        self,
        message: str,
        *,
        hostnames: Sequence[str] = (),
        next_step: str = "",
        request_id: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, request_id=request_id, status=403, code=code)
        self.hostnames = tuple(hostnames)


class NotFoundError(GatewayError):
    """404: most often a wrong base URL."""


class ModelUnavailableError(NotFoundError):
    """The model isn't in this key's catalog, has no route, or is still starting."""


class UnsupportedEndpointError(NotFoundError):
    """The router doesn't serve this route."""


class RateLimitError(GatewayError):
    """429, worth another try. `retry_after`: seconds the router asked to wait, or None."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        next_step: str = "",
        request_id: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, request_id=request_id, status=429, code=code)
        self.retry_after = retry_after


class BudgetExceededError(GatewayError):
    """429 from a spend budget (`x-tars-budget-action: block`): another try is pointless."""


class ProviderError(GatewayError):
    """5xx or 529: the router, or the provider behind it, failed."""


class MalformedResponseError(GatewayError):
    """Not what the API promises: HTML, bad JSON, missing parts."""


class StreamError(GatewayError):
    """The stream broke after it had begun; the text so far is kept."""


class StreamCutError(StreamError):
    """The stream ended without its end mark."""


class StreamStalledError(StreamError):
    """No chunk came for too long."""


class AnswerTooLongError(StreamError):
    """The answer grew past the cap (`session.max_answer` characters); the request was closed, what came is kept."""


class AnswerError(TetrateError):
    """An answer came, but not one that can be used. `answer` has what came."""

    def __init__(self, message: str, *, answer: AnswerLike, next_step: str = "", request_id: str | None = None) -> None:
        super().__init__(message, next_step=next_step, request_id=request_id)
        self.answer: AnswerLike = answer


class ContentFilteredError(AnswerError):
    """The provider's filter stopped the answer before any text."""


class RefusedError(AnswerError):
    """The model refused, where a value was asked for. Without a schema its words are in the answer only."""

    @property
    def refusal(self) -> str:
        """The model's words."""
        return str(getattr(self.answer, "refusal", ""))


class EmptyAnswerError(AnswerError):
    """The answer ended in good order and had nothing in it: no choice, not even an empty one."""


class SchemaMismatchError(AnswerError):
    """The answer doesn't fit the schema; `answer.text` has the raw text."""


class ToolFailedError(AnswerError):
    """A tool raised; `__cause__` is its error, or a short form. That itself: `answer.tool_results[-1].raised`."""


class ToolLoopError(AnswerError):
    """The model went on calling tools past the bound, or called too many at once; those past it were not run."""


class BridgeError(TetrateError):
    """A blocking call was made from a place where it would wait for itself."""
