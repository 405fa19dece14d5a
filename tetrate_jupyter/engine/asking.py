"""From a question to an answer that is kept: the request resolved and checked, run, recorded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tetrate_jupyter import config
from tetrate_jupyter.catalog.estimate import Estimate, cost
from tetrate_jupyter.completion.answer import Answer, beside_error
from tetrate_jupyter.completion.request import (
    Options,
    Request,
    estimate_prompt_tokens,
    fitted,
    refuse_other,
    without_output_images,
)
from tetrate_jupyter.completion.run import Completion
from tetrate_jupyter.engine.keeping import is_worth_keeping, kept_of, key_for
from tetrate_jupyter.errors import EmptyPromptError, TetrateError
from tetrate_jupyter.ledger.window import Entry
from tetrate_jupyter.types import Message, Model, Timing, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.catalog.service import Catalog
    from tetrate_jupyter.conversation import Conversation, Turn
    from tetrate_jupyter.engine.keeping import Keeping, Recalled
    from tetrate_jupyter.http.client import GatewayClient
    from tetrate_jupyter.ledger.window import Ledger
    from tetrate_jupyter.secret import Secret
    from tetrate_jupyter.types import Cut, Event

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What `session.ask` was given, before anything is resolved. See `Session.ask` for each part."""

    prompt: str
    model: str | None = None
    system: str | None = None
    images: tuple[object, ...] = ()
    schema: object = None
    tools: tuple[Callable[..., object], ...] = ()
    keep: bool = True
    cell_id: str | None = None
    replaces: str | None = None  # an exchange of the current branch, which this question asks differently
    typed: str | None = None  # the prompt as written, where variables were put into it
    cuts: tuple[Cut, ...] = ()  # what was left out of those variables
    options: Options = field(default_factory=Options)
    keeping: Keeping | None = None  # how it uses kept answers, None where it doesn't


@dataclass(frozen=True)
class Plan:
    """What would be sent, and what it is likely to weigh.

    `prompt_tokens` is estimated. `cost` is the estimate for the prompt alone, `worst_cost` with the whole output cap
    written; each is None where the price is unknown. `key` tells the question among kept answers, "" where it uses
    none; `recalled` is the kept answer that stands for asking; `chosen`: nobody has named the model.
    """

    request: Request
    turn: Turn
    keep: bool
    prompt_tokens: int
    output_cap: int
    keeping: Keeping | None = None
    key: str = ""
    recalled: Recalled | None = None
    chosen: bool = False

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """What of the prompt's variables would not be sent."""
        return self.request.messages[-1].cuts

    @property
    def cost(self) -> Estimate:
        """The prompt's part."""
        return cost(self.request.model, Usage(self.prompt_tokens, 0))

    @property
    def worst_cost(self) -> Estimate:
        """With the whole output cap written."""
        return cost(self.request.model, Usage(self.prompt_tokens, self.output_cap))


def question(prompt: str, options: Mapping[str, Any], *, system: str | None) -> Question:
    """Sort what `Session.ask` was given into a `Question`. `system` is the session's own, used where none is given."""
    rest = dict(options)
    refuse_other("The prompt", prompt, (str,), 'give a text: session.ask("...")')
    refuse_other("model", rest.get("model"), (str, type(None)), 'give a model\'s id: model="claude-haiku-4-5"')
    refuse_other("system", rest.get("system"), (str, type(None)), "give a text")
    tools = rest.pop("tools", None) or ()
    refuse_other("tools", tools, (Iterable,), "give a list of functions: tools=[look_up]")
    images = rest.pop("images", ())
    known = Options(rest.pop("temperature", None), rest.pop("max_tokens", None), rest.pop("effort", None))
    found = Question(
        prompt=prompt,
        model=rest.pop("model", None),
        system=rest.pop("system", None) or system,
        images=tuple(images) if isinstance(images, (list, tuple)) else (images,),
        schema=rest.pop("schema", None),
        tools=tuple(tools),
        keep=rest.pop("keep", True),
        cell_id=rest.pop("cell_id", None),
        replaces=rest.pop("replaces", None),
        typed=rest.pop("typed", None),
        cuts=tuple(rest.pop("cuts", ())),
        options=known,
    )
    return replace(found, options=replace(known, extra=rest)) if rest else found


