"""Code as it is shown: which languages are known, what is coloured, and what stays as it was written."""

from __future__ import annotations

import re
from html import unescape
from importlib import import_module

import pytest

from tetrate_jupyter.render.code import MAX_COLOURED, _table, code_block, coloured, framed, label

PLAIN = '<div class="tetrate-code highlight"><pre dir="ltr" translate="no"><code>a &lt; b</code></pre></div>'


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"), ("Python title=x", "python"), (" c++ ", "c++"), ("{.r}", "r"), ("{python}", "python"),
        (".py", "py"), ("objective-c", "objective-c"), ("c#", "c#"), ("f90_x", "f90_x"), ("3d", "3d"), ("", ""),
        ("<b>", ""), ("#x", ""), ("Z" * 30, "z" * 30), ("y" * 31, "y" * 30), ("a9", "a9"), ("Az", "az"),
    ],
)  # fmt: skip
def test_the_language_of_a_fence(info: str, language: str) -> None:
    assert label(info) == language


def test_the_frame_names_the_language_for_what_acts_on_it() -> None:
    assert code_block("a < b") == framed("a &lt; b") == PLAIN
    assert framed("a &lt; b", 'q"') == PLAIN.replace('highlight"', 'highlight" data-language="q&quot;"')
    assert code_block("a < b", "no-such") == PLAIN.replace('highlight"', 'highlight" data-language="no-such"')


def test_colours_are_of_whole_runs_and_plain_names_have_none() -> None:
    assert coloured("x = 1\n", "python") == 'x <span class="o">= </span><span class="mi">1\n</span>'
    assert coloured("f(x)", "python") == "f(x)"
    assert coloured("\n\nx", "python") == "\n\nx"
    assert coloured("if a < b", "py") == '<span class="k">if </span>a <span class="o">&lt; </span>b'
    assert coloured("# a\n", "sh") == '<span class="c1"># a\n</span>'
    assert coloured("?", "python") == "?"  # what doesn't fit looks like the text around it
    assert coloured("a  +  b", "js") == 'a  <span class="o">+  </span>b'


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("pycon", ">>> x\n1\n"), ("html", "a <!-- b -->"), ("console", "$ x\ny\n"), ("diff", " a\n+b\n"),
        ("md", "a *b* c"), ("json", '{"a": [1]}'), ("tex", r"\a{b} c"), ("jsx", "a => b"), ("vue", "a<b>c</b>"),
        ("php", "words <?php echo 1 ?>"),
    ],
)  # fmt: skip
def test_what_is_coloured_loses_no_character_and_has_no_class_of_plain_text(language: str, code: str) -> None:
    html = coloured(code, language)
    assert re.sub("<[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"') == code
    assert not set(re.findall('class="([^"]*)"', html)) & {"", "p", "n", "err", "w", "x", "esc", "nx", "g", "l", "pm"}


def test_php_is_coloured_with_and_without_its_tag() -> None:
    assert coloured("echo 1;", "php") == '<span class="k">echo </span><span class="mi">1</span>;'
    assert coloured("<?php echo 1;", "php").endswith('<span class="k">echo </span><span class="mi">1</span>;')
    assert coloured("words <?= 1 ?> echo", "php").startswith("words <span")


def test_output_of_a_console_is_told_apart() -> None:
    assert coloured(">>> x\n1\n", "pycon") == '<span class="gp">&gt;&gt;&gt; </span>x\n<span class="go">1\n</span>'


def test_unknown_and_long_code_stays_as_it_is() -> None:
    assert coloured("if a < b", "") == coloured("if a < b", "brainfuck") == "if a &lt; b"
    assert coloured("#" * MAX_COLOURED, "python") == f'<span class="c1">{"#" * MAX_COLOURED}</span>'
    assert coloured("#" * (MAX_COLOURED + 1), "python") == "#" * (MAX_COLOURED + 1)


@pytest.mark.parametrize(
    "language",
    [
        "python", "py", "python3", "py3", "ipython", "sage", "pycon", "python-repl", "pytb", "bash", "sh", "shell",
        "zsh", "ksh", "console", "shell-session", "terminal", "bat", "batch", "cmd", "powershell", "ps1", "pwsh",
        "javascript", "js", "mjs", "node", "jsx", "typescript", "ts", "tsx", "dart", "json", "jsonc", "json5",
        "jsonl", "ndjson", "ipynb", "yaml", "yml", "toml", "ini", "cfg", "conf", "properties", "dockerfile",
        "docker", "nginx", "terraform", "tf", "hcl", "html", "vue", "svelte", "xml", "svg", "xsd", "mathml", "css",
        "scss", "less", "sql", "sqlite", "postgresql", "postgres", "mysql", "c", "h", "cpp", "c++", "cxx", "hpp",
        "cc", "csharp", "c#", "cs", "fsharp", "f#", "java", "kotlin", "kt", "scala", "groovy", "gradle", "clojure",
        "clj", "go", "golang", "rust", "rs", "ruby", "rb", "php", "perl", "pl", "r", "rlang", "splus", "julia",
        "jl", "matlab", "octave", "swift", "objective-c", "objectivec", "objc", "lua", "haskell", "hs", "ocaml",
        "ml", "erlang", "erl", "elixir", "ex", "exs", "fortran", "f90", "zig", "nix", "lisp", "common-lisp",
        "scheme", "elisp", "emacs-lisp", "markdown", "md", "latex", "tex", "diff", "patch", "makefile", "make",
        "cmake", "graphql", "gql", "protobuf", "proto",
    ],
)  # fmt: skip
def test_each_language_is_known_by_the_names_that_models_use(language: str) -> None:
    module, lexer = _table()[language]
    assert hasattr(import_module(f"pygments.lexers.{module}"), lexer)


_LANGUAGES = (
    "python py python3 py3 ipython sage pycon pytb bash sh shell zsh console terminal bat cmd powershell ps1 "
    "javascript js jsx typescript ts tsx dart json jsonc jsonl yaml yml toml ini cfg dockerfile nginx terraform "
    "hcl html vue xml svg css scss less sql sqlite postgresql mysql c h cpp c++ hpp csharp c# fsharp java kotlin "
    "scala groovy clojure go golang rust rs ruby rb php perl r julia jl matlab octave swift objective-c lua "
    "haskell hs ocaml erlang elixir fortran zig nix lisp scheme elisp markdown md latex diff patch makefile cmake "
    "graphql protobuf"
)


@pytest.mark.parametrize("language", _LANGUAGES.split())
def test_each_language_keeps_every_character(language: str) -> None:
    code = "\n\n  if x < 1: \"<b>&\" # é\n\tdef f(y) { return 'z'; }\n<?php\n+ new\n- old\n  "
    made = coloured(code, language)
    assert unescape(re.sub(r"<[^>]*>", "", made)) == code
    assert "<b>" not in made
