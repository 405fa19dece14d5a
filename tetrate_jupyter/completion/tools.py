"""A person's functions as tools: described to the model, called at its request, their results as bounded text."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import dataclasses
import difflib
import enum
import inspect
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.completion.cuts import Described, shortened
from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.completion.foreign import name_of, text_of
from tetrate_jupyter.completion.images import is_image
from tetrate_jupyter.completion.nested import ValueWriter, said
from tetrate_jupyter.completion.tool_specs import BadArgumentsError, Tool
from tetrate_jupyter.completion.values import short_repr
from tetrate_jupyter.errors import SecretInPromptError, ToolDefinitionError
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.types import Cut, ToolResult

if TYPE_CHECKING:
    from tetrate_jupyter.types import JSONObject, ToolCall

MAX_RESULT: Final = 20_000  # characters, about 5,700 tokens, which each later round of the answer pays for again
MAX_TOOLS: Final = 128  # the API's own limit
_RUNNING: Final[set[asyncio.Task[Any]]] = set()  # a task without a reference may be collected before it ends


class Toolbox:
    """The tools of one request. `specs` is the request's `tools` field."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self.specs: list[JSONObject] = [tool.spec for tool in tools]

    @staticmethod
    def of(functions: object) -> Toolbox:
        """Return the toolbox of one function or of several, plain or async, methods included; duplicates count once.

        Raises `ToolDefinitionError` where a function can't be described, two share a name, or there are too many.
        """
        if isinstance(functions, Toolbox):
            return functions
        several = list(functions) if isinstance(functions, Iterable) else [functions]
        found: dict[str, Tool] = {}
        for function in several:
            tool = Tool.of(function)
            if tool.name in found and found[tool.name].function != function:
                raise ToolDefinitionError(
                    f"Two tools are called {tool.name}.", next_step="rename one: a model calls them by name"
                )
            found[tool.name] = tool
        if len(found) > MAX_TOOLS:
            raise ToolDefinitionError(
                f"{len(found)} tools are too many: the API takes {MAX_TOOLS}.", next_step="pass only those it needs"
            )
        return Toolbox(list(found.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """The tools' names, in their order."""
        return tuple(self._tools)

    @property
    def identity(self) -> tuple[tuple[JSONObject, str], ...]:
        """What identifies these tools: the spec and the source of each, "" where there is no source."""
        return tuple((tool.spec, _source(tool.function)) for tool in self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    async def call(self, call: ToolCall) -> ToolResult:
        """Run the function that the model calls. Never raises because of the tool itself.

        A plain function runs in a thread of its own, so it may block and may ask a model itself; an async one runs on
        this loop. Both see the caller's context variables. A wrong name or wrong arguments are reported to the model,
        which can correct them; if the function raised, `raised` holds its error. Cancelling returns at once: an async
        function is cancelled as well; a thread can't be stopped and ends by itself.
        """
        started = time.monotonic()
        tool = self._tools.get(call.name)
        if tool is None:
            return _refused(call, self._unknown(call.name), started)
        try:
            positional, keywords = tool.bind(call.arguments)
        except BadArgumentsError as problem:
            return _refused(call, str(problem), started)
        run = _on_loop if tool.is_async else _in_thread
        outcome = await run(tool, positional, keywords)
        if outcome.error is None and _is_awaitable(outcome.value):  # from a plain function that wraps an async one
            outcome = await _awaited(outcome.value)
        seconds = time.monotonic() - started
        if outcome.error is not None:
            message = f"{name_of(outcome.error)}: {text_of(outcome.error)}"
            return ToolResult(call, whole(f"Error: {message}"), seconds, error=message, raised=outcome.error)
        result = described_result(outcome.value, call.name)
        return ToolResult(call, whole(result.text), seconds, cuts=result.cuts)

    def _unknown(self, name: str) -> str:
        name = name[: config.MAX_CALL_NAME]  # comparing takes quadratic time
        near = difflib.get_close_matches(name, self._tools, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"There is no tool {name[:64]!r}.{hint} The tools are: {', '.join(self._tools)[:1_000] or 'none'}."


def _source(function: object) -> str:
    try:
        return inspect.cleandoc(inspect.getsource(function))  # type: ignore[arg-type]  # else TypeError
    except (OSError, TypeError, SyntaxError):
        return ""


def described_result(value: object, name: str) -> Described:
    """Return the result of the tool `name` as text: a string unchanged, a table as a table, else JSON, else the repr.

    At most about `MAX_RESULT` characters, with a note where it was cut; never empty, which the router would refuse. No
    number is rounded. Never raises: if the object's own text raises, its class is named.
    """
    try:
        return _written(value, name)
    except SecretInPromptError:
        return Described("[withheld: it holds an API key]")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a person's class raises, SystemExit included
        return Described(f"<{name_of(value)} whose text raised {name_of(error)}>")


def _written(value: object, name: str) -> Described:
    if is_image(value):
        return Described("[an image; a tool can only give back text]")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Described(f"[{len(value):,} bytes; a tool can only give back text]")
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return _bounded(str.__str__(value), name)
    try:
        return _as_json(value, name)
    except SecretInPromptError:
        raise
    except Exception:  # noqa: BLE001 - falls back to the repr, which can't raise here
        return _bounded(short_repr(value, MAX_RESULT * 100), name)


def _bounded(text: str, name: str) -> Described:
    if len(text) <= MAX_RESULT:
        return Described(text or "(empty)")
    kept = shortened(text, MAX_RESULT + 1).removesuffix("…")
    cut = Cut(name, "characters", len(kept), len(text))
    return Described(f"{kept}\n[cut here: the first {cut.sent:,} of {cut.of:,} characters]", (cut,))


def _as_json(value: object, name: str) -> Described:
    if type(value).__module__.partition(".")[0] in {"pandas", "numpy", "polars", "pyarrow"}:
        return described(value, name)
    writer = ValueWriter(name, MAX_RESULT, is_compact=True, hook=_as_data)
    text = writer.text(value)
    if text.startswith('"') and not writer.cuts:  # a lone date or object needs no quotes
        text = str(msgspec.json.decode(text))
    return Described(text + said(writer.cuts), writer.cuts)


def _as_data(value: object, path: str) -> object:
    """Return an object as JSON-compatible data, as msgspec and pydantic do, or else its description."""
    dump = getattr(value, "model_dump", None)  # pydantic
    if callable(dump):
        return dump(mode="json")
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return described(value, path)


# --- running -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outcome:
    """What a function returned or raised; a value, since SystemExit in a task would stop the whole loop."""

    value: object = None
    error: BaseException | None = None


def _is_awaitable(value: object) -> bool:
    try:
        return inspect.isawaitable(value)
    except Exception:  # noqa: BLE001 - an object may compute its `__class__`, and raise in doing so
        return False


async def _on_loop(tool: Tool, positional: list[Any], keywords: dict[str, Any]) -> _Outcome:
    async def work() -> object:
        return await tool.function(*positional, **keywords)  # called here, so that an error of the call counts, too

    return await _awaited(work())


async def _awaited(awaitable: Any) -> _Outcome:  # noqa: ANN401 - any awaitable
    """Await it in a task of its own, so that one that ignores its cancellation can't block us."""
    task = asyncio.ensure_future(_kept(awaitable))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.cancelled():
        return _Outcome(error=asyncio.CancelledError("the tool cancelled itself"))
    return task.result()


async def _kept(awaitable: Any) -> _Outcome:  # noqa: ANN401 - any awaitable
    try:
        return _Outcome(await awaitable)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - passed to the caller as a value
        return _Outcome(error=error)


async def _in_thread(tool: Tool, positional: list[Any], keywords: dict[str, Any]) -> _Outcome:
    """Run it in a daemon thread: a pool's threads are joined when the kernel exits, and this one may never end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Outcome] = loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            outcome = _Outcome(context.run(tool.function, *positional, **keywords))
        except BaseException as error:  # noqa: BLE001 - passed to the caller as a value
            outcome = _Outcome(error=error)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile; nobody waits any more
            loop.call_soon_threadsafe(_deliver, done, outcome)

    threading.Thread(target=work, name=f"tetrate-tool-{tool.name}", daemon=True).start()
    return await done


def _deliver(done: asyncio.Future[_Outcome], outcome: _Outcome) -> None:
    if not done.done():  # cancelled: nobody waits for the result
        done.set_result(outcome)


def _refused(call: ToolCall, message: str, started: float) -> ToolResult:
    return ToolResult(call, f"Error: {message}", time.monotonic() - started, error=message)