def plan(question: Question, model: Model, conversation: Conversation) -> Plan:
    """Resolve a question into a checked request. Raises the `InputError` family; nothing is sent.

    One that holds a key is refused here, so that it is shown nowhere and kept nowhere.
    """
    from tetrate_jupyter.http.gate import outgoing

    if not question.prompt.strip() and not question.images:
        raise EmptyPromptError("The prompt is empty.", next_step="ask something")
    schema, toolbox, system = _described(question, model)
    user, unseen = without_output_images(_user_message(question), model)
    before = conversation.branch.id
    if question.replaces is None:
        turn = conversation.begin(cell_id=question.cell_id, system=system)
    else:
        turn = conversation.edit(question.replaces, system=system)
    try:
        earlier, left_out = fitted(turn.messages, model)
        notes = (*turn.left_out, *left_out, *unseen)
        request = Request(model, (*earlier, user), question.options, schema, toolbox, notes)
        outgoing(request.body())
    except BaseException:
        _switch_back(conversation, turn, before)
        raise
    cap = question.options.max_tokens or model.max_output_tokens or config.DEFAULT_MAX_OUTPUT
    return _with_key(
        Plan(request, turn, question.keep, estimate_prompt_tokens(request), cap, question.keeping), question
    )


def _with_key(planned: Plan, question: Question) -> Plan:
    """Return the plan with its key among kept answers, where it uses those. The request was searched for secrets."""
    keeping, request = planned.keeping, planned.request
    if keeping is None:
        return planned
    earlier = planned.turn.messages
    if earlier and earlier[0].role == "system":  # with a hint for models that know no schema: not the person's own
        earlier = earlier[1:]
    asked = (*earlier, request.messages[-1])
    key = key_for(keeping, request, system=question.system, messages=asked)
    return replace(planned, key=key)


async def planned_aside(
    question: Question, model: Model, conversation: Conversation, *, then: Callable[[Plan], Plan] | None = None
) -> Plan:
    """Make a plan in a thread: images and tools take long to prepare, and other answers stream meanwhile. See `plan`.

    `then` is called with the plan in the same thread.
    Cancelling it leaves the conversation where it was, also where the thread ends only afterwards.
    """
    before = conversation.branch.id

    def work() -> Plan:
        planned = plan(question, model, conversation)
        return planned if then is None else then(planned)

    planning = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(planning)
    except asyncio.CancelledError:
        planning.add_done_callback(lambda _: _undo(planning, conversation, before))
        raise


def _undo(planning: asyncio.Future[Plan], conversation: Conversation, before: str) -> None:
    if not planning.cancelled() and planning.exception() is None:
        _switch_back(conversation, planning.result().turn, before)


def _switch_back(conversation: Conversation, turn: Turn, branch: str) -> None:
    """Make `branch` current again, unless somebody has chosen another one meanwhile."""
    if conversation.branch.id == turn.branch.id:
        with contextlib.suppress(TetrateError):  # among very many branches, this one may have been forgotten
            conversation.switch(branch)


def _described(question: Question, model: Model) -> tuple[Any, Any, str | None]:
    schema = toolbox = None
    system = question.system
    if question.schema is not None:
        from tetrate_jupyter.completion.schema import Schema

        schema = Schema.of(question.schema)
        if not model.structured_output:  # unknown too: the words do no harm beside a response_format
            system = f"{system}\n\n{schema.prompt_hint}" if system else schema.prompt_hint
    if question.tools:
        from tetrate_jupyter.completion.tools import Toolbox

        toolbox = Toolbox.of(question.tools)
    return schema, toolbox, system


