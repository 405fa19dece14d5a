"""Check that what is tagged may be released, and build its packages into dist/; `--tag v1.2.3` names the tag.

CONTRIBUTING tells the whole way. This part needs nothing but git, `build` and `twine`, and publishes nothing.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")  # what people read; PEP 440 has more forms


class NotReadyError(Exception):
    """Why this can't be released, with what to do about it."""


def main(arguments: list[str] | None = None) -> int:
    """Return 0 where the packages lie in dist/, ready to be uploaded; 1 where the reason was printed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--tag", required=True, help='the tag to release, "v" and the version')
    tag = parser.parse_args(arguments).tag
    try:
        check(tag)
        packages = build(tag.removeprefix("v"))
    except NotReadyError as reason:
        print(f"Not released: {reason}", file=sys.stderr)
        return 1
    print(f"{tag} may be released:", *(package.relative_to(ROOT) for package in packages), sep="\n  ")
    return 0


def check(tag: str) -> None:
    """Raise `NotReadyError` unless tag, version, changelog, citation and tree say the same."""
    version = tag.removeprefix("v")
    if tag == version or not VERSION.fullmatch(version):
        raise NotReadyError(f'a tag is "v" and a version, such as v1.2.3, not {tag!r}')
    expect('__version__ = "{}"', "tetrate_jupyter/__init__.py", version)
    expect("version: {}", "CITATION.cff", version)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}$", changes, re.MULTILINE):
        raise NotReadyError(f'CHANGELOG.md has no line "## [{version}] - YYYY-MM-DD": name the day there')
    if git("status", "--porcelain"):
        raise NotReadyError("the tree has changes that aren't committed: commit or remove them (git status)")
    if git("rev-parse", "HEAD") != git("rev-parse", "--verify", f"refs/tags/{tag}^{{commit}}"):
        raise NotReadyError(f"the tag {tag} isn't on this commit: git checkout {tag}")


def expect(form: str, name: str, version: str) -> None:
    """Raise `NotReadyError` unless the file has the line of `form` with this version."""
    line = form.format(version)
    if line not in (ROOT / name).read_text(encoding="utf-8").splitlines():
        raise NotReadyError(f"{name} has no line {line!r}: write the version there")


def git(*arguments: str) -> str:
    """Return what git prints. Raises `NotReadyError` where it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - the git of whoever releases
    if done.returncode:
        raise NotReadyError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def build(version: str) -> list[Path]:
    """Build both packages anew, check how the index will show them, and return their paths."""
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    for command in (["build", "--outdir", str(folder), str(ROOT)], ["twine", "check", "--strict", f"{folder}/*"]):
        if subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode:
            raise NotReadyError(f"python -m {command[0]} failed, see above")
    packages = sorted(folder.iterdir())
    names = [f"tetrate_jupyter-{version}-py3-none-any.whl", f"tetrate_jupyter-{version}.tar.gz"]
    if [package.name for package in packages] != names:
        raise NotReadyError(f"built {[package.name for package in packages]}, expected {names}")
    return packages


if __name__ == "__main__":
    sys.exit(main())
