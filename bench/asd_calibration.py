"""From log-odds to probabilities: by how much each weight file of the speaking networks, ours too, overstates.

Two numbers a file are fitted on the scenes of `asd_scenes`, p = 1 / (1 + exp(-(scale · score + offset))), and tried on
people that they were not fitted on. They go into the cards' `calibration`; what is stored is never changed by them.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.asd_scenes import CHOSEN_ON, LISTENER, NEVER_USED, clips, judged, scenes
from bench.table import Row, Table
from phonoscope.metrics.ranking import average_precision
from phonoscope.models import load

NAMES = ("lr-asd:talkset", "lr-asd:ava", "light-asd:talkset", "light-asd:ava", "tiny")


def measure() -> list[Table]:
    """Scale and offset of each file, the threshold of the best F1, and what that is worth on people not chosen on."""
    with tempfile.TemporaryDirectory() as folder:
        kept = clips((*CHOSEN_ON, *NEVER_USED, LISTENER), Path(folder))
    halves = [[c for c in kept if c.person in (*people, LISTENER)] for people in (CHOSEN_ON, NEVER_USED)]
    rows = []
    for name in NAMES:
        said = [judged(load(name), scenes(half)) for half in halves]
        truth, scores = (np.concatenate(part) for part in zip(*said, strict=True))
        scale, offset = fitted(truth, scores)
        best = best_threshold(truth, scores)
        crossed = [f1(*said[1 - half], best_threshold(*said[half])) for half in (0, 1)]
        rows += [
            Row(f"{name}: AP", f"{average_precision(truth, scores):.3f}"),
            Row("scale, offset", f"{scale:.2f}, {offset:.2f}"),
            Row("F1 at 0, and at the best threshold", _told([f1(truth, scores, 0), f1(truth, scores, best)])),
            Row("that threshold, on log-odds", f"{best:.2f}"),
            Row("F1 of each half of the people at 0", _told([f1(*half, 0) for half in said])),
            Row("the same at the best threshold of the other half", _told(crossed[::-1])),
        ]
    notes = (f"{len(truth)} faces, share of positives {truth.mean():.2f}; windows shared.",)
    return [Table("Calibration", rows, notes)]


def fitted(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Scale and offset by which scores predict truth best, in log-likelihood."""
    from scipy.optimize import minimize

    sign = np.where(truth, 1.0, -1.0)

    def loss(ab: np.ndarray) -> float:
        return float(np.logaddexp(0, -sign * (ab[0] * scores + ab[1])).mean())

    scale, offset = minimize(loss, np.array([1.0, 0.0])).x
    return float(scale), float(offset)


def best_threshold(truth: np.ndarray, scores: np.ndarray) -> float:
    """Where F1 is greatest."""
    candidates = np.quantile(scores, np.linspace(0, 1, 400))
    return float(candidates[np.argmax([f1(truth, scores, at) for at in candidates])])


def f1(truth: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """F1 of scores that reach a threshold."""
    said = scores >= threshold
    return float(2 * (said & truth).sum() / max(said.sum() + truth.sum(), 1))


def _told(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    for table in measure():
        table.show()