def _user_message(question: Question) -> Message:
    if not question.images:
        return Message("user", question.prompt, typed=question.typed, cuts=question.cuts)
    from tetrate_jupyter.completion.images import load_image
    from tetrate_jupyter.types import Image

    loaded = tuple(i if isinstance(i, Image) else load_image(i) for i in question.images)
    return Message("user", question.prompt, images=loaded, typed=question.typed, cuts=question.cuts)


class Asker:
    """Runs plans and records what came of them. `last` is the newest answer, whole or partial."""

    def __init__(self, catalog: Catalog, conversation: Conversation, ledger: Ledger) -> None:
        self._catalog = catalog
        self._conversation = conversation
        self._ledger = ledger
        self.last: Answer | None = None

    def completion(
        self,
        planned: Plan,
        on_event: Callable[[Event], None] | None = None,
        *,
        limit: int = config.MAX_ANSWER_CHARACTERS,
    ) -> Completion:
        """Return the planned request ready to run, whose text can be read meanwhile. `limit`: its characters."""
        asked = planned.request.model.id

        def price(answered: str, usage: Usage) -> Estimate:
            return cost(self._catalog.billed(asked, answered), usage)

        return Completion(planned.request, price=price, on_event=on_event, limit=limit)

    def recall(self, planned: Plan, completion: Completion) -> Answer:
        """Return the kept answer of a plan instead of asking. It costs nothing, so the ledger doesn't count it."""
        assert planned.recalled is not None  # noqa: S101 - narrows the type; the caller has looked
        answer = completion.recall(planned.recalled.answer, planned.recalled.replies)
        self._record(planned, completion, answer, None)
        return answer

    async def run(self, planned: Plan, completion: Completion, client: GatewayClient, key: Secret) -> Answer:
        """Run and record. What came before a failure or a stop is kept, marked as partial."""
        try:
            answer = await completion.run(client, key)
        except TetrateError as error:
            partial = completion.answer(partial=type(error).__name__)
            self._record(planned, completion, partial, error)
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._record(planned, completion, completion.answer(partial="stopped"), None)
            raise
        try:
            answer = await self._kept(planned, completion, answer)
        finally:
            self._record(planned, completion, answer, None)
        return answer

    async def _kept(self, planned: Plan, completion: Completion, answer: Answer) -> Answer:
        """Keep an answer where the question asks for that, and wait until it is on disk. A problem becomes a notice."""
        if planned.keeping is None or not is_worth_keeping(answer):
            return answer
        store, heard = planned.keeping.store, completion.heard
        try:
            kept = kept_of(answer, heard, planned.key, chosen=planned.chosen)
            await asyncio.shield(asyncio.to_thread(store.put, kept))
        except Exception:  # noqa: BLE001 - no answer is lost since it can't be kept
            _log.warning("an answer could not be kept", exc_info=True)
        told = store.told()
        return replace(answer, notes=(*answer.notes, *told)) if told else answer

    def _record(self, planned: Plan, completion: Completion, answer: Answer, error: TetrateError | None) -> None:
        came = bool(answer.text or answer.reasoning or answer.tool_results or answer.refusal)
        if came:
            self.last = answer
        whole = answer.partial is None
        entry = Entry(
            asked=answer.model_asked,
            answered=answer.model if came or whole else None,
            usage=answer.usage,
            cost=Decimal(0) if answer.cached else answer.cost,
            timing=Timing(None, completion.seconds) if answer.cached else answer.timing,
            request_id=answer.request_id,
            outcome="done" if whole else "partial" if came else "failed",
            error=type(error).__name__ if error else None,
            ignored=completion.ignored,
        )
        try:
            if not answer.cached:
                self._ledger.record(entry)
        except Exception:  # noqa: BLE001 - a ledger of one's own may write somewhere; no answer is lost for its sake
            _log.warning("what a question cost could not be noted", exc_info=True)
        if planned.keep and came:
            self._conversation.add(
                planned.turn,
                planned.request.messages[-1],
                completion.heard,
                partial=not whole,
                entry=entry,
                reasoning=answer.reasoning,
                notices=answer.notices if error is None else (*beside_error(answer.notices), error.advice),
            )
