"""Exchanges and runs as the chat's items: each rendered once, the one being written as it grows."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.characters import one_line
from tetrate_jupyter.completion.images import thumbnail
from tetrate_jupyter.front_end import streaming_wanted
from tetrate_jupyter.history.turn import first_words
from tetrate_jupyter.render.answer import beside_chip, sent_of, with_chip
from tetrate_jupyter.render.chips import REFUSED
from tetrate_jupyter.render.live import Live
from tetrate_jupyter.render.plain import plain, visible
from tetrate_jupyter.widgets.chat_kept import BROKEN, kept, kept_so_far
from tetrate_jupyter.widgets.feed import Item
from tetrate_jupyter.widgets.notices import noticed
from tetrate_jupyter.widgets.transcript import answer_figures, drawn, model_of, quiet_line, said, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tetrate_jupyter.conversation import Branch, Conversation, Exchange
    from tetrate_jupyter.engine.history import Past
    from tetrate_jupyter.engine.runs import Run, Runs
    from tetrate_jupyter.types import Message

REFUSED_NEXT: Final = "Next: say it in other words, or ask another model."
_TITLE: Final = 80  # characters of a conversation's title in the menu
CLOCK: Final = 10  # seconds; a bar's whole width stands for this, or twice as long, and so on


class ChatItems:
    """The items of a conversation and its runs. Not thread-safe: the panel's lock is held around it."""

    def __init__(self, conversation: Conversation, runs: Runs) -> None:
        self._conversation = conversation
        self._runs = runs
        self.models: set[str] = set()  # that have answered here, or do
        self._streams: dict[str, tuple[Run, Live]] = {}
        self._rendered: dict[str, tuple[Exchange, tuple[int, int, str], Item]] = {}
        self._branches: tuple[Branch, ...] = ()  # as they were when the items below were made
        self._kept: list[tuple[Exchange, Item]] = []

    @property
    def active(self) -> list[Run]:
        """The runs whose text is still to come."""
        return [run for run in self._runs.all if run.failure is None]

    def settled(self) -> list[tuple[str, str]]:
        """Return (run's key, exchange's key) of the runs that have become an exchange since the last time."""
        if not self._streams:
            return []
        found = []
        exchanges = {id(exchange.user): exchange for exchange in self._conversation.exchanges}
        for key, (run, live) in list(self._streams.items()):
            exchange = exchanges.get(id(run.user))
            if exchange is not None:
                found.append((key, exchange.id))
                self._render(exchange, self._conversation.ways(), live)
            if exchange is not None or run not in self._runs.all:
                del self._streams[key]
        return found

    def all(self) -> list[Item]:
        """Return the items in order: the current branch, with what failed where it was asked; what is being asked."""
        branch = self._conversation.branch.id
        kept = self._exchanges()
        users = {id(exchange.user) for exchange, _ in kept}
        runs = [run for run in self._runs.all if run.branch == branch and id(run.user) not in users]
        again = {run.plan.turn.cell_id: run for run in runs if run.plan is not None and run.plan.turn.cell_id}
        failed = [run for run in runs if run.failure is not None]
        places = [run.place([exchange for exchange, _ in kept]) for run in failed]
        found = [_failed(run) for run, place in zip(failed, places, strict=True) if place == 0]
        for number, (exchange, item) in enumerate(kept, 1):
            run = again.get(exchange.cell_id) if exchange.cell_id else None
            if run is None:
                found.append(item)
            else:  # the cell is running again: its exchange will be replaced in place
                runs.remove(run)
                found.append(self._running(run, exchange.id))
            found += [_failed(run) for run, place in zip(failed, places, strict=True) if place == number]
        return found + [self._running(run, run.id) for run in runs if run.failure is None]

    def _exchanges(self) -> list[tuple[Exchange, Item]]:
        """Return the current branch's exchanges with their items, made anew where the conversation has changed."""
        branches = (self._conversation.branch, *self._conversation.branches)
        if list(map(id, branches)) != list(map(id, self._branches)):  # they are immutable: the same are unchanged
            exchanges = branches[0].exchanges
            self._branches = branches
            self._rendered = {e.id: self._rendered[e.id] for e in exchanges if e.id in self._rendered}
            ways = self._conversation.ways()  # once for all: of each exchange, it would take the square
            self._kept = [(exchange, self._render(exchange, ways)) for exchange in exchanges]
        return self._kept

    def _render(self, exchange: Exchange, ways: dict[str, tuple[Branch, ...]], live: Live | None = None) -> Item:
        several = ways.get(exchange.id, ())
        current = self._conversation.branch.id
        place = next((n for n, b in enumerate(several) if b.id == current), 0)
        way = (place, max(1, len(several)), _differ_in(several, place, exchange))
        known = self._rendered.get(exchange.id)
        if known is not None and known[0] is exchange and known[1] == way and live is None:
            return known[2]
        blocks = known[2].blocks if known is not None and known[0] is exchange else _whole(said(exchange), live)
        item = Item(exchange.id, _exchange_fields(exchange, way), blocks)
        self.models.add(item.fields["model"])
        self._rendered[exchange.id] = (exchange, way, item)
        return item

    def _running(self, run: Run, key: str) -> Item:
        _, live = self._streams.setdefault(key, (run, Live()))
        fields = {**_asked(run.user), **_NOTHING, "state": "running", **_status(run)}
        fields |= noticed([cut.sentence for cut in run.user.cuts], sent=sent_of(run.user.cuts))
        self.models.add(str(fields.get("model", "")))
        if run.plan is not None and run.plan.turn.cell_id:
            fields["origin"] = "cell"
        if run.completion is not None and run.completion.text:
            fields["kept"] = kept_so_far(run.completion.answer(partial=BROKEN).notices)
            live.update(run.completion.text)
        return Item(key, fields, live.finished, live.tail)


