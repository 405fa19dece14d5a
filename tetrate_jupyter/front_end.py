"""What is there to show things: a terminal, a notebook with a person before it, or a run that nobody watches.

No kernel is told what its front end can do. What it can see is the message it answers:

| front end | message id | cell id | takes input | display updates |
|---|---|---|---|---|
| JupyterLab, Notebook 7, VS Code, Colab | its own | yes | yes | shown |
| other pages (nbclassic, Emacs, Positron) | its own | some | yes | shown |
| `jupyter console`, qtconsole, Spyder, euporie 2.10 | jupyter_client's | no | yes | not shown |
| `jupyter run`, `execute_interactive` of jupyter_client | jupyter_client's | no | as asked for | not shown |
| nbclient, papermill, nbconvert, Voila's first run | jupyter_client's | no | no | kept |
| nbval | jupyter_client's | no | no | can't be compared |

So a message of jupyter_client without a cell id is no proof that updates are shown: a person there gets text as a
terminal does, which every front end prints, and a run that takes no input one final output.
`TETRATE_JUPYTER_STREAM=on` is the word of a person who knows better.

Where the person's browser is can't be seen at all; what the machine is may say it (`hosted_elsewhere`, and
`likely_elsewhere` and `maybe_elsewhere`, which also take what is no proof).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal

from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MOST_BYTES = 100_000  # of a package.json; anywidget's has 2,000
_MOST_VERSION = 40  # characters
HOSTED_VARIABLES: Final = (  # set where a kernel runs on another machine than the browser
    "JUPYTERHUB_USER",  # JupyterHub, and Binder, which is one
    "COLAB_RELEASE_TAG",
    "KAGGLE_KERNEL_RUN_TYPE",
    "SAGEMAKER_INTERNAL_IMAGE_URI",
    "DATABRICKS_RUNTIME_VERSION",
    "SSH_CONNECTION",
)
# Where it is likely only: ports may be passed on to the person's machine.
# Each is set by the place itself, and its documents or the tools that run there say so. Not found for Azure ML (what is
# known is set in its jobs, not where its notebooks run) and for Hex: there the card asks after a while, as everywhere.
LIKELY_VARIABLES: Final = (
    "CODESPACES",  # "always true while in a codespace": GitHub's list of default variables
    "GITPOD_WORKSPACE_ID",  # Gitpod's list of default variables
    "VERTEX_PRODUCT",  # Colab Enterprise and Workbench of Vertex AI
    "DEEPNOTE_PROJECT_ID",
    "COCALC_PROJECT_ID",  # the README of CoCalc's project daemon
    "SAGEMAKER_APP_TYPE",  # SageMaker Studio, whose older images set SAGEMAKER_INTERNAL_IMAGE_URI
)
CONTAINER_VARIABLES: Final = (  # in a container, which may be on the person's own machine, with its ports
    "REMOTE_CONTAINERS",  # VS Code's Dev Containers
    "KUBERNETES_SERVICE_HOST",  # in each container of a pod, beside those of all other services: Kubernetes' documents
)
CONTAINER_FILES: Final = ("/.dockerenv", "/run/.containerenv")  # made by Docker and Podman; neither sets a variable
_ON = frozenset({"on", "1", "true", "yes"})
_OFF = frozenset({"off", "0", "false", "no"})
TOLD: Final = "_tetrate_page"  # of the shell; as in labextension/static/settings.js


def told_by_page() -> str:
    """Return what a page's own part has left on the shell before a cell loads the extension, "" for nothing."""
    told = getattr(_shell(), TOLD, "")
    return told if isinstance(told, str) else ""


def _shell() -> object:
    """Return IPython's shell, or None outside IPython, which isn't imported for it."""
    running = sys.modules.get("IPython.core.getipython")
    return running.get_ipython() if running is not None else None


def kernel() -> Any:  # noqa: ANN401 - ipykernel's or another's; its kinds share no type
    """Return the kernel that runs this code, or None in a terminal and outside IPython."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None)


def hear_where_sent(comm: Any) -> None:  # noqa: ANN401 - ipykernel's or another's
    """Have what a page says over this comm handled on the subshell that it was sent to.

    ipykernel 7.4 hands it to the subshell whose message was handled last when the comm spoke, from whatever thread, in
    order to answer a loop that asked. Ours ask nothing: a click would wait for the running cell where that was the main
    shell, and be lost where it was a subshell that has ended, as a page ends those of its own between two messages.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, sent_to: sent_to  # noqa: SLF001 - there is no other way


def fitting_anywidget() -> str:
    """Return what pip is to install where Jupyter runs, so that its pages show this kernel's panels; "" for nothing.

    A page takes panels of its own minor version only, as anywidget asks it to.
    """
    from importlib import metadata

    try:
        version = metadata.version("anywidget")
    except metadata.PackageNotFoundError:
        return ""
    release = version.split(".")
    is_whole = len(release) > 2 and release[2].isdigit()
    return f"anywidget~={release[0]}.{release[1]}.0" if is_whole else f"anywidget=={version}"


