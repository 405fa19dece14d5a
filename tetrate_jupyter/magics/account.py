"""%tetrate_login and %tetrate_logout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tetrate_jupyter import secrecy
from tetrate_jupyter.answers.places import OFF
from tetrate_jupyter.errors import NotSignedInError, OptionError, UnreachableError
from tetrate_jupyter.front_end import place
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from tetrate_jupyter.magics.context import Context

_CODE = re.compile(r"[?&]code=|^\W*[A-Za-z0-9_\-.~]{16,}\W*$")


def login(context: Context, line: str) -> None:
    """Show the sign-in panel and return at once; by text with --wait, in a terminal and where nobody can click."""
    parsed = commands.LOGIN.parse(line)
    if parsed.words:
        refuse(parsed.words)
    session = context.session
    base_url, auth_url = parsed.text("base_url"), parsed.text("auth_url")
    if base_url or auth_url:
        session.connect(base_url or session.endpoints.base_url, auth_url, allow_http=parsed.flag("allow_http"))
    session.trial.leave()  # signing in is for the real router, not the sandbox
    store = parsed.text("store") or context.defaults.store
    again, timeout = parsed.flag("again"), parsed.number("timeout")
    if place() == "notebook" and not parsed.flag("wait"):
        from IPython.display import display

        from tetrate_jupyter.widgets.sign_in import SignInPanel

        display(SignInPanel(session, store=store, again=again, timeout=timeout))  # type: ignore[no-untyped-call]  # IPython's
        return
    try:
        done = session.login(store=store, again=again, timeout=timeout)
    except (NotSignedInError, UnreachableError) as error:
        if session.keeper.place == OFF:
            raise
        words = f"{error.message} Answers come from {session.keeper.store(session.keeper.place).where} meanwhile."
        print(words)  # noqa: T201 - a magic's answer: a notebook that was shared with its answers runs on
        return
    from tetrate_jupyter.widgets.sign_in_words import for_now

    print("\n".join([str(done), *done.notes, *for_now(session)]))  # noqa: T201 - a magic's answer


def refuse(words: str) -> None:
    """Refuse words on the line; a key or code there would be saved in the notebook."""
    if secrecy.looks_secret(words, lenient=True):
        raise commands.LOGIN.secret_on_line()
    if _CODE.search(words):
        raise OptionError(
            "A key or code does not belong on this line: it would be saved in the notebook and in the history.",
            next_step="delete it from the cell, run %tetrate_login alone, and paste it into the hidden field or prompt"
            f" (if it was a key, {secrecy.SEEN})",
        )
    raise OptionError("%tetrate_login takes options only.", next_step="run %tetrate_login alone")


def logout(context: Context, line: str) -> None:
    """Forget the key everywhere and say what is left."""
    commands.LOGOUT.parse(line)
    session = context.session
    from tetrate_jupyter.widgets.sign_in_words import signed_out_lines

    print("\n".join(signed_out_lines(session.endpoints, session.logout())))  # noqa: T201 - a magic's answer
