"""How a streaming answer shows itself: an updated display in a notebook, growing text in a terminal, or once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Protocol

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.render.markdown import MarkdownStream

    Show = Callable[[Answer], dict[str, str]]

FIRST_LOOK: Final = 0.01  # seconds between looks until the first text: it shows at once


class Output(Protocol):
    """A face for one answer. All methods are called on the cell's own thread."""

    def tick(self, completion: Completion) -> float:
        """Show what there is; give the seconds until the next look."""
        ...

    def end(self, answer: Answer | None) -> None:
        """Show the final state, whole or partial; None when nothing came."""
        ...


class NotebookOutput:
    """One display, made when there is something to show and updated about ten times a second, less often when long."""

    def __init__(self, show: Show, *, markdown: bool) -> None:
        self._show = show
        self._markdown = markdown
        self._id: str | None = None
        self._shown = ""
        self._said = 0
        self._stream: MarkdownStream | None = None

    def tick(self, completion: Completion) -> float:
        """See `Output`."""
        text = completion.text
        if not text:
            self._say_waiting(completion)
            return FIRST_LOOK
        if text != self._shown:
            self._shown = text
            self._put(self._growing(text))
        return max(config.DISPLAY_INTERVAL, len(text) / config.DISPLAY_BYTES_PER_SECOND)

    def end(self, answer: Answer | None) -> None:
        """See `Output`."""
        if answer is not None:
            self._put(self._show(answer))
        elif self._id is not None:
            self._put({"text/plain": "", "text/html": ""})

    def _growing(self, text: str) -> dict[str, str]:
        if not self._markdown:
            from tetrate_jupyter.render.plain import plain

            return {"text/plain": plain(text)}
        from tetrate_jupyter.render.answer import answer_html
        from tetrate_jupyter.render.markdown import MarkdownStream

        if self._stream is None:
            self._stream = MarkdownStream()
        self._stream.update(text)
        return {"text/html": answer_html(self._stream.html), "text/plain": "..."}

    def _say_waiting(self, completion: Completion) -> None:
        seconds = int(completion.seconds)
        if seconds > self._said:
            from tetrate_jupyter.render.plain import plain

            self._said = seconds
            line = f"{completion.request.model.id}: {completion.state}, {seconds} s"
            self._put({"text/plain": plain(line)})

    def _put(self, bundle: dict[str, str]) -> None:
        if self._id is None:
            from uuid import uuid4

            self._id = f"tetrate-{uuid4().hex[:12]}"
            _publish(bundle, self._id, new=True)
        else:
            _publish(bundle, self._id)


class TerminalOutput:
    """Text as it comes, terminal controls taken out; then notices and the quiet line."""

    def __init__(self, *, footer: bool) -> None:
        self._footer = footer
        self._written = 0

    def tick(self, completion: Completion) -> float:
        """See `Output`."""
        from tetrate_jupyter.render.plain import plain

        text = completion.text
        if len(text) > self._written:
            sys.stdout.write(plain(text[self._written :]))
            sys.stdout.flush()
            self._written = len(text)
        return config.DISPLAY_INTERVAL / 2 if text else FIRST_LOOK

    def end(self, answer: Answer | None) -> None:
        """See `Output`."""
        from tetrate_jupyter.render.plain import plain

        if answer is None:
            return
        rest = [*answer.notices, *([answer.footer] if self._footer else [])]
        tail = "\n\n" + "\n".join(f"[{line}]" for line in rest) if rest else ""
        sys.stdout.write(plain(answer.text[self._written :] + tail) + "\n")
        sys.stdout.flush()


class FinalOutput:
    """Nothing until the end, then one display: what nbval and papermill can compare and keep."""

    def __init__(self, show: Show) -> None:
        self._show = show

    def tick(self, completion: Completion) -> float:
        """See `Output`."""
        return config.DISPLAY_INTERVAL / 2

    def end(self, answer: Answer | None) -> None:
        """See `Output`."""
        if answer is not None:
            _publish(self._show(answer), None)


def in_kernel(shell: InteractiveShell) -> bool:
    """Whether a front end shows displays (a Jupyter kernel), as against a terminal."""
    return getattr(shell, "kernel", None) is not None


def output_for(shell: InteractiveShell, show: Show, *, stream: bool, markdown: bool, footer: bool) -> Output:
    """Choose the face for this shell. `show` gives the final display; `markdown`: whether it grows as Markdown."""
    if not in_kernel(shell):
        return TerminalOutput(footer=footer)
    return NotebookOutput(show, markdown=markdown) if stream else FinalOutput(show)


def _publish(bundle: dict[str, str], display_id: str | None, *, new: bool = False) -> None:
    from IPython.display import publish_display_data

    transient = {} if display_id is None else {"display_id": display_id}
    publish_display_data(bundle, transient=transient, update=display_id is not None and not new)  # type: ignore[no-untyped-call]  # IPython's
