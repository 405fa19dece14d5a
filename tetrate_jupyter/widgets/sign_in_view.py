"""The sign-in panel's widgets: core ipywidgets, put together once and then told what to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets
from traitlets import Unicode, validate

from tetrate_jupyter.secret import Secret
from tetrate_jupyter.widgets import sign_in_words as words
from tetrate_jupyter.widgets.lifetime import hear, put_away
from tetrate_jupyter.widgets.sign_in_logs import keep_out_of_logs
from tetrate_jupyter.widgets.static_fallback import PANEL_CLASS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.widgets.sign_in_words import State

_STATIC: Final = Path(__file__).parent / "static"
PASTED: Final = 8  # characters that come at once: nobody types that fast
_WIDE: Final = {"description_width": "initial"}


@dataclass(frozen=True)
class Shown:
    """All that changes in a panel. `line`, `about` and `clock` are HTML of our own; the rest is text."""

    state: State
    host: str
    name: str
    url: str = ""
    line: str = ""
    about: str = ""
    clock: str = ""
    problem: str = ""
    note: str = ""
    page: str = ""  # an address that the note may name, and then links to
    asks_paste: bool = False
    trial: bool = False
    offers_trial: bool = True


class SecretField(ipywidgets.Password):  # type: ignore[misc]  # ipywidgets publishes no types
    """A hidden field whose text is handed over and cleared at once, so that no widget state ever holds it.

    It comes with Enter, or when the field is left. `at_once`: what is pasted comes by itself, what is typed with Enter
    or `give`. `take` gets the text, on any thread.
    """

    value = Unicode("").tag(sync=True, echo_update=False)  # not sent back to the page, and so to no other one

    def __init__(self, label: str, take: Callable[[Secret], None], *, at_once: bool = False) -> None:
        self._take = take
        self._typed: Secret | None = None  # so far, letter by letter; the kernel's side of `value` stays empty
        super().__init__(description=label, continuous_update=at_once, style=_WIDE)
        keep_out_of_logs(self.model_id)
        self.on_msg(lambda _, content, __: self.give() if content.get("event") == "submit" else None)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the text out of the page's message itself, which the kernel keeps until the next one comes."""
        typed = Secret.typed(sync_data.pop("value", ""))
        super().set_state(sync_data)
        before, self._typed = self._typed, typed if self.continuous_update else None
        grown = len(typed.reveal()) - len(before.reveal() if before else "")
        if typed.reveal() and (not self.continuous_update or grown >= PASTED):
            self._hand_over(typed)

    def give(self) -> None:
        """Hand over what was typed so far, if anything."""
        if self._typed is not None and self._typed.reveal():
            self._hand_over(self._typed)

    def _hand_over(self, typed: Secret) -> None:
        self._typed = None
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
        self,
        *,
        elsewhere: bool,
        then: str | None,
        fallback_css: str,
        paste: Callable[[Secret], None],
        key: Callable[[Secret], None],
    ) -> None:
        css = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in ("panel.css", "sign_in.css"))
        style = ipywidgets.HTML(f"<style>{css}{fallback_css}</style>", layout={"display": "none"})
        self.states, self.host = _html("tetrate-says"), _html("tetrate-host")
        self.link, self.line, self.clock = _html("tetrate-link"), _html("tetrate-detail"), _html("tetrate-clock")
        self.act = _button("", "tetrate-act")
        self.opened = _button("", "tetrate-opened")
        self.sandbox = _button(words.TRY, "tetrate-sandbox", words.TRY_MORE)
        self.real = _button(words.BUTTON[words.State.STOPPED], "tetrate-real", "Sign in to use real models")
        self.menu = _html("tetrate-menu")
        self.stop = _button(words.STOP, "tetrate-stop")
        # one of its own: a click that was meant for Cancel must not sign out because the sign-in ended just before
        self.leave = _button(words.LEAVE, "tetrate-leave")
        self.about, self.problem, self.note = _html("tetrate-about-key"), _html(), _html()
        self.was_used = False  # whether a person has begun to sign in here, not at another card
        for button in (self.opened, self.sandbox):
            button.on_click(self._noting(lambda _: None))
        self.paste = SecretField("", self._noting(paste), at_once=True).add_class("tetrate-paste")
        self.go = _button("Continue", "tetrate-go")
        self.key = SecretField("", self._noting(key))
        # nobody listens to it: the field is left when it is pressed, and hands its text over by that
        self.take = _button("Use key", "tetrate-take", "Check this key and sign in with it")
        self.url = ipywidgets.Text(description=words.BASE_URL, style=_WIDE)
        keep_out_of_logs(self.url.model_id)  # no secret's place, but one may be pasted into it
        self.hint = _html("tetrate-hint")
        self.http = ipywidgets.Checkbox(description="Accept plain http: the key travels unencrypted", indent=False)
        self.use = _button("Use", "tetrate-use", "Use this base URL")
        self.root = self._together(style, words.ask_html(elsewhere=elsewhere), then)

    def _noting(self, then: Callable[[Any], None]) -> Callable[[Any], None]:
        def used(what: Any) -> None:  # noqa: ANN401 - a button, or what was typed
            self.was_used = True
            then(what)

        return used

    def _together(self, style: Any, ask: str, then: str | None) -> Any:  # noqa: ANN401 - ipywidgets publishes no types
        address = ipywidgets.HBox([self.url, self.use, self.hint, self.http]).add_class("tetrate-url")
        with_key = ipywidgets.HBox([self.key, self.take]).add_class("tetrate-keyed")
        others = ipywidgets.VBox([with_key, address]).add_class("tetrate-others")
        self.paste.description = ask
        pasting = ipywidgets.HBox([self.paste, self.go]).add_class("tetrate-pasting")
        more = _html("tetrate-more", words.more_html())
        head = ipywidgets.HBox([self.states, self.host, self.stop]).add_class("tetrate-head")
        row = [self.clock, self.link, self.act, self.sandbox, more, self.real, self.menu, self.leave, self.opened]
        line = ipywidgets.HBox(row).add_class("tetrate-line")
        gone = _html("tetrate-gone", words.gone_html())
        # what comes and goes is last: it moves nothing that can be pressed
        parts = [style, gone, head, self.line, line, pasting, others, self.about, self.problem, self.note]
        if then is not None:
            parts.append(_html("tetrate-then", then))
        root = ipywidgets.VBox(parts).add_class(PANEL_CLASS).add_class("tetrate-sign-in")
        if then is not None:
            root.add_class("tetrate-in-cell")
        boxes = (head, line, pasting, others, with_key, address)
        self._all = [*parts, *(each for box in boxes for each in box.children), root]
        for each in self._all:
            hear(each)
        return root

    def show(self, shown: Shown) -> None:
        """Bring the widgets up to date; what hasn't changed is left alone, and keeps its focus."""
        self.link.value = words.link_html(shown.url) if shown.url else ""  # first: what shows must never be an old one
        kept = [name for name in self.root._dom_classes if not name.startswith("tetrate-is-")]  # noqa: SLF001 - add_class and remove_class would be two changes
        asks = ("tetrate-is-asking",) * shown.asks_paste + ("tetrate-is-trial",) * shown.trial
        self.root._dom_classes = (*kept, f"tetrate-is-{shown.state.value}", *asks)  # noqa: SLF001 - likewise
        self.states.value = words.states_html(shown.name, trial=shown.trial)
        self.host.value = words.host_html(shown.host, shown.name)
        signed_in = shown.state is words.State.SIGNED_IN
        self.menu.value = words.menu_html() if signed_in else ""  # shut, each time
        self.about.value = shown.about if signed_in else ""
        self.line.value = shown.line
        self.clock.value = shown.clock
        self.problem.value = words.problem_html(shown.problem)
        self.note.value = words.note_html(shown.note, shown.page)
        if shown.state in words.BUTTON:
            self.act.description = words.BUTTON[shown.state]
        self.sandbox.layout.display = None if shown.offers_trial else "none"
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


def _html(name: str = "", value: str = "") -> Any:  # noqa: ANN401 - ipywidgets publishes no types
    made = ipywidgets.HTML(value)
    return made.add_class(name) if name else made


def _button(text: str, name: str, tooltip: str = "") -> Any:  # noqa: ANN401 - likewise
    made = ipywidgets.Button(description=text, tooltip=tooltip or None)
    return made.add_class("tetrate-button").add_class(name)
