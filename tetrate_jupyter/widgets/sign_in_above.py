"""The sign-in card above a panel that has nothing to show before somebody has signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter import front_end
from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from tetrate_jupyter.engine.engine import Engine


def offer(session: Engine) -> None:
    """Show the card in the running cell, before the panel, where there is a page and no key.

    While it waits, the panel that follows is hidden; it is alive as soon as somebody has signed in, here or elsewhere.
    A card costs a page some hundred small messages: where there is a key, none is made.
    """
    if front_end.place() != "notebook":
        return
    try:
        if session.account.find() is not None:
            return
    except TetrateError:
        return  # the panel itself says what is wrong with the key
    from tetrate_jupyter.widgets.sign_in import SignInPanel

    SignInPanel(session).show_above()
