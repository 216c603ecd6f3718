"""The support vector machine of seed 004: fitted by scikit-learn, kept as a graph of plain matrix operators."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from phonoscope.models.extras import need
from phonoscope.models.graphs import Graph

DOUBLE = 11  # ONNX's number of float64


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """A fitted machine: a decision for each of P = k (k - 1) / 2 pairs of classes."""

    vectors: np.ndarray  # (S, 13) float32
    weights: np.ndarray  # (S, P) float64, of each vector's kernel in each pair's decision
    biases: np.ndarray  # (P,) float64
    classes: int
    gamma: float


def classifier(c: float, gamma: float, *, weighted: bool = False) -> Any:
    """scikit-learn's machine with a radial kernel, not fitted yet; of classes with equally many votes, the surest.

    Args:
        weighted: a mistake costs more in a class with few rows, as scikit-learn's "balanced".

    Raises:
        UsageError: scikit-learn is not installed.
    """
    need("the SVM", "sklearn", extra="svm")
    from sklearn.svm import SVC

    how: dict[str, Any] = {"C": c, "gamma": gamma, "class_weight": "balanced" if weighted else None}
    return SVC(kernel="rbf", decision_function_shape="ovr", break_ties=True, **how)


def machine_of(fit: Any, count: int) -> Machine:
    """What scikit-learn has fitted, pair by pair, in the order (0, 1), (0, 2), … (1, 2), …"""
    vectors, dual = np.asarray(fit.support_vectors_), np.asarray(fit.dual_coef_)
    owner = np.repeat(np.arange(count), fit.n_support_)
    weights = np.zeros((len(vectors), count * (count - 1) // 2))
    for at, (one, other) in enumerate(combinations(range(count), 2)):
        weights[owner == one, at] = dual[other - 1, owner == one]
        weights[owner == other, at] = dual[one, owner == other]
    biases = np.asarray(fit.intercept_, np.float64)
    if count == 2:  # there alone a decision above 0 means the second class
        weights, biases = -weights, -biases
    return Machine(vectors.astype(np.float32), weights, biases, count, float(fit.gamma))


def told_by(machine: Machine) -> Callable[[Graph, str], str]:
    """What puts a machine into a graph: votes of all pairs, and within a third of a vote how sure they are.

    Source: `_ovr_decision_function` of scikit-learn, BSD-3-Clause.
    """

    def told(graph: Graph, rows: str) -> str:
        def double(values: np.ndarray) -> str:
            return graph.add("Cast", graph.constant(values), to=DOUBLE)

        def squares(of: str) -> str:
            return graph.add("ReduceSum", graph.add("Mul", of, of), graph.constant(np.array([1])), keepdims=1)

        rows, vectors = graph.add("Cast", rows, to=DOUBLE), double(machine.vectors)
        across = graph.add("MatMul", rows, graph.transpose(vectors, 1, 0))
        lengths = graph.add("Add", squares(rows), graph.transpose(squares(vectors), 1, 0))
        apart = graph.add("Sub", lengths, graph.add("Add", across, across))
        kernel = graph.add("Exp", graph.add("Mul", apart, _exact(graph, np.array([-machine.gamma]))))
        decision = graph.add("MatMul", kernel, _exact(graph, machine.weights))
        decision = graph.add("Add", decision, _exact(graph, machine.biases))
        sign = graph.add("Sign", decision)
        ends = np.zeros((len(machine.biases), machine.classes))
        for at, (one, other) in enumerate(combinations(range(machine.classes), 2)):
            ends[at, one], ends[at, other] = 1, -1
        votes = graph.add("MatMul", sign, double(ends / 2))  # less those of an even fight, which are added here
        votes = graph.add("Add", votes, double(np.array([(machine.classes - 1) / 2])))
        surety = graph.add("MatMul", decision, double(ends))
        bound = graph.add("Add", graph.add("Abs", surety), double(np.ones(1)))
        part = graph.add("Div", surety, graph.add("Mul", bound, double(np.array([3.0]))))
        return graph.add("Cast", graph.add("Add", votes, part), to=1)

    return told


def _exact(graph: Graph, values: np.ndarray) -> str:
    """Numbers float64 as the sum of two float32, which are all that a graph of ours holds."""
    coarse = values.astype(np.float32)
    fine = (values - coarse).astype(np.float32)
    parts = (graph.add("Cast", graph.constant(part), to=DOUBLE) for part in (coarse, fine))
    return graph.add("Add", *parts)
