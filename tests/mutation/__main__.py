"""`python -m tests.mutation [modules] [--most N] [--again] [--out FILE]`: which changes of the code no test notices.

By hand, not part of any check: minutes to hours. Each module is run with the tests that are its own (`modules.py`).
Without names, all of them; a name may be the beginning of several ("http"). Changes that mean the same are listed in
`equivalent.py`, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.modules import TESTS
from tests.mutation.mutate import count, mutants
from tests.mutation.running import load_libraries, path_of, run


def main() -> int:
    """Run, print a line for each module and each change that went unnoticed; write all as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*", help="as http/faults, or http; all without")
    parser.add_argument("--most", type=int, default=50, help="changes of one module, chosen once and for all (50)")
    parser.add_argument("--again", action="store_true", help="only those that went unnoticed the last time")
    parser.add_argument("--out", type=Path, default=Path(".work/mutation.json"))
    asked = parser.parse_args()
    chosen = [name for name in TESTS if not asked.modules or any(_is_asked(name, one) for one in asked.modules)]
    if not chosen:
        parser.error(f"no such module; there are {', '.join(TESTS)}")
    load_libraries()
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    for name in chosen:
        found[name] = of_module(name, asked.most, found.get(name) if asked.again else None)
        asked.out.write_text(json.dumps(found, indent=1))
    unnoticed = sum(len(found[name]["unnoticed"]) for name in chosen)
    return min(unnoticed, 1)


def _is_asked(name: str, asked: str) -> bool:
    return name == asked or name.startswith(asked.rstrip("/") + "/")


def of_module(name: str, most: int, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the figures of one module, and each change with what noticed it; `before`: what need not be run again."""
    module = f"tetrate_jupyter.{name.replace('/', '.')}"
    tests = TESTS[name]
    baseline = run(module, None, tests, timeout=300)
    if baseline.killer:
        sys.exit(f"{name}: its tests fail as it is: {baseline.killer}")
    source = path_of(module).read_text("utf-8")
    same = EQUIVALENT.get(name, {})
    killed: dict[str, str] = {}
    unnoticed: dict[str, int] = {}
    equivalent: dict[str, str] = {}
    for mutant in mutants(source, module, most):
        if mutant.name in same:
            equivalent[mutant.name] = same[mutant.name]
            continue
        if before is not None and mutant.name in before["by"]:
            killed[mutant.name] = before["by"][mutant.name]
            continue
        ran = run(module, mutant.tree, tests, timeout=max(30.0, 8 * baseline.seconds))
        if ran.killer:
            killed[mutant.name] = ran.killer
        else:
            unnoticed[mutant.name] = mutant.line
            print(f"    {mutant.line}: {mutant.name}", flush=True)
    matter = len(killed) + len(unnoticed)
    share = 100 * len(killed) // matter if matter else 100
    print(
        f"{name}: {matter + len(equivalent)} of {count(source)} changes, {len(killed)} noticed, {len(equivalent)} mean "
        f"the same, {share} % ({baseline.seconds:.1f} s)",
        flush=True,
    )
    return {
        "made": matter + len(equivalent),
        "there": count(source),
        "killed": len(killed),
        "equivalent": len(equivalent),
        "percent": share,
        "unnoticed": unnoticed,
        "same": equivalent,
        "by": killed,
    }


if __name__ == "__main__":
    sys.exit(main())
