"""From how likely each viseme is to which one is shown when: a track that an animator can use as it is."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.viseme_maps import CLOSURES
from phonoscope.core.visemes import NOT_SCORED, RATE, SILENCE, VISEMES, VisemeTrack, track_of
from phonoscope.data.pack.speaking import runs
from phonoscope.data.viseme_path import likeliest

CLOSED = tuple(VISEMES.index(name) for name in CLOSURES)
_FLOOR = 1e-3  # nothing is less likely than this: one row that is very sure must not outweigh many
_FORBIDDEN = 1e4  # nats a row


@dataclass(frozen=True, slots=True, kw_only=True)
class VisemeTrackParams:
    """How restless a track of visemes may be."""

    min_hold_s: float = 0.07  # s; no shape is shown for less, but closures
    closure_s: float = 0.03  # s; PP and FF may be as short; likelier than not for so long, they are shown
    pause_s: float = 0.15  # s; shorter silences between sounds are bridged
    silence: float = 0.5  # 0 to 1: how likely silence must be to be one
    change_cost: float = 1.0  # nats by which a change of shape must pay; the higher, the calmer
    smooth_s: float = 0.05  # s over which the weights beside the cues are averaged; 0: they are kept as given

    def __post_init__(self) -> None:
        within("visemes.min_hold_s", self.min_hold_s, 0, 10)
        within("visemes.closure_s", self.closure_s, 0, self.min_hold_s)
        within("visemes.pause_s", self.pause_s, self.min_hold_s, 10)
        within("visemes.silence", self.silence, 0.01, 0.99)
        within("visemes.change_cost", self.change_cost, 0)
        within("visemes.smooth_s", self.smooth_s, 0, 1)


def shaped(weights: np.ndarray, p: VisemeTrackParams) -> VisemeTrack:
    """The track of weights (T, 15), 0 or more, at 100 rows a second: T rows of cues, and the weights, smoothed.

    Of all tracks whose cues are long enough it is the likeliest. Speech for `min_hold_s` is never shown as silence,
    silence for `pause_s`, or for `min_hold_s` at either end, never as speech, and a closure never as anything else.
    Rows of zeros say nothing: they take their neighbours' shape.

    Raises:
        ValueError: the weights are not (T, 15), or one of them is negative or not finite.
    """
    weights = np.asarray(weights, np.float32)
    if weights.ndim != 2 or weights.shape[1] != len(VISEMES) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"expected weights (T, {len(VISEMES)}) of 0 or more, got {weights.shape}")
    total = weights.sum(1, keepdims=True)
    shares = weights / np.where(total > 0, total, 1)
    hold = np.full(len(VISEMES), _rows(p.min_hold_s))
    hold[list(CLOSED)] = _rows(p.closure_s)
    at_ends = hold.copy()
    hold[SILENCE] = _rows(p.pause_s)
    rows = likeliest(_scores(shares, p), hold, at_ends, p.change_cost)
    return track_of(rows, RATE, _smoothed(shares, _rows(p.smooth_s)))


def filled(rows: np.ndarray) -> np.ndarray:
    """Numbers of visemes (T,) int8, in which NOT_SCORED is the shape of the sound that follows, or else precedes.

    The mouth is where it goes next while one breathes an h. Where silence follows, it stays where it was.
    """
    rows = np.asarray(rows, np.int8)
    at = np.arange(len(rows))
    known = rows != NOT_SCORED
    if not known.any():
        return np.full(len(rows), SILENCE, np.int8)
    before = np.maximum.accumulate(np.where(known, at, -1))
    after = np.minimum.accumulate(np.where(known, at, len(rows))[::-1])[::-1]
    behind, ahead = rows[before.clip(0)], rows[after.clip(None, len(rows) - 1)]
    follows = (after < len(rows)) & ((ahead != SILENCE) | (before < 0))
    return np.where(known, rows, np.where(follows, ahead, behind)).astype(np.int8)


def _rows(seconds: float) -> int:
    return max(1, round(seconds * RATE))


def _scores(shares: np.ndarray, p: VisemeTrackParams) -> np.ndarray:
    """How well each viseme fits each row, (T, 15) nats; what must not be shown is forbidden.

    The most likely sound counts for all sounds, so that many unlikely ones together are still not silence.
    """
    told, silence, sounds = shares.sum(1) > 0, shares[:, SILENCE], np.delete(shares, SILENCE, 1)
    best = np.maximum(sounds.max(1, keepdims=True), 1e-12)
    scores = np.log(np.maximum(1 - silence, _FLOOR))[:, None] + np.log(np.maximum(sounds / best, _FLOOR))
    silent = np.log(np.maximum(silence, _FLOOR)) + np.log(1 / p.silence - 1)
    scores = np.where(told[:, None], np.insert(scores.astype(np.float64), SILENCE, silent, 1), 0)
    closed = np.zeros(len(shares), bool)
    for viseme in CLOSED:
        for span in _long(shares[:, viseme] > 0.5, _rows(p.closure_s)):
            closed[span] = True
            scores[span, np.arange(len(VISEMES)) != viseme] -= _FORBIDDEN
    quiet = (silence > p.silence) & ~closed
    for span in _long(quiet, _rows(p.pause_s), _rows(p.min_hold_s)):
        scores[span, np.arange(len(VISEMES)) != SILENCE] -= _FORBIDDEN
    for span in _long(told & ~quiet, _rows(p.min_hold_s)):
        scores[span, SILENCE] -= _FORBIDDEN
    return scores


def _long(rows: np.ndarray, least: int, at_ends: int | None = None) -> list[slice]:
    """Runs of rows (T,) that hold, of `least` rows or more; at the first and last row `at_ends` do."""
    found = [slice(span.start, span.stop) for span in runs(rows, 0)]
    enough = least if at_ends is None else at_ends
    ends = {0, len(rows)}
    return [it for it in found if it.stop - it.start >= (enough if {it.start, it.stop} & ends else least)]


def _smoothed(weights: np.ndarray, width: int) -> np.ndarray:
    """Weights averaged along time under a Hann window of `width` rows, float32; the first and last row stand beyond."""
    if not len(weights):
        return weights.astype(np.float32)
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(weights, ((width // 2, (width - 1) // 2), (0, 0)), "edge")
    kept = [np.convolve(column, window / window.sum(), "valid") for column in padded.T]
    return np.stack(kept, 1).astype(np.float32)
