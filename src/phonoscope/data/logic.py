"""Columns that may have gaps, and what can be worked out of them: true, false, or not known."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A column, or one value for all rows."""

    kind: str  # "number", "text" or "condition"
    values: np.ndarray  # (N,) or () float64, text or bool; anything where not known, but conditions are False there
    known: np.ndarray  # (N,) or () bool

    @property
    def a_kind(self) -> str:
        """What it is, in a sentence."""
        return self.kind if self.kind == "text" else f"a {self.kind}"


def number(values: np.ndarray | float, known: np.ndarray | bool = True) -> Value:
    """Numbers; as float64, so that 0.1 means the same wherever it stands."""
    return Value("number", np.asarray(values, np.float64), np.asarray(known))


def text(values: np.ndarray | str, known: np.ndarray | bool = True) -> Value:
    """Text."""
    return Value("text", np.asarray(values, str), np.asarray(known))


def either(parts: Iterable[Value]) -> Value:
    """True where one of the conditions is, false where all are, else not known."""

    def join(a: Value, b: Value) -> Value:
        values = a.values | b.values
        return Value("condition", values, (a.known & b.known) | values)

    return reduce(join, parts, Value("condition", np.asarray(False), np.asarray(True)))


def opposite(it: Value) -> Value:
    """True where a condition is false, and false where it is true."""
    return Value("condition", it.known & ~it.values, it.known)


def compare(op: ast.cmpop, one: Value, other: Value) -> Value | None:
    """Whether two values of a kind stand so to each other, never if one is NaN; None: not by this operator."""
    if type(op) not in _COMPARED:
        return None
    known = one.known & other.known
    return Value("condition", _COMPARED[type(op)](one.values, other.values) & known, known)


def contains(whole: Value, part: Value) -> Value:
    """Whether a text holds another."""
    known = whole.known & part.known
    return Value("condition", (np.strings.find(whole.values, part.values) >= 0) & known, known)


def work_out(how: ast.operator | ast.unaryop | str, *numbers: Value) -> Value | None:
    """What comes of numbers, NaN or inf where that is no number; None: nothing, by this operator or function."""
    key = how if isinstance(how, str) else type(how)
    if key not in _WORKED_OUT:
        return None
    with np.errstate(all="ignore"):
        values = _WORKED_OUT[key](*(it.values for it in numbers))
    return number(values, reduce(np.logical_and, (it.known for it in numbers)))


_COMPARED: Mapping[type, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: lambda a, b: (a < b) | (a > b),  # unlike !=, false for NaN
    ast.GtE: np.greater_equal,
    ast.Gt: np.greater,
}

_WORKED_OUT: Mapping[type | str, Callable[..., np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
    "abs": np.abs,
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
}
