"""The house: which room may import which, how long a file or function may be, what loading may cost."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # it reads the files of the package

PACKAGE = Path(__file__).parents[2] / "tetrate_jupyter"
NAME = "tetrate_jupyter"

# Level 0 is modules without a room; each imports only those before it.
GROUND = (
    *("interrupts", "observers", "characters", "amounts", "ages", "needles", "whole_files"),
    *("secret", "secrecy", "types", "errors", "config"),
)
LEVELS = {
    **dict.fromkeys(GROUND, 0),
    "http": 1, "auth": 1, "keys": 1, "render": 1, "bridge": 1, "front_end": 1, "legible": 1,
    "tracing": 1,
    "catalog": 2, "ledger": 2, "answers": 2,
    "completion": 3, "conversation": 3, "history": 3,
    "engine": 4,
    "compare": 5, "failures": 5,
    "widgets": 6,
    "face": 7, "lab": 7,
    "magics": 8, "cli": 8,
}  # fmt: skip
BESIDE = "sandbox"  # imports L0 only; the command line, "Try the sandbox" and the tests start it
STARTS_IT = "engine/trial.py"

PURE = {
    "http/sse.py": {"msgspec"},
    "http/retry.py": set(),
    "http/faults.py": set(),
    "http/error_body.py": {"msgspec"},
    "http/meaning.py": set(),
    "http/causes.py": {"socket", "ssl"},  # their errors, which it tells apart
    "http/inflate.py": {"asyncio"},  # other work has a turn between two pieces
    "http/usage_names.py": {"msgspec"},
    "auth/pkce.py": set(),
    "answers/key.py": set(),
    "catalog/join.py": set(),
    "catalog/picking.py": set(),
    "catalog/sections.py": set(),
    "completion/accumulate.py": set(),
    "completion/calls.py": set(),
    "completion/reasons.py": set(),
    "completion/signed.py": {"msgspec"},
    "completion/thinking.py": set(),
    "completion/usage.py": {"msgspec"},
    "history/lines.py": set(),
    "history/words.py": set(),
    "compare/columns.py": set(),
    "compare/setup.py": set(),
    "compare/forecast.py": set(),
    "compare/allowance.py": set(),
    "compare/rows.py": set(),
    "compare/data.py": set(),
    "compare/lanes.py": set(),
    "ledger/budget.py": set(),
    "compare/figures.py": set(),
    "compare/facts.py": set(),
    "compare/page.py": set(),
    "compare/votes.py": set(),
    "widgets/feed.py": set(),
    "widgets/transcript.py": set(),
    "ledger/totals.py": set(),
    "characters.py": set(),
    "amounts.py": set(),
    "ages.py": set(),
    "needles.py": set(),
    "http/reading.py": {"msgspec"},
    "render": {"markdown_it", "pygments", "latex2mathml"},
}
NO_IO = {"asyncio", "socket", "ssl", "subprocess", "threading", "urllib.request", "http.client", "tempfile", "shutil"}

DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAX_MODULE = 400
MAX_FUNCTION = 40


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def parsed(path: Path) -> ast.Module:
    """Return a module's tree, which no test changes: most are wanted by several."""
    return ast.parse(path.read_text())


