"""Visemes as curves: how much of each is shown, at any rate, for faces that are not drawn but blended."""

from fractions import Fraction

import numpy as np

from phonoscope.core.viseme_maps import CLOSURES
from phonoscope.core.visemes import SILENCE, VISEMES, VisemeTrack

FADE_S = 0.08  # s from one shape to the next, where a track has cues only; less where a cue is shorter
STEPS = 10_000  # a weight is a whole number of ten thousandths in files, so that it comes back as it went
_CLOSED = [VISEMES.index(name) for name in CLOSURES]


def curves(track: VisemeTrack, rate: Fraction) -> np.ndarray:
    """The weights of a track at so many rows a second, (⌈its length · rate⌉, 15) float32: means over each row's time.

    Of PP and FF the most in that time, at the cost of the others: a closure that is averaged away is the first thing
    that viewers miss. At the track's own rate they are its weights as they are. A track without weights has those of
    its cues, faded into one another.
    """
    weights = _faded(track) if track.weights is None else track.weights
    if rate == track.rate or not track.rows:
        return weights
    count = -(-track.rows * rate // track.rate)
    ratio = track.rate / rate
    edges = np.arange(count + 1, dtype=np.int64) * ratio.numerator
    first, stop = edges[:-1] // ratio.denominator, -(-edges[1:] // ratio.denominator)
    at = np.minimum(edges / ratio.denominator, track.rows)
    sums = np.concatenate([np.zeros((1, len(VISEMES))), np.cumsum(weights, 0, dtype=np.float64)])
    below = np.minimum(at.astype(np.int64), track.rows - 1)
    until = sums[below] + (at - below)[:, None] * weights[below]
    means = np.diff(until, axis=0) / np.diff(at)[:, None]
    return _closing(means, weights, first, np.minimum(stop, track.rows)).astype(np.float32)


def stepped(weights: np.ndarray) -> np.ndarray:
    """Weights (T, 15) in ten thousandths, rounded down, int64: sounds sum to 1 at most, silence is the rest."""
    sounds = np.delete(np.clip(weights, 0, None).astype(np.float64), SILENCE, 1)
    sounds /= np.maximum(sounds.sum(1, keepdims=True), 1)
    steps = np.floor(sounds * STEPS + 0.01).astype(np.int64)  # what float32 holds of 0.1234 may be less than that
    return np.insert(steps, SILENCE, STEPS - steps.sum(1), 1)


def _closing(means: np.ndarray, weights: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Means of rows `first` to `stop` in which closures are at their most."""
    closed = weights[first][:, _CLOSED]
    for more in range(1, int((stop - first).max(initial=0))):
        closed = np.maximum(closed, weights[np.minimum(first + more, stop - 1)][:, _CLOSED])
    closed = closed / np.maximum(closed.sum(1, keepdims=True), 1)
    rest = np.delete(means, _CLOSED, 1)
    total = rest.sum(1, keepdims=True)
    share = np.where(total > 0, (1 - closed.sum(1, keepdims=True)) / np.where(total > 0, total, 1), 0)
    made = np.empty_like(means)
    made[:, _CLOSED] = closed
    made[:, [at for at in range(len(VISEMES)) if at not in _CLOSED]] = rest * np.minimum(share, 1)
    return made


def _faded(track: VisemeTrack) -> np.ndarray:
    """Weights of cues, (T, 15) float32: all of each in its middle, and about its edges a passage."""
    edges = track.edges.astype(np.float64)
    if track.rows == 0:
        return np.zeros((0, len(VISEMES)), np.float32)
    half = np.minimum(np.diff(edges), FADE_S * float(track.rate)) / 2
    known = np.stack([edges[:-1] + half, edges[1:] - half], 1).ravel()
    values = np.repeat(np.eye(len(VISEMES))[track.values], 2, 0)
    rows = np.arange(track.rows) + 0.5
    return np.stack([np.interp(rows, known, column) for column in values.T], 1).astype(np.float32)