def served_anywidgets() -> tuple[str, ...]:
    """Return the versions of anywidget that a Jupyter of this environment gives its pages, the one that counts first.

    One that runs elsewhere, in another environment or on another machine, can't be seen from a kernel.
    """
    import json
    from pathlib import Path

    from jupyter_core.paths import jupyter_path

    found = []
    for folder in jupyter_path("labextensions"):
        with suppress(OSError, ValueError):
            with (Path(folder) / "anywidget" / "package.json").open("rb") as file:
                package = json.loads(file.read(_MOST_BYTES))
            version = package.get("version") if isinstance(package, dict) else None
            if isinstance(version, str):
                found.append(version[:_MOST_VERSION])
    return tuple(found)


def in_ipython() -> bool:
    """Whether IPython runs this code, so that magics can be typed."""
    from IPython.core.getipython import get_ipython

    return get_ipython() is not None


def place() -> Literal["terminal", "notebook", "unattended"]:
    """Return where this code runs.

    "terminal": text alone is shown, with a kernel (a console) or without. "unattended": a kernel that nobody can click
    in or type to (papermill, nbval).
    """
    running = kernel()
    if running is None:
        return "terminal"
    if config.in_voila():
        return "notebook"  # Voilà runs a notebook as papermill does, and then there is a person before it
    if not getattr(running, "_allow_stdin", True) or not streaming_wanted():
        return "unattended"
    return "notebook" if shows_updates() else "terminal"


def is_attended() -> bool:
    """Whether a person sees the running cell and act meanwhile: a notebook's page, but no first run of Voilà."""
    return place() == "notebook" and bool(getattr(kernel(), "_allow_stdin", True))


def shows_updates() -> bool:
    """Whether a display that is made now, in a kernel, is known to follow its updates; see the table above."""
    if _streaming() in _ON:
        return True
    try:
        asked = kernel().get_parent()
        header, metadata = asked["header"], asked["metadata"]
        own = f"{header['session']}_"  # jupyter_client counts its messages; pages draw a random id for each
        return "cellId" in metadata or "colab" in metadata or not str(header["msg_id"]).startswith(own)
    except Exception:  # noqa: BLE001 - another kind of kernel, whatever it raises; its front ends are pages
        return True


def hosted_elsewhere(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the person's browser is known to be on another machine: it can't come back to this one's loopback."""
    env = os.environ if environment is None else environment
    return any(env.get(name) for name in HOSTED_VARIABLES)


def likely_elsewhere(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the browser is known or likely to be on another machine: documented variables of hosted places alone."""
    env = os.environ if environment is None else environment
    return hosted_elsewhere(env) or any(env.get(name) for name in LIKELY_VARIABLES)


def maybe_elsewhere(environment: Mapping[str, str] | None = None, files: Sequence[str] | None = None) -> bool:
    """Whether the browser may not come back to this machine's loopback: likely elsewhere, or this is a container.

    `files`: those by which a container is told (`CONTAINER_FILES`). The browser is often on the same machine all the
    same: nothing is said of it before something may have gone wrong.
    """
    env = os.environ if environment is None else environment
    if likely_elsewhere(env) or any(env.get(name) for name in CONTAINER_VARIABLES):
        return True
    return any(os.path.exists(file) for file in (CONTAINER_FILES if files is None else files))  # noqa: PTH110 - pathlib costs more to load


def streaming_wanted() -> bool:
    """Whether the environment leaves streaming on (`TETRATE_JUPYTER_STREAM` is not "off")."""
    return _streaming() not in _OFF


def _streaming() -> str:
    return os.environ.get(config.STREAM_VARIABLE, "").strip().lower()


def publish(
    bundle: Mapping[str, object], *, display_id: str | None = None, update: bool = False, waits: bool = False
) -> None:
    """Publish a MIME bundle as an output of the running cell, or in the place of one that `display_id` names.

    `waits`: a person is awaited there, which JupyterLab's page is told beside it: a cell that waits hears no question.
    It is said again by no saved notebook.
    """
    from IPython.display import publish_display_data

    transient: dict[str, object] = {} if display_id is None else {"display_id": display_id}
    if waits:
        transient["tetrate_waits"] = True
    # metadata in each: kernels other than ipykernel (xeus-python) take no None for it
    publish_display_data(dict(bundle), metadata={}, transient=transient, update=update)  # type: ignore[no-untyped-call]  # IPython's


def namespace() -> Mapping[str, object]:
    """Return the notebook's variables; none outside IPython."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return {} if shell is None else dict(shell.user_ns)


def notebook() -> str | None:
    """Return the path of the notebook that this kernel belongs to, as its server or VS Code says it; None for none."""
    said = getattr(_shell(), "user_ns", {}).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return said if isinstance(said, str) and said else None


def on_cell_run(callback: Callable[[], None]) -> Callable[[], None]:
    """Call `callback` after each cell, on its thread; returns a function that stops it. Nothing outside IPython."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return lambda: None

    def after(_: object = None) -> None:
        callback()

    def stop() -> None:
        with suppress(ValueError):  # stopped before
            shell.events.unregister("post_run_cell", after)

    shell.events.register("post_run_cell", after)
    return stop
