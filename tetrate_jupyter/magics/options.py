"""Magic options, declared once: parsed with clear errors, shown by `%%tetrate?`, printed into docs/magics.md."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tetrate_jupyter import secrecy
from tetrate_jupyter.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_JSON = re.compile(r"[^\W\d]\w*=[\[{]")
Value: TypeAlias = "str | int | float | bool | list[str] | None"


@dataclass(frozen=True)
class Option:
    """One option of a magic.

    `value` is the placeholder of its value in help ("ID"), or None for a switch. `choices` are the only values it
    takes. `many`: may be given more than once. `is_param`: its value is NAME=VALUE, where JSON behind the = stays as it
    is, its quotes and spaces included.
    """

    names: tuple[str, ...]
    help: str
    value: str | None = None
    convert: Callable[[str], Value] = str
    choices: tuple[str, ...] = ()
    many: bool = False
    is_param: bool = False

    @property
    def key(self) -> str:
        """The name under which the parsed value is found: the long name, with underscores."""
        return self.names[-1].lstrip("-").replace("-", "_")

    @property
    def usage(self) -> str:
        """The option as help shows it: "-m, --model ID"."""
        return ", ".join(self.names) + (f" {self.value}" if self.value else "")


@dataclass(frozen=True)
class Command:
    """One magic: its name, what it is for, its options and what may follow them.

    `words` is the placeholder of the free text after the options, or None where none is taken; with `anywhere` options
    may stand after it, too (not where it `is_prompt`, which stays as typed). `example` is shown in help and docs.
    """

    name: str
    purpose: str
    options: tuple[Option, ...] = ()
    words: str | None = None
    example: str = ""
    anywhere: bool = False
    is_prompt: bool = False

    def parse(self, line: str) -> Parsed:
        """Read options from the start of `line`; what follows the last one is kept as typed (see `anywhere`).

        Raises `OptionError` for an unknown option (with the nearest names), a missing or unusable value, an unclosed
        quote, or words where none are taken; and for a key anywhere on the line but in a prompt, without repeating it.
        """
        try:
            parsed = self._parsed(line)
        except OptionError:
            if not secrecy.looks_secret(line, lenient=True):
                raise
        else:
            words = "" if self.is_prompt else parsed.words
            if not (parsed.holds_secret or secrecy.looks_secret(words, lenient=True)):
                return parsed
        raise self.secret_on_line()  # outside the handler: the other error quotes it

    def secret_on_line(self) -> OptionError:
        """Return the error for a key on the line, which isn't repeated."""
        return OptionError(
            f"A key does not belong on %{self.name}'s line: it would be saved in the notebook and in the history.",
            next_step=f"delete it from the cell, then {secrecy.SEEN}; %tetrate_login has a hidden field or prompt",
        )

    def _parsed(self, line: str) -> Parsed:
        values: dict[str, Value] = {}
        words: list[str] = []
        rest = line.strip()
        while rest != "-" and (rest.startswith("-") or (self.anywhere and rest)):
            if not rest.startswith("-"):
                word, _, rest = rest.partition(" ")
                words.append(word)
                rest = rest.lstrip()
                continue
            word, rest = self._first_word(rest)
            if word == "--":
                break
            name, equals, inline = word.partition("=")
            option = self._option(name)
            if option.value is None:
                if equals:
                    raise OptionError(f"{name} takes no value.", next_step=f"write {name} alone")
                values[option.key] = True
                continue
            if not equals:
                inline, rest = self._value(option, name, rest)
            self._store(values, option, name, inline)
        if rest and self.words is None:
            raise OptionError(f"%{self.name} takes no words, but got {rest!r}.", next_step=f"see %{self.name}?")
        return Parsed(values, " ".join([*words, *([rest] if rest else [])]) if words else rest)

    def _option(self, name: str) -> Option:
        for option in self.options:
            if name in option.names:
                return option
        known = [n for option in self.options for n in option.names if n.startswith("--")]
        from difflib import SequenceMatcher

        alike = sorted(((SequenceMatcher(None, each, name).ratio(), each) for each in known), reverse=True)
        near = [each for ratio, each in alike[:2] if ratio >= max(0.6, alike[0][0] - 0.1)]  # a far second is noise
        hint = f"did you mean {' or '.join(near)}?" if near else f"see %{self.name}? for its options"
        raise OptionError(f"%{self.name} has no option {name}.", next_step=hint)

    def _value(self, option: Option, name: str, rest: str) -> tuple[str, str]:
        if not rest:
            raise OptionError(f"{name} needs a value.", next_step=f"write {name} {option.value}")
        found = _with_json(rest) if option.is_param else None
        return found or _first_token(rest, self.name)

    def _first_word(self, rest: str) -> tuple[str, str]:
        """Split off an option's name, with its value where that stands behind an =."""
        name, equals, value = rest.partition("=")
        if equals and any(o.is_param and name in o.names for o in self.options):
            found = _with_json(value)
            if found is not None:
                return f"{name}={found[0]}", found[1]
        return _first_token(rest, self.name)

    def _store(self, values: dict[str, Value], option: Option, name: str, text: str) -> None:
        if option.choices and text not in option.choices:
            raise OptionError(f"{name} can't be {text!r}.", next_step=f"use one of: {', '.join(option.choices)}")
        try:
            value = option.convert(text)
        except ValueError:
            raise OptionError(f"{name} can't be {text!r}.", next_step=f"write {name} {option.value}") from None
        if option.many:
            before = values.get(option.key)
            values[option.key] = [*(before if isinstance(before, list) else []), str(value)]
        else:
            values[option.key] = value

    def help(self) -> str:
        """Return the text of `%name?`."""
        parts = [self.purpose]
        if self.example:
            parts.append("Example:\n" + "\n".join(f"    {line}" for line in self.example.splitlines()))
        if self.options:
            width = max(len(option.usage) for option in self.options)
            rows = [f"    {o.usage:<{width}}  {o.help}{_choices(o)}" for o in self.options]
            parts.append("Options:\n" + "\n".join(rows))
        return "\n\n".join(parts) + "\n"


