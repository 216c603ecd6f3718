"""How well scores rank what is true above what is not: average precision in the field's variants, ROC, F1.

Everywhere `labels` (N,) bool or 0 and 1 say which rows are positive, and `scores` (N,) how sure one is of it: more is
surer. Results are fractions, not percent.
"""

from collections.abc import Sequence

import numpy as np


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the interpolated curve of precision over recall, in [0, 1].

    Rows are taken by score, highest first. The precision at a recall is the highest at that recall or any above it.
    **Rows of equal score stay in the order in which they are given**: sort them by a key of theirs, and the result
    depends on no file's order. `average_precision_bounds` tells what any order could have made of them.

    Raises:
        ValueError: no row is positive, a score is NaN, or there are not as many scores as labels.

    Source: Everingham et al., "The PASCAL VOC Challenge: A Retrospective", IJCV 2015, all-point form; for active
        speakers Roth et al., "AVA-ActiveSpeaker", ICASSP 2020. Where no scores are equal, the official procedure's
        figure.
    """
    positive, _ = _ranked(labels, scores)
    return _interpolated(_negatives_before(positive))


def average_precision_bounds(labels: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """The least and the greatest `average_precision` that any order of rows with equal scores could give.

    Exact: moving a negative in front of a positive of the same score can only lower the precision at each positive. So
    the worst order has all negatives of a score first, the best all positives.

    Raises:
        ValueError: as of `average_precision`.
    """
    return average_precision_and_bounds(labels, scores)[1:]


def average_precision_and_bounds(labels: np.ndarray, scores: np.ndarray) -> tuple[float, float, float]:
    """`average_precision`, and its least and greatest as in `average_precision_bounds`, for the price of one sort.

    Raises:
        ValueError: as of `average_precision`.
    """
    positive, ordered = _ranked(labels, scores)
    own = _interpolated(_negatives_before(positive))
    edge = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    if len(edge) == len(ordered) - 1:
        return own, own, own
    negatives = np.concatenate([[0], np.cumsum(~positive)])  # in front of each row, and in all
    first, last = np.concatenate([[0], edge]), np.concatenate([edge, [len(ordered)]])
    group = np.repeat(np.arange(len(first)), last - first)[np.flatnonzero(positive)]
    return own, _interpolated(negatives[last][group]), _interpolated(negatives[first][group])


def gated_average_precision(labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> float:
    """`average_precision` in which positives that score `threshold` or less are never found, so recall ends early.

    AnnoTheia's variant, for comparing with its figures: there a row counts only if its probability, rounded, is 1.

    Raises:
        ValueError: as of `average_precision`.

    Source: joactr/AnnoTheia, get_map.py of its TalkNet module.
    """
    positive, ordered = _ranked(labels, scores)
    found = int(np.sum(positive & (ordered > threshold)))
    share = found / positive.sum()
    return float(share * _interpolated(_negatives_before(positive)[:found])) if found else 0.0


def stepwise_average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the curve of precision over recall without interpolation, all rows of equal score taken at once.

    Raises:
        ValueError: as of `average_precision`.

    Source: scikit-learn's `average_precision_score`.
    """
    positive, ordered = _ranked(labels, scores)
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    found = np.cumsum(positive)[last]
    return float(np.sum(np.diff(found, prepend=0) * (found / (last + 1))) / found[-1])


def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """How likely a positive row scores above a negative one, in [0, 1]; equal scores count half.

    Raises:
        ValueError: no row is positive or none negative, a score is NaN, or the lengths differ.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982.
    """
    positive, ordered = _ranked(labels, scores)
    if positive.all():
        raise ValueError(f"the area under ROC is undefined: all {len(positive)} rows are positive")
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    found = np.diff(np.cumsum(positive)[last], prepend=0)
    false = np.diff(np.cumsum(~positive)[last], prepend=0)
    below = false.sum() - np.cumsum(false)
    return float((found * (below + false / 2)).sum() / (found.sum() * false.sum()))


def accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """The share of rows that were predicted right.

    Raises:
        ValueError: there are no rows, or the lengths differ.
    """
    labels, predicted = _alike(labels, predicted)
    if not len(labels):
        raise ValueError("the accuracy of no rows is undefined")
    return float(np.mean(labels == predicted))


def f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """The harmonic mean of precision and recall of rows predicted to be positive, in [0, 1].

    Raises:
        ValueError: no row is positive and none was predicted to be, or the lengths differ.

    Source: van Rijsbergen, "Information Retrieval", 1979.
    """
    labels, predicted = _alike(labels, predicted)
    hits, either = np.sum(labels & predicted), labels.sum() + predicted.sum()
    if not either:
        raise ValueError(f"F1 is undefined: none of {len(labels)} rows is positive, and none was predicted to be")
    return float(2 * hits / either)


def f1_by_person(labels: np.ndarray, predicted: np.ndarray, person: Sequence[str] | np.ndarray) -> dict[str, float]:
    """`f1` of each person's rows, by name in order of first appearance; their mean is the Columbia set's figure.

    Args:
        person: (N,) whose row it is.

    Raises:
        ValueError: somebody neither speaks nor was predicted to, or the lengths differ.

    Source: Chakravarty and Tuytelaars, "Cross-modal Supervision for Learning Active Speaker Detection in Video", ECCV
        2016, the protocol in which the Columbia set is reported.
    """
    labels, predicted = _alike(labels, predicted)
    names, codes = np.unique(np.asarray(person, dtype=str), return_inverse=True)
    if len(codes) != len(labels):
        raise ValueError(f"{len(labels)} labels need as many persons, got {len(codes)}")
    found: dict[str, float] = {}
    for code in dict.fromkeys(codes.tolist()):
        mine = codes == code
        try:
            found[str(names[code])] = f1(labels[mine], predicted[mine])
        except ValueError as error:
            raise ValueError(f"{names[code]}: {error}") from None
    return found


def by_score(scores: np.ndarray) -> np.ndarray:
    """The rows by score, highest first, (N,) int64; rows of equal score in the order in which they are given."""
    order = np.argsort(-scores)
    ordered = scores[order]
    if np.any(ordered[1:] == ordered[:-1]):  # else any way to sort gives the same, and this one is four times faster
        order = np.argsort(-scores, kind="stable")
    return order


def _negatives_before(positive: np.ndarray) -> np.ndarray:
    """How many negatives stand in front of the first, second … positive, (P,) int64."""
    at = np.flatnonzero(positive)
    return at - np.arange(len(at))


def _interpolated(negatives: np.ndarray) -> float:
    """Area under the interpolated curve; `negatives` (P,) says how many stand in front of the first, second … find."""
    found = np.arange(1, len(negatives) + 1)
    precision = found / (found + negatives)
    return float(np.maximum.accumulate(precision[::-1]).mean())


def _ranked(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are positive, (N,) bool, and the scores, both by score, highest first; ties as they are given."""
    positive, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if positive.ndim != 1 or positive.shape != scores.shape:
        raise ValueError(f"labels {positive.shape} and scores {scores.shape} must be as many, in a row")
    positive = _truth(positive)
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).sum()} of {len(scores)} scores are NaN: every row needs one")
    if not positive.any():
        raise ValueError(f"average precision is undefined: none of {len(positive)} rows is positive")
    if np.all(scores[1:] <= scores[:-1]):
        return positive, scores
    order = by_score(scores)
    return positive[order], scores[order]


def _alike(labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.ndim != 1 or labels.shape != predicted.shape:
        raise ValueError(f"labels {labels.shape} and predictions {predicted.shape} must be as many, in a row")
    return _truth(labels), _truth(predicted)


def _truth(labels: np.ndarray) -> np.ndarray:
    """(N,) bool of (N,) bool or 0 and 1; label ids of AVA, in which 2 is not positive, are refused."""
    if labels.dtype != np.bool_ and not np.isin(labels, (0, 1)).all():
        raise ValueError("labels are True and False or 1 and 0: of AVA's label_id, only 1 is positive")
    return labels.astype(bool)
