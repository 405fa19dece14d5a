"""Let a one-line question end with "?": IPython takes `%tetrate why?` for a request for help about `why`."""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import EscapedCommand

if TYPE_CHECKING:
    from tokenize import TokenInfo

_INDENTS = {tokenize.INDENT, tokenize.DEDENT}


class Question(EscapedCommand):
    """A line that begins with `%tetrate` and has words; `%tetrate?` stays a request for help."""

    priority = 4  # before IPython's help (5), which would win over a magic (10)

    @classmethod
    def find(cls, tokens_by_line: list[list[TokenInfo]]) -> Question | None:
        """Find the first such line of a cell."""
        for line in tokens_by_line:
            tokens = [token for token in line if token.type not in _INDENTS][:3]
            if [token.string for token in tokens[:2]] == ["%", "tetrate"] and tokens[-1].string != "?":
                return cls(tokens[0].start)
        return None
