"""Every magic with its options, in one place: what is parsed, what `?` shows and what docs/magics.md prints."""

from __future__ import annotations

from typing import Final

from tetrate_jupyter.magics.options import Command, Option

BYS: Final = ("model", "notebook", "day", "label")
FORMATS: Final = ("markdown", "text", "json", "code")
EXPORTS: Final = ("md", "json", "cells")
STORES: Final = ("auto", "keyring", "file", "memory")
_MOST_DAYS: Final = 36_500


def _rows(text: str) -> str:
    if text.lower() != "all" and int(text) < 1:
        raise ValueError(text)
    return text.lower()


def _number(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _dollars(text: str) -> float:
    return float(text.removeprefix("$"))


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days <= _MOST_DAYS:  # NaN fails the comparison, too
        raise ValueError(text)
    return days


ASK_OPTIONS: Final = (
    Option(("-m", "--model"), "ask this model instead of the session's", value="ID"),
    Option(("-s", "--system"), "system prompt for this question", value="TEXT"),
    Option(("-t", "--temperature"), "0 (steady) to 2 (wild)", value="NUMBER", convert=float),
    Option(("--max-tokens",), "cap on the answer's tokens", value="NUMBER", convert=int),
    Option(("--effort",), "how hard a reasoning model thinks: low, medium, high, or what the model has", value="LEVEL"),
    Option(("-f", "--format"), "how the answer is shown", value="FORMAT", choices=FORMATS),
    Option(("-o", "--out"), "variable that gets the answer, too", value="NAME"),
    Option(("--image",), "file or variable to send along; may be repeated", value="PATH|NAME", many=True),
    Option(("--schema",), "variable that holds a JSON schema, dataclass or pydantic model", value="NAME"),
    Option(("--tool",), "function that the model may call; may be repeated", value="NAME", many=True),
    Option(("-p", "--param"), "further request field; may be repeated", value="NAME=VALUE", many=True, is_param=True),
    Option(("--new",), "start a fresh conversation with this question"),
    Option(("--no-keep",), "ask outside of the conversation: nothing of it is sent, nothing gets into it"),
    Option(("--dry-run",), "show what would be sent, its size and its estimated cost; send nothing"),
    Option(("-n", "--no-interpolate"), "leave {names} and @words in the prompt as typed"),
    Option(("--rows",), "rows of each {table} that are sent (15); all: as many as fit", value="N|all", convert=_rows),
    Option(("--cache",), "take a kept answer to the same question, free and at once; keep a new one"),
    Option(("--refresh",), "ask anew, and put the answer in the place of the kept one"),
)

ASK: Final = Command(
    "tetrate",
    "Ask the session's model. %%tetrate takes the cell as the prompt, %tetrate the rest of the line. {name},\n"
    "{name.attr} and {name[0]} become the value of the notebook's variable; all other braces stay as typed.\n"
    "@[12], @above, @notebook, @error and @data/notes.md send along a cell with its output, the one that ran last,\n"
    "all cells, the last error or a text file of this folder; how much is said. A backslash before it keeps it plain.\n"
    "The answer is left in _tetrate. Running the same cell again replaces its exchange in the conversation.",
    ASK_OPTIONS,
    words="PROMPT",
    is_prompt=True,
    example="%%tetrate -m claude-haiku-4-5 -t 0.2 -o summary\nSummarise this table in two sentences: {df}",
)
_SHARED: Final = {option.key: option for option in ASK_OPTIONS}
COMPARE: Final = Command(
    "tetrate_compare",
    "Ask several models what the cell says, all at once, their answers, times and costs side by side. A line of\n"
    "only --- divides the cell into several prompts, as in the panel (a rule within one: - - -; in a code fence\n"
    "it is code). In a notebook the cell ends at once and the columns write live; alone, %tetrate_compare opens\n"
    "an empty panel. Elsewhere, and with --wait, the result is shown at the end. _tetrate_compare has the result\n"
    "of the run that the panel shows: .df, .save(), .plot(), while it runs of what has come so far; .comparison\n"
    "is the run (.continue_with()). A model that fails is a column that says why. Without -m: the session's model\n"
    "and two neighbours by price and provider.",
    (
        Option(("-m", "--model"), "model, list (a,b) or pattern (claude-*); may be repeated", value="IDS", many=True),
        Option(("--repeats",), "how often each model is asked (1)", value="NUMBER", convert=int),
        Option(
            ("--max-cost",),
            "US dollars that are not passed: without --max-tokens it caps the answers; too little asks nothing",
            value="NUMBER",
            convert=_dollars,
        ),
        Option(
            ("--seed",), "order in which the calls start; recorded where none is given", value="NUMBER", convert=int
        ),
        Option(("--history",), "ask after the session's conversation, which stays as it is"),
        *(
            _SHARED[key]
            for key in ("system", "temperature", "max_tokens", "effort", "image", "schema", "tool", "param", "out")
        ),
        Option(("--blind",), "blind: hide names, order, times and costs until you reveal them; the variable has them"),
        Option(("--wait",), "wait here and show the result instead of the panel; for Run All"),
        Option(("--dry-run",), "say how many calls it makes and what they may cost; ask nothing"),
        *(_SHARED[key] for key in ("no_interpolate", "rows", "cache", "refresh")),
    ),
    example="%%tetrate_compare -m claude-haiku-4-5 -m gpt-6-luna --repeats 3 -o result\nName a colour.",
)
LOGIN: Final = Command(
    "tetrate_login",
    "Sign in. Shows the sign-in panel and returns at once: a button opens the router's consent page; no key is\n"
    "typed and none gets into the notebook. The panel also takes the address that the browser ended at, a bare\n"
    "code, an existing key or another base URL. Already signed in: checks the key and says where it is.",
    (
        Option(("--store",), "where the key is kept", value="PLACE", choices=STORES),
        Option(("--again",), "sign in anew although a key is there"),
        Option(("--wait",), "wait here by text instead of showing the panel; for Run All"),
        Option(("--base-url",), "another router: an enterprise gateway or the sandbox", value="URL"),
        Option(("--auth-url",), "where that router's consent page is", value="URL"),
        Option(("--allow-http",), "accept plain http beyond this machine"),
        Option(("--timeout",), "seconds to wait for the browser (180)", value="SECONDS", convert=float),
    ),
    words="nothing",
    is_prompt=True,  # nothing is taken: magics/account.py says why, codes included
    example="%tetrate_login",
)
LOGOUT: Final = Command("tetrate_logout", "Forget the key in every place it could be.", example="%tetrate_logout")
STATUS: Final = Command(
    "tetrate_status",
    "Where the session stands: router, sign-in, where the key lives, model, health, versions. Nothing secret:\n"
    "made to be pasted into a bug report.",
    example="%tetrate_status",
)
MODELS: Final = Command(
    "tetrate_models",
    "Search the models this key reaches and choose one; outside notebooks, list them. Words narrow the list: parts of\n"
    "an id, name or provider, a pattern (claude-*), what a model can do (images, tools, reasoning, structured), a\n"
    "window (200k), cheap.",
    (
        Option(("--sort",), "order of the list", value="BY", choices=("name", "price", "context", "provider")),
        Option(("--refresh",), "ask the router again instead of using the list at hand"),
        Option(("--table",), "give the plain list instead of the picker: models = %tetrate_models --table"),
    ),
    words="WORDS",
    example="%tetrate_models images cheap 200k --sort price",
    anywhere=True,
)
MODEL: Final = Command(
    "tetrate_model",
    "Choose the session's model; without an id, show a dropdown to choose from.",
    words="ID",
    example="%tetrate_model claude-haiku-4-5",
)
CHAT: Final = Command(
    "tetrate_chat",
    "Open the chat panel on the session's conversation: what is asked in cells shows there, and the other way round.",
    example="%tetrate_chat",
)
CACHE: Final = Command(
    "tetrate_cache",
    "Answers that are kept: how many, of which models, how old, how large, and where. Without options it only looks.",
    (
        Option(("--clear",), "remove them; the next time each question is asked again"),
        Option(("--older-than",), "with --clear: only those older than so many days", value="DAYS", convert=_days),
        Option(("--file",), "this file's instead of those that are used now", value="PATH"),
    ),
    example="%tetrate_cache --clear --older-than 30",
)
USAGE: Final = Command(
    "tetrate_usage",
    "What was spent today, in 7d, 30d (all kernels of this account) or in this session: costs, tokens, times and\n"
    "failures, with a picture of the days. Costs are estimates; the router's dashboard has the bill. Kept are figures\n"
    "and names (models, notebooks, labels), no prompts and no answers; --erase erases them.",
    (
        Option(("--by",), "what the table sums up by (model)", value="WHAT", choices=BYS),
        Option(("--tokens",), "the picture shows tokens, sent and answered, as it does where no cost is known"),
        Option(("--sandbox",), "what the sandbox answered, which is left out otherwise"),
        Option(("--csv",), "write the period's requests to a file", value="FILE"),
        Option(("--json",), "likewise, as JSON", value="FILE"),
        Option(("--parquet",), "likewise, as Parquet (needs pyarrow)", value="FILE"),
        Option(("--erase",), "erase the ledger; with --older-than only what is older"),
        Option(("--older-than",), "with --erase: only what is older than so many days", value="DAYS", convert=int),
    ),
    words="today|7d|30d|session",
    example="%tetrate_usage 7d --by notebook",
    anywhere=True,
)
HISTORY: Final = Command(
    "tetrate_history",
    "Conversations that are kept, of this notebook, starred ones first, then the newest; with words, those that have\n"
    "them all. --open makes one the conversation in use, its branches included. Texts are kept only where you say so,\n"
    "from then on: session.keep_texts = True, or %config TetrateMagics.keep_texts = True.",
    (
        Option(("--all",), "those of every notebook"),
        Option(("--open",), "go on with this one of the list", value="NUMBER", convert=_number),
        Option(
            ("--export",), "give the conversation in use: Markdown, API messages, cells", value="FORM", choices=EXPORTS
        ),
        Option(("--of",), "with --export: this one of the list", value="NUMBER", convert=_number),
        Option(("--file",), "with --export: write it to a file; cells become a notebook", value="FILE"),
        Option(("--rename",), "call this one of the list by the words that follow", value="NUMBER", convert=_number),
        Option(("--star",), "list this one first, and keep it longest", value="NUMBER", convert=_number),
        Option(("--unstar",), "take the star away again", value="NUMBER", convert=_number),
        Option(("--erase",), "erase all that is kept; --erase 2 only this one of the list"),
        Option(("--older-than",), "with --erase: only what is older than so many days", value="DAYS", convert=int),
    ),
    words="WORDS",
    example="%tetrate_history august --all\n%tetrate_history --open 2\n"
    '%tetrate_history --rename 2 "Churn analysis"\n%tetrate_history --erase 2\n'
    "%tetrate_history --export md --file notes.md",
    anywhere=True,
)
_OF_AN_ERROR: Final = (
    _SHARED["model"],
    Option(("--values",), "send what the named variables hold, too: five rows of a table, 2,000 characters of others"),
    _SHARED["max_tokens"],
    _SHARED["effort"],
    _SHARED["out"],
    _SHARED["dry_run"],
)
EXPLAIN: Final = Command(
    "tetrate_explain",
    "Ask why the last cell that failed did so, and what to change. Sent are that cell and those it calls, its\n"
    "traceback (frames of libraries folded), names and shapes of the variables that the failing lines name, and\n"
    "versions of libraries; not the conversation. The answer is left in _tetrate.",
    _OF_AN_ERROR,
    example="%tetrate_explain",
)
FIX: Final = Command(
    "tetrate_fix",
    "Ask what to change in the last cell that failed: the cause, and the change as a diff. Sent is the same as for\n"
    "%tetrate_explain. Nothing is changed or run by it: --apply puts the changed cell into a new one. The result is\n"
    "left in _tetrate_fix: .source, .diff, .explanation, .sent, .cost.",
    (*_OF_AN_ERROR, Option(("--apply",), "put the change that was shown into a new cell; asks nothing, runs nothing")),
    example="%tetrate_fix\n%tetrate_fix --apply",
)
RESET: Final = Command("tetrate_reset", "Start a new conversation.", example="%tetrate_reset")

COMMANDS: Final = (LOGIN, LOGOUT, STATUS, MODELS, MODEL, ASK, COMPARE, CHAT, EXPLAIN, FIX, USAGE, HISTORY, CACHE, RESET)
