"""How a streaming answer shows itself: an updated display in a notebook, growing text in a console, or once."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, Protocol

from tetrate_jupyter import config, front_end, secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.render.live import Live

WRITING: Final = "{} is writing. When the cell has ended, all of it is in _tetrate.text."  # true without an update
FIRST_LOOK: Final = 0.01  # seconds between looks until the first text: it shows at once


class Show(Protocol):
    """A function that returns the final display of an answer; `body` and `at_once` as `Answer.bundle` takes them."""

    def __call__(self, answer: Answer, *, body: str | None = None, at_once: bool = False) -> dict[str, str]:
        """Return the MIME bundle."""
        ...


class Output(Protocol):
    """A view of one answer. All methods are called on the cell's own thread."""

    def tick(self, completion: Completion) -> float:
        """Show the answer so far; return the seconds until the next update."""
        ...

    def end(self, answer: Answer | None, *, at_once: bool = False) -> None:
        """Show the final answer, whole or partial; None when nothing came.

        `at_once`: the cell was interrupted. It must come back within 0.2 s whatever has come, so that nothing long is
        rendered any more.
        """
        ...


class NotebookOutput:
    """One display, made when there is something to show and updated about ten times a second, less often when long."""

    def __init__(self, show: Show, *, markdown: bool) -> None:
        self._show = show
        self._markdown = markdown
        self._id: str | None = None
        self._length = 0  # of the text that was shown
        self._said = 0
        self._waiting = ""  # the model named in the line of waiting
        self._live: Live | None = None
        self._kept = ("", 0)  # the HTML that was shown, and the length of its text
        self._drawing = False  # an interrupt may come between any two lines
        self._pause = config.DISPLAY_INTERVAL

    def tick(self, completion: Completion) -> float:
        """See `Output`."""
        text = completion.text
        if not text:
            self._say_waiting(completion)
            return FIRST_LOOK
        if len(text) != self._length or (self._live is not None and self._live.behind):
            began = time.monotonic()
            self._length = len(text)
            bundle = self._growing(text, completion.request.model.id)
            self._put(bundle)
            cost, size = time.monotonic() - began, sum(map(len, bundle.values()))
            self._pause = max(
                config.DISPLAY_INTERVAL, size / config.DISPLAY_BYTES_PER_SECOND, cost * config.DISPLAY_REST
            )
        return self._pause

    def end(self, answer: Answer | None, *, at_once: bool = False) -> None:
        """See `Output`."""
        if answer is not None:
            body = self._body(answer.text) if at_once else None
            self._put(self._show(answer, body=body, at_once=at_once))
        elif self._id is not None and self._waiting:
            self._put({"text/plain": f"{self._waiting}: no answer, {self._said} s"})  # an output can't be removed

    def _body(self, text: str) -> str | None:
        """Return the HTML of an interrupted answer's text at next to no cost: what was shown, and what came since."""
        from tetrate_jupyter.render.live import QUICK, last_part

        html, length = self._kept
        if self._live is None or len(text) <= QUICK or len(text) - length > config.AT_ONCE_CHARACTERS:
            return None
        if not self._drawing and self._live.is_quick and len(text) - length <= QUICK:
            self._live.update(text)
            return self._live.html_stopped
        return html + last_part(text[length:])

    def _growing(self, text: str, model: str) -> dict[str, str]:
        if not self._markdown:
            from tetrate_jupyter.render.live import plain_live

            return {"text/plain": plain_live(text)}
        from tetrate_jupyter.render.answer import answer_html
        from tetrate_jupyter.render.live import Live

        if self._live is None:
            self._live = Live()
        self._drawing = True
        self._live.update(text)
        if not self._live.behind:
            self._kept = (self._live.html_stopped, len(text))
        self._drawing = False
        return {"text/html": answer_html(self._live.html), "text/plain": WRITING.format(one_line(model, MAX_NAME))}

    def _say_waiting(self, completion: Completion) -> None:
        seconds = int(completion.seconds)
        if seconds > self._said:
            from tetrate_jupyter.render.plain import plain

            self._said = seconds
            self._waiting = plain(completion.request.model.id)
            self._put({"text/plain": f"{self._waiting}: {plain(completion.state)}, {seconds} s"})

    def _put(self, bundle: dict[str, str]) -> None:
        if self._id is None:
            from uuid import uuid4

            self._id = f"tetrate-{uuid4().hex[:12]}"
            front_end.publish(secrecy.bundle(bundle), display_id=self._id)
        else:
            front_end.publish(secrecy.bundle(bundle), display_id=self._id, update=True)