class Parsed:
    """The parsed line: `words`, and each option by its long name, None or falsy where it was not given."""

    def __init__(self, values: dict[str, Value], words: str) -> None:
        self._values = values
        self.words = words

    @property
    def holds_secret(self) -> bool:
        """Whether a value given to an option is, or looks like, a key."""
        texts = [each for value in self._values.values() for each in (value if isinstance(value, list) else [value])]
        return any(secrecy.looks_secret(text) for text in texts if isinstance(text, str))

    def text(self, key: str) -> str | None:
        """Return a text option's value."""
        value = self._values.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """Return a whole number option's value."""
        value = self._values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def number(self, key: str) -> float | None:
        """Return a number option's value."""
        value = self._values.get(key)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def flag(self, key: str) -> bool:
        """Whether a switch was given."""
        return self._values.get(key) is True

    def many(self, key: str) -> Sequence[str]:
        """Return all values of an option that may be repeated."""
        value = self._values.get(key)
        return value if isinstance(value, list) else ()


def _choices(option: Option) -> str:
    return f" ({', '.join(option.choices)})" if option.choices else ""


def _with_json(text: str) -> tuple[str, str] | None:
    """Split off NAME=VALUE whose value is a JSON list or object, as typed; None where it is anything else.

    A broken value ends at the next space and is refused under its name.
    """
    found = _JSON.match(text)
    if found is None:
        return None
    end = len(text.split(None, 1)[0])
    with contextlib.suppress(ValueError, RecursionError):
        end = json.JSONDecoder().raw_decode(text, found.end() - 1)[1]
    if text[end : end + 1].strip():  # text right behind the JSON belongs to the value
        end += len(text[end:].split(None, 1)[0])
    return text[:end], text[end:].lstrip()


def _first_token(text: str, command: str) -> tuple[str, str]:
    """Split off one token, quotes understood; the rest keeps its own quotes, so that prompts stay as typed."""
    stream = io.StringIO(text)
    lexer = shlex.shlex(stream, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.escape = ""  # a Windows path has backslashes
    try:
        word = lexer.get_token()
    except ValueError:
        raise OptionError(f"A quote in the options of %{command} is not closed.", next_step="close it") from None
    return word or "", text[stream.tell() :].lstrip()
