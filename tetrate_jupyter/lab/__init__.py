"""What a page's own part (`labextension/`) sees of a kernel: how the session stands, and panels docked beside it.

The kernel only puts itself where a page that knows of it can find it: a comm that is in the kernel's list and was never
announced. Other front ends get no message of it. All else is imported once a page has said hello.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import front_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.engine.engine import Engine

TARGET: Final = "tetrate.session"

_session: Callable[[], Engine] | None = None


def session() -> Engine:
    """Return the session that this kernel shows. Raises `InputError` where the extension isn't loaded."""
    if _session is None:
        from tetrate_jupyter.errors import InputError

        raise InputError("tetrate_jupyter isn't loaded.", next_step="%load_ext tetrate_jupyter")
    return _session()


def be_found(kernel: Any, shared: Callable[[], Engine]) -> Callable[[], None]:  # noqa: ANN401 - kernels share no type
    """Let pages find `shared`, which is called at their first word; returns what ends that. Nothing is sent."""
    global _session  # noqa: PLW0603 - of one kernel, as the manager of its comms is
    if getattr(kernel, "comm_manager", None) is None:
        return lambda: None
    from comm import create_comm

    _session = shared
    comm = create_comm(target_name=TARGET, primary=False)
    front_end.hear_where_sent(comm)
    kernel.comm_manager.register_comm(comm)

    def heard(message: dict[str, Any]) -> None:
        from tetrate_jupyter.lab.link import hear

        hear(comm, shared, message)

    comm.on_msg(heard)

    def end() -> None:
        global _session  # noqa: PLW0603 - likewise
        _session = None
        from tetrate_jupyter.lab.link import drop

        drop(comm)
        comm.close()

    return end