def imports(tree: ast.AST) -> list[tuple[str, int]]:
    """Return every import, wherever it stands, as (module, line)."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import at line {node.lineno}"
            base = node.module or ""
            found.extend((f"{base}.{a.name}" if base == NAME else base, node.lineno) for a in node.names)
    return found


def test_every_room_has_a_level() -> None:
    unknown = {room(p) for p in modules()} - set(LEVELS) - {BESIDE, "__init__"}
    assert not unknown


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downward_only(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        pytest.skip("the package's face names what is public, lazily")
    wrong = []
    for module, line in imports(parsed(path)):
        if not module.startswith(NAME + "."):
            continue
        target = module.split(".")[1]
        if target == here or (here == BESIDE and LEVELS.get(target) == 0) or target == "__version__":
            continue
        if target == BESIDE and (here == "cli" or path == PACKAGE / STARTS_IT):
            continue
        if here in GROUND and target in GROUND[: GROUND.index(here)]:
            continue
        if BESIDE in {here, target} or LEVELS[target] >= LEVELS[here]:
            wrong.append(f"line {line}: {module}")
    assert not wrong


def own_imports() -> dict[str, set[str]]:
    """Return each module with those of the package that it imports, wherever in it, for types as well."""
    files = {".".join((NAME, *p.relative_to(PACKAGE).with_suffix("").parts)): p for p in modules()}
    found: dict[str, set[str]] = {name: set() for name in files}
    for name, path in files.items():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom):
                found[name] |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
            elif isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names}
    return {name: imported & files.keys() for name, imported in found.items()}


def circles(below: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what is left when all have been taken away that import nothing of the rest, or are imported by nothing."""
    left = dict(below)
    while True:
        above = set().union(*left.values())
        ends = [name for name in left if name not in above or not left[name] & left.keys()]
        if not ends:
            return {name: imported & left.keys() for name, imported in left.items()}
        for name in ends:
            del left[name]


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert not circles(own_imports())


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/**/__init__.py")), ids=lambda path: path.parent.name)
def test_a_room_imports_none_of_its_own_modules(path: Path) -> None:
    # Python takes the lock of a module, then that of its room: a room that takes them the other way round makes two
    # threads that import at once meet half-made modules.
    if path.parent.name in {"sandbox", "cli"}:
        return  # entered by the room alone, from one place
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [each.module or "" for each in tree.body if isinstance(each, ast.ImportFrom)]
    assert not [name for name in imported if name.startswith(f"tetrate_jupyter.{path.parent.name}")]


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {"b": {"c"}, "c": {"b"}}


