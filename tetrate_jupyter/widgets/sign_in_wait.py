"""A cell that needs to be signed in waits for it: the card in place of an error, and then the cell goes on."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from tetrate_jupyter import front_end
from tetrate_jupyter.errors import NotSignedInError
from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from tetrate_jupyter.engine.account import SignedIn
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.widgets.sign_in import SignInPanel

PATIENCE: Final = 15 * 60.0  # seconds that a cell waits at the most; Run All keeps all others waiting, too
_NOTHING: Final = {"text/html": "", "text/plain": ""}
_TOO_LATE: Final = "Nobody signed in within {:.0f} minutes."


def be_signed_in(session: Engine, *, store: str = "auto", models: str = "", prompt: str = "") -> None:
    """Return at once where there is a key, or nobody who could sign in; else show the card and wait for a person.

    Returns when `session` is signed in, and else when waiting is over: stopped by its button or by an interrupt, or
    after 15 minutes. What was wanted then fails as it does without a card. `models`, `prompt`: what the cell asks when
    it goes on, as they were typed; the card says it.
    """
    if not front_end.is_attended() or session.account.find() is not None:
        return
    from tetrate_jupyter.widgets.sign_in import SignInPanel
    from tetrate_jupyter.widgets.sign_in_words import then_html

    panel = SignInPanel(session, store=store, then=then_html(models, prompt))
    display_id = f"tetrate-{uuid4().hex[:12]}"
    done: SignedIn | None = None
    try:
        with session.account.awaited():
            done = _wait(panel, display_id)
    except KeyboardInterrupt:
        pass  # the error that follows says what to do
    finally:
        panel.close()
        elsewhere = done is not None and panel.was_done_elsewhere
        left = _NOTHING if elsewhere else _left(session, done)  # the other card has said it
        front_end.publish(left, display_id=display_id, update=True)
    if done is None:
        raise session.account.not_signed_in()


def _wait(panel: SignInPanel, display_id: str) -> SignedIn | None:
    from tetrate_jupyter.widgets import sign_in_words as words
    from tetrate_jupyter.widgets.sign_in_hearing import LOOK, hearing_the_page

    async def outcome() -> SignedIn | None:
        return await asyncio.wait_for(asyncio.wrap_future(panel.outcome), PATIENCE)

    with hearing_the_page() as look:
        if look is None and threading.current_thread() is threading.main_thread():
            panel.say(words.DEAF)
        front_end.publish(panel.bundle(words.WITHOUT_IN_CELL), display_id=display_id, waits=True)
        try:
            return panel.bridge.run(outcome(), tick=look or (lambda: LOOK))
        except asyncio.TimeoutError:
            raise NotSignedInError(_TOO_LATE.format(PATIENCE / 60), next_step="run the cell again") from None


def _left(session: Engine, done: SignedIn | None) -> dict[str, str]:
    """Return what stays in the place of the card: a notebook is saved, and a card without its kernel is dead."""
    from tetrate_jupyter.widgets import sign_in_words as words

    said = words.left_in_cell(done, session.endpoints, trial=session.trial.is_on)
    return {"text/html": f"<p><small>{escape(said)}</small></p>", "text/plain": said}
