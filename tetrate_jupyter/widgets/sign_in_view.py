"""The sign-in panel's widgets: core ipywidgets, put together once and then told what to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets
from traitlets import Unicode, validate

from tetrate_jupyter.secret import Secret
from tetrate_jupyter.widgets import sign_in_words as words
from tetrate_jupyter.widgets.lifetime import put_away
from tetrate_jupyter.widgets.sign_in_logs import keep_out_of_logs
from tetrate_jupyter.widgets.twin import PANEL_CLASS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.widgets.sign_in_words import State

_STATIC: Final = Path(__file__).parent / "static"
_WIDE: Final = {"description_width": "initial"}


@dataclass(frozen=True)
class Shown:
    """All that changes in a panel. `line` is HTML of our own; the rest is text."""

    state: State
    host: str
    url: str = ""
    line: str = ""
    problem: str = ""
    note: str = ""


class SecretField(ipywidgets.Password):  # type: ignore[misc]  # ipywidgets publishes no types
    """A hidden field whose text is handed over and cleared at once, so that no widget state ever holds it.

    It comes with Enter, or when the field is left. `take` gets the text, on any thread.
    """

    value = Unicode("").tag(sync=True, echo_update=False)  # not sent back to the page, and so to no other one

    def __init__(self, label: str, take: Callable[[Secret], None]) -> None:
        self._take = take
        super().__init__(description=label, continuous_update=False, style=_WIDE)
        keep_out_of_logs(self.model_id)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the text out of the page's message itself, which the kernel keeps until the next one comes."""
        typed = Secret.typed(sync_data.pop("value", ""))
        super().set_state(sync_data)
        if typed.reveal():
            self.send_state("value")  # empty: to the page that sent it, and every other one
            self._take(typed)

    @validate("value")
    def _given_here(self, proposal: dict[str, Any]) -> str:
        """Hand over what code sets, too, and stay empty."""
        typed = Secret.typed(proposal.pop("value"))
        if typed.reveal():
            self._take(typed)
        return ""


class SignInView:
    """The widgets under `root`. Which of them are seen follows from the root's class, in the stylesheet."""

    def __init__(
        self, *, hosted: bool, twin_css: str, paste: Callable[[Secret], None], key: Callable[[Secret], None]
    ) -> None:
        css = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in ("panel.css", "sign_in.css"))
        style = ipywidgets.HTML(f"<style>{css}{twin_css}</style>", layout={"display": "none"})
        self.link = _html("tetrate-link")
        self.line = _html("tetrate-detail")
        self.act = ipywidgets.Button().add_class("tetrate-act")
        # one of its own: a click that was meant for Cancel must not sign out because the sign-in ended just before
        self.leave = ipywidgets.Button(description=words.LEAVE).add_class("tetrate-leave")
        self.head, self.problem, self.note = _html("tetrate-head"), _html(), _html()
        self.paste = SecretField(words.ELSEWHERE if hosted else words.PASTE, paste).add_class("tetrate-paste")
        self.key = SecretField("", key)
        self.url = ipywidgets.Text(description=words.BASE_URL, style=_WIDE)
        keep_out_of_logs(self.url.model_id)  # no secret's place, but one may be pasted into it
        self.hint = _html("tetrate-hint")
        self.http = ipywidgets.Checkbox(description="Accept plain http: the key travels unencrypted", indent=False)
        self.use = ipywidgets.Button(description="Use", tooltip="Use this base URL")
        address = ipywidgets.HBox([self.url, self.use, self.hint, self.http]).add_class("tetrate-url")
        others = ipywidgets.VBox([self.paste, self.key, address]).add_class("tetrate-others")
        states = ipywidgets.HTML(words.states_html())
        line = ipywidgets.HBox([self.link, states, self.line, self.leave, self.act]).add_class("tetrate-line")
        gone = ipywidgets.HTML(words.gone_html()).add_class("tetrate-gone")
        more = ipywidgets.HTML(words.more_html(opened=hosted)).add_class("tetrate-more")
        for button in (self.act, self.leave, self.use):
            button.add_class("tetrate-button")
        # what comes and goes is last: it moves nothing that can be pressed
        parts = [style, gone, self.head, line, more, others, self.problem, self.note]
        self.root = ipywidgets.VBox(parts).add_class(PANEL_CLASS).add_class("tetrate-sign-in")
        self._all = [*parts, *line.children, *others.children, *address.children, self.root]

    def show(self, shown: Shown) -> None:
        """Bring the widgets up to date; what hasn't changed is left alone, and keeps its focus."""
        kept = [name for name in self.root._dom_classes if not name.startswith("tetrate-is-")]  # noqa: SLF001 - add_class and remove_class would be two changes
        self.root._dom_classes = (*kept, f"tetrate-is-{shown.state.value}")  # noqa: SLF001 - likewise
        self.head.value = words.head_html(shown.host)
        if shown.url:
            self.link.value = words.link_html(shown.url)
        self.line.value = shown.line
        self.problem.value = words.problem_html(shown.problem)
        self.note.value = words.note_html(shown.note)
        if shown.state in words.BUTTON:
            self.act.description = words.BUTTON[shown.state]
        self.key.description = f"Enter a key for {shown.host}"

    def advise(self, hint: str, *, usable: bool, plain_http: bool) -> None:
        """Show what would become of the address that is being typed."""
        self.hint.value = hint
        self.use.disabled = not usable
        self.http.layout.display = None if plain_http else "none"

    def close(self) -> None:
        """Remove it from every view."""
        for widget in self._all:
            put_away(widget)


def _html(name: str = "") -> Any:  # noqa: ANN401 - ipywidgets publishes no types
    made = ipywidgets.HTML()
    return made.add_class(name) if name else made
