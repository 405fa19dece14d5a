"""The small changes that are made to a module, one at a time; each should be noticed by a test.

Not changed: docstrings, annotations, imports, what only a type checker reads, and sentences for people (texts with a
blank, and parts of f-strings). A pattern loses one alternative at a time, a table one entry.
"""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_OF_CLASSES = {"__slots__", "__match_args__", "__all__"}


@dataclass(frozen=True)
class Mutant:
    """One change: `name` tells it from all others of its module and survives edits elsewhere."""

    name: str
    line: int
    tree: ast.Module


@dataclass
class _Slot:
    parent: ast.AST
    field: str
    place: int | None
    scope: str

    @property
    def node(self) -> Any:
        value = getattr(self.parent, self.field)
        return value if self.place is None else value[self.place]

    def put(self, node: ast.AST) -> None:
        if self.place is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.place] = node


def mutants(source: str, module: str, most: int) -> list[Mutant]:
    """Return at most `most` changes of a module, always the same ones, by their lines."""
    original = ast.parse(source)
    numbers = [
        (number, variant)
        for number, slot in enumerate(_slots(original))
        for variant, _ in enumerate(_replacements(slot))
    ]
    if len(numbers) > most:
        numbers = random.Random(module).sample(numbers, most)
    seen: Counter[str] = Counter()
    made = []
    for number, variant in sorted(numbers):
        tree = ast.parse(source)
        slot = list(_slots(tree))[number]
        old, new = slot.node, list(_replacements(slot))[variant]
        line = getattr(old, "lineno", 0) or getattr(slot.parent, "lineno", 0)
        name = f"{slot.scope}: {_brief(old)} -> {getattr(new, 'said', None) or _brief(new)}"
        slot.put(new)
        seen[name] += 1
        times = f" ({seen[name]})" if seen[name] > 1 else ""
        made.append(Mutant(name + times, line, ast.fix_missing_locations(tree)))
    return made


def count(source: str) -> int:
    """Return how many changes there are in all."""
    return sum(len(list(_replacements(slot))) for slot in _slots(ast.parse(source)))


def _said(node: ast.AST, how: str) -> ast.AST:
    """Return a replacement with the words for it, where the whole of it would be long."""
    node.said = how  # type: ignore[attr-defined]
    return node


def _brief(node: ast.AST) -> str:
    text = " ".join((ast.unparse(node.test) if isinstance(node, ast.If) else ast.unparse(node)).split())
    return text if len(text) <= 90 else f"{text[:60]}…{text[-29:]}"


def _slots(tree: ast.Module) -> Iterator[_Slot]:
    yield from _below(tree, "module")


def _below(parent: ast.AST, scope: str) -> Iterator[_Slot]:
    for field, value in ast.iter_fields(parent):
        if field in {"annotation", "returns", "decorator_list", "bases", "type_params", "ctx", "op", "ops"}:
            continue
        if field == "keys" and isinstance(parent, ast.Dict):
            continue  # an entry is dropped whole
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_left_alone(child, parent, place):
                continue
            inner = scope
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inner = child.name if scope == "module" else f"{scope}.{child.name}"
            yield _Slot(parent, field, place, scope)
            yield from _below(child, inner)


def _is_left_alone(child: ast.AST, parent: ast.AST, place: int | None) -> bool:
    if isinstance(child, (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Global, ast.Nonlocal)):
        return True
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
        return True
    if isinstance(child, ast.Call) and ast.unparse(child.func) in {"TypeVar", "cast", "overload"}:
        return True
    if isinstance(child, ast.Assign) and any(getattr(t, "id", "") in _OF_CLASSES for t in child.targets):
        return True
    return isinstance(child, (ast.Assign, ast.AnnAssign)) and bool(
        re.search(r"TypeAlias|= Literal\[", ast.unparse(child))
    )


def _replacements(slot: _Slot) -> Iterator[ast.AST]:
    node = slot.node
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node, slot)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, (ast.Dict, ast.Set, ast.List, ast.Tuple)):
        yield from _of_items(node, slot)
    elif isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield ast.comprehension(node.target, node.iter, node.ifs[:place] + node.ifs[place + 1 :], node.is_async)
    else:
        yield from _of_operation(node)


