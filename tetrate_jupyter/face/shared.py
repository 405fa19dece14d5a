"""The one session that magics, panels and Python code share."""

from __future__ import annotations

from tetrate_jupyter.engine.proposing import take, told_before
from tetrate_jupyter.face.session import Session

session = Session()
session.account.be_everybodys()
if told := told_before():  # a page may have sent settings before the running cell
    take(session, told)