def others(conversation: Conversation) -> Iterable[Branch]:
    """Return the other conversations that are kept in the kernel, newest first, each as it last was."""
    newest = {b.root: b for b in conversation.branches if b.exchanges and b.root != conversation.branch.root}
    return reversed(newest.values())


def earlier(conversation: Conversation, past: Past) -> list[list[str]]:
    """Return [branch id, name or first question, facts, id on disk] of the other conversations, newest first."""
    found = []
    for branch in others(conversation):
        count = len(branch.exchanges)
        models = list(dict.fromkeys(filter(None, map(model_of, branch.exchanges))))[:1]
        facts = [f"{count:,} turn{'' if count == 1 else 's'}", *(one_line(visible(model), _TITLE) for model in models)]
        title = one_line(past.name_of(branch), _TITLE) or first_words(typed(branch.exchanges[0].user), _TITLE)
        found.append([branch.id, title, " · ".join(facts), past.recorder.root(branch)])
    return found


def _whole(text: str, live: Live | None) -> tuple[str, ...]:
    if live is None or not live.completed(text):
        return (drawn(text),)
    return (*live.finished, live.tail)


_NOTHING: dict[str, Any] = {
    "origin": "",
    "notes": [],
    "chips": [],
    "said": [],
    "failed": [],
    "wait": 0,
    "foot": "",
    "figures": [],
    "model": "",
    "bar": [],
    "reasoning": "",
    "tools": [],
    "way": [0, 1, ""],
    "source": "",
    "status": "",
    "kept": {},
}


def _asked(user: Message) -> dict[str, Any]:
    prompt = typed(user)
    return {
        "prompt": visible(prompt),
        "sent": "" if prompt == user.content else visible(user.content),
        "images": [visible(image.label) for image in user.images],
        "thumbs": [list(thumbnail(image)) for image in user.images],
    }


def _differ_in(several: Sequence[Branch], place: int, exchange: Exchange) -> str:
    """Return what tells the ways apart that go on from one place: answers, questions, or some of both."""
    depth = next((n for n, e in enumerate(several[place].exchanges) if e.id == exchange.id), None) if several else None
    if depth is None:
        return ""
    asked = [branch.exchanges[depth].user for branch in several]
    questions = {(user.content, len(user.images)) for user in asked}
    return {1: "Answer version", len(several): "Question version"}.get(len(questions), "Version")


def _exchange_fields(exchange: Exchange, way: tuple[int, int, str]) -> dict[str, Any]:
    return {
        **_asked(exchange.user),
        **_NOTHING,
        "origin": "cell" if exchange.cell_id else "",
        "state": "partial" if exchange.partial else "done",
        **_notices(exchange),
        "foot": with_chip(quiet_line(exchange, timed=streaming_wanted()), exchange.notices),
        "figures": answer_figures(exchange, timed=streaming_wanted()),
        "model": visible(model_of(exchange)),
        "reasoning": drawn(exchange.reasoning) if exchange.reasoning.strip() else "",
        "tools": _tools(exchange),
        "way": list(way),
        "source": said(exchange),
        "kept": kept(exchange),
    }


def _tools(exchange: Exchange) -> list[list[str]]:
    calls = {call.id: call for message in exchange.replies for call in message.tool_calls}
    return [
        [visible(calls[m.tool_call_id].name), visible(calls[m.tool_call_id].arguments), visible(m.content)]
        for m in exchange.replies
        if m.role == "tool" and m.tool_call_id in calls
    ]


def _notices(exchange: Exchange) -> dict[str, Any]:
    notices = beside_chip(exchange.notices)
    line = quiet_line(exchange, timed=streaming_wanted())
    grey = with_chip(line, exchange.notices).removeprefix(line).split(" · ")
    why = " ".join(visible(notice) for notice in exchange.notices if notice not in notices)
    told = noticed(notices, [(word, why) for word in grey if word], sent_of(exchange.user.cuts))
    empty = not said(exchange)
    refused = next((notice for notice in told["notes"] if empty and notice.startswith(REFUSED)), None)
    return told if refused is None else {**told, "failed": [refused, REFUSED_NEXT]}


def _status(run: Run) -> dict[str, Any]:
    """Return how a run stands: a line, and the seconds it has waited and written, in percent of a clock."""
    if run.completion is None or run.plan is None:
        return {"status": "preparing"}
    seconds = int(run.completion.seconds)
    waited = f", {seconds} s" if seconds else ""
    model = run.plan.request.model.id
    first = run.completion.seconds if run.completion.first_token is None else run.completion.first_token
    clock = CLOCK
    while clock < seconds:
        clock *= 2
    share = [0, *(round(100 * part / clock) for part in (min(first, seconds), max(0.0, seconds - first)))]
    return {"status": plain(f"{model}: {run.completion.state}{waited}"), "model": visible(model), "bar": share}


def _failed(run: Run) -> Item:
    what, _, following = visible(run.failure or "").partition(" Next: ")
    fields = {
        **_asked(run.user),
        **_NOTHING,
        "state": "failed",
        "notes": [visible(run.failure or "")],
        "failed": [what, f"Next: {following}" if following else ""],
        "wait": ceil(run.seconds_to_wait),
        "model": visible(run.plan.request.model.id) if run.plan is not None else "",
    }
    return Item(run.id, fields)
