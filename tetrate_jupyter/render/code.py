"""Code blocks: Pygments' classes, which JupyterLab colours as it colours its own cells."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_COLOURED: Final = 20_000  # characters; longer code has one colour, so that no update costs more than 50 ms

# module: class=alias,alias. Not all of Pygments' 500: a name from a model never loads a plug-in or a rare lexer.
_LEXERS: Final = """
python: PythonLexer=python,py,python3,py3,ipython,sage PythonConsoleLexer=pycon,python-repl PythonTracebackLexer=pytb
shell: BashLexer=bash,sh,shell,zsh,ksh BashSessionLexer=console,shell-session,terminal BatchLexer=bat,batch,cmd \
PowerShellLexer=powershell,ps1,pwsh
javascript: JavascriptLexer=javascript,js,mjs,node,jsx TypeScriptLexer=typescript,ts,tsx DartLexer=dart
data: JsonLexer=json,jsonc,json5,jsonl,ndjson,ipynb YamlLexer=yaml,yml
configs: TOMLLexer=toml IniLexer=ini,cfg,conf,properties DockerLexer=dockerfile,docker NginxConfLexer=nginx \
TerraformLexer=terraform,tf,hcl
html: HtmlLexer=html,vue,svelte XmlLexer=xml,svg,xsd,mathml
css: CssLexer=css ScssLexer=scss LessCssLexer=less
sql: SqlLexer=sql,sqlite PostgresLexer=postgresql,postgres MySqlLexer=mysql
c_cpp: CLexer=c,h CppLexer=cpp,c++,cxx,hpp,cc
dotnet: CSharpLexer=csharp,c#,cs FSharpLexer=fsharp,f#
jvm: JavaLexer=java KotlinLexer=kotlin,kt ScalaLexer=scala GroovyLexer=groovy,gradle ClojureLexer=clojure,clj
go: GoLexer=go,golang
rust: RustLexer=rust,rs
ruby: RubyLexer=ruby,rb
php: PhpLexer=php
perl: PerlLexer=perl,pl
r: SLexer=r,rlang,splus
julia: JuliaLexer=julia,jl
matlab: MatlabLexer=matlab OctaveLexer=octave
objective: SwiftLexer=swift ObjectiveCLexer=objective-c,objectivec,objc
scripting: LuaLexer=lua
haskell: HaskellLexer=haskell,hs
ml: OcamlLexer=ocaml,ml
erlang: ErlangLexer=erlang,erl ElixirLexer=elixir,ex,exs
fortran: FortranLexer=fortran,f90
zig: ZigLexer=zig
nix: NixLexer=nix
lisp: CommonLispLexer=lisp,common-lisp SchemeLexer=scheme EmacsLispLexer=elisp,emacs-lisp
markup: MarkdownLexer=markdown,md TexLexer=latex,tex
diff: DiffLexer=diff,patch
make: MakefileLexer=makefile,make CMakeLexer=cmake
graphql: GraphQLLexer=graphql,gql
dsls: ProtoBufLexer=protobuf,proto
"""
_ENTRY: Final = re.compile(r"(\w+)=(\S+)")
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#._-]{0,29}")


def label(info: str) -> str:
    """Return the language of a fence's info string ("```python title=x"), lower case, or "" where it names none."""
    found = _LABEL.match(info.strip().removeprefix("{").removeprefix("."))
    return found[0].lower() if found else ""


def code_block(code: str, language: str = "") -> str:
    """Return a code block as HTML; `language` as `label` gives it. Unknown languages and long code stay plain."""
    return framed(_coloured(code, language), language)


def framed(inside: str, language: str = "") -> str:
    """Put the HTML of code, as `coloured` gives it, into its frame; `language`, as `label` gives it, for what acts."""
    named = f' data-language="{escape(language)}"' if language else ""
    return f'<div class="tetrate-code highlight"{named}><pre dir="ltr" translate="no"><code>{inside}</code></pre></div>'


def coloured(code: str, language: str) -> str:
    """Return the HTML of a piece of code; a piece of a whole is coloured as if it stood alone."""
    if not language or len(code) > MAX_COLOURED:
        return escape(code)
    lexer = _lexer(language, "<?" not in code)
    if lexer is None:
        return escape(code)
    try:
        tokens = list(lexer.get_tokens(code))
        whole = "".join(value for _, value in tokens) == code  # some lexers leave out spaces at the end
        return _spans(tokens) if whole else escape(code)
    except Exception:  # noqa: BLE001 - a foreign lexer fed by a model: whatever it raises, the reader sees the code
        return escape(code)


_coloured: Final = lru_cache(maxsize=64)(coloured)  # a block is rendered again while it is short, and once at the end


def _spans(tokens: Iterable[tuple[Any, str]]) -> str:
    out: list[str] = []
    run: list[str] = []
    current = ""
    for kind, value in tokens:
        short = _SHORT.get(kind)
        if short is None:
            short = _SHORT[kind] = _short(kind)
        if short != current and not value.isspace():
            _close(out, run, current)
            current = short
        run.append(value)
    _close(out, run, current)
    return "".join(out)


def _close(out: list[str], run: list[str], short: str) -> None:
    if run:
        text = escape("".join(run))
        out.append(f'<span class="{short}">{text}</span>' if short else text)
        run.clear()


_SHORT: Final[dict[Any, str]] = {}  # Pygments' token kind: the class it gets, "" for text as it is
# Punctuation, plain names and errors (an unfinished line is full of them) look like the text around them.
_UNMARKED: Final = frozenset({"", "p", "n", "err", "w", "x", "esc", "nx", "g", "l", "pm"})


def _short(kind: Any) -> str:  # noqa: ANN401 - Pygments' token kinds are tuples with attributes
    from pygments.token import STANDARD_TYPES

    while kind not in STANDARD_TYPES:
        kind = kind.parent
    short = str(STANDARD_TYPES[kind])
    return "" if short in _UNMARKED else short


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for line in _LEXERS.strip().splitlines():
        module, _, entries = line.partition(": ")
        for lexer, aliases in _ENTRY.findall(entries):
            found |= dict.fromkeys(aliases.split(","), (module, lexer))
    return found


@lru_cache(maxsize=64)
def _lexer(language: str, inline: bool) -> Any:  # noqa: ANN401 - a Pygments lexer; Pygments is loaded here, when code appears
    """`inline`: it is code from its first line on, which of PHP is said by a tag otherwise, and seldom by a model."""
    place = _table().get(language)
    if place is None:
        return None
    try:
        kind = getattr(import_module(f"pygments.lexers.{place[0]}"), place[1])
    except (ImportError, AttributeError):  # an older or newer Pygments has it elsewhere: no colours
        return None
    return kind(stripnl=False, ensurenl=False, startinline=inline)
