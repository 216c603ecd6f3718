"""What a scorer reaches on examples: figures of frames and of windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope.metrics.ranking import accuracy, average_precision, roc_auc


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """An example with its scores; only the frames that count."""

    odds: np.ndarray  # (T,) log-odds of speaking
    labels: np.ndarray  # (T,) 1 speaks, 0 not
    whole: bool  # all its frames have one label: it is a window that can be judged as one


def figures(scored: Sequence[Scored]) -> dict[str, float]:
    """Accuracy at log-odds 0, average precision, area under ROC, and the threshold of the best F1, over all frames.

    Of windows that are of one label all along, `window_accuracy` says how many are on the right side of 0 by their
    mean. Figures that are undefined, as average precision is where nobody speaks, are not among them.
    """
    scored = [it for it in scored if len(it.odds)]
    if not scored:
        return {}
    odds = np.concatenate([it.odds for it in scored]).astype(np.float64)
    labels = np.concatenate([it.labels for it in scored]) == 1
    found = {"accuracy": accuracy(labels, odds > 0)}
    windows = [(it.odds.mean() > 0, bool(it.labels[0])) for it in scored if it.whole]
    if windows:
        found["window_accuracy"] = float(np.mean([said == true for said, true in windows]))
    if labels.any():
        found["ap"] = average_precision(labels, odds)
        found["threshold"], found["f1"] = best_threshold(labels, odds)
        if not labels.all():
            found["auc"] = roc_auc(labels, odds)
    return found


def best_threshold(labels: np.ndarray, odds: np.ndarray) -> tuple[float, float]:
    """The threshold above which calling a row positive gives the best F1, and that F1.

    It lies in the middle between two scores; of several the lowest.

    Raises:
        ValueError: no row is positive.
    """
    labels = np.asarray(labels, bool)
    if not labels.any():
        raise ValueError(f"F1 has no best threshold: none of {len(labels)} rows is positive")
    order = np.argsort(-odds, kind="stable")
    ranked, hits = odds[order], np.cumsum(labels[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    score = 2 * hits[last] / (last + 1 + labels.sum())
    best = len(score) - 1 - int(np.argmax(score[::-1]))
    under = ranked[last[best] + 1] if best + 1 < len(last) else ranked[-1] - 1.0
    return float((ranked[last[best]] + under) / 2), float(score[best])
