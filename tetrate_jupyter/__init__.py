"""Many language models from one notebook, through the Tetrate Agent Router Service.

`%load_ext tetrate_jupyter` in a notebook; `from tetrate_jupyter import session` in Python code.
"""

from __future__ import annotations

__version__ = "0.1.0"