class TerminalOutput:
    """Text as it comes, without terminal controls; then notices and the line of figures."""

    def __init__(self, *, footer: bool) -> None:
        self._footer = footer
        self._written = 0

    def tick(self, completion: Completion) -> float:
        """See `Output`."""
        from tetrate_jupyter.render.plain import plain

        text = completion.text
        if len(text) > self._written:
            sys.stdout.write(secrecy.redact(plain(text[self._written :])))
            sys.stdout.flush()
            self._written = len(text)
        return config.DISPLAY_INTERVAL / 2 if text else FIRST_LOOK

    def end(self, answer: Answer | None, *, at_once: bool = False) -> None:
        """See `Output`."""
        from tetrate_jupyter.render.answer import beside_chip, with_chip
        from tetrate_jupyter.render.bounds import stopped
        from tetrate_jupyter.render.plain import plain

        if answer is None:
            return
        missing = answer.text[self._written :]
        said = []
        if at_once and len(missing) > config.AT_ONCE_CHARACTERS:
            missing, said = "\n[…]\n" + missing[-config.AT_ONCE_CHARACTERS :], [stopped("text")]
        line = with_chip(answer.footer if self._footer else "", answer.notices)
        rest = [*said, *beside_chip(answer.notices), *([line] if line else [])]
        tail = "\n\n" + "\n".join(f"[{line}]" for line in rest) if rest else ""
        sys.stdout.write(secrecy.redact(plain(missing + tail)) + "\n")
        sys.stdout.flush()


class FinalOutput:
    """Shows nothing until the end, then one display, which nbval and papermill can compare and keep."""

    def __init__(self, show: Show) -> None:
        self._show = show

    def tick(self, completion: Completion) -> float:
        """See `Output`."""
        return config.DISPLAY_INTERVAL / 2

    def end(self, answer: Answer | None, *, at_once: bool = False) -> None:
        """See `Output`."""
        if answer is not None:
            front_end.publish(secrecy.bundle(self._show(answer, at_once=at_once)))


def in_kernel(shell: InteractiveShell) -> bool:
    """Whether the shell is a Jupyter kernel's."""
    return getattr(shell, "kernel", None) is not None


def output_for(shell: InteractiveShell, show: Show, *, stream: bool, markdown: bool, footer: bool) -> Output:
    """Choose the output for this shell. `show` gives the final display; `markdown`: whether it grows as Markdown."""
    if not in_kernel(shell) or (stream and front_end.place() == "terminal"):
        return TerminalOutput(footer=footer)
    if stream and front_end.shows_updates() and not in_output_widget(shell):
        return NotebookOutput(show, markdown=markdown)
    return FinalOutput(show)


def in_output_widget(shell: InteractiveShell) -> bool:
    """Whether what is shown now goes into an `Output` of ipywidgets (`interact` has one), which ignores updates.

    Such a widget takes what belongs to the message that is being answered, whose id it notes.
    """
    widgets = sys.modules.get("ipywidgets.widgets.widget")
    output = getattr(sys.modules.get("ipywidgets.widgets.widget_output"), "Output", None)
    if widgets is None or output is None:
        return False
    try:
        running = shell.kernel.get_parent()["header"]["msg_id"]  # type: ignore[attr-defined]  # a kernel's shell has one
    except (AttributeError, KeyError, TypeError):
        return False
    known = getattr(widgets, "_instances", None) or getattr(getattr(widgets, "Widget", None), "widgets", None) or {}
    return any(isinstance(each, output) and each.msg_id == running for each in list(known.values()))
