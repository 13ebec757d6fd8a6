"""Which wrong changes one place of a program can suffer.

Owns the list of changes, expression by expression and statement by statement. Each is the slip of a
hand: a boundary moved by one, a condition forgotten, a code mistaken. Does not own finding the
places (``mutants``).
"""

import ast
import re
from collections.abc import Iterator

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
MASKED: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "minimum": "maximum",
    "maximum": "minimum",
    "cummax": "cummin",
    "cummin": "cummax",
    "idxmin": "idxmax",
    "idxmax": "idxmin",
    "floor": "ceil",
    "ceil": "floor",
}
SIDES = {"left": "right", "right": "left", "first": "last", "last": "first"}
CODE = re.compile(r"[EWI]_[A-Z0-9_]+|[A-Z]?\d{4,5}[A-Z]?|[A-Z]{2,}[A-Z0-9_-]*")


def changes(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST | None]:
    """Every change of this one node; None removes a statement."""
    if isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _constants(node.value, _moved_by(parent)))
    elif isinstance(node, ast.expr):
        yield from _expression(node)
    elif isinstance(node, ast.stmt):
        yield from _statement(node)


def _expression(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare():
            yield from _compare(node)
        case ast.BoolOp(op=op, values=values):
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.BinOp():
            yield from _calculation(node)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.Call(func=func, args=args, keywords=keywords):
            for other in _named(func):
                yield ast.Call(other, args, keywords)


def _compare(node: ast.Compare) -> Iterator[ast.expr]:
    for index, op in enumerate(node.ops):
        ops: list[ast.cmpop] = [*node.ops]
        ops[index] = COMPARED[type(op)]()
        yield ast.Compare(node.left, ops, node.comparators)


def _calculation(node: ast.BinOp) -> Iterator[ast.expr]:
    masked = MASKED.get(type(node.op))
    if masked is not None:
        yield ast.BinOp(node.left, masked(), node.right)
        yield node.left
        yield node.right
    calculated = CALCULATED.get(type(node.op))
    if calculated is not None and not any(map(_is_text, (node.left, node.right))):
        yield ast.BinOp(node.left, calculated(), node.right)


def _is_text(node: ast.expr) -> bool:
    """Whether this is a text or a list: taking one from another only raises."""
    match node:
        case (
            ast.JoinedStr() | ast.List() | ast.Tuple() | ast.ListComp() | ast.Constant(value=str())
        ):
            return True
        case ast.BinOp(left=left, right=right):
            return _is_text(left) or _is_text(right)
    return False


def _named(func: ast.expr) -> Iterator[ast.expr]:
    match func:
        case ast.Name(id=name) if name in NAMES:
            yield ast.Name(NAMES[name], ast.Load())
        case ast.Attribute(value=value, attr=name) if name in NAMES:
            yield ast.Attribute(value, NAMES[name], ast.Load())


def _moved_by(parent: ast.AST) -> tuple[int, ...]:
    """A boundary is moved one way by its comparison already, so its number moves the other way."""
    match parent:
        case ast.Compare(ops=[ast.Gt() | ast.LtE()]):
            return (1,)
        case ast.Compare(ops=[ast.GtE() | ast.Lt()]):
            return (-1,)
    return (1, -1)


def _constants(value: object, moved_by: tuple[int, ...]) -> Iterator[bool | int | str]:
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + step for step in moved_by)
        case str() if value in SIDES:
            yield SIDES[value]
        case str() if CODE.fullmatch(value):
            yield value + "X"


def _statement(node: ast.stmt) -> Iterator[ast.stmt | None]:
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield None
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield None
        case ast.If(body=body, orelse=orelse):
            yield ast.If(ast.Constant(value=False), body, orelse)
            yield ast.If(ast.Constant(value=True), body, orelse)
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
