"""`python -m tests.changed [BASE]`: print the tests that belong to what has changed, one path a line.

`make check` runs these, so that it takes a minute; `make test` runs all. Changed is what differs from `main`, committed
or not; on `main` itself what isn't committed, and where that is nothing, the last commit.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.mutation.modules import TESTS

ROOT = Path(__file__).parents[1]
PACKAGE = "tetrate_jupyter"
ALWAYS = ("tests/architecture", "tests/docs")  # about the whole tree: house, names, styles, scripts, README
BROWSER = "tests/browser"  # minutes
_MAINS = ("origin/main", "main")


def main() -> int:
    """Print the tests, all of them where git can't tell, and to standard error what has changed since when."""
    try:
        base = sys.argv[1] if len(sys.argv) > 1 else _base()
        files = changed(base)
    except (OSError, subprocess.CalledProcessError):
        sys.stderr.write("What has changed isn't known without git and its history: all tests are run.\n")
        print(f"tests\n--ignore={BROWSER}")
        return 0
    sys.stderr.write(f"{len(files)} files have changed since {base}; all tests are run by make test.\n")
    print("\n".join(belonging(files)))
    return 0


def changed(base: str) -> list[str]:
    """Return the files that differ from `base` or aren't known to git yet."""
    return sorted(
        {
            *_git("diff", "--name-only", "--diff-filter=d", base),
            *_git("ls-files", "--others", "--exclude-standard"),
        }
    )


def belonging(files: list[str]) -> list[str]:
    """Return the tests that belong to these files, and those that always do."""
    found = {test for file in files for test in _tests_of(Path(file))}
    return [*ALWAYS, *sorted(test for test in found if not test.startswith((*ALWAYS, BROWSER)))]


def _tests_of(file: Path) -> list[str]:
    top, *_ = file.parts
    if top == "tests" and file.suffix == ".py":
        return _of_test(file)
    if top == PACKAGE and file.suffix == ".py":
        return _of_module(file)
    if top == PACKAGE:  # a script, stylesheet or answer: of its room, what says its first word
        return _named(Path("tests", file.parts[1]), re.split(r"[_.]", file.name)[0])
    return []


def _of_test(file: Path) -> list[str]:
    if file.name.startswith("test_"):
        return [file.as_posix()]
    name = ".".join(file.with_suffix("").parts)
    return _importing(name)  # a helper of several; what a conftest gives is asked for by too many


def _of_module(file: Path) -> list[str]:
    key = file.relative_to(PACKAGE).with_suffix("").as_posix()
    if key in TESTS:
        return TESTS[key]
    name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    found = _importing(name) or _named(Path("tests", *file.parts[1:-1]), file.stem)
    return found or [test for each in _that_import(Path(PACKAGE), "*.py", name) for test in _of_module(Path(each))]


def _importing(module: str) -> list[str]:
    return _that_import(Path("tests"), "test_*.py", module)


def _that_import(folder: Path, names: str, module: str) -> list[str]:
    """Return the files in `folder` that import a module by its name."""
    parent, _, last = module.rpartition(".")
    imports = re.compile(
        rf"^\s*(?:from {re.escape(module)} import|import {re.escape(module)}\b"
        rf"|from {re.escape(parent)} import [^\n]*\b{re.escape(last)}\b)",
        re.MULTILINE,
    )
    return [file for file, text in _texts(folder, names).items() if last in text and imports.search(text)]


@cache
def _texts(folder: Path, names: str) -> dict[str, str]:
    found = sorted((ROOT / folder).rglob(names))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found}


def _named(folder: Path, word: str) -> list[str]:
    """Return the test files of a room that have this word in their names, all of the room where none has."""
    if folder == Path("tests"):
        return []
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("test_*.py"))
    return [each for each in files if word in each.rpartition("/")[2]] or files


def _base() -> str:
    main = next((name for name in _MAINS if _git("rev-parse", "--verify", "--quiet", name, fails=True)), "HEAD")
    base = next(iter(_git("merge-base", "HEAD", main)), "HEAD")
    nothing = base == _git("rev-parse", "HEAD")[0] and not changed("HEAD")
    return "HEAD~1" if nothing else base[:12]


def _git(*arguments: str, fails: bool = False) -> list[str]:
    asked = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=not fails
    )
    return asked.stdout.split("\n")[:-1]


if __name__ == "__main__":
    sys.exit(main())
