"""Words that begin with "@": which name what goes along, and that every other text stays as it was."""

from __future__ import annotations

import random
import string

import pytest

from tetrate_jupyter.completion.at_words import Word, begun, paths, without_escapes, words

THERE = {"data/notes.md", "notes.md", "README.md", "my notes.md", "data/", "out/last.csv", "grüße.txt", "v1.2/x"}
EVERYTHING = "everything"


def counted(text: str, there: set[str] | str = THERE) -> list[str]:
    """Return the words that count, as they stand in the text."""
    found = words(text, lambda path: there == EVERYTHING or path in there)
    return [text[word.start : word.end] for word in found if not word.is_literal]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Explain @[12].", ["@[12]"]),
        ("@above", ["@above"]),
        ("@above why?", ["@above"]),
        ("@error\nWhat is it?", ["@error"]),
        ("Why @error? And (@above), “@notebook”: @error's cause", ["@error", "@above", "@notebook", "@error"]),
        ("Compare @[1],@[2];@[3] and [@[4]] with **@above**", ["@[1]", "@[2]", "@[3]", "@[4]", "@above"]),
        ("- @[3];\n- @[4];", ["@[3]", "@[4]"]),
        ("See @data/notes.md.", ["@data/notes.md"]),
        ("See @notes.md, (@README.md) and @notes.md's end", ["@notes.md", "@README.md", "@notes.md"]),
        ('What is in @"my notes.md"?', ['@"my notes.md"']),
        ("@grüße.txt", ["@grüße.txt"]),
        ("@v1.2/x-", ["@v1.2/x"]),
        ("@./gone.txt and @../x and @~/y", ["@./gone.txt", "@../x", "@~/y"]),
        ("@data/ and @data", ["@data/"]),
        ("x\r\n@above\r\ny", ["@above"]),
        (
            'Is @error "new"? @above -> @[3], well-known @notes.md - @README.md',
            ["@error", "@above", "@[3]", "@notes.md", "@README.md"],
        ),
        ("- @above: select @error from @notes.md\n-@[2]", ["@above", "@error", "@notes.md", "@[2]"]),
    ],
)
def test_what_counts(text: str, expected: list[str]) -> None:
    assert counted(text) == expected


PLAIN = [
    "",
    "@",
    "a @ b, A @ B.T and @ alone",
    "mail a.b@c.de or <ada@error.org>, ada@above, x@[1]",
    "@someone and @channel, @[me], @[-1], @[1, 2], @[1-3], @[ 1 ], @[1][2]",
    "@Above @ERROR @errors @above2 @above_it @above-mentioned @error.log @notebook/x @error:x @error(1) @error[0]",
    "npm i @types/node@20.1.0 @scope/pkg, @vue/cli",
    "import x from '@scope/pkg'; import y from '@/components/Foo.vue'",
    '@RestController\n@GetMapping("/")\npublic class Foo {}',
    '@app.route("/")\ndef index(): ...',
    "class A:\n    @property\n    def error(self): ...\n    @error.setter\n    def error(self, x): ...",
    "@error\ndef f(): pass",
    "@above  # first\n@functools.cache\n\nasync def f(): pass",
    "    @notebook\n    class A: ...",
    "if x\n  @error = nil\n  y = @error\n@error ||= 1\nz == @[12]",
    "NSArray *a = @[12];",
    '@error "Unknown value `#{$x}`.";',
    "@error: #f00;",
    "@error('title') <b>{{ $message }}</b> @enderror",
    "DECLARE @@ERROR int",
    "git@github.com:foo/bar.git and https://x.org/@above and https://u:@notes.md",
    "curl -d key=@notes.md",
    "curl -d @notes.md https://x.org; curl --data-binary '@notes.md' -T \"@README.md\"",
    'import a from \'@data/notes.md\'; require("@data/notes.md"); import "@data/notes.md"',
    "DECLARE @error INT\nSET @error := 1\nIF @error <> 0 PRINT @error\nWHILE @error > 0\nEXEC p @error OUTPUT",
    '@error "no file" path\nx < 0 && @error "negative"\nif x; @error "x"; end\nf(@error "x")',
    "//a[@error]/b, Sales[@[1]], m[1][@[2]]",
    "@error << 1",
    "`@above` and ``` @error ``` and `x @notes.md`",
    "```python\n@above\n@[1]\n```",
    "~~~\n@error\n~~~",
    "```\n@error never closed",
    "\\makeatletter \\@ifnextchar \\@startsection \\@ \\\\@above",
    "100%@above #@above $@above ^@above &@above",
    '@gone.md @data/gone.md @"gone.md" @1.5',
    "@notes.md(1)",
    "@/ @// @...",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_stays_plain(text: str) -> None:
    found = words(text, THERE.__contains__)
    assert found == []
    assert without_escapes(text, found) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\@above", "@above"),
        ("write \\@[12] or \\@[99], (\\@error)", "write @[12] or @[99], (@error)"),
        ("\\@notes.md and \\@gone.md and \\@someone", "@notes.md and \\@gone.md and \\@someone"),
        ("@above \\@above @above", "@above @above @above"),
        ("`\\@above` \\\\@above", "`\\@above` \\\\@above"),
    ],
)
def test_a_backslash_keeps_a_word_plain(text: str, expected: str) -> None:
    found = words(text, THERE.__contains__)
    assert without_escapes(text, found) == expected


