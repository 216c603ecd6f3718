"""Which row of predictions belongs to which row of the truth, and the official procedure's refusals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava import LABELS, SPEAKING_AUDIBLE, TICKS, AvaRows

MOVED = 1e-9  # of the picture, by which a box may differ
MOST = 2**62  # keys


@dataclass(frozen=True, eq=False)
class Matched:
    """A score for every row of the truth."""

    score: np.ndarray  # (N,) float64
    nearest: int = 0  # rows that took the score of the nearest row of their face
    lowest: int = 0  # rows whose face has no score at all, and took the lowest of all scores
    passed_over: int = 0  # rows of the predictions that the truth does not ask for


@dataclass(frozen=True, eq=False)
class _Keys:
    """A number a row, the same in both tables for the same video, entity and time; sorted, they are so by time."""

    truth: np.ndarray  # (N,) int64
    scores: np.ndarray  # (M,) int64, -1 where the truth does not know the face
    turn: int  # keys of one face lie in one multiple of this


def match(truth: AvaRows, scores: AvaRows, strict: bool = True) -> Matched:
    """The score of each row of `truth`, by video, time in microseconds and entity, whatever the order of rows.

    If not `strict`, labels and boxes of predictions are not looked at, rows that the truth does not have are passed
    over, and a row without a score takes that of the nearest in time of its face (of two as near, the earlier), or if
    there is none the lowest of all.

    Raises:
        UsageError: a row stands twice in either table; and if `strict`, a row of one is wanting in the other, or a
            prediction has another label than SPEAKING_AUDIBLE, no score, or a box that has moved. The first such row
            is named.
    """
    if scores.score is None:
        raise UsageError("the predictions have no scores: a ninth column, or one named 'score'")
    if not len(truth) or not len(scores):
        raise UsageError(f"{len(truth)} rows of truth and {len(scores)} of predictions: there must be some of each")
    _refuse(truth, _twice(truth), "of the truth are there twice")
    _refuse(scores, _twice(scores), "of the predictions are there twice")
    rows = _found(truth, scores)
    if not strict:
        return _filled(_keys(truth, scores), rows, scores.score)
    other = scores.label != SPEAKING_AUDIBLE
    _refuse(scores, other, "of the predictions are not SPEAKING_AUDIBLE", lambda row: LABELS[scores.label[row]])
    _refuse(scores, np.isnan(scores.score), "of the predictions have no score")
    _refuse(
        truth, rows < 0, "of the truth are wanting in the predictions", lambda row: _hint(_keys(truth, scores), row)
    )
    extra = np.ones(len(scores), bool)
    extra[rows] = False
    _refuse(scores, extra, "of the predictions are not in the truth")
    if not all(np.array_equal(truth.box[:, side], scores.box[:, side].take(rows)) for side in range(4)):
        moved = np.abs(truth.box - scores.box[rows]).max(1)
        what = "of the truth have another box in the predictions"
        _refuse(truth, ~(moved <= MOVED), what, lambda row: f"moved by {moved[row]:.3g}")
    return Matched(scores.score.take(rows))


def _keys(truth: AvaRows, scores: AvaRows) -> _Keys:
    ticks = truth.tick, scores.tick
    first = min(int(tick.min()) for tick in ticks)
    turn = max(int(tick.max()) for tick in ticks) - first + 1
    pairs = truth.video.astype(np.int64) * len(truth.entities) + truth.entity
    video, entity = _renamed(scores.videos, truth.videos), _renamed(scores.entities, truth.entities)
    same = video[scores.video] * len(truth.entities) + entity[scores.entity]
    known = (video[scores.video] >= 0) & (entity[scores.entity] >= 0)
    if len(truth.videos) * len(truth.entities) * turn > MOST:  # faces that are there, instead of all that could be
        every, pairs = np.unique(pairs, return_inverse=True)
        at = np.searchsorted(every, same).clip(max=len(every) - 1)
        known &= every[at] == same
        same = at
    return _Keys(pairs * turn + (ticks[0] - first), np.where(known, same * turn + (ticks[1] - first), -1), turn)


def _renamed(names: tuple[str, ...], known: tuple[str, ...]) -> np.ndarray:
    """The place of each name among those that are known, (len(names),) int64; -1: it is not."""
    places = {name: place for place, name in enumerate(known)}
    return np.array([places.get(name, -1) for name in names], np.int64)


def _twice(rows: AvaRows) -> np.ndarray:
    """Which rows have the video, entity and time of an earlier one, (N,) bool."""
    twice = np.zeros(len(rows), bool)
    if rows.in_runs:
        return twice
    order = rows.order
    same = np.diff(rows.tick[order]) == 0
    if same.any():
        same &= (np.diff(rows.video[order]) == 0) & (np.diff(rows.entity[order]) == 0)
        twice[np.maximum(order[1:], order[:-1])[same]] = True
    return twice


def _found(truth: AvaRows, scores: AvaRows) -> np.ndarray:
    """The row of the predictions of each row of the truth, (N,) int64; -1: there is none."""
    if len(truth) == len(scores):
        rows = np.empty(len(truth), np.int64)
        rows[truth.order] = scores.order  # where both have the same rows, for both are sorted
        if _alike(truth, scores, rows):
            return rows
    keys = _keys(truth, scores)
    order = np.argsort(keys.scores, kind="stable")
    at = np.searchsorted(keys.scores, keys.truth, sorter=order).clip(max=len(order) - 1)
    return np.where(keys.scores[order[at]] == keys.truth, order[at], -1)


def _alike(truth: AvaRows, scores: AvaRows, rows: np.ndarray) -> bool:
    """Whether each row of the truth has the video, entity and time of its row of the predictions, rows (N,) int64."""
    video, entity = _renamed(scores.videos, truth.videos), _renamed(scores.entities, truth.entities)
    return (
        np.array_equal(truth.tick, scores.tick.take(rows))
        and np.array_equal(truth.entity, entity.take(scores.entity.take(rows)))
        and np.array_equal(truth.video, video.take(scores.video.take(rows)))
    )


def _filled(keys: _Keys, rows: np.ndarray, score: np.ndarray) -> Matched:
    """A score for every row of the truth, also for those that have none of their own."""
    if np.isnan(score).all():
        raise UsageError(f"none of the {len(score)} predictions has a score")
    whole = np.where(rows >= 0, score[rows], np.nan)
    wanting = np.flatnonzero(np.isnan(whole))
    near = _nearest(keys, wanting, ~np.isnan(score))
    whole[wanting] = np.where(near >= 0, score[near], np.nanmin(score))
    passed_over = len(score) - int(np.sum(rows >= 0))
    return Matched(whole, int(np.sum(near >= 0)), int(np.sum(near < 0)), passed_over)


def _nearest(keys: _Keys, wanting: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """For some rows of the truth, the nearest usable prediction of their face, (len(wanting),) int64; -1: none."""
    usable = np.flatnonzero(usable & (keys.scores >= 0))
    order = usable[np.argsort(keys.scores[usable], kind="stable")]
    if not len(order):
        return np.full(len(wanting), -1)
    key = keys.truth[wanting]
    after = np.searchsorted(keys.scores[order], key)
    sides = []
    for at in (after - 1, after):
        row = order[at.clip(0, len(order) - 1)]
        away = np.abs(keys.scores[row] - key)
        sides.append((row, np.where(keys.scores[row] // keys.turn == key // keys.turn, away, keys.turn)))
    (before, early), (behind, late) = sides
    return np.where(np.minimum(early, late) < keys.turn, np.where(early <= late, before, behind), -1)


def _hint(keys: _Keys, row: int) -> str:
    """How far away the nearest prediction of the same face is, which tells why it was not found."""
    near = int(_nearest(keys, np.array([row]), np.ones(len(keys.scores), bool))[0])
    if near < 0:
        return "its face has none"
    away_s = (keys.scores[near] - keys.truth[row]) / TICKS
    return f"the nearest of its face is {away_s:+.6g} s away"


def _refuse(rows: AvaRows, wrong: np.ndarray, what: str, more: Callable[[int], str] | None = None) -> None:
    """Nothing, if no row is wrong, (N,) bool.

    Raises:
        UsageError: some are; it says how many, and names the first.
    """
    if not wrong.any():
        return
    row, count = int(wrong.argmax()), int(wrong.sum())
    video, entity = rows.videos[rows.video[row]], rows.entities[rows.entity[row]]
    said = f"{count} row{'s' * (count != 1)} {what}, first '{entity}' of '{video}' at {rows.time_s[row]:.10g} s"
    raise UsageError(said + (f": {more(row)}" if more else ""))
