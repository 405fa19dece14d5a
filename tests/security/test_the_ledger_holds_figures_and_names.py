"""The ledger holds figures and names: no prompt, no answer, no key; its files are their owner's alone."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tests import at_rest

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session


def test_no_text_and_no_key_is_in_it(session: Session) -> None:
    session.ask("What is a flabbergast?", system="Be a gobbledegook.")
    folder = session.book.folder
    assert folder is not None
    files = at_rest.files(folder)
    written = b"".join(path.read_bytes() for path in files)
    assert b"claude-haiku-4-5" in written
    for word in (b"flabbergast", b"gobbledegook", b"simulated answer", b"sk-sandbox-"):
        assert word not in written
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