def _of_operation(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield _said(ast.Compare(node.left, ops, node.comparators), other.__name__)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for place in range(len(node.values)):
            rest = node.values[:place] + node.values[place + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse


def _of_items(node: ast.Dict | ast.Set | ast.List | ast.Tuple, slot: _Slot) -> Iterator[ast.AST]:
    if isinstance(node, ast.Dict):
        for place, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            fewer = ast.Dict(node.keys[:place] + node.keys[place + 1 :], node.values[:place] + node.values[place + 1 :])
            yield _said(fewer, f"without entry {_brief(key or value)}")
        return
    is_table = not isinstance(node, ast.Tuple) or slot.scope == "module"
    is_read = isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and not isinstance(slot.parent, ast.Subscript)
    if not is_table or not is_read or len(node.elts) < 2:
        return
    for place, item in enumerate(node.elts):
        rest = node.elts[:place] + node.elts[place + 1 :]
        fewer = ast.Set(rest) if isinstance(node, ast.Set) else type(node)(rest, ast.Load())
        yield _said(fewer, f"without {_brief(item)}")


def _of_statement(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)):
        yield ast.Pass()
    elif isinstance(node, ast.Assign):
        if any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets):
            yield ast.Pass()
    elif isinstance(node, ast.If):
        yield _said(ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse), "if not")
        yield _said(ast.If(ast.Constant(value=False), node.body, node.orelse), "never")


def _of_constant(node: ast.Constant, slot: _Slot) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        if value > 0:
            yield ast.Constant(value - 1)
    elif isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode("latin-1")
        if isinstance(slot.parent, ast.Call) and ast.unparse(slot.parent.func).startswith("re."):
            changed = _fewer_alternatives(text)
        elif slot.scope == "module" and "_" in text and re.fullmatch(r"[a-z_]+( [a-z_]+)+ ?", text):
            words = text.split(" ")
            changed = (" ".join(words[:n] + words[n + 1 :]) for n in range(len(words)) if words[n])
        elif " " in text.strip():
            return
        else:
            changed = iter([f"{text}~" if text else "~"])
        for other in changed:
            yield ast.Constant(other if isinstance(value, str) else other.encode("latin-1"))


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    for place in range(len(node.keywords)):
        fewer = ast.Call(node.func, node.args, node.keywords[:place] + node.keywords[place + 1 :])
        yield _said(fewer, f"without {node.keywords[place].arg}=")
    if len(node.args) == 2 and not any(isinstance(a, ast.Starred) for a in node.args):
        yield ast.Call(node.func, node.args[::-1], node.keywords)


def _fewer_alternatives(pattern: str) -> Iterator[str]:
    """Yield a pattern without each of its alternatives, at any depth; what isn't a pattern then is left out."""
    bounds: list[tuple[int, int]] = []  # (start, end) of each alternative, where there are several
    opened: list[list[int]] = [[0]]
    place, in_class = 0, False
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            place += 1
        elif in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
            place += pattern[place + 1 : place + 2] == "]"
        elif sign == "(":
            opened.append([place + 1])
        elif sign == "|":
            opened[-1].append(place + 1)
        elif sign == ")":
            _close(bounds, opened.pop(), place)
        place += 1
    _close(bounds, opened.pop(), len(pattern))
    for start, end in bounds:
        head = re.match(r"\?(:|!|=|<!|<=|P<\w+>)|\(\?[a-z]+\)", pattern[start:end])
        kept = start + (head.end() if head else 0)
        is_last = pattern[end : end + 1] != "|"
        other = pattern[: start - 1] + pattern[end:] if is_last else pattern[:kept] + pattern[end + 1 :]
        try:
            re.compile(other)
        except re.error:
            continue
        yield other


def _close(bounds: list[tuple[int, int]], starts: list[int], end: int) -> None:
    if len(starts) > 1:
        bounds.extend(zip(starts, [*(s - 1 for s in starts[1:]), end], strict=True))
