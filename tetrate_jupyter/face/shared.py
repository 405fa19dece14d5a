"""The one session that magics, panels and Python code share."""

from __future__ import annotations

from tetrate_jupyter.face.session import Session

session = Session()
session.account.be_everybodys()
