"""%tetrate_login and %tetrate_logout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from tetrate_jupyter.magics.extension import TetrateMagics

_LOOKS_SECRET = re.compile(r"^sk-|[?&]code=|^[A-Za-z0-9_\-.~]{16,}$")


def login(magics: TetrateMagics, line: str) -> None:
    """Sign in, or say who is signed in."""
    parsed = commands.LOGIN.parse(line)
    if parsed.words:
        refuse(parsed.words)
    session = magics.session
    base_url = parsed.text("base_url")
    if base_url:
        session.connect(base_url, parsed.text("auth_url"), allow_http=parsed.flag("allow_http"))
    done = session.login(
        store=parsed.text("store") or magics.store, again=parsed.flag("again"), timeout=parsed.number("timeout")
    )
    print("\n".join([str(done), *done.notes]))  # noqa: T201 - a magic's answer


def refuse(words: str) -> None:
    """Refuse words on the line; a key or code there would be saved in the notebook."""
    if _LOOKS_SECRET.search(words):
        raise OptionError(
            "A key or code does not belong on this line: it would be saved in the notebook and in the history.",
            next_step="delete it from the cell, run %tetrate_login alone, and paste it at the hidden prompt"
            " (if it was a key, revoke it in the dashboard: it has been seen)",
        )
    raise OptionError(f"%tetrate_login takes options only, but got {words!r}.", next_step="run %tetrate_login alone")


def logout(magics: TetrateMagics, line: str) -> None:
    """Forget the key everywhere and say what is left."""
    commands.LOGOUT.parse(line)
    session = magics.session
    places = session.logout()
    gone = [place for place in places if place.removable]
    left = [place for place in places if not place.removable]
    if gone:
        where = " and ".join(str(place) for place in gone)
        print(f"Signed out of {session.endpoints.host}: the key was removed from {where}.")  # noqa: T201 - a magic's answer
    else:
        print(f"No key for {session.endpoints.host} was kept here.")  # noqa: T201 - likewise
    for place in left:
        print(f"A key is still in {place}. Next: unset it where it was set, and restart the kernel.")  # noqa: T201 - likewise
    print(f"The key itself still exists at the router. To revoke it: {session.endpoints.keys_page}")  # noqa: T201 - likewise
