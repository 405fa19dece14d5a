"""Options: read from the start of the line, the prompt behind them untouched, every mistake answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.commands import ASK, LOGOUT, MODELS

if TYPE_CHECKING:
    from tetrate_jupyter.magics.options import Command


def test_options_are_read_and_the_prompt_is_kept_as_typed() -> None:
    parsed = ASK.parse('-m xai/grok-4.5 -t 0.2 --max-tokens=50  what\'s  "this" -m for?')
    assert parsed.text("model") == "xai/grok-4.5"
    assert parsed.number("temperature") == 0.2
    assert parsed.integer("max_tokens") == 50
    assert parsed.words == 'what\'s  "this" -m for?'


def test_quotes_hold_a_value_together() -> None:
    parsed = ASK.parse("""-s "Answer like a pirate." --system='Be "brief"' hello""")
    assert parsed.text("system") == 'Be "brief"'
    assert parsed.words == "hello"


def test_backslashes_of_a_windows_path_stay() -> None:
    assert ASK.parse(r"--image C:\data\plot.png what is this?").many("image") == [r"C:\data\plot.png"]


def test_an_option_may_be_repeated_where_it_says_so() -> None:
    assert ASK.parse("--image a.png --image b.png compare").many("image") == ["a.png", "b.png"]


def test_two_dashes_end_the_options() -> None:
    parsed = ASK.parse("-- -m is an option of which magic?")
    assert parsed.text("model") is None
    assert parsed.words == "-m is an option of which magic?"


def test_what_was_not_given_is_nothing() -> None:
    parsed = ASK.parse("hello")
    assert (parsed.text("model"), parsed.number("temperature"), parsed.flag("new")) == (None, None, False)
    assert list(parsed.many("image")) == []


@pytest.mark.parametrize(
    ("command", "line", "says"),
    [
        (ASK, "--modle gpt hello", "--model"),
        (ASK, "--temprature 1 hello", "--temperature"),
        (ASK, "-x hello", "%tetrate?"),
        (ASK, "-m", "-m ID"),
        (ASK, "-t hot hello", "-t NUMBER"),
        (ASK, "--max-tokens 1.5 hello", "--max-tokens NUMBER"),
        (ASK, "-f html hello", "markdown, text, json, code"),
        (ASK, "--new=yes hello", "--new alone"),
        (ASK, '-s "open hello', "close it"),
        (LOGOUT, "now", "%tetrate_logout?"),
        (MODELS, "--sort size", "name, price, context, provider"),
    ],
)
def test_a_mistake_is_answered_with_the_next_step(command: Command, line: str, says: str) -> None:
    with pytest.raises(OptionError) as caught:
        command.parse(line)
    assert says in caught.value.next_step


@pytest.mark.parametrize(("typed", "meant"), [("--modle", "--model"), ("--sotr", "--sort"), ("--ne", "--new")])
def test_the_option_that_was_meant_is_named_alone(typed: str, meant: str) -> None:
    with pytest.raises(OptionError) as caught:
        (MODELS if meant == "--sort" else ASK).parse(f"{typed} gpt")
    assert caught.value.next_step == f"did you mean {meant}?"


def test_help_names_every_option_and_an_example() -> None:
    for command in commands.COMMANDS:
        text = command.help()
        assert command.purpose in text
        for option in command.options:
            assert option.usage in text
            assert option.help in text
        for line in command.example.splitlines():
            assert line in text


def test_no_two_options_of_a_magic_share_a_name() -> None:
    for command in commands.COMMANDS:
        names = [name for option in command.options for name in option.names]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("line", "words", "sort"),
    [
        ("claude --sort price", "claude", "price"),
        ("--sort price claude cheap", "claude cheap", "price"),
        ("claude --sort=price  cheap ", "claude cheap", "price"),
        ("claude", "claude", None),
        ("", "", None),
    ],
)
def test_where_words_are_no_prompt_options_may_follow_them(line: str, words: str, sort: str | None) -> None:
    parsed = commands.MODELS.parse(line)
    assert parsed.words.strip() == words
    assert parsed.text("sort") == sort
    with pytest.raises(OptionError, match="no option"):
        commands.MODELS.parse(f"{line} --sorted")


def test_in_a_prompt_an_option_after_the_first_word_is_text() -> None:
    assert commands.ASK.parse("-m a what does --sort do?").words == "what does --sort do?"