def pure_modules() -> list[tuple[Path, set[str]]]:
    found = []
    for place, allowed in PURE.items():
        path = PACKAGE / place
        found += [(p, allowed) for p in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return found


@pytest.mark.parametrize(("path", "allowed"), pure_modules(), ids=lambda p: p.name if isinstance(p, Path) else "")
def test_pure_modules_do_no_io(path: Path, allowed: set[str]) -> None:
    for module, line in imports(parsed(path)):
        top = module.split(".")[0]
        assert module not in NO_IO or module in allowed, f"line {line}: {module}"
        assert top in allowed or top == NAME or top in sys.stdlib_module_names, f"line {line}: {module}"


def test_what_calls_itself_pure_is_held_to_it() -> None:
    held = {path for path, _ in pure_modules()}
    told = [
        path for path in modules() if (ast.get_docstring(parsed(path)) or "").partition("\n")[0].endswith("; pure.")
    ]
    assert not [path for path in told if path not in held]


def read_by(tree: ast.Module, module: str) -> dict[str, set[str]]:
    """Return, of each function and class of a module, what it names as "module.name", and "os.environ" if it does."""
    known = {name: f"{module}.{name}" for name in top_level(tree, decorated=True)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
    found: dict[str, set[str]] = {}
    for node in tree.body:
        name = f"{module}.{node.name}" if isinstance(node, DEFINED) else module
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in known:
                found.setdefault(name, set()).add(known[each.id])
            elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in known:
                found.setdefault(name, set()).add(f"{known[each.value.id]}.{each.attr}")
    return found


def reading_the_environment() -> set[str]:
    """Return what reads the environment, itself or by way of functions, as "module.name".

    The gate for keys isn't followed: all that makes an error passes it. Nor are classes, which are named as types.
    """
    reads: dict[str, set[str]] = {}
    for path in modules():
        if path.name != "secrecy.py":
            reads |= read_by(parsed(path), ".".join((NAME, *path.relative_to(PACKAGE).with_suffix("").parts)))
    found = {"os.environ", "os.getenv"}
    while more := {name for name, named in reads.items() if named & followed(found)} - found:
        found |= more
    return found


def followed(names: set[str]) -> set[str]:
    return {name for name in names if name.rpartition(".")[2].islower()}


def test_pure_modules_read_no_environment_by_way_of_others_either() -> None:
    reading = reading_the_environment()
    assert f"{NAME}.front_end.streaming_wanted" in reading
    pure = {".".join((NAME, *path.relative_to(PACKAGE).with_suffix("").parts)) for path, _ in pure_modules()}
    assert not {name for name in reading if name in pure or name.rpartition(".")[0] in pure}


def test_only_one_module_knows_httpx() -> None:
    knowing = {
        str(p.relative_to(PACKAGE))
        for p in modules()
        for module, _ in imports(parsed(p))
        if module.split(".")[0] in {"httpx", "httpcore"}
    }
    assert knowing == {"http/client.py"}


LEAVES_TAKEN = {"Event", "Condition", "Semaphore", "BoundedSemaphore", "Barrier"}  # of `threading`; see interrupts.py
MAY_BE_LEFT = {
    "interrupts.py": "builds on one",
    "ledger/writing.py": "its lock, which is a plain one, is what is taken",
    "cli/sandbox_command.py": "nobody else looks at it",
}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_interrupt_leaves_a_lock_taken(path: Path) -> None:
    used = {
        node.attr
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "threading"
    }
    assert bool(used & LEAVES_TAKEN) == (str(path.relative_to(PACKAGE)) in MAY_BE_LEFT)
    made = {
        node.func.id
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "Future" not in made, "a GuardedFuture is one that no interrupt leaves taken"
    wholly = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.ImportFrom) and n.module == "threading"]
    assert not wholly, "then their names would hide which library's they are"


def test_no_wait_for_a_process_or_thread_is_without_a_bound() -> None:
    # What waits for a disk doesn't die, and on Windows an untimed wait can't be interrupted.
    calls = [(path, node) for path in modules() for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    assert not [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, node in calls
        if re.search(r"(process|thread)\.(wait|join|communicate)\(\)$", ast.unparse(node))
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_MODULE
    long = [
        f"{node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(parsed(path))


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_docstrings_begin_as_those_of_the_standard_library_do(path: Path) -> None:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(parsed(path)) if isinstance(node, kinds)]
    assert not [text for text in texts if text.startswith(("Give ", "Gives ", "Say ", "Tell "))]


# A class name says one thing in the whole package. What begins with an underscore is its module's own.


def class_names(tree: ast.Module) -> set[str]:
    """Return the names of the module's classes, type variables and aliases of types, without those of its own."""
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {each.id for each in targets if isinstance(each, ast.Name)}
    return {name for name in found if name[:1].isupper() and not name.isupper()}


def test_a_class_name_says_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for path in modules():
        for name in class_names(parsed(path)):
            homes.setdefault(name, []).append(str(path.relative_to(PACKAGE)))
    several = {name: where for name, where in homes.items() if len(where) > 1}
    assert several == {}


def test_a_room_imports_a_function_of_one_name_from_one_module() -> None:
    defined = {
        ".".join((NAME, *path.relative_to(PACKAGE).with_suffix("").parts)): {
            node.name for node in parsed(path).body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for path in modules()
    }
    homes: dict[tuple[str, str], set[str]] = {}
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module in defined:
                for alias in node.names:
                    if alias.name in defined[node.module]:
                        homes.setdefault((room(path), alias.asname or alias.name), set()).add(node.module)
    assert not {where: homes_ for where, homes_ in homes.items() if len(homes_) > 1}


# What only tests use is no part of the package.

EXTENSION = PACKAGE.parent / "labextension" / "static"  # its scripts have the kernel call some of ours
CALLED_BY_OTHERS = {
    "tetrate_jupyter.load_ipython_extension": "IPython",
    "tetrate_jupyter.unload_ipython_extension": "IPython",
    "tetrate_jupyter.cli.main": "the command that pyproject.toml names",
}


def top_level(tree: ast.Module, *, decorated: bool = False) -> set[str]:
    """Return the names that a module makes. What is decorated is used by its decorator."""
    found = set()
    for node in tree.body:
        if isinstance(node, DEFINED) and (decorated or not node.decorator_list):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for each in targets if isinstance(each, ast.Name)}
    return {name for name in found if not name.startswith("__")}


def used_names(tree: ast.Module) -> set[str]:
    """Return the names that a module reads."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def taken_from(tree: ast.Module) -> set[str]:
    """Return what a module takes of others as "module.name", by import or as an attribute of an imported module."""
    found, known = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            found.add(f"{known[node.value.id]}.{node.attr}")
    return found


def test_nothing_is_there_for_tests_alone() -> None:
    files = {".".join((NAME, *p.relative_to(PACKAGE).with_suffix("").parts)): p for p in modules()}
    taken = set().union(*(taken_from(parsed(path)) for path in files.values()))
    unused = {
        f"{module.removesuffix('.__init__')}.{name}"
        for module, path in files.items()
        for name in top_level(parsed(path)) - used_names(parsed(path))
    } - taken
    scripts = "".join(path.read_text() for path in EXTENSION.glob("*.js"))
    by_pages = {name for name in unused if re.search(rf"\b{name.rpartition('.')[2]}\(", scripts)}
    assert unused - by_pages == CALLED_BY_OTHERS.keys()
