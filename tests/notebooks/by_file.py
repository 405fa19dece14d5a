"""A plugin for nbval's run: its kernels are spoken to by files, as those of all other tests."""

from __future__ import annotations

import nbval.kernel

from tests.kernels import ByFile

nbval.kernel.KernelManager = ByFile
