"""Queries over columns: written as conditions are in Python, read with `ast`, and never run as Python."""

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import shorten

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.logic import Value, compare, contains, either, number, opposite, text, work_out

INSTEAD = {ast.BitAnd: "and", ast.BitOr: "or", ast.Invert: "not", ast.Is: "==", ast.IsNot: "!="}
DEEPEST = 100  # levels of brackets, signs and sums in one another: more is no query that anybody wrote
GRAMMAR = "a query has columns, numbers, 'text', and, or, not, < <= == != >= >, in, + - * /, abs(), min() and max()"


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A part of a query, which a row fulfils or not."""

    text: str  # as it was written
    tree: ast.expr

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it asks for, in order of appearance."""
        called = {node.func for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        names = [node for node in ast.walk(self.tree) if isinstance(node, ast.Name) and node not in called]
        return tuple(dict.fromkeys(node.id for node in sorted(names, key=lambda it: (it.lineno, it.col_offset))))

    def judge(self, columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Which rows fulfil it, and of which rows that is known, (N,) bool each; what is not known is not fulfilled.

        A comparison with NaN does not hold, whichever it is. One with what was never measured is not known: `and`,
        `or` and `not` make of it what they can.

        Args:
            columns: name to (N,) numbers or text; masked (`numpy.ma`) where nothing was measured.

        Raises:
            UsageError: there is no such column, or it is no condition.
        """
        rows = len(next(iter(columns.values()), ()))
        made = _Reader(columns).value(self.tree)
        if made.kind != "condition":
            raise UsageError(f"'{self.text}' is {made.a_kind}, not a condition: compare it, as in blur > 20")
        return np.broadcast_to(made.values & made.known, rows).copy(), np.broadcast_to(made.known, rows).copy()


def conditions(where: str) -> tuple[Condition, ...]:
    """The parts that the outermost `and` of a query joins, in order; none of an empty query.

    Raises:
        UsageError: it is no expression.
    """
    if not where.strip():
        return ()
    source = f"({where}\n)"  # in brackets, so that a query may go over several lines
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # "1and" and "\d": odd, but no more than that
            warnings.simplefilter("ignore", DeprecationWarning)
            ast.parse(f"[{where}\n]", mode="eval")  # by other brackets too: "a) or (b" is no query
            tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(f"the query '{shorten(where, 80)}' cannot be read ({said}): {GRAMMAR}") from None
    except (RecursionError, MemoryError):
        tree = None
    if tree is None or _depth(tree) > DEEPEST:
        raise UsageError(f"the query goes more than {DEEPEST} levels deep: join short conditions by and, or")
    return tuple(Condition(_one_line(ast.get_source_segment(source, it) or ""), it) for it in _joined(tree))


def no_column(name: str, among: Iterable[str]) -> UsageError:
    """What to say of a column that there is not."""
    among = list(dict.fromkeys(among))
    near = get_close_matches(name, among, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(among)}"
    return UsageError(f"no column '{name}'; {hint}")


def _one_line(said: str) -> str:
    return " ".join(said.split())


def _depth(tree: ast.AST) -> int:
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [below for node in level for below in ast.iter_child_nodes(node)]
    return depth


def _joined(tree: ast.expr) -> Iterator[ast.expr]:
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        for part in tree.values:
            yield from _joined(part)
    else:
        yield tree


@dataclass(frozen=True, slots=True)
class _Reader:
    """Works out what a query asks, for all rows at a time. What it does not know, it refuses."""

    columns: Mapping[str, np.ndarray]

    def value(self, node: ast.expr) -> Value:
        for part in ast.iter_child_nodes(node):
            if type(part) in INSTEAD:
                raise UsageError(f"'{ast.unparse(node)}' cannot be asked: write '{INSTEAD[type(part)]}' instead")
        match node:
            case ast.Constant(value=bool()):
                return self.refuse(node)
            case ast.Constant(value=int() | float() as value):
                return number(float(min(value, sys.float_info.max)))
            case ast.Constant(value=str() as value):
                return text(value)
            case ast.Name():
                return self.column(node.id)
            case ast.BoolOp():
                parts = [self.of("condition", part) for part in node.values]
                return opposite(either(map(opposite, parts))) if isinstance(node.op, ast.And) else either(parts)
            case ast.UnaryOp(op=ast.Not()):
                return opposite(self.of("condition", node.operand))
            case ast.UnaryOp():
                return work_out(node.op, self.of("number", node.operand)) or self.refuse(node)
            case ast.BinOp():
                parts = [self.of("number", part) for part in (node.left, node.right)]
                return work_out(node.op, *parts) or self.refuse(node)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return self.call(node, name)
            case ast.Compare():
                return self.comparison(node)
        return self.refuse(node)

    def of(self, kind: str, node: ast.expr) -> Value:
        """A value that must be of a kind."""
        made = self.value(node)
        if made.kind != kind:
            raise UsageError(f"'{ast.unparse(node)}' is {made.a_kind} where a {kind} is wanted")
        return made

    def column(self, name: str) -> Value:
        if name not in self.columns:
            raise no_column(name, self.columns)
        values = self.columns[name]
        make = number if np.issubdtype(values.dtype, np.number) else text
        return make(np.ma.getdata(values), ~np.ma.getmaskarray(values))

    def call(self, node: ast.Call, name: str) -> Value:
        wants = {"abs": "one number", "min": "two or more numbers", "max": "two or more numbers"}
        if name not in wants:
            near = get_close_matches(name, wants, n=1)
            raise UsageError(f"no function '{name}'; " + (f"did you mean '{near[0]}'?" if near else GRAMMAR))
        if (len(node.args) == 1) != (name == "abs") or not node.args:
            raise UsageError(f"{name}() takes {wants[name]}, not {len(node.args)}")
        return work_out(name, *(self.of("number", part) for part in node.args)) or self.refuse(node)

    def comparison(self, node: ast.Compare) -> Value:
        """Also of a chain such as 2 <= duration_s < 10."""
        sides = [node.left, *node.comparators]
        links = [self.link(a, op, b) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]
        return opposite(either(map(opposite, links)))

    def link(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Value:
        if isinstance(op, ast.NotIn):
            return opposite(self.link(left, ast.In(), right))
        if isinstance(op, ast.In) and isinstance(right, ast.Tuple | ast.List | ast.Set):
            return either([self.link(left, ast.Eq(), item) for item in right.elts])
        if isinstance(op, ast.In):
            return contains(self.of("text", right), self.of("text", left))
        one, other = self.value(left), self.value(right)
        if one.kind != other.kind or one.kind == "condition":
            said = ast.unparse(ast.Compare(left, [op], [right]))
            raise UsageError(f"'{said}' compares {one.a_kind} with {other.a_kind}: give numbers, or 'text' in quotes")
        return compare(op, one, other) or self.refuse(ast.Compare(left, [op], [right]))

    def refuse(self, node: ast.expr) -> Value:
        raise UsageError(f"'{ast.unparse(node)}' cannot be asked: {GRAMMAR}")