def test_any_text_at_all_is_taken_and_only_backslashes_before_words_go() -> None:
    random.seed(7)
    pieces = ["@", "\\", "[", "]", "12", "above", "error", '"', "/", ".", " ", "\n", "`", "```", "=", "(", "a", "def f"]
    for _ in range(20_000):
        text = "".join(random.choices(pieces, k=random.randint(0, 12)))
        found = words(text, lambda _: True)
        at = 0
        for word in found:
            assert at <= word.start < word.end <= len(text)
            assert text[word.start + word.is_literal] == "@"
            at = word.end
        without = without_escapes(text, found)
        assert len(without) == len(text) - sum(word.is_literal for word in found)
        assert without.replace("\\", "") == text.replace("\\", "")


def test_texts_without_words_stay_as_they_are_whatever_is_in_them() -> None:
    random.seed(11)
    for _ in range(5_000):
        text = "".join(random.choices(string.printable + "äß“”…", k=random.randint(0, 60)))
        if not any(f"@{begin}" in text for begin in ("[", "above", "notebook", "error", "./", "../", "~/")):
            assert words(text, lambda _: False) == []


def test_the_disk_is_asked_once_for_each_path_and_no_more_than_a_thousand_times() -> None:
    asked: list[str] = []
    text = " ".join(f"@a/{number % 2_000}.md" for number in range(6_000))
    assert words(text, lambda path: bool(asked.append(path))) == []
    assert len(asked) == len(set(asked)) == 1_000


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        "@" * 300_000,
        "@[" * 150_000,
        "@[1" * 100_000,
        '@"' * 150_000,
        "@a/" * 100_000,
        "@above " * 40_000,
        "@above\n" * 40_000,
        "@above" + " " * 300_000,
        "`" * 300_000,
        "` @above " * 40_000,
        "` @above `` x ``` y " * 15_000,
        "```\n" * 75_000,
        "\\@" * 150_000,
        " @" + "/" * 400 + " @" * 100_000,
        ("@" + "." * 498 + " ") * 500,
    ],
    ids=lambda text: text[:8].strip(),
)
@pytest.mark.timeout(120)  # each is a second at most; a search that grows with the square takes minutes
def test_hostile_prompts_take_no_time_that_grows_with_their_square(text: str) -> None:
    for is_there in (True, False):
        found = words(text, lambda _, is_there=is_there: is_there)  # type: ignore[misc]
        assert len(without_escapes(text, found)) <= len(text)


def test_a_word_has_its_place_kind_and_value() -> None:
    text = 'a \\@[12] @above @"my notes.md" @data/notes.md.'
    assert words(text, THERE.__contains__) == [
        Word(2, 8, "cell", "12", is_literal=True),
        Word(9, 15, "name", "above", is_literal=False),
        Word(16, 30, "path", "my notes.md", is_literal=False),
        Word(31, 45, "path", "data/notes.md", is_literal=False),
    ]
    assert words("@./gone.md.", lambda _: False) == [Word(0, 10, "path", "./gone.md", is_literal=False)]
    assert [word.value for word in words("@x.md. @y.md-", {"x.md.", "y.md"}.__contains__)] == ["x.md.", "y.md"]


def test_whatever_looks_like_a_path_is_found_though_there_is_none() -> None:
    text = "@data/gone.md, @notes.md. @above @types/node- \\@b.md \\@x `@c.md` @x @/ curl -d @d.md @[1] @~/e"
    assert list(paths(text)) == ["data/gone.md", "notes.md", "types/node", "~/e"]
    assert list(paths("none at all")) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Explain {sa", "{sa"),
        ("Explain {", "{"),
        ("Explain {a b", ""),
        ("see @da", "@da"),
        ("see @", "@"),
        ('see @"my no', '@"my no'),
        ('see @"my notes.md"', ""),
        ("see @da ", ""),
        ("a@da", ""),
        ("@[1", "@[1"),
        ("{a} and @data/n", "@data/n"),
        ("", ""),
    ],
)
def test_the_end_of_a_line_begins_a_variable_or_a_word(line: str, found: str) -> None:
    assert begun(line) == found
    assert begun("x " * 5_000 + line) == found


def test_a_name_in_quotes_is_begun_no_further_back_than_a_bound() -> None:
    assert begun('@"' + "n" * 1_998) == '@"' + "n" * 1_998
    assert begun('@"' + "n" * 1_999) == ""


def test_bounds_of_numbers_names_and_fences() -> None:
    assert counted(f"@[{'1' * 18}] @[{'1' * 19}]") == [f"@[{'1' * 18}]"]
    long = "n" * 500
    assert counted(f'@"{long}" x', EVERYTHING) == [f'@"{long}"']
    assert counted(f'@"{long}n" x', EVERYTHING) == []
    assert counted("   ```\n@above\n   ``` @[1]") == ["@[1]"]
    assert counted("    ```\n@above\n") == ["@above"]
    assert counted("`x` @above `y`") == ["@above"]
    assert counted("`a\n@above`") == ["@above"]
    assert counted("~~~~\n@above\n~~~\n@error\n~~~~\n@[1]") == ["@[1]"]
