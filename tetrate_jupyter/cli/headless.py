"""A notebook run top to bottom in a real kernel, printed as a person would see it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from tetrate_jupyter.types import JSONObject

CELL_TIMEOUT: Final = 120  # seconds; the sandbox answers in a few
START_TIMEOUT: Final = 60.0  # seconds for the kernel to be there
STOP_TIMEOUT: Final = 10.0  # seconds for an interrupted run to end its kernel
_SOCKET_NAME: Final = 90  # bytes of a socket's name: systems take 103 or 107, and some are added to ours
_LOOK: Final = 0.1  # seconds between two looks: an untimed wait can't be interrupted on Windows


def run_notebook(notebook: JSONObject, environment: Mapping[str, str], *, cell_timeout: float = CELL_TIMEOUT) -> int:
    """Run all cells; print each with its outputs as it ends. Return 0, or 1 where a cell failed.

    `cell_timeout`: seconds that a cell may take. Raises `ConfigError` when there is no kernel to run them.
    """
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    node = nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]  # typed in part
    try:
        with TemporaryDirectory(prefix="tetrate-") as folder:
            kernel = AsyncKernelManager(kernel_name="python3", **_by_file(folder))
            client = NotebookClient(node, km=kernel, timeout=cell_timeout)
            client.on_cell_start = _show_source
            client.on_cell_executed = _show_outputs
            _run(client, _execute(client, environment))
    except CellExecutionError:
        return _stopped("The run stopped at the cell above.")
    except CellTimeoutError:
        return _stopped(f"The cell above took more than {cell_timeout:g} s; the run stopped there.")
    except DeadKernelError:
        return _stopped("The kernel died in the cell above; the run stopped there.")
    except (NoSuchKernel, RuntimeError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # nobody reads what we print
            raise
        raise ConfigError(
            f"The notebook's kernel could not be started: {error}", next_step="python -m ipykernel install --sys-prefix"
        ) from None
    return 0


def _by_file(folder: str) -> dict[str, str]:
    """Return options for a kernel that is spoken to by files in `folder`, which is its owner's alone.

    Everybody on a machine can knock at a kernel's ports, and a port that was free can be another's by the time the
    kernel wants it. Windows has ports only, and so has a folder whose name is too long for a socket's.
    """
    connection = Path(folder) / "kernel.json"
    if os.name != "posix" or len(os.fsencode(connection)) > _SOCKET_NAME:
        return {}
    return {"transport": "ipc", "connection_file": str(connection)}


async def _execute(client: Any, environment: Mapping[str, str]) -> None:  # noqa: ANN401 - nbclient is untyped
    """Run all cells in a kernel that is ours to kill."""
    quiet = ["--log-level=ERROR"]  # else a warning about loopback traffic comes before the notebook
    history = ["--HistoryManager.hist_file=:memory:"]  # the person's own is for what they typed
    try:
        await client.km.start_kernel(extra_arguments=[*quiet, *history], env=dict(environment))
        client.kc = client.km.client()
        client.kc.start_channels()
        client.kc.allow_stdin = False
        await client.kc.wait_for_ready(timeout=START_TIMEOUT)
        await client.async_execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        await client.km.shutdown_kernel(now=True)


def _run(client: Any, work: Coroutine[Any, Any, object]) -> None:  # noqa: ANN401 - nbclient is untyped
    """Run on a loop in a thread of its own, where nbclient leaves the signals to us.

    An interrupt kills the kernel and lets nbclient notice: cancelled in the middle, it can hang or abort.
    """
    ended: list[BaseException | None] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def serve() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
            ended.append(None)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            ended.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=serve, name="tetrate-notebook", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_LOOK)
    except BaseException:
        deadline = time.monotonic() + STOP_TIMEOUT
        while thread.is_alive() and time.monotonic() < deadline:
            process = getattr(client.km.provisioner, "process", None)  # none while it is being started
            if process is not None:
                process.kill()
            thread.join(_LOOK)
        raise
    if ended[0] is not None:
        raise ended[0]


def _stopped(why: str) -> int:
    print(f"\n{why}", file=sys.stderr)
    return 1


def _show_source(cell: Any, **_: Any) -> None:  # noqa: ANN401 - a notebook node
    if cell.cell_type == "markdown":
        print(f"\n{cell.source}", flush=True)
    else:
        print("\n" + "\n".join(f"  | {line}" for line in cell.source.splitlines()), flush=True)


def _show_outputs(cell: Any, **_: Any) -> None:  # noqa: ANN401 - a notebook node
    for text in _texts(cell.get("outputs", [])):
        print(text.rstrip(), flush=True)


def _texts(outputs: Any) -> Iterator[str]:  # noqa: ANN401 - notebook nodes
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            yield output["text"]
        elif kind == "error":
            yield "\n".join(output["traceback"])
        else:
            data = output["data"]
            yield "[picture]" if "image/png" in data else data.get("text/plain", "")
