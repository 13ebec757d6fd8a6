"""The mutants of a module: every place that can be wrong, with a name that outlives other edits.

Owns walking a module's syntax tree, naming what is changed, and the changed tree itself. Does not
own which changes there are (``changes``) nor trying them (``trial``).
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mutation.changes import changes

# Types are mypy's to check, and decorators say how a class is made, not what is billed.
NOT_CALCULATED = {"annotation", "returns", "decorator_list", "type_comment", "type_params", "bases"}
SHOWN_CHARACTERS = 90


@dataclass(frozen=True)
class Mutant:
    """One wrong change; ``number`` tells alike ones of a function apart."""

    module: str
    function: str
    first_line: int
    last_line: int
    was: str
    becomes: str
    place: int
    choice: int
    number: int = 1

    @property
    def name(self) -> str:
        """What survivors are listed by: no line number, so that edits above leave it alone."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.module}.{self.function}: {self.was} -> {self.becomes}{again}"


@dataclass(frozen=True)
class _Place:
    """A node, where it hangs, and the expression or statement that tells what it is part of."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    function: str
    host: ast.AST
    lines: tuple[int, int]


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its text."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    found = []
    for number, place in enumerate(_places(tree)):
        for choice, becomes in enumerate(changes(place.node, place.parent)):
            mutant = Mutant(
                module, place.function, *place.lines, *_told(place, becomes), number, choice
            )
            seen[mutant.name] += 1
            found.append(replace(mutant, number=seen[mutant.name]))
    return found


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """The module with this one change."""
    tree = ast.parse(source)
    place = list(_places(tree))[mutant.place]
    _put(place, list(changes(place.node, place.parent))[mutant.choice])
    return ast.fix_missing_locations(tree)


def _places(tree: ast.Module) -> Iterator[_Place]:
    yield from _below(tree, "module", tree, (1, 1))


def _below(
    parent: ast.AST, function: str, host: ast.AST, lines: tuple[int, int]
) -> Iterator[_Place]:
    for field, value in ast.iter_fields(parent):
        if field in NOT_CALCULATED:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _is_cache(node):
                continue
            lines_here = _lines(node) if isinstance(node, ast.stmt) else lines
            place = _Place(node, parent, field, index, function, _host(node, host), lines_here)
            yield place
            yield from _below(node, _inside(node, function), place.host, lines_here)


def _lines(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement; of one with a body those of its head."""
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return node.lineno, max(last, node.lineno)


def _is_cache(node: ast.AST) -> bool:
    """How many answers a cache keeps changes no answer."""
    match node:
        case ast.Call(func=ast.Name(id="lru_cache")):
            return True
    return False


def _inside(node: ast.AST, function: str) -> str:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return function
    return node.name if function == "module" else f"{function}.{node.name}"


def _host(node: ast.AST, host: ast.AST) -> ast.AST:
    """A constant or a slice alone tells nothing: it is shown within what stands around it."""
    if isinstance(node, ast.Constant | ast.Slice | ast.UnaryOp | ast.Tuple):
        return host
    return node if isinstance(node, ast.expr | ast.stmt) else host


def _told(place: _Place, becomes: ast.AST | None) -> tuple[str, str]:
    """How the host reads before and after the change, cut around what differs."""
    before = _text(place.host)
    if becomes is None:
        return _cut(before, 0), "(removed)"
    if place.host is place.node:
        after = _text(becomes)
    else:
        _put(place, becomes)
        after = _text(place.host)
        _put(place, place.node)
    pairs = enumerate(zip(before, after, strict=False))
    differs = next((at for at, (one, other) in pairs if one != other), 0)
    return _cut(before, differs), _cut(after, differs)


def _text(node: ast.AST) -> str:
    """An if is told by its condition."""
    return " ".join(ast.unparse(node.test if isinstance(node, ast.If) else node).split())


def _cut(text: str, differs: int) -> str:
    first = max(0, differs - SHOWN_CHARACTERS // 2) if len(text) > SHOWN_CHARACTERS else 0
    last = first + SHOWN_CHARACTERS
    return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")


def _put(place: _Place, becomes: ast.AST | None) -> None:
    node = ast.Pass() if becomes is None else becomes
    if place.index is None:
        setattr(place.parent, place.field, node)
    else:
        getattr(place.parent, place.field)[place.index] = node
