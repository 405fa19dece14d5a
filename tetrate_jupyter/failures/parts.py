"""The parts of what is sent about an error, each with a name and a few words for who has to agree to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TASK: Final = "task"  # the part that isn't about the notebook


@dataclass(frozen=True)
class Part:
    """One part: `name` ("cell 3"), `note` ("3 lines"), and the `text` that is sent of it."""

    name: str
    note: str
    text: str


@dataclass(frozen=True)
class Sent:
    """What is sent about an error: the parts, `str()` of it all of their text as the model gets it."""

    parts: tuple[Part, ...]

    @property
    def summary(self) -> str:
        """The parts by name, in one line: "cell 3 (3 lines), traceback (7 lines), ..."."""
        told = (part for part in self.parts if part.name != TASK)
        return ", ".join(f"{part.name} ({part.note})" if part.note else part.name for part in told)

    def __str__(self) -> str:
        return "\n\n".join(part.text for part in self.parts)
