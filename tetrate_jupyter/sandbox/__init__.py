"""The sandbox router: a real HTTP server on loopback that behaves as the service is known to.

It serves demos, classrooms and tests, and is public: `from tetrate_jupyter.sandbox import SandboxRouter`.
"""

from tetrate_jupyter.sandbox.faults import FAULT_KINDS, Fault, FaultKind, Route
from tetrate_jupyter.sandbox.log import LoggedRequest
from tetrate_jupyter.sandbox.oddities import ODD_KINDS
from tetrate_jupyter.sandbox.router import INSTANT, SandboxRouter

__all__ = [
    "FAULT_KINDS",
    "INSTANT",
    "ODD_KINDS",
    "Fault",
    "FaultKind",
    "LoggedRequest",
    "Route",
    "SandboxRouter",
]
