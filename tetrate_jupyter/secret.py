"""Keys as objects that never show themselves, and which of them are alive: `secrecy` searches texts for those."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY_VARIABLES: Final = ("TETRATE_API_KEY", "TARS_API_KEY", "AGENTROUTER_API_KEY")  # all three are in the wild


class Secret:
    """A key, or anything else that must never be shown. Bound to the gateway `host` it was made for.

    Shows itself as "<secret>" in every form (repr, str, format); can't be pickled or turned into JSON, and a copy of it
    is itself. What shows objects (`vars`, `copy`, `dill`, `jsonpickle`, rich's `inspect` and tracebacks with locals)
    finds no text in it. That keeps it from being shown by accident; it keeps nothing from code that asks for it.
    `reveal()` is called where the header is written and where the key is stored, nowhere else.
    `searched=False`: for what anybody may have sent. No text is refused or changed since it holds that.
    """

    __slots__ = ("__weakref__", "_text", "host")

    def __init__(self, value: str, *, host: str, searched: bool = True) -> None:
        # a function, since whatever walks through attributes shows those and not what a function closes over
        self._text: Callable[[], str] = lambda: value
        self.host = host
        if searched:
            ALIVE.note(self)  # from now on no text that holds it is sent or shown

    @classmethod
    def typed(cls, text: object, *, searched: bool = True) -> Secret:
        """Wrap what a person typed, for a host that is named later by `bound_to`. What is no text is no key: "".

        To be called in the first line that sees the text, which then lets go of it: a frame of an error has no other.
        A `Secret` is given back as it is, bound as it was.
        """
        if isinstance(text, Secret):
            return text
        return cls(text.strip() if isinstance(text, str) else "", host="", searched=searched)

    def bound_to(self, host: str) -> Secret:
        """Return it as one for `host`, where it has none yet; one that was made for a host stays that host's."""
        return self if self.host else Secret(self._text(), host=host)

    def reveal(self) -> str:
        """Return the plain text; the caller must not keep it."""
        return self._text()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text() == self._text() and other.host == self.host

    def __hash__(self) -> int:
        return hash((Secret, self._text(), self.host))

    def __repr__(self) -> str:
        return "<secret>"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled")

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a secret can't be pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled")


class Alive:
    """The secrets of this process, each for as long as somebody holds it."""

    def __init__(self) -> None:
        # Changed and copied in single steps, so that there is no lock: an interrupt or a fork could leave one held.
        self._alive: dict[int, weakref.ref[Secret]] = {}
        self._numbers = itertools.count(1)
        self._newest = 0

    def note(self, secret: Secret) -> None:
        """Count a secret among the keys of this process."""
        number = next(self._numbers)
        alive = self._alive
        alive[number] = weakref.ref(secret, lambda _: alive.pop(number, None))
        self._newest = number

    @property
    def state(self) -> tuple[int, int]:
        """Two numbers of which one is another whenever a secret has come or gone."""
        return self._newest, len(self._alive)

    def __iter__(self) -> Iterator[Secret]:
        return iter([secret for each in list(self._alive.values()) if (secret := each()) is not None])

    def __repr__(self) -> str:
        return "<secrets>"


ALIVE: Final = Alive()
